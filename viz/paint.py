"""A placed scene as a flat list of shapes and words in page coordinates: what every own painter draws.

    Scene + Placed -> Sheet        SVG writes it as elements, PNG and PDF as drawing commands
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .measure import SIGN, mark_width
from .scene import SLANT, Card, Cell, Frame, Placed, Point, Row, Scene, Wire
from .shapes import Box as Box
from .shapes import Close as Close
from .shapes import Mark as Mark
from .shapes import Open as Open
from .shapes import Path as Path
from .shapes import Sheet as Sheet
from .shapes import Text as Text
from .shapes import sign as sign
from .signs import folder, octagon, polygon, rounded
from .text import number, width
from .theme import KIND_WORDS, RAMP_WORDS
from .theme import chip as colours_of


def sheet(scene: Scene, placed: Placed, notes: tuple[str, ...] = ()) -> Sheet:
    """Paints frames, then wires, then cards, then the legend."""
    legend, wide, high = _legend(scene, max(placed.width, 540.0), (*scene.notes, *notes))
    page = max(placed.width, wide)
    shift = (page - placed.width) / 2
    marks: list[Mark] = [Box(0, 0, page, placed.height + high, fill="page")]
    for frame, box in zip(scene.frames, placed.frames, strict=True):
        marks += _frame(frame, (box[0] + shift, *box[1:]))
    for wire, points in zip(scene.wires, placed.wires, strict=True):
        marks += _wire(wire, [(x + shift, y) for x, y in points])
    for card in scene.cards:
        x, y = placed.cards[card.key]
        marks += _card(card, x + shift, y)
    labels = [Text(round(at[0] + shift, 1), round(at[1] + 3.2, 1), wire.label, "sub", 9, align="middle", halo=True)
              for wire, at in zip(scene.wires, placed.labels, strict=True) if at]
    marks += dict.fromkeys(labels)             # wires on one trunk have one label
    marks += _moved(legend, (page - wide) / 2, placed.height)
    return Sheet(tuple(marks), page, placed.height + high, scene.title, scene.description)


# -- cards ----------------------------------------------------------------------------------------------------


def _card(card: Card, x: float, y: float) -> list[Mark]:
    left, top, right, bottom = card.inset
    bx, by, bw, bh = x + left, y + top, card.width - left - right, card.height - top - bottom
    data = [("data-id", card.key), ("data-nodes", " ".join(map(str, card.nodes[:200]))), *card.data]
    data += [("data-path", card.path)] if card.form in ("folder", "stack") else []
    marks: list[Mark] = [Open("node", f"{card.form} {card.role}", card.key, card.title, tuple(data))]
    ink = f"{card.role}-ink"
    tinted = card.form in ("card", "reduction", "view", "custom", "number")
    if card.form == "stack":
        marks += [Box(bx + d, by - d, bw, bh, 6, "module-2", ink, 1.3) for d in (8.0, 4.0)]
    outline = _outline(card, x, y, bx, by, bw, bh)
    marks.append(outline._replace(fill="card" if tinted else card.role))
    row_y = by
    for k, row in enumerate(card.rows):
        first, last = k == 0, k == len(card.rows) - 1
        ground: list[Mark] = []                # belongs to the row: its tooltip answers wherever it is pointed at
        if row.fill and tinted:
            ground.append(_band(card, bx, by, bw, bh, row_y, row.height, first, last)._replace(fill=row.fill))
        elif row.leaf:
            ground.append(Box(bx, row_y, bw, row.height, fill="card" if tinted else card.role))
        if row.rule or (k and row.fill and row.fill != card.role):
            ground.append(Path((("M", (bx, row_y)), ("L", (bx + bw, row_y))), stroke="hair" if row.rule else "card"))
        marks += _row(row, bx, row_y, ground)
        row_y += row.height
    marks.append(outline._replace(stroke=ink, width=1.5, dash="dashed" if card.form == "view" else ""))
    if card.form == "custom":
        marks.append(Box(bx - 3, by - 3, bw + 6, bh + 6, 9, "", ink))
    if card.form == "loss":
        marks.append(Path(octagon(x + 3.5, y + 3.5, card.width - 7, card.height - 7), "", ink, 1.0))
    if card.mark:
        marks += _mark(card, bx, by + bh / 2, ink)
    if card.ring:
        marks.append(Box(x - 4, y - 4, card.width + 8, card.height + 8, 11, "", "alarm", 2.6))
    if card.badge:
        marks += _badge(card.badge, bx + bw / 2, by + bh + 10 if card.rising else by)
    for k, name in enumerate(reversed(card.signs)):
        marks += _seal(name, bx + bw - 13 - k * (SIGN + 3), by - 4)
    marks.append(Close())
    return marks


def _outline(card: Card, x: float, y: float, bx: float, by: float, bw: float, bh: float) -> Path | Box:
    if card.form in ("input", "output"):
        tip = card.inset[2]
        return Path(polygon((bx, by), (bx + bw, by), (bx + bw + tip, by + bh / 2), (bx + bw, by + bh), (bx, by + bh)))
    if card.form == "loss":
        return Path(octagon(x, y, card.width, card.height))
    if card.form == "folder":
        return Path(folder(x, y, card.width, card.height, card.inset[1]))
    if card.form == "reduction":
        return Path(polygon((bx, by), (bx + bw, by), (bx + bw - SLANT, by + bh), (bx + SLANT, by + bh)))
    if card.form == "pill":
        return Box(x, by, card.width, bh, min(bh / 2, 13.5))
    return Box(bx, by, bw, bh, 7)


def _band(card: Card, bx: float, by: float, bw: float, bh: float, y: float, h: float, first: bool, last: bool
          ) -> Path | Box:
    if card.form == "reduction":
        a, b = SLANT * (y - by) / bh, SLANT * (y + h - by) / bh
        return Path(polygon((bx + a, y), (bx + bw - a, y), (bx + bw - b, y + h), (bx + b, y + h)))
    if first == last:
        return Box(bx, y, bw, h, 7 if first else 0)
    return Path(rounded(bx, y, bw, h, 7 if first else 0, 7 if last else 0))


def _row(row: Row, bx: float, y: float, ground: Sequence[Mark] = ()) -> list[Mark]:
    marks: list[Mark] = []
    if row.leaf:
        marks.append(Open("row", "leaf", "", row.title, (("data-leaf", " ".join(map(str, row.leaf[:200]))),)))
    marks += ground
    for k, cell in enumerate(row.cells):
        if row.rule and k:
            marks.append(Path((("M", (bx + cell.x, y)), ("L", (bx + cell.x, y + row.height))), stroke="hair"))
        marks += _cell(cell, bx + cell.x, y, row.height)
    if row.leaf:
        marks.append(Close())
    return marks


def _cell(cell: Cell, x: float, y: float, h: float) -> list[Mark]:
    marks: list[Mark] = []
    if cell.fill:
        high = min(15.0, h - 4)
        rim = f"{cell.fill}-rim" if cell.fill.startswith("ramp") else ""       # pale ones need an edge
        marks.append(Box(x, y + (h - high) / 2, cell.width - (0 if cell.text else 2), high, 3, cell.fill, rim, 0.8))
    inner = 6.0 if cell.column == "swatch" and cell.align == "end" else 0.0
    start = x + inner
    if cell.align == "middle":
        words = width(cell.text, cell.size, cell.bold, cell.mono) + (cell.size + 4 if cell.sign else 0)
        start = x + (cell.width - words) / 2
    if cell.sign:
        side = cell.size * 0.8
        marks += sign(cell.sign, start, y + h / 2 - side / 2, side, cell.ink)
        start += cell.size + 2
    baseline = y + h / 2 + cell.size * 0.355
    if cell.text:
        word = Text(start, baseline, cell.text, cell.ink, cell.size, cell.bold, cell.mono)
        if cell.align == "end":
            word = word._replace(x=x + cell.width - inner, align="end")
        elif cell.align == "middle" and not cell.sign:
            word = word._replace(x=x + cell.width / 2, align="middle")
        marks.append(word)
    return marks


def _mark(card: Card, x: float, y: float, ink: str) -> list[Mark]:
    wide = mark_width(card.mark)
    return [Box(x - wide / 2, y - 12, wide, 24, 12, card.role, ink, 1.5),
            Text(x, y + 4.0, card.mark, ink, 11 if len(card.mark) > 1 else 14, True, align="middle")]


def _seal(name: str, x: float, y: float) -> list[Mark]:
    """A sign in a small circle on a border or a wire."""
    return [Box(x - SIGN / 2, y - SIGN / 2, SIGN, SIGN, SIGN / 2, "card", "edge", 1.2),
            *sign(name, x - 5, y - 5, 10, "ink")]


def _badge(text: str, x: float, y: float) -> list[Mark]:
    wide = width(text, 10, bold=True) + 12
    return [Box(x - wide / 2, y - 13, wide, 16, 8, "card", "edge", 1.3),
            Text(x, y - 1.4, text, "ink", 10, True, align="middle")]


# -- frames and wires -----------------------------------------------------------------------------------------


def _frame(frame: Frame, box: tuple[float, float, float, float]) -> list[Mark]:
    x, y, w, h = box
    marks: list[Mark] = [Open("frame", "repeat" if frame.copies > 1 else "module", frame.key, frame.title,
                              (("data-id", frame.key), ("data-path", frame.path)))]
    if frame.copies > 1:
        marks += [Box(x + d, y - d, w, h, 10, "module-2", "module-ink", 1.0) for d in (6.0, 3.0)]
    marks.append(Box(x, y, w, h, 10, "module", "module-ink", 1.2))
    for row in frame.rows:
        marks += _row(row, x + 2, y + 1)
        y += row.height
    marks.append(Close())
    return marks


def _wire(wire: Wire, points: list[Point]) -> list[Mark]:
    tip, before = points[-1], next((p for p in reversed(points) if math.dist(p, points[-1]) > 0.5), points[0])
    long = 6.0 + wire.weight
    reach = math.dist(tip, before) or 1.0
    dx, dy = (tip[0] - before[0]) / reach, (tip[1] - before[1]) / reach
    end = (tip[0] - dx * (long - 1), tip[1] - dy * (long - 1))
    flat = [*points[:-1], end]
    commands: list[tuple[str, tuple[float, ...]]] = [("M", flat[0])]
    for k in range(1, len(flat) - 2, 3):
        a, b, c = flat[k:k + 3]
        commands.append(("C", (*a, *b, *c)))
    half = 2.6 + 0.55 * wire.weight
    back = (tip[0] - dx * long, tip[1] - dy * long)
    head = polygon(tip, (back[0] - dy * half, back[1] + dx * half), (back[0] + dy * half, back[1] - dx * half))
    return [Open("wire", "", "", wire.title, (("data-from", wire.source), ("data-to", wire.target),
                                              ("data-node", str(wire.node)))),
            Path(tuple(commands), "", wire.role, wire.weight, wire.dash), Path(head, wire.role),
            *(_seal(wire.sign, *_middle(points)) if wire.sign else ()), Close()]


def _middle(points: list[Point]) -> Point:
    """The middle of the last curve of a wire, where it has left the wires it shares its way with."""
    a, b, c, d = points[-4:]
    return (a[0] + 3 * b[0] + 3 * c[0] + d[0]) / 8, (a[1] + 3 * b[1] + 3 * c[1] + d[1]) / 8


# -- legend ---------------------------------------------------------------------------------------------------


def _legend(scene: Scene, room: float, notes: tuple[str, ...]) -> tuple[list[Mark], float, float]:
    """Chips for the kinds present, the ramp, notes: marks, width, height."""
    chips = [(k, KIND_WORDS[k], math.ceil(width(KIND_WORDS[k], 10)) + 30.0) for k in scene.kinds if k in KIND_WORDS]
    lines: list[list[tuple[str, str, float]]] = [[]]
    for chip in chips:
        if lines[-1] and sum(c[2] + 4 for c in lines[-1]) + chip[2] > room - 28:
            lines.append([])
        lines[-1].append(chip)
    ramp = scene.reference > 0 and "ramp" in scene.kinds
    ramp_width = 9 * 42.0 + 3 + (52.0 if "alarm" in scene.kinds else 0.0)
    words = f"gradient RMS over {number(scene.reference)}, its value at the network's output" if ramp else ""
    widths = [sum(c[2] + 4 for c in line) - 4 for line in lines] + ([ramp_width] if ramp else [])
    widths += [width(note, 10) for note in notes]
    wide = max(widths) + 28
    marks: list[Mark] = [Open("legend", "", "", "legend")]
    y = 4.0
    for line in lines if chips else []:
        x = (wide - sum(c[2] + 4 for c in line) + 4) / 2
        for kind, word, w in line:
            role, ink = colours_of(kind)
            marks.append(Box(x, y, w, 20, 4, role, "hair" if role in ("constant", "module", "card") else ""))
            marks += sign(kind, x + 8, y + 6, 8, ink)
            marks.append(Text(x + 22, y + 13.6, word, ink, 10))
            x += w + 4
        y += 24
    if ramp:
        y += 2
        x = (wide - ramp_width) / 2
        cells = [(f"ramp{k}", word, 42.0) for k, word in enumerate(RAMP_WORDS)]
        if "alarm" in scene.kinds:
            cells.append(("alarm", "0 NaN ∞", 50.0))
        for role, word, w in cells:
            x += 4 if role == "alarm" else 0
            marks.append(Box(x, y, w - 1, 16, 2, role, f"{role}-rim", 0.8))
            marks.append(Text(x + w / 2 - 0.5, y + 11.3, word, role + "-ink", 9, align="middle"))
            x += w
        y += 29
        marks.append(Text((wide - ramp_width) / 2, y, "vanishing", "sub", 9))
        marks.append(Text(wide / 2 - (25 if "alarm" in scene.kinds else 0), y, words, "sub", 9, align="middle"))
        marks.append(Text((wide - ramp_width) / 2 + 9 * 42.0, y, "exploding", "sub", 9, align="end"))
        y += 8
    for note in notes:
        marks.append(Text(wide / 2, y + 11, note, "ink", 10, align="middle"))
        y += 18
    marks.append(Close())
    return marks, wide, y + 8 if chips or notes else 0.0


def _moved(marks: list[Mark], dx: float, dy: float) -> list[Mark]:
    result: list[Mark] = []
    for mark in marks:
        if isinstance(mark, (Text, Box)):
            result.append(mark._replace(x=mark.x + dx, y=mark.y + dy))
        elif isinstance(mark, Path):
            result.append(mark._replace(commands=tuple(
                (op, tuple(v + (dx if i % 2 == 0 else dy) for i, v in enumerate(numbers)))
                for op, numbers in mark.commands)))
        else:
            result.append(mark)
    return result
