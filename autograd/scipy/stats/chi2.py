"""The chi-squared distribution: a gamma distribution of shape df/2 and scale 2."""

from __future__ import annotations

from typing import Any

from ...protocols.arguments import array
from . import gamma

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """(df/2 - 1) ln z - z/2 - lnΓ(df/2) - (df/2) ln 2 - ln scale."""
    return gamma.logpdf(x, array(df) / 2.0, loc, array(scale) * 2.0)


def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return gamma.pdf(x, array(df) / 2.0, loc, array(scale) * 2.0)


def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """P(df/2, z/2); it has no derivative to df."""
    return gamma.cdf(x, array(df) / 2.0, loc, array(scale) * 2.0)
