"""NumPy's functions that join arrays and take them apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .. import ops
from ..ops import cast
from .arguments import array, axes, value
from .shapes import reshape


def _finish(x: Any, dtype: Any) -> Any:
    return x if dtype is None else cast(x, dtype=np.dtype(dtype))


def concatenate(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "") -> Any:
    """Joined along an axis; flattened first for axis None."""
    parts = [array(x) for x in arrays]
    if axis is None:
        parts, axis = [reshape(x, -1) for x in parts], 0
    return _finish(ops.cat(parts, axis), dtype)


def concat(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "") -> Any:
    """Joined along an axis; flattened first for axis None."""
    return concatenate(arrays, axis, None, dtype=dtype)


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "") -> Any:
    """Joined along a new axis."""
    return _finish(ops.stack([array(x) for x in arrays], axis), dtype)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "") -> Any:
    """Joined as rows."""
    return _finish(ops.vstack([array(x) for x in tup]), dtype)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "") -> Any:
    """Joined along the second axis; vectors along the first."""
    return _finish(ops.hstack([array(x) for x in tup]), dtype)


def dstack(tup: Any) -> Any:
    """Joined along the third axis."""
    return ops.dstack([array(x) for x in tup])


def column_stack(tup: Any) -> Any:
    """Joined as columns."""
    return ops.column_stack([array(x) for x in tup])


def block(arrays: Any) -> Any:
    """Nested lists joined: the innermost along the last axis, the next along the one before."""
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]
    ndim = max(depth, *[array(x).ndim for x in _leaves(arrays)])
    return _block(arrays, depth, ndim)


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for x in arrays for leaf in _leaves(x)] if isinstance(arrays, list) else [arrays]


def _block(arrays: Any, depth: int, ndim: int) -> Any:
    if not isinstance(arrays, list):
        x = array(arrays)
        return ops.reshape(x, shape=(1,) * (ndim - x.ndim) + tuple(x.shape))
    return ops.cat([_block(x, depth - 1, ndim) for x in arrays], -depth)


def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """With values behind; both flattened for axis None."""
    return concatenate((arr, values), axis)


def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """With values before the given positions along an axis, of the flattened array by default."""
    x, new = array(arr), array(values)
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = axes(axis, x.ndim)[0]
    whole = isinstance(obj, (int, np.integer))
    at = obj if isinstance(obj, slice) or whole else value(obj)
    n = x.shape[axis]
    order = np.insert(np.arange(n), at, -1)                   # NumPy says where the new ones come
    count = order.size - n
    shape = [count if d == axis else s for d, s in enumerate(x.shape)]
    if whole and new.ndim:                                    # of one position the values stand with that axis first
        new = ops.movedim(ops.reshape(new, shape=(1,) * (x.ndim - new.ndim) + tuple(new.shape)), 0, axis)
        count = max(count, new.shape[axis])
        order = np.insert(np.arange(n), [int(obj)] * count, -1)
        shape[axis] = count
    order[order == -1] = np.arange(n, n + count)
    joined = ops.cat([x, ops.broadcast_to(new, shape=tuple(shape))], axis)
    return ops.linear.getitem(joined, index=(slice(None),) * axis + (order,))


def _split(ary: Any, sections: Any, axis: int, equal: bool) -> list[Any]:
    x = array(ary)
    axis = axes(axis, x.ndim)[0]
    n = x.shape[axis]
    if isinstance(sections, (int, np.integer)):
        if equal and n % sections:
            raise ValueError(f"split: axis {axis} has {n} elements, which do not divide into {sections} equal parts; "
                             "use array_split")
        parts = np.array_split(np.arange(n), sections)
        cuts = np.cumsum([0, *[p.size for p in parts]]).tolist()
    else:
        cuts = [0, *value(sections).tolist(), n]
    lead = (slice(None),) * axis
    return [x[(*lead, slice(a, b))] for a, b in pairwise(cuts)]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut at these positions, or into so many equal parts."""
    return _split(ary, indices_or_sections, axis, True)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut at these positions, or into so many parts of about one size."""
    return _split(ary, indices_or_sections, axis, False)


def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the second axis; a vector along the first."""
    return _split(ary, indices_or_sections, 1 if array(ary).ndim > 1 else 0, True)


def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the first axis."""
    return _split(ary, indices_or_sections, 0, True)


def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the third axis."""
    return _split(ary, indices_or_sections, 2, True)


def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """The parts along an axis, without it."""
    return tuple(ops.unbind(array(x), axis))


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """The coordinates of a grid from those along its axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: expected indexing 'xy' or 'ij'; got {indexing!r}")
    n = len(xi)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    made = [ops.reshape(array(x), shape=tuple(-1 if d == order[k] else 1 for d in range(n))) for k, x in enumerate(xi)]
    if sparse:
        return tuple(made)
    shape = np.broadcast_shapes(*[x.shape for x in made])
    return tuple([ops.broadcast_to(x, shape=shape) for x in made])
