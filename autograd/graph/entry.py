"""`graph(loss)`, `trace(f)(*examples)`, `loss.graph()`: how a graph is asked for.

Everything behind these is imported when a graph is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..tensor import Tensor

if TYPE_CHECKING:
    from .graphs import Graph


def graph(*outputs: Tensor | Sequence[Tensor]) -> Graph:
    """The graph of what the tensors were computed from.

    Values, source lines and module paths are there for what was computed inside `record()`.  Tensors without a name
    are called as the variables of the caller that hold them; where a small graph has lost values of leaves, and the
    variables hold the ones it was computed with, it has these and the values of all steps.
    """
    tensors = [t for out in outputs for t in ([out] if isinstance(out, Tensor) else out)]
    if not tensors or not all(isinstance(t, Tensor) for t in tensors):
        raise TypeError(f"graph: expected tensors; got {', '.join(type(o).__name__ for o in outputs) or 'nothing'}")
    from .filling import filled_in, worth_filling
    from .graphs import Graph
    from .naming import told
    from .reading import Known, aliases_of, lines, node_of
    variables = told()
    roots = [node_of(t) for t in tensors]
    values = {r: t.value for r, t in zip(roots, tensors, strict=True)}
    known = Known(values, {}, aliases=aliases_of(roots), names=variables.names, cuts=variables.cuts)
    nodes, at, modules = lines(roots, known)
    made = Graph(nodes, at, MappingProxyType(modules))
    if variables.values and worth_filling(nodes):
        leaves = {node: value for node, value in variables.values.items() if node.op is None}
        guess = made._replace(nodes=lines(roots, known._replace(values={**leaves, **values}))[0])
        made = filled_in(guess, [t.value for t in tensors]) or made
    return made


def trace(f: Any, /, *inputs: Any, **named: Any) -> Any:
    """`trace(f)(*examples)`: the graph of a function or Module, by running it once with these arguments.

    Arguments are arrays, Tensors and numbers, or dicts, lists and tuples of them, by position or by name.  Values,
    source lines and module paths are kept.  What the function brings along is its own: leaves that require a gradient
    are parameters, and the rest is constant.  Python's own control flow is in the graph as it went with the examples.

    trace(f, *examples) is the same.  Of a matrix, trace(x) is the sum of its diagonal.
    """
    if not callable(f):
        from ..ops.arrange import trace as sum_of_diagonal
        return sum_of_diagonal(f, *inputs, **named)
    if inputs or named:
        return _traced(f, inputs, named)

    def tracing(*examples: Any, **named: Any) -> Graph:
        return _traced(f, examples, named)
    return tracing


def _traced(f: Callable[..., Any], examples: tuple[Any, ...], named: dict[str, Any]) -> Graph:
    from .graphs import Graph
    from .running import check
    from .tracing import traced
    if isinstance(f, Graph):
        from .again import again
        return Graph(**again(f, examples, named))
    parts = traced(f, examples, named)
    made = Graph(parts.nodes, parts.outputs, MappingProxyType(parts.modules), parts.takes, parts.gives,
                 tuple(range(parts.arguments)), bound=parts.bound)
    check(made, parts.results)
    return made


for _name, _method in {"graph": lambda self: graph(self)}.items():
    setattr(Tensor, _name, _method)                 # loss.graph()
