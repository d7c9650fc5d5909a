"""Losses of other libraries than PyTorch: for rare classes, overlaps of regions, relative errors, and pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, where

from .loss import _array, _labels, _numbers, _pair
from .reduction import reduced as _reduced


def sigmoid_focal_loss(input: Any, target: Any, alpha: float | None = 0.25, gamma: float = 2.0,
                       reduction: str = "mean") -> Any:
    """a (1 - p)^γ (-ln p),  p = σ(x) where t = 1 and 1 - σ(x) where t = 0:  what is easy counts little.

    input: logits, target: 0 or 1 (or between), of one shape.  a = alpha where t = 1 and 1 - alpha where t = 0, or 1
    with alpha None.  Nats.  Source: Lin et al. 2017, "Focal Loss for Dense Object Detection".
    """
    input, target = _pair("sigmoid_focal_loss", input, target)
    p = autograd.sigmoid(input)
    missed = p + target - 2 * p * target
    loss = autograd.sigmoid_cross_entropy(input, target) * missed ** gamma
    if alpha is not None:
        loss = loss * (alpha * target + (1 - alpha) * (1 - target))
    return _reduced(loss, reduction, "sigmoid_focal_loss")


def softmax_focal_loss(input: Any, target: Any, alpha: Any = None, gamma: float = 2.0, reduction: str = "mean") -> Any:
    """a[t] (1 - p[t])^γ (-ln p[t]),  p = softmax(x);  input (N, C) logits, target (N,) labels, alpha (C,) or a number.

    Nats.  With gamma 0 and alpha None it is cross_entropy.  Source: Lin et al. 2017.
    """
    input = _numbers(input)
    labels = _labels("softmax_focal_loss", input, _numbers(target), -100)
    if input.ndim != 2:
        raise ShapeError(f"softmax_focal_loss: expected input (N, C); got shape {tuple(input.shape)}")
    log_p = autograd.log_softmax(input, dim=1)[np.arange(input.shape[0]), labels]
    loss = -((1 - autograd.exp(log_p)) ** gamma) * log_p
    if alpha is not None:
        alpha = _numbers(alpha)
        loss = loss * (alpha[labels] if alpha.ndim else alpha)
    return _reduced(loss, reduction, "softmax_focal_loss")


def _parts(who: str, input: Any, target: Any, dim: Any) -> tuple[Any, Any, Any]:
    """How much is in both, in the prediction alone, and in the target alone."""
    input, target = _pair(who, input, target)
    both = input * target
    total = lambda part: autograd.sum(part, dim=dim)
    return total(both), total(input - both), total(target - both)


def dice_loss(input: Any, target: Any, dim: Any = None, eps: float = 1e-7, reduction: str = "mean") -> Any:
    """1 - 2 Σ p t / (Σ p + Σ t + ε):  probabilities p and targets t of one shape, summed over `dim` (all axes).

    Which says how far two regions overlap, however small they are.  Source: Milletari et al. 2016.
    """
    both, extra, missed = _parts("dice_loss", input, target, dim)
    return _reduced(1 - 2 * both / (2 * both + extra + missed + eps), reduction, "dice_loss")


def tversky_loss(input: Any, target: Any, alpha: float = 0.5, beta: float = 0.5, dim: Any = None, eps: float = 1e-7,
                 reduction: str = "mean") -> Any:
    """1 - Σ p t / (Σ p t + α Σ p (1 - t) + β Σ (1 - p) t + ε):  α weighs what is too much, β what is missed.

    With α = β = 1/2 it is dice_loss, with 1 the loss of intersection over union.  Source: Salehi et al. 2017.  (Keras
    has the same formula with the two weights changed over.)
    """
    both, extra, missed = _parts("tversky_loss", input, target, dim)
    return _reduced(1 - both / (both + alpha * extra + beta * missed + eps), reduction, "tversky_loss")


def log_cosh_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """ln cosh(x - t):  like d² / 2 near 0 and like |d| - ln 2 far away, smooth everywhere."""
    input, target = _pair("log_cosh_loss", input, target)
    distance = autograd.abs(input - target)
    return _reduced(distance + autograd.log1p(autograd.exp(-2 * distance)) - math.log(2), reduction, "log_cosh_loss")


def mean_absolute_percentage_error(input: Any, target: Any, eps: float = 1e-7, reduction: str = "mean") -> Any:
    """100 |x - t| / max(|t|, ε)."""
    input, target = _pair("mean_absolute_percentage_error", input, target)
    loss = 100 * autograd.abs(input - target) / autograd.clamp(autograd.abs(target), min=eps)
    return _reduced(loss, reduction, "mean_absolute_percentage_error")


def mean_squared_logarithmic_error(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(ln(1 + x) - ln(1 + t))², of what is not negative: negative numbers count as 0."""
    input, target = _pair("mean_squared_logarithmic_error", input, target)
    d = autograd.log1p(autograd.clamp(input, min=0)) - autograd.log1p(autograd.clamp(target, min=0))
    return _reduced(d * d, reduction, "mean_squared_logarithmic_error")


def squared_hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """max(0, 1 - t x)²,  t = 1 or -1."""
    input, target = _pair("squared_hinge_loss", input, target)
    if not np.isin(_array(target), (-1, 1)).all():
        raise ValueError("squared_hinge_loss: expected targets of 1 and -1; got others: 2 t - 1 makes them of 1 and 0")
    short = autograd.relu(1 - target * input)
    return _reduced(short * short, reduction, "squared_hinge_loss")


def categorical_hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """max(0, 1 + max_{j≠t} x[j] - x[t]);  input (N, C), labels t (N,).  Source: Crammer and Singer 2001."""
    input = _numbers(input)
    labels = _labels("categorical_hinge_loss", input, _numbers(target), -100)
    if input.ndim != 2 or input.shape[1] < 2:
        raise ShapeError("categorical_hinge_loss: expected input (N, C) with two classes or more; got shape "
                         f"{tuple(input.shape)}")
    rows = np.arange(input.shape[0])
    own = np.zeros(tuple(input.shape), bool)
    own[rows, labels] = True
    others = autograd.amax(where(own, -math.inf, input), dim=1)
    return _reduced(autograd.relu(1 + others - input[rows, labels]), reduction, "categorical_hinge_loss")


def generalized_cross_entropy(input: Any, target: Any, q: float = 0.7, reduction: str = "mean") -> Any:
    """(1 - p[t]^q) / q,  p = softmax(x):  cross-entropy for q -> 0, 1 - p[t] for q = 1; robust to wrong labels.

    input (N, C) logits, target (N,) labels.  Source: Zhang and Sabuncu 2018.
    """
    input = _numbers(input)
    if not 0 < q <= 1:
        raise ValueError(f"generalized_cross_entropy: q must be in (0, 1]; got {q}")
    labels = _labels("generalized_cross_entropy", input, _numbers(target), -100)
    log_p = autograd.log_softmax(input, dim=1)[np.arange(input.shape[0]), labels]
    return _reduced(-autograd.expm1(q * log_p) / q, reduction, "generalized_cross_entropy")


def contrastive_loss(x1: Any, x2: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """d² / 2 where t = 1 (a pair that belongs together), max(0, margin - d)² / 2 where t = 0;  d = ‖x1 - x2‖.

    x1 and x2 (N, n), target (N,).  Source: Hadsell et al. 2006.
    """
    if tuple(x1.shape) != tuple(x2.shape) or x1.ndim != 2 or tuple(np.shape(_array(target))) != (x1.shape[0],):
        raise ShapeError("contrastive_loss: expected x1 and x2 (N, n) and target (N,); got "
                         f"{tuple(x1.shape)}, {tuple(x2.shape)}, {tuple(np.shape(_array(target)))}")
    d = autograd.norm(x1 - x2, 2, -1)
    gap = autograd.relu(margin - d)
    target = _numbers(target)
    return _reduced((target * d * d + (1 - target) * gap * gap) / 2, reduction, "contrastive_loss")


def nt_xent_loss(x1: Any, x2: Any, temperature: float = 0.5, reduction: str = "mean") -> Any:
    """Cross-entropy of finding, by its cosine over the temperature, the partner of each of 2N vectors among the others.

    x1 and x2 (N, n), row i of the one belonging to row i of the other; with "none" (2N,).  Nats.  Source: Chen et al.
    2020 (SimCLR).
    """
    if tuple(x1.shape) != tuple(x2.shape) or x1.ndim != 2:
        raise ShapeError(f"nt_xent_loss: expected x1 and x2 (N, n); got {tuple(x1.shape)} and {tuple(x2.shape)}")
    n = x1.shape[0]
    both = autograd.cat([x1, x2])
    both = both / autograd.clamp(autograd.norm(both, 2, 1, True), min=1e-12)
    scores = autograd.matmul(both, autograd.transpose(both, 0, 1)) / temperature
    log_p = autograd.log_softmax(where(np.eye(2 * n, dtype=bool), -math.inf, scores), dim=1)
    partner = np.concatenate([np.arange(n, 2 * n), np.arange(n)])
    return _reduced(-log_p[np.arange(2 * n), partner], reduction, "nt_xent_loss")
