"""What HIPS autograd has to look behind the values of a function that is being differentiated."""

from __future__ import annotations

from typing import Any

from .extend import Box as Box
from .extend import notrace_primitive as notrace_primitive
from .extend import primitive as primitive
from .extend import values as getval
from .tensor import Tensor

__all__ = ["Box", "getval", "isbox", "notrace_primitive", "primitive"]


def isbox(x: Any) -> bool:
    """Whether x stands for an array while its function is being differentiated."""
    return isinstance(x, Tensor)
