"""Images resized, padded by their own content, and their channels laid out anew."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear
from .adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .axes import axis_in
from .composed import array_of, composed, tensor_if
from .linear import cast, getitem, permute, reshape
from .shape import pad as pad_constant

_INDEX = np.array([2, 0, 0, 1])


@linear(x=lambda g, index, x_shape, dim: add_along(g, index, dim=dim, size=x_shape[dim]), category="index",
        shapes="an axis of x and integers within it", cases=[(((2, 3), _INDEX), {"dim": 1}),
                                                             (((3, 2, 2), _INDEX), {"dim": 0})])
def read_along(x: Any, index: Any, *, dim: int) -> Any:
    """Elements of one axis, in any order and any number of times.  The transpose of `add_along`."""
    return np.take(x, index, axis=dim)


@linear(x=lambda g, index, dim: read_along(g, index, dim=dim), category="index",
        shapes="an index as long as the axis of x", cases=[(((2, 4), _INDEX), {"dim": 1, "size": 3})])
def add_along(x: Any, index: Any, *, dim: int, size: int) -> Any:
    """Zeros with x added at `index` of one axis, as sums over the sorted index.  The transpose of `read_along`."""
    y = np.zeros((*x.shape[:dim], size, *x.shape[dim + 1:]), x.dtype)
    if index.size:
        lead = (slice(None),) * dim
        if (index[1:] < index[:-1]).any():
            order = np.argsort(index, kind="stable")
            x, index = np.take(x, order, axis=dim), index[order]
        starts = np.flatnonzero(np.concatenate(([True], index[1:] != index[:-1])))
        y[(*lead, index[starts])] = x if len(starts) == len(index) else np.add.reduceat(x, starts, axis=dim)
    return y


# -- borders ---------------------------------------------------------------------------------------------


@composed
def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """A border: `pad` is (before, after) for the last axis, then for the one before it, ...; negative cuts away.

    `mode`: 'constant' (`value`, 0 by default) for any number of axes; for the last 1, 2 or 3 axes of (N, C, ...),
    (C, ...) or (...) 'reflect' (the mirror stands on the last element), 'replicate' (the last element again),
    'circular' (from the other end; what is cut away does not come round).
    Raises ShapeError for a border wider than what it is made of, and for more cut away than there is.
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ValueError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular'; got {mode!r}")
    pairs = [(int(a), int(b)) for a, b in zip(pad[::2], pad[1::2])]
    if len(pad) % 2 or len(pairs) > x.ndim:
        raise ShapeError(f"pad: expected (before, after) for at most {x.ndim} axes; got {tuple(pad)}")
    for dim, (a, b) in zip(range(x.ndim - 1, -1, -1), pairs):
        if mode == "circular" and x.shape[dim] + min(a, 0) + min(b, 0) < 0:
            raise ShapeError(f"pad: cannot cut ({a}, {b}) from axis {dim} of input {tuple(x.shape)}, which has "
                             f"{x.shape[dim]}")
    if mode == "constant":
        return pad_constant(x, pad, mode, x.dtype.type(0 if value is None else value))
    if value:
        raise ValueError(f"pad: mode {mode!r} takes no value; got value={value!r}")
    if not 0 < len(pairs) <= 3 or x.ndim > len(pairs) + 2:
        raise ShapeError(f"pad: mode {mode!r} pads the last 1, 2 or 3 axes of (N, C, ...), (C, ...) or (...); got "
                         f"{tuple(pad)} for shape {tuple(x.shape)}")
    if mode != "circular" and 0 in x.shape[x.ndim == len(pairs) + 2:]:
        raise ShapeError(f"pad: mode {mode!r} has no elements to make a border of; got shape {tuple(x.shape)}")
    plan = [(x.ndim - 1 - j, _source(x, x.ndim - 1 - j, a, b, mode)) for j, (a, b) in enumerate(pairs) if a or b]
    for dim, index in plan:
        x = read_along(x, index, dim=dim)
    return x


def _source(x: Any, dim: int, a: int, b: int, mode: str) -> Any:
    """Where along one axis each element comes from, border included."""
    n = x.shape[dim]
    kept = n + min(a, 0) + min(b, 0)
    most = {"reflect": n - 1, "circular": kept, "replicate": max(a, b, 0)}[mode]
    if max(a, b, 0) > most:
        raise ShapeError(f"pad: mode {mode!r} can add at most {max(most, 0)} to axis {dim} of input {tuple(x.shape)}; "
                         f"got {a, b}")
    if n + a + b < 1 and mode != "circular":
        raise ShapeError(f"pad: ({a}, {b}) leaves nothing of axis {dim} of input {tuple(x.shape)}")
    at = np.arange(-a, n + b)
    if mode == "replicate":
        return at.clip(0, n - 1)
    if mode == "reflect":
        return n - 1 - np.abs(n - 1 - np.abs(at))
    return max(-a, 0) + (np.arange(len(at)) - max(a, 0)) % max(kept, 1)


@composed
def unfold_axis(x: Any, dimension: int, size: int, step: int = 1) -> Any:
    """Every window of `size` elements along one axis, as a new last axis; what PyTorch calls Tensor.unfold."""
    if not x.ndim and dimension in (0, -1):
        x = reshape(x, shape=(1,))
        return x[:size] if step > 0 and 0 <= size <= 1 else unfold_axis(x, 0, size, step)
    dim = axis_in(dimension, x.ndim, "unfold")
    n = x.shape[dim]
    if size < 0 or step <= 0:
        raise ValueError(f"unfold: size must be >= 0 and step > 0; got size={size}, step={step}")
    if size > n:
        raise ShapeError(f"unfold: maximum size for tensor at dimension {dim} is {n} but size is {size}")
    index = np.arange(0, n - size + 1, step)[:, None] + np.arange(size)
    taken = reshape(read_along(x, index.reshape(-1), dim=dim), shape=(*x.shape[:dim], *index.shape, *x.shape[dim + 1:]))
    return permute(taken, dims=(*range(dim + 1), *range(dim + 2, x.ndim + 1), dim + 1))


# -- another size ----------------------------------------------------------------------------------------

_AXES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
         "trilinear": (3,), "bicubic": (2,)}


@composed
def interpolate(x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
                align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
                antialias: bool = False) -> Any:
    """(N, C, L...) at another size: 'nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area'.

    Give `size` or `scale_factor`.  Centres of pixels are at i + 1/2; with `align_corners` the outermost centres
    fall together.  'bicubic': Keys 1981, "Cubic convolution interpolation", with a = -3/4 (-1/2 with `antialias`).
    """
    d = x.ndim - 2
    if mode not in _AXES:
        raise ValueError(f"interpolate: expected mode one of {', '.join(_AXES)}; got {mode!r}")
    if d not in _AXES[mode]:
        raise ShapeError(f"interpolate: mode {mode!r} expects (N, C, ...) with {' or '.join(map(str, _AXES[mode]))} "
                         f"spatial axes; got shape {tuple(x.shape)}")
    smooth = mode not in ("nearest", "nearest-exact", "area")
    if align_corners is not None and not smooth:
        raise ValueError(f"interpolate: align_corners does nothing in mode {mode!r}; leave it out")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"interpolate: antialias is for modes 'bilinear' and 'bicubic'; got {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate: give either size or scale_factor; got size={size!r}, "
                         f"scale_factor={scale_factor!r}")
    given = size if scale_factor is None else scale_factor
    each = tuple(given) if isinstance(given, (tuple, list)) else (given,) * d
    if len(each) != d:
        raise ShapeError(f"interpolate: expected {'size' if scale_factor is None else 'scale_factor'} to be a number "
                         f"or {d} of them; got {given!r}")
    inner = tuple(x.shape[2:])
    out = tuple(int(m) for m in each) if scale_factor is None else tuple(floor(n * f) for n, f in zip(inner, each))
    if min(*inner, *out, x.shape[1]) < 1:
        raise ShapeError(f"interpolate: Input and output sizes should be greater than 0, but got input {inner}, "
                         f"output {out}")
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[d - 1](x, out)
    if smooth and x.dtype.kind in "iu":       # pixels: weighed as floats, and rounded
        fine = interpolate(cast(x, dtype=np.float32), size, scale_factor, mode, align_corners, recompute_scale_factor,
                           antialias)
        whole, limits = np.floor(array_of(fine) + 0.5), np.iinfo(x.dtype)
        return tensor_if(x, whole.clip(limits.min, limits.max).astype(x.dtype))
    for j, (n, m) in enumerate(zip(inner, out)):
        step = n / m if scale_factor is None or recompute_scale_factor else 1 / each[j]
        x = _resized(x, j + 2, m, step, mode, bool(align_corners), antialias)
    return x


def _resized(x: Any, dim: int, m: int, step: float, mode: str, aligned: bool, antialias: bool) -> Any:
    """One axis at another size: a sum of elements read at a few places, each times a weight."""
    n = x.shape[dim]
    if mode.startswith("nearest"):            # in float32, as PyTorch computes the places
        offset = np.float32(0.5 if mode == "nearest-exact" else 0.0)
        at = np.floor((np.arange(m, dtype=np.float32) + offset) * np.float32(step)).astype(np.int64)
        return read_along(x, np.minimum(at, n - 1), dim=dim)
    if aligned:
        step = (n - 1) / (m - 1) if m > 1 else 0.0
    if n == m and step == 1:
        return x
    if antialias:
        taps = _wide_taps(n, m, step, 4 if mode == "bicubic" else 2)
    else:
        at = np.arange(m) * step if aligned else (np.arange(m) + 0.5) * step - 0.5
        if mode == "bicubic":
            first = np.floor(at)
            taps = [(first + k - 1, w) for k, w in enumerate(cubic(at - first))]
        else:
            at = np.maximum(at, 0)
            first = np.minimum(np.floor(at), n - 1)
            taps = [(first, 1 - (at - first)), (first + 1, at - first)]
    y: Any = None
    for index, weight in taps:
        weight = weight.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - dim))
        part = read_along(x, index.clip(0, n - 1).astype(np.int64), dim=dim) * weight
        y = part if y is None else y + part
    return y


def cubic(t: Any, a: float = -0.75) -> list[Any]:
    """The weights of the four neighbours at -1, 0, 1, 2 of a place t in [0, 1) (Keys 1981, eq. 15)."""
    def near(s: Any) -> Any:
        return ((a + 2) * s - (a + 3)) * s * s + 1

    def far(s: Any) -> Any:
        return ((a * s - 5 * a) * s + 8 * a) * s - 4 * a
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _wide_taps(n: int, m: int, step: float, width: int) -> list[Any]:
    """With antialiasing the filter is as wide as `step` elements, and its weights add up to 1."""
    wide = max(step, 1.0)
    reach = width / 2 * wide
    centre = (np.arange(m) + 0.5) * step
    start = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    stop = np.minimum((centre + reach + 0.5).astype(np.int64), n)
    index = start[:, None] + np.arange(ceil(reach) * 2 + 1)
    t = np.abs((index - centre[:, None] + 0.5) / wide)
    if width == 2:
        weight = np.maximum(1 - t, 0)
    else:
        a = -0.5
        weight = np.where(t < 1, ((a + 2) * t - (a + 3)) * t * t + 1,
                          np.where(t < 2, ((a * t - 5 * a) * t + 8 * a) * t - 4 * a, 0))
    weight = np.where(index < stop[:, None], weight, 0)
    weight /= weight.sum(1, keepdims=True)
    return [(index[:, k], weight[:, k]) for k in range(index.shape[1])]


# -- channels and places ---------------------------------------------------------------------------------


@composed
def upsample_nearest(x: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` with mode 'nearest'."""
    return interpolate(x, size, scale_factor)


@composed
def upsample_bilinear(x: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` with mode 'bilinear' and align_corners."""
    return interpolate(x, size, scale_factor, mode="bilinear", align_corners=True)


@composed
def upsample(x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
             align_corners: bool | None = None) -> Any:
    """`interpolate`, by its older name."""
    return interpolate(x, size, scale_factor, mode, align_corners)


@composed
def pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    """Channels to places:  (..., C r², H, W) -> (..., C, H r, W r)."""
    r = upscale_factor
    if x.ndim < 3:
        raise ShapeError(f"pixel_shuffle: expects at least 3 axes (..., C, H, W); got shape {tuple(x.shape)}")
    if r < 1:
        raise ValueError(f"pixel_shuffle: expects a positive upscale_factor, but got {r}")
    *lead, c, h, w = x.shape
    if c % (r * r):
        raise ShapeError(f"pixel_shuffle: expects the channels to be divisible by the square of upscale_factor; got "
                         f"{c} channels and upscale_factor {r}")
    k = len(lead)
    x = reshape(x, shape=(*lead, c // (r * r), r, r, h, w))
    x = permute(x, dims=(*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return reshape(x, shape=(*lead, c // (r * r), h * r, w * r))


@composed
def pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    """Places to channels, the inverse of `pixel_shuffle`:  (..., C, H r, W r) -> (..., C r², H, W)."""
    r = downscale_factor
    if x.ndim < 3:
        raise ShapeError(f"pixel_unshuffle: expects at least 3 axes (..., C, H, W); got shape {tuple(x.shape)}")
    if r < 1:
        raise ValueError(f"pixel_unshuffle: expects a positive downscale_factor, but got {r}")
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle: expects height and width to be divisible by downscale_factor; got "
                         f"{h} x {w} and downscale_factor {r}")
    k = len(lead)
    x = reshape(x, shape=(*lead, c, h // r, r, w // r, r))
    x = permute(x, dims=(*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return reshape(x, shape=(*lead, c * r * r, h // r, w // r))


@composed
def channel_shuffle(x: Any, groups: int) -> Any:
    """The channels of the groups in turn:  channel j of group i comes to place j groups + i."""
    if x.ndim < 3:
        raise ShapeError(f"channel_shuffle: expects at least 3 axes (N, C, ...); got shape {tuple(x.shape)}")
    if groups < 1 or x.shape[1] % groups:
        raise ShapeError(f"channel_shuffle: expects the channels to be divisible by groups; got {x.shape[1]} channels "
                         f"and groups={groups}")
    index = np.arange(x.shape[1]).reshape(groups, -1).T.reshape(-1)
    return getitem(x, index=(slice(None), index)) if groups > 1 else x
