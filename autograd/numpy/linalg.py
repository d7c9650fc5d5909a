"""numpy.linalg: its own functions, which call back when they meet a Tensor."""

from __future__ import annotations

from typing import Any

import numpy.linalg as _own

from ..protocols.dispatch import counterpart
from .adapted import of_arrays

__all__ = [name for name in dir(_own) if name[0] != "_"]


def __getattr__(name: str) -> Any:
    """NumPy's own for arrays, what is recorded for Tensors; kept here from the first time on."""
    found = getattr(_own, name)
    ours = counterpart(found) if callable(found) else None
    if ours is not None and name != "multi_dot":
        found = of_arrays(found, ours)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
