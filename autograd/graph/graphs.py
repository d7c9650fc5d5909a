"""`Graph`: a computation as plain data, which prints, runs, differentiates, simplifies and goes to JSON and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .nodes import GraphNode

if TYPE_CHECKING:
    from .difference import Diff


class Graph(NamedTuple):
    """Nodes in topological order: node.id is its position, and its inputs stand before it.

    A graph holds no tensors, and nobody can change it: its arrays are copies, and read-only.  It comes from

        graph = autograd.trace(f)(*examples)        what a function or module does with these inputs
        graph = loss.graph()                        what a tensor was computed from

    and `graph(*inputs)` runs it, `graph.backward()` is the graph of its gradients, `graph.simplify()` the same
    program in fewer steps, `a.diff(b)` what distinguishes two, `print(graph)` one line a node.
    """

    nodes: tuple[GraphNode, ...]
    outputs: tuple[int, ...]
    modules: Mapping[str, str]              # dotted path -> class name
    takes: Any = None                       # (name, form) of each argument: see trees.py; None: the inputs, one by one
    gives: Any = None                       # the form of the result; None: the one output, or a tuple of them
    given: tuple[int, ...] | None = None    # ids of the inputs in order; None: all nodes of the kind "input"
    fixed: str = ""                         # why it runs at the sizes it was made with only, if so
    bound: tuple[tuple[str, tuple[int, ...]], ...] = ()    # (line at which values chose what is computed, which: the
    #                                         positions of inputs, -1 for parameters): it runs with those values only
    report: tuple[str, ...] = ()            # what the passes that made it changed, one line each

    # -- what is in it ---------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[int, ...]:
        """The ids of the inputs, in the order in which a call takes them."""
        return self.given if self.given is not None else tuple([n.id for n in self.nodes if n.kind == "input"])

    @property
    def arguments(self) -> tuple[tuple[str, Any], ...]:
        """(name, form) of each argument of a call."""
        if self.takes is not None:
            return self.takes
        return tuple([(self.nodes[i].name or f"%{i}", k) for k, i in enumerate(self.inputs)])

    @property
    def parameters(self) -> dict[str, int]:
        """Name (or "%id") -> id of the leaves that are learned."""
        return {n.name or f"%{n.id}": n.id for n in self.nodes if n.kind == "parameter"}

    @property
    def flops(self) -> int:
        """Floating-point operations of one run."""
        return sum([n.flops for n in self.nodes])

    @property
    def nbytes(self) -> int:
        """Memory of all results, in bytes."""
        return sum([n.nbytes for n in self.nodes if n.kind == "op"])

    # -- as text ---------------------------------------------------------------------------------------

    def text(self, values: bool = False, costs: bool = False) -> str:
        """One typed line a node; with `values` what was recorded of each, with `costs` its FLOPs and bytes."""
        from .text import text
        return text(self, values, costs)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        from .text import SHORT, text
        return text(self, most=SHORT)

    def diff(self, other: Graph) -> Diff:
        """What makes `other` of this graph: nodes removed, added and changed.  Prints; false where nothing differs."""
        from .difference import diff
        return diff(self, other)

    # -- to JSON and back ------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The graph, with the arrays it holds, as JSON text; `Graph.from_json` reads it back."""
        from .exchange import to_json
        return to_json(self)

    @staticmethod
    def from_json(text: str) -> Graph:
        """The graph that `to_json` wrote.  Raises ValueError for anything else."""
        from .exchange import fields
        return Graph(**fields(text))

    def __reduce__(self) -> Any:
        return Graph.from_json, (self.to_json(),)

    def __hash__(self) -> int:
        return hash((self.nodes, self.outputs))

    def __deepcopy__(self, memo: Any) -> Graph:
        return self                                 # nobody can change it

    # -- run, differentiate ----------------------------------------------------------------------------

    def __call__(self, /, *inputs: Any, **named: Any) -> Any:
        """What the graph computes: arrays in, arrays out; a Tensor anywhere in, Tensors out, and gradients flow.

        Inputs by position or by name; parameters and other leaves are those of the record, or given by name:
        graph(x, **model.state_dict()).  Without any argument the inputs are those of the record.  At other sizes
        than it was traced with, a graph runs where what follows the batch is certain.

        Raises TypeError for arguments it has no place for, ShapeError for shapes that it cannot take, ValueError for
        other values where those it was traced with chose what is computed (`bound`).
        """
        from .running import run
        return run(self, inputs, named)

    def backward(self, wrt: str | Iterable[str] | None = None) -> Graph:
        """The graph of the gradients with respect to the leaves named in `wrt`: {name: gradient}.

        By default these are the leaves that require a gradient, and, where none does, the floating-point inputs.  It
        takes what this graph takes, and for each output that is no scalar the gradient of the quantity of interest
        with respect to that output ("grad", or "grad[0]", ...).  Leaves that no path leads to are left out.

        Raises GradientError where there is nothing to differentiate, LookupError for a name that is no leaf's.
        """
        from .derivative import backward
        return Graph(**backward(self, wrt))

    # -- passes: each returns a graph that computes the same -------------------------------------------

    def simplify(self, *passes: Callable[[Graph], Graph]) -> Graph:
        """The same computation in fewer steps; `.report` says what changed, `before.diff(after)` shows it.

        Runs `passes` (by default algebra, common subexpressions, constant folding, dead code) until nothing changes.
        """
        from .passes import simplify
        return simplify(self, passes)
