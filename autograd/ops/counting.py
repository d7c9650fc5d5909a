"""Counts, sets and places in sorted order: of values, so that no gradient flows through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from .axes import axis_in
from .composed import array_of, composed, tensor_if


@composed
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... occurs in a vector; with weights, the sum of the weights of each."""
    value = array_of(x)
    if value.ndim != 1 or value.dtype.kind not in "iu" or (value.size and value.min() < 0) or minlength < 0:
        raise ValueError(f"bincount: expected a vector of integers of at least 0; got {value.shape} {value.dtype}")
    if weights is None:
        return tensor_if(x, np.bincount(value, minlength=minlength))
    w = array_of(weights)
    if w.shape != value.shape:
        raise ShapeError(f"bincount: expected weights of shape {value.shape}; got {w.shape}")
    made = np.bincount(value, w, minlength)
    return tensor_if(x, made.astype(w.dtype if w.dtype == np.float32 else np.float64))


@composed
def histc(x: Any, bins: int = 100, min: Any = 0, max: Any = 0) -> Any:
    """How many elements fall into each of `bins` equal parts of [min, max] (of the range of x if both are equal)."""
    value = array_of(x)
    if bins < 1:
        raise ValueError(f"histc: expected at least one bin; got {bins}")
    low, high = float(min), float(max)
    if low == high and value.size:
        low, high = float(value.min()), float(value.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (np.isfinite(low) and np.isfinite(high)) or low > high:
        raise ValueError(f"histc: expected a finite range; got [{low}, {high}]")
    inside = value[(value >= low) & (value <= high)].astype(np.float64)
    if low == high:                           # so large that ±1 changes nothing
        return tensor_if(x, np.bincount(np.full(inside.shape, bins // 2), minlength=bins).astype(value.dtype))
    place = np.minimum(((inside - low) / (high - low) * bins).astype(np.int64), bins - 1)
    return tensor_if(x, np.bincount(place, minlength=bins).astype(value.dtype))


def _answers(x: Any, values: Any, inverse: Any, counts: Any, shape: Any) -> Any:
    found = [tensor_if(x, values)]
    if inverse is not None:
        found.append(tensor_if(x, np.asarray(inverse, np.int64).reshape(shape)))
    if counts is not None:
        found.append(tensor_if(x, np.asarray(counts, np.int64)))
    return found[0] if len(found) == 1 else tuple(found)


@composed
def unique(x: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Any:
    """The different elements (slices along `dim`) in order; also where each went, and how often it occurs."""
    value = array_of(x)
    axis = None if dim is None else axis_in(dim, value.ndim, "unique")
    values, inverse, counts = np.unique(value, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    return _answers(x, values, inverse if return_inverse else None, counts if return_counts else None,
                    value.shape if dim is None else (-1,))


@composed
def unique_consecutive(x: Any, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Any:
    """Without the elements (slices along `dim`) that equal the one before; also where each went, and run lengths."""
    value = array_of(x)
    rows = value.reshape(-1) if dim is None else np.moveaxis(value, axis_in(dim, value.ndim, "unique_consecutive"), 0)
    n = len(rows)
    fresh = np.ones(n, bool)
    if n:
        fresh[1:] = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    kept = rows[fresh]
    counts = np.diff(np.append(np.flatnonzero(fresh), n)) if n else np.zeros(0, np.int64)
    if dim is not None:
        kept = np.moveaxis(kept, 0, dim)
    return _answers(x, kept, np.cumsum(fresh) - 1 if return_inverse else None, counts if return_counts else None,
                    value.shape if dim is None else (-1,))


@composed
def searchsorted(sorted_sequence: Any, values: Any, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: Any = None) -> Any:
    """Where each value would be inserted to keep the last axis sorted: before equal elements, or after (right)."""
    if side not in (None, "left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'; got {side!r}")
    if side == "left" and right:
        raise ValueError("searchsorted: side='left' and right=True say opposite things")
    row, wanted = array_of(sorted_sequence), array_of(values)
    if sorter is not None:
        row = np.take_along_axis(row, array_of(sorter), -1)
    after = right or side == "right"
    if row.ndim == 1:
        made = np.searchsorted(row, wanted, "right" if after else "left")
    else:
        if row.shape[:-1] != wanted.shape[:-1]:
            raise ShapeError(f"searchsorted: expected values of shape {(*row.shape[:-1], 'n')}; got {wanted.shape}")
        made = _places(row, wanted, after)
    like = values if hasattr(values, "node") else sorted_sequence
    return tensor_if(like, np.asarray(made).astype(np.int32 if out_int32 else np.int64))


def _places(rows: Any, wanted: Any, after: bool) -> Any:
    """As NumPy's searchsorted, each row with its own values: bisection of all rows at once."""
    low = np.zeros(wanted.shape, np.int64)
    high = np.full(wanted.shape, rows.shape[-1], np.int64)
    for _ in range(int(rows.shape[-1]).bit_length()):
        middle = (low + high) // 2
        at = np.take_along_axis(rows, np.minimum(middle, rows.shape[-1] - 1), -1)
        beyond = (at <= wanted if after else at < wanted) & (low < high)
        low, high = np.where(beyond, middle + 1, low), np.where(beyond, high, middle)
    return low


@composed
def bucketize(x: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The interval that each element falls into:  boundaries[i-1] < x <= boundaries[i]  (right: <= and <)."""
    edges = array_of(boundaries)
    if edges.ndim != 1:
        raise ShapeError(f"bucketize: expected a vector of boundaries; got shape {edges.shape}")
    made = np.searchsorted(edges, array_of(x), "right" if right else "left")
    return tensor_if([x, boundaries], np.asarray(made).astype(np.int32 if out_int32 else np.int64))


@composed
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Where an element is one of the test elements."""
    made = np.isin(array_of(elements), array_of(test_elements), invert=invert)
    return tensor_if([elements, test_elements], np.asarray(made))


@composed
def argwhere(x: Any) -> Any:
    """The positions of the elements that are not zero:  x (...) -> (n, x.ndim) int64."""
    return tensor_if(x, np.argwhere(array_of(x)))


@composed
def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero, (n, x.ndim) int64; as a tuple, one vector for each axis."""
    value = array_of(x)
    if as_tuple:
        return tuple([tensor_if(x, p) for p in np.nonzero(np.atleast_1d(value))])
    return tensor_if(x, np.argwhere(value))


@composed
def nonzero_static(x: Any, *, size: int, fill_value: int = -1) -> Any:
    """The first `size` positions of elements that are not zero, filled up with `fill_value`."""
    found = np.argwhere(array_of(x))[:size]
    out = np.full((size, found.shape[1]), fill_value, np.int64)
    out[:len(found)] = found
    return tensor_if(x, out)


