"""Running products, extremes and integrals along an axis, and differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import op
from . import elementwise as ew
from . import linear as li
from . import logic as lo
from .axes import axis_in
from .composed import ValuesIndices, array_of, composed, tensor_if
from .logarithms import running_logsumexp
from .reduce import exclusive_cumprod, recur_from_the_end
from .shape import cat


@op(x=lambda g, x, x_shape, dim: _cumprod_pull(g, li.fit(x, g.dtype), x.dtype, dim), category="reduction",
    shapes="an axis that x has",
    cases=[(((3,),), {"dim": 0}), (((2, 4),), {"dim": 1}), (((3, 2),), {"dim": -2}), (((),), {"dim": 0})])
def cumprod(x: Any, *, dim: int, dtype: Any = None) -> Any:
    """Running product along `dim`:  y[i] = Π_{j<=i} x[j].  Right with zeros among the factors."""
    if dtype is not None:
        x = x.astype(dtype)
    if not x.ndim:
        return x.astype(np.int64) if x.dtype.kind in "bui" and dtype is None else x
    with np.errstate(all="ignore"):
        return np.cumprod(x, dim, dtype=np.int64 if x.dtype.kind in "bui" and dtype is None else x.dtype)


def _cumprod_pull(g: Any, x: Any, dtype: Any, dim: int) -> Any:
    """dx[j] = Π_{k<j} x[k] · s[j],  s[j] = g[j] + x[j+1] s[j+1]: no division, so zeros need no care."""
    if not g.ndim:
        return li.fit(g, dtype)
    g, x = li.transpose(g, dim0=dim, dim1=-1), li.transpose(x, dim0=dim, dim1=-1)
    if not g.shape[-1]:
        return li.fit(li.transpose(g, dim0=dim, dim1=-1), dtype)
    a = li.concatenate(x[..., 1:], x[..., :1] * 0, dim=-1)
    out = exclusive_cumprod(x) * recur_from_the_end(g, a)
    return li.fit(li.transpose(out, dim0=dim, dim1=-1), dtype)


@op(x=lambda g, x, out, dim: _logcumsumexp_pull(g, x, out, dim), category="reduction", floating=True,
    shapes="an axis that x has", cases=[(((3,),), {"dim": 0}), (((2, 4),), {"dim": 1}), (((),), {"dim": 0})])
def logcumsumexp(x: Any, *, dim: int) -> Any:
    """Logarithm of running sums of exponentials:  y[i] = ln Σ_{j<=i} e^x[j],  without overflow."""
    return running_logsumexp(x, dim) if x.ndim else x


def _logcumsumexp_pull(g: Any, x: Any, out: Any, dim: int) -> Any:
    """dx[j] = e^(x[j] - y[j]) s[j],  s[j] = g[j] + e^(y[j] - y[j+1]) s[j+1]: no exponent is above 0."""
    if not g.ndim:
        return g
    g, x, out = (li.transpose(v, dim0=dim, dim1=-1) for v in (g, x, out))
    nothing, same = lo.eq(out, -np.inf), lo.eq(x, out) & lo.isinf(x)     # where  x - y  would be  inf - inf
    share = ew.where(nothing, 0, ew.exp(ew.where(same, 0, x) - ew.where(same | nothing, 0, out)))
    y, after = out[..., :-1], out[..., 1:]
    stays = lo.eq(y, after) & lo.isinf(y)
    fall = ew.where(nothing[..., :-1], 0, ew.exp(ew.where(stays, 0, y) - ew.where(stays, 0, after)))
    a = li.concatenate(fall, li.getitem(share, index=(..., slice(1))) * 0, dim=-1)
    return li.transpose(share * recur_from_the_end(g, a), dim0=dim, dim1=-1)


def _running(x: Any, dim: int, best: Any, who: str) -> ValuesIndices:
    if x.ndim == 0:
        axis_in(dim, 0, who)
        return ValuesIndices(li.identity(x), tensor_if(x, np.int64(0)))
    at, value = axis_in(dim, x.ndim, who), array_of(x)
    if not value.size:
        return ValuesIndices(li.clone(x), tensor_if(x, np.zeros(value.shape, np.int64)))
    place = np.arange(value.shape[at]).reshape(tuple([-1 if d == at else 1 for d in range(value.ndim)]))
    hit = (value == best.accumulate(value, axis=at)) | (value != value)
    index = np.maximum.accumulate(np.where(hit, place, 0), axis=at)
    return ValuesIndices(li.gather(x, at, index), tensor_if(x, index))


@composed
def cummax(x: Any, dim: int) -> ValuesIndices:
    """The largest element so far along `dim`: (values, indices); of a tie the last."""
    return _running(x, dim, np.maximum, "cummax")


@composed
def cummin(x: Any, dim: int) -> ValuesIndices:
    """The smallest element so far along `dim`: (values, indices); of a tie the last."""
    return _running(x, dim, np.minimum, "cummin")


def _between(x: Any, at: int) -> tuple[Any, Any]:
    """All slices along an axis but the first, and all but the last."""
    lead = (slice(None),) * at
    return li.getitem(x, index=(*lead, slice(1, None))), li.getitem(x, index=(*lead, slice(None, -1)))


@composed
def diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Difference of neighbours along `dim`, n times:  x[i + 1] - x[i]."""
    if x.ndim == 0:
        raise ShapeError("diff: expected at least one axis; got a scalar")
    if n < 0:
        raise ValueError(f"diff: expected n of at least 0; got {n}")
    at = axis_in(dim, x.ndim, "diff")
    if n == 0:
        return x
    ends = [e for e in (prepend, x, append) if e is not None]
    x = cat(ends, at) if len(ends) > 1 else x
    for _ in range(min(n, x.shape[at])):
        after, before = _between(x, at)
        x = lo.ne(after, before) if x.dtype == bool else ew.subtract(after, before)
    return x


def _areas(y: Any, x: Any, dx: Any, dim: int, who: str) -> tuple[Any, int]:
    """The areas under the segments of a polyline, and their axis."""
    if y.ndim == 0:
        raise ShapeError(f"{who}: expected at least one axis; got a scalar")
    at = axis_in(dim, y.ndim, who)
    after, before = _between(y, at)
    if x is None:
        return ew.multiply(ew.add(after, before), (1.0 if dx is None else dx) / 2), at
    if dx is not None:
        raise TypeError(f"{who}: x and dx were both given")
    if x.ndim == 1:
        if x.shape[0] != y.shape[at]:
            raise ShapeError(f"{who}: expected an x for each of {y.shape[at]} values of y; got {x.shape[0]}")
        x = li.reshape(x, shape=tuple([-1 if d == at else 1 for d in range(y.ndim)]))
    elif x.ndim < y.ndim:
        x = li.reshape(x, shape=(1,) * (y.ndim - x.ndim) + tuple(x.shape))
    right, left = _between(x, at)
    return ew.multiply(ew.multiply(ew.subtract(right, left), ew.add(after, before)), 0.5), at


@composed
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """Area under y by the trapezoidal rule:  Σ (x[i+1] - x[i]) (y[i+1] + y[i]) / 2;  without x, at distances dx (1)."""
    areas, at = _areas(y, x, dx, dim, "trapezoid")
    return li.sum(areas, dim=at)


@composed
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """Area under y from the first point up to each, by the trapezoidal rule."""
    areas, at = _areas(y, x, dx, dim, "cumulative_trapezoid")
    return li.cumsum(areas, dim=at)
