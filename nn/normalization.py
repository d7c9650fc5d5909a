"""Layers that bring their input to mean 0 and variance 1, then scale and shift it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import Parameter, ShapeError, Tensor, ones, zeros

from . import functional as F
from . import init
from .linear import count
from .module import Module


class LayerNorm(Module):
    """Each sample brought to mean 0 and variance 1 over its last axes:  (x - mean) / √(var + ε) · weight + bias.

    x (..., *normalized_shape) -> y (same shape);  weight and bias (*normalized_shape).  Source: Ba et al. 2016.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        sizes = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self.normalized_shape = tuple(count("LayerNorm", "normalized_shape", n) for n in sizes)
        if not self.normalized_shape:
            raise ShapeError("LayerNorm: normalized_shape must name at least one axis; got ()")
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None
        self.bias = Parameter(zeros(self.normalized_shape, dtype=dtype)) if elementwise_affine and bias else None

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0 again."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class _BatchNorm(Module):
    """Each channel brought to mean 0 and variance 1 over the batch:  (x - mean) / √(var + ε) · weight + bias.

    In evaluation the running averages take the place of the batch's mean and variance; they move towards the batch's by
    `momentum` at each training step (None: plain average of all batches so far).  Source: Ioffe and Szegedy 2015.
    """

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    axes: tuple[int, ...]                     # the numbers of axes that an input may have
    shapes: str

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, *, bias: bool = True, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_features = n = count(type(self).__name__, "num_features", num_features)
        self.eps, self.momentum, self.affine, self.track_running_stats = eps, momentum, affine, track_running_stats
        self.weight = Parameter(ones(n, dtype=dtype)) if affine else None
        self.bias = Parameter(zeros(n, dtype=dtype)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(n, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(n, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(0) if tracked else None)

    def reset_running_stats(self) -> None:
        """Running mean 0, variance 1, no batches counted."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and running statistics as at the start."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        shape = tuple(input.shape)
        if len(shape) not in self.axes or shape[1] != self.num_features:
            raise ShapeError(f"{type(self).__name__}({self.num_features}): expected an input {self.shapes} with "
                             f"{self.num_features} channels on axis 1; got shape {shape}")
        counted = self.num_batches_tracked if self.training else None
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / (int(counted.value) + 1) if counted is not None else 0.0
        by_batch = self.training or self.running_mean is None
        out = F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, by_batch, momentum,
                           self.eps)
        if counted is not None:
            counted.value = counted.value + np.int64(1)
        return out

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class BatchNorm1d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    axes = (2, 3)
    shapes = "(N, C) or (N, C, L)"
