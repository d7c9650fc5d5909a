"""torch.native_*: normalisations and dropout together with what they computed on the way."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..creation import default_rng
from ..errors import ShapeError
from . import linear as li
from .composed import array_of, composed, tensor_if
from .elementwise import add, multiply, rsqrt, subtract
from .reduce import mean, var


def _standard(x: Any, dim: Any, eps: float) -> tuple[Any, Any, Any]:
    """x with mean 0 and variance 1 over `dim`, the mean, and 1 / √(variance + eps)."""
    middle = mean(x, dim=dim, keepdim=True)
    scale = rsqrt(add(var(x, dim=dim, correction=0, keepdim=True), eps))
    return multiply(subtract(x, middle), scale), middle, scale


def _plain(x: Any, value: Any, shape: Any = None) -> Any:
    """What PyTorch keeps for the backward pass, without a history of its own."""
    made = array_of(value)
    return tensor_if(x, made if shape is None else made.reshape(shape))


def _affine(x: Any, weight: Any, bias: Any, shape: tuple[int, ...]) -> Any:
    if weight is not None:
        x = multiply(x, li.reshape(weight, shape=shape))
    return x if bias is None else add(x, li.reshape(bias, shape=shape))


@composed
def native_layer_norm(x: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """Layer normalisation over the last axes: (out, mean, 1 / √(variance + eps)), the last two without history."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    n = len(shape)
    if not n or tuple(x.shape[-n:]) != shape:
        raise ShapeError(f"native_layer_norm: expected an input whose last axes are {shape}; got {tuple(x.shape)}")
    out, middle, scale = _standard(x, tuple(range(-n, 0)), eps)
    return _affine(out, weight, bias, shape), _plain(x, middle), _plain(x, scale)


@composed
def native_group_norm(x: Any, weight: Any, bias: Any, N: int, C: int, HxW: int, group: int,
                      eps: float) -> tuple[Any, Any, Any]:
    """Normalisation of groups of channels of (N, C, ...): (out, mean (N, group), 1 / √(variance + eps))."""
    if group < 1 or C % group or prod(x.shape) != N * C * HxW:
        raise ShapeError(f"native_group_norm: expected {group} groups of {C} channels and N C HxW = {N * C * HxW} "
                         f"elements; got shape {tuple(x.shape)}")
    rows = li.reshape(x, shape=(N, group, C // group * HxW))
    if not prod(x.shape):
        nothing = li.sum(rows, dim=-1)
        return li.clone(x), nothing, nothing
    out, middle, scale = _standard(rows, -1, eps)
    out = _affine(li.reshape(out, shape=tuple(x.shape)), weight, bias, (C, *[1] * (x.ndim - 2)))
    return out, li.reshape(middle, shape=(N, group)), li.reshape(scale, shape=(N, group))


@composed
def native_batch_norm(x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool,
                      momentum: float, eps: float) -> tuple[Any, Any, Any]:
    """Batch normalisation of (N, C, ...): (out, mean (C,), 1 / √(variance + eps)); the last two empty if not training.

    Training moves running_mean and running_var, in their memory, by `momentum`.
    """
    wide = (x.shape[1], *[1] * (x.ndim - 2))
    if training:
        axes = (0, *range(2, x.ndim))
        out, middle, scale = _standard(x, axes, eps)
        value, many = array_of(x), prod(x.shape) // x.shape[1]
        spread = value.var(axes, ddof=1 if many > 1 else 0)
        for kept, fresh in ((running_mean, value.mean(axes)), (running_var, spread)):
            if kept is not None:
                array_of(kept)[...] += momentum * (fresh - array_of(kept))
        return _affine(out, weight, bias, wide), _plain(x, middle, -1), _plain(x, scale, -1)
    scale = rsqrt(add(running_var, eps))
    out = multiply(subtract(x, li.reshape(running_mean, shape=wide)), li.reshape(scale, shape=wide))
    empty = tensor_if(x, np.zeros(0, x.dtype))
    return _affine(out, weight, bias, wide), empty, empty


@composed
def native_dropout(x: Any, p: float, train: bool | None = True) -> tuple[Any, Any]:
    """Dropout: (out, mask), the mask telling what was kept."""
    if not 0 <= p <= 1:
        raise ValueError(f"native_dropout: dropout probability has to be between 0 and 1, but got {p}")
    kept = np.asarray(default_rng().random(tuple(x.shape)) >= p) if train else np.ones(tuple(x.shape), bool)
    factor = x.dtype.type((1 / (1 - p) if p < 1 else 0) if train else 1)
    return multiply(x, kept * factor), tensor_if(x, kept)
