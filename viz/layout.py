"""The built-in layout: nested frames, each drawn as a level of its own, inside out.

    scene -> Placed        without any program or package, in O(cards + wires)

A frame is drawn first and then stands as one box in the frame around it.  A wire that leaves a frame
passes through a terminal on its border, so it is routed level by level and cannot run through a card.
"""

from __future__ import annotations

from typing import NamedTuple

from .layered import Box, Edge, Level, draw
from .scene import FRAME_PAD, NODE_GAP, RANK_GAP, Placed, Point, Scene

ENDS = 14.0                                    # from a frame's border to the first and from the last rank in it
MARGIN = 14.0
LABEL_HEIGHT = 12.0

Terminal = tuple[str, str, float]              # "in" or "out", the source card, and the place it leaves from


class _End(NamedTuple):
    """Where a piece of a wire begins or ends in a level: at a card, at a frame, or at the level's own border."""

    kind: str                                  # "card" "frame" "border"
    member: int = -1                           # which card or frame
    terminal: Terminal | None = None           # of a border
    place: float = -1.0                        # on a card; -1 is its middle


class _Piece(NamedTuple):
    """The part of a wire that lies in one level."""

    start: _End
    stop: _End
    label: float = 0.0                         # width
    late: bool = False                         # the label stands near the target


class _Pads(NamedTuple):
    """Room in a frame around its level: before and after, across the ranks and along them."""

    across_before: float
    across_after: float
    along_before: float
    along_after: float


def layout(scene: Scene) -> Placed:
    """Places every card, frame, wire and label of a scene."""
    return _Compound(scene).placed()


class _Compound:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sideways = scene.rankdir == "LR"
        self.size: list[tuple[float, float]] = [                       # across and along, of cards
            (c.height, c.width) if self.sideways else (c.width, c.height) for c in scene.cards]
        self.index = {card.key: k for k, card in enumerate(scene.cards)}
        self.members: dict[int, list[tuple[str, int]]] = {g: [] for g in range(-1, len(scene.frames))}
        for g, frame in enumerate(scene.frames):
            self.members[frame.parent].append(("frame", g))
        for k, card in enumerate(scene.cards):
            self.members[card.group].append(("card", k))
        self.levels: dict[int, Level] = {}
        self.slot: dict[int, dict[tuple[str, int], int]] = {}          # of each level: member -> box
        self.pads: dict[int, _Pads] = {}
        self.extent: dict[int, tuple[float, float]] = {}               # of each frame, across and along
        self.through: dict[int, dict[Terminal, float]] = {}            # of each frame: where wires pass its border
        self.wanted: dict[int, dict[_Piece, int]] = {g: {} for g in self.members}      # of each level: piece -> edge
        self.path: list[list[tuple[int, _Piece]]] = []                 # of each wire, from its start to its end
        self._split_wires()

    def _chain(self, card: int) -> list[int]:
        """The groups around a card, innermost first, the page last."""
        group = self.scene.cards[card].group
        chain = [group]
        while group >= 0:
            group = self.scene.frames[group].parent
            chain.append(group)
        return chain

    def _split_wires(self) -> None:
        """Cuts each wire at the frames it passes; wires from one place share their pieces."""
        chains = [self._chain(k) for k in range(len(self.scene.cards))]
        fans: dict[str, int] = {}
        for wire in self.scene.wires:
            fans[wire.source] = fans.get(wire.source, 0) + 1
        for wire in self.scene.wires:
            s, t = self.index[wire.source], self.index[wire.target]
            place = wire.port if wire.port is not None else -1.0
            outward: Terminal = ("out", wire.source, place)
            inward: Terminal = ("in", wire.source, place)
            ups, downs = chains[s], chains[t]
            common = next(g for g in ups if g in downs)
            pieces: list[tuple[int, _Piece]] = []
            start = _End("card", s, place=place)
            for g in ups[:ups.index(common)]:
                pieces.append((g, _Piece(start, _End("border", terminal=outward))))
                start = _End("frame", g, outward)
            inner: list[tuple[int, _Piece]] = []
            stop = _End("card", t)
            for g in downs[:downs.index(common)]:
                inner.append((g, _Piece(_End("border", terminal=inward), stop)))
                stop = _End("frame", g, inward)
            pieces.append((common, _Piece(start, stop, wire.label_width, fans[wire.source] > 1)))
            pieces += reversed(inner)
            for g, piece in pieces:
                self.wanted[g].setdefault(piece, len(self.wanted[g]))
            self.path.append(pieces)

    def _draw(self, g: int) -> None:
        """One level: its boxes are cards, drawn frames and terminals."""
        slots: dict[tuple[str, int], int] = {}
        boxes: list[Box] = []
        for kind, k in self.members[g]:
            slots[kind, k] = len(boxes)
            boxes.append(Box(*(self.size[k] if kind == "card" else self.extent[k])))
        terminals: dict[Terminal, int] = {}
        for piece in self.wanted[g]:
            for end in (piece.start, piece.stop):
                if end.kind == "border" and end.terminal and end.terminal not in terminals:
                    terminals[end.terminal] = len(boxes)
                    boxes.append(Box(0.0, 0.0, -1 if end.terminal[0] == "in" else 1))
        edges = []
        for piece in self.wanted[g]:
            source, leave = self._at(piece.start, slots, terminals)
            target, arrive = self._at(piece.stop, slots, terminals)
            room, tall = (LABEL_HEIGHT, piece.label) if self.sideways else (piece.label, LABEL_HEIGHT)
            room, tall = (room, tall) if piece.label else (0.0, 0.0)
            edges.append(Edge(source, target, leave, arrive, room, tall, piece.late))
        self.levels[g] = level = draw(boxes, edges, gap=NODE_GAP, ends=ENDS,
                                      rank_gap=RANK_GAP + (16.0 if self.sideways else 0.0))
        self.slot[g] = slots
        if g >= 0:
            self._frame(g, level, {t: level.corners[k][0] for t, k in terminals.items()})

    def _at(self, end: _End, slots: dict[tuple[str, int], int], terminals: dict[Terminal, int]) -> tuple[int, float]:
        """The box of an end, and how far from the start of its side the wire stands."""
        if end.kind == "border" and end.terminal:
            return terminals[end.terminal], 0.0
        box = slots[end.kind, end.member]
        if end.kind == "frame" and end.terminal:
            return box, self.through[end.member][end.terminal]
        if end.place >= 0:
            return box, end.place
        left, top, right, bottom = self.scene.cards[end.member].inset
        low, high = (top, bottom) if self.sideways else (left, right)
        return box, low + (self.size[end.member][0] - low - high) / 2

    def _frame(self, g: int, level: Level, crossed: dict[Terminal, float]) -> None:
        """Size of a frame: its level, room around it, and a header that no wire runs through."""
        frame = self.scene.frames[g]
        entering = any(t[0] == "in" for t in crossed)
        leaving = any(t[0] == "out" for t in crossed)
        near, far = (0.0 if entering else FRAME_PAD), (0.0 if leaving else FRAME_PAD)
        if self.sideways:
            spare = max(0.0, frame.width - (level.along + near + far)) / 2
            pads = _Pads(frame.header + 4, FRAME_PAD, near + spare, far + spare)
        else:
            side = FRAME_PAD
            ins = [x for t, x in crossed.items() if t[0] == "in"]
            if ins:                            # the title stands to the left of the first wire that comes in
                side = max(side, min(frame.width + 10.0 - min(ins), 90.0))
            side = max(side, (frame.width - level.across) / 2)
            pads = _Pads(side, side, frame.header + (near or 2.0), far)
        self.pads[g] = pads
        self.extent[g] = (level.across + pads.across_before + pads.across_after,
                          level.along + pads.along_before + pads.along_after)
        self.through[g] = {t: x + pads.across_before for t, x in crossed.items()}

    def placed(self) -> Placed:
        for g in [*range(len(self.scene.frames) - 1, -1, -1), -1]:
            self._draw(g)
        origin: dict[int, Point] = {-1: (MARGIN, MARGIN)}
        cards: dict[str, Point] = {}
        frames: list[tuple[float, float, float, float]] = [(0.0, 0.0, 0.0, 0.0)] * len(self.scene.frames)
        for g in range(-1, len(self.scene.frames)):                    # a frame comes after the one around it
            ax, ay = origin[g]
            for member, box in self.slot[g].items():
                x, y = self.levels[g].corners[box]
                kind, k = member
                if kind == "card":
                    cards[self.scene.cards[k].key] = self._turn((ax + x, ay + y))
                else:
                    pads = self.pads[k]
                    origin[k] = (ax + x + pads.across_before, ay + y + pads.along_before)
                    fx, fy = self._turn((ax + x, ay + y))
                    fw, fh = self._turn(self.extent[k])
                    frames[k] = (fx, fy, fw, fh)
        wires, labels = [], []
        for wire, pieces in zip(self.scene.wires, self.path, strict=True):
            points, label = self._joined(pieces, origin)
            wires.append(tuple(self._turn(p) for p in points))
            labels.append(self._turn(label) if label and wire.label else None)
        page = self.levels[-1]
        width, height = self._turn((page.across + 2 * MARGIN, page.along + 2 * MARGIN))
        return Placed(cards, tuple(frames), tuple(wires), tuple(labels), width, height, "built-in")

    def _joined(self, pieces: list[tuple[int, _Piece]], origin: dict[int, Point]
                ) -> tuple[list[Point], Point | None]:
        points: list[Point] = []
        label = None
        for g, piece in pieces:
            ax, ay = origin[g]
            k = self.wanted[g][piece]
            route = [(ax + x, ay + y) for x, y in self.levels[g].routes[k]]
            if points:                         # from one border to the next
                last, first = points[-1], route[0]
                if abs(last[1] - first[1]) > 0.01 or abs(last[0] - first[0]) > 0.01:
                    third = (first[1] - last[1]) / 3
                    points += [(last[0], last[1] + third), (first[0], first[1] - third), first]
                points += route[1:]
            else:
                points = route
            found = self.levels[g].labels[k]
            if found is not None:
                label = (ax + found[0], ay + found[1])
        return points, label

    def _turn(self, point: Point) -> Point:
        return (point[1], point[0]) if self.sideways else point
