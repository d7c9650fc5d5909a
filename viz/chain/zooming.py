"""`zoom`: one element of a tensor operation, opened into the scalars it was made of; and folded back.

    viz.zoom(loss, "matmul", (0, 1))               the scalar graph of element (0, 1) of the one matmul
    viz.zoom(graph, 12, (0, 1)).fold()             the whole graph again
"""

from __future__ import annotations

import math
import os
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from autograd.graph import Graph, GraphNode, summary, trace
from autograd.graph.nodes import leaf_node
from autograd.graph.running import op_named
from autograd.graph.text import title, typed

from ..drawing import OPTIONS, Drawing, draw, graph_of
from .elements import MARK, Opening, Operand
from .folding import MOST_SHOWN, shown
from .handles import found, split
from .local import Local, places
from .names import Names
from .programs import program_of
from .scalar import derivation
from .values import NO_MODULES, Numbers, given, gradients, needed_for, numbers

MOST_TERMS = 10_000                           # of one element, that are computed one by one


class Zoom:
    """One element of a step, as a graph of scalars.  Shows itself in Jupyter; `.save(path)`, `.fold()`.

    Attributes: `graph` (the scalar Graph, which runs and differentiates), `shown` (the same with long sums closed),
    `value` (the element), `slopes` (name of an operand's element -> derivative of this element with respect to it),
    `gradient` (of the result of the whole graph with respect to this element; None where that is no scalar), `opened`
    (False where the op has no scalar program: then `graph` is one node, for pictures only), `whole`, `node` and `index`
    (where it is), `drawing`.
    """

    __slots__ = ("_drawn", "gradient", "graph", "index", "name", "node", "opened", "shown", "slopes", "theme",
                 "value", "whole")

    def __init__(self, whole: Graph, node: int, index: tuple[int, ...], name: str, made: _Made, gradient: float | None,
                 theme: str) -> None:
        self.whole, self.node, self.index, self.name, self.gradient = whole, node, index, name, gradient
        self.graph, self.shown, self.opened = made.graph, made.shown, made.opened
        self.value, self.slopes = made.value, made.slopes
        self.theme = theme
        self._drawn: Drawing | None = None

    @property
    def drawing(self) -> Drawing:
        """The scalars as a picture."""
        if self._drawn is None:
            self._drawn = draw(self.shown, theme=self.theme)
        return self._drawn

    @property
    def svg(self) -> str:
        """The picture as a standalone SVG document."""
        return self.drawing.svg

    @property
    def text(self) -> str:
        """What it is, and the picture in words."""
        step = self.whole.nodes[self.node]
        opened = "opened into scalars" if self.opened else \
            "which has no definition in scalars here: its operands' elements that count"
        lines = [f"{self.name} = {self.value!r}: one element of {step.op} {typed(step)}, {opened}"]
        if self.gradient is not None:
            lines.append("gradients are of the result of the whole graph, through this element alone: "
                         f"{self.gradient!r} here")
        return "\n".join([*lines, self.drawing.text])

    def fold(self) -> Drawing:
        """The whole graph, with the step in it closed again."""
        return draw(self.whole, theme=self.theme)

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Writes the picture of the scalars: see `Drawing.save`."""
        self.drawing.save(path, **options)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {**self.drawing._repr_mimebundle_(include, exclude), "text/plain": self.text}


class _Made(NamedTuple):
    graph: Graph
    shown: Graph
    opened: bool
    value: float
    slopes: dict[str, float]


def zoom(target: Any, node: int | str, index: Any = None, *, terms: int | None = None, theme: str = "light") -> Zoom:
    """Opens one element of a tensor operation into the scalars that made it.

    target: a Drawing, a Graph or a Tensor.
    node: the step: its id in the graph, its name, its op where there is one only ("matmul"), or "matmul[0, 1]".
    index: which element of its result; left out where there is one only.
    terms: how many terms of a sum are shown; the others are one number, "… 118 more terms".  None shows so many that
        the picture stays one of single numbers.
    theme: as in `draw`.

    Computed in float64 at the values of the record; value and derivatives are those of the operation.
    Raises TypeError and ValueError for what cannot be opened, IndexError for an index outside, LookupError for a name
    that no step has, or several have.
    """
    if theme not in OPTIONS["theme"]:
        raise ValueError(f"zoom: expected theme={' or '.join(map(repr, OPTIONS['theme']))}; got {theme!r}")
    if terms is not None and (isinstance(terms, bool) or not isinstance(terms, int) or terms < 2):
        raise ValueError(f"zoom: expected terms to be an int of at least 2, or None (as many as a picture holds); got "
                         f"{terms!r}")
    whole = target.graph if isinstance(target, Drawing) else graph_of(target, ())
    known = numbers(whole, "zoom")
    if not any(node in (n.name, f"%{n.id}") for n in whole.nodes):
        node, index = split(node, index)
    step = found(whole, node, "zoom")
    if step.kind != "op":
        raise ValueError(f"zoom: expected a step; got {title(step)} {typed(step)}, which was not computed")
    at = _place(step, index)
    names = Names(known.graph)
    name = names.element(step.id, at)
    seed = _seed(known, step.id, at)
    made = _opened(known, names, known.graph.nodes[step.id], at, terms, 1.0 if seed is None else seed)
    return Zoom(whole, step.id, names.index(step.id, at), name, made, seed, theme)


def _place(step: GraphNode, index: Any) -> int:
    """The element asked for, in C order."""
    shape, size = step.shape, math.prod(step.shape)
    if np.dtype(step.dtype).kind != "f":
        raise TypeError(f"zoom: expected a step with floating-point results; got {title(step)} {typed(step)}")
    if index is None and size == 1:
        return 0
    try:
        places = np.arange(size).reshape(shape)[() if index is None else index]
    except (IndexError, TypeError) as error:
        raise IndexError(f"zoom: expected an index into {title(step)} {step.op}, of shape {shape}; got {index!r} "
                         f"({error})") from None
    if np.size(places) != 1:
        raise ValueError(f"zoom: expected one element of {title(step)} {step.op} {typed(step)}; got "
                         f"{np.size(places):,}: give an index, as in zoom(..., index=({', '.join('0' * len(shape))},))")
    return int(np.reshape(places, -1)[0])


def _seed(known: Numbers, node: int, at: int) -> float | None:
    """The gradient of the whole result with respect to the element; None where there is no such number."""
    outputs = known.graph.outputs
    if len(outputs) != 1:
        return None
    end = known.graph.nodes[outputs[0]]
    if math.prod(end.shape) != 1 or np.dtype(end.dtype).kind != "f":
        return None
    g = gradients(known.graph.nodes, known.values, end.id, [node]).get(node)
    return None if g is None else float(g.reshape(-1)[at])


def _opened(known: Numbers, names: Names, step: GraphNode, at: int, terms: int | None, seed: float) -> _Made:
    """The scalar graph, with values and gradients."""
    op = op_named(step.op)
    operands = [known.values[i] for i in step.inputs]
    linked = len(op.inputs) if not op.variadic else len(operands)
    flows = [k for k, _, _ in places(step) if Local(known, step, k).flows()]
    index = names.index(step.id, at)
    program = program_of(step.op, operands)
    attrs = {**op.defaults, **step.attrs}
    z = Opening(step.op, index, attrs)

    if program is not None:
        def f(*tensors: Any) -> Any:
            given_at = dict(zip(flows, tensors, strict=True))
            made = [Operand(given_at.get(k, v), v) for k, v in enumerate(operands)][:linked]
            arguments: list[Any] = list(made)
            for k in step.absent:
                arguments.insert(k, None)
            return program(z, *arguments)
    elif op.kind == "linear" and flows:
        coefficients = {k: Local(known, step, k).row(at) for k in flows}
        if sum([np.count_nonzero(c) for c in coefficients.values()]) == 0:
            return _closed(known, names, step, at, terms, seed)

        def f(*tensors: Any) -> Any:
            made = []
            for (k, c), tensor in zip(coefficients.items(), tensors, strict=True):
                x = Operand(tensor, operands[k])
                for flat in np.flatnonzero(c):
                    element = x[np.unravel_index(flat, x.shape)]
                    made.append(element if c[flat] == 1 else float(c[flat]) * element)
            return made[0].clone() if len(made) == 1 else z.sum(made)
    elif op.kind == "elementwise" and flows and not any(hasattr(v, "at") for v in step.attrs.values()):
        def f(*tensors: Any) -> Any:
            given_at = dict(zip(flows, tensors, strict=True))
            arguments: list[Any] = []
            for k, v in enumerate(operands):
                shape = np.shape(v)
                here = tuple([0 if n == 1 else p for p, n in zip(index[len(index) - len(shape):], shape, strict=True)])
                arguments.append(Operand(given_at[k], v)[here] if k in given_at else np.asarray(v)[here])
            for k in step.absent:
                arguments.insert(k, None)
            return op.call(*arguments, **step.attrs)
    else:
        return _closed(known, names, step, at, terms, seed)
    if _many(step, operands) > MOST_TERMS:
        return _closed(known, names, step, at, terms, seed)
    traced = trace(f, *[np.asarray(operands[k], np.float64)[()] for k in flows])
    return _made(known, names, step, at, traced, [step.inputs[k] for k in flows], z, terms, seed)


def _many(step: GraphNode, operands: list[Any]) -> int:
    """About how many scalars a program reads."""
    if op_named(step.op).kind == "elementwise":
        return len(operands)
    return sum([np.size(v) for v in operands]) // max(1, math.prod(step.shape)) if step.category != "loss" else \
        np.size(operands[0])


def _made(known: Numbers, names: Names, step: GraphNode, at: int, traced: Graph, owners: list[int], z: Opening,
          terms: int | None, seed: float) -> _Made:
    """The trace as a graph of scalars, in which the elements taken from operands are leaves."""
    nodes, end = traced.nodes, traced.outputs[0]
    values = numbers(traced, "zoom").values
    leaves: dict[int, GraphNode] = {}
    for node in nodes:
        source = node.inputs[0] if node.op == "getitem" else node.id
        if source < len(owners) and source in traced.inputs and node.shape == ():
            owner = known.graph.nodes[owners[source]]
            flat = int(np.ravel_multi_index(tuple(node.attrs["index"]), owner.shape)) if node.op else 0
            leaves[node.id] = _leaf(owner, names.element(owner.id, flat), values[node.id])
    needed = needed_for([end], lambda i: () if i in leaves else nodes[i].inputs)
    new: dict[int, int] = {}
    made: list[GraphNode] = []
    marks: dict[str, int] = {}
    for node in nodes:
        if node.id in needed:
            new[node.id] = len(made)
            if node.name.startswith(MARK):
                marks[node.name] = len(made)
            made.append(leaves[node.id]._replace(id=len(made)) if node.id in leaves else node._replace(
                id=len(made), inputs=tuple([new[j] for j in node.inputs]), line=step.line, module="", name="",
                value=summary(values[node.id]) if node.kind == "op" else node.value))
    if made[new[end]].kind == "op":
        made[new[end]] = made[new[end]]._replace(name=names.element(step.id, at))
    graph = Graph(tuple(made), (new[end],), NO_MODULES, given=tuple([n.id for n in made if n.kind == "input"]))
    gradient = derivation(numbers(graph, "zoom"), new[end], [n.id for n in made if n.kind != "op" and n.name]).gradient
    slopes = {made[i].name: g for i, g in gradient.items() if made[i].kind != "op" and made[i].name}
    graph = graph._replace(nodes=tuple([
        n._replace(grad=summary(gradient[n.id] * seed), grad_state="known", requires_grad=True)
        if n.id in gradient and (n.kind == "op" or n.name) else n for n in made]))
    sums = {marks[total]: tuple([marks[t] for t in parts]) for total, parts in z.sums if total in marks}
    return _Made(graph, shown(graph, sums, terms), True, float(values[end]), slopes)


def _leaf(owner: GraphNode, name: str, value: Any) -> GraphNode:
    """An element of an operand as a leaf of its own."""
    made = given(0, np.float64(value), name)
    return made._replace(kind=owner.kind if owner.kind in ("parameter", "buffer") else "input")


def _closed(known: Numbers, names: Names, step: GraphNode, at: int, terms: int | None, seed: float) -> _Made:
    """One node and the operands' elements that count: those with a slope that is not 0, the largest first."""
    elements: list[tuple[float, int, int]] = []
    for k, _, i in places(step):
        row = Local(known, step, k).row(at)
        elements += [(float(row[flat]), i, int(flat)) for flat in np.flatnonzero(row)]
    merged: dict[tuple[int, int], float] = {}
    for slope, i, flat in elements:
        merged[i, flat] = merged.get((i, flat), 0.0) + slope
    order = sorted(merged, key=lambda e: -abs(merged[e]))
    most = MOST_SHOWN[0] if terms is None else terms
    seen = order if len(order) <= most else order[:most - 1]
    made: list[GraphNode] = []
    for i, flat in seen:
        leaf = _leaf(known.graph.nodes[i], names.element(i, flat), known.element(i, flat))
        made.append(leaf._replace(id=len(made), grad=summary(merged[i, flat] * seed), grad_state="known"))
    if len(order) > len(seen):
        made.append(leaf_node(len(made), "constant", f"… {len(order) - len(seen):,} more elements", None))
        made[-1] = made[-1]._replace(dtype="float64", value=None)
    value = known.element(step.id, at)
    made.append(step._replace(
        id=len(made), op=f"{step.op}[...]", shape=(), inputs=tuple(range(len(made))), attrs=MappingProxyType({}),
        name=names.element(step.id, at), module="", value=summary(value), grad=summary(seed), grad_state="known",
        requires_grad=True, formula=(), saved=(), absent=()))
    slopes = {names.element(i, flat): g for (i, flat), g in merged.items()}
    graph = Graph(tuple(made), (len(made) - 1,), NO_MODULES)
    return _Made(graph, graph, False, value, slopes)
