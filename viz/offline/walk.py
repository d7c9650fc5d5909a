"""The backward pass over the cards of one picture: steps that fall into one closed card are told as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..text import amount, clean
from .stepping import Step, steps

if TYPE_CHECKING:
    from ..scene import Card

MOST_STOPS = 400                               # of one picture; a longer pass is told in larger strides


class Stop(NamedTuple):
    """What is told at once, and the cards that it happens in."""

    keys: tuple[str, ...]
    title: str                                 # "step 12/48: multiply: gx = g * y"
    lines: tuple[str, ...]
    alive: int                                 # bytes still saved afterwards


class Walk(NamedTuple):
    """A whole backward pass; `saved` bytes are alive at its start."""

    stops: tuple[Stop, ...]
    saved: int
    reached: dict[str, int]                    # card -> the stop at which its gradients are there


def walk(drawing: Any) -> Walk:
    """The stops of the backward pass of a drawn graph; none where no gradient flows."""
    told = steps(drawing.graph)
    cards: dict[int, list[Card]] = {}
    for card in drawing.scene.cards:
        if not card.key.startswith("out"):     # where a result comes out, or the sweep starts: no op
            for i in card.nodes:
                cards.setdefault(i, []).append(card)
    runs: list[list[Step]] = []
    last: tuple[str, ...] | None = None
    for step in told:
        keys = tuple(card.key for card in cards.get(step.node, ()))
        if keys and keys == last:
            runs[-1].append(step)
        elif keys or not runs:
            runs.append([step])
        last = keys
    stride = -(-len(runs) // MOST_STOPS)
    strides = [[step for run in runs[k:k + stride] for step in run] for k in range(0, len(runs), max(1, stride))]
    numbers = {step.node: k + 1 for k, step in enumerate(told)}
    saved = sum(drawing.graph.nodes[step.node].saved_bytes for step in told)
    stops = tuple(_stop(run, cards, numbers, len(told)) for run in strides)
    reached: dict[str, int] = {}
    for k, stop in enumerate(stops):
        for key in stop.keys:
            reached.setdefault(key, k)
    last_use: dict[int, int] = {}              # of leaves: they have their gradient when the last op has sent its part
    for k, run in enumerate(strides):
        for step in run:
            last_use.update(dict.fromkeys(drawing.graph.nodes[step.node].inputs, k))
    for i, k in last_use.items():
        for card in cards.get(i, ()):
            if drawing.graph.nodes[i].kind != "op" and drawing.graph.nodes[i].requires_grad:
                reached[card.key] = max(k, reached.get(card.key, 0))
    return Walk(stops, saved, reached)


def _stop(run: list[Step], cards: dict[int, list[Card]], numbers: dict[int, int], total: int) -> Stop:
    first, last = run[0], run[-1]
    keys = dict.fromkeys(card.key for step in run for card in cards.get(step.node, ()))
    if len(run) == 1:
        lines = (*first.lines, first.freed) if first.freed else first.lines
        return Stop(tuple(keys), f"step {numbers[first.node]}/{total}: {first.title}", lines, first.alive)
    inside = cards.get(first.node)
    name = clean(inside[0].title.partition("\n")[0]) if inside and len(keys) <= len(inside) else ""
    freed = sum(1 for step in run if step.freed)
    title = f"steps {numbers[first.node]} to {numbers[last.node]} of {total}" + (f": {name}" if name else "")
    return Stop(tuple(keys), title, (f"frees what {freed} ops saved",) if freed else (), last.alive)


def alive_words(stop: Stop, saved: int) -> str:
    """"saved 1.2 kB of 40 kB"; "" where nothing is."""
    return f"saved {amount(stop.alive, 'B')} of {amount(saved, 'B')}" if saved else ""
