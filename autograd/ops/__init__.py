"""Every op and every function made of ops, under its own name; NumPy's and PyTorch's other names beside it.

What most programs use is imported here and now; the rest, by family, when it is first asked for (`LATE`).
"""

from typing import Any

from .activation import elu, erf, erfc, gelu, leaky_relu, logsigmoid, relu, sigmoid, silu, softplus
from .arithmetic import add, divide, subtract
from .compose import (
    allclose,
    bmm,
    clamp,
    clamp_max,
    clamp_min,
    dot,
    equal,
    index_select,
    isclose,
    lerp,
    masked_fill,
    masked_select,
    max,
    min,
    mm,
    mv,
    one_hot,
    outer,
    sort,
    take,
    take_along_dim,
    topk,
)
from .einsum import einsum
from .elementwise import (
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    floor,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sin,
    sinh,
    sqrt,
    square,
    tan,
    tanh,
    trunc,
    where,
)
from .linear import (
    cast,
    clone,
    concatenate,
    conj,
    cumsum,
    diagonal,
    expand,
    flip,
    gather,
    identity,
    permute,
    reshape,
    sum,
    transpose,
    tril,
    triu,
)
from .logic import (
    all,
    any,
    argmax,
    argmin,
    argsort,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    count_nonzero,
    eq,
    floor_divide,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    sign,
)
from .loss import sigmoid_cross_entropy, softmax_cross_entropy
from .matrix import affine, matmul
from .normalize import standardize
from .reduce import amax, amin, log_softmax, logsumexp, mean, prod, softmax
from .shape import (
    broadcast_tensors,
    cat,
    chunk,
    flatten,
    movedim,
    pad,
    roll,
    split,
    squeeze,
    stack,
    tile,
    unbind,
    unflatten,
    unsqueeze,
)

sub, mul, div, true_divide, pow, neg, absolute = (subtract, multiply, divide, divide, power, negative, abs)
clip, fix, mod = (clamp, trunc, remainder)
arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh = (acos, acosh, asin, asinh, atan, atan2, atanh)
greater, greater_equal, less, less_equal, not_equal = (gt, ge, lt, le, ne)
swapaxes = swapdims = transpose
concat = cat
take_along_axis, around, rint = (take_along_dim, round, round)
expand_dims, broadcast_to, moveaxis, ravel = (unsqueeze, expand, movedim, flatten)

FAMILIES = {
    "adaptive": """
        adaptive_avg_pool1d adaptive_max_pool1d
    """,
    "alignment": """
        ctc_loss
    """,
    "arrange": """
        diag diag_embed diagflat fliplr flipud narrow rot90 select sum_to_size t trace tril_indices triu_indices
        unfold
    """,
    "averages": """
        average cumulative_prod cumulative_sum logmeanexp nancumprod nancumsum nanmax nanmin nanpercentile
        nanprod nanstd nanvar percentile ptp
    """,
    "bessel": """
        i0
    """,
    "binary": """
        addcdiv addcmul float_power fmax fmin hypot ldexp logaddexp2 polar rsub xlogy
    """,
    "blanks": """
        empty_permuted empty_strided geomspace new_empty_strided resize_ resize_as_ scalar_tensor
    """,
    "complex_parts": """
        adjoint angle chalf complex imag real view_as_complex view_as_real
    """,
    "conv": """
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    """,
    "copied": """
        detach_copy select_copy slice_copy split_copy view_as_complex_copy view_as_real_copy
    """,
    "copies": """
        alias_copy conj_physical constant_pad_nd diagonal_copy expand_copy fill narrow_copy permute_copy
        resolve_conj resolve_neg split_with_sizes_copy squeeze_copy t_copy transpose_copy unbind_copy
        unfold_copy unsafe_chunk unsafe_split unsqueeze_copy view_copy
    """,
    "cosines": """
        dct idct
    """,
    "counting": """
        argwhere bincount bucketize histc isin nonzero nonzero_static searchsorted unique unique_consecutive
    """,
    "curves": """
        convolve convolve2d correlate interp polyder polyval unwrap vander
    """,
    "draws": """
        bernoulli binomial multinomial normal poisson randint_like uniform
    """,
    "edits": """
        append block choose compress delete ediff1d extract insert partition piecewise resize rollaxis
        sliding_window_view
    """,
    "factorize": """
        cholesky_inverse cholesky_solve geqrf old_cholesky old_qr ormqr
    """,
    "fills": """
        bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_ uniform_
    """,
    "finite": """
        gradient
    """,
    "gaussian": """
        erfinv
    """,
    "histograms": """
        histogram histogram2d histogramdd
    """,
    "image": """
        channel_shuffle pixel_shuffle pixel_unshuffle
    """,
    "lengths": """
        norm
    """,
    "lowrank": """
        lobpcg pca_lowrank svd_lowrank
    """,
    "mantissa": """
        frexp positive
    """,
    "matrix_functions": """
        chain_matmul matrix_exp matrix_power
    """,
    "native": """
        native_batch_norm native_dropout native_group_norm native_layer_norm
    """,
    "pool": """
        avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d
    """,
    "products": """
        addbmm addmm addmv addr baddbmm cdist cross dist inner pdist renorm tensordot vdot
    """,
    "queries": """
        broadcast_shapes can_cast is_complex is_floating_point is_nonzero is_same_size is_signed is_tensor numel
        promote_types ravel_multi_index result_type unravel_index
    """,
    "rounding": """
        bitwise_left_shift bitwise_right_shift copysign fmod frac gcd heaviside isneginf isposinf isreal lcm
        nan_to_num nextafter sgn signbit
    """,
    "scan": """
        cummax cummin cumprod cumulative_trapezoid diff logcumsumexp trapezoid
    """,
    "scattering": """
        diagonal_scatter index_add index_copy index_fill index_put index_reduce masked_scatter put scatter
        scatter_add scatter_reduce select_scatter slice_scatter
    """,
    "segments": """
        segment_max segment_mean segment_min segment_prod segment_reduce segment_sum
    """,
    "shorttime": """
        istft stft
    """,
    "singular": """
        old_svd pinv
    """,
    "solve": """
        det inv logdet slogdet triangular_solve
    """,
    "special": """
        digamma gammainc gammaincc lgamma multigammaln polygamma
    """,
    "stacking": """
        atleast_1d atleast_2d atleast_3d block_diag cartesian_prod column_stack combinations dsplit dstack
        hsplit hstack kron meshgrid repeat_interleave split_with_sizes tensor_split vsplit vstack
    """,
    "statistics": """
        aminmax corrcoef cov kthvalue median mode msort nanmean nanmedian nanquantile nansum quantile std
        std_mean var var_mean
    """,
    "strided": """
        as_strided as_strided_copy as_strided_scatter
    """,
    "tapers": """
        bartlett_window blackman_window hamming_window hann_window kaiser_window
    """,
    "triangular": """
        lu_unpack old_lu old_lu_solve
    """,
    "unary": """
        cbrt deg2rad logit rad2deg sinc
    """,
    "warp": """
        grid_sampler_2d grid_sampler_3d
    """,
}
OTHER_NAMES = {
    "repeat": "repeat_interleave", "degrees": "rad2deg", "radians": "deg2rad",
    "array_split": "tensor_split",
    "row_stack": "vstack", "trapz": "trapezoid", "gammaln": "lgamma", "mvlgamma": "multigammaln", "igamma":
    "gammainc", "igammac": "gammaincc", "inverse": "inv", "cholesky": "old_cholesky", "qr": "old_qr", "lu":
    "old_lu", "lu_solve": "old_lu_solve", "svd": "old_svd", "pinverse": "pinv",
}
_OWN = {name: family for family, names in FAMILIES.items() for name in names.split()}
LATE = _OWN | {name: _OWN[of] for name, of in OTHER_NAMES.items()}


def __getattr__(name: str) -> Any:
    if name not in LATE:
        raise AttributeError(f"module 'autograd.ops' has no attribute {name!r}")
    from importlib import import_module
    found = getattr(import_module(f".{LATE[name]}", __name__), OTHER_NAMES.get(name, name))
    globals()[name] = found                   # the next one finds it at once
    return found


__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "affine", "all", "allclose", "amax", "amin", "any", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argsort", "around", "asin",
    "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "bmm",
    "broadcast_tensors", "broadcast_to", "cast", "cat", "ceil", "chunk", "clamp", "clamp_max", "clamp_min", "clip",
    "clone", "concat", "concatenate", "conj", "cos", "cosh", "count_nonzero", "cumsum", "diagonal", "div", "divide",
    "dot", "einsum", "elu", "eq", "equal", "erf", "erfc", "exp", "exp2", "expand", "expand_dims", "expm1", "fix",
    "flatten", "flip", "floor", "floor_divide", "gather", "ge", "gelu", "greater", "greater_equal", "gt",
    "identity", "index_select", "isclose", "isfinite", "isinf", "isnan", "le", "leaky_relu", "lerp", "less",
    "less_equal", "log", "log10", "log1p", "log2", "log_softmax", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logsigmoid", "logsumexp", "lt", "masked_fill", "masked_select", "matmul", "max",
    "maximum", "mean", "min", "minimum", "mm", "mod", "moveaxis", "movedim", "mul", "multiply", "mv", "ne", "neg",
    "negative", "not_equal", "one_hot", "outer", "pad", "permute", "pow", "power", "prod", "ravel", "reciprocal",
    "relu", "remainder", "reshape", "rint", "roll", "round", "rsqrt", "sigmoid", "sigmoid_cross_entropy", "sign",
    "silu", "sin", "sinh", "softmax", "softmax_cross_entropy", "softplus", "sort", "split", "sqrt", "square",
    "squeeze", "stack", "standardize", "sub", "subtract", "sum", "swapaxes", "swapdims", "take", "take_along_axis",
    "take_along_dim", "tan", "tanh", "tile", "topk", "transpose", "tril", "triu", "true_divide", "trunc", "unbind",
    "unflatten", "unsqueeze", "where",
]
