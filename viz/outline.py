"""The picture in words: an indented outline for terminals, logs and screen readers."""

from __future__ import annotations

from .scene import Card, Row, Scene
from .theme import SIGNS

MOST_LINES = 600


def outline(scene: Scene) -> str:
    """One line a card, in the order of the computation, indented by module; `←` names the cards it reads."""
    order = _order(scene)
    numbers = {card.key: k + 1 for k, card in enumerate(entry for _, entry in order if isinstance(entry, Card))}
    sources: dict[str, list[int]] = {}
    for wire in scene.wires:
        sources.setdefault(wire.target, []).append(numbers[wire.source])
    wide = len(str(len(numbers)))
    lines = [scene.description]
    for depth, entry in order[:MOST_LINES]:
        indent = " " * (wide + 3) + "  " * depth
        if isinstance(entry, int):
            lines.append(indent + _words(scene.frames[entry].rows[0]))
            continue
        first, *rest = entry.rows
        mark = f"{entry.mark} " if entry.mark else ""
        more = "; ".join(word for row in rest if (word := _words(row)))
        reads = ", ".join(str(n) for n in dict.fromkeys(sources.get(entry.key, ())))
        badge = "".join(f" {word}" for word in (entry.badge, *(SIGNS[name] for name in entry.signs)) if word)
        badge += "  ⚠ first NaN or infinity" * entry.ring
        lines.append(f"{numbers[entry.key]:>{wide + 2}} {indent[wide + 3:]}{mark}{_words(first)}{badge}"
                     + (f" ({more})" if more else "") + (f"  ← {reads}" if reads else ""))
    if len(order) > MOST_LINES:
        lines.append(f"… {len(order) - MOST_LINES} more")
    return "\n".join([*lines, *scene.notes])


def _words(row: Row) -> str:
    parts = []
    for cell in row.cells:
        sign = "" if not cell.sign else cell.sign[1:] if cell.sign[0] == "'" else SIGNS[cell.sign]
        grad = "∇" if cell.fill and cell.text and cell.column == "swatch" and row.cells[0].text != "grad" else ""
        parts.append(" ".join(w for w in (sign, grad + cell.text) if w))
    return " ".join(part for part in parts if part)


def _order(scene: Scene) -> list[tuple[int, Card | int]]:
    """Cards and frames (by index) as they are read, each with its depth."""
    rank = {card.key: k for k, card in enumerate(scene.cards)}
    incoming = dict.fromkeys(rank, 0)
    follows: dict[str, list[str]] = {key: [] for key in rank}
    for wire in scene.wires:
        incoming[wire.target] += 1
        follows[wire.source].append(wire.target)
    # a card as early as what it reads allows; cards that read nothing stay beside their first reader
    level: dict[str, int] = {}
    ready = [key for key, n in incoming.items() if not n]
    for key in ready:
        level.setdefault(key, 0)
        for target in follows[key]:
            level[target] = max(level.get(target, 0), level[key] + 1)
            incoming[target] -= 1
            if not incoming[target]:
                ready.append(target)
    place = {key: (level[key], rank[key]) for key in rank}
    first: dict[int, tuple[int, int]] = {}
    for card in scene.cards:
        group = card.group
        while group >= 0:
            first[group] = min(first.get(group, place[card.key]), place[card.key])
            group = scene.frames[group].parent
    members: dict[int, list[tuple[tuple[int, int], int, Card | int]]] = {}
    for card in scene.cards:
        members.setdefault(card.group, []).append((place[card.key], 1, card))
    for g, frame in enumerate(scene.frames):
        members.setdefault(frame.parent, []).append((first.get(g, (0, 0)), 0, g))
    result: list[tuple[int, Card | int]] = []
    stack: list[tuple[int, Card | int]] = [(0, -1)]
    while stack:
        depth, entry = stack.pop()
        if isinstance(entry, int):
            if entry >= 0:
                result.append((depth - 1, entry))
            inside = sorted(members.get(entry, []), key=lambda m: m[:2])
            stack += [(depth + (not isinstance(e, Card)), e) for _, _, e in reversed(inside)]
        else:
            result.append((depth, entry))
    return result
