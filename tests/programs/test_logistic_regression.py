"""Logistic regression by gradient descent, as code for HIPS autograd is written."""

import numpy as onp

import autograd.numpy as np
from autograd import grad
from autograd.test_util import check_grads

rng = onp.random.default_rng(0)
truth = onp.array([1.5, -2.0, 0.5])
inputs = rng.normal(size=(200, 3))
targets = rng.random(200) < 1 / (1 + onp.exp(-inputs @ truth))


def sigmoid(x):
    return 0.5 * (np.tanh(x / 2.0) + 1)


def loss(weights):
    predictions = sigmoid(np.dot(inputs, weights))
    likelihood = predictions * targets + (1 - predictions) * (1 - targets)
    return -np.sum(np.log(likelihood))


def test_it_finds_the_weights():
    slope = grad(loss)
    weights = onp.zeros(3)
    check_grads(loss, modes=["rev"])(weights + 0.3)
    onp.testing.assert_allclose(slope(truth), inputs.T @ (sigmoid(inputs @ truth) - targets))
    first = loss(weights)
    for _ in range(100):
        weights -= 0.02 * slope(weights)
    assert type(weights) is onp.ndarray and loss(weights) < 0.7 * first
    onp.testing.assert_allclose(slope(weights), 0, atol=1e-3)          # the maximum of a concave likelihood
    onp.testing.assert_allclose(weights, truth, atol=0.6)
