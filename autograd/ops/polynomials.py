"""Orthogonal polynomials of degree n, element by element: Chebyshev, Legendre, Hermite, Laguerre.

By their three-term recurrences, one step a degree for the whole array.  Derivatives are polynomials again, of one
degree less and another family (ultraspherical, associated Laguerre), so there is one of any order, also at ±1.
A degree is an integer (a float is cut off), and a negative one gives 0, as in PyTorch; no gradient flows into it.
Source: Abramowitz and Stegun 1964, tables 22.7 and 22.8; NIST Digital Library of Mathematical Functions, 18.9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import elementwise
from .composed import composed
from .elementwise import multiply, subtract

HIGHEST = 1 << 16                             # of a polynomial that is reached step by step
_N = np.array([0, 1, 4])
_CASES: list[Any] = [(((2, 3), _N), {}), (((2, 1), _N), {}), (((), np.array(3)), {}), (((0, 3), _N), {})]
_SHAPES = "shapes that broadcast together; n are integers"

# from p_k, p_{k-1}, x and k to p_{k+1}
Step = Callable[[Any, Any, Any, int], Any]


def _degrees(n: Any) -> Any:
    """The degrees as integers; NaN, like all that is negative, as -1."""
    n = np.asarray(n)
    if n.dtype.kind == "f":
        n = np.clip(np.trunc(np.nan_to_num(n, nan=-1.0)), -1, 1 << 53)
    return n.astype(np.int64)


def _below(n: Any, by: int = 1) -> Any:
    return _degrees(n) - by


def _recurrence(name: str, x: Any, n: Any, first: Callable[[Any], Any], step: Step) -> Any:
    """p_n(x) of p_0 = 1, p_1 = first(x) and the step to the next; NaN once it overflowed.

    ValueError for a degree beyond HIGHEST.
    """
    n = _degrees(n)
    v = np.asarray(x, np.float64)
    highest = int(n.max(initial=-1))
    v, n = np.broadcast_arrays(v, n)
    out = np.where(n == 0, 1.0, 0.0)
    before, p = np.ones_like(v), first(v)
    with np.errstate(all="ignore"):
        for k in range(1, highest + 1):
            out = np.where(n == k, p, out)
            before, p = p, step(p, before, v, k)
            if k % 64 == 0:
                left = n > k
                if not np.any(left & np.isfinite(p)):
                    out = np.where(left, np.nan, out)
                    break
                if k > HIGHEST:
                    raise ValueError(f"{name}: expected degrees up to {HIGHEST}; got {highest}")
    return out.astype(x.dtype)[()]


def _polynomial(rule: Any, **options: Any) -> Any:
    return elementwise(x=rule, floating=True, shapes=_SHAPES, **{"cases": _CASES, **options})


# -- Chebyshev: of four kinds, which differ in p_1 alone -------------------------------------------------


def _chebyshev(name: str, x: Any, n: Any, first: Callable[[Any], Any], closed: Callable[[Any, Any], Any]) -> Any:
    """By the recurrence up to degree 64 and outside (-1, 1); beyond it inside by cosines."""
    n = _degrees(n)
    v, high = np.asarray(x, np.float64), n > 64
    step: Step = lambda p, before, v, k: 2 * v * p - before
    if not np.any(high):
        return _recurrence(name, x, n, first, step)
    with np.errstate(all="ignore"):
        inside = high & (np.abs(v) < 1)
        return np.where(inside, closed(np.arccos(v), n), _recurrence(name, x, np.where(inside, 0, n), first, step)) \
            .astype(x.dtype)[()]


@_polynomial(lambda g, x, n: g * _degrees(n).astype(g.dtype) * gegenbauer(x, _below(n), order=1))
def chebyshev_polynomial_t(x: Any, n: Any) -> Any:
    """Chebyshev polynomial of the first kind:  T_n(cos θ) = cos nθ;  T_n' = n U_{n-1}."""
    return _chebyshev("chebyshev_polynomial_t", x, n, lambda v: v, lambda t, n: np.cos(n * t))


@_polynomial(lambda g, x, n: g * 2 * gegenbauer(x, _below(n), order=2))
def chebyshev_polynomial_u(x: Any, n: Any) -> Any:
    """Chebyshev polynomial of the second kind:  U_n(cos θ) = sin (n+1)θ / sin θ."""
    return _chebyshev("chebyshev_polynomial_u", x, n, lambda v: 2 * v, lambda t, n: np.sin((n + 1) * t) / np.sin(t))


@_polynomial(lambda g, x, n: g * 2 * (gegenbauer(x, _below(n), order=2) - gegenbauer(x, _below(n, 2), order=2)))
def chebyshev_polynomial_v(x: Any, n: Any) -> Any:
    """Chebyshev polynomial of the third kind:  V_n(cos θ) = cos (n+½)θ / cos θ/2 = U_n - U_{n-1}."""
    return _chebyshev("chebyshev_polynomial_v", x, n, lambda v: 2 * v - 1,
                      lambda t, n: np.cos((n + 0.5) * t) / np.cos(t / 2))


@_polynomial(lambda g, x, n: g * 2 * (gegenbauer(x, _below(n), order=2) + gegenbauer(x, _below(n, 2), order=2)))
def chebyshev_polynomial_w(x: Any, n: Any) -> Any:
    """Chebyshev polynomial of the fourth kind:  W_n(cos θ) = sin (n+½)θ / sin θ/2 = U_n + U_{n-1}."""
    return _chebyshev("chebyshev_polynomial_w", x, n, lambda v: 2 * v + 1,
                      lambda t, n: np.sin((n + 0.5) * t) / np.sin(t / 2))


@_polynomial(lambda g, x, n, order: g * (2 * order) * gegenbauer(x, _below(n), order=order + 1),
             cases=[(((2, 3), _N), {}), (((2, 3), _N), {"order": 0.5}), (((3,), _N), {"order": 2})])
def gegenbauer(x: Any, n: Any, *, order: float = 1) -> Any:
    """Ultraspherical polynomial:  C_n^λ(x), λ = `order`;  of λ = ½ Legendre's, of 1 U_n;  C_n^λ' = 2λ C_{n-1}^(λ+1)."""
    return _recurrence("gegenbauer", x, n, lambda v: 2 * order * v, lambda p, before, v, k:
                       (2 * (k + order) * v * p - (k + 2 * order - 1) * before) / (k + 1))


# -- Legendre, Hermite, Laguerre -------------------------------------------------------------------------


@_polynomial(lambda g, x, n: g * gegenbauer(x, _below(n), order=1.5))
def legendre_polynomial_p(x: Any, n: Any) -> Any:
    """Legendre polynomial:  P_n(x)."""
    return _recurrence("legendre_polynomial_p", x, n, lambda v: v, lambda p, before, v, k:
                       ((2 * k + 1) * v * p - k * before) / (k + 1))


@_polynomial(lambda g, x, n: g * (2 * _degrees(n)).astype(g.dtype) * hermite_polynomial_h(x, _below(n)))
def hermite_polynomial_h(x: Any, n: Any) -> Any:
    """Hermite polynomial (of the physicists):  H_n(x), H_n' = 2n H_{n-1}."""
    return _recurrence("hermite_polynomial_h", x, n, lambda v: 2 * v, lambda p, before, v, k:
                       2 * (v * p - k * before))


@_polynomial(lambda g, x, n: g * _degrees(n).astype(g.dtype) * hermite_polynomial_he(x, _below(n)))
def hermite_polynomial_he(x: Any, n: Any) -> Any:
    """Hermite polynomial (of probability):  He_n(x), He_n' = n He_{n-1}."""
    return _recurrence("hermite_polynomial_he", x, n, lambda v: v, lambda p, before, v, k: v * p - k * before)


@_polynomial(lambda g, x, n, order: -g * laguerre_polynomial_l(x, _below(n), order=order + 1),
             cases=[*_CASES, (((3,), _N), {"order": 1})])
def laguerre_polynomial_l(x: Any, n: Any, *, order: float = 0) -> Any:
    """Laguerre polynomial:  L_n(x), associated if `order` is not 0;  L_n^α' = -L_{n-1}^(α+1)."""
    return _recurrence("laguerre_polynomial_l", x, n, lambda v: 1 + order - v, lambda p, before, v, k:
                       ((2 * k + 1 + order - v) * p - (k + order) * before) / (k + 1))


# -- shifted: on [0, 1] instead of [-1, 1] ---------------------------------------------------------------


def _shifted(polynomial: Any, name: str, letter: str) -> Any:
    def call(x: Any, n: Any) -> Any:
        return polynomial(subtract(multiply(x, 2), 1), n)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Shifted Chebyshev polynomial:  {letter}*_n(x) = {letter}_n(2x - 1)."
    return composed(call)


shifted_chebyshev_polynomial_t = _shifted(chebyshev_polynomial_t, "shifted_chebyshev_polynomial_t", "T")
shifted_chebyshev_polynomial_u = _shifted(chebyshev_polynomial_u, "shifted_chebyshev_polynomial_u", "U")
shifted_chebyshev_polynomial_v = _shifted(chebyshev_polynomial_v, "shifted_chebyshev_polynomial_v", "V")
shifted_chebyshev_polynomial_w = _shifted(chebyshev_polynomial_w, "shifted_chebyshev_polynomial_w", "W")
