"""What a painted page is made of: boxes, paths, words, and groups of them, in page coordinates."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .signs import VECTORS, Commands, rounded


class Path(NamedTuple):
    """An outline, filled or drawn or both."""

    commands: Commands
    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dash: str = ""


class Box(NamedTuple):
    """A rectangle, with round corners where `r` is not 0."""

    x: float
    y: float
    w: float
    h: float
    r: float = 0.0
    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dash: str = ""

    @property
    def commands(self) -> Commands:
        return rounded(self.x, self.y, self.w, self.h, self.r)


class Text(NamedTuple):
    """A word; y is its baseline."""

    x: float
    y: float
    text: str
    ink: str
    size: float
    bold: bool = False
    mono: bool = False
    align: str = "start"
    halo: bool = False


class Open(NamedTuple):
    """Start of a group: what a reader of the picture can point at."""

    kind: str                                  # node frame wire row legend
    form: str
    key: str
    title: str
    data: tuple[tuple[str, str], ...] = ()


class Close(NamedTuple):
    """End of the group opened last."""


Mark = Box | Path | Text | Open | Close


class Sheet(NamedTuple):
    """A painted page."""

    marks: tuple[Mark, ...]
    width: float
    height: float
    title: str
    description: str


def sign(name: str, x: float, y: float, side: float, ink: str) -> list[Mark]:
    """The sign of a kind in a square; 'c is the character c itself."""
    return list(_sign(name, x, y, side, ink))


@lru_cache(1024)
def _sign(name: str, x: float, y: float, side: float, ink: str) -> list[Mark]:
    if name.startswith("'"):
        return [Text(x + side / 2, y + side * 0.9, name[1:], ink, side * 1.3, True, align="middle")]
    lines: list[tuple[str, tuple[float, ...]]] = []
    solid: list[tuple[str, tuple[float, ...]]] = []
    for stroke in VECTORS[name]:
        (solid if stroke.solid else lines).extend(
            (op, tuple(v * side + (x if i % 2 == 0 else y) for i, v in enumerate(numbers)))
            for op, numbers in stroke.commands)
    thick = max(1.0, round(side * 0.13, 1))
    return [*([Path(tuple(solid), ink)] if solid else []), *([Path(tuple(lines), "", ink, thick)] if lines else [])]
