"""Ops of this package: functions with a derivative rule of their own, where a composition would take twice as long.

The functions that users call, with PyTorch's signatures, are in the files beside this one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import clamp, elementwise, log
from autograd.ops.elementwise import keep


@elementwise(x=lambda g, x: keep(g, (x > -3) & (x < 3)) / 6, category="activation", domain=(-2.5, 2.5), floating=True)
def hardsigmoid(x: Any) -> Any:
    """min(max(x + 3, 0), 6) / 6.  The derivative is 0 at the kinks and at NaN."""
    return np.clip(x + 3, 0, 6) / 6


@elementwise(x=lambda g, x, min_val, max_val: g * ~((x <= min_val) | (x >= max_val)), category="activation")
def hardtanh(x: Any, *, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x held within [min_val, max_val]:  min(max(x, lower), upper).  On a bound the derivative is 0."""
    return np.minimum(np.maximum(x, min_val), max_val)


@elementwise(x=lambda g, x, weight: g * ((x > 0) + (x <= 0) * weight), weight=lambda g, x: g * clamp(x, max=0),
             category="activation")
def prelu(x: Any, weight: Any) -> Any:
    """x where x > 0, weight · x elsewhere:  max(x, 0) + w min(x, 0).  At 0 the derivative is the weight."""
    return np.maximum(x, 0) + weight * np.minimum(x, 0)


@elementwise(x=lambda g, x, delta: g * hardtanh(x, min_val=-delta, max_val=delta), category="loss")
def huber(x: Any, *, delta: float = 1.0) -> Any:
    """x² / 2 within ±δ, going on as a straight line:  h (x - h / 2),  h = x held within ±δ, which is also the slope."""
    held = np.minimum(np.maximum(x, -delta), delta)
    return held * (x - 0.5 * held)


@elementwise(p=lambda g, p, target: g * (p - target) / clamp(p * (1 - p), min=1e-12),
             target=lambda g, p: g * (_log(1 - p) - _log(p)), domain=(0.1, 0.9), floating=True, category="loss",
             shapes="probabilities and targets of one shape")
def binary_cross_entropy(p: Any, target: Any) -> Any:
    """-t ln p - (1 - t) ln(1 - p), the logarithms held above -100.  Nats.

    The slope (p - t) / (p (1 - p)) has its divisor held above 1e-12: at 0 and 1 it is huge but finite, as in PyTorch.
    """
    with np.errstate(all="ignore"):
        return (target - 1) * np.maximum(np.log1p(-p), -100) - target * np.maximum(np.log(p), -100)


def _log(p: Any) -> Any:
    return clamp(log(p), min=-100)
