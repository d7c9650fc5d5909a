"""From a view to a scene: cards, frames, wires, legend, words."""

from __future__ import annotations

import math

from .cards import Cards
from .marks import cut_at, first_bad
from .scene import Frame, Scene, Wire
from .text import MAX_PATH, amount, clean, shape, width
from .theme import KIND_WORDS, Ramp, ramp_of
from .view import Item, Link, View

LABEL = 9.0                                    # size of type
MOST_LABELS = 4                                # wires of a fan that are labelled each


def scene(view: View, rankdir: str = "TB", ramp: Ramp | None = None, *, values: bool | str = "auto",
          gradients: bool | str = "auto") -> Scene:
    """Sizes and words of all that is seen.  `ramp` is the graph's own unless several pictures share one.

    values, gradients: True shows the numbers of all that is known, False of nothing; "auto" of scalars and losses, and
    of gradients where there are any.
    """
    ramp = ramp or ramp_of(view.graph)
    makes = Cards(view, ramp, rankdir, values, gradients)
    cards = tuple(makes.card(item) for item in view.items)
    frames = []
    for group in view.groups:
        rows, wide, high = makes.header(group.path, group.turns)
        frames.append(Frame(group.key, group.parent, rows, wide, high, _frame_title(group.path, len(group.turns)),
                            clean(group.path, MAX_PATH), max(1, len(group.turns))))
    items = {item.key: item for item in view.items}
    ports = {card.key: dict(card.ports) for card in cards}
    fans: dict[tuple[str, int], int] = {}
    for link in view.links:
        fans[link.source, link.node] = fans.get((link.source, link.node), 0) + 1
    first = {(link.source, link.node): link for link in reversed(view.links)}
    wires = tuple(_wire(link, view, items, ports, fans, first, makes) for link in view.links)
    kinds = tuple(k for k in KIND_WORDS if k in makes.kinds)
    if makes.kinds & {"ramp", "alarm"}:
        kinds += tuple(k for k in ("ramp", "alarm") if k in makes.kinds)
    title, description = _headline(view)
    return Scene(cards, tuple(frames), wires, kinds, ramp.reference, rankdir, title, description, _notes(view, makes))


def _wire(link: Link, view: View, items: dict[str, Item], ports: dict[str, dict[int, float]],
          fans: dict[tuple[str, int], int], first: dict[tuple[str, int], Link], makes: Cards) -> Wire:
    node = view.graph.nodes[link.node]
    source = items[link.source]
    forward = view.direction != "backward"
    travelling = tuple(dict.fromkeys(view.graph.nodes[i].inputs[arg] for i, arg in link.args)) or (link.node,)
    rms = makes.rms(travelling) if makes.gradients is not False else None
    flows = node.requires_grad and (not link.args or any(view.graph.nodes[i].requires_grad for i, _ in link.args))
    role, weight, dead = makes.ramp.flow(rms) if flows else ("edge", 1.3, False)
    labelled = forward and not view.scalar and node.shape != () and (
        source.kind in ("leaf", "module", "repeat") or fans[link.source, link.node] > 1)
    if labelled and fans[link.source, link.node] > MOST_LABELS:        # one label for all of a wide fan
        labelled = link is first[link.source, link.node]
    label = shape(node.shape) if labelled else ""
    dash = "dashed" if dead else "" if flows else "dotted"
    what = "gradient of " if not forward else ""
    name = clean(node.name or node.op or node.kind)
    cuts = {cut_at(view.graph, i, arg) for i, arg in link.args} if forward else {""}
    why = cuts.pop() if len(cuts) == 1 else ""
    if why:
        makes.kinds.add("cut")
        line = clean(view.graph.nodes[link.args[0][0]].line)
        name = f"cut by {why}{f' at {line}' if line and why == 'no_grad' else ''}: {name}"
    return Wire(link.source, link.target, link.node, ports[link.source].get(link.port), label,
                math.ceil(width(label, LABEL)) + 2.0 if label else 0.0, role, weight, dash,
                f"{what}{name} {shape(node.shape)} {clean(node.dtype)}", "cut" if why else "")


def _frame_title(path: str, turns: int) -> str:
    return f"module {clean(path, 200)}" + (f", {turns} times" if turns > 1 else "")


def _headline(view: View) -> tuple[str, str]:
    """Title and description of the picture, for those who cannot see it."""
    graph = view.graph
    ops = sum(1 for n in graph.nodes if n.kind == "op")
    params = [n for n in graph.nodes if n.kind == "parameter"]
    count = sum(math.prod(n.shape) for n in params)
    inputs = [clean(n.name) or shape(n.shape) for n in graph.nodes if n.kind == "input"]
    out = graph.nodes[graph.outputs[0]] if graph.outputs else None
    kind = {"backward": "Backward", "second": "Second-order"}.get(view.direction, "Computation")
    title = f"{kind} graph of {ops} operation{'s' * (ops != 1)}"
    plural = "s" * (len(params) != 1)
    words = [f"{len(params)} parameter{plural} with {amount(count)} numbers" if params else "no parameters"]
    words += [f"inputs {', '.join(inputs[:6])}{', …' if len(inputs) > 6 else ''}"] if inputs else []
    words += [f"result {clean(out.name or out.op or out.kind)} {shape(out.shape)}"] if out else []
    return title, f"{title}: {'; '.join(words)}."


def _notes(view: View, makes: Cards) -> tuple[str, ...]:
    notes = [bad.note for bad in first_bad(view.graph)]
    if makes.freed:
        total, steps = sum(f.nbytes for f in makes.freed.values()), len(makes.freed)
        notes.append(f"saved tensors: {amount(total, 'B')}, freed by {steps} step{'s' * (steps > 1)}" if total else "")
    if view.direction == "second":
        scalar = all(n.shape == () for n in view.graph.nodes if n.kind == "input")
        notes.append("f″: the derivative of the sum of all first derivatives" if scalar else
                     "f″: the Hessian times the vector grad")
    elif makes.gradients is not False and any(n.requires_grad for n in view.graph.nodes) and not makes.inner:
        notes.append("gradients inside: pending; computed within autograd.record() they are shown" if makes.grads else
                     "gradients: pending, no backward pass yet")
    return tuple(filter(None, notes))
