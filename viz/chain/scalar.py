"""The whole derivation of a graph of scalars: every value, every local derivative, every gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from autograd.graph.running import op_named

from .local import Local, places
from .values import Numbers


class Slope(NamedTuple):
    """The derivative of a step with respect to one argument."""

    node: int                                  # the step
    place: int                                 # position in its inputs
    argument: int                              # position among the arguments of its op
    source: int                                # the operand
    value: float


class Derivation(NamedTuple):
    """What is written out, in the order of the steps."""

    slopes: tuple[Slope, ...]                  # of the steps that the result depends on, operands that may vary
    gradient: dict[int, float]                 # of the result with respect to each node
    steps: tuple[int, ...]                     # all that the result depends on, leaves first where they are first


def derivation(known: Numbers, end: int, also: Iterable[int] = ()) -> Derivation:
    """The derivation of a scalar result from the leaves that require a gradient, and from the nodes `also`."""
    nodes = known.graph.nodes
    above, stack = {end}, [end]
    while stack:
        for j in nodes[stack.pop()].inputs:
            if j not in above:
                above.add(j)
                stack.append(j)
    moving = {n.id for n in nodes if n.id in above and n.kind != "op" and n.requires_grad} | set(also)
    found: list[tuple[int, int, int, int]] = []
    for node in nodes:
        if node.kind == "op" and node.id in above:
            for place, argument, source in places(node):
                if source in moving:
                    found.append((node.id, place, argument, source))
                    moving.add(node.id)
    values = _slopes(known, found)
    slopes = [Slope(*way, values[k]) for k, way in enumerate(found)]
    gradient = {end: 1.0}
    for s in reversed(slopes):
        if s.node in gradient and s.value:
            gradient[s.source] = gradient.get(s.source, 0.0) + gradient[s.node] * s.value
        elif s.node in gradient:
            gradient.setdefault(s.source, 0.0)
    return Derivation(tuple(slopes), gradient, tuple(sorted(above)))


def _slopes(known: Numbers, ways: list[tuple[int, int, int, int]]) -> dict[int, float]:
    """The local derivatives: of elementwise steps of one kind all in one run."""
    nodes = known.graph.nodes
    kinds: dict[tuple[str, int, int], list[int]] = {}
    made: dict[int, float] = {}
    for k, (i, place, _, _) in enumerate(ways):
        node = nodes[i]
        if node.attrs or node.absent or op_named(node.op).kind != "elementwise":
            slope = Local(known, node, place).edges(np.zeros(1, np.intp), zeros=True).slope
            made[k] = float(slope[0]) if len(slope) else 0.0
        else:
            kinds.setdefault((node.op, place, len(node.inputs)), []).append(k)
    for (_, place, n), members in kinds.items():
        node = nodes[ways[members[0]][0]]
        columns = [np.array([known.values[nodes[ways[k][0]].inputs[p]] for k in members]) for p in range(n)]
        step = node._replace(inputs=tuple(range(n)), shape=(len(members),))
        local = Local(Numbers(known.graph, list(columns)), step, place)
        made |= dict(zip(members, local.edges(np.arange(len(members)), zeros=True).slope.tolist(), strict=True))
    return made
