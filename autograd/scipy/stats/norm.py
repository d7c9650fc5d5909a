"""The normal distribution."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from ...special import log_ndtr, ndtr
from .supports import standard

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


def logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """-z²/2 - ln(σ √(2π)),  z = (x - μ) / σ."""
    z, scale = standard(x, loc, scale)
    return -0.5 * (z * z) - np.log(scale) - 0.5 * log(2 * pi)


def pdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """e^(-z²/2) / (σ √(2π))."""
    return np.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Φ(z)."""
    return ndtr(standard(x, loc, scale)[0])


def logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """ln Φ(z), exact in the tail."""
    return log_ndtr(standard(x, loc, scale)[0])


def sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """1 - Φ(z), exact in the tail."""
    return ndtr(-standard(x, loc, scale)[0])


def logsf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """ln(1 - Φ(z))."""
    return log_ndtr(-standard(x, loc, scale)[0])
