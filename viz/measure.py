"""Sizes: cells into rows and columns, rows into cards."""

from __future__ import annotations

import math

from .scene import Card, Cell, Row
from .text import MAX_PATH, clean, width
from .view import Item

PAD = 9.0                                      # between a card's edge and its words
GAP = 10.0                                     # between columns
SWATCH = 44.0                                  # least width of a gradient swatch
RULE = 21.0                                    # height of a line of rules
WIDE = 340.0                                   # rules stand side by side up to this width
COLUMNS = ("formula", "value", "shape", "swatch")       # left to right

# What a form needs round its body: left, top, right, bottom.
INSETS = {
    "input": (0.0, 0.0, 11.0, 0.0), "output": (0.0, 0.0, 11.0, 0.0), "loss": (13.0, 8.0, 13.0, 8.0),
    "folder": (0.0, 7.0, 0.0, 0.0), "stack": (0.0, 8.0, 8.0, 0.0),
    "pill": (5.0, 0.0, 5.0, 0.0),
}
SIGN = 17.0                                    # diameter of the round sign of a hook
BADGE = 13.0                                   # how far the "Σ 2" of a gathering card stands out at the top


def need(cell: Cell) -> float:
    """The room a cell needs: what it says, or the width it was given."""
    if cell.width:
        return cell.width
    words = width(cell.text, cell.size, cell.bold, cell.mono)
    sign = cell.size + 4 if cell.sign else 0
    return math.ceil(max(words + 12, SWATCH) if cell.column == "swatch" else words + sign)


def mark_width(mark: str) -> float:
    """Width of the round badge of a number card."""
    return max(24.0, width(mark, 11, bold=True) + 12)


def lay(rows: list[Row], least: float = 0.0, left: float = PAD, right: float = PAD) -> tuple[list[Row], float]:
    """Gives every cell its place: columns of equal width from the right, the first cell takes the rest."""
    columns: dict[str, float] = {}
    for row in rows:
        for cell in row.cells:
            if cell.column:
                columns[cell.column] = max(columns.get(cell.column, 0.0), need(cell))
    order = [c for c in COLUMNS if c in columns]
    total = least
    for row in rows:
        used = [c.column for c in row.cells if c.column]
        tail = order[min((order.index(c) for c in used), default=len(order)):]
        free = [need(c) + (GAP if k and not c.width else 0.0) for k, c in enumerate(row.cells) if not c.column]
        total = max(total, left + right + sum(free) + sum(columns[c] + GAP for c in tail))
    total = math.ceil(total)
    x = total - right
    starts: dict[str, float] = {}
    for column in reversed(order):
        x -= columns[column]
        starts[column] = x
        x -= GAP
    result = []
    for row in rows:
        end = min((starts[c.column] - GAP for c in row.cells if c.column), default=total - right)
        x = left
        cells: list[Cell] = []
        left_over = sum(1 for c in row.cells if not c.column)
        for cell in row.cells:
            if cell.column:
                cells.append(cell._replace(x=starts[cell.column], width=columns[cell.column]))
                continue
            left_over -= 1
            x += GAP if cells and not cell.width else 0.0
            room = cell.width or (end - x if left_over == 0 else need(cell))
            cells.append(cell._replace(x=x, width=room))
            x += room
        result.append(row._replace(cells=tuple(cells)))
    return result, total


def rules_need(feet: list[tuple[int, Cell]], lines: bool = False, left: float = PAD) -> float:
    """The width that rules ask for: all side by side if that is not too wide, else the widest."""
    rooms = [need(cell) + left + PAD for _, cell in feet]
    return max(rooms, default=0.0) if lines or sum(rooms) > WIDE else sum(rooms)


def with_rules(rows: list[Row], total: float, feet: list[tuple[int, Cell]], lines: bool = False, left: float = PAD
               ) -> tuple[list[Row], tuple[tuple[int, float], ...]]:
    """Adds the rules at the foot of a card of this width, each above the wire that it sends.

    They stand side by side, or one above the other where that is too wide or `lines` is asked for
    (in a left-to-right drawing).  Returns the rows, and for each argument where its wire leaves:
    its x, or with `lines` its y.
    """
    if not feet:
        return rows, ()
    rooms = [need(cell) + 2 * PAD for _, cell in feet]
    if lines or sum(rooms) > total:
        y = sum(row.height for row in rows)
        step = total / (len(feet) + 1)
        result = [Row((cell._replace(x=left, width=total - left - PAD),), RULE - 2, rule=True) for _, cell in feet]
        ports = tuple((arg, y + (RULE - 2) * (k + 0.5) if lines else step * (k + 1)) for k, (arg, _) in enumerate(feet))
        return [*rows, *result], ports
    more = (total - sum(rooms)) / len(rooms)
    x = 0.0
    cells: list[Cell] = []
    places = []
    for (arg, cell), room in zip(feet, rooms, strict=True):
        inset = left - PAD if not cells else 0.0           # beside a round badge
        cells.append(cell._replace(x=x + inset, width=room + more - inset, align="middle"))
        places.append((arg, x + (room + more) / 2))
        x += room + more
    return [*rows, Row(tuple(cells), RULE, rule=True)], tuple(places)


def card(item: Item, form: str, role: str, rows: list[Row], total: float, title: str, badge: str = "",
         ports: tuple[tuple[int, float], ...] = (), mark: str = "", lines: bool = False) -> Card:
    """A card of its final size."""
    left, top, right, bottom = INSETS.get(form, (0.0, 0.0, 0.0, 0.0))
    if badge:
        top = max(top, BADGE)
    if mark:                                   # the round badge with the op's sign stands half outside
        left = max(left, mark_width(mark) / 2)
    height = sum(row.height for row in rows) + (4.0 if form in ("folder", "stack") else 0.0)
    return Card(item.key, form, role, left + total + right, top + height + bottom, (left, top, right, bottom),
                tuple(rows), title, item.nodes, item.group, badge, mark,
                tuple((arg, place + (top if lines else left)) for arg, place in ports), clean(item.path, MAX_PATH))
