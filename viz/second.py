"""The graph of second order: the derivative of the gradient, as a computation of its own.

    f  ->  its gradient  ->  the gradient of that, along a direction: f″, or the Hessian times a vector
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.graph import Graph

STAGES = ("function", "gradient", "second-order")
WORDS = {"function": "f", "gradient": "f′", "second-order": "f″"}


def second_order(graph: Graph) -> Graph:
    """The simplified graph of the derivative of the gradient of a scalar, its steps told apart by what they are for.

    Of numbers: the derivative of the sum of all first derivatives (f″, where there is one variable).  Of arrays: the
    Hessian times the vector `grad`, which is an input.
    Raises ValueError where the result is no scalar, or its gradient does not depend on anything.
    """
    sizes = [graph.nodes[i].shape for i in graph.outputs]
    if len(sizes) != 1 or any(n != 1 for n in sizes[0]):
        got = ", ".join(str(s) for s in sizes) or "nothing"
        raise ValueError(f"draw: expected one scalar, for a picture of second order; got results of shape {got}; sum "
                         "or average it first")
    wants = any(n.requires_grad for n in graph.nodes if n.kind != "op")
    try:
        first = graph.backward()
    except (ArithmeticError, RuntimeError, ValueError) as error:
        if wants:
            raise
        raise ValueError("draw: expected a result that depends on something that requires a gradient, for a picture "
                         "of second order; got none: make it a Tensor(..., requires_grad=True)") from error
    try:
        second = first.backward().simplify()
    except (ArithmeticError, RuntimeError, ValueError) as error:
        raise ValueError("draw: expected a function that bends, for a picture of second order; got one whose gradient "
                         "is the same everywhere, so that its derivative is zero: draw it with "
                         'direction="backward"') from error
    known: dict[Any, int] = {}
    before, between = _keys(graph.simplify(), known), _keys(first.simplify(), known)
    nodes = []
    called = ["" if name.startswith("%") else f" {name}" for name, _ in second.gives[1:]]
    titles = dict(zip(second.outputs, called, strict=True))
    for node, key in zip(second.nodes, _all_keys(second, known), strict=True):
        if node.kind == "op":
            stage = STAGES[0] if key in before else STAGES[1] if key in between else STAGES[2]
            name = f"f″{titles[node.id]}" if node.id in titles else node.name
            node = node._replace(name=name, module=f"{stage}.{node.module}" if node.module else stage)
        nodes.append(node)
    modules = {**WORDS, **{f"{stage}.{path}": kind for stage in STAGES for path, kind in second.modules.items()}}
    return second._replace(nodes=tuple(nodes), modules=MappingProxyType(modules))


def _keys(graph: Graph, known: dict[Any, int]) -> set[int]:
    """What the steps of a graph compute, as numbers."""
    keys = _all_keys(graph, known)
    return {key for node, key in zip(graph.nodes, keys, strict=True) if node.kind == "op"}


def _all_keys(graph: Graph, known: dict[Any, int]) -> list[int]:
    """A number for each node: equal where the same op was done to the same things, in whichever graph."""
    keys: list[int] = []
    for node in graph.nodes:
        what: Any
        if node.kind == "op":
            what = node.op, node.shape, node.dtype, str(dict(node.attrs)), tuple([keys[i] for i in node.inputs])
        elif node.kind == "constant":
            what = "constant", node.shape, node.dtype, str(node.data)
        else:
            what = node.kind, node.name or node.id, node.shape, node.dtype
        keys.append(known.setdefault(what, len(known)))
    return keys
