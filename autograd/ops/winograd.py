"""Convolution by 3 x 3 kernels with 16 products for four results in place of 36: F(2 x 2, 3 x 3).

    Y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A            for a tile d of 4 x 4 elements and its results Y, 2 x 2

(Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", §4.1).  Elements are added only to others of
their own windows, so that rounding errors are those of the plain sum; but of an infinite element comes NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .portions import in_portions, rows_alone

BLOCK = 1 << 18                               # elements in the tiles that are worked on together
CHANNELS = 32                                 # with fewer, in or out, the additions take longer than the products


def fits(kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], channels: int,
         filters: int) -> bool:
    """Whether this is the quicker way."""
    return kernel == (3, 3) and stride == dilation == (1, 1) and min(channels, filters) >= CHANNELS


def convolve(x: Any, weight: Any, y: Any, bias: Any = None) -> None:
    """y (N, 2 h, 2 v, O) = the convolution of x (N, 2 h + 2, 2 v + 2, C) with weight (O, C, 3, 3), plus bias (O,)."""
    channels, filters = x.shape[-1], y.shape[-1]
    high, wide = y.shape[1] // 2, y.shape[2] // 2
    kernels = _of_kernels(_of_kernels(weight.transpose(2, 3, 1, 0)).swapaxes(0, 1)).swapaxes(0, 1)
    kernels = np.ascontiguousarray(kernels).reshape(16, channels, filters)
    line = 16 * wide * max(channels, filters)
    images = max(1, BLOCK // (line * high))
    lines = high if images > 1 else max(1, BLOCK // line)
    blocks = [(n, row) for n in range(0, len(x), images) for row in range(0, high, lines)]

    def block(at: slice) -> None:
        (n, row), = blocks[at]
        end = min(row + lines, high)
        seen = x[n:n + images, 2 * row:2 * end + 2]
        count, tall = len(seen), end - row
        half = np.empty((4, count, tall, *seen.shape[2:]), x.dtype)
        _of_tiles([seen[:, i:i + 2 * tall - 1:2] for i in range(4)], half)
        tiles = np.empty((4, 4, count, tall, wide, channels), x.dtype)
        _of_tiles([half[:, :, :, i:i + 2 * wide - 1:2] for i in range(4)], tiles.swapaxes(0, 1))
        made = _products(tiles.reshape(16, -1, channels), kernels).reshape(4, 4, count, tall, wide, filters)
        if bias is not None:
            made[1, 1] += bias                # which each of the four results contains once
        for i, part in enumerate(_results(made)):
            for j, values in enumerate(_results(part)):
                y[n:n + images, 2 * row + i:2 * end:2, j::2] = values
    in_portions(block, len(blocks), 1)


def _products(tiles: Any, kernels: Any) -> Any:
    """Each of the 16 matrices times its own, in pieces for which BLAS needs no other thread."""
    _, rows, channels = tiles.shape
    return tiles.reshape(16, -1, rows_alone(rows, *kernels.shape[1:]), channels) @ kernels[:, None]


def _of_kernels(w: Any) -> Any:
    """G w along the first axis: 3 to 4."""
    ends, middle = w[0] + w[2], w[1]
    return np.stack((w[0], (ends + middle) * 0.5, (ends - middle) * 0.5, w[2]))


def _of_tiles(d: list[Any], out: Any) -> None:
    """Bᵀ d."""
    np.subtract(d[0], d[2], out=out[0])
    np.add(d[1], d[2], out=out[1])
    np.subtract(d[2], d[1], out=out[2])
    np.subtract(d[1], d[3], out=out[3])


def _results(m: Any) -> tuple[Any, Any]:
    """Aᵀ m along the first axis: 4 to 2."""
    first, second = m[0] + m[1], m[1] - m[2]
    first += m[2]
    second -= m[3]
    return first, second
