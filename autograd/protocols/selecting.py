"""NumPy's functions that choose, look up, round and interpolate."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..ops import cast
from ..ops.linear import getitem
from ..tensor import Tensor, wrap
from .arguments import array, axes, real, value
from .shapes import reshape


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """x where the condition holds, y elsewhere; alone, the positions where it holds."""
    if x is None and y is None:
        return tuple([wrap(i) for i in np.nonzero(value(condition))])
    return ops.where(array(condition), _operand(x), _operand(y))


def _operand(x: Any) -> Any:
    return x if isinstance(x, (int, float, complex)) else array(x)


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """Elements by position along an axis, of the flattened array by default."""
    a = array(a)
    if axis is None:
        a, axis = reshape(a, -1), 0
    axis = axes(axis, a.ndim)[0]
    at = value(indices)
    if mode == "wrap":
        at = at % a.shape[axis]
    elif mode == "clip":
        at = np.clip(at, 0, a.shape[axis] - 1)
    return getitem(a, index=(slice(None),) * axis + (at if at.ndim else int(at),))


def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Along one axis, elements by an array of positions."""
    return ops.take_along_dim(array(arr), value(indices), axis)


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """At each place the element of the array that `a` numbers."""
    parts, which = broadcast([array(c) for c in choices], value(a))
    n = len(parts)
    which = which % n if mode == "wrap" else np.clip(which, 0, n - 1) if mode == "clip" else which
    if which.size and (which.min() < 0 or which.max() >= n):
        raise ValueError(f"choose: expected numbers of {n} arrays, 0 to {n - 1}; got {which.min()} to {which.max()}")
    return ops.take_along_dim(ops.stack(parts), which[None], 0)[0]


def broadcast(parts: list[Any], other: Any) -> tuple[list[Any], Any]:
    """Arrays and one more, in their common shape."""
    shape = np.broadcast_shapes(other.shape, *[p.shape for p in parts])
    return [ops.broadcast_to(p, shape=shape) for p in parts], np.broadcast_to(other, shape)


def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    """The parts along an axis (elements, for None) where the condition holds."""
    return take(a, np.flatnonzero(value(condition)), axis)


def extract(condition: Any, arr: Any) -> Any:
    """The elements where the condition holds."""
    return take(arr, np.flatnonzero(value(condition)))


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """At each place the choice of the first condition that holds."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions and {len(choicelist)} choices; each needs its other")
    found = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        found = ops.where(array(condition), _operand(choice), _operand(found))
    return found


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Functions (or values), each where its condition holds; one more is for the rest."""
    x = array(x)
    conditions = [value(c) for c in (condlist if isinstance(condlist, (list, tuple)) else [condlist])]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(f"piecewise: {len(conditions)} conditions need as many functions, or one more; "
                         f"got {len(funclist)}")
    found = ops.where(np.zeros(x.shape, bool), x, 0)
    for condition, f in zip(conditions, funclist):
        at = np.nonzero(np.broadcast_to(condition, x.shape))
        if not callable(f):
            found = ops.where(condition, _operand(f), found)
        elif at and at[0].size:
            found = ops.index_put(found, at, f(getitem(x, index=at), *args, **kw))
    return found


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limited from below and above."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    a = array(a)
    if low is None and high is None:
        return a
    return ops.clamp(a, _bound(low), _bound(high))


def _bound(x: Any) -> Any:
    return x if x is None or isinstance(x, (int, float)) else array(x)


def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of NaN and the infinities."""
    return ops.nan_to_num(array(x), nan, posinf, neginf)


def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """To so many decimals; the derivative is 0."""
    return ops.round(array(a), decimals=decimals)


around = round


def fix(x: Any, out: Any = None) -> Any:
    """Rounded towards 0; the derivative is 0."""
    return ops.trunc(array(x))


def sinc(x: Any) -> Any:
    """sin(π x) / (π x)."""
    return ops.sinc(real(x))


def i0(x: Any) -> Any:
    """The modified Bessel function of order 0."""
    return ops.i0(real(x))


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Linear between the points (xp, fp), constant outside them."""
    x, xp, fp = real(x), real(xp), real(fp)
    if period is not None:
        period = abs(value(period))
        x, xp = x % period, xp % period
        order = np.argsort(value(xp), kind="stable")
        xp, fp = xp[order], fp[order]
        xp = ops.cat([xp[-1:] - period, xp, xp[:1] + period])
        fp = ops.cat([fp[-1:], fp, fp[:1]])
        left = right = None
    at, known = value(x), value(xp)
    n = known.size
    if n == 1:
        return ops.where(at < known[0], fp[0] if left is None else left,
                         ops.where(at > known[0], fp[0] if right is None else right, fp[0] + x * 0))
    i = np.clip(np.searchsorted(known, at, side="right") - 1, 0, n - 2)
    x0, f0 = xp[i], fp[i]
    run = xp[i + 1] - x0
    inside = f0 + (x - x0) * ((fp[i + 1] - f0) / ops.where(value(run) == 0, 1, run))
    inside = ops.where(at >= known[-1], fp[-1] if right is None else ops.where(at > known[-1], right, fp[-1]), inside)
    return ops.where(at < known[0], fp[0] if left is None else left, inside)


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """Jumps of more than half a period taken out; the derivative is that of p."""
    p = real(p)
    return p + (np.unwrap(value(p), discont, axis, period=period) - value(p))


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
              device: Any = None) -> Any:
    """One value in the shape and dtype of a."""
    a = array(a)
    shape = a.shape if shape is None else shape
    filled = ops.broadcast_to(array(fill_value), shape=(shape,) if isinstance(shape, int) else tuple(shape))
    wanted = a.dtype if dtype is None else np.dtype(dtype)
    return cast(filled, dtype=wanted) if isinstance(filled, Tensor) else wrap(filled.astype(wanted))


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0, *, device: Any = None) -> Any:
    """num points from start to stop, evenly spaced, along a new axis."""
    start, stop = real(start), real(stop)
    parts = num - 1 if endpoint else num
    step = (stop - start) / parts if parts else (stop - start) * np.nan
    width = max(start.ndim, stop.ndim)
    share = (np.arange(num) / (parts or 1)).reshape((-1,) + (1,) * width)
    made = start + (stop - start) * share
    made = ops.movedim(made, 0, axis) if axis else made
    made = made if dtype is None else cast(made, dtype=np.dtype(dtype))
    return (made, step) if retstep else made


def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None,
             axis: int = 0) -> Any:
    """base to the power of `linspace`."""
    made = base ** linspace(start, stop, num, endpoint, False, None, axis)
    return made if dtype is None else cast(made, dtype=np.dtype(dtype))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """num points from start to stop > 0, each the one before times the same factor."""
    made = ops.exp(linspace(ops.log(real(start)), ops.log(real(stop)), num, endpoint, False, None, axis))
    return made if dtype is None else cast(made, dtype=np.dtype(dtype))
