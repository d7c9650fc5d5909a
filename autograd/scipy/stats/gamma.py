"""The gamma distribution of shape a, on the positive numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...protocols.arguments import array
from ..special import gammaln, xlogy
from .supports import on, standard, value

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """(a-1) ln z - z - lnΓ(a) - ln scale."""
    z, scale = standard(x, loc, scale)
    a = array(a)
    return on(value(z) >= 0, lambda z: xlogy(a - 1.0, z) - z - gammaln(a) - np.log(scale), z, 1.0, -np.inf)


def pdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, a, loc, scale))


def cdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """P(a, z); it has no derivative to a."""
    z = standard(x, loc, scale)[0]
    return on(value(z) > 0, lambda z: ops.gammainc(array(a), z), z, 1.0, 0.0)
