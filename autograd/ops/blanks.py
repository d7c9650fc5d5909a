"""Tensors made from a number, or with a memory layout of their own; and tensors given another size in place."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..errors import GradientError, ShapeError
from ..promotion import get_default_dtype
from ..tensor import wrap
from .composed import array_of, sizes_of


def _finished(value: Any, requires_grad: bool) -> Any:
    made = wrap(value[()] if value.ndim == 0 else value)
    return made.requires_grad_() if requires_grad else made


def scalar_tensor(s: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A number as a 0-d tensor of the default dtype."""
    return _finished(np.asarray(s).astype(dtype or get_default_dtype()), requires_grad)


def empty_strided(size: Any, stride: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Room for a shape, its elements at the given distances in memory (counted in elements), values not set."""
    size, stride = sizes_of((size,)), sizes_of((stride,))
    if len(size) != len(stride) or min((*size, *stride), default=0) < 0:
        raise ShapeError(f"empty_strided: expected a stride of at least 0 for each entry of size; got size {size} and "
                         f"stride {stride}")
    kind = np.dtype(dtype or get_default_dtype())
    room = np.zeros(1 + sum((n - 1) * s for n, s in zip(size, stride) if n), kind)
    return _finished(np.lib.stride_tricks.as_strided(room, size, [s * kind.itemsize for s in stride]), requires_grad)


def new_empty_strided(x: Any, size: Any, stride: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """As `empty_strided`, in the dtype of x."""
    return empty_strided(size, stride, dtype=dtype or array_of(x).dtype, requires_grad=requires_grad)


def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Room for a shape whose axes lie in memory in the given order, the first the outermost, values not set."""
    size, layout = sizes_of((size,)), sizes_of((physical_layout,))
    if sorted(layout) != list(range(len(size))):
        raise ShapeError(f"empty_permuted: expected physical_layout to name each of {len(size)} axes once; got "
                         f"{layout}")
    made = np.empty([size[d] for d in layout], dtype or get_default_dtype())
    return _finished(made.transpose(np.argsort(layout)) if size else made, requires_grad)


def geomspace(start: float, end: float, steps: int = 50, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """`steps` numbers at equal ratios from start to end, both included."""
    return _finished(np.geomspace(start, end, steps).astype(dtype or get_default_dtype()), requires_grad)


def resize_(tensor: Any, *sizes: Any) -> Any:
    """Another shape in place: the elements in C order as far as they go, values behind them not set."""
    shape = sizes_of(sizes)
    if tensor.requires_grad:
        raise GradientError("resize_: a tensor that requires a gradient cannot be resized; use reshape")
    flat, count = np.asarray(tensor.value).reshape(-1), prod(shape)
    value = flat if flat.size == count else np.empty(count, flat.dtype)
    value[:flat.size] = flat[:count]
    tensor.value = value.reshape(shape) if shape else value[0]
    return tensor


def resize_as_(tensor: Any, other: Any) -> Any:
    """As `resize_`, to the shape of another tensor."""
    return resize_(tensor, tuple(other.shape))
