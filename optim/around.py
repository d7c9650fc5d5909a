"""Optimizers around another one, which gives the groups, the state and the step: when to step, and where from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad

from .checks import described, number
from .optimizer import Optimizer


class Around(Optimizer):
    """The base of them: all is the other optimizer's, but `step`.  Schedules are given either."""

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} goes around an Optimizer; got {described(optimizer)}")
        self.optimizer = optimizer

    @property
    def param_groups(self) -> Any:            # type: ignore[override]
        """The groups of the other optimizer."""
        return self.optimizer.param_groups

    @property
    def state(self) -> Any:                   # type: ignore[override]
        """The state of the other optimizer."""
        return self.optimizer.state

    @property
    def defaults(self) -> Any:                # type: ignore[override]
        """The settings of the other optimizer."""
        return self.optimizer.defaults

    def parameters(self) -> list[Tensor]:
        """All parameters of all groups."""
        return [p for group in self.param_groups for p in group["params"]]

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        self.optimizer.add_param_group(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.optimizer.zero_grad(set_to_none)

    def own_state(self) -> dict[str, Any]:
        """What a subclass remembers itself."""
        return {}

    def load_own_state(self, own: Mapping[str, Any]) -> None:
        """Take over what `own_state` gave."""

    def state_dict(self) -> dict[str, Any]:
        """That of the other optimizer, and under the name of this class what is remembered besides."""
        own = self.own_state()
        return {**self.optimizer.state_dict(), **({type(self).__name__: own} if own else {})}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`; one of the other optimizer alone will do."""
        self.optimizer.load_state_dict(state_dict)
        if type(self).__name__ in state_dict:
            self.load_own_state(state_dict[type(self).__name__])

    def __repr__(self) -> str:
        return f"{type(self).__name__} around {self.optimizer!r}"


def _loss(closure: Callable[[], Any] | None) -> Any:
    if closure is None:
        return None
    with enable_grad():
        return closure()


class Accumulate(Around):
    """A step for every `every` batches, with the mean of their gradients: large batches in little memory.

        optimizer = Accumulate(Adam(model.parameters()), every=4)

    and the loop stays as it is: `zero_grad` clears nothing between, so `backward` adds up; each fourth `step` acts.
    `flush()` steps with what there is, as at the end of an epoch.  With mean=False gradients are summed.
    Schedules that follow `step` should be stepped when `stepping` is True: after the calls that did something.
    """

    def __init__(self, optimizer: Optimizer, every: int, mean: bool = True) -> None:
        super().__init__(optimizer)
        number("every", every, "a whole number >= 1", 1)
        self.every, self.mean, self.waiting, self.stepping = int(every), mean, 0, False

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, unless they are still waiting for a step."""
        if not self.waiting:
            self.optimizer.zero_grad(set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Count a batch; with the last of `every`, step and let the next `zero_grad` clear."""
        loss = _loss(closure)
        self.waiting += 1
        self.stepping = False
        if self.waiting >= self.every:
            self.flush()
        return loss

    def flush(self) -> None:
        """Step now, with the gradients of the batches that wait, if there are any."""
        if not self.waiting:
            return
        if self.mean and self.waiting > 1:
            for p in self.parameters():
                if p.grad is not None:
                    p.grad = Tensor(p.grad.value * (1 / self.waiting))
        self.waiting, self.stepping = 0, True
        self.optimizer.step()
        self.optimizer.zero_grad()

    def own_state(self) -> dict[str, Any]:
        return {"waiting": self.waiting}

    def load_own_state(self, own: Mapping[str, Any]) -> None:
        self.waiting = int(own["waiting"])


class SkipNonFinite(Around):
    """No step where a gradient is infinite or NaN: one bad batch does not spoil the parameters and the averages.

    `skipped` counts them, `in_a_row` those since the last good step.  After `limit` in a row FloatingPointError says
    which parameter has the first bad gradient: then it is not the batch.
    """

    def __init__(self, optimizer: Optimizer, limit: int | None = None) -> None:
        super().__init__(optimizer)
        if limit is not None:
            number("limit", limit, "a whole number >= 1", 1)
        self.limit, self.skipped, self.in_a_row = limit, 0, 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step if all gradients are finite."""
        loss = _loss(closure)
        bad = self._bad()
        if not bad:
            self.in_a_row = 0
            self.optimizer.step()
            return loss
        self.skipped += 1
        self.in_a_row += 1
        if self.limit is not None and self.in_a_row >= self.limit:
            raise FloatingPointError(f"{self.in_a_row} steps in a row had gradients that are not finite, the first in "
                                     f"{bad}: lower lr, clip gradients, or see autograd.detect_anomaly()")
        return loss

    def _bad(self) -> str:
        """The first parameter whose gradient is not finite, in words; "" if there is none."""
        for number_of_group, group in enumerate(self.param_groups):
            for i, p in enumerate(group["params"]):
                if p.grad is not None and not np.isfinite(p.grad.value).all():
                    names = group.get("param_names")
                    return repr(names[i]) if names else f"parameter {i} of group {number_of_group}"
        return ""

    def own_state(self) -> dict[str, Any]:
        return {"skipped": self.skipped, "in_a_row": self.in_a_row}

    def load_own_state(self, own: Mapping[str, Any]) -> None:
        self.skipped, self.in_a_row = int(own["skipped"]), int(own["in_a_row"])


class SAM(Around):
    """Sharpness-aware minimization (Foret et al. 2021, algorithm 1): the gradient is taken uphill from here.

        e = rho g / |g|                   adaptive:  e = rho p^2 g / |p g|  (Kwon et al. 2021, eq. 7)
        p <- the other optimizer's step from p with the gradient at p + e

    `step(closure)` calls the closure twice: it clears the gradients, computes the loss, calls backward and returns it.
    """

    def __init__(self, optimizer: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        super().__init__(optimizer)
        number("rho", rho, ">= 0", 0)
        self.rho, self.adaptive = float(rho), adaptive

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; returns the loss before it."""
        if closure is None:
            raise TypeError("SAM takes the gradient at two places: call step(closure), the closure clearing the "
                            "gradients, calling backward and returning the loss")
        loss = _loss(closure)
        climbed = [p for p in self.parameters() if p.grad is not None]
        held = [p.value for p in climbed]
        uphill = [p.grad.value for p in climbed]           # type: ignore[union-attr]
        if self.adaptive:
            uphill = [g * np.abs(p) for g, p in zip(uphill, held)]
        length = float(np.linalg.norm([float(np.linalg.norm(np.ravel(g))) for g in uphill])) if uphill else 0.0
        if np.isfinite(length):
            for p, value, g in zip(climbed, held, uphill):
                p.value = value + self.rho / (length + 1e-12) * (g * np.abs(value) if self.adaptive else g)
        try:
            _loss(closure)
        finally:
            for p, value in zip(climbed, held):
                p.value = value
        self.optimizer.step()
        return loss


class Lookahead(Around):
    """k steps forward, one step back (Zhang et al. 2019, algorithm 1).

        every k steps:  slow <- slow + alpha (p - slow),  p <- slow
    """

    def __init__(self, optimizer: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        super().__init__(optimizer)
        number("k", k, "a whole number >= 1", 1)
        number("alpha", alpha, "in [0, 1]", 0, 1)
        self.k, self.alpha, self.count = int(k), float(alpha), 0
        self.slow = {p: p.value for p in self.parameters()}           # not copies: nobody writes into values

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """A step of the other optimizer, and each k-th time the step back."""
        params = self.parameters()
        for p in params:                                   # added since
            self.slow.setdefault(p, p.value)
        loss = self.optimizer.step(closure)
        self.count += 1
        if self.count % self.k == 0:
            for p in params:
                slow = self.slow[p]
                self.slow[p] = p.value = slow + self.alpha * (p.value - slow)
        return loss

    def own_state(self) -> dict[str, Any]:
        return {"count": self.count, "slow": [Tensor(np.array(self.slow.get(p, p.value))) for p in self.parameters()]}

    def load_own_state(self, own: Mapping[str, Any]) -> None:
        params, slow = self.parameters(), [np.asarray(x.value) for x in own["slow"]]
        if [x.shape for x in slow] != [p.shape for p in params]:
            raise ValueError("the slow weights of the state dict do not have the parameters' shapes: "
                             f"{[x.shape for x in slow]} and {[p.shape for p in params]}")
        self.slow = {p: np.array(x, p.dtype)[()] for p, x in zip(params, slow)}
        self.count = int(own["count"])
