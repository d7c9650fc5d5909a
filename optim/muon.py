"""Muon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any

import numpy as np

from .checks import Group, number
from .optimizer import Optimizer, State, Update


class Muon(Optimizer):
    """Momentum made orthogonal, for the matrices of hidden layers (Jordan et al. 2024; Liu et al. 2025 for the rates).

        B <- mu B + (1 - mu) G
        O = NS(B)                         nesterov:  O = NS((1 - mu) G + mu B)
        p <- (1 - lr weight_decay) p - lr f O

    NS is `orthogonalized`.  f, for a matrix (n, m), is sqrt(max(1, n / m)) (`adjust_lr_fn` "original" or None), or
    0.2 sqrt(max(n, m)) ("match_rms_adamw", with which the settings of AdamW can be taken over).

    Only for parameters of two axes; give all others to AdamW.  NS runs in the parameters' dtype, where PyTorch rounds
    to bfloat16.
    """

    slots = ("momentum_buffer",)
    decoupled = True
    elementwise = False

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
                 nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
                 eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                                  "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
                                  "adjust_lr_fn": adjust_lr_fn})

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        number("ns_steps", settings["ns_steps"], "in [0, 99]", 0, 99)
        coefficients, adjust = settings["ns_coefficients"], settings["adjust_lr_fn"]
        if not isinstance(coefficients, (tuple, list)) or len(coefficients) != 3:
            raise ValueError(f"ns_coefficients must be three numbers; got {coefficients!r}")
        if adjust not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"adjust_lr_fn must be 'original' or 'match_rms_adamw'; got {adjust!r}")
        for i, p in enumerate(settings.get("params", ())):
            if p.ndim != 2:
                raise ValueError(f"Muon is for matrices; parameter {i} has shape {p.shape}: give it to AdamW")

    def rule(self, group: Group) -> Update:
        lr, mu, eps = (float(group[name]) for name in ("lr", "momentum", "eps"))
        keep = 1 - lr * float(group["weight_decay"])

        def update(p: Any, g: Any, s: State) -> Any:
            b = s.get("momentum_buffer", 0.0)
            b *= mu
            b += (1 - mu) * g
            s["momentum_buffer"] = b
            look = (1 - mu) * g + mu * b if group["nesterov"] else b
            n, m = p.shape
            f = 0.2 * sqrt(max(n, m)) if group["adjust_lr_fn"] == "match_rms_adamw" else sqrt(max(1, n / max(m, 1)))
            p_new = -lr * f * orthogonalized(look, group["ns_coefficients"], int(group["ns_steps"]), eps)
            p_new += keep * p
            return p_new
        return update


def orthogonalized(g: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """Of G = U S V^T nearly U V^T, by the iteration of Newton and Schulz:  X <- a X + (b A + c A A) X,  A = X X^T.

    X begins as G / max(|G|, eps), so that its singular values are at most 1; the coefficients drive them towards 1,
    with the steepest slope at 0 rather than convergence, so they end between 0.7 and 1.2.
    """
    a, b, c = map(float, coefficients)
    x = (g.T if g.shape[0] > g.shape[1] else g)
    x = x / max(float(np.linalg.norm(x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if g.shape[0] > g.shape[1] else x
