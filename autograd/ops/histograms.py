"""Histograms over one axis or many, as torch.histogram and torch.histogramdd.

Counts do not change with the values, so no gradient flows to those; with weights a bin is a sum of them, and is
recorded as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from . import elementwise as ew
from . import linear as li
from .composed import array_of, composed, tensor_if


class Histogram(NamedTuple):
    """Counts, and the edges of the bins."""

    hist: Any
    bin_edges: Any


def _edges(who: str, values: Any, bins: Any, low: float | None, high: float | None) -> Any:
    """The edges of the bins of one axis, ascending."""
    given = array_of(bins)
    if given.ndim:
        if given.ndim != 1 or not given.size:
            raise ShapeError(f"{who}: expected bins to be an int or a vector of edges; got shape {given.shape}")
        return given
    count = int(given)
    if count < 1:
        raise ValueError(f"{who}: bins must be > 0; got {count}")
    if low is None or high is None:
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{who}: expected a finite range; got [{low}, {high}]")
    if low > high:
        raise ValueError(f"{who}: min should not exceed max; got [{low}, {high}]")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, count + 1).astype(values.dtype)


def _places(values: Any, edges: Any) -> Any:
    """The bin of each value; -1 outside of all.  The last bin holds its right edge too."""
    place = np.searchsorted(edges, values, "right") - 1
    place = np.where(values == edges[-1], edges.size - 2, place)
    return np.where((values >= edges[0]) & (values <= edges[-1]), place, -1)


def _counted(who: str, x: Any, points: Any, edges: list[Any], weight: Any, density: bool) -> Any:
    shape = tuple(e.size - 1 for e in edges)
    places = [_places(points[:, axis], e) for axis, e in enumerate(edges)]
    inside = np.flatnonzero(np.all([p >= 0 for p in places], axis=0)) if places else np.arange(0)
    flat = np.ravel_multi_index([p[inside] for p in places], shape)
    size = int(np.prod(shape))
    if weight is None:
        hist = tensor_if(x, np.bincount(flat, minlength=size).astype(points.dtype))
    else:
        if int(np.prod(weight.shape)) != len(points):
            raise ShapeError(f"{who}: expected a weight for each of {len(points)} elements; got shape "
                             f"{tuple(weight.shape)}")
        taken = li.getitem(li.reshape(weight, shape=-1), index=inside)
        hist = li.put(li.fit(taken, points.dtype), index=flat, shape=(size,))
    hist = li.reshape(hist, shape=shape)
    if not density:
        return hist
    volume: Any = np.ones((), points.dtype)
    for e in edges:
        volume = volume[..., None] * np.diff(e)
    return ew.divide(ew.divide(hist, li.sum(hist)), volume)


def _check(who: str, value: Any) -> None:
    if value.dtype.kind != "f":
        raise TypeError(f"{who}: expected floating-point values; got {value.dtype}")


@composed
def histogram(x: Any, bins: Any, *, range: Sequence[float] | None = None, weight: Any = None,
              density: bool = False) -> Histogram:
    """How many elements lie in each bin: (hist, bin_edges).

    bins: how many equal parts of `range` (of min..max by default), or the edges.  Bins are half open, [a, b), the last
    one closed; what lies outside is left out.  With weights, their sum; density: of integral 1.
    """
    value = array_of(x).reshape(-1)
    _check("histogram", value)
    low, high = (None, None) if range is None else (float(range[0]), float(range[1]))
    edges = _edges("histogram", value, bins, low, high)
    return Histogram(_counted("histogram", x, value[:, None], [edges], weight, density), tensor_if([x, weight], edges))


@composed
def histogramdd(x: Any, bins: Any, *, range: Sequence[float] | None = None, weight: Any = None,
                density: bool = False) -> Histogram:
    """How many points lie in each cell: x (..., D) -> (hist (n_1, ..., n_D), D vectors of edges).

    bins: how many for every axis, or for each, or the edges for each.  range: min and max of each axis, one after
    another.  Cells and weights as `histogram` has them.
    """
    value = array_of(x)
    _check("histogramdd", value)
    if value.ndim < 2:
        raise ShapeError(f"histogramdd: expected points (..., D); got shape {value.shape}")
    points = value.reshape(-1, value.shape[-1])
    d = points.shape[1]
    each = list(bins) if isinstance(bins, (tuple, list)) else [bins] * d
    if len(each) != d:
        raise ShapeError(f"histogramdd: expected bins for each of {d} axes; got {len(each)}")
    if range is not None and len(range) != 2 * d:
        raise ShapeError(f"histogramdd: expected 2 x {d} limits in range; got {len(range)}")
    limits = [(None, None) if range is None else (float(range[2 * a]), float(range[2 * a + 1])) for a, _ in
              enumerate(each)]
    edges = [_edges("histogramdd", points[:, axis], b, low, high)
             for axis, (b, (low, high)) in enumerate(zip(each, limits))]
    made = _counted("histogramdd", x, points, edges, weight, density)
    return Histogram(made, tuple([tensor_if([x, weight], e) for e in edges]))


@composed
def histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool = False,
                weights: Any = None) -> tuple[Any, Any, Any]:
    """NumPy's histogram of pairs: (counts, edges of x, edges of y)."""
    points = np.stack([array_of(x).reshape(-1), array_of(y).reshape(-1)], -1)
    flat = None if range is None else [limit for pair in range for limit in pair]
    pairs = [bins] * 2 if not isinstance(bins, (tuple, list)) else list(bins)
    hist, edges = histogramdd(tensor_if([x, y], points), pairs, range=flat, weight=weights, density=density)
    return hist, edges[0], edges[1]
