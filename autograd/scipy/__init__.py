"""The parts of SciPy that HIPS autograd has, recorded: special, stats, linalg, signal, integrate.

Each imports SciPy when it is imported itself, and says what to install where SciPy is not there.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Each part when it is first asked for."""
    if name not in ("integrate", "linalg", "signal", "special", "stats"):
        raise AttributeError(f"module 'autograd.scipy' has no attribute {name!r}; it has integrate, linalg, signal, "
                             "special, stats")
    from importlib import import_module
    return import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return sorted([*globals(), "integrate", "linalg", "signal", "special", "stats"])
