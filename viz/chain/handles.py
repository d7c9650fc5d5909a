"""What is meant by `w[0, 1]`, "fc1.weight[0, 1]", 7 with index=(0, 1): a graph, its scalar result, and an element."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.graph import Graph, graph
from autograd.graph.nodes import GraphNode
from autograd.graph.running import evaluate, op_named
from autograd.graph.text import title, typed

from .values import NO_MODULES, part

MOST_HELD = 1_000                              # tensors in a list of the caller that are looked at


class _Apart(Exception):
    """A tensor stands for no part of what another was computed from."""


class Asked(NamedTuple):
    """The derivative of the one output of a graph with respect to each of these elements."""

    graph: Graph
    elements: tuple[tuple[int, int], ...]      # (node, element in C order)


def asked(of: Any, wrt: Any, index: Any, around: Mapping[str, Any]) -> Asked:
    """Reads the arguments of `explain`.  `around`: the caller's variables, which may know the values of leaves."""
    if _is_tensor(wrt) and not _is_tensor(of):
        raise TypeError(f"explain: expected a Tensor, explain(loss, w[0, 1]), before a Tensor; got a "
                        f"{type(of).__name__}; of a Graph, give the name of the leaf: explain(graph, 'w', (0, 1)); a "
                        "function or module is traced first, autograd.trace(f)(*inputs)")
    if _is_tensor(of) and _is_tensor(wrt):
        return _of_tensors(of, wrt, index, around)
    if _is_tensor(of):
        record = _with_values(graph(of), (of,), around)
    elif isinstance(of, Graph):
        record = of
        if len(record.outputs) != 1:
            raise ValueError(f"explain: expected a graph with one output; got {len(record.outputs)}")
    else:
        raise TypeError("explain: expected a Tensor or a Graph, explain(loss, w[0, 1]) or explain(graph, 'w', (0, 1)); "
                        f"got {type(of).__name__}; of a function or module, trace it: "
                        "explain(autograd.trace(f)(*inputs), 'w', (0, 1))")
    if wrt is None:
        free = [n for n in record.nodes if n.kind != "op" and n.shape == () and _floating(n)]
        chosen = [n for n in free if n.requires_grad] or [n for n in free if n.kind == "input"]
        if not chosen or index is not None:
            found = ", ".join([f"{title(n)} {typed(n)}" for n in record.nodes if n.kind != "op" and _floating(n)])
            raise ValueError("explain: expected the element whose gradient to explain, explain(loss, w[0, 1]) or "
                             f"explain(graph, 'w', (0, 1)); got none, and leaves {found or 'none'}")
        elements = tuple([(n.id, 0) for n in chosen])
    else:
        elements = (_named(record, wrt, index),)
    return Asked(_scalar(record, record.outputs[0]), elements)


def _is_tensor(x: Any) -> bool:
    return hasattr(x, "requires_grad") and not isinstance(x, (type, GraphNode)) and hasattr(x, "shape")


def _with_values(record: Graph, tensors: tuple[Any, ...], around: Mapping[str, Any]) -> Graph:
    """The graph, with the values of leaves that the caller's variables hold, where it was made outside record()."""
    missing = {(n.shape, n.dtype) for n in record.nodes if n.kind != "op" and n.data is None}
    if not missing:
        return record
    held: dict[int, Any] = {}
    inside = [v for box in around.values() if isinstance(box, (list, tuple, dict)) and len(box) <= MOST_HELD
              for v in (box.values() if isinstance(box, dict) else box)]
    for v in [*around.values(), *inside]:
        if _is_tensor(v):
            held[id(v)] = v
        elif callable(getattr(type(v), "named_parameters", None)) and not isinstance(v, type):
            held |= {id(p): p for _, p in v.named_parameters()}
    known = [v for v in held.values() if v.is_leaf and (tuple(v.shape), str(v.dtype)) in missing]
    return graph(*tensors, *known) if known else record


def _floating(node: GraphNode) -> bool:
    return np.dtype(node.dtype).kind == "f"


def _of_tensors(of: Any, wrt: Any, index: Any, around: Mapping[str, Any]) -> Asked:
    record = _with_values(graph(of, wrt), (of, wrt), around)
    first, second = record.outputs[:2]
    try:
        node, at = _element(record, first, second, index)
    except _Apart:
        # explain(w[0, 1], loss) is as clear
        try:
            node, at = _element(record, second, first, index)
        except _Apart:
            raise ValueError(
                f"explain: expected a result and something that it was computed from; got {_told(of)} and "
                f"{_told(wrt)}, and neither was computed from the other: in `loss = f(w)`, explain(loss, w[0, 1])"
            ) from None
        first = second
    return Asked(_scalar(record, first), ((node, at),))


def _told(x: Any) -> str:
    return f"{x.name or 'a tensor'} {x.dtype}[{', '.join(map(str, x.shape))}]"


def _above(record: Graph, node: int) -> set[int]:
    found, stack = {node}, [node]
    while stack:
        for j in record.nodes[stack.pop()].inputs:
            if j not in found:
                found.add(j)
                stack.append(j)
    return found


def _element(record: Graph, end: int, handle: int, index: Any) -> tuple[int, int]:
    """The node among those `end` is computed from, and the element of it, that the tensor `handle` stands for.

    Raises _Apart where there is none.
    """
    above = _above(record, end)
    base = handle
    while base not in above:
        node = record.nodes[base]
        if node.kind != "op" or op_named(node.op).kind != "linear" or node.category not in ("shape", "index"):
            raise _Apart
        base = node.inputs[0]
    node = record.nodes[base]
    if not _floating(node):
        raise TypeError(f"explain: expected floating-point numbers to differentiate with respect to; got {title(node)} "
                        f"{typed(node)}")
    size = math.prod(node.shape)
    places = np.arange(size, dtype=np.float64).reshape(node.shape)
    if base != handle:
        views, _ = part(record.nodes, (handle,), {base: places if node.shape else places[()]})
        places = np.asarray(evaluate(views, {})[0].value)
    return base, _picked(places, index, title(node), typed(node))


def _picked(places: Any, index: Any, name: str, kind: str) -> int:
    """The one element that is left."""
    if index is not None:
        try:
            places = places[index]
        except (IndexError, TypeError) as error:
            raise IndexError(f"explain: expected an index into {name}, of shape {np.shape(places)}; got {index!r} "
                             f"({error})") from None
    if np.size(places) != 1:
        example = ", ".join(["0"] * np.ndim(places))
        raise ValueError(f"explain: expected one element of {name} {kind}; got {np.size(places):,} of shape "
                         f"{np.shape(places)}: give an index, as in w[{example}]")
    return int(np.reshape(places, -1)[0])


def found(record: Graph, wrt: Any, who: str) -> GraphNode:
    """The node with this id, "%id", name or op."""
    if isinstance(wrt, int) and not isinstance(wrt, bool):
        if not 0 <= wrt < len(record.nodes):
            raise LookupError(f"{who}: expected the id of a node, 0 to {len(record.nodes) - 1}; got {wrt}")
        return record.nodes[wrt]
    if not isinstance(wrt, str):
        raise TypeError(f"{who}: expected the name or the id of a node; got {type(wrt).__name__}")
    for key in ("name", "op", "module"):
        at = [n for n in record.nodes if wrt == getattr(n, key) or (key == "name" and wrt == f"%{n.id}")]
        if len(at) == 1:
            return at[0]
        if at:
            shown = ", ".join([f"{title(n)} {typed(n)}" + (f" at {n.line}" if n.line else "") for n in at[:8]])
            raise LookupError(f"{who}: expected what one node is called; got {wrt!r}, which is {len(at)}: {shown}"
                              f"{', ...' if len(at) > 8 else ''}; give the id, as in {at[0].id}")
    known = ", ".join(dict.fromkeys([n.name or n.op for n in record.nodes if n.name or n.op]))
    raise LookupError(f"{who}: expected the name, op or id of a node ({known}); got {wrt!r}")


def split(name: Any, index: Any) -> tuple[Any, Any]:
    """("w", (0, 1)) of "w[0, 1]"."""
    if not isinstance(name, str) or index is not None or not name.endswith("]"):
        return name, index
    stem, _, inside = name[:-1].rpartition("[")
    try:
        return (stem, ast.literal_eval(inside)) if stem else (name, index)
    except (ValueError, SyntaxError):
        return name, index


def _named(record: Graph, wrt: Any, index: Any) -> tuple[int, int]:
    if not any(n.name == wrt for n in record.nodes):
        wrt, index = split(wrt, index)
    node = found(record, wrt, "explain")
    if not _floating(node):
        raise TypeError(f"explain: expected floating-point numbers to differentiate with respect to; got {title(node)} "
                        f"{typed(node)}")
    places = np.arange(math.prod(node.shape)).reshape(node.shape)
    return node.id, _picked(places, index, title(node), typed(node))


def _scalar(record: Graph, end: int) -> Graph:
    """The graph of one scalar output; ids stay."""
    node = record.nodes[end]
    if math.prod(node.shape) != 1:
        raise ValueError(f"explain: expected a scalar result; got {title(node)} {typed(node)}: explain one element of "
                         "it, explain(y[0, 2], w[0, 1]), or its sum")
    if not _floating(node):
        raise TypeError(f"explain: expected a floating-point result; got {title(node)} {typed(node)}")
    return Graph(record.nodes, (end,), record.modules or NO_MODULES, given=())
