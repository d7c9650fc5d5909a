"""The picture in a notebook: an inline SVG, and a little script that plays the backward pass over it.

Where scripts are stripped, or not trusted, the picture stays as it is and nothing else is seen.
"""

from __future__ import annotations

import re
from functools import cache
from os import path
from typing import Any

from ..svg import escape, svg
from ..theme import AUTO, THEMES, colours
from .walk import alive_words, walk

MOST_SCRIPT = 10_000                           # bytes


def inline(drawing: Any) -> str:
    """A drawing as a piece of HTML for the output of a notebook cell; any number of them stand on one page.

    The cards can be reached by Tab and the arrow keys, twins light up together, and the backward pass is stepped
    through below the picture.  drawing: a Drawing.
    """
    import json
    dark = THEMES[AUTO[1]] if drawing.theme == "auto" else None
    picture = svg(drawing.sheet, colours(drawing.theme), inline=True, dark=dark)
    found = re.search(r'<svg[^>]* id="([\w-]+)"', picture)
    scope = found[1] if found else ""
    steps = walk(drawing)
    told = [[list(stop.keys), stop.title, "\n".join(stop.lines), alive_words(stop, steps.saved),
             round(stop.alive / steps.saved, 4) if steps.saved else 0] for stop in steps.stops]
    wires = [[wire.source, wire.target] for wire in drawing.scene.wires]
    record = {"steps": told, "reached": steps.reached, "wires": wires}
    data = escape(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
    return (f'<div data-glassgrad="{scope}" data-record="{data}" style="max-width:100%;overflow:auto">{picture}</div>\n'
            f"<script>{script().replace('SCOPE', scope)}</script>\n")


@cache
def script() -> str:
    """The script of an inset, without its comments and indentation."""
    with open(path.join(path.dirname(__file__), "inset.js"), encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return "\n".join(line for line in lines if line and not line.startswith("//")).replace("</", "<\\/")
