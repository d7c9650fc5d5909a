"""Elementwise ops: arithmetic, powers, exponentials, angles.

A rule says how a change g in an input shows in the output, at one element; an elementwise derivative
is its own transpose, so the same rule serves both directions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import elementwise
from .logarithms import logaddexp_of
from .logic import ge, le, no_integer_division_by_zero, sign

POSITIVE, UNIT = (0.2, 3.0), (-0.9, 0.9)


# -- arithmetic ------------------------------------------------------------------------------------------


@elementwise(x=lambda g: g, y=lambda g: g, symbol="+")
def add(x: Any, y: Any) -> Any:
    """Sum:  x + y."""
    return x + y


@elementwise(x=lambda g: g, y=lambda g: -g, symbol="−")
def subtract(x: Any, y: Any) -> Any:
    """Difference:  x - y."""
    return x - y


@elementwise(x=lambda g, y: g * y, y=lambda g, x: g * x, symbol="×")
def multiply(x: Any, y: Any) -> Any:
    """Product:  x y."""
    return x * y


@elementwise(x=lambda g, y: g / y, y=lambda g, y, out: -g * out / y, domain=POSITIVE, floating=True, symbol="÷")
def divide(x: Any, y: Any) -> Any:
    """Quotient:  x / y.  Integers divide into the default dtype."""
    with np.errstate(all="ignore"):
        return x / y


@elementwise(x=lambda g, x, y: g * _slope_of_power(x, y), y=lambda g, x, y, out: g * _log_of_power(x, y, out),
             domain=POSITIVE, symbol="^")
def power(x: Any, y: Any) -> Any:
    """Power:  x^y.  At y = 0 the derivative to x is 0; at x = 0, y >= 0 the derivative to y is 0 (PyTorch).

    An integer to the power of a tensor of integers is truncated: 0 where the exponent is below 0, unless x is ±1.
    """
    with np.errstate(all="ignore"):
        if getattr(y, "dtype", np.dtype(float)).kind == "i" and np.any(np.less(y, 0)) and x.dtype.kind in "iu":
            return np.where(y < 0, np.where(np.abs(x) == 1, x ** (y & 1), 0), x ** np.maximum(y, 0)).astype(
                np.result_type(x, y))[()]
        return x ** y


def _slope_of_power(x: Any, y: Any) -> Any:
    if isinstance(y, (int, float)):           # the common case: a Python exponent
        if y == 2:
            return 2 * x
        return y * x ** (y - 1) if y else keep(x, False)          # 0, of infinities too
    return where(y == 0, 0, y * x ** (y - 1))


def _log_of_power(x: Any, y: Any, out: Any) -> Any:
    if isinstance(x, (int, float)):           # a Python base, weak as it was in the forward: float32 stays float32
        if x == 0:
            return where(y >= 0, out * 0, -math.inf)
        return out * (math.log(x) if x > 0 else math.nan)
    return where((x == 0) & (y >= 0), 0, out * log(x))


@elementwise(x=lambda g: -g, symbol="−")
def negative(x: Any) -> Any:
    """Opposite:  -x."""
    return -x


@elementwise(x=lambda g, x: g * _direction(x))
def abs(x: Any) -> Any:
    """Absolute value:  |x|.  At 0 the derivative is taken as 0."""
    return np.abs(x)


def _direction(x: Any) -> Any:
    """x / |x|, and 0 at 0; of a real number its sign, which is flat, where that of a complex one turns with it."""
    if x.dtype.kind != "c":
        return sign(x)
    size = abs(x)
    return x / where(size == 0, math.inf, size)


@elementwise(x=lambda g, x: g * (2 * x))
def square(x: Any) -> Any:
    """Square:  x^2; of bools in int64 (PyTorch)."""
    return x * x if x.dtype.kind != "b" else x.astype(np.int64)


@elementwise(x=lambda g, out: g / (2 * out), domain=POSITIVE, floating=True)
def sqrt(x: Any) -> Any:
    """Square root:  √x.  NaN below 0; the derivative at 0 is infinite."""
    with np.errstate(all="ignore"):
        return np.sqrt(x)


@elementwise(x=lambda g, out: g * (out * out * out) * -0.5, domain=POSITIVE, floating=True)
def rsqrt(x: Any) -> Any:
    """Reciprocal square root:  1 / √x."""
    with np.errstate(all="ignore"):
        return 1 / np.sqrt(x)


@elementwise(x=lambda g, out: -g * out * out, domain=POSITIVE, floating=True)
def reciprocal(x: Any) -> Any:
    """Reciprocal:  1 / x."""
    with np.errstate(all="ignore"):
        return 1 / x


@elementwise(x=lambda g: g, y=lambda g, x, y: -g * _floor_quotient(x, y), domain=POSITIVE)
def remainder(x: Any, y: Any) -> Any:
    """Remainder with the sign of y:  x - y ⌊x / y⌋."""
    no_integer_division_by_zero("remainder", x, y)
    with np.errstate(all="ignore"):
        return x % y


def _floor_quotient(x: Any, y: Any) -> Any:
    """⌊x / y⌋ as the remainder has it: 6 / 0.1 is 60, but 6 % 0.1 is almost 0.1, so that 59 of them fit."""
    return round((x - remainder(x, y)) / y)


@elementwise(x=lambda g, x, y: _won(g, x, y), y=lambda g, x, y: _won(g, y, x))
def maximum(x: Any, y: Any) -> Any:
    """The larger:  max(x, y), NaN if either is.  A tie shares the gradient evenly."""
    return ordered("maximum", np.maximum(x, y))


@elementwise(x=lambda g, x, y: _won(g, y, x), y=lambda g, x, y: _won(g, x, y))
def minimum(x: Any, y: Any) -> Any:
    """The smaller:  min(x, y), NaN if either is.  A tie shares the gradient evenly."""
    return ordered("minimum", np.minimum(x, y))


def ordered(who: str, x: Any) -> Any:
    """x; TypeError for complex numbers, which have no order."""
    if x.dtype.kind == "c":
        raise TypeError(f"{who} is not defined for complex numbers; got {x.dtype}")
    return x


def _won(g: Any, winner: Any, other: Any) -> Any:
    """g where the winner is larger (or either is NaN), half of it at a tie, 0 elsewhere."""
    return where(winner == other, g * 0.5, where(winner < other, 0, g))


ZERO = {np.dtype(t): np.zeros((), t) for t in "efd"}      # a 0-d array of the right dtype is a ufunc's cheapest operand
BITS = {np.dtype(f): np.dtype(i) for f, i in (("e", "i2"), ("f", "i4"), ("d", "i8"))}


@elementwise(g=lambda g, mask: keep(g, mask), category="index",
             cases=[(((2, 3), np.array([[True, False, True], [False, False, True]])), {})])
def keep(g: Any, mask: Any) -> Any:
    """Held where a mask is true:  g there and 0 elsewhere, even for an infinite g.

    A product of the bits: `where` mispredicts a branch an element (17 times as long at 10^6), and 0 * inf is not 0.
    """
    bits = BITS.get(g.dtype)
    return np.where(mask, g, 0) if bits is None else (g.view(bits) * mask).view(g.dtype)


@elementwise(x=lambda g, x, min, max: keep(g, _between(x, min, max)),
             cases=[(((2, 3),), {"min": -1.0, "max": 1.0}), (((),), {"max": 0.5})])
def clamp(x: Any, *, min: Any = None, max: Any = None) -> Any:
    """Held within bounds:  min(max(x, lower), upper).  On a bound the derivative is 1."""
    return np.clip(x, min, max)


def _between(x: Any, lower: Any, upper: Any) -> Any:
    if lower is None:
        return le(x, upper)
    return ge(x, lower) if upper is None else ge(x, lower) & le(x, upper)


@elementwise(x=lambda g, condition: where(condition, g, 0), y=lambda g, condition: where(condition, 0, g),
             category="index", selects=True, cases=[((np.array([[True, False, True]]), (2, 3), (3,)), {})])
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, y elsewhere.  What is not selected has gradient 0, also where its slope is NaN."""
    return np.where(condition, x, y)


# -- rounding: constant between jumps --------------------------------------------------------------------


@elementwise(x=lambda g: g * 0)
def floor(x: Any) -> Any:
    """The largest integer not above:  ⌊x⌋.  The derivative is 0."""
    return np.floor(x)


@elementwise(x=lambda g: g * 0)
def ceil(x: Any) -> Any:
    """The smallest integer not below:  ⌈x⌉.  The derivative is 0."""
    return np.ceil(x)


@elementwise(x=lambda g: g * 0)
def trunc(x: Any) -> Any:
    """The integer part, towards 0:  sign(x) ⌊|x|⌋.  The derivative is 0."""
    return np.trunc(x)


@elementwise(x=lambda g: g * 0, cases=[(((2, 3),), {}), (((2, 3),), {"decimals": 1})])
def round(x: Any, *, decimals: int = 0) -> Any:
    """The nearest integer (or decimal), halves to even:  ⌊x⌉.  The derivative is 0."""
    return np.round(x, decimals)


# -- exponentials and logarithms -------------------------------------------------------------------------


@elementwise(x=lambda g, out: g * out, floating=True)
def exp(x: Any) -> Any:
    """Exponential:  e^x."""
    with np.errstate(all="ignore"):
        return np.exp(x)


@elementwise(x=lambda g, out: g * out * 0.6931471805599453, floating=True)
def exp2(x: Any) -> Any:
    """Exponential to base 2:  2^x."""
    with np.errstate(all="ignore"):
        return np.exp2(x)


@elementwise(x=lambda g, out: g * (out + 1), floating=True)
def expm1(x: Any) -> Any:
    """Exponential less one:  e^x - 1, exact near 0."""
    with np.errstate(all="ignore"):
        return np.expm1(x)


@elementwise(x=lambda g, x: g / x, domain=POSITIVE, floating=True)
def log(x: Any) -> Any:
    """Natural logarithm:  ln x."""
    with np.errstate(all="ignore"):
        return np.log(x)


@elementwise(x=lambda g, x: g / (x * 0.6931471805599453), domain=POSITIVE, floating=True)
def log2(x: Any) -> Any:
    """Logarithm to base 2:  log₂ x."""
    with np.errstate(all="ignore"):
        return np.log2(x)


@elementwise(x=lambda g, x: g / (x * 2.302585092994046), domain=POSITIVE, floating=True)
def log10(x: Any) -> Any:
    """Logarithm to base 10:  log₁₀ x."""
    with np.errstate(all="ignore"):
        return np.log10(x)


@elementwise(x=lambda g, x: g / (x + 1), domain=UNIT, floating=True)
def log1p(x: Any) -> Any:
    """Logarithm of one and a little:  ln(1 + x), exact near 0."""
    with np.errstate(all="ignore"):
        return np.log1p(x)


@elementwise(x=lambda g, x, y: g / (1 + exp(y - x)), y=lambda g, x, y: g / (1 + exp(x - y)), floating=True)
def logaddexp(x: Any, y: Any) -> Any:
    """Sum of exponentials in the logarithm:  ln(e^x + e^y), without overflow."""
    return logaddexp_of(x, y)


# -- angles (radians) and hyperbolic functions -----------------------------------------------------------


@elementwise(x=lambda g, x: g * cos(x), floating=True)
def sin(x: Any) -> Any:
    """Sine of an angle in radians:  sin x."""
    with np.errstate(all="ignore"):
        return np.sin(x)


@elementwise(x=lambda g, x: -g * sin(x), floating=True)
def cos(x: Any) -> Any:
    """Cosine of an angle in radians:  cos x."""
    with np.errstate(all="ignore"):
        return np.cos(x)


@elementwise(x=lambda g, out: g * (1 + out * out), domain=UNIT, floating=True)
def tan(x: Any) -> Any:
    """Tangent of an angle in radians:  tan x."""
    with np.errstate(all="ignore"):
        return np.tan(x)


@elementwise(x=lambda g, x: g * rsqrt(1 - x * x), domain=UNIT, floating=True)
def asin(x: Any) -> Any:
    """Inverse sine:  arcsin x, in [-π/2, π/2] radians."""
    with np.errstate(all="ignore"):
        return np.arcsin(x)


@elementwise(x=lambda g, x: -g * rsqrt(1 - x * x), domain=UNIT, floating=True)
def acos(x: Any) -> Any:
    """Inverse cosine:  arccos x, in [0, π] radians."""
    with np.errstate(all="ignore"):
        return np.arccos(x)


@elementwise(x=lambda g, x: g / (1 + x * x), floating=True)
def atan(x: Any) -> Any:
    """Inverse tangent:  arctan x, in (-π/2, π/2) radians."""
    return np.arctan(x)


@elementwise(x=lambda g, x, y: _over_square(g * y, x, y), y=lambda g, x, y: _over_square(-g * x, x, y),
             domain=POSITIVE, floating=True)
def atan2(x: Any, y: Any) -> Any:
    """Angle of the point (y, x), in (-π, π] radians:  atan2(x, y), the first argument being the ordinate."""
    return np.arctan2(x, y)


def _over_square(z: Any, x: Any, y: Any) -> Any:
    """z / (x² + y²), and 0 at the origin, where the angle has no derivative (PyTorch)."""
    r = x * x + y * y
    return where(r == 0, 0, z / where(r == 0, 1, r))


@elementwise(x=lambda g, x: g * cosh(x), floating=True)
def sinh(x: Any) -> Any:
    """Hyperbolic sine:  (e^x - e^-x) / 2."""
    with np.errstate(all="ignore"):
        return np.sinh(x)


@elementwise(x=lambda g, x: g * sinh(x), floating=True)
def cosh(x: Any) -> Any:
    """Hyperbolic cosine:  (e^x + e^-x) / 2."""
    with np.errstate(all="ignore"):
        return np.cosh(x)


@elementwise(x=lambda g, out: g * (1 - out * out), floating=True, category="activation")
def tanh(x: Any) -> Any:
    """Hyperbolic tangent:  (e^x - e^-x) / (e^x + e^-x)."""
    return np.tanh(x)


@elementwise(x=lambda g, x: g * rsqrt(x * x + 1), floating=True)
def asinh(x: Any) -> Any:
    """Inverse hyperbolic sine:  ln(x + √(x² + 1))."""
    return np.arcsinh(x)


@elementwise(x=lambda g, x: g * rsqrt(x * x - 1), domain=(1.2, 3.0), floating=True)
def acosh(x: Any) -> Any:
    """Inverse hyperbolic cosine:  ln(x + √(x² - 1)), for x >= 1."""
    with np.errstate(all="ignore"):
        return np.arccosh(x)


@elementwise(x=lambda g, x: g / (1 - x * x), domain=UNIT, floating=True)
def atanh(x: Any) -> Any:
    """Inverse hyperbolic tangent:  ½ ln((1 + x) / (1 - x)), for |x| < 1."""
    with np.errstate(all="ignore"):
        return np.arctanh(x)
