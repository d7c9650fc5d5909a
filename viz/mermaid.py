"""A scene as a Mermaid flowchart: for READMEs, wikis and notebooks that draw such text themselves.

Source: mermaid.js.org, "Flowcharts".  Every character of a label that is not a letter, a digit or a plain sign is
written as an entity, #NN;, so that no label can end its quotes, open a tag or begin a comment.
"""

from __future__ import annotations

from .scene import Card, Cell, Frame, Row, Scene
from .theme import KIND_WORDS, SIGNS

SHAPES = {
    "input": ('>"', '"]'), "output": ('>"', '"]'), "loss": ('{{"', '"}}'), "pill": ('(["', '"])'),
    "number": ('(["', '"])'), "folder": ('[["', '"]]'), "stack": ('[["', '"]]'), "reduction": ('[\\"', '"/]'),
    "custom": ('[["', '"]]'),
}
_PLAIN = frozenset(" .,:+/()=×·…∂Σ∇≈−∞±²³≤≥→←⊗▷◆▤ƒ↔⌗★⊟⊞✂⚓⚲λ_")


def escape(text: str) -> str:
    """Text inside the quotes of a label."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{8209 if c == chr(45) else ord(c)};" for c in text)


def mermaid(scene: Scene, theme: dict[str, str]) -> str:
    """The scene as Mermaid text: subgraphs for modules, classes for colours, dotted links where no gradient flows."""
    lines = [f"flowchart {'LR' if scene.rankdir == 'LR' else 'TB'}", f"  accTitle: {_line(scene.title)}",
             f"  accDescr: {_line(scene.description)}"]
    _members(scene, lines)
    for wire in scene.wires:
        words = " ".join(w for w in (SIGNS[wire.sign] if wire.sign else "", wire.label) if w)
        arrow = "-.->" if wire.dash else "==>" if wire.weight > 2.5 else "-->"
        lines.append(f"  {_id(wire.source)} {arrow}{f'|{chr(34)}{escape(words)}{chr(34)}|' if words else ''} "
                     f"{_id(wire.target)}")
    for k, wire in enumerate(scene.wires):
        if wire.role != "edge":
            lines.append(f"  linkStyle {k} stroke:{theme[wire.role]},stroke-width:{wire.weight:g}px")
    lines += _classes(scene, theme)
    lines += [f"  %% {_line(note)}" for note in scene.notes]
    return "\n".join(lines) + "\n"


def _id(key: str) -> str:
    return key.replace(".", "_")


def _line(text: str) -> str:
    """Text of a line that is not quoted: without what could end or begin something."""
    return "".join(c if c.isalnum() or c in _PLAIN else " " for c in text).strip() or "graph"


def _members(scene: Scene, lines: list[str]) -> None:
    """The cards of each group inside its subgraph, without recursion."""
    inside: dict[int, list[int]] = {}
    for k, frame in enumerate(scene.frames):
        inside.setdefault(frame.parent, []).append(k)
    cards: dict[int, list[Card]] = {}
    for card in scene.cards:
        cards.setdefault(card.group, []).append(card)
    stack: list[tuple[bool, int, int]] = [(True, -1, 0)]
    while stack:
        enter, k, depth = stack.pop()
        indent = "  " * max(1, depth)
        if not enter:
            lines.append(f"{indent}end")
            continue
        if k >= 0:
            lines.append(f'{indent}subgraph {_frame_id(scene.frames[k])}["{escape(_words(scene.frames[k].rows[0]))}"]')
            stack.append((False, k, depth))
        lines += [f"{indent}  {_node(card)}" for card in cards.get(k, ())]
        stack += [(True, child, depth + 1) for child in reversed(inside.get(k, []))]


def _frame_id(frame: Frame) -> str:
    return "frame_" + _id(frame.key)


def _node(card: Card) -> str:
    left, right = SHAPES.get(card.form, ('["', '"]'))
    first = " ".join(w for w in (card.mark, card.badge, *(SIGNS[name] for name in card.signs)) if w)
    rows = [word for word in (first, *map(_words, card.rows)) if word]
    return f"{_id(card.key)}{left}{'<br/>'.join(map(escape, rows)) or ' '}{right}"


def _words(row: Row) -> str:
    return " ".join(word for word in map(_cell, row.cells) if word)


def _cell(cell: Cell) -> str:
    sign = "" if not cell.sign else cell.sign[1:] if cell.sign[0] == "'" else SIGNS[cell.sign]
    grad = "∇" if cell.fill and cell.text and cell.column == "swatch" else ""
    return " ".join(w for w in (sign, grad + cell.text) if w)


def _classes(scene: Scene, theme: dict[str, str]) -> list[str]:
    """Colours by role, and which cards have them."""
    lines = []
    by_role: dict[str, list[str]] = {}
    for card in scene.cards:
        by_role.setdefault(card.role, []).append(_id(card.key))
    for role, ids in sorted(by_role.items()):
        ink = "ink" if role == "module" else f"{role}-ink"
        dash = ",stroke-dasharray:5 3" if role in ("shape", "index", "buffer") else ""
        lines += [f"  classDef k_{role} fill:{theme[role]},stroke:{theme[f'{role}-ink']},color:{theme[ink]}{dash}",
                  f"  class {','.join(ids)} k_{role}"]
    rings = [_id(card.key) for card in scene.cards if card.ring]
    if rings:
        lines += [f"  classDef ring stroke:{theme['alarm']},stroke-width:5px", f"  class {','.join(rings)} ring"]
    for frame in scene.frames:
        lines.append(f"  style {_frame_id(frame)} fill:{theme['module']},stroke:{theme['module-ink']},"
                     f"color:{theme['ink']}")
    shown = [f"{SIGNS[kind]} {KIND_WORDS[kind]}" for kind in scene.kinds if kind in KIND_WORDS]
    return [*lines, f"  %% {_line(', '.join(shown))}"] if shown else lines
