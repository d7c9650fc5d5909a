"""Elements put in, taken out and chosen, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import elementwise as ew
from . import linear as li
from .arrange import unfold
from .axes import axis_in
from .composed import array_of, composed
from .operands import of_arrays, operand
from .scattering import written
from .shape import broadcast_tensors, cat, flatten, movedim, stack


def _along(x: Any, dim: int | None, who: str) -> tuple[Any, int]:
    """x and an axis counted from the front; without one the flattened x."""
    return (flatten(x), 0) if dim is None else (x, axis_in(dim, x.ndim, who))


def _taken(x: Any, at: int, index: Any) -> Any:
    return li.getitem(x, index=(slice(None),) * at + (index,))


def _as_operand(values: Any, like: Any) -> Any:
    return values if hasattr(values, "dtype") else np.asarray(values, like.dtype)


@of_arrays()
def append(x: Any, values: Any, dim: int | None = None) -> Any:
    """The values behind x along `dim`; both flattened without."""
    values = _as_operand(values, x)
    if dim is None:
        return li.concatenate(flatten(x), flatten(values), dim=0)
    return li.concatenate(x, values, dim=axis_in(dim, x.ndim, "append"))


@of_arrays()
def delete(x: Any, index: Any, dim: int | None = None) -> Any:
    """x without the slices at an index, a slice, several, or where a mask is true, along `dim` (flattened without)."""
    x, at = _along(x, dim, "delete")
    given = index if isinstance(index, slice) else array_of(index)
    return _taken(x, at, np.delete(np.arange(x.shape[at]), given))


@of_arrays()
def insert(x: Any, index: Any, values: Any, dim: int | None = None) -> Any:
    """x with values put in before the positions given, along `dim` (flattened without)."""
    x, at = _along(x, dim, "insert")
    values, n = _as_operand(values, x), x.shape[at]
    place = np.arange(n)[index] if isinstance(index, slice) else array_of(index)
    if values.ndim > x.ndim:
        raise ShapeError(f"insert: expected values of at most {x.ndim} axes; got shape {tuple(values.shape)}")
    values = li.reshape(values, shape=(1,) * (x.ndim - values.ndim) + tuple(values.shape))
    if not place.ndim:
        values = movedim(values, 0, at)
        place = np.full(values.shape[at], place)
    marks = np.insert(np.arange(n), place, n + np.arange(place.size))
    shape = tuple(place.size if d == at else m for d, m in enumerate(x.shape))
    return _taken(li.concatenate(x, li.fit(li.expand(values, shape=shape), x.dtype), dim=at), at, marks)


@of_arrays()
def resize(x: Any, new_shape: Any) -> Any:
    """The elements in C order, over and over, in another shape (numpy.resize); zeros where x has none."""
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(int(n) for n in new_shape)
    if min(shape, default=0) < 0:
        raise ValueError(f"resize: expected no size below 0; got {shape}")
    flat, size = flatten(x), int(np.prod(shape))
    if not flat.shape[0]:
        return ew.add(np.zeros(shape, x.dtype), li.sum(flat))
    return li.reshape(_taken(flat, 0, np.arange(size) % flat.shape[0]), shape=shape)


@of_arrays(2)
def compress(condition: Any, x: Any, dim: int | None = None) -> Any:
    """The slices along `dim` (of the flattened x without) where the condition holds."""
    x, at = _along(x, dim, "compress")
    chosen = np.flatnonzero(array_of(condition))
    if chosen.size and chosen[-1] >= x.shape[at]:
        raise IndexError(f"compress: the condition is true at {int(chosen[-1])}; the axis has {x.shape[at]} elements")
    return _taken(x, at, chosen)


@of_arrays(2)
def extract(condition: Any, x: Any) -> Any:
    """The elements of x where the condition, of its size, is true, as a vector."""
    return compress(array_of(condition).reshape(-1), x)


@composed
def choose(x: Any, choices: Any) -> Any:
    """From several tensors, the one that the integers x name, element by element:  y[i] = choices[x[i]][i]."""
    index, *parts = broadcast_tensors(array_of(x), *[operand(c) for c in choices])
    if index.dtype.kind not in "iu":
        raise TypeError(f"choose: expected integers; got {index.dtype}")
    if index.size and (index.min() < 0 or index.max() >= len(parts)):
        raise IndexError(f"choose: expected numbers within 0..{len(parts) - 1}; got {index.min()} to {index.max()}")
    return li.getitem(stack(parts, 0), index=(index, *np.ogrid[tuple(slice(n) for n in index.shape)]))


@of_arrays()
def piecewise(x: Any, conditions: Any, functions: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
    """f_i(x) where condition i holds, the last that does; one function more for where none does, else 0.

    A function sees only the elements it is for, so that no other can make its derivative NaN.  Numbers are constants.
    """
    rows = [array_of(c) for c in (conditions if isinstance(conditions, (list, tuple)) else [conditions])]
    if len(functions) == len(rows) + 1:
        rows.append(~np.any(rows, axis=0))
    if len(rows) != len(functions):
        raise ValueError(f"piecewise: with {len(rows)} conditions, either {len(rows)} or {len(rows) + 1} functions are "
                         f"expected; got {len(functions)}")
    out: Any = np.zeros(tuple(x.shape), x.dtype)
    flat = flatten(x)
    for row, function in zip(rows, functions):
        found = np.flatnonzero(np.broadcast_to(row, tuple(x.shape)))
        if found.size:
            piece = function(_taken(flat, 0, found), *args, **kwargs) if callable(function) else function
            out = written(out, found, piece)
    return out


@of_arrays()
def rollaxis(x: Any, dim: int, start: int = 0) -> Any:
    """One axis moved back until it lies before `start`; movedim says it more plainly."""
    at = axis_in(dim, x.ndim, "rollaxis")
    to = start + x.ndim if start < 0 else start
    if not 0 <= to <= x.ndim:
        raise IndexError(f"rollaxis: expected start within {-x.ndim}..{x.ndim}; got {start}")
    return movedim(x, at, to - (at < to))


def block(parts: Any) -> Any:
    """Tensors in nested lists as one: the innermost lists along the last axis, those around along the one before."""
    depth, inner = 0, parts
    while isinstance(inner, list):
        if not inner:
            raise ValueError("block: a list is empty")
        depth, inner = depth + 1, inner[0]
    most = max(depth, *[operand(p).ndim for p in _leaves(parts)])

    def joined(part: Any, level: int) -> Any:
        if isinstance(part, list):
            return cat([joined(p, level + 1) for p in part], level - depth)
        part = operand(part)
        return li.reshape(part, shape=(1,) * (most - part.ndim) + tuple(part.shape))
    return joined(parts, 0)


def _leaves(parts: Any) -> list[Any]:
    return [leaf for part in parts for leaf in _leaves(part)] if isinstance(parts, list) else [parts]


@of_arrays()
def partition(x: Any, kth: int, dim: int = -1) -> Any:
    """The slices along `dim` with element kth where sorting puts it, nothing larger before, nothing smaller behind."""
    at = axis_in(dim, x.ndim, "partition")
    return li.gather(x, at, np.argpartition(array_of(x), kth, axis=at))


@of_arrays()
def sliding_window_view(x: Any, window_shape: Any, dim: Any = None) -> Any:
    """All windows of x, one step apart, their elements on new last axes; along all axes, or those of `dim`."""
    window = tuple(window_shape) if isinstance(window_shape, (tuple, list)) else (window_shape,)
    axes = range(x.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    if len(window) != len(axes):
        raise ShapeError(f"sliding_window_view: expected a window size for each of {len(axes)} axes; got {window}")
    at = [axis_in(d, x.ndim, "sliding_window_view") for d in axes]
    for axis, size in zip(at, window):
        x = unfold(x, axis, size, 1)
    return x


@of_arrays()
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours of the flattened tensor, with what is to stand before and behind them."""
    flat = flatten(x)
    inner = ew.subtract(flat[1:], flat[:-1])
    ends = [None if e is None else flatten(_as_operand(e, x)) for e in (to_begin, to_end)]
    parts = [p for p in (ends[0], inner, ends[1]) if p is not None]
    return li.concatenate(*parts, dim=0) if len(parts) > 1 else inner
