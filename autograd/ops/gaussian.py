"""The error function's relatives: scaled, inverse, and as the normal distribution.

Evaluated in float64 from the approximations in `erf`, right to a few units of the last digit, and cast back.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..op import elementwise
from .elementwise import exp, where
from .erf import _P2, _P3, _Q2, _Q3, _horner, erf_of, erfc_of
from .logic import gt

HALF_ROOT = 0.7071067811865476                # √(1/2)
ROOT_PI = 1.772453850905516                   # √π


def _erfcx(x: Any) -> Any:
    """e^(x²) erfc x of a float64 array with axes.

    From 1.25 on, fdlibm's erfc without its factor e^(-x²) (see `erf`): e^(R(1/x²)/S(1/x²) - 0.5625) / x.
    """
    a = np.abs(x)
    y = np.exp(a * a) * erfc_of(a)
    large = a >= 1.25
    t = a[large]
    s = 1 / (t * t)
    ratio = np.where(t < 1 / 0.35, _horner(_P2, s) / _horner(_Q2, s), _horner(_P3, s) / _horner(_Q3, s))
    y[large] = np.exp(ratio - 0.5625) / t
    below = x < 0
    y[below] = 2 * _exp_square(np.minimum(a[below], 28.0), 1.0) - y[below]
    return y


def _exp_square(a: Any, c: float) -> Any:
    """e^(c a²) of finite a >= 0, without the digits that rounding a² would cost; c is a power of two."""
    head = (a.view(np.int64) & ~np.int64(0xFFFFFFFF)).view(np.float64)       # a rounded: head² is exact
    return np.exp(c * head * head) * np.exp(c * (a - head) * (a + head))


def _erf_inverse(x: Any) -> Any:
    """y with erf y = x, for |x| <= 1/2: the first terms of its series, then two steps of Halley's method."""
    s = x * x
    y = _horner((0.0976536, 0.1439272, 0.2617994, 1.0), s) * x * (0.5 * ROOT_PI)
    for _ in range(2):
        u = (erf_of(y) - x) * np.exp(y * y) * (0.5 * ROOT_PI)
        y = y - u / (1 + u * y)
    return y


def _erfc_inverse(q: Any) -> Any:
    """y with erfc y = q, for 0 <= q <= 1/2: Newton's method on ln erfc, which has no underflow.

    Start: Abramowitz and Stegun 1964, 26.2.23.
    """
    log_q = np.log(q)
    t = np.sqrt(2 * (0.6931471805599453 - log_q))
    y = t - _horner((0.010328, 0.802853, 2.515517), t) / _horner((0.001308, 0.189269, 1.432788, 1.0), t)
    y = y * HALF_ROOT
    for _ in range(3):
        scaled = _erfcx(y)
        y = y + (np.log(scaled) - y * y - log_q) * scaled * (0.5 * ROOT_PI)
    return np.where(q == 0, np.inf, y)


def _of_doubles(function: Any, x: Any) -> Any:
    """function(x) of a float64 array with axes, in the shape and dtype of x."""
    with np.errstate(all="ignore"):
        return function(np.atleast_1d(np.asarray(x, np.float64))).reshape(x.shape).astype(x.dtype)[()]


def _inverse(x: Any, q: Any, sign: Any) -> Any:
    """y with erf y = x, where q = 1 - |x|, exact where it is below 1/2."""
    y = np.full_like(x, np.nan)
    middle, tail = np.abs(x) <= 0.5, (q >= 0) & (q < 0.5)
    y[middle] = _erf_inverse(x[middle])
    y[tail] = np.copysign(_erfc_inverse(q[tail]), sign[tail])
    return y


def _ndtr(x: Any) -> Any:
    """Φ: in both tails as e^(-x²/2) erfcx(|x|/√2) / 2, for erfc(-x/√2) / 2 loses digits by rounding x/√2."""
    a = np.minimum(np.abs(x), 40.0)           # Φ(-40) is below the smallest double
    tail = 0.5 * _erfcx(a * HALF_ROOT) * _exp_square(a, -0.5)
    return np.where(x > 0, 1 - tail, tail)


def _log_ndtr(x: Any) -> Any:
    return np.where(x > -1, np.log1p(-_ndtr(-x)), np.log(0.5 * _erfcx(-x * HALF_ROOT)) - 0.5 * x * x)


@elementwise(x=lambda g, x, order: g * erfcx(x, order=order + 1), floating=True, order=("x",),
             cases=[(((2, 3),), {}), (((),), {}), (((3,),), {"order": 1}), (((3,),), {"order": 2}), (((0, 3),), {})])
def erfcx(x: Any, *, order: int = 0) -> Any:
    """Scaled complementary error function:  e^(x²) erfc x, which does not underflow; `order` names a derivative of it.

    f' = 2x f - 2/√π, f⁽ⁿ⁾ = 2x f⁽ⁿ⁻¹⁾ + 2(n-1) f⁽ⁿ⁻²⁾; from 10 on, where that cancels, the asymptotic series.
    """
    return _of_doubles(lambda v: _erfcx_derivative(v, order) if order else _erfcx(v), x)


def _erfcx_derivative(x: Any, order: int) -> Any:
    before, f = _erfcx(x), 2 * x * _erfcx(x) - 2 / ROOT_PI
    for n in range(2, order + 1):
        before, f = f, 2 * (x * f + (n - 1) * before)
    far = np.maximum(x, 10.0)
    series, s = np.zeros_like(x), 0.5 / (far * far)
    for k in range(20, -1, -1):               # Σ (-1)^k (2k-1)!! (2k+1)(2k+2)...(2k+n) s^k, times (-1)^n / (√π x^(n+1))
        series = series * s + (-1) ** (k + order) * prod(range(1, 2 * k, 2)) * prod(range(2 * k + 1, 2 * k + order + 1))
    return np.where(x >= 10, series / ROOT_PI / far ** (order + 1), f)


@elementwise(x=lambda g, out: g * exp(out * out) * (0.5 * ROOT_PI), domain=(-0.9, 0.9), floating=True)
def erfinv(x: Any) -> Any:
    """Inverse error function:  y with erf y = x; ±inf at ±1, NaN beyond."""
    return _of_doubles(lambda v: _inverse(v, 1 - np.abs(v), v), x)


@elementwise(x=lambda g, x: g * (exp(x * x * -0.5) * 0.3989422804014327), floating=True)
def ndtr(x: Any) -> Any:
    """Area under the normal density up to x:  Φ(x) = erfc(-x/√2) / 2."""
    return _of_doubles(_ndtr, x)


@elementwise(x=lambda g, out: g * exp(out * out * 0.5) * 2.5066282746310002, domain=(0.1, 0.9), floating=True)
def ndtri(x: Any) -> Any:
    """Quantile of the normal distribution:  y with Φ(y) = x; ∓inf at 0 and 1, NaN beyond."""
    return _of_doubles(lambda p: _inverse(2 * p - 1, 2 * np.minimum(p, 1 - p), p - 0.5) * (2 * HALF_ROOT), x)


@elementwise(x=lambda g, x, out: g * _hazard(x, out), floating=True)
def log_ndtr(x: Any) -> Any:
    """Logarithm of the normal distribution:  ln Φ(x), without underflow."""
    return _of_doubles(_log_ndtr, x)


def _hazard(x: Any, log_phi: Any) -> Any:
    """φ(x) / Φ(x), each half by the formula that keeps its digits; the other one sees 0."""
    right = gt(x, 0)
    upper = exp(where(right, x * x * -0.5 - log_phi, 0)) * 0.3989422804014327
    return where(right, upper, (2 * HALF_ROOT / ROOT_PI) / erfcx(where(right, 0, x * -HALF_ROOT)))
