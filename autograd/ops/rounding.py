"""Remainders, signs, neighbours and bits: what keeps or changes the parts of a number.

Where a function is constant between jumps its derivative is 0, as it is everywhere else in the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import elementwise, op
from ..promotion import result_dtype
from ..tensor import Tensor, wrap
from .arithmetic import whole_quotient
from .binary import hypot
from .composed import composed
from .elementwise import POSITIVE, divide, keep, multiply, round, where
from .linear import cast
from .logic import eq, isfinite, no_integer_division_by_zero, sign

# -- remainders ------------------------------------------------------------------------------------------


@elementwise(x=lambda g: g, y=lambda g, x, y: -g * _times(x, y), domain=POSITIVE)
def fmod(x: Any, y: Any) -> Any:
    """Remainder with the sign of x:  x - y trunc(x / y).  Integers divided by 0 raise ZeroDivisionError."""
    no_integer_division_by_zero("fmod", x, y)
    with np.errstate(all="ignore"):
        return np.fmod(x, y)


def _times(x: Any, y: Any) -> Any:
    """How often y fits into x, as the remainder has it: 6 / 0.1 is 60, but fmod(6, 0.1) is almost 0.1: 59."""
    rest = fmod(x, y)
    return where(isfinite(rest), round((x - rest) / y), whole_quotient(x, y))


@elementwise(x=lambda g: g)
def frac(x: Any) -> Any:
    """The part behind the point, with the sign of x:  x - trunc(x)."""
    with np.errstate(all="ignore"):
        return x - np.trunc(x)


# -- signs -----------------------------------------------------------------------------------------------


@composed
def sgn(x: Any) -> Any:
    """-1, 0 or 1 as x is below, at or above 0; of a complex number  x / |x|, and 0 at 0."""
    if getattr(x, "dtype", np.dtype(float)).kind != "c":
        return sign(x)
    part = np.dtype(f"f{x.dtype.itemsize // 2}")
    length = hypot(cast(x, dtype=part), cast(multiply(x, -1j), dtype=part))
    zero = eq(length, 0)
    return where(zero, 0, divide(x, where(zero, 1, length)))


@elementwise(x=lambda g, x, y: _with_sign(g, x, y), y=lambda g: g * 0, floating=True)
def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y (of -0 too).  The derivative to x is ±1, at x = 0 taken as 0; to y it is 0."""
    return np.copysign(x, y)


def _with_sign(g: Any, x: Any, y: Any) -> Any:
    return where(x == 0, 0, where(signbit(x) == signbit(y), g, -g))


def _logic(shapes: str = "any shape", **options: Any) -> Any:
    return op(shapes=shapes, category="logic", **options)


@_logic()
def signbit(x: Any) -> Any:
    """Where x is below 0, or is -0."""
    return np.less(x, 0) if x.dtype.kind in "biu" else np.signbit(x)


@_logic()
def isposinf(x: Any) -> Any:
    """Where x is +infinite."""
    return np.equal(x, np.inf)


@_logic()
def isneginf(x: Any) -> Any:
    """Where x is -infinite."""
    return np.equal(x, -np.inf)


@_logic()
def isreal(x: Any) -> Any:
    """Where the imaginary part is 0: everywhere, if x is not complex."""
    return np.equal(x.imag, 0)


@_logic("shapes that broadcast together")
def heaviside(x: Any, values: Any) -> Any:
    """Step: 0 below 0, 1 above, `values` at 0.  No gradient flows through it."""
    above = np.greater(x, 0)
    return np.where(np.equal(x, 0), values, above.astype(getattr(values, "dtype", None) or np.result_type(x, values)))


# -- neighbours, and what is not finite ------------------------------------------------------------------


@elementwise(x=lambda g, x, y: where(eq(x, y), 0, g), y=lambda g: g * 0)
def nextafter(x: Any, y: Any) -> Any:
    """The floating-point number next to x on the way to y.  The derivative to x is 1, at x = y taken as 0; to y 0."""
    with np.errstate(all="ignore"):
        return np.nextafter(x, y)


@elementwise(x=lambda g, x: keep(g, isfinite(x)), order=("x", "nan", "posinf", "neginf"),
             cases=[(((2, 3),), {}), (((),), {"nan": 1.0, "posinf": 2.0, "neginf": 3.0})])
def nan_to_num(x: Any, *, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with numbers for NaN (0), +inf and -inf (the largest and smallest number); there the derivative is 0."""
    return np.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


# -- integers and bits -----------------------------------------------------------------------------------


@_logic("integer shapes that broadcast together")
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """Bits moved left:  x 2^y of integers; 0 where y is negative or reaches the width."""
    return np.left_shift(x, y)


@_logic("integer shapes that broadcast together")
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """Bits moved right:  ⌊x / 2^y⌋ of integers."""
    return np.right_shift(x, y)


@composed
def gcd(x: Any, y: Any) -> Any:
    """The greatest common divisor of integers, not negative; gcd(0, 0) = 0.  TypeError for any other dtype."""
    return _of_integers("gcd", np.gcd, x, y)


@composed
def lcm(x: Any, y: Any) -> Any:
    """The least common multiple of integers, not negative; 0 if either is 0.  TypeError for any other dtype."""
    return _of_integers("lcm", np.lcm, x, y)


def _of_integers(name: str, ufunc: Any, x: Any, y: Any) -> Any:
    values = [v.value if isinstance(v, Tensor) else v if isinstance(v, int) else np.asarray(v)[()] for v in (x, y)]
    dtype = result_dtype(values)
    if dtype.kind not in "iu":
        got = " and ".join(str(getattr(v, "dtype", type(v).__name__)) for v in values)
        raise TypeError(f"{name}: expected integers; got {got}")
    with np.errstate(all="ignore"):
        out = ufunc(*[np.asarray(v, dtype) for v in values])
    return wrap(out) if isinstance(x, Tensor) or isinstance(y, Tensor) else out
