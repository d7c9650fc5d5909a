"""Losses.  Prediction and target must have one shape: (N, 1) against (N,) is an error, not a table of N² differences.

`reduction`: "mean" over all elements, "sum", or "none" for one loss per element; `size_average` and `reduce`, which
said so before, are taken with a warning.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor, get_default_dtype, softmax_cross_entropy, where
from autograd.ops.loss import check_classes

from . import rules
from .reduction import REDUCTIONS, check_reduction, legacy
from .reduction import reduced as _reduced


def _numbers(x: Any) -> Any:
    """A Tensor or an array as it is, a list or number as a Tensor."""
    return x if isinstance(x, (Tensor, np.ndarray, np.generic)) else autograd.as_tensor(x)


def _array(x: Any) -> Any:
    """The values alone, for checks."""
    return x.value if isinstance(x, Tensor) else np.asarray(x)


def _pair(who: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Both as they came, checked to have one shape."""
    input, target = _numbers(input), _numbers(target)
    a, b = input.shape, target.shape
    if a != b:
        if a == (*b, 1):
            fix = "use input.squeeze(-1), or target.unsqueeze(-1)"
        elif b == (*a, 1):
            fix = "use input.unsqueeze(-1), or target.squeeze(-1)"
        else:
            fix = "bring both to one shape, with reshape or expand"
        try:
            wide = np.broadcast_shapes(a, b)
            harm = f"; subtracting them would give {wide}" if wide not in (a, b) else ""
        except ValueError:
            harm = ""
        raise ShapeError(f"{who}: expected input and target of one shape; got input {a} and target {b}{harm}: {fix}")
    return input, target


def _expects_logits(who: str, input: Any, squash: str) -> None:
    """A warning, at the user's line, where the input comes straight from the function that the loss applies itself."""
    node = getattr(input, "node", None)
    if node is not None and node.op is not None and node.op.name == squash:
        frame, level = sys._getframe(1), 2
        while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "nn":
            frame, level = frame.f_back, level + 1
        warnings.warn(f"{who} takes logits and applies {squash} itself; its input was computed by {squash}: leave that "
                      "out, or gradients are small and learning is slow", stacklevel=level)


def _weighed(loss: Any, weight: Any, reduction: str, who: str) -> Any:
    """Reduced; with a weight for each element, the mean is divided by their sum, in huber_loss by their number."""
    if weight is None:
        return _reduced(loss, reduction, who)
    weight = _numbers(weight)
    if tuple(weight.shape) != tuple(loss.shape):
        raise ShapeError(f"{who}: expected one weight for each element, shape {tuple(loss.shape)}; "
                         f"got {tuple(weight.shape)}")
    total = _reduced(loss * weight, reduction, who)
    return total / autograd.mean(weight) if reduction == "mean" and who != "huber_loss" else total


# -- differences -----------------------------------------------------------------------------------------


def mse_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
             weight: Any = None) -> Any:
    """Squared difference:  (x - t)²."""
    reduction = legacy(reduction, size_average, reduce)
    input, target = _pair("mse_loss", input, target)
    return _weighed(autograd.square(input - target), weight, reduction, "mse_loss")


def l1_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
            weight: Any = None) -> Any:
    """Absolute difference:  |x - t|."""
    reduction = legacy(reduction, size_average, reduce)
    input, target = _pair("l1_loss", input, target)
    return _weighed(autograd.abs(input - target), weight, reduction, "l1_loss")


def smooth_l1_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
                   beta: float = 1.0) -> Any:
    """|d| - β/2, but d² / (2β) where |d| < β;  d = x - t (Girshick 2015)."""
    reduction = legacy(reduction, size_average, reduce)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative; got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    input, target = _pair("smooth_l1_loss", input, target)
    return _reduced(rules.huber(input - target, delta=beta) / beta, reduction, "smooth_l1_loss")


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0,
               weight: Any = None) -> Any:
    """δ (|d| - δ/2), but d² / 2 where |d| <= δ;  d = x - t (Huber 1964)."""
    if not isinstance(delta, (int, float, np.number)) or isinstance(delta, np.complexfloating):
        raise TypeError(f"huber_loss: delta must be a float or int; got {type(delta).__name__}")
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive; got {delta}")
    input, target = _pair("huber_loss", input, target)
    return _weighed(rules.huber(input - target, delta=delta), weight, reduction, "huber_loss")


# -- classes ---------------------------------------------------------------------------------------------


def cross_entropy(input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
                  reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Any:
    """-ln softmax(input)[target], the input being logits.  Nats.

    input (C,), (N, C) or (N, C, d1, ...); target labels of that shape without C, integers in 0..C-1, or probabilities
    of the shape of the input.  `weight` (C,) weighs the classes; labels equal to `ignore_index` count for nothing;
    smoothing ε mixes the target with ε of the uniform distribution.  The mean over labels is divided by the sum of
    their weights.
    Raises TypeError, IndexError or ShapeError for a target that is neither.
    """
    reduction = legacy(reduction, size_average, reduce)
    _expects_logits("cross_entropy", input, "softmax")
    if weight is None and reduction == "mean" and ignore_index < 0 and not label_smoothing:
        try:
            if input.ndim == 2 and target.ndim == 1:
                return softmax_cross_entropy(input, target)
            if input.ndim == 1 and target.ndim == 0:
                return softmax_cross_entropy(input[None], target[None])
        except (AttributeError, IndexError, TypeError, ShapeError):
            pass                              # a label to ignore, a list, or a mistake: explained below
    input, target = _numbers(input), _numbers(target)
    check_reduction("cross_entropy", reduction)
    weight = _weights(weight, input, "cross_entropy")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be between 0 and 1; got {label_smoothing}")
    if target.shape == input.shape and input.ndim and target.dtype.kind == "f":
        if ignore_index >= 0:
            raise ValueError("cross_entropy: ignore_index is not supported for targets that are probabilities, where "
                             f"no label could be {ignore_index}: set the rows to be left out to 0")
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    labels = _labels("cross_entropy", input, target, ignore_index)
    log_p = autograd.log_softmax(input, dim=1 if input.ndim > 1 else 0)
    return _of_labels("cross_entropy", log_p, labels, weight, ignore_index, reduction, label_smoothing)


def _soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    dim = 1 if input.ndim > 1 else 0
    classes = input.shape[dim]
    log_p = autograd.log_softmax(input, dim=dim)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    log_p = where((target == 0) & (log_p == -np.inf), 0, log_p)         # lim t ln p = 0
    terms = target * log_p if weight is None else target * log_p * _along_classes(weight, input, "cross_entropy")
    loss = -autograd.sum(terms, dim=dim)
    return _reduced(loss, reduction, "cross_entropy")


def nll_loss(input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
             reduce: Any = None, reduction: str = "mean") -> Any:
    """-input[target], the input being log-probabilities; shapes, weights and labels as in `cross_entropy`."""
    reduction = legacy(reduction, size_average, reduce)
    input, target = _numbers(input), _numbers(target)
    weight = _weights(weight, input, "nll_loss")
    check_reduction("nll_loss", reduction)
    labels = _labels("nll_loss", input, target, ignore_index)
    return _of_labels("nll_loss", input, labels, weight, ignore_index, reduction, 0.0)


def _of_labels(who: str, log_p: Any, labels: Any, weight: Any, ignore_index: int, reduction: str,
               smoothing: float) -> Any:
    """-(1 - ε) w[t] ln p[t] - ε/C Σ_c w[c] ln p[c], reduced; labels are an array, checked."""
    dim = 1 if log_p.ndim > 1 else 0
    ignored = labels == ignore_index
    some = bool(ignored.any())
    safe = np.where(ignored, 0, labels) if some else labels
    along = None if weight is None else _along_classes(weight, log_p, who)
    loss = autograd.gather(log_p, dim, np.expand_dims(safe, dim))
    if weight is not None:
        loss = loss * autograd.unsqueeze(weight[safe], dim)
    if smoothing:
        spread = autograd.sum(log_p if along is None else log_p * along, dim=dim, keepdim=True)
        loss = loss * (1 - smoothing) + spread * (smoothing / log_p.shape[dim])
    loss = autograd.squeeze(-loss, dim)
    if some:
        loss = where(ignored, 0, loss)
    if reduction == "mean" and (some or weight is not None):
        counted = labels[~ignored]
        total = log_p.dtype.type(counted.size) if weight is None else autograd.sum(weight[counted])
        return autograd.divide(autograd.sum(loss), total)
    return _reduced(loss, reduction, who)


def _labels(who: str, input: Any, target: Any, ignore_index: int) -> Any:
    """The labels as an array, checked against the shape and the classes of the input."""
    labels, shape = _array(target), tuple(input.shape)
    classes_at = 1 if len(shape) > 1 else 0
    if not shape:
        raise ShapeError(f"{who}: expected an input (C,), (N, C) or (N, C, d1, ...); got a scalar")
    expected = shape[:classes_at] + shape[classes_at + 1:]
    if labels.shape != expected:
        if labels.shape == (*expected, 1):
            fix = "use target.squeeze(-1)"
        elif labels.shape == shape and labels.dtype.kind in "iub":
            fix = "for one-hot labels use target.argmax(1), or target.float() as probabilities"
        elif len(shape) > 2 and labels.shape == shape[:-1]:
            fix = "the classes must be axis 1: use input.movedim(-1, 1), or input.flatten(0, -2) and target.flatten()"
        else:
            fix = "there must be one label for each sample"
        also = f" (or probabilities {shape})" if who == "cross_entropy" else ""
        raise ShapeError(f"{who}: expected labels of shape {expected}{also} for an input of shape {shape}; "
                         f"got target {labels.shape} {labels.dtype}: {fix}")
    check_classes(labels, shape[classes_at], ignore_index, who)
    return labels


def _weights(weight: Any, input: Any, who: str) -> Any:
    """Class weights in the dtype of the input; an array is cast, a Tensor of another dtype is a TypeError."""
    if weight is None:
        return None
    weight = _numbers(weight)
    if weight.dtype == input.dtype or weight.dtype.kind not in "fc":
        return weight
    if isinstance(weight, Tensor):
        raise TypeError(f"{who}: expected weights of the dtype of the input, {input.dtype}; got {weight.dtype}: use "
                        f"weight.to('{input.dtype}'), or cast the loss with its .to('{input.dtype}')")
    return weight.astype(input.dtype)


def _along_classes(weight: Any, input: Any, who: str) -> Any:
    """Class weights in a shape that meets the class axis of the input; ShapeError unless one for each class."""
    n = input.shape[1 if input.ndim > 1 else 0]
    if tuple(weight.shape) != (n,):
        raise ShapeError(f"{who}: expected one weight for each of {n} classes, shape ({n},); got {tuple(weight.shape)}")
    return weight if input.ndim < 3 else autograd.reshape(weight, shape=(-1,) + (1,) * (input.ndim - 2))


# -- probabilities ---------------------------------------------------------------------------------------


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, size_average: Any = None,
                         reduce: Any = None, reduction: str = "mean") -> Any:
    """-t ln p - (1 - t) ln(1 - p), the input p being probabilities.  Nats; a logarithm is at least -100.

    Raises ValueError for an input or a target outside [0, 1].
    """
    reduction = legacy(reduction, size_average, reduce)
    input, target = _pair("binary_cross_entropy", input, target)
    for name, values, hint in (("input", _array(input), "; for logits use binary_cross_entropy_with_logits"),
                               ("target", _array(target), "")):
        outside = ~((values >= 0) & (values <= 1))
        if outside.any():
            at = tuple(int(k) for k in np.argwhere(outside)[0])
            raise ValueError(f"binary_cross_entropy: all elements of {name} should be between 0 and 1; "
                             f"got {values[at] if at else values} at position {at}{hint}")
    loss = rules.binary_cross_entropy(input, target)
    return _reduced(loss if weight is None else loss * _numbers(weight), reduction, "binary_cross_entropy")


def binary_cross_entropy_with_logits(input: Any, target: Any, weight: Any = None, size_average: Any = None,
                                     reduce: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
    """-t ln σ(x) - (1 - t) ln(1 - σ(x)), the input x being logits.  Nats.  `pos_weight` multiplies the first term."""
    reduction = legacy(reduction, size_average, reduce)
    who = "binary_cross_entropy_with_logits"
    input, target = _pair(who, input, target)
    _expects_logits(who, input, "sigmoid")
    if pos_weight is None:
        loss = autograd.sigmoid_cross_entropy(input, target)
    else:
        loss = (1 - target) * input - (1 + (_numbers(pos_weight) - 1) * target) * autograd.logsigmoid(input)
    return _reduced(loss if weight is None else loss * _numbers(weight), reduction, who)


def kl_div(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
           log_target: bool = False) -> Any:
    """Kullback-Leibler divergence:  t (ln t - x), the input x being log-probabilities; where t = 0 it is 0.

    reduction="batchmean" divides the sum by the batch size, the divergence as it is defined; "mean" by all elements.
    """
    reduction = legacy(reduction, size_average, reduce)
    input, target = _pair("kl_div", input, target)
    if log_target:
        loss = autograd.exp(target) * (target - input)
    else:
        loss = target * (autograd.log(where(target == 0, 1, target)) - input)
    if reduction == "batchmean":
        return autograd.sum(loss) / (input.shape[0] if input.ndim else 1)
    if reduction not in REDUCTIONS:
        raise ValueError(f"kl_div: reduction must be 'batchmean', 'mean', 'sum' or 'none'; got {reduction!r}")
    return _reduced(loss, reduction, "kl_div")


# -- margins ---------------------------------------------------------------------------------------------


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, size_average: Any = None, reduce: Any = None,
                         reduction: str = "mean") -> Any:
    """x where t = 1, max(0, margin - x) where t = -1: distances of pairs that are alike and that are not.

    One of them may broadcast to the shape of the other, as in PyTorch.
    """
    reduction = legacy(reduction, size_average, reduce)
    input, target = _numbers(input), _numbers(target)
    try:
        both = np.broadcast_shapes(input.shape, target.shape)
    except ValueError:
        both = ()
    if both not in (input.shape, target.shape):
        _pair("hinge_embedding_loss", input, target)
    loss = where(target != 1, autograd.clamp(margin - input, min=0), 0) + where(target != -1, input, 0)
    return _reduced(loss, reduction, "hinge_embedding_loss")


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, size_average: Any = None,
                        reduce: Any = None, reduction: str = "mean") -> Any:
    """max(0, margin - t (x1 - x2)): t = 1 where x1 should rank higher, -1 where x2 should."""
    reduction = legacy(reduction, size_average, reduce)
    input1, input2 = _pair("margin_ranking_loss", input1, input2)
    target = _numbers(target)
    if target.shape not in ((), (1,)):                  # one for all is meant
        _pair("margin_ranking_loss", input1, target)
    if input1.dtype.kind in "ub":                       # 2 - 3 would be 255
        input1, input2 = (x * get_default_dtype().type(1) for x in (input1, input2))
    return _reduced(autograd.clamp(margin - target * (input1 - input2), min=0), reduction, "margin_ranking_loss")


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, size_average: Any = None,
                          reduce: Any = None, reduction: str = "mean") -> Any:
    """1 - cos where t = 1, max(0, cos - margin) where t = -1;  input1, input2 (N, D) or (D,), target (N,) or ()."""
    reduction = legacy(reduction, size_average, reduce)
    who = "cosine_embedding_loss"
    input1, input2 = _pair(who, input1, input2)
    target = _numbers(target)
    if input1.ndim not in (1, 2) or tuple(target.shape) != tuple(input1.shape[:-1]):
        raise ShapeError(f"{who}: expected inputs (N, D) and target (N,), or (D,) and (); "
                         f"got inputs {tuple(input1.shape)} and target {tuple(target.shape)}")
    dot, a, b = (autograd.sum(x * y, dim=-1) for x, y in ((input1, input2), (input1, input1), (input2, input2)))
    cos = dot / autograd.sqrt((a + 1e-12) * (b + 1e-12))
    loss = where(target == 1, 1 - cos, 0) + where(target == -1, autograd.clamp(cos - margin, min=0), 0)
    return _reduced(loss, reduction, who)
