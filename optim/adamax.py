"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .checks import Group
from .optimizer import Optimizer, State, Update


class Adamax(Optimizer):
    """Adam with the maximum norm (Kingma and Ba 2015, algorithm 2).

        m <- b1 m + (1 - b1) g
        u <- max(b2 u, |g| + eps)
        p <- p - lr / (1 - b1^t) m / u
    """

    slots = ("step", "exp_avg", "exp_inf")

    def __init__(self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "maximize": maximize}, flags)

    def rule(self, group: Group) -> Update:
        lr, eps = float(group["lr"]), float(group["eps"])
        b1, b2 = map(float, group["betas"])

        def update(p: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            m, u = s.get("exp_avg", 0.0), s.get("exp_inf", np.zeros_like(g)[()])
            m *= b1
            m += (1 - b1) * g
            size = np.abs(g)
            size += eps
            u *= b2
            u = np.maximum(u, size)
            s["exp_avg"], s["exp_inf"] = m, u
            d = m / u
            d *= -lr / (1 - b1**t)
            d += p
            return d
        return update
