"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012, algorithm 1), with a rate.

        v <- rho v + (1 - rho) g^2
        d <- sqrt(u + eps) / sqrt(v + eps) g
        u <- rho u + (1 - rho) d^2
        p <- p - lr d
    """

    slots = ("step", "square_avg", "acc_delta")

    def __init__(self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6,
                 weight_decay: float = 0, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay,
                                  "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        number("rho", settings["rho"], "in [0, 1]", 0, 1)

    def rule(self, group: Group) -> Update:
        lr, rho, eps = (float(group[name]) for name in ("lr", "rho", "eps"))

        def update(p: Any, g: Any, s: State) -> Any:
            s["step"] = s.get("step", 0) + 1
            v, u = s.get("square_avg", 0.0), s.get("acc_delta", np.zeros_like(g)[()])
            v *= rho
            v += (1 - rho) * g * g
            d = np.sqrt(u + eps)
            d /= np.sqrt(v + eps)
            d *= g
            u *= rho
            u += (1 - rho) * d * d
            s["square_avg"], s["acc_delta"] = v, u
            d *= -lr
            d += p
            return d
        return update
