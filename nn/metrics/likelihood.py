"""How probable the targets are to the model: log loss, and perplexity."""

from __future__ import annotations

from math import exp, inf
from typing import Any

import numpy as np

from autograd import ShapeError

from .metric import MeanMetric, arrays, class_axis, softmax, weights_for


class LogLoss(MeanMetric):
    """Mean of -log p(target): scikit-learn's log_loss, the cross-entropy in nats.

    Probabilities (N, C) with integer labels (N,) or one-hot targets (N, C); or (N,) with targets 0 or 1.  With
    `from_logits` outputs are logits; None: as the Model's loss says, else probabilities.  Probabilities are kept within
    [eps, 1 - eps] of their dtype, so that a certain mistake counts much, and not infinitely.  Targets of
    `ignore_index` do not count.
    """

    unsure = False                            # whether outputs are logits, where nobody has said it

    def __init__(self, from_logits: bool | None = None, ignore_index: int = -100, name: str = "log_loss") -> None:
        self.from_logits, self.ignore_index = from_logits, ignore_index
        self.logits = self.unsure if from_logits is None else bool(from_logits)
        super().__init__(name)

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        self.logits = logits if self.from_logits is None else bool(self.from_logits)

    def elements(self, output: Any, target: Any) -> Any:
        output = np.asarray(output)
        axis = class_axis(output, target)
        if axis is None:
            if output.shape != target.shape:
                raise ShapeError(f"{self.name}: expected outputs (N, C) and integer labels (N,); got {output.shape} "
                                 f"and {target.shape}")
            if output.ndim < 2 or output.shape[-1] == 1:
                p = 1 / (1 + np.exp(-np.asarray(output, np.float64))) if self.logits else output
                p = _inside(p)
                return -np.where(target > 0.5, np.log(p), np.log1p(-p)).reshape(len(target), -1)[:, 0]
            p = softmax(output, -1) if self.logits else output
            return -(target * np.log(_inside(p))).sum(-1)
        labels = np.where(target == self.ignore_index, 0, target).astype(np.intp)
        if labels.size and not 0 <= labels.min() <= labels.max() < output.shape[axis]:
            raise IndexError(f"{self.name}: labels must lie in 0..{output.shape[axis] - 1}; got {labels.min()} to "
                             f"{labels.max()}")
        if self.logits:
            x = np.asarray(output, np.float64)
            top = x.max(axis, keepdims=True)
            logs = x - top - np.log(np.exp(x - top).sum(axis, keepdims=True))
        else:
            logs = np.log(_inside(output))
        return -np.take_along_axis(logs, np.expand_dims(labels, axis), axis).squeeze(axis)

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        """Take in a batch; `sample_weight` (N,) or of the shape of the targets, 0 for what is not to count."""
        output, target = arrays(output, target)
        left_out = target == self.ignore_index
        if left_out.any():
            weight = 1.0 if sample_weight is None else weights_for(sample_weight, target.shape, self.name)
            sample_weight = np.where(left_out, 0.0, weight)
        super().update(output, target, sample_weight)


class Perplexity(LogLoss):
    """exp of the mean of -log p(target): how many equally likely classes the model is as unsure as between.

    Outputs (N, C), (N, C, T) or (N, T, C) with integer labels; logits, unless `from_logits=False` or the Model's loss
    says that they are probabilities.
    """

    unsure = True

    def __init__(self, from_logits: bool | None = None, ignore_index: int = -100, name: str = "perplexity") -> None:
        super().__init__(from_logits, ignore_index, name)

    def result(self) -> float:
        """exp of the mean over what was taken in since `reset()`."""
        mean = super().result()
        return exp(mean) if mean < 700 else inf


def _inside(p: Any) -> Any:
    eps = np.finfo(p.dtype).eps if p.dtype.kind == "f" else np.finfo(np.float64).eps
    return np.clip(np.asarray(p), eps, 1 - eps).astype(np.float64)


def log_loss(output: Any, target: Any) -> float:
    """Mean of -log p(target) for probabilities (N, C) and labels (N,), or (N,) and targets 0 or 1."""
    return LogLoss()(output, target)


def perplexity(output: Any, target: Any) -> float:
    """exp of the mean of -log p(target), for logits (N, C) and labels (N,)."""
    return Perplexity()(output, target)
