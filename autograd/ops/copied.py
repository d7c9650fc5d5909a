"""More of PyTorch's names for views in memory of their own."""

from __future__ import annotations

from typing import Any

from . import linear as li
from .arrange import select
from .axes import axis_in
from .complex_parts import view_as_complex, view_as_real
from .composed import array_of, composed, tensor_if
from .shape import split


@composed
def view_as_real_copy(x: Any) -> Any:
    """As `view_as_real`, in memory of its own."""
    return li.clone(view_as_real(x))


@composed
def view_as_complex_copy(x: Any) -> Any:
    """As `view_as_complex`, in memory of its own."""
    return li.clone(view_as_complex(x))


@composed
def select_copy(x: Any, dim: int, index: int) -> Any:
    """As `select`, in memory of its own."""
    return li.clone(select(x, dim, index))


@composed
def slice_copy(x: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    """Every `step`-th slice along `dim` from start to before end, in memory of its own."""
    if step < 1:
        raise ValueError(f"slice_copy: expected a step above 0; got {step}")
    at = axis_in(dim, x.ndim, "slice_copy")
    return li.clone(li.getitem(x, index=(slice(None),) * at + (slice(start, end, step),)))


@composed
def split_copy(x: Any, split_size: Any, dim: int = 0) -> tuple[Any, ...]:
    """As `split`, each piece in memory of its own."""
    return tuple([li.clone(piece) for piece in split(x, split_size, dim)])


@composed
def detach_copy(x: Any) -> Any:
    """The values without the history, in memory of their own."""
    return tensor_if(x, array_of(x).copy())
