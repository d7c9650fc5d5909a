"""Pooling: the largest, or the mean, of windows that slide over the last axes."""

from __future__ import annotations

from math import inf, prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear, op
from ..tensor import Tensor, wrap
from .composed import array_of, composed
from .elementwise import abs, maximum
from .linear import reshape
from .logic import sign
from .windows import (
    Pairs,
    Sizes,
    channels_first,
    channels_last,
    check_axes,
    exact,
    out_size,
    places,
    reach,
    sizes,
    spans,
)

_POSITION = np.array([[[[0, 3], [2, 1]]]])
_WINDOW: dict[str, Any] = {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
_WIDE: dict[str, Any] = {"kernel": (3,), "stride": (1,), "padding": ((1, 1),), "dilation": (2,)}
_ODD: dict[str, Any] = {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, -1)), "dilation": (1, 1)}


def _blank(shape: Sizes, like: Any, fill: Any = 0, dtype: Any = None) -> Any:
    """A new array in the memory order of `like`: channels last, or C order."""
    dtype = dtype or like.dtype
    last = like.ndim > 2 and not like.flags.c_contiguous and channels_last(like).flags.c_contiguous
    order = np.empty((2,) * len(shape), dtype)
    out = np.empty_like(channels_first(order) if last else order, shape=shape)   # no view: that would be copied later
    out[...] = fill
    return out


def _bordered(x: Any, padding: Pairs, fill: Any = 0) -> Any:
    """x (N, C, L...) with a border; a negative padding cuts away.  Without one, x itself."""
    if not any(p for pair in padding for p in pair):
        return x
    inner = x[(..., *[slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape[2:], padding)])]
    if all(a <= 0 and b <= 0 for a, b in padding):
        return inner
    shape = (*x.shape[:2], *[n + a + b for n, (a, b) in zip(x.shape[2:], padding)])
    out = _blank(shape, x, fill)
    out[(..., *[slice(max(a, 0), m - max(b, 0)) for m, (a, b) in zip(shape[2:], padding)])] = inner
    return out


def _bits(x: Any) -> Any:
    """The same memory as integers: times 0 or 1 they are exact also where floats are inf or NaN, and fast."""
    return x.view(f"i{x.dtype.itemsize}")


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


# -- the largest of each window --------------------------------------------------------------------------


@op(
    x=lambda g, position, x_shape, kernel, stride, padding, dilation:
        place_windows(g, position, size=tuple(x_shape[2:]), kernel=kernel, stride=stride, padding=padding,
                      dilation=dilation),
    name="max_pool", aux={"position": lambda position: position}, category="reduction", shapes="(N, C, L...)",
    cases=[(((2, 2, 4, 4),), _WINDOW), (((2, 2, 6),), _WIDE), (((1, 2, 4, 5),), _ODD)],
)
def max_windows(x: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The largest element of each window; its change goes to the first such element, as in PyTorch.  NaN wins."""
    size = x.shape[2:]
    out = out_size(size, padding, kernel, stride, dilation)
    x = _bordered(x, padding, _lowest(x.dtype))
    best = None
    shape = (*x.shape[:2], *out)
    position = _blank(shape, x, 0, np.uint8 if prod(kernel) < 256 else np.int32)
    if any(a > 0 for a, _ in padding):
        position[...] = _first_inside(kernel, out, stride, padding, dilation)
    with np.errstate(invalid="ignore"):
        for k, at in enumerate(places(kernel)):
            seen = x[(..., *spans(at, out, stride, dilation))]
            if best is None:
                best = _blank(shape, x)
                np.copyto(best, seen)
                continue
            # later positions are larger numbers: no mask needed, and masks are what is slow in NumPy
            np.maximum(position, (seen > best).astype(position.dtype) * position.dtype.type(k), out=position)
            np.maximum(best, seen, out=best)
        if x.dtype.kind == "f" and best is not None and np.isnan(best).any():
            for k, at in enumerate(places(kernel)):
                np.copyto(position, k, where=np.isnan(x[(..., *spans(at, out, stride, dilation))]))
    return best, position


def _first_inside(kernel: Sizes, out: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The first position of each window that is not in the border: where a window of -inf alone has its maximum."""
    position: Any = 0
    for j, (k, n, s, (a, _), e) in enumerate(zip(kernel, out, stride, padding, dilation)):
        first = np.maximum(0, -((np.arange(n) * s - a) // e))
        position = position * k + first.reshape(-1, *(1,) * (len(out) - 1 - j))
    return position


@linear(
    x=lambda g, position, kernel, stride, padding, dilation:
        pick_windows(g, position, kernel=kernel, stride=stride, padding=padding, dilation=dilation),
    category="index", shapes="x and position of one shape (N, C, out...)",
    cases=[(((1, 1, 2, 2), _POSITION), {"size": (4, 4), **_WINDOW}),
           (((1, 1, 2, 2), _POSITION), {"size": (3, 3), **_WINDOW, "stride": (1, 1)})],
)
def place_windows(x: Any, position: Any, *, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs,
                  dilation: Sizes) -> Any:
    """Each x put down at a position of its window, overlaps adding up.  The transpose of `pick_windows`."""
    out = x.shape[2:]
    y = _blank((*x.shape[:2], *[n + a + b for n, (a, b) in zip(size, padding)]), x)
    apart = all(s >= r for s, r in zip(stride, reach(kernel, dilation)))
    bits = _bits(x)
    for k, at in enumerate(places(kernel)):
        place = (..., *spans(at, out, stride, dilation))
        here = position == k
        if apart:
            np.multiply(bits, here, out=_bits(y[place]))
        else:
            y[place] += (bits * here).view(x.dtype)
    return _bordered(y, tuple((-a, -b) for a, b in padding))


@linear(
    x=lambda g, position, x_shape, kernel, stride, padding, dilation:
        place_windows(g, position, size=tuple(x_shape[2:]), kernel=kernel, stride=stride, padding=padding,
                      dilation=dilation),
    category="index", shapes="x (N, C, L...) and position (N, C, out...)",
    cases=[(((1, 1, 4, 4), _POSITION), _WINDOW), (((1, 1, 3, 3), _POSITION), _WINDOW | {"stride": (1, 1)})],
)
def pick_windows(x: Any, position: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """From each window the element at a position.  The transpose of `place_windows`."""
    out = position.shape[2:]
    x = _bordered(x, padding)
    bits, made = _bits(x), _bits(_blank(position.shape, x))
    for k, at in enumerate(places(kernel)):
        made += bits[(..., *spans(at, out, stride, dilation))] * (position == k)
    return made.view(x.dtype)


# -- the sum of each window ------------------------------------------------------------------------------

_SUMS: dict[str, Any] = {"kernel": (2, 3), "stride": (1, 2), "padding": ((1, 0), (0, 1))}


@linear(
    x=lambda g, x_shape, kernel, stride, padding:
        spread_windows(g, size=tuple(x_shape[2:]), kernel=kernel, stride=stride, padding=padding),
    name="window_sum", category="reduction", symbol="Σ", shapes="(N, C, L...)",
    cases=[(((2, 2, 3, 4),), _SUMS), (((2, 2, 7),), {"kernel": (2,), "stride": (3,), "padding": ((0, -2),)})],
)
def sum_windows(x: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs) -> Any:
    """The sum of each window, axis by axis:  y[i] = Σ_k x[i stride + k].  The transpose of `spread_windows`."""
    out = out_size(x.shape[2:], padding, kernel, stride, (1,) * len(kernel))
    x = _bordered(x, padding)
    for axis, (k, n, s) in enumerate(zip(kernel, out, stride), 2):
        lead = (slice(None),) * axis
        total = x[(*lead, slice(0, (n - 1) * s + 1, s))]
        for i in range(1, k):
            more = x[(*lead, slice(i, i + (n - 1) * s + 1, s))]
            total = total + more if i == 1 else np.add(total, more, out=total)
        x = total
    return x


@linear(
    x=lambda g, kernel, stride, padding: sum_windows(g, kernel=kernel, stride=stride, padding=padding),
    name="window_spread", category="reduction", shapes="(N, C, out...)",
    cases=[(((2, 2, 3, 2),), {"size": (3, 4), **_SUMS})],
)
def spread_windows(x: Any, *, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs) -> Any:
    """Each x added to all of its window, axis by axis.  The transpose of `sum_windows`."""
    for axis, (k, s, n, (a, b)) in enumerate(zip(kernel, stride, size, padding), 2):
        lead = (slice(None),) * axis
        whole = _blank((*x.shape[:axis], n + a + b, *x.shape[axis + 1:]), x)
        m = x.shape[axis]
        for i in range(k):
            place = (*lead, slice(i, i + (m - 1) * s + 1, s))
            if k <= s:
                whole[place] = x
            else:
                whole[place] += x
        x = whole
    return _bordered(x, tuple((-a, -b) for a, b in padding))


# -- PyTorch's functions ---------------------------------------------------------------------------------


def _geometry(x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, d: int,
              who: str) -> tuple[Any, Sizes, Sizes, Pairs, Sizes]:
    """A batch, and the windows over it, checked before anything is allocated."""
    check_axes(x, d, who)
    kernel = sizes(kernel_size, d, who, "kernel_size")
    step = kernel if stride is None or stride in ((), []) else sizes(stride, d, who, "stride")
    before, spread = sizes(padding, d, who, "padding", 0), sizes(dilation, d, who, "dilation")
    if any(2 * p > r for p, r in zip(before, reach(kernel, spread))):
        raise ShapeError(f"{who}: pad should be at most half of effective kernel size; got padding {before} and "
                         f"kernel_size {kernel}, dilation {spread}")
    size = tuple(x.shape[-d:])
    out = []
    for n, p, r, s in zip(size, before, reach(kernel, spread), step):
        m = -(-(n + 2 * p - r) // s) + 1 if ceil_mode else (n + 2 * p - r) // s + 1
        out.append(m - 1 if ceil_mode and (m - 1) * s >= n + p else m)   # a last window must not start in the border
    if min(out) < 1 or min(x.shape[-d - 1:]) < 1:
        raise ShapeError(f"{who}: Given input size {tuple(x.shape[-d - 1:])}, the output size {tuple(out)} is too "
                         f"small: kernel_size {kernel} with dilation {spread} and padding {before} does not fit")
    batch = x if x.ndim == d + 2 else reshape(x, shape=(1, *x.shape))
    return batch, kernel, step, exact(size, tuple(out), before, kernel, step, spread), spread


def _max_pool(x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
              return_indices: bool, d: int) -> Any:
    single = x.ndim == d + 1
    batch, kernel, step, pairs, spread = _geometry(x, kernel_size, stride, padding, dilation, ceil_mode, d,
                                                   f"max_pool{d}d")
    y = max_windows(batch, kernel=kernel, stride=step, padding=pairs, dilation=spread)
    if not return_indices:
        return y[0] if single else y
    _, position = max_windows.__wrapped__(array_of(batch), kernel=kernel, stride=step, padding=pairs, dilation=spread)
    index: Any = 0
    at = np.unravel_index(position, kernel)
    for j, (i, n, s, (a, _), e) in enumerate(zip(at, x.shape[-d:], step, pairs, spread)):
        start = (np.arange(i.shape[j + 2]) * s - a).reshape(-1, *(1,) * (d - 1 - j))
        index = index * n + start + i * e
    index = np.ascontiguousarray(index[0] if single else index)
    return (y[0] if single else y), (wrap(index) if isinstance(x, Tensor) else index)


def _avg_pool(x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool,
              divisor_override: Any, d: int) -> Any:
    who = f"avg_pool{d}d"
    if divisor_override == 0:
        raise ValueError(f"{who}: divisor must be not zero; got divisor_override=0")
    batch, kernel, step, pairs, _ = _geometry(x, kernel_size, stride, padding, 1, ceil_mode, d, who)
    y = sum_windows(batch, kernel=kernel, stride=step, padding=pairs)
    divisor: Any = divisor_override
    if divisor is None:
        divisor = np.ones((), y.dtype)
        for n, m, k, s, (a, _) in zip(x.shape[-d:], y.shape[2:], kernel, step, pairs):
            start = np.arange(m) * s - a
            end = np.minimum(start + k, n + a)       # the border counts, what ceil_mode adds behind it does not
            length = end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0)
            divisor = divisor[..., None] * length.astype(y.dtype)
        divisor = divisor.flat[0].item() if (divisor == divisor.flat[0]).all() else divisor
    y = y / divisor
    return y[0] if x.ndim == d + 1 else y


@composed
def max_pool1d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:
    """The largest element of each window of (N, C, L); with `return_indices` also where it lies."""
    return _max_pool(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 1)


@composed
def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:
    """The largest element of each window of (N, C, H, W); with `return_indices` also where it lies in H x W."""
    return _max_pool(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 2)


@composed
def max_pool3d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:
    """The largest element of each window of (N, C, D, H, W); with `return_indices` also where it lies in D x H x W."""
    return _max_pool(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 3)


@composed
def avg_pool1d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True) -> Any:
    """The mean of each window of (N, C, L)."""
    return _avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, None, 1)


@composed
def avg_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: Any = None) -> Any:
    """The mean of each window of (N, C, H, W), or its sum over `divisor_override`."""
    return _avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2)


@composed
def avg_pool3d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: Any = None) -> Any:
    """The mean of each window of (N, C, D, H, W), or its sum over `divisor_override`."""
    return _avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 3)


def _lp_pool(x: Any, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: bool, d: int) -> Any:
    kernel = sizes(kernel_size, d, f"lp_pool{d}d", "kernel_size")
    if norm_type in (inf, -inf):              # the largest, or smallest, absolute value
        most = _max_pool(abs(x) if norm_type > 0 else -abs(x), kernel, stride, 0, 1, ceil_mode, False, d)
        return most if norm_type > 0 else -most
    powers = _avg_pool(x**norm_type, kernel, stride, 0, ceil_mode, True, None, d)
    return (sign(powers) * maximum(abs(powers), 0) * prod(kernel)) ** (1.0 / norm_type)


@composed
def lp_pool1d(x: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The power mean of each window, times its size:  (Σ x^p)^(1/p); max |x| for p = inf, min |x| for -inf."""
    return _lp_pool(x, norm_type, kernel_size, stride, ceil_mode, 1)


@composed
def lp_pool2d(x: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The power mean of each window, times its size:  (Σ x^p)^(1/p); max |x| for p = inf, min |x| for -inf."""
    return _lp_pool(x, norm_type, kernel_size, stride, ceil_mode, 2)


@composed
def lp_pool3d(x: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The power mean of each window, times its size:  (Σ x^p)^(1/p); max |x| for p = inf, min |x| for -inf."""
    return _lp_pool(x, norm_type, kernel_size, stride, ceil_mode, 3)
