"""The operators and methods of Tensor: each is the op of that name, put on the class."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops
from .call import NUMBERS
from .devices import CPU, DEVICES, on_cpu
from .devices import device as Device
from .modes import current
from .ops import elementwise
from .ops.composed import array_of
from .tensor import Tensor, wrap

for _symbol, _op in {"add": elementwise.add, "sub": elementwise.subtract, "mul": ops.multiply,
                     "truediv": elementwise.divide, "pow": ops.power,
                     "mod": ops.remainder, "floordiv": ops.floor_divide, "matmul": ops.matmul, "and": ops.bitwise_and,
                     "or": ops.bitwise_or, "xor": ops.bitwise_xor}.items():
    setattr(Tensor, f"__{_symbol}__", _op)                               # x + y: the op itself, nothing in between
    setattr(Tensor, f"__r{_symbol}__", lambda y, x, _op=_op: _op(x, y))
    _op.op.reflected = f"__r{_symbol}__"
for _symbol, _op in {"lt": ops.lt, "le": ops.le, "gt": ops.gt, "ge": ops.ge, "neg": ops.negative, "abs": ops.abs,
                     "invert": ops.bitwise_not}.items():
    setattr(Tensor, f"__{_symbol}__", _op)
setattr(Tensor, "__pos__", lambda x: x)
setattr(Tensor, "__eq__", lambda x, y: ops.eq(x, y) if isinstance(y, NUMBERS) else NotImplemented)
setattr(Tensor, "__ne__", lambda x, y: ops.ne(x, y) if isinstance(y, NUMBERS) else NotImplemented)

METHODS = [
    "abs", "absolute", "acos", "acosh", "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "all",
    "allclose", "amax", "amin", "aminmax", "any", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "argmax", "argmin", "argsort", "argwhere", "asin", "asinh", "atan", "atan2", "atanh", "baddbmm",
    "bincount", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "bmm", "ceil", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "conj",
    "conj_physical", "copysign", "corrcoef", "cos", "cosh", "count_nonzero", "cov", "cross", "cummax", "cummin",
    "cumprod", "cumsum", "deg2rad", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "diff",
    "dist", "div", "divide", "dot", "dsplit", "eq", "equal", "erf", "erfc", "erfinv", "exp", "exp2", "expm1",
    "flatten", "fliplr", "flipud", "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "frac", "gather",
    "gcd", "ge", "greater", "greater_equal", "gt", "heaviside", "histc", "hsplit", "hypot", "index_add",
    "index_copy", "index_fill", "index_put", "index_reduce", "index_select", "inner", "isclose", "isfinite",
    "isinf", "isnan", "isneginf", "isposinf", "isreal", "kron", "kthvalue", "lcm", "ldexp", "le", "lerp", "less",
    "less_equal", "log", "log10", "log1p", "log2", "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logsumexp", "lt", "masked_fill",
    "masked_scatter", "masked_select", "matmul", "max", "maximum", "mean", "median", "min", "minimum", "mm", "mode",
    "moveaxis", "movedim", "msort", "mul", "multiply", "mv", "nan_to_num", "nanmean", "nanmedian", "nanquantile",
    "nansum", "narrow", "ne", "neg", "negative", "nextafter", "nonzero", "nonzero_static", "norm", "not_equal",
    "outer", "pow", "prod", "put", "quantile", "rad2deg", "ravel", "reciprocal", "relu", "remainder", "renorm",
    "repeat_interleave", "resolve_conj", "resolve_neg", "roll", "rot90", "round", "rsqrt", "scatter", "scatter_add",
    "scatter_reduce", "select", "select_scatter", "sgn", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh",
    "slice_scatter", "softmax", "sort", "split", "split_with_sizes", "sqrt", "square", "squeeze", "std", "sub",
    "subtract", "sum", "sum_to_size", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan", "tanh",
    "tensor_split", "topk", "trace", "transpose", "tril", "triu", "true_divide", "trunc", "unbind", "unflatten",
    "unfold", "unique", "unique_consecutive", "unsqueeze", "var", "vdot", "vsplit", "xlogy",
]
METHODS += [
    "adjoint", "angle", "as_strided", "as_strided_scatter", "bernoulli", "bernoulli_", "cauchy_", "chalf",
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "digamma", "exponential_", "frexp", "geometric_",
    "geqrf", "i0", "igamma", "igammac", "inverse", "is_nonzero", "is_same_size", "is_signed", "istft", "lgamma",
    "log_normal_", "logdet", "lu", "lu_solve", "matrix_exp", "matrix_power", "multinomial", "mvlgamma",
    "new_empty_strided", "normal_", "ormqr", "pinverse", "positive", "qr", "random_", "resize_", "resize_as_",
    "slogdet", "stft", "svd", "triangular_solve", "uniform_",
]


def _late(name: str) -> Any:
    """A method whose family is imported at its first call."""
    def method(*args: Any, **kwargs: Any) -> Any:
        function = ops.__getattr__(name)
        setattr(Tensor, name, function)
        return function(*args, **kwargs)
    method.__name__ = method.__qualname__ = name
    return method


for _name in METHODS:
    setattr(Tensor, _name, _late(_name) if _name in ops.LATE else getattr(ops, _name))
setattr(Tensor, "polygamma", lambda x, n: ops.__getattr__("polygamma")(n, x))


for _symbol, _name in {"lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift"}.items():
    setattr(Tensor, f"__{_symbol}__", lambda x, y, _name=_name: ops.__getattr__(_name)(x, y))
    setattr(Tensor, f"__r{_symbol}__", lambda y, x, _name=_name: ops.__getattr__(_name)(x, y))


def method(function: Any) -> Any:
    """Put a function on Tensor under its own name."""
    setattr(Tensor, function.__name__, function)
    return function


def _sizes(sizes: tuple[Any, ...]) -> Any:
    """x.reshape(2, 3) and x.reshape((2, 3)) alike; entries may be 0-d tensors."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple(int(n) for n in sizes)


@method
def reshape(self: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape:  x.reshape(2, 3) or x.reshape((2, 3)); one entry may be -1."""
    return ops.reshape(self, shape=_sizes(shape))


@method
def view(self: Tensor, *shape: Any) -> Any:
    """As `reshape`; given a dtype, the same bytes read as another type (no gradient)."""
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list, Tensor, np.integer)):
        return wrap(self.value.view(shape[0]))
    return ops.reshape(self, shape=_sizes(shape))


@method
def permute(self: Tensor, *dims: Any) -> Tensor:
    """The axes in another order:  x.permute(1, 0) or x.permute((1, 0))."""
    return ops.permute(self, dims=_sizes(dims))


@method
def expand(self: Tensor, *shape: Any) -> Tensor:
    """Broadcast to a shape without copying; -1 keeps an axis as it is."""
    return ops.expand(self, shape=_sizes(shape))


@method
def broadcast_to(self: Tensor, shape: Any) -> Tensor:
    """Broadcast to a shape without copying."""
    return ops.expand(self, shape=shape)


@method
def repeat(self: Tensor, *repeats: Any) -> Tensor:
    """Repeated so many times along each axis."""
    return ops.tile(self, _sizes(repeats))


@method
def tile(self: Tensor, *dims: Any) -> Tensor:
    """Repeated so many times along each axis."""
    return ops.tile(self, _sizes(dims))


@method
def flip(self: Tensor, *axes: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along the axes given."""
    return ops.flip(self, dims=_sizes(axes) if dims is None else dims)


@method
def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of one value, of another shape and the same dtype."""
    made = wrap(np.full(size, fill_value, dtype or self.dtype)[()])
    return made.requires_grad_() if requires_grad else made


@method
def new_zeros(self: Tensor, *size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of another shape and the same dtype."""
    return new_full(self, _sizes(size), 0, dtype=dtype, requires_grad=requires_grad)


@method
def new_ones(self: Tensor, *size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of another shape and the same dtype."""
    return new_full(self, _sizes(size), 1, dtype=dtype, requires_grad=requires_grad)


@method
def new_empty(self: Tensor, *size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Room for another shape of the same dtype, its values not set."""
    made = wrap(np.empty(_sizes(size), dtype or self.dtype)[()])
    return made.requires_grad_() if requires_grad else made


@method
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of the data, in the dtype of this one."""
    made = wrap(np.array(array_of(data), dtype or self.dtype)[()])
    return made.requires_grad_() if requires_grad else made


@method
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """In the shape of another tensor."""
    return ops.reshape(self, shape=other.shape)


@method
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """In the shape of another tensor."""
    return ops.reshape(self, shape=other.shape)


@method
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Broadcast to the shape of another tensor."""
    return ops.expand(self, shape=other.shape)


@method
def contiguous(self: Tensor) -> Tensor:
    """The tensor itself: memory order is never visible here."""
    return self


@method
def where(self: Tensor, condition: Any, other: Any) -> Tensor:
    """The tensor where the condition holds, `other` elsewhere."""
    return ops.where(condition, self, other)


@method
def to(self: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False,
       non_blocking: bool = False) -> Tensor:
    """In another dtype (or that of another tensor); itself if it has it already, unless `copy`.

    The device "cpu" is accepted, in PyTorch's order:  x.to(dtype), x.to("cpu", dtype), x.to(other).
    """
    rest = list(args)
    if rest and (rest[0] is None or isinstance(rest[0], Device)
                 or (isinstance(rest[0], str) and rest[0].partition(":")[0] in DEVICES)):
        device = rest.pop(0)
    on_cpu("to", device)
    if rest and not isinstance(rest[0], (bool, np.bool_)):
        dtype = rest.pop(0)
    copy = copy or (len(rest) > 1 and bool(rest[1]))
    wanted = self.dtype if dtype is None else dtype.dtype if isinstance(dtype, Tensor) else np.dtype(dtype)
    if wanted == self.dtype:
        return ops.clone(self) if copy else self
    return ops.cast(self, dtype=wanted)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """In the dtype of another tensor."""
    return self.to(other.dtype)


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself: it is on the CPU."""
    return self


@method
def cuda(self: Tensor, device: Any = "cuda", non_blocking: bool = False) -> Tensor:
    """RuntimeError: there is no GPU here."""
    on_cpu("cuda", device)
    return self


setattr(Tensor, "device", property(lambda self: CPU))
setattr(Tensor, "is_cuda", property(lambda self: False))
setattr(Tensor, "astype", to)
setattr(Tensor, "type", to)
for _name, _dtype in {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64",
                      "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool",
                      "cfloat": "complex64", "cdouble": "complex128"}.items():
    setattr(Tensor, _name, lambda self, _dtype=_dtype: self.to(_dtype))

setattr(Tensor, "T", property(lambda x: ops.permute(x, dims=tuple(range(x.ndim - 1, -1, -1)))))
setattr(Tensor, "__rdiv__", Tensor.__rtruediv__)
setattr(Tensor, "H", property(lambda x: ops.conj(ops.__getattr__("t")(x))))
setattr(Tensor, "mH", property(lambda x: ops.conj(ops.transpose(x, dim0=-1, dim1=-2))))
setattr(Tensor, "mT", property(lambda x: ops.transpose(x, dim0=-1, dim1=-2)))


@method
def __getitem__(self: Tensor, index: Any) -> Tensor:
    """x[index]: integers, slices (negative steps too), None, ..., integer and bool arrays or tensors."""
    if isinstance(index, tuple):
        index = tuple([plain_index(k) for k in index])
    else:
        index = plain_index(index)
    return ops.linear.getitem(self, index=index)


def _copied(index: Any) -> Any:
    """A copy of an index; an open recording is told what it is a copy of."""
    made, mode = np.array(index), current()
    if mode is not None and mode.recorder is not None:
        mode.recorder.copied(index, made)
    return made


def plain_index(k: Any) -> Any:
    """One entry of an index as NumPy takes it, arrays as copies: nobody changes them behind the graph's back."""
    if isinstance(k, Tensor):
        if k.dtype.kind not in "iub":
            raise IndexError(f"a tensor used as an index must hold integers or bools; got {k.dtype}")
        return k if hasattr(k, "level") else _copied(k.value)        # of a `vmap`: each lane has its own
    if isinstance(k, np.ndarray):
        return _copied(k)
    return np.asarray(k, None if k else np.int64) if isinstance(k, list) else k
