"""The layers, activations and losses as functions: PyTorch's torch.nn.functional.

Each takes Tensors or arrays; given arrays alone it returns an array.
"""

from typing import Any

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
    cosine_similarity,
    dropout,
    embedding,
    layer_norm,
    linear,
    normalize,
    one_hot,
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

# more, by the file that has it, imported when first asked for
FAMILIES = {
    "autograd.ops.adaptive": """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
        adaptive_max_pool2d adaptive_max_pool3d
    """,
    "autograd.ops.alignment": """
        ctc_loss
    """,
    "autograd.ops.fractional": """
        fractional_max_pool2d fractional_max_pool3d
    """,
    "autograd.ops.draws": """
        gumbel_softmax
    """,
    "nn.functional.channels": """
        batch_norm
    """,
    "nn.functional.bags": """
        embedding_bag
    """,
    "nn.functional.heads": """
        linear_cross_entropy multi_head_attention_forward
    """,
    "autograd.ops.conv": """
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    """,
    "autograd.ops.image": """
        channel_shuffle interpolate pad upsample upsample_nearest upsample_bilinear pixel_shuffle
        pixel_unshuffle
    """,
    "autograd.ops.pool": """
        max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d
        lp_pool3d
    """,
    "autograd.ops.products": """
        pdist
    """,
    "autograd.ops.unpool": """
        max_unpool1d max_unpool2d max_unpool3d
    """,
    "autograd.ops.warp": """
        grid_sample affine_grid
    """,
    "autograd.ops.windows": """
        unfold fold
    """,
    "nn.functional.attention": """
        bilinear scaled_dot_product_attention
    """,
    "nn.functional.dropping": """
        alpha_dropout dropout1d dropout2d dropout3d feature_alpha_dropout rrelu
    """,
    "nn.functional.loss_variants": """
        categorical_hinge_loss contrastive_loss dice_loss generalized_cross_entropy log_cosh_loss
        mean_absolute_percentage_error mean_squared_logarithmic_error nt_xent_loss sigmoid_focal_loss
        softmax_focal_loss squared_hinge_loss tversky_loss
    """,
    "nn.functional.margin": """
        gaussian_nll_loss multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss
        poisson_nll_loss soft_margin_loss triplet_margin_loss triplet_margin_with_distance_loss
    """,
    "nn.functional.normalization": """
        group_norm instance_norm local_response_norm rms_norm
    """,
    "nn.functional.variants": """
        clipped_relu crelu geglu quick_gelu sparse_plus sparse_sigmoid sparsemax squareplus swiglu
    """,
}
LATE = {name: family for family, names in FAMILIES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in LATE:
        raise AttributeError(f"module 'nn.functional' has no attribute {name!r}")
    from importlib import import_module
    found = getattr(import_module(LATE[name]), name)
    globals()[name] = found                   # the next one finds it at once
    return found
