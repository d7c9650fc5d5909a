"""An explanation as a picture: the largest ways as a graph of numbers, a factor on every edge; below, the products
and their sum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .. import measure
from ..cards import role_of
from ..layout import layout
from ..paint import sheet
from ..scene import Card, Cell, Row, Scene, Wire
from ..shapes import Box, Close, Mark, Open, Path, Sheet, Text
from ..text import clean, fit, width
from ..view import Item
from .names import literal, number
from .paths import Term, shortened
from .sections import Sections, exact

if TYPE_CHECKING:
    from .explaining import Chain, Explanation

MOST_WAYS = 8                                  # that are drawn and listed, of one element
LINE = 19.0                                    # height of a line of the list
BAR = 90.0                                     # width of the bar of the largest term
INSET = 24.0
WIDEST = 560.0                                 # of a product
SIZE = 11.0                                    # of type

Element = tuple[int, int]


def picture(of: Explanation) -> Sheet:
    """Graph and list, for every element that was asked for."""
    say = Sections(of, False)
    scene = _scene(of, say)
    made = sheet(scene, layout(scene))
    marks: list[Mark] = []
    y, wide = made.height, made.width
    for chain in of.chains:
        lines, y, across = _list(say, chain, y)
        marks += lines
        wide = max(wide, across)
    shift = (wide - made.width) / 2
    page = Box(0, 0, wide, y + 14, fill="page")
    return Sheet((page, *_shifted(made.marks[1:], shift), *marks), wide, y + 14, scene.title, scene.description)


def _drawn(chain: Chain) -> tuple[Term, ...]:
    return chain.terms[:MOST_WAYS]


def _scene(of: Explanation, say: Sections) -> Scene:
    """Cards for the elements on the drawn ways, wires for their factors."""
    cards: dict[Element, Card] = {(of.end, 0): _card(of, (of.end, 0), 1.0)}
    wires: dict[tuple[Element, Element, int], Wire] = {}
    flows: dict[tuple[Element, Element, int], float] = {}
    for chain in of.chains:
        total = chain.cone.total
        cards.setdefault((chain.node, chain.at), _card(of, (chain.node, chain.at), chain.derivative))
        for term in _drawn(chain):
            for f in shortened(term.factors):
                a, b = (f.source, f.at), (f.target, f.to)
                for e in (a, b):
                    if e not in cards:
                        cards[e] = _card(of, e, float(total[e[0]].reshape(-1)[e[1]]))
                flows[a, b, f.place] = flows.get((a, b, f.place), 0.0) + abs(term.value)
                label = ("… " if f.place < 0 else "× ") + number(f.slope)
                row = say.factor(f)
                wires[a, b, f.place] = Wire(_key(a), _key(b), f.source, None, label, math.ceil(width(label, 9)) + 2.0,
                                            "edge", 1.3, "dashed" if f.place < 0 or f.slope == 0 else "",
                                            " = ".join([row.left, *row.steps]))
    largest = max(flows.values(), default=0.0)
    weighed = [w._replace(weight=round(0.9 + 2.2 * flows[k] / largest, 2)) if 0 < largest < math.inf else w
               for k, w in wires.items()]
    order = sorted(cards)
    first = of.chains[0]
    title = ", ".join([f"{say.gradient(c.node, c.at)} = {exact(c.derivative)}" for c in of.chains])
    ways = sum([c.ways for c in of.chains])
    shown = sum([len(_drawn(c)) for c in of.chains])
    words = (f"{clean(title, 300)}: the sum over {ways:,} way{'s' * (ways != 1)} of the product of the derivatives on "
             f"it; {shown} drawn.")
    grouped = tuple([fit(note, 520, 10) for note in say.notes(first)[:1]])
    return Scene(tuple([cards[e] for e in order]), (), tuple(weighed), (), 0.0, "LR", clean(title, 300), words, grouped)


def _key(e: Element) -> str:
    return f"n{e[0]}.{e[1]}"


def _card(of: Explanation, e: Element, gradient: float) -> Card:
    """Name, value and gradient of one element."""
    node = of.known.graph.nodes[e[0]]
    role = "loss" if e[0] == of.end else role_of(node)
    name = of.names.element(*e)
    rows = [Row((Cell(fit(clean(name), 170, 11, bold=True), f"{role}-ink", 11, True),), 19, role)]
    value = of.known.element(*e)
    if not literal(node):
        rows.append(Row((Cell("value", "sub", 9), Cell(number(value), size=10.5, bold=True, align="end",
                                                       column="swatch")), 18))
    rows.append(Row((Cell("grad", "sub", 9), Cell(number(gradient), size=10.5, align="end", column="swatch")), 18))
    op = node.kind == "op"
    mark = (clean(node.symbol, 4) or clean(node.op, 14)) if op else ""
    lead = measure.mark_width(mark) / 2 + 7 if mark else measure.PAD
    laid, total = measure.lay(rows, 78, lead)
    title = f"{name} = {value!r}\ngradient {gradient!r}" + (f"\n{node.op}" if op else "")
    return measure.card(Item(_key(e), "op" if op else "leaf", (e[0],)), "number" if op else "pill", role, laid, total,
                        title, mark=mark)


def _list(say: Sections, chain: Chain, top: float) -> tuple[list[Mark], float, float]:
    """The products, the rest and the sum, with a bar for the size of each: marks, where they end, their width."""
    drawn = _drawn(chain)
    rest = chain.ways - len(drawn)
    left_over = math.fsum([chain.total, *[-t.value for t in drawn]]) if len(drawn) < len(chain.terms) else chain.rest
    entries = [(t.value, f"= {say.product(t.factors)}") for t in drawn]
    if rest:
        entries.append((left_over, f"… {rest:,} further way{'s' * (rest != 1)}"))
    largest = max([abs(v) for v, _ in entries if math.isfinite(v)], default=0.0)
    marks: list[Mark] = [Open("legend", "terms", "", "")]
    y = top + 6
    title = fit(clean(say.ways_title(chain, len(drawn)), 200), 700, SIZE, bold=True)
    marks.append(Text(INSET, y + 12, title, "ink", SIZE, True))
    across = INSET + width(title, SIZE, True)
    y += LINE + 2
    digits = max([width(_signed(v), SIZE) for v in [*[v for v, _ in entries], chain.derivative]])
    column = INSET + BAR + 10 + digits
    for value, words in entries:
        if largest and math.isfinite(value):
            long = max(1.0, BAR * abs(value) / largest)
            flow = "flow2" if value < 0 else "flow6"
            marks.append(Box(INSET + BAR - long, y + 4, long, 9, 2, flow))
        said = fit(words, WIDEST, SIZE)
        marks.append(Text(column, y + 12, _signed(value), "ink", SIZE, align="end"))
        marks.append(Text(column + 8, y + 12, said, "ink" if words[0] == "=" else "sub", SIZE))
        across = max(across, column + 8 + width(said, SIZE))
        y += LINE
    marks.append(Path((("M", (INSET + BAR + 4, y + 1)), ("L", (column, y + 1))), stroke="edge"))
    y += 3
    total = f"= {say.gradient(chain.node, chain.at)}"
    marks.append(Text(column, y + 12, _signed(chain.derivative), "ink", SIZE, True, align="end"))
    marks.append(Text(column + 8, y + 12, fit(total, WIDEST, SIZE, bold=True), "ink", SIZE, True))
    across = max(across, column + 8 + width(total, SIZE, True))
    y += LINE
    note = "the engine's own gradient; bars: blue is negative, red is positive"
    marks.append(Text(column + 8, y + 10, note, "sub", 9))
    marks.append(Close())
    return marks, y + LINE, max(across, column + 8 + width(note, 9)) + INSET


def _signed(value: float) -> str:
    return f"{value:+.7g}"


def _shifted(marks: tuple[Mark, ...], dx: float) -> list[Mark]:
    """The marks, moved to the right."""
    moved: list[Mark] = []
    for mark in marks:
        if isinstance(mark, (Text, Box)):
            moved.append(mark._replace(x=mark.x + dx))
        elif isinstance(mark, Path):
            moved.append(mark._replace(commands=tuple(
                [(op, tuple([v + (dx if i % 2 == 0 else 0.0) for i, v in enumerate(numbers)]))
                 for op, numbers in mark.commands])))
        else:
            moved.append(mark)
    return moved
