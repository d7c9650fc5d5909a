"""Fractional max pooling: windows of one size at random, almost even distances.

Source: Graham 2014, "Fractional max-pooling" (pseudorandom intervals, section 2).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..creation import default_rng
from ..errors import ShapeError
from .composed import array_of, composed, tensor_if
from .linear import gather, reshape
from .windows import check_axes, sizes


def _starts(sample: Any, size: int, out: int, kernel: int) -> Any:
    """Where the windows of one axis begin, for each sample in [0, 1):  (...) -> (..., out); the last is at the end."""
    step = sample.dtype.type((size - kernel) / (out - 1) if out > 1 else 0)
    at = (np.arange(out, dtype=sample.dtype) + sample[..., None]) * step
    found = at.astype(np.int64) - (sample * step).astype(np.int64)[..., None]
    found[..., -1] = size - kernel
    return found


def _pool(x: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool, random_samples: Any,
          d: int) -> Any:
    who = f"fractional_max_pool{d}d"
    check_axes(x, d, who)
    size, kernel = tuple(x.shape[-d:]), sizes(kernel_size, d, who, "kernel_size")
    if output_size is None:
        if output_ratio is None:
            raise ValueError(f"{who}: requires specifying either an output_size or an output_ratio; got neither")
        ratio = tuple(output_ratio) if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * d
        if len(ratio) != d or not all(0 < r < 1 for r in ratio):
            raise ValueError(f"{who}: expected output_ratio between 0 and 1 for each of {d} axes; got {output_ratio}")
        output_size = tuple(int(n * r) for n, r in zip(size, ratio))
    out = sizes(output_size, d, who, "output_size")
    if any(m + k - 1 > n for n, m, k in zip(size, out, kernel)) or 0 in x.shape[-d - 1:]:
        raise ShapeError(f"{who}: windows {kernel} of output_size {out} do not fit into {tuple(x.shape[-d - 1:])}")
    batch = x if x.ndim == d + 2 else reshape(x, shape=(1, *x.shape))
    n, c = batch.shape[:2]
    if random_samples is None:
        sample = np.asarray(default_rng().random((n, c, d))).astype(batch.dtype)
    else:
        sample = array_of(random_samples)
        if sample.shape != (n, c, d):
            raise ShapeError(f"{who}: expected _random_samples {(n, c, d)}; got {sample.shape}")
    position: Any = np.zeros((n, c) + (1,) * (2 * d), np.int64)
    for axis in range(d):
        start = _starts(sample[..., d - 1 - axis if d == 2 else axis], size[axis], out[axis], kernel[axis])
        place = (start[..., None] + np.arange(kernel[axis])).reshape(
            n, c, *[out[axis] if a == axis else 1 for a in range(d)], *[kernel[axis] if a == axis else 1
                                                                          for a in range(d)])
        position = position * size[axis] + place
    position = position.reshape(n, c, prod(out), prod(kernel))
    flat = reshape(batch, shape=(n, c, prod(size)))
    seen = np.take_along_axis(array_of(flat), position.reshape(n, c, -1), 2).reshape(position.shape)
    best = np.argmax(seen, axis=-1)                       # NaN wins; of equals the first
    index = np.take_along_axis(position, best[..., None], 3)[..., 0]
    shape = (*x.shape[:-d], *out)
    made = reshape(gather(flat, 2, index), shape=shape)
    return (made, tensor_if(x, index.reshape(shape))) if return_indices else made


@composed
def fractional_max_pool2d(x: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
                          return_indices: bool = False, _random_samples: Any = None) -> Any:
    """The largest element of windows at random distances:  (N, C, H, W) -> (N, C, *output_size).

    Of output_size or output_ratio (of H and W) one is given.  _random_samples (N, C, 2) in [0, 1) stand for the draw.
    """
    return _pool(x, kernel_size, output_size, output_ratio, return_indices, _random_samples, 2)


@composed
def fractional_max_pool3d(x: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
                          return_indices: bool = False, _random_samples: Any = None) -> Any:
    """The largest element of windows at random distances:  (N, C, D, H, W) -> (N, C, *output_size)."""
    return _pool(x, kernel_size, output_size, output_ratio, return_indices, _random_samples, 3)
