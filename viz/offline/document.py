"""The page: one HTML file with a graph in it, that draws, folds and plays it without a network or any other file."""

from __future__ import annotations

import zlib
from functools import cache
from os import path
from typing import TYPE_CHECKING, Any

from .. import coordinates, layered, layout, scene
from ..compose import scene as composed
from ..outline import outline
from ..svg import DASHES, escape
from ..theme import THEMES
from ..view import view
from .colours import WORDS, style
from .record import record

if TYPE_CHECKING:
    from autograd.graph import Graph

    from ..scene import Scene
    from ..view import View

# by subject, each resting on those before it
SCRIPTS = ("model.js", "fold.js", "coordinates.js", "layered.js", "layout.js", "details.js", "paint.js", "camera.js",
           "player.js", "search.js", "keyboard.js", "page.js")
KEYS = (
    ("Tab, Shift+Tab", "from card to card, in the order of the computation"),
    ("arrow keys", "along the wires, and to the cards beside"),
    ("Enter", "fold or unfold; keep a card in the panel"), ("Backspace", "fold what is around a card"),
    ("/", "search"), ("Space", "play or pause the backward pass"), (". and ,", "one step on, one step back"),
    ("+ − 0", "nearer, farther, the whole picture"), ("Esc", "put everything back"),
    ("wheel, drag", "move; with Ctrl, the wheel zooms"),
)
MOST_OUTLINE = 20_000                          # characters of words for those who let no script run


def page(drawing: Any, *, title: str = "", theme: str = "") -> str:
    """A graph as a complete HTML document, to be opened from a file with no network.

    drawing: a Drawing, whose folding, direction and theme the page begins with; or a Graph.
    title: of the page; by default what the graph is.
    theme: one of "auto", "light", "dark", "contrast", "print"; by default the drawing's own, where light means that
        nobody asked for anything: then the page follows the system, "auto".

    Raises TypeError for what is neither, ValueError for an unknown theme.
    """
    seen, drawn, own = _parts(drawing)
    chosen = theme or ("auto" if own == "light" else own)
    if chosen != "auto" and chosen not in THEMES:
        raise ValueError(f"page: expected theme={' or '.join(map(repr, ['auto', *THEMES]))}; got {theme!r}")
    import json
    from base64 import b64encode, standard_b64encode
    from hashlib import sha256
    asked = getattr(drawing, "options", {})
    data = record(seen, drawn, asked.get("values", "auto"), asked.get("gradients", "auto"))
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packed = b64encode(zlib.compress(text.encode(), 9)).decode()       # holds no "<": it cannot end its element early
    script = program()
    allowed = standard_b64encode(sha256(script.encode()).digest()).decode()
    policy = (f"default-src 'none'; script-src 'sha256-{allowed}'; style-src 'unsafe-inline'; img-src data:; "
              "base-uri 'none'; form-action 'none'")
    return template().format(
        policy=policy, title=escape(title or data["title"]), description=escape(data["description"]), theme=chosen,
        style=f"{style()}\n{_file('page.css')}", themes=_options(chosen), keys=_keys(), data=packed, script=script,
        outline=escape(outline(drawn)[:MOST_OUTLINE]))


def framed(drawing: Any, *, height: int = 640, title: str = "", theme: str = "") -> str:
    """The whole page as an element for a notebook cell or another page: it folds, searches and plays in a frame.

        IPython.display.HTML(viz.offline.framed(drawing))

    height: of the frame, in pixels.  title, theme and errors are those of `page`.  The frame may run its script, and
    nothing else: it sees nothing of the page around it.
    """
    text = page(drawing, title=title, theme=theme)
    return (f'<iframe sandbox="allow-scripts" title="{escape(title) or "computation graph"}" '
            f'style="width:100%;height:{int(height)}px;border:1px solid #8884;border-radius:8px" '
            f'srcdoc="{escape(text)}"></iframe>\n')


def _parts(drawing: Any) -> tuple[View, Scene, str]:
    """View, scene and theme of a Drawing; of a Graph the usual ones."""
    found = getattr(drawing, "view", None), getattr(drawing, "scene", None)
    if all(part is not None for part in found):
        seen = drawing.view
        if seen.direction == "backward":       # the page shows the program, and plays its reverse
            forward = view(drawing.graph)
            return forward._replace(direction="backward"), composed(forward, drawing.scene.rankdir), drawing.theme
        return seen, drawing.scene, drawing.theme
    if not hasattr(drawing, "nodes") or not hasattr(drawing, "outputs"):
        raise TypeError(f"page: expected a Drawing or a Graph; got {type(drawing).__name__}; draw it first: "
                        "page(viz.draw(x))")
    graph: Graph = drawing
    seen = view(graph)
    return seen, composed(seen, "LR" if seen.scalar else "TB"), "auto"


@cache
def program() -> str:
    """The script of every page: the constants of the Python layout, then the files."""
    import json
    geometry = {
        "nodeGap": scene.NODE_GAP, "rankGap": scene.RANK_GAP, "framePad": scene.FRAME_PAD, "margin": layout.MARGIN,
        "ends": layout.ENDS, "labelHeight": layout.LABEL_HEIGHT, "sidewaysGap": 16, "dashes": DASHES,
    }
    constants = {
        "GEOMETRY": geometry, "MAX_BENDS": layered.MAX_BENDS, "MOST_BENDS": layered.MOST_BENDS,
        "STRAIGHT": layered.STRAIGHT, "SWEEPS": layered.SWEEPS, "LABEL_GAP": layered.LABEL_GAP,
        "BEND_GAP": coordinates.BEND_GAP,
    }
    lines = [f"const {name} = {json.dumps(value)};" for name, value in constants.items()]
    body = "\n".join(["(() => {", '"use strict";', *lines, *map(_file, SCRIPTS), "})();"])
    return body.replace("</script", "<\\/script")


@cache
def template() -> str:
    """The HTML around it, with {places} to be filled."""
    return _file("page.html")


def _file(name: str) -> str:
    """A file that is shipped beside this one."""
    with open(path.join(path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def _options(chosen: str) -> str:
    names = ["auto", *THEMES]
    return "".join(f'<option value="{name}"{" selected" if name == chosen else ""}>{WORDS.get(name, name)}</option>'
                   for name in names)


def _keys() -> str:
    return "".join(f"<dt>{escape(key)}</dt><dd>{escape(what)}</dd>" for key, what in KEYS)
