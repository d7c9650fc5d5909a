"""Moments and order statistics: variance and its relatives, medians, quantiles, modes, covariance."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from ..promotion import get_default_dtype
from . import elementwise as ew
from . import linear as li
from . import reduce as re_
from .axes import axis_in, axis_of
from .composed import ValuesIndices, array_of, composed, tensor_if
from .matrix import matmul
from .shape import flatten, squeeze, unsqueeze


class MinMax(NamedTuple):
    """The smallest and the largest element."""

    min: Any
    max: Any


def _moment(op: Any) -> Any:
    def call(x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
        if isinstance(dim, bool):             # var(x, False)
            dim, unbiased = None, dim
        if unbiased is not None and correction is not None:
            raise TypeError(f"{op.__name__}: unbiased and correction were both given")
        if unbiased is not None:
            correction = int(unbiased) if isinstance(unbiased, bool) else unbiased
        return op(x, dim=dim, correction=1 if correction is None else correction, keepdim=keepdim)
    call.__name__ = call.__qualname__ = op.__name__
    call.__doc__ = op.__doc__
    return composed(call)


var, std = _moment(re_.var), _moment(re_.std)


@composed
def var_mean(x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """Variance and mean over `dim`: (var, mean)."""
    axes = None if isinstance(dim, bool) else dim
    return var(x, dim, unbiased, keepdim, correction=correction), re_.mean(x, dim=axes, keepdim=keepdim)


@composed
def std_mean(x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """Standard deviation and mean over `dim`: (std, mean)."""
    axes = None if isinstance(dim, bool) else dim
    return std(x, dim, unbiased, keepdim, correction=correction), re_.mean(x, dim=axes, keepdim=keepdim)


@composed
def aminmax(x: Any, *, dim: Any = None, keepdim: bool = False) -> MinMax:
    """Smallest and largest element over `dim`: (min, max).  A tie shares the gradient evenly."""
    return MinMax(re_.amin(x, dim=dim, keepdim=keepdim), re_.amax(x, dim=dim, keepdim=keepdim))


@composed
def nansum(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Sum over `dim` of what is not NaN."""
    nan = _is_nan(array_of(x))
    return li.sum(ew.where(nan, 0, x) if nan.any() else x, dim=dim, keepdim=keepdim, dtype=dtype)


@composed
def nanmean(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Mean over `dim` of what is not NaN."""
    value = array_of(x)
    many = np.sum(~_is_nan(value), axis=axis_of(dim, value.ndim), keepdims=keepdim)
    total = nansum(x, dim, keepdim, dtype=dtype)
    return ew.divide(total, np.asarray(many, total.dtype))


def _is_nan(value: Any) -> Any:
    return value != value


# -- order ------------------------------------------------------------------------------------------------


def _chosen(x: Any, at: int, index: Any, keepdim: bool) -> ValuesIndices:
    """Values at one position along an axis, and the positions."""
    values = li.gather(x, at, np.expand_dims(index, at))
    if keepdim:
        return ValuesIndices(values, tensor_if(x, np.expand_dims(index, at)))
    return ValuesIndices(squeeze(values, at), tensor_if(x, index))


def _nonempty(who: str, x: Any, dim: int) -> int:
    at = axis_in(dim, x.ndim, who)
    if x.ndim and x.shape[at] == 0:
        raise IndexError(f"{who}: expected an axis of at least one element; axis {dim} of shape {tuple(x.shape)} "
                         "is empty")
    return at


def _middle(x: Any, dim: Any, keepdim: bool, ignore_nan: bool, who: str) -> Any:
    value = array_of(x)
    if dim is None:
        return _median_of_all(x, value, ignore_nan)
    at = _nonempty(who, x, dim)
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), tensor_if(x, np.int64(0)))
    order = np.argsort(value, axis=at, kind="stable")          # NaN last
    nan = np.sum(_is_nan(value), axis=at)
    n = value.shape[at]
    rank = np.maximum(n - nan - 1, 0) // 2 if ignore_nan else np.where(nan > 0, n - nan, (n - 1) // 2)
    index = np.take_along_axis(order, np.expand_dims(np.asarray(rank), at), at)
    return _chosen(x, at, np.squeeze(index, at), keepdim)


def _median_of_all(x: Any, value: Any, ignore_nan: bool) -> Any:
    flat = np.sort(value.reshape(-1))
    nan = int(np.sum(_is_nan(flat)))
    if not flat.size:
        return ew.multiply(li.sum(x), np.nan)
    middle = flat[max(flat.size - nan - 1, 0) // 2] if ignore_nan or not nan else flat[-1]
    hit = (value == middle) | (_is_nan(value) & (middle != middle))
    if x.dtype.kind != "f":
        return tensor_if(x, middle)
    return re_.amax(li.getitem(x, index=hit))                  # of equal elements, which share the gradient


@composed
def median(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element, of two the lower; along `dim`, (values, indices).  NaN if any is.

    Without `dim` equal elements share the gradient.
    """
    return _middle(x, dim, keepdim, False, "median")


@composed
def nanmedian(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle of the elements that are not NaN, of two the lower; along `dim`, (values, indices)."""
    return _middle(x, dim, keepdim, True, "nanmedian")


@composed
def kthvalue(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The k-th smallest element along `dim`, k from 1: (values, indices)."""
    at = _nonempty("kthvalue", x, dim)
    n = x.shape[at] if x.ndim else 1
    if not 1 <= k <= n:
        raise IndexError(f"kthvalue: expected k in 1..{n} for axis {dim}; got {k}")
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), tensor_if(x, np.int64(0)))
    order = np.argsort(array_of(x), axis=at, kind="stable")
    return _chosen(x, at, np.take(order, k - 1, axis=at), keepdim)


@composed
def mode(x: Any, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent element along `dim`, of several the smallest: (values, indices)."""
    at = _nonempty("mode", x, dim)
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), tensor_if(x, np.int64(0)))
    value = np.moveaxis(array_of(x), at, -1)
    order = np.argsort(value, axis=-1, kind="stable")
    rows = np.take_along_axis(value, order, -1)
    place = np.arange(rows.shape[-1])
    fresh = np.concatenate([np.ones_like(rows[..., :1], bool), rows[..., 1:] != rows[..., :-1]], -1)
    length = place - np.maximum.accumulate(np.where(fresh, place, 0), -1)
    last = np.argmax(length, -1)[..., None]
    return _chosen(x, at, np.take_along_axis(order, last, -1)[..., 0], keepdim)


@composed
def msort(x: Any) -> Any:
    """Sorted along the first axis."""
    return li.gather(x, 0, np.argsort(array_of(x), axis=0, kind="stable")) if x.ndim else li.identity(x)


_BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(x: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, ignore_nan: bool, who: str) -> Any:
    if interpolation not in _BETWEEN:
        raise ValueError(f"{who}: interpolation must be one of {', '.join(_BETWEEN)}; got {interpolation!r}")
    if x.dtype.kind != "f":
        raise TypeError(f"{who} needs a floating-point tensor; got {x.dtype}")
    if isinstance(q, (int, float)):
        q = np.asarray(q, x.dtype)
    if q.ndim > 1 or np.any((array_of(q) < 0) | (array_of(q) > 1)):
        raise ValueError(f"{who}: expected q in [0, 1], a number or a vector; got {array_of(q)}")
    ndim = x.ndim
    if dim is None or ndim == 0:
        at, rows = 0, flatten(x)
    else:
        at = axis_in(dim, ndim, who)
        rows = li.transpose(x, dim0=at, dim1=-1) if at != ndim - 1 else x
    if not rows.shape[-1]:
        raise IndexError(f"{who}: expected at least one element; got shape {tuple(x.shape)}")
    value = array_of(rows)
    rows = li.gather(rows, rows.ndim - 1, np.argsort(value, axis=-1, kind="stable"))
    nan = np.sum(_is_nan(value), axis=-1, keepdims=True)
    last = np.maximum(value.shape[-1] - 1 - nan, 0) if ignore_nan else np.full_like(nan, value.shape[-1] - 1)
    rank = ew.multiply(li.reshape(q, shape=-1), last.astype(x.dtype))
    if not ignore_nan:
        rank = ew.where(np.broadcast_to(nan > 0, rank.shape), x.dtype.type(value.shape[-1] - 1), rank)
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": ew.floor, "higher": ew.ceil, "nearest": ew.round}[interpolation](rank)
    low = np.floor(array_of(rank))
    below = li.gather(rows, rows.ndim - 1, low.astype(np.int64))
    if interpolation in ("linear", "midpoint"):
        share = ew.subtract(rank, low) if interpolation == "linear" else x.dtype.type(0.5)
        above = li.gather(rows, rows.ndim - 1, np.ceil(array_of(rank)).astype(np.int64))
        near, far = ew.add(below, share * (above - below)), ew.subtract(above, (above - below) * (1 - share))
        below = ew.where(array_of(share) < 0.5, near, far)
    out = below                                                 # (..., the other axes, q)
    if dim is not None and ndim:
        spot = unsqueeze(out, -2)                               # where the axis was
        order = [*range(spot.ndim - 2)]
        order.insert(at, spot.ndim - 2) if at == ndim - 1 else None
        if at != ndim - 1:                                      # undo the exchange
            order = [*range(at), spot.ndim - 2, *range(at + 1, spot.ndim - 2), at]
        out = li.permute(spot, dims=(spot.ndim - 1, *order))
        out = out if keepdim else squeeze(out, at + 1)
    else:
        out = li.reshape(out, shape=(-1, *((1,) * ndim if keepdim else ())))
    return li.getitem(out, index=0) if q.ndim == 0 else out


@composed
def quantile(x: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The q-quantile along `dim`: the sorted elements at rank q (n - 1), interpolated.  Several q form a first axis."""
    return _quantile(x, q, dim, keepdim, interpolation, False, "quantile")


@composed
def nanquantile(x: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The q-quantile along `dim` of what is not NaN."""
    return _quantile(x, q, dim, keepdim, interpolation, True, "nanquantile")


# -- covariance -------------------------------------------------------------------------------------------


@composed
def cov(x: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Covariance of the rows, each column an observation:  Σ w (x - mean)(x - mean)^T / (Σ w - correction).

    `fweights` are counts of the observations, `aweights` their importance.
    """
    if x.ndim > 2:
        raise ShapeError(f"cov: expected at most two axes; got shape {tuple(x.shape)}")
    x = x if x.dtype.kind in "fc" else li.cast(x, dtype=get_default_dtype())
    rows = li.reshape(x, shape=(1, -1)) if x.ndim < 2 else x
    n = rows.shape[1]
    _check_weights("fweights", fweights, "iu", n)
    _check_weights("aweights", aweights, "f", n)
    weights = None if fweights is None else array_of(fweights).astype(np.int64)
    if aweights is not None:
        weights = aweights if weights is None else ew.multiply(aweights, weights)
    if weights is not None:
        scale = li.sum(weights)
        mean = ew.divide(li.sum(ew.multiply(rows, weights), dim=1), scale)
    else:
        scale, mean = n, re_.mean(rows, dim=1)
    norm: Any
    if weights is None:
        norm = n - correction
    elif aweights is None:
        norm = scale - correction
    else:
        second = li.sum(ew.multiply(weights, aweights))
        norm = ew.subtract(scale, ew.multiply(correction, ew.divide(second, scale)))
    norm = ew.where(array_of(norm) <= 0, 0, norm) if hasattr(norm, "node") else max(float(norm), 0.0)
    centred = ew.subtract(rows, unsqueeze(mean, 1))
    weighted = centred if weights is None else ew.multiply(centred, weights)
    out = ew.divide(matmul(weighted, li.conj(li.transpose(centred, dim0=0, dim1=1))), norm)
    return squeeze(out) if prod(out.shape) == 1 else out


def _check_weights(name: str, weights: Any, kinds: str, n: int) -> None:
    if weights is None:
        return
    w = array_of(weights)
    if w.ndim > 1 or w.size != n:
        raise ShapeError(f"cov: expected a vector of {n} {name}, one for each observation; got shape {w.shape}")
    if w.dtype.kind not in kinds:
        raise TypeError(f"cov: expected {name} to be {'integers' if 'i' in kinds else 'floats'}; got {w.dtype}")
    if (w < 0).any():
        raise ValueError(f"cov: {name} cannot be negative; the smallest is {w.min()}")


@composed
def corrcoef(x: Any) -> Any:
    """Correlation coefficients of the rows:  cov[i, j] / √(cov[i, i] cov[j, j])."""
    c = cov(x)
    if c.ndim == 0:
        return ew.divide(c, c)
    deviation = ew.sqrt(li.diagonal(c))
    out = ew.divide(ew.divide(c, unsqueeze(deviation, 1)), unsqueeze(deviation, 0))
    return ew.clamp(out, min=-1, max=1) if out.dtype.kind == "f" else out
