"""Dropout of whole channels, and dropout that keeps mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, default_rng, where
from autograd.inplace import honour_inplace

from .layers import check_probability

SATURATION = -1.7580993408473766              # the least value of selu


def _of_channels(name: str, ndims: tuple[int, int]) -> Any:
    def call(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        check_probability(name, p)
        return drop(input, p, inplace) if training and p else input

    def dropped(input: Any, p: float, inplace: bool) -> Any:
        lead = tuple(input.shape[:2 if input.ndim == ndims[1] or input.ndim not in ndims else 1])
        kept = np.asarray(default_rng().random(lead, np.float32) >= p).reshape(lead + (1,) * (input.ndim - len(lead)))
        return input * (kept * input.dtype.type(1 / (1 - p) if p < 1 else 0))
    call.__name__ = call.__qualname__ = dropped.__name__ = name
    drop = honour_inplace(dropped)
    call.__doc__ = f"Each channel of (N, C, ...), {ndims[1]} axes, all 0 with probability p, scaled otherwise."
    return call


dropout1d, dropout2d, dropout3d = (_of_channels("dropout1d", (2, 3)), _of_channels("dropout2d", (3, 4)),
                                   _of_channels("dropout3d", (4, 5)))


def _saturated(input: Any, shape: tuple[int, ...], p: float, inplace: bool) -> Any:
    """Dropped elements at selu's least value, then an affine map that restores mean 0 and variance 1."""
    kept = np.asarray(default_rng().random(shape, np.float32) >= p)
    a = float((1 - p) * (1 + p * SATURATION ** 2)) ** -0.5 if p < 1 else 0.0
    return where(kept, input, SATURATION) * a - a * SATURATION * p


_saturated.__name__ = "alpha_dropout"         # in the texts of errors
_saturate = honour_inplace(_saturated)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for selu: mean 0 and variance 1 stay (Klambauer et al. 2017)."""
    check_probability("alpha_dropout", p)
    return _saturate(input, tuple(input.shape), p, inplace) if training and p else input


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """As `alpha_dropout`, whole channels of (N, C, ...) at once."""
    check_probability("feature_alpha_dropout", p)
    if not training or p == 0:
        return input
    if input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: expected (N, C, ...); got shape {tuple(input.shape)}")
    return _saturate(input, tuple(input.shape[:2]) + (1,) * (input.ndim - 2), p, inplace)


@honour_inplace
def rrelu(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Any:
    """x where x >= 0, a x elsewhere, a drawn from [lower, upper], or its middle unless training (Xu et al. 2015)."""
    if not 0 <= lower <= upper:
        raise ValueError(f"rrelu: expected 0 <= lower <= upper; got {lower} and {upper}")
    if not training:
        return autograd.leaky_relu(input, negative_slope=(lower + upper) / 2)
    slope = np.asarray(default_rng().uniform(lower, upper, input.shape)).astype(input.dtype)
    return input * np.where(_values(input) >= 0, input.dtype.type(1), slope)


def _values(x: Any) -> Any:
    return x.value if hasattr(x, "node") else x
