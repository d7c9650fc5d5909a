"""Parts and arrangements of a tensor: slices, diagonals, quarter turns, windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear
from ..tensor import Tensor
from . import linear as li
from .axes import axis_in
from .composed import composed, sizes_of
from .shape import flatten


@composed
def narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    """The `length` slices along `dim` from `start` on."""
    if getattr(start, "ndim", 0) or getattr(getattr(start, "dtype", None), "kind", "i") not in "iu":
        raise TypeError(f"narrow: expected start to be one integer; got {start!r}")
    at, start = axis_in(dim, x.ndim, "narrow"), int(start)
    if x.ndim == 0:
        raise ShapeError("narrow: a scalar has no axis to be narrowed")
    n = x.shape[at]
    if not -n <= start <= n or length < 0 or start + n * (start < 0) + length > n:
        raise IndexError(f"narrow: expected start and length within axis {dim} of {n} elements; "
                         f"got start {start} and length {length}")
    start += n * (start < 0)
    return li.getitem(x, index=(slice(None),) * at + (slice(start, start + length),))


@composed
def select(x: Any, dim: int, index: int) -> Any:
    """The slice at `index` along `dim`, which goes away."""
    at, index = axis_in(dim, x.ndim, "select"), int(index)
    if x.ndim == 0 or not -x.shape[at] <= index < x.shape[at]:
        raise IndexError(f"select: index {index} is out of range for axis {dim} of shape {tuple(x.shape)}")
    return li.getitem(x, index=(slice(None),) * at + (index,))


@composed
def t(x: Any) -> Any:
    """The transpose of a matrix; a vector or scalar itself."""
    if x.ndim > 2:
        raise ShapeError(f"t: expected at most two axes; got shape {tuple(x.shape)}: use x.mT or transpose")
    return li.transpose(x, dim0=0, dim1=1) if x.ndim == 2 else li.identity(x)


@composed
def fliplr(x: Any) -> Any:
    """The second axis in reverse order."""
    if x.ndim < 2:
        raise ShapeError(f"fliplr: expected at least two axes; got shape {tuple(x.shape)}")
    return li.flip(x, dims=1)


@composed
def flipud(x: Any) -> Any:
    """The first axis in reverse order."""
    if x.ndim < 1:
        raise ShapeError("flipud: expected at least one axis; got a scalar")
    return li.flip(x, dims=0)


@composed
def rot90(x: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Turned by k quarters in the plane of two axes, from the first towards the second."""
    a, b = (axis_in(d, x.ndim, "rot90") for d in dims)
    if a == b or x.ndim < 2:
        raise ShapeError(f"rot90: expected two different axes; got {tuple(dims)} of shape {tuple(x.shape)}")
    if k % 4 == 2:
        return li.flip(x, dims=(a, b))
    if k % 4 == 1:
        return li.flip(li.transpose(x, dim0=a, dim1=b), dims=a)
    return li.transpose(li.flip(x, dims=a), dim0=a, dim1=b) if k % 4 else li.clone(x)


@composed
def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The last axis as the diagonal over two new axes, zeros elsewhere."""
    n = x.ndim + 1
    a, b = axis_in(dim1, n, "diag_embed"), axis_in(dim2, n, "diag_embed")
    if a == b:
        raise ShapeError(f"diag_embed: dim1 and dim2 are the same axis, {dim1} and {dim2}")
    shape = list(x.shape[:-1])
    side = x.shape[-1] + abs(offset)
    for at in sorted((a, b)):
        shape.insert(at, side)
    return li.spread_diagonal(x, shape=tuple(shape), offset=offset, dim1=a, dim2=b)


@composed
def diag(x: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix; of a vector, the matrix that has it as its diagonal."""
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag: expected a vector or a matrix; got shape {tuple(x.shape)}")
    return diag_embed(x, diagonal) if x.ndim == 1 else li.diagonal(x, offset=diagonal)


@composed
def diagflat(x: Any, offset: int = 0) -> Any:
    """The matrix whose diagonal holds all elements of x."""
    return diag_embed(flatten(x), offset)


@composed
def trace(x: Any) -> Any:
    """Sum of the diagonal of a matrix:  Σ x[i, i]."""
    if x.ndim != 2:
        raise ShapeError(f"trace: expected a matrix; got shape {tuple(x.shape)}")
    return li.sum(li.diagonal(x))


def _indices(rows: int, cols: int, offset: int, lower: bool, dtype: Any) -> Tensor:
    found = np.tril_indices(rows, offset, cols) if lower else np.triu_indices(rows, offset, cols)
    return Tensor(np.stack(found).astype(dtype or np.int64))


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Tensor:
    """The positions of the lower triangle of a row x col matrix, (2, n): rows above columns."""
    return _indices(row, col, offset, True, dtype)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Tensor:
    """The positions of the upper triangle of a row x col matrix, (2, n): rows above columns."""
    return _indices(row, col, offset, False, dtype)


@composed
def sum_to_size(x: Any, *size: Any) -> Any:
    """Summed over the axes that a tensor of this size would be broadcast along."""
    size = sizes_of(size)
    lead = x.ndim - len(size)
    if lead < 0 or any(n not in (1, m) for n, m in zip(size, x.shape[lead:])):
        raise ShapeError(f"sum_to_size: a tensor of shape {size} does not broadcast to {tuple(x.shape)}")
    dims = tuple(range(lead)) + tuple(k + lead for k, n in enumerate(size) if n == 1 != x.shape[k + lead])
    return li.reshape(li.sum(x, dim=dims), shape=size) if dims else x


@linear(views=True, x=lambda g, x_shape, dim, size, step: fold_windows(g, shape=x_shape, dim=dim, size=size, step=step),
        shapes="an axis of at least `size` elements",
        cases=[(((7,),), {"dim": 0, "size": 3, "step": 2}), (((2, 5),), {"dim": 1, "size": 2, "step": 1})])
def windows_along(x: Any, *, dim: int, size: int, step: int) -> Any:
    """All windows of `size` elements along an axis, `step` apart, each as a new last axis."""
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=dim)
    return view[(slice(None),) * dim + (slice(None, None, step),)]


@linear(x=lambda g, dim, size, step: windows_along(g, dim=dim, size=size, step=step), shapes="windows of `shape`",
        cases=[(((3, 3),), {"shape": (7,), "dim": 0, "size": 3, "step": 2})])
def fold_windows(x: Any, *, shape: tuple[int, ...], dim: int, size: int, step: int) -> Any:
    """Windows added back to where they came from.  The transpose of `windows_along`."""
    out = np.zeros(shape, x.dtype)
    lead, reach = (slice(None),) * dim, step * (x.shape[dim] - 1) + 1
    for k in range(size):                     # one slice for each place in the window
        out[(*lead, slice(k, k + reach, step))] += x[..., k]
    return out


@composed
def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of `size` elements along an axis, `step` apart, each as a new last axis."""
    at = axis_in(dimension, x.ndim, "unfold")
    n = x.shape[at] if x.ndim else 1
    if size < 0 or size > n or step < 1:
        raise ShapeError(f"unfold: expected size of at most {n} and a step above 0; got size {size} and step {step}")
    if x.ndim == 0:
        return li.reshape(x, shape=(1,)) if size else li.getitem(li.reshape(x, shape=(1,)), index=slice(0, 0))
    if size == 0:
        many = n // step + 1 if n % step == 0 or n else 1
        return li.reshape(li.getitem(flatten(x), index=slice(0, 0)),
                          shape=(*x.shape[:at], many, *x.shape[at + 1:], 0))
    return windows_along(x, dim=at, size=size, step=step)
