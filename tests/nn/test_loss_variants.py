"""Losses that PyTorch has no name for: beside compositions of its functions, at the limits they have, and refusals."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import ShapeError, Tensor
from nn import functional as F

rng = np.random.default_rng(0)
X, Z = rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
P, T, BITS = rng.random((5, 4)), rng.random((5, 4)), rng.integers(0, 2, (5, 4)).astype(float)
LABELS, SIGNS = rng.integers(0, 4, 5), np.sign(rng.standard_normal((5, 4)))
PAIRS = np.array([1.0, 0, 1, 0, 0])


def by_label(t, x):
    return t.nn.functional.log_softmax(x, 1)[t.arange(5), t.tensor(LABELS)]


CASES = {
    "sigmoid_focal_loss": (
        lambda x, r: nn.SigmoidFocalLoss(0.3, 1.5, r)(x, Tensor(BITS)),
        lambda t, x: t.where(t.tensor(BITS) == 1, -0.3 * (1 - x.sigmoid()) ** 1.5 * x.sigmoid().log(),
                             -0.7 * x.sigmoid() ** 1.5 * (1 - x.sigmoid()).log()), X),
    "softmax_focal_loss": (
        lambda x, r: nn.SoftmaxFocalLoss(np.array([1.0, 2, 3, 4]), 1.5, r)(x, LABELS),
        lambda t, x: -(t.tensor(LABELS) + 1) * (1 - by_label(t, x).exp()) ** 1.5 * by_label(t, x), X),
    "dice_loss": (lambda p, r: nn.DiceLoss(1, reduction=r)(p, Tensor(T)),
                  lambda t, p: 1 - 2 * (p * t.tensor(T)).sum(1) / (p.sum(1) + t.tensor(T).sum(1) + 1e-7), P),
    "tversky_loss": (
        lambda p, r: nn.TverskyLoss(0.3, 0.7, 1, reduction=r)(p, Tensor(T)),
        lambda t, p: 1 - (p * t.tensor(T)).sum(1) / ((p * t.tensor(T)).sum(1) + 0.3 * (p * (1 - t.tensor(T))).sum(1)
                                                     + 0.7 * ((1 - p) * t.tensor(T)).sum(1) + 1e-7), P),
    "log_cosh_loss": (lambda x, r: nn.LogCoshLoss(r)(x, Tensor(Z)), lambda t, x: (x - t.tensor(Z)).cosh().log(), X),
    "mean_absolute_percentage_error": (
        lambda x, r: F.mean_absolute_percentage_error(x, Tensor(Z), reduction=r),
        lambda t, x: 100 * (x - t.tensor(Z)).abs() / t.tensor(Z).abs(), X),
    "mean_squared_logarithmic_error": (
        lambda p, r: F.mean_squared_logarithmic_error(p, Tensor(T), r),
        lambda t, p: (p.log1p() - t.tensor(T).log1p()) ** 2, P),
    "squared_hinge_loss": (lambda x, r: nn.SquaredHingeLoss(r)(x, Tensor(SIGNS)),
                           lambda t, x: (1 - t.tensor(SIGNS) * x).relu() ** 2, X),
    "categorical_hinge_loss": (
        lambda x, r: nn.CategoricalHingeLoss(r)(x, LABELS),
        lambda t, x: (1 + x.masked_fill(t.nn.functional.one_hot(t.tensor(LABELS), 4).bool(), -np.inf).amax(1)
                      - x[t.arange(5), t.tensor(LABELS)]).relu(), X),
    "generalized_cross_entropy": (lambda x, r: F.generalized_cross_entropy(x, LABELS, 0.6, r),
                                  lambda t, x: (1 - by_label(t, x).exp() ** 0.6) / 0.6, X),
    "contrastive_loss": (
        lambda x, r: nn.ContrastiveLoss(2.0, r)(x, Tensor(Z), Tensor(PAIRS)),
        lambda t, x: (t.tensor(PAIRS) * (x - t.tensor(Z)).norm(dim=1) ** 2
                      + (1 - t.tensor(PAIRS)) * (2 - (x - t.tensor(Z)).norm(dim=1)).relu() ** 2) / 2, X),
    "nt_xent_loss": (
        lambda x, r: nn.NTXentLoss(0.4, r)(x, Tensor(Z)),
        lambda t, x: t.nn.functional.cross_entropy(
            (t.nn.functional.cosine_similarity(t.cat([x, t.tensor(Z)])[:, None], t.cat([x, t.tensor(Z)])[None], dim=2)
             / 0.4).masked_fill(t.eye(10, dtype=t.bool), -np.inf),
            t.tensor([*range(5, 10), *range(5)]), reduction="none"), X)}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", CASES)
def test_beside_a_composition(name, reduction):
    torch = pytest.importorskip("torch")
    ours, theirs, v = CASES[name]
    here, there = Tensor(v, requires_grad=True), torch.tensor(v, requires_grad=True)
    y, z = ours(here, reduction), theirs(torch, there)
    z = z if reduction == "none" else getattr(z, reduction)()
    assert tuple(y.shape) == tuple(z.shape) and np.abs(y.detach().numpy() - z.detach().numpy()).max() < 1e-12
    g = rng.standard_normal(tuple(z.shape))
    z.backward(torch.tensor(g))
    (y * g).sum().backward()
    assert np.abs(here.grad.numpy() - there.grad.numpy()).max() < 1e-12


def test_what_they_become_at_their_limits():
    x = Tensor(X)
    same = lambda a, b: np.isclose(float(a), float(b), rtol=1e-12)
    assert same(F.softmax_focal_loss(x, LABELS, gamma=0.0), F.cross_entropy(x, Tensor(LABELS)))
    assert same(F.sigmoid_focal_loss(x, Tensor(BITS), None, 0.0), F.binary_cross_entropy_with_logits(x, Tensor(BITS)))
    assert same(F.tversky_loss(Tensor(P), Tensor(T), eps=0.0), F.dice_loss(Tensor(P), Tensor(T), eps=0.0))
    assert np.isclose(float(F.generalized_cross_entropy(x, LABELS, 1e-9)), float(F.cross_entropy(x, Tensor(LABELS))),
                      rtol=1e-7)
    assert float(F.log_cosh_loss(Tensor(np.array([800.0])), Tensor(np.array([0.0])))) == 800 - np.log(2)
    far = Tensor(np.array([[800.0, 0.0]]), requires_grad=True)
    loss = F.softmax_focal_loss(far, np.array([1])) + F.sigmoid_focal_loss(far, Tensor(np.array([[0.0, 1.0]])))
    loss.backward()
    assert np.isfinite(float(loss)) and np.isfinite(far.grad.numpy()).all()


def test_refusals():
    x = Tensor(X)
    for error, call in (
            (ShapeError, lambda: F.dice_loss(Tensor(P), Tensor(T[0]))),
            (ShapeError, lambda: F.log_cosh_loss(x, x[:, :1])),
            (ValueError, lambda: F.squared_hinge_loss(x, Tensor(BITS))),
            (IndexError, lambda: F.softmax_focal_loss(x, LABELS + 4)),
            (ValueError, lambda: F.generalized_cross_entropy(x, LABELS, 0.0)),
            (ShapeError, lambda: F.contrastive_loss(x, x, Tensor(BITS))),
            (ShapeError, lambda: F.nt_xent_loss(x, x[:3])),
            (ShapeError, lambda: F.categorical_hinge_loss(x[:, :1], LABELS * 0)),
            (ValueError, lambda: nn.DiceLoss(reduction="avg"))):
        with pytest.raises(error):
            call()
    assert ag.gradcheck(lambda v: F.nt_xent_loss(v, Tensor(Z)), (X,))
