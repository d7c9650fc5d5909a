"""What an explanation says, in the order in which it is read: rows of formulas, in plain signs or in LaTeX.

A row is what stands left of the first equals sign, and what stands between the following ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .cone import EXACT
from .formulas import slope_formula, step_formula
from .names import digits_for, literal, number, number_latex
from .paths import SEVERAL, Factor, shortened

if TYPE_CHECKING:
    from .explaining import Chain, Explanation

MOST_ROUTES = 8
MOST_FACTORS = 40                              # of one way that are multiplied out in a line


class Row(NamedTuple):
    """left = steps[0] = steps[1] = ...   (note)"""

    left: str
    steps: tuple[str, ...]
    note: str = ""


class Section(NamedTuple):
    """A heading, and rows under it."""

    title: str
    rows: tuple[Row, ...]


def exact(value: float) -> str:
    """Seven digits: 0.001259327, 645.5773."""
    return f"{value:.7g}"


def full(value: float) -> str:
    """All digits."""
    return repr(float(value))


def counted(n: float) -> str:
    """"1 way", "1,532 ways"; of more than a float counts, about how many."""
    if n < EXACT:
        return f"{n:,} way{'s' * (n != 1)}"
    return f"about {n:.3g} ways" if math.isfinite(n) else "more than 1e308 ways"


def chained(*steps: str) -> tuple[str, ...]:
    """The steps without those that say again what the one before says."""
    said: list[str] = []
    for step in steps:
        if not said or said[-1] != step:
            said.append(step)
    return tuple(said)


def _added(pairs: list[tuple[float, float]], told: Callable[[float], float]) -> float:
    return math.fsum([told(a) * told(b) for a, b in pairs])


class Sections:
    """Writes the sections of an explanation."""

    def __init__(self, explanation: Explanation, latex: bool) -> None:
        self.of, self.tex = explanation, latex
        self.known, self.names, self.end = explanation.known, explanation.names, explanation.end
        self.dot = r" \cdot " if latex else " · "
        self.number = number_latex if latex else number

    # -- names -----------------------------------------------------------------------------------------

    def name(self, node: int, at: int = 0) -> str:
        """An element."""
        return self.names.latex(node, at) if self.tex else self.names.element(node, at)

    def slope(self, top: str, bottom: str) -> str:
        """∂top/∂bottom."""
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}" if self.tex else f"∂{top}/∂{bottom}"

    def gradient(self, node: int, at: int = 0) -> str:
        """The derivative of the result with respect to an element."""
        return self.slope(self.name(self.end), self.name(node, at))

    def _held(self, value: float, digits: int = 0) -> str:
        text = self.number(value, digits)
        return text if value >= 0 or math.isnan(value) else f"({text})"

    # -- a graph of scalars ----------------------------------------------------------------------------

    def derivation(self) -> list[Section]:
        """Every value, every local derivative, every gradient."""
        derived = self.of.derivation
        if derived is None:
            return []
        nodes = self.known.graph.nodes
        values, slopes, back = [], [], []
        for i in derived.steps:
            node = nodes[i]
            value = self.number(self.known.element(i, 0))
            if node.kind == "op":
                values.append(Row(self.name(i), chained(*step_formula(self.known, self.names, node).steps(self.tex),
                                                        value)))
            elif not literal(node):
                values.append(Row(self.name(i), (value,)))
        for s in derived.slopes:
            if s.node in derived.gradient:
                twice = [t.place for t in derived.slopes if t.node == s.node and t.source == s.source]
                which = "" if len(twice) == 1 else f"as operand {twice.index(s.place) + 1}"
                slopes.append(self.factor(Factor(s.source, 0, s.node, 0, s.argument, s.value), which))
        for i in reversed(derived.steps):
            ways = [s for s in derived.slopes if s.source == i and s.node in derived.gradient]
            if i == self.end:
                back.append(Row(self.gradient(i), ("1",)))
            elif ways:
                g = derived.gradient
                names = [self.gradient(s.node) + self.dot + self.slope(self.name(s.node), self.name(i)) for s in ways]
                pairs = [(g[s.node], s.value) for s in ways]
                digits = digits_for(g[i], partial(_added, pairs))
                filled = [self._held(a, digits) + self.dot + self._held(b, digits) for a, b in pairs]
                back.append(Row(self.gradient(i), chained(" + ".join(names), " + ".join(filled), self.number(g[i]))))
        return [Section("Forward: every value", tuple(values)),
                Section("The derivative of every step", tuple(slopes)),
                Section("Backward: the chain rule, from the result to the leaves", tuple(back))]

    # -- ways ------------------------------------------------------------------------------------------

    def factor(self, f: Factor, note: str = "") -> Row:
        """One local derivative: ∂tanh/∂u = 1 - tanh² = 1 - 0.7071² = 0.5."""
        left = self.slope(self.name(f.target, f.to), self.name(f.source, f.at))
        if f.place < 0:
            return Row(left, (self.number(f.slope),), "the factors between, multiplied" if f.place == SEVERAL else
                       "all ways from here on, by the engine")
        node = self.known.graph.nodes[f.target]
        formula = slope_formula(self.known, self.names, node, f.place, f.at, f.to, f.slope)
        steps = formula.steps(self.tex) if formula else []
        return Row(left, chained(*steps, self.number(f.slope)), note or self._op(f))

    def _op(self, f: Factor) -> str:
        node = self.known.graph.nodes[f.target]
        return "" if self.of.derivation else node.op + (f" in {node.module}" if node.module else "")

    def way(self, factors: tuple[Factor, ...]) -> str:
        """The elements on a way: a → v1 → g."""
        if not factors:
            return self.name(self.end)
        arrow, dots = (r" \to ", r"\cdots \to ") if self.tex else (" → ", "… → ")
        words = [self.name(factors[0].source, factors[0].at)]
        for f in shortened(factors):
            words.append((dots if f.place == SEVERAL else "") + self.name(f.target, f.to))
        return arrow.join(words)

    def product(self, factors: tuple[Factor, ...]) -> str:
        """The factors but for those that are 1, multiplied: 1.61 · 0.71 · (-0.23)."""
        slopes = [f.slope for f in factors if f.slope != 1] or [1.0]
        shown = [self._held(v) for v in slopes[:MOST_FACTORS]]
        if len(slopes) > MOST_FACTORS:
            shown.append(r"\cdots" if self.tex else f"… {len(slopes) - MOST_FACTORS} more")
        return self.dot.join(shown)

    def ways_title(self, chain: Chain, most: int = 0) -> str:
        """"12 of 91,200 ways from a to g, the largest first"."""
        n, shown = chain.ways, most or len(chain.terms)
        a, b = self.names.element(chain.node, chain.at), self.names.element(self.end, 0)
        grouped = " up to where they are grouped" if chain.cone.grouped_from >= 0 else ""
        if not n:
            return f"No way leads from {a} to {b}"
        if n == 1:
            return f"The one way from {a} to {b}{grouped}"
        if shown == n:
            return f"All {n:,} ways from {a} to {b}{grouped}, the largest first"
        if shown == 1:
            return f"The largest of {n:,} ways from {a} to {b}{grouped}"
        return f"The {shown} largest of {n:,} ways from {a} to {b}{grouped}"

    def routes(self, chain: Chain) -> list[Section]:
        """The ways grouped by the steps, and modules, they go through; where all take the same, by an element."""
        if self.of.derivation:                 # of single numbers, a group is one way
            return []
        if chain.routes is None:
            return [Section("The ways go through more than 64 chains of steps: too many groups to list", ())]
        if not chain.others:
            return []
        if len(chain.routes) < 2:
            return self._elements(chain)
        rows = []
        for route in chain.routes[:MOST_ROUTES]:
            rows.append(Row(self._route(route.nodes), (exact(route.value),), counted(route.ways)))
        if len(chain.routes) > MOST_ROUTES:
            others = chain.routes[MOST_ROUTES:]
            rows.append(Row(f"{len(others)} further groups", (exact(math.fsum([r.value for r in others])),),
                            counted(sum([r.ways for r in others]))))
        return [Section("The same ways, grouped by what they go through", tuple(rows))]

    def _elements(self, chain: Chain) -> list[Section]:
        """Of ways that all go through the same steps: grouped by the first place where they part, often the example."""
        for node in chain.routes[0].nodes[1:-1] if chain.routes else ():
            found = chain.cone.through(node)
            if len(found) > 1:
                rows = [Row(self.name(node, at), (exact(value),), counted(ways)) for at, value, ways in
                        found[:MOST_ROUTES]]
                others = found[MOST_ROUTES:]
                if others:
                    rows.append(Row(f"{len(others):,} further", (exact(math.fsum([f[1] for f in others])),),
                                    counted(sum([f[2] for f in others]))))
                return [Section(f"The same ways, grouped by the element of {self.names.of(node)} they go through",
                                tuple(rows))]
        return []

    def _route(self, nodes: tuple[int, ...]) -> str:
        """Modules in their order; a step outside of any by its op."""
        graph = self.known.graph
        words: list[str] = []
        paths = {graph.nodes[i].module for i in nodes[1:]}
        several = len(paths - {""}) > 1
        for i in nodes[1:]:
            node = graph.nodes[i]
            word = node.module if several and node.module else node.op
            if not words or words[-1] != word:
                words.append(word)
        return " → ".join(words)

    def check(self, chain: Chain) -> str:
        """Whether the terms add up, in words."""
        if not (math.isfinite(chain.absolute) and math.isfinite(chain.derivative)):
            return (f"The terms are not all finite; the engine's own gradient is {full(chain.derivative)}."
                    + ("" if self.of.precise else " (Computed in float64.)"))
        shown = math.fsum([*[t.value for t in chain.terms], chain.rest])
        gap = abs(shown - chain.derivative)
        return (f"The terms add up to {full(shown)}; the engine's own gradient is {full(chain.derivative)}. "
                f"They differ by {gap:.1g}; the absolute terms add up to {exact(chain.absolute)}."
                + ("" if self.of.precise else " Computed in float64 at the values of the record."))

    def notes(self, chain: Chain) -> list[str]:
        """What the reader should know of how it was made."""
        if chain.cone.grouped_from < 0:
            return []
        node = self.known.graph.nodes[chain.cone.grouped_from]
        at = f" at {node.line}" if node.line else ""
        return [f"Grouped from {node.op}{at} on: opening every step would take too long, so that all ways from an "
                "element to the result are one factor there, computed by the engine; they are not counted one by one."]
