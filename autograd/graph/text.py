"""A graph in words: one typed line a node.

    %4: float32[32, 10] = linear(%0 x, %2 0.weight, %3 0.bias)   # sequential.0  train.py:12
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .nodes import GraphNode, Operand, Summary, filled, is_weak, operands_in

if TYPE_CHECKING:
    from .graphs import Graph

WIDEST = 80                                         # the column at which notes are aligned, at most
SHORT = 240                                         # lines that `repr` shows


class _Word(str):
    """The title of the operand that an attribute is computed from."""


def readable(v: Any) -> str:
    """An attribute as one would write it: slices as in brackets, arrays of a few elements in full."""
    if isinstance(v, Operand):
        return "computed"
    if isinstance(v, slice):
        text = ":".join("" if k is None else str(k) for k in (v.start, v.stop, v.step))
        return text.removesuffix(":") if v.step is None else text
    if v is Ellipsis:
        return "..."
    if isinstance(v, np.dtype):
        return v.name
    if isinstance(v, (np.ndarray, np.generic)):
        return str(v.tolist()) if v.size <= 8 else f"{v.dtype}[{', '.join(map(str, v.shape))}]"
    if isinstance(v, (tuple, list)):
        if any(isinstance(k, (slice, type(Ellipsis), np.ndarray, Operand, _Word)) or k is None for k in v):
            return f"[{', '.join(map(readable, v))}]"
        parts = ", ".join(map(readable, v))
        return f"[{parts}]" if isinstance(v, list) else f"({parts},)" if len(v) == 1 else f"({parts})"
    if isinstance(v, Mapping):
        return f"{{{', '.join(f'{k}: {readable(w)}' for k, w in v.items())}}}"
    if isinstance(v, float) or v is None or isinstance(v, (bool, int)):
        return repr(v)
    return str(v)


def typed(node: GraphNode) -> str:
    """The type of a result: "float32[32, 10]"; "float" for a Python number, which takes the dtype of what it meets."""
    return type(node.data).__name__ if is_weak(node) else f"{node.dtype}[{', '.join(map(str, node.shape))}]"


def title(node: GraphNode) -> str:
    """What a node is called where another uses it: "%4", "%0 x", "%2 0.weight", "%3 2.5"."""
    if node.name:
        return f"%{node.id} {node.name}"
    return f"%{node.id} {_number(node.data)}" if node.kind == "constant" and node.shape == () and \
        node.data is not None else f"%{node.id}"


def _number(x: Any) -> str:
    return repr(x.item() if isinstance(x, np.generic) else x) if is_weak_number(x) else str(x)


def is_weak_number(x: Any) -> bool:
    """A number whose own digits are as many as Python would write."""
    return not isinstance(x, np.generic) or x.dtype.kind in "biu" or x.dtype == np.float64


def sentence(nodes: Sequence[GraphNode], node: GraphNode) -> str:
    """What a node is: "multiply(%3, %4 2.0)", "input x", "constant [1.0, 2.0]"."""
    if node.kind != "op":
        data = node.data
        held = "" if node.kind != "constant" or data is None else _number(data) if node.shape == () else \
            readable(data) if data.size <= 8 else ""
        return " ".join(filter(None, [node.kind, node.name, held]))
    args = [title(nodes[i]) for i in node.inputs]
    attrs = node.attrs
    linked = {k.at for k in operands_in(attrs)}
    if linked:
        attrs = {k: filled(v, [_Word(a) for a in args]) for k, v in attrs.items()}
        del args[min(linked):]
    for place in node.absent:
        args.insert(place, "None")
    return f"{node.op}({', '.join([*args, *[f'{k}={readable(v)}' for k, v in attrs.items()]])})"


def statement(nodes: Sequence[GraphNode], node: GraphNode) -> str:
    """A node, with the name a user gave to a step, its type, and what it is."""
    name = f" {node.name}" if node.kind == "op" and node.name else ""
    return f"%{node.id}{name}: {typed(node)} = {sentence(nodes, node)}"


def note(node: GraphNode, values: bool = False, costs: bool = False) -> str:
    """What stands behind the #: the module path, the source line, and what was asked for."""
    parts = [node.module, node.line]
    if values:
        parts += [f"value {words(node.value)}" if node.value else "", f"gradient {words(node.grad)}" if node.grad else
                  "gradient pending" if node.grad_state == "pending" and node.kind != "constant" else ""]
    if costs:
        parts += [f"{counted(node.flops, 'FLOP')}" if node.flops else "", counted(node.nbytes, "B")]
    return "  ".join(filter(None, parts))


def words(s: Summary) -> str:
    """An array in a few words: "0.25", "0.1 ± 1.2", "0.1 ± 1.2, 3 NaN"."""
    text = f"{s.item:.6g}" if isinstance(s.item, float) else str(s.item) if s.item is not None else \
        "empty" if not s.size else f"{s.mean:.3g} ± {s.std:.3g}"
    return text + (f", {s.nans} NaN" if s.nans and s.item is None else "") + (
        f", {s.infs} infinite" if s.infs and s.item is None else "")


def counted(n: float, unit: str) -> str:
    """A number with its unit: "512 B", "1.6 kFLOP"."""
    prefixes: list[tuple[float, str]] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    for factor, prefix in prefixes:
        if n >= factor:
            return f"{n / factor:.3g} {prefix}{unit}"
    return f"{n:.0f} {unit}"


def line(nodes: Sequence[GraphNode], node: GraphNode) -> str:
    """One node as a line of text."""
    said = note(node)
    return statement(nodes, node) + (f"   # {said}" if said else "")


def text(graph: Graph, values: bool = False, costs: bool = False, most: int | None = None) -> str:
    """All nodes, one a line, and what is returned; of more than `most` nodes the first and the last."""
    n = len(graph.nodes)
    skipped = range(0) if most is None or n <= most else range(most // 2, n - most // 2)
    rows: list[tuple[str, str]] = []
    for node in graph.nodes[:skipped.start] if skipped else graph.nodes:
        rows.append((statement(graph.nodes, node), note(node, values, costs)))
    if skipped:
        rows.append((f"... {len(skipped):,} more nodes ...", ""))
        for node in graph.nodes[skipped.stop:]:
            rows.append((statement(graph.nodes, node), note(node, values, costs)))
    width = max((n for left, said in rows if said and (n := len(left)) <= WIDEST), default=0)
    lines = [f"{left:<{width}}   # {said}" if said else left for left, said in rows]
    result = returned(graph)
    if costs:
        result += (f"   # {counted(sum(k.flops for k in graph.nodes), 'FLOP')}, "
                   f"{counted(sum(k.nbytes for k in graph.nodes if k.kind == 'op'), 'B')} of results, "
                   f"{counted(sum(k.saved_bytes for k in graph.nodes), 'B')} saved for the backward pass")
    if graph.bound:
        at = ", ".join([line for line, _ in graph.bound])
        result += f"\n# bound to the values of {bound_to(graph)}, as traced: they chose what is computed at {at}"
    return "\n".join([*lines, result])


def bound_to(graph: Graph) -> str:
    """What a graph has to be given as it was traced, in words."""
    places = sorted({k for _, places in graph.bound for k in places}, key=lambda k: (k < 0, k))
    return ", ".join([title(graph.nodes[graph.inputs[k]]) if k >= 0 else "the parameters" for k in places])


def returned(graph: Graph) -> str:
    """What a graph returns, in words: "return %7", "return {'loss': %7}"."""
    if graph.gives is None:
        return "return " + ", ".join([f"%{i}" for i in graph.outputs])
    return "return " + "".join(_form(graph.gives, graph.outputs))


def _form(form: Any, ids: tuple[int, ...]) -> Iterator[str]:
    if isinstance(form, int):
        yield f"%{ids[form]}"
    elif form[0] == "fixed":
        yield repr(form[1])
    else:
        left, right = {"dict": ("{", "}"), "list": ("[", "]"), "tuple": ("(", ")")}[form[0]]
        parts = [f"{k}: {''.join(_form(v, ids))}" for k, v in form[1:]] if form[0] == "dict" else [
            "".join(_form(v, ids)) for v in form[1:]]
        yield left + ", ".join(parts) + ("," if left == "(" and len(parts) == 1 else "") + right
