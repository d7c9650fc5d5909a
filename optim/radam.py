"""RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from .checks import Group
from .optimizer import Optimizer, State, Update


class RAdam(Optimizer):
    """Rectified Adam (Liu et al. 2020, algorithm 2).

        m <- b1 m + (1 - b1) g            m^ = m / (1 - b1^t)
        v <- b2 v + (1 - b2) g^2
        rho_inf = 2 / (1 - b2) - 1        rho = rho_inf - 2 t b2^t / (1 - b2^t)
        r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho))
        p <- p - lr r m^ sqrt(1 - b2^t) / (sqrt(v) + eps)   if rho > 5
        p <- p - lr m^                                      otherwise: too few gradients to trust v

    With `decoupled_weight_decay` the weights shrink as in AdamW, before the step and apart from the gradient.
    """

    slots = ("step", "exp_avg", "exp_avg_sq")

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, decoupled_weight_decay: bool = False, *,
                 maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}, flags)

    def rule(self, group: Group) -> Update:
        lr, eps = float(group["lr"]), float(group["eps"])
        b1, b2 = map(float, group["betas"])
        keep = 1 - lr * float(group["weight_decay"]) if group["decoupled_weight_decay"] else 1.0
        longest = 2 / (1 - b2) - 1

        def update(p: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            m, v = s.get("exp_avg", 0.0), s.get("exp_avg_sq", 0.0)
            m *= b1
            m += (1 - b1) * g
            v *= b2
            v += (1 - b2) * g * g
            s["exp_avg"], s["exp_avg_sq"] = m, v
            rate = -lr / (1 - b1**t)
            rho = longest - 2 * t * b2**t / (1 - b2**t)
            if rho > 5:
                r = sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
                d = np.sqrt(v)
                d += eps
                d = m / d
                d *= rate * r * sqrt(1 - b2**t)
            else:
                d = rate * m
            d += p if keep == 1 else keep * p
            return d
        return update
