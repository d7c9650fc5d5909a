"""The change of gradients and weights between two steps of training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from autograd.graph import Graph, GraphNode

from ..text import number
from ..theme import STEPS, rms_of

RATIOS = ("≤1/16", "1/8", "1/4", "1/2", "same", "×2", "×4", "×8", "≥×16")


class Shift(NamedTuple):
    """A gradient then and now."""

    then: float
    now: float

    @property
    def ratio(self) -> float:
        if self.then == self.now:                          # both 0 as well
            return 1.0
        return self.now / self.then if self.then else math.inf if self.now == self.now else math.nan

    @property
    def role(self) -> str:
        """A step of the ramp for each factor of 2."""
        if not math.isfinite(self.ratio) or self.now == 0 or not math.isfinite(self.then):
            return "ramp4" if self.then == self.now == 0 else "alarm"
        return f"ramp{max(0, min(STEPS - 1, STEPS // 2 + round(math.log2(self.ratio))))}"

    @property
    def words(self) -> str:
        return f"∇ {number(self.then)} → {number(self.now)}"

    @property
    def factor(self) -> str:
        """"×0.5"; a word where no factor says it."""
        if self.then == self.now == 0:
            return "0"
        if not math.isfinite(self.now) or not math.isfinite(self.then):
            return "NaN" if math.isnan(self.now) or math.isnan(self.then) else "∞"
        return "from 0" if self.then == 0 else "to 0" if self.now == 0 else f"×{number(self.ratio)}"


def _rms(nodes: Iterable[GraphNode]) -> float | None:
    """RMS of the gradients of several nodes together."""
    total, count = 0.0, 0
    for node in nodes:
        rms = rms_of(node.grad)
        if node.grad is not None and rms is not None:
            total, count = total + rms * rms * max(1, node.grad.size), count + max(1, node.grad.size)
    return math.sqrt(total / count) if count else None


def shift(nodes: Iterable[int], graph: Graph, before: Mapping[int, GraphNode]) -> Shift | None:
    """How the gradient of these nodes changed; None where it is not known in both."""
    both = [i for i in nodes if i in before and before[i].grad is not None and graph.nodes[i].grad is not None]
    then, now = _rms(before[i] for i in both), _rms(graph.nodes[i] for i in both)
    return None if then is None or now is None else Shift(then, now)


def moved(nodes: Iterable[int], graph: Graph, before: Mapping[int, GraphNode]) -> float | None:
    """RMS of what was added to parameters over their RMS before; None where their values are not known in both."""
    change = size = 0.0
    known = False
    for i in nodes:
        node, old = graph.nodes[i], before.get(i)
        if node.kind != "parameter" or old is None or node.data is None or old.data is None or node.shape != old.shape:
            continue
        known = True
        x, y = np.asarray(old.data), np.asarray(node.data)
        with np.errstate(all="ignore"):
            change += float(np.square(np.abs(y - x, dtype=np.float64)).sum())
            size += float(np.square(np.abs(x), dtype=np.float64).sum())
    if not known:
        return None
    return math.sqrt(change / size) if size else 0.0 if not change else math.inf
