"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import ShapeError, Tensor, cat


def parameters_to_vector(parameters: Iterable[Tensor]) -> Any:
    """All elements of all parameters in a row, with history: (n,)."""
    return cat([p.reshape(-1) for p in parameters], dim=0)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Set the values of the parameters from a vector (n,); ShapeError, with nothing changed, for another length."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a Tensor; got {type(vec).__name__}")
    given, start = list(parameters), 0
    total = sum(p.numel() for p in given)
    if vec.shape != (total,):
        raise ShapeError(f"vector_to_parameters: expected a vector of {total} elements, as many as the parameters "
                         f"have; got shape {vec.shape}")
    for p in given:
        value = vec.value[start:start + p.numel()].reshape(p.shape).astype(p.dtype)
        p.data = Tensor(value) if value.ndim else Tensor(value[()])
        start += p.numel()
