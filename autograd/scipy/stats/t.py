"""Student's t distribution."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from ... import ops
from ...op import elementwise
from ...protocols.arguments import array
from ..installed import no_derivative, quietly_of, scipy_part
from ..special import gammaln
from .supports import standard

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]
_special = scipy_part("special")


def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """lnΓ((ν+1)/2) - lnΓ(ν/2) - ln(νπ)/2 - (ν+1)/2 ln(1 + z²/ν) - ln σ."""
    z, scale = standard(x, loc, scale)
    df = array(df)
    return (gammaln((df + 1.0) / 2) - gammaln(df / 2.0) - 0.5 * (np.log(df * 1.0) + log(pi))
            - (df + 1.0) / 2 * np.log1p(z * z / df) - np.log(scale))


def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, df, loc, scale))


@elementwise(df=no_derivative("stats.t.cdf", "df"), z=lambda g, df, z: g * ops.cast(pdf(z, df), dtype=g.dtype),
             domain=(0.5, 3.0), cases=[((np.array([0.5, 1.0, 2.5], np.float32), (2, 3)), {})], floating=True,
             name="student_t_cdf")
def _cdf(df: Any, z: Any) -> Any:
    """The distribution function of Student's t."""
    return quietly_of(_special.stdtr, df, z)


def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The distribution function; it has no derivative to the degrees of freedom."""
    return _cdf(array(df), standard(x, loc, scale)[0])


def logcdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Its logarithm."""
    return ops.log(cdf(x, df, loc, scale))
