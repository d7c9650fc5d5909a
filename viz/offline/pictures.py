"""Every card and every header of a graph as a list of small pieces of SVG, each piece written once.

The page puts them where its own layout says; so a card looks the same there as in any other picture, and its
geometry and colours are told in one place only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ..cards import Cards
from ..fold import Ops
from ..measure import lay
from ..paint import Box, Close, Mark, Open, Path, Text, sheet
from ..scene import Card, Cell, Frame, Placed, Row, Scene, Wire
from ..svg import DASHES, escape, number
from ..text import clean, fit, width
from ..theme import ramp_of
from ..view import ROW_KINDS, Item, View
from ..words import chunk_words
from .units import Fold, Tree, nodes, turns

if TYPE_CHECKING:
    from autograd.graph import Graph

ROOM = 560.0                                   # the legend's width
BATCH = 250                                    # cards


class Pictures:
    """Makes the pieces; `table` holds each of them once, a picture is [width, height, inset, place in `table`, ...]."""

    def __init__(self, graph: Graph, ops: Ops, tree: Tree, params: str, scalar: bool, rankdir: str,
                 values: bool | str = "auto", gradients: bool | str = "auto") -> None:
        self.graph, self.ops, self.tree, self.scalar, self.params = graph, ops, tree, scalar, params
        self.ramp = ramp_of(graph)
        seen = View(graph, (), (), (), params, scalar=scalar)
        self.makes = Cards(seen, self.ramp, rankdir, values, gradients, titled=False)    # the page has its own words
        self.alike: dict[Card, list[int | float]] = {}         # but for what only its place in the graph tells
        self.table: dict[str, int] = {}
        self.known: dict[Mark, int] = {}
        self.insets: dict[tuple[float, ...], int] = {}
        self.results = set(graph.outputs)

    def piece(self, mark: Mark) -> int:
        """The number of a piece."""
        place = self.known.get(mark)
        if place is None or isinstance(mark, Close):           # an empty tuple, like any other
            place = self.known[mark] = self.table.setdefault(fragment(mark), len(self.table))
        return place

    def drawn(self, cards: Iterable[Card]) -> list[list[int | float]]:
        """The picture of each card, drawn with its corner at the origin; a few at a time, so that few are in memory."""
        made: list[list[int | float]] = []
        rest = iter(cards)
        while found := tuple(islice(rest, BATCH)):
            plain = [card._replace(key="", nodes=(), data=(), group=-1, path="") for card in found]
            fresh = {card: f"{k}" for k, card in enumerate(plain) if card not in self.alike}
            batch = tuple([card._replace(key=key) for card, key in fresh.items()])
            blank = Scene(batch, (), (), (), 0.0, "TB", "", "", ())
            marks = sheet(blank, Placed({c.key: (0.0, 0.0) for c in batch}, (), (), (), ROOM, 0.0, "")).marks
            for card, inner in zip(fresh, _groups(marks, "node"), strict=True):
                self.alike[card] = [_plain(card.width), _plain(card.height), self.inset(card.inset),
                                    *map(self.piece, inner)]
            made += [self.alike[card] for card in plain]
        return made

    def inset(self, inset: tuple[float, ...]) -> int:
        return self.insets.setdefault(inset, len(self.insets))

    def headers(self) -> list[list[int | float]]:
        """The header of each unit where it is open: width, height, copies, pieces."""
        frames = []
        for k, fold in enumerate(self.tree.folds):
            rows, wide, high = self._header(fold)
            frames.append(Frame(str(k), -1, rows, wide, high, "", "", len(turns(fold, self.ops)) or 1))
        blank = Scene((), tuple(frames), (), (), 0.0, "TB", "", "", ())
        boxes = tuple((0.0, 0.0, f.width, f.header) for f in frames)
        marks = sheet(blank, Placed({}, boxes, (), (), ROOM, 0.0, "")).marks
        result = []
        for frame, inner in zip(frames, _groups(marks, "frame"), strict=True):
            words = inner[3 if frame.copies > 1 else 1:]               # the page draws the box: only it knows the size
            result.append([_plain(frame.width), _plain(frame.header), frame.copies, *map(self.piece, words)])
        return result

    def _header(self, fold: Fold) -> tuple[tuple[Row, ...], float, float]:
        if fold.form != "part":
            return self.makes.header(fold.path, turns(fold, self.ops))
        inside = nodes(fold, self.ops)
        title, detail = chunk_words(self.graph, inside)
        detail = reach(self.graph, inside) or detail
        cells = (Cell(title, "ink", 11, True, sign="open"), Cell(fit(detail, 260, 10), "sub", 10))
        rows, total = lay([Row(cells, 24)])
        return tuple(rows), total, 24.0

    def op_cards(self) -> Iterator[Card]:
        """The card of every op."""
        for p, i in enumerate(self.ops.ids):
            rows = self._rows(i)
            kind = "loss" if i in self.results and not self.scalar and self._is_loss(i) else "op"
            yield self.makes.card(Item(f"n{i}", kind, (i,), path=self.tree.alone.get(p, ""), rows=rows))

    def _rows(self, i: int) -> tuple[tuple[int, ...], ...]:
        """The leaves that are rows of an op, each once."""
        if self.params != "row":
            return ()
        leaves = [a for a in self.graph.nodes[i].inputs if self.graph.nodes[a].kind in ROW_KINDS]
        return tuple((a,) for a in dict.fromkeys(leaves))

    def _is_loss(self, i: int) -> bool:
        return self.graph.nodes[i].shape == () and not self._rows(i)

    def ends(self) -> list[int]:
        """The ops of which a result comes out that is no loss."""
        return [] if self.scalar else [i for i in self.ops.ids if i in self.results and not self._is_loss(i)]

    def end_cards(self) -> Iterator[Card]:
        """The card behind each of these."""
        return (self.makes.card(Item(f"out{i}", "output", (i,))) for i in self.ends())

    def leaves(self) -> list[int]:
        """Leaves that are drawn as nodes."""
        return [n.id for n in self.graph.nodes if n.kind != "op" and (
            n.kind == "input" or self.params == "node" or n.id in self.results or not self.ops.ids)]

    def leaf_cards(self) -> Iterator[Card]:
        """Their cards."""
        return (self.makes.card(Item(f"n{i}", "leaf", (i,))) for i in self.leaves())

    def unit_cards(self) -> Iterator[Card]:
        """The card of each unit where it is closed."""
        for k, fold in enumerate(self.tree.folds):
            inside = nodes(fold, self.ops)
            card = self.makes.card(Item(f"u{k}", "repeat" if fold.form == "repeat" else "module", inside,
                                        path=fold.path, turns=turns(fold, self.ops)))
            where = reach(self.graph, inside) if fold.form == "part" else ""
            if where:                          # says more of a part than which ops are in it
                *rows, last = card.rows
                cell = last.cells[0]
                words = fit(where, cell.width, cell.size)
                card = card._replace(rows=(*rows, last._replace(cells=(cell._replace(text=words),))))
            yield card

    def cut(self) -> list[int]:
        """The sign on a wire where no gradient comes back, about the origin."""
        wire = Wire("", "", 0, None, "", 0.0, "edge", 1.0, "", "", "cut")
        blank = Scene((), (), (wire,), (), 0.0, "TB", "", "", ())
        points = ((0.0, -3.0), (0.0, -1.0), (0.0, 1.0), (0.0, 3.0))
        marks = sheet(blank, Placed({}, (), (points,), (None,), ROOM, 0.0, "")).marks
        return [self.piece(mark) for mark in _groups(marks, "wire")[0][2:]]    # behind the line and its head

    def legend(self, kinds: tuple[str, ...], notes: tuple[str, ...]) -> list[int | float]:
        """Signs, the ramp, notes: width, height, pieces."""
        blank = Scene((), (), (), kinds, self.ramp.reference, "TB", "", "", notes)
        drawn = sheet(blank, Placed({}, (), (), (), ROOM, 0.0, ""))
        return [_plain(drawn.width), _plain(drawn.height),
                *[self.piece(mark) for inner in _groups(drawn.marks, "legend") for mark in inner]]


def reach(graph: Graph, ids: tuple[int, ...]) -> str:
    """"blocks.0 … blocks.6": the modules that a part goes from and to; "" where there are none to tell apart."""
    first, last = (graph.nodes[i].module.split(".") for i in (ids[0], ids[-1]))
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    ends = [clean(".".join(path[:same + 1])) for path in (first, last)]
    return " … ".join(ends) if all(ends) and ends[0] != ends[1] else ""


def fragment(mark: Mark) -> str:
    """One mark as SVG whose colours are classes: `f-ROLE` fills, `s-ROLE` strokes."""
    if isinstance(mark, Open):
        data = "".join(f' {name}="{escape(value)}"' for name, value in mark.data)
        return f'<g class="{escape(mark.kind)}"{data}>'
    if isinstance(mark, Close):
        return "</g>"
    if isinstance(mark, Text):
        return _text(mark)
    classes = " ".join([f"f-{mark.fill}"] * bool(mark.fill) + [f"s-{mark.stroke}"] * bool(mark.stroke))
    style = f' stroke-width="{mark.width:.3g}"' if mark.stroke and mark.width != 1 else ""
    style += f' stroke-dasharray="{DASHES[mark.dash]}"' if mark.stroke and mark.dash else ""
    if isinstance(mark, Box):
        corner = f' rx="{number(mark.r)}"' if mark.r else ""
        return (f'<rect class="{classes}" x="{number(mark.x)}" y="{number(mark.y)}" width="{number(mark.w)}" '
                f'height="{number(mark.h)}"{corner}{style}/>')
    assert isinstance(mark, Path)
    steps = "".join(op + " ".join(map(number, numbers)) for op, numbers in mark.commands)
    return f'<path class="{classes}" d="{steps}"{style}/>'


def _text(mark: Text) -> str:
    classes = f"f-{mark.ink}" + " mono" * mark.mono + " halo" * mark.halo + " bold" * mark.bold
    style = f' text-anchor="{mark.align}"' if mark.align != "start" else ""
    if len(mark.text) > 4:                     # another font is squeezed to the width the layout counted on
        wide = width(mark.text, mark.size, mark.bold, mark.mono)
        style += f' textLength="{number(wide)}" lengthAdjust="spacingAndGlyphs"'
    return (f'<text class="{classes}" x="{number(mark.x)}" y="{number(mark.y)}" font-size="{mark.size:g}"{style}>'
            f"{escape(mark.text)}</text>")


def _groups(marks: tuple[Mark, ...], kind: str) -> list[list[Mark]]:
    """The marks inside each outermost group of a kind."""
    found: list[list[Mark]] = []
    depth = 0
    for mark in marks:
        if depth or (isinstance(mark, Open) and mark.kind == kind):
            depth += 1 if isinstance(mark, Open) else -1 if isinstance(mark, Close) else 0
            if depth == 1 and isinstance(mark, Open) and mark.kind == kind:
                found.append([])
            elif depth:
                found[-1].append(mark)
    return found


def _plain(value: float) -> int | float:
    """A length in as few digits as do."""
    short = round(value, 2)
    return math.floor(short) if short == math.floor(short) else short
