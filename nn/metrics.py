"""How good a model's outputs are, in numbers a person reads: accuracy and mean errors, and their running means.

All functions take `(output, target)`, in this order as losses do, as tensors or arrays, and return a float.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor

Measure = Callable[[Any, Any], Any]


def sparse_categorical_accuracy(output: Any, target: Any) -> float:
    """Fraction of samples whose largest output is that of the label.

    output (N, C) or (N, C, d1, ...), target integers (N,) or (N, d1, ...).  Classes on the last axis, (N, d1, C), are
    recognised by the shape of the target.
    """
    output, target = _arrays(output, target)
    channels = output.ndim == 2 or output.shape[:1] + output.shape[2:] == target.shape      # PyTorch's layout
    best = output.argmax(1 if channels else -1)
    if best.shape != target.shape:
        raise ShapeError("sparse_categorical_accuracy: expected outputs (N, C) and integer labels (N,); got "
                         f"{output.shape} and {target.shape}")
    return np.count_nonzero(best == target) / best.size


def categorical_accuracy(output: Any, target: Any) -> float:
    """Fraction of samples whose largest output is where the largest target is.  output and target (N, C)."""
    output, target = _arrays(output, target)
    _same_shape("categorical_accuracy", output, target)
    best = output.argmax(-1)
    return np.count_nonzero(best == target.argmax(-1)) / best.size


def binary_accuracy(output: Any, target: Any, threshold: float = 0.5) -> float:
    """Fraction of outputs on the right side of the threshold (0.5 for probabilities, 0 for logits); targets 0 or 1."""
    output, target = _arrays(output, target)
    _same_shape("binary_accuracy", output, target)
    return np.count_nonzero((output > threshold) == (target > 0.5)) / output.size


def mean_absolute_error(output: Any, target: Any) -> float:
    """Mean of |output - target|, in the units of the target."""
    output, target = _arrays(output, target)
    _same_shape("mean_absolute_error", output, target)
    return float(np.abs(output - target).mean())


def mean_squared_error(output: Any, target: Any) -> float:
    """Mean of (output - target)^2, in the units of the target squared."""
    output, target = _arrays(output, target)
    _same_shape("mean_squared_error", output, target)
    return float(np.square(output - target).mean())


def accuracy(output: Any, target: Any) -> float:
    """Fraction that is right, of the kind that the shapes say: see `kind_of_accuracy`."""
    output, target = _arrays(output, target)
    return kind_of_accuracy(output, target)(output, target)


def kind_of_accuracy(output: Any, target: Any, binary: bool = False, logits: bool = False) -> Measure:
    """Which accuracy is meant.

    Targets with one axis less than the outputs are class labels.  Of the shape of the outputs they are one-hot, or,
    with a single output per sample (or `binary`: several yes-or-no answers), 0 or 1.  `logits` puts the threshold at 0.

    Raises ValueError where the targets are no classes, ShapeError where the shapes do not fit.
    """
    if target.ndim == output.ndim - 1 and output.shape[-1] > 1:
        return sparse_categorical_accuracy
    _same_shape("accuracy", output, target)
    if not binary and output.ndim > 1 and output.shape[-1] > 1:
        return categorical_accuracy
    strange = target[(target != 0) & (target != 1)]
    if strange.size:
        raise ValueError("accuracy: expected class labels, here 0 or 1 as there is one output per sample (shape "
                         f"{output.shape}); got {strange.flat[0]}: for quantities use metrics=['mae']")
    return _binary_accuracy_of_logits if logits else binary_accuracy


def _binary_accuracy_of_logits(output: Any, target: Any) -> float:
    return binary_accuracy(output, target, 0.0)


def _arrays(output: Any, target: Any) -> tuple[Any, Any]:
    return (output.value if isinstance(output, Tensor) else np.asarray(output),
            target.value if isinstance(target, Tensor) else np.asarray(target))


def _same_shape(who: str, output: Any, target: Any) -> None:
    if output.shape != target.shape:
        raise ShapeError(f"{who}: expected output and target of one shape; got {output.shape} and {target.shape}")


class Metric:
    """The running mean of a measure over batches, each counted by its number of samples.

    A subclass may keep something else between batches: it defines `reset()`, `update(output, target)`, which is given
    arrays, and `result()`.
    """

    def __init__(self, name: str, measure: Measure | None = None) -> None:
        self.name, self.given, self.measure = name, measure, measure
        self.reset()

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        """Look at the first outputs and targets: "accuracy" finds out here which one it is."""
        if self.given is accuracy:
            self.measure = kind_of_accuracy(output, target, binary, logits)
        elif self.given is binary_accuracy:
            self.measure = _binary_accuracy_of_logits if logits else binary_accuracy

    def reset(self) -> None:
        """Forget all batches."""
        self.total, self.count = 0.0, 0

    def update(self, output: Any, target: Any) -> None:
        """Take in a batch."""
        n = len(target)
        self.total += self.measure(output, target) * n                   # type: ignore[misc]
        self.count += n

    def result(self) -> float:
        """The mean over what was taken in since `reset()`."""
        return float(self.total) / max(self.count, 1)


METRICS: dict[str, Measure] = {
    "accuracy": accuracy, "acc": accuracy, "binary_accuracy": binary_accuracy,
    "categorical_accuracy": categorical_accuracy, "sparse_categorical_accuracy": sparse_categorical_accuracy,
    "mae": mean_absolute_error,
    "mean_absolute_error": mean_absolute_error, "mse": mean_squared_error, "mean_squared_error": mean_squared_error}


def get(metric: Any) -> Any:
    """A metric by name, or made of a function `(output, target) -> number`; an object of Metric's methods as it is.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(metric, str):
        if metric.lower() not in METRICS:
            raise unknown("metric", metric, METRICS)
        return Metric(metric.lower(), METRICS[metric.lower()])
    if isinstance(metric, type):
        raise TypeError("metrics: expected a name, a function or an object; got the class "
                        f"{metric.__name__}: call it, {metric.__name__}()")
    if all(hasattr(metric, name) for name in ("name", "reset", "update", "result")):
        return metric
    if callable(metric):
        return Metric(getattr(metric, "__name__", type(metric).__name__), metric)
    raise TypeError("metrics: expected a name such as 'accuracy', a function (output, target) -> number, or a Metric; "
                    f"got {type(metric).__name__}")


def get_all(metrics: Any) -> list[Any]:
    """The metrics of `compile`: one of them, a list, or a dict from the names they shall have."""
    if metrics is None:
        return []
    if isinstance(metrics, dict):
        found = [get(m) for m in metrics.values()]
        for name, metric in zip(metrics, found):
            metric.name = name
    else:
        found = [get(m) for m in (metrics if isinstance(metrics, (list, tuple)) else [metrics])]
    names = ["loss"]
    for metric in found:
        if metric.name in names:
            raise ValueError(f"metrics: two numbers would be called {metric.name!r}; name them, metrics={{'first': f, "
                             "'second': g}")
        names.append(metric.name)
    return found


def unknown(kind: str, name: str, known: Any) -> ValueError:
    """The error for a name that is not known: the nearest one that is, and all of them."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), list(known), 1)
    return ValueError(f"unknown {kind} {name!r}{f': did you mean {near[0]!r}?' if near else ';'} "
                      f"known: {', '.join(known)}")
