"""What several callbacks have in common: a number that is watched, and whether it has got better."""

from __future__ import annotations

from typing import Any

from ..training.history import Callback
from ..training.progress import say
from ..training.warned import warn

RISING = ("acc", "accuracy", "auc", "precision", "recall", "f1", "f1_score", "fbeta_score", "r2", "r2_score", "kappa",
          "correlation", "iou", "io_u")       # endings of names of what is to grow


class Monitor(Callback):
    """Watches `logs[monitor]`, and knows which way is up.

    mode  "min" or "max"; "auto": "max" for accuracies and the other scores whose names end as such do, else "min"
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'; got {mode!r}")
        if not isinstance(monitor, str):
            raise TypeError(f"{type(self).__name__}: monitor must be the name of a number in the logs, such as "
                            f"'val_loss'; got {monitor!r}")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.rising = mode == "max" or (mode == "auto" and monitor.endswith(RISING))
        self.best: float | None = None

    def improved(self, value: float, best: float | None) -> bool:
        """Whether a value is better than the best so far by more than `min_delta`."""
        if best is None:
            return value == value
        return value - self.min_delta > best if self.rising else value + self.min_delta < best

    def value(self, logs: dict[str, Any] | None) -> float | None:
        """The number that is watched; a warning, and None, where there is none."""
        found = (logs or {}).get(self.monitor)
        if found is None:
            near = [name for name in logs or {} if name.removeprefix("val_") == self.monitor.removeprefix("val_")]
            fix = ": there is no validation data" if near and self.monitor.startswith("val_") else ""
            warn(f"{type(self).__name__}: {self.monitor!r} is not among the logs, which are "
                          f"{', '.join(logs or {})}{fix}")
            return None
        if getattr(found, "ndim", 0):
            raise ValueError(f"{type(self).__name__}: {self.monitor!r} must be one number; it has shape {found.shape}")
        return float(found)


def positive(who: str, name: str, value: Any, least: int = 0) -> int:
    """An integer setting; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{who}: {name} must be an integer, {least} or more; got {value!r}")
    return value


def tell(text: str) -> None:
    """A line of its own below the bar."""
    say(f"\n{text}\n")
