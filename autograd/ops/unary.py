"""More functions of one input: roots, angles in degrees, sinc, logarithms of probabilities."""

from __future__ import annotations

from math import factorial, pi
from typing import Any

import numpy as np

from ..op import elementwise
from .composed import composed
from .elementwise import abs, expm1, log, square, where
from .logic import ge, gt, le, lt

UNIT, POSITIVE = (0.1, 0.9), (0.2, 3.0)
DEGREE, RADIAN = pi / 180, 180 / pi


@elementwise(x=lambda g, out: g / (3 * square(out)), domain=POSITIVE, floating=True)
def cbrt(x: Any) -> Any:
    """Cube root:  x^(1/3), also of negative numbers; the derivative at 0 is infinite."""
    with np.errstate(all="ignore"):
        return np.cbrt(x)


@elementwise(x=lambda g: g * DEGREE, floating=True)
def deg2rad(x: Any) -> Any:
    """Degrees to radians:  x π / 180."""
    return x * DEGREE


@elementwise(x=lambda g: g * RADIAN, floating=True)
def rad2deg(x: Any) -> Any:
    """Radians to degrees:  x 180 / π."""
    return x * RADIAN


@elementwise(x=lambda g, x, order: g * sinc(x, order=order + 1), floating=True, order=("x",),
             cases=[(((2, 3),), {}), (((),), {}), (((3,),), {"order": 1}), (((3,),), {"order": 3}), (((0, 3),), {})])
def sinc(x: Any, *, order: int = 0) -> Any:
    """Cardinal sine:  sin(πx) / (πx), and 1 at 0; `order` names a derivative of it, which is exact at and near 0 too.

    By the power series where |πx| <= order + 1, and beyond by  x f⁽ⁿ⁾ + n f⁽ⁿ⁻¹⁾ = πⁿ⁻¹ sin(πx + nπ/2).
    """
    v = np.asarray(x, np.complex128 if x.dtype.kind == "c" else np.float64)
    with np.errstate(all="ignore"):
        z = v * pi
        sin, cos = _sin_cos_pi(v)
        if order == 0:
            return np.where(z == 0, 1, sin / z).astype(x.dtype)[()]
        near = np.abs(z) <= order + 1
        small, large = np.where(near, z, 0), np.where(near, 1, z)
        series = np.zeros_like(z)
        for j in range(30 + 3 * order, -1, -1):          # Horner in z, with ±z^j / ((j + order + 1) j!)
            sign = 0 if (j + order) % 2 else 1 - (j + order) % 4
            series = series * small + sign / ((j + order + 1) * factorial(j))
        f = sin / large
        for n in range(1, order + 1):
            f = ((sin, cos, -sin, -cos)[n % 4] - n * f) / large
        return (np.where(near, series, f) * pi ** order).astype(x.dtype)[()]


def _sin_cos_pi(x: Any) -> tuple[Any, Any]:
    """sin πx and cos πx; of real x by its distance from an integer, so that multiples of 1/2 are exact."""
    if x.dtype.kind == "c":
        return np.sin(pi * x), np.cos(pi * x)
    whole = np.rint(x)
    sign = 1 - 2 * np.mod(whole, 2)
    return sign * np.sin(pi * (x - whole)), sign * np.cos(pi * (x - whole))


@elementwise(x=lambda g, x, eps: _logit_slope(g, x, eps), domain=UNIT, floating=True, order=("x", "eps"),
             cases=[(((2, 3),), {}), (((),), {}), (((2, 3),), {"eps": 0.3}), (((0, 3),), {})])
def logit(x: Any, *, eps: float | None = None) -> Any:
    """Inverse of the sigmoid:  ln(x / (1 - x)), of x held within [eps, 1 - eps] if eps is given.

    NaN outside [0, 1].  Near 1/2 it is ln(1 + s) - ln(1 - s) with s = 2x - 1, which loses no digits.
    """
    if eps is not None:
        x = np.clip(x, eps, 1 - eps)
    with np.errstate(all="ignore"):
        s = 2 * x - 1
        return np.where(np.abs(s) < 0.35, np.log1p(s) - np.log1p(-s), np.log(x / (1 - x)))


def _logit_slope(g: Any, x: Any, eps: float | None) -> Any:
    slope = g / (x * (1 - x))
    if eps is None:
        return where(ge(x, 0) & le(x, 1), slope, np.nan)
    return where(lt(x, eps) | gt(x, 1 - eps), 0, slope)


@elementwise(x=lambda g, x: -g * (log(x) + 1), domain=POSITIVE, floating=True)
def entr(x: Any) -> Any:
    """Summand of the entropy:  -x ln x; 0 at 0, -inf below, the derivative at 0 infinite."""
    with np.errstate(all="ignore"):
        return np.where(x > 0, -x * np.log(np.where(x > 0, x, 1)), np.where(x < 0, -np.inf, x)).astype(x.dtype)


@elementwise(x=lambda g, x: g / expm1(x), domain=POSITIVE, floating=True)
def log1mexp(x: Any) -> Any:
    """Complement of an exponential in the logarithm:  ln(1 - e^-x) for x > 0, exact at both ends.

    Source: M. Mächler, "Accurately computing log(1 - exp(-|a|))", 2012.
    """
    with np.errstate(all="ignore"):
        return np.where(x < 0.6931471805599453, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))


@composed
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    if getattr(x, "dtype", np.dtype(float)).kind == "c":
        return x / (1 + abs(x))
    return _softsign(x)


@elementwise(x=lambda g, x: g / square(1 + abs(x)), floating=True, category="activation", name="softsign")
def _softsign(x: Any) -> Any:
    """Softsign:  x / (1 + |x|), of real numbers."""
    with np.errstate(all="ignore"):
        return x / (1 + np.abs(x))
