"""Black-box stochastic variational inference: a diagonal Gaussian fitted by reparametrised samples of the ELBO."""

import numpy as onp
import pytest

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import grad
from autograd.misc.optimizers import adam

pytest.importorskip("scipy")
import autograd.scipy.stats.norm as norm

D, SAMPLES = 2, 200
TARGET_MEAN, TARGET_STD = onp.array([1.0, -0.5]), onp.array([0.5, 1.5])


def log_density(x, t):
    return np.sum(norm.logpdf(x, TARGET_MEAN, TARGET_STD), axis=-1)


def objective(seed=0):
    rs = npr.RandomState(seed)

    def unpack(params):
        return params[:D], params[D:]

    def entropy(log_std):
        return 0.5 * D * (1.0 + np.log(2 * np.pi)) + np.sum(log_std)

    def negative_elbo(params, t):
        mean, log_std = unpack(params)
        samples = rs.randn(SAMPLES, D) * np.exp(log_std) + mean
        return -(entropy(log_std) + np.mean(log_density(samples, t)))
    return negative_elbo, unpack


def test_it_finds_the_density():
    negative_elbo, unpack = objective()
    params = adam(grad(negative_elbo), onp.array([0.0, 0.0, -1.0, -1.0]), step_size=0.1, num_iters=150)
    mean, log_std = unpack(params)
    onp.testing.assert_allclose(mean, TARGET_MEAN, atol=0.15)
    onp.testing.assert_allclose(onp.exp(log_std), TARGET_STD, rtol=0.15)
    assert negative_elbo(params, 0) == pytest.approx(0.0, abs=0.05)      # the evidence of a normalised density is 1


def test_the_gradient_at_the_target_is_that_of_the_samples():
    negative_elbo, _ = objective(seed=3)
    noise = npr.RandomState(3).randn(SAMPLES, D)
    slope = grad(negative_elbo)(onp.concatenate([TARGET_MEAN, onp.log(TARGET_STD)]), 0)
    onp.testing.assert_allclose(slope[:D], onp.mean(noise, 0) / TARGET_STD)
    onp.testing.assert_allclose(slope[D:], onp.mean(noise ** 2, 0) - 1)
