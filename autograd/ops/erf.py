"""erf and erfc on arrays, to double precision: NumPy has neither.

Rational approximations in four intervals.  Source: W. J. Cody 1969 by way of Sun's fdlibm, s_erf.c
(1993): erf(x) = x + x P(x²)/Q(x²) below 0.84375; a polynomial around 1 up to 1.25; beyond,
erfc(x) = e^(-x²) e^(R(1/x²)/S(1/x²)) / x.  Evaluated in float64 and cast back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_P0 = (-2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02,
       -3.25042107247001499370e-01, 1.28379167095512558561e-01)
_Q0 = (-3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03, 6.50222499887672944485e-02,
       3.97917223959155352819e-01, 1.0)
_P1 = (-2.16637559486879084300e-03, 3.54783043256182359371e-02, -1.10894694282396677476e-01, 3.18346619901161753674e-01,
       -3.72207876035701323847e-01, 4.14856118683748331666e-01, -2.36211856075265944077e-03)
_Q1 = (1.19844998467991074170e-02, 1.36370839120290507362e-02, 1.26171219808761642112e-01, 7.18286544141962662868e-02,
       5.40397917702171048937e-01, 1.06420880400844228286e-01, 1.0)
_P2 = (
    -9.81432934416914548592e00,
    -8.12874355063065934246e01,
    -1.84605092906711035994e02,
    -1.62396669462573470355e02,
    -6.23753324503260060396e01,
    -1.05586262253232909814e01,
    -6.93858572707181764372e-01,
    -9.86494403484714822705e-03,
)
_Q2 = (
    -6.04244152148580987438e-02,
    6.57024977031928170135e00,
    1.08635005541779435134e02,
    4.29008140027567833386e02,
    6.45387271733267880336e02,
    4.34565877475229228821e02,
    1.37657754143519042600e02,
    1.96512716674392571292e01,
    1.0,
)
_P3 = (
    -4.83519191608651397019e02,
    -1.02509513161107724954e03,
    -6.37566443368389627722e02,
    -1.60636384855821916062e02,
    -1.77579549177547519889e01,
    -7.99283237680523006574e-01,
    -9.86494292470009928597e-03,
)
_Q3 = (-2.24409524465858183362e+01, 4.74528541206955367215e+02, 2.55305040643316442583e+03, 3.19985821950859553908e+03,
       1.53672958608443695994e+03, 3.25792512996573918826e+02, 3.03380607434824582924e+01, 1.0)
_ERX = 8.45062911510467529297e-01


def _horner(coefficients: tuple[float, ...], x: Any) -> Any:
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y *= x
        y += c
    return y


def _tail(a: Any) -> Any:
    """erfc of a >= 1.25."""
    s = 1 / (a * a)
    ratio = np.where(a < 1 / 0.35, _horner(_P2, s) / _horner(_Q2, s), _horner(_P3, s) / _horner(_Q3, s))
    head = a.view(np.int64) & ~np.int64(0xFFFFFFFF)       # a rounded to its upper half: head² is exact
    z = head.view(np.float64)
    return np.exp(-z * z - 0.5625) * np.exp((z - a) * (z + a) + ratio) / a


def _pieces(x: Any) -> tuple[Any, Any, Any, Any, Any]:
    v = np.atleast_1d(np.asarray(x, np.float64))
    a = np.abs(v)
    return v, a, a < 0.84375, (a >= 0.84375) & (a < 1.25), a >= 1.25


def _back(y: Any, x: Any) -> Any:
    return y.reshape(x.shape).astype(x.dtype)[()]


def erf_of(x: Any) -> Any:
    """erf of an array or NumPy scalar, in its dtype."""
    v, a, small, middle, large = _pieces(x)
    y = v.copy()                                          # NaN stays
    t = v[small]
    y[small] = t + t * (_horner(_P0, t * t) / _horner(_Q0, t * t))
    t = a[middle] - 1
    y[middle] = np.copysign(_ERX + _horner(_P1, t) / _horner(_Q1, t), v[middle])
    t = np.minimum(a[large], 6.0)
    y[large] = np.copysign(1 - _tail(t), v[large])
    return _back(y, x)


_CHEBYSHEV = (0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
              1.00002368, -1.26551223)


def _erfc_single(x: Any) -> Any:
    """erfc to float32's digits (relative error 1.2e-7), in one interval: t e^(-x² + P(t)), t = 1 / (1 + |x|/2).

    Source: Press et al., Numerical Recipes, 2nd ed. 1992, section 6.2, erfcc.
    """
    a = np.abs(x).astype(np.float64)
    t = 1 / (1 + 0.5 * a)
    y = t * np.exp(_horner(_CHEBYSHEV, t) - a * a)
    return np.where(x < 0, 2 - y, y).astype(x.dtype)[()]


def erfc_of(x: Any) -> Any:
    """erfc of an array or NumPy scalar, in its dtype."""
    if x.dtype.itemsize < 8:
        return _erfc_single(x)
    v, a, small, middle, large = _pieces(x)
    y = v.copy()
    t = v[small]
    y[small] = 1 - (t + t * (_horner(_P0, t * t) / _horner(_Q0, t * t)))
    t = a[middle] - 1
    part = _horner(_P1, t) / _horner(_Q1, t)
    y[middle] = np.where(v[middle] > 0, 1 - _ERX - part, 1 + (_ERX + part))
    t = np.minimum(a[large], 28.0)                        # erfc(28) is below the smallest double
    with np.errstate(under="ignore"):
        part = _tail(t)
    y[large] = np.where(v[large] > 0, part, 2 - part)
    return _back(y, x)
