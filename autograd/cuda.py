"""What programs written for PyTorch ask about GPUs before they use one: there is none here.

    device = "cuda" if autograd.cuda.is_available() else "cpu"
"""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False: everything is computed by NumPy, on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed_all(seed: int) -> None:
    """Nothing: `autograd.manual_seed` seeds all there is."""


def synchronize(device: Any = None) -> None:
    """Nothing: every operation is done when it returns."""


def empty_cache() -> None:
    """Nothing: memory is freed with its last tensor."""
