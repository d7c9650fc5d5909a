"""Layers that bring their input to mean 0 and variance 1, or to a norm, then scale and shift it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Parameter, ShapeError, Tensor, ones, zeros
from autograd.devices import on_cpu

from . import functional as F
from . import init
from .linear import count
from .module import Module
from .parameter import is_lazy

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class _Scaled(Module):
    """What they share: a weight of ones and a bias of zeros, either of which may be None."""

    weight: Parameter | None
    bias: Parameter | None

    def _make_parameters(self, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        on_cpu(type(self).__name__, device)
        self.weight = Parameter(ones(shape, dtype=dtype)) if weight else None
        self.bias = Parameter(zeros(shape, dtype=dtype)) if bias else None

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0 again."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


def _sizes(layer: str, normalized_shape: Any) -> tuple[int, ...]:
    """The last axes, of which there is at least one."""
    given = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not given:
        raise ShapeError(f"{layer}: normalized_shape must name at least one axis; got ()")
    return tuple(count(layer, "normalized_shape", n) for n in given)


class LayerNorm(_Scaled):
    """Each sample brought to mean 0 and variance 1 over its last axes:  (x - mean) / √(var + ε) · weight + bias.

    x (..., *normalized_shape) -> y (same shape);  weight and bias (*normalized_shape).  Source: Ba et al. 2016.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, device: Any = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.normalized_shape = _sizes("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make_parameters(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(_Scaled):
    """Each sample brought to mean square 1 over its last axes:  x / √(mean(x²) + ε) · weight; ε the machine's if None.

    x (..., *normalized_shape) -> y (same shape);  weight (*normalized_shape).  Source: Zhang and Sennrich 2019.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
                 device: Any = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.normalized_shape = _sizes("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make_parameters(self.normalized_shape, elementwise_affine, False, device, dtype)

    def forward(self, input: Any) -> Any:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Scaled):
    """Each group of channels of each sample brought to mean 0 and variance 1, then scaled and shifted by channel.

    x (N, C, ...) -> y (same shape);  weight and bias (C,), C a multiple of num_groups.  One group takes each sample as
    a whole, C groups each channel by itself.  Source: Wu and He 2018.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None, *, bias: bool = True) -> None:
        super().__init__()
        self.num_groups = count("GroupNorm", "num_groups", num_groups)
        self.num_channels = count("GroupNorm", "num_channels", num_channels)
        if not self.num_groups or self.num_channels % self.num_groups:
            raise ValueError(f"GroupNorm: num_channels must be divisible by num_groups; got {num_channels} and "
                             f"{num_groups}")
        self.eps, self.affine = eps, affine
        self._make_parameters(self.num_channels, affine, affine and bias, device, dtype)

    def forward(self, input: Any) -> Any:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, " \
               f"bias={self.bias is not None}"


class _ChannelNorm(_Scaled):
    """Statistics of channels, and running averages of them that stand in for them in evaluation."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    axes: tuple[int, ...]                     # the numbers of axes that an input may have
    shapes: str

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: Any = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__()
        self.num_features = n = count(type(self).__name__, "num_features", num_features)
        self.eps, self.momentum, self.affine, self.track_running_stats = eps, momentum, affine, track_running_stats
        self._make_parameters(n, affine, affine and bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(n, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(n, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(0) if tracked else None)

    def _channel_axis(self, ndim: int) -> int:
        return 1

    def reset_running_stats(self) -> None:
        """Running mean 0, variance 1, no batches counted."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and running statistics as at the start."""
        self.reset_running_stats()
        super().reset_parameters()

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class _BatchNorm(_ChannelNorm):
    """Each channel brought to mean 0 and variance 1 over the batch:  (x - mean) / √(var + ε) · weight + bias.

    In evaluation the running averages take the place of the batch's mean and variance; they move towards the batch's by
    `momentum` at each training step (None: plain average of all batches so far).  Source: Ioffe and Szegedy 2015.
    """

    def forward(self, input: Any) -> Any:
        shape = tuple(input.shape)
        if len(shape) not in self.axes or shape[1] != self.num_features:
            raise ShapeError(self._misfit(shape))
        tracked = self.track_running_stats or not self.training
        mean, var = (self.running_mean, self.running_var) if tracked else (None, None)
        counted = self.num_batches_tracked if self.training and tracked else None
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / (int(counted.value) + 1) if counted is not None else 0.0
        by_batch = self.training or (mean is None and var is None)
        out = F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)
        if counted is not None:
            counted.value = counted.value + np.int64(1)
        return out

    def _misfit(self, shape: tuple[int, ...]) -> str:
        n = self.num_features
        text = f"{type(self).__name__}({n}): expected an input {self.shapes} with {n} channels on axis 1; got shape " \
               f"{shape}"
        if len(shape) in self.axes and len(shape) > 2 and shape[-1] == n:
            return f"{text}: are the channels last? x.movedim(-1, 1) brings them there"
        other = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}.get(len(shape))
        if len(shape) not in self.axes and other and shape[1] == n:
            return f"{text}: {other} takes it"
        return text


class BatchNorm1d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    axes = (2, 3)
    shapes = "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    axes = (4,)
    shapes = "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    axes = (5,)
    shapes = "(N, C, D, H, W)"


class SyncBatchNorm(_BatchNorm):
    """Batch norm over the batches of all processes, (N, C, ...).  There is one process here: it is BatchNorm."""

    axes = tuple(range(2, 33))
    shapes = "(N, C, ...)"

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, process_group: Any = None, device: Any = None,
                 dtype: DTypeLike | None = None, *, bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """`module` with each BatchNorm in it, also in plain lists and dicts, in place changed for a SyncBatchNorm.

        The new layers take over parameters, buffers, names and mode.  A BatchNorm itself is not changed: its
        counterpart is returned.  A lazy one stays as it is; convert when it has seen an input.
        """
        return cls._converted(module, process_group, {})

    @classmethod
    def _converted(cls, part: Any, group: Any, done: dict[int, Any]) -> Any:
        if id(part) in done:
            return done[id(part)]
        done[id(part)] = part
        if isinstance(part, _BatchNorm) and not any(map(is_lazy, (*part.parameters(), *part.buffers()))):
            made = cls(part.num_features, part.eps, part.momentum, part.affine, part.track_running_stats, group,
                       bias=part.bias is not None)
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(made, name, getattr(part, name))
            made.training = part.training
            done[id(part)] = made
            return made
        if isinstance(part, Module):
            for name, inner in tuple(vars(part).items()):
                new = cls._converted(inner, group, done)
                if new is not inner:
                    setattr(part, name, new)
        elif type(part) in (list, dict):
            for key, inner in tuple(part.items() if isinstance(part, dict) else enumerate(part)):
                part[key] = cls._converted(inner, group, done)
        elif type(part) is tuple:
            parts = tuple(cls._converted(inner, group, done) for inner in part)
            return parts if any(a is not b for a, b in zip(parts, part)) else part
        return part


class _InstanceNorm(_ChannelNorm):
    """Each channel of each sample brought to mean 0 and variance 1:  (x - mean) / √(var + ε) · weight + bias.

    x with or without a batch axis.  By default nothing is learned or tracked; with track_running_stats the running
    averages are used in evaluation.  Source: Ulyanov et al. 2016.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
                 track_running_stats: bool = False, device: Any = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _channel_axis(self, ndim: int) -> int:
        return 1 if ndim == max(self.axes) else 0

    def forward(self, input: Any) -> Any:
        shape, who = tuple(input.shape), type(self).__name__
        if len(shape) not in self.axes:
            raise ShapeError(f"{who}({self.num_features}): expected an input {self.shapes}; got shape {shape}")
        axis = self._channel_axis(len(shape))
        if shape[axis] != self.num_features:
            if self.weight is not None or self.running_mean is not None:
                raise ShapeError(f"{who}({self.num_features}): expected an input {self.shapes} with "
                                 f"{self.num_features} channels on axis {axis}; got shape {shape}")
            warnings.warn(f"{who}({self.num_features}): the input {shape} has {shape[axis]} channels on axis {axis}; "
                          "nothing depends on num_features without affine, but one of the two is not what was meant",
                          stacklevel=2)
        batch = input if axis else input.reshape((1, *shape))
        momentum = 0.0 if self.momentum is None else self.momentum
        out = F.instance_norm(batch, self.running_mean, self.running_var, self.weight, self.bias,
                              self.training or not self.track_running_stats, momentum, self.eps)
        return out if axis else out.reshape(shape)


class InstanceNorm1d(_InstanceNorm):
    __doc__ = _InstanceNorm.__doc__
    axes = (2, 3)
    shapes = "(C, L) or (N, C, L)"


class InstanceNorm2d(_InstanceNorm):
    __doc__ = _InstanceNorm.__doc__
    axes = (3, 4)
    shapes = "(C, H, W) or (N, C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    __doc__ = _InstanceNorm.__doc__
    axes = (4, 5)
    shapes = "(C, D, H, W) or (N, C, D, H, W)"


class LocalResponseNorm(Module):
    """x / (k + α mean(x²))^β, the mean over `size` neighbouring channels:  x (N, C, ...) -> y (same shape).

    Source: Krizhevsky et al. 2012, 3.3, with PyTorch's mean in place of the sum.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = count(type(self).__name__, "size", size)
        self.alpha, self.beta, self.k = alpha, beta, k

    def forward(self, input: Any) -> Any:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """LocalResponseNorm of images (N, C, H, W), by an older name.

    PyTorch's layer of this name never takes channel 0 out of the sum once it has left the window; this one does.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Any) -> Any:
        if input.ndim != 4:
            raise ShapeError(f"CrossMapLRN2d: expected an input (N, C, H, W); got shape {tuple(input.shape)}")
        return super().forward(input)
