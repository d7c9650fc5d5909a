"""The beta distribution, on 0 to 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...protocols.arguments import array
from ..special import betainc, betaln, xlog1py, xlogy
from .supports import on, standard, value

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """(a-1) ln z + (b-1) ln(1-z) - ln B(a, b) - ln scale."""
    z, scale = standard(x, loc, scale)
    a, b = array(a), array(b)
    inside = (value(z) >= 0) & (value(z) <= 1)
    return on(inside, lambda z: xlogy(a - 1.0, z) + xlog1py(b - 1.0, -z) - betaln(a, b) - np.log(scale),
              z, 0.5, -np.inf)


def pdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, a, b, loc, scale))


def cdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """I_z(a, b); it has no derivative to a and b."""
    z = standard(x, loc, scale)[0]
    below = ops.where(value(z) <= 0, 0.0, 1.0)
    return on((value(z) > 0) & (value(z) < 1), lambda z: betainc(array(a), array(b), z), z, 0.5, below)
