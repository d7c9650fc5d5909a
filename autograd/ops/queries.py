"""Questions about tensors, shapes and dtypes: answers without a history."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..promotion import result_dtype
from ..tensor import Tensor
from .composed import array_of, composed, sizes_of, tensor_if

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that shapes broadcast to; an int counts as a shape of one axis.  ShapeError if there is none."""
    made = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    if any(n < 0 for s in made for n in s):
        raise ShapeError(f"broadcast_shapes: expected sizes of at least 0; got {made}")
    try:
        return np.broadcast_shapes(*made)
    except ValueError as error:
        raise ShapeError(f"broadcast_shapes: expected equal sizes, or 1, axis by axis from the last; got {made}") \
            from error


@composed
def unravel_index(x: Any, shape: Any) -> tuple[Any, ...]:
    """The position along each axis of elements numbered in C order: one tensor of integers for each axis of `shape`."""
    index, shape = array_of(x), sizes_of((shape,))
    if index.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: expected indices of integers; got {index.dtype}")
    if index.size and (index.min() < 0 or index.max() >= prod(shape)):
        raise ValueError(f"unravel_index: expected indices within 0..{prod(shape) - 1} for shape {shape}; got "
                         f"{int(index.min())} to {int(index.max())}")
    return tuple([tensor_if(x, np.asarray(p)) for p in np.unravel_index(index, shape)])


def ravel_multi_index(indices: Any, shape: Any) -> Any:
    """The number in C order of the element at a position along each axis: the inverse of `unravel_index`."""
    parts = [array_of(p) for p in indices]
    return tensor_if(list(indices), np.asarray(np.ravel_multi_index(parts, sizes_of((shape,)))))


def is_tensor(x: Any) -> bool:
    """Whether x is a Tensor."""
    return isinstance(x, Tensor)


def is_complex(x: Any) -> bool:
    """Whether the elements are complex numbers."""
    return array_of(x).dtype.kind == "c"


def is_floating_point(x: Any) -> bool:
    """Whether the elements are real floating-point numbers."""
    return array_of(x).dtype.kind == "f"


def is_signed(x: Any) -> bool:
    """Whether the dtype of x holds numbers below 0."""
    return array_of(x).dtype.kind in "ifc"


def is_nonzero(x: Any) -> bool:
    """Whether the one element of x is not 0; ValueError unless there is exactly one."""
    value = array_of(x)
    if value.size != 1:
        raise ValueError(f"is_nonzero: the truth value of a tensor of shape {value.shape} is ambiguous; use any() or "
                         "all()")
    return bool(value.reshape(-1)[0])


def is_same_size(x: Any, y: Any) -> bool:
    """Whether two tensors have one shape."""
    return tuple(x.shape) == tuple(y.shape)


def numel(x: Any) -> int:
    """The number of elements."""
    return int(array_of(x).size)


def promote_types(type1: Any, type2: Any) -> Any:
    """The smallest dtype that two dtypes meet in, by PyTorch's rules."""
    return result_dtype([np.zeros(1, type1), np.zeros(1, type2)])


def result_type(x: Any, y: Any) -> Any:
    """The dtype of what is computed from two operands: tensors, arrays or Python numbers."""
    return result_dtype([v.value if isinstance(v, Tensor) else v for v in (x, y)])


def can_cast(from_: Any, to: Any) -> bool:
    """Whether PyTorch's rules of results let one dtype be stored in another: no kind (float, integer, bool) is lost."""
    return _RANK[np.dtype(from_).kind] <= _RANK[np.dtype(to).kind]
