"""Plots of training, models and data, with matplotlib (extra "demo"), which is imported when the first one is made.

Every plot is a matplotlib Figure of its own, made without pyplot: no window opens and no global state changes.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .activations import activation_card as activation_card
    from .activations import activation_cards as activation_cards
    from .animation import Animation as Animation
    from .boundary import decision_boundary as decision_boundary
    from .curves import schedule_preview as schedule_preview
    from .curves import training_curves as training_curves
    from .directions import snapshot as snapshot
    from .distributions import histograms as histograms
    from .images import feature_maps as feature_maps
    from .images import filters as filters
    from .images import image_grid as image_grid
    from .matrices import attention_maps as attention_maps
    from .matrices import confusion_matrix as confusion_matrix
    from .race import optimizer_race as optimizer_race
    from .surfaces import loss_plane as loss_plane
    from .surfaces import loss_slice as loss_slice
    from .trajectory import weight_trajectory as weight_trajectory

_HOMES = {
    "activation_card": "activations", "activation_cards": "activations", "Animation": "animation",
    "decision_boundary": "boundary", "schedule_preview": "curves", "training_curves": "curves",
    "histograms": "distributions", "feature_maps": "images", "filters": "images", "image_grid": "images",
    "attention_maps": "matrices", "confusion_matrix": "matrices", "optimizer_race": "race", "loss_plane": "surfaces",
    "loss_slice": "surfaces", "snapshot": "directions", "weight_trajectory": "trajectory",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'viz.plots' has no attribute {name!r}; it has {', '.join(_HOMES)}")
    from importlib import import_module
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
