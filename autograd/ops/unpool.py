"""The way back from max pooling: each element put down where its window had it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import op
from .composed import array_of, composed
from .linear import gather, reshape
from .windows import check_axes, sizes


@op(x=lambda g, index: gather(g, 1, index), category="index", shapes="x and index (rows, n), integers below size",
    cases=[(((2, 3), np.array([[4, 0, 1], [2, 3, 0]])), {"size": 5})])
def place_rows(x: Any, index: Any, *, size: int) -> Any:
    """Zeros (rows, size) with each row of x at its places.  Of several at one place the last stays.

    Windows that overlap may bring one element several times; as in PyTorch, each of them gets its whole change.
    """
    y = np.zeros((x.shape[0], size), x.dtype)
    y[np.arange(x.shape[0])[:, None], index] = x
    return y


def _unpool(x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any, d: int) -> Any:
    who = f"max_unpool{d}d"
    check_axes(x, d, who)
    index = array_of(indices)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{who}: expected integer indices, as max_pool{d}d returns them; got {index.dtype}")
    if index.shape != tuple(x.shape):
        raise ShapeError(f"{who}: expected indices of the shape of x; got {index.shape} and {tuple(x.shape)}")
    kernel = sizes(kernel_size, d, who, "kernel_size")
    step = kernel if stride is None or stride in ((), []) else sizes(stride, d, who, "stride")
    before = sizes(padding, d, who, "padding", 0)
    least = tuple((n - 1) * s + k - 2 * p for n, s, k, p in zip(x.shape[-d:], step, kernel, before))
    if output_size is None:
        size = least
    else:
        size = sizes(tuple(output_size)[-d:], d, who, "output_size")
        if len(tuple(output_size)) not in (d, d + 1, d + 2) or any(
                not n - s < m < n + s for m, n, s in zip(size, least, step)):
            raise ShapeError(f"{who}: expected output_size within a stride of {least}; got {tuple(output_size)}")
    if min(size, default=1) < 1:
        raise ShapeError(f"{who}: the output size {size} is too small")
    if index.size and not 0 <= index.min() <= index.max() < prod(size):
        raise IndexError(f"{who}: indices must be in 0..{prod(size) - 1} for output size {size}; got "
                         f"{int(index.min())} to {int(index.max())}")
    lead = tuple(x.shape[:-d])
    rows, columns = prod(lead), prod(x.shape[-d:])
    flat = np.ascontiguousarray(index).reshape(rows, columns)
    made = place_rows(reshape(x, shape=(rows, columns)), flat, size=prod(size))
    return reshape(made, shape=(*lead, *size))


@composed
def max_unpool1d(x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 output_size: Any = None) -> Any:
    """Zeros with each element of (N, C, L) where `max_pool1d` had found it."""
    return _unpool(x, indices, kernel_size, stride, padding, output_size, 1)


@composed
def max_unpool2d(x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 output_size: Any = None) -> Any:
    """Zeros with each element of (N, C, H, W) where `max_pool2d` had found it."""
    return _unpool(x, indices, kernel_size, stride, padding, output_size, 2)


@composed
def max_unpool3d(x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 output_size: Any = None) -> Any:
    """Zeros with each element of (N, C, D, H, W) where `max_pool3d` had found it."""
    return _unpool(x, indices, kernel_size, stride, padding, output_size, 3)
