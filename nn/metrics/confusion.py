"""What was taken for what: the confusion matrix, and the scores that are read from its rows and columns."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

import numpy as np

from .metric import Metric, matched, weights_for


class Decisions(Metric):
    """What is common to scores of decisions: outputs become predicted classes, or answers yes or no.

    threshold    above it an output says yes; None: 0 where a Model's outputs are logits, else 0.5
    multi_label  targets (N, C) are C answers, yes or no, each for itself; None: as the Model's loss says, else one-hot

    Outputs (N, C) or (N, C, d1, ...) with integer targets without that axis, or one-hot ones of the same shape: the
    class of the largest output.  Outputs (N,) or (N, 1) of floats with targets 0 or 1: yes or no.  Outputs of integers
    of the shape of the targets are taken for predicted classes.  Targets of `ignore_index` do not count.
    """

    def __init__(self, name: str, threshold: float | None = None, multi_label: bool | None = None,
                 ignore_index: int = -100) -> None:
        self.threshold, self.multi_label, self.ignore_index = threshold, multi_label, ignore_index
        self.chosen, self.labels = 0.5 if threshold is None else threshold, bool(multi_label)
        super().__init__(name)

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        if self.threshold is None:
            self.chosen = 0.0 if logits and (binary or output.shape == target.shape) else 0.5
        self.labels = binary if self.multi_label is None else self.multi_label

    def classes(self, output: Any, target: Any, sample_weight: Any) -> tuple[Any, Any, Any, int, bool]:
        """(predicted, true, weights, number of classes, yes or no), each flat; answers to several questions (N, C)."""
        output, target, axis = matched(self.name, output, target,
                                       "outputs (N, C) and integer labels (N,), or both of one shape")
        shape, yes_or_no, size = target.shape, False, 0
        if axis is not None:
            predicted, true, size = output.argmax(axis), target, output.shape[axis]
        elif output.dtype.kind in "biu" and not self.labels:
            predicted, true = output, target
        elif output.ndim > 1 and output.shape[-1] > 1 and not self.labels:
            predicted, true, size, shape = output.argmax(-1), target.argmax(-1), output.shape[-1], target.shape[:-1]
        else:
            if ((target != 0) & (target != 1)).any():
                raise ValueError(f"{self.name}: expected targets 0 or 1, of the shape of the outputs {output.shape}; "
                                 f"got {target[(target != 0) & (target != 1)].flat[0]}")
            predicted, true, size, yes_or_no = output > self.chosen, target != 0, 2, True
        if yes_or_no and output.ndim > 1 and output.shape[-1] > 1:
            columns = output.shape[-1]
            weight = weights_for(1.0 if sample_weight is None else sample_weight, shape[:-1], self.name)
            return predicted.reshape(-1, columns), true.reshape(-1, columns), weight.reshape(-1), columns, True
        weight = np.ones(shape) if sample_weight is None else weights_for(sample_weight, shape, self.name)
        predicted, true, weight = (a.reshape(-1) for a in (predicted, true, weight))
        keep = true != self.ignore_index
        if not keep.all():
            predicted, true, weight = predicted[keep], true[keep], weight[keep]
        predicted, true = predicted.astype(np.intp), true.astype(np.intp)
        for what, found in (("labels", true), ("predicted classes", predicted)):
            if found.size and (found.min() < 0 or (size and found.max() >= size)):
                raise IndexError(f"{self.name}: {what} must lie in 0..{size - 1 if size else '...'}; got "
                                 f"{found.min()} to {found.max()}")
        if not size and true.size:
            size = int(max(true.max(), predicted.max())) + 1
        return predicted, true, weight, size, yes_or_no


class ConfusionMatrix(Decisions):
    """How often class i (row) was taken for class j (column), as scikit-learn's confusion_matrix.

    normalize    "true": rows add up to 1, "pred": columns, "all": everything; None: counts (sums of weights)
    num_classes  the size, where it shall not depend on what has been seen
    """

    def __init__(self, num_classes: int | None = None, normalize: str | None = None, threshold: float | None = None,
                 ignore_index: int = -100, name: str = "confusion_matrix") -> None:
        if normalize not in ("true", "pred", "all", None):
            raise ValueError(f"{type(self).__name__}: normalize must be 'true', 'pred', 'all' or None; got "
                             f"{normalize!r}")
        self.num_classes, self.normalize = num_classes, normalize
        super().__init__(name, threshold, False, ignore_index)

    def reset(self) -> None:
        """Forget all batches."""
        size = self.num_classes or 0
        self.counts = np.zeros((size, size))

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        if binary and output.ndim > 1 and output.shape[-1] > 1:
            raise ValueError(f"{self.name}: several answers per sample, yes or no, have no confusion matrix; outputs "
                             f"have shape {output.shape}: use 'precision', 'recall' or 'f1_score'")
        super().choose(output, target, binary, logits)
        self.labels = False

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        """Take in a batch; `sample_weight` (N,) or of the shape of the targets."""
        predicted, true, weight, size, _ = self.classes(output, target, sample_weight)
        if self.num_classes and size > self.num_classes:
            raise IndexError(f"{self.name}: num_classes is {self.num_classes}; got classes up to {size - 1}")
        size = max(size, len(self.counts))
        if size > len(self.counts):
            grown = np.zeros((size, size))
            grown[:len(self.counts), :len(self.counts)] = self.counts
            self.counts = grown
        self.counts = self.counts + np.bincount(true * size + predicted, weight, size * size).reshape(size, size)

    def matrix(self) -> Any:
        """The counts, floats."""
        return self.counts

    def result(self) -> Any:
        """The matrix of all that was taken in since `reset()`: integers, where neither weighted nor normalized."""
        counts = self.counts
        if self.normalize is None:
            whole = counts.astype(np.int64)
            return whole if (whole == counts).all() else counts
        total = {"true": counts.sum(1, keepdims=True), "pred": counts.sum(0, keepdims=True)}.get(
            self.normalize, counts.sum())
        return np.divide(counts, total, out=np.zeros_like(counts), where=total != 0)


class BalancedAccuracy(ConfusionMatrix):
    """The mean of the recalls of the classes that occur: of chance, whatever the classes' sizes, 1 / C."""

    def __init__(self, threshold: float | None = None, name: str = "balanced_accuracy") -> None:
        super().__init__(None, None, threshold, name=name)

    def result(self) -> float:
        """The score for all that was taken in since `reset()`; nan before that."""
        occur = self.counts.sum(1)
        if not occur.any():
            return nan
        return float((np.diagonal(self.counts)[occur > 0] / occur[occur > 0]).mean())


class MatthewsCorrelation(ConfusionMatrix):
    """Matthews' correlation of predictions and targets, for any number of classes: 0 for chance (Gorodkin 2004)."""

    def __init__(self, threshold: float | None = None, name: str = "matthews_correlation") -> None:
        super().__init__(None, None, threshold, name=name)

    def result(self) -> float:
        """The score for all that was taken in since `reset()`; 0 where all predictions or all targets are equal."""
        true, predicted, n = self.counts.sum(1), self.counts.sum(0), self.counts.sum()
        product = (n * n - predicted @ predicted) * (n * n - true @ true)
        return float((np.trace(self.counts) * n - true @ predicted) / sqrt(product)) if product > 0 else 0.0


class CohenKappa(ConfusionMatrix):
    """Agreement beyond chance:  1 - Σ w x / Σ w e,  x the confusion matrix, e what independence would give.

    weights  None: all mistakes count the same; "linear" or "quadratic": by how far the classes are apart
    """

    def __init__(self, weights: str | None = None, threshold: float | None = None, name: str = "cohen_kappa") -> None:
        if weights not in (None, "linear", "quadratic"):
            raise ValueError(f"CohenKappa: weights must be 'linear', 'quadratic' or None; got {weights!r}")
        self.weights = weights
        super().__init__(None, None, threshold, name=name)

    def result(self) -> float:
        """The score for all that was taken in since `reset()`; nan where there is but one class."""
        seen = (self.counts.sum(0) + self.counts.sum(1)) > 0
        counts = self.counts[np.ix_(seen, seen)] if self.weights is None else self.counts
        if not counts.sum():
            return nan
        k = np.arange(len(counts), dtype=np.float64)
        apart = np.abs(k[:, None] - k)
        w = (apart > 0) * 1.0 if self.weights is None else apart if self.weights == "linear" else apart**2
        chance = float((w * np.outer(counts.sum(1), counts.sum(0))).sum()) / counts.sum()
        return float(1 - (w * counts).sum() / chance) if chance else nan


class FBetaScore(Decisions):
    """(1 + β²) P R / (β² P + R):  the mean of precision P and recall R in which recall counts β times as much.

    average        of several classes or labels: "macro" their mean, "weighted" by how often each occurs, "micro" one
                   score of all decisions together, None an array with each class's.  "auto" (the default): that of
                   class 1 where there is one answer, yes or no, or only classes 0 and 1 are predicted; else "macro"
    class_id       the one class whose score is meant
    zero_division  what a score is that would be 0 / 0: 0.0, 1.0 or nan, which means leave it out

    As in scikit-learn, "macro" averages over the classes that occur among targets or predictions.
    Raises ValueError for other settings; ShapeError, IndexError or ValueError for targets that do not fit.
    """

    def __init__(self, average: str | None = "auto", beta: float = 1.0, threshold: float | None = None, *,
                 class_id: int | None = None, multi_label: bool | None = None, zero_division: float = 0.0,
                 ignore_index: int = -100, name: str = "fbeta_score") -> None:
        if average not in ("auto", "binary", "micro", "macro", "weighted", None):
            raise ValueError(f"{type(self).__name__}: average must be 'auto', 'binary', 'micro', 'macro', 'weighted' "
                             f"or None; got {average!r}")
        if not beta > 0:
            raise ValueError(f"{type(self).__name__}: beta must be positive; got {beta!r}")
        self.average, self.beta, self.class_id, self.zero_division = average, beta, class_id, zero_division
        super().__init__(name, threshold, multi_label, ignore_index)

    def reset(self) -> None:
        """Forget all batches."""
        self.hits, self.predicted, self.true = np.zeros(0), np.zeros(0), np.zeros(0)
        self.kind = ""

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        """Take in a batch; `sample_weight` (N,) or of the shape of the targets."""
        predicted, true, weight, size, yes_or_no = self.classes(output, target, sample_weight)
        if predicted.ndim == 2:
            weight, self.kind = weight[:, None], "labels"
            found = [(weight * part).sum(0) for part in (predicted & true, predicted, true)]
        else:
            self.kind = "answer" if yes_or_no else "classes"
            right = predicted == true
            found = [np.bincount(of, w, size) for of, w in ((true[right], weight[right]), (predicted, weight),
                                                            (true, weight))]
        size = max(size, len(self.true))
        self.hits, self.predicted, self.true = (
            _padded(a, size) + _padded(b, size) for a, b in zip((self.hits, self.predicted, self.true), found))

    def score(self, hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        """Numerator and denominator, by class or in all."""
        square = self.beta**2
        return (1 + square) * hits, square * true + predicted

    def result(self) -> Any:
        """The score for all that was taken in since `reset()`."""
        counts: tuple[Any, ...] = (self.hits, self.predicted, self.true)
        average = self.average
        if average == "auto":
            average = "binary" if self.kind == "answer" or (self.kind == "classes" and len(self.true) <= 2) else "macro"
        if self.class_id is not None or average == "binary":
            at = 1 if self.class_id is None else self.class_id
            counts = tuple(_padded(c, at + 1)[at:at + 1] for c in counts)
            return float(self._divided(*counts)[0])
        if average == "micro":
            return float(self._divided(*(c.sum(keepdims=True) for c in counts))[0])
        scores = self._divided(*counts)
        if average is None:
            return scores
        if self.kind != "labels":
            occur = (self.predicted > 0) | (self.true > 0)
            scores, counts = scores[occur], tuple(c[occur] for c in counts)
        weight = counts[2] if average == "weighted" else np.ones(len(scores))
        there = ~np.isnan(scores)
        scores, weight = scores[there], weight[there]
        if not len(scores):
            return nan
        return float(np.average(scores, weights=weight if weight.any() else None))

    def _divided(self, hits: Any, predicted: Any, true: Any) -> Any:
        above, below = self.score(hits, predicted, true)
        return np.divide(above, below, out=np.full(len(hits), float(self.zero_division)), where=below != 0)


class F1Score(FBetaScore):
    """2 P R / (P + R):  the harmonic mean of precision P and recall R; arguments as those of `FBetaScore`."""

    def __init__(self, average: str | None = "auto", threshold: float | None = None, *, class_id: int | None = None,
                 multi_label: bool | None = None, zero_division: float = 0.0, ignore_index: int = -100,
                 name: str = "f1_score") -> None:
        super().__init__(average, 1.0, threshold, class_id=class_id, multi_label=multi_label,
                         zero_division=zero_division, ignore_index=ignore_index, name=name)


class Precision(F1Score):
    """Of what was said to be of a class, the fraction that is:  TP / (TP + FP);  arguments as those of `FBetaScore`."""

    def __init__(self, average: str | None = "auto", threshold: float | None = None, *, class_id: int | None = None,
                 multi_label: bool | None = None, zero_division: float = 0.0, ignore_index: int = -100,
                 name: str = "precision") -> None:
        super().__init__(average, threshold, class_id=class_id, multi_label=multi_label, zero_division=zero_division,
                         ignore_index=ignore_index, name=name)

    def score(self, hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return hits, predicted


class Recall(F1Score):
    """Of what is of a class, the fraction that was said to be:  TP / (TP + FN);  arguments as those of `FBetaScore`."""

    def __init__(self, average: str | None = "auto", threshold: float | None = None, *, class_id: int | None = None,
                 multi_label: bool | None = None, zero_division: float = 0.0, ignore_index: int = -100,
                 name: str = "recall") -> None:
        super().__init__(average, threshold, class_id=class_id, multi_label=multi_label, zero_division=zero_division,
                         ignore_index=ignore_index, name=name)

    def score(self, hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return hits, true


class MeanIoU(FBetaScore):
    """Intersection over union,  TP / (TP + FP + FN),  averaged over classes: Jaccard's index, for masks as well."""

    def __init__(self, average: str | None = "macro", threshold: float | None = None, *, class_id: int | None = None,
                 multi_label: bool | None = None, zero_division: float = 0.0, ignore_index: int = -100,
                 name: str = "mean_io_u") -> None:
        super().__init__(average, 1.0, threshold, class_id=class_id, multi_label=multi_label,
                         zero_division=zero_division, ignore_index=ignore_index, name=name)

    def score(self, hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return hits, predicted + true - hits


def _padded(counts: Any, size: int) -> Any:
    return counts if len(counts) >= size else np.append(counts, np.zeros(size - len(counts)))


def confusion_matrix(output: Any, target: Any) -> Any:
    """How often class i (row) was taken for class j (column):  output (N, C) or predicted classes, target (N,)."""
    return ConfusionMatrix()(output, target)


def precision(output: Any, target: Any, average: str | None = "auto") -> Any:
    """TP / (TP + FP): see `Precision`."""
    return Precision(average)(output, target)


def recall(output: Any, target: Any, average: str | None = "auto") -> Any:
    """TP / (TP + FN): see `Recall`."""
    return Recall(average)(output, target)


def f1_score(output: Any, target: Any, average: str | None = "auto") -> Any:
    """The harmonic mean of precision and recall: see `F1Score`."""
    return F1Score(average)(output, target)
