"""Accuracy: the fraction that is right, for each kind of target."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import ShapeError

from .metric import MeanMetric, Measure, arrays, class_axis, same_shape, weights_for

IGNORED = -100                                # the label that cross_entropy leaves out as well


class Accuracy(MeanMetric):
    """The fraction that is right, of the kind that the shapes (and, in a Model, the loss) say.

    Outputs (N, C) with integer targets (N,): the class of the largest output; with targets (N, C): one-hot; one output
    per sample with targets 0 or 1: which side of 0.5 it is on (of 0, for logits).

    Keras's `Accuracy` compares predicted classes with targets: outputs of integers are taken for such.
    """

    def __init__(self, name: str = "accuracy") -> None:
        self.kind: Any = None
        super().__init__(name)

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        self.kind = kind_of_matches(output, target, binary, logits)

    def elements(self, output: Any, target: Any) -> Any:
        if self.kind is None:
            self.kind = kind_of_matches(output, target)
        return self.kind(output, target)

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        output, target = arrays(output, target)
        if target.dtype.kind == "i" and target.size and target.min() < 0:             # labels to leave out
            sample_weight = _unless(target, IGNORED, sample_weight)
        super().update(output, target, sample_weight)


class BinaryAccuracy(MeanMetric):
    """The fraction of outputs on the right side of the threshold; targets 0 or 1, of the shape of the outputs.

    threshold  0.5 for probabilities; None: 0 where a Model's outputs are logits, else 0.5
    """

    def __init__(self, name: str = "binary_accuracy", threshold: float | None = None) -> None:
        self.threshold, self.chosen = threshold, 0.5 if threshold is None else threshold
        super().__init__(name)

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        self.chosen = self.threshold if self.threshold is not None else 0.0 if logits else 0.5

    def elements(self, output: Any, target: Any) -> Any:
        return _binary(output, target, self.chosen)


class CategoricalAccuracy(MeanMetric):
    """The fraction of samples whose largest output is where the largest target is:  outputs and targets (..., C)."""

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        return _categorical(output, target)


class SparseCategoricalAccuracy(MeanMetric):
    """The fraction of samples whose largest output is that of the label.

    outputs (N, C) or (N, C, d1, ...), or with classes on the last axis; integer targets without that axis.  Targets
    of `ignore_index` do not count.
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", ignore_index: int = IGNORED) -> None:
        self.ignore_index = ignore_index
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        return _sparse(output, target)

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        output, target = arrays(output, target)
        super().update(output, target, _unless(target, self.ignore_index, sample_weight))


class TopKCategoricalAccuracy(MeanMetric):
    """The fraction of samples whose one-hot target stands at one of the k largest outputs:  both (N, C)."""

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy") -> None:
        self.k = _positive(k, type(self).__name__)
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        same_shape(self.name, output, target)
        return _in_top(output, target.argmax(-1), self.k)


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """The fraction of samples whose label is among the k largest outputs:  outputs (N, C), integer targets (N,).

    An output counts as among the k largest if fewer than k are larger, as in Keras: of equal ones all do.
    """

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", ignore_index: int = IGNORED
                 ) -> None:
        self.ignore_index = ignore_index
        super().__init__(k, name)

    def elements(self, output: Any, target: Any) -> Any:
        axis = class_axis(output, target)
        if axis is None:
            raise ShapeError(f"{self.name}: expected outputs (N, C) and integer labels (N,); got {output.shape} and "
                             f"{target.shape}")
        return _in_top(np.moveaxis(output, axis, -1), np.where(target == self.ignore_index, 0, target), self.k)

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        output, target = arrays(output, target)
        super().update(output, target, _unless(target, self.ignore_index, sample_weight))


def kind_of_matches(output: Any, target: Any, binary: bool = False, logits: bool = False) -> Measure:
    """Which accuracy is meant: a function (output, target) -> array of what is right.

    Targets with one axis less than the outputs are class labels.  Of the shape of the outputs they are one-hot, or,
    with a single output per sample (or `binary`: several yes-or-no answers), 0 or 1.  `logits` puts the threshold at 0.

    Raises ValueError where the targets are no classes, ShapeError where the shapes do not fit.
    """
    if target.ndim == output.ndim - 1 and output.shape[-1] > 1:
        return _sparse
    same_shape("accuracy", output, target)
    if output.dtype.kind in "biu" and target.dtype.kind in "biu":
        return np.equal                       # classes, compared with classes
    if not binary and output.ndim > 1 and output.shape[-1] > 1:
        return _categorical
    strange = target[(target != 0) & (target != 1)]
    if strange.size:
        raise ValueError("accuracy: expected class labels, here 0 or 1 as there is one output per sample (shape "
                         f"{output.shape}); got {strange.flat[0]}: for quantities use metrics=['mae']")
    return _binary_of_logits if logits else _binary


def _sparse(output: Any, target: Any) -> Any:
    axis = class_axis(output, target)
    if axis is None:
        raise ShapeError("sparse_categorical_accuracy: expected outputs (N, C) and integer labels (N,); got "
                         f"{output.shape} and {target.shape}")
    return output.argmax(axis) == target


def _categorical(output: Any, target: Any) -> Any:
    same_shape("categorical_accuracy", output, target)
    return output.argmax(-1) == target.argmax(-1)


def _binary(output: Any, target: Any, threshold: float = 0.5) -> Any:
    same_shape("binary_accuracy", output, target)
    return (output > threshold) == (target > 0.5)


def _binary_of_logits(output: Any, target: Any) -> Any:
    return _binary(output, target, 0.0)


def _in_top(output: Any, labels: Any, k: int) -> Any:
    own = np.take_along_axis(output, labels[..., None].astype(np.intp), -1)
    return ((output > own).sum(-1) < k) & np.isfinite(own[..., 0])


def _unless(target: Any, ignored: int, sample_weight: Any) -> Any:
    """Weights that are 0 where the target is to be left out; None where nothing is."""
    left_out = target == ignored
    if not left_out.any():
        return sample_weight
    weight = np.ones(target.shape) if sample_weight is None else weights_for(sample_weight, target.shape, "accuracy")
    return np.where(left_out, 0.0, weight)


def _positive(k: Any, who: str) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"{who}: k must be a positive integer; got {k!r}")
    return int(k)


def accuracy(output: Any, target: Any) -> float:
    """Fraction that is right, of the kind that the shapes say: see `Accuracy`."""
    output, target = arrays(output, target)
    return float(np.mean(kind_of_matches(output, target)(output, target)))


def binary_accuracy(output: Any, target: Any, threshold: float = 0.5) -> float:
    """Fraction of outputs on the right side of the threshold (0.5 for probabilities, 0 for logits); targets 0 or 1."""
    return float(_binary(*arrays(output, target), threshold).mean())


def categorical_accuracy(output: Any, target: Any) -> float:
    """Fraction of samples whose largest output is where the largest target is.  output and target (N, C)."""
    return float(_categorical(*arrays(output, target)).mean())


def sparse_categorical_accuracy(output: Any, target: Any) -> float:
    """Fraction of samples whose largest output is that of the label.

    output (N, C) or (N, C, d1, ...), target integers (N,) or (N, d1, ...).  Classes on the last axis, (N, d1, C), are
    recognised by the shape of the target.
    """
    return float(SparseCategoricalAccuracy()(output, target))


def top_k_categorical_accuracy(output: Any, target: Any, k: int = 5) -> float:
    """Fraction of samples whose one-hot target stands at one of the k largest outputs.  output and target (N, C)."""
    return float(TopKCategoricalAccuracy(k)(output, target))


def sparse_top_k_categorical_accuracy(output: Any, target: Any, k: int = 5) -> float:
    """Fraction of samples whose label is among the k largest outputs.  output (N, C), target integers (N,)."""
    return float(SparseTopKCategoricalAccuracy(k)(output, target))


def kind_of_accuracy(output: Any, target: Any, binary: bool = False, logits: bool = False) -> Measure:
    """Which accuracy is meant, as a function (output, target) -> the fraction that is right."""
    kind = kind_of_matches(output, target, binary, logits)
    return lambda o, t: float(np.mean(kind(o, t)))
