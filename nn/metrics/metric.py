"""What a metric is: something that takes in batches and says, at any time, one number about all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor

Measure = Callable[[Any, Any], Any]


class Metric:
    """A number about all the batches taken in since `reset()`: the same however the samples were cut into batches.

        accuracy = nn.metrics.Accuracy()
        for x, y in loader:
            accuracy.update(model(x), y)
        print(accuracy.compute())

    A subclass defines `reset()`, `update(output, target)` (with `sample_weight=None` if it can be weighted) and
    `result()`.  Within `Model.fit` it is given arrays; in a loop of one's own it may be given Tensors as well.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset()

    def choose(self, output: Any, target: Any, binary: bool, logits: bool) -> None:
        """Look at the first outputs and targets of a Model, whose loss says whether several answers are `binary`
        (yes or no, each for itself), and whether outputs are `logits`.  What the user has set stays."""

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"{type(self).__name__} does not define reset()")

    def update(self, output: Any, target: Any) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__} does not define update(output, target)")

    def result(self) -> Any:
        """The number for all that was taken in since `reset()`."""
        raise NotImplementedError(f"{type(self).__name__} does not define result()")

    def compute(self) -> Any:
        """As `result`."""
        return self.result()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch and return the number for all so far, as Keras's metrics do."""
        self.update(*args, **kwargs)
        return self.result()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """As `update`, with Keras's name and Keras's order of arguments."""
        if sample_weight is None:
            self.update(y_pred, y_true)
        else:
            self.update(y_pred, y_true, sample_weight=sample_weight)      # type: ignore[call-arg]

    def reset_state(self) -> None:
        """As `reset`: Keras's name."""
        self.reset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class MeanMetric(Metric):
    """The mean of what a function says of each batch.

    MeanMetric(name, measure): `measure(output, target)` gives one number, which counts as often as the batch has
    samples, or an array with an entry for each sample (or element), which can be weighted.
    """

    def __init__(self, name: str, measure: Measure | None = None) -> None:
        self.measure = measure
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        """What is averaged: a number, or an array of one entry for each sample or element."""
        assert self.measure is not None
        return self.measure(output, target)

    def reset(self) -> None:
        """Forget all batches."""
        self.total, self.count = 0.0, 0.0

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        """Take in a batch; `sample_weight` (N,) or of the shape of the elements, 0 for what is not to count."""
        output, target = arrays(output, target)
        found = np.asarray(self.elements(output, target))
        if found.ndim == 0:
            if sample_weight is not None:
                raise ShapeError(f"{self.name}: sample weights need a number for each sample; the function gave one "
                                 "for the batch: let it return an array of shape (N,)")
            n = len(target)
            self.total += float(found) * n
            self.count += n
        elif sample_weight is None:
            self.total += float(found.sum(dtype=None if found.dtype.kind in "biu" else np.float64))
            self.count += found.size
        else:
            weight = weights_for(sample_weight, found.shape, self.name)
            self.total += float((found * weight).sum(dtype=np.float64))
            self.count += float(weight.sum())

    def result(self) -> float:
        """The mean over what was taken in since `reset()`; 0.0 before the first batch, as in Keras."""
        return self.total / self.count if self.count else 0.0


def arrays(output: Any, target: Any) -> tuple[Any, Any]:
    """Both as arrays, whatever they came as; dicts and tuples of outputs stay what they are."""
    if isinstance(output, Tensor):
        output = output.value
    elif isinstance(output, list):
        output = np.asarray(output)
    return output, target.value if isinstance(target, Tensor) else np.asarray(target)


def weights_for(sample_weight: Any, shape: tuple[int, ...], who: str) -> Any:
    """Weights (N,), or with more axes, spread over elements of a shape (N, ...), as float64."""
    weight = np.asarray(sample_weight.value if isinstance(sample_weight, Tensor) else sample_weight, np.float64)
    if weight.ndim > 1 and weight.shape[-1] == 1 and weight.shape[:-1] == shape[:weight.ndim - 1]:
        weight = weight[..., 0]
    if weight.shape != shape[:weight.ndim]:
        raise ShapeError(f"{who}: sample_weight has shape {weight.shape}; expected {shape[:1]}, one for each sample"
                         + (f", or {shape}" if len(shape) > 1 else ""))
    if (weight < 0).any() or not np.isfinite(weight).all():
        raise ValueError(f"{who}: sample weights must be finite and not negative; got {weight.min()} to "
                         f"{weight.max()}")
    return np.broadcast_to(weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)), shape)


def same_shape(who: str, output: Any, target: Any) -> None:
    """ShapeError unless outputs and targets have one shape."""
    if output.shape != target.shape:
        raise ShapeError(f"{who}: expected output and target of one shape; got {output.shape} and {target.shape}")


def softmax(x: Any, axis: int) -> Any:
    """Probabilities of logits, in float64."""
    x = np.asarray(x, np.float64)
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def class_axis(output: Any, target: Any) -> int | None:
    """The axis of outputs that counts classes, for integer targets without it: 1 (PyTorch), or the last (Keras).

    None where the shapes do not fit.
    """
    if output.ndim == target.ndim + 1:
        if output.shape[:1] + output.shape[2:] == target.shape:
            return 1
        if output.shape[:-1] == target.shape:
            return output.ndim - 1
    return None


def matched(who: str, output: Any, target: Any, expected: str) -> tuple[Any, Any, int | None]:
    """Both as arrays, and the axis that counts classes: None where both have one shape, as (N, 1) gets beside (N,).

    Raises ShapeError, which says what is `expected`, where they do not fit.
    """
    output, target = arrays(output, target)
    output = np.asarray(output)
    axis = class_axis(output, target)
    if axis is not None and output.shape[axis] == 1:
        output, axis = output.reshape(target.shape), None
    if axis is None and output.shape != target.shape:
        raise ShapeError(f"{who}: expected {expected}; got {output.shape} and {target.shape}")
    return output, target, axis
