"""How axes may be named: one, several, from the back, none for all; NumPy's integers as well as Python's."""

from __future__ import annotations

from math import prod
from operator import index
from typing import Any


def axis_of(dim: Any, ndim: int) -> Any:
    """`dim` as NumPy takes it: an int, a tuple of ints, or None for all axes, which an empty tuple or list means too.

    A scalar has none, but may be asked for axis 0 or -1, as in PyTorch.
    """
    if dim is None or (type(dim) is int and ndim):
        return dim
    if isinstance(dim, bool):
        raise TypeError(f"expected an axis, a tuple of axes or None for dim; got {dim}")
    if isinstance(dim, (tuple, list)):
        dim = tuple([index(d) for d in dim])
        return dim if dim and (ndim or not set(dim) <= {0, -1}) else None
    dim = index(dim)
    return dim if ndim or dim not in (0, -1) else None


def axes_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """The axes that `dim` names, counted from the front."""
    axis = axis_of(dim, ndim)
    return tuple(range(ndim)) if axis is None else (axis % ndim,) if isinstance(axis, int) else \
        tuple([d % ndim for d in axis])


def count(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements a reduction over `dim` puts together."""
    axis = axis_of(dim, len(shape))
    return prod(shape) if axis is None else shape[axis] if isinstance(axis, int) else prod([shape[d] for d in axis])


def axis_in(dim: int, ndim: int, who: str) -> int:
    """`dim` counted from the front; IndexError when there is no such axis."""
    room = ndim or 1
    if not -room <= dim < room:
        raise IndexError(f"{who}: dimension out of range (expected to be in [{-room}, {room - 1}], but got {dim})")
    return dim % room
