"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky 1992; the rates of Xu 2011, algorithm 2).

        p  <- (1 - lambd eta) p - eta g
        a  <- a + mu (p - a)              the average, `state[p]["ax"]`: what to evaluate the model with
        eta <- lr / (1 + lambd lr t)^alpha          mu <- 1 / max(1, t - t0)

    with eta = lr and mu = 1 in the first step.  Averaging begins after `t0` steps; until then a = p.
    """

    slots = ("step", "eta", "mu", "ax")
    numbers = ("step", "eta", "mu")

    def __init__(self, params: Iterable[Any], lr: float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
                 t0: float = 1e6, weight_decay: float = 0, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                                  "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        for name in ("lambd", "alpha", "t0"):
            number(name, settings[name])

    def rule(self, group: Group) -> Update:
        lr, lambd, alpha, t0 = (float(group[name]) for name in ("lr", "lambd", "alpha", "t0"))

        def update(p: Any, g: Any, s: State) -> Any:
            t, eta, mu = s.get("step", 0) + 1, s.get("eta", lr), s.get("mu", 1.0)
            p_new = (1 - lambd * eta) * p
            p_new -= eta * g
            if mu == 1:
                s["ax"] = np.copy(p_new) if p_new.ndim else p_new
            else:
                s["ax"] += mu * (p_new - s["ax"])
            s["step"], s["eta"], s["mu"] = t, lr / (1 + lambd * lr * t) ** alpha, 1 / max(1, t - t0)
            return p_new
        return update
