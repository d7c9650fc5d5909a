"""Learning rates that follow a schedule: each is declared once, as a formula of the step.

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
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import cos, pi
from numbers import Integral
from types import FunctionType
from typing import Any

from .checks import described, number
from .optimizer import Optimizer


def _whole(name: str, value: Any) -> None:
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number >= 1; got {value!r} ({type(value).__name__})")


class LRScheduler:
    """Base of the schedules: a subclass gives `formula(t, base, group)`, the rate at step t for a group whose first
    rate is `base`.

    LRScheduler(optimizer, last_epoch=-1)

    Step 0 is set at once.  Give `last_epoch` to continue from step last_epoch + 1 with an optimizer whose state was
    loaded.  `last_epoch`, `base_lrs` and the keys of `state_dict()` are PyTorch's.
    """

    floor = 0.0                               # what a change of the rate is in proportion to
    overrides = False                         # whether the formula overrides what others did to the rate

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} needs an Optimizer; got {described(optimizer)}")
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
        self._step_count = 0
        self._last_lr: list[float] = []
        self.step()

    def formula(self, t: int, base: float, group: int) -> float:
        """The learning rate at step t of group number `group`, whose rate before the schedule is `base`."""
        raise NotImplementedError(f"{type(self).__name__} must define formula(t, base, group), or get_lr()")

    def lr(self, step: int, group: int = 0) -> float:
        """The learning rate at a step, for whoever has a look before training; changes nothing."""
        return self.formula(step, self.base_lrs[group], group)

    def get_lr(self) -> list[float]:
        """The rates to set at step `last_epoch`, given those the groups have now."""
        return [self._follow(i, float(group["lr"])) for i, group in enumerate(self.optimizer.param_groups)]

    def _follow(self, i: int, lr: float) -> float:
        t, base = self.last_epoch, self.base_lrs[i]
        after = self.formula(t, base, i)
        before = base if t == 0 else self.formula(t - 1, base, i)
        if self.overrides or lr == before:
            return after
        if after == before or (self._step_count == 1 and t > 0):     # the rate of a checkpoint is right as it is
            return lr
        if before == self.floor:
            return lr + (after - before)
        return self.floor + (lr - self.floor) * (after - self.floor) / (before - self.floor)

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next step, or those of step `epoch`.  Call it after `optimizer.step()`."""
        if self._step_count == 1 and not self.optimizer.stepped and type(self.optimizer).step is Optimizer.step:
            warnings.warn(f"{type(self).__name__}.step() was called before optimizer.step(), so the first learning "
                          "rate of the schedule is never used: call optimizer.step() first", UserWarning, stacklevel=2)
        self._step_count += 1
        for group in self.optimizer.param_groups[len(self.base_lrs):]:          # added since: it joins from here on
            group.setdefault("initial_lr", group["lr"])
            self.base_lrs.append(float(group["initial_lr"]))
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = [self.lr(epoch, i) for i in range(len(self.optimizer.param_groups))]
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = rates

    def get_last_lr(self) -> list[float]:
        """The rates this schedule set last, one for each group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """All of the schedule but its optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`, of this library or of PyTorch.  The optimizer's rates are left alone: they
        are in its own state dict.  ValueError if it is that of another schedule; nothing has been changed then."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"a state dict of a schedule is a dict; got {described(state_dict)}")
        lacking = [name for name in self.state_dict() if name not in state_dict]
        if lacking:
            raise ValueError(f"the state dict is not one of {type(self).__name__}: it lacks {', '.join(lacking)}")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(f"the state dict is for {len(state_dict['base_lrs'])} parameter groups; "
                             f"the optimizer has {len(self.base_lrs)}")
        self._load(state_dict)

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        self.__dict__.update({name: state_dict[name] for name in self.state_dict()})


class StepLR(LRScheduler):
    """Times gamma every `step_size` steps:  base gamma^floor(t / step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        _whole("step_size", step_size)
        number("gamma", gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def formula(self, t: int, base: float, group: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """Times gamma at each milestone:  base gamma^(number of milestones <= t)."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
                 ) -> None:
        number("gamma", gamma)
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def formula(self, t: int, base: float, group: int) -> float:
        return base * self.gamma ** sum(n for milestone, n in self.milestones.items() if milestone <= t)


class ConstantLR(LRScheduler):
    """Times `factor` for the first `total_iters` steps:  base factor, then base."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        number("factor", factor, "in [0, 1]", 0, 1)
        number("total_iters", total_iters, ">= 0", 0)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def formula(self, t: int, base: float, group: int) -> float:
        return base * self.factor if t < self.total_iters else base


class LinearLR(LRScheduler):
    """A straight line from `start_factor` to `end_factor` in `total_iters` steps, then level (the warm-up of Goyal et
    al. 2017):  base (start + (end - start) min(t, total_iters) / total_iters)."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1) -> None:
        number("start_factor", start_factor, "in (0, 1]", 5e-324, 1)
        number("end_factor", end_factor, "in [0, 1]", 0, 1)
        _whole("total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def formula(self, t: int, base: float, group: int) -> float:
        return base * (self.start_factor
                       + (self.end_factor - self.start_factor) * min(t, self.total_iters) / self.total_iters)


class ExponentialLR(LRScheduler):
    """Times gamma every step:  base gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        number("gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def formula(self, t: int, base: float, group: int) -> float:
        return base * self.gamma**t


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the base rate to `eta_min` in `T_max` steps, then back up (Loshchilov and Hutter 2017, eq. 5,
    without restarts):  eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        _whole("T_max", T_max)
        number("eta_min", eta_min, ">= 0", 0)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    @property
    def floor(self) -> float:                 # type: ignore[override]
        return self.eta_min

    def formula(self, t: int, base: float, group: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * t / self.T_max)) / 2


class LambdaLR(LRScheduler):
    """Times a function of the step, one for all groups or one for each:  base lr_lambda(t).

    `state_dict` holds the attributes of functions that are objects; plain functions and lambdas are not saved.
    """

    overrides = True

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

    def formula(self, t: int, base: float, group: int) -> float:
        return base * self.lr_lambdas[group](t)

    def state_dict(self) -> dict[str, Any]:
        saved = [dict(vars(f)) if hasattr(f, "__dict__") and not isinstance(f, FunctionType) else None
                 for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": saved}

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        lambdas = self.lr_lambdas
        super()._load(state_dict)
        self.lr_lambdas = lambdas
        for function, saved in zip(lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                vars(function).update(saved)
