"""A computation as plain data: `graph = autograd.trace(f)(*examples)`, `graph = loss.graph()`.

Nothing but these two ways in is loaded before a graph is asked for.
"""

from typing import TYPE_CHECKING, Any

from .entry import graph as graph
from .entry import trace as trace

if TYPE_CHECKING:
    from .difference import Change as Change
    from .difference import Diff as Diff
    from .graphs import Graph as Graph
    from .nodes import GraphNode as GraphNode
    from .nodes import Summary as Summary
    from .nodes import summary as summary
    from .passes import algebra as algebra
    from .passes import common_subexpressions as common_subexpressions
    from .passes import constant_folding as constant_folding
    from .passes import dead_code as dead_code
    from .text import readable as readable

_HOMES = {
    "Graph": "graphs", "GraphNode": "nodes", "Summary": "nodes", "summary": "nodes", "Diff": "difference",
    "Change": "difference", "algebra": "passes", "common_subexpressions": "passes", "constant_folding": "passes",
    "dead_code": "passes", "readable": "text",
}
__all__ = ["graph", "trace", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autograd.graph' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
