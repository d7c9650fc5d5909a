"""Reductions of the slices of a tensor by groups, as jax.ops.segment_sum and torch.segment_reduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear
from . import linear as li
from .axes import axis_in
from .composed import array_of, composed
from .scattering import numbers, reduced_at

_BAGS = {"bag": np.array([0, 0, 2]), "count": 4}


@linear(x=lambda g, bag: li.getitem(g, index=bag), category="index", shapes="rows in the order of their bags",
        cases=[(((3, 2),), _BAGS), (((0, 2),), {"bag": np.array([], int), "count": 2})])
def bag_sum(x: Any, *, bag: Any, count: int) -> Any:
    """The rows of each bag added up:  x (n, d), bag (n,) ascending -> (count, d); of none, 0."""
    out = np.zeros((count, *x.shape[1:]), x.dtype)
    if len(bag):
        start = np.flatnonzero(np.diff(bag, prepend=-1))
        out[bag[start]] = np.add.reduceat(x, start, axis=0)
    return out


def _reduced(who: str, x: Any, segment_ids: Any, num_segments: int | None, reduce: str, first: Any) -> Any:
    ids = array_of(segment_ids)
    if ids.dtype.kind not in "iu" or ids.ndim != 1 or not x.ndim or ids.shape[0] != x.shape[0]:
        raise ShapeError(f"{who}: expected an integer for each of the slices of x {tuple(x.shape)}; got {ids.shape} "
                         f"{ids.dtype}")
    count = num_segments if num_segments is not None else int(ids.max()) + 1 if ids.size else 0
    if ids.size and (ids.min() < 0 or ids.max() >= count):
        raise IndexError(f"{who}: expected segments within 0..{count - 1}; got {int(ids.min())} to {int(ids.max())}")
    shape = (count, *x.shape[1:])
    if reduce == "sum":
        return li.put(x, index=ids, shape=shape)
    base = np.full(shape, first, x.dtype)
    return reduced_at(base, numbers(shape)[ids], x, reduce, reduce == "prod") if ids.size else base


@composed
def segment_sum(x: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """Sum of the slices of each group:  y[k] = Σ_{i: id[i] = k} x[i].  Of none, 0."""
    return _reduced("segment_sum", x, segment_ids, num_segments, "sum", 0)


@composed
def segment_mean(x: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """Mean of the slices of each group.  Of none, 0."""
    return _reduced("segment_mean", x, segment_ids, num_segments, "mean", 0)


@composed
def segment_prod(x: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """Product of the slices of each group.  Of none, 1."""
    return _reduced("segment_prod", x, segment_ids, num_segments, "prod", 1)


def _limit(x: Any, sign: int) -> Any:
    return sign * np.inf if x.dtype.kind in "fc" else np.iinfo(x.dtype).max if sign > 0 else np.iinfo(x.dtype).min


@composed
def segment_max(x: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """Largest of the slices of each group, element by element.  Of none, -inf.  A tie shares the gradient evenly."""
    return _reduced("segment_max", x, segment_ids, num_segments, "amax", _limit(x, -1))


@composed
def segment_min(x: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """Smallest of the slices of each group, element by element.  Of none, inf.  A tie shares the gradient evenly."""
    return _reduced("segment_min", x, segment_ids, num_segments, "amin", _limit(x, 1))


_NAMES = {"sum": ("sum", 0), "mean": ("mean", np.nan), "prod": ("prod", 1), "max": ("amax", -np.inf),
          "min": ("amin", np.inf)}


@composed
def segment_reduce(x: Any, reduce: str, *, lengths: Any = None, indices: Any = None, offsets: Any = None,
                   dim: int = 0, unsafe: bool = False, initial: float | None = None) -> Any:
    """Consecutive slices along `dim` put together: "sum", "mean", "prod", "max" or "min" of each run (torch).

    Runs by their lengths, or by offsets, one more than there are runs.  An axis before `dim` may give each row its own:
    lengths (..., runs).  Of no slices: `initial`, or 0, NaN, 1, -inf, inf.
    """
    if reduce not in _NAMES:
        raise ValueError(f"segment_reduce: expected one of {', '.join(_NAMES)}; got {reduce!r}")
    if (lengths is None) == (offsets is None) or indices is not None:
        raise ValueError("segment_reduce: expected either lengths or offsets, and no indices")
    at = axis_in(dim, x.ndim, "segment_reduce")
    if offsets is not None:
        marks = array_of(offsets)
        runs = np.diff(marks, axis=-1)
    else:
        runs = array_of(lengths)
    if runs.ndim != at + 1 or tuple(runs.shape[:at]) != tuple(x.shape[:at]):
        raise ShapeError(f"segment_reduce: expected lengths {(*x.shape[:at], 'runs')}; got {runs.shape}")
    if np.any(runs < 0) or (not unsafe and np.any(runs.sum(-1) != x.shape[at])):
        raise ValueError(f"segment_reduce: expected lengths of at least 0 that add up to {x.shape[at]}; got "
                         f"{runs.tolist()}")
    rows, count = int(np.prod(x.shape[:at])), runs.shape[-1]
    ids = np.repeat(np.arange(rows * count), runs.reshape(-1))
    flat = li.reshape(x, shape=(rows * x.shape[at], *x.shape[at + 1:]))
    name, none = _NAMES[reduce]
    shape = (rows * count, *x.shape[at + 1:])
    own, centred = initial is not None, reduce == "mean" and initial is not None
    name = "sum" if centred else name
    base = np.full(shape, initial if own else none, x.dtype)
    out = reduced_at(base, numbers(shape)[ids], flat, name, own or name in ("sum", "prod")) if ids.size else base
    if centred:                               # what it began with belongs to the sum, not to the count
        out = out / np.maximum(runs, 1).reshape(-1, *[1] * (len(shape) - 1)).astype(x.dtype)
    return li.reshape(out, shape=(*x.shape[:at], count, *x.shape[at + 1:]))
