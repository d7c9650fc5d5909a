"""Plain integer arrays in softmax and its relatives; `pad` that would cut more than there is; sparsemax in lanes."""

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor
from nn import functional as F


@pytest.mark.parametrize("f", [F.softmax, F.log_softmax, ag.softmax, ag.log_softmax, ag.logsumexp])
@pytest.mark.parametrize("x", [np.array([[3, 1, 2], [0, 0, 9]]), np.array([3, 250], np.uint8), np.array([True, False]),
                               np.array(4), np.array([[-(2**40), 2**40]])])
def test_integers_are_computed_with_as_floats(f, x):
    found, wanted = f(x, -1), f(x.astype(float), -1)
    assert type(found) is type(wanted) and found.dtype == np.float64 and np.array_equal(found, wanted)
    assert np.allclose(found, f(Tensor(x), -1).numpy(), atol=1e-6, rtol=1e-6), "as of a Tensor"
    assert f(x, -1, dtype=np.float32).dtype == np.float32 if f is not ag.logsumexp else True


@pytest.mark.parametrize("pad", [(-3, -3), (-5, 0), (0, -5), (5, -7), (0, 0, -2, -2)])
def test_pad_cuts_no_more_than_there_is(pad):
    x = np.arange(12.0).reshape(3, 4)
    for given in (x, Tensor(x, requires_grad=True)):
        for f in (ag.pad, F.pad):
            with pytest.raises(ShapeError, match=r"pad: cannot cut .* from axis . of input \(3, 4\), which has"):
                f(given, pad)
            assert f(given, (-1, -3)).shape == (3, 0) and f(given, (-4, 2)).tolist() == [[0, 0]] * 3


def test_sparsemax_in_lanes():
    x = np.random.default_rng(0).standard_normal((2, 3, 5))
    one = np.stack([[F.sparsemax(row) for row in rows] for rows in x])
    assert np.allclose(ag.vmap(ag.vmap(F.sparsemax))(Tensor(x)).numpy(), one)
    assert np.allclose(ag.vmap(lambda rows: F.sparsemax(rows, 1), in_axes=2, out_axes=2)(x.transpose(0, 2, 1)),
                       one.transpose(0, 2, 1))

    def loss(row):
        return (F.sparsemax(row) * np.arange(5.0)).sum()
    assert np.allclose(ag.vmap(ag.grad(loss))(x[0]), np.stack([ag.grad(loss)(row) for row in x[0]]))


def test_sparsemax_of_integers_is_refused():
    for x in (np.array([3, 1, 2]), Tensor([3, 1, 2])):
        with pytest.raises(TypeError, match="sparsemax: expected floats; got int64"):
            F.sparsemax(x)
