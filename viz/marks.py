"""What a reader must not miss: where gradients are cut, hooked or kept, what is freed, and the first NaN."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .text import amount, clean

if TYPE_CHECKING:
    from autograd.graph import Graph, GraphNode, Summary


class Bad(NamedTuple):
    """The first node whose value, or gradient, is no number."""

    node: int
    note: str                                  # "first NaN: log at train.py:12"
    backward: bool = False                     # it is a gradient


class Freed(NamedTuple):
    """What is let go of once the backward pass has gone through a step."""

    names: tuple[str, ...]
    nbytes: int


# -- gradients that do not pass -------------------------------------------------------------------------------


def cut_at(graph: Graph, op: int, arg: int) -> str:
    """Why no gradient flows back along an operand that has one to give: "detach", "no_grad"; "" where it does, or where
    the op has no derivative in any case."""
    node, source = graph.nodes[op], graph.nodes[graph.nodes[op].inputs[arg]]
    if node.requires_grad or not source.requires_grad:
        return ""
    if node.op == "detach":
        return "detach"
    smooth = node.dtype.startswith(("float", "complex")) and arg < len(node.formula) and node.formula[arg]
    return "no_grad" if smooth else ""


def cut_words(node: GraphNode) -> str:
    """Where a leaf lost its history: "detach train.py:7"; "" where it never had one."""
    return next((m for m in node.marks if m.startswith(("detach", "no_grad"))), "")


def signs(node: GraphNode) -> tuple[str, ...]:
    """The signs of hooks and of a gradient that is kept."""
    return (*(("hook",) if "hook" in node.marks else ()), *(("retain",) if "retain_grad" in node.marks else ()))


def mark_words(node: GraphNode) -> list[str]:
    """The marks of a node as lines of its tooltip."""
    hooks, cut = node.marks.count("hook"), cut_words(node)
    words = [f"{hooks} gradient hook{'s' * (hooks > 1)}"] if hooks else []
    words += ["keeps its gradient: retain_grad()"] if "retain_grad" in node.marks else []
    what, _, line = cut.partition(" ")
    if what == "detach":
        words.append(f"cut from its history: detach() or .data at {clean(line)}")
    elif what:
        words.append(f"computed inside no_grad() from line {clean(line)}" if line else "computed inside no_grad()")
    return words


# -- memory ---------------------------------------------------------------------------------------------------


def freed(graph: Graph) -> dict[int, Freed]:
    """What each step of the backward pass frees: results that no step before it saved, and what the op set aside.

    Parameters, inputs and the outputs stay, for the user holds them.
    """
    found: dict[int, Freed] = {}
    held = set(graph.outputs)
    for node in graph.nodes:                   # the first step that saved an array is the last to be gone through
        if not node.saved:
            continue
        names, nbytes, known = [], 0, 0
        for name, place in zip(_titles(node), node.keeps, strict=False):
            owner = node.id if place < 0 else node.inputs[place]
            known += graph.nodes[owner].nbytes
            if graph.nodes[owner].kind == "op" and owner not in held:
                held.add(owner)
                names.append(name)
                nbytes += graph.nodes[owner].nbytes
        aside = node.saved[len(node.keeps):] if len(node.saved) > len(node.keeps) else ()
        names += [clean(name, 24) for name in aside]
        nbytes += max(0, node.saved_bytes - known) if aside else 0
        if names:
            found[node.id] = Freed(tuple(names), nbytes)
    return found


def _titles(node: GraphNode) -> list[str]:
    """The names of the values a step saved; of an op of any number of inputs, of as many."""
    if len(node.saved) >= len(node.keeps):
        return [clean(name, 24) for name in node.saved[:len(node.keeps)]]
    return ["out" if place < 0 else f"x[{place}]" for place in node.keeps]


def freed_words(what: Freed) -> str:
    """"frees x, out · 4.1 kB"."""
    names = ", ".join(what.names[:4]) + (", …" if len(what.names) > 4 else "")
    return f"frees {names}" + (f" · {amount(what.nbytes, 'B')}" if what.nbytes else "")


# -- the first that is no number ------------------------------------------------------------------------------


def first_bad(graph: Graph) -> tuple[Bad, ...]:
    """The first NaN or infinity of the forward pass, and that of the backward pass, where there are any.

    An infinity that a program asked for (a mask of -inf) and what it is added to are no fault, NaN always is.
    """
    found = [bad for bad in (_first_value(graph), _first_gradient(graph)) if bad]
    return tuple(found)


def _first_value(graph: Graph) -> Bad | None:
    tainted: set[int] = set()                  # where infinities were meant
    for node in graph.nodes:
        known, value = node.kind == "op", node.value
        if value is None:
            if any(i in tainted for i in node.inputs):
                tainted.add(node.id)
            continue
        if value.nans:
            return Bad(node.id, f"first NaN: {_called(node)}")
        if value.infs:
            meant = (not known and node.kind != "parameter") or _infinite(node.attrs.values()) or any(
                i in tainted for i in node.inputs)
            if not meant:
                return Bad(node.id, f"first Inf: {_called(node)}")
            tainted.add(node.id)
    return None


def _infinite(values: Iterable[Any]) -> bool:
    return any(math.isinf(v) if isinstance(v, float) else isinstance(v, (tuple, list)) and _infinite(v)
               for v in values)


def _first_gradient(graph: Graph) -> Bad | None:
    at = next((n for n in reversed(graph.nodes) if n.grad is not None and not _sound(n.grad)), None)
    if at is None:
        return None
    what = "NaN" if at.grad and at.grad.nans else "Inf"
    if not any(n.grad is not None for n in graph.nodes if n.kind == "op"):
        return Bad(at.id, f"{what} in the gradient of {_called(at)}; compute within autograd.record() to see the step "
                          "it comes from", True)
    senders = [n for n in graph.nodes[at.id + 1:] if at.id in n.inputs and n.requires_grad]
    by = f", sent by {_called(senders[0])}" if len(senders) == 1 else ""
    return Bad(at.id, f"first {what} in the backward pass: gradient of {_called(at)}{by}", True)


def _sound(grad: Summary) -> bool:
    return not grad.nans and not grad.infs


def _called(node: GraphNode) -> str:
    words = clean(node.op or node.name or node.kind)
    if node.op and node.name:
        words += f" → {clean(node.name)}"
    return words + (f" at {clean(node.line)}" if node.line else "")
