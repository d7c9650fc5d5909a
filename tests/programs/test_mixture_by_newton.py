"""A mixture of Gaussians fitted by SciPy's Newton-CG: gradients, and Hessian-vector products, from the one function."""

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import grad, hessian, hessian_vector_product
from autograd.misc.flatten import flatten_func

optimize = pytest.importorskip("scipy.optimize")
from autograd.scipy.special import logsumexp  # noqa: E402

rng = onp.random.default_rng(0)
CENTRES = onp.array([[-2.0, 0.0], [2.0, 1.0]])
data = onp.concatenate([CENTRES[0] + 0.5 * rng.normal(size=(30, 2)), CENTRES[1] + 0.8 * rng.normal(size=(50, 2))])


def log_normal(x, mean, log_std):
    return np.sum(-0.5 * ((x - mean) / np.exp(log_std)) ** 2 - log_std - 0.5 * np.log(2 * np.pi), axis=1)


def joint(params):
    shares = params["shares"] - logsumexp(params["shares"])
    return np.vstack([share + log_normal(data, mean, log_std)
                      for share, mean, log_std in zip(shares, params["means"], params["log_stds"])])


def log_likelihood(params):
    return np.sum(logsumexp(joint(params), axis=0)) - 0.5 * np.sum(params["shares"]) ** 2


def test_it_finds_the_clusters():
    start = {"shares": onp.zeros(2), "means": onp.array([[-1.0, 0.5], [1.0, 0.5]]), "log_stds": onp.zeros((2, 2))}
    objective, back, x0 = flatten_func(lambda p: -log_likelihood(p), start)

    def scalar(x):
        return objective(x)[0]
    direction = rng.normal(size=x0.size)
    onp.testing.assert_allclose(hessian_vector_product(scalar)(x0, direction), hessian(scalar)(x0) @ direction)
    found = optimize.minimize(scalar, x0, jac=grad(scalar), hessp=hessian_vector_product(scalar), method="Newton-CG")
    onp.testing.assert_allclose(grad(scalar)(found.x), 0, atol=1e-3)
    params = back(found.x)
    onp.testing.assert_allclose(params["means"], CENTRES, atol=0.4)
    onp.testing.assert_allclose(onp.exp(params["log_stds"]), [[0.5, 0.5], [0.8, 0.8]], rtol=0.35)
    # at the maximum each mean is that of the points, weighed by how far they belong to it
    owns = onp.exp(joint(params) - logsumexp(joint(params), axis=0))
    onp.testing.assert_allclose(owns @ data / owns.sum(1)[:, None], params["means"], atol=1e-3)
    shares = onp.exp(params["shares"])
    onp.testing.assert_allclose(shares / shares.sum(), owns.mean(1), atol=1e-3)
