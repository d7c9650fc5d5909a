"""Derivatives of sampled functions, by finite differences."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from . import elementwise as ew
from . import linear as li
from .axes import axes_of, axis_in
from .composed import composed


@composed
def gradient(x: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """Slopes along each axis (of `dim`) of a function given at points, second order within:  one tensor for each axis.

    spacing: the distance of the points (1), or one distance or one vector of places for each axis.  edge_order 1 or 2:
    how the two ends are made.  Recorded for x and for places.  Source: Fornberg 1988 (weights of uneven grids).

    Raises ShapeError for an axis of fewer than edge_order + 1 points or a wrong number of distances.
    """
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: expected edge_order 1 or 2; got {edge_order}")
    if isinstance(dim, (tuple, list)):
        axes = tuple(axis_in(d, x.ndim, "gradient") for d in dim)
    else:
        axes = axes_of(None, x.ndim) if dim is None else (axis_in(dim, x.ndim, "gradient"),)
    if len(set(axes)) < len(axes):
        raise ValueError(f"gradient: an axis occurs twice in dim={dim}")
    steps = list(spacing) if isinstance(spacing, (tuple, list)) else [1 if spacing is None else spacing] * len(axes)
    if len(steps) != len(axes):
        raise ShapeError(f"gradient: expected a spacing for each of {len(axes)} axes; got {len(steps)}")
    return tuple([_slopes(x, at, step, edge_order) for at, step in zip(axes, steps)])


def _slopes(x: Any, at: int, step: Any, edge_order: int) -> Any:
    n = x.shape[at]
    if n < edge_order + 1:
        raise ShapeError(f"gradient: expected at least edge_order + 1 = {edge_order + 1} points along each axis; got "
                         f"{n} along axis {at}")
    lead, tail = (slice(None),) * at, (1,) * (x.ndim - at - 1)

    def part(start: int | None, stop: int | None) -> Any:
        return li.getitem(x, index=(*lead, slice(start, stop)))

    before, after, _, last = part(0, 1), part(1, 2), part(-2, -1), part(-1, None)
    if not getattr(step, "ndim", 0):
        inner = ew.divide(ew.subtract(part(2, None), part(0, -2)), step * 2)
        if edge_order == 1:
            ends = ew.divide(ew.subtract(after, before), step), ew.divide(ew.subtract(last, part(-2, -1)), step)
        else:
            ends = (ew.divide(before * -1.5 + after * 2.0 - part(2, 3) * 0.5, step),
                    ew.divide(last * 1.5 - part(-2, -1) * 2.0 + part(-3, -2) * 0.5, step))
        return li.concatenate(ends[0], inner, ends[1], dim=at)
    if step.ndim != 1 or step.shape[0] != n:
        raise ShapeError(f"gradient: expected a place for each of {n} points of axis {at}; got shape "
                         f"{tuple(step.shape)}")
    width = ew.subtract(step[1:], step[:-1])

    def along(v: Any) -> Any:
        return li.reshape(v, shape=(-1, *tail))

    left, right = along(width[:-1]), along(width[1:])
    both = left + right
    inner = (ew.divide(-right, left * both) * part(0, -2) + ew.divide(right - left, left * right) * part(1, -1)
             + ew.divide(left, right * both) * part(2, None))
    if edge_order == 1:
        start = ew.divide(ew.subtract(after, before), along(width[:1]))
        end = ew.divide(ew.subtract(last, part(-2, -1)), along(width[-1:]))
    else:
        a, b = along(width[:1]), along(width[1:2])
        start = (ew.divide(-(2 * a + b), a * (a + b)) * before + ew.divide(a + b, a * b) * after
                 - ew.divide(a, b * (a + b)) * part(2, 3))
        a, b = along(width[-2:-1]), along(width[-1:])
        end = (ew.divide(b, a * (a + b)) * part(-3, -2) - ew.divide(a + b, a * b) * part(-2, -1)
               + ew.divide(2 * b + a, b * (a + b)) * last)
    return li.concatenate(start, inner, end, dim=at)
