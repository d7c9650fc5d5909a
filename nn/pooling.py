"""Layers that take the largest element or a mean of windows, and those that put elements back."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import ShapeError, as_tensor
from autograd.ops.windows import sizes

from . import functional as F
from .module import Module


class _Pool(Module):
    """Windows that slide over the last axes; `shown` names the settings that stand in the repr."""

    axes: int
    shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pool):
    """The largest element of each window:  x (N, C, *L) or (C, *L) -> y (N, C, *L'), with return_indices (y, places).

    L' = ⌊(L + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1, rounded up with ceil_mode; stride is
    kernel_size unless given.  The gradient goes to the first of equals.  Places count along the flattened L.
    """

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
                 return_indices: bool = False, ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode
        for name, least in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            sizes(getattr(self, name), self.axes, type(self).__name__, name, least)

    def forward(self, input: Any) -> Any:
        return (F.max_pool1d, F.max_pool2d, F.max_pool3d)[self.axes - 1](
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    __doc__ = _MaxPool.__doc__
    axes = 1


class MaxPool2d(_MaxPool):
    __doc__ = _MaxPool.__doc__
    axes = 2


class MaxPool3d(_MaxPool):
    __doc__ = _MaxPool.__doc__
    axes = 3


class _MaxUnpool(_Pool):
    """Zeros with each element of x where max pooling had found it:  x (N, C, *L') and its places -> y (N, C, *L).

    Give the layer `output_size` where several L lead to one L'.
    """

    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        who, d = type(self).__name__, self.axes
        self.kernel_size = sizes(kernel_size, d, who, "kernel_size")
        self.stride = self.kernel_size if stride is None else sizes(stride, d, who, "stride")
        self.padding = sizes(padding, d, who, "padding", 0)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        return (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self.axes - 1](
            input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    __doc__ = _MaxUnpool.__doc__
    axes = 1


class MaxUnpool2d(_MaxUnpool):
    __doc__ = _MaxUnpool.__doc__
    axes = 2


class MaxUnpool3d(_MaxUnpool):
    __doc__ = _MaxUnpool.__doc__
    axes = 3


class AvgPool1d(_Pool):
    """The mean of each window:  x (N, C, L) or (C, L) -> y (N, C, L').  stride is kernel_size unless given.

    L' = ⌊(L + 2 padding - kernel_size) / stride⌋ + 1, rounded up with ceil_mode.  Zeros of the padding count as
    elements unless count_include_pad is False.
    """

    axes = 1
    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True) -> None:
        super().__init__()
        self.kernel_size = sizes(kernel_size, 1, "AvgPool1d", "kernel_size")
        self.stride = self.kernel_size if stride is None else sizes(stride, 1, "AvgPool1d", "stride")
        self.padding = sizes(padding, 1, "AvgPool1d", "padding", 0)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Any) -> Any:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPool(_Pool):
    """The mean of each window:  x (N, C, *L) or (C, *L) -> y (N, C, *L').  stride is kernel_size unless given.

    L' = ⌊(L + 2 padding - kernel_size) / stride⌋ + 1, rounded up with ceil_mode.  Zeros of the padding count as
    elements unless count_include_pad is False; divisor_override takes the place of the count.
    """

    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True, divisor_override: int | None = None) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override
        for name, least in (("kernel_size", 1), ("stride", 1), ("padding", 0)):
            sizes(getattr(self, name), self.axes, type(self).__name__, name, least)

    def forward(self, input: Any) -> Any:
        return (F.avg_pool2d, F.avg_pool3d)[self.axes - 2](
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override)


class AvgPool2d(_AvgPool):
    __doc__ = _AvgPool.__doc__
    axes = 2


class AvgPool3d(_AvgPool):
    __doc__ = _AvgPool.__doc__
    axes = 3


class _LPPool(_Pool):
    """The power sum of each window:  (Σ x^p)^(1/p),  x (N, C, *L) or (C, *L) -> y (N, C, *L').

    p = 1 is the sum, a large p comes near the maximum.  stride is kernel_size unless given.
    """

    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, input: Any) -> Any:
        return (F.lp_pool1d, F.lp_pool2d, F.lp_pool3d)[self.axes - 1](
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    __doc__ = _LPPool.__doc__
    axes = 1


class LPPool2d(_LPPool):
    __doc__ = _LPPool.__doc__
    axes = 2


class LPPool3d(_LPPool):
    __doc__ = _LPPool.__doc__
    axes = 3


class _AdaptiveAvgPool(_Pool):
    """The means of windows that cover the input evenly:  x (N, C, *L) or (C, *L) -> y (N, C, *output_size).

    Window i of m reaches from ⌊i L / m⌋ to ⌈(i + 1) L / m⌉; None in output_size keeps an axis; 1 is the global mean.
    """

    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        return (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[self.axes - 1](
            input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    __doc__ = _AdaptiveAvgPool.__doc__
    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    __doc__ = _AdaptiveAvgPool.__doc__
    axes = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    __doc__ = _AdaptiveAvgPool.__doc__
    axes = 3


class GlobalAvgPool(Module):
    """The mean of each channel:  x (N, C, *L) -> y (N, C), with keepdim (N, C, 1, ...)."""

    def __init__(self, keepdim: bool = False) -> None:
        super().__init__()
        self.keepdim = keepdim

    def forward(self, input: Any) -> Any:
        return autograd.mean(input, dim=_places(self, input), keepdim=self.keepdim)

    def extra_repr(self) -> str:
        return f"keepdim={self.keepdim}"


class GlobalMaxPool(GlobalAvgPool):
    """The largest element of each channel:  x (N, C, *L) -> y (N, C), with keepdim (N, C, 1, ...)."""

    def forward(self, input: Any) -> Any:
        return autograd.amax(input, dim=_places(self, input), keepdim=self.keepdim)


def _places(layer: Module, input: Any) -> tuple[int, ...]:
    if input.ndim < 3:
        raise ShapeError(f"{type(layer).__name__}: expected an input (N, C, *L); got shape {tuple(input.shape)}")
    return tuple(range(2, input.ndim))


class _AdaptiveMaxPool(_Pool):
    """The largest elements of windows that cover the input evenly:  x (N, C, *L) or (C, *L) -> y (N, C, *output_size).

    Window i of m reaches from ⌊i L / m⌋ to ⌈(i + 1) L / m⌉.  With return_indices (y, places along the flattened L).
    """

    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Any) -> Any:
        return (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[self.axes - 1](
            input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    __doc__ = _AdaptiveMaxPool.__doc__
    axes = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    __doc__ = _AdaptiveMaxPool.__doc__
    axes = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    __doc__ = _AdaptiveMaxPool.__doc__
    axes = 3


class _FractionalMaxPool(_Pool):
    """The largest elements of windows of one size at random, almost even distances (Graham 2014).

    x (N, C, *L) or (C, *L) -> y (N, C, *output_size); in place of output_size, output_ratio in (0, 1) gives its share
    of L.  With return_indices (y, places along the flattened L).  Draws from `autograd.default_rng()` unless
    _random_samples (N, C, number of axes), in [0, 1), are given.
    """

    _random_samples: Any

    def __init__(self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
                 return_indices: bool = False, _random_samples: Any = None) -> None:
        super().__init__()
        who, d = type(self).__name__, self.axes
        self.kernel_size, self.return_indices = sizes(kernel_size, d, who, "kernel_size"), return_indices
        self.register_buffer("_random_samples", None if _random_samples is None else as_tensor(_random_samples))
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{who}: exactly one of output_size and output_ratio must be given; got "
                             f"output_size={output_size!r}, output_ratio={output_ratio!r}")
        self.output_size = None if output_size is None else sizes(output_size, d, who, "output_size")
        self.output_ratio = output_ratio if output_ratio is None or isinstance(output_ratio, (tuple, list)) else \
            (output_ratio,) * d
        if self.output_ratio is not None and (len(self.output_ratio) != d or
                                              not all(0 < r < 1 for r in self.output_ratio)):
            raise ValueError(f"{who}: output_ratio must be between 0 and 1, for each of {d} axes; got {output_ratio!r}")

    def forward(self, input: Any) -> Any:
        samples = self._random_samples
        if samples is not None and samples.ndim:                            # those of a larger batch will do
            samples = samples[:input.shape[0] if input.ndim == self.axes + 2 else 1]
        return (F.fractional_max_pool2d, F.fractional_max_pool3d)[self.axes - 2](
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, samples)


class FractionalMaxPool2d(_FractionalMaxPool):
    __doc__ = _FractionalMaxPool.__doc__
    axes = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    __doc__ = _FractionalMaxPool.__doc__
    axes = 3
