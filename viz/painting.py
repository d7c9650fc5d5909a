"""A sheet as PNG or PDF: its shapes as drawing commands, which Graphviz carries out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from . import backend
from .shapes import Sheet
from .xdot import PROBE, page

MOST_PIXELS = 30e6
MOST_SIDE = 32_000                             # pixels: the limit of Cairo
MOST_POINTS = 14_000                           # of a PDF page: the limit of its readers


def painted(sheet: Sheet, theme: dict[str, str], form: str, dpi: float = 144, *, stacklevel: int = 3) -> bytes:
    """The sheet as the bytes of a "png" or "pdf" file.

    theme: its colours, from `viz.theme.colours`.  dpi: of a PNG; lowered, with a warning, over 30 megapixels.
    Raises BackendError where Graphviz is missing, fails, or takes longer than `viz.backend.TIME_LIMIT`.
    """
    if not backend.available():
        raise backend.BackendError(
            f"save: expected Graphviz, for a .{form} file; got a machine with neither the `dot` program nor "
            f"pygraphviz; {backend.INSTALL}; or save as .svg, which needs nothing")
    if not 0 < dpi < float("inf"):
        raise ValueError(f"save: expected dpi to be a positive number, dots per inch; got {dpi!r}; 144 is usual")
    longest = max(sheet.width, sheet.height)
    if form == "pdf":
        inches = MOST_POINTS / 72
        settings = {"size": f"{inches:.0f},{inches:.0f}"} if longest > MOST_POINTS else {}
    else:
        most = 72 * min((MOST_PIXELS / (sheet.width * sheet.height)) ** 0.5, MOST_SIDE / longest)
        if dpi > most:
            warnings.warn(f"save: a PNG of {sheet.width:.0f} by {sheet.height:.0f} points at {dpi:g} dpi is over "
                          f"{MOST_PIXELS / 1e6:.0f} megapixels; drawn at {most:.0f} dpi; save as .svg or .pdf to "
                          "keep every detail", stacklevel=stacklevel)
        settings = {"dpi": f"{min(dpi, most):.2f}"}
    made = _made(sheet, theme, form, settings)
    if made is None:                           # no letters here; matplotlib brings some along
        with _fonts_of_matplotlib():
            made = _made(sheet, theme, form, settings)
    if made is None:
        raise backend.BackendError(
            f"save: expected a font, for a .{form} file; got a machine without any; apt-get install fonts-liberation, "
            'or pip install "glassgrad[demo]", whose matplotlib has some; or save as .svg, which takes those of its '
            "reader")
    return made


def _made(sheet: Sheet, theme: dict[str, str], form: str, settings: dict[str, str]) -> bytes | None:
    """What Graphviz paints; None where it has no font: it takes a word for miles long then, and so is the picture."""
    text = page(sheet, theme, _lift())
    made = backend.graphviz(text, "nop2", form, **settings)
    dpi, shown = (settings["dpi"], made) if form == "png" else ("10", backend.graphviz(text, "nop2", "png", dpi="10"))
    wanted = [length * float(dpi) / 72 for length in (sheet.width, sheet.height)]
    sides = [int.from_bytes(shown[at:at + 4], "big") for at in (16, 20)]           # the head of a PNG says its size
    known = shown.startswith(b"\x89PNG")
    return None if known and any(side > 1.5 * want + 50 for side, want in zip(sides, wanted, strict=True)) else made


@contextmanager
def _fonts_of_matplotlib() -> Iterator[None]:
    """A block in which Graphviz finds the fonts that matplotlib brings along, where it is installed."""
    from html import escape
    from importlib.util import find_spec
    from pathlib import Path
    from tempfile import TemporaryDirectory
    found = find_spec("matplotlib")
    if not found or not found.origin:
        yield
        return
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    with TemporaryDirectory() as place:
        settings = Path(place) / "fonts.conf"
        settings.write_text(f"<fontconfig><dir>{escape(str(folder))}</dir><cachedir>{escape(place)}</cachedir>"
                            "</fontconfig>", encoding="utf-8")
        with backend.surroundings(FONTCONFIG_FILE=str(settings)):
            yield


def _lift() -> float:
    """How far above its baseline the Graphviz of this machine sets text."""
    found = re.search(r'<text[^>]* y="(-?[\d.]+)"', backend.graphviz(PROBE, "nop2", "svg").decode())
    return -float(found[1]) / 10 if found else 0.0
