"""Gaussian-process regression: hyperparameters by the marginal likelihood, gradients into SciPy's optimizer."""

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import value_and_grad
from autograd.test_util import check_grads

optimize = pytest.importorskip("scipy.optimize")
import autograd.scipy.stats.multivariate_normal as mvn  # noqa: E402

rng = onp.random.default_rng(1)
x = onp.linspace(-3, 3, 25)[:, None]
y = onp.sin(1.7 * x[:, 0]) + 0.1 * rng.normal(size=25)


def covariance(params, a, b):
    apart = np.expand_dims(a / np.exp(params[2]), 1) - np.expand_dims(b / np.exp(params[2]), 0)
    return np.exp(params[1]) * np.exp(-0.5 * np.sum(apart ** 2, axis=2))


def evidence(params):
    K = covariance(params, x, x) + np.exp(params[0]) * np.eye(len(y))
    return mvn.logpdf(y, np.zeros(len(y)), K)


def predict(params, at):
    K = covariance(params, x, x) + np.exp(params[0]) * np.eye(len(y))
    cross = covariance(params, at, x)
    mean = np.dot(cross, np.linalg.solve(K, y))
    return mean, covariance(params, at, at) - np.dot(cross, np.linalg.solve(K, cross.T))


def test_it_learns_the_function():
    start = onp.array([-1.0, 0.0, 0.0])
    check_grads(evidence, modes=["rev"], order=2)(start)
    # dL/dK = (a a^T - K^-1) / 2 with a = K^-1 y: the noise has dK/dlog s = s I
    K = covariance(start, x, x) + onp.exp(start[0]) * onp.eye(25)
    a = onp.linalg.solve(K, y)
    slope = value_and_grad(evidence)(start)[1]
    assert slope[0] == pytest.approx(onp.exp(start[0]) * (a @ a - onp.trace(onp.linalg.inv(K))) / 2)

    found = optimize.minimize(value_and_grad(lambda p: -evidence(p)), start, jac=True, method="CG")
    assert evidence(found.x) > evidence(start) + 10
    assert onp.exp(found.x[0]) == pytest.approx(0.01, rel=0.8)          # the variance of the noise
    at = onp.linspace(-2.5, 2.5, 11)[:, None]
    mean, spread = predict(found.x, at)
    onp.testing.assert_allclose(mean, onp.sin(1.7 * at[:, 0]), atol=0.2)
    assert onp.all(onp.diag(spread) > 0)
