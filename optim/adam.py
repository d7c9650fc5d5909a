"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np

from .checks import Group
from .optimizer import Optimizer, State, Update


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1).

        m <- b1 m + (1 - b1) g            m^ = m / (1 - b1^t)
        v <- b2 v + (1 - b2) g^2          v^ = v / (1 - b2^t)
        p <- p - lr m^ / (sqrt(v^) + eps)

    `amsgrad` puts the largest v so far in the place of v in v^ (Reddi, Kale and Kumar 2018, algorithm 2);
    `decoupled_weight_decay` is what `AdamW` is.
    """

    slots = ("step", "exp_avg", "exp_avg_sq")
    optional_slots = ("max_exp_avg_sq",)

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False,
                 decoupled_weight_decay: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "amsgrad": amsgrad, "maximize": maximize,
                                  "decoupled_weight_decay": decoupled_weight_decay}, flags)

    def rule(self, group: Group) -> Update:
        lr, eps = float(group["lr"]), float(group["eps"])
        b1, b2 = map(float, group["betas"])
        keep = 1 - lr * float(group["weight_decay"]) if group["decoupled_weight_decay"] else 1.0
        amsgrad = group["amsgrad"]

        @lru_cache(4)
        def factors(t: int, dtype: Any) -> list[Any]:
            """What the arrays are multiplied with at step t; for arrays, arrays of their dtype: half as dear."""
            c1, c2 = 1 - b1**t, sqrt(1 - b2**t)            # taken out of the arrays, as at the end of section 2:
            numbers = (b1, 1 - b1, b2, (1 - b2) / (1 - b1),     # m^ / (sqrt(v^) + eps) = c2/c1 m / (sqrt(v) + c2 eps)
                       c2 * eps, -lr * c2 / c1)
            return [np.array(x, dtype) for x in numbers] if dtype else list(numbers)

        def update(p: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            old_m, new_m, old_v, ratio, small, rate = factors(t, p.dtype if p.ndim else None)
            m, v = s.get("exp_avg", 0.0), s.get("exp_avg_sq", 0.0)
            d = new_m * g                                  # the one array that is made: it becomes the new p
            m *= old_m
            m += d
            d *= ratio
            d *= g                                         # (1 - b2) g^2, in an order that is last to overflow
            v *= old_v
            v += d
            s["exp_avg"], s["exp_avg_sq"] = m, v
            if amsgrad:
                v = s["max_exp_avg_sq"] = np.maximum(s.get("max_exp_avg_sq", 0.0), v)
            d = np.sqrt(v, d) if p.ndim else np.sqrt(v)
            d += small
            d = np.divide(m, d, d) if p.ndim else m / d
            d *= rate
            d += p if keep == 1 else keep * p
            return d
        return update


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2, its schedule multiplier within lr).

        p <- (1 - lr weight_decay) p      before each step of Adam

    instead of adding weight_decay p to the gradient, where Adam would divide it by sqrt(v^) as well.
    """

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
                 **flags: Any) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize,
                         decoupled_weight_decay=True, **flags)
