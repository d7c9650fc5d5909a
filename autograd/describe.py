"""The repr of a tensor, as PyTorch writes it: values, what is not the default, and where it came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from .promotion import get_default_dtype


def describe(value: Any, opening: str, name: str, origin: str) -> str:
    """tensor([1., 2.], dtype=float64, name='x', requires_grad=True)."""
    if value.ndim:
        text = np.array2string(value, separator=", ", prefix=opening, precision=4)
    elif value.dtype.kind == "f" and float(value).is_integer() and abs(float(value)) < 1e8:
        text = f"{float(value):.0f}."
    elif value.dtype.kind in "fc":
        text = np.array2string(np.asarray(value), precision=4, floatmode="maxprec_equal")
    else:
        text = str(value)
    parts = [text]
    if value.size == 0:
        parts.append(f"size={value.shape}")
    if value.dtype not in (get_default_dtype(), np.dtype("int64"), np.dtype("bool")):
        parts.append(f"dtype={value.dtype}")
    if name:
        parts.append(f"name={name!r}")
    if origin:
        parts.append(origin)
    return f"{opening}{', '.join(parts)})"


class Count(int):
    """The number of elements; called, the shape: `x.size`, `x.size()` and `x.size(0)` alike."""

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]
