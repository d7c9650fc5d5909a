"""Layers that learn from the first input they see how wide it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import ShapeError

from . import convolution, normalization
from .linear import Linear
from .module import Module
from .parameter import UninitializedBuffer, UninitializedParameter, is_lazy

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class LazyModuleMixin(Module):
    """Base, beside Module, of layers that have UninitializedParameters until they are first called.

    Before the first forward `initialize_parameters` gets the inputs and must materialize them all; then the layer
    becomes one of the class `cls_to_become` (if any).  Cast the model first, call it with an input, then hand its
    parameters to an optimizer.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(_infer, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """For subclasses: materialize what is not initialized, to fit the inputs of forward."""
        raise NotImplementedError(f"{type(self).__name__} has no initialize_parameters(): define how the inputs give "
                                  "its parameters their shapes")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module is not initialized."""
        return any(map(is_lazy, (*self.parameters(recurse=False), *self.buffers(recurse=False))))

    def _leave_blank(self, dtype: Any, device: Any = None) -> None:
        """Put what is not initialized in the place of parameters, and of buffers but counters."""
        for name, _ in tuple(self.named_parameters(recurse=False)):
            setattr(self, name, UninitializedParameter(device=device, dtype=dtype))
        for name, buffer in tuple(self.named_buffers(recurse=False)):
            if buffer.ndim:
                setattr(self, name, UninitializedBuffer(device=device, dtype=dtype))


def _infer(module: Any, args: Any, kwargs: Any) -> None:
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise RuntimeError(f"{type(module).__name__} has not been fully initialized: initialize_parameters() left "
                           "something without a shape")
    module._initialize_hook.remove()
    del module._initialize_hook
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """Linear whose in_features are those of its first input."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_features, bias, device, dtype)
        self._leave_blank(dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, if there are any yet."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Take in_features from the last axis of the input."""
        if not input.ndim:
            raise ShapeError("LazyLinear: expected an input of at least one axis, (..., in_features); got a scalar")
        self.in_features = input.shape[-1]
        if is_lazy(self.weight):
            self.weight.materialize((self.out_features, self.in_features))    # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_features,))                   # type: ignore[attr-defined]
            self.reset_parameters()


class _LazyConvolution(LazyModuleMixin, convolution._Convolution):
    """What the lazy ones share."""

    def reset_parameters(self) -> None:
        """Draw the parameters anew, if there are any yet."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Any, *others: Any, **named: Any) -> None:
        """Take in_channels from the axis of the channels of the input."""
        d = self.axes
        if input.ndim not in (d + 1, d + 2):
            raise ShapeError(f"{type(self).__name__}: expected {d + 1}D (one sample) or {d + 2}D (a batch) input "
                             f"(N, C, ...); got shape {tuple(input.shape)}")
        self.in_channels = input.shape[-d - 1]
        if is_lazy(self.weight):
            if self.in_channels % self.groups:
                raise ValueError(f"{type(self).__name__}: in_channels must be divisible by groups; got "
                                 f"{self.in_channels} and groups {self.groups}")
            self.weight.materialize(self._weight_shape())                     # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))                   # type: ignore[attr-defined]
            self.reset_parameters()


class _LazyConv(_LazyConvolution):
    """A convolution whose in_channels are those of its first input."""

    def __init__(self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                 groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device,
                         dtype)
        self._leave_blank(dtype)


class LazyConv1d(_LazyConv, convolution.Conv1d):
    __doc__ = _LazyConv.__doc__
    cls_to_become = convolution.Conv1d


class LazyConv2d(_LazyConv, convolution.Conv2d):
    __doc__ = _LazyConv.__doc__
    cls_to_become = convolution.Conv2d


class LazyConv3d(_LazyConv, convolution.Conv3d):
    __doc__ = _LazyConv.__doc__
    cls_to_become = convolution.Conv3d


class _LazyConvTranspose(_LazyConvolution):
    """A transposed convolution whose in_channels are those of its first input."""

    def __init__(self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
                 groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation,
                         padding_mode, device, dtype)
        self._leave_blank(dtype)


class LazyConvTranspose1d(_LazyConvTranspose, convolution.ConvTranspose1d):
    __doc__ = _LazyConvTranspose.__doc__
    cls_to_become = convolution.ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, convolution.ConvTranspose2d):
    __doc__ = _LazyConvTranspose.__doc__
    cls_to_become = convolution.ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, convolution.ConvTranspose3d):
    __doc__ = _LazyConvTranspose.__doc__
    cls_to_become = convolution.ConvTranspose3d


class _LazyNorm(LazyModuleMixin, normalization._ChannelNorm):
    """A normalization whose num_features are the channels of its first input."""

    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: Any = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self._leave_blank(dtype)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and running statistics as at the start, if there are any yet."""
        if self.num_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Take num_features from the axis of the channels of the input."""
        if input.ndim not in self.axes:
            raise ShapeError(f"{type(self).__name__}: expected an input {self.shapes}; got shape {tuple(input.shape)}")
        self.num_features = input.shape[self._channel_axis(input.ndim)]
        if self.has_uninitialized_params():
            for tensor in (*self.parameters(), *self.buffers()):
                if is_lazy(tensor):
                    tensor.materialize((self.num_features,))                  # type: ignore[attr-defined]
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, normalization.BatchNorm1d):
    __doc__ = _LazyNorm.__doc__
    cls_to_become = normalization.BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, normalization.BatchNorm2d):
    __doc__ = _LazyNorm.__doc__
    cls_to_become = normalization.BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, normalization.BatchNorm3d):
    __doc__ = _LazyNorm.__doc__
    cls_to_become = normalization.BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, normalization.InstanceNorm1d):
    __doc__ = _LazyNorm.__doc__
    cls_to_become = normalization.InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, normalization.InstanceNorm2d):
    __doc__ = _LazyNorm.__doc__
    cls_to_become = normalization.InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, normalization.InstanceNorm3d):
    __doc__ = _LazyNorm.__doc__
    cls_to_become = normalization.InstanceNorm3d
