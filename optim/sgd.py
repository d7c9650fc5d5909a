"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


@lru_cache(64)
def rate(lr: float, dtype: Any) -> Any:
    """The rate as a 0-d array, half as dear to a ufunc as a Python number."""
    return np.array(lr, dtype)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013).

        b <- mu b + (1 - tau) g           (b = g in the first step)
        p <- p - lr b                     nesterov:  p <- p - lr (g + mu b)

    with mu `momentum` and tau `dampening`.  In this form, PyTorch's, a change of lr acts on the whole of b; in the
    papers' it acts on the newest gradient only.
    """

    optional_slots = ("momentum_buffer",)
    large = inf                               # too few operations for pieces to pay

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening,
                                  "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        number("dampening", settings["dampening"])
        if settings["nesterov"] and (settings["momentum"] <= 0 or settings["dampening"] != 0):
            raise ValueError("nesterov needs momentum > 0 and dampening 0; "
                             f"got momentum {settings['momentum']}, dampening {settings['dampening']}")

    def rule(self, group: Group) -> Update:
        lr, mu, tau = float(group["lr"]), float(group["momentum"]), float(group["dampening"])
        nesterov = group["nesterov"]

        def plain(p: Any, g: Any, s: State) -> Any:
            return p - (rate(lr, p.dtype) if p.ndim else lr) * g

        def with_momentum(p: Any, g: Any, s: State) -> Any:
            b = s.get("momentum_buffer")
            if b is None:
                b = g.copy()                  # g is not ours to write to in later steps
            else:
                b *= mu
                b += g if tau == 0 else (1 - tau) * g
            s["momentum_buffer"] = b
            p_new = -lr * (g + mu * b if nesterov else b)
            p_new += p
            return p_new
        return with_momentum if mu else plain
