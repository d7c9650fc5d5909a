"""A sheet as Graphviz drawing commands: how PNG and PDF are painted exactly as the SVG looks.

The page is the `_background` of an empty graph; Graphviz then lays out nothing and only paints.
Source: Graphviz, "xdot" output format, attribute `_draw_`.
"""

from __future__ import annotations

from .dot import FONT, MONO
from .shapes import Box, Path, Sheet, Text
from .text import width

POINTS = 72.0

# Painted as SVG this tells the `lift` of a Graphviz: 0.2 before version 2.50, 0.05 later, 0 without Pango.
PROBE = ('graph { graph [bb="0,0,99,99", pad=0, margin=0, '
         '_background="F 10 5 -Arial c 7 -#000000 T 0 0 -1 9 5 -probe "]; p [style=invis, pos="49,49"]; }')


def page(sheet: Sheet, theme: dict[str, str], lift: float = 0.0) -> str:
    """A DOT graph that paints the sheet.

    lift: how far above its baseline this Graphviz sets text, as a fraction of the size (see `PROBE`).
    """
    high = sheet.height
    parts = []
    for mark in sheet.marks:
        if isinstance(mark, (Path, Box)):
            parts.append(_path(mark, theme, high))
        elif isinstance(mark, Text):
            parts.append(_text(mark, theme, high, lift))
    quoted = " + ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + ' "' for part in _pieces(parts))
    # an invisible node keeps the page its full size, whatever is painted on it
    wide = sheet.width
    return (f'graph {{ graph [bb="0,0,{wide:.1f},{high:.1f}", pad=0, margin=0, bgcolor="{theme["page"]}", '
            f'_background={quoted}]; p [shape=box, style=invis, label="", fixedsize=true, '
            f'width={wide / POINTS:.4f}, height={high / POINTS:.4f}, pos="{wide / 2:.1f},{high / 2:.1f}"]; }}')


def _pieces(parts: list[str], most: int = 3000) -> list[str]:
    """Joined, but in several strings: the DOT scanner takes at most 16 kB in one."""
    pieces, size = [[""]], 0
    for part in parts:
        if size + len(part) > most:
            pieces.append([])
            size = 0
        pieces[-1].append(part)
        size += len(part)
    return [" ".join(piece) for piece in pieces]


def _string(text: str) -> str:
    return f"{len(text.encode())} -{text}"


def _path(mark: Path | Box, theme: dict[str, str], high: float) -> str:
    """Curves as they are; straight pieces of a curved outline as flat curves."""
    stroke = theme[mark.stroke] if mark.stroke else "#00000000"
    setting = f"S {_string(f'setlinewidth({mark.width:g})')} S {_string(mark.dash or 'solid')} c {_string(stroke)} "
    if mark.fill:
        setting += f"C {_string(theme[mark.fill])} "
    runs: list[list[tuple[float, float]]] = []
    curved = any(op == "C" for op, _ in mark.commands)
    closed = False
    for op, v in mark.commands:
        if op == "M":
            runs.append([(v[0], v[1])])
        elif op == "C":
            runs[-1] += [(v[0], v[1]), (v[2], v[3]), (v[4], v[5])]
        elif op == "Z" and not curved:
            closed = True
        else:
            end = (v[0], v[1]) if v else runs[-1][0]
            if end != runs[-1][-1] or not curved:
                runs[-1] += [*_flat(runs[-1][-1], end), end] if curved else [end]
    if curved:
        letter = "b" if mark.fill else "B"
    else:
        letter = ("P" if mark.fill else "p") if closed else "L"
    return setting + " ".join(f"{letter} {len(run)} " + " ".join(f"{x:.2f} {high - y:.2f}" for x, y in run)
                              for run in runs)


def _flat(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """The control points of a curve that is a straight line."""
    dx, dy = (end[0] - start[0]) / 3, (end[1] - start[1]) / 3
    return [(start[0] + dx, start[1] + dy), (start[0] + 2 * dx, start[1] + 2 * dy)]


def _text(mark: Text, theme: dict[str, str], high: float, lift: float) -> str:
    just = {"start": -1, "middle": 0, "end": 1}[mark.align]
    wide = width(mark.text, mark.size, mark.bold, mark.mono)
    flags = f"t {1 if mark.bold else 0} "
    return (f"F {mark.size:g} {_string(MONO if mark.mono else FONT)} c {_string(theme[mark.ink])} {flags}"
            f"T {mark.x:.2f} {high - mark.y - lift * mark.size:.2f} {just} {wide:.2f} {_string(mark.text)}")
