"""An explanation as LaTeX: align* environments of amsmath, one for each section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import escaped, number_latex
from .paths import shortened
from .sections import Row, Sections

if TYPE_CHECKING:
    from .explaining import Chain, Explanation

MOST_OPEN = 3                                  # ways whose factors are written out, of a graph of tensors


def latex(of: Explanation) -> str:
    """The sections, each as a line of text and an align* environment."""
    say = Sections(of, True)
    parts = []
    for section in say.derivation():
        parts.append(rf"\noindent {_words(section.title)}" + "\n" + _align([_row(r) for r in section.rows]))
    for chain in of.chains:
        parts.append(rf"\noindent {_words(say.ways_title(chain))}" + "\n" + _align(_ways(of, say, chain)))
        parts += [rf"\noindent {_words(said)}" for said in (say.check(chain), *say.notes(chain))]
    return "\n\n".join(parts)


def _words(text: str) -> str:
    """A sentence, safe in LaTeX."""
    signs = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
    return "".join([signs.get(c) or ("\\" + c if c in "{}$&#_%" else c if 31 < ord(c) < 127 else "?") for c in text])


def _align(lines: list[str]) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def _row(row: Row) -> str:
    note = rf" && \mathrm{{{escaped(row.note)}}}" if row.note else ""
    return f"{row.left} &= {' = '.join(row.steps)}{note}"


def _ways(of: Explanation, say: Sections, chain: Chain) -> list[str]:
    whole = say.gradient(chain.node, chain.at)
    if not chain.ways:
        return [f"{whole} &= 0"]
    lines = [rf"{whole} &= \sum_{{\mathrm{{ways}}}} \ \prod_{{u \to v}} \frac{{\partial v}}{{\partial u}}"]
    for k, term in enumerate(chain.terms):
        sign = r"&\phantom{{}={}} " if k else "&= "
        lines.append(f"{sign}{say.product(term.factors)} && {say.way(term.factors)}")
        if k + 1 < len(chain.terms) or chain.others:
            head, tail, note = lines[-1].partition(" &&")
            lines[-1] = head + r" \; +" + tail + note
    if chain.others:
        lines.append(rf"&\phantom{{{{}}={{}}}} \left({number_latex(chain.rest)}\right) && "
                     rf"\mathrm{{{chain.others}\ further\ ways}}")
    lines.append(f"&= {number_latex(chain.derivative)}")
    if of.derivation is None:
        for term in chain.terms[:MOST_OPEN]:
            lines += [_row(say.factor(f)) for f in shortened(term.factors)]
    return lines
