"""A graph as columns of short text and small numbers: what a page holds of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from autograd.graph import readable

from ..fold import Ops
from ..marks import cut_at, first_bad, mark_words
from ..text import clean, number, shape, width
from ..theme import KIND_WORDS, Ramp, rms_of
from ..view import View, with_data
from .pictures import Pictures, reach
from .stepping import readable_rule, steps
from .units import Fold, tree
from .units import nodes as inside

if TYPE_CHECKING:
    from autograd.graph import Graph, GraphNode, Summary

    from ..scene import Scene

DIGITS = 5                                     # of what is only looked at
FEW = 64                                       # elements: so small an array is told number by number
LABEL = 9.0                                    # size of type on wires
LONG = 300                                     # characters of any one text


class Table:
    """Texts, each kept once; a column holds their places."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {"": 0}
        self.raw: dict[str, int] = {"": 0}     # as they came: most come again

    def __call__(self, text: str, limit: int = LONG) -> int:
        place = self.raw.get(text)
        if place is None:
            place = self.raw[text] = self.places.setdefault(clean(text, limit), len(self.places))
        return place


def record(view: View, drawn: Scene, values: bool | str = "auto", gradients: bool | str = "auto") -> dict[str, Any]:
    """All that a page needs to draw a graph, as terms of JSON; `drawn` is the scene it begins with.

    values, gradients: as for `draw`.
    """
    rankdir = drawn.rankdir
    graph = view.graph._replace(nodes=with_data(view.graph))
    ops = Ops(graph)
    folded = tree(ops)
    text = Table()
    pictures = Pictures(graph, ops, folded, view.params, view.scalar, rankdir, values, gradients)
    data: dict[str, Any] = {
        "title": drawn.title, "description": drawn.description, "rankdir": rankdir, "scalar": view.scalar,
        "params": view.params, "outputs": list(graph.outputs), "nodes": columns(graph, text, pictures.ramp),
        "units": {"parent": [f.parent for f in folded.folds], "start": [f.start for f in folded.folds],
                  "stop": [f.stop for f in folded.folds], "form": [text(f.form) for f in folded.folds],
                  "path": [text(reach(graph, inside(f, ops)) if f.form == "part" else f.path) for f in folded.folds],
                  "name": [text(graph.modules.get(f.path, "")) for f in folded.folds]},
        "cards": {"ops": pictures.drawn(pictures.op_cards()), "units": pictures.drawn(pictures.unit_cards()),
                  "headers": pictures.headers(),
                  "leaves": dict(zip(pictures.leaves(), pictures.drawn(pictures.leaf_cards()), strict=True)),
                  "ends": dict(zip(pictures.ends(), pictures.drawn(pictures.end_cards()), strict=True))},
        "open": opened(view, folded.folds, ops), "backward": view.direction == "backward",
        "cuts": {n.id: args for n in graph.nodes if not n.requires_grad
                 and (args := [k for k in range(len(n.inputs)) if cut_at(graph, n.id, k)])},
        "cut": pictures.cut(), "bad": next((bad.node for bad in first_bad(graph)), -1),
    }
    told = steps(graph)
    data["steps"] = {"node": [s.node for s in told], "title": [text(s.title) for s in told],
                     "lines": [[text(line) for line in s.lines] for s in told], "freed": [text(s.freed) for s in told],
                     "alive": [s.alive for s in told],
                     "start": sum(graph.nodes[s.node].saved_bytes for s in told)}
    shown = pictures.makes.kinds
    kinds = tuple(k for k in KIND_WORDS if k in shown) + tuple(k for k in ("ramp", "alarm") if k in shown)
    data["legend"] = pictures.legend(kinds, drawn.notes)
    data["pieces"] = list(pictures.table)
    data["insets"] = [list(inset) for inset in pictures.insets]
    data["texts"] = list(text.places)
    return data


def columns(graph: Graph, text: Table, ramp: Ramp) -> dict[str, list[Any]]:
    """What is known of each node, field by field."""
    nodes = graph.nodes
    flows = [_flow(node, ramp) for node in nodes]
    labels = {node.shape: shape(node.shape) for node in nodes}
    return {
        "kind": [text(n.kind) for n in nodes], "op": [text(n.op) for n in nodes],
        "category": [text(n.category) for n in nodes], "name": [text(n.name) for n in nodes],
        "shape": [text(labels[n.shape]) for n in nodes], "dtype": [text(n.dtype) for n in nodes],
        "room": [0 if n.shape == () else math.ceil(width(labels[n.shape], LABEL)) + 2 for n in nodes],
        "inputs": [list(n.inputs) for n in nodes], "module": [text(n.module) for n in nodes],
        "line": [text(n.line) for n in nodes], "wants": [int(n.requires_grad) for n in nodes],
        "state": [text(n.grad_state) for n in nodes], "value": [summarized(n.value) for n in nodes],
        "grad": [summarized(n.grad) for n in nodes],
        "formula": [[text(readable_rule(f)) for f in n.formula] for n in nodes],
        "saved": [text(", ".join(n.saved)) for n in nodes],
        "savedBytes": [n.saved_bytes for n in nodes], "nbytes": [n.nbytes for n in nodes],
        "flops": [n.flops for n in nodes],
        "attrs": [text("; ".join(f"{k} = {clean(readable(v))}" for k, v in list(n.attrs.items())[:8])) for n in nodes],
        "marks": [text("; ".join(mark_words(n))) for n in nodes],
        "elements": [text(elements(n), 1200) for n in nodes],
        "flow": [text(f[0]) for f in flows], "weight": [f[1] for f in flows], "dash": [text(f[2]) for f in flows],
    }


def _flow(node: GraphNode, ramp: Ramp) -> tuple[str, float, str]:
    """Colour, width and dashes of the wires that a value travels on."""
    if not node.requires_grad:
        return "edge", 1.3, "dotted"
    role, weight, dead = ramp.flow(rms_of(node.grad))
    return role, weight, "dashed" if dead else ""


def summarized(s: Summary | None) -> list[Any] | int:
    """0 for nothing; [number] for a single one; else rms mean std min max zeros nans infs size histogram."""
    if s is None:
        return 0
    if s.item is not None:
        return [finite(s.item, 12)]
    top = max(s.hist, default=0)
    bars = "".join("0123456789abcdefghijklmnopqrstuvwxyz"[math.ceil(35 * n / top)] for n in s.hist) if top else ""
    return [*[finite(v) for v in (s.rms, s.mean, s.std, s.min, s.max, s.zeros)], s.nans, s.infs, s.size, bars]


def finite(value: Any, digits: int = DIGITS) -> Any:
    """A number of few digits; a word for what JSON has no number for."""
    if isinstance(value, (bool, int)):
        return int(value) if abs(value) < 2**53 else str(value)
    value = float(value)
    if not math.isfinite(value):
        return number(value)
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) and abs(short) < 1e9 else short


def elements(node: GraphNode) -> str:
    """The elements of a small array that the record holds: "[1, 2; 3, 4]"."""
    data = node.data
    if data is None or not node.shape or not 0 < math.prod(node.shape) <= FEW or len(node.shape) > 2:
        return ""
    rows: Iterable[Any] = data if len(node.shape) == 2 else [data]
    return "[" + "; ".join(", ".join(number(_real(v)) for v in row) for row in rows) + "]"


def _real(value: Any) -> float:
    plain = value.item()
    return abs(plain) if isinstance(plain, complex) else plain


def opened(view: View, folds: tuple[Fold, ...], ops: Ops) -> list[int]:
    """The units that the picture has open; repeats begin closed, and what is in them."""
    known = {(group.nodes[0], group.path) for group in view.groups}
    shut: set[int] = set()
    result = []
    for k, fold in enumerate(folds):
        if fold.form == "repeat" or fold.parent in shut:
            shut.add(k)
        elif (ops.ids[fold.start], fold.path) in known:
            result.append(k)
    return result
