"""Callbacks that set the learning rate."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..training.history import Callback, Logs
from .monitor import Monitor, positive, tell


class LearningRateScheduler(Callback):
    """Set the learning rate at the start of each epoch:  `lr = schedule(epoch, lr)`, or `schedule(epoch)`.

    schedule  a function, or a schedule of `optim.lr_scheduler`, made for the optimizer: it is stepped after each epoch
    every     "epoch", or "batch" to step a schedule of `optim.lr_scheduler` after each step of the optimizer
    verbose   1: say what it was set to

    The rate of an epoch is in its logs, as "learning_rate".  A schedule that is a function should go by its epoch:
    that is the same after an interruption.  Raises ValueError for what is no rate.
    """

    reads_batch_logs = False

    def __init__(self, schedule: Any, verbose: int = 0, every: str = "epoch") -> None:
        super().__init__()
        self.stepped = hasattr(schedule, "step") and hasattr(schedule, "optimizer")
        if not self.stepped and not callable(schedule):
            raise TypeError("LearningRateScheduler: expected a function (epoch, lr) -> lr, or a schedule of "
                            f"optim.lr_scheduler; got {type(schedule).__name__}")
        if every not in ("epoch", "batch") or (every == "batch" and not self.stepped):
            raise ValueError(f"LearningRateScheduler: every must be 'epoch', or 'batch' for a schedule of "
                             f"optim.lr_scheduler; got {every!r}")
        self.schedule, self.verbose, self.every = schedule, verbose, every
        self.deaf_to = () if every == "batch" else ("on_train_batch_end",)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if not self.stepped:
            groups = self.model.optimizer.param_groups
            try:
                rate = self.schedule(epoch, float(groups[0]["lr"]))
            except TypeError:
                rate = self.schedule(epoch)
            rate = getattr(rate, "item", lambda: rate)()
            if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not isfinite(rate) or rate < 0:
                raise ValueError("LearningRateScheduler: the schedule must give a finite number >= 0; it gave "
                                 f"{rate!r} for epoch {epoch}")
            for group in groups:
                group["lr"] = float(rate)
        if self.verbose:
            tell(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate_of(self.model)}.")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self.model._position.gathered:
            self.schedule.step()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model)
        if self.stepped and self.every == "epoch":
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands."""
        return {"schedule": self.schedule.state_dict() if self.stepped else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict()`."""
        if self.stepped and state["schedule"] is not None:
            rates = [group["lr"] for group in self.model.optimizer.param_groups]
            self.schedule.load_state_dict(state["schedule"])
            for group, rate in zip(self.model.optimizer.param_groups, rates):
                group["lr"] = rate            # the optimizer's own memory has it


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` when a number has got no better for `patience` epochs.

    monitor    a name in the logs
    factor     below 1
    patience   epochs without getting better that are waited
    verbose    1: say so
    mode       "min", "max", or "auto", by the name
    min_delta  what is less of a change is none
    cooldown   epochs after a reduction that are not counted
    min_lr     the rate is not made lower than that

    The rate of an epoch is in its logs, as "learning_rate".  Names, defaults and meaning are Keras's; in a loop of
    one's own `optim.lr_scheduler.ReduceLROnPlateau` does the same with PyTorch's.
    """

    remembers = ("wait", "cooldown_counter", "best")

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0,
                 mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be between 0 and 1; got {factor!r}")
        self.factor, self.verbose, self.min_lr = factor, verbose, min_lr
        self.patience = positive("ReduceLROnPlateau", "patience", patience)
        self.cooldown = positive("ReduceLROnPlateau", "cooldown", cooldown)
        self.wait, self.cooldown_counter = 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait, self.cooldown_counter, self.best = 0, 0, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model)
        current = self.value(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(current, self.best):
            self.best, self.wait = current, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _reduce(self, epoch: int) -> bool:
        reduced = False
        for group in self.model.optimizer.param_groups:
            old = float(group["lr"])
            if old > self.min_lr:
                group["lr"] = max(old * self.factor, self.min_lr)
                reduced = True
        if reduced and self.verbose:
            tell(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate_of(self.model)}.")
        return reduced


def rate_of(model: Any) -> float:
    """The learning rate of the optimizer's first group."""
    return float(model.optimizer.param_groups[0]["lr"])
