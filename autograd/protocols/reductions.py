"""NumPy's reductions: sums, products, extrema, moments, and running sums; over all axes by default, ddof 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..call import apply
from ..errors import ShapeError
from ..ops import cast, reshape
from ..tensor import Tensor
from .arguments import array, axes, counted, merged, real, select_where, value

_SUM, _MEAN = ops.sum.op, ops.mean.op         # with Tensors, straight to the op: these stand in inner loops


def _none(axis: Any) -> bool:
    return isinstance(axis, (tuple, list)) and not axis


def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = 0,
        where: Any = True) -> Any:
    """Σ a over the axes, plus `initial`."""
    if where is True and initial == 0 and type(a) is Tensor and type(axis) is not tuple:
        return apply(_SUM, (a,), {"dim": axis, "keepdim": bool(keepdims), "dtype": dtype})
    a = select_where(array(a), where, 0)
    if _none(axis):
        total = a if dtype is None else cast(a, dtype=np.dtype(dtype))
    else:
        total = ops.sum(a, dim=axis, keepdim=bool(keepdims), dtype=dtype)
    return total if isinstance(initial, int) and initial == 0 else total + initial


def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = 1,
         where: Any = True) -> Any:
    """Π a over the axes, times `initial`."""
    a = select_where(array(a), where, 1)
    if dtype is not None:
        a = cast(a, dtype=np.dtype(dtype))
    if not _none(axis):
        a = _over(ops.prod, a, axis, keepdims)
    return a if isinstance(initial, int) and initial == 1 else a * initial


def _over(reduction: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    """A reduction over one axis, several, or all."""
    if a.ndim == 0:
        return a
    if axis is None and not keepdims:
        return reduction(reshape(a, shape=(-1,)), dim=0) if a.ndim != 1 else reduction(a, dim=0)
    if isinstance(axis, (int, np.integer)):
        return reduction(a, dim=axes(axis, a.ndim)[0], keepdim=bool(keepdims))
    flat, one = merged(a, axis)
    out = reduction(flat, dim=-1)
    return reshape(out, shape=one) if keepdims else out


def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *,
         where: Any = True) -> Any:
    """Σ a / n."""
    if where is True and type(a) is Tensor and type(axis) is not tuple and a.value.dtype.kind in "fc":
        return apply(_MEAN, (a,), {"dim": axis, "keepdim": bool(keepdims), "dtype": dtype})
    a = real(a)
    if where is True and not _none(axis):
        return ops.mean(a, dim=axis, keepdim=bool(keepdims), dtype=dtype)
    return sum(a, axis, dtype, None, keepdims, 0, where) / counted(a, axis, where, keepdims)


def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, *,
        where: Any = True, mean: Any = None, correction: Any = None) -> Any:
    """Σ |a - mean|² / (n - ddof)."""
    a = real(a) if dtype is None else cast(array(a), dtype=np.dtype(dtype))
    ddof = ddof if correction is None else correction
    if where is True and mean is None and not _none(axis):
        return ops.var(a, dim=axis, keepdim=bool(keepdims), correction=ddof)
    n = counted(a, axis, where, True)
    centre = sum(a, axis, None, None, True, 0, where) / n if mean is None else mean
    apart = a - centre
    square = apart * apart if a.dtype.kind != "c" else ops.square(ops.abs(apart))
    return sum(square, axis, None, None, keepdims, 0, where) / (counted(a, axis, where, keepdims) - ddof)


def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, *,
        where: Any = True, mean: Any = None, correction: Any = None) -> Any:
    """√var."""
    if where is True and mean is None and not _none(axis):
        a = real(a) if dtype is None else cast(array(a), dtype=np.dtype(dtype))
        return ops.std(a, dim=axis, keepdim=bool(keepdims), correction=ddof if correction is None else correction)
    return ops.sqrt(var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))


def _extremum(reduction: Any, pair: Any, a: Any, axis: Any, keepdims: Any, initial: Any, where: Any) -> Any:
    if where is True and initial is None and type(a) is Tensor and type(axis) is not tuple:
        return apply(reduction.op, (a,), {"dim": axis, "keepdim": bool(keepdims)})
    a = array(a)
    if where is not True:
        if initial is None:
            raise ValueError("a maximum or minimum with where= needs initial=, the value where nothing is taken")
        a = select_where(a, where, initial)
    if initial is not None and value(a).size == 0:
        return np.full(np.sum(value(a), axis=axis, keepdims=bool(keepdims)).shape, initial, a.dtype)
    found = a if _none(axis) else reduction(a, dim=axis, keepdim=bool(keepdims))
    return found if initial is None else pair(found, initial)


def max(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = True) -> Any:
    """The largest element; equal ones share the gradient."""
    return _extremum(ops.amax, ops.maximum, a, axis, keepdims, initial, where)


def min(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = True) -> Any:
    """The smallest element; equal ones share the gradient."""
    return _extremum(ops.amin, ops.minimum, a, axis, keepdims, initial, where)


amax, amin = max, min


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """Largest minus smallest."""
    return max(a, axis, None, keepdims) - min(a, axis, None, keepdims)


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Σ w a / Σ w."""
    a = real(a)
    if weights is None:
        found, total = mean(a, axis, keepdims=keepdims), counted(a, axis, True, keepdims)
    else:
        weights = array(weights)
        if weights.shape != a.shape:
            dims = axes(axis, a.ndim)
            if axis is None or weights.shape != tuple(a.shape[d] for d in dims):
                raise ShapeError(f"average: expected weights of the shape of a, {a.shape}, or of its axes {axis}; "
                                 f"got {weights.shape}")
            order = sorted(range(len(dims)), key=dims.__getitem__)
            weights = reshape(ops.permute(weights, dims=tuple(order)),
                              shape=tuple(n if d in dims else 1 for d, n in enumerate(a.shape)))
        total = sum(weights * np.ones(a.shape, a.dtype), axis, keepdims=keepdims)
        found = sum(a * weights, axis, keepdims=keepdims) / total
    return (found, total * np.ones(found.shape, found.dtype)) if returned else found


# -- running sums and differences --------------------------------------------------------------------------


def _running(scan: Any, a: Any, axis: Any, dtype: Any) -> Any:
    a = array(a)
    if axis is None:
        a, axis = reshape(a, shape=(-1,)), 0
    return scan(a, dim=axis, dtype=dtype)


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """y[i] = Σ_{j<=i} a[j]."""
    return _running(ops.cumsum, a, axis, dtype)


def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """y[i] = Π_{j<=i} a[j]."""
    return _running(ops.cumprod, a, axis, dtype)


def _cumulative(scan: Any, first: int, x: Any, axis: Any, dtype: Any, include_initial: bool) -> Any:
    x = array(x)
    if axis is None and x.ndim > 1:
        raise ValueError(f"for an array of {x.ndim} axes, axis must be given")
    axis = axis or 0
    y = scan(x, axis, dtype)
    if include_initial:
        shape = list(y.shape)
        shape[axis] = 1
        y = ops.cat([np.full(shape, first, y.dtype), y], axis)
    return y


def cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
                   include_initial: bool = False) -> Any:
    """y[i] = Σ_{j<=i} x[j], with a 0 before them if asked for."""
    return _cumulative(cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
                    include_initial: bool = False) -> Any:
    """y[i] = Π_{j<=i} x[j], with a 1 before them if asked for."""
    return _cumulative(cumprod, 1, x, axis, dtype, include_initial)


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """a[i + 1] - a[i], n times over."""
    a = array(a)
    edges = []
    for edge in (prepend, append):
        if edge is not None and edge is not np._NoValue:
            edge = array(edge)
            if edge.ndim == 0:
                shape = list(a.shape)
                shape[axis] = 1
                edge = ops.broadcast_to(edge, shape=tuple(shape))
            edges.append(edge)
        else:
            edges.append(None)
    parts = [p for p in (edges[0], a, edges[1]) if p is not None]
    return ops.diff(ops.cat(parts, axis) if len(parts) > 1 else a, n, axis)


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours of the flattened array, between what is put before and behind."""
    step = ops.diff(reshape(array(ary), shape=(-1,)))
    parts = [None if to_begin is None else reshape(array(to_begin), shape=(-1,)), step,
             None if to_end is None else reshape(array(to_end), shape=(-1,))]
    return ops.cat([p for p in parts if p is not None])


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Σ (x[i+1] - x[i]) (y[i+1] + y[i]) / 2."""
    y = array(y)
    axis = axes(axis, y.ndim)[0]
    front, back = _cut(y, axis, slice(1, None)), _cut(y, axis, slice(None, -1))
    if x is None:
        step = dx
    else:
        x = array(x)
        step = ops.diff(x, 1, 0 if x.ndim == 1 else axis)
        if x.ndim == 1:
            step = reshape(step, shape=tuple(-1 if d == axis else 1 for d in range(y.ndim)))
    return sum(step * (front + back) / 2.0, axis)


def _cut(x: Any, axis: int, part: Any) -> Any:
    return x[(slice(None),) * axis + (part,)]


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences inside, one-sided ones of `edge_order` at the ends; spacings are numbers or coordinates.

    Source: B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, 1988.
    """
    f = real(f)
    dims = axes(axis, f.ndim)
    spacing = [*varargs] if varargs else [1.0]
    if len(spacing) == 1 and array(spacing[0]).ndim == 0:
        spacing = spacing * len(dims)
    if len(spacing) != len(dims):
        raise TypeError(f"gradient: expected one spacing for each of {len(dims)} axes; got {len(varargs)}")
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: expected edge_order 1 or 2; got {edge_order}")
    found = tuple([_gradient_along(f, d, h, edge_order) for d, h in zip(dims, spacing, strict=True)])
    return found[0] if len(dims) == 1 else found


def _gradient_along(f: Any, d: int, spacing: Any, edge_order: int) -> Any:
    n = f.shape[d]
    if n < edge_order + 1:
        raise ShapeError(f"gradient: axis {d} has {n} elements; edge_order {edge_order} needs {edge_order + 1}")
    h = array(spacing)
    wide = tuple(-1 if k == d else 1 for k in range(f.ndim))
    h = np.ones(n - 1, f.dtype) * h if h.ndim == 0 else ops.diff(h)
    if h.shape != (n - 1,):
        raise ShapeError(f"gradient: axis {d} has {n} elements; its coordinates number {h.shape[0] + 1}")

    def at(i: int) -> Any:
        return _cut(f, d, slice(i, i + 1 or None))

    def step(i: int) -> Any:
        return h[i]
    before, after = reshape(h[:-1], shape=wide), reshape(h[1:], shape=wide)
    left, middle, right = (_cut(f, d, part) for part in (slice(None, -2), slice(1, -1), slice(2, None)))
    inside = (-after / (before * (before + after)) * left + (after - before) / (before * after) * middle
              + before / (after * (before + after)) * right)
    if edge_order == 1:
        first, last = (at(1) - at(0)) / step(0), (at(-1) - at(-2)) / step(-1)
    else:
        a, b = step(0), step(1)
        first = -(2 * a + b) / (a * (a + b)) * at(0) + (a + b) / (a * b) * at(1) - a / (b * (a + b)) * at(2)
        a, b = step(-2), step(-1)
        last = b / (a * (a + b)) * at(-3) - (a + b) / (a * b) * at(-2) + (2 * b + a) / (b * (a + b)) * at(-1)
    return ops.cat([first, inside, last], d)
