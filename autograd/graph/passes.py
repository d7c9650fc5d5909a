"""Passes: a graph in, a graph that computes the same out, and a report of what changed.

    dead_code                what no output is computed from goes; inputs stay, for the call stays what it was
    common_subexpressions    what is computed twice is computed once                                     to the bit
    constant_folding         what is computed from constants alone becomes a constant                    to the bit
    algebra                  identities: see identities.py                      to the bit, but for the sign of a zero

Gradients are those of the original to roundoff: where two lines became one, their gradients are added in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .identities import identity_of
from .nodes import GraphNode, frozen, leaf_node
from .rewriting import Rewriter
from .running import evaluate
from .text import counted, sentence, title

if TYPE_CHECKING:
    from .graphs import Graph

SMALL = 1 << 20                                     # bytes: a constant may grow to this by folding
COMMUTATIVE = {"add", "multiply", "eq", "ne", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or",
               "bitwise_xor"}


def simplify(graph: Graph, passes: tuple[Callable[[Graph], Graph], ...]) -> Graph:
    """The passes (all, by default), in turn, until a round changes nothing.  See `Graph.simplify`."""
    before = after = graph
    while True:
        start = after
        for step in passes or ALL:
            after = step(after)
        if len(after.report) == len(start.report):
            break
    news = after.report[len(before.report):]
    if not news:
        return before
    steps = [sum(n.kind == "op" for n in g.nodes) for g in (before, after)]
    return after._replace(report=(
        *before.report, f"simplify: {steps[0]} steps -> {steps[1]}, {counted(before.flops, 'FLOP')} -> "
        f"{counted(after.flops, 'FLOP')}, {counted(before.nbytes, 'B')} of results -> {counted(after.nbytes, 'B')}",
        *news))


def dead_code(graph: Graph) -> Graph:
    """Without the nodes that no output is computed from.  Inputs stay."""
    live = [False] * len(graph.nodes)
    for i in (*graph.outputs, *graph.inputs):
        live[i] = True
    for node in reversed(graph.nodes):
        if live[node.id]:
            for j in node.inputs:
                live[j] = True
    out = Rewriter(graph)
    for node in graph.nodes:
        if live[node.id]:
            out.keep(node)
        elif node.kind == "op":
            out.say("dead code", node, "is used by nothing")
    return out.graph()


def common_subexpressions(graph: Graph) -> Graph:
    """Each computation once: nodes with the same op, operands and attributes are one.  So are equal constants."""
    out = Rewriter(graph)
    first: dict[Any, int] = {}
    for node in graph.nodes:
        key = _key(node, out.inputs(node))
        if key is None:
            out.keep(node)
        elif key in first:
            out.use(node, first[key])
            out.say("common", node, f"is {title(out.nodes[first[key]])} again")
        else:
            first[key] = out.keep(node)
    return out.graph()


def _key(node: GraphNode, inputs: tuple[int, ...]) -> Any:
    """Equal for nodes that compute the same; None for those that stay themselves."""
    if node.kind == "op":
        if node.op in COMMUTATIVE:
            inputs = tuple(sorted(inputs))
        return node.op, inputs, node.absent, hashable(node.attrs), node.dtype
    return ("constant", hashable(node.data)) if node.kind == "constant" and node.data is not None else None


def hashable(v: Any) -> Any:
    """An attribute or value as a key: equal for what is the same to the bit and of one type."""
    if isinstance(v, (np.ndarray, np.generic)):
        return type(v).__name__ == "ndarray", v.dtype.str, v.shape, v.tobytes()
    if isinstance(v, (tuple, list)):
        return type(v), tuple([hashable(k) for k in v])
    if isinstance(v, slice):
        return slice, hashable((v.start, v.stop, v.step))
    if hasattr(v, "items"):
        return tuple(sorted([(k, hashable(w)) for k, w in v.items()], key=repr))
    return type(v), repr(v) if isinstance(v, (float, complex)) else v


def constant_folding(graph: Graph) -> Graph:
    """What is computed from constants alone is a constant, unless that would be far larger than what it is made of."""
    out = Rewriter(graph)
    for node in graph.nodes:
        operands = [out.nodes[i] for i in out.inputs(node)]
        if node.kind != "op" or not operands or any(k.kind != "constant" or k.data is None for k in operands) or (
                node.nbytes > max(SMALL, sum(k.nbytes for k in operands))):
            out.keep(node)
            continue
        small = [k._replace(id=j) for j, k in enumerate(operands)]
        step = node._replace(id=len(small), inputs=tuple(range(len(small))))
        value, = evaluate(graph._replace(nodes=(*small, step), outputs=(step.id,), given=(), takes=None, gives=None),
                          {})
        made = leaf_node(0, "constant", "", frozen(value.value))
        made = made._replace(module=node.module, line=node.line)
        i = out.put(node, made)
        out.say("folded", node, f"is {title(out.nodes[i]).partition(' ')[2] or 'a constant'}")
    return out.graph()


def algebra(graph: Graph) -> Graph:
    """By identities that change no value (but, of x + 0, the sign of a zero) and no derivative: see identities.py."""
    out = Rewriter(graph)
    for node in graph.nodes:
        found = identity_of(node, out) if node.kind == "op" else None
        if found is None:
            out.keep(node)
        elif isinstance(found, int):
            out.use(node, found)
            out.say("algebra", node, f"is {title(out.nodes[found])}")
        else:
            i = out.put(node, found)
            out.say("algebra", node, f"is {sentence(out.nodes, out.nodes[i])}")
    return out.graph()


ALL = (algebra, common_subexpressions, constant_folding, dead_code)
