"""The Dirichlet distribution, on vectors of shares that add up to 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...errors import ShapeError
from ...protocols.arguments import array, real
from ..installed import scipy_part
from ..special import gammaln, xlogy
from .supports import value

__all__ = ["logpdf", "pdf", "rvs"]


def logpdf(x: Any, alpha: Any) -> Any:
    """Σ (α_i - 1) ln x_i + lnΓ(Σ α) - Σ lnΓ(α_i), x being (K,) or (K, N); the last share may be left out."""
    x, alpha = real(x), array(alpha)
    if x.shape[0] == alpha.shape[0] - 1:
        x = ops.cat([x, 1.0 - ops.sum(x, dim=0, keepdim=True)], 0)
    if x.shape[0] != alpha.shape[0]:
        raise ShapeError(f"dirichlet: expected {alpha.shape[0]} shares, or one less; got x of shape {x.shape}")
    total = np.sum(value(x), axis=0)
    if np.any(value(x) < 0) or np.any(np.abs(total - 1.0) > 1e-9):
        raise ValueError(f"dirichlet: expected shares that are not negative and add up to 1; they add up to {total}")
    weights = ops.reshape(alpha, shape=(-1,) + (1,) * (x.ndim - 1)) - 1.0
    return ops.sum(xlogy(weights, x), dim=0) + gammaln(ops.sum(alpha * 1.0)) - ops.sum(gammaln(alpha * 1.0))


def pdf(x: Any, alpha: Any) -> Any:
    """The density."""
    return np.exp(logpdf(x, alpha))


def rvs(alpha: Any, size: Any = 1, random_state: Any = None) -> Any:
    """Draws, which have no derivative."""
    return scipy_part("stats").dirichlet.rvs(value(alpha), size, random_state)
