"""The shape of a tensor: axes added, removed, joined, cut, padded.  Functions made of ops."""

from __future__ import annotations

from builtins import max as largest
from builtins import sum as total
from collections.abc import Sequence
from math import prod as product
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from . import elementwise as ew
from . import linear as li
from .axes import axis_in
from .composed import composed, sizes_of


@composed
def squeeze(x: Any, dim: Any = None) -> Any:
    """Without the axes of size 1, or without those of `dim` that have size 1."""
    n = x.ndim
    dims = range(n) if dim is None else [axis_in(d, n, "squeeze") for d in sizes_of((dim,))]
    return li.reshape(x, shape=tuple(s for i, s in enumerate(x.shape) if s != 1 or i not in dims))


@composed
def unsqueeze(x: Any, dim: int) -> Any:
    """With a new axis of size 1 at `dim`."""
    at = axis_in(dim, x.ndim + 1, "unsqueeze")
    return li.reshape(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


@composed
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from start_dim to end_dim as one."""
    if x.ndim == 0:
        return li.reshape(x, shape=(1,))
    a, b = axis_in(start_dim, x.ndim, "flatten"), axis_in(end_dim, x.ndim, "flatten")
    if a > b:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return li.reshape(x, shape=(*x.shape[:a], product(x.shape[a:b + 1]), *x.shape[b + 1:]))


@composed
def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One axis as several: the inverse of `flatten`.  One entry of `sizes` may be -1."""
    at = axis_in(dim, x.ndim, "unflatten")
    inner = np.empty(x.shape[at], bool).reshape(sizes).shape
    return li.reshape(x, shape=(*x.shape[:at], *inner, *x.shape[at + 1:]))


@composed
def movedim(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other positions, the rest keeping their order."""
    src = [axis_in(d, x.ndim, "movedim") for d in sizes_of((source,))]
    dst = [axis_in(d, x.ndim, "movedim") for d in sizes_of((destination,))]
    if len(set(src)) != len(src) or len(set(dst)) != len(dst) or len(src) != len(dst):
        raise ValueError(f"movedim: expected as many different destinations as sources; got {source} and {destination}")
    order = [d for d in range(x.ndim) if d not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return li.permute(x, dims=tuple(order))


@composed
def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors along an axis they have.  A tensor of shape (0,) is left out, as in PyTorch."""
    if isinstance(tensors, Tensor) or not len(tensors):
        raise TypeError("cat needs a list or tuple of at least one tensor; got "
                        + ("a single Tensor" if isinstance(tensors, Tensor) else "an empty one"))
    if len({t.ndim for t in tensors}) > 1:
        tensors = [t for t in tensors if t.shape != (0,)]
    return li.concatenate(*tensors, dim=dim)


@composed
def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors of one shape along a new axis."""
    shapes = {tuple(t.shape) for t in tensors}
    if len(shapes) != 1:
        raise ShapeError(f"stack: expected tensors of one shape; got {sorted(shapes)}")
    return li.concatenate(*[unsqueeze(t, dim) for t in tensors], dim=axis_in(dim, tensors[0].ndim + 1, "stack"))


@composed
def split(x: Any, split_size: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces along an axis: of one size (the last may be smaller), or of the sizes given."""
    at = axis_in(dim, x.ndim, "split")
    n = x.shape[at]
    if isinstance(split_size, int):
        if split_size <= 0 < n:
            raise ShapeError(f"split: expected a positive split_size; got {split_size}")
        sizes = [split_size] * (n // split_size) + ([n % split_size] if n % split_size else []) if n else [0]
    else:
        sizes = list(split_size)
        if total(sizes) != n:
            raise ShapeError(f"split: the sizes {sizes} add up to {total(sizes)}, but axis {dim} has {n} elements")
    pieces, start = [], 0
    for size in sizes:
        pieces.append(li.getitem(x, index=(slice(None),) * at + (slice(start, start + size),)))
        start += size
    return tuple(pieces)


@composed
def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` pieces of equal size along an axis (the last may be smaller)."""
    if chunks < 1:
        raise ValueError(f"chunk: expected at least one chunk; got {chunks}")
    return split(x, -(-x.shape[axis_in(dim, x.ndim, "chunk")] // chunks) or 1, dim)


@composed
def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, which goes away."""
    at = axis_in(dim, x.ndim, "unbind")
    return tuple(li.getitem(x, index=(slice(None),) * at + (k,)) for k in range(x.shape[at]))


@composed
def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """A border of `value`: `pad` is (before, after) for the last axis, then for the one before it, ...

    Negative entries cut away.  Raises ShapeError for an odd number of entries, more than x has axes for, and more cut
    away than there is.
    """
    if mode != "constant":
        raise ValueError(f"pad: expected mode 'constant'; got {mode!r}")
    if len(pad) % 2 or len(pad) // 2 > x.ndim:
        raise ShapeError(f"pad: expected (before, after) for at most {x.ndim} axes; got {tuple(pad)}")
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(int(pad[i]), int(pad[i + 1])) for i in range(len(pad) - 2, -1, -2)]
    if any(p < 0 for pair in pairs for p in pair):
        for axis, (n, (a, b)) in enumerate(zip(x.shape, pairs, strict=True)):
            if n + min(a, 0) + min(b, 0) < 0:
                raise ShapeError(f"pad: cannot cut ({a}, {b}) from axis {axis} of input {tuple(x.shape)}, which has "
                                 f"{n}")
        x = li.getitem(
            x, index=tuple(slice(largest(-a, 0), n - largest(-b, 0)) for n, (a, b) in zip(x.shape, pairs, strict=True))
        )
        pairs = [(largest(a, 0), largest(b, 0)) for a, b in pairs]
    padding = tuple(pairs)
    padded = li.zero_pad(x, padding=padding)
    if value == 0:
        return padded
    inside = np.pad(np.ones(x.shape, bool), padding)
    return ew.where(inside, padded, x.dtype.type(value))


@composed
def tile(x: Any, dims: Sequence[int]) -> Any:
    """Repeated dims[i] times along each axis."""
    if any(n < 0 for n in dims):
        raise ValueError(f"tile: expected counts of at least 0; got {tuple(dims)}")
    dims = (1,) * (x.ndim - len(dims)) + tuple(dims)
    x = li.reshape(x, shape=(1,) * (len(dims) - x.ndim) + tuple(x.shape))
    for d, times in enumerate(dims):
        if times != 1:
            x = (
                li.concatenate(*[x] * times, dim=d)
                if times
                else li.getitem(x, index=(slice(None),) * d + (slice(0, 0),))
            )
    return x


@composed
def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    """Shifted round along one axis or several (along the flattened tensor without `dims`)."""
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    if dims is None or (isinstance(dims, (tuple, list)) and not dims):
        if len(shifts) != 1:
            raise ValueError(f"roll: without dims expected one shift; got {tuple(shifts)}")
        return li.reshape(roll(flatten(x), shifts, 0), shape=x.shape)
    dims = dims if isinstance(dims, (tuple, list)) else (dims,)
    if len(shifts) != len(dims):
        raise ValueError(f"roll: expected a shift for each of dims {tuple(dims)}; got shifts {tuple(shifts)}")
    for shift, dim in zip(shifts, dims, strict=True):
        at = axis_in(dim, x.ndim, "roll")
        n = x.shape[at] if x.ndim else 0
        if n and shift % n:
            cut = (slice(None),) * at
            x = li.concatenate(li.getitem(x, index=(*cut, slice(n - shift % n, None))),
                               li.getitem(x, index=(*cut, slice(0, n - shift % n))), dim=at)
    return li.clone(x) if isinstance(x, Tensor) else x


@composed
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All expanded to the shape they broadcast to."""
    shape = np.broadcast_shapes(*[t.shape for t in tensors])
    return tuple(li.expand(t, shape=shape) for t in tensors)
