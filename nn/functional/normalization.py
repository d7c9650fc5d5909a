"""Normalisation within groups of channels, within each sample, by the root of the mean square, across channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor

from .channels import batch_norm


def _channelwise(x: Any, weight: Any, bias: Any) -> Any:
    """weight · x + bias, one number for each channel of axis 1."""
    wide = (-1,) + (1,) * (x.ndim - 2)
    if weight is not None:
        x = x * autograd.reshape(weight, shape=wide)
    return x if bias is None else x + autograd.reshape(bias, shape=wide)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over each group of channels of each sample, then scaled and shifted by channel.

    input (N, C, ...), C a multiple of num_groups; weight and bias (C,).  Source: Wu and He 2018.
    """
    shape = tuple(input.shape)
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise ShapeError("group_norm: expected an input (N, C, ...), C a multiple of num_groups; "
                         f"got shape {shape} and num_groups {num_groups}")
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != shape[1:2]:
            raise ShapeError(f"group_norm: expected {name} of shape {shape[1:2]}; got {tuple(given.shape)}")
    if not int(np.prod(shape)):
        return _channelwise(input * 1, weight, bias)
    grouped = autograd.reshape(input, shape=(shape[0], num_groups, -1))
    return _channelwise(autograd.reshape(autograd.standardize(grouped, dim=2, eps=eps), shape=shape), weight, bias)


def instance_norm(input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
                  use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over each channel of each sample, then scaled and shifted by channel.

    input (N, C, ...); all else (C,) or None.  Without use_input_stats the running statistics are used, otherwise they
    move towards the average over the samples by `momentum`.  Source: Ulyanov et al. 2016.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    shape = tuple(input.shape)
    if len(shape) < 3 or int(np.prod(shape[2:])) < 2:
        raise ValueError("instance_norm: expected an input (N, C, ...) of more than 1 spatial element; "
                         f"got shape {shape}")
    axes = tuple(range(2, len(shape)))
    for running, moment in ((running_mean, np.mean), (running_var, _unbiased)):
        if running is not None:
            x = input.value if isinstance(input, Tensor) else np.asarray(input)
            now = np.mean(moment(x.astype(np.float64), axis=axes), axis=0)
            running.value = ((1 - momentum) * running.value + momentum * now).astype(running.dtype)
    return _channelwise(autograd.standardize(input, dim=axes, eps=eps), weight, bias)


def _unbiased(x: Any, axis: Any) -> Any:
    return np.var(x, axis=axis, ddof=1)


def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Mean square 1 over the last axes, then scaled:  x / √(mean(x²) + ε) · weight; ε the machine's by default.

    Source: Zhang and Sennrich 2019.
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    n = len(shape)
    if not n or tuple(input.shape[-n:]) != shape:
        raise ShapeError(f"rms_norm: expected an input whose last axes are normalized_shape={shape}; "
                         f"got shape {tuple(input.shape)}")
    small = float(np.finfo(input.dtype).eps) if eps is None else eps
    mean = autograd.mean(autograd.square(input), dim=tuple(range(-n, 0)), keepdim=True)
    out = input * autograd.rsqrt(mean + small)
    return out if weight is None else out * weight


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + α mean(x²))^β, the mean over `size` neighbouring channels (zeros beyond the ends).

    input (N, C, ...).  Source: Krizhevsky et al. 2012, 3.3, with PyTorch's mean in place of the sum.
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: expected an input (N, C, ...) of at least 3 axes; got {input.shape}")
    border = (0, 0) * (input.ndim - 2) + (size // 2, (size - 1) // 2)
    squares = autograd.pad(autograd.square(input), border)
    mean = autograd.mean(autograd.unfold(squares, 1, size, 1), dim=-1)
    return input / (mean * alpha + k) ** beta
