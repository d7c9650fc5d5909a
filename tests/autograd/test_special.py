"""autograd.special and the rarer elementwise functions: values against 50-digit ones, conventions, derivatives."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.special

import autograd as ag
import autograd.special as special
from autograd import Tensor
from autograd.ops import binary, rounding, unary


def leaf(*values):
    return Tensor(np.array(values, np.float64) if len(values) > 1 else np.float64(values[0]), requires_grad=True)


def slope(function, *at):
    """The derivatives of a function to all that it is given."""
    ts = [leaf(*a) if isinstance(a, tuple) else leaf(a) for a in at]
    return [g.value for g in ag.gradients([function(*ts).sum()], ts)]


def nth(function, x, n):
    """The n-th derivative, by reverse mode over and over."""
    t = leaf(x)
    y = function(t)
    for _ in range(n):
        y, = ag.gradients([y], [t], create_graph=True)
    return float(y)


# -- values, from mpmath with 50 digits ------------------------------------------------------------------


@pytest.mark.parametrize("function, x, expected", [
    (special.erfcx, 10.0, 0.056140992743822584),
    (special.erfcx, -3.0, 16205.988853999586),
    (special.erfcx, 1e200, 5.641895835477563e-201),
    (special.erfinv, 0.5, 0.4769362762044699),
    (special.erfinv, 1e-300, 8.862269254527581e-301),
    (special.erfinv, 1 - 2.0 ** -53, 5.863584748755168),
    (special.ndtr, -10.0, 7.619853024160526e-24),
    (special.ndtr, -37.0, 5.725571222524577e-300),
    (special.ndtri, 1e-300, -37.0470962993612),
    (special.ndtri, 0.975, 1.959963984540054),
    (special.log_ndtr, -40.0, -804.6084420137538),
    (special.log_ndtr, 10.0, -7.619853024160526e-24),
    (special.logit, 0.5 + 2.0 ** -40, 3.637978807091713e-12),
    (special.log1mexp, 1e-20, -46.051701859880914),
    (special.log1mexp, 50.0, -1.928749847963918e-22),
    (special.gammaln, 0.5, 0.5723649429247001),
    (special.digamma, 1.0, -0.5772156649015329),
    (special.bessel_j0, 5.1, -0.14433474706050063),      # torch 2.13 errs by 3e-7 beyond 5
    (special.airy_ai, -2.1152882205513794, 0.15338026416969955),
    (special.spherical_bessel_j0, 0.0, 1.0),
    (special.sinc, 0.5, 0.6366197723675814),
])
def test_values(function, x, expected):
    assert np.isclose(function(np.float64(x)), expected, rtol=2e-15, atol=0)


@pytest.mark.parametrize("function, x, expected", [
    (special.erfinv, [1.0, -1.0, 1.5, np.nan], [np.inf, -np.inf, np.nan, np.nan]),
    (special.ndtri, [0.0, 1.0, -0.1, 0.5], [-np.inf, np.inf, np.nan, 0.0]),
    (special.erfcx, [np.inf, -np.inf, 0.0], [0.0, np.inf, 1.0]),
    (special.ndtr, [np.inf, -np.inf, 0.0], [1.0, 0.0, 0.5]),
    (special.log_ndtr, [np.inf, -np.inf], [0.0, -np.inf]),
    (special.logit, [0.0, 1.0, 2.0], [-np.inf, np.inf, np.nan]),
    (special.entr, [0.0, 1.0, -1.0, np.nan], [0.0, 0.0, -np.inf, np.nan]),
    (special.sinc, [0.0, 1.0, 1e15], [1.0, 0.0, 0.0]),
    (special.gammaln, [0.0, -1.0, -np.inf], [np.inf, np.inf, np.inf]),
    (special.digamma, [0.0, -0.0, -1.0], [-np.inf, np.inf, np.nan]),
    (special.airy_ai, [1e8, 200.0], [0.0, 0.0]),
])
def test_ends(function, x, expected):
    assert np.allclose(function(np.array(x)), expected, rtol=0, atol=0, equal_nan=True)


# -- conventions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("function, at, expected", [
    (special.erfinv, (1.0,), [np.inf]),
    (special.entr, (0.0,), [np.inf]),
    (special.logit, (0.0,), [np.inf]),
    (special.logit, (2.0,), [np.nan]),
    (special.sinc, (0.0,), [0.0]),
    (special.log1mexp, (1e-20,), [1e20]),
    (special.log_ndtr, (-40.0,), [40.02496884720726]),
    (special.xlogy, (0.0, 0.0), [0.0, np.nan]),
    (special.xlogy, (0.0, 2.0), [np.log(2), 0.0]),
    (binary.fmax, (1.0, np.nan), [1.0, 0.0]),
    (binary.fmax, (1.0, 1.0), [1.0, 0.0]),
    (binary.fmin, (np.nan, 1.0), [0.0, 1.0]),
    (binary.hypot, (1e200, 1e200), [0.5 ** 0.5, 0.5 ** 0.5]),
    (binary.hypot, (0.0, 0.0), [0.0, 0.0]),
    (binary.ldexp, (3.0, 2.0), [4.0, 12 * np.log(2)]),
    (rounding.copysign, (-2.0, 3.0), [-1.0, 0.0]),
    (rounding.copysign, (0.0, -3.0), [0.0, 0.0]),
    (rounding.fmod, (-3.0, 2.0), [1.0, 1.0]),
    (rounding.frac, (-1.5,), [1.0]),
    (rounding.nan_to_num, (np.nan,), [0.0]),
    (unary.cbrt, (0.0,), [np.inf]),
    (unary.softsign, (-1.0,), [0.25]),
])
def test_conventions(function, at, expected):
    assert np.allclose(slope(function, *at), expected, rtol=1e-15, atol=0, equal_nan=True)


def test_sums_with_a_factor():
    x, y = np.array([7, -7, 7]), np.array([2, 2, -2])
    assert binary.rsub(x, y).tolist() == [-5, 9, -9]
    assert binary.rsub(x, 1, alpha=2).tolist() == [-13, 15, -13]
    assert binary.addcmul(x, y, y, value=-1).tolist() == [3, -11, 3]
    assert slope(lambda a, b, c: binary.addcdiv(a, b, c, value=2), 1.0, 3.0, 4.0) == [1.0, 0.5, -0.375]


def test_integers_and_bits():
    assert rounding.gcd(Tensor(np.array([12, -8, 0])), 18).tolist() == [6, 2, 0 + 18]
    assert rounding.lcm(np.array([4, 0]), np.array([6, 5])).tolist() == [12, 0]
    with pytest.raises(TypeError, match="gcd: expected integers; got float64 and int"):
        rounding.gcd(Tensor(np.ones(2)), 3)
    assert rounding.bitwise_left_shift(Tensor(np.array([1, 3])), 2).tolist() == [4, 12]
    assert rounding.bitwise_right_shift(Tensor(np.array([-8, 7])), 1).tolist() == [-4, 3]
    assert rounding.signbit(np.array([-0.0, 0.0, -1.0])).tolist() == [True, False, True]
    assert rounding.heaviside(np.array([-1.0, 0.0, 2.0]), 0.5).tolist() == [0, 0.5, 1]
    assert rounding.isposinf(np.array([np.inf, -np.inf])).tolist() == [True, False]
    assert rounding.isneginf(np.array([1, 2])).tolist() == [False, False]
    assert rounding.isreal(np.array([1 + 0j, 1j])).tolist() == [True, False]


def test_complex_numbers():
    assert np.allclose(rounding.sgn(np.array([3 + 4j, 0j])), [0.6 + 0.8j, 0])
    assert np.allclose(binary.polar(np.array([2.0]), np.array([np.pi / 2])), [2j])
    assert np.isclose(special.sinc(np.complex128(0.5j)), np.sin(0.5j * np.pi) / (0.5j * np.pi))
    for function in (rounding.sgn, unary.softsign, special.sinc):
        def real(a, b, function=function):
            return ag.cast(function(a + b * 1j) * (1 + 2j), dtype=np.float64)
        assert ag.gradcheck(real, (leaf(3.0, -1.0), leaf(4.0, 2.0)))
        assert function is unary.softsign or ag.gradgradcheck(real, (leaf(3.0, -1.0), leaf(4.0, 2.0)))
    z = binary.polar(leaf(2.0), leaf(0.5))
    assert z.requires_grad and z.dtype == np.complex128


@pytest.mark.parametrize("number", [2.0, 2])
@pytest.mark.parametrize("function", [special.xlogy, special.xlog1py, binary.ldexp, binary.hypot, binary.logaddexp2,
                                      binary.fmax, rounding.fmod, rounding.copysign])
def test_a_python_number_beside_float32_changes_no_dtype(function, number):
    for args in ((Tensor([0.5, 1.5], requires_grad=True), number), (number, Tensor([0.5, 1.5], requires_grad=True))):
        out = function(*args)
        t, = [a for a in args if isinstance(a, Tensor)]
        out.sum().backward()
        assert out.dtype == np.float32 and t.grad.dtype == np.float32


def test_float_power_is_double():
    assert binary.float_power(Tensor([2.0, 3.0]), 2).dtype == np.float64
    assert binary.float_power(2, Tensor(np.array([-1, 3]))).tolist() == [0.5, 8.0]
    x = Tensor([2.0, 3.0], requires_grad=True)
    binary.float_power(x, 2).sum().backward()
    assert x.grad.tolist() == [4.0, 6.0] and x.grad.dtype == np.float32


def test_pytorchs_names_of_arguments():
    x = np.array([0.5, 1.5])
    assert np.array_equal(special.bessel_j0(input=x), special.bessel_j0(x))
    assert np.array_equal(binary.rsub(input=x, other=1, alpha=2), 1 - 2 * x)
    assert np.array_equal(special.shifted_chebyshev_polynomial_t(input=x, n=1), 2 * x - 1)
    assert rounding.gcd(input=12, other=18) == 6
    assert np.array_equal(special.multigammaln(input=x + 2, p=1), special.gammaln(x + 2))
    assert np.array_equal(special.polygamma(1, x), special.polygamma(n=1, x=x))


def test_integers_become_the_default_dtype():
    for function in (special.erfinv, special.gammaln, special.i0, special.sinc, special.ndtr, unary.deg2rad):
        assert function(Tensor(np.array([0, 1]))).dtype == np.float32
    assert special.chebyshev_polynomial_t(Tensor(np.array([0, 1])), 2).dtype == np.float32


def test_slopes_keep_their_digits_in_the_tail():
    """By the formula for erfcx' no digit is left at 1e8, and PyTorch's slope of log_ndtr is twice the right one."""
    for x in (-50.0, -1e4, -1e8):
        assert np.isclose(nth(special.log_ndtr, x, 1), -x - 1 / x + 2 / x ** 3, rtol=1e-9, atol=0)
        assert np.isclose(nth(special.log_ndtr, x, 2), -1 + 1 / x ** 2, rtol=1e-6, atol=0)
        assert np.isclose(nth(special.erfcx, -x, 1), -(1 - 1.5 / x ** 2) / np.sqrt(np.pi) / x ** 2, rtol=1e-6, atol=0)
    assert np.isclose(nth(special.erfcx, 9.99, 2), nth(special.erfcx, 10.01, 2), rtol=7e-3)
    assert nth(special.log_ndtr, 400.0, 2) == 0


# -- derivatives that PyTorch has not --------------------------------------------------------------------


@pytest.mark.parametrize("function, reference", [
    (special.bessel_j0, lambda x, n: scipy.special.jvp(0, x, n)),
    (special.bessel_j1, lambda x, n: scipy.special.jvp(1, x, n)),
    (special.bessel_y0, lambda x, n: scipy.special.yvp(0, x, n)),
    (special.bessel_y1, lambda x, n: scipy.special.yvp(1, x, n)),
    (special.i0, lambda x, n: scipy.special.ivp(0, x, n)),
    (special.i1, lambda x, n: scipy.special.ivp(1, x, n)),
    (special.modified_bessel_k0, lambda x, n: scipy.special.kvp(0, x, n)),
    (special.modified_bessel_k1, lambda x, n: scipy.special.kvp(1, x, n)),
])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_derivatives_of_bessel_functions(function, reference, n):
    assert np.isclose(nth(function, 1.7, n), reference(1.7, n), rtol=1e-13, atol=0)


def test_bessel_functions_have_derivatives_at_0_and_far_out():
    assert [nth(special.bessel_j0, 0.0, n) for n in range(5)] == [1, 0, -0.5, 0, 0.375]
    assert [nth(special.i1, 0.0, n) for n in range(4)] == [0, 0.5, 0, 0.375]
    assert nth(special.spherical_bessel_j0, 0.0, 2) == pytest.approx(-1 / 3, rel=1e-15)
    assert np.isfinite([nth(special.i1, 1e-308, 1), nth(special.i1e, 1e12, 2), nth(special.airy_ai, -1e8, 1)]).all()
    x = 2e8
    assert np.isclose(special.bessel_ie(np.float64(x), order=2), special.i0e(np.float64(x)), rtol=1e-7)


def test_airy_solves_its_equation():
    for x in (-5.0, 0.0, 2.0, -2e5):
        assert np.isclose(nth(special.airy_ai, x, 2), x * nth(special.airy_ai, x, 0), rtol=1e-12)
    assert np.isclose(special.airy_ai(np.float64(-1.001e5)), scipy.special.airy(-1.001e5)[0], rtol=1e-6)


POLYNOMIALS = [
    (special.chebyshev_polynomial_t, lambda n: np.polynomial.Chebyshev.basis(n)),
    (special.legendre_polynomial_p, lambda n: np.polynomial.Legendre.basis(n)),
    (special.hermite_polynomial_h, lambda n: np.polynomial.Hermite.basis(n)),
    (special.hermite_polynomial_he, lambda n: np.polynomial.HermiteE.basis(n)),
    (special.laguerre_polynomial_l, lambda n: np.polynomial.Laguerre.basis(n)),
]


@pytest.mark.parametrize("function, basis", POLYNOMIALS)
@pytest.mark.parametrize("x", [-1.0, -0.3, 0.0, 1.0, 1.5])
def test_polynomials_and_three_derivatives(function, basis, x):
    for degree in (0, 1, 2, 5):
        for order in range(4):
            expected = basis(degree).deriv(order)(x) if order else basis(degree)(x)
            found = nth(lambda t, n=degree: function(t, n) + 0 * t, x, order)
            assert np.isclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind, at", [
    ("t", lambda n, t: np.cos(n * t)),
    ("u", lambda n, t: np.sin((n + 1) * t) / np.sin(t)),
    ("v", lambda n, t: np.cos((n + 0.5) * t) / np.cos(t / 2)),
    ("w", lambda n, t: np.sin((n + 0.5) * t) / np.sin(t / 2)),
])
def test_chebyshev_of_each_kind(kind, at):
    theta = np.linspace(0.1, 3.0, 7)
    n = np.array([0, 1, 2, 5, 30, 64, 200])
    x = np.cos(theta)
    expected = at(n[:, None], theta)
    plain = getattr(special, f"chebyshev_polynomial_{kind}")
    assert np.allclose(plain(x, n[:, None]), expected, rtol=1e-11, atol=1e-11)
    shifted = getattr(special, f"shifted_chebyshev_polynomial_{kind}")
    assert np.allclose(shifted((x + 1) / 2, n[:, None]), expected, rtol=1e-9, atol=1e-9)


def test_degrees():
    x = Tensor([0.5, 0.5, 0.5, 0.5], requires_grad=True)
    n = Tensor(np.array([-1.0, 2.7, np.nan, 0.0], np.float32), requires_grad=True)
    y = special.legendre_polynomial_p(x, n)
    assert np.allclose(y.value, [0, -0.125, 0, 1]) and y.dtype == np.float32
    y.sum().backward()
    assert x.grad.tolist() == [0, 1.5, 0, 0] and n.grad is None
    with pytest.raises(ValueError, match="expected degrees up to 65536; got 1000000"):
        special.legendre_polynomial_p(np.ones(1), 1_000_000)
    assert np.isclose(special.chebyshev_polynomial_t(np.float64(0.3), 10 ** 6), np.cos(1e6 * np.arccos(0.3)))


def test_incomplete_gamma_functions():
    a, x = np.array([0.5, 2.0, 50.0]), np.array([0.1, 3.0, 40.0])
    assert np.allclose(special.gammainc(a, x) + special.gammaincc(a, x), 1, rtol=1e-15)
    t = Tensor(x, requires_grad=True)
    special.gammainc(a, t).sum().backward()
    assert np.allclose(t.grad.value, np.exp((a - 1) * np.log(x) - x - scipy.special.gammaln(a)), rtol=1e-13)
    with pytest.raises(ag.GradientError, match=r"gammainc: the derivative to a has no closed form; detach\(\) a"):
        special.gammainc(Tensor(a, requires_grad=True), x).sum().backward()


def test_zeta_and_polygamma():
    assert np.isclose(special.zeta(np.float64(2), np.float64(1)), np.pi ** 2 / 6, rtol=1e-15)
    q = leaf(1.5)
    special.zeta(2.0, q).backward()
    assert np.isclose(float(q.grad), -2 * scipy.special.zeta(3, 1.5), rtol=1e-14)
    for n in range(4):
        assert np.isclose(nth(special.digamma, 1.5, n), float(special.polygamma(n, np.float64(1.5))), rtol=1e-13)
    with pytest.raises(ValueError, match="polygamma: expected n >= 0; got -1"):
        special.polygamma(-1, np.ones(2))
    assert np.isclose(special.multigammaln(np.float64(3.5), 3), scipy.special.multigammaln(3.5, 3), rtol=1e-14)


def test_every_name_of_torch_special_is_here():
    names = """airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t chebyshev_polynomial_u
        chebyshev_polynomial_v chebyshev_polynomial_w digamma entr erf erfc erfcx erfinv exp2 expit expm1 gammainc
        gammaincc gammaln hermite_polynomial_h hermite_polynomial_he i0 i0e i1 i1e laguerre_polynomial_l
        legendre_polynomial_p log1p log_ndtr log_softmax logit logsumexp modified_bessel_i0 modified_bessel_i1
        modified_bessel_k0 modified_bessel_k1 multigammaln ndtr ndtri polygamma psi round scaled_modified_bessel_k0
        scaled_modified_bessel_k1 shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u
        shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w sinc softmax spherical_bessel_j0 xlog1py xlogy
        zeta"""
    assert set(names.split()) <= set(special.__all__)
    assert all(callable(getattr(special, name)) for name in special.__all__)


def test_without_scipy_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ImportError, match=r'gammaln is computed by SciPy, .* pip install "glassgrad\[special\]"'):
        special.gammaln(np.ones(2))
    assert special.ndtr(np.float64(0.0)) == 0.5          # what is our own needs none
