"""Python's `isinstance` and `type` seeing the array behind a Tensor; its containers, which need no replacement here.

Lists, tuples and dicts of Tensors are differentiated as they are: `list`, `tuple` and `dict` are Python's own.
"""

from __future__ import annotations

import builtins
from typing import Any

from .tensor import Tensor

__all__ = ["dict", "isinstance", "list", "tuple", "type"]

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple


def isinstance(x: Any, kind: Any) -> bool:
    """Python's, and true of a Tensor if it is of its array: isinstance(x, np.ndarray)."""
    return builtins.isinstance(x, kind) or (builtins.isinstance(x, Tensor) and builtins.isinstance(x.value, kind))


def type(x: Any, *more: Any) -> Any:
    """Python's, and of a Tensor that of its array."""
    return builtins.type(x, *more) if more else builtins.type(x.value if builtins.isinstance(x, Tensor) else x)
