"""Schedules that rise and fall: warm restarts, cycles, one cycle; the momentum may go the other way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import cos, floor, inf, pi
from typing import Any

from ..checks import described, number
from ..optimizer import Optimizer
from .scheduler import LRScheduler, attributes_of, for_each_group, whole


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the base rate to `eta_min`, again and again (Loshchilov and Hutter 2017, SGDR, eq. 5):

        eta_min + (base - eta_min) (1 + cos(pi T_cur / T_i)) / 2

    with T_cur steps since the last restart, and T_i = T_0, T_0 T_mult, T_0 T_mult^2, ... steps between two.
    `step(epoch)` takes fractions, as in `step(epoch + batch / batches)`.
    """

    overrides = True

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
                 ) -> None:
        whole("T_0", T_0)
        whole("T_mult", T_mult)
        number("eta_min", eta_min)
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def position(self, t: float) -> tuple[float, int]:
        """(T_cur, T_i) at step t."""
        if self.T_mult == 1:
            return t % self.T_0, self.T_0
        length = self.T_0
        while t >= length:
            t, length = t - length, length * self.T_mult
        return t, length

    def formula(self, t: float, base: float, group: int) -> float:
        return self._at(*self.position(t), base)

    def _at(self, t: float, length: int, base: float) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * t / length)) / 2

    def get_lr(self) -> list[float]:
        if self._step_count == 1:
            self.T_cur, self.T_i = self.position(self.last_epoch)
        else:                                              # from where it is, which may be a fraction of a step
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur, self.T_i = self.T_cur - self.T_i, self.T_i * self.T_mult
        return [self._at(self.T_cur, self.T_i, base) for base in self.base_lrs]

    def goto(self, epoch: float) -> None:
        number("epoch", epoch, ">= 0", 0)
        self.T_cur, self.T_i = self.position(epoch)
        super().goto(epoch)


class WithMomentum(LRScheduler):
    """Base of the schedules that move the momentum, or Adam's b1, against the rate, if `cycle_momentum`."""

    overrides = True
    cycle_momentum: bool
    use_beta1: bool

    def momentum(self, step: float, group: int = 0) -> float:
        """The momentum at a step; changes nothing."""
        raise NotImplementedError(f"{type(self).__name__} must define momentum(step, group)")

    def _choose_momentum(self, optimizer: Optimizer, base: Any, most: Any, last_epoch: int
                         ) -> tuple[list[float], list[float]]:
        self._check_optimizer(optimizer)
        if not {"momentum", "betas"} & optimizer.defaults.keys():
            raise ValueError(f"cycle_momentum needs an optimizer with momentum or betas; {type(optimizer).__name__} "
                             "has neither: pass cycle_momentum=False")
        self.use_beta1 = "betas" in optimizer.defaults
        lows = for_each_group("base_momentum", base, optimizer)
        highs = for_each_group("max_momentum", most, optimizer)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, lows, highs):
                group["max_momentum"], group["base_momentum"] = high, low
        return lows, highs

    def joined(self, group: dict[str, Any]) -> None:
        raise ValueError(f"{type(self).__name__} has a highest rate for each parameter group, and none for the one "
                         "that was added: make the schedule after all groups")

    def set(self, rates: list[float]) -> None:
        super().set(rates)
        if self.cycle_momentum:
            for i, group in enumerate(self.optimizer.param_groups):
                momentum = self.momentum(self.last_epoch, i)
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum


class CyclicLR(WithMomentum):
    """Up from `base_lr` to `max_lr` in `step_size_up` steps, down in `step_size_down`, and again (Smith 2017):

        base_lr + (max_lr - base_lr) h(t) scale(c)      h from 0 to 1 and back;  c = 1, 2, ... counts the cycles

    scale is 1 ("triangular"), 2^(1 - c) ("triangular2"), gamma^t ("exp_range"), or `scale_fn` of c (scale_mode "cycle")
    or of t ("iterations").  With `cycle_momentum` the momentum goes from max_momentum down to base_momentum and back.
    """

    unsaved = ("optimizer", "_scale_fn_custom", "_starts")

    def __init__(self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
                 step_size_up: int = 2000, step_size_down: int | None = None, mode: str = "triangular",
                 gamma: float = 1.0, scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle",
                 cycle_momentum: bool = True, base_momentum: float | list[float] = 0.8,
                 max_momentum: float | list[float] = 0.9, last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
        base_lrs = for_each_group("base_lr", base_lr, optimizer)
        self.max_lrs = for_each_group("max_lr", max_lr, optimizer)
        number("step_size_up", step_size_up, "> 0", 5e-324)
        down = step_size_up if step_size_down is None else step_size_down
        number("step_size_down", down, "> 0", 5e-324)
        self.total_size = float(step_size_up) + float(down)
        self.step_ratio = float(step_size_up) / self.total_size
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"mode must be 'triangular', 'triangular2' or 'exp_range', or give scale_fn; got {mode!r}")
        if scale_fn is not None and not callable(scale_fn):
            raise TypeError(f"scale_fn must be a function; got {described(scale_fn)}")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"scale_mode must be 'cycle' or 'iterations'; got {scale_mode!r}")
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._choose_momentum(optimizer, base_momentum, max_momentum,
                                                                            last_epoch)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs):
                group["lr"] = lr
        self._starts = base_lrs
        super().__init__(optimizer, last_epoch)

    def restart(self) -> None:
        self.base_lrs = self._starts
        super().restart()

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, of its number or of the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 2.0 ** (1 - x) if self.mode == "triangular2" else self.gamma**x

    def height(self, t: float) -> float:
        """What the rate is of the way from base_lr to max_lr at step t."""
        cycle = floor(1 + t / self.total_size)
        x = 1.0 + t / self.total_size - cycle
        rise = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        return rise * self.scale_fn(cycle if self.scale_mode == "cycle" else t)

    def formula(self, t: float, base: float, group: int) -> float:
        return base + (self.max_lrs[group] - base) * self.height(t)

    def momentum(self, step: float, group: int = 0) -> float:
        high = self.max_momentums[group]
        return high - (high - self.base_momentums[group]) * self.height(step)

    def state_dict(self) -> dict[str, Any]:
        function = self._scale_fn_custom
        return {**super().state_dict(), "_scale_fn_custom": None if function is None else attributes_of(function)}

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        function = self._scale_fn_custom
        super()._load(state_dict)
        self._scale_fn_custom = function
        if state_dict["_scale_fn_custom"] is not None:
            vars(function).update(state_dict["_scale_fn_custom"])


class OneCycleLR(WithMomentum):
    """Up to `max_lr` and down to next to nothing, once (Smith and Topin 2018, super-convergence):

        max_lr / div_factor -> max_lr -> max_lr / (div_factor final_div_factor)

    along half a cosine ("cos") or a line ("linear"), the way up taking `pct_start` of `total_steps` (or of epochs times
    steps_per_epoch) steps.  With `three_phase` the way down mirrors the way up, and the rest goes to the end.  With
    `cycle_momentum` the momentum goes from max_momentum down to base_momentum and back.
    """

    def __init__(self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
                 epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: str = "cos", cycle_momentum: bool = True,
                 base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
                 div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
                 last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR must know its end: give total_steps, or epochs and steps_per_epoch")
            whole("epochs", epochs)
            whole("steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        whole("total_steps", total_steps)
        number("pct_start", pct_start, "in [0, 1]", 0, 1)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear'; got {anneal_strategy!r}")
        number("div_factor", div_factor, "> 0", 5e-324)
        number("final_div_factor", final_div_factor, "> 0", 5e-324)
        tops = for_each_group("max_lr", max_lr, optimizer)
        self.total_steps, self._anneal_func_type = total_steps, anneal_strategy
        top, last = float(pct_start * total_steps) - 1, total_steps - 1
        low_high = {"start_lr": "initial_lr", "end_lr": "max_lr", "start_momentum": "max_momentum",
                    "end_momentum": "base_momentum"}
        high_low = {"start_lr": "max_lr", "end_lr": "initial_lr", "start_momentum": "base_momentum",
                    "end_momentum": "max_momentum"}
        self._schedule_phases: list[dict[str, Any]] = [{"end_step": top, **low_high}]
        if three_phase:
            self._schedule_phases += [
                {"end_step": float(2 * pct_start * total_steps) - 2, **high_low},
                {"end_step": last, **high_low, "start_lr": "initial_lr", "end_lr": "min_lr",
                 "start_momentum": "max_momentum"}]
        else:
            self._schedule_phases.append({"end_step": last, **high_low, "end_lr": "min_lr"})
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._choose_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        if last_epoch == -1:
            for group, high in zip(optimizer.param_groups, tops):
                group["initial_lr"], group["max_lr"] = high / div_factor, high
                group["min_lr"] = high / div_factor / final_div_factor
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return self._between("start_lr", "end_lr", t, group)

    def momentum(self, step: float, group: int = 0) -> float:
        return self._between("start_momentum", "end_momentum", step, group)

    def _between(self, start: str, end: str, t: float, group: int) -> float:
        """The value at step t between those of the settings that its phase names."""
        if not 0 <= t <= self.total_steps:
            raise ValueError(f"this OneCycleLR is for {self.total_steps} steps; got step {t}: give total_steps what "
                             "the whole training takes")
        begun = 0.0
        for phase in self._schedule_phases:
            if t <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            begun = phase["end_step"]
        length = phase["end_step"] - begun
        share = (t - begun) / length if length else inf
        settings = self.optimizer.param_groups[group]
        a, b = settings[phase[start]], settings[phase[end]]
        if share == inf:                                   # a phase of no length is over when it begins
            return b
        return b + (a - b) / 2.0 * (cos(pi * share) + 1) if self._anneal_func_type == "cos" else (b - a) * share + a
