"""A picture that can be worked with, in one piece of text: a page, an inset for notebooks, an SVG that moves.

    offline.page(drawing)        a complete HTML document that needs no network and no other file
    offline.framed(drawing)      that page in a frame, for the output of a notebook cell
    offline.inline(drawing)      an SVG with at most 10 kB of script, for the output of a notebook cell
    offline.animated(drawing)    a standalone SVG that steps through the backward pass, for slides
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .animation import animated as animated
    from .document import framed as framed
    from .document import page as page
    from .inset import inline as inline

_HOMES = {"page": "document", "framed": "document", "inline": "inset", "animated": "animation"}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'viz.offline' has no attribute {name!r}; it has {', '.join(_HOMES)}")
    from importlib import import_module
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
