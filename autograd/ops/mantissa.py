"""A number and what it is written with: its sign kept, its mantissa and exponent."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .composed import array_of, composed, tensor_if
from .elementwise import multiply
from .linear import identity


class MantissaExponent(NamedTuple):
    """x = mantissa · 2^exponent, the mantissa in [1/2, 1) up to its sign."""

    mantissa: Any
    exponent: Any


@composed
def positive(x: Any) -> Any:
    """The number itself:  +x.  TypeError for bools, which have no sign."""
    if x.dtype == bool:
        raise TypeError("positive: the + operator is not defined for bools; got a tensor of bool")
    return identity(x)


@composed
def frexp(x: Any) -> MantissaExponent:
    """(mantissa, exponent) with  x = mantissa · 2^exponent;  the exponent, int32, jumps: the mantissa alone has slopes.
    """
    value = array_of(x)
    if value.dtype.kind != "f":
        raise TypeError(f"frexp: expected floating-point numbers; got {value.dtype}")
    exponent = np.frexp(value)[1]
    if not np.all(np.isfinite(value)):        # 2^-exponent of inf and NaN says nothing
        exponent = np.where(np.isfinite(value), exponent, 0)
    half = -(exponent // 2)                   # in two steps: 2^-exponent alone may not be a number
    one = np.ones((), value.dtype)
    scaled = multiply(multiply(x, np.ldexp(one, half)), np.ldexp(one, -exponent - half))
    return MantissaExponent(scaled, tensor_if(x, np.asarray(exponent, np.int32)))
