"""Rows added at places that repeat, beside NumPy's own addition, in both of the ways it is done."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.ops import accumulate

RNG = np.random.default_rng(0)


@pytest.fixture(params=[0, 1 << 40])
def few(request, monkeypatch):
    monkeypatch.setattr(accumulate, "FEW", request.param)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("rows, count", [(50, 7), (50, 50), (7, 300), (1, 33), (3, 0), (2, 2)])
def test_rows_beside_numpy(rows, count):
    at, given = RNG.integers(-rows, rows, count), RNG.standard_normal((count, 4))
    out, expected = np.zeros((rows, 4)), np.zeros((rows, 4))
    accumulate.add_rows(out, at, given)
    np.add.at(expected, at, given)
    assert np.allclose(out, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.usefixtures("few")
def test_a_row_that_is_not_there():
    with pytest.raises(IndexError):
        accumulate.add_rows(np.zeros((3, 2)), np.array([0, 3]), np.ones((2, 2)))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("index", [np.array([[1, 1], [4, -1]]), (slice(None), np.array([0, 2, 2, -1])),
                                   (slice(None), slice(None), np.array([1, 1])), np.array([True, False] * 3),
                                   (slice(1, 3), np.array([0, 0])), (np.array([0, 0]), np.array([1, 1])), [2, 2]])
def test_gradient_of_every_kind_of_index(index):
    x = Tensor(RNG.standard_normal((6, 4, 3)), requires_grad=True)
    y = x[index]
    g = RNG.standard_normal(y.shape)
    y.backward(Tensor(g))
    expected = np.zeros(x.shape)
    np.add.at(expected, index, g)
    assert np.allclose(x.grad.numpy(), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("width", [1, 5])
def test_gradient_of_gather(dim, width):
    shape = tuple(width if d == dim else n for d, n in enumerate((3, 4, 2)))
    x, index = Tensor(RNG.standard_normal((3, 4, 2)), requires_grad=True), RNG.integers(0, 2, shape)
    y = ag.gather(x, dim, Tensor(index))
    g = RNG.standard_normal(shape)
    y.backward(Tensor(g))
    expected = np.zeros(x.shape)
    at = list(np.ogrid[tuple(map(slice, shape))])
    at[dim] = index
    np.add.at(expected, tuple(at), g)
    assert np.allclose(x.grad.numpy(), expected, rtol=1e-13, atol=1e-14)
