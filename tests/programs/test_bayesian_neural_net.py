"""A Bayesian neural network: a distribution of weights by variational inference, all samples of weights at once."""

import numpy as onp

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import grad
from autograd.misc.optimizers import adam
from autograd.test_util import check_grads

LAYERS = [(1, 8), (8, 1)]
COUNT = sum((m + 1) * n for m, n in LAYERS)
NOISE = 0.1

rs = npr.RandomState(0)
inputs = onp.concatenate([onp.linspace(0, 2, 15), onp.linspace(6, 8, 15)])[:, None] / 4 - 1
targets = onp.cos(inputs * 4)[:, 0] / 2 + NOISE * rs.randn(30)


def unpack(weights):
    """(samples, weights) -> for each layer (samples, m, n) and (samples, 1, n)."""
    at = 0
    for m, n in LAYERS:
        yield weights[:, at:at + m * n].reshape((-1, m, n)), weights[:, at + m * n:at + m * n + n].reshape((-1, 1, n))
        at += (m + 1) * n


def predict(weights, x):
    y = np.expand_dims(x, 0)
    for W, b in unpack(weights):
        outputs = np.einsum("mnd,mdo->mno", y if y.shape[0] == W.shape[0] else np.repeat(y, W.shape[0], axis=0), W) + b
        y = np.tanh(outputs)
    return outputs[:, :, 0]


def log_joint(weights):
    log_prior = -0.5 * np.sum(weights ** 2, axis=1)
    return log_prior - 0.5 * np.sum((predict(weights, inputs) - targets) ** 2, axis=1) / NOISE ** 2


def objective(params, i):
    mean, log_std = params[:COUNT], params[COUNT:]
    samples = npr.RandomState(i).randn(5, COUNT) * np.exp(log_std) + mean
    return -np.mean(log_joint(samples)) - np.sum(log_std)


def test_it_knows_where_it_has_seen_data():
    start = onp.concatenate([0.3 * npr.RandomState(1).randn(COUNT), -3 * onp.ones(COUNT)])
    check_grads(lambda p: objective(p, 0) / 1000, modes=["rev"], order=1)(start)
    params = adam(grad(objective), start, step_size=0.05, num_iters=250)
    assert objective(params, 0) < 0.3 * objective(start, 0)
    draws = npr.RandomState(7).randn(40, COUNT) * onp.exp(params[COUNT:]) + params[:COUNT]
    fit = predict(draws, inputs)
    assert onp.sqrt(onp.mean((fit.mean(0) - targets) ** 2)) < 2 * NOISE
    beyond = predict(draws, onp.array([[2.5]]))
    assert beyond.std() > 1.2 * fit.std(0).mean()                        # less sure where no data were
