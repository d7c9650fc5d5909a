"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import nextafter, sqrt
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class AdamWScheduleFree(Optimizer):
    """AdamW without a schedule and without knowing when training ends (Defazio et al. 2024, algorithm 1).

        y = (1 - b1) z + b1 x             the gradient g is taken here
        v <- b2 v + (1 - b2) g^2
        l = lr min(1, t / warmup_steps) sqrt(1 - b2^t)
        z <- z - l g / (sqrt(v) + eps sqrt(1 - b2^t)) - lr min(1, t / warmup_steps) weight_decay y
        x <- (1 - c) x + c z              c = w_t / (w_1 + ... + w_t),  w_t = t^r (largest rate)^weight_lr_power

    While training, parameters hold y.  x is what is to be evaluated and saved: call `optimizer.eval()` before (as
    `model.eval()`), and `optimizer.train()` to go on.  A step after `eval()` is an error.
    """

    slots = ("step", "exp_avg_sq", "z", "weight_sum", "lr_max")
    numbers = ("step", "weight_sum", "lr_max")
    decoupled = True

    def __init__(self, params: Iterable[Any], lr: float = 2.5e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, warmup_steps: int = 0, r: float = 0.0,
                 weight_lr_power: float = 2.0, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "warmup_steps": warmup_steps, "r": r, "weight_lr_power": weight_lr_power,
                                  "train_mode": True, "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        number("betas[0]", settings["betas"][0], "in (0, 1), since x is found from y and z by it", 5e-324,
               nextafter(1, 0))
        number("warmup_steps", settings["warmup_steps"], ">= 0", 0)
        for name in ("r", "weight_lr_power"):
            number(name, settings[name])

    def train(self) -> None:
        """Put y into the parameters, where gradients are to be taken."""
        self._move(True)

    def eval(self) -> None:
        """Put x into the parameters, the average that is to be evaluated."""
        self._move(False)

    def _move(self, train: bool) -> None:
        for group in self.param_groups:
            b1 = float(group["betas"][0])
            if group["train_mode"] != train:
                for p in group["params"]:
                    if "z" in self.state.get(p, ()):
                        z = self.state[p]["z"]
                        p.value = p.value + (z - p.value) * ((1 - b1) if train else (1 - 1 / b1))
            group["train_mode"] = train

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; RuntimeError after `eval()`."""
        if not all(group["train_mode"] for group in self.param_groups):
            raise RuntimeError("the parameters hold the average that is to be evaluated: call optimizer.train() before "
                               "computing gradients and stepping")
        return super().step(closure)

    def rule(self, group: Group) -> Update:
        b1, b2 = map(float, group["betas"])
        eps, decay, warmup = float(group["eps"]), float(group["weight_decay"]), float(group["warmup_steps"])
        r, power = float(group["r"]), float(group["weight_lr_power"])

        def update(y: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            lr = float(group["lr"]) * (min(1.0, t / warmup) if warmup else 1.0)
            s["lr_max"] = max(lr, s.get("lr_max", 0.0))
            weight = t**r * s["lr_max"]**power
            s["weight_sum"] = s.get("weight_sum", 0.0) + weight
            c = weight / s["weight_sum"] if s["weight_sum"] else 0.0
            v, z = s.get("exp_avg_sq", 0.0), s.get("z", y)
            v *= b2
            v += (1 - b2) * g * g
            d = np.sqrt(v)
            d *= 1 / sqrt(1 - b2**t)
            d += eps
            d = g / d
            if decay:
                d += decay * y
            s["exp_avg_sq"], s["z"] = v, z - lr * d
            return y + c * (z - y) + lr * (b1 * (1 - c) - 1) * d       # of x only y and z are kept
        return update
