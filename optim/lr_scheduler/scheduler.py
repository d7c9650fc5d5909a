"""What all schedules share: each is declared once, as a formula of the step.

    schedule = StepLR(optimizer, step_size=30)
    plot([schedule.lr(t) for t in range(100)])        # before training, without side effects
    for epoch in range(100):
        ...                                           # optimizer.step() for each batch
        schedule.step()                               # sets optimizer.param_groups[i]["lr"]

The formula is what `step()` sets as long as nobody else changes the rate.  If somebody did (another schedule on the
same optimizer, or the user), the change of the formula is applied to the rate found there, as in PyTorch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from types import FunctionType
from typing import Any

from ..checks import described, number
from ..optimizer import Optimizer


def whole(name: str, value: Any) -> None:
    """ValueError unless it is an integer of at least 1."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number >= 1; got {value!r} ({type(value).__name__})")


def for_each_group(name: str, value: Any, optimizer: Any) -> list[float]:
    """One number for all parameter groups, or a list of one for each, as that list."""
    if not isinstance(optimizer, Optimizer):
        return [value]                        # what it is instead is said by LRScheduler
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{name} must be one number, or one for each of {groups} parameter groups; got {len(values)}")
    for one in values:
        number(name, one)
    return [float(one) for one in values]


class LRScheduler:
    """Base of the schedules: a subclass gives `formula(t, base, group)`, the rate at step t for a group whose first
    rate is `base`.

    LRScheduler(optimizer, last_epoch=-1)

    Step 0 is set at once.  Give `last_epoch` to continue from step last_epoch + 1 with an optimizer whose state was
    loaded.  `last_epoch`, `base_lrs` and the keys of `state_dict()` are PyTorch's.
    """

    overrides = False                         # whether the formula overrides what others did to the rate
    unsaved: tuple[str, ...] = ("optimizer",)  # attributes that are not in the state dict

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
        if last_epoch != -1:
            for i, group in enumerate(optimizer.param_groups):
                if "initial_lr" not in group:
                    raise KeyError(f"last_epoch={last_epoch} continues a schedule, but param_groups[{i}] has no "
                                   "'initial_lr': load the optimizer's state_dict first, or leave last_epoch out")
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.optimizer = optimizer
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.restart()

    def _check_optimizer(self, optimizer: Any) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} needs an Optimizer; got {described(optimizer)}")

    def restart(self) -> None:
        """Make the first step, which sets the rates of step 0 (or of last_epoch + 1)."""
        self._step_count = 0
        self._last_lr: list[float] = []
        self.step()

    def formula(self, t: float, base: float, group: int) -> float:
        """The learning rate at step t of group number `group`, whose rate before the schedule is `base`."""
        raise NotImplementedError(f"{type(self).__name__} must define formula(t, base, group), or get_lr()")

    def floor(self, group: int) -> float:
        """The rate that a change of the rate is in proportion to."""
        return 0.0

    def lr(self, step: float, group: int = 0) -> float:
        """The learning rate at a step, for whoever has a look before training; changes nothing."""
        return self.formula(step, self.base_lrs[group], group)

    def next_lr(self, t: int, lr: float, group: int) -> float:
        """The rate at step t >= 0 of a group that has the rate `lr` now, from step t - 1 or from before the schedule;
        changes nothing."""
        after = self.lr(t, group)
        before = self.base_lrs[group] if t == 0 else self.lr(t - 1, group)
        if self.overrides or lr == before:
            return after
        if after == before:
            return lr
        floor = self.floor(group)
        if before == floor:
            return lr + (after - before)
        return floor + (lr - floor) * (after - floor) / (before - floor)

    def get_lr(self) -> list[float]:
        """The rates to set at step `last_epoch`, given those the groups have now."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        if self._step_count == 1 and self.last_epoch > 0 and not self.overrides:
            return rates                      # those of a checkpoint are right as they are
        return [self.next_lr(self.last_epoch, lr, i) for i, lr in enumerate(rates)]

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next step, or those of step `epoch`.  Call it after `optimizer.step()`."""
        if self._step_count == 1 and not self.optimizer.stepped:
            warnings.warn(f"{type(self).__name__}.step() was called before optimizer.step(), so the first learning "
                          "rate of the schedule is never used: call optimizer.step() first", UserWarning, stacklevel=2)
        self._step_count += 1
        for group in self.optimizer.param_groups[len(self.base_lrs):]:          # added since: it joins from here on
            group.setdefault("initial_lr", group["lr"])
            self.base_lrs.append(float(group["initial_lr"]))
            self.joined(group)
        if epoch is None:
            self.last_epoch += 1
            self.set(self.get_lr())
        else:
            self.goto(epoch)

    def joined(self, group: dict[str, Any]) -> None:
        """Take in a parameter group that the optimizer was given after the schedule."""

    def goto(self, epoch: float) -> None:
        """Set the rates of step `epoch` by the formula, whatever they are now."""
        self.last_epoch = int(epoch)
        self.set([self.lr(epoch, i) for i in range(len(self.optimizer.param_groups))])

    def set(self, rates: list[float]) -> None:
        """Give the groups their rates."""
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = rates

    def get_last_lr(self) -> list[float]:
        """The rates this schedule set last, one for each group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """All of the schedule but its optimizer."""
        return {name: value for name, value in vars(self).items() if name not in self.unsaved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`, of this library or of PyTorch.  The optimizer's rates are left alone: they
        are in its own state dict.  ValueError if it is that of another schedule; nothing has been changed then."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"a state dict of a schedule is a dict; got {described(state_dict)}")
        lacking = [name for name in self.state_dict() if name not in state_dict]
        if lacking:
            raise ValueError(f"the state dict is not one of {type(self).__name__}: it lacks {', '.join(lacking)}")
        if "base_lrs" in state_dict and len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(f"the state dict is for {len(state_dict['base_lrs'])} parameter groups; "
                             f"the optimizer has {len(self.base_lrs)}")
        self._load(state_dict)

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        vars(self).update({name: state_dict[name] for name in self.state_dict()})


class OfFunctions(LRScheduler):
    """Base of the schedules given as functions: `state_dict` holds the attributes of functions that are objects; plain
    functions and lambdas are not saved."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
                 last_epoch: int = -1) -> None:
        groups = len(getattr(optimizer, "param_groups", ()))
        lambdas = list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * groups
        if groups and len(lambdas) != groups:
            raise ValueError(f"lr_lambda must be one function, or one for each of {groups} parameter groups; "
                             f"got {len(lambdas)}")
        for function in lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda must be a function of the step; got {described(function)}")
        self.lr_lambdas = lambdas
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "lr_lambdas": [attributes_of(f) for f in self.lr_lambdas]}

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        lambdas = self.lr_lambdas
        super()._load(state_dict)
        self.lr_lambdas = lambdas
        for function, saved in zip(lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                vars(function).update(saved)


def attributes_of(function: Any) -> dict[str, Any] | None:
    """What a function that is an object knows; None for the others."""
    return dict(vars(function)) if hasattr(function, "__dict__") and not isinstance(function, FunctionType) else None
