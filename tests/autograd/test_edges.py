"""Values where formulas overflow, compare false or have no number: infinities, NaN, ties, wide and narrow dtypes.

Beside each what the function should give there: PyTorch's answer, or the exact one where PyTorch is wrong.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy import inf, nan

import autograd
import nn
from autograd import ShapeError

HUGE, TINY = 1e308, 5e-324


def leaf(values, dtype=np.float64):
    return autograd.tensor(np.array(values, dtype), requires_grad=True)


def slope(out, *inputs):
    return [None if g is None else g.numpy() for g in autograd.gradients(autograd.sum(out), list(inputs),
                                                                         allow_unused=True)]


def test_sign_of_nan_is_zero():
    x = leaf([nan, -2, 0, 3])
    assert autograd.sign(x).tolist() == [0, -1, 0, 1]
    assert autograd.sign(np.float64(nan)) == 0
    np.testing.assert_array_equal(slope(abs(x), x)[0], [0, -1, 0, 1])
    assert autograd.sign(np.array([True, False])).dtype == bool


def test_clamp_between_tensors():
    x, low, high = leaf([nan, 1, 5, -1, 0]), leaf([0, nan, 0, 0, 1]), leaf([1, 2, 1, 1, 1])
    out = autograd.clamp(x, low, high)
    np.testing.assert_array_equal(out.numpy(force=True), [nan, nan, 1, 0, 1])
    of_x, of_low, of_high = slope(out, x, low, high)
    np.testing.assert_array_equal(of_x, [0, 0, 0, 0, 0])
    np.testing.assert_array_equal(of_low, [0, 0, 0, 1, 0])           # at the end both bounds are one: none has a slope
    np.testing.assert_array_equal(of_high, [0, 0, 1, 0, 0])


def test_a_tie_of_huge_elements_is_no_overflow():
    x, src = leaf([HUGE, 0, 1]), leaf([HUGE, HUGE, 2])
    out = autograd.scatter_reduce(x, 0, np.array([0, 0, 1]), src, "amax")
    np.testing.assert_array_equal(out.numpy(force=True), [HUGE, 2, 1])
    of_x, of_src = slope(out, x, src)
    np.testing.assert_allclose(of_x, [1 / 3, 0, 1])
    np.testing.assert_allclose(of_src, [1 / 3, 1 / 3, 1])
    for reduced in (autograd.median, autograd.nanmedian):
        y = leaf([-HUGE, -HUGE, -HUGE, 1])
        assert reduced(y).item() == -HUGE
        np.testing.assert_allclose(slope(reduced(y), y)[0], [1 / 3, 1 / 3, 1 / 3, 0])


def test_extremes_are_exactly_an_element():
    src = np.full(7, 0.1)
    assert autograd.scatter_reduce(np.zeros(1), 0, np.zeros(7, int), src, "amax")[0] == 0.1


def test_vander_starts_with_ones():
    np.testing.assert_array_equal(autograd.linalg.vander(np.array([nan, inf, 2.0]), N=2), [[1, nan], [1, inf], [1, 2]])
    assert autograd.linalg.vander(np.array([1, 2], np.uint8)).dtype == np.int64


def test_norms_of_nan():
    assert np.isnan(autograd.norm(np.array([0.0, nan]), -1))
    assert np.isnan(autograd.cdist(np.array([[nan, 0.0]]), np.array([[1.0, 0.0]]), 0)).all()
    x = leaf([[nan, 1.0], [3.0, 4.0]])
    kept = slope(autograd.renorm(x, 2, 0, 1.0)[0], x)[0]
    np.testing.assert_array_equal(kept[0], [1, 1])                   # a slice of no length stays, and so does its slope


def test_lgamma_of_the_smallest_number():
    np.testing.assert_allclose(autograd.lgamma(np.array([TINY, -TINY])), 744.4400719213812)


def test_the_last_nan_of_a_window():
    x = np.array([[[nan, 1.0, nan, 0.0]]])
    values, index = nn.functional.adaptive_max_pool1d(autograd.tensor(x), 1, True)
    assert autograd.isnan(values).all() and index.tolist() == [[[2]]]


def test_sums_in_logarithms():
    z = np.array([1 + 2j, 3 - 1j, -2 + 4j])
    np.testing.assert_allclose(autograd.logsumexp(z, dim=0), np.log(np.exp(z).sum()))
    np.testing.assert_allclose(np.exp(autograd.logcumsumexp(z, dim=0)), np.cumsum(np.exp(z)))
    np.testing.assert_allclose(autograd.logcumsumexp(z + 1000, dim=0), autograd.logcumsumexp(z, dim=0) + 1000)
    t = autograd.tensor(z, requires_grad=True)
    g = autograd.gradients(autograd.logcumsumexp(t, dim=0)[2], [t])[0].numpy()
    np.testing.assert_allclose(g, np.conj(np.exp(z) / np.exp(z).sum()))
    x = leaf([0.0, inf, 1.0])
    np.testing.assert_allclose(slope(autograd.logcumsumexp(x, dim=0), x)[0], [1, 2, 0])


def test_histogram_of_one_huge_number():
    assert autograd.histc(np.array(HUGE), bins=4).tolist() == [0, 0, 1, 0]


def test_narrow_dtypes():
    half = np.array([0.0, 300.0, 2.0], np.float16)
    assert autograd.dist(half, half * 0, 4) == pytest.approx(300) and autograd.dist(half, half, 4).dtype == np.float16
    assert autograd.matrix_exp(np.eye(2, dtype=np.float16)).dtype == np.float16
    byte = autograd.index_add(np.array([5], np.uint8), 0, np.array([0]), np.array([3], np.uint8), alpha=-1)
    assert byte.tolist() == [2] and byte.dtype == np.uint8
    whole = np.ones((2, 2), np.int64)
    assert autograd.addmm(whole, whole, whole, beta=0.6, alpha=2.9).tolist() == [[4, 4], [4, 4]]
    assert autograd.addbmm(whole.astype(np.uint8), np.ones((3, 2, 2), np.uint8), np.ones((3, 2, 2), np.uint8)).dtype \
        == np.uint8
    assert autograd.cov(np.array([[1, 2, 4], [3, 1, 5]])).dtype == np.float32
    true = np.array([True, False])
    assert autograd.scatter_reduce(true, 0, np.array([1]), true[:1], "amax").tolist() == [True, True]
    assert autograd.all(np.ones(2, np.uint8)).dtype == np.uint8 and autograd.any(true).dtype == bool


REFUSED = [
    (ShapeError, "cov", (np.ones((2, 3)),), {"fweights": np.ones((3, 3), int)}),
    (ShapeError, "cov", (np.ones((2, 3)),), {"aweights": np.ones(2)}),
    (TypeError, "cov", (np.ones((2, 3)),), {"fweights": np.ones(3)}),
    (TypeError, "cov", (np.ones((2, 3)),), {"aweights": np.ones(3, int)}),
    (ValueError, "cov", (np.ones((2, 3)),), {"fweights": np.array([1, -1, 1])}),
    (ValueError, "isclose", (np.ones(2), np.ones(2)), {"rtol": -0.1}),
    (ShapeError, "masked_fill", (np.ones(2), np.array([True, False]), np.ones(1)), {}),
    (TypeError, "masked_fill", (np.ones(2, int), np.array([True, False]), 1j), {}),
    (ShapeError, "vector_norm", (np.ones((0, 3)), np.inf, 0), {}),
    (TypeError, "narrow", (np.ones(4), 0, np.array(True), 2), {}),
    (TypeError, "scatter", (np.ones(3), 0, np.array([0]), np.ones(1, np.float32)), {}),
    (TypeError, "scatter_add", (np.ones(3), 0, np.array([0]), np.ones(1, np.float32)), {}),
]


@pytest.mark.parametrize("error, name, args, kwargs", REFUSED, ids=[f"{row[1]}-{i}" for i, row in enumerate(REFUSED)])
def test_refused(error, name, args, kwargs):
    with pytest.raises(error, match=name):
        getattr(autograd, name, getattr(autograd.linalg, name, None))(*args, **kwargs)


def test_slope_of_a_remainder_whose_quotient_is_not_exact():
    y = leaf([0.1, 0.1, 0.25])
    np.testing.assert_array_equal(slope(autograd.fmod(np.array([6.0, -6.0, 1.1]), y), y)[0], [-59, 59, -4])


def test_logit_of_nan_has_no_slope():
    x = leaf([nan, 0.1, 0.5])
    np.testing.assert_allclose(slope(autograd.logit(x, 0.2), x)[0], [nan, 0, 4])


def test_pixels_of_bytes_are_weighed_and_rounded():
    x = np.array([[[[0, 10], [20, 30]]]], np.uint8)
    out = nn.functional.interpolate(autograd.tensor(x), size=(3, 3), mode="bilinear", align_corners=True)
    assert out.dtype == np.uint8 and out.tolist() == [[[[0, 5, 10], [10, 15, 20], [20, 25, 30]]]]
