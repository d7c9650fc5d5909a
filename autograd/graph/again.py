"""A graph run again and recorded: for the same program at other sizes, and for its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..modes import enable_grad
from ..node import Node
from ..tensor import Tensor, wrap
from .nodes import GraphNode, is_weak
from .reading import node_of
from .running import Watch, arguments, evaluate
from .sweeping import Step
from .tracing import Tracer, read

if TYPE_CHECKING:
    from .graphs import Graph


class Recording(Tracer, Watch):
    """A recording of a graph that runs: each line of it stems from one of the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[int, Step] = {}

    def note(self, node: Node, value: Any) -> None:
        super().note(node, value)
        if not self.known and node.extra is not None:      # the shapes are right, the values mean nothing
            node.extra.value = None

    def before(self, node: GraphNode) -> None:
        self.source = node

    def after(self, operands: list[Any], result: Tensor) -> None:
        if result.node is not None and self.source is not None:
            self.steps[self.source.id] = Step(operands, result)

    def leaves_of(self, graph: Graph, given: Mapping[int, Tensor], live: set[int]) -> dict[int, Tensor]:
        """A tensor for each leaf that is used, or that a call asks for; gradients flow to those in `live`."""
        used = {j for node in graph.nodes for j in node.inputs} | set(graph.outputs) | set(graph.inputs)
        made: dict[int, Tensor] = {}
        for node in graph.nodes:
            if node.kind == "op" or node.id not in used or is_weak(node):
                continue
            value = given[node.id].value if node.id in given else node.data
            if value is None:
                self.known = False
            tensor = made[node.id] = wrap(_stand_in(node) if value is None else value)
            if node.id in live:
                tensor.requires_grad_()
            self.values[node_of(tensor)] = value
            self.leaves[node_of(tensor)] = (node.kind, node.name)
            self.own(node_of(tensor), tensor.value)
        return made


def again(graph: Graph, args: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the graph of the same program with these arguments: shapes and values are theirs."""
    recording = Recording()
    leaves = recording.leaves_of(graph, arguments(graph, args, named), {
        n.id for n in graph.nodes if n.kind != "op" and n.requires_grad})
    with recording, enable_grad():
        outputs = evaluate(graph, leaves, recording)
    inputs = [leaves[i] for i in graph.inputs]
    nodes, at, _ = read(recording, outputs, [node_of(t) for t in inputs])
    return {"nodes": nodes, "outputs": at, "modules": MappingProxyType(dict(graph.modules)), "takes": graph.takes,
            "gives": graph.gives, "given": tuple(range(len(inputs))), "fixed": graph.fixed, "bound": graph.bound}


def _stand_in(node: GraphNode) -> Any:
    """Something of the right type where the record has no value: ones, and zeros for integers, which may be indices."""
    return np.full(node.shape, np.dtype(node.dtype).kind in "fc", node.dtype)[()]
