"""Schedules that begin with a warm-up: a straight line from 0 to the base rate in `warmup_steps` steps.

They count optimizer steps, so `step()` them after each `optimizer.step()`.
"""

from __future__ import annotations

from math import cos, pi, sqrt

from ..checks import number
from ..optimizer import Optimizer
from .scheduler import LRScheduler, whole


class WarmupLR(LRScheduler):
    """A line up, then level:  base min(1, t / warmup_steps).  The base of the others, which give `after`."""

    def __init__(self, optimizer: Optimizer, warmup_steps: int, last_epoch: int = -1) -> None:
        number("warmup_steps", warmup_steps, "a whole number >= 0", 0)
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, last_epoch)

    def formula(self, t: float, base: float, group: int) -> float:
        return base * (t / self.warmup_steps if t < self.warmup_steps else self.after(t))

    def after(self, t: float) -> float:
        """The share of the base rate at step t >= warmup_steps."""
        return 1.0


class _ToTheEnd(WarmupLR):
    def __init__(self, optimizer: Optimizer, warmup_steps: int, total_steps: int, last_epoch: int = -1) -> None:
        whole("total_steps", total_steps)
        number("warmup_steps", warmup_steps, f"in [0, total_steps] = [0, {total_steps}]", 0, total_steps)
        self.total_steps = total_steps
        super().__init__(optimizer, warmup_steps, last_epoch)

    def share(self, t: float) -> float:
        """How much of the way from the end of the warm-up to the end is gone, in [0, 1]."""
        return min(1.0, (t - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps))


class WarmupLinearLR(_ToTheEnd):
    """A line up, then a line down to 0 at total_steps (Devlin et al. 2019, BERT)."""

    def after(self, t: float) -> float:
        return 1 - self.share(t)


class WarmupCosineLR(_ToTheEnd):
    """A line up, then half a cosine down to `min_factor` of the base rate at total_steps."""

    def __init__(self, optimizer: Optimizer, warmup_steps: int, total_steps: int, min_factor: float = 0.0,
                 last_epoch: int = -1) -> None:
        number("min_factor", min_factor, "in [0, 1]", 0, 1)
        self.min_factor = min_factor
        super().__init__(optimizer, warmup_steps, total_steps, last_epoch)

    def after(self, t: float) -> float:
        return self.min_factor + (1 - self.min_factor) * (1 + cos(pi * self.share(t))) / 2


class WarmupStableDecayLR(_ToTheEnd):
    """A line up, then level, then in the last `decay_steps` of total_steps a line down to `min_factor` of the base
    rate (WSD of Hu et al. 2024, MiniCPM)."""

    def __init__(self, optimizer: Optimizer, warmup_steps: int, decay_steps: int, total_steps: int,
                 min_factor: float = 0.0, last_epoch: int = -1) -> None:
        number("decay_steps", decay_steps, ">= 0", 0)
        number("min_factor", min_factor, "in [0, 1]", 0, 1)
        if warmup_steps + decay_steps > total_steps:
            raise ValueError(f"warm-up and decay must fit into total_steps = {total_steps}; "
                             f"got {warmup_steps} + {decay_steps}")
        self.decay_steps, self.min_factor = decay_steps, min_factor
        super().__init__(optimizer, warmup_steps, total_steps, last_epoch)

    def after(self, t: float) -> float:
        left = max(0.0, self.total_steps - t)
        return self.min_factor + (1 - self.min_factor) * min(1.0, left / self.decay_steps if self.decay_steps else 1.0)


class WarmupInverseSqrtLR(WarmupLR):
    """A line up, then with the inverse square root of the step:  base sqrt(warmup_steps / t)  (Vaswani et al. 2017,
    section 5.3; theirs has base = d_model^(-1/2) warmup_steps^(-1/2))."""

    def after(self, t: float) -> float:
        return sqrt(max(1, self.warmup_steps) / max(1, t))
