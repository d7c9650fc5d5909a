"""Batch normalization: the function, the op, and kernels on channels that take a portion of the samples at a time.

An array (N, C, ...) lies in memory as rows, a run of elements for each channel of each sample, or as a table whose rows
hold all channels (channels last, or few elements to a channel).  Numbers of channels are laid out to meet it.
"""

# mypy: disable-error-code="has-type"
# (a rule names ops that stand below it)

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from math import gcd, prod
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor, expand, linear, mean, op, reshape, rsqrt, sum, var
from autograd.ops.linear import ones
from autograd.ops.portions import in_portions

PORTION = 1 << 17                             # elements that are worked on together: 512 KiB of float32
SHORT = 32                                    # channels of fewer elements in a row are laid out as a table
WIDE = 1 << 12                                # elements in a row of a table, at least, where the number of rows allows

# Mean and variance of the batch that was normalized last: the running ones follow them, and are no part of any graph.
MOMENTS: ContextVar[tuple[Any, Any] | None] = ContextVar("moments", default=None)


class _Layout:
    """How the elements of x stand in memory, and how numbers of channels and sums over them follow from it."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, last: bool) -> None:
        n, c, *rest = shape
        self.c, self.dtype, self.last, each = c, dtype, last, prod(rest)
        self.rows = not last and each >= SHORT
        if self.rows:
            self.plain: tuple[int, ...] = (n, c, each)
        else:                                 # several rows of the table side by side, so that runs are long
            self.side = 1 if last else each
            length, width = (n * each, c) if last else (n, c * each)
            self.times = gcd(length, 1 << max(0, (WIDE // max(width, 1)).bit_length() - 1))
            self.plain = (length // self.times, width * self.times)
        self.step = max(1, PORTION // max(prod(self.plain[1:]), 1))

    def each(self, function: Callable[[slice], Any]) -> list[Any]:
        """function(rows) for each portion, by several threads."""
        with np.errstate(all="ignore"):
            if self.rows and 256 < self.plain[2] < 8192:        # else NumPy writes the number of a channel out beside
                np.setbufsize(256)                              # each element; `errstate` takes it back
            return in_portions(function, self.plain[0], self.step)

    def view(self, x: Any) -> Any:
        """x (N, C, ...) in this layout; a copy where it lies otherwise."""
        if self.last:
            x = x.transpose(0, *range(2, x.ndim), 1)
        return (x if x.flags.c_contiguous else x.copy()).reshape(self.plain)

    def blank(self, x: Any) -> tuple[Any, Any]:
        """A new array (N, C, ...) that lies as x does, and it in this layout."""
        made = np.empty_like(x) if self.last else np.empty(x.shape, x.dtype)
        return made, self.view(made)

    def spread(self, v: Any) -> Any:
        """A number for each channel (C,) as what meets the elements."""
        if self.rows:
            return v.astype(self.dtype, copy=False)[:, None]
        made = np.empty((self.times, self.c, self.side), self.dtype)
        made[...] = v[:, None]
        return made.reshape(-1)

    def sums(self, x: Any, y: Any = None) -> Any:
        """Σ x, or Σ x y, over a portion, in float64; `channels` makes of their total a number for each channel."""
        if self.rows:
            found = x.reshape(-1, self.plain[2]) @ ones(self.plain[2], self.dtype) if y is None else np.vecdot(x, y)
            return np.add.reduce(found.reshape(-1, self.c), axis=0, dtype=np.float64)
        found = ones(len(x), self.dtype) @ x if y is None else np.einsum("ij,ij->j", x, y)
        return found.astype(np.float64)

    def channels(self, sums: Any) -> Any:
        """The sums of all portions as a number for each channel (C,)."""
        total = np.add.reduce(sums, axis=0) if len(sums) > 1 else sums[0]
        if self.rows:
            return total
        total = total.reshape(self.times, self.c, self.side)
        return np.add.reduce(total[..., 0] if self.side == 1 else np.add.reduce(total, axis=2), axis=0)


_known = lru_cache(64)(_Layout)


def _layout(x: Any) -> _Layout:
    flags = x.flags
    return _known(x.shape, x.dtype, x.ndim > 2 and not flags.c_contiguous and
                  x.transpose(0, *range(2, x.ndim), 1).flags.c_contiguous)


def _plain(x: Any) -> bool:
    return bool(x.dtype in (np.float32, np.float64) and x.size)


def _axes(x: Any) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _wide(v: Any, x: Any) -> Any:
    """(C,) as (C, 1, ...), to meet axis 1 of x."""
    return v if v is None or x.ndim == 2 else reshape(v, shape=(-1,) + (1,) * (x.ndim - 2))


def _centre(x: Any) -> Any:
    return mean(x, dim=_axes(x))


def _scale(x: Any, eps: float) -> Any:
    return rsqrt(var(x, dim=_axes(x), correction=0) + eps)


@op(x=lambda g, x, centre, scale, weight: batch_norm_backward(g, x, centre, scale, weight),
    weight=lambda g, x, centre, scale: channel_products(g, x, centre) * scale, bias=lambda g: channel_sums(g),
    aux={"centre": lambda x: _centre(x), "scale": lambda x, eps: _scale(x, eps)}, name="batch_norm", category="norm",
    shapes="x (N, C, ...), weight and bias (C,)",
    cases=[(((4, 3), (3,), (3,)), {}), (((3, 2, 4), (2,), (2,)), {"eps": 0.1}), (((2, 2, 2, 3),), {})])
def normalize_channels(x: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 for each channel, then scaled and shifted:  (x - mean) / √(var + ε) · weight + bias."""
    if not _plain(x):
        return _slowly(x, weight, bias, eps)
    layout = _layout(x)
    seen, n = layout.view(x), x.size // x.shape[1]
    centre = layout.channels(layout.each(lambda at: layout.sums(seen[at]))) / n
    middle = layout.spread(centre)

    def squares(at: slice) -> Any:
        d = np.subtract(seen[at], middle)
        return layout.sums(d, d)
    spread = layout.channels(layout.each(squares)) / n
    with np.errstate(all="ignore"):
        scale = 1 / np.sqrt(spread + eps)
        factor = layout.spread(scale if weight is None else scale * weight)
    shift = None if bias is None else layout.spread(bias)
    made, out = layout.blank(x)

    def scaled(at: slice) -> None:
        y = np.subtract(seen[at], middle, out=out[at])
        y *= factor
        if shift is not None:
            y += shift
    layout.each(scaled)
    MOMENTS.set((centre, spread))
    return made, centre.astype(x.dtype), scale.astype(x.dtype)


def _slowly(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The same by ops, for half precision and for nothing at all."""
    with np.errstate(all="ignore"):
        centre, spread = moments(x) if x.size else (np.zeros(x.shape[1]), np.zeros(x.shape[1]))
        MOMENTS.set((centre, spread))
        centre, scale = centre.astype(x.dtype), (1 / np.sqrt(spread + eps)).astype(x.dtype)
        y = (x - _wide(centre, x)) * _wide(scale if weight is None else scale * weight, x)
        return (y if bias is None else y + _wide(bias, x)), centre, scale


def moments(x: Any) -> tuple[Any, Any]:
    """Mean and variance (with divisor n) of each channel, in float64."""
    return np.mean(x, _axes(x), np.float64), np.var(x, _axes(x), np.float64)


def _level(g: Any, x: Any) -> Any:
    return _wide(mean(g, dim=_axes(x)), x)


@op(g=lambda h, x, centre, scale, weight: batch_norm_backward(h, x, centre, scale, weight),
    x=lambda h, g, x, centre, scale, weight: _to_x(h, g, x, centre, scale, weight),
    centre=lambda h, g, x, centre, scale, weight: -sum(_to_x(h, g, x, centre, scale, weight), dim=_axes(x)),
    scale=lambda h, g, x, centre, scale, weight: _to_scale(h, g, x, centre, scale, weight),
    weight=lambda h, g, x, centre, scale: sum(h * batch_norm_backward(g, x, centre, scale), dim=_axes(x)),
    category="norm", shapes="g and x of one shape (N, C, ...), all else (C,)", domain=(0.5, 2.0),
    cases=[(((4, 3), (4, 3), (3,), (3,), (3,)), {}), (((3, 2, 2), (3, 2, 2), (2,), (2,)), {})])
def batch_norm_backward(g: Any, x: Any, centre: Any, scale: Any, weight: Any = None) -> Any:
    """The gradient of batch norm:  w s (g - mean g) - w s³ d mean(g d),  d = x - centre, s the scale, w the weight."""
    factor = scale if weight is None else scale * weight
    if not (_plain(x) and g.dtype == x.dtype):
        d = x - _wide(centre, x)
        return ((g - _level(g, x)) - d * _wide(scale * scale, x) * _level(g * d, x)) * _wide(factor, x)
    layout = _layout(x)
    seen, above, n = layout.view(x), layout.view(g), x.size // x.shape[1]
    middle = layout.spread(centre)

    def sums(at: slice) -> Any:
        return layout.sums(above[at]), layout.sums(above[at], np.subtract(seen[at], middle))
    levels, slopes = zip(*layout.each(sums))
    with np.errstate(all="ignore"):
        wide, slope = layout.spread(factor), layout.spread(-factor * scale * scale * layout.channels(slopes) / n)
        level = layout.spread(-factor * layout.channels(levels) / n)
    made, out = layout.blank(x)

    def portion(at: slice) -> None:
        d = np.subtract(seen[at], middle, out=out[at])
        d *= slope
        d += above[at] * wide
        d += level
    layout.each(portion)
    return made


def _to_x(h: Any, g: Any, x: Any, centre: Any, scale: Any, weight: Any) -> Any:
    d, factor = x - _wide(centre, x), scale * scale * scale
    factor = factor if weight is None else factor * weight
    return -(h * _level(g * d, x) + g * _level(h * d, x)) * _wide(factor, x)


def _to_scale(h: Any, g: Any, x: Any, centre: Any, scale: Any, weight: Any) -> Any:
    d = x - _wide(centre, x)
    parts = h * (g - _level(g, x) - 3 * d * _level(g * d, x) * _wide(scale * scale, x))
    found = sum(parts, dim=_axes(x))
    return found if weight is None else found * weight


@op(g=lambda h, x, centre: _wide(h, x) * (x - _wide(centre, x)), x=lambda h, g: _wide(h, g) * g,
    centre=lambda h, g: -h * channel_sums(g), category="reduction", symbol="Σ",
    shapes="g and x of one shape (N, C, ...), centre (C,)",
    cases=[(((4, 3), (4, 3), (3,)), {}), (((3, 2, 2), (3, 2, 2), (2,)), {})])
def channel_products(g: Any, x: Any, centre: Any) -> Any:
    """Σ g (x - centre) for each channel (axis 1)."""
    if not (_plain(x) and g.dtype == x.dtype):
        return np.sum(g * (x - _wide(centre, x)), _axes(x))
    layout = _layout(x)
    seen, above, middle = layout.view(x), layout.view(g), layout.spread(centre)
    found = layout.each(lambda at: layout.sums(above[at], np.subtract(seen[at], middle)))
    return layout.channels(found).astype(x.dtype)


@linear(x=lambda g, x_shape: expand(reshape(g, shape=(-1,) + (1,) * (len(x_shape) - 2)), shape=x_shape),
        category="reduction", symbol="Σ", shapes="(N, C, ...)", cases=[(((3, 2),), {}), (((2, 3, 2),), {})])
def channel_sums(x: Any) -> Any:
    """Σ x for each channel (axis 1)."""
    if not _plain(x):
        return np.sum(x, _axes(x))
    layout = _layout(x)
    seen = layout.view(x)
    return layout.channels(layout.each(lambda at: layout.sums(seen[at]))).astype(x.dtype)


# -- as it is called -------------------------------------------------------------------------------------


def batch_norm(input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
               training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 for each channel, then scaled and shifted:  (x - mean) / √(var + ε) · weight + bias.

    input (N, C, ...); all else (C,) or None.  Training: statistics of the batch, and the running ones (Tensors) move
    towards them by `momentum`, with the unbiased variance; otherwise the running ones are used.
    Source: Ioffe and Szegedy 2015.
    """
    shape = tuple(input.shape)
    if shape == (0,):                                   # PyTorch lets nothing at all pass
        return _scaled(input, weight, bias)
    if len(shape) < 2:
        raise ShapeError(f"batch_norm: expected an input (N, C, ...); got shape {shape}")
    named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, given in named.items():
        if given is not None and tuple(given.shape) != shape[1:2]:
            raise ShapeError(f"batch_norm: expected {name} of shape ({shape[1]},), one for each channel of the input "
                             f"{shape}; got {tuple(given.shape)}")
    if input.dtype.kind not in "fc":
        raise TypeError(f"batch_norm: expected an input of floats; got {input.dtype} of shape {shape}: use x.float()")
    if eps < 0 or (training and not eps):
        raise ValueError(f"batch_norm: eps must be positive; got {eps}: a channel whose elements are all equal would "
                         "be divided by 0")
    if training:
        if prod(shape) == shape[1]:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {shape}: use a "
                             "larger batch (DataLoader drop_last=True leaves out a last one of a single sample), or "
                             "model.eval()")
        MOMENTS.set(None)
        out = normalize_channels(input, weight, bias, eps=eps)
        if running_mean is not None and running_var is not None and prod(shape):
            _follow(input, running_mean, running_var, momentum)
        return out
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: without training it needs running_mean and running_var; got None")
    scale = rsqrt(running_var + eps)
    return _scaled(input - _wide(running_mean, input), _wide(scale if weight is None else scale * weight, input),
                   _wide(bias, input))


def _follow(input: Any, running_mean: Tensor, running_var: Tensor, momentum: float) -> None:
    """Move the running statistics towards those of the batch; they are no part of any graph."""
    if not (isinstance(running_mean, Tensor) and isinstance(running_var, Tensor)):
        raise TypeError("batch_norm: running_mean and running_var must be Tensors, to be updated; got "
                        f"{type(running_mean).__name__} and {type(running_var).__name__}")
    x = input.value if isinstance(input, Tensor) else np.asarray(input)
    mean, var = MOMENTS.get() or moments(x)
    n = x.size // x.shape[1]
    for running, batch in ((running_mean, mean), (running_var, var * (n / (n - 1)))):
        running.value = ((1 - momentum) * running.value + momentum * batch).astype(running.dtype)


def _scaled(x: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias
