"""The recorded backward pass, step by step: what each op sent to its inputs, what was added up, what was freed.

    steps(graph)[k]: the k-th op of the sweep, from the result back to the leaves

Memory is what the record says was saved for the backward pass; an array that two ops keep counts for each of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..reverse import argument, contributions
from ..text import amount, clean, exact, number, shape
from .arithmetic import evaluated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autograd.graph import Graph, GraphNode, Summary

MOST_SENT = 6                                  # inputs of one op whose rules are told
LONG = 160                                     # characters of a rule


class Step(NamedTuple):
    """One op of the backward pass, in words."""

    node: int
    title: str                                 # "multiply: gx = g * y, gy = g * x"
    lines: tuple[str, ...]                     # the numbers, and what is added to what
    freed: str                                 # "frees x, y: 1.2 kB"; "" where nothing was saved
    alive: int                                 # bytes still saved when the step is done


def order(graph: Graph) -> list[int]:
    """The ops of the backward pass in the order of the sweep; none where no gradient flows from the results."""
    reached = {i for i in graph.outputs if graph.nodes[i].requires_grad}
    result = []
    for node in reversed(graph.nodes):
        if node.id in reached and node.kind == "op":
            result.append(node.id)
            reached.update(a for a in node.inputs if graph.nodes[a].requires_grad)
    return result


def steps(graph: Graph) -> list[Step]:
    """Every step of the backward pass; [] where there is none."""
    sequence = order(graph)
    alive = sum(graph.nodes[i].saved_bytes for i in sequence)
    flow = _Flow(graph)
    result = []
    for i in sequence:
        node = graph.nodes[i]
        alive -= node.saved_bytes
        freed = ""
        if node.saved:
            size = f": {amount(node.saved_bytes, 'B')}" if node.saved_bytes else ""
            freed = f"frees {clean(', '.join(node.saved))}{size}"
        result.append(Step(i, *flow.told(node), freed, alive))
    return result


class _Flow:
    """What has reached each node so far: a number where it is one and known, else None."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.awaited = contributions(graph)
        self.received: dict[int, float | None] = {}
        for i in graph.outputs:
            self.awaited[i] = self.awaited.get(i, 1) - 1
            self.received[i] = _item(graph.nodes[i].grad) if not self.awaited[i] else None

    def told(self, node: GraphNode) -> tuple[str, tuple[str, ...]]:
        """Title and lines of one step."""
        sent, lines = [], []
        names = _names(self.graph, node)
        for arg, a in enumerate(node.inputs):
            target = self.graph.nodes[a]
            if not target.requires_grad:
                continue
            rule = readable_rule(node.formula[arg]) if arg < len(node.formula) else ""
            name = f"g{argument(node, arg)}"
            sent.append(f"{name} = {rule}" if rule else name)
            scalar = target.shape == () and node.shape == ()
            found = evaluated(rule, names) if scalar else None
            more = a in self.received
            before = self.received.get(a, 0.0)
            self.awaited[a] = self.awaited.get(a, 1) - 1
            value = found[1] if found else None
            total = _item(target.grad)
            if value is None and scalar and not self.awaited[a] and total is not None and before is not None:
                value = total - before         # the last to arrive is what is missing in the sum
            if value is not None:
                text = exact(value)
                middle = [rule] + ([found[0]] if found else [])
                lines.append(" = ".join(dict.fromkeys([name, *[m for m in middle if m.strip("()") != text], text])))
            whole = before + value if before is not None and value is not None else None
            if more:
                known = before is not None and value is not None and whole is not None
                lines.append(f"{_called(target)}.grad += {name}"
                             + (f": {exact(before)} + {exact(value)} = {exact(whole)}" if known else ""))
            self.received[a] = whole
        if node.grad is not None and node.grad.item is None:
            g = node.grad
            lines.insert(0, f"g {shape(node.shape)}: RMS {number(g.rms)}, min {number(g.min)}, max {number(g.max)}")
        words = ", ".join(sent[:MOST_SENT]) + (f", … {len(sent) - MOST_SENT} more" if len(sent) > MOST_SENT else "")
        return f"{clean(node.op)}: {words}" if words else clean(node.op), tuple(lines[:2 * MOST_SENT])


@lru_cache(1024)
def readable_rule(formula: str) -> str:
    """A rule on one line, without the underscores that mark names as private to a file."""
    return re.sub(r"\b_(?=\w)", "", clean(formula, LONG)) if formula else ""


def _called(node: GraphNode) -> str:
    return clean(node.name) or clean(node.op) or node.kind


def _item(summary: Summary | None) -> float | None:
    return float(summary.item) if summary is not None and isinstance(summary.item, (int, float)) else None


def _names(graph: Graph, node: GraphNode) -> Mapping[str, float]:
    """What the names in the rules of an op stand for, where it is known and a number."""
    found = {argument(node, arg): _item(graph.nodes[a].value) for arg, a in enumerate(node.inputs)}
    found |= {"g": _item(node.grad), "out": _item(node.value)}
    return {k: v for k, v in found.items() if v is not None}
