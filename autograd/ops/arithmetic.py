"""Arithmetic as PyTorch's functions have it, with `alpha` and `rounding_mode`; the operators are the ops alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import elementwise
from ..tensor import Tensor
from . import elementwise as ew
from .composed import composed
from .logic import no_integer_division_by_zero

POSITIVE = (0.2, 3.0)


def _scaled(y: Any, alpha: Any) -> Any:
    """alpha y; a Python number stays one, so that it promotes nothing."""
    return y * alpha if not isinstance(y, (Tensor, np.ndarray)) else ew.multiply(y, alpha)


@composed
def add(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    """Sum:  x + α y."""
    return ew.add(x, y) if type(alpha) is int and alpha == 1 else ew.add(x, _scaled(y, alpha))


@composed
def subtract(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    """Difference:  x - α y."""
    return ew.subtract(x, y) if type(alpha) is int and alpha == 1 else ew.subtract(x, _scaled(y, alpha))


@composed
def divide(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    """Quotient:  x / y;  rounding_mode "floor" rounds it down, "trunc" towards 0, and integers then stay integers."""
    if rounding_mode is None:
        return ew.divide(x, y)
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(f"divide: rounding_mode must be None, 'floor' or 'trunc'; got {rounding_mode!r}")
    return floor_quotient(x, y) if rounding_mode == "floor" else whole_quotient(x, y)


@elementwise(x=lambda g: g * 0, y=lambda g: g * 0, domain=POSITIVE)
def floor_quotient(x: Any, y: Any) -> Any:
    """Quotient rounded down:  ⌊x / y⌋.  The derivative is 0."""
    no_integer_division_by_zero("div", x, y)
    with np.errstate(all="ignore"):
        return np.floor_divide(x, y)


@elementwise(x=lambda g: g * 0, y=lambda g: g * 0, domain=POSITIVE)
def whole_quotient(x: Any, y: Any) -> Any:
    """Quotient rounded towards 0.  The derivative is 0."""
    no_integer_division_by_zero("div", x, y)
    with np.errstate(all="ignore"):
        if np.result_type(x, y).kind in "biu":
            q = np.floor_divide(x, y)
            return q + ((q < 0) & (q * y != x))
        return np.trunc(np.true_divide(x, y))
