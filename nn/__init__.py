"""Layers, losses and containers, with PyTorch's names, defaults and shapes."""

from typing import TYPE_CHECKING, Any

from autograd import Parameter as Parameter

from . import functional as functional
from . import init as init
from .activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from .containers import ModuleDict, ModuleList, Sequential
from .linear import Flatten, Identity, Linear, Unflatten
from .module import Module

if TYPE_CHECKING:
    from .dropout import Dropout as Dropout
    from .embedding import Embedding as Embedding
    from .losses import BCELoss as BCELoss
    from .losses import BCEWithLogitsLoss as BCEWithLogitsLoss
    from .losses import CosineEmbeddingLoss as CosineEmbeddingLoss
    from .losses import CrossEntropyLoss as CrossEntropyLoss
    from .losses import HingeEmbeddingLoss as HingeEmbeddingLoss
    from .losses import HuberLoss as HuberLoss
    from .losses import KLDivLoss as KLDivLoss
    from .losses import L1Loss as L1Loss
    from .losses import MarginRankingLoss as MarginRankingLoss
    from .losses import MSELoss as MSELoss
    from .losses import NLLLoss as NLLLoss
    from .losses import SmoothL1Loss as SmoothL1Loss
    from .normalization import BatchNorm1d as BatchNorm1d
    from .normalization import LayerNorm as LayerNorm

FAMILIES = {
    "activation": """
        RReLU Softmax2d
    """,
    "additive": """
        Attention AdditiveAttention
    """,
    "attention": """
        NonDynamicallyQuantizableLinear MultiheadAttention
    """,
    "blocks": """
        Cropping1d Cropping2d Cropping3d Highway Maxout MLP RepeatVector Scale TimeDistributed UnitNormalization
    """,
    "cache": """
        KVCache
    """,
    "cells": """
        RNNCellBase RNNCell LSTMCell GRUCell
    """,
    "convolution": """
        Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
    """,
    "distance": """
        CosineSimilarity PairwiseDistance
    """,
    "dropout": """
        Dropout AlphaDropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout
    """,
    "embedding": """
        Embedding EmbeddingBag
    """,
    "everywhere": """
        register_module_forward_hook register_module_forward_pre_hook register_module_full_backward_hook
        register_module_full_backward_pre_hook
    """,
    "gpt": """
        CausalSelfAttention GPTBlock GPT
    """,
    "grouped": """
        GroupedQueryAttention sliding_window_mask
    """,
    "lazy": """
        LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d
        LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d
        LazyLinear LazyModuleMixin
    """,
    "likelihoods": """
        PoissonNLLLoss GaussianNLLLoss CTCLoss LinearCrossEntropyLoss ASMoutput AdaptiveLogSoftmaxWithLoss
    """,
    "linear": """
        Bilinear
    """,
    "losses": """
        BCELoss BCEWithLogitsLoss CosineEmbeddingLoss CrossEntropyLoss HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss
        MarginRankingLoss MSELoss NLLLoss SmoothL1Loss
    """,
    "loss_variants": """
        CategoricalHingeLoss ContrastiveLoss DiceLoss LogCoshLoss NTXentLoss SigmoidFocalLoss SoftmaxFocalLoss
        SquaredHingeLoss TverskyLoss
    """,
    "margins": """
        SoftMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss MultiLabelMarginLoss TripletMarginLoss
        TripletMarginWithDistanceLoss
    """,
    "merging": """
        Add Average Concatenate Dot Lambda Maximum Minimum Multiply Subtract
    """,
    "noise": """
        GaussianDropout GaussianNoise StochasticDepth
    """,
    "normalization": """
        BatchNorm1d BatchNorm2d BatchNorm3d CrossMapLRN2d GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d
        LayerNorm LocalResponseNorm RMSNorm SyncBatchNorm
    """,
    "packing": """
        PackedSequence
    """,
    "padding": """
        CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d
        ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d
        ZeroPad3d
    """,
    "parameters": """
        ParameterDict ParameterList
    """,
    "pooling": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
        AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d LPPool1d
        LPPool2d LPPool3d GlobalAvgPool GlobalMaxPool MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d
    """,
    "positions": """
        PositionalEncoding LearnedPositionalEncoding RotaryPositionalEncoding sinusoidal_positions alibi
    """,
    "recurrent": """
        RNNBase RNN LSTM GRU
    """,
    "resampling": """
        ChannelShuffle Fold PixelShuffle PixelUnshuffle Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d
    """,
    "separable": """
        DepthwiseConv1d DepthwiseConv2d SeparableConv1d SeparableConv2d
    """,
    "transformer": """
        TransformerEncoderLayer TransformerDecoderLayer TransformerEncoder TransformerDecoder Transformer
    """,
    "parameter": """
        Buffer UninitializedBuffer UninitializedParameter
    """,
    "variants": """
        ClippedReLU CReLU GEGLU QuickGELU Sparsemax Squareplus SwiGLU
    """,
    "vit": """
        PatchEmbedding ViTBlock VisionTransformer
    """,
    "training.history": """
        Callback History LambdaCallback
    """,
    "training.model": """
        Model
    """,
    "diagnosis": """
        doctor
    """,
    "estimators": """
        Classifier Regressor
    """,
    "training.tuning": """
        lr_find
    """,
    "training.warned": """
        TrainingWarning
    """,
    "files": """
        save load
    """,
}
_PACKAGES = ("callbacks", "data", "metrics", "parameter", "regularizers", "utils", "npz", "safetensors")
LATE = {name: family for family, names in FAMILIES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """What is imported when it is first asked for: the layers that not every program has."""
    if name not in LATE and name not in _PACKAGES:
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    from importlib import import_module
    found = import_module(f".{name}", __name__) if name in _PACKAGES else getattr(
        import_module(f".{LATE[name]}", __name__), name)
    globals()[name] = found                   # the next one finds it at once
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PACKAGES, *LATE})
