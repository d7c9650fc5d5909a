"""NumPy's functions that move, repeat and frame elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..errors import ShapeError
from ..ops import cast, permute
from ..ops.linear import getitem
from .arguments import array, axes, value


def moved(function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """What a NumPy function that only moves elements makes of x: its result for the positions, looked up."""
    x = array(x)
    positions = np.arange(value(x).size).reshape(x.shape)
    return getitem(ops.reshape(x, shape=(-1,)), index=function(positions, *args, **kwargs))


def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: Any = None) -> Any:
    """The same elements in another shape; `order` "F" reads and writes the first axis fastest."""
    a = array(a)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
    if order == "F" or (order == "A" and isinstance(value(a), np.ndarray) and value(a).flags.fnc):
        return transpose(ops.reshape(transpose(a), shape=shape[::-1]))
    return ops.reshape(a, shape=shape)


def ravel(a: Any, order: str = "C") -> Any:
    """All elements along one axis."""
    return reshape(a, -1, "A" if order == "K" else order)


def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default."""
    a = array(a)
    dims = range(a.ndim - 1, -1, -1) if axes is None else (axes,) if isinstance(axes, int) else axes
    return permute(a, dims=tuple(int(d) for d in dims)) if a.ndim else a


def permute_dims(a: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default."""
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    x = array(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: expected two axes at least; got shape {x.shape}")
    return ops.transpose(x, dim0=-1, dim1=-2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return ops.transpose(array(a), dim0=axis1, dim1=axis2)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other positions, the rest keeping their order."""
    return ops.movedim(array(a), source, destination)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """One axis moved to before another."""
    a = array(a)
    axis, start = axes(axis, a.ndim)[0], start + a.ndim if start < 0 else start
    order = [d for d in range(a.ndim) if d != axis]
    order.insert(start - 1 if axis < start else start, axis)
    return permute(a, dims=tuple(order))


def expand_dims(a: Any, axis: Any) -> Any:
    """With new axes of size 1 at these positions of the result."""
    a = array(a)
    new = axes(axis, a.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1))
    sizes = iter(a.shape)
    return ops.reshape(a, shape=tuple([1 if d in new else next(sizes) for d in range(a.ndim + len(new))]))


def squeeze(a: Any, axis: Any = None) -> Any:
    """Without the axes of size 1, or without these; ValueError where one of these has another size."""
    a = array(a)
    drop = [d for d, n in enumerate(a.shape) if n == 1] if axis is None else axes(axis, a.ndim)
    for d in drop:
        if a.shape[d] != 1:
            raise ShapeError(f"squeeze: axis {d} of shape {a.shape} has {a.shape[d]} elements, not one")
    return ops.reshape(a, shape=tuple(n for d, n in enumerate(a.shape) if d not in drop))


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    """Broadcast to a shape without copying."""
    return ops.broadcast_to(array, shape=(shape,) if isinstance(shape, int) else tuple(shape))


def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """All of them in their common shape."""
    arrays = [array(x) for x in args]
    shape = np.broadcast_shapes(*[x.shape for x in arrays])
    return tuple([ops.broadcast_to(x, shape=shape) for x in arrays])


def flip(m: Any, axis: Any = None) -> Any:
    """In reverse order along the axes, all of them by default."""
    m = array(m)
    return ops.flip(m, dims=axes(axis, m.ndim))


def fliplr(m: Any) -> Any:
    """In reverse order along the second axis."""
    return ops.fliplr(array(m))


def flipud(m: Any) -> Any:
    """In reverse order along the first axis."""
    return ops.flipud(array(m))


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned k times by 90 degrees in the plane of two axes."""
    return ops.rot90(array(m), k, axes)


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Shifted round along axes; along the flattened array by default."""
    a = array(a)
    if axis is None:
        return ops.roll(a, shift)
    shifts, dims = np.broadcast_arrays(np.atleast_1d(value(shift)), np.atleast_1d(value(axis)))
    return ops.roll(a, tuple(int(s) for s in shifts), tuple(int(d) for d in dims))


def tile(A: Any, reps: Any) -> Any:
    """Repeated whole along each axis."""
    return ops.tile(array(A), (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps))


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element repeated along an axis, of the flattened array by default."""
    a = array(a)
    if axis is None:
        a, axis = ops.reshape(a, shape=(-1,)), 0
    axis = axes(axis, a.ndim)[0]
    index = np.repeat(np.arange(a.shape[axis]), value(repeats))
    return getitem(a, index=(slice(None),) * axis + (index,))


def resize(a: Any, new_shape: Any) -> Any:
    """Of a new shape, filled with as many copies as it takes."""
    return moved(np.resize, a, new_shape)


def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    """Without some elements of the flattened array, or rows along an axis."""
    return moved(np.delete, arr, obj if isinstance(obj, (int, slice)) else value(obj), axis)


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Framed: by a constant, by the edge, or by the elements themselves (reflect, symmetric, wrap)."""
    width = value(pad_width) if not isinstance(pad_width, dict) else pad_width
    if mode in ("edge", "symmetric", "wrap") or (mode == "reflect" and kwargs.get("reflect_type", "even") == "even"):
        return moved(np.pad, array, width, mode, **kwargs)
    if mode != "constant":
        raise TypeError(f"numpy.pad(mode={mode!r}) has no derivative here; use constant, edge, reflect, symmetric or "
                        "wrap, or join the parts with np.concatenate")
    at = np.pad(np.arange(1, value(array).size + 1).reshape(array.shape), width)
    padding = tuple((int(np.argmax(line)), n - m - int(np.argmax(line))) for line, n, m in
                    [(np.any(at != 0, axis=tuple(k for k in range(at.ndim) if k != d)), at.shape[d], array.shape[d])
                     for d in range(at.ndim)])
    framed = ops.linear.zero_pad(array, padding=padding)
    constants = np.asarray(kwargs.get("constant_values", 0))
    if not constants.any():
        return framed
    return ops.where(at != 0, framed, np.pad(np.zeros(array.shape, framed.dtype), width, constant_values=constants))


def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    return ops.diag(array(v), k)


def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix that has these elements on its diagonal."""
    return ops.diagflat(array(v), k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal over two axes, as the last axis."""
    return ops.diagonal(array(a), offset=offset, dim1=axis1, dim2=axis2)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """The sum of the diagonal over two axes."""
    return ops.sum(diagonal(a, offset, axis1, axis2), dim=-1, dtype=dtype)


def tril(m: Any, k: int = 0) -> Any:
    """The lower triangle of the last two axes."""
    return ops.tril(array(m), diagonal=k)


def triu(m: Any, k: int = 0) -> Any:
    """The upper triangle of the last two axes."""
    return ops.triu(array(m), diagonal=k)


def atleast_1d(*arys: Any) -> Any:
    """With at least one axis."""
    return _each(ops.atleast_1d, arys)


def atleast_2d(*arys: Any) -> Any:
    """With at least two axes, new ones in front."""
    return _each(ops.atleast_2d, arys)


def atleast_3d(*arys: Any) -> Any:
    """With at least three axes."""
    return _each(ops.atleast_3d, arys)


def _each(function: Any, arrays: Any) -> Any:
    made = [function(array(x)) for x in arrays]
    return made[0] if len(made) == 1 else tuple(made)


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """In another dtype."""
    return cast(array(x), dtype=np.dtype(dtype))


def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """The same values in memory of their own."""
    return ops.clone(array(a))
