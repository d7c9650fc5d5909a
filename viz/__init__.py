"""Pictures of computation: `viz.draw(loss)`, `viz.draw(model, x)`.

Nothing is loaded before it is used: `import viz` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import BackendError as BackendError
    from .backend import backends as backends
    from .drawing import Drawing as Drawing
    from .drawing import draw as draw
    from .page import save_page as save_page
    from .plots import image_grid as image_grid
    from .plots import training_curves as training_curves

_HOMES = {
    "draw": "drawing", "Drawing": "drawing", "backends": "backend", "BackendError": "backend",
    "save_page": "page", "image_grid": "plots", "training_curves": "plots",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'viz' has no attribute {name!r}; it has {', '.join(_HOMES)}")
    from importlib import import_module
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
