"""Activations that have a rule of their own because it is faster or more accurate than a composition."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import elementwise
from .elementwise import ZERO, exp, keep, ordered, where
from .erf import erf_of, erfc_of


def _activation(**options: Any) -> Any:
    return elementwise(category="activation", **options)


@_activation(x=lambda g, out: keep(g, ~(out <= 0)))
def relu(x: Any) -> Any:
    """Rectifier:  max(x, 0).  At 0 the derivative is 0."""
    zero = ZERO.get(x.dtype)
    return np.maximum(x, zero) if zero is not None else np.maximum(ordered("relu", x), 0)


@_activation(x=lambda g, x, negative_slope: _leak(g, keep(g, x > 0), negative_slope),
             cases=[(((2, 3),), {}), (((3,),), {"negative_slope": 0.2})])
def leaky_relu(x: Any, *, negative_slope: float = 0.01) -> Any:
    """Leaky rectifier:  x where x > 0, slope · x elsewhere (Maas et al. 2013)."""
    ordered("leaky_relu", x)
    return np.maximum(x, x * negative_slope) if 0 <= negative_slope <= 1 else np.where(x > 0, x, x * negative_slope)


def _leak(g: Any, passed: Any, slope: float) -> Any:
    return passed + (g - passed) * slope


@_activation(x=lambda g, x, out, alpha: keep(g, ~(x <= 0)) + keep(g * (out + alpha), x <= 0),
             cases=[(((2, 3),), {}), (((3,),), {"alpha": 0.7})])
def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """Exponential linear unit:  x where x > 0, α(e^x - 1) elsewhere (Clevert et al. 2016)."""
    ordered("elu", x)
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


@_activation(x=lambda g, out: g * (out * (1 - out)), floating=True)
def sigmoid(x: Any) -> Any:
    """Logistic function:  1 / (1 + e^-x)."""
    with np.errstate(all="ignore"):
        if x.dtype.kind == "c":
            return 1 / (1 + np.exp(-x))
        return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))      # both exponentials are <= 1, and no branch


@_activation(x=lambda g, x: g * sigmoid(-x), floating=True)
def logsigmoid(x: Any) -> Any:
    """Logarithm of the logistic function:  -ln(1 + e^-x), without overflow."""
    with np.errstate(all="ignore"):
        return np.minimum(ordered("logsigmoid", x), 0) - np.log1p(np.exp(-np.abs(x)))


@_activation(x=lambda g, x, beta, threshold: where(x * beta > threshold, g, g * sigmoid(x * beta)), floating=True,
             cases=[(((2, 3),), {}), (((3,),), {"beta": 2.0, "threshold": 1.0})])
def softplus(x: Any, *, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Smooth rectifier:  ln(1 + e^(βx)) / β; x itself where βx exceeds the threshold (Dugas et al. 2001)."""
    with np.errstate(all="ignore"):
        z = ordered("softplus", x) * beta
        return np.where(z > threshold, x, (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta)


@_activation(x=lambda g, x: g * _silu_slope(x), floating=True)
def silu(x: Any) -> Any:
    """Sigmoid-weighted linear unit, swish:  x / (1 + e^-x) (Elfwing et al. 2018)."""
    with np.errstate(all="ignore"):
        if x.dtype.kind == "c":
            return x / (1 + np.exp(-x))
        return x * (np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))))


def _silu_slope(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


@elementwise(x=lambda g, x: g * (exp(-x * x) * 1.1283791670955126), floating=True)
def erf(x: Any) -> Any:
    """Error function:  2/√π ∫_0^x e^(-t²) dt."""
    return erf_of(ordered("erf", x))


@elementwise(x=lambda g, x: g * (exp(-x * x) * -1.1283791670955126), floating=True)
def erfc(x: Any) -> Any:
    """Complementary error function:  1 - erf x, exact in the tail."""
    return erfc_of(ordered("erfc", x))


@_activation(x=lambda g, x: g * _gelu_slope(x), floating=True)
def gelu(x: Any) -> Any:
    """Gaussian error linear unit:  x Φ(x) = x erfc(-x/√2) / 2 (Hendrycks and Gimpel 2016)."""
    with np.errstate(invalid="ignore"):
        return x * (0.5 * erfc_of(ordered("gelu", x) * -0.7071067811865476))


def _gelu_slope(x: Any) -> Any:
    return 0.5 * erfc(x * -0.7071067811865476) + x * exp(x * x * -0.5) * 0.3989422804014327

