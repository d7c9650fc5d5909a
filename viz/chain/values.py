"""A graph with its numbers: in float64, every result kept; and parts of it as graphs of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from autograd.graph.graphs import Graph
from autograd.graph.nodes import GraphNode, is_weak, leaf_node
from autograd.graph.running import Watch, evaluate
from autograd.graph.text import title, typed

NO_MODULES: Mapping[str, str] = MappingProxyType({})


class Numbers(NamedTuple):
    """A graph in float64, and by id the value of every node."""

    graph: Graph
    values: list[Any]                          # arrays, NumPy scalars and Python numbers

    def element(self, node: int, at: int) -> float:
        """One element, counted in C order."""
        return float(np.asarray(self.values[node]).reshape(-1)[at])


class _Keeper(Watch):
    """Keeps every result of a run."""

    def __init__(self, values: list[Any]) -> None:
        self.values, self.at = values, -1

    def before(self, node: GraphNode) -> None:
        self.at = node.id

    def after(self, operands: list[Any], result: Any) -> None:
        self.values[self.at] = result.value


def numbers(graph: Graph, who: str) -> Numbers:
    """Runs a graph again, in float64, with the leaves of the record.

    Raises ValueError where the record has no value for a leaf, TypeError for complex numbers.
    """
    nodes = tuple([_widened(node, who) for node in graph.nodes])
    used = {j for node in nodes for j in node.inputs} | set(graph.outputs)
    missing = [graph.nodes[n.id] for n in nodes if n.kind != "op" and n.data is None and n.id in used]
    if missing:
        raise ValueError(
            f"{who}: expected a graph that holds the values of its leaves; got none for "
            f"{', '.join([f'{title(n)} {typed(n)}' for n in missing[:4]])}{', ...' if len(missing) > 4 else ''}, for "
            "it was computed outside autograd.record(): compute it inside `with autograd.record():`, or trace the "
            "function, graph = autograd.trace(f)(*inputs)")
    wide = graph._replace(nodes=nodes, bound=())
    values: list[Any] = [node.data for node in nodes]
    evaluate(wide, {}, _Keeper(values))
    for i in graph.outputs:
        _check_unchanged(graph.nodes[i], values[i], who)
    return Numbers(wide, values)


def _check_unchanged(node: GraphNode, value: Any, who: str) -> None:
    """ValueError where the values at hand are not those that the result was computed with."""
    then = node.value.item if node.value is not None else None
    if not isinstance(then, float) or np.size(value) != 1:
        return
    now = float(np.reshape(value, -1)[0])
    near = {"float64": 1e-9, "float32": 1e-4}.get(node.dtype, 1e-2)
    if abs(now - then) > near * max(1.0, abs(then)):
        raise ValueError(f"{who}: expected the values that {title(node)} was computed with; got others, which give "
                         f"{now!r} and not {then!r}: they were changed since (by an optimizer's step?); compute it "
                         "again inside `with autograd.record():`")


def _widened(node: GraphNode, who: str) -> GraphNode:
    """The node in float64."""
    if np.dtype(node.dtype).kind == "c":
        raise TypeError(f"{who}: expected real numbers; got {title(node)} {typed(node)}, for which a derivative is "
                        "two numbers: explain its real or imaginary part computed from real inputs")
    data = node.data
    if node.kind != "op":
        if data is None and node.shape == () and node.value is not None and node.value.item is not None:
            data = node.value.item             # a number of which only the summary was kept
        if data is not None and np.dtype(node.dtype).kind == "f" and not is_weak(node):
            data = np.asarray(data, np.float64)
            data = data[()] if data.ndim == 0 else data
    attrs = node.attrs
    if any(isinstance(v, np.dtype) and v.kind == "f" for v in attrs.values()):
        attrs = MappingProxyType({k: np.dtype(np.float64) if isinstance(v, np.dtype) and v.kind == "f" else v
                                  for k, v in attrs.items()})
    dtype = "float64" if np.dtype(node.dtype).kind == "f" else node.dtype
    return node._replace(data=data, attrs=attrs, dtype=dtype)


def needed_for(outputs: Iterable[int], inputs: Callable[[int], Iterable[int]]) -> set[int]:
    """The nodes that the outputs are computed from, themselves among them."""
    stack = list(outputs)
    needed = set(stack)
    while stack:
        for j in inputs(stack.pop()):
            if j not in needed:
                needed.add(j)
                stack.append(j)
    return needed


def part(nodes: tuple[GraphNode, ...], outputs: Iterable[int], leaves: Mapping[int, Any]
         ) -> tuple[Graph, dict[int, int]]:
    """What computes the outputs, with the nodes in `leaves` given by their values; and the new id of each old one.

    Of what is given, floating-point leaves are inputs that gradients flow to.
    """
    outputs = tuple(outputs)
    needed = needed_for(outputs, lambda i: () if i in leaves else nodes[i].inputs)
    ids: dict[int, int] = {}
    made: list[GraphNode] = []
    for node in nodes:
        if node.id not in needed:
            continue
        ids[node.id] = len(made)
        if node.id in leaves:
            made.append(given(len(made), leaves[node.id], node.name))
        else:
            made.append(node._replace(id=len(made), inputs=tuple([ids[j] for j in node.inputs])))
    return Graph(tuple(made), tuple([ids[i] for i in outputs]), NO_MODULES, given=()), ids


def given(position: int, value: Any, name: str = "") -> GraphNode:
    """A leaf known by its value; a gradient flows to it if it is a floating-point array or NumPy number."""
    if isinstance(value, np.ndarray) and value.flags.writeable:
        value = value.view()
        value.flags.writeable = False
    flows = isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f"
    return leaf_node(position, "input" if flows else "constant", name, value)._replace(requires_grad=flows)


def gradients(nodes: tuple[GraphNode, ...], values: list[Any], output: int, wrt: Iterable[int],
              suffix: Mapping[int, Any] | None = None) -> dict[int, np.ndarray]:
    """The engine's own gradients of a scalar node with respect to other nodes, by id; those that no path leads to
    are left out.  `suffix`: further nodes that are taken as given."""
    wanted = list(wrt)
    leaves = {i: values[i] for i in wanted} | dict(suffix or {})
    if output in leaves:
        return {output: np.ones(np.shape(values[output]))}
    graph, ids = part(nodes, (output,), leaves)
    reached = [i for i in wanted if i in ids]
    if not reached:
        return {}
    try:
        found = graph.backward([f"%{ids[i]}" for i in reached])()
    except RuntimeError:                       # GradientError: no path
        return {}
    known = dict(found)
    names = [graph.nodes[ids[i]].name for i in reached]
    result = {}
    for i, name in zip(reached, names, strict=True):
        key = name if name and names.count(name) == 1 and name in known else f"%{ids[i]}"
        if key in known:
            result[i] = np.asarray(known[key], np.float64)
    return result
