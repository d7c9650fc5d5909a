"""What the numbers of a graph are called: `a`, `v3`, `fc1.weight[0, 1]`; in text and in LaTeX."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from autograd.graph import Graph, GraphNode
from autograd.graph.nodes import is_weak

from ..text import clean

_TEX = {"\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "^": r"\wedge ",
        "_": r"\_", "~": r"\sim ", "%": r"\%", "<": "<", ">": ">"}
_LETTERS = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
                   "phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega")
_GREEK = frozenset(_LETTERS.split())
_INDEXED = re.compile(r"([A-Za-z]|alpha|beta|gamma|delta|theta|lambda|mu|sigma|phi|omega)_?(\d+)")


def number(value: float) -> str:
    """A number as a teacher writes it: four decimals, or three significant digits with a power of ten."""
    value = float(value)
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == 0 or (value == int(value) and abs(value) < 1e6):
        return str(int(value))
    if 0.1 <= abs(value) < 1e6:
        return f"{value:.4f}".rstrip("0").rstrip(".")
    if 1e-3 <= abs(value) < 0.1:
        return f"{value:.4g}"
    digits, exponent = f"{value:.3e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"


def number_latex(value: float) -> str:
    """The same in LaTeX."""
    text = number(value)
    if text in ("nan", "inf", "-inf"):
        return {"nan": r"\mathrm{NaN}", "inf": r"\infty", "-inf": r"-\infty"}[text]
    digits, _, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{exponent}}}" if exponent else text


def escaped(text: str) -> str:
    """Text that is safe in \\mathrm{...}: what is not ASCII is left out."""
    return "".join(_TEX.get(c, c if 32 < ord(c) < 127 else r"\ " if c == " " else "?") for c in text)


class Names:
    """A name for every node, and for every element of it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        used: dict[str, int] = {}
        titles = {n.id: clean(n.name) for n in graph.nodes}
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
