"""A sheet as PNG or PDF: its shapes as drawing commands, which Graphviz carries out."""

from __future__ import annotations

import re
import warnings

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
    return backend.graphviz(page(sheet, theme, _lift()), "nop2", form, **settings)


def _lift() -> float:
    """How far above its baseline the Graphviz of this machine sets text."""
    found = re.search(r'<text[^>]* y="(-?[\d.]+)"', backend.graphviz(PROBE, "nop2", "svg").decode())
    return -float(found[1]) / 10 if found else 0.0
