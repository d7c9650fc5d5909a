"""Functions made of ops, with no rule of their own: their derivatives fall out of the chain rule."""

from __future__ import annotations

from builtins import max as largest
from builtins import sum as total
from collections.abc import Sequence
from math import prod as product
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor, wrap
from . import elementwise as ew
from . import linear as li
from . import logic as lo
from . import matrix as ma
from . import reduce as re_


def array_of(x: Any) -> Any:
    """The array behind a Tensor; an array itself."""
    return x.value if isinstance(x, Tensor) else np.asarray(x)


def _like(x: Any, value: Any) -> Any:
    return (
        wrap(value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value)
        if isinstance(x, Tensor)
        else value
    )


def axis_in(dim: int, ndim: int, who: str) -> int:
    """`dim` counted from the front; IndexError when there is no such axis."""
    room = ndim or 1
    if not -room <= dim < room:
        raise IndexError(f"{who}: dimension out of range (expected to be in [{-room}, {room - 1}], but got {dim})")
    return dim % room


# -- shape -----------------------------------------------------------------------------------------------


def squeeze(x: Any, dim: Any = None) -> Any:
    """Without the axes of size 1, or without those of `dim` that have size 1."""
    n = x.ndim
    dims = range(n) if dim is None else [axis_in(d, n, "squeeze") for d in ((dim,) if isinstance(dim, int) else dim)]
    return li.reshape(x, shape=tuple(s for i, s in enumerate(x.shape) if s != 1 or i not in dims))


def unsqueeze(x: Any, dim: int) -> Any:
    """With a new axis of size 1 at `dim`."""
    at = axis_in(dim, x.ndim + 1, "unsqueeze")
    return li.reshape(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from start_dim to end_dim as one."""
    if x.ndim == 0:
        return li.reshape(x, shape=(1,))
    a, b = axis_in(start_dim, x.ndim, "flatten"), axis_in(end_dim, x.ndim, "flatten")
    if a > b:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return li.reshape(x, shape=(*x.shape[:a], product(x.shape[a:b + 1]), *x.shape[b + 1:]))


def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One axis as several: the inverse of `flatten`.  One entry of `sizes` may be -1."""
    at = axis_in(dim, x.ndim, "unflatten")
    inner = np.empty(x.shape[at], bool).reshape(sizes).shape
    return li.reshape(x, shape=(*x.shape[:at], *inner, *x.shape[at + 1:]))


def movedim(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other positions, the rest keeping their order."""
    src = [axis_in(d, x.ndim, "movedim") for d in ((source,) if isinstance(source, int) else source)]
    dst = [axis_in(d, x.ndim, "movedim") for d in ((destination,) if isinstance(destination, int) else destination)]
    if len(set(src)) != len(src) or len(set(dst)) != len(dst) or len(src) != len(dst):
        raise ValueError(f"movedim: expected as many different destinations as sources; got {source} and {destination}")
    order = [d for d in range(x.ndim) if d not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return li.permute(x, dims=tuple(order))


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors along an axis they have."""
    if isinstance(tensors, Tensor) or not len(tensors):
        raise TypeError("cat needs a list or tuple of at least one tensor; got "
                        + ("a single Tensor" if isinstance(tensors, Tensor) else "an empty one"))
    return li.concatenate(*tensors, dim=dim)


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors of one shape along a new axis."""
    shapes = {tuple(t.shape) for t in tensors}
    if len(shapes) != 1:
        raise ShapeError(f"stack: expected tensors of one shape; got {sorted(shapes)}")
    return li.concatenate(*[unsqueeze(t, dim) for t in tensors], dim=axis_in(dim, tensors[0].ndim + 1, "stack"))


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


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` pieces of equal size along an axis (the last may be smaller)."""
    if chunks < 1:
        raise ValueError(f"chunk: expected at least one chunk; got {chunks}")
    return split(x, -(-x.shape[axis_in(dim, x.ndim, "chunk")] // chunks) or 1, dim)


def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, which goes away."""
    at = axis_in(dim, x.ndim, "unbind")
    return tuple(li.getitem(x, index=(slice(None),) * at + (k,)) for k in range(x.shape[at]))


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """A border of `value`: `pad` is (before, after) for the last axis, then for the one before it, ...

    Negative entries cut away.  Raises ShapeError for an odd number of entries or more than x has axes for.
    """
    if mode != "constant":
        raise ValueError(f"pad: expected mode 'constant'; got {mode!r}")
    if len(pad) % 2 or len(pad) // 2 > x.ndim:
        raise ShapeError(f"pad: expected (before, after) for at most {x.ndim} axes; got {tuple(pad)}")
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(int(pad[i]), int(pad[i + 1])) for i in range(len(pad) - 2, -1, -2)]
    if any(p < 0 for pair in pairs for p in pair):
        x = li.getitem(
            x, index=tuple(slice(largest(-a, 0), n - largest(-b, 0)) for n, (a, b) in zip(x.shape, pairs, strict=True))
        )
        pairs = [(largest(a, 0), largest(b, 0)) for a, b in pairs]
    padding = tuple(pairs)
    padded = li.zero_pad(x, padding=padding)
    if value == 0:
        return padded
    inside = np.pad(np.ones(x.shape, bool), padding)
    return ew.where(inside, padded, value)


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


def roll(x: Any, shifts: int, dims: int | None = None) -> Any:
    """Shifted round along an axis (of the flattened tensor without `dims`)."""
    if dims is None:
        return li.reshape(roll(flatten(x), shifts, 0), shape=x.shape)
    at = axis_in(dims, x.ndim, "roll")
    return index_select(x, at, (np.arange(x.shape[at]) - shifts) % (x.shape[at] or 1))


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All expanded to the shape they broadcast to."""
    shape = np.broadcast_shapes(*[t.shape for t in tensors])
    return tuple(li.expand(t, shape=shape) for t in tensors)


# -- choosing --------------------------------------------------------------------------------------------


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices of x along `dim` that a 1-D integer index names; IndexError when one is not there."""
    at, index = axis_in(dim, x.ndim, "index_select"), array_of(index)
    if index.ndim > 1:
        raise IndexError(f"index_select: expected a 1-D index; got one of shape {index.shape}: use x[index] or gather")
    if index.size and (index.min() < 0 or index.max() >= x.shape[at]):
        bad = int(index.min() if index.min() < 0 else index.max())
        raise IndexError(f"index_select: index {bad} is out of bounds for dimension {dim} with size {x.shape[at]}")
    return li.getitem(x, index=(slice(None),) * at + (index,))


def take(x: Any, index: Any) -> Any:
    """Elements of the flattened x by position; the result has the shape of the index."""
    return li.getitem(flatten(x), index=array_of(index))


def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """As `gather`, with broadcasting; without `dim`, of the flattened x."""
    indices = array_of(indices)
    if dim is None:
        return li.gather(flatten(x), 0, indices.reshape(-1))
    at = axis_in(dim, x.ndim, "take_along_dim")
    shape = list(
        np.broadcast_shapes(*[tuple(1 if d == at else n for d, n in enumerate(s)) for s in (x.shape, indices.shape)])
    )
    shape[at] = indices.shape[at]
    wide = tuple(x.shape[at] if d == at else n for d, n in enumerate(shape))
    return li.gather(li.expand(x, shape=wide), at, np.broadcast_to(indices, shape))


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """x with src added along one axis:  y[index[i, j], j] += src[i, j]  (dim 0)."""
    index = array_of(index)
    if index.ndim != src.ndim or any(i > s for i, s in zip(index.shape, src.shape)):
        raise ShapeError(
            f"scatter_add: expected an index nowhere longer than src; got {index.shape} and {tuple(src.shape)}"
        )
    part = li.getitem(src, index=tuple(slice(n) for n in index.shape))
    return ew.add(x, li.place_along(part, index, dim=dim, shape=tuple(x.shape)))


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with `value` where the mask is true."""
    if not isinstance(value, Tensor):
        value = x.dtype.type(value)
    return ew.where(mask, value, x)


def masked_select(x: Any, mask: Any) -> Any:
    """The elements where the mask is true, as one axis."""
    shape = np.broadcast_shapes(x.shape, array_of(mask).shape)
    return li.getitem(li.expand(x, shape=shape), index=np.broadcast_to(array_of(mask), shape))


def one_hot(index: Any, num_classes: int = -1) -> Any:
    """A 1 at each position that the index names:  index (...) -> (..., C) int64."""
    at = array_of(index)
    if at.dtype.kind not in "iu":
        raise TypeError(f"one_hot: expected an integer index; got {at.dtype}")
    classes = int(at.max()) + 1 if num_classes == -1 else num_classes
    if at.size and (at.min() < 0 or at.max() >= classes):
        raise IndexError(
            f"one_hot: class {int(at.max() if at.max() >= classes else at.min())} is not in 0..{classes - 1}"
        )
    return _like(index, (at[..., None] == np.arange(classes)).astype(np.int64))


class ValuesIndices(NamedTuple):
    """Values along an axis and the positions they were at."""

    values: Any
    indices: Any


def _picked(x: Any, dim: int, keepdim: bool, positions: Any, who: str) -> ValuesIndices:
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), _like(x, np.int64(0)))
    at = axis_in(dim, x.ndim, who)
    if x.shape[at] == 0:
        raise IndexError(
            f"{who}: expected an axis of at least one element; axis {dim} of shape {tuple(x.shape)} is empty"
        )
    index = np.asarray(positions(array_of(x), axis=at))
    values = li.gather(x, at, np.expand_dims(index, at))
    if not keepdim:
        return ValuesIndices(squeeze(values, at), _like(x, index))
    return ValuesIndices(values, _like(x, np.expand_dims(index, at)))


def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; along `dim`, (values, indices), the whole gradient going to the index returned.

    Two tensors: as `maximum`.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return ew.maximum(x, dim)
    return re_.amax(x) if dim is None else _picked(x, dim, keepdim, np.argmax, "max")


def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; along `dim`, (values, indices), the whole gradient going to the index returned.

    Two tensors: as `minimum`.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return ew.minimum(x, dim)
    return re_.amin(x) if dim is None else _picked(x, dim, keepdim, np.argmin, "min")


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Sorted along `dim`: (values, indices).  Equal elements keep their order."""
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), _like(x, np.int64(0)))
    index = lo.argsort(array_of(x), dim=axis_in(dim, x.ndim, "sort"), descending=descending)
    return ValuesIndices(li.gather(x, axis_in(dim, x.ndim, "sort"), index), _like(x, index))


def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The k largest (or smallest) along `dim`, in order: (values, indices)."""
    if x.ndim == 0:
        return sort(x)
    at = axis_in(dim, x.ndim, "topk")
    if not 0 <= k <= x.shape[at]:
        raise IndexError(f"topk: k = {k} is out of range for axis {dim} of {x.shape[at]} elements")
    index = lo.argsort(array_of(x), dim=at, descending=largest)[(slice(None),) * at + (slice(k),)]
    return ValuesIndices(li.gather(x, at, index), _like(x, index))


# -- products --------------------------------------------------------------------------------------------


def dot(x: Any, y: Any) -> Any:
    """Inner product of two vectors:  Σ x y."""
    if x.ndim != 1 or y.ndim != 1 or x.shape != y.shape:
        raise ShapeError(f"dot: expected two 1-D tensors of one length; got {tuple(x.shape)} and {tuple(y.shape)}")
    return ma.matmul(x, y)


def outer(x: Any, y: Any) -> Any:
    """Outer product of two vectors:  z[i, j] = x[i] y[j]."""
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(f"outer: expected two 1-D tensors; got {tuple(x.shape)} and {tuple(y.shape)}")
    return ew.multiply(unsqueeze(x, 1), y)


def _of_axes(name: str, nx: int, ny: int) -> Any:
    def call(x: Any, y: Any) -> Any:
        if x.ndim != nx or y.ndim != ny:
            raise ShapeError(
                f"{name}: expected a {nx}-D and a {ny}-D tensor; got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        return ma.matmul(x, y)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Matrix product of a {nx}-D and a {ny}-D tensor, and of no others."
    return call


mm, mv, bmm = _of_axes("mm", 2, 2), _of_axes("mv", 2, 1), _of_axes("bmm", 3, 3)


# -- arithmetic and predicates ---------------------------------------------------------------------------


def lerp(start: Any, end: Any, weight: Any) -> Any:
    """Linear interpolation:  start + weight (end - start)."""
    reach = ew.subtract(end, start)
    near = ew.add(start, ew.multiply(weight, reach))
    far = ew.subtract(end, ew.multiply(reach, ew.subtract(1, weight)))       # exact at weight 1
    return ew.where(array_of(weight) < 0.5, near, far)


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """Held within bounds:  min(max(x, lower), upper); numbers, or tensors, which then have a gradient too.

    On a bound that is a number the derivative to x is 1.
    """
    if min is None and max is None:
        raise TypeError("clamp() needs min or max")
    if not any(isinstance(b, (Tensor, np.ndarray)) for b in (min, max)):
        return ew.clamp(x, min=min, max=max)
    if min is not None:
        x = ew.where(lo.lt(x, min), min, x)
    return x if max is None else ew.where(lo.gt(x, max), max, x)


def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Any:
    """Length over `dim`:  (Σ |x|^p)^(1/p); p = 2 ("fro") by default, inf the largest |x|, 0 the number of non-zeros."""
    if p in ("fro", None, 2):
        return re_.euclidean_norm(x, dim=dim, keepdim=keepdim)
    if isinstance(p, str):
        raise ValueError(f"norm: expected a number or 'fro' for p; got {p!r}")
    size = ew.abs(x)
    if p in (float("inf"), -float("inf")):
        return (re_.amax if p > 0 else re_.amin)(size, dim=dim, keepdim=keepdim)
    if p == 0:
        return li.sum(li.cast(lo.ne(size, 0), dtype=x.dtype), dim=dim, keepdim=keepdim)
    if p == 1:
        return li.sum(size, dim=dim, keepdim=keepdim)
    return ew.power(li.sum(ew.power(size, p), dim=dim, keepdim=keepdim), 1 / p)


def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where  |x - y| <= atol + rtol |y|."""
    return _like(x if isinstance(x, Tensor) else y, np.isclose(array_of(x), array_of(y), rtol, atol, equal_nan))


def allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether  |x - y| <= atol + rtol |y|  everywhere."""
    return bool(np.allclose(array_of(x), array_of(y), rtol, atol, equal_nan))


def equal(x: Any, y: Any) -> bool:
    """Whether both have one shape and the same elements."""
    return bool(np.array_equal(array_of(x), array_of(y)))
