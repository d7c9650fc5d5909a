"""`explain`: the gradient of one number with respect to another, as the sum over all ways between them.

    viz.explain(loss, w[0, 1])                     in a notebook, or print(...)
    viz.explain(loss, w, (0, 1)).save("why.svg")
    viz.explain(autograd.trace(f)(x), "fc1.weight[0, 1]").latex
"""

from __future__ import annotations

import math
import os
import sys
from typing import Any, NamedTuple

import numpy as np

from .. import files
from ..painting import painted
from ..shapes import Sheet
from ..svg import escape, svg
from ..theme import AUTO, THEMES, colours
from .cone import Cone
from .handles import asked
from .latex import latex
from .names import Names
from .paths import Route, Term, Ways
from .picture import picture
from .scalar import Derivation, derivation
from .text import text
from .values import Numbers, gradients, numbers

SUFFIXES = (".svg", ".txt", ".tex", ".html", ".png", ".pdf")
MOST_SCALARS = 400                             # steps of a graph of scalars that are all written out
ROUNDING = 1e-12                               # of the sum of the absolute terms, or of 1: more is a wrong derivative


class Chain(NamedTuple):
    """One derivative, and the ways it is the sum over."""

    node: int                                  # with respect to element `at` of this node
    at: int
    derivative: float                          # the engine's own gradient
    total: float                               # the sum over all ways
    absolute: float                            # the sum of the absolute terms
    ways: int                                  # how many there are
    terms: tuple[Term, ...]                    # those that are shown, the largest first
    rest: float                                # the sum of the others
    routes: tuple[Route, ...] | None           # grouped by the steps they go through; None: too many
    cone: Cone

    @property
    def others(self) -> int:
        """How many ways are not shown."""
        return self.ways - len(self.terms)


class Explanation:
    """The chain rule with its numbers.  Prints; shows itself in Jupyter; `.latex`, `.svg`, `.save(path)`.

    Attributes: `gradient` (the engine's, a float), `chains` (one for each element asked for), `terms`, `rest` and
    `count` (of the first), `graph` (what was explained), `text`, `ascii`, `latex`, `svg`.
    """

    __slots__ = ("_sheet", "chains", "derivation", "end", "graph", "known", "names", "precise", "theme")

    def __init__(self, known: Numbers, names: Names, end: int, chains: tuple[Chain, ...],
                 derived: Derivation | None, precise: bool, theme: str) -> None:
        self.known, self.names, self.end, self.chains, self.derivation = known, names, end, chains, derived
        self.graph, self.precise, self.theme = known.graph, precise, theme
        self._sheet: Sheet | None = None

    @property
    def gradient(self) -> float:
        """The engine's own gradient."""
        return self.chains[0].derivative

    @property
    def terms(self) -> tuple[Term, ...]:
        """The products that are shown, the largest first."""
        return self.chains[0].terms

    @property
    def rest(self) -> float:
        """The sum of all products that are not shown: terms and rest add up to the gradient."""
        return self.chains[0].rest

    @property
    def count(self) -> int:
        """How many ways there are."""
        return self.chains[0].ways

    @property
    def text(self) -> str:
        """The explanation in words and numbers."""
        return text(self)

    @property
    def ascii(self) -> str:
        """The same in ASCII, for terminals that have nothing else."""
        return text(self, plain=True)

    @property
    def latex(self) -> str:
        """The explanation for LaTeX with amsmath, as align* environments."""
        return latex(self)

    @property
    def sheet(self) -> Sheet:
        """The painted picture: the largest ways, their factors on the edges, products and sum below."""
        if self._sheet is None:
            self._sheet = picture(self)
        return self._sheet

    @property
    def svg(self) -> str:
        """The picture as a standalone SVG document."""
        return svg(self.sheet, colours(self.theme), dark=self._dark())

    def _dark(self) -> dict[str, str] | None:
        return THEMES[AUTO[1]] if self.theme == "auto" else None

    def save(self, path: str | os.PathLike[str], dpi: float = 144) -> None:
        """Writes the explanation: .svg (the picture), .txt, .tex (a document), .html (picture and text); .png and .pdf
        (the picture) where Graphviz is at hand.

        The file is written whole or not at all.  dpi: of a PNG.  Raises ValueError for another suffix, an OSError for
        a place that cannot be written, BackendError as `Drawing.save`.
        """
        real, suffix = files.checked(path, SUFFIXES)
        if suffix in (".png", ".pdf"):
            files.write(real, painted(self.sheet, colours(self.theme), suffix[1:], dpi))
            return
        if suffix == ".tex":
            made = ("\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n"
                    "\\usepackage[a3paper,landscape,margin=1cm]{geometry}\n\\allowdisplaybreaks\n"
                    f"\\begin{{document}}\n{self.latex}\n\\end{{document}}\n")
        elif suffix == ".html":
            paint = colours(self.theme)
            made = ('<!doctype html>\n<html lang="en"><meta charset="utf-8">'
                    f'<title>{escape(self.sheet.title)}</title>\n<style>body{{background:{paint["page"]};'
                    f'color:{paint["ink"]};margin:2em}}</style>\n<body>{self._html()}</body></html>\n')
        else:
            made = self.svg if suffix == ".svg" else self.text + "\n"
        files.write(real, made.encode())

    def _html(self) -> str:
        drawn = svg(self.sheet, colours(self.theme), inline=True, dark=self._dark())
        columns = "overflow:auto;line-height:1.35;font-family:ui-monospace,Menlo,Consolas,monospace"
        return (f'<div style="max-width:100%;overflow:auto">{drawn}</div><pre style="{columns}">'
                f"{escape(self.text)}</pre>")

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        try:
            self.text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return self.ascii
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._html(), "image/svg+xml": self.svg, "text/latex": self.latex,
                "text/plain": repr(self)}


def explain(of: Any, wrt: Any = None, index: Any = None, *, most: int = 12, theme: str = "light") -> Explanation:
    """The gradient of a scalar with respect to one element, as a sum of products of local derivatives:

        d of / d wrt[index]  =  Σ over all ways  Π over its steps  d step / d operand

    of: a Tensor with one element, or a Graph of one.
    wrt: what to differentiate with respect to: an element of a Tensor, `w[0, 1]`, or a Tensor with `index`; of a
        Graph the name or id of a node, "fc1.weight[0, 1]".  None: all scalar leaves that require a gradient.
    most: how many products are shown; the others are one term, so that all add up to the gradient.
    theme: of the picture, as in `draw`: "light", "dark", "print", "contrast" or "auto".

    Computed in float64 at the values of the record.  The sum over all ways is compared with the engine's own gradient
    and agrees to rounding: to 1e-12 of the sum of the absolute terms, or of 1 where more cancels inside a step.  Where
    there are too many steps to open one by one, all ways from an element to the result are one factor, and the text
    says so.

    Raises TypeError and ValueError for what cannot be explained, IndexError for an index outside, LookupError for a
    name that no node has, ArithmeticError where the sum is not the engine's gradient.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"explain: expected most to be an int of at least 1; got {most!r}")
    if theme not in (*THEMES, "auto"):
        raise ValueError(f"explain: expected theme={' or '.join(map(repr, (*THEMES, 'auto')))}; got {theme!r}")
    caller = sys._getframe(1)
    question = asked(of, wrt, index, {**caller.f_globals, **caller.f_locals})
    end = question.graph.outputs[0]
    precise = all(n.dtype != "float32" and n.dtype != "float16" for n in question.graph.nodes)
    known = numbers(question.graph, "explain")
    scalar = all(np.ndim(v) == 0 for v in known.values) and len(known.values) <= MOST_SCALARS
    derived = derivation(known, end, [node for node, _ in question.elements]) if scalar else None
    chains = tuple([_chain(known, node, at, end, most, scalar) for node, at in question.elements])
    return Explanation(known, Names(known.graph), end, chains, derived, precise, theme)


def _chain(known: Numbers, node: int, at: int, end: int, most: int, scalar: bool) -> Chain:
    given = gradients(known.graph.nodes, known.values, end, [node]).get(node)
    derivative = 0.0 if given is None else float(given.reshape(-1)[at])
    cone = Cone(known, node, at, end, zeros=scalar)
    total, absolute, count = cone.derivative, cone.absolute, cone.count
    ways = Ways(cone)
    terms = tuple(ways.best(most)) if count else ()
    if scalar and not math.isfinite(total) and math.isfinite(derivative):
        return _chain(known, node, at, end, most, False)       # 0 · ∞: what does not flow is no term
    rest = 0.0 if len(terms) == count else math.fsum([total, *[-t.value for t in terms]])
    shown = math.fsum([*[t.value for t in terms], rest]) if math.isfinite(absolute) else total
    finite = math.isfinite(absolute) and math.isfinite(derivative)
    if finite and abs(shown - derivative) > ROUNDING * max(1.0, absolute):
        raise ArithmeticError(
            f"explain: expected the sum over {count:,} ways to be the engine's gradient {derivative!r}; got "
            f"{shown!r}: a local derivative is not what the engine used; please report this graph")
    return Chain(node, at, derivative, total, absolute, count, terms, rest,
                 tuple(found) if (found := ways.routes()) is not None else None, cone)
