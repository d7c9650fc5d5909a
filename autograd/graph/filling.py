"""Values that nobody recorded and the backward pass freed, from the variables that are at hand.

A variable may have changed since (an optimizer steps), so they count only if the program, run again on them, gives
its own results to the bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..modes import no_grad, outside_recording
from .nodes import GraphNode, summary
from .running import Watch, evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor
    from .graphs import Graph

MOST_NODES, MOST_ELEMENTS = 256, 100_000           # what is run again in a moment


class _Seen(Watch):
    """The value of every step."""

    def __init__(self) -> None:
        self.values: dict[int, Any] = {}
        self.node: GraphNode | None = None

    def before(self, node: GraphNode) -> None:
        self.node = node

    def after(self, operands: list[Any], result: Tensor) -> None:
        if self.node is not None:
            self.values[self.node.id] = result.value


def worth_filling(nodes: Sequence[GraphNode]) -> bool:
    """Whether a small graph of the library's own ops lacks values of leaves."""
    return (len(nodes) <= MOST_NODES and any(n.kind != "op" and n.data is None for n in nodes)
            and sum(math.prod(n.shape) for n in nodes) <= MOST_ELEMENTS and all(n.category != "custom" for n in nodes))


def filled_in(graph: Graph, results: Sequence[Any]) -> Graph | None:
    """The graph with the values of all steps; None where it does not compute these results."""
    if any(n.kind != "op" and n.data is None for n in graph.nodes):
        return None
    seen = _Seen()
    try:
        with outside_recording(), no_grad(), np.errstate(all="ignore"):
            made = [t.value for t in evaluate(graph, {}, seen)]
    except Exception:                               # what cannot be run again is not known
        return None
    if not all(a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
               for a, b in zip(made, results, strict=True)):
        return None
    return graph._replace(nodes=tuple([
        n._replace(value=summary(seen.values[n.id])) if n.value is None and n.id in seen.values else n
        for n in graph.nodes]))
