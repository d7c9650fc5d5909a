"""A graph written again, line by line: what every pass does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .costs import flops, formulas
from .nodes import GraphNode
from .reading import attributes
from .running import op_named
from .text import sentence

if TYPE_CHECKING:
    from .graphs import Graph


class Rewriter:
    """Takes the nodes of a graph in order; each is kept, put in another form, or another used in its place."""

    def __init__(self, graph: Graph) -> None:
        self.before = graph
        self.nodes: list[GraphNode] = []
        self.at: dict[int, int] = {}                # id before -> id now
        self.news: list[str] = []

    def inputs(self, node: GraphNode) -> tuple[int, ...]:
        """The inputs of a node, by their ids now."""
        return tuple([self.at[i] for i in node.inputs])

    def keep(self, node: GraphNode) -> int:
        """The node as it is."""
        inputs, now = self.inputs(node), len(self.nodes)
        self.at[node.id] = now
        self.nodes.append(node if node.id == now and inputs == node.inputs else node._replace(id=now, inputs=inputs))
        return now

    def put(self, node: GraphNode, made: GraphNode) -> int:
        """Another node, whose inputs have their ids of now, in the place of one."""
        made = made._replace(id=len(self.nodes))
        self.at[node.id] = made.id
        self.nodes.append(made)
        return made.id

    def use(self, node: GraphNode, i: int) -> None:
        """A node that is there already, in the place of one."""
        self.at[node.id] = i

    def step(self, node: GraphNode, name: str, inputs: tuple[int, ...], **attrs: Any) -> GraphNode:
        """Another op with the result of `node`."""
        op = op_named(name)
        operands = [self.nodes[i] for i in inputs]
        return node._replace(
            op=name, category=op.category, symbol=op.symbol, inputs=inputs, attrs=attributes(op, attrs), absent=(),
            formula=formulas(op, len(inputs)), saved=op.kept_names if node.requires_grad else (),
            keeps=(), saved_bytes=0, nbytes=math.prod(node.shape) * np.dtype(node.dtype).itemsize,
            flops=flops(op, attrs, node.shape, [k.shape for k in operands]))

    def say(self, what: str, node: GraphNode, how: str) -> None:
        """One line of the report."""
        at = f"   # {node.line}" if node.line else ""
        self.news.append(f"{what:<12}%{node.id} {sentence(self.before.nodes, node)} {how}{at}")

    def graph(self) -> Graph:
        """The graph as it was written; the old one where nothing changed."""
        before = self.before
        if not self.news and len(self.nodes) == len(before.nodes):
            return before
        return before._replace(
            nodes=tuple(self.nodes), outputs=tuple([self.at[i] for i in before.outputs]),
            given=tuple([self.at[i] for i in before.inputs]), report=(*before.report, *self.news))
