"""Masked reductions, windows of signal processing, and factors of indefinite matrices."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, linalg, masked
from autograd.signal import windows

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 5))
MASK = np.array([[True, False, True, True, False], [True] * 5, [False, False, True, False, True]])

REDUCTIONS = {
    "sum": np.sum, "prod": np.prod, "amax": np.max, "amin": np.min, "mean": np.mean,
    "var": lambda r: np.var(r, ddof=1), "std": lambda r: np.std(r, ddof=1), "norm": np.linalg.norm,
    "logsumexp": lambda r: np.log(np.exp(r).sum()), "median": lambda r: np.sort(r)[(len(r) - 1) // 2],
}
EACH = {
    "softmax": lambda r: np.exp(r) / np.exp(r).sum(), "softmin": lambda r: np.exp(-r) / np.exp(-r).sum(),
    "cumsum": np.cumsum, "cumprod": np.cumprod, "log_softmax": lambda r: r - np.log(np.exp(r).sum()),
}


def slopes(f, x):
    """The gradient beside central differences, element by element."""
    t = Tensor(x, requires_grad=True)
    out = f(t)
    u = np.random.default_rng(1).standard_normal(out.shape)
    grad, = ag.gradients([ag.sum(ag.where(np.isfinite(out.value), out, 0) * u)], [t])
    for k in np.ndindex(x.shape):
        sides = []
        for h in (1e-6, -1e-6):
            y = x.copy()
            y[k] += h
            made = f(y)
            sides.append(np.sum(np.where(np.isfinite(made), made, 0) * u))
        assert np.isclose(grad.value[k], (sides[0] - sides[1]) / 2e-6, rtol=1e-5, atol=1e-7), k


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_what_is_in(name):
    f = getattr(masked, name)
    found = f(X, dim=1, mask=MASK)
    assert np.allclose(found, [REDUCTIONS[name](row[m]) for row, m in zip(X, MASK)])
    assert f(X, dim=1, mask=MASK, keepdim=True).shape == (3, 1)
    assert np.allclose(f(Tensor(X), dim=1).value, f(X, dim=1, mask=np.ones((3, 5), bool)))
    slopes(lambda x: f(x, dim=1, mask=MASK), X)


@pytest.mark.parametrize("name", EACH)
def test_functions_along_what_is_in(name):
    f = getattr(masked, name)
    found = f(X, 1, mask=MASK)
    for row, m, made in zip(X, MASK, found):
        assert np.allclose(made[m], EACH[name](row[m]))
    slopes(lambda x: f(x, 1, mask=MASK), X)


def test_where_nothing_is_in():
    nothing = np.zeros((3, 5), bool)
    for name, value in {"sum": 0, "prod": 1, "amax": -np.inf, "amin": np.inf, "mean": np.nan, "norm": 0}.items():
        assert np.array_equal(getattr(masked, name)(X, dim=1, mask=nothing), [value] * 3, equal_nan=True)
    assert np.array_equal(masked.argmax(X, 1, mask=MASK), [np.argmax(np.where(m, r, -9)) for r, m in zip(X, MASK)])
    assert np.array_equal(masked.argmin(X, 1, mask=MASK), [np.argmin(np.where(m, r, 9)) for r, m in zip(X, MASK)])
    out = masked.logaddexp(X, X, input_mask=MASK, other_mask=~MASK)
    assert np.allclose(out, X)
    length = np.sqrt((X * X * MASK).sum(1, keepdims=True))
    assert np.allclose(masked.normalize(X, 2.0, 1, mask=MASK), X * MASK / length)
    assert masked.sum(np.array([100, 100], np.int8)).dtype == np.int64
    with pytest.raises(TypeError, match="mask of bools"):
        masked.sum(X, mask=X)


# -- windows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("M", [0, 1, 2, 7, 8])
def test_windows(M):
    for name in ("hamming", "blackman", "bartlett"):
        expected = getattr(np, name)(M)
        assert np.allclose(getattr(windows, name)(M, dtype="float64").value, expected)
        assert np.allclose(getattr(windows, name)(M, sym=False, dtype="float64").value,
                           getattr(np, name)(M + 1)[:M] if M > 1 else expected)
        assert np.allclose(getattr(ag, f"{name}_window")(M, dtype="float64").value,
                           windows.__dict__[name](M, sym=False, dtype="float64").value)
    assert np.allclose(windows.hann(M).value, np.hanning(M), atol=1e-7) and windows.hann(M).dtype == np.float32
    assert np.allclose(windows.kaiser(M, beta=5.0, dtype="float64").value, np.kaiser(M, 5.0))
    assert np.allclose(windows.cosine(M, dtype="float64").value, np.sin(np.pi / max(M, 1) * (np.arange(M) + 0.5)))
    k = np.arange(M) - (M - 1) / 2
    assert np.allclose(windows.gaussian(M, std=2.0, dtype="float64").value, np.exp(-k * k / 8))
    assert np.allclose(windows.exponential(M, tau=3.0, dtype="float64").value, np.exp(-abs(k) / 3))


def test_windows_refuse():
    with pytest.raises(ValueError, match="M of at least 0"):
        windows.hann(-1)
    with pytest.raises(ValueError, match="centre in the middle"):
        windows.exponential(3, center=1.0)
    with pytest.raises(ValueError, match="floating-point dtype"):
        windows.hann(3, dtype="int64")
    assert windows.hann(4, requires_grad=True).requires_grad


# -- indefinite matrices ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["real", "complex", "hermitian"])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
def test_solutions_by_bunch_and_kaufman(kind, n):
    rng = np.random.default_rng(n)
    a = rng.standard_normal((2, n, n)) + (1j * rng.standard_normal((2, n, n)) if kind != "real" else 0)
    a = a + np.swapaxes(a.conj() if kind == "hermitian" else a, -1, -2)
    if n > 2:
        a[0, np.arange(n), np.arange(n)] = 0          # so that there are blocks of 2 x 2
    b = rng.standard_normal((2, n, 3)).astype(a.dtype)
    factors = linalg.ldl_factor(a, hermitian=kind == "hermitian")
    assert n < 3 or np.any(factors.pivots[0] < 0)
    x = linalg.ldl_solve(*factors, b, hermitian=kind == "hermitian")
    assert np.allclose(a @ x, b, atol=1e-9)
    upper = a + np.triu(np.ones((n, n)), 1)           # of which only the lower triangle is read
    assert np.array_equal(linalg.ldl_factor(upper, hermitian=kind == "hermitian").LD, factors.LD)


def test_solutions_differentiate():
    a = RNG.standard_normal((4, 4))
    a = a + a.T
    np.fill_diagonal(a, 0)
    factors, b = linalg.ldl_factor(a), RNG.standard_normal((4, 2))
    slopes(lambda t: linalg.ldl_solve(factors.LD, factors.pivots, t), b)
    slopes(lambda t: linalg.ldl_solve(t, factors.pivots, b), factors.LD.copy())


def test_singular_matrices():
    a = np.diag([1.0, 0.0, 2.0])
    assert linalg.ldl_factor_ex(a).info == 2
    with pytest.raises(linalg.LinAlgError, match="block 2 of D is exactly 0"):
        linalg.ldl_factor(a)
    with pytest.raises(ag.ShapeError, match="expected pivots"):
        linalg.ldl_solve(a, np.zeros(2, np.int32), a)
