"""How well scores put the positive samples before the negative ones: the areas under the ROC and the PR curve."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from .metric import Metric, matched, softmax, weights_for


class AUC(Metric):
    """The area under the ROC curve: the probability that a positive sample is scored above a negative one (ties half).

    curve        "ROC", or "PR" for the average precision  Σ (R_k - R_(k-1)) P_k  over all thresholds
    average      of several classes or labels: "macro", "weighted" by their positives, "micro", or None for each
    multi_label  targets (N, C) are C answers, yes or no, each for itself; None: as the Model's loss says, else one-hot
    from_logits  outputs (N, C) of a class each are logits (softmax is taken first); None: as the Model's loss says

    Outputs (N,) or (N, 1) with targets 0 or 1; (N, C) with labels (N,) or one-hot (N, C): each class against the rest.

    All scores are kept and sorted, so the area is exact (scikit-learn's roc_auc_score and average_precision_score),
    where Keras's has 200 thresholds: 16 to 24 bytes a sample.  With one class only the area under the ROC curve is nan,
    the average precision without positives 0.
    """

    def __init__(self, curve: str = "ROC", average: str | None = "macro", multi_label: bool | None = None,
                 from_logits: bool | None = None, name: str | None = None) -> None:
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: curve must be 'ROC' or 'PR'; got {curve!r}")
        if average not in ("macro", "weighted", "micro", None):
            raise ValueError(f"AUC: average must be 'macro', 'weighted', 'micro' or None; got {average!r}")
        self.curve, self.average, self.multi_label, self.from_logits = curve, average, multi_label, from_logits
        self.labels, self.logits = bool(multi_label), bool(from_logits)
        super().__init__(name or "auc")

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        self.labels = binary if self.multi_label is None else self.multi_label
        self.logits = logits if self.from_logits is None else self.from_logits

    def reset(self) -> None:
        """Forget all batches."""
        self.scores: list[Any] = []
        self.truths: list[Any] = []
        self.weights: list[Any] = []

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        """Take in a batch; `sample_weight` (N,)."""
        output, target, axis = matched(self.name, output, target,
                                       "outputs (N,) with targets 0 or 1, or (N, C) with labels (N,)")
        if axis is not None:
            output = np.moveaxis(output, axis, -1)
            classes = output.shape[-1]
            if target.size and not 0 <= target.min() <= target.max() < classes:
                raise IndexError(f"{self.name}: labels must lie in 0..{classes - 1}; got {target.min()} to "
                                 f"{target.max()}")
            if self.logits:
                output = softmax(output, -1)
            weight = None if sample_weight is None else weights_for(sample_weight, target.shape, self.name).ravel()
            output, target = output.reshape(-1, classes), target.ravel()
            target = (target[:, None] == np.arange(classes)).astype(np.uint8)
        else:
            if ((target != 0) & (target != 1)).any():
                raise ValueError(f"{self.name}: expected targets 0 or 1, of the shape of the outputs {output.shape}; "
                                 f"got {target[(target != 0) & (target != 1)].flat[0]}")
            n, columns = len(target), output.shape[-1] if output.ndim > 1 else 1
            if columns > 1 and self.logits and not self.labels:
                output = softmax(output, -1)
            weight = None if sample_weight is None else weights_for(sample_weight, (n,), self.name)
            if output.ndim > 2 and weight is not None:
                weight = np.repeat(weight, output[0].size // columns)
            output, target = output.reshape(-1, columns), target.reshape(-1, columns).astype(np.uint8)
        self.scores.append(np.array(output))
        self.truths.append(target)
        self.weights.append(np.ones(len(target)) if weight is None else np.array(weight))

    def result(self) -> Any:
        """The area over what was taken in since `reset()`."""
        if not self.scores:
            return nan
        self.scores, self.truths = [np.concatenate(self.scores)], [np.concatenate(self.truths)]
        self.weights = [np.concatenate(self.weights)]
        scores, truths, weights = self.scores[0], self.truths[0], self.weights[0]
        area = roc_area if self.curve == "ROC" else pr_area
        if self.average == "micro" and scores.shape[1] > 1:
            return area(scores.ravel(), truths.ravel(), weights.repeat(scores.shape[1]))
        areas = np.array([area(scores[:, k], truths[:, k], weights) for k in range(scores.shape[1])])
        if len(areas) == 1:
            return float(areas[0])
        if self.average is None:
            return areas
        if self.average == "macro":
            return float(areas.mean())
        counts = (truths * weights[:, None]).sum(0)
        return float(np.average(areas, weights=counts)) if counts.any() else 0.0


class AveragePrecision(AUC):
    """The average precision: the area under the precision-recall curve, as AUC(curve="PR")."""

    def __init__(self, average: str | None = "macro", multi_label: bool | None = None,
                 from_logits: bool | None = None, name: str = "average_precision") -> None:
        super().__init__("PR", average, multi_label, from_logits, name)


def _counts(scores: Any, truths: Any, weights: Any) -> tuple[Any, Any]:
    """The weight of true and false positives for each threshold, from the highest score down; of equal scores one."""
    counted = weights > 0
    scores, truths, weights = scores[counted], truths[counted], weights[counted]
    order = np.argsort(scores, kind="stable")[::-1]
    scores, positive, weights = scores[order], truths[order] != 0, weights[order]
    ends = np.append(np.flatnonzero(scores[1:] != scores[:-1]), max(len(scores) - 1, 0))
    if not len(scores):
        return np.zeros(1), np.zeros(1)
    return np.cumsum(np.where(positive, weights, 0.0))[ends], np.cumsum(np.where(positive, 0.0, weights))[ends]


def roc_area(scores: Any, truths: Any, weights: Any) -> float:
    """The area under the ROC curve of one column of scores; nan where a class is missing."""
    hits, alarms = _counts(scores, truths, weights)
    if not hits[-1] or not alarms[-1]:
        return nan
    return float(np.trapezoid(np.append(0.0, hits / hits[-1]), np.append(0.0, alarms / alarms[-1])))


def pr_area(scores: Any, truths: Any, weights: Any) -> float:
    """The average precision of one column of scores; 0 without positives."""
    hits, alarms = _counts(scores, truths, weights)
    if not hits[-1]:
        return 0.0
    found = hits + alarms
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    return float((np.diff(hits / hits[-1], prepend=0.0) * precision).sum())


def roc_auc(output: Any, target: Any) -> float:
    """The area under the ROC curve, for scores (N,) and targets 0 or 1, or probabilities (N, C) and labels (N,)."""
    return AUC()(output, target)


def average_precision(output: Any, target: Any) -> float:
    """The average precision, for scores (N,) and targets 0 or 1, or probabilities (N, C) and labels (N,)."""
    return AveragePrecision()(output, target)
