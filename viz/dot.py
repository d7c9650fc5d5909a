"""DOT: the text people take away, and the shorter one by which Graphviz is asked for positions.

Cells are FIXEDSIZE tables of sizes we measured, so Graphviz 2.43 and 14 give the same layout.
"""

from __future__ import annotations

import math
from itertools import pairwise

from .scene import FRAME_PAD, NODE_GAP, RANK_GAP, Card, Cell, Frame, Placed, Point, Row, Scene
from .text import number
from .theme import KIND_WORDS, RAMP_WORDS, SIGNS, chip

FONT = "Arial,Helvetica"                       # alone, "Helvetica" is replaced by wider fonts on many machines
MONO = "Courier New,monospace"
SHAPES = {"input": "cds", "output": "cds", "loss": "doubleoctagon", "folder": "folder", "stack": "box3d"}


def quoted(text: str) -> str:
    """A DOT string: backslashes, quotes and line ends escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def escape(text: str) -> str:
    """Text inside an HTML label.  Backslashes stand for themselves there; braces and bars too."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def names(scene: Scene) -> dict[str, str]:
    """A DOT name for each card."""
    return {card.key: card.key.replace(".", "_") for card in scene.cards}


# -- the text for people --------------------------------------------------------------------------------------


def source(scene: Scene, theme: dict[str, str]) -> str:
    """The scene as DOT, complete: HTML labels, clusters, colours."""
    name = names(scene)
    lines = ["digraph glassgrad {", *_defaults(scene, theme, quoted(scene.title))]
    for g in [-1, *range(len(scene.frames))]:
        if g < 0 or scene.frames[g].parent < 0:
            _members(scene, g, theme, name, lines)
    for wire in scene.wires:
        words = " ".join(w for w in (SIGNS[wire.sign] if wire.sign else "", wire.label) if w)
        label = f', label=<<FONT COLOR="{theme["sub"]}">{escape(words)}</FONT>>' if words else ""
        style = f", style={wire.dash}" if wire.dash else ""
        lines.append(f'  {name[wire.source]} -> {name[wire.target]} [color="{theme[wire.role]}", '
                     f'penwidth={wire.weight:g}, tooltip={quoted(wire.title)}{style}{label}];')
    legend = _legend(scene, theme)
    lines += [f"  label=<{legend}>;", "  labelloc=b;", "}"] if legend else ["}"]
    return "\n".join(lines) + "\n"


def _legend(scene: Scene, theme: dict[str, str]) -> str:
    """The kinds that are present, the ramp and the notes, as the label of the graph."""
    chips = ""
    for kind in scene.kinds:
        if kind in KIND_WORDS:
            fill, ink = chip(kind)
            chips += (f'<TD BGCOLOR="{theme[fill]}"><FONT POINT-SIZE="9" COLOR="{theme[ink]}">'
                      f"{escape(SIGNS[kind])} {KIND_WORDS[kind]}</FONT></TD>")
    rows = [f"<TR>{chips}</TR>"] if chips else []
    if "ramp" in scene.kinds and scene.reference > 0:
        ramp = "".join(f'<TD BGCOLOR="{theme[f"ramp{k}"]}"><FONT POINT-SIZE="8" COLOR="{theme[f"ramp{k}-ink"]}">{word}'
                       "</FONT></TD>" for k, word in enumerate(RAMP_WORDS))
        rows += [f"<TR>{ramp}</TR>", _line(f"gradient RMS over {number(scene.reference)}, its value at the network's "
                                           "output: vanishing to exploding", theme)]
    rows += [_line(note, theme) for note in scene.notes]
    tables = "".join(f'<TR><TD><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="3">{row}</TABLE></TD></TR>'
                     for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{tables}</TABLE>' if rows else ""


def _line(text: str, theme: dict[str, str]) -> str:
    return f'<TR><TD><FONT POINT-SIZE="9" COLOR="{theme["sub"]}">{escape(text)}</FONT></TD></TR>'


def _defaults(scene: Scene, theme: dict[str, str], tooltip: str) -> list[str]:
    return [f'  graph [bgcolor="{theme["page"]}", fontname="{FONT}", rankdir={scene.rankdir}, nslimit=2, nslimit1=2, '
            f'nodesep={_inch(NODE_GAP)}, ranksep={_inch(RANK_GAP)}, tooltip={tooltip}];',
            f'  node [shape=plain, fontname="{FONT}", fontsize=10, fontcolor="{theme["ink"]}"];',
            f'  edge [fontname="{FONT}", fontsize=9, arrowsize=0.7];']


def _members(scene: Scene, g: int, theme: dict[str, str], name: dict[str, str], lines: list[str]) -> None:
    """The cards of a group, and the clusters in it, without recursion."""
    stack: list[tuple[str, int]] = [("open", g)]
    inside: dict[int, list[int]] = {}
    for k, frame in enumerate(scene.frames):
        inside.setdefault(frame.parent, []).append(k)
    cards: dict[int, list[Card]] = {}
    for card in scene.cards:
        cards.setdefault(card.group, []).append(card)
    while stack:
        what, k = stack.pop()
        if what == "close":
            lines.append("  }")
            continue
        if k >= 0:
            lines.append(f"  subgraph cluster_{k} {{ {_cluster(scene.frames[k], theme)}")
            stack.append(("close", k))
        lines += [f"    {name[card.key]} [{_node(card, theme)}];" for card in cards.get(k, ())]
        if k >= 0:
            stack += [("open", child) for child in reversed(inside.get(k, []))]


def _cluster(frame: Frame, theme: dict[str, str]) -> str:
    rows = "".join(_row(row, frame.width, theme) for row in frame.rows)
    style = "rounded,filled,bold" if frame.copies > 1 else "rounded,filled"
    return (f'label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>>; labeljust=l; '
            f'style="{style}"; fillcolor="{theme["module"]}"; color="{theme["module-ink"]}"; margin={FRAME_PAD:g}; '
            f'tooltip={quoted(frame.title)};')


def _node(card: Card, theme: dict[str, str]) -> str:
    left, _, right, _ = card.inset
    body = card.width - left - right
    ink = theme[f"{card.role}-ink"]
    shape = SHAPES.get(card.form)
    rows = "".join(_row(row, body, theme) for row in card.rows)
    if card.badge or card.mark or card.signs:
        words = " ".join(w for w in (card.mark, card.badge, *(SIGNS[name] for name in card.signs)) if w)
        text = f'<FONT POINT-SIZE="10"><B>{escape(words)}</B></FONT>'
        rows = f'<TR><TD FIXEDSIZE="TRUE" WIDTH="{body:.0f}" HEIGHT="16">{text}</TD></TR>{rows}'
    if card.ring:
        ink = theme["alarm"]
    tip = f"id={quoted(card.key)}, tooltip={quoted(card.title)}"
    plain = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>'
    if shape:
        fill = theme["module"] if card.role == "module" else theme[card.role]
        return (f'shape={shape}, style=filled, fillcolor="{fill}", color="{ink}", penwidth={4 if card.ring else 1.4}, '
                f'margin="0.06,0.04", label=<{plain}>, {tip}')
    lines = {"view": "ROUNDED,DASHED"}.get(card.form, "ROUNDED")
    border = "4" if card.ring else "3" if card.form == "custom" else "1"
    fill = theme[card.role] if card.form == "pill" else theme["card"]
    return (f'label=<<TABLE BORDER="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" STYLE="{lines}" '
            f'COLOR="{ink}" BGCOLOR="{fill}">{rows}</TABLE>>, {tip}')


def _row(row: Row, total: float, theme: dict[str, str]) -> str:
    """One row as a table of its own: cells at the places measured for them."""
    cells, x = [], 0.0
    for cell in row.cells:
        if round(cell.x - x) > 0:
            cells.append(_gap(cell.x - x))
        cells.append(_cell(cell, row.height, theme))
        x = max(x, round(x) + max(0, round(cell.x - x)) + round(cell.width))
    if round(total - x) > 0:
        cells.append(_gap(total - x))
    fill = f' BGCOLOR="{theme[row.fill]}"' if row.fill else ""
    return (f'<TR><TD{fill} CELLPADDING="0"><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
            f'<TR>{"".join(cells)}</TR></TABLE></TD></TR>')


def _gap(room: float) -> str:
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{room:.0f}" HEIGHT="4"></TD>'


def _cell(cell: Cell, height: float, theme: dict[str, str]) -> str:
    sign = "" if not cell.sign else (cell.sign[1:] if cell.sign[0] == "'" else SIGNS[cell.sign])
    text = escape(" ".join(w for w in (sign, cell.text) if w))
    if cell.bold and text:
        text = f"<B>{text}</B>"
    font = f' FACE="{MONO}"' if cell.mono else ""
    align = {"start": "LEFT", "middle": "CENTER", "end": "RIGHT"}[cell.align]
    fill = f' BGCOLOR="{theme[cell.fill]}"' if cell.fill else ""
    high = min(height, 16.0) if cell.fill else height
    words = f'<FONT{font} POINT-SIZE="{cell.size:g}" COLOR="{theme[cell.ink]}">{text}</FONT>' if text else ""
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{cell.width:.0f}" HEIGHT="{high:.0f}" ALIGN="{align}"{fill}>{words}</TD>'


# -- the text for layout, and its answer ----------------------------------------------------------------------


def request(scene: Scene) -> str:
    """The scene as boxes of fixed size, for `dot -Tjson0`: no words, no fonts."""
    sideways = scene.rankdir == "LR"
    lines = [f"digraph {{ graph [rankdir={scene.rankdir}, nodesep={_inch(NODE_GAP)}, ranksep={_inch(RANK_GAP)}, "
             "nslimit=2, nslimit1=2]; node [shape=box, fixedsize=true, label=\"\"]; edge [arrowhead=none];"]
    where: list[list[str]] = [[] for _ in range(len(scene.frames) + 1)]
    for k, card in enumerate(scene.cards):
        where[card.group].append(_box(k, card, sideways))
    inside: dict[int, list[int]] = {}
    for k, frame in enumerate(scene.frames):
        inside.setdefault(frame.parent, []).append(k)
    stack: list[tuple[str, int]] = [("open", -1)]
    while stack:
        what, k = stack.pop()
        if what == "close":
            lines.append("}")
            continue
        if k >= 0:
            frame = scene.frames[k]
            label = _table(min(2 * frame.width, frame.width + 90), frame.header)
            lines.append(f"subgraph cluster_{k} {{ margin={FRAME_PAD:g}; labeljust=l; label=<{label}>;")
            stack.append(("close", k))
        lines += where[k]
        stack += [("open", child) for child in reversed(inside.get(k, []))]
    index = {card.key: k for k, card in enumerate(scene.cards)}
    side = "e" if sideways else "s"
    for k, wire in enumerate(scene.wires):
        label = f", label=<{_table(wire.label_width + 6, 12)}>" if wire.label else ""
        port = f":p{_port(scene.cards[index[wire.source]], wire.port)}:{side}" if wire.port is not None else ""
        lines.append(f'c{index[wire.source]}{port} -> c{index[wire.target]} [id={k}{label}];')
    return "\n".join([*lines, "}"])


def _port(card: Card, place: float) -> int:
    return next(k for k, (_, x) in enumerate(card.ports) if x == place)


def _box(k: int, card: Card, sideways: bool) -> str:
    if not card.ports:
        return f"c{k} [width={_inch(card.width)}, height={_inch(card.height)}];"
    places = [x for _, x in card.ports]
    total = card.height if sideways else card.width
    cuts = [0.0, *((a + b) / 2 for a, b in pairwise(places)), total]
    sizes = [round(b) - round(a) for a, b in pairwise(cuts)]
    if sideways:
        rows = "".join(f'<TR><TD FIXEDSIZE="TRUE" WIDTH="{card.width:.0f}" HEIGHT="{size}" PORT="p{i}"></TD></TR>'
                       for i, size in enumerate(sizes))
    else:
        feet = "".join(f'<TD FIXEDSIZE="TRUE" WIDTH="{size}" HEIGHT="4" PORT="p{i}"></TD>'
                       for i, size in enumerate(sizes))
        rows = (f'<TR><TD FIXEDSIZE="TRUE" COLSPAN="{len(sizes)}" WIDTH="{card.width:.0f}" '
                f'HEIGHT="{card.height - 4:.0f}"></TD></TR><TR>{feet}</TR>')
    return (f'c{k} [shape=plain, fixedsize=false, label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" '
            f'CELLPADDING="0">{rows}</TABLE>>];')


def _table(width: float, height: float) -> str:
    return (f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR><TD FIXEDSIZE="TRUE" '
            f'WIDTH="{math.ceil(width)}" HEIGHT="{math.ceil(height)}"></TD></TR></TABLE>')


def _inch(points: float) -> str:
    return f"{points / 72:.4f}"


def answer(scene: Scene, text: str | bytes, margin: float = 14.0) -> Placed:
    """Positions from what `dot -Tjson0` said to `request`.  Raises ValueError where it is not complete."""
    import json
    said = json.loads(text)
    _, _, wide, high = _floats(said["bb"])
    cards: dict[str, Point] = {}
    frames: list[tuple[float, float, float, float]] = [(0.0, 0.0, 0.0, 0.0)] * len(scene.frames)
    for thing in said.get("objects", ()):
        name = thing["name"]
        if name.startswith("cluster_"):
            x0, y0, x1, y1 = _floats(thing["bb"])
            frames[int(name[8:])] = (x0 + margin, high - y1 + margin, x1 - x0, y1 - y0)
        elif name.startswith("c"):
            card = scene.cards[int(name[1:])]
            x, y = _floats(thing["pos"])
            cards[card.key] = (x - card.width / 2 + margin, high - y - card.height / 2 + margin)
    wires: list[tuple[Point, ...]] = [()] * len(scene.wires)
    labels: list[Point | None] = [None] * len(scene.wires)
    for edge in said.get("edges", ()):
        k = int(edge["id"])
        points = [_floats(word) for word in edge["pos"].split() if word[0] not in "es"]
        wires[k] = tuple((x + margin, high - y + margin) for x, y in points)
        if "lp" in edge:
            x, y = _floats(edge["lp"])
            labels[k] = (x + margin, high - y + margin)
    if len(cards) < len(scene.cards) or any(len(points) < 4 for points in wires):
        raise ValueError("Graphviz left something out")
    return Placed(cards, tuple(frames), tuple(wires), tuple(labels), wide + 2 * margin, high + 2 * margin, "Graphviz")


def _floats(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.split(","))
