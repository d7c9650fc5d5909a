"""numpy.fft: its own functions, which call back when they meet a Tensor."""

from __future__ import annotations

import numpy.fft as _own

from .adapted import names_of

__all__ = [name for name in dir(_own) if name[0] != "_"]


__getattr__ = names_of(_own, globals())


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
