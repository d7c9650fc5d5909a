"""Activations of other libraries than PyTorch: those of Keras, JAX and Chainer, and the gated ones of transformers."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, where


def squareplus(input: Any, b: float = 4.0) -> Any:
    """(x + √(x² + b)) / 2, a smooth rectifier without exponentials (Barron 2021)."""
    return (input + autograd.sqrt(input * input + b)) / 2


def sparse_plus(input: Any) -> Any:
    """0 for x <= -1, x for x >= 1, (x + 1)² / 4 between: twice the integral of `sparse_sigmoid`, from below."""
    middle = autograd.clamp(input, -1, 1) + 1
    return where(input >= 1, input, middle * middle / 4)


def sparse_sigmoid(input: Any) -> Any:
    """(x + 1) / 2, held within 0 and 1."""
    return autograd.clamp((input + 1) / 2, 0, 1)


def quick_gelu(input: Any) -> Any:
    """x sigmoid(1.702 x), near gelu (Hendrycks and Gimpel 2016)."""
    return input * autograd.sigmoid(1.702 * input)


def clipped_relu(input: Any, z: float = 20.0) -> Any:
    """min(max(x, 0), z)."""
    return autograd.clamp(input, 0, z)


def crelu(input: Any, dim: int = 1) -> Any:
    """max(x, 0) and max(-x, 0) one behind the other along `dim`, which gets twice as long (Shang et al. 2016)."""
    return autograd.cat([autograd.relu(input), autograd.relu(-input)], dim)


def _halves(who: str, input: Any, dim: int) -> Any:
    if not input.ndim or input.shape[dim] % 2:
        raise ShapeError(f"{who}: expected an even number of elements on axis {dim}, to halve it; got shape "
                         f"{tuple(input.shape)}")
    return autograd.split(input, input.shape[dim] // 2, dim)


def swiglu(input: Any, dim: int = -1) -> Any:
    """silu(a) b,  x = [a, b] the halves of an axis (Shazeer 2020)."""
    a, b = _halves("swiglu", input, dim)
    return autograd.silu(a) * b


def geglu(input: Any, dim: int = -1) -> Any:
    """gelu(a) b,  x = [a, b] the halves of an axis (Shazeer 2020)."""
    a, b = _halves("geglu", input, dim)
    return autograd.gelu(a) * b


def sparsemax(input: Any, dim: int = -1) -> Any:
    """The point of the simplex nearest to x:  max(x - τ, 0), τ such that the sum is 1 (Martins and Astudillo 2016).

    As softmax it gives shares, but many of them are 0.  Which are not is no function with a slope: τ is the mean of
    those, less 1 / k.
    """
    if np.dtype(input.dtype).kind != "f":
        raise TypeError(f"sparsemax: expected floats; got {input.dtype}: use x.float()")
    value = np.moveaxis(np.asarray(input.value if hasattr(input, "value") else input), dim, -1)
    falling = -np.sort(-value, axis=-1)
    rank = np.arange(1, value.shape[-1] + 1)
    k = np.count_nonzero(1 + rank * falling > np.cumsum(falling, -1), axis=-1)[..., None]
    chosen = value >= np.take_along_axis(falling, np.maximum(k - 1, 0), -1)
    share = np.moveaxis(chosen / np.maximum(k, 1), -1, dim).astype(value.dtype)
    tau = autograd.sum(input * share, dim, True) - np.moveaxis(1 / np.maximum(k, 1), -1, dim).astype(value.dtype)
    return where(np.moveaxis(chosen, -1, dim), input - tau, 0)
