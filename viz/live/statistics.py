"""What is told of an array at a glance: mean, spread, range, a histogram, how many numbers are none.

Of a large array at most 8,192 elements are looked at, evenly spread; NaN and infinity are counted in all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

BINS = 24
MOST = 8192                                    # elements of one array that are looked at


class Spread(NamedTuple):
    """The finite elements of a sample in numbers; NaN where there is none."""

    mean: float
    std: float
    rms: float
    low: float
    high: float
    bins: tuple[int, ...]                      # counts in equal bins from low to high; () where all are equal
    nans: int
    infs: int

    @property
    def sound(self) -> bool:
        return not (self.nans or self.infs)


def sample(array: Any) -> np.ndarray[Any, Any]:
    """A copy of at most MOST elements as float64 (absolute values of complex ones), evenly spread over the array."""
    a = np.asarray(array)
    flat = a.ravel(order="K")
    step = -(-a.size // MOST)
    while step > 1 and math.gcd(step, a.size) > 1:         # else only some columns of a matrix would be seen
        step += 1
    taken = flat[::step] if step > 1 else flat
    return np.abs(taken).astype(np.float64) if a.dtype.kind == "c" else taken.astype(np.float64)


def bad(array: Any) -> tuple[int, int]:
    """How many elements are NaN, and how many infinite."""
    a = np.asarray(array)
    with np.errstate(all="ignore"):
        if np.isfinite(a.sum()):                           # one pass for all that is well
            return 0, 0
    nans = int(np.isnan(a).sum())
    return nans, int(a.size - np.isfinite(a).sum()) - nans


def spread(samples: Sequence[np.ndarray[Any, Any]], nans: int = 0, infs: int = 0) -> Spread:
    """The statistics of samples taken together."""
    x = samples[0] if len(samples) == 1 else np.concatenate(samples)
    if nans or infs:
        x = x[np.isfinite(x)]
    if not x.size:
        return Spread(math.nan, math.nan, math.nan, math.nan, math.nan, (), nans, infs)
    with np.errstate(all="ignore"):
        low, high = float(x.min()), float(x.max())
        mean, rms = float(x.mean()), math.sqrt(float(np.dot(x, x)) / x.size)
        std = float(x.std())
        bins: tuple[int, ...] = ()
        scale = BINS / (high - low) if high > low and math.isfinite(high - low) else math.inf
        if math.isfinite(scale):
            at = np.minimum(((x - low) * scale).astype(np.intp), BINS - 1)
            bins = tuple(np.bincount(at, minlength=BINS).tolist())
    return Spread(mean, std, rms, low, high, bins, nans, infs)


def alive(array: Any, axis: int) -> np.ndarray[Any, Any]:
    """Which units along an axis gave anything but 0."""
    a = np.asarray(array)
    return np.asarray((a != 0).any(axis=tuple(k for k in range(a.ndim) if k != axis % a.ndim)))
