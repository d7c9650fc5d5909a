"""Lion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .checks import Group
from .optimizer import Optimizer, State, Update


class Lion(Optimizer):
    """Lion, evolved sign momentum (Chen et al. 2023, algorithm 2).

        c = sign(b1 m + (1 - b1) g)
        p <- p - lr (c + weight_decay p)
        m <- b2 m + (1 - b2) g

    Every element moves by lr, so lr is three to ten times smaller than Adam's, and weight_decay as much larger.
    """

    slots = ("exp_avg",)
    decoupled = True

    def __init__(self, params: Iterable[Any], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99),
                 weight_decay: float = 0, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}, flags)

    def rule(self, group: Group) -> Update:
        lr = float(group["lr"])
        keep = 1 - lr * float(group["weight_decay"])
        b1, b2 = map(float, group["betas"])

        def update(p: Any, g: Any, s: State) -> Any:
            m = s.get("exp_avg", 0.0)
            c = (1 - b1) * g
            c += b1 * m
            c = np.sign(c)
            c *= -lr
            c += p if keep == 1 else keep * p
            m *= b2
            m += (1 - b2) * g
            s["exp_avg"] = m
            return c
        return update
