"""What a card is called, and all that its tooltip says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.graph import readable

from .marks import mark_words
from .text import amount, clean, exact, number, rule, shape

if TYPE_CHECKING:
    from autograd.graph import Graph, GraphNode, Summary

    from .view import Item

LONG = 200                                     # characters of a line of a tooltip


def module_words(graph: Graph, path: str) -> str:
    """"fc1: Linear" for the module at encoder.fc1."""
    last, kind = clean(path.rpartition(".")[2]), clean(graph.modules.get(path, ""))
    return f"{last}: {kind}" if last and kind and last.lower() != kind.lower() else kind or last or "model"


def chunk_words(graph: Graph, nodes: tuple[int, ...]) -> tuple[str, str]:
    """Title and detail of neighbours put together: ("34 operations", "add, relu, tanh, …")."""
    kinds = list(dict.fromkeys(clean(graph.nodes[i].op, 24) for i in nodes))
    return f"{len(nodes)} operations", ", ".join(kinds[:4]) + (", …" if len(kinds) > 4 else "")


def repeat_words(graph: Graph, path: str, turns: tuple[tuple[int, ...], ...]) -> tuple[str, str]:
    """Title and detail of a repeat: ("ResBlock ×6", "blocks.0 … blocks.5")."""
    if path:
        depth = path.count(".") + 1
        last = ".".join(graph.nodes[turns[-1][0]].module.split(".")[:depth])
        kind = clean(graph.modules.get(path, "")) or clean(path.rpartition(".")[2])
        return f"{kind} ×{len(turns)}", f"{clean(path)} … {clean(last)}" if last != path else clean(path)
    kinds = [graph.modules.get(graph.nodes[i].module, "") or graph.nodes[i].op for i in turns[0]]
    words = [clean(k, 24) for k in dict.fromkeys(kinds)]
    words = words[:3] + ["…"] if len(words) > 3 else words
    return f"({', '.join(words)}) ×{len(turns)}" if len(words) > 1 else f"{words[0]} ×{len(turns)}", ""


def leaf_name(node: GraphNode, module: str) -> str:
    """A leaf's name as it reads inside a module: without the path that the frame around it says already."""
    stem, _, last = node.name.rpartition(".")
    known = bool(stem) and (module == stem or module.endswith("." + stem))
    return clean(last if known else node.name) or ("" if node.kind == "constant" else node.kind)


def tooltip(graph: Graph, item: Item) -> str:
    """All there is to say of a card, one fact a line."""
    node = graph.nodes[item.nodes[0]]
    if item.kind in ("module", "repeat"):
        title = module_words(graph, item.path) if item.path else chunk_words(graph, item.nodes)[0]
        title = repeat_words(graph, item.path, item.turns)[0] if item.turns else title
        node = graph.nodes[item.nodes[-1]]
        lines = [title, f"path {clean(item.path, LONG)}" if item.path else "", f"{len(item.nodes)} ops inside, closed",
                 f"result {shape(node.shape)} {clean(node.dtype)}, {amount(node.nbytes, 'B')}", *_totals(graph, item)]
    else:
        lines = [_typed(node),
                 f"the first of {len(item.nodes)} alike" if len(item.nodes) > 1 else "",
                 f"module {clean(node.module, LONG)}" if node.module else "",
                 f"line {clean(node.line, LONG)}" if node.line else "",
                 *(f"{clean(k)} = {clean(readable(v))}" for k, v in list(node.attrs.items())[:8]),
                 summary_words("value", node.value), *mark_words(node)]
    lines.append(_gradient(node))
    if item.kind in ("op", "loss"):
        lines += [f"gradient of input {k}: {rule(f)}" for k, f in enumerate(node.formula) if f]
        if node.saved:
            lines.append(f"saved for backward: {clean(', '.join(node.saved), LONG)}, {amount(node.saved_bytes, 'B')}")
        lines.append(amount(node.flops, "FLOP") if node.flops else "")
    return "\n".join(line for line in lines if line)


def leaf_words(node: GraphNode) -> str:
    """All there is to say of a leaf that is a row of a card."""
    return "\n".join(line for line in (_typed(node), summary_words("value", node.value), *mark_words(node),
                                       _gradient(node) if node.kind == "parameter" or node.requires_grad else "")
                     if line)


def _typed(node: GraphNode) -> str:
    name = " ".join(w for w in (clean(node.op or node.kind), clean(node.name, LONG)) if w)
    size = f", {amount(node.nbytes, 'B')}" if node.nbytes else ""
    return f"{name} {shape(node.shape)} {clean(node.dtype)}{size}"


def _gradient(node: GraphNode) -> str:
    return summary_words("gradient", node.grad) if node.grad else \
        "no gradient flows here" if node.grad_state == "none" else "gradient pending"


def _totals(graph: Graph, item: Item) -> list[str]:
    """Of a closed module: where it stands in the program, what it costs, what it saves."""
    nodes = [graph.nodes[i] for i in item.nodes]
    lines = list(dict.fromkeys(clean(n.line, LONG) for n in nodes if n.line))
    where = f"line {lines[0]}" + (f" … {lines[-1]}" if len(lines) > 1 else "") if lines else ""
    flops, saved = sum(n.flops for n in nodes), sum(n.saved_bytes for n in nodes)
    return [where, amount(flops, "FLOP") if flops else "", f"saved for backward: {amount(saved, 'B')}" if saved else ""]


def summary_words(what: str, summary: Summary | None) -> str:
    """"value RMS 1, mean 0.1, std 1, min -3, max 3"; the number itself where there is one."""
    if summary is None:
        return ""
    if summary.item is not None:
        return f"{what} {exact(summary.item)}"
    bad = [f"{n} {word}" for n, word in ((summary.nans, "NaN"), (summary.infs, "infinite")) if n]
    zeros = [f"{100 * summary.zeros:.0f}% zero"] if summary.zeros > 0.005 else []
    return ", ".join([f"{what} RMS {number(summary.rms)}, mean {number(summary.mean)}, std {number(summary.std)}, "
                      f"min {number(summary.min)}, max {number(summary.max)}", *zeros, *bad])
