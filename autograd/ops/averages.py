"""Reductions and running sums under NumPy's names: weighted means, ranges, percentiles, and all that ignores NaN.

Defaults are NumPy's: `ddof` is 0, and running sums go over the flattened tensor.
"""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import elementwise as ew
from . import linear as li
from . import reduce as re_
from .axes import axes_of, axis_in, axis_of, count
from .composed import array_of
from .operands import of_arrays, operand
from .scan import cumprod
from .shape import flatten
from .statistics import nanquantile, quantile


def _is_nan(x: Any) -> Any:
    value = array_of(x)
    return value != value


def _without_nan(x: Any, instead: float) -> Any:
    nan = _is_nan(x)
    return ew.where(nan, instead, x) if nan.any() else x


@of_arrays()
def average(x: Any, dim: Any = None, weights: Any = None, returned: bool = False, *, keepdim: bool = False) -> Any:
    """Weighted mean over `dim`:  Σ w x / Σ w;  with `returned` also Σ w.

    weights of the shape of x, or a vector along one axis.  Raises ZeroDivisionError where they add up to 0.
    """
    if weights is None:
        out = re_.mean(x if x.dtype.kind in "fc" else li.cast(x, dtype=np.float64), dim=dim, keepdim=keepdim)
        many = np.asarray(count(tuple(x.shape), dim), out.dtype)
        return (out, li.expand(many, shape=tuple(out.shape))) if returned else out
    weights = operand(weights)
    if tuple(weights.shape) != tuple(x.shape):
        axis = axis_of(dim, x.ndim)
        if not isinstance(axis, int) or tuple(weights.shape) != (x.shape[axis],):
            raise ShapeError(f"average: expected weights of the shape of x, {tuple(x.shape)}, or a vector along one "
                             f"axis; got {tuple(weights.shape)} and axis {dim}")
        weights = li.reshape(weights, shape=tuple(-1 if d == axis % x.ndim else 1 for d in range(x.ndim)))
        weights = li.expand(weights, shape=tuple(x.shape))
    if weights.dtype.kind in "biu" and x.dtype.kind in "biu":
        weights = li.cast(weights, dtype=np.float64)
    total = li.sum(weights, dim=dim, keepdim=keepdim)
    if np.any(array_of(total) == 0):
        raise ZeroDivisionError("average: the weights sum to zero, so that there is no mean")
    out = ew.divide(li.sum(ew.multiply(x, weights), dim=dim, keepdim=keepdim), total)
    return (out, total) if returned else out


@of_arrays()
def ptp(x: Any, dim: Any = None, *, keepdim: bool = False) -> Any:
    """Range over `dim`:  max x - min x.  Ties share the gradient evenly."""
    return ew.subtract(re_.amax(x, dim=dim, keepdim=keepdim), re_.amin(x, dim=dim, keepdim=keepdim))


def _fraction(q: Any, x: Any) -> Any:
    made = q / 100 if hasattr(q, "dtype") else np.asarray(q, np.float64) / 100
    if np.any(array_of(made) < 0) or np.any(array_of(made) > 1):
        raise ValueError(f"percentile: percentiles must be in the range [0, 100]; got {q}")
    return li.cast(made, dtype=x.dtype) if made.dtype != x.dtype else made


@of_arrays()
def percentile(x: Any, q: Any, dim: Any = None, *, keepdim: bool = False, method: str = "linear") -> Any:
    """The q-th percentile over `dim`, q in [0, 100]: `quantile` of q / 100."""
    return quantile(x, _fraction(q, x), dim, keepdim, interpolation=method)


@of_arrays()
def nanpercentile(x: Any, q: Any, dim: Any = None, *, keepdim: bool = False, method: str = "linear") -> Any:
    """The q-th percentile over `dim` of what is not NaN, q in [0, 100]."""
    return nanquantile(x, _fraction(q, x), dim, keepdim, interpolation=method)


# -- without NaN -----------------------------------------------------------------------------------------


def _extreme(x: Any, dim: Any, keepdim: bool, reduction: Any, lowest: float) -> Any:
    nan = _is_nan(x)
    if not nan.any():
        return reduction(x, dim=dim, keepdim=keepdim)
    out = reduction(ew.where(nan, lowest, x), dim=dim, keepdim=keepdim)
    return ew.where(np.all(nan, axis=axis_of(dim, x.ndim), keepdims=keepdim), np.asarray(np.nan, out.dtype), out)


@of_arrays()
def nanmax(x: Any, dim: Any = None, *, keepdim: bool = False) -> Any:
    """Largest element over `dim` of what is not NaN; NaN where there is nothing else."""
    return _extreme(x, dim, keepdim, re_.amax, -np.inf)


@of_arrays()
def nanmin(x: Any, dim: Any = None, *, keepdim: bool = False) -> Any:
    """Smallest element over `dim` of what is not NaN; NaN where there is nothing else."""
    return _extreme(x, dim, keepdim, re_.amin, np.inf)


@of_arrays()
def nanprod(x: Any, dim: Any = None, *, keepdim: bool = False) -> Any:
    """Product over `dim` of what is not NaN."""
    x = _without_nan(x, 1)
    for axis in sorted(axes_of(dim, x.ndim), reverse=True):
        x = re_.prod(x, dim=axis, keepdim=keepdim)
    return x


@of_arrays()
def nanvar(x: Any, dim: Any = None, *, ddof: float = 0, keepdim: bool = False) -> Any:
    """Variance over `dim` of what is not NaN:  Σ (x - mean)² / (n - ddof).  NaN where n <= ddof."""
    nan = _is_nan(x)
    many = np.sum(~nan, axis=axis_of(dim, x.ndim), keepdims=True).astype(array_of(x).real.dtype)
    mean = ew.divide(li.sum(ew.where(nan, 0, x), dim=dim, keepdim=True), many)
    d = ew.where(nan, 0, ew.subtract(x, mean))
    squares = ew.multiply(d, d) if x.dtype.kind != "c" else ew.square(ew.abs(d))
    freedom = np.where(many > ddof, many - ddof, np.nan).astype(many.dtype)
    out = ew.divide(li.sum(squares, dim=dim, keepdim=True), freedom)
    gone = set(axes_of(dim, x.ndim))
    return out if keepdim else li.reshape(out, shape=tuple(n for d, n in enumerate(x.shape) if d not in gone))


@of_arrays()
def nanstd(x: Any, dim: Any = None, *, ddof: float = 0, keepdim: bool = False) -> Any:
    """Standard deviation over `dim` of what is not NaN.  Of equal elements the derivative is 0."""
    variance = nanvar(x, dim, ddof=ddof, keepdim=keepdim)
    flat = array_of(variance) == 0
    return ew.where(flat, 0, ew.sqrt(ew.where(flat, 1, variance)))


@of_arrays()
def logmeanexp(x: Any, dim: Any = None, *, keepdim: bool = False) -> Any:
    """Logarithm of the mean of exponentials over `dim`:  ln(Σ e^x / n),  without overflow."""
    out = re_.logsumexp(x, dim=dim, keepdim=keepdim)
    return ew.subtract(out, log(max(count(tuple(x.shape), dim), 1)))


# -- running -----------------------------------------------------------------------------------------------


@of_arrays()
def nancumsum(x: Any, dim: int | None = None) -> Any:
    """Running sum along `dim` (of the flattened tensor without), NaN counting as 0."""
    x = _without_nan(x, 0)
    return li.cumsum(flatten(x), dim=0) if dim is None else li.cumsum(x, dim=axis_in(dim, x.ndim, "nancumsum"))


@of_arrays()
def nancumprod(x: Any, dim: int | None = None) -> Any:
    """Running product along `dim` (of the flattened tensor without), NaN counting as 1."""
    x = _without_nan(x, 1)
    return cumprod(flatten(x), dim=0) if dim is None else cumprod(x, dim=axis_in(dim, x.ndim, "nancumprod"))


def _cumulative(x: Any, dim: int | None, include_initial: bool, function: Any, first: float, who: str) -> Any:
    if dim is None:
        if x.ndim != 1:
            raise ShapeError(f"{who}: expected an axis for a tensor of {x.ndim} axes; got None")
        dim = 0
    at = axis_in(dim, x.ndim, who)
    out = function(x, dim=at)
    if not include_initial:
        return out
    shape = tuple(1 if d == at else n for d, n in enumerate(x.shape))
    return li.concatenate(np.full(shape, first, out.dtype), out, dim=at)


@of_arrays()
def cumulative_sum(x: Any, *, dim: int | None = None, include_initial: bool = False) -> Any:
    """Running sum along `dim` (array API): with `include_initial` one longer, 0 in front."""
    return _cumulative(x, dim, include_initial, li.cumsum, 0, "cumulative_sum")


@of_arrays()
def cumulative_prod(x: Any, *, dim: int | None = None, include_initial: bool = False) -> Any:
    """Running product along `dim` (array API): with `include_initial` one longer, 1 in front."""
    return _cumulative(x, dim, include_initial, cumprod, 1, "cumulative_prod")
