"""The gamma function and its relatives, by SciPy; their derivatives are in turn functions of this file."""

from __future__ import annotations

from math import log as log_of
from math import pi
from typing import Any

import numpy as np

from ..errors import GradientError
from ..op import elementwise
from .binary import xlogy
from .composed import composed
from .elementwise import add, exp, subtract
from .scipy_functions import scipy_special

POSITIVE = (0.4, 3.0)
_FIXED = np.array([0.5, 1.0, 2.5], np.float32)           # a parameter to which there is no derivative
_ALONG: list[Any] = [((_FIXED, (2, 3)), {}), ((_FIXED[:1], (3,)), {}), ((_FIXED, (0, 3)), {})]


def _no_derivative(function: str, of: str) -> Any:
    def rule(g: Any) -> Any:
        raise GradientError(f"{function}: the derivative to {of} has no closed form; detach() {of}")
    return rule


# -- gamma and its logarithm -----------------------------------------------------------------------------


@elementwise(x=lambda g, x: g * digamma(x), domain=POSITIVE, floating=True)
def lgamma(x: Any) -> Any:
    """Logarithm of the gamma function:  ln |Γ(x)|; inf at its poles and at -inf."""
    size = np.abs(x)
    with np.errstate(all="ignore"):           # below 1e-300 SciPy has a pole, where  ln |Γ(x)| = -ln |x|
        return np.where(np.equal(x, -np.inf), x.dtype.type(np.inf),
                        np.where(size < 1e-300, -np.log(size), scipy_special("gammaln", x, like=x)))[()]


@elementwise(x=lambda g, x, out: g * out * digamma(x), domain=POSITIVE, floating=True)
def gamma(x: Any) -> Any:
    """Gamma function:  Γ(x) = ∫_0^∞ t^(x-1) e^-t dt."""
    return scipy_special("gamma", x, like=x)


@elementwise(x=lambda g, x: g * polygamma(1, x), domain=POSITIVE, floating=True)
def digamma(x: Any) -> Any:
    """Derivative of ln Γ:  ψ(x) = Γ'(x) / Γ(x); ∓inf at ±0 and NaN at the other poles (PyTorch)."""
    out = scipy_special("psi", x, like=x)
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0), np.copysign(np.inf, -x), np.where((x < 0) & (x == np.floor(x)), np.nan, out)) \
            .astype(x.dtype)


@elementwise(x=lambda g, x, n: g * polygamma(n + 1, x), order=("n", "x"), domain=POSITIVE, floating=True,
             cases=[(((2, 3),), {"n": 0}), (((3,),), {"n": 1}), (((),), {"n": 2}), (((0, 3),), {"n": 1})])
def polygamma(x: Any, *, n: int) -> Any:
    """The n-th derivative of ψ:  ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x).  ValueError for a negative n."""
    if n < 0:
        raise ValueError(f"polygamma: expected n >= 0; got {n}")
    return digamma.__wrapped__(x) if n == 0 else scipy_special("polygamma", n, x, like=x)


@composed
def multigammaln(x: Any, p: int) -> Any:
    """Logarithm of the gamma function of p dimensions:  p(p-1)/4 ln π + Σ_{j<p} lnΓ(x - j/2).  ValueError for p < 1."""
    if p < 1:
        raise ValueError(f"multigammaln: expected p >= 1; got {p}")
    total = lgamma(x)
    for j in range(1, p):
        total = add(total, lgamma(subtract(x, j / 2)))
    return add(total, p * (p - 1) / 4 * log_of(pi))


@elementwise(x=lambda g, x, y: g * (digamma(x) - digamma(x + y)), y=lambda g, x, y: g * (digamma(y) - digamma(x + y)),
             domain=POSITIVE, floating=True)
def betaln(x: Any, y: Any) -> Any:
    """Logarithm of the beta function:  ln |Γ(x) Γ(y) / Γ(x + y)|."""
    return scipy_special("betaln", x, y, like=np.result_type(x, y).type())


@elementwise(x=lambda g, x, y, out: g * out * (digamma(x) - digamma(x + y)),
             y=lambda g, x, y, out: g * out * (digamma(y) - digamma(x + y)), domain=POSITIVE, floating=True)
def beta(x: Any, y: Any) -> Any:
    """Beta function:  Γ(x) Γ(y) / Γ(x + y)."""
    return scipy_special("beta", x, y, like=np.result_type(x, y).type())


# -- incomplete gamma functions, zeta --------------------------------------------------------------------


@elementwise(a=_no_derivative("gammainc", "a"), x=lambda g, a, x: g * _gamma_density(a, x), domain=POSITIVE,
             floating=True, cases=_ALONG)
def gammainc(a: Any, x: Any) -> Any:
    """Regularised lower incomplete gamma function:  P(a, x) = ∫_0^x t^(a-1) e^-t dt / Γ(a)."""
    return scipy_special("gammainc", a, x, like=np.result_type(a, x).type())


@elementwise(a=_no_derivative("gammaincc", "a"), x=lambda g, a, x: -g * _gamma_density(a, x), domain=POSITIVE,
             floating=True, cases=_ALONG)
def gammaincc(a: Any, x: Any) -> Any:
    """Regularised upper incomplete gamma function:  Q(a, x) = 1 - P(a, x), exact in the tail."""
    return scipy_special("gammaincc", a, x, like=np.result_type(a, x).type())


def _gamma_density(a: Any, x: Any) -> Any:
    return exp(xlogy(a - 1, x) - x - lgamma(a))


@elementwise(x=_no_derivative("zeta", "x"), q=lambda g, x, q: -g * x * zeta(x + 1, q), domain=POSITIVE, floating=True,
             cases=[((_FIXED + 1.5, (2, 3)), {}), ((_FIXED[:1] + 1.5, (3,)), {})])
def zeta(x: Any, q: Any) -> Any:
    """Hurwitz zeta function:  ζ(x, q) = Σ_{k>=0} (k + q)^-x  for x > 1."""
    return scipy_special("zeta", x, q, like=np.result_type(x, q).type())
