"""Elements picked by strides, as `torch.as_strided` does: positions in the C-ordered elements of x.

PyTorch counts in the memory behind x, which here is never visible: x counts as contiguous.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from . import linear as li
from .composed import composed
from .scattering import written


def _positions(who: str, x: Any, size: Any, stride: Any, storage_offset: Any) -> Any:
    size, stride, start = tuple(size), tuple(stride), int(storage_offset or 0)
    if len(size) != len(stride):
        raise ShapeError(f"{who}: expected a stride for each entry of size {size}; got {stride}")
    if min((*size, *stride, start), default=0) < 0:
        raise ValueError(f"{who}: expected nothing below 0; got size {size}, stride {stride}, storage_offset {start}")
    found = np.full((1,) * len(size), start)
    for axis, (n, s) in enumerate(zip(size, stride)):
        found = found + (np.arange(n) * s).reshape((-1,) + (1,) * (len(size) - 1 - axis))
    count = int(np.prod(x.shape))
    if found.size and int(found.max()) >= count:
        raise ShapeError(f"{who}: size {size}, stride {stride} and storage_offset {start} reach element "
                         f"{int(found.max())}; x of shape {tuple(x.shape)} has {count}")
    return found


@composed
def as_strided(x: Any, size: Any, stride: Any, storage_offset: Any = None) -> Any:
    """Elements at regular distances:  y[i, j, ...] = x.ravel()[offset + i stride[0] + j stride[1] + ...].

    An element may appear many times; its gradients add up.
    """
    found = _positions("as_strided", x, size, stride, storage_offset)
    return li.getitem(li.reshape(x, shape=-1), index=found)


as_strided_copy = as_strided                  # the result has memory of its own


@composed
def as_strided_scatter(x: Any, src: Any, size: Any, stride: Any, storage_offset: Any = None) -> Any:
    """x with src written where `as_strided` would read."""
    found = _positions("as_strided_scatter", x, size, stride, storage_offset)
    if tuple(src.shape) != found.shape:
        raise ShapeError(f"as_strided_scatter: expected src of shape {found.shape}; got {tuple(src.shape)}")
    return written(x, found, li.fit(src, x.dtype))
