"""Convolutions: three ops, each linear in both inputs, that are one another's derivatives.

    y = convolution(x, w)            dx = convolution_transpose(g, w)            dw = convolution_weight(x, g)

The kernels are products of matrices over windows laid out as rows (Chellapilla, Puri and Simard 2006, "High
performance convolutional neural networks for document processing", §3.1), block by block, so that the rows stay
in the cache and memory does not grow with the batch; with 3 x 3 kernels and many channels see `winograd`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ..op import bilinear, op
from . import winograd
from .linear import ones, permute, reshape
from .windows import (
    Pairs,
    Sizes,
    channels_first,
    channels_last,
    out_size,
    padded,
    places,
    reach,
    spans,
    windows,
)

BLOCK = 1 << 18                               # elements in a block of window rows: 1 MiB of float32
PORTION = 1 << 17                             # and in a product of one position of the windows with a matrix

NONE_KEPT = np.empty((0, 0))

_STEPS: dict[str, Any] = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
_APART: dict[str, Any] = {"stride": (2,), "padding": ((2, 1),), "dilation": (2,), "groups": 2}
_EACH: dict[str, Any] = {"stride": (2, 1), "padding": ((1, 0), (0, 0)), "dilation": (1, 1), "groups": 3}


def _transposed(g: Any, weight: Any, x_shape: Any, **how: Any) -> Any:
    return convolution_transpose(g, weight, size=tuple(x_shape[2:]), **how)


def _channel_sums(g: Any) -> Any:
    """Over all but the channels, as a product with ones."""
    rows = reshape(permute(g, dims=(0, *range(2, g.ndim), 1)), shape=(-1, g.shape[1]))
    return ones(rows.shape[0], g.dtype) @ rows


@op(
    x=lambda g, weight, x_shape, stride, padding, dilation, groups:
        _transposed(g, weight, x_shape, stride=stride, padding=padding, dilation=dilation, groups=groups),
    weight=lambda g, x, weight_shape, columns, stride, padding, dilation, groups:
        _from_columns(columns, g, weight_shape) if columns.size else
        convolution_weight(x, g, kernel=tuple(weight_shape[2:]), stride=stride, padding=padding, dilation=dilation,
                           groups=groups),
    bias=lambda g: _channel_sums(g),
    aux={"columns": lambda: NONE_KEPT},       # a recorded sweep has to go back to x
    shapes="x (N, C, L...), weight (O, C / groups, kernel...), bias (O,)", category="linear", symbol="∗",
    cases=[(((2, 2, 4, 3), (3, 2, 3, 2), (3,)), _STEPS | {"padding": ((1, 1), (0, 1))}),
           (((2, 1, 4, 3), (6, 1, 3, 2), (6,)), _STEPS | {"padding": ((1, 1), (0, 1))}),
           (((2, 4, 7), (2, 2, 3), (2,)), _APART), (((2, 3, 4, 3), (6, 1, 3, 2)), _EACH),
           (((1, 2, 3, 2, 2), (2, 2, 2, 1, 2)), {"stride": (1, 1, 1), "padding": ((0, 0), (1, 0), (0, 0)),
                                                 "dilation": (1, 1, 1), "groups": 1})],
)
def convolution(x: Any, weight: Any, bias: Any = None, *, stride: Sizes, padding: Pairs, dilation: Sizes,
                groups: int = 1) -> Any:
    """Cross-correlation:  y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k] x[n, c, p stride + k dilation - padding].

    `padding` has (before, after) for each axis, negative ones cutting away, such that the windows fit without a rest.
    """
    x, weight, narrow = _wide(x, weight)
    kernel = weight.shape[2:]
    out = out_size(x.shape[2:], padding, kernel, stride, dilation)
    x = padded(channels_last(x), padding)
    made = _blank((x.shape[0], weight.shape[0], *out), np.result_type(x, weight))
    y, columns = channels_last(made), NONE_KEPT
    if groups == 1 and narrow is None and _few(kernel, x.shape[-1]) and prod(weight.shape[1:]) <= weight.shape[0]:
        columns = _columns(windows(x, kernel, out, stride, dilation), len(kernel))   # hardly larger than y: kept
        matrix = _matrix(weight)
        last = np.zeros_like(matrix[:1]) if bias is None else bias.reshape(1, -1)
        np.matmul(columns.T, np.concatenate((matrix, last)), out=y.reshape(-1, weight.shape[0]))
    elif groups > 1 and weight.shape[1] == 1:
        for n in _batches(y):
            _each_channel(x[n], weight, y[n], stride, dilation)
        if bias is not None:
            y += bias
    else:
        for xs, ws, ys in _groups(x, weight, groups):
            b = None if bias is None else bias if groups == 1 else bias[ys]
            _convolve(xs, ws, y[..., ys], b, stride, dilation)
    return made if narrow is None else made.astype(narrow), columns


@bilinear(
    x=lambda g, weight, stride, padding, dilation, groups:
        convolution(g, weight, stride=stride, padding=padding, dilation=dilation, groups=groups),
    weight=lambda g, x, weight_shape, stride, padding, dilation, groups:
        convolution_weight(g, x, kernel=tuple(weight_shape[2:]), stride=stride, padding=padding, dilation=dilation,
                           groups=groups),
    shapes="x (N, O, out...), weight (O, C / groups, kernel...)", category="linear", symbol="∗ᵀ",
    cases=[(((2, 3, 4, 3), (3, 2, 3, 2)), _STEPS | {"padding": ((1, 1), (0, 1)), "size": (4, 3)}),
           (((2, 2, 3), (2, 2, 3)), _APART | {"size": (6,)}), (((2, 6, 2, 2), (6, 1, 3, 2)), _EACH | {"size": (4, 3)}),
           (((2, 2, 3, 2), (2, 3, 2, 2)), _STEPS | {"stride": (2, 3), "padding": ((0, -1), (1, 0)), "size": (7, 4)})],
)
def convolution_transpose(x: Any, weight: Any, *, size: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes,
                          groups: int = 1) -> Any:
    """The transpose of `convolution`, `size` being that of y:  y[n, c, q] = Σ_o Σ_{p, k} w[o, c, k] x[n, o, p].

    The inner sum is over the places p and positions k with p stride + k dilation - padding = q.
    """
    x, weight, narrow = _wide(x, weight)
    kernel, out = weight.shape[2:], x.shape[2:]
    channels = weight.shape[1] * groups
    spread = reach(kernel, dilation)
    whole = tuple((m - 1) * s + r for m, s, r in zip(out, stride, spread))
    dtype = np.result_type(x, weight)
    made = _blank((x.shape[0], channels, *size), dtype)
    y = channels_last(made)
    if (set(stride) == {1} and 4 * weight.shape[1] * groups > weight.shape[0] and weight.shape[1] > 1
            and (10 * prod(size) < 11 * prod(out) or winograd.fits(kernel, stride, dilation, *weight.shape[:2]))):
        # by stride 1 a convolution with the kernel turned round, over x with a border as wide as the kernel, unless
        # that makes many products with zeros
        turned = np.flip(weight, tuple(range(2, weight.ndim)))
        border = tuple((r - 1 - a, n + a - m) for r, (a, _), n, m in zip(spread, padding, size, out))
        xp = padded(channels_last(x), border)
        for ys, ws, xs in _groups(y, turned, groups):
            _convolve(xp[..., xs], ws.swapaxes(0, 1), ys, None, stride, dilation)
    else:
        g = np.ascontiguousarray(channels_last(x))
        cut = tuple((-a, n + a - m) for (a, _), n, m in zip(padding, size, whole))
        ground = np.empty((x.shape[0], *whole, channels), dtype) if any(any(pair) for pair in cut) else y
        ground[...] = 0
        if groups > 1 and weight.shape[1] == 1:
            for batch in _batches(g):
                _each_channel_back(g[batch], weight, ground[batch], stride, dilation)
        else:
            for ys, ws, gs in _groups(ground, weight, groups):
                _spread_out(g[..., gs], ws, ys, out, stride, dilation)
        if ground is not y:
            y[...] = padded(ground, cut)
    return made if narrow is None else made.astype(narrow)


@bilinear(
    x=lambda h, g, x_shape, stride, padding, dilation, groups:
        _transposed(g, h, x_shape, stride=stride, padding=padding, dilation=dilation, groups=groups),
    g=lambda h, x, stride, padding, dilation, groups:
        convolution(x, h, stride=stride, padding=padding, dilation=dilation, groups=groups),
    shapes="x (N, C, L...), g (N, O, out...)", category="linear", symbol="∗",
    cases=[(((2, 2, 4, 3), (2, 3, 4, 3)), _STEPS | {"padding": ((1, 1), (0, 1)), "kernel": (3, 2)}),
           (((2, 4, 6), (2, 2, 3)), _APART | {"kernel": (3,)}),
           (((2, 3, 4, 3), (2, 6, 2, 2)), _EACH | {"kernel": (3, 2)})],
)
def convolution_weight(x: Any, g: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes,
                       groups: int = 1) -> Any:
    """What the weight gets:  y[o, c, k] = Σ_n Σ_p g[n, o, p] x[n, c, p stride + k dilation - padding]."""
    x, g, narrow = _wide(x, g)
    x = padded(channels_last(x), padding)
    g = np.ascontiguousarray(channels_last(g))
    channels = x.shape[-1] // groups
    y = np.zeros((g.shape[-1], channels, *kernel), np.result_type(x, g))
    if groups > 1 and channels == 1:
        for n in _batches(g):
            _each_channel_weight(x[n], g[n], y, stride, dilation)
    else:
        for xs, ys, gs in _groups(x, y, groups):
            ys += _correlate(xs, g[..., gs], kernel, stride, dilation)
    return y if narrow is None else y.astype(narrow)


# -- kernels on channels-last arrays ---------------------------------------------------------------------


def _blank(shape: Sizes, dtype: Any) -> Any:
    """A new array (N, C, L...) with channels-last memory of its own: as a view it would be copied before it is kept."""
    order = channels_first(np.empty((2,) * len(shape), dtype))
    return np.empty_like(order, shape=shape)


def _wide(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """float16 operands as float32, and then the dtype to come back to."""
    if x.dtype == np.float16 and y.dtype == np.float16:
        return x.astype(np.float32), y.astype(np.float32), x.dtype
    return x, y, None


def _groups(x: Any, weight: Any, groups: int) -> Iterator[tuple[Any, Any, slice]]:
    """For each group its channels of x, its rows of the weight, and where its channels of y lie."""
    c, o = x.shape[-1] // groups, weight.shape[0] // groups
    for k in range(groups):
        place = slice(k * o, (k + 1) * o)
        yield (x if groups == 1 else x[..., k * c:(k + 1) * c]), weight[place], place


def _few(kernel: Sizes, channels: int) -> bool:
    """Whether a row of a window is so short that it is better laid out plane by plane than place by place."""
    return channels * kernel[-1] < 16


def _rows(x: Any, kernel: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[tuple[Any, Any]]:
    """Windows as rows of a matrix, block by block, with where their results lie in (N, out..., O).

    Of few channels the matrix is written column by column, since runs are longer that way.
    """
    seen = windows(x, kernel, out, stride, dilation)
    d, length = len(kernel), prod(kernel) * x.shape[-1]
    images = max(1, BLOCK // max(1, prod(out) * length))
    lines = out[0] if images > 1 else max(1, BLOCK // max(1, prod(out[1:]) * length))
    for n in range(0, x.shape[0], images):
        for row in range(0, out[0], lines):
            place = (slice(n, n + images), slice(row, row + lines))
            block = seen[place]
            if _few(kernel, x.shape[-1]):
                yield _columns(block, d)[:-1].T, place
            else:
                yield block.reshape(-1, length), place


def _columns(seen: Any, d: int) -> Any:
    """Windows as columns: a row for each position and channel, and one of ones, for a bias."""
    planes = seen.transpose(*range(d + 1, 2 * d + 2), *range(d + 1))
    rows = prod(planes.shape[:d + 1])
    made = np.empty((rows + 1, prod(planes.shape[d + 1:])), seen.dtype)
    made[:rows].reshape(planes.shape)[...] = planes
    made[rows] = 1
    return made


def _from_columns(columns: Any, g: Any, shape: Sizes) -> Any:
    """The gradient of the weight from the columns that the forward pass kept."""
    g = np.ascontiguousarray(channels_last(g)).reshape(-1, shape[0])
    return _weight_of(columns[:-1] @ g, shape[2:])


def _weight_of(matrix: Any, kernel: Sizes) -> Any:
    """(Π kernel C, O) as a weight (O, C, kernel...)."""
    return np.moveaxis(matrix.reshape(*kernel, -1, matrix.shape[-1]), (-1, -2), (0, 1))


def _matrix(weight: Any) -> Any:
    """A weight (O, C, kernel...) as (Π kernel C, O)."""
    return np.ascontiguousarray(weight.transpose(*range(2, weight.ndim), 1, 0)).reshape(-1, weight.shape[0])


def _add_bias(flat: Any, bias: Any, length: int) -> None:
    """Added to a line of places at once: runs of O elements alone are slow."""
    line = flat.reshape(-1, length * flat.shape[-1])
    line += np.tile(bias, length)


def _convolve(x: Any, weight: Any, y: Any, bias: Any, stride: Sizes, dilation: Sizes) -> None:
    """y[...] = the convolution of x with weight (O, C, kernel...), without padding."""
    kernel, out = weight.shape[2:], y.shape[1:-1]
    if min(out) > 1 and winograd.fits(kernel, stride, dilation, *weight.shape[1::-1]):
        h, v = (n & ~1 for n in out)          # the results of whole tiles; and a last row, a last column
        winograd.convolve(x[:, :h + 2, :v + 2], weight, y[:, :h, :v], bias)
        if h < out[0]:
            _convolve(x[:, h:], weight, y[:, h:], bias, stride, dilation)
        if v < out[1]:
            _convolve(x[:, :h + 2, v:], weight, y[:, :h, v:], bias, stride, dilation)
        return
    matrix = _matrix(weight)
    for rows, place in _rows(x, kernel, out, stride, dilation):
        part = y[place]
        if part.flags.c_contiguous:
            part = part.reshape(-1, y.shape[-1])
            np.matmul(rows, matrix, out=part)
            if bias is not None:
                _add_bias(part, bias, out[-1])
        else:
            made = rows @ matrix
            part[...] = (made if bias is None else made + bias).reshape(part.shape)


def _correlate(x: Any, g: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """The gradient of the weight, (O, C, kernel...)."""
    total = np.zeros((prod(kernel) * x.shape[-1], g.shape[-1]), np.result_type(x, g))
    for rows, place in _rows(x, kernel, g.shape[1:-1], stride, dilation):
        total += rows.T @ g[place].reshape(-1, g.shape[-1])
    return _weight_of(total, kernel)


def _spread_out(g: Any, weight: Any, y: Any, out: Sizes, stride: Sizes, dilation: Sizes) -> None:
    """y += what each window of the transpose puts down."""
    kernel, channels = weight.shape[2:], weight.shape[1]
    matrices = np.ascontiguousarray(weight.transpose(*range(2, weight.ndim), 0, 1))
    few = _few(kernel, channels)
    images = max(1, (PORTION << 3 if few else PORTION) // max(1, prod(out) * max(weight.shape[:2])))
    for n in range(0, g.shape[0], images):
        part = g[n:n + images]
        flat = part.reshape(-1, part.shape[-1])
        if few:
            planes = np.moveaxis(matrices, -1, -2).reshape(-1, flat.shape[1]) @ flat.T
            for at, plane in zip(places(kernel), planes.reshape(-1, channels, *part.shape[:-1])):
                place = y[(slice(n, n + images), *spans(at, out, stride, dilation))]
                place += np.moveaxis(plane, 0, -1)
        else:
            made = np.empty((*part.shape[:-1], channels), y.dtype)
            for at in places(kernel):
                np.matmul(flat, matrices[at], out=made.reshape(-1, channels))
                y[(slice(n, n + images), *spans(at, out, stride, dilation))] += made


def _batches(y: Any) -> Iterator[slice]:
    """Images in portions that stay in the cache."""
    step = max(1, (BLOCK >> 2) * y.shape[0] // max(1, y.size))
    return (slice(n, n + step) for n in range(0, y.shape[0], step))


def _each_channel(x: Any, weight: Any, y: Any, stride: Sizes, dilation: Sizes) -> None:
    """y[...] = a convolution in which every channel is a group of its own."""
    out, many = y.shape[1:-1], weight.shape[0] // x.shape[-1]
    for j in range(many):
        total: Any = None
        for at in places(weight.shape[2:]):
            seen = x[(slice(None), *spans(at, out, stride, dilation))] * weight[(slice(j, None, many), 0, *at)]
            total = seen if total is None else np.add(total, seen, out=total)
        y[..., j::many] = total


def _each_channel_back(g: Any, weight: Any, y: Any, stride: Sizes, dilation: Sizes) -> None:
    """y += the transpose of `_each_channel`."""
    out, many = g.shape[1:-1], weight.shape[0] // y.shape[-1]
    for j in range(many):
        for at in places(weight.shape[2:]):
            place = y[(slice(None), *spans(at, out, stride, dilation))]
            place += g[..., j::many] * weight[(slice(j, None, many), 0, *at)]


def _each_channel_weight(x: Any, g: Any, y: Any, stride: Sizes, dilation: Sizes) -> None:
    """y += the gradient of the weight of `_each_channel`."""
    out, channels = g.shape[1:-1], x.shape[-1]
    many = g.shape[-1] // channels
    for j in range(many):
        for at in places(y.shape[2:]):
            both = x[(slice(None), *spans(at, out, stride, dilation))] * g[..., j::many]
            y[(slice(j, None, many), 0, *at)] += ones(both.size // channels, both.dtype) @ both.reshape(-1, channels)
