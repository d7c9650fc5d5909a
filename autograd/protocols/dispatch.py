"""Where NumPy's calls go: `np.exp(tensor)`, `array * tensor`, `np.add.reduce(tensor)`, `np.sum(tensor)`.

A ufunc becomes the op of its name, another function the one of its name in the files beside this one.  What no
gradient can flow through (comparisons, floor, argmax) is computed as NumPy does and comes back as a Tensor (a Python
number, bool or string as itself); what has no counterpart is refused where it would cut a graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..errors import GradientError
from ..tensor import Tensor, wrap
from .arguments import holds_tensor

# NumPy's ufuncs whose op has another name; those of one name need no entry.
RENAMED = {
    "absolute": "abs", "fabs": "abs", "conjugate": "conj", "equal": "eq", "rint": "round", "degrees": "rad2deg",
    "radians": "deg2rad", "invert": "bitwise_not", "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift", "positive": "clone",
}
SAME_NAME = """
    arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or bitwise_xor cbrt ceil copysign cos
    cosh deg2rad exp exp2 expm1 float_power floor floor_divide fmax fmin fmod gcd greater greater_equal heaviside
    hypot isfinite isinf isnan lcm ldexp less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor matmul maximum minimum nextafter not_equal power rad2deg reciprocal remainder
    sign signbit sin sinh sqrt square tan tanh trunc
"""
NAMES = {**RENAMED, **{name: name for name in SAME_NAME.split()}}
# scipy.special's ufuncs: by their names in autograd.special.
SCIPY = {
    "beta": "beta", "betaln": "betaln", "digamma": "digamma", "psi": "digamma", "entr": "entr", "erf": "erf",
    "erfc": "erfc", "erfcx": "erfcx", "erfinv": "erfinv", "exp2": "exp2", "expit": "expit", "expm1": "expm1",
    "gamma": "gamma", "gammainc": "gammainc", "gammaincc": "gammaincc", "gammaln": "gammaln", "i0": "i0", "i0e": "i0e",
    "i1": "i1", "i1e": "i1e", "j0": "bessel_j0", "j1": "bessel_j1", "y0": "bessel_y0", "y1": "bessel_y1",
    "k0": "modified_bessel_k0", "k1": "modified_bessel_k1", "log1p": "log1p", "log_ndtr": "log_ndtr", "logit": "logit",
    "ndtr": "ndtr", "ndtri": "ndtri", "xlogy": "xlogy", "xlog1py": "xlog1py",
}
# Where nothing differentiable comes out: NumPy computes it from the values.
FLAT_NAMES = """
    all allclose any argmax argmin argpartition argsort argwhere array2string array_equal array_equiv array_repr
    array_str bitwise_count can_cast common_type count_nonzero diag_indices_from digitize einsum_path empty_like
    flatnonzero isclose iscomplex iscomplexobj isin isnat isneginf isposinf isreal isrealobj ix_ lexsort matrix_rank
    may_share_memory min_scalar_type nanargmax nanargmin ndim nonzero ones_like ravel_multi_index result_type
    searchsorted shape shares_memory size spacing tril_indices_from triu_indices_from unravel_index zeros_like
"""
FLAT = frozenset(FLAT_NAMES.split())
IN_PLACE = ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask")
# What `accumulate` of a ufunc is called here.
SCANS = {"add": "cumsum", "multiply": "cumprod", "logaddexp": "logcumsumexp"}

_table: dict[Any, Any] = {}                   # NumPy's function -> ours


def call_function(known: dict[Any, Any], func: Any, args: Any, kwargs: Any) -> Any:
    """What `__array_function__` asks for; at the first call `known` is given all there is."""
    function = counterpart(func)
    known.update(_table)
    if function is None:
        return _by_value(func, f"numpy.{func.__name__}", args, kwargs)
    out = kwargs.get("out")
    if out is not None:
        kwargs = {k: v for k, v in kwargs.items() if k != "out"}
        return _into(out, function(*args, **kwargs), func.__name__)
    return function(*args, **kwargs)


def counterpart(func: Any) -> Any:
    """What stands for a function of NumPy, with its signature and on Tensors; None where there is nothing."""
    if not _table:
        from . import complexes, fourier, joining, linalg, orders, products, reductions, selecting, shapes
        for module in (complexes, joining, orders, products, reductions, selecting, shapes, linalg, fourier):
            home = np.linalg if module is linalg else np.fft if module is fourier else np
            for name, function in vars(module).items():
                if getattr(function, "__module__", "") == module.__name__ and name[0] != "_" and hasattr(home, name):
                    _table[getattr(home, name)] = function
    return _table.get(func)


def call_ufunc(known: dict[np.ufunc, Any], ufunc: np.ufunc, method: str, inputs: tuple[Any, ...],
               kwargs: dict[str, Any]) -> Any:
    """What `__array_ufunc__` asks for; a ufunc met for the first time is entered in `known`."""
    if method == "__call__" and ufunc not in known:
        function = _op_of(ufunc)
        if function is not None:
            known[ufunc] = function
    name = ufunc.__name__
    kwargs = {k: v for k, v in kwargs.items() if k not in ("casting", "order", "subok")}
    if method == "at":
        raise TypeError(f"numpy.{name}.at writes into an array, where no graph can follow: use "
                        "autograd.index_put(x, indices, values, accumulate=True), or x.detach()")
    out = kwargs.pop("out", None)
    if out is not None and any(isinstance(x, Tensor) for x in out):
        raise TypeError(f"numpy.{name}(out=tensor) would change a tensor behind the graph: write "
                        f"x[...] = np.{name}(...), or leave out= away")
    found = _computed(known.get(ufunc), ufunc, method, inputs, kwargs)
    return found if out is None else _into(out[0] if len(out) == 1 else out, found, name)


def _into(out: Any, found: Any, name: str) -> Any:
    """The result written into an array that the caller brought, which no graph can follow."""
    if isinstance(out, Tensor):
        raise TypeError(f"numpy.{name}(out=tensor) would change a tensor behind the graph: write "
                        f"x[...] = np.{name}(...), or leave out= away")
    if isinstance(out, tuple) or isinstance(found, tuple):
        raise TypeError(f"numpy.{name}(out=...) of several results: leave out= away")
    if found.node is not None:
        raise GradientError(f"numpy.{name} was to write into a NumPy array what comes from a tensor that requires a "
                            "gradient: the array cannot carry it on; write y = x + t in place of x += t, make the "
                            "array a Tensor first, or use t.detach()")
    np.copyto(out, found.value, casting="same_kind")
    return out


def _computed(function: Any, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = ufunc.__name__
    where, dtype = kwargs.pop("where", True), kwargs.pop("dtype", None)
    if method == "__call__":
        if where is not True:
            raise TypeError(f"numpy.{name}(where=...) leaves the rest of its result unset: use "
                            f"np.where(mask, np.{name}(...), otherwise)")
        if function is None or kwargs.keys() - {"axis", "axes", "keepdims"}:
            return _by_value(ufunc, f"numpy.{name}", inputs, kwargs)
        if dtype is not None:
            inputs = tuple([_cast(x, dtype) for x in inputs])
        if kwargs:
            raise TypeError(f"numpy.{name}({', '.join(kwargs)}=...) on a Tensor: move the axes to the end first, with "
                            "np.moveaxis")
        return function(*inputs)
    if method == "outer":
        if len(inputs) != 2:
            raise ValueError(f"numpy.{name}.outer takes two arrays; got {len(inputs)}")
        x, y = (v if isinstance(v, (Tensor, np.ndarray)) else np.asarray(v) for v in inputs)
        x = ops.reshape(x, shape=(*x.shape, *(1,) * y.ndim))
        return _computed(function or _op_of(ufunc), ufunc, "__call__", (x, y),
                         {"dtype": dtype} if dtype is not None else {})
    function = _fold(ufunc, method)
    if function is not None:
        if dtype is not None:
            inputs = (_cast(inputs[0], dtype), *inputs[1:])
        if len(inputs) > 1:                        # reduce(array, axis)
            kwargs = {"axis": inputs[1], **kwargs}
        if where is not True:
            kwargs["where"] = where
        if method == "reduce":
            kwargs.setdefault("axis", 0)
            if kwargs.get("initial", 0) is np._NoValue:
                del kwargs["initial"]
            kwargs.pop("axis") if inputs[0].ndim == 0 else None
        return function(inputs[0], **kwargs)
    rest = {"where": where} if where is not True else {}
    rest |= {"dtype": dtype} if dtype is not None else {}
    return _by_value(getattr(ufunc, method), f"numpy.{name}.{method}", inputs, {**kwargs, **rest})


def _cast(x: Any, dtype: Any) -> Any:
    return ops.cast(x, dtype=np.dtype(dtype)) if isinstance(x, Tensor) else np.asarray(x, dtype)


def _fold(ufunc: np.ufunc, method: str) -> Any:
    """The reduction, or the scan, of a ufunc of two inputs."""
    name = ufunc.__name__
    if method == "reduce":
        of = {"add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min}.get(name)
        if of is not None:
            return counterpart(of)
        if name == "logaddexp":
            return lambda x, axis=None, keepdims=False: ops.logsumexp(x, dim=axis, keepdim=keepdims)
    if method == "accumulate":
        if name in SCANS:
            scan = getattr(ops, SCANS[name])
            return lambda x, axis=0: scan(x, dim=axis)
        if name in ("maximum", "minimum"):
            running = ops.cummax if name == "maximum" else ops.cummin
            return lambda x, axis=0: running(x, axis).values
    return None


def _op_of(ufunc: np.ufunc) -> Any:
    """The op of a ufunc of NumPy or SciPy."""
    name = ufunc.__name__
    function: Any = None
    if getattr(np, name, None) is ufunc:
        if name in NAMES:
            function = getattr(ops, NAMES[name])
            if getattr(getattr(function, "op", None), "floating", False) and ufunc.nin == 1:
                function = _in_float64(function)
        else:
            function = {"modf": _modf, "divmod": _divmod, "vecdot": _vecdot, "matvec": _matvec,
                        "vecmat": _vecmat}.get(name)
    elif name in SCIPY and _is_scipy(ufunc):
        from .. import special
        function = _real_inputs(getattr(special, SCIPY[name]))
    return function


def _is_scipy(ufunc: np.ufunc) -> bool:
    from sys import modules
    special = modules.get("scipy.special")
    return getattr(special, ufunc.__name__, None) is ufunc


def _in_float64(function: Any) -> Any:
    """Integers go in as float64, as NumPy takes them; the library's own functions take them in the default dtype."""
    def call(*inputs: Any) -> Any:
        if not any(isinstance(x, (float, complex)) or (hasattr(x, "dtype") and x.dtype.kind in "fc") for x in inputs):
            inputs = tuple([_cast(x, np.float64) for x in inputs])
        return function(*inputs)
    return call


def _real_inputs(function: Any) -> Any:
    """Integers go in as real numbers: of the dtype of what is real already, or float64."""
    def call(*inputs: Any) -> Any:
        real = [x.dtype for x in inputs if hasattr(x, "dtype") and x.dtype.kind in "fc"]
        dtype = np.result_type(*real) if real else np.dtype(float)
        return function(*[x if isinstance(x, (float, complex)) or (hasattr(x, "dtype") and x.dtype.kind in "fc")
                          else float(x) if isinstance(x, int) and real else _cast(x, dtype) for x in inputs])
    return call


def _modf(x: Any) -> Any:
    return x - ops.trunc(x), ops.trunc(x)


def _divmod(x: Any, y: Any) -> Any:
    return ops.floor_divide(x, y), ops.remainder(x, y)


def _conj(x: Any) -> Any:
    return ops.conj(x) if isinstance(x, Tensor) else np.conj(x)


def _vecdot(x: Any, y: Any) -> Any:
    return ops.sum(ops.multiply(_conj(x), y), dim=-1)


def _matvec(A: Any, x: Any) -> Any:
    return ops.matmul(A, x[..., None])[..., 0]


def _vecmat(x: Any, A: Any) -> Any:
    row: Any = _conj(x)
    return ops.matmul(row[..., None, :], A)[..., 0, :]


# -- by value --------------------------------------------------------------------------------------------


def _by_value(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """NumPy's own result for the values, as a Tensor; refused where it would cut a graph that matters."""
    short = name.split(".")[1]
    if short in IN_PLACE and (isinstance(args[0], Tensor) or _requires_grad((args, *kwargs.values()))):
        raise TypeError(f"{name} writes into its argument, where no graph can follow: use x[index] = values, or "
                        "np.where(mask, values, x)")
    if short not in FLAT and _requires_grad((args, *kwargs.values())):
        raise TypeError(f"{name} has no counterpart that a gradient could flow through: pass tensor.detach().numpy() "
                        "to compute it without one, or write it with functions that have a derivative")
    found = func(*_values(args), **{k: _values(v) for k, v in kwargs.items()})
    return _tensors(found)


def _requires_grad(x: Any) -> bool:
    if isinstance(x, Tensor):
        return x.node is not None
    return isinstance(x, (list, tuple)) and any(map(_requires_grad, x))


def _values(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.value
    if isinstance(x, (list, tuple)) and holds_tensor(x):
        made = [_values(v) for v in x]
        return made if isinstance(x, list) else tuple(made)
    return x


def _tensors(found: Any) -> Any:
    """Arrays as Tensors, also in a tuple or list; anything else as it is."""
    if isinstance(found, (np.ndarray, np.generic)) and found.dtype.kind in "biufc":
        value: Any = found
        return wrap(value if value.ndim else value[()])
    if isinstance(found, (list, tuple)):
        made = [_tensors(v) for v in found]
        named: Any = type(found)
        return made if isinstance(found, list) else named(*made) if hasattr(found, "_fields") else tuple(made)
    return found
