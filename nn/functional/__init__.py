"""The layers, activations and losses as functions: PyTorch's torch.nn.functional.

Each takes Tensors or arrays; given arrays alone it returns an array.  `inplace` is accepted and has no
effect beyond PyTorch's result: the value returned is the answer, the input keeps its own.
"""

from .activation import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from .layers import (
    batch_norm,
    cosine_similarity,
    dropout,
    embedding,
    layer_norm,
    linear,
    normalize,
    one_hot,
    pad,
    pairwise_distance,
)
from .loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    cross_entropy,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
