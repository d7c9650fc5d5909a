"""What is plotted, as arrays: Tensors, arrays, lists and other libraries' tensors alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def array(who: str, name: str, value: Any, numbers: bool = True) -> np.ndarray:
    """The values as an array, cut from any graph.  Raises TypeError for what is none, or no numbers."""
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "numpy"):
        value = value.cpu().numpy() if hasattr(value, "cpu") else value.numpy()
    try:
        found = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise TypeError(f"{who}: expected {name} to be an array; got {type(value).__name__}: {error}") from None
    if numbers and found.dtype.kind not in "iufb":
        what = f"an array of {found.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{who}: expected {name} to be an array of real numbers; got {what}")
    return found


def whole(who: str, name: str, value: Any, least: int) -> int:
    """The int it is.  Raises ValueError unless it is one, of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{who}: expected {name} to be an int of at least {least}; got {value!r}")
    return int(value)


def positive(who: str, name: str, value: Any) -> float:
    """The float it is.  Raises ValueError unless it is finite and above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < math.inf:
        raise ValueError(f"{who}: expected {name} to be a finite number above 0; got {value!r}")
    return float(value)


def spread(values: np.ndarray, cut: float = 0.5) -> tuple[float, float]:
    """The range that holds all but `cut` percent of the finite values at each end, never empty."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(finite, [cut, 100 - cut]))
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        middle, half = (low + high) / 2, max(abs(low) * 0.1, 0.5 if low == 0 else 1e-300)
        return middle - half, middle + half
    return low, high
