"""The summary of an array: the numbers that NumPy gives, for any finite range, and what is not finite counted apart."""

import numpy as np
import pytest

from autograd.graph.nodes import summary

CASES = {
    "normal": lambda r: r.standard_normal(1000), "few": lambda r: r.standard_normal(3),
    "two": lambda r: np.array([1.0, 2.0]),
    "whole": lambda r: r.integers(-8, 8, 500), "edges": lambda r: np.arange(17) / 16,
    "bool": lambda r: r.random(9) > 0.5,
    "single": lambda r: r.standard_normal((7, 9)).astype(np.float32), "huge": lambda r: r.standard_normal(50) * 1e300,
    "tiny": lambda r: r.standard_normal(50) * 1e-300, "denormal": lambda r: r.random(40) * 1e-310,
    "apart": lambda r: 1.0 + r.random(30) * 1e-13, "zeros": lambda r: r.integers(0, 2, 64) * 1.5,
}


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_numpys(name):
    for seed in range(5):
        a = CASES[name](np.random.default_rng(seed))
        found, x = summary(a), a.astype(np.float64)
        if x.min() < x.max():
            assert found.hist == tuple(np.histogram(x, 16, (x.min(), x.max()))[0])
        scale = np.abs(x).max() or 1.0
        near = {"rel": 1e-12, "abs": 1e-14 * scale}
        assert found.rms == pytest.approx(np.sqrt(((x / scale) ** 2).mean()) * scale, **near)
        assert found.mean == pytest.approx((x / scale).mean() * scale, **near)
        assert found.std == pytest.approx((x / scale).std() * scale, **near)
        assert (found.min, found.max, found.zeros) == (x.min(), x.max(), (x == 0).mean())
        assert (found.nans, found.infs, found.size) == (0, 0, a.size)


def test_what_is_not_finite_is_counted_apart():
    a = np.array([1.0, np.nan, np.inf, -np.inf, 3.0, np.nan])
    found = summary(a)
    assert (found.nans, found.infs, found.size, found.min, found.max, found.mean) == (2, 2, 6, 1.0, 3.0, 2.0)
    assert found.hist == (1, *[0] * 14, 1)
    assert summary(np.array([np.nan, np.nan])).hist == () and summary(np.zeros(0)).size == 0


def test_a_range_too_narrow_for_bars_has_none():
    assert summary(np.array([1.0, np.nextafter(1.0, 2.0)])).hist == ()
