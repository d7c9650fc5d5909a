"""`diff`: what distinguishes two computations, as a picture.

    viz.diff((old, x), (new, x)).save("changes.svg")          structure: added, removed, changed
    before = loss.graph()                                     two steps of training: gradients then and now,
    ...                                                       and how far the weights moved
    viz.diff(before, loss)
"""

from __future__ import annotations

import os
from typing import Any

from autograd.graph import Graph

from .. import files
from ..compose import scene
from ..drawing import Drawing, graph_of
from ..paint import Box, Close, Open, Path, Sheet, Text, sign
from ..scene import Scene
from ..svg import svg
from ..text import width
from ..theme import THEMES, colours
from .colours import SIGNS, WORDS
from .fold import view_of
from .gradients import RATIOS
from .merge import Merged, merge
from .picture import marked

MEANING = "gradient RMS, now over then; moved by: size of the update over that of the weights"
SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".mmd", ".tex", ".txt")


def diff(before: Any, after: Any, *, depth: int | None = None, budget: int | None = 150, theme: str = "light",
         params: str | None = None, rankdir: str | None = None, engine: str = "built-in",
         gradients: bool | str = "auto") -> Comparison:
    """What was added, removed and changed between two computations; between two steps of one, how gradients changed.

    before, after: Tensors, lists of them, Graphs, or tuples (model or function, inputs...).
    depth, budget, theme, params, rankdir, engine: as for `draw`.  Modules in which nothing differs are closed.
    gradients: True shows each gradient's RMS then and now, a swatch with their ratio, and the size of the weights'
        update over that of the weights; False does not; "auto" where both are known.

    A Graph keeps what a step was like: take `loss.graph()` after `backward()`, before the optimizer steps.  Inner
    gradients are known of what was computed inside `autograd.record()`.  Values of inputs and parameters are no
    difference of structure.

    Raises TypeError for what has no graph, ValueError for an unknown option.
    """
    for name, value, known in (("theme", theme, (*THEMES, "auto")), ("params", params, ("row", "node", None)),
                               ("rankdir", rankdir, ("TB", "LR", None)), ("engine", engine, ("built-in", "dot")),
                               ("gradients", gradients, (True, False, "auto"))):
        if not any(value is k or (isinstance(k, str) and value == k) for k in known):
            words = " or ".join(repr(k) for k in known if k is not None)
            raise ValueError(f"diff: expected {name}={words}; got {value!r}")
    for name, count, least in (("depth", depth, 0), ("budget", budget, 1)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < least):
            raise ValueError(f"diff: expected {name} to be an int of at least {least}, or None; got {count!r}")
    graphs = [_graph(side) for side in (before, after)]
    merged = merge(*graphs)
    both = all(any(n.grad is not None for n in g.nodes) for g in graphs)
    shown = both if gradients == "auto" else bool(gradients)
    seen = view_of(merged, depth, budget, params)
    plain = scene(seen, rankdir or ("LR" if seen.scalar else "TB"), gradients="auto" if shown else False)
    made, kinds = marked(plain, seen, merged, shown)
    title = _title(merged, shown)
    words = f"{title}, {len(graphs[0].nodes)} → {len(graphs[1].nodes)} nodes."
    return Comparison(merged, seen, made._replace(title=title, description=words), theme, engine, kinds)


def _graph(side: Any) -> Graph:
    try:
        if isinstance(side, tuple) and not isinstance(side, Graph) and side and callable(side[0]):
            return graph_of(side[0], side[1:])
        return graph_of(list(side) if isinstance(side, tuple) and not isinstance(side, Graph) else side, ())
    except TypeError as error:
        if str(error).startswith("draw: "):
            said = str(error).removeprefix("draw: ").replace("draw(model, x)", "diff((model, x), ...)")
            raise TypeError(f"diff: {said}") from None
        raise


def _title(merged: Merged, gradients: bool) -> str:
    parts = [f"{merged.count(s)} {s}" for s in SIGNS if merged.count(s)]
    said = ", ".join(parts) if parts else "same structure"
    return f"Difference of two graphs: {said}" + ("; gradients then and now" if gradients else "")


class Comparison(Drawing):
    """The picture of a difference: a `Drawing`, with `merged` (both graphs as one) and `kinds` (what is marked).

    False where the structure of both is the same.
    """

    __slots__ = ("_full", "kinds", "merged")

    def __init__(self, merged: Merged, seen: Any, made: Scene, theme: str, engine: str, kinds: set[str]) -> None:
        super().__init__(merged.graph, seen, made, theme, engine)
        self.merged, self.kinds = merged, kinds
        self._full: Sheet | None = None

    def __bool__(self) -> bool:
        return bool(self.merged.status or self.merged.results)

    @property
    def added(self) -> int:
        return self.merged.count("added")

    @property
    def removed(self) -> int:
        return self.merged.count("removed")

    @property
    def changed(self) -> int:
        return self.merged.count("changed")

    @property
    def sheet(self) -> Sheet:
        """The painted page, with the legend of the marks."""
        if self._full is None:
            self._full = legend(super().sheet, self.kinds)
        return self._full

    @property
    def svg(self) -> str:
        """The picture as a standalone SVG document."""
        return svg(self.sheet, colours(self.theme), dark=self._dark())

    @property
    def html(self) -> str:
        raise AttributeError("diff: a difference has no page of its own; show it in a notebook, or save it as .svg")

    def animate(self, path: str | os.PathLike[str]) -> None:
        raise TypeError("diff: a difference of two graphs has no backward pass to play; animate one of them: "
                        "viz.draw(loss).animate('backward.svg')")

    def page(self, height: int = 640) -> Any:
        raise TypeError("diff: a difference has no page of its own; show it in a notebook, or save it as .svg")

    def widget(self) -> Any:
        raise TypeError("diff: a difference is not drawn again by itself; take viz.draw(loss).widget()")

    def save(self, path: str | os.PathLike[str], dpi: float = 144) -> None:
        """Writes the picture: .svg .dot .mmd .tex .txt always, .png and .pdf where Graphviz is at hand."""
        files.checked(path, SUFFIXES)
        super().save(path, dpi)


def legend(page: Sheet, kinds: set[str]) -> Sheet:
    """The page with the marks explained below."""
    chips = [(k, SIGNS.get(k, ""), WORDS[k]) for k in WORDS if k in kinds]
    wide = sum(width(word, 10) + 34 for _, _, word in chips)
    ramp = 9 * 42.0 + (52.0 if "alarm" in kinds else 0.0) if kinds & {"ratio", "alarm"} else 0.0
    if not chips and not ramp:
        return page
    total = max(page.width, wide + 28, ramp + 28)
    more = (28.0 if chips else 0.0) + (44.0 if ramp else 0.0) + 4
    dx = (total - page.width) / 2
    marks: list[Any] = [Box(0, 0, total, page.height + more, fill="page")]
    marks += [_moved(mark, dx) if dx else mark for mark in page.marks[1:]]
    marks.append(Open("legend", "", "", "legend of the difference"))
    y = page.height + 2
    x = (total - wide + 4) / 2
    for kind, glyph, word in chips:
        w = width(word, 10) + 30
        marks.append(Box(x, y, w, 20, 4, kind, f"{kind}-ink", 1.2, "dashed" if kind == "removed" else ""))
        marks += sign(f"'{glyph}", x + 8, y + 6, 8, f"{kind}-ink") if glyph else []
        marks.append(Text(x + (22 if glyph else 14), y + 13.6, word, f"{kind}-ink", 10))
        x += w + 4
    y += 28 if chips else 0
    if ramp:
        x = (total - ramp) / 2
        cells = [(f"ramp{k}", word, 42.0) for k, word in enumerate(RATIOS)]
        cells += [("alarm", "0 NaN ∞", 52.0)] if "alarm" in kinds else []
        for role, word, w in cells:
            marks.append(Box(x, y, w - 1, 16, 2, role, "hair" if role == "ramp4" else "", 0.8))
            marks.append(Text(x + w / 2 - 0.5, y + 11.3, word, role + "-ink", 9, align="middle"))
            x += w
        marks.append(Text(total / 2, y + 29, MEANING, "sub", 9, align="middle"))
    marks.append(Close())
    return Sheet(tuple(marks), total, page.height + more, page.title, page.description)


def _moved(mark: Any, dx: float) -> Any:
    if isinstance(mark, (Text, Box)):
        return mark._replace(x=mark.x + dx)
    if isinstance(mark, Path):
        return mark._replace(commands=tuple((op, tuple(v + (dx if i % 2 == 0 else 0.0) for i, v in enumerate(numbers)))
                                            for op, numbers in mark.commands))
    return mark
