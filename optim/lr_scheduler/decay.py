"""Schedules with a formula of few terms: steps, lines, powers and half a cosine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import cos, pi, prod

from ..checks import number
from ..optimizer import Optimizer
from .scheduler import LRScheduler, OfFunctions, whole


class StepLR(LRScheduler):
    """Times gamma every `step_size` steps:  base gamma^floor(t / step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        whole("step_size", step_size)
        number("gamma", gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """Times gamma at each milestone:  base gamma^(number of milestones <= t)."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
                 ) -> None:
        number("gamma", gamma)
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * self.gamma ** sum(n for milestone, n in self.milestones.items() if milestone <= t)


class ConstantLR(LRScheduler):
    """Times `factor` for the first `total_iters` steps:  base factor, then base."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        number("factor", factor, "in [0, 1]", 0, 1)
        number("total_iters", total_iters, ">= 0", 0)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * self.factor if t < self.total_iters else base


class LinearLR(LRScheduler):
    """A straight line from `start_factor` to `end_factor` in `total_iters` steps, then level (the warm-up of Goyal et
    al. 2017):  base (start + (end - start) min(t, total_iters) / total_iters)."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1) -> None:
        number("start_factor", start_factor, "in (0, 1]", 5e-324, 1)
        number("end_factor", end_factor, "in [0, 1]", 0, 1)
        whole("total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * (self.start_factor
                       + (self.end_factor - self.start_factor) * min(t, self.total_iters) / self.total_iters)


class ExponentialLR(LRScheduler):
    """Times gamma every step:  base gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        number("gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * self.gamma**t


class PolynomialLR(LRScheduler):
    """A power of what is left of `total_iters` steps, then 0:  base (1 - min(t, total_iters) / total_iters)^power."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        whole("total_iters", total_iters)
        number("power", power)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * (1.0 - min(t, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the base rate to `eta_min` in `T_max` steps, then back up (Loshchilov and Hutter 2017, eq. 5,
    without restarts):  eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        whole("T_max", T_max)
        number("eta_min", eta_min, ">= 0", 0)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def floor(self, group: int) -> float:
        return self.eta_min

    def formula(self, t: float, base: float, group: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * t / self.T_max)) / 2


class LambdaLR(OfFunctions):
    """Times a function of the step, one for all groups or one for each:  base lr_lambda(t).

    `state_dict` holds the attributes of functions that are objects; plain functions and lambdas are not saved.
    """

    overrides = True

    def formula(self, t: float, base: float, group: int) -> float:
        return base * self.lr_lambdas[group](t)            # type: ignore[arg-type]


class MultiplicativeLR(OfFunctions):
    """Times a function of the step at every step from 1 on:  base lr_lambda(1) lr_lambda(2) ... lr_lambda(t).

    One function for all groups or one for each; `state_dict` as in LambdaLR.
    """

    def formula(self, t: float, base: float, group: int) -> float:
        return prod((self.lr_lambdas[group](k) for k in range(1, int(t) + 1)), start=base)

    def next_lr(self, t: int, lr: float, group: int) -> float:
        return lr * self.lr_lambdas[group](t) if t else lr
