"""What a loss does with one number per element: "mean", "sum" or "none", and the two flags that said so before."""

from __future__ import annotations

import warnings
from typing import Any

import autograd

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(who: str, reduction: Any) -> None:
    """ValueError unless it is one of "mean", "sum", "none"."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{who}: reduction must be 'mean', 'sum' or 'none'; got {reduction!r}")


def legacy(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that is meant: `size_average` and `reduce`, of PyTorch before 1.0, go before it, with a warning."""
    if size_average is None and reduce is None and reduction != "elementwise_mean":
        return reduction
    if size_average is None and reduce is None:
        said, meant = "reduction='elementwise_mean' is", "mean"
    else:
        meant = "none" if reduce is False else "sum" if size_average is False else "mean"
        said = "size_average and reduce are"
    warnings.warn(f"{said} deprecated: use reduction='{meant}'", UserWarning, stacklevel=3)
    return meant


def reduced(loss: Any, reduction: str, who: str) -> Any:
    """The mean, the sum, or all of it."""
    if reduction == "mean":
        return autograd.mean(loss)
    if reduction == "sum":
        return autograd.sum(loss)
    check_reduction(who, reduction)
    return loss
