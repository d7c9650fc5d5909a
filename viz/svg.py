"""A sheet as SVG: standalone, themed by CSS variables, readable without sight.

Every colour is written twice: as an attribute, which every reader understands, and in a style rule as
`var(--role, #hex)`, so that a page can set `--linear: #...` and change it without a new drawing.
"""

from __future__ import annotations

import zlib

from .shapes import Box, Close, Mark, Path, Sheet, Text
from .text import width

SANS = "Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif"
MONO = "ui-monospace,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace"
DASHES = {"dotted": "1.5 3.5", "dashed": "5 3.5"}


def escape(text: str) -> str:
    """Text that is safe in XML, between tags and in attributes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def number(value: float) -> str:
    """Shortest form with one decimal."""
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text[:-2] if text.endswith(".0") else text


def svg(sheet: Sheet, theme: dict[str, str], *, inline: bool = False, dark: dict[str, str] | None = None,
        inside: str = "") -> str:
    """The sheet as an SVG document; `inline`: as an element for a page of HTML.

    dark: the colours where the reader's system is set to dark.  inside: an element that goes with the picture.
    """
    body = [_element(mark, theme) for mark in sheet.marks]
    roles = {role for mark in sheet.marks if isinstance(mark, (Path, Box)) for role in (mark.fill, mark.stroke) if role}
    roles |= {mark.ink for mark in sheet.marks if isinstance(mark, Text)}
    content = "\n".join(line for line in body if line)
    scope = f"g{zlib.crc32((content + theme['page']).encode()):08x}"   # two drawings on a page do not meet
    rules = "".join(f"#{scope} .f-{r}{{fill:var(--{r},{theme[r]})}}#{scope} .s-{r}{{stroke:var(--{r},{theme[r]})}}"
                    for r in sorted(roles))
    style = (f"#{scope}{{font-family:{SANS}}}#{scope} text{{white-space:pre}}#{scope} .mono{{font-family:{MONO}}}"
             f"#{scope} .halo{{paint-order:stroke;stroke:var(--page,{theme['page']});stroke-width:3px;"
             f"stroke-linejoin:round}}{rules}")
    if dark:
        style += "@media(prefers-color-scheme:dark){" + "".join(
            f"#{scope} .f-{r}{{fill:var(--{r},{dark[r]})}}#{scope} .s-{r}{{stroke:var(--{r},{dark[r]})}}"
            for r in sorted(roles)) + f"#{scope} .halo{{stroke:var(--page,{dark['page']})}}}}"
    w, h = number(sheet.width), number(sheet.height)
    head = "" if inline else '<?xml version="1.0" encoding="UTF-8"?>\n'
    return (f'{head}<svg xmlns="http://www.w3.org/2000/svg" id="{scope}" width="{w}" height="{h}" '
            f'viewBox="0 0 {w} {h}" role="img" aria-labelledby="{scope}-t {scope}-d" font-family="{escape(SANS)}">\n'
            f'<title id="{scope}-t">{escape(sheet.title)}</title>\n'
            f'<desc id="{scope}-d">{escape(sheet.description)}</desc>\n<style>{style}</style>\n{content}\n{inside}'
            "</svg>\n")


def _element(mark: Mark, theme: dict[str, str]) -> str:
    if isinstance(mark, (Path, Box)):
        return _shape(mark, theme)
    if isinstance(mark, Text):
        return _text(mark, theme)
    if isinstance(mark, Close):
        return "</g>"
    data = "".join(f' {name}="{escape(value)}"' for name, value in mark.data)
    title = f"<title>{escape(mark.title)}</title>" if mark.title else ""
    return f'<g class="{escape(f"{mark.kind} {mark.form}".strip())}"{data}>{title}'


def _shape(mark: Path | Box, theme: dict[str, str]) -> str:
    classes = [f"f-{mark.fill}"] if mark.fill else []
    paint = f'fill="{theme[mark.fill] if mark.fill else "none"}"'
    if mark.stroke:
        classes.append(f"s-{mark.stroke}")
        paint += f' stroke="{theme[mark.stroke]}"' + (f' stroke-width="{mark.width:.3g}"' if mark.width != 1 else "")
        if mark.dash:
            paint += f' stroke-dasharray="{DASHES[mark.dash]}"'
    role = f'class="{" ".join(classes)}" {paint}'
    if isinstance(mark, Box):
        corner = f' rx="{number(mark.r)}"' if mark.r else ""
        return (f'<rect {role} x="{number(mark.x)}" y="{number(mark.y)}" width="{number(mark.w)}" '
                f'height="{number(mark.h)}"{corner}/>')
    steps = [op + " ".join([number(v) for v in numbers]) for op, numbers in mark.commands]
    return f'<path {role} d="{"".join(steps)}"/>'


def _text(mark: Text, theme: dict[str, str]) -> str:
    anchor = f' text-anchor="{mark.align}"' if mark.align != "start" else ""
    weight = ' font-weight="bold"' if mark.bold else ""
    family = f' font-family="{escape(MONO)}"' if mark.mono else ""
    classes = f"f-{mark.ink}" + (" mono" if mark.mono else "") + (" halo" if mark.halo else "")
    # the length the layout counted on: another font is squeezed to it instead of running over
    length = ""
    if len(mark.text) > 4:
        wide = width(mark.text, mark.size, mark.bold, mark.mono)
        length = f' textLength="{number(wide)}" lengthAdjust="spacingAndGlyphs"'
    return (f'<text class="{classes}" x="{number(mark.x)}" y="{number(mark.y)}" font-size="{mark.size:g}"'
            f'{weight}{family}{anchor}{length} fill="{theme[mark.ink]}">{escape(mark.text)}</text>')
