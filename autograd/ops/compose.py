"""Functions made of ops, with no rule of their own: their derivatives fall out of the chain rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import elementwise
from ..tensor import Tensor
from . import elementwise as ew
from . import linear as li
from . import logic as lo
from . import matrix as ma
from . import reduce as re_
from . import shape as sh
from .axes import axis_in
from .composed import ValuesIndices, array_of, composed, tensor_if

# -- choosing --------------------------------------------------------------------------------------------


@composed
def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices of x along `dim` that a 1-D integer index names; IndexError when one is not there."""
    at, index = axis_in(dim, x.ndim, "index_select"), array_of(index)
    if index.ndim > 1:
        raise IndexError(f"index_select: expected a 1-D index; got one of shape {index.shape}: use x[index] or gather")
    if x.ndim == 0:
        return li.reshape(index_select(li.reshape(x, shape=(1,)), 0, index), shape=())
    if index.ndim == 0:
        index = index.reshape(1)
    if index.size and (index.min() < 0 or index.max() >= x.shape[at]):
        bad = int(index.min() if index.min() < 0 else index.max())
        raise IndexError(f"index_select: index {bad} is out of bounds for dimension {dim} with size {x.shape[at]}")
    return li.getitem(x, index=(slice(None),) * at + (index,))


@composed
def take(x: Any, index: Any) -> Any:
    """Elements of the flattened x by position; the result has the shape of the index."""
    return li.getitem(sh.flatten(x), index=array_of(index))


@composed
def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """As `gather`, with broadcasting; without `dim`, of the flattened x."""
    indices = array_of(indices)
    if dim is None:
        return li.gather(sh.flatten(x), 0, indices.reshape(-1))
    at = axis_in(dim, x.ndim, "take_along_dim")
    if indices.size and indices.min() < 0:                # counted from the end, which gather does not
        indices = np.where(indices < 0, indices + x.shape[at], indices)
    shape = list(
        np.broadcast_shapes(*[tuple(1 if d == at else n for d, n in enumerate(s)) for s in (x.shape, indices.shape)])
    )
    shape[at] = indices.shape[at]
    wide = tuple(x.shape[at] if d == at else n for d, n in enumerate(shape))
    return li.gather(li.expand(x, shape=wide), at, np.broadcast_to(indices, shape))


@composed
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with `value`, one number, where the mask is true; the dtype is that of x."""
    if getattr(value, "ndim", 0):
        raise ShapeError(f"masked_fill: expected one value; got shape {tuple(value.shape)}: use where")
    if x.dtype.kind != "c" and np.iscomplexobj(array_of(value)):
        raise TypeError(f"masked_fill: the complex value {value} cannot be converted to {x.dtype}")
    if not isinstance(value, Tensor):
        value = x.dtype.type(value)
    elif value.dtype != x.dtype:
        value = li.cast(value, dtype=x.dtype)
    return ew.where(mask, value, x)


@composed
def masked_select(x: Any, mask: Any) -> Any:
    """The elements where the mask is true, as one axis."""
    shape = np.broadcast_shapes(x.shape, array_of(mask).shape)
    return li.getitem(li.expand(x, shape=shape), index=np.broadcast_to(array_of(mask), shape))


@composed
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
    return tensor_if(index, (at[..., None] == np.arange(classes)).astype(np.int64))


def _picked(x: Any, dim: int, keepdim: bool, positions: Any, who: str) -> ValuesIndices:
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), tensor_if(x, np.int64(0)))
    at = axis_in(dim, x.ndim, who)
    if x.shape[at] == 0:
        raise IndexError(
            f"{who}: expected an axis of at least one element; axis {dim} of shape {tuple(x.shape)} is empty"
        )
    index = np.asarray(positions(array_of(x), axis=at))
    values = li.gather(x, at, np.expand_dims(index, at))
    if not keepdim:
        return ValuesIndices(sh.squeeze(values, at), tensor_if(x, index))
    return ValuesIndices(values, tensor_if(x, np.expand_dims(index, at)))


@composed
def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; along `dim`, (values, indices), the whole gradient going to the index returned.

    Two tensors: as `maximum`.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return ew.maximum(x, dim)
    return re_.amax(x) if dim is None else _picked(x, dim, keepdim, np.argmax, "max")


@composed
def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; along `dim`, (values, indices), the whole gradient going to the index returned.

    Two tensors: as `minimum`.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return ew.minimum(x, dim)
    return re_.amin(x) if dim is None else _picked(x, dim, keepdim, np.argmin, "min")


@composed
def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Sorted along `dim`: (values, indices).  Equal elements keep their order."""
    if x.ndim == 0:
        return ValuesIndices(li.identity(x), tensor_if(x, np.int64(0)))
    index = lo.argsort(array_of(x), dim=axis_in(dim, x.ndim, "sort"), descending=descending)
    return ValuesIndices(li.gather(x, axis_in(dim, x.ndim, "sort"), index), tensor_if(x, index))


@composed
def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The k largest (or smallest) along `dim`, in order: (values, indices)."""
    if x.ndim == 0:
        return sort(x)
    at = axis_in(dim, x.ndim, "topk")
    if not 0 <= k <= x.shape[at]:
        raise IndexError(f"topk: k = {k} is out of range for axis {dim} of {x.shape[at]} elements")
    index = lo.argsort(array_of(x), dim=at, descending=largest)[(slice(None),) * at + (slice(k),)]
    return ValuesIndices(li.gather(x, at, index), tensor_if(x, index))


# -- products --------------------------------------------------------------------------------------------


@composed
def dot(x: Any, y: Any) -> Any:
    """Inner product of two vectors:  Σ x y."""
    if x.ndim != 1 or y.ndim != 1 or x.shape != y.shape:
        raise ShapeError(f"dot: expected two 1-D tensors of one length; got {tuple(x.shape)} and {tuple(y.shape)}")
    return ma.matmul(x, y)


@composed
def outer(x: Any, y: Any) -> Any:
    """Outer product of two vectors:  z[i, j] = x[i] y[j]."""
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(f"outer: expected two 1-D tensors; got {tuple(x.shape)} and {tuple(y.shape)}")
    return ew.multiply(sh.unsqueeze(x, 1), y)


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


@composed
def lerp(start: Any, end: Any, weight: Any) -> Any:
    """Linear interpolation:  start + weight (end - start)."""
    reach = ew.subtract(end, start)
    near = ew.add(start, ew.multiply(weight, reach))
    far = ew.subtract(end, ew.multiply(reach, ew.subtract(1, weight)))       # exact at weight 1
    return ew.where(array_of(weight) < 0.5, near, far)


@composed
def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """Held within bounds:  min(max(x, lower), upper); numbers, or tensors, which then have a gradient too.

    On a bound the derivative is that to x, 1.  NaN, without a derivative, where x or a bound is.
    """
    if min is None and max is None:
        raise TypeError("clamp() needs min or max")
    if not any(isinstance(b, (Tensor, np.ndarray)) for b in (min, max)):
        return ew.clamp(x, min=min, max=max)
    if min is not None:
        if max is not None and isinstance(min, Tensor):
            one = array_of(min) == array_of(max)                  # one bound from both sides: no derivative (PyTorch)
            min = ew.where(one, min.detach(), min) if one.any() else min
        x = _held(x, min, lo.lt, lo.ge)
    return x if max is None else _held(x, max, lo.gt, lo.le)


def _held(x: Any, bound: Any, beyond: Any, within: Any) -> Any:
    """The bound where x is beyond it, x within, and NaN, without a derivative, where they cannot be compared."""
    value, at = array_of(x), bound.value if isinstance(bound, Tensor) else bound
    over, inside = beyond(value, at), within(value, at)
    held = ew.where(over, bound, x)
    return held if (over | inside).all() else ew.where(over | inside, held, value.dtype.type(np.nan))


@composed
def clamp_min(x: Any, min: Any) -> Any:
    """Held above a bound:  max(x, lower)."""
    return clamp(x, min=min)


@composed
def clamp_max(x: Any, max: Any) -> Any:
    """Held below a bound:  min(x, upper)."""
    return clamp(x, max=max)


@composed
def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Length over `dim`:  (Σ |x|^p)^(1/p); p = 2 ("fro") by default, inf the largest |x|, 0 the number of non-zeros.

    At an element 0 the derivative is 0.
    """
    if dtype is not None:
        x = li.cast(x, dtype=dtype)
    if x.dtype == np.float16 and p not in ("fro", None, 2):        # powers soon leave its range
        return li.cast(norm(li.cast(x, dtype=np.float32), p, dim, keepdim), dtype=x.dtype)
    if p in ("fro", None, 2):
        return re_.euclidean_norm(x, dim=dim, keepdim=keepdim)
    if isinstance(p, str):
        raise ValueError(f"norm: expected a number or 'fro' for p; got {p!r}")
    size = ew.abs(x)
    if p in (float("inf"), -float("inf")):
        return (re_.amax if p > 0 else re_.amin)(size, dim=dim, keepdim=keepdim)
    if p == 0:
        return li.sum(indicator(size), dim=dim, keepdim=keepdim)
    if p == 1:
        return li.sum(size, dim=dim, keepdim=keepdim)
    if p < 0:                                 # 0 if any element is, and no slope then
        hit = lo.any(array_of(size) == 0, dim=dim, keepdim=keepdim)
        total = li.sum(ew.power(ew.where(array_of(size) == 0, 1, size), p), dim=dim, keepdim=keepdim)
        return ew.where(hit & (array_of(total) == array_of(total)), 0, ew.power(total, 1 / p))
    return _root(li.sum(_root(size, p), dim=dim, keepdim=keepdim), 1 / p)


def _root(x: Any, p: float) -> Any:
    """x^p for x >= 0, p > 0; at 0 the derivative is taken as 0, where for p < 1 it is infinite."""
    nothing = array_of(x) == 0
    return ew.where(nothing, 0, ew.power(ew.where(nothing, 1, x), p)) if nothing.any() else ew.power(x, p)


@elementwise(x=lambda g: g * 0, category="logic")
def indicator(x: Any) -> Any:
    """1 where x is not 0, in its dtype, and NaN of NaN.  The derivative is 0."""
    return np.where(x == x, x != 0, x).astype(x.dtype)


@composed
def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where  |x - y| <= atol + rtol |y|.  ValueError for a negative tolerance."""
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose: expected rtol and atol of at least 0; got {rtol} and {atol}")
    return tensor_if(x if isinstance(x, Tensor) else y, np.isclose(array_of(x), array_of(y), rtol, atol, equal_nan))


@composed
def allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether  |x - y| <= atol + rtol |y|  everywhere."""
    return bool(np.allclose(array_of(x), array_of(y), rtol, atol, equal_nan))


@composed
def equal(x: Any, y: Any) -> bool:
    """Whether both have one shape and the same elements."""
    return bool(np.array_equal(array_of(x), array_of(y)))
