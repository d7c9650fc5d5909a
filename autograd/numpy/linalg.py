"""numpy.linalg: its own functions, which call back when they meet a Tensor."""

from __future__ import annotations

import numpy.linalg as _own

from .adapted import names_of

__all__ = [name for name in dir(_own) if name[0] != "_"]


__getattr__ = names_of(_own, globals(), but=("multi_dot",))            # it takes a list, and looks into it


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
