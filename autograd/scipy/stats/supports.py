"""What the distributions share: a location and a scale, and a support outside which nothing happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ...protocols.arguments import array, real
from ...tensor import Tensor


def standard(x: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    """((x - loc) / scale, scale): a scale that is not positive makes everything NaN, as in SciPy."""
    x, loc, scale = real(x), array(loc), array(scale)
    if not np.all(value(scale) > 0):
        scale = ops.where(value(scale) > 0, scale, np.nan)
    shifted = x - loc if np.any(value(loc)) or isinstance(loc, Tensor) else x
    return shifted / scale, scale


def value(x: Any) -> Any:
    """The array behind a Tensor."""
    return x.value if isinstance(x, Tensor) else np.asarray(x)


def on(inside: Any, formula: Callable[[Any], Any], z: Any, safe: Any, outside: Any) -> Any:
    """formula(z) where z is inside the support (NaN passes), `outside` elsewhere, also for the derivative."""
    inside = inside | np.isnan(value(z))
    if np.all(inside):
        return formula(z)
    found = formula(ops.where(inside, z, safe))
    return ops.where(inside, found, outside)


def allowed(condition: Any, x: Any) -> Any:
    """x, NaN where a parameter is none."""
    return x if np.all(condition) else ops.where(condition, x, np.nan)


def floor(k: Any) -> tuple[Any, Any]:
    """(k, whether it is a whole number that is not negative)."""
    k = value(k)
    with np.errstate(invalid="ignore"):
        return k, (k >= 0) & (np.floor(k) == k)
