"""The Poisson distribution, on the whole numbers that are not negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...protocols.arguments import array, real
from ..special import gammaln, xlogy
from .supports import floor, value

__all__ = ["cdf", "logpmf", "pmf"]


def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """k ln μ - μ - ln k!."""
    k, whole = floor(value(k) - loc)
    mu = real(mu)
    safe = np.where(whole, k, 0.0)
    found = xlogy(safe, mu) - mu - gammaln(safe + 1.0)
    return found if np.all(whole) else ops.where(whole, found, -np.inf)


def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of k."""
    return np.exp(logpmf(k, mu, loc))


def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Q(⌊k⌋ + 1, μ)."""
    k = np.floor(value(k) - loc)
    mu = array(mu)
    below = np.asarray(k < 0)
    found = ops.gammaincc(np.where(below, 0.0, k) + 1.0 + value(mu) * 0.0, mu)
    return ops.where(below, 0.0, found) if below.any() else found
