"""The scene of a difference: the cards of the union, marked with what became of them."""

from __future__ import annotations

import math

from ..measure import PAD, lay
from ..scene import Card, Cell, Row, Scene
from ..text import clean, exact, fit, number
from ..view import Item, View
from ..words import module_words
from .colours import SIGNS
from .gradients import moved, shift
from .merge import Merged

MOST_WORDS = 4                                 # changes of one node that are written out
ROOM = 280.0
TALL = 16.0


def note(status: str, word: str) -> Row:
    """A line with the sign of a status."""
    return Row((Cell(word, f"{status}-ink", 10, True, sign=f"'{SIGNS[status]}"),), TALL)


class Marker:
    """Marks cards; knows what the legend must explain."""

    def __init__(self, merged: Merged, seen: View, gradients: bool) -> None:
        self.merged, self.graph, self.seen, self.gradients = merged, merged.graph, seen, gradients
        self.structure = bool(merged.status)
        self.old = merged.graph._replace(modules=merged.classes)
        self.kinds: set[str] = set()

    # -- rows -------------------------------------------------------------------------------------------------

    def said(self, i: int, indent: float = 0.0) -> list[Row]:
        """What became of a node, in words."""
        status = self.merged.status[i]
        self.kinds.add(status)
        words = [clean(w, 120) for w in self.merged.words.get(i, (status,))]
        more = [f"… {len(words) - MOST_WORDS} more"] if len(words) > MOST_WORDS else []
        return [note(status, fit(word, ROOM, 10, True))._replace(fill=status) for word in [*words[:MOST_WORDS], *more]]

    def shifted(self, row: Row, nodes: tuple[int, ...]) -> list[Row]:
        """A row with its gradient swatch as a ratio, and a row of then and now below."""
        if not self.gradients:
            return [row]
        found, step = shift(nodes, self.graph, self.merged.before), moved(nodes, self.graph, self.merged.before)
        words = []
        cells = row.cells
        if found is not None:
            self.kinds.add("alarm" if found.role == "alarm" else "ratio")
            words.append(found.words)
            swatch = Cell(found.factor, found.role + "-ink", 9, align="middle", fill=found.role, column="swatch")
            cells = (*(c for c in cells if c.column != "swatch"), swatch)
        if step is not None:
            words.append(_moved(step))
        if not words:
            return [row]
        below = Row((Cell(" · ".join(words), "sub", 9),), 14, row.fill, row.leaf)
        return [row._replace(cells=cells), below]

    def valued(self, row: Row, node: int) -> list[Row]:
        """The title of a result that is one number, and what it was: its own gradient is 1, then as now."""
        old = self.merged.before.get(node)
        value = self.graph.nodes[node].value
        was = old.value.item if old is not None and old.value is not None else None
        if not self.gradients or was is None or value is None or value.item is None:
            return [row]
        return [row, Row((Cell(f"{exact(was)} →", "sub", 10, align="middle"),), 14, row.fill)]

    def leaf(self, row: Row) -> list[Row]:
        """The row of a leaf, with its own mark."""
        status = next((self.merged.status[i] for i in row.leaf if i in self.merged.status), "")
        if not status:
            return self.shifted(self.plain(row), row.leaf)
        self.kinds.add(status)
        first, *rest = row.cells
        first = first._replace(ink=f"{status}-ink", sign=f"'{SIGNS[status]}", bold=True)
        cells = tuple(c if c.fill else c._replace(ink=f"{status}-ink") for c in rest)
        rows = self.shifted(row._replace(cells=(first, *cells), fill=status), row.leaf)
        changed = next((i for i in row.leaf if i in self.merged.words), None)
        return [*rows, *(self.said(changed) if changed is not None else ())]

    def plain(self, row: Row) -> Row:
        """A row of what is the same: without colour, where the picture is about structure."""
        if not self.structure:
            return row
        cells = tuple(c._replace(ink="same-ink") if c.ink.endswith("-ink") and not c.fill else c for c in row.cells)
        return row._replace(cells=cells, fill="same" if row.fill else "")

    def strip(self, row: Row, turns: tuple[tuple[int, ...], ...]) -> Row:
        """The strip of swatches of a repeat, a ratio for each turn; other rows as they are."""
        small = [c for c in row.cells if c.fill and not c.text]
        if not small:
            return row
        shifts = [shift(turn[-1:], self.graph, self.merged.before) for turn in turns[::-(-len(turns) // len(small))]]
        self.kinds.update("alarm" if s.role == "alarm" else "ratio" for s in shifts if s is not None)
        roles = iter(["hair" if s is None else s.role for s in shifts])
        return row._replace(cells=tuple(c if c.text else c._replace(fill=next(roles, "hair")) for c in row.cells))

    # -- cards ------------------------------------------------------------------------------------------------

    def card(self, card: Card, item: Item) -> Card:
        if item.kind in ("module", "repeat"):
            return self._closed(card, item)
        node = card.nodes[0]
        status = "" if item.kind == "output" else self.merged.status.get(node, "")
        rows: list[Row] = []
        below: list[Row] = []                              # what is said of the node itself, under its title
        for k, row in enumerate(card.rows):
            if status == "removed" and k == 1 and item.path and not row.leaf:  # its module may be another now
                row = row._replace(cells=(row.cells[0]._replace(
                    text=fit(module_words(self.old, item.path), 210, 9)), *row.cells[1:]))
            if k and below and not (k == 1 and row.height < TALL and not row.leaf and not row.rule):
                rows, below = rows + below, []
            if row.leaf:
                rows += self.leaf(row)
                continue
            if status:
                cells = tuple(c if c.fill else c._replace(ink=f"{status}-ink") for c in row.cells)
                row = row._replace(cells=cells, fill=status if row.fill else "")
            else:
                row = self.plain(row)
            if k == 0 and item.kind != "output":
                row, *below = self.valued(row, node) if item.kind == "loss" else self.shifted(row, card.nodes)
                below += self.said(node) if status else []
            rows.append(row)
        rows += below
        words = [f"{SIGNS[status]} {w}" for w in self.merged.words.get(node, (status,))] if status else []
        form = card.form
        if status == "removed":
            form = "view"                                  # its border is dashed
        elif self.structure and form == "view":
            form = "card"                                  # dashes say one thing here
        role = status or ("same" if self.structure else card.role)
        return self.sized(card._replace(form=form, role=role, title="\n".join([*words, card.title])), rows)

    def _closed(self, card: Card, item: Item) -> Card:
        """A closed module: how much differs inside, and how the gradient at its end did."""
        inside = {i for n in item.nodes for i in (n, *(a for a in self.graph.nodes[n].inputs
                                                       if self.graph.nodes[a].kind != "op"))}
        counts = {s: sum(1 for i in inside if self.merged.status.get(i) == s) for s in SIGNS}
        words = [f"{SIGNS[s]} {n} {s}" for s, n in counts.items() if n]
        self.kinds.update(s for s, n in counts.items() if n)
        first, *rest = [self.plain(self.strip(row, item.turns)) for row in card.rows]
        rows = self.shifted(first, item.nodes[-1:])
        step = moved(sorted(inside), self.graph, self.merged.before) if self.gradients else None
        if step:
            rows.append(Row((Cell(_moved(step), "sub", 9),), 14))
        rows += rest
        for status, n in counts.items():
            if n:
                rows.append(note(status, f"{n} {status} inside"))
        most = next((s for s in ("changed", "added", "removed") if counts[s]), "")
        only = most and sum(map(bool, counts.values())) == 1 and len(item.nodes) == counts[most]
        role = most if only else "changed" if most else "module"
        return self.sized(card._replace(role=role, title="\n".join([*words, card.title])), rows)

    def sized(self, card: Card, rows: list[Row]) -> Card:
        """The card, with these rows laid out anew."""
        loose = [row._replace(cells=tuple(c._replace(x=0.0, width=0.0 if c.text or c.sign else c.width)
                                          for c in row.cells)) for row in rows]
        left, _, right, _ = card.inset
        first = card.rows[0].cells[0].x if card.mark else PAD              # beside a round mark
        laid, total = lay(loose, card.width - left - right, left=max(PAD, first))
        grown = sum(row.height for row in laid) - sum(row.height for row in card.rows)
        return card._replace(rows=tuple(laid), width=left + total + right, height=card.height + grown)


def _moved(step: float) -> str:
    """The size of an update over that of the weights, in words."""
    return ("as it was" if not step else "moved from 0" if step == math.inf else f"moved by {number(step)}")


def marked(plain: Scene, seen: View, merged: Merged, gradients: bool) -> tuple[Scene, set[str]]:
    """The scene with its marks; and what of them the legend must explain."""
    marker = Marker(merged, seen, gradients)
    items = {item.key: item for item in seen.items}
    cards = tuple(marker.card(card, items[card.key]) for card in plain.cards)
    roles = {card.key: card.role for card in cards}
    single = {item.key: item.nodes[0] for item in seen.items if item.kind not in ("module", "repeat")}
    wires = []
    for wire in plain.wires:
        ends = [merged.status.get(single.get(key, -1), "") for key in (wire.source, wire.target)]
        became = "removed" if merged.status.get(wire.node) == "removed" or "removed" in ends else (
            "added" if "added" in ends else "")
        if became:
            wire = wire._replace(role=f"{became}-ink", weight=1.8, dash="dashed" if became == "removed" else "",
                                 title=f"{became}: {wire.title}", sign="")
        elif marker.structure or gradients:
            wire = wire._replace(role="edge", weight=1.3, dash="" if wire.dash == "dashed" else wire.dash)
        wires.append(wire)
    kinds = plain.kinds if not marker.structure else tuple(k for k in plain.kinds if k in ("closed", "repeat"))
    kinds = tuple(k for k in kinds if k not in ("ramp", "alarm", "cut"))
    if marker.structure and "same" in roles.values():
        marker.kinds.add("same")
    notes = tuple(n for n in plain.notes if "pending" not in n) + tuple(clean(r.replace(" -> ", " → "), 120)
                                                                        for r in merged.results if not marker.structure)
    notes += tuple(clean(note, 200) for note in merged.notes)
    frames = tuple(frame._replace(rows=tuple(marker.strip(row, group.turns) for row in frame.rows))
                   for frame, group in zip(plain.frames, seen.groups, strict=True))
    return plain._replace(cards=cards, frames=frames, wires=tuple(wires), kinds=kinds, notes=notes), marker.kinds
