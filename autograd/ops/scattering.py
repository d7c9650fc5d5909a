"""Writing into a tensor without changing it: the result is a new one, and gradients flow to what was written."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear, op
from ..tensor import Tensor
from . import elementwise as ew
from . import linear as li
from .axes import axis_in
from .composed import array_of, composed, tensor_if
from .shape import flatten


@linear(x=lambda g, positions: assign(g, np.zeros(positions.shape, g.dtype), positions=positions),
        values=lambda g, positions: li.getitem(li.reshape(g, shape=-1), index=positions), category="index",
        shapes="values of the shape of positions", cases=[(((2, 3), (2,)), {"positions": np.array([0, 4])})])
def assign(x: Any, values: Any, *, positions: Any) -> Any:
    """x with other values at some positions of the flattened tensor."""
    out = np.array(x, order="C")
    out.reshape(-1)[positions] = values
    return out


@linear(xs=lambda g, i, indices: li.getitem(g, index=indices[i]), category="index",
        shapes="an index into `shape` for each operand",
        cases=[(((), (3,), (2,)), {"indices": (1, slice(0, 3), [2, 2]), "shape": (4,)})])
def put_all(*xs: Any, indices: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with each operand added at its index:  y[index_k] += x_k.  The transpose of several reads."""
    out = np.zeros(shape, xs[0].dtype)
    for x, index in zip(xs, indices, strict=True):
        if all(isinstance(k, (int, slice, type(None), type(Ellipsis))) for k in
               (index if isinstance(index, tuple) else (index,))):
            out[index] += x                   # names every element once
        elif 4 * np.size(x) > out.size:
            out += li.put(x, index=index, shape=shape)
        else:
            np.add.at(out, index, x)
    return out


def numbers(shape: tuple[int, ...]) -> Any:
    """The position of each element in the flattened tensor."""
    return np.arange(int(np.prod(shape))).reshape(shape)


def written(x: Any, positions: Any, values: Any) -> Any:
    """x with the values, broadcast, at the positions; a Python number takes the dtype of x."""
    if not isinstance(values, (Tensor, np.ndarray, np.generic)):
        values = np.asarray(values, x.dtype)
    elif values.dtype != x.dtype:
        values = li.cast(values, dtype=x.dtype)
    if values.shape != positions.shape:
        values = li.expand(values, shape=positions.shape)
    return assign(x, values, positions=positions)


def _along(who: str, x: Any, dim: int, index: Any) -> Any:
    """The flat position that each entry of an index along one axis names."""
    index, at = array_of(index), axis_in(dim, x.ndim, who)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{who}: expected an index of integers; got {index.dtype}")
    if not index.size:
        return np.zeros(index.shape, np.int64)
    shape = tuple(x.shape) or (1,)
    wide = index.reshape(1) if index.ndim == 0 else index
    if wide.ndim != len(shape) or any(i > n for d, (i, n) in enumerate(zip(wide.shape, shape)) if d != at):
        raise ShapeError(f"{who}: expected an index of as many axes as x, and nowhere longer except along dim {dim}; "
                         f"got {index.shape} for x {tuple(x.shape)}")
    if wide.min() < 0 or wide.max() >= shape[at]:
        bad = int(wide.min() if wide.min() < 0 else wide.max())
        raise IndexError(f"{who}: index {bad} is out of bounds for dimension {dim} with size {shape[at]}")
    grid: list[Any] = list(np.ogrid[tuple([slice(n) for n in wide.shape])])
    grid[at] = wide
    return numbers(shape)[tuple(grid)].reshape(index.shape)


def _part(who: str, x: Any, src: Any, index: Any) -> Any:
    """The part of src that an index, nowhere longer, speaks of."""
    if src.dtype != x.dtype:
        raise TypeError(f"{who}: expected src of the dtype of x, {x.dtype}; got {src.dtype}")
    shape = np.shape(array_of(index))
    if src.ndim != len(shape) and src.ndim and len(shape):
        raise ShapeError(f"{who}: expected src of as many axes as the index; got {tuple(src.shape)} and {shape}")
    if src.ndim == 0 or not shape:
        return li.reshape(src, shape=shape)
    if any(i > n for i, n in zip(shape, src.shape)):
        raise ShapeError(f"{who}: expected an index nowhere longer than src; got {shape} and {tuple(src.shape)}")
    return src if src.shape == shape else li.getitem(src, index=tuple([slice(n) for n in shape]))


@composed
def scatter(x: Any, dim: int, index: Any, src: Any, *, reduce: str | None = None) -> Any:
    """x with src written along one axis:  y[index[i, j], j] = src[i, j]  (dim 0).  src may be one number."""
    if isinstance(src, (Tensor, np.ndarray)) and np.size(array_of(index)):
        src = _part("scatter", x, src, index)
    positions = _along("scatter", x, dim, index)
    if not positions.size:
        return li.clone(x)
    if reduce is None:
        return written(x, positions, src)
    if reduce not in ("add", "multiply"):
        raise ValueError(f"scatter: reduce must be None, 'add' or 'multiply'; got {reduce!r}")
    if not isinstance(src, (Tensor, np.ndarray)):
        src = np.full(positions.shape, src, x.dtype)
    return scatter_reduce(x, dim, index, src, "sum" if reduce == "add" else "prod")


def _added(x: Any, positions: Any, values: Any) -> Any:
    """x with the values added at the positions, repeats adding up."""
    size = int(np.prod(x.shape))
    return ew.add(x, li.reshape(li.put(values, index=positions, shape=(size,)), shape=tuple(x.shape)))


@composed
def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """x with src added along one axis:  y[index[i, j], j] += src[i, j]  (dim 0)."""
    src = _part("scatter_add", x, src, index)
    positions = _along("scatter_add", x, dim, index)
    return _added(x, positions, src) if positions.size else li.clone(x)


@composed
def scatter_reduce(x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """x with src gathered in along one axis: "sum", "prod", "mean", "amax", "amin" of what comes together.

    Without `include_self` what stood there does not count.  A tie of extremes shares the gradient evenly.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ValueError(f"scatter_reduce: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin'; got {reduce!r}")
    src = _part("scatter_reduce", x, src, index)
    positions = _along("scatter_reduce", x, dim, index)
    return reduced_at(x, positions, src, reduce, include_self) if positions.size else li.clone(x)


def reduced_at(x: Any, positions: Any, src: Any, reduce: str, include_self: bool) -> Any:
    """What stands in x and what src brings to the same position, put together, in the dtype of x."""
    out = _reduced(x, positions, src, reduce, include_self)
    return out if out.dtype == x.dtype else li.cast(out, dtype=x.dtype)


def _reduced(x: Any, positions: Any, src: Any, reduce: str, include_self: bool) -> Any:
    size = int(np.prod(x.shape))
    many = np.bincount(positions.reshape(-1), minlength=size).reshape(x.shape)
    if reduce in ("sum", "mean"):
        base = x if include_self else ew.where(many > 0, 0, x)
        total = _added(base, positions, src)
        if reduce == "sum":
            return total
        n = np.maximum(many + (1 if include_self else 0), 1)
        return ew.divide(total, n.astype(x.dtype)) if x.dtype.kind in "fc" else _whole_mean(total, n)
    if reduce == "prod":
        base = x if include_self else ew.where(many > 0, 1, x)
        return _product_at(base, positions, src)
    values, kept = array_of(src), np.ones(x.shape, bool) if include_self else many == 0
    best = np.array(array_of(x)).reshape(-1)
    if not include_self:
        low = -np.inf if best.dtype.kind == "f" else np.iinfo(best.dtype).min if best.dtype.kind in "iu" else False
        high = np.inf if best.dtype.kind == "f" else np.iinfo(best.dtype).max if best.dtype.kind in "iu" else True
        best = np.where(kept.reshape(-1), best, low if reduce == "amax" else high).astype(x.dtype)
    (np.maximum if reduce == "amax" else np.minimum).at(best, positions, values)
    own = kept & _same(array_of(x), best.reshape(x.shape))
    brought = _same(values, best[positions])
    ties = own + np.bincount(positions.reshape(-1), brought.reshape(-1), minlength=size).reshape(x.shape)
    best = best.reshape(x.shape)
    if x.dtype.kind != "f":
        return tensor_if([x, src], best)
    share = np.where(ties > 0, ties, 1).astype(x.dtype)            # divided first: a sum of ties may leave the range
    parts = ew.divide(ew.where(brought, src, 0), share.reshape(-1)[positions])
    return standing_for(_added(ew.divide(ew.where(own, x, 0), share), positions, parts), value=best)


@op(x=lambda g: g, category="index", shapes="any shape", cases=iter(()))
def standing_for(x: Any, *, value: Any) -> Any:
    """An array, with the derivative of x, which is the same number but for rounding."""
    return value


def _whole_mean(total: Any, n: Any) -> Any:
    """An integer mean, rounded down."""
    made = np.floor_divide(array_of(total), n).astype(total.dtype)
    return Tensor(made) if isinstance(total, Tensor) else made


def _same(a: Any, b: Any) -> Any:
    return (a == b) | ((a != a) & (b != b))


def _product_at(x: Any, positions: Any, src: Any) -> Any:
    """x times all that src brings to a position: level by level, so that zeros need no care.

    The k-th visitor of each position forms one level; there are as many as the most visited position has.
    """
    flat = positions.reshape(-1)
    order = np.argsort(flat, kind="stable")
    start = np.searchsorted(flat[order], flat[order], "left")
    rank = np.empty_like(order)
    rank[order] = np.arange(flat.size) - start
    out, values = flatten(x), flatten(src)
    for level in range(int(rank.max()) + 1):
        chosen = np.flatnonzero(rank == level)
        here = flat[chosen]
        factor = assign(np.ones(out.shape, out.dtype), li.getitem(values, index=chosen), positions=here)
        out = ew.multiply(out, factor)
    return li.reshape(out, shape=tuple(x.shape))


def _slices(who: str, x: Any, dim: int, index: Any) -> Any:
    """The flat positions of the slices that a 1-D index names along an axis, in the shape of x[..., index, ...]."""
    index, at = array_of(index).reshape(-1), axis_in(dim, x.ndim, who)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{who}: expected an index of integers; got {index.dtype}")
    shape = tuple(x.shape) or (1,)
    if index.size and (index.min() < -shape[at] or index.max() >= shape[at]):
        bad = int(index.max() if index.max() >= shape[at] else index.min())
        raise IndexError(f"{who}: index {bad} is out of bounds for dimension {dim} with size {shape[at]}")
    return numbers(shape)[(slice(None),) * at + (index,)]


def _fitting(who: str, x: Any, source: Any, positions: Any) -> Any:
    """The source in the shape of the positions; a scalar x or source counts as a vector of one."""
    if source.ndim != x.ndim and source.ndim and x.ndim:
        raise ShapeError(f"{who}: expected a source of as many axes as x; got {tuple(source.shape)} and "
                         f"{tuple(x.shape)}")
    if int(np.prod(source.shape)) != positions.size:
        raise ShapeError(f"{who}: expected a source of shape {positions.shape}; got {tuple(source.shape)}")
    return li.reshape(source, shape=positions.shape)


@composed
def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """x with α source added to the slices that the index names, repeats adding up."""
    positions = _slices("index_add", x, dim, index)
    source = _fitting("index_add", x, source, positions)
    if source.dtype != x.dtype:
        raise TypeError(f"index_add: expected a source of the dtype of x, {x.dtype}; got {source.dtype}")
    if x.dtype.kind == "u" and alpha < 0:     # wraps round, as the sum will
        alpha %= 1 << 8 * x.dtype.itemsize
    return _added(x, positions, source if alpha == 1 and alpha is not True else ew.multiply(source, alpha))


@composed
def index_copy(x: Any, dim: int, index: Any, source: Any) -> Any:
    """x with the slices that the index names replaced by those of source."""
    positions = _slices("index_copy", x, dim, index)
    return written(x, positions, _fitting("index_copy", x, source, positions))


@composed
def index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    """x with one value in the slices that the index names."""
    if getattr(value, "ndim", 0):
        raise ShapeError(f"index_fill: expected one value; got shape {tuple(value.shape)}")
    return written(x, _slices("index_fill", x, dim, np.unique(array_of(index))), value)


@composed
def index_reduce(x: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """x with source gathered in at the slices that the index names: "prod", "mean", "amax", "amin"."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ValueError(f"index_reduce: reduce must be 'prod', 'mean', 'amax' or 'amin'; got {reduce!r}")
    positions = _slices("index_reduce", x, dim, index)
    source = _fitting("index_reduce", x, source, positions)
    return reduced_at(x, positions, source, reduce, include_self) if positions.size else li.clone(x)


@composed
def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """x[indices] = values in a new tensor; with `accumulate`, x[indices] += values, repeats adding up."""
    index = tuple([slice(None) if k is None else array_of(k) for k in indices])
    positions = numbers(tuple(x.shape))[index]
    if not accumulate:
        return written(x, np.asarray(positions), values)
    return _added(x, positions, li.expand(values, shape=np.shape(positions)))


@composed
def put(x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """x with source at positions of the flattened tensor; with `accumulate`, added to what is there."""
    size, at = int(np.prod(x.shape)), array_of(index)
    if at.size and (at.min() < -size or at.max() >= size):
        raise IndexError(f"put: index {int(at.max() if at.max() >= size else at.min())} is out of bounds for a tensor "
                         f"of {size} elements")
    if int(np.prod(source.shape)) != at.size:
        raise ShapeError(f"put: expected as many values as positions, {at.size}; got {tuple(source.shape)}")
    source = li.reshape(source, shape=at.shape)
    at = at % size if size else at
    return _added(x, at, source) if accumulate else written(x, np.asarray(at), source)


@composed
def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """x with the elements of source, in order, where the mask is true."""
    mask = array_of(mask)
    if mask.dtype != bool:
        raise TypeError(f"masked_scatter: expected a mask of bools; got {mask.dtype}")
    shape = np.broadcast_shapes(tuple(x.shape), mask.shape)
    if tuple(x.shape) != shape:
        x = li.expand(x, shape=shape)
    positions = np.flatnonzero(np.broadcast_to(mask, shape))
    if int(np.prod(source.shape)) < positions.size:
        raise ShapeError(f"masked_scatter: the mask has {positions.size} true elements, source only "
                         f"{int(np.prod(source.shape))}")
    return assign(x, li.getitem(flatten(source), index=slice(0, positions.size)), positions=positions)


# -- parts of a tensor ------------------------------------------------------------------------------------


def _embedded(who: str, x: Any, positions: Any, src: Any) -> Any:
    if tuple(src.shape) != np.shape(positions):
        raise ShapeError(f"{who}: expected src of shape {np.shape(positions)}; got {tuple(src.shape)}")
    return written(x, np.asarray(positions), src)


@composed
def select_scatter(x: Any, src: Any, dim: int, index: int) -> Any:
    """x with src as the slice at `index` along `dim`."""
    at = axis_in(dim, x.ndim, "select_scatter")
    if not -x.shape[at] <= index < x.shape[at]:
        raise IndexError(f"select_scatter: index {index} is out of range for axis {dim} of {x.shape[at]} elements")
    return _embedded("select_scatter", x, numbers(tuple(x.shape))[(slice(None),) * at + (index,)], src)


@composed
def slice_scatter(x: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None,
                  step: int = 1) -> Any:
    """x with src as the slices start:end:step along `dim`."""
    at = axis_in(dim, x.ndim, "slice_scatter")
    if step < 1:
        raise ValueError(f"slice_scatter: expected a step above 0; got {step}")
    return _embedded("slice_scatter", x, numbers(tuple(x.shape))[(slice(None),) * at + (slice(start, end, step),)], src)


@composed
def diagonal_scatter(x: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """x with src on the diagonal over two axes."""
    return _embedded("diagonal_scatter", x, np.diagonal(numbers(tuple(x.shape)), offset, dim1, dim2), src)
