"""A neural differential equation: a small network is its right-hand side; the adjoint equation gives the gradient."""

import numpy as onp
import pytest

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import grad
from autograd.builtins import tuple
from autograd.misc.optimizers import adam
from autograd.test_util import check_grads

pytest.importorskip("scipy")
from autograd.scipy.integrate import odeint

times = onp.linspace(0.0, 2.0, 8)
start = onp.array([2.0, 0.0])


def spiral(y, t):
    return np.dot(onp.array([[-0.1, -2.0], [2.0, -0.1]]), y)


data = odeint(spiral, start, times)


def network(params, y):
    for W, b in params[:-1]:
        y = np.tanh(np.dot(y, W) + b)
    W, b = params[-1]
    return np.dot(y, W) + b


def motion(y, t, params):
    return network(params, y)


def loss(params, i=0):
    return np.mean(np.abs(odeint(motion, start, times, tuple((params,)), rtol=1e-6, atol=1e-6) - data) ** 2)


def test_it_learns_the_motion():
    rs = npr.RandomState(0)
    params = [(0.5 * rs.randn(m, n), onp.zeros(n)) for m, n in [(2, 6), (6, 2)]]
    first = loss(params)
    params = adam(grad(loss), params, step_size=0.05, num_iters=8)
    assert loss(params) < 0.8 * first


def test_its_gradient():
    rs = npr.RandomState(1)
    W = 0.3 * rs.randn(2, 2)

    def total(W, y0, times):
        path = odeint(lambda y, t, W: np.tanh(np.dot(y, W)) - 0.1 * t, y0, times, tuple((W,)), rtol=1e-10, atol=1e-10)
        return np.sum(path)
    check_grads(total, modes=["rev"], order=1)(W, start, times[:3])
