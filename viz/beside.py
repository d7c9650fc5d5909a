"""Forward and backward in one picture: two panels with the same cards at the same heights.

    values run one way in the first panel, gradients the other way in the second, so that what an op
    computed and what it sent back stand beside one another.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .compose import scene
from .layout import layout
from .measure import INSETS, lay
from .reverse import backward
from .scene import Card, Cell, Frame, Placed, Point, Row, Scene, Wire
from .text import width
from .theme import KIND_WORDS, ramp_of
from .view import View

BACK = ".g"                                    # ends the key of a card of the second panel
GAP, PAD = 26.0, 4.0                           # between the panels, inside them


class Beside(NamedTuple):
    """Two panels as one scene, and what it takes to place them alike."""

    scene: Scene
    left: Scene
    right: Scene


def beside(view: View, rankdir: str, values: bool | str = "auto", gradients: bool | str = "auto") -> Beside:
    """The scene of both directions of a forward view.  Raises ValueError where no gradient flows at all."""
    ramp = ramp_of(view.graph)
    left = scene(view, rankdir, ramp, values=values, gradients=False)
    right = scene(backward(view), rankdir, ramp, values=False, gradients=gradients)
    if rankdir == "TB":
        right = right._replace(cards=tuple(_rising(c) if c.badge else c for c in right.cards))
    frames = [_panel("panel", "Forward", "values, from the inputs to the result")]
    frames += [f._replace(parent=f.parent + 1) for f in left.frames]
    second = len(frames)
    frames.append(_panel("panel" + BACK, "Backward", "gradients, from the result to the leaves"))
    frames += [f._replace(key=f.key + BACK, parent=f.parent + 1 + second) for f in right.frames]
    cards = [c._replace(group=c.group + 1) for c in left.cards]
    cards += [c._replace(key=c.key + BACK, group=c.group + 1 + second) for c in right.cards]
    wires = [*left.wires, *(w._replace(source=w.source + BACK, target=w.target + BACK) for w in right.wires)]
    present = {*left.kinds, *right.kinds}
    kinds = (*(k for k in KIND_WORDS if k in present), *(k for k in ("ramp", "alarm") if k in present))
    title = left.title.replace("Computation graph", "Forward and backward graph")
    both = Scene(tuple(cards), tuple(frames), tuple(wires), kinds, ramp.reference, rankdir, title,
                 left.description.replace(left.title, title), tuple(dict.fromkeys([*left.notes, *right.notes])))
    return Beside(both, left, right)


def _rising(card: Card) -> Card:
    """A card whose badge stands on its lower border, where gradients come in."""
    left, top, right, bottom = card.inset
    spare = top - INSETS.get(card.form, (0.0, 0.0, 0.0, 0.0))[1]
    return card._replace(inset=(left, top - spare, right, bottom + spare), rising=True)


def _panel(key: str, title: str, detail: str) -> Frame:
    room = math.ceil(width(title, 12, bold=True)) + 14.0       # another font may be a little wider
    rows, wide = lay([Row((Cell(title, "ink", 12, True, width=room), Cell(detail, "sub", 10)), 26)])
    return Frame(key, -1, tuple(rows), wide, 26.0, f"{title}: {detail}", "")


def placed(both: Beside) -> Placed:
    """Both panels laid out alike: side by side, or one above the other where the drawing runs from left to right."""
    union = _union(both.left, both.right)
    at = layout(union)
    sideways = both.scene.rankdir == "LR"
    header = both.scene.frames[0].header
    wide, high = max(at.width, both.scene.frames[0].width + 8), at.height + header
    corner = {False: (PAD + 10, PAD + 10)}
    corner[True] = (corner[False][0], corner[False][1] + high + GAP) if sideways else (
        corner[False][0] + wide + GAP, corner[False][1])
    slots = {card.key: (*at.cards[card.key], card.width, card.height) for card in union.cards}
    cards: dict[str, Point] = {}
    frames: list[tuple[float, float, float, float]] = []
    wires: list[tuple[Point, ...]] = []
    labels: list[Point | None] = []
    boxes = {frame.key: box for frame, box in zip(union.frames, at.frames, strict=True)}
    routes = {(w.source, w.target, w.node, k): points for (w, k), points in zip(_counted(union.wires), at.wires,
                                                                                strict=True)}
    for second, one in ((False, both.left), (True, both.right)):
        x0, y0 = corner[second]
        dx, dy = x0 + (wide - at.width) / 2, y0 + header
        frames.append((x0, y0, wide, high))
        frames += [(bx + dx, by + dy, w, h) for bx, by, w, h in (boxes[f.key] for f in one.frames)]
        place = {card.key: _centred(card, slots[card.key], dx, dy) for card in one.cards}
        cards |= {key + (BACK if second else ""): point for key, point in place.items()}
        sizes = {card.key: (card.width, card.height) for card in one.cards}
        for wire, k in _counted(one.wires):
            ends = (wire.target, wire.source) if second else (wire.source, wire.target)
            route = [(x + dx, y + dy) for x, y in routes[(*ends, wire.node, k)]]
            wires.append(_fitted(route[::-1] if second else route, place[wire.source], sizes[wire.source],
                                 place[wire.target], sizes[wire.target], sideways))
        labels += [(p[0] + dx, p[1] + dy) if p and not second else None
                   for p in (at.labels[:len(one.wires)] if not second else [None] * len(one.wires))]
    last = corner[True]
    return Placed(cards, tuple(frames), tuple(wires), tuple(labels), last[0] + wide + PAD + 10,
                  last[1] + high + PAD + 10, at.engine)


def _counted(wires: tuple[Wire, ...]) -> list[tuple[Wire, int]]:
    """Each wire, and how many before it join the same ends with the same value."""
    seen: dict[tuple[frozenset[str], int], int] = {}
    found = []
    for wire in wires:
        key = frozenset((wire.source, wire.target)), wire.node
        seen[key] = seen.get(key, -1) + 1
        found.append((wire, seen[key]))
    return found


def _union(left: Scene, right: Scene) -> Scene:
    """One scene with room for the cards of either: what is laid out, and never painted."""
    others = {card.key: card for card in right.cards}
    cards = [_slot(card, others.pop(card.key, None)) for card in left.cards]
    groups = {frame.key: k for k, frame in enumerate(left.frames)}
    cards += [_slot(card, None)._replace(group=groups[right.frames[card.group].key] if card.group >= 0 else -1)
              for card in others.values()]
    headers = {frame.key: frame for frame in right.frames}
    frames = [frame._replace(width=max(frame.width, headers.get(frame.key, frame).width),
                             header=max(frame.header, headers.get(frame.key, frame).header)) for frame in left.frames]
    wires = [wire._replace(port=None) for wire in left.wires]
    known = {(w.source, w.target, w.node, k) for w, k in _counted(left.wires)}
    wires += [w._replace(source=w.target, target=w.source, port=None, label="", label_width=0.0)
              for w, k in _counted(right.wires) if (w.target, w.source, w.node, k) not in known]
    return left._replace(cards=tuple(cards), frames=tuple(frames), wires=tuple(wires))


def _slot(card: Card, other: Card | None) -> Card:
    """A card with the room of both, and equal room on both sides of the middle of their bodies."""
    reach = [_reach(c) for c in (card, other) if c is not None]
    return card._replace(width=2 * max(r[0] for r in reach), height=2 * max(r[1] for r in reach),
                         inset=(0.0, 0.0, 0.0, 0.0), ports=())


def _middle(card: Card) -> Point:
    left, top, right, bottom = card.inset
    return left + (card.width - left - right) / 2, top + (card.height - top - bottom) / 2


def _reach(card: Card) -> Point:
    x, y = _middle(card)
    return max(x, card.width - x), max(y, card.height - y)


def _centred(card: Card, slot: tuple[float, float, float, float], dx: float, dy: float) -> Point:
    x, y = _middle(card)
    return slot[0] + slot[2] / 2 - x + dx, slot[1] + slot[3] / 2 - y + dy


def _fitted(route: list[Point], source: Point, source_size: Point, target: Point, target_size: Point, sideways: bool
            ) -> tuple[Point, ...]:
    """A route between slots, made to begin and end at the cards in them."""
    along = 0 if sideways else 1
    down = route[-1][along] >= route[0][along]
    start = source[along] + (source_size[along] if down else 0.0)
    stop = target[along] + (0.0 if down else target_size[along])
    first = (start, route[0][1]) if sideways else (route[0][0], start)
    last = (stop, route[-1][1]) if sideways else (route[-1][0], stop)
    points = [*_straight(first, route[0]), *route[1:]] if abs(start - route[0][along]) > 0.01 else route
    if abs(stop - route[-1][along]) > 0.01:
        points = [*points, *_straight(route[-1], last)[1:]]
    return tuple(points)


def _straight(a: Point, b: Point) -> list[Point]:
    x, y = (b[0] - a[0]) / 3, (b[1] - a[1]) / 3
    return [a, (a[0] + x, a[1] + y), (a[0] + 2 * x, a[1] + 2 * y), b]
