"""The best strength of regularisation, by the derivative of an optimum: implicit function theorem and fixed points."""

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import grad, jacobian, make_vjp
from autograd.extend import defvjp, primitive
from autograd.misc.fixed_points import fixed_point

rng = onp.random.default_rng(4)
X, held_X = rng.normal(size=(12, 4)), rng.normal(size=(30, 4))
truth = onp.array([1.0, 0.0, -1.0, 0.5])
y, held_y = X @ truth + 0.7 * rng.normal(size=12), held_X @ truth + 0.7 * rng.normal(size=30)


def training_loss(w, strength):
    return np.sum((np.dot(X, w) - y) ** 2) / 2 + np.exp(strength) * np.sum(w ** 2) / 2 + np.sum(w ** 4) / 4


@primitive
def best_weights(strength):
    """argmin of the training loss, by Newton's method on plain arrays."""
    w = onp.zeros(4)
    for _ in range(12):
        step = onp.linalg.solve(jacobian(grad(training_loss))(w, strength), grad(training_loss)(w, strength))
        w = w - step
    return w


def _implicit(ans, strength):
    """dw/ds = -H^-1 d(grad L)/ds."""
    H = jacobian(grad(training_loss))(ans, strength)

    def vjp(g):
        return make_vjp(lambda s: grad(training_loss)(ans, s))(strength)[0](-np.linalg.solve(H, g))
    return vjp


defvjp(best_weights, _implicit)


def held_out_loss(strength):
    return np.mean((np.dot(held_X, best_weights(strength)) - held_y) ** 2)


def test_the_derivative_of_an_optimum():
    h = 1e-5
    for s in (-1.0, 0.5):
        near = (held_out_loss(s + h) - held_out_loss(s - h)) / (2 * h)
        assert grad(held_out_loss)(s) == pytest.approx(near, rel=1e-6)
    w = best_weights(0.5)
    onp.testing.assert_allclose(grad(training_loss)(w, 0.5), 0, atol=1e-10)


def test_descent_on_the_strength():
    s = -3.0
    first = held_out_loss(s)
    for _ in range(10):
        s = s - 2.0 * grad(held_out_loss)(s)
    assert held_out_loss(s) < first


def test_the_same_by_a_fixed_point():
    def weights(strength):
        return fixed_point(lambda s: lambda w: w - 0.02 * grad(training_loss)(w, s), strength, onp.zeros(4),
                           lambda a, b: np.max(np.abs(a - b)), 1e-12)
    onp.testing.assert_allclose(weights(0.5), best_weights(0.5), atol=1e-9)
    onp.testing.assert_allclose(grad(lambda s: np.sum(weights(s)))(0.5), grad(lambda s: np.sum(best_weights(s)))(0.5),
                                rtol=1e-6)
