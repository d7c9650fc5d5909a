"""Images read at the places of a grid: what spatial transformers are made of (Jaderberg et al. 2015, §3)."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from .composed import array_of, composed
from .elementwise import where
from .image import cubic
from .linear import gather, reshape


@composed
def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The places of an affine map:  theta (N, 2, 3), size (N, C, H, W) -> (N, H, W, 2); or (N, 3, 4) in 3-D.

    The first coordinate of a place is x, along the last axis; -1 and 1 are the borders of the image, or with
    `align_corners` the centres of its outermost pixels.
    """
    size = tuple(int(n) for n in size)
    d = len(size) - 2
    if d not in (2, 3) or min(size) < 1:
        raise ShapeError(f"affine_grid: expected a size (N, C, H, W) or (N, C, D, H, W) of positive ints; got {size}")
    if tuple(theta.shape) != (size[0], d, d + 1):
        raise ShapeError(f"affine_grid: Expected a batch of {d}D affine matrices of shape {(size[0], d, d + 1)} for "
                         f"size {size}. Got {tuple(theta.shape)}.")
    axes = []
    for n in reversed(size[2:]):
        axis = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        axes.append(axis if align_corners else axis * (n - 1) / n)
    places = np.ones((*size[2:], d + 1))
    for j, axis in enumerate(axes):
        places[..., j] = axis.reshape(-1, *(1,) * j)
    made = places.reshape(-1, d + 1).astype(theta.dtype) @ theta.mT
    return reshape(made, shape=(size[0], *size[2:], d))


@composed
def grid_sample(x: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None) -> Any:
    """x (N, C, H, W) at the places of grid (N, H', W', 2) -> (N, C, H', W'); in 3-D (N, D', H', W', 3).

    `mode` 'bilinear', 'nearest', 'bicubic'; outside, `padding_mode` 'zeros', 'border', 'reflection'.
    A place that is not a number is outside, or with a border at 0.
    """
    d = x.ndim - 2
    if d not in (2, 3) or grid.ndim != x.ndim or grid.shape[-1] != d or grid.shape[0] != x.shape[0]:
        raise ShapeError(f"grid_sample: expected x (N, C, H, W) and grid (N, H', W', 2), or (N, C, D, H, W) and "
                         f"(N, D', H', W', 3); got {tuple(x.shape)} and {tuple(grid.shape)}")
    if mode not in ("bilinear", "nearest", "bicubic") or (mode == "bicubic" and d != 2):
        raise ValueError(f"grid_sample: expected mode 'bilinear', 'nearest' or, for 4D input, 'bicubic'; got {mode!r}")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"grid_sample: expected padding_mode 'zeros', 'border' or 'reflection'; got {padding_mode!r}")
    if min(x.shape[2:]) < 1:
        raise ShapeError(f"grid_sample: expected an image without empty axes; got shape {tuple(x.shape)}")
    n, c = x.shape[:2]
    size, out = tuple(x.shape[2:]), tuple(grid.shape[1:-1])
    flat = reshape(x, shape=(n, c, prod(size)))
    taps = []                                 # for each axis the neighbours and their weights
    for j, m in enumerate(size):
        at = reshape(grid[..., d - 1 - j], shape=(n, 1, prod(out)))
        at = (at + 1) * ((m - 1) / 2) if align_corners else ((at + 1) * m - 1) / 2
        if mode != "bicubic":
            at = _inside(at, m, padding_mode, bool(align_corners))
        taps.append(_neighbours(at, m, mode, padding_mode, bool(align_corners)))
    y: Any = None
    for corner in product(*taps):
        index, inside, weight = 0, True, None
        for m, (place, w) in zip(size, corner):
            inside = inside & (place >= 0) & (place < m)
            index = index * m + place.clip(0, m - 1).astype(np.int64)
            weight = w if weight is None else weight * w
        value = gather(flat, 2, np.broadcast_to(index, (n, c, prod(out))))
        part = where(inside, value * weight, 0)
        y = part if y is None else y + part
    return reshape(y, shape=(n, c, *out))


def _neighbours(at: Any, m: int, mode: str, padding_mode: str, aligned: bool) -> list[Any]:
    """(place, weight) of the elements of one axis that a place reads; the places are arrays."""
    value = array_of(at)
    value = np.where(np.isfinite(value), value, -100.0)
    if mode == "nearest":
        return [(np.rint(value), at * 0 + 1 if np.isfinite(array_of(at)).all() else 1.0)]
    first = np.floor(value)
    t = where(np.isfinite(array_of(at)), at, -100.0) - first.astype(value.dtype)
    if mode == "bilinear":
        return [(first, 1 - t), (first + 1, t)]
    return [(array_of(_inside(first + k - 1, m, padding_mode, aligned)), w) for k, w in enumerate(cubic(t))]


def _inside(at: Any, m: int, padding_mode: str, aligned: bool) -> Any:
    """Places of one axis brought into the image, as `padding_mode` says; on its edge they have no derivative."""
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, m - 1.0) if aligned else (-0.5, float(m))
        if span == 0:
            return at * 0
        value = array_of(at)
        with np.errstate(all="ignore"):
            left = value < low
            turns = np.floor(np.abs(value - low) / span)
            odd = turns % 2 == 1
        far = where(left, low - at, at - low) - turns * span
        at = where(odd, span - far, far) + low
    value = array_of(at)
    return where((value > 0) & (value < m - 1), at, np.clip(np.nan_to_num(value, nan=0.0), 0, m - 1))


_MODES, _BORDERS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


@composed
def grid_sampler_2d(x: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """`grid_sample` of images, its modes by number."""
    return grid_sample(x, grid, _MODES[interpolation_mode], _BORDERS[padding_mode], align_corners)


@composed
def grid_sampler_3d(x: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """`grid_sample` of volumes, its modes by number."""
    return grid_sample(x, grid, _MODES[interpolation_mode], _BORDERS[padding_mode], align_corners)
