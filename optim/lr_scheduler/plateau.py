"""A schedule that follows what is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from ..checks import number
from ..optimizer import Optimizer
from .scheduler import LRScheduler, for_each_group


class ReduceLROnPlateau(LRScheduler):
    """Times `factor` when a metric has not improved for more than `patience` steps:  max(lr factor, min_lr).

        schedule.step(validation_loss)

    An improvement is less than best (1 - threshold) or, threshold_mode "abs", best - threshold; in `mode` "max", more
    than best (1 + threshold) or best + threshold.  For `cooldown` steps after a reduction nothing is counted; changes
    of the rate below `eps` are not made.  `lr(metrics)` is the rate after a list of metrics, from the start.
    """

    def __init__(self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
                 threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
                 min_lr: float | list[float] = 0, eps: float = 1e-8) -> None:
        self._check_optimizer(optimizer)
        number("factor", factor, "in [0, 1)", 0, 1)
        if factor >= 1.0:
            raise ValueError(f"factor must be in [0, 1); got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max'; got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode must be 'rel' or 'abs'; got {threshold_mode!r}")
        for name, value in (("patience", patience), ("cooldown", cooldown), ("eps", eps)):
            number(name, value, ">= 0", 0)
        self.optimizer = optimizer
        self.min_lrs = for_each_group("min_lr", min_lr, optimizer)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.mode_worse = inf if mode == "min" else -inf
        self.last_epoch = 0
        self._last_lr = [float(group["lr"]) for group in optimizer.param_groups]
        self._starts = list(self._last_lr)
        self.best, self.num_bad_epochs, self.cooldown_counter = self.mode_worse, 0, 0

    unsaved = ("optimizer", "_starts")

    @property
    def in_cooldown(self) -> bool:
        """Whether a reduction is so near that nothing is counted."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take in a metric, a number or a 0-d Tensor; lower the rates if it is time."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        memory = (self.best, self.num_bad_epochs, self.cooldown_counter)
        reduce, (self.best, self.num_bad_epochs, self.cooldown_counter) = self._judge(float(metrics), memory)
        if reduce:
            groups = self.optimizer.param_groups
            if len(self.min_lrs) != len(groups):
                if self.default_min_lr is None:
                    raise ValueError(f"min_lr was given for {len(self.min_lrs)} parameter groups; the optimizer has "
                                     f"{len(groups)}: add to schedule.min_lrs what the others are to have")
                self.min_lrs = [float(self.default_min_lr)] * len(groups)
            for group, low in zip(groups, self.min_lrs):
                group["lr"] = self._lower(float(group["lr"]), low)
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def _judge(self, metric: float, memory: tuple[float, int, int]) -> tuple[bool, tuple[float, int, int]]:
        """(whether to lower the rates, the best, bad steps and cooldown steps afterwards)."""
        best, bad, cooling = memory
        if self._better(metric, best):
            best, bad = metric, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        return (True, (best, 0, self.cooldown)) if bad > self.patience else (False, (best, bad, cooling))

    def _better(self, metric: float, best: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        margin = sign * self.threshold
        wanted = best * (1 + margin) if self.threshold_mode == "rel" else best + margin
        return metric < wanted if self.mode == "min" else metric > wanted

    def _lower(self, lr: float, low: float) -> float:
        new = max(lr * self.factor, low)
        return new if lr - new > self.eps else lr

    def lr(self, metrics: Iterable[Any], group: int = 0) -> float:   # type: ignore[override]
        """The rate after these metrics, one for each step from the start; changes nothing."""
        lr, memory = self._starts[group], (self.mode_worse, 0, 0)
        for metric in metrics:
            reduce, memory = self._judge(float(metric), memory)
            if reduce:
                lr = self._lower(lr, self.min_lrs[group])
        return lr

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        super()._load(state_dict)
        self.mode_worse = inf if self.mode == "min" else -inf
