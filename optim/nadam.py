"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from .checks import Group
from .optimizer import Optimizer, State, Update


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016, algorithm 2).

        mu_t = b1 (1 - 0.96^(t momentum_decay) / 2)         M_t = mu_1 ... mu_t
        m <- b1 m + (1 - b1) g
        v <- b2 v + (1 - b2) g^2
        m^ = mu_(t+1) / (1 - M_(t+1)) m + (1 - mu_t) / (1 - M_t) g
        p <- p - lr m^ / (sqrt(v / (1 - b2^t)) + eps)

    With `decoupled_weight_decay` the weights shrink as in AdamW, before the step and apart from the gradient.
    """

    slots = ("step", "mu_product", "exp_avg", "exp_avg_sq")
    numbers = ("step", "mu_product")

    def __init__(self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3,
                 decoupled_weight_decay: bool = False, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "momentum_decay": momentum_decay, "maximize": maximize,
                                  "decoupled_weight_decay": decoupled_weight_decay}, flags)

    def rule(self, group: Group) -> Update:
        lr, eps, psi = (float(group[name]) for name in ("lr", "eps", "momentum_decay"))
        b1, b2 = map(float, group["betas"])
        keep = 1 - lr * float(group["weight_decay"]) if group["decoupled_weight_decay"] else 1.0

        def update(p: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            mu, mu_next = (b1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
            product = s["mu_product"] = s.get("mu_product", 1.0) * mu
            m, v = s.get("exp_avg", 0.0), s.get("exp_avg_sq", 0.0)
            m *= b1
            m += (1 - b1) * g
            v *= b2
            v += (1 - b2) * g * g
            s["exp_avg"], s["exp_avg_sq"] = m, v
            d = np.sqrt(v)
            d *= 1 / sqrt(1 - b2**t)
            d += eps
            look = mu_next / (1 - product * mu_next) * m
            look += (1 - mu) / (1 - product) * g
            look /= d
            look *= -lr
            look += p if keep == 1 else keep * p
            return look
        return update
