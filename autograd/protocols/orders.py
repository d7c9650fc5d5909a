"""NumPy's order statistics, and its reductions that pass NaN by."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..ops import reshape
from ..tensor import Tensor
from . import reductions as red
from .arguments import array, merged, real, value


def _quantile(who: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, nan: bool) -> Any:
    if weights is not None:
        raise TypeError(f"numpy.{who}(weights=) has no derivative here; sort and use np.cumsum, or pass "
                        "tensor.detach().numpy()")
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise TypeError(f"numpy.{who}(method={method!r}) has no derivative here; use linear, lower, higher, midpoint "
                        "or nearest, or pass tensor.detach().numpy()")
    flat, one = merged(real(a), axis)
    levels = np.asarray(q, value(flat).dtype)
    found = (ops.nanquantile if nan else ops.quantile)(flat, levels.reshape(-1) if levels.ndim else levels, dim=-1,
                                                       interpolation=method)
    rest = one if keepdims else found.shape[1:] if levels.ndim else found.shape
    return reshape(found, shape=(*levels.shape, *rest))


def _fixed(who: str, q: Any) -> Any:
    if isinstance(q, Tensor) and q.node is not None:
        raise TypeError(f"numpy.{who} has no derivative to q here: pass q.detach()")
    return value(q)


def quantile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
             keepdims: bool = False, *, weights: Any = None) -> Any:
    """The sorted elements at rank q (n - 1), interpolated."""
    return _quantile("quantile", a, _fixed("quantile", q), axis, method, keepdims, weights, False)


def percentile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
               method: str = "linear", keepdims: bool = False, *, weights: Any = None) -> Any:
    """The q / 100 quantile."""
    q = np.asarray(_fixed("percentile", q)) / 100
    return _quantile("percentile", a, q, axis, method, keepdims, weights, False)


def nanquantile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
                method: str = "linear", keepdims: bool = False, *, weights: Any = None) -> Any:
    """The quantile of what is not NaN."""
    return _quantile("nanquantile", a, _fixed("quantile", q), axis, method, keepdims, weights, True)


def nanpercentile(a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
                  method: str = "linear", keepdims: bool = False, *, weights: Any = None) -> Any:
    """The percentile of what is not NaN."""
    q = np.asarray(_fixed("nanpercentile", q)) / 100
    return _quantile("nanpercentile", a, q, axis, method, keepdims, weights, True)


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle element in order; of an even number, the mean of the two."""
    return _quantile("median", a, 0.5, axis, "linear", keepdims, None, False)


def nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The median of what is not NaN."""
    return _quantile("nanmedian", a, 0.5, axis, "linear", keepdims, None, True)


def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """In ascending order along an axis; of all elements for axis None."""
    a = array(a)
    return ops.sort(reshape(a, shape=(-1,)), 0).values if axis is None else ops.sort(a, axis).values


def partition(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    """With the k-th element where sorting would put it, smaller ones before it."""
    a = array(a)
    if axis is None:
        a, axis = reshape(a, shape=(-1,)), -1
    return ops.take_along_dim(a, np.argpartition(value(a), kth, axis), axis)


def _without_nan(reduction: Any, fill: Any, a: Any, where: Any) -> tuple[Any, Any]:
    a = array(a)
    present = ~np.isnan(value(a))
    taken = present if where is True else present & value(where)
    return ops.where(present, a, fill), taken


def nansum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = 0,
           where: Any = True) -> Any:
    """The sum of what is not NaN."""
    a, taken = _without_nan(red.sum, 0, a, where)
    return red.sum(a, axis, dtype, None, keepdims, initial, taken)


def nanprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = 1,
            where: Any = True) -> Any:
    """The product of what is not NaN."""
    a, taken = _without_nan(red.prod, 1, a, where)
    return red.prod(a, axis, dtype, None, keepdims, initial, taken)


def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *,
            where: Any = True) -> Any:
    """The mean of what is not NaN."""
    a, taken = _without_nan(red.mean, 0, real(a), where)
    return red.mean(a, axis, dtype, None, keepdims, where=taken)


def nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, *,
           where: Any = True, mean: Any = None, correction: Any = None) -> Any:
    """The variance of what is not NaN."""
    a, taken = _without_nan(red.var, 0, real(a), where)
    return red.var(a, axis, dtype, None, ddof, keepdims, where=taken, mean=mean, correction=correction)


def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, *,
           where: Any = True, mean: Any = None, correction: Any = None) -> Any:
    """The standard deviation of what is not NaN."""
    return ops.sqrt(nanvar(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))


def nanmax(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
           where: Any = True) -> Any:
    """The largest element that is not NaN; NaN where there is none."""
    return _nan_extremum(red.max, -np.inf, a, axis, keepdims, initial, where)


def nanmin(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
           where: Any = True) -> Any:
    """The smallest element that is not NaN; NaN where there is none."""
    return _nan_extremum(red.min, np.inf, a, axis, keepdims, initial, where)


def _nan_extremum(reduction: Any, fill: float, a: Any, axis: Any, keepdims: Any, initial: Any, where: Any) -> Any:
    a = real(a)
    present = ~np.isnan(value(a))
    if where is not True and initial is None:
        raise ValueError("a maximum or minimum with where= needs initial=, the value where nothing is taken")
    found = reduction(ops.where(present, a, fill), axis, None, keepdims, initial, where)
    empty = ~np.any(present, axis=axis, keepdims=bool(keepdims)) if initial is None else np.False_
    return ops.where(empty, np.nan, found) if np.any(empty) else found


def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running sum with 0 for NaN."""
    return red.cumsum(_without_nan(red.cumsum, 0, a, True)[0], axis, dtype)


def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running product with 1 for NaN."""
    return red.cumprod(_without_nan(red.cumprod, 1, a, True)[0], axis, dtype)
