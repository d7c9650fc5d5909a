"""An explanation as text for a terminal, aligned; and text in ASCII."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from .paths import Factor, shortened
from .sections import Row, Section, Sections, exact

if TYPE_CHECKING:
    from .explaining import Chain, Explanation

WIDE = 110                                     # sentences are broken here
WIDEST = 34                                    # the column of the first equals sign, at most
_ASCII = {"∂": "d", "·": "*", "→": "->", "…": "...", "²": "^2", "³": "^3", "⁴": "^4", "⁰": "^0", "¹": "^1", "Σ": "sum",
          "√": "sqrt", "π": "pi", "≥": ">=", "≤": "<=", "×": "x", "−": "-", "∞": "inf"}


def text(of: Explanation, plain: bool = False) -> str:
    """Heading, derivation of a graph of scalars, then for each element its ways and their sum; `plain`: in ASCII."""
    say = Plain(of) if plain else Sections(of, False)
    lines = [", ".join([f"{say.gradient(c.node, c.at)} = {exact(c.derivative)}" for c in of.chains])]
    numbered = 0
    for section in say.derivation():
        numbered += 1
        lines += ["", f"{numbered}. {section.title}", *rows(section)]
    for chain in of.chains:
        numbered += 1
        head = f"{numbered}. " if of.derivation else ""
        lines += ["", head + say.ways_title(chain), *_ways(of, say, chain)]
        for section in say.routes(chain):
            lines += ["", f"   {section.title}", *rows(section)]
        for said in (say.check(chain), *say.notes(chain)):
            lines += ["", *textwrap.wrap(said, WIDE, initial_indent="   ", subsequent_indent="   ")]
    said = "\n".join([line.rstrip() for line in lines])
    return ascii_only(said) if plain else said


class Plain(Sections):
    """Sections in ASCII, so that their columns stay aligned."""

    def __init__(self, of: Explanation) -> None:
        super().__init__(of, False)

    def factor(self, f: Factor, note: str = "") -> Row:
        return _plain(super().factor(f, note))

    def derivation(self) -> list[Section]:
        return [Section(ascii_only(s.title), tuple([_plain(r) for r in s.rows])) for s in super().derivation()]


def _plain(row: Row) -> Row:
    return Row(ascii_only(row.left), tuple(map(ascii_only, row.steps)), ascii_only(row.note))


def rows(section: Section) -> list[str]:
    """left = first = second   note; the first equals signs in one column."""
    lefts = [len(r.left) for r in section.rows]
    width = max([n for n in lefts if n <= WIDEST], default=0)
    bodies = ["".join([f" = {s}" for s in r.steps]) for r in section.rows]
    wide = max([max(width, n) + len(b) for n, b in zip(lefts, bodies, strict=True) if len(b) <= 60], default=0)
    lines = []
    for r, body in zip(section.rows, bodies, strict=True):
        line = f"{r.left:<{width}}{body}"
        lines.append("   " + (f"{line:<{wide}}   {r.note}" if r.note else line))
    return lines


def _ways(of: Explanation, say: Sections, chain: Chain) -> list[str]:
    if not chain.ways:
        return [f"   {say.gradient(chain.node, chain.at)} = 0"]
    rest = chain.others
    values = [f"{t.value:+.7g}" for t in chain.terms] + ([f"{chain.rest:+.7g}"] if rest else [])
    total = f"{chain.derivative:+.7g}"
    width = max(map(len, [*values, total]))
    lines = []
    for value, term in zip(values, chain.terms, strict=False):
        if of.derivation:
            lines.append(f"   {value:>{width}} = {say.product(term.factors)}")
            lines.append(f"   {'':{width}}   {say.way(term.factors)}")
        else:
            lines.append(f"   {value:>{width}} = {say.product(term.factors)}")
            table = Section("", tuple([say.factor(f) for f in shortened(term.factors)]))
            lines += [" " * (width + 3) + line for line in rows(table)]
    if rest:
        plural = "s" if rest > 1 else ""
        lines.append(f"   {values[-1]:>{width}} … {rest:,} further way{plural}")
    lines.append(f"   {'-' * width}")
    lines.append(f"   {total:>{width}} = {say.gradient(chain.node, chain.at)}")
    return lines


def ascii_only(said: str) -> str:
    """Text with plain signs for the others."""
    made = "".join([_ASCII.get(c, c) for c in said])
    return "".join([c if ord(c) < 128 else "?" for c in made])

