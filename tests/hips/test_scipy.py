"""autograd.scipy: SciPy's values, and derivatives of any order that agree with finite differences."""

from __future__ import annotations

import warnings

import numpy as onp
import pytest

scipy = pytest.importorskip("scipy")
for part in ("integrate", "linalg", "signal", "special", "stats"):
    pytest.importorskip(f"scipy.{part}")

import autograd.numpy as np  # noqa: E402
from autograd import GradientError, grad, jacobian  # noqa: E402
from autograd.scipy import integrate, linalg, signal, special, stats  # noqa: E402
from autograd.test_util import check_grads  # noqa: E402

rng = onp.random.default_rng(3)
P, Q = rng.uniform(0.5, 2.5, 4), rng.uniform(0.5, 2.5, 4)
U, Z = rng.uniform(0.1, 0.9, 4), rng.normal(size=4)
A = rng.normal(size=(3, 3)) + 4 * onp.eye(3)
S = A @ A.T
B = rng.normal(size=(3, 2))

# name -> arguments, and which of them have a derivative
SPECIAL = {
    "beta": ((P, Q), (0, 1)), "betaln": ((P, Q), (0, 1)), "betainc": ((P, Q, U), (2,)), "digamma": ((P,), (0,)),
    "psi": ((P,), (0,)), "erf": ((Z,), (0,)), "erfc": ((Z,), (0,)), "erfinv": ((U,), (0,)), "erfcinv": ((U * 2,), (0,)),
    "expit": ((Z,), (0,)), "logit": ((U,), (0,)), "gamma": ((P,), (0,)), "gammaln": ((P,), (0,)),
    "gammainc": ((P, Q), (1,)), "gammaincc": ((P, Q), (1,)), "rgamma": ((P,), (0,)), "i0": ((Z,), (0,)),
    "i1": ((Z,), (0,)), "iv": ((P, Q), (1,)), "ive": ((P, Q), (1,)), "j0": ((P,), (0,)), "j1": ((P,), (0,)),
    "jn": ((2, P), (1,)), "jv": ((P, Q), (1,)), "y0": ((P,), (0,)), "y1": ((P,), (0,)), "yn": ((2, P), (1,)),
    "kv": ((P, Q), (1,)), "kve": ((P, Q), (1,)), "multigammaln": ((P + 2, 3), (0,)), "polygamma": ((2, P), (1,)),
    "logsumexp": ((A,), (0,)), "softmax": ((Z,), (0,)), "log_softmax": ((Z,), (0,)), "xlogy": ((P, Q), (0, 1)),
    "xlog1py": ((P, Q), (0, 1)), "ndtr": ((Z,), (0,)), "log_ndtr": ((Z,), (0,)), "ndtri": ((U,), (0,)),
    "entr": ((P,), (0,)), "erfcx": ((Z,), (0,)), "gammasgn": ((Z,), ()), "expm1": ((Z,), (0,)),
}
MEAN = rng.normal(size=3)
SHARES = onp.array([0.2, 0.5, 0.3])
STATS = {
    **{f"norm.{f}": ((Z, Q, P), (0, 1, 2)) for f in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")},
    **{f"t.{f}": ((Z, P + 1, Q, P), (0, 1, 2, 3)) for f in ("pdf", "logpdf")},
    **{f"t.{f}": ((Z, P + 1, Q, P), (0, 2, 3)) for f in ("cdf", "logcdf")},
    **{f"beta.{f}": ((U, P + 1, Q + 1), (0, 1, 2)) for f in ("pdf", "logpdf")}, "beta.cdf": ((U, P, Q), (0,)),
    **{f"gamma.{f}": ((P, Q), (0, 1)) for f in ("pdf", "logpdf")}, "gamma.cdf": ((P, Q, 0.1, 1.5), (0, 2, 3)),
    **{f"chi2.{f}": ((P, Q + 1), (0, 1)) for f in ("pdf", "logpdf")}, "chi2.cdf": ((P, Q), (0,)),
    **{f"poisson.{f}": ((onp.arange(4), P), (1,)) for f in ("pmf", "logpmf", "cdf")},
    **{f"dirichlet.{f}": ((SHARES, P[:3]), (1,)) for f in ("pdf", "logpdf")},
    **{f"multivariate_normal.{f}": ((rng.normal(size=(2, 3)), MEAN, S), (0, 1, 2)) for f in ("pdf", "logpdf")},
    "multivariate_normal.entropy": ((MEAN, S), (1,)),
}


def check(function, reference, args, chosen, rtol=1e-11):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onp.testing.assert_allclose(function(*args), reference(*args), rtol=rtol, atol=1e-14)
    for k in chosen:
        check_grads(lambda x, k=k: function(*args[:k], x, *args[k + 1:]), modes=["fwd", "rev"], order=2)(args[k])


@pytest.mark.parametrize("name", SPECIAL)
def test_special(name):
    args, chosen = SPECIAL[name]
    check(getattr(special, name), getattr(scipy.special, name), args, chosen)


@pytest.mark.parametrize("name", STATS)
def test_stats(name):
    args, chosen = STATS[name]
    family, function = name.split(".")
    check(getattr(getattr(stats, family), function), getattr(getattr(scipy.stats, family), function), args, chosen)


@pytest.mark.parametrize("call", [
    lambda x: special.betainc(x, 2.0, 0.5), lambda x: special.jv(x, 1.0), lambda x: stats.t.cdf(0.5, x),
    lambda x: stats.gamma.cdf(1.0, x), lambda x: stats.chi2.cdf(1.0, x), lambda x: linalg.logm(x * onp.eye(2))[0, 0],
])
def test_what_has_no_derivative_says_so(call):
    with pytest.raises(GradientError, match=r"no derivative|no closed form"):
        grad(call)(1.5)


def test_outside_the_support():
    x = onp.array([-0.5, 0.0, 0.5, 1.0, 1.5])
    with onp.errstate(all="ignore"):
        onp.testing.assert_allclose(stats.beta.pdf(x, 2.0, 3.0), scipy.stats.beta.pdf(x, 2.0, 3.0))
        onp.testing.assert_allclose(stats.beta.cdf(x, 2.0, 3.0), scipy.stats.beta.cdf(x, 2.0, 3.0))
        onp.testing.assert_allclose(stats.gamma.logpdf(x, 2.0), scipy.stats.gamma.logpdf(x, 2.0))
        onp.testing.assert_allclose(stats.gamma.cdf(x, 2.0), scipy.stats.gamma.cdf(x, 2.0))
        k = onp.array([-1, 0, 2, 2.5])
        onp.testing.assert_allclose(stats.poisson.pmf(k, 1.3), scipy.stats.poisson.pmf(k, 1.3))
        onp.testing.assert_allclose(stats.poisson.cdf(k, 1.3), scipy.stats.poisson.cdf(k, 1.3))
        assert onp.isnan(stats.norm.pdf(0.0, 0.0, -1.0))
    slopes = grad(lambda a: np.sum(stats.gamma.pdf(x, a)))(2.5)
    assert onp.isfinite(slopes)
    assert onp.all(onp.isfinite(grad(lambda v: np.sum(stats.beta.pdf(v, 2.0, 3.0)))(x[[0, 2, 4]])))


def test_dirichlet_wants_shares():
    with pytest.raises(ValueError, match="add up to 1"):
        stats.dirichlet.logpdf(onp.array([0.5, 0.6]), onp.ones(2))
    many = onp.array([[0.2, 0.6], [0.8, 0.4]])
    onp.testing.assert_allclose(stats.dirichlet.pdf(many, P[:2]), scipy.stats.dirichlet.pdf(many, P[:2]))


@pytest.mark.parametrize("cov", [2.0, P[:3], S])
def test_multivariate_normal_takes_any_covariance(cov):
    x = rng.normal(size=(4, 3))
    onp.testing.assert_allclose(stats.multivariate_normal.logpdf(x, MEAN, cov),
                                scipy.stats.multivariate_normal.logpdf(x, MEAN, cov))


def test_multivariate_normal_of_a_singular_matrix():
    half = rng.normal(size=(3, 2))
    cov = half @ half.T
    x = MEAN + half @ onp.array([0.3, -1.2])
    onp.testing.assert_allclose(stats.multivariate_normal.logpdf(x, MEAN, cov, allow_singular=True),
                                scipy.stats.multivariate_normal.logpdf(x, MEAN, cov, allow_singular=True))
    check_grads(lambda h: stats.multivariate_normal.logpdf(MEAN + np.dot(h, onp.ones(2)), MEAN, np.dot(h, h.T), True),
                modes=["rev"], order=1)(half)


# -- linalg ----------------------------------------------------------------------------------------------

BAND = onp.array([[0.0, 0.5, 0.2, 0.4], [4.0, 4, 5, 6], [0.7, 0.1, 0.3, 0.0], [0.2, 0.6, 0.0, 0.0]])
LINALG = {
    "sqrtm": (lambda a: linalg.sqrtm(a), scipy.linalg.sqrtm, (S,)),
    "solve_sylvester": (linalg.solve_sylvester, scipy.linalg.solve_sylvester, (A, onp.eye(2) + B[:2], B)),
    "solve_triangular": (linalg.solve_triangular, scipy.linalg.solve_triangular, (A, B)),
    "solve_triangular lower T": (lambda a, b: linalg.solve_triangular(a, b, trans="T", lower=True),
                                 lambda a, b: scipy.linalg.solve_triangular(a, b, trans="T", lower=True), (A, B[:, 0])),
    "solve_banded": (lambda a, b: linalg.solve_banded((2, 1), a, b),
                     lambda a, b: scipy.linalg.solve_banded((2, 1), a, b), (BAND, rng.normal(size=4))),
    "solve_banded many": (lambda a, b: linalg.solve_banded((2, 1), a, b),
                          lambda a, b: scipy.linalg.solve_banded((2, 1), a, b), (BAND, rng.normal(size=(4, 2)))),
    "cholesky": (lambda a: linalg.cholesky((a + a.T) / 2), lambda a: scipy.linalg.cholesky((a + a.T) / 2), (S,)),
    "cho_solve": (lambda a, b: linalg.cho_solve(linalg.cho_factor((a + a.T) / 2, lower=True), b),
                  lambda a, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor((a + a.T) / 2, lower=True), b), (S, B)),
    "solve": (linalg.solve, scipy.linalg.solve, (A, B)),
    "solve pos": (lambda a, b: linalg.solve(a, b, assume_a="pos"),
                  lambda a, b: scipy.linalg.solve(a, b, assume_a="pos"), (S, B)),
    "inv": (linalg.inv, scipy.linalg.inv, (A,)), "det": (linalg.det, scipy.linalg.det, (A,)),
    "expm": (linalg.expm, scipy.linalg.expm, (A / 4,)), "norm": (linalg.norm, scipy.linalg.norm, (A,)),
    "block_diag": (linalg.block_diag, scipy.linalg.block_diag, (A, B)),
    "toeplitz": (linalg.toeplitz, scipy.linalg.toeplitz, (Z, onp.append(Z[:1], P))),
    "eigh": (lambda a, b: linalg.eigh((a + a.T) / 2, (b + b.T) / 2, eigvals_only=True),
             lambda a, b: scipy.linalg.eigh((a + a.T) / 2, (b + b.T) / 2, eigvals_only=True), (A, S)),
}


@pytest.mark.parametrize("name", LINALG)
def test_linalg(name):
    function, reference, args = LINALG[name]
    check(function, reference, args, range(len(args)), rtol=1e-9)


# -- signal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("shapes", [((6,), (3,)), ((5, 4), (2, 3)), ((6,), (2,))])
def test_convolve(mode, shapes):
    a, b = (rng.normal(size=s) for s in shapes)
    expected = scipy.signal.convolve(a, b, mode=mode, method="direct")
    onp.testing.assert_allclose(signal.convolve(a, b, mode=mode), expected, atol=1e-12)
    check_grads(lambda x, y: signal.convolve(x, y, mode=mode), modes=["rev"], order=2)(a, b)


def test_convolve_over_some_axes():
    x, w = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(3, 4, 2, 3))
    y = signal.convolve(x, w, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")
    assert y.shape == (2, 4, 5, 3)
    expected = sum(scipy.signal.convolve(x[1, c], w[c, 2], mode="valid") for c in range(3))
    onp.testing.assert_allclose(y[1, 2], expected, atol=1e-12)
    outer = signal.convolve(x, w, axes=([3], [3]), mode="full")
    assert outer.shape == (2, 3, 6, 3, 4, 2, 7)
    onp.testing.assert_allclose(outer[1, 2, 3, 0, 1, 1], onp.convolve(x[1, 2, 3], w[0, 1, 1]), atol=1e-12)
    short = signal.convolve(w, x[:, 0, :, :], axes=([2, 3], [1, 2]), mode="valid")
    assert short.shape == (3, 4, 2, 5, 3)
    onp.testing.assert_allclose(short[2, 1, 0], scipy.signal.convolve(w[2, 1], x[0, 0], mode="valid"), atol=1e-12)


# -- integrate -------------------------------------------------------------------------------------------


def swing(y, t, k, c):
    return np.array([y[1], -k * np.sin(y[0]) - c["damping"] * y[1] + 0.1 * t])


def test_odeint():
    times = onp.array([0.0, 0.4, 1.0])
    y0 = onp.array([0.5, -0.2])
    found = integrate.odeint(swing, y0, times, (2.0, {"damping": 0.3}))
    exact = scipy.integrate.odeint(lambda y, t: [y[1], -2 * onp.sin(y[0]) - 0.3 * y[1] + 0.1 * t], y0, times)
    onp.testing.assert_allclose(found, exact, atol=1e-7)

    def total(y0, times, k, c):
        y = integrate.odeint(swing, y0, times, (k, {"damping": c}), rtol=1e-10, atol=1e-12)
        return np.sum(y ** 2 * onp.array([[1.0, 2], [3, 4], [5, 6]]))
    check_grads(total, modes=["rev"], order=1)(y0, times, 2.0, 0.3)
    assert isinstance(grad(total, 1)(y0, times, 2.0, 0.3), onp.ndarray)


def test_odeint_has_second_derivatives():
    def end(k):
        return integrate.odeint(lambda y, t, k: -k * y, onp.array([1.0]), onp.array([0.0, 2.0]), (k,), rtol=1e-10,
                                atol=1e-12)[1, 0]
    assert grad(end)(0.7) == pytest.approx(-2 * onp.exp(-1.4), rel=1e-7)
    assert grad(grad(end))(0.7) == pytest.approx(4 * onp.exp(-1.4), rel=1e-6)


def test_odeint_refuses_what_it_cannot_see():
    with pytest.raises(GradientError, match="hand it in"):
        grad(lambda k: integrate.odeint(lambda y, t: -k * y, onp.ones(1), onp.array([0.0, 1.0]))[1, 0])(1.0)


def test_jacobian_through_logsumexp_with_weights():
    def f(x):
        return special.logsumexp(x, axis=0, b=onp.array([[1.0], [2.0], [0.5]]))
    onp.testing.assert_allclose(f(A), scipy.special.logsumexp(A, axis=0, b=onp.array([[1.0], [2.0], [0.5]])))
    assert jacobian(f)(A).shape == (3, 3, 3)
    check_grads(f, modes=["rev"], order=2)(A)
