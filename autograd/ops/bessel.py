"""Bessel functions of integer order and Airy's, by SciPy.

Each op takes the order as an attribute: the derivative of one order is made of its neighbours, never of a quotient by
x, so that it is exact at 0 too and there is a derivative of any order (which PyTorch has only of i0 and i1).
Source of the recurrences: NIST Digital Library of Mathematical Functions, 10.6.1, 10.29.1, 10.51.2; 9.2.1.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from ..op import elementwise
from .composed import composed
from .logic import sign
from .scipy_functions import scipy_special

POSITIVE = (0.4, 3.0)
_ORDERS = [(((2, 3),), {}), (((),), {}), (((3,),), {"order": 1}), (((3,),), {"order": 3}), (((0, 3),), {})]


def _bessel(rule: Any, **options: Any) -> Any:
    return elementwise(x=rule, floating=True, cases=_ORDERS, **options)


def _by_order(own: tuple[str, str], any_order: str, x: Any, order: int) -> Any:
    """SciPy's function for orders 0 and 1, which is faster, or that for any order."""
    return scipy_special(own[order], x, like=x) if order in (0, 1) else scipy_special(any_order, order, x, like=x)


# -- J and Y ---------------------------------------------------------------------------------------------


@_bessel(lambda g, x, order: g * -bessel_j(x, order=1) if order == 0 else
         g * 0.5 * (bessel_j(x, order=order - 1) - bessel_j(x, order=order + 1)))
def bessel_j(x: Any, *, order: int = 0) -> Any:
    """Bessel function of the first kind:  J_n(x), n = `order`;  J_n' = (J_{n-1} - J_{n+1}) / 2."""
    return _by_order(("j0", "j1"), "jv", x, order)


@_bessel(lambda g, x, order: g * -bessel_y(x, order=1) if order == 0 else
         g * 0.5 * (bessel_y(x, order=order - 1) - bessel_y(x, order=order + 1)), domain=POSITIVE)
def bessel_y(x: Any, *, order: int = 0) -> Any:
    """Bessel function of the second kind:  Y_n(x), n = `order`, for x > 0;  Y_n' = (Y_{n-1} - Y_{n+1}) / 2."""
    return _by_order(("y0", "y1"), "yn", x, order)


# -- modified: I and K, and both without their exponential -----------------------------------------------


@_bessel(lambda g, x, order: g * bessel_i(x, order=1) if order == 0 else
         g * 0.5 * (bessel_i(x, order=order - 1) + bessel_i(x, order=order + 1)))
def bessel_i(x: Any, *, order: int = 0) -> Any:
    """Modified Bessel function of the first kind:  I_n(x), n = `order`;  I_n' = (I_{n-1} + I_{n+1}) / 2."""
    if order in (0, 1):
        return scipy_special(("i0", "i1")[order], x, like=x)
    with np.errstate(all="ignore"):           # e^|x| in two halves, for I_n is in range a little longer than e^x
        half = np.exp(np.abs(x) * 0.5)
        return np.where(np.isinf(x), x ** (order % 2) * np.inf, bessel_ie.__wrapped__(x, order=order) * half * half)[()]


@_bessel(lambda g, x, out, order: g * (_neighbours(bessel_ie, x, order) - sign(x) * out))
def bessel_ie(x: Any, *, order: int = 0) -> Any:
    """Exponentially scaled:  e^-|x| I_n(x), n = `order`."""
    if order in (0, 1):
        return scipy_special(("i0e", "i1e")[order], x, like=x)
    a = np.abs(x)
    with np.errstate(all="ignore"):           # far out, where SciPy gives NaN, by the asymptotic series (10.40.1)
        far = (1 - (4 * order ** 2 - 1) / (8 * a)) / np.sqrt(2 * pi * a) * np.sign(x) ** (order % 2)
        return np.where(a > 1e8, far, scipy_special("ive", order, x, like=x))[()]


@_bessel(lambda g, x, order: -g * _neighbours(bessel_k, x, order), domain=POSITIVE)
def bessel_k(x: Any, *, order: int = 0) -> Any:
    """Modified, of the second kind:  K_n(x), n = `order`, for x > 0;  K_n' = -(K_{n-1} + K_{n+1}) / 2."""
    return _by_order(("k0", "k1"), "kn", x, order)


@_bessel(lambda g, x, out, order: g * (out - _neighbours(bessel_ke, x, order)), domain=POSITIVE)
def bessel_ke(x: Any, *, order: int = 0) -> Any:
    """Exponentially scaled:  e^x K_n(x), n = `order`, for x > 0."""
    if order in (0, 1):
        return scipy_special(("k0e", "k1e")[order], x, like=x)
    with np.errstate(all="ignore"):           # far out, where SciPy gives NaN, by the asymptotic series (10.40.2)
        far = (1 + (4 * order ** 2 - 1) / (8 * x)) * np.sqrt(pi / 2 / x)
        return np.where(x > 1e8, far, scipy_special("kve", order, x, like=x))[()]


def _neighbours(function: Any, x: Any, order: int) -> Any:
    """The mean of the orders beside `order`; order -1 is order 1."""
    return function(x, order=1) if order == 0 else 0.5 * (function(x, order=order - 1) + function(x, order=order + 1))


# -- spherical, Airy -------------------------------------------------------------------------------------


@_bessel(lambda g, x, order: g * -spherical_bessel_j(x, order=1) if order == 0 else
         g * (order * spherical_bessel_j(x, order=order - 1)
              - (order + 1) * spherical_bessel_j(x, order=order + 1)) / (2 * order + 1))
def spherical_bessel_j(x: Any, *, order: int = 0) -> Any:
    """Spherical Bessel function of the first kind:  j_n(x), n = `order`;  j_0 = sin x / x."""
    return scipy_special("spherical_jn", order, x, like=x)


@elementwise(x=lambda g, x: g * airy_ai_slope(x), floating=True)
def airy_ai(x: Any) -> Any:
    """Airy function:  Ai(x), the solution of y'' = x y that vanishes at +inf."""
    return _airy(x)[0]


@elementwise(x=lambda g, x: g * x * airy_ai(x), floating=True)
def airy_ai_slope(x: Any) -> Any:
    """The derivative of Airy's function:  Ai'(x)."""
    return _airy(x)[1]


def _airy(x: Any) -> tuple[Any, Any]:
    """Ai and Ai'; far out, where SciPy gives NaN, 0 above and the asymptotic series (9.7.9, 9.7.10) below."""
    near, slope, _, _ = scipy_special("airy", x, like=x)
    with np.errstate(all="ignore"):
        z = np.maximum(-np.asarray(x, np.float64), 1e5)
        zeta, root = z ** 1.5 / 1.5, np.sqrt(np.sqrt(z)) * sqrt(pi)
        cos, sin = np.cos(zeta - pi / 4), np.sin(zeta - pi / 4)
        below = (cos + 5 / 72 / zeta * sin) / root, (sin + 7 / 72 / zeta * cos) * root / pi
        return tuple(np.where(x < -1e5, far, np.where(x > 1e3, 0, y)).astype(x.dtype)[()]
                     for far, y in zip(below, (near, slope)))                                 # type: ignore[return-value]


# -- under PyTorch's names -------------------------------------------------------------------------------


def _named(name: str, function: Any, order: int, text: str) -> Any:
    def call(x: Any) -> Any:
        return function(x, order=order)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = text
    return composed(call)


bessel_j0 = _named("bessel_j0", bessel_j, 0, "Bessel function of the first kind, order 0:  J_0(x).")
bessel_j1 = _named("bessel_j1", bessel_j, 1, "Bessel function of the first kind, order 1:  J_1(x).")
bessel_y0 = _named("bessel_y0", bessel_y, 0, "Bessel function of the second kind, order 0:  Y_0(x), x > 0.")
bessel_y1 = _named("bessel_y1", bessel_y, 1, "Bessel function of the second kind, order 1:  Y_1(x), x > 0.")
i0 = _named("i0", bessel_i, 0, "Modified Bessel function of the first kind, order 0:  I_0(x).")
i1 = _named("i1", bessel_i, 1, "Modified Bessel function of the first kind, order 1:  I_1(x).")
i0e = _named("i0e", bessel_ie, 0, "Exponentially scaled:  e^-|x| I_0(x).")
i1e = _named("i1e", bessel_ie, 1, "Exponentially scaled:  e^-|x| I_1(x).")
modified_bessel_i0, modified_bessel_i1 = i0, i1
modified_bessel_k0 = _named("modified_bessel_k0", bessel_k, 0, "Modified, of the second kind, order 0:  K_0(x), x > 0.")
modified_bessel_k1 = _named("modified_bessel_k1", bessel_k, 1, "Modified, of the second kind, order 1:  K_1(x), x > 0.")
scaled_modified_bessel_k0 = _named("scaled_modified_bessel_k0", bessel_ke, 0, "Exponentially scaled:  e^x K_0(x).")
scaled_modified_bessel_k1 = _named("scaled_modified_bessel_k1", bessel_ke, 1, "Exponentially scaled:  e^x K_1(x).")
spherical_bessel_j0 = _named("spherical_bessel_j0", spherical_bessel_j, 0, "Spherical, order 0:  sin x / x.")
