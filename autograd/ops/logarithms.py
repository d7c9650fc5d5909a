"""Sums in logarithms, of complex numbers too, for which NumPy has no `logaddexp`."""

from __future__ import annotations

from typing import Any

import numpy as np


def logaddexp_of(x: Any, y: Any) -> Any:
    """ln(e^x + e^y) of arrays, without overflow; of complex ones the branch of the larger:  a + ln(1 + e^(b - a))."""
    with np.errstate(all="ignore"):
        if np.result_type(x, y).kind != "c":
            return np.logaddexp(x, y)
        larger = np.greater_equal(x.real, y.real)
        a, b = np.where(larger, x, y), np.where(larger, y, x)
        return np.where(np.isneginf(b.real), a, a + np.log1p(np.exp(b - a)))[()]


def running_logsumexp(x: Any, axis: int) -> Any:
    """ln Σ_{j<=i} e^x[j] along an axis; of complex numbers by doubling (Hillis and Steele 1986)."""
    if x.dtype.kind != "c":
        with np.errstate(all="ignore"):
            return np.logaddexp.accumulate(x, axis=axis)
    out, reach = np.moveaxis(x, axis, -1).copy(), 1
    while reach < out.shape[-1]:
        out[..., reach:] = logaddexp_of(out[..., reach:], out[..., :-reach].copy())
        reach *= 2
    return np.moveaxis(out, -1, axis)
