"""autograd.misc: flattening, optimizers over trees, fixed points."""

from __future__ import annotations

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import grad, jacobian
from autograd.misc import flatten
from autograd.misc.fixed_points import fixed_point
from autograd.misc.flatten import flatten_func
from autograd.misc.optimizers import adam, rmsprop, sgd


def loss(params, i=0):
    return np.sum((params["a"] - 1) ** 2) + params["b"] ** 2


# Seven steps of size 0.05 from a = (0, 0), b = 3, computed with HIPS autograd 1.9.1.
STEPS = {sgd: (0.22032433, 2.339027), adam: (0.34590025, 2.6510778), rmsprop: (0.43728911, 2.38457127)}


@pytest.mark.parametrize("optimizer", STEPS)
def test_steps_are_those_of_hips_autograd(optimizer):
    seen = []
    found = optimizer(grad(loss), {"a": onp.zeros(2), "b": 3.0}, callback=lambda x, i, g: seen.append((i, x, g)),
                      num_iters=7, step_size=0.05)
    onp.testing.assert_allclose(found["a"], STEPS[optimizer][0], rtol=1e-7)
    onp.testing.assert_allclose(found["b"], STEPS[optimizer][1], rtol=1e-7)
    assert [i for i, _, _ in seen] == list(range(7)) and seen[0][1]["b"] == 3.0 and seen[0][2]["b"] == 6.0


def test_flatten_goes_back():
    tree = {"a": onp.arange(4.0).reshape(2, 2), "b": [2.0, (3.0, onp.zeros(1))]}
    vector, back = flatten(tree)
    onp.testing.assert_array_equal(vector, [0, 1, 2, 3, 2, 3, 0])
    again = back(vector * 2)
    onp.testing.assert_array_equal(again["a"], tree["a"] * 2)
    assert again["b"][0] == 4.0 and type(again["b"][1]) is tuple
    with pytest.raises(ValueError, match="7 numbers"):
        back(onp.ones(3))
    of_vector, _, start = flatten_func(lambda t: {"c": t["a"] ** 2}, tree)
    onp.testing.assert_array_equal(of_vector(start), [0, 1, 4, 9])


def test_flatten_is_differentiable():
    x = onp.array([1.0, 2.0, 3.0])
    onp.testing.assert_allclose(grad(lambda q: np.sum(flatten([q, q ** 2])[0] ** 2))(x), 2 * x + 4 * x ** 3)
    vector, back = flatten((x, 2.0))
    onp.testing.assert_allclose(grad(lambda v: np.sum(back(v)[0] ** 2) * back(v)[1])(vector), [4, 8, 12, 14])


def test_fixed_point():
    def root(a):
        return fixed_point(lambda a: lambda y: (y + a / y) / 2, a, 1.0, lambda p, q: abs(p - q), 1e-12)
    assert root(2.0) == pytest.approx(onp.sqrt(2))
    assert grad(root)(2.0) == pytest.approx(0.5 / onp.sqrt(2))
    assert grad(grad(root))(2.0) == pytest.approx(-0.25 * 2 ** -1.5)

    A = onp.array([[0.2, 0.1], [0.0, 0.3]])

    def linear(b):
        return fixed_point(lambda b: lambda y: np.dot(A, y) + b, b, onp.zeros(2),
                           lambda p, q: np.max(np.abs(p - q)), 1e-13)
    onp.testing.assert_allclose(jacobian(linear)(onp.ones(2)), onp.linalg.inv(onp.eye(2) - A), rtol=1e-9)
