"""Convolutions and their transposes along one, two and three axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd import Parameter, ShapeError, empty
from autograd.devices import on_cpu
from autograd.ops.windows import reach, sizes

from . import functional as F
from . import init
from .linear import count
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What all of them share: sizes, parameters and their first values, the repr."""

    axes: int                                 # spatial ones
    transposed = False

    def _prepare(self, in_channels: Any, out_channels: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
                 output_padding: Any, groups: Any, bias: bool, padding_mode: str, device: Any, dtype: Any) -> None:
        who, d = type(self).__name__, self.axes
        on_cpu(who, device)
        self.in_channels = count(who, "in_channels", in_channels)
        self.out_channels = count(who, "out_channels", out_channels)
        self.groups = count(who, "groups", groups)
        if self.groups < 1:
            raise ValueError(f"{who}: groups must be a positive integer; got {groups}")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(f"{who}: {name} must be divisible by groups; got {getattr(self, name)} and groups "
                                 f"{groups}")
        self.kernel_size = sizes(kernel_size, d, who, "kernel_size")
        self.stride, self.dilation = sizes(stride, d, who, "stride"), sizes(dilation, d, who, "dilation")
        self.output_padding = sizes(output_padding, d, who, "output_padding", 0)
        named = isinstance(padding, str) and not self.transposed
        self.padding: Any = padding if named else sizes(padding, d, who, "padding", 0)
        if named:
            if padding not in ("same", "valid"):
                raise ValueError(f"{who}: padding must be an int, a tuple of {d}, 'same' or 'valid'; got {padding!r}")
            if padding == "same" and set(self.stride) != {1}:
                raise ValueError(f"{who}: padding='same' is not supported for strided convolutions; got stride "
                                 f"{self.stride}")
        if padding_mode not in _MODES:
            raise ValueError(f"{who}: padding_mode must be one of {', '.join(_MODES)}; got {padding_mode!r}")
        self.padding_mode = padding_mode
        self._make_parameters(bias, dtype)

    def _weight_shape(self) -> tuple[int, ...]:
        if self.transposed:
            return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def _make_parameters(self, bias: bool, dtype: Any) -> None:
        self.weight = Parameter(empty(self._weight_shape(), dtype=dtype))
        self.bias = Parameter(empty(self.out_channels, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in ±1/√n, n = weight.shape[1] · kernel elements (as PyTorch does)."""
        shape = self._weight_shape()
        n = math.prod(shape[1:])
        if math.prod(shape):
            init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(n) if n else 0.0
            init.uniform_(self.bias, -bound, bound)

    def _misfit(self, shape: tuple[int, ...]) -> str:
        """What to say of an input that the layer cannot take; "" where something else is wrong."""
        d, n = self.axes, self.in_channels
        wanted = ("(C, L)", "(C, H, W)", "(C, D, H, W)")[d - 1]
        if len(shape) == d + 2 or len(shape) == d + 1:
            if shape[-d - 1] == n:
                return ""
            if shape[-1] == n:
                order = (*range(len(shape) - d - 1), len(shape) - 1, *range(len(shape) - d - 1, len(shape) - 1))
                fix = f"are the channels last? x.permute{order} brings them to the front"
            elif len(shape) == d + 1 and n == 1:
                fix = "if that is a batch, x.unsqueeze(1) adds the channel"
            else:
                fix = f"make the layer {type(self).__name__}({shape[-d - 1]}, {self.out_channels}, ...), or mend " \
                      "what comes before it"
            got = f"{shape[-d - 1]} in an input of shape {shape}"
        elif len(shape) == d and n == 1:
            got, fix = f"shape {shape}", "x.unsqueeze(0) adds the channel"
        else:
            got, fix = f"shape {shape}", f"{d + 2} axes are a batch, {d + 1} one sample"
        return f"{type(self).__name__}({self.extra_repr()}): expected an input (N, {wanted[1:]} or {wanted} with {n} " \
               f"channels; got {got}: {fix}"

    def extra_repr(self) -> str:
        d = self.axes
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        plain: Any = {"padding": (0,) * d, "dilation": (1,) * d, "output_padding": (0,) * d, "groups": 1}
        for name in plain:
            value = getattr(self, name)
            parts += [f"{name}={value}"] * (value != plain[name])
        parts += ["bias=False"] * (self.bias is None)
        parts += [f"padding_mode={self.padding_mode}"] * (self.padding_mode != "zeros")
        return ", ".join(parts)


class _Conv(_Convolution):
    """Cross-correlation with learned kernels:  y[n, o] = bias[o] + Σ_c weight[o, c] ⋆ x[n, c].

    x (N, C, *L) or (C, *L) -> y (N, O, *L'),  L' = ⌊(L + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1.
    weight (O, C / groups, *kernel), bias (O,): uniform in ±1/√n at the start, n = C / groups · kernel elements.
    `padding` may be "same" or "valid"; `padding_mode` says what it is filled with: "zeros", "reflect", "replicate",
    "circular".  groups = C makes a depthwise convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self._prepare(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
                      device, dtype)

    def forward(self, input: Any) -> Any:
        padding: Any = self.padding
        try:
            if self.padding_mode != "zeros":
                input, padding = F.pad(input, self._border(), self.padding_mode), 0
            return (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1](
                input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        except ShapeError:
            text = self._misfit(tuple(input.shape))
            if not text:
                raise
            raise ShapeError(text) from None

    def _border(self) -> list[int]:
        """(before, after) of each axis, the last axis first."""
        border = []
        for j in reversed(range(self.axes)):
            if isinstance(self.padding, str):
                more = reach(self.kernel_size, self.dilation)[j] - 1 if self.padding == "same" else 0
                border += [more // 2, more - more // 2]
            else:
                border += [self.padding[j]] * 2
        return border


class Conv1d(_Conv):
    __doc__ = _Conv.__doc__
    axes = 1


class Conv2d(_Conv):
    __doc__ = _Conv.__doc__
    axes = 2


class Conv3d(_Conv):
    __doc__ = _Conv.__doc__
    axes = 3


class _ConvTranspose(_Convolution):
    """The transpose of the convolution with the same settings, which maps the shape of its output back to its input's.

    x (N, C, *L) or (C, *L) -> y (N, O, *L'),
    L' = (L - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1;  weight (C, O / groups, *kernel),
    bias (O,): uniform in ±1/√n at the start, n = O / groups · kernel elements.  Several L lead to one L' of the
    convolution: `output_padding`, or `output_size` when the layer is called, says which.
    """

    transposed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1,
                 padding_mode: str = "zeros", device: Any = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__}: only padding_mode 'zeros' is supported; got {padding_mode!r}")
        self._prepare(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
                      padding_mode, device, dtype)

    def forward(self, input: Any, output_size: Any = None) -> Any:
        extra = self.output_padding if output_size is None else self._extra(tuple(input.shape), output_size)
        try:
            return (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.axes - 1](
                input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)
        except ShapeError:
            text = self._misfit(tuple(input.shape))
            if not text:
                raise
            raise ShapeError(text) from None

    def _extra(self, shape: tuple[int, ...], output_size: Any) -> tuple[int, ...]:
        """The output padding that leads to a size; ValueError where none does."""
        d, wanted = self.axes, tuple(int(n) for n in output_size)
        if len(wanted) not in (d, d + 1, d + 2):
            raise ValueError(f"{type(self).__name__}: output_size must have {d} elements, or {len(shape)} with batch "
                             f"and channels; got {wanted}")
        wanted = wanted[-d:]
        least = tuple((n - 1) * s - 2 * p + r for n, s, p, r in zip(
            shape[-d:], self.stride, self.padding, reach(self.kernel_size, self.dilation)))
        most = tuple(n + s - 1 for n, s in zip(least, self.stride))
        if not all(low <= n <= high for low, n, high in zip(least, wanted, most)):
            raise ValueError(f"{type(self).__name__}: requested an output size of {wanted}, but valid sizes range from "
                             f"{least} to {most} (for an input of {shape[-d:]})")
        return tuple(n - low for n, low in zip(wanted, least))


class ConvTranspose1d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    axes = 1


class ConvTranspose2d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    axes = 2


class ConvTranspose3d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    axes = 3
