"""Resilient backpropagation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, nextafter
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class Rprop(Optimizer):
    """Resilient backpropagation (Riedmiller and Braun 1993), without the step back (iRprop- of Igel and Hüsken 2000).

        d <- min(eta+ d, max)  where g g' > 0         g' the gradient of the step before, d = lr at first
        d <- max(eta- d, min)  where g g' < 0, and there g <- 0
        p <- p - sign(g) d

    with (eta-, eta+) `etas` and (min, max) `step_sizes`.  For whole batches: only the signs of gradients count.
    """

    slots = ("step", "prev", "step_size")

    def __init__(self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        for name in ("etas", "step_sizes"):
            if not isinstance(settings[name], (tuple, list)) or len(settings[name]) != 2:
                raise ValueError(f"{name} must be two numbers; got {settings[name]!r}")
        number("etas[0]", settings["etas"][0], "in (0, 1)", 5e-324, nextafter(1, 0))
        number("etas[1]", settings["etas"][1], "> 1", nextafter(1, 2), inf)
        low, high = settings["step_sizes"]
        number("step_sizes[0]", low, ">= 0", 0)
        number("step_sizes[1]", high, f">= step_sizes[0] = {low}", float(low))

    def rule(self, group: Group) -> Update:
        lr = float(group["lr"])
        less, more = map(float, group["etas"])
        low, high = map(float, group["step_sizes"])

        def update(p: Any, g: Any, s: State) -> Any:
            s["step"] = s.get("step", 0) + 1
            one = p.dtype.type(1)                          # numbers of its own dtype: `where` knows no weak ones
            turned = np.sign(g * s.get("prev", np.zeros_like(g)[()]))
            d = s.get("step_size", lr * one)
            d = d * np.where(turned > 0, more * one, np.where(turned < 0, less * one, one))
            s["step_size"] = d = np.clip(d, low, high)
            s["prev"] = g = np.where(turned < 0, 0 * one, g)[()]
            return p - np.sign(g) * d
        return update
