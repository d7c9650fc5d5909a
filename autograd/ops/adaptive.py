"""Pooling to a given size: windows that cover an axis evenly, from ⌊i L / m⌋ to ⌈(i + 1) L / m⌉."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor, wrap
from .composed import array_of, composed
from .elementwise import where
from .linear import reshape, sum
from .reduce import mean
from .windows import Sizes, check_axes, sizes


def _shares(n: int, m: int) -> tuple[Any, Any]:
    """`n` elements shared out among `m` windows: an index (m, longest), and where it is real and not a repeat."""
    start, end = np.arange(m) * n // max(m, 1), -(-(np.arange(1, m + 1) * n) // max(m, 1))
    steps = np.arange(int((end - start).max(initial=1)))
    index = start[:, None] + steps
    return np.minimum(index, end[:, None] - 1), index < end[:, None]


def _adaptive_size(x: Any, output_size: Any, d: int, who: str) -> Sizes:
    check_axes(x, d, who)
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * d
    out = sizes(tuple(n if m is None else m for m, n in zip(given, x.shape[-d:])) if len(given) == d else given,
                d, who, "output_size", 0)
    if min(x.shape[-d - 1:]) < 1:
        raise ShapeError(f"{who}: expected input with no empty axis but the batch; got shape {tuple(x.shape)}")
    return out


def _adaptive_avg(x: Any, output_size: Any, d: int) -> Any:
    out = _adaptive_size(x, output_size, d, f"adaptive_avg_pool{d}d")
    if set(out) == {1}:
        return mean(x, dim=tuple(range(-d, 0)), keepdim=True)
    for axis, m in enumerate(out, x.ndim - d):
        n = x.shape[axis]
        if m == n:
            continue
        tail = (1,) * (x.ndim - axis - 1)
        index, real = _shares(n, m)
        if m and n % m == 0:
            x = mean(reshape(x, shape=(*x.shape[:axis], m, n // m, *x.shape[axis + 1:])), dim=axis + 1)
        else:
            taken = where(real.reshape(*real.shape, *tail), x[(slice(None),) * axis + (index,)], 0)
            x = sum(taken, dim=axis + 1) / real.sum(1).astype(x.dtype).reshape(-1, *tail)
    return x


def _adaptive_max(x: Any, output_size: Any, return_indices: bool, d: int) -> Any:
    out = _adaptive_size(x, output_size, d, f"adaptive_max_pool{d}d")
    size = tuple(x.shape[-d:])
    grids = [_shares(n, m)[0] for n, m in zip(size, out)]     # repeats of a window's last element change no maximum
    flat: Any = 0
    for j, (grid, n) in enumerate(zip(grids, size)):
        shape = [1] * (2 * d)
        shape[j], shape[d + j] = grid.shape
        flat = flat * n + grid.reshape(shape)
    flat = flat.reshape(*out, -1)
    lead = tuple(x.shape[:-d])
    value = array_of(x).reshape(*lead, prod(size))[..., flat]
    lost = np.isnan(value)[..., ::-1]         # of several NaN the last, as max_pool has it
    best = np.where(lost.any(-1), value.shape[-1] - 1 - lost.argmax(-1), value.argmax(-1))
    index = np.take_along_axis(np.broadcast_to(flat, value.shape), best[..., None], -1)[..., 0]
    batch = np.arange(prod(lead)).reshape(*lead, *(1,) * d)
    y = reshape(x, shape=(prod(lead), prod(size)))[batch, index]
    return (y, wrap(index) if isinstance(x, Tensor) else index) if return_indices else y


@composed
def adaptive_avg_pool1d(x: Any, output_size: Any) -> Any:
    """The means of `output_size` windows that cover (N, C, L) evenly:  from ⌊i L / m⌋ to ⌈(i + 1) L / m⌉."""
    return _adaptive_avg(x, output_size, 1)


@composed
def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """The means of windows that cover (N, C, H, W) evenly; None keeps an axis.  1 is the global mean."""
    return _adaptive_avg(x, output_size, 2)


@composed
def adaptive_avg_pool3d(x: Any, output_size: Any) -> Any:
    """The means of windows that cover (N, C, D, H, W) evenly; None keeps an axis."""
    return _adaptive_avg(x, output_size, 3)


@composed
def adaptive_max_pool1d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, L) evenly, and with `return_indices` where they lie."""
    return _adaptive_max(x, output_size, return_indices, 1)


@composed
def adaptive_max_pool2d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, H, W) evenly, and with `return_indices` where they lie."""
    return _adaptive_max(x, output_size, return_indices, 2)


@composed
def adaptive_max_pool3d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, D, H, W) evenly, and with `return_indices` where they lie."""
    return _adaptive_max(x, output_size, return_indices, 3)
