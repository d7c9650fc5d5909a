"""NumPy's floating-point warnings off, for work of the library's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import numpy as np

# inf and NaN are values here, as in PyTorch.  `errstate` around every product would cost more than most products, so
# NumPy's warnings are silenced where they are shown, and for this library's own files only.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"(autograd|nn|optim)\.")

with np.errstate(all="ignore"):
    _QUIET = copy_context()


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """function(*args) without NumPy's warnings, at a seventh of the price of `with np.errstate(...)`.

    It runs in a copy of the context in which the library was imported, so it is for functions that read no other
    context variable: not for calling back into a user's code.
    """
    return _QUIET.copy().run(function, *args)
