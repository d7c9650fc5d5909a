"""Windows that slide over the last axes of a batch: their sizes, checked, and views of them; and unfold and fold.

Kernels work on *channels-last* memory (N, L_1, ..., L_d, C): one window row is then one run of memory, and a product
with a matrix of weights touches nothing twice.  Shapes stay PyTorch's (N, C, L_1, ..., L_d): only the strides differ.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear
from .composed import composed

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def sizes(value: Any, d: int, who: str, what: str, least: int = 1) -> Sizes:
    """An int, or one for each of `d` axes, as a tuple of `d` ints of at least `least`."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * d
    if len(given) == 1:
        given *= d
    if any(isinstance(v, (bool, float)) or not hasattr(v, "__index__") for v in given):
        raise TypeError(f"{who}: expected {what} to be an int or a tuple of {d} ints; got {value!r}")
    made = tuple(int(v) for v in given)
    if len(made) != d:
        raise ShapeError(f"{who}: expected {what} to be an int or a tuple of {d} ints; got {value!r}")
    if any(v < least for v in made):
        text = "non-positive" if least == 1 else "negative"
        raise ValueError(f"{who}: {text} {what} is not supported: expected at least {least}; got {value!r}")
    return made


def check_axes(x: Any, d: int, who: str, channels: bool = True) -> None:
    """ShapeError unless x is (N, C, L_1, ..., L_d) or, unbatched, (C, L_1, ..., L_d)."""
    if x.ndim not in (d + 1, d + 2):
        raise ShapeError(f"{who}: expected {d + 1}D (unbatched) or {d + 2}D (batched) input; got shape "
                         f"{tuple(x.shape)}: {d} spatial axes stand behind the channels (N, C, ...)")


def places(kernel: Sizes) -> Any:
    """The positions in a window, the last axis fastest."""
    return product(*[range(k) for k in kernel])


def spans(at: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> tuple[slice, ...]:
    """Where position `at` of all the windows lies, along each spatial axis."""
    return tuple(slice(i * e, i * e + (n - 1) * s + 1 if n else i * e, s)
                 for i, n, s, e in zip(at, out, stride, dilation))


def reach(kernel: Sizes, dilation: Sizes) -> Sizes:
    """How many elements a window spans along each axis."""
    return tuple(e * (k - 1) + 1 for k, e in zip(kernel, dilation))


def channels_last(x: Any) -> Any:
    """(N, C, L...) as (N, L..., C), a view."""
    return x.transpose(0, *range(2, x.ndim), 1)


def channels_first(x: Any) -> Any:
    """(N, L..., C) as (N, C, L...), a view."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


def padded(x: Any, padding: Pairs, fill: Any = 0, first: int = 1) -> Any:
    """x in C order with `fill` around its axes from `first` on; a negative padding cuts away."""
    if not any(p for pair in padding for p in pair):
        return np.ascontiguousarray(x)
    inner = x.shape[first:first + len(padding)]
    shape = (*x.shape[:first], *[n + a + b for n, (a, b) in zip(inner, padding)], *x.shape[first + len(padding):])
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(inner, padding))
    if all(a <= 0 and b <= 0 for a, b in padding):
        return np.ascontiguousarray(x[(slice(None),) * first + cut])
    out = np.zeros(shape, x.dtype) if fill == 0 else np.full(shape, fill, x.dtype)
    place = tuple(slice(max(a, 0), m - max(b, 0)) for m, (a, b) in zip(shape[first:], padding))
    out[(slice(None),) * first + place] = x[(slice(None),) * first + cut]
    return out


def windows(x: Any, kernel: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """All windows of x (N, L..., C):  (N, out..., kernel..., C), a view that is only to be read."""
    d, s = len(kernel), x.strides
    steps = [t * k for t, k in zip(s[1:d + 1], stride)]
    inner = [t * k for t, k in zip(s[1:d + 1], dilation)]
    return np.lib.stride_tricks.as_strided(
        x, (x.shape[0], *out, *kernel, *x.shape[d + 1:]), (s[0], *steps, *inner, *s[d + 1:]), writeable=False)


def out_size(size: Sizes, padding: Pairs, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many windows fit:  ⌊(L + padding - reach) / stride⌋ + 1."""
    return tuple((n + a + b - r) // s + 1
                 for n, (a, b), r, s in zip(size, padding, reach(kernel, dilation), stride))


def exact(size: Sizes, out: Sizes, before: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pairs:
    """The padding with which `out` windows fit without a rest; what no window reaches is cut away."""
    return tuple((p, (m - 1) * s + r - n - p)
                 for n, m, p, r, s in zip(size, out, before, reach(kernel, dilation), stride))


# -- unfold and fold -------------------------------------------------------------------------------------

_SLIDE: dict[str, Any] = {"kernel": (2, 2), "stride": (1, 2), "padding": ((1, 0), (0, 1)), "dilation": (1, 1)}


@linear(x=lambda g, x_shape, kernel, stride, padding, dilation:
        fold_windows(g, size=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation),
        name="unfold", category="shape", shapes="(N, C, L...)", cases=[(((2, 2, 3, 4),), _SLIDE)])
def unfold_windows(x: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """Every window as a column (im2col):  (N, C, L...) -> (N, C Π kernel, Π out).  The transpose of `fold`."""
    out = out_size(x.shape[2:], padding, kernel, stride, dilation)
    seen = windows(padded(channels_last(x), padding), kernel, out, stride, dilation)
    d = len(kernel)
    order = (0, 2 * d + 1, *range(d + 1, 2 * d + 1), *range(1, d + 1))
    return seen.transpose(order).reshape(x.shape[0], x.shape[1] * prod(kernel), prod(out))


@linear(x=lambda g, kernel, stride, padding, dilation:
        unfold_windows(g, kernel=kernel, stride=stride, padding=padding, dilation=dilation),
        name="fold", category="shape", shapes="(N, C Π kernel, Π out)",
        cases=[(((2, 8, 6),), {"size": (3, 4), **_SLIDE, "stride": (1, 2), "padding": ((0, 0), (1, 1))})])
def fold_windows(x: Any, *, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """Columns added up where they came from (col2im):  (N, C Π kernel, Π out) -> (N, C, *size)."""
    out = out_size(size, padding, kernel, stride, dilation)
    c, k = x.shape[1] // prod(kernel), prod(kernel)
    column = x.reshape(x.shape[0], c, k, *out)
    whole: Any = np.zeros((x.shape[0], c, *[n + a + b for n, (a, b) in zip(size, padding)]), x.dtype)
    for i, at in enumerate(places(kernel)):
        whole[(..., *spans(at, out, stride, dilation))] += column[:, :, i]
    return padded(whole, tuple((-a, -b) for a, b in padding), first=2)


@composed
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Sliding windows of an image as columns (im2col):  (N, C, H, W) -> (N, C kh kw, L)."""
    if x.ndim not in (3, 4):
        raise ShapeError(f"unfold: expected 3D or 4D input (N, C, H, W); got shape {tuple(x.shape)}")
    if x.ndim == 3:
        return unfold(x.reshape((1, *x.shape)), kernel_size, dilation, padding, stride)[0]
    kernel, step = sizes(kernel_size, 2, "unfold", "kernel_size"), sizes(stride, 2, "unfold", "stride")
    spread, before = sizes(dilation, 2, "unfold", "dilation"), sizes(padding, 2, "unfold", "padding", 0)
    pairs = tuple((p, p) for p in before)
    size = tuple(x.shape[2:])
    out = out_size(size, pairs, kernel, step, spread)
    if min(out) < 1:
        raise ShapeError(f"unfold: the windows do not fit: {size} with padding {before}, kernel_size {kernel} and "
                         f"dilation {spread} leave {out} windows; expected at least one")
    pairs = exact(size, out, before, kernel, step, spread)
    return unfold_windows(x, kernel=kernel, stride=step, padding=pairs, dilation=spread)


@composed
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added up into an image (col2im):  (N, C kh kw, L) -> (N, C, *output_size).  Overlaps add."""
    if x.ndim not in (2, 3):
        raise ShapeError(f"fold: expected 2D or 3D input (N, C kh kw, L); got shape {tuple(x.shape)}")
    if x.ndim == 2:
        return fold(x.reshape((1, *x.shape)), output_size, kernel_size, dilation, padding, stride)[0]
    size, kernel = sizes(output_size, 2, "fold", "output_size"), sizes(kernel_size, 2, "fold", "kernel_size")
    step, spread = sizes(stride, 2, "fold", "stride"), sizes(dilation, 2, "fold", "dilation")
    before = sizes(padding, 2, "fold", "padding", 0)
    out = out_size(size, tuple((p, p) for p in before), kernel, step, spread)
    if x.shape[1] % prod(kernel):
        raise ShapeError(f"fold: expected as many rows as a multiple of {prod(kernel)} (kernel_size {kernel}); got "
                         f"{x.shape[1]} in shape {tuple(x.shape)}")
    if min(out) < 1 or x.shape[2] != prod(out):
        raise ShapeError(f"fold: output_size {size} has {' x '.join(map(str, out))} windows; got {x.shape[2]} columns "
                         f"in shape {tuple(x.shape)}")
    pairs = exact(size, out, before, kernel, step, spread)
    return fold_windows(x, size=size, kernel=kernel, stride=step, padding=pairs, dilation=spread)
