"""Adafactor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, sqrt
from typing import Any

import numpy as np

from autograd import Tensor

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern 2018, algorithms 4 and 5), with the settings of PyTorch.

        w = t^beta2_decay                 rho = min(lr, 1 / sqrt(t))         alpha = max(eps2, RMS(p)) rho
        R <- R + w (mean of G^2 over columns - R)            C <- C + w (mean of G^2 over rows - C)
        V = R C / max(mean of R, eps1)    matrices; for vectors  V <- V + w (G^2 - V)
        U = G / max(sqrt(V), eps1)
        p <- (1 - lr weight_decay) p - alpha / max(1, RMS(U) / d) U

    A matrix (n, m) needs n + m numbers of state, not n m; axes before the last two are matrices side by side.
    `eps` is (eps1, eps2), eps1 None standing for the distance of 1 from the next number in the parameter's dtype.
    The paper has 0.01 in the place of lr in rho, and eps1 within the means.
    """

    slots = ("step",)
    optional_slots = ("row_var", "col_var", "variance")
    decoupled = True
    elementwise = False

    def __init__(self, params: Iterable[Any], lr: float = 1e-2, beta2_decay: float = -0.8,
                 eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
                 maximize: bool = False, **flags: Any) -> None:
        super().__init__(params, {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
                                  "weight_decay": weight_decay, "maximize": maximize}, flags)

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check({name: value for name, value in settings.items() if name != "eps"})
        eps = settings["eps"]
        if not isinstance(eps, (tuple, list)) or len(eps) != 2:
            raise ValueError(f"eps must be (eps1, eps2); got {eps!r}")
        if eps[0] is not None:
            number("eps[0]", eps[0], ">= 0 or None", 0)
        number("eps[1]", eps[1], ">= 0", 0)
        number("beta2_decay", settings["beta2_decay"], "<= 0", -inf, 0)
        number("d", settings["d"], ">= 1", 1)

    def slot_shape(self, name: str, p: Tensor) -> tuple[int, ...]:
        if name == "row_var":
            return (*p.shape[:-1], 1)
        return (*p.shape[:-2], 1, p.shape[-1]) if name == "col_var" else p.shape

    def rule(self, group: Group) -> Update:
        lr, decay, d, shrink = (float(group[name]) for name in ("lr", "beta2_decay", "d", "weight_decay"))
        eps1, eps2 = group["eps"]

        def update(p: Any, g: Any, s: State) -> Any:
            t = s["step"] = s.get("step", 0) + 1
            w, rho = t**decay, min(lr, 1 / sqrt(t))
            tiny = float(np.finfo(p.dtype).eps) if eps1 is None else float(eps1)
            square = g * g
            if p.ndim > 1:
                rows, columns = square.mean(-1, keepdims=True), square.mean(-2, keepdims=True)
                r, c = s.get("row_var", np.zeros_like(rows)), s.get("col_var", np.zeros_like(columns))
                s["row_var"], s["col_var"] = r, c = r + w * (rows - r), c + w * (columns - c)
                v = r * c / np.maximum(r.mean(-2, keepdims=True), tiny)
            else:
                v = s.get("variance", np.zeros_like(square)[()])
                s["variance"] = v = v + w * (square - v)
            u = g / np.sqrt(np.maximum(v, tiny * tiny))
            rate = max(float(eps2), rms(p)) * rho / max(1.0, rms(u) / d)
            p_new = -rate * u
            p_new += (1 - lr * shrink) * p if shrink else p
            return p_new
        return update


def rms(x: Any) -> float:
    """Root of the mean square; 0 of nothing."""
    wide = np.ravel(x).astype(np.float32 if x.dtype == np.float16 else x.dtype, copy=False)   # squares leave float16
    return float(np.linalg.norm(wide)) / sqrt(x.size) if x.size else 0.0
