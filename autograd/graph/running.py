"""A graph run again: with other inputs, other parameters, at other batch sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..call import OPS, apply
from ..errors import GradientError, ShapeError
from ..modes import outside_recording
from ..op import Op
from ..tensor import Tensor, wrap
from .cut import aside, detach
from .nodes import GraphNode, filled, is_weak, operands_in
from .sizes import Sizes
from .text import line, title, typed
from .trees import places, rebuild, spread

if TYPE_CHECKING:
    from .graphs import Graph

_KINDS = {"b": "bool", "i": "integer", "u": "integer", "f": "floating-point", "c": "complex"}


def op_named(name: str) -> Op:
    """The op of that name; all families of ops are imported if it is none of those at hand."""
    if name == "detach" and name not in OPS:
        return detach()
    of = name.partition(".")[0]
    if of not in OPS:
        from .families import load
        load()
    if of != name:
        return aside(name)
    if name not in OPS:
        raise LookupError(f"graph: expected an op that is declared in this process; got {name!r}, which is none of "
                          f"the {len(OPS)} known: import what declares it (nn, or a module of your own) first")
    return OPS[name]


def run(graph: Graph, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """What the graph computes, in the form in which the function returned it: see `Graph.__call__`."""
    given = arguments(graph, args, named)
    tensors = any(isinstance(v, Tensor) for v in (*args, *named.values()))
    results: list[Any] = evaluate(graph, given)
    if not tensors:
        tensors = any(isinstance(v, Tensor) for tree in (args, tuple(named.values())) for v in _leaves(tree))
    if not tensors:
        results = [r.value for r in results]
    if graph.gives is not None:
        return rebuild(graph.gives, results)
    return results[0] if len(results) == 1 else tuple(results)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    return [v for part in tree for v in _leaves(part)] if isinstance(tree, (list, tuple)) else [tree]


def arguments(graph: Graph, args: tuple[Any, ...], named: Mapping[str, Any]) -> dict[int, Tensor]:
    """The leaves that are given, by id.  Without any argument, the inputs are those of the record; of a graph that
    is no trace, also those inputs that are not given, for nobody said what they are.

    Raises TypeError for an argument too many, too few or unknown; ShapeError for one of another rank, or, of a
    parameter, another shape.
    """
    given: dict[int, Any] = {}
    if len(args) > len(graph.arguments):
        raise TypeError(f"graph: expected {_asked(graph)}; got {len(args)} positional arguments")
    for (name, form), tree in zip(graph.arguments, args):
        _place(graph, form, tree, name, given)
    if named:
        left = dict(graph.arguments[len(args):])
        by_name = _by_name(graph)
        for name, tree in named.items():
            if name in left:
                _place(graph, left[name], tree, name, given)
            elif len(by_name.get(name, ())) == 1:
                given[by_name[name][0]] = tree
            elif name in by_name:
                ids = [f"%{i}" for i in by_name[name]]
                raise TypeError(f"graph: expected a name that one leaf has; got {name!r}, which {' and '.join(ids)} "
                                f"have: give the id, graph(..., **{{{ids[0]!r}: ...}})")
            else:
                known = ", ".join([n for n in by_name if not n.startswith("%")])
                raise TypeError(f"graph: expected the names of its inputs and parameters ({known}); got {name!r}")
    missing = [i for i in graph.inputs if i not in given and (graph.takes is not None or graph.nodes[i].data is None)]
    if missing and not given.keys().isdisjoint(graph.inputs):
        got = ", ".join([title(graph.nodes[i]) for i in given]) or "none"
        raise TypeError(f"graph: expected {_asked(graph)}; got {got} and no "
                        f"{', '.join([title(graph.nodes[i]) for i in missing])}")
    checked = {i: _checked(graph.nodes[i], v) for i, v in given.items()}
    if graph.bound:
        _check_bound(graph, checked)
    return checked


def _check_bound(graph: Graph, given: dict[int, Tensor]) -> None:
    places = {k for _, places in graph.bound for k in places}
    ids = {graph.inputs[k] for k in places if k >= 0}
    for i, tensor in given.items():
        data = graph.nodes[i].data
        if i not in ids and (-1 not in places or i in graph.inputs):
            continue
        if data is None or not np.array_equal(tensor.value, data, equal_nan=tensor.dtype.kind in "fc"):
            raise ValueError(
                f"graph: expected {title(graph.nodes[i])} to have the values it was traced with, for they chose what "
                f"is computed at {', '.join([line for line, _ in graph.bound])} (the order of a sort, say), and the "
                "graph has that as it was then; got others: trace the function with them")


def _asked(graph: Graph) -> str:
    return ", ".join([f"{title(graph.nodes[i])} {typed(graph.nodes[i])}" for i in graph.inputs]) or "no inputs"


def _place(graph: Graph, form: Any, tree: Any, name: str, given: dict[int, Any]) -> None:
    into: list[Any] = [None] * len(graph.inputs)
    spread(form, tree, into, name)
    for k in places(form):
        given[graph.inputs[k]] = into[k]


def _by_name(graph: Graph) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for node in graph.nodes:
        if node.kind != "op":
            for name in (node.name, f"%{node.id}"):
                if name:
                    found.setdefault(name, []).append(node.id)
    return found


def _checked(node: GraphNode, value: Any) -> Tensor:
    """The value as a Tensor fit for a leaf."""
    if isinstance(value, Tensor):
        tensor = value
    elif isinstance(value, (int, float, complex)) and not isinstance(value, np.generic):
        tensor = wrap(np.dtype(node.dtype).type(value))
    else:
        tensor = Tensor(value)
    if tensor.ndim != len(node.shape) or (node.kind != "input" and tensor.shape != node.shape):
        what = "an array of as many axes as" if node.kind == "input" else "an array of the shape of"
        raise ShapeError(f"graph: expected for {title(node)} {what} {typed(node)}; got {tensor.dtype}"
                         f"[{', '.join(map(str, tensor.shape))}]; trace the function with these inputs for its graph")
    kind, wanted = tensor.dtype.kind, np.dtype(node.dtype).kind
    if kind != wanted and {kind, wanted} != {"i", "u"}:
        raise TypeError(f"graph: expected {_KINDS[wanted]} numbers for {title(node)} {typed(node)}, as when it was "
                        f"traced; got {tensor.dtype}: use astype('{node.dtype}')")
    return tensor


class Watch:
    """One who looks on while a graph runs."""

    def before(self, node: GraphNode) -> None:
        """A line is about to run."""

    def after(self, operands: list[Any], result: Tensor) -> None:
        """It ran."""


def evaluate(graph: Graph, given: Mapping[int, Tensor], watch: Watch | None = None) -> list[Tensor]:
    """The outputs, computed line by line.

    A result is dropped after its last use, unless a gradient will ask for it.
    """
    nodes = graph.nodes
    other = {i: t.shape for i, t in given.items() if t.shape != nodes[i].shape}
    sizes = Sizes(graph, other) if other else None
    last = _last_uses(graph)
    values: list[Any] = [None] * len(nodes)
    for node in nodes:
        i = node.id
        if node.kind != "op":
            if i in given:
                _check_choice(node, given[i], last)
                values[i] = given[i]
            elif last[i] >= 0:                      # what nothing uses needs no value
                values[i] = _held(node)
            continue
        op = op_named(node.op)
        args = [values[j] for j in node.inputs]
        attrs = op.defaults
        if node.attrs:
            attrs = {**attrs, **node.attrs}
            linked = {k.at for k in operands_in(node.attrs)}
            if linked:
                held = [a.value if isinstance(a, Tensor) else a for a in args]
                attrs = {k: filled(v, held) for k, v in attrs.items()}
                del args[min(linked):]
        for place in node.absent:
            args.insert(place, None)
        if not op.variadic:
            args += [None] * (len(op.inputs) - len(args))
        if watch is not None:
            watch.before(node)
        try:
            if sizes is not None:
                attrs = sizes.call(op, node, attrs)
            made = apply(op, args, attrs)
        except Exception as error:
            error.add_note(f"in {line(graph.nodes, node)}")
            raise
        values[i] = made = made if isinstance(made, Tensor) else wrap(made)
        if watch is not None:
            watch.after(args, made)
        if sizes is not None:
            sizes.note(node, made.shape)
        for j in node.inputs:
            if last[j] == i:
                values[j] = None
    if sizes is not None:
        sizes.finish()
    return [v if isinstance(v, Tensor) else Tensor(v) for v in [values[i] for i in graph.outputs]]


def check(graph: Graph, results: tuple[Any, ...]) -> None:
    """Run a graph again on what it was traced with: GradientError unless the function's own results come out.

    A change in place can reach memory by ways that no op sees; the graph would be of another program.
    """
    reason: Any = None
    try:
        with outside_recording():
            again = [t.value for t in evaluate(graph, {})]
        if all(a.dtype == b.dtype and a.shape == b.shape and np.allclose(a, b, 1e-3, 1e-5, equal_nan=True)
               for a, b in zip(again, results, strict=True)):
            return
    except (ValueError, TypeError, IndexError) as error:
        reason = error
    raise GradientError(
        "trace: expected a graph that computes what the function returned; got one that does not, for the function "
        "changed memory in a way that no operation tells of: write x = x + y for x += y, and autograd functions for "
        "NumPy's that write into an array") from reason


def _last_uses(graph: Graph) -> list[int]:
    """Per node the id of the last that uses it: -1 for none, the number of nodes for an output."""
    last = [-1] * len(graph.nodes)
    for node in graph.nodes:
        for j in node.inputs:
            last[j] = node.id
    for i in graph.outputs:
        last[i] = len(last)
    return last


def _held(node: GraphNode) -> Any:
    """The value of a leaf that was not given: a Python number as it is, an array as a Tensor."""
    if node.data is None:
        name = f"{node.name}=..." if node.name.isidentifier() else f"**{{{node.name or f'%{node.id}'!r}: ...}}"
        raise TypeError(f"graph: expected a value for {title(node)} {typed(node)} ({node.kind}); got none, and the "
                        f"record has none, for it was made outside record(): give it, graph(..., {name}), or trace "
                        "the function")
    return node.data if is_weak(node) else wrap(node.data)


def _check_choice(node: GraphNode, value: Tensor, last: list[int]) -> None:
    """An integer that no op used chose something in the program, which is in the graph only as it was chosen."""
    if last[node.id] < 0 and node.shape == () and node.data is not None and value.dtype.kind in "iu" and \
            value.value != node.data:
        raise ValueError(f"graph: expected {title(node)} to be {node.data}, as when it was traced: no op uses it, so "
                         f"it chose what the program does; got {value.value}; trace the function with that")
