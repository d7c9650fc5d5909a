"""A step length that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple


class Point(NamedTuple):
    """What is known of the function at distance t along the line."""

    t: float
    loss: float
    grad: Any
    slope: float                              # grad · direction


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """The minimum in [low, high] of the cubic through two points with their slopes; the middle where it has none.

    Nocedal and Wright 2006, eq. 3.59.
    """
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = sqrt(square)
    below = b.slope - a.slope + 2 * d2
    if below == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below), low), high)


def strong_wolfe(at: Callable[[float], Point], start: Point, t: float, longest: float, most: int, *,
                 c1: float = 1e-4, c2: float = 0.9, tolerance: float = 1e-9) -> tuple[Point, int]:
    """(a point with  f(t) <= f(0) + c1 t f'(0)  and  |f'(t)| <= c2 |f'(0)|,  the number of evaluations).

    A bracket is widened, then narrowed by cubic interpolation (Nocedal and Wright 2006, algorithms 3.5 and 3.6, with
    the safeguards of Schmidt's minFunc).  `at` evaluates, t is the first guess, `longest` the largest element of the
    direction; after about `most` evaluations, or where the bracket is below `tolerance`, the best point found it is.
    """
    def too_high(point: Point) -> bool:
        return point.loss > start.loss + c1 * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    before, new, rounds = start, at(t), 0
    while rounds < most:
        if too_high(new) or (rounds > 1 and new.loss >= before.loss):
            bracket = [before, new]
            break
        if flat(new):
            return new, rounds + 1
        if new.slope >= 0:
            bracket = [before, new]
            break
        t = cubic_minimum(before, new, new.t + 0.01 * (new.t - before.t), 10 * new.t)
        before, new = new, at(t)
        rounds += 1
    else:
        bracket = [start, new]

    stuck = False                             # the last trial fell close to an end of the bracket
    best = 0 if bracket[0].loss <= bracket[1].loss else 1
    while rounds < most:
        low, high = sorted((bracket[0].t, bracket[1].t))
        if (high - low) * longest < tolerance:
            break
        t = cubic_minimum(bracket[0], bracket[1], low, high)
        margin = 0.1 * (high - low)
        if min(high - t, t - low) < margin:
            if stuck or t >= high or t <= low:
                t = high - margin if abs(t - high) < abs(t - low) else low + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        new = at(t)
        rounds += 1
        if too_high(new) or new.loss >= bracket[best].loss:
            bracket[1 - best] = new
            best = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        if flat(new):
            return new, rounds + 1
        if new.slope * (bracket[1 - best].t - bracket[best].t) >= 0:
            bracket[1 - best] = bracket[best]
        bracket[best] = new
    return bracket[best], rounds + 1
