"""Group, instance and RMS norm, attention, margin losses, dropout of channels: values, derivatives, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from nn import functional as F

RNG = np.random.default_rng(3)
X, Y, Z = (RNG.standard_normal((3, 4)) for _ in range(3))
IMAGE, W = RNG.standard_normal((2, 4, 3)), RNG.standard_normal(4)
SIGNS, LABELS = np.where(Y > 0, 1.0, -1.0), np.array([0, 3, 1])


def standardized(x, axis):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)


def attended(q, k, v, mask=None):
    scores = q @ k.T / 2
    scores = np.exp(scores if mask is None else np.where(mask, scores, -np.inf))
    return scores / scores.sum(1, keepdims=True) @ v


def margins(x):
    own = x[range(3), LABELS][:, None]
    return np.mean([sum(max(0, 1 - own[i, 0] + x[i, j]) for j in range(4) if j != LABELS[i]) / 4 for i in range(3)])


def distance(x, y):
    return np.linalg.norm(x - y + 1e-6, axis=1)


@pytest.mark.parametrize("f, reference, inputs", [
    (lambda x, w: F.group_norm(x, 2, w), lambda x, w: standardized(x.reshape(2, 2, 6), 2).reshape(2, 4, 3) * w[:, None],
     (IMAGE, W)),
    (lambda x: F.instance_norm(x), lambda x: standardized(x, 2), (IMAGE,)),
    (lambda x, w: F.rms_norm(x, (4,), w, 1e-6), lambda x, w: x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6) * w,
     (X, W)),
    (lambda x: F.local_response_norm(x, 1, 0.5), lambda x: x / (1 + 0.5 * x * x) ** 0.75, (IMAGE,)),
    (F.scaled_dot_product_attention, attended, (X, Y, Z)),
    (lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
     lambda q, k, v: attended(q, k, v, np.tril(np.ones((3, 3), bool))), (X, Y, Z)),
    (F.bilinear, lambda x, y, w: np.einsum("ni,kij,nj->nk", x, w, y), (X, Y, RNG.standard_normal((2, 4, 4)))),
    (lambda x: F.channel_shuffle(x, 2), lambda x: x[:, [0, 2, 1, 3]], (IMAGE,)),
    (lambda x: F.soft_margin_loss(x, SIGNS), lambda x: np.log1p(np.exp(-SIGNS * x)).mean(), (X,)),
    (lambda x: F.multi_margin_loss(x, Tensor(LABELS)), margins, (X,)),
    (lambda x: F.multilabel_margin_loss(x[0], Tensor([3, 0, -1, 1])),
     lambda x: sum(max(0, 1 - x[0, t] + x[0, j]) for t in (3, 0) for j in (1, 2)) / 4, (X,)),
    (lambda x: F.multilabel_soft_margin_loss(x, (SIGNS + 1) / 2), lambda x: np.log1p(np.exp(-SIGNS * x)).mean(), (X,)),
    (F.triplet_margin_loss, lambda a, p, n: np.maximum(1 + distance(a, p) - distance(a, n), 0).mean(), (X, Y, Z)),
    (lambda x: F.poisson_nll_loss(x, abs(Y)), lambda x: (np.exp(x) - abs(Y) * x).mean(), (X,)),
    (lambda x, v: F.gaussian_nll_loss(x, Y, v.exp(), full=True),
     lambda x, v: (0.5 * (v + (x - Y) ** 2 / np.exp(v) + np.log(2 * np.pi))).mean(), (X, Z)),
])
def test_values_and_derivatives(f, reference, inputs):
    assert np.allclose(f(*map(Tensor, inputs)).value, reference(*inputs), rtol=1e-9)
    assert ag.gradcheck(f, inputs) and ag.gradgradcheck(f, inputs)


def test_a_query_that_may_look_at_nothing():
    q = Tensor(X, requires_grad=True)
    y = F.scaled_dot_product_attention(q, Y, Z, np.array([[True] * 3, [False] * 3, [True, False, True]]))
    y.sum().backward()
    assert np.array_equal(y.value[1], np.zeros(4)) and np.isfinite(q.grad.value).all()


def test_dropout_of_channels():
    ag.manual_seed(0)
    for f, shape in ((F.dropout1d, (8, 16, 5)), (F.dropout2d, (8, 16, 5, 5)), (F.feature_alpha_dropout, (8, 16, 5))):
        y = f(Tensor(np.ones(shape)), 0.5, True).value.reshape(8, 16, -1)
        assert (y == y[..., :1]).all() and len(np.unique(y)) == 2
    x = Tensor(ag.randn(20000).value)
    y = F.alpha_dropout(x, 0.3, True)
    assert abs(y.mean().item()) < 0.05 and abs(y.std().item() - 1) < 0.05
    assert F.alpha_dropout(x, 0.3) is x and F.dropout2d(x, training=False) is x
    assert np.allclose(F.rrelu(Tensor([-1.0, 2.0])).value, [-11 / 48, 2])
    a = F.rrelu(Tensor([-1.0] * 50), training=True).value
    assert ((a >= -1 / 3) & (a <= -1 / 8)).all() and len(np.unique(a)) > 1


def test_running_statistics_of_instance_norm():
    mean, var = Tensor(np.zeros(4)), Tensor(np.ones(4))
    F.instance_norm(Tensor(IMAGE), mean, var)
    assert np.allclose(mean.value, 0.1 * IMAGE.mean(2).mean(0))
    assert np.allclose(var.value, 0.9 + 0.1 * IMAGE.var(2, ddof=1).mean(0))
    assert np.allclose(F.instance_norm(Tensor(IMAGE), mean, var, use_input_stats=False).value,
                       (IMAGE - mean.value[:, None]) / np.sqrt(var.value[:, None] + 1e-5))


@pytest.mark.parametrize("f", [
    lambda: F.group_norm(Tensor(IMAGE), 3), lambda: F.rms_norm(Tensor(X), (3,)), lambda: F.bilinear(X, Y, IMAGE),
    lambda: F.scaled_dot_product_attention(X, Y[:, :2], Z), lambda: F.channel_shuffle(Tensor(IMAGE), 3),
    lambda: F.multi_margin_loss(Tensor(X), Tensor([0, 4, 1])), lambda: F.triplet_margin_loss(X, Y, Z, margin=0),
    lambda: F.gaussian_nll_loss(X, Y, -abs(Z)), lambda: F.multilabel_margin_loss(X, LABELS),
    lambda: F.instance_norm(Tensor(X)), lambda: F.rrelu(Tensor(X), 0.5, 0.1), lambda: F.alpha_dropout(Tensor(X), 2.0),
])
def test_refusals(f):
    with pytest.raises(ValueError):
        f()
