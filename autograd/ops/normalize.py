"""Normalisation by mean and deviation: the core that layer, batch, group and instance norm share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import op
from .axes import axis_of
from .elementwise import rsqrt
from .reduce import mean, var


@op(x=lambda g, x, out, dim, eps: _standardize_pull(g, x, out, dim, eps), category="norm", shapes="axes that x has",
    cases=[(((4, 3),), {"dim": 0}), (((4, 3),), {"dim": (-1,)}), (((3, 2, 4),), {"dim": (0, 2), "eps": 0.1})])
def standardize(x: Any, *, dim: Any, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over `dim`:  (x - mean) / √(var + ε), var with divisor n."""
    axis = axis_of(dim, x.ndim)
    with np.errstate(all="ignore"):
        d = x - mean(x, dim=axis, keepdim=True)
        d *= 1 / np.sqrt(mean(d * d, dim=axis, keepdim=True) + eps)
        return d


def _standardize_pull(g: Any, x: Any, out: Any, dim: Any, eps: float) -> Any:
    inverse = rsqrt(var(x, dim=dim, correction=0, keepdim=True) + eps)
    return (g - mean(g, dim=dim, keepdim=True) - out * mean(g * out, dim=dim, keepdim=True)) * inverse
