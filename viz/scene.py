"""What is painted, before it has a place: sized cards, frames around them, and wires between them.

    View -> Scene (sizes, words, roles) -> layout -> Placed (positions) -> SVG, DOT, PNG, PDF

Everything has its final size here, measured with the width table of `text`, so that the same scene
comes out the same whatever lays it out.  Lengths are points at 1:1.
"""

from __future__ import annotations

from typing import NamedTuple

FRAME_PAD = 12.0                               # between a frame and what is in it
SLANT = 8.0                                    # of the sides of a reduction
NODE_GAP, RANK_GAP = 26.0, 34.0                # between cards of a rank, between ranks


class Cell(NamedTuple):
    """One word or number of a row.  `column` lines up cells of several rows, counted from the right edge."""

    text: str
    ink: str = "ink"
    size: float = 10.0
    bold: bool = False
    mono: bool = False
    align: str = "start"                       # start middle end
    fill: str = ""                             # a swatch is filled; nothing else is
    sign: str = ""                             # drawn before the text
    column: str = ""                           # "" takes the room that is left
    x: float = 0.0                             # from the left edge of the card's body
    width: float = 0.0


class Row(NamedTuple):
    """A line of a card.  `leaf` names the graph leaves it stands for (twins are linked by it)."""

    cells: tuple[Cell, ...]
    height: float
    fill: str = ""
    leaf: tuple[int, ...] = ()
    dashed: bool = False
    rule: bool = False                         # a line above it, and between its cells
    title: str = ""                            # of a leaf: its tooltip


class Card(NamedTuple):
    """A node of the picture: its body of rows, inset into a box that also holds tabs, badges and arrow heads."""

    key: str
    form: str                                  # card reduction view custom input output loss folder stack pill number
    role: str                                  # colour of border and header
    width: float                               # of the box
    height: float
    inset: tuple[float, float, float, float]   # left top right bottom: from the box to the body
    rows: tuple[Row, ...]
    title: str                                 # full text: tooltip, screen reader
    nodes: tuple[int, ...]
    group: int                                 # index of the frame it lies in, -1 for the page
    badge: str = ""                            # "Σ 2" on the border that gradients come in by
    mark: str = ""                             # of a number card: the sign of its op, in a round badge
    ports: tuple[tuple[int, float], ...] = ()  # argument -> x (in the box) of the place its wire leaves from
    path: str = ""
    signs: tuple[str, ...] = ()                # on the top border, at the right: hook, retain
    ring: bool = False                         # around what must not be missed: the first NaN
    rising: bool = False                       # gradients come in from below
    data: tuple[tuple[str, str], ...] = ()     # for programs that read the picture: kind, op, module, line


class Frame(NamedTuple):
    """The box around an open module."""

    key: str
    parent: int
    rows: tuple[Row, ...]                      # of the header
    width: float                               # of the header, the least width of the frame
    header: float
    title: str
    path: str
    copies: int = 1


class Wire(NamedTuple):
    """An edge of the picture."""

    source: str
    target: str
    node: int                                  # the graph node whose value, or gradient, travels
    port: float | None                         # x on the source card, None for its middle
    label: str
    label_width: float
    role: str
    weight: float                              # line width
    dash: str                                  # "" dotted dashed
    title: str
    sign: str = ""                             # on its middle: cut, where no gradient comes back


class Scene(NamedTuple):
    """A whole picture without positions."""

    cards: tuple[Card, ...]
    frames: tuple[Frame, ...]
    wires: tuple[Wire, ...]
    kinds: tuple[str, ...]                     # present, in the order of the legend
    reference: float                           # gradient RMS that counts as typical, 0 if none is known
    rankdir: str
    title: str
    description: str
    notes: tuple[str, ...]


Point = tuple[float, float]


class Placed(NamedTuple):
    """Where everything is: y grows downward, the origin is the top left corner."""

    cards: dict[str, Point]                    # top left corners
    frames: tuple[tuple[float, float, float, float], ...]      # x y width height
    wires: tuple[tuple[Point, ...], ...]       # 3 n + 1 points of cubic Bezier curves, the last one at the target
    labels: tuple[Point | None, ...]           # middle of each wire's label
    width: float
    height: float
    engine: str                                # who laid it out
