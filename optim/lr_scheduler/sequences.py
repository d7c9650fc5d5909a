"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..checks import described
from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler


class Several(LRScheduler):
    """Base of the two: parts of one optimizer, whose states are in the state dict."""

    unsaved = ("optimizer", "_schedulers")

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        owner = type(self).__name__
        if not schedulers:
            raise ValueError(f"{owner} needs at least one schedule; got none")
        for i, part in enumerate(schedulers):
            if not isinstance(part, LRScheduler):
                raise TypeError(f"{owner} is made of schedules; number {i} is {described(part)}")
            if isinstance(part, ReduceLROnPlateau):
                raise ValueError(f"{owner} cannot hold a ReduceLROnPlateau (number {i}), whose step takes a metric: "
                                 "step it beside")
            if part.optimizer is not (optimizer or schedulers[0].optimizer):
                raise ValueError(f"{owner} is for one optimizer; schedule {i}, a {type(part).__name__}, has another")
        self._schedulers = list(schedulers)
        self.optimizer = optimizer or schedulers[0].optimizer

    @property
    def base_lrs(self) -> list[float]:        # type: ignore[override]
        """The rates before the schedule."""
        return self._schedulers[0].base_lrs

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [part.state_dict() for part in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        parts = state_dict.get("_schedulers") if isinstance(state_dict, Mapping) else None
        if parts is not None and len(parts) != len(self._schedulers):
            raise ValueError(f"the state dict is for {len(parts)} schedules; this {type(self).__name__} has "
                             f"{len(self._schedulers)}")
        super().load_state_dict(state_dict)

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        for part, saved in zip(self._schedulers, state_dict["_schedulers"]):
            part.load_state_dict(saved)
        vars(self).update({name: state_dict[name] for name in super().state_dict() if name != "_schedulers"})


class SequentialLR(Several):
    """One schedule after the other: number i from milestone i - 1 on, with steps of its own, from 0.

    SequentialLR(optimizer, [LinearLR(optimizer, 0.1, total_iters=5), CosineAnnealingLR(optimizer, 95)], milestones=[5])
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int],
                 last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"milestones must be one fewer than the schedules: where each but the first begins; got "
                             f"{len(milestones)} milestones, {len(schedulers)} schedules")
        if sorted(milestones) != list(milestones):
            raise ValueError(f"milestones must rise; got {list(milestones)}")
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        for group in optimizer.param_groups:               # each part has made its first step by now: undone
            group["lr"] = group["initial_lr"]
        undo(self)
        first = self._schedulers[self._part(0)[0]]
        first.restart()
        self._last_lr = first.get_last_lr()

    def _part(self, t: float) -> tuple[int, int]:
        """(which schedule step t belongs to, the step at which that begins)."""
        i = sum(milestone <= t for milestone in self._milestones)
        return i, self._milestones[i - 1] if i else 0

    def lr(self, step: float, group: int = 0) -> float:
        i, begun = self._part(step)
        return self._schedulers[i].lr(step - begun, group)

    def next_lr(self, t: int, lr: float, group: int) -> float:
        i, begun = self._part(t)
        part = self._schedulers[i]
        return part.lr(0, group) if i and t == begun else part.next_lr(t - begun, lr, group)

    def step(self, epoch: float | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else int(epoch)
        i, begun = self._part(self.last_epoch)
        part = self._schedulers[i]
        if epoch is not None:
            part.goto(epoch - begun)
        elif i and self.last_epoch == begun:
            part.goto(0)
        else:
            part.step()
        self._last_lr = part.get_last_lr()

    def restart(self) -> None:
        self.last_epoch += 1
        self._schedulers[0].restart()
        self._last_lr = self._schedulers[0].get_last_lr()

    def goto(self, epoch: float) -> None:
        self.step(epoch)


class ChainedScheduler(Several):
    """All at once: at each step each changes the rate that the one before it left."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    @property
    def last_epoch(self) -> int:              # type: ignore[override]
        """The step that the parts are at."""
        return self._schedulers[0].last_epoch

    def lr(self, step: float, group: int = 0) -> float:
        """The learning rate at a step: all steps up to it are gone through, changing nothing."""
        lr = self.base_lrs[group]
        for t in range(int(step) + 1):
            lr = self.next_lr(t, lr, group)
        return lr

    def next_lr(self, t: int, lr: float, group: int) -> float:
        for part in self._schedulers:
            lr = part.next_lr(t, lr, group)
        return lr

    def step(self, epoch: float | None = None) -> None:
        for part in self._schedulers:
            part.step()
        if epoch is not None:
            self.goto(epoch)
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def restart(self) -> None:
        for part in self._schedulers:
            part.restart()
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def goto(self, epoch: float) -> None:
        for part in self._schedulers:
            part.goto(epoch)
        self.set([self.lr(epoch, i) for i in range(len(self.optimizer.param_groups))])


def undo(schedule: LRScheduler) -> None:
    """Take back the first step of all parts, also of parts of parts."""
    for part in schedule._schedulers if isinstance(schedule, Several) else ():
        if isinstance(part, Several):
            undo(part)
        if not isinstance(part, ChainedScheduler):
            part.last_epoch -= 1
