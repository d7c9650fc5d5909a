"""Functions that NumPy's users call with lists: lists become arrays at the door."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .composed import composed


def operand(x: Any) -> Any:
    """A number or a list as an array; a Tensor or an array as it is."""
    return x if hasattr(x, "dtype") else np.asarray(x)


def of_arrays(count: int = 1) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `composed`; of the first `count` arguments, lists and numbers are taken as arrays."""
    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        inner = composed(function)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return inner(*[operand(a) for a in args[:count]], *args[count:], **kwargs)
        return call
    return declare
