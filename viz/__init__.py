"""Pictures of computation: `viz.draw(loss)`, `viz.draw(model, x)`.

Nothing is loaded before it is used: `import viz` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import BackendError as BackendError
    from .backend import backends as backends
    from .chain.explaining import Explanation as Explanation
    from .chain.explaining import explain as explain
    from .chain.zooming import Zoom as Zoom
    from .chain.zooming import zoom as zoom
    from .compare.diff import Comparison as Comparison
    from .compare.diff import diff as diff
    from .drawing import Drawing as Drawing
    from .drawing import draw as draw
    from .embed import load as load
    from .live.watch import Watch as Watch
    from .live.watch import watch as watch
    from .page import save_page as save_page
    from .plots import *

_HOMES = {
    "draw": "drawing", "Drawing": "drawing", "load": "embed", "backends": "backend", "BackendError": "backend",
    "explain": "chain.explaining", "Explanation": "chain.explaining", "zoom": "chain.zooming", "Zoom": "chain.zooming",
    "diff": "compare.diff", "Comparison": "compare.diff", "watch": "live.watch", "Watch": "live.watch",
    "save_page": "page",
    **dict.fromkeys((
        "activation_card", "activation_cards", "Animation", "attention_maps", "confusion_matrix", "decision_boundary",
        "feature_maps", "filters", "histograms", "image_grid", "loss_plane", "loss_slice", "optimizer_race",
        "schedule_preview", "snapshot", "training_curves", "weight_trajectory"), "plots"),
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
