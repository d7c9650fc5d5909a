"""Metrics by the names Keras gives them, and what `compile(metrics=...)` makes of what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..training.spelling import unknown
from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from .confusion import (
    BalancedAccuracy,
    CohenKappa,
    ConfusionMatrix,
    F1Score,
    MatthewsCorrelation,
    MeanIoU,
    Precision,
    Recall,
)
from .likelihood import LogLoss, Perplexity
from .metric import MeanMetric
from .ranking import AUC, AveragePrecision
from .regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    R2Score,
    RootMeanSquaredError,
    mean_absolute_error,
    mean_squared_error,
)

METRICS: dict[str, Callable[..., Any]] = {
    "accuracy": Accuracy, "acc": Accuracy, "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy, "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "balanced_accuracy": BalancedAccuracy, "precision": Precision, "recall": Recall, "f1_score": F1Score,
    "auc": AUC, "roc_auc": AUC, "average_precision": AveragePrecision, "pr_auc": AveragePrecision,
    "confusion_matrix": ConfusionMatrix, "matthews_correlation": MatthewsCorrelation, "cohen_kappa": CohenKappa,
    "mean_io_u": MeanIoU, "log_loss": LogLoss, "perplexity": Perplexity,
    "mae": MeanAbsoluteError, "mean_absolute_error": MeanAbsoluteError,
    "mse": MeanSquaredError, "mean_squared_error": MeanSquaredError,
    "rmse": RootMeanSquaredError, "root_mean_squared_error": RootMeanSquaredError,
    "mape": MeanAbsolutePercentageError, "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "r2_score": R2Score, "r2": R2Score}

_SHORT = {name.replace("_", ""): name for name in METRICS} | {"f1": "f1_score"}
_FUNCTIONS = {accuracy: Accuracy, binary_accuracy: BinaryAccuracy, categorical_accuracy: CategoricalAccuracy,
              sparse_categorical_accuracy: SparseCategoricalAccuracy, mean_absolute_error: MeanAbsoluteError,
              mean_squared_error: MeanSquaredError}


def get(metric: Any) -> Any:
    """A metric by name, or made of a function `(output, target) -> number`; an object of Metric's methods as it is.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(metric, str):
        name = metric.lower()
        name = name if name in METRICS else _SHORT.get(name.replace("_", ""), "")
        if not name:
            raise unknown("metric", metric, METRICS)
        return METRICS[name](name=name)
    if isinstance(metric, type):
        raise TypeError("metrics: expected a name, a function or an object; got the class "
                        f"{metric.__name__}: call it, {metric.__name__}()")
    if all(hasattr(metric, name) for name in ("name", "reset", "update", "result")):
        return metric
    if callable(metric):
        name = getattr(metric, "__name__", type(metric).__name__)
        return _FUNCTIONS[metric](name=name) if metric in _FUNCTIONS else MeanMetric(name, metric)
    raise TypeError("metrics: expected a name such as 'accuracy', a function (output, target) -> number, or a Metric; "
                    f"got {type(metric).__name__}")


def get_all(metrics: Any, taken: tuple[str, ...] = ("loss",)) -> list[Any]:
    """The metrics of `compile`: one of them, a list, or a dict from the names they shall have."""
    if metrics is None:
        return []
    if isinstance(metrics, dict):
        found = [get(m) for m in metrics.values()]
        for name, metric in zip(metrics, found):
            metric.name = name
    else:
        found = [get(m) for m in (metrics if isinstance(metrics, (list, tuple)) else [metrics])]
    names = list(taken)
    for metric in found:
        if metric.name in names:
            raise ValueError(f"metrics: two numbers would be called {metric.name!r}; name them, metrics={{'first': f, "
                             "'second': g}")
        names.append(metric.name)
    return found
