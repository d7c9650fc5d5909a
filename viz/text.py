"""Words and numbers of a picture: how wide they are, how they are cut, how they are written.

Geometry must not depend on the fonts of a machine, so widths come from a table of our own: the
advance widths of Helvetica and of the fonts made to measure like it (Arial, Liberation Sans, Nimbus
Sans), in thousandths of the size.  What is not in the table counts as wide: such text ends early, it does not overflow.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584)
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584)
_OTHER = {"×": 584, "·": 278, "…": 1000, "∂": 494, "Σ": 618, "∇": 660, "≈": 549, "−": 584, "∞": 713, "±": 584, "²": 333,
          "³": 333, "≤": 549, "≥": 549, "°": 400, "ƒ": 556, "≠": 549, "√": 549, "∑": 713}
_MONO = 602
_PLAIN = re.compile("[ -~\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd]*")
MAX_LABEL = 60                                 # characters of a name that are ever drawn
MAX_PATH = 1000                                # of a module path, for programs that read the picture


def _advance(character: str, table: tuple[int, ...]) -> int:
    code = ord(character)
    if 32 <= code < 127:
        return table[code - 32]
    if character in _OTHER:
        return _OTHER[character]
    if 0x300 <= code < 0x370 or 0x200B <= code < 0x2010 or 0xFE00 <= code < 0xFE10:
        return 0                               # accents set over the letter before, joiners
    return 1000 if code >= 0x1100 and not 0x1E00 <= code < 0x2E80 else 700


@lru_cache(8192)
def width(text: str, size: float, bold: bool = False, mono: bool = False) -> float:
    """Width of a line of text, in the unit of `size`."""
    if mono:
        return size / 1000 * sum(_MONO if ord(c) < 0x1100 else 1204 for c in text)
    table = _BOLD if bold else _REGULAR
    return size / 1000 * sum(_advance(c, table) for c in text)


def clean(text: object, limit: int = MAX_LABEL) -> str:
    """One line that every format can hold: no control characters, no lone surrogates, at most `limit` long."""
    raw = str(text)
    cut = raw if len(raw) <= limit else raw[:limit - 1] + "…"
    if _PLAIN.fullmatch(cut):                  # nearly all are
        return cut
    return "".join(" " if c in "\n\r\t" else c if _drawable(ord(c)) else "\ufffd" for c in cut)


@lru_cache(1024)
def rule(formula: str, limit: int = 200) -> str:
    """A derivative rule as text, without the underscores that mark names as private to a file."""
    return re.sub(r"\b_(?=\w)", "", clean(formula, limit))


def _drawable(code: int) -> bool:
    return (0x20 <= code < 0x7F or (0xA0 <= code < 0xD800 and not (0x202A <= code < 0x202F or 0x2066 <= code < 0x206A))
            or 0xE000 <= code < 0xFFFE or (0x10000 <= code < 0x110000 and code & 0xFFFE != 0xFFFE))


def fit(text: str, room: float, size: float, bold: bool = False, mono: bool = False) -> str:
    """The text, ended by an ellipsis where it is wider than the room."""
    if width(text, size, bold, mono) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle] + "…", size, bold, mono) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def number(value: float | int | None) -> str:
    """A number at a glance: three digits, exponent only where it is needed."""
    if value is None:
        return ""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 100_000):
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if value != value else "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if 0.00995 <= abs(value) < 9999.5:
        return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def exact(value: float | int | None) -> str:
    """A number with the digits a scalar graph shows: 2.0, -0.8814, 138.8338."""
    if value is None or isinstance(value, (bool, int)):
        return "" if value is None else str(value)
    if not math.isfinite(value) or (value != 0 and not 1e-3 <= abs(value) < 1e6):
        return number(value)
    text = f"{value:.4f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def amount(count: float, unit: str = "") -> str:
    """A count with a prefix: 12.8k, 3.4M."""
    count = float(count) if abs(count) < 1e300 else math.inf
    for prefix in ("", "k", "M", "G", "T", "P"):
        if abs(count) < 999.5 or prefix == "P":
            break
        count /= 1000
    return f"{count:.3g} {prefix}{unit}".rstrip() if unit else f"{count:.3g}{prefix}"


def shape(dims: tuple[int, ...]) -> str:
    """16×32; a 0-d value is a scalar."""
    return "×".join(map(str, dims)) if dims else "scalar"
