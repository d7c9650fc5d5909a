"""How far outputs are from quantities: mean errors, and the share of the variance that is explained."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

import numpy as np

from .metric import MeanMetric, Metric, arrays, same_shape, weights_for


class MeanAbsoluteError(MeanMetric):
    """Mean of |output - target|, in the units of the target."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        return np.abs(_difference(self.name, output, target))


class MeanSquaredError(MeanMetric):
    """Mean of (output - target)², in the units of the target squared."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        return np.square(_difference(self.name, output, target))


class RootMeanSquaredError(MeanSquaredError):
    """Root of the mean of (output - target)² over all elements, in the units of the target."""

    def __init__(self, name: str = "root_mean_squared_error") -> None:
        super().__init__(name)

    def result(self) -> float:
        """The root of the mean over what was taken in since `reset()`."""
        return sqrt(super().result())


class MeanAbsolutePercentageError(MeanMetric):
    """100 times the mean of |output - target| / |target|, in percent; a target of 0 counts as 1e-7, as in Keras."""

    def __init__(self, name: str = "mean_absolute_percentage_error") -> None:
        super().__init__(name)

    def elements(self, output: Any, target: Any) -> Any:
        return 100 * np.abs(_difference(self.name, output, target)) / np.maximum(np.abs(target), 1e-7)


class R2Score(Metric):
    """The coefficient of determination:  1 - Σ (target - output)² / Σ (target - mean)²,  1 at best.

    class_aggregation  of several outputs per sample: "uniform_average", "variance_weighted_average", None for each

    Means and squares are carried from batch to batch as differences from the mean (Chan, Golub and LeVeque 1979), so
    that targets far from 0 lose no digits.  Constant targets give 1 where all outputs are right, else 0; a single
    sample gives nan: scikit-learn's conventions.
    """

    def __init__(self, class_aggregation: str | None = "uniform_average", name: str = "r2_score") -> None:
        if class_aggregation not in ("uniform_average", "variance_weighted_average", None):
            raise ValueError("R2Score: class_aggregation must be 'uniform_average', 'variance_weighted_average' or "
                             f"None; got {class_aggregation!r}")
        self.class_aggregation = class_aggregation
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        self.samples, self.weight = 0, 0.0
        self.mean, self.spread, self.missed = np.zeros(1), np.zeros(1), np.zeros(1)

    def update(self, output: Any, target: Any, sample_weight: Any = None) -> None:
        """Take in a batch:  output and target (N,) or (N, D), sample_weight (N,)."""
        output, target = arrays(output, target)
        same_shape(self.name, output, target)
        n = len(target)
        output, target = (np.asarray(a, np.float64).reshape(n, -1) for a in (output, target))
        w = np.ones((n, 1)) if sample_weight is None else weights_for(sample_weight, (n,), self.name)[:, None]
        here = float(w.sum())
        self.samples += n
        if not here:
            return
        mean = (w * target).sum(0) / here
        spread, total = (w * (target - mean)**2).sum(0), self.weight + here
        apart = mean - self.mean
        self.spread = self.spread + spread + apart**2 * (self.weight * here / total)
        self.mean = self.mean + apart * (here / total)
        self.missed = self.missed + (w * (target - output)**2).sum(0)
        self.weight = total

    def result(self) -> Any:
        """The score over what was taken in since `reset()`."""
        if self.samples < 2:
            return nan
        with np.errstate(all="ignore"):
            scores = np.where(self.spread > 0, 1 - self.missed / self.spread, np.where(self.missed > 0, 0.0, 1.0))
        if self.class_aggregation is None:
            return scores
        weighted = self.class_aggregation == "variance_weighted_average" and self.spread.any()
        return float(np.average(scores, weights=self.spread if weighted else None))


def _difference(who: str, output: Any, target: Any) -> Any:
    same_shape(who, output, target)
    return output - target


def mean_absolute_error(output: Any, target: Any) -> float:
    """Mean of |output - target|, in the units of the target."""
    return MeanAbsoluteError()(output, target)


def mean_squared_error(output: Any, target: Any) -> float:
    """Mean of (output - target)^2, in the units of the target squared."""
    return MeanSquaredError()(output, target)


def root_mean_squared_error(output: Any, target: Any) -> float:
    """Root of the mean of (output - target)^2 over all elements, in the units of the target."""
    return RootMeanSquaredError()(output, target)


def r2_score(output: Any, target: Any) -> float:
    """1 - Σ (target - output)² / Σ (target - mean)²:  1 at best, 0 for the mean of the targets."""
    return R2Score()(output, target)
