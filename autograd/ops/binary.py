"""More functions of two and three inputs: extremes without NaN, lengths, logarithms beside a factor, fused sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import elementwise
from ..tensor import Tensor
from .composed import composed
from .elementwise import POSITIVE, add, cos, divide, exp2, multiply, power, sin, subtract, where
from .linear import cast
from .logic import eq, ge, isnan, le

LN2 = 0.6931471805599453


# -- extremes and lengths --------------------------------------------------------------------------------


@elementwise(x=lambda g, x, y: where(ge(x, y) | isnan(y), g, 0), y=lambda g, x, y: where(ge(x, y) | isnan(y), 0, g))
def fmax(x: Any, y: Any) -> Any:
    """The larger, or the one that is not NaN:  max(x, y).  At a tie the gradient goes to x (PyTorch)."""
    return np.fmax(x, y)


@elementwise(x=lambda g, x, y: where(le(x, y) | isnan(y), g, 0), y=lambda g, x, y: where(le(x, y) | isnan(y), 0, g))
def fmin(x: Any, y: Any) -> Any:
    """The smaller, or the one that is not NaN:  min(x, y).  At a tie the gradient goes to x (PyTorch)."""
    return np.fmin(x, y)


@elementwise(x=lambda g, x, out: _over(g * x, out), y=lambda g, y, out: _over(g * y, out), floating=True)
def hypot(x: Any, y: Any) -> Any:
    """Length of the vector (x, y):  √(x² + y²), without overflow on the way.  At 0 the derivatives are taken as 0."""
    with np.errstate(all="ignore"):
        return np.hypot(x, y)


def _over(z: Any, length: Any) -> Any:
    """z / length, and 0 for a vector of no length; the inner `where` keeps 0/0 out of the next derivative."""
    none = eq(length, 0)
    return where(none, 0, z / where(none, 1, length))


# -- logarithms ------------------------------------------------------------------------------------------


@elementwise(x=lambda g, x, y: g / (1 + exp2(y - x)), y=lambda g, x, y: g / (1 + exp2(x - y)), floating=True)
def logaddexp2(x: Any, y: Any) -> Any:
    """Sum of powers of 2 in the logarithm:  log₂(2^x + 2^y), without overflow."""
    with np.errstate(all="ignore"):
        return np.logaddexp2(x, y)


@elementwise(x=lambda g, x, y: where(eq(x, 0) & le(y, 0), 0, xlogy(g, y)), y=lambda g, x, y: g * x / y,
             domain=POSITIVE, floating=True)
def xlogy(x: Any, y: Any) -> Any:
    """x ln y, and 0 where x = 0 (unless y is NaN).  At x = 0, y <= 0 the derivative to x is 0 (PyTorch)."""
    return _beside(np.log, x, y)


@elementwise(x=lambda g, x, y: where(eq(x, 0) & le(y, -1), 0, xlog1py(g, y)),
             y=lambda g, x, y: g * x / (y + 1), domain=POSITIVE, floating=True)
def xlog1py(x: Any, y: Any) -> Any:
    """x ln(1 + y), exact near y = 0, and 0 where x = 0 (unless y is NaN)."""
    return _beside(np.log1p, x, y)


def _beside(function: Any, x: Any, y: Any) -> Any:
    """x function(y), and 0 where x is 0 and y a number.  A Python number takes the dtype of the other operand."""
    x, y = _typed(x, y), _typed(y, x)
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0) & ~np.isnan(y), x * 0, x * function(y))[()]


def _typed(x: Any, other: Any) -> Any:
    return x if isinstance(x, (np.ndarray, np.generic)) else other.dtype.type(x)


# -- powers ----------------------------------------------------------------------------------------------


@elementwise(x=lambda g, y: ldexp(g, y), y=lambda g, out: g * out * LN2, floating=True)
def ldexp(x: Any, y: Any) -> Any:
    """x 2^y; y need not be an integer.  In two steps, so that 2^y alone may lie outside the range."""
    x, y = _typed(x, y), _typed(y, x)
    with np.errstate(all="ignore"):
        if "c" in (x.dtype.kind, y.dtype.kind):
            return x * 2.0 ** y
        half = np.trunc(y * 0.5)
        return x * np.exp2(half) * np.exp2(np.where(np.isinf(y), 0, y - half)[()])


@composed
def float_power(x: Any, y: Any) -> Any:
    """x^y in double precision (complex128 of complex numbers), whatever the dtypes are."""
    x, y = (v if hasattr(v, "dtype") else np.asarray(v)[()] for v in (x, y))
    wide = np.complex128 if "c" in (x.dtype.kind, y.dtype.kind) else np.float64
    return power(cast(x, dtype=wide), cast(y, dtype=wide))


# -- sums with a factor ----------------------------------------------------------------------------------


def _scaled(y: Any, alpha: Any) -> Any:
    """alpha y; of a Python number a Python number, which promotes nothing."""
    if type(alpha) is int and alpha == 1:
        return y
    return multiply(y, alpha) if isinstance(y, (Tensor, np.ndarray, np.generic)) else y * alpha


@composed
def rsub(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    """Difference the other way round:  y - alpha x."""
    return subtract(y, _scaled(x, alpha))


@composed
def addcmul(x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    """x + value y z."""
    return add(x, _scaled(multiply(y, z), value))


@composed
def addcdiv(x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    """x + value y / z."""
    return add(x, _scaled(divide(y, z), value))


@composed
def polar(abs: Any, angle: Any) -> Any:
    """The complex number of a length and an angle in radians:  abs (cos angle + i sin angle)."""
    return add(multiply(abs, cos(angle)), multiply(multiply(abs, sin(angle)), 1j))
