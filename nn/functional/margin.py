"""Losses of margins, of triplets, and likelihoods of counts and of normal variables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, where
from autograd.ops.loss import check_classes

from .layers import pairwise_distance
from .loss import _array, _numbers, _pair
from .reduction import legacy
from .reduction import reduced as _reduced


def _check_labels(labels: Any, classes: int, who: str) -> None:
    try:
        check_classes(labels, classes, None, who)
    except IndexError as error:
        raise ValueError(str(error)) from None


def soft_margin_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
                     reduction: str = "mean") -> Any:
    """ln(1 + e^(-t x)),  t = 1 or -1."""
    reduction = legacy(reduction, size_average, reduce)
    input, target = _pair("soft_margin_loss", input, target)
    return _reduced(-autograd.logsigmoid(target * input), reduction, "soft_margin_loss")


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, size_average: Any = None,
                                reduce: Any = None, reduction: str = "mean") -> Any:
    """Mean over the classes of  -t ln σ(x) - (1 - t) ln σ(-x);  input and target (N, C)."""
    reduction = legacy(reduction, size_average, reduce)
    input, target = _pair("multilabel_soft_margin_loss", input, target)
    loss = -(target * autograd.logsigmoid(input) + (1 - target) * autograd.logsigmoid(-input))
    if weight is not None:
        loss = loss * _numbers(weight)
    return _reduced(autograd.mean(loss, dim=-1), reduction, "multilabel_soft_margin_loss")


def multi_margin_loss(input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None,
                      size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> Any:
    """Σ_{j≠t} w[t] max(0, margin - x[t] + x[j])^p / C;  input (N, C) or (C,), target (N,) or ()."""
    reduction = legacy(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: expected p of 1 or 2; got {p}")
    labels = np.asarray(_array(target)).reshape(-1)
    rows = input if input.ndim == 2 else autograd.reshape(input, shape=(1, -1))
    n, classes = rows.shape
    if labels.shape != (n,):
        raise ShapeError(f"multi_margin_loss: expected one label for each of {n} samples; got target "
                         f"{tuple(np.shape(_array(target)))} for input {tuple(input.shape)}")
    _check_labels(labels, classes, "multi_margin_loss")
    if weight is not None and tuple(_numbers(weight).shape) != (classes,):
        raise ShapeError(f"multi_margin_loss: expected one weight for each of {classes} classes; "
                         f"got shape {tuple(_numbers(weight).shape)}")
    own = autograd.gather(rows, 1, labels[:, None])
    terms = autograd.relu(margin - own + rows)
    terms = terms * terms if p == 2 else terms
    if weight is not None:
        terms = terms * autograd.unsqueeze(_numbers(weight)[labels], 1)
    loss = autograd.sum(where(labels[:, None] == np.arange(classes), 0, terms), dim=1) / classes
    return _reduced(loss if input.ndim == 2 else autograd.reshape(loss, shape=()), reduction, "multi_margin_loss")


def multilabel_margin_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
                           reduction: str = "mean") -> Any:
    """Σ max(0, 1 - x[t] + x[j]) / C over labels t and classes j that are none;  input and target (N, C) or (C,).

    The labels of a row end at the first -1.
    """
    reduction = legacy(reduction, size_average, reduce)
    labels = np.asarray(_array(target))
    if tuple(labels.shape) != tuple(input.shape):
        raise ShapeError(f"multilabel_margin_loss: expected a target of shape {tuple(input.shape)}; got {labels.shape}")
    rows = input if input.ndim == 2 else autograd.reshape(input, shape=(1, -1))
    labels = labels.reshape(rows.shape)
    _check_labels(np.maximum(labels, 0), rows.shape[1], "multilabel_margin_loss")
    counts = np.logical_and.accumulate(labels >= 0, axis=1)
    n, classes = rows.shape
    is_label = np.zeros((n, classes + 1), bool)
    is_label[np.arange(n)[:, None], np.where(counts, labels, classes)] = True
    own = autograd.gather(rows, 1, np.where(counts, labels, 0))
    terms = autograd.relu(1 - autograd.unsqueeze(own, 2) + autograd.unsqueeze(rows, 1))
    pairs = counts[:, :, None] & ~is_label[:, None, :classes]
    loss = autograd.sum(where(pairs, terms, 0), dim=(1, 2)) / classes
    return _reduced(loss if input.ndim == 2 else autograd.reshape(loss, shape=()), reduction, "multilabel_margin_loss")


def triplet_margin_loss(anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0,
                        eps: float = 1e-6, swap: bool = False, size_average: Any = None,
                        reduce: Any = None, reduction: str = "mean") -> Any:
    """max(0, margin + d(a, p) - d(a, n)), d the p-norm;  with `swap`, the smaller of d(a, n) and d(p, n)."""
    reduction = legacy(reduction, size_average, reduce)
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=lambda x, y: pairwise_distance(x, y, p, eps), margin=margin,
        swap=swap, reduction=reduction)


def triplet_margin_with_distance_loss(anchor: Any, positive: Any, negative: Any, *,
                                      distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
                                      swap: bool = False, reduction: str = "mean") -> Any:
    """max(0, margin + d(a, p) - d(a, n)) for any distance d;  with `swap`, the smaller of d(a, n) and d(p, n)."""
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be positive; got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError("triplet_margin_loss: expected anchor, positive and negative of as many axes; got shapes "
                         f"{tuple(anchor.shape)}, {tuple(positive.shape)} and {tuple(negative.shape)}")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = autograd.minimum(far, distance(positive, negative))
    return _reduced(autograd.clamp(margin + near - far, min=0), reduction, "triplet_margin_loss")


def poisson_nll_loss(input: Any, target: Any, log_input: bool = True, full: bool = False,
                     size_average: Any = None, eps: float = 1e-8, reduce: Any = None, reduction: str = "mean") -> Any:
    """e^x - t x, the input x being the logarithm of the rate; without log_input  x - t ln(x + ε).

    `full` adds Stirling's approximation of ln t!, where t > 1.
    """
    reduction = legacy(reduction, size_average, reduce)
    input, target = _numbers(input), _numbers(target)
    loss = autograd.exp(input) - target * input if log_input else input - target * autograd.log(input + eps)
    if full:
        some = _array(target) > 1
        t = where(some, target, 1)
        loss = loss + where(some, t * autograd.log(t) - t + 0.5 * autograd.log(2 * math.pi * t), 0)
    return _reduced(loss, reduction, "poisson_nll_loss")


def gaussian_nll_loss(input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean") -> Any:
    """(ln v + (x - t)² / v) / 2, the variance v held above ε;  `full` adds ln(2π) / 2.

    var has the shape of the input, or one axis is 1, or the last is left out; below ε it has the slope it has at ε.
    """
    input, target = _numbers(input), _numbers(target)
    if isinstance(var, (int, float)):
        var = autograd.full_like(input, var)
    if np.any(_array(var) < 0):
        raise ValueError("gaussian_nll_loss: var has negative entries")
    if tuple(var.shape) != tuple(input.shape):
        if tuple(var.shape) == tuple(input.shape[:-1]):
            var = autograd.unsqueeze(var, -1)
        elif var.ndim != input.ndim or [v for v, n in zip(var.shape, input.shape) if v != n] != [1]:
            raise ShapeError(f"gaussian_nll_loss: expected var of shape {tuple(input.shape)}, or with one axis of 1, "
                             f"or without the last; got {tuple(var.shape)}")
    held = var + np.maximum(eps - _array(var), 0).astype(var.dtype)
    loss = 0.5 * (autograd.log(held) + autograd.square(input - target) / held)
    return _reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction, "gaussian_nll_loss")
