"""Linear ops, each beside its transpose: the derivative of one is the other."""

from __future__ import annotations

from builtins import sum as total
from functools import lru_cache
from math import prod as size_of
from typing import Any

import numpy as np

from ..node import SEEN
from ..op import elementwise, linear
from .accumulate import add_rows
from .axes import axis_of

M, V = (2, 3), (3,)


@lru_cache(64)
def ones(n: int, dtype: Any) -> Any:
    """A vector of n ones, made once and never written to."""
    made = np.ones(n, dtype)
    made.flags.writeable = False
    return made


_INDEX = np.array([[0, 2], [1, 1]])


@linear(x=lambda g: g, cases=[((M,), {}), (((),), {})])
def clone(x: Any) -> Any:
    """The same values in memory of their own:  x."""
    return x.copy()


@linear(views=True, x=lambda g: g, cases=[((M,), {}), (((),), {})])
def identity(x: Any) -> Any:
    """The same value, one step later (a fresh source for nested derivatives):  x."""
    return x


@linear(x=lambda g, x_dtype: cast(g, dtype=x_dtype), shapes="a dtype that NumPy knows",
        cases=[((M,), {"dtype": np.float64})])
def cast(x: Any, *, dtype: Any) -> Any:
    """The values in another dtype; of complex values cast to a real one, the real part."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        SEEN["complex"] = True
    with np.errstate(all="ignore"):
        return (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)


@elementwise(x=lambda g: conj(g))
def conj(x: Any) -> Any:
    """Complex conjugate:  a - bi of a + bi; a real number itself."""
    return np.conjugate(x) if x.dtype.kind != "b" else x.copy()      # x.conj() of real values would be x itself


@linear(views=True, x=lambda g, x_shape: reshape(g, shape=x_shape), shapes="as many elements after as before",
        cases=[((M,), {"shape": (3, 2)}), ((M,), {"shape": -1}), (((0, 3),), {"shape": (3, 0)})])
def reshape(x: Any, *, shape: Any) -> Any:
    """The same elements, in C order, in another shape; one entry may be -1."""
    return x.reshape(shape)


@linear(views=True, x=lambda g, dims: permute(g, dims=_inverse(dims)), shapes="a permutation of the axes of x",
        cases=[((M,), {"dims": (1, 0)}), (((2, 3, 4),), {"dims": (2, 0, 1)}), (((2, 3, 4),), {"dims": (-1, 0, 1)})])
def permute(x: Any, *, dims: Any) -> Any:
    """The axes in another order:  y[i_dims[0], i_dims[1], ...] = x[i_0, i_1, ...]."""
    return x.transpose(dims)


def _inverse(dims: Any) -> tuple[int, ...]:
    n = len(dims)
    return tuple(sorted(range(n), key=lambda i: dims[i] % n))


@linear(views=True, x=lambda g, dim0, dim1: transpose(g, dim0=dim0, dim1=dim1), shapes="two axes that x has",
        cases=[((M,), {"dim0": 0, "dim1": 1}), (((2, 3, 4),), {"dim0": -1, "dim1": 0})])
def transpose(x: Any, *, dim0: int, dim1: int) -> Any:
    """Two axes exchanged:  y[.., j, .., i, ..] = x[.., i, .., j, ..]."""
    return x.swapaxes(dim0, dim1) if x.ndim else x


@linear(
    x=lambda g, x_shape, x_dtype, dim, keepdim: spread(fit(g, x_dtype), shape=x_shape, dim=dim, keepdim=keepdim),
    category="reduction",
    symbol="Σ",
    shapes="axes that x has",
    cases=[
        ((M,), {}),
        ((M,), {"dim": 0}),
        (((2, 3, 4),), {"dim": (0, -1), "keepdim": True}),
        (((0, 3),), {"dim": 0}),
        (((),), {}),
    ],
)
def sum(x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Sum over `dim` (all axes by default):  Σ x.  The transpose of `spread`.

    Long float32 sums over an outer axis accumulate in float64: no axis is less accurate than another.
    """
    axis = axis_of(dim, x.ndim)
    whole = np.int64 if dtype is None else dtype
    if dtype is not None:
        x, dtype = x.astype(dtype), None
    kind, size = x.dtype.kind, x.dtype.itemsize
    if kind == "f":
        if size < 8 and (x.size > 4096 or size == 2) and not _inner(x, axis):
            return np.add.reduce(x, axis=axis, dtype=np.float64, keepdims=keepdim).astype(x.dtype)
    elif kind in "bui":
        dtype = whole
    return np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdim)


def _inner(x: Any, axis: Any) -> bool:
    """Whether NumPy adds along contiguous memory, where it adds pairwise and float32 is exact enough."""
    return x.dtype.itemsize > 2 and x.flags.c_contiguous and (axis is None or axis in (-1, x.ndim - 1))


@linear(
    x=lambda g, x_shape, dim, keepdim: sum(g, dim=_spread_over(x_shape, g, dim, keepdim), keepdim=keepdim),
    shapes="a shape that x broadcasts to",
    cases=[((V,), {"shape": M, "dim": 0}), (((),), {"shape": M}), (((2, 1),), {"shape": M, "dim": 1, "keepdim": True})],
)
def spread(x: Any, *, shape: tuple[int, ...], dim: Any = None, keepdim: bool = False) -> Any:
    """Repeat over `dim` until the shape is `shape`:  y[i, j] = x[i].  The transpose of `sum`."""
    axis = None if keepdim else axis_of(dim, len(shape))
    if size_of(shape) <= 4096:                # a copy costs less than NumPy's broadcast_to
        out = np.empty(shape, x.dtype)
        out[...] = x if axis is None or x.ndim == 0 else np.expand_dims(x, axis)
        return out
    return np.broadcast_to(x if axis is None else np.expand_dims(x, axis), shape)


def _spread_over(x_shape: Any, g: Any, dim: Any, keepdim: bool) -> Any:
    axis = axis_of(dim, g.ndim)
    return tuple(range(g.ndim)) if axis is None and not keepdim else axis


def fit(g: Any, dtype: Any) -> Any:
    """g in the dtype of the input it belongs to, where a `dtype=` made the result another."""
    return g if g.dtype == dtype else cast(g, dtype=dtype)


@linear(views=True, x=lambda g, x_shape: _sum_to(g, x_shape), shapes="a shape that x broadcasts to",
        cases=[((V,), {"shape": M}), (((2, 1),), {"shape": M}), (((),), {"shape": V}), ((M,), {"shape": (4, -1, 3)})])
def expand(x: Any, *, shape: Any) -> Any:
    """Broadcast to `shape` without copying; -1 keeps an axis as it is."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    lead = len(shape) - x.ndim
    return np.broadcast_to(x, tuple(x.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(shape)))


def _sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    lead = g.ndim - len(shape)
    dims = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1)
    return reshape(sum(g, dim=dims), shape=shape) if dims else g


@linear(
    views=True,
    x=lambda g, x_shape, index: put(g, index=index, shape=x_shape),
    category="index",
    shapes="an index into x",
    cases=[
        ((M,), {"index": 1}),
        ((M,), {"index": (slice(None), [0, 0, 2])}),
        ((M,), {"index": (Ellipsis, None, -1)}),
        ((M,), {"index": np.array([[True, False, True], [False, True, True]])}),
        (((4,),), {"index": slice(None, None, -2)}),
    ],
)
def getitem(x: Any, *, index: Any) -> Any:
    """Elements by index:  x[index].  The transpose of `put`."""
    if type(index) is np.ndarray and index.dtype.kind == "i" and x.ndim > 1:
        return x.take(index, 0)               # a row at a time
    return x[index]


@linear(x=lambda g, index: getitem(g, index=index), category="index", shapes="an index into `shape`",
        cases=[((V,), {"index": 1, "shape": M}), ((V,), {"index": [0, 0, 1], "shape": (2,)})])
def put(x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with x added at `index`:  y[index] += x, repeats adding up.  The transpose of `getitem`."""
    out = np.zeros(shape, x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    at, lead = parts[-1] if parts else (), len(parts) - 1
    if all(isinstance(k, (int, slice, type(None), type(Ellipsis))) for k in parts):
        out[index] = x                        # a basic index names every element once
    elif not isinstance(at, np.ndarray) or any(not isinstance(k, slice) or k != slice(None) for k in parts[:lead]):
        np.add.at(out, index, x)
    elif at.dtype.kind == "b":
        out[index] = x                        # and so does a mask
    else:
        rows = x.reshape(*shape[:lead], at.size, *shape[lead + 1:])
        add_rows(np.moveaxis(out, lead, 0), at.reshape(-1), np.moveaxis(rows, lead, 0))
    return out


@linear(x=lambda g, index, x_shape, dim: place_along(g, index, dim=dim, shape=x_shape), category="index",
        shapes="an integer index of as many axes as x, nowhere longer than x except along dim",
        order=("x", "dim", "index"), cases=[((M, _INDEX), {"dim": 1}), (((3, 2), _INDEX), {"dim": 0})])
def gather(x: Any, index: Any, *, dim: int) -> Any:
    """Elements along one axis:  y[i, j] = x[i, index[i, j]]  (dim 1).  The transpose of `place_along`."""
    if not x.ndim or not index.size:          # PyTorch takes a scalar for a vector of one, and of nothing, nothing
        return x.reshape(-1)[_scalar_index(x, index)]
    return x[_along(x.shape, index, dim)]


def _scalar_index(x: Any, index: Any) -> Any:
    if index.dtype.kind not in "iu":
        raise TypeError(f"the index must be integers; got {index.dtype}")
    if np.any(index != 0):
        raise IndexError("a scalar has no index but 0")
    return index


@linear(x=lambda g, index, dim: gather(g, dim, index), category="index", shapes="an index of the shape of x",
        cases=[(((2, 2), _INDEX), {"dim": 1, "shape": M})])
def place_along(x: Any, index: Any, *, dim: int, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with x added along one axis:  y[i, index[i, j]] += x[i, j].  The transpose of `gather`."""
    out = np.zeros(shape, x.dtype)
    if shape and index.size:
        at = _along(shape, index, dim)
        if index.shape[dim] == 1:
            out[at] = x                       # one for each line: no two in one place
        else:                                 # into a vector NumPy adds quickly
            np.add.at(out.reshape(-1), np.ravel_multi_index(at, shape).reshape(-1), x.reshape(-1))
    elif index.size:
        out += np.sum(x)
    return out


def _along(shape: tuple[int, ...], index: Any, dim: int) -> tuple[Any, ...]:
    """The full index of `gather`, after checking that it stays inside."""
    index = np.asarray(index)
    if index.dtype.kind not in "iu":
        raise TypeError(f"the index must be integers; got {index.dtype}")
    if index.ndim != len(shape):
        raise ValueError(f"index has {index.ndim} axes and x has {len(shape)}")
    if index.size and (index.min() < 0 or index.max() >= shape[dim]):
        bad = int(index.min()) if index.min() < 0 else int(index.max())
        raise IndexError(f"index {bad} is out of bounds for dimension {dim} with size {shape[dim]}")
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


@linear(xs=lambda g, i, shapes, dim: getitem(g, index=_span(shapes, i, dim)), symbol="⧺",
        shapes="shapes that agree except along `dim`",
        cases=[((M, M, (2, 1)), {"dim": 1}), ((V, V), {}), ((M, (0, 3)), {"dim": -2})])
def concatenate(*xs: Any, dim: int = 0) -> Any:
    """Join along `dim`:  [x_0, x_1, ...]."""
    return np.concatenate(xs, dim)


def _span(shapes: Any, i: int, dim: int) -> tuple[Any, ...]:
    dim %= len(shapes[i])
    start = total(s[dim] for s in shapes[:i])
    return (slice(None),) * dim + (slice(start, start + shapes[i][dim]),)


@linear(
    x=lambda g, x_shape, padding: getitem(g, index=_inside(x_shape, padding)),
    shapes="(before, after) for each axis of x",
    cases=[((M,), {"padding": ((1, 0), (0, 2))})],
)
def zero_pad(x: Any, *, padding: tuple[tuple[int, int], ...]) -> Any:
    """Zeros around x:  y[i + before] = x[i]; `padding` is (before, after) for each axis."""
    return np.pad(x, padding)


def _inside(shape: tuple[int, ...], padding: Any) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, padding, strict=True))


@linear(
    x=lambda g, dims: flip(g, dims=dims),
    shapes="axes that x has",
    cases=[((M,), {"dims": (0, 1)}), ((M,), {"dims": 1})],
)
def flip(x: Any, *, dims: Any) -> Any:
    """The elements in reverse order along `dims`:  y[i] = x[n - 1 - i]."""
    return np.flip(x, tuple(dims) if isinstance(dims, list) else dims).copy() if x.ndim else x


@linear(x=lambda g, x_dtype, dim: fit(flip(cumsum(flip(g, dims=dim), dim=dim), dims=dim), x_dtype),
        category="reduction", symbol="Σ",
        shapes="an axis that x has", cases=[((M,), {"dim": 1}), ((V,), {"dim": 0}), (((),), {"dim": 0})])
def cumsum(x: Any, *, dim: int, dtype: Any = None) -> Any:
    """Running sum along `dim`:  y[i] = Σ_{j<=i} x[j].  float32 accumulates in float64."""
    if dtype is not None:
        x = x.astype(dtype)
    elif x.dtype.kind in "bui":
        x = x.astype(np.int64)
    if x.ndim == 0:
        return x
    if x.dtype.kind == "f" and x.dtype.itemsize < 8:
        return np.cumsum(x, dim, dtype=np.float64).astype(x.dtype)
    return np.cumsum(x, dim, dtype=x.dtype)


@linear(x=lambda g, x_shape, diagonal: tril(g, diagonal=diagonal), shapes="at least two axes",
        cases=[(((3, 4),), {}), (((2, 3, 3),), {"diagonal": -1})])
def tril(x: Any, *, diagonal: int = 0) -> Any:
    """The lower triangle of the last two axes:  x[i, j] where j <= i + diagonal, else 0."""
    _two_axes(x)
    return np.tril(x, diagonal)


@linear(x=lambda g, x_shape, diagonal: triu(g, diagonal=diagonal), shapes="at least two axes",
        cases=[(((3, 4),), {}), (((2, 3, 3),), {"diagonal": 1})])
def triu(x: Any, *, diagonal: int = 0) -> Any:
    """The upper triangle of the last two axes:  x[i, j] where j >= i + diagonal, else 0."""
    _two_axes(x)
    return np.triu(x, diagonal)


def _two_axes(x: Any) -> None:
    if x.ndim < 2:
        raise ValueError(f"a tensor of {x.ndim} axes has no triangle")


@linear(
    views=True,
    x=lambda g, x_shape, offset, dim1, dim2: spread_diagonal(g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2),
    category="index",
    shapes="two axes that x has",
    cases=[(((3, 3),), {}), (((2, 3, 4),), {"offset": 1, "dim1": 1, "dim2": 2})],
)
def diagonal(x: Any, *, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal over two axes, as the last axis:  y[i] = x[i, i + offset].  The transpose of `spread_diagonal`."""
    view = np.diagonal(x, offset, dim1, dim2)
    if x.flags.writeable and x.ndim:
        view.flags.writeable = True           # NumPy hands it out for reading only
    return view


@linear(x=lambda g, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2), category="index",
        shapes="the diagonal of `shape`", cases=[((V,), {"shape": (3, 3)})])
def spread_diagonal(x: Any, *, shape: tuple[int, ...], offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Zeros of `shape` with x on the diagonal over two axes:  y[i, i + offset] = x[i].  The transpose of `diagonal`."""
    out = np.zeros(shape, x.dtype)
    view = np.moveaxis(out, (dim1, dim2), (-2, -1))
    n = x.shape[-1]
    rows = np.arange(n) + max(-offset, 0)
    view[..., rows, rows + offset] = x
    return out
