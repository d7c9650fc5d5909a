"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012, lecture 6.5); centered and with momentum (Graves 2013, eqs. 38 to 45).

        n <- alpha n + (1 - alpha) g^2
        m <- alpha m + (1 - alpha) g      centered; otherwise m = 0
        b <- mu b + g / (sqrt(n - m^2) + eps)
        p <- p - lr b

    with mu `momentum`.  Graves has eps inside the root; here it is outside, as in PyTorch.
    """

    slots = ("step", "square_avg")
    optional_slots = ("momentum_buffer", "grad_avg")

    def __init__(self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False, *, maximize: bool = False,
                 **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        number("alpha", settings["alpha"], "in [0, 1]", 0, 1)

    def rule(self, group: Group) -> Update:
        lr, alpha, eps, mu = (float(group[name]) for name in ("lr", "alpha", "eps", "momentum"))
        centered = group["centered"]

        def update(p: Any, g: Any, s: State) -> Any:
            s["step"] = s.get("step", 0) + 1
            n = s.get("square_avg", 0.0)
            n *= alpha
            n += (1 - alpha) * g * g
            s["square_avg"] = n
            if centered:
                m = s.get("grad_avg", 0.0)
                m *= alpha
                m += (1 - alpha) * g
                s["grad_avg"] = m
                n = np.maximum(n - m * m, 0.0)             # a variance, which rounding may leave below zero
            d = np.sqrt(n)
            d += eps
            d = g / d
            if mu:
                b = s.get("momentum_buffer", 0.0)
                b *= mu
                b += d
                s["momentum_buffer"] = d = b
            p_new = -lr * d
            p_new += p
            return p_new
        return update
