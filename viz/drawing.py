"""`draw`: a picture of a tensor's history, of a module, of a function.

    viz.draw(loss)                                 in a notebook
    viz.draw(model, x).save("model.svg")
    viz.draw(loss, direction="backward", theme="dark").save("backward.png")
    viz.draw(loss, direction="both").save("both.html")
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd.graph import Graph, graph, trace

from . import backend, files
from .beside import Beside, beside
from .beside import placed as placed_beside
from .compose import scene
from .dot import answer, request, source
from .embed import element
from .layout import layout
from .marks import first_bad
from .mermaid import mermaid
from .outline import outline
from .paint import sheet
from .painting import painted
from .reverse import backward
from .scene import Placed, Scene
from .second import second_order
from .shapes import Sheet
from .svg import svg
from .theme import AUTO, THEMES, colours
from .tikz import tikz
from .view import View, view

if TYPE_CHECKING:
    import graphviz

MOST_FOR_GRAPHVIZ = 800                        # cards; its layout takes far more than linear time
NO_OPTIONS: Mapping[str, Any] = {}
OPTIONS: dict[str, tuple[Any, ...]] = {
    "direction": ("forward", "backward", "both", "second"), "theme": (*THEMES, "auto"),
    "params": ("row", "node", None), "rankdir": ("TB", "LR", None), "engine": ("built-in", "dot"),
    "values": (True, False, "auto"), "gradients": (True, False, "auto"),
}


def draw(target: Any, *inputs: Any, direction: str = "forward", depth: int | None = None, budget: int | None = 150,
         theme: str = "light", params: str | None = None, rankdir: str | None = None, engine: str = "built-in",
         values: bool | str = "auto", gradients: bool | str = "auto") -> Drawing:
    """The picture of a computation.

    target: a Tensor (or several in a list): what it was computed from; a Module or function with example
        inputs: what it does with them; or a Graph.
    direction: "forward", from the inputs to the result; "backward", from the result to the gradients: what flows, what
        is added up, what is freed; "both", side by side; "second", the derivative of the gradient of a scalar.
    depth: how many levels of modules are open; None opens as many as fit into the budget.
    budget: about how many cards are shown; None shows every operation, nothing folded.
    theme: "light", "dark", "print" (black on white, for paper), "contrast" (text at 7 to 1), or "auto": light or dark,
        as the reader's system says.
    params: "row" shows parameters as rows in the cards of the ops that use them, "node" as nodes of their own;
        None is "node" for a small graph of scalars.
    rankdir: "TB" from top to bottom, "LR" from left to right; None is "LR" for a small graph of scalars.
    engine: "built-in" lays out the same everywhere; "dot" asks Graphviz, where there is one.
    values: True shows mean ± standard deviation of all values that are known, False not even those of scalars.
    gradients: True shows a gradient, or the word for what is missing, on every card; False none.

    Tensors without a name are called as the variables of the caller that hold them.
    Raises TypeError for what has no graph, ValueError for an unknown option.
    """
    for name, value in (("direction", direction), ("theme", theme), ("params", params), ("rankdir", rankdir),
                        ("engine", engine), ("values", values), ("gradients", gradients)):
        if not any(value is known or (isinstance(known, str) and value == known) for known in OPTIONS[name]):
            known = " or ".join(repr(v) for v in OPTIONS[name] if v is not None)
            raise ValueError(f"draw: expected {name}={known}; got {value!r}")
    for name, count, least in (("depth", depth, 0), ("budget", budget, 1)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < least):
            raise ValueError(f"draw: expected {name} to be an int of at least {least}, or None; got {count!r}")
    options = {"direction": direction, "depth": depth, "budget": budget, "theme": theme, "params": params,
               "rankdir": rankdir, "engine": engine, "values": values, "gradients": gradients}
    record = graph_of(target, inputs)
    if direction == "second":
        record = second_order(record)
    seen = view(record, depth=depth, budget=budget, params=params)
    rankdir = rankdir or ("LR" if seen.scalar else "TB")
    if direction == "both":
        panels = beside(seen, rankdir, values, gradients)
        return Drawing(record, seen, panels.scene, theme, engine, panels, options)
    seen = backward(seen) if direction == "backward" else seen._replace(direction=direction)
    made = scene(seen, rankdir, values=values, gradients=gradients)
    return Drawing(record, seen, made, theme, engine, options=options)


def graph_of(target: Any, inputs: tuple[Any, ...]) -> Graph:
    """The record of a Tensor, of several, of a call; a Graph as it is."""
    if callable(target) and not isinstance(target, Graph):
        if not inputs and hasattr(target, "forward"):
            name = type(target).__name__
            raise TypeError(f"draw: expected example inputs to call the {name} with; got none; "
                            "give what you would call it with: draw(model, x)")
        return trace(target, *inputs)
    if not isinstance(target, Graph):
        several = list(target) if isinstance(target, (list, tuple)) else [target]
        if not several or not all(hasattr(t, "requires_grad") for t in several):
            kinds = ", ".join(sorted({type(t).__name__ for t in several})) or "an empty list"
            raise TypeError("draw: expected a Tensor, a Module or function with example inputs, or a Graph; got "
                            f"{kinds}; make it a Tensor(..., requires_grad=True) and draw what is computed with that")
        if not inputs:
            return graph(*several)
    if inputs:
        raise TypeError(f"draw: expected example inputs only after a Module or function; got {len(inputs)} after a "
                        f"{type(target).__name__}; leave them out")
    return target


class Drawing:
    """A picture: shows itself in Jupyter, saves itself, and says itself in words.

    Attributes: `svg` (text of the SVG), `source` (DOT text), `digraph` (a graphviz.Digraph), `text`
    (indented outline), `mermaid` and `tex`, `graph` (the Graph drawn), `view`, `scene`, `notes` (what the reader should
    know: the first NaN, who laid it out), `first_bad` (its node), `options` (of `draw`), `width`, `height` (points).
    """

    __slots__ = ("_panels", "_placed", "_said", "_sheet", "engine", "graph", "options", "scene", "theme", "view")

    def __init__(self, graph: Graph, view: View, scene: Scene, theme: str, engine: str, panels: Beside | None = None,
                 options: Mapping[str, Any] = NO_OPTIONS) -> None:
        self.options = dict(options)
        self.graph, self.view, self.scene, self.theme, self.engine = graph, view, scene, theme, engine
        self._panels = panels                  # of a picture of both directions
        self._said: tuple[str, ...] = ()       # of how it was laid out
        self._placed: Placed | None = None
        self._sheet: Sheet | None = None

    @property
    def placed(self) -> Placed:
        """Positions of everything; laid out when first asked for."""
        if self._placed is None:
            self._placed = self._arranged()
        return self._placed

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know: the first NaN or infinity, and how it was laid out, where not as asked."""
        return (*(bad.note for bad in first_bad(self.graph)), *self._said)

    @property
    def first_bad(self) -> int | None:
        """The id of the first node whose value is NaN, or infinite and not meant to be; else of the first such
        gradient of the backward pass; None where all is well, or nothing was recorded."""
        found = first_bad(self.graph)
        return found[0].node if found else None

    def _arranged(self) -> Placed:
        if self._panels is not None:
            return placed_beside(self._panels)
        if self.engine == "dot":
            cards = len(self.scene.cards)
            if cards > MOST_FOR_GRAPHVIZ:
                self._said = (f"{cards} cards: laid out by the built-in engine; Graphviz is asked for up to "
                              f"{MOST_FOR_GRAPHVIZ}",)
            else:
                try:
                    return answer(self.scene, backend.graphviz(request(self.scene), "dot", "json0"))
                except backend.TimeLimit:
                    self._said = (f"Graphviz took over {backend.TIME_LIMIT:g} s: laid out by the built-in engine",)
                except (backend.BackendError, ValueError, KeyError):
                    self._said = ("Graphviz is not at hand: laid out by the built-in engine",)
        return layout(self.scene)

    @property
    def sheet(self) -> Sheet:
        """The painted page."""
        if self._sheet is None:
            placed = self.placed               # first: it may leave a note
            self._sheet = sheet(self.scene, placed, self._said)
        return self._sheet

    @property
    def svg(self) -> str:
        """The picture as a standalone SVG document, with the graph inside: `viz.load` gives that back."""
        return svg(self.sheet, colours(self.theme), dark=self._dark(), inside=element(self.graph))

    def _dark(self) -> dict[str, str] | None:
        return THEMES[AUTO[1]] if self.theme == "auto" else None

    @property
    def source(self) -> str:
        """The picture as DOT text, for any Graphviz."""
        return source(self.scene, colours(self.theme))

    @property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart."""
        return mermaid(self.scene, colours(self.theme))

    @property
    def tex(self) -> str:
        """The picture as a LaTeX document with one TikZ picture."""
        return tikz(self.sheet, colours(self.theme))

    @property
    def html(self) -> str:
        """The picture as one page of HTML that works offline: fold, search, step through the backward pass."""
        from .offline import page
        return page(self)

    @property
    def digraph(self) -> graphviz.Digraph:
        """The picture as a `graphviz.Digraph`, to be changed and rendered with that package."""
        import graphviz
        head, *body, _ = self.source.splitlines(keepends=True)
        return graphviz.Digraph(head.split()[1], body=body)

    @property
    def text(self) -> str:
        """The picture in words, as an indented outline."""
        return outline(self.scene)

    @property
    def width(self) -> float:
        return self.sheet.width

    @property
    def height(self) -> float:
        return self.sheet.height

    def save(self, path: str | os.PathLike[str], dpi: float = 144) -> None:
        """Writes the picture: .svg .html .dot .mmd .tex .json .txt always, .png and .pdf where Graphviz is at hand.

        .svg and .json give the graph back through `viz.load`; .html is one page that needs no network; .mmd is Mermaid,
        .tex a LaTeX document that needs tikz alone, .txt the outline.

        The file is written whole or not at all.  dpi: of a PNG; lowered, with a warning, over 30 megapixels.
        Raises ValueError for another suffix, an OSError for a place that cannot be written, BackendError where
        Graphviz is missing, fails, or takes longer than `viz.backend.TIME_LIMIT`: all before anything is written.
        """
        real, suffix = files.checked(path)
        if suffix in (".png", ".pdf"):
            data = painted(self.sheet, colours(self.theme), suffix[1:], dpi)
        else:
            data = {".svg": lambda: self.svg, ".dot": lambda: self.source, ".json": self.graph.to_json,
                    ".txt": lambda: self.text + "\n", ".html": lambda: self.html, ".mmd": lambda: self.mermaid,
                    ".tex": lambda: self.tex}[suffix]().encode()
        files.write(real, data)

    def animate(self, path: str | os.PathLike[str]) -> None:
        """Writes an .svg that steps through the backward pass by itself, for slides and README files; no script.

        Readers without animation, and those who asked for less motion, see the still picture.  Errors as of `save`.
        """
        real, _ = files.checked(path, (".svg",))
        from .offline import animated
        files.write(real, animated(self).encode())

    def page(self, height: int = 640) -> Shown:
        """The page that `.save("x.html")` writes, in a frame: as the last line of a notebook's cell it can be folded,
        searched and played there.  height: of the frame, in pixels."""
        if isinstance(height, bool) or not isinstance(height, int) or height < 100:
            raise ValueError(f"page: expected height to be an int of at least 100, pixels; got {height!r}")
        from .offline import framed
        return Shown(framed(self, height=height))

    def widget(self) -> Any:
        """An output in Jupyter that follows training: `w = drawing.widget()`, and after a step `w.update(loss)`.

        Raises ImportError where anywidget is not installed.
        """
        from .follow import widget
        return widget(self, draw)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from .offline import inline
        still = svg(self.sheet, colours(self.theme), dark=self._dark())
        return {"text/html": inline(self), "image/svg+xml": still, "text/plain": self.text}


class Shown:
    """A piece of HTML that a notebook shows."""

    __slots__ = ("html",)

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "a page of the graph; a notebook shows it as the last line of a cell, save('x.html') writes it to a file"
