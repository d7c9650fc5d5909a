"""What the numbers of a graph are called: `a`, `v3`, `fc1.weight[0, 1]`; in text and in LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.graph import Graph, GraphNode
from autograd.graph.nodes import is_weak

from ..text import clean

LEFT_TO_RIGHT = "\u200e"                       # is not seen
MORE_DIGITS = (0, 6, 8, 11, 14, 17)            # significant digits of a number in a formula; 0: few, as usual
PLAUSIBLE = 1e-3                               # how far what is computed from numbers as written may be off
_TEX = {"\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "^": r"\wedge ",
        "_": r"\_", "~": r"\sim ", "%": r"\%", "<": "<", ">": ">"}
_LETTERS = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
                   "phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega")
_GREEK = frozenset(_LETTERS.split())
_INDEXED = re.compile(r"([A-Za-z]|alpha|beta|gamma|delta|theta|lambda|mu|sigma|phi|omega)_?(\d+)")


def number(value: float, digits: int = 0) -> str:
    """A number as a teacher writes it: four decimals, or three significant digits with a power of ten.

    digits: so many significant ones, where these few would contradict what is computed from them.
    """
    value = float(value)
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == 0 or (value == int(value) and abs(value) < 1e6):
        return str(int(value))
    if digits:
        mantissa, _, power = f"{value:.{digits}g}".partition("e")
        return f"{mantissa}e{int(power)}" if power else mantissa
    if 0.1 <= abs(value) < 1e6:
        text = f"{value:.4f}".rstrip("0").rstrip(".")
        return text if "." in text else f"{value:.7g}"     # 0.99996 is not 1
    if 1e-3 <= abs(value) < 0.1:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def number_latex(value: float, digits: int = 0) -> str:
    """The same in LaTeX."""
    text = number(value, digits)
    if text in ("nan", "inf", "-inf"):
        return {"nan": r"\mathrm{NaN}", "inf": r"\infty", "-inf": r"-\infty"}[text]
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else text


def digits_for(total: float, of: Callable[[Callable[[float], float]], float]) -> int:
    """How many digits numbers need, for what is computed from them as written to be about the total; 0: the usual ones.

    of: computes the total from the numbers, each passed through the function it is given.
    """
    for digits in MORE_DIGITS:
        try:
            told = of(lambda v, d=digits: float(number(v, d)))         # type: ignore[misc]
        except (LookupError, ValueError, ArithmeticError, TypeError):
            return 0
        if not math.isfinite(total) or abs(told - total) <= PLAUSIBLE * abs(total):
            return digits
    return 0


def escaped(text: str) -> str:
    """Text that is safe in \\mathrm{...}: what is not ASCII is left out."""
    text = text.replace(LEFT_TO_RIGHT, "")
    return "".join(_TEX.get(c, c if 32 < ord(c) < 127 else r"\ " if c == " " else "?") for c in text)


def _closed(text: str) -> str:
    """A name after which a line goes on from left to right, whatever script the name is in."""
    from unicodedata import bidirectional
    return text + LEFT_TO_RIGHT if any(bidirectional(c) in ("R", "AL") for c in text if c > "\u0590") else text


class Names:
    """A name for every node, and for every element of it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        used: dict[str, int] = {}
        titles = {n.id: _closed(clean(n.name)) for n in graph.nodes}
        for text in titles.values():
            used[text] = used.get(text, 0) + 1
        self.known = {i: t for i, t in titles.items() if t and used[t] == 1}
        self.numbered: dict[int, str] = {}
        steps = leaves = 0
        for node in graph.nodes:
            if node.id in self.known:
                continue
            if node.kind == "op":
                steps += 1
                self.numbered[node.id] = f"v{steps}"
            else:
                leaves += 1
                self.numbered[node.id] = f"c{leaves}"
        taken = set(self.known.values())
        for i, text in self.numbered.items():
            if text in taken:
                self.numbered[i] = f"%{i}"
        end = graph.nodes[graph.outputs[0]]
        if end.id not in self.known and end.kind == "op" and not self._scalar(graph) and end.op not in taken:
            self.numbered[end.id] = end.op      # "cross_entropy" says more than "v12"

    @staticmethod
    def _scalar(graph: Graph) -> bool:
        return all(n.shape == () for n in graph.nodes)

    def of(self, node: int) -> str:
        """The name of a node."""
        return self.known.get(node) or self.numbered[node]

    def element(self, node: int, at: int) -> str:
        """The name of one element."""
        text, index = literal(self.graph.nodes[node]), self.index(node, at)
        return text or self.of(node) + (f"[{', '.join(map(str, index))}]" if index else "")

    def index(self, node: int, at: int) -> tuple[int, ...]:
        shape = self.graph.nodes[node].shape
        return tuple([int(k) for k in np.unravel_index(at, shape)]) if shape else ()

    def latex(self, node: int, at: int | None = None) -> str:
        """The name of a node, or of one element of it, in LaTeX."""
        text = literal(self.graph.nodes[node])
        if text:
            return number_latex(float(self.graph.nodes[node].data))
        name = self.of(node)
        found = _INDEXED.fullmatch(name)
        if found:
            stem = found[1] if len(found[1]) == 1 else f"\\{found[1]}"
            base = f"{stem}_{{{found[2]}}}"
        elif name in _GREEK:
            base = f"\\{name}"
        else:
            base = name if len(name) == 1 and name.isascii() and name.isalpha() else f"\\mathrm{{{escaped(name)}}}"
        index = self.index(node, at) if at is not None else ()
        return base + (f"[{','.join(map(str, index))}]" if index else "")


def literal(node: GraphNode) -> str:
    """The digits of a number that stands in the program; "" for anything else."""
    data: Any = node.data
    if node.kind == "constant" and not node.name and node.shape == () and data is not None and (
            is_weak(node) or isinstance(data, np.generic)):
        return number(float(data))
    return ""
