"""numpy.random: nothing in it has a derivative; noise that shall carry one is shifted and scaled by hand."""

from __future__ import annotations

from typing import Any

import numpy.random as _own

__all__ = [name for name in dir(_own) if name[0] != "_"]


def __getattr__(name: str) -> Any:
    """NumPy's own, kept here from the first time on."""
    found = getattr(_own, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
