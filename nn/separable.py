"""Convolutions of each channel by itself, and those followed by a mixture of the channels (Chollet 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .convolution import Conv1d, Conv2d
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class DepthwiseConv1d(Conv1d):
    """Each channel convolved by kernels of its own:  x (N, C, L) -> y (N, C depth_multiplier, L').

    `Conv1d` with groups = C; channel c makes channels c depth_multiplier, ..., (c + 1) depth_multiplier - 1.
    """

    def __init__(self, in_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                 depth_multiplier: int = 1, bias: bool = True, padding_mode: str = "zeros", *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(in_channels, in_channels * depth_multiplier, kernel_size, stride, padding, dilation,
                         in_channels, bias, padding_mode, dtype=dtype)


class DepthwiseConv2d(Conv2d):
    """Each channel convolved by kernels of its own:  x (N, C, H, W) -> y (N, C depth_multiplier, H', W').

    `Conv2d` with groups = C; channel c makes channels c depth_multiplier, ..., (c + 1) depth_multiplier - 1.
    """

    def __init__(self, in_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                 depth_multiplier: int = 1, bias: bool = True, padding_mode: str = "zeros", *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(in_channels, in_channels * depth_multiplier, kernel_size, stride, padding, dilation,
                         in_channels, bias, padding_mode, dtype=dtype)


class SeparableConv1d(Module):
    """A depthwise convolution without bias, then one of kernel size 1:  x (N, C, L) -> y (N, out_channels, L').

    C kernel + C out_channels weights in place of C kernel out_channels.  Parts: `depthwise`, `pointwise`.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, depth_multiplier: int = 1, bias: bool = True, padding_mode: str = "zeros", *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv1d(in_channels, kernel_size, stride, padding, dilation, depth_multiplier, False,
                                         padding_mode, dtype=dtype)
        self.pointwise = Conv1d(in_channels * depth_multiplier, out_channels, 1, bias=bias, dtype=dtype)

    def forward(self, input: Any) -> Any:
        return self.pointwise(self.depthwise(input))


class SeparableConv2d(Module):
    """A depthwise convolution without bias, then one of kernel size 1:  x (N, C, H, W) -> y (N, out_channels, H', W').

    C kernel² + C out_channels weights in place of C kernel² out_channels.  Parts: `depthwise`, `pointwise`.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, depth_multiplier: int = 1, bias: bool = True, padding_mode: str = "zeros", *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv2d(in_channels, kernel_size, stride, padding, dilation, depth_multiplier, False,
                                         padding_mode, dtype=dtype)
        self.pointwise = Conv2d(in_channels * depth_multiplier, out_channels, 1, bias=bias, dtype=dtype)

    def forward(self, input: Any) -> Any:
        return self.pointwise(self.depthwise(input))
