"""scipy.special.  Most names are SciPy's own ufuncs, which call back when they meet a Tensor; a few are declared."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from .. import ops
from ..op import elementwise
from ..ops import exp, log, log1p
from ..ops.special import betaln as _betaln
from ..protocols.arguments import array
from ..tensor import Tensor
from .installed import no_derivative, quietly_of, scipy_part

_own = scipy_part("special")
__all__ = [name for name in dir(_own) if name[0] != "_"]
_POSITIVE = (0.4, 3.0)
_FIXED = np.array([0.5, 1.0, 2.5], np.float32)           # parameters to which there is no derivative
_ORDERS: Any = [((_FIXED, (2, 3)), {}), ((_FIXED[:1], (3,)), {}), ((_FIXED, (0, 3)), {})]


def __getattr__(name: str) -> Any:
    """SciPy's own, kept here from the first time on."""
    found = getattr(_own, name)
    globals()[name] = found
    return found


# -- sums of exponentials --------------------------------------------------------------------------------


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """ln Σ b e^a, without overflow; with return_sign, of its absolute value, and its sign."""
    a = array(a)
    if b is None and not return_sign:
        return ops.logsumexp(a, dim=axis, keepdim=keepdims)
    b = 1.0 if b is None else array(b)
    values = a.value if isinstance(a, Tensor) else a
    top = np.max(np.where(np.isfinite(values), values, 0.0), axis=axis, keepdims=True)
    total = np.sum(b * np.exp(a - top), axis=axis, keepdims=keepdims)
    shift = top if keepdims else np.squeeze(top, axis=axis)
    if not return_sign:
        return np.log(total) + shift
    return np.log(np.abs(total)) + shift, np.sign(total)


def softmax(x: Any, axis: Any = None) -> Any:
    """e^x / Σ e^x along an axis, over all elements by default."""
    x = array(x)
    return np.exp(x - logsumexp(x, axis=axis, keepdims=True))


def log_softmax(x: Any, axis: Any = None) -> Any:
    """ln softmax(x)."""
    x = array(x)
    return x - logsumexp(x, axis=axis, keepdims=True)


# -- gamma, beta -----------------------------------------------------------------------------------------


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of the digamma function."""
    return ops.polygamma(int(n), x) if isinstance(x, Tensor) else _own.polygamma(n, x)


def multigammaln(a: Any, d: int) -> Any:
    """Logarithm of the gamma function of d dimensions."""
    return ops.multigammaln(a, d) if isinstance(a, Tensor) else _own.multigammaln(a, d)


@elementwise(x=lambda g, x, out: -g * ops.digamma(x) * out, domain=_POSITIVE, floating=True, name="scipy_rgamma")
def rgamma(x: Any) -> Any:
    """1 / Γ(x)."""
    return quietly_of(_own.rgamma, x)


@elementwise(x=lambda g: g * 0, floating=True, name="scipy_gammasgn")
def gammasgn(x: Any) -> Any:
    """The sign of Γ(x); the derivative is 0."""
    return quietly_of(_own.gammasgn, x)


@elementwise(a=no_derivative("special.betainc", "a"), b=no_derivative("special.betainc", "b"),
             x=lambda g, a, b, x: g * exp((a - 1) * log(x) + (b - 1) * log1p(-x) - _betaln(a, b)), domain=(0.2, 0.8),
             cases=[((_FIXED, _FIXED + 1, (2, 3)), {})], floating=True, name="scipy_betainc")
def betainc(a: Any, b: Any, x: Any) -> Any:
    """Regularised incomplete beta function:  I_x(a, b) = ∫_0^x t^(a-1) (1-t)^(b-1) dt / B(a, b)."""
    return quietly_of(_own.betainc, a, b, x)


@elementwise(x=lambda g, out: g * (-sqrt(pi) / 2) * exp(out * out), domain=(0.2, 1.8), floating=True,
             name="scipy_erfcinv")
def erfcinv(x: Any) -> Any:
    """The inverse of erfc."""
    return quietly_of(_own.erfcinv, x)


# -- Bessel functions of any real order ------------------------------------------------------------------


def _bessel(name: str, rule: Any, formula: str, domain: Any = _POSITIVE) -> Any:
    own = getattr(_own, name)

    def forward(v: Any, x: Any) -> Any:
        return quietly_of(own, v, x)
    forward.__doc__ = formula
    return elementwise(v=no_derivative(f"special.{name}", "the order v"), x=rule, domain=domain, cases=_ORDERS,
                       floating=True, name=f"scipy_{name}")(forward)


jv: Any = _bessel("jv", lambda g, v, x: g * (jv(v - 1.0, x) - jv(v + 1.0, x)) / 2, "J_v(x).")
yv: Any = _bessel("yv", lambda g, v, x: g * (yv(v - 1.0, x) - yv(v + 1.0, x)) / 2, "Y_v(x).")
iv: Any = _bessel("iv", lambda g, v, x: g * (iv(v - 1.0, x) + iv(v + 1.0, x)) / 2, "I_v(x).")
kv: Any = _bessel("kv", lambda g, v, x: -g * (kv(v - 1.0, x) + kv(v + 1.0, x)) / 2, "K_v(x).")
ive: Any = _bessel("ive", lambda g, v, x, out: g * ((ive(v - 1.0, x) + ive(v + 1.0, x)) / 2 - ops.sign(x) * out),
              "I_v(x) e^-|x|.")
kve: Any = _bessel("kve", lambda g, v, x, out: g * (out - (kve(v - 1.0, x) + kve(v + 1.0, x)) / 2), "K_v(x) e^x.")
jn, yn, kn = jv, yv, kv
