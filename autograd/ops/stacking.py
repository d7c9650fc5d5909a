"""Tensors put beside, above and behind one another, and taken apart again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from . import elementwise as ew
from . import linear as li
from .axes import axis_in
from .composed import array_of, composed
from .shape import broadcast_tensors, cat, flatten, split, stack, unsqueeze


def _each(f: Any) -> Any:
    """A function of one tensor, of several, or of a list of them."""
    def call(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
            return tuple([f(t) for t in tensors[0]])
        return f(tensors[0]) if len(tensors) == 1 else tuple([f(t) for t in tensors])
    call.__name__ = call.__qualname__ = f.__name__
    call.__doc__ = f.__doc__
    return call


@_each
def atleast_1d(x: Any) -> Any:
    """With at least one axis:  () -> (1,)."""
    return li.reshape(x, shape=(1,)) if x.ndim == 0 else x


@_each
def atleast_2d(x: Any) -> Any:
    """With at least two axes:  () -> (1, 1), (n,) -> (1, n)."""
    return li.reshape(x, shape=(1,) * (2 - x.ndim) + tuple(x.shape)) if x.ndim < 2 else x


@_each
def atleast_3d(x: Any) -> Any:
    """With at least three axes:  () -> (1, 1, 1), (n,) -> (1, n, 1), (n, m) -> (n, m, 1)."""
    if x.ndim > 2:
        return x
    return li.reshape(x, shape={0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim])


@composed
def hstack(tensors: Sequence[Any]) -> Any:
    """Joined side by side: along the second axis, vectors along the first."""
    parts = [atleast_1d(t) for t in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@composed
def vstack(tensors: Sequence[Any]) -> Any:
    """Joined row below row: along the first axis, vectors being rows."""
    return cat([atleast_2d(t) for t in tensors], 0)


@composed
def dstack(tensors: Sequence[Any]) -> Any:
    """Joined one behind the other: along the third axis."""
    return cat([atleast_3d(t) for t in tensors], 2)


@composed
def column_stack(tensors: Sequence[Any]) -> Any:
    """Joined along the second axis, vectors and scalars being columns."""
    return cat([li.reshape(t, shape=(-1, 1)) if t.ndim < 2 else t for t in tensors], 1)


@composed
def tensor_split(x: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along an axis: a number of them, as equal as possible, or cut before the positions given."""
    at = axis_in(dim, x.ndim, "tensor_split")
    if x.ndim == 0:
        raise ShapeError("tensor_split: a scalar has no axis to be split along")
    given = array_of(indices_or_sections)
    n = x.shape[at]
    if given.ndim == 0:
        sections = int(given)
        if sections < 1:
            raise ValueError(f"tensor_split: expected at least one section; got {sections}")
        cuts = [n // sections * k + min(k, n % sections) for k in range(1, sections)]
    else:
        cuts = [int(k) for k in given]
    ends = [slice(k).indices(n)[1] for k in cuts] + [n]
    starts = [0, *ends[:-1]]
    return tuple([li.getitem(x, index=(slice(None),) * at + (slice(a, max(a, b)),)) for a, b in zip(starts, ends)])


def _cut_along(name: str, least: int, axis: Any) -> Any:
    def call(x: Any, indices_or_sections: Any) -> tuple[Any, ...]:
        if x.ndim < least:
            raise ShapeError(f"{name}: expected at least {least} axes; got shape {tuple(x.shape)}")
        at = axis(x.ndim)
        if isinstance(indices_or_sections, int) and (indices_or_sections < 1 or x.shape[at] % indices_or_sections):
            raise ShapeError(f"{name}: expected {indices_or_sections} equal pieces; axis {at} has {x.shape[at]} "
                             "elements: use tensor_split")
        return tensor_split(x, indices_or_sections, at)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Equal pieces, or cut before the positions given, along axis {axis(3)}, of at least {least} axes."
    return call


hsplit, vsplit, dsplit = (_cut_along("hsplit", 1, lambda n: 0 if n == 1 else 1), _cut_along("vsplit", 2, lambda n: 0),
                          _cut_along("dsplit", 3, lambda n: 2))


@composed
def split_with_sizes(x: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of the sizes given along an axis."""
    return split(x, list(split_sizes), dim)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """A grid of the coordinates given: out[k][i_0, i_1, ...] = tensors[k][i_k];  "xy" exchanges the first two axes."""
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy'; got {indexing!r}")
    parts = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if any(t.ndim > 1 for t in parts):
        raise ShapeError(f"meshgrid: expected vectors or scalars; got {[tuple(t.shape) for t in parts]}")
    n = len(parts)
    where = list(range(n))
    if indexing == "xy" and n > 1:
        where[:2] = 1, 0
    wide = [li.reshape(t, shape=tuple(-1 if d == where[k] else 1 for d in range(n))) for k, t in enumerate(parts)]
    return broadcast_tensors(*wide)


def block_diag(*tensors: Any) -> Any:
    """The matrices along the diagonal, zeros elsewhere; vectors are rows, scalars 1 x 1."""
    parts = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if any(t.ndim > 2 for t in parts):
        raise ShapeError(f"block_diag: expected at most two axes; got {[tuple(t.shape) for t in parts]}")
    parts = [atleast_2d(t) for t in parts]
    width, left, rows = sum(t.shape[1] for t in parts), 0, []
    for t in parts:
        rows.append(li.zero_pad(t, padding=((0, 0), (left, width - left - t.shape[1]))))
        left += t.shape[1]
    return cat(rows, 0)


def cartesian_prod(*tensors: Any) -> Any:
    """All choices of one element from each vector, as rows."""
    parts = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if len(parts) == 1:
        return parts[0]
    return stack([flatten(t) for t in meshgrid(parts)], 1)


@composed
def combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of r elements of a vector in order, as rows."""
    if x.ndim != 1 or r < 0:
        raise ShapeError(f"combinations: expected a vector and r >= 0; got shape {tuple(x.shape)} and r = {r}")
    if r == 0:
        return li.getitem(x, index=slice(0, 0))
    pick = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    index = np.array(list(pick(range(x.shape[0]), r)), np.int64).reshape(-1, r)
    return li.getitem(x, index=index)


@composed
def repeat_interleave(x: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Each slice along `dim` (each element of the flattened tensor) repeated; `repeats` may differ from one to another.

    Given counts alone, the positions they repeat:  [2, 1] -> [0, 0, 1].
    """
    if repeats is None:
        made = np.repeat(np.arange(array_of(x).shape[0]), array_of(x))
        return Tensor(made) if isinstance(x, Tensor) else made
    if dim is None:
        x, dim = flatten(x), 0
    if x.ndim == 0:
        x = unsqueeze(x, 0)
    at, times = axis_in(dim, x.ndim, "repeat_interleave"), array_of(repeats)
    if times.dtype.kind not in "iu" or np.any(times < 0) or times.ndim > 1 \
            or times.size not in (1, x.shape[at]):
        raise ShapeError(f"repeat_interleave: expected one count, or one for each of {x.shape[at]} slices; got {times}")
    index = np.repeat(np.arange(x.shape[at]), times.reshape(-1) if times.size > 1 else int(times.reshape(-1)[0]))
    if times.size == 1:                       # equal counts: a broadcast, whose transpose is a sum
        wide = li.expand(unsqueeze(x, at + 1), shape=(*x.shape[:at + 1], int(times.reshape(-1)[0]), *x.shape[at + 1:]))
        return li.reshape(wide, shape=(*x.shape[:at], index.size, *x.shape[at + 1:]))
    return li.getitem(x, index=(slice(None),) * at + (index,))


@composed
def kron(x: Any, y: Any) -> Any:
    """Kronecker product: each element of x times all of y."""
    n = max(x.ndim, y.ndim)
    a, b = ((1,) * (n - t.ndim) + tuple(t.shape) for t in (x, y))
    left = li.reshape(x, shape=tuple(itertools.chain.from_iterable((s, 1) for s in a)))
    right = li.reshape(y, shape=tuple(itertools.chain.from_iterable((1, s) for s in b)))
    return li.reshape(ew.multiply(left, right), shape=tuple(s * t for s, t in zip(a, b)))
