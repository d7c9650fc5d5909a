"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .checks import Group
from .optimizer import Optimizer, State, Update


class Adagrad(Optimizer):
    """Adagrad with a diagonal matrix (Duchi, Hazan and Singer 2011, figure 1).

        h <- h + g^2                      (h = initial_accumulator_value before the first step)
        p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(h) + eps)
    """

    slots = ("step", "sum")

    def __init__(self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False,
                 **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "maximize": maximize}, flags)

    def rule(self, group: Group) -> Update:
        lr, decay, eps, start = (float(group[name])
                                 for name in ("lr", "lr_decay", "eps", "initial_accumulator_value"))

        def update(p: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            h = s.get("sum", start)
            h += g * g
            s["sum"] = h
            d = np.sqrt(h)
            d += eps
            d = g / d
            d *= -lr / (1 + (t - 1) * decay)
            d += p
            return d
        return update
