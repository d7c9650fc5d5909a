"""A picture in a notebook that is drawn again while the program runs: one output, at the newest numbers.

    picture = viz.draw(loss, gradients=True).widget()
    picture                                    the last line of its cell: there it is
    for batch in data:
        ...
        picture.update(loss)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .svg import svg
from .theme import AUTO, THEMES, colours


def widget(drawing: Any, draw: Callable[..., Any]) -> Any:
    """A Jupyter widget that shows a drawing; `update(target, *inputs)` draws another in its place, with its options.

    draw: `viz.draw`, which this file stands below.

    Raises ImportError where anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError("widget: expected the package anywidget; it is not installed; pip install "
                          '"glassgrad[live]"; or show the drawing itself, which needs nothing') from error
    from pathlib import Path

    class Picture(anywidget.AnyWidget):
        """A drawing, shown by the front end; the kernel lays it out."""

        _esm = (Path(__file__).parent / "live" / "widget.js").read_text(encoding="utf-8")
        html = traitlets.Unicode("").tag(sync=True)
        drawing: Any = None

        def update(self, target: Any, *inputs: Any) -> Any:
            """Draw this target (as `viz.draw` takes it) with the options of the first drawing.  Returns its Drawing."""
            self.drawing = draw(target, *inputs, **self.drawing.options)
            self.html = _body(self.drawing)
            return self.drawing

    made = Picture(html=_body(drawing))
    made.drawing = drawing
    return made


def _body(drawing: Any) -> str:
    dark = THEMES[AUTO[1]] if drawing.theme == "auto" else None
    return (f'<div style="max-width:100%;overflow:auto">'
            f"{svg(drawing.sheet, colours(drawing.theme), inline=True, dark=dark)}</div>")
