"""A scalar graph as it is shown: a sum of many terms is one node, of which the first terms are seen and the rest is
one number, "… 118 more terms".  All numbers are those of the whole graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from autograd.graph import Graph, GraphNode, summary

from ..view import SCALAR
from .values import needed_for

MOST_SHOWN = (8, 6, 5, 4, 3, 2)                # terms of a sum: as many of these as a picture of single numbers holds
NOTHING: Mapping[str, object] = MappingProxyType({})


def shown(graph: Graph, sums: Mapping[int, tuple[int, ...]], terms: int | None) -> Graph:
    """The graph with its sums closed.  `sums`: by id of the result, the ids of the terms."""
    if terms is not None:
        return _closed(graph, sums, terms)
    for most in MOST_SHOWN:
        made = _closed(graph, sums, most)
        if len(made.nodes) <= SCALAR:
            break
    return made


def _closed(graph: Graph, sums: Mapping[int, tuple[int, ...]], most: int) -> Graph:
    nodes = graph.nodes
    seen = {i: t if len(t) <= most else t[:max(1, most - 1)] for i, t in sums.items()}
    inputs = [seen.get(n.id, n.inputs) for n in nodes]
    needed = needed_for(graph.outputs, inputs.__getitem__)
    ids: dict[int, int] = {}
    made: list[GraphNode] = []
    for node in nodes:
        if node.id not in needed:
            continue
        if node.id not in sums:
            ids[node.id] = len(made)
            made.append(node._replace(id=len(made), inputs=tuple([ids[j] for j in node.inputs])))
            continue
        parts = [ids[j] for j in seen[node.id]]
        hidden = sums[node.id][len(parts):]
        if hidden:
            parts.append(len(made))
            made.append(_rest(graph, node, hidden, [ids[j] for j in _behind(graph, hidden, needed)], len(made)))
        ids[node.id] = len(made)
        made.append(node._replace(id=len(made), op="sum", category="reduction", symbol="Σ", inputs=tuple(parts),
                                  attrs=NOTHING, formula=(), saved=(), absent=()))
    return Graph(tuple(made), tuple([ids[i] for i in graph.outputs]), graph.modules)


def _behind(graph: Graph, hidden: tuple[int, ...], needed: set[int]) -> list[int]:
    """What is seen, and goes into hidden terms too: the nearest of it."""
    found, known, stack = [], set(hidden), list(hidden)
    while stack:
        i = stack.pop()
        if i in needed and not _literal(graph.nodes[i]):
            found.append(i)
            continue
        for j in graph.nodes[i].inputs:
            if j not in known:
                known.add(j)
                stack.append(j)
    return sorted(found)


def _literal(node: GraphNode) -> bool:
    return node.kind == "constant" and not node.name


def _rest(graph: Graph, total: GraphNode, hidden: tuple[int, ...], inputs: list[int], position: int) -> GraphNode:
    """The terms that are not seen, as one number."""
    items = [graph.nodes[i].value for i in hidden]
    value = math.fsum([s.item for s in items if s is not None])
    return total._replace(id=position, kind="op" if inputs else "input", op="sum" if inputs else "",
                          category="reduction" if inputs else "", symbol="Σ" if inputs else "", inputs=tuple(inputs),
                          name=f"… {len(hidden):,} more term{'s' * (len(hidden) != 1)}", value=summary(value),
                          attrs=NOTHING, formula=(), saved=(), absent=())
