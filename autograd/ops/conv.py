"""PyTorch's convolutions: their arguments, checked before anything is allocated, and brought to the three ops."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from .composed import composed
from .linear import reshape
from .sliding import convolution, convolution_transpose
from .windows import check_axes, exact, out_size, reach, sizes


def _fit(x: Any, weight: Any, bias: Any, d: int, groups: int, who: str, transposed: bool = False) -> None:
    """Shapes, checked before anything is allocated."""
    check_axes(x, d, who)
    if weight.ndim != d + 2:
        raise ShapeError(f"{who}: expected a weight of {d + 2} axes; got shape {tuple(weight.shape)}")
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        raise ValueError(f"{who}: expected groups to be a positive int; got {groups!r}")
    if (not transposed and weight.shape[0] % groups) or min(weight.shape[:1] + weight.shape[2:], default=1) < 1:
        raise ShapeError(f"{who}: Given groups={groups}, expected weight to be at least {groups} at dimension 0, its "
                         f"size divisible by {groups}, and no kernel of size 0; got weight {tuple(weight.shape)}")
    channels, expected = x.shape[-d - 1], weight.shape[0] if transposed else weight.shape[1] * groups
    if channels != expected:
        raise ShapeError(f"{who}: Given groups={groups}, weight of size {tuple(weight.shape)}, expected input "
                         f"{tuple(x.shape)} to have {expected} channels, but got {channels} channels instead")
    if transposed and channels % groups:
        raise ShapeError(f"{who}: expected the channels to be divisible by groups={groups}; got {channels}")
    made = weight.shape[1] * groups if transposed else weight.shape[0]
    if bias is not None and tuple(bias.shape) != (made,):
        raise ShapeError(f"{who}: Given weight of size {tuple(weight.shape)}, expected bias to be 1-dimensional with "
                         f"{made} elements, but got bias of size {tuple(bias.shape)} instead")


def _conv(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int, d: int) -> Any:
    who = f"conv{d}d"
    _fit(x, weight, bias, d, groups, who)
    if x.ndim == d + 1:
        return _conv(x.reshape((1, *x.shape)), weight, bias, stride, padding, dilation, groups, d)[0]
    kernel, size = tuple(weight.shape[2:]), tuple(x.shape[2:])
    step, spread = sizes(stride, d, who, "stride"), sizes(dilation, d, who, "dilation")
    span = reach(kernel, spread)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"{who}: expected padding to be an int, a tuple, 'same' or 'valid'; got {padding!r}")
        if padding == "same" and set(step) != {1}:
            raise ValueError(f"{who}: padding='same' is not supported for strided convolutions; got stride {stride}")
        pairs = tuple(((r - 1) // 2, r // 2) if padding == "same" else (0, 0) for r in span)
    else:
        pairs = tuple((p, p) for p in sizes(padding, d, who, "padding", 0))
    room = tuple(n + a + b for n, (a, b) in zip(size, pairs))
    if any(n < r for n, r in zip(room, span)):
        raise ShapeError(f"{who}: Calculated padded input size per channel: {room}. Kernel size: {kernel}"
                         f"{'' if set(spread) == {1} else f', which spans {span} with dilation {spread}'}. "
                         "Kernel size can't be greater than actual input size")
    out = out_size(size, pairs, kernel, step, spread)
    pairs = exact(size, out, tuple(a for a, _ in pairs), kernel, step, spread)
    return convolution(x, weight, bias, stride=step, padding=pairs, dilation=spread, groups=groups)


def _conv_transpose(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int,
                    dilation: Any, d: int) -> Any:
    who = f"conv_transpose{d}d"
    _fit(x, weight, bias, d, groups, who, transposed=True)
    if x.ndim == d + 1:
        return _conv_transpose(x.reshape((1, *x.shape)), weight, bias, stride, padding, output_padding, groups,
                               dilation, d)[0]
    kernel = tuple(weight.shape[2:])
    step, spread = sizes(stride, d, who, "stride"), sizes(dilation, d, who, "dilation")
    before, more = sizes(padding, d, who, "padding", 0), sizes(output_padding, d, who, "output_padding", 0)
    if any(m >= max(s, e) for m, s, e in zip(more, step, spread)):
        raise ValueError(f"{who}: output padding must be smaller than either stride or dilation; got output_padding "
                         f"{more}, stride {step}, dilation {spread}")
    size = tuple((n - 1) * s - 2 * p + r + m
                 for n, s, p, r, m in zip(x.shape[2:], step, before, reach(kernel, spread), more))
    if min(size) < 1:
        raise ShapeError(f"{who}: Given input size per channel: {tuple(x.shape[2:])}. Calculated output size per "
                         f"channel: {size}. Output size is too small: less padding than {before}, or a larger kernel")
    pairs = tuple((p, p - m) for p, m in zip(before, more))
    y = convolution_transpose(x, weight, size=size, stride=step, padding=pairs, dilation=spread, groups=groups)
    return y if bias is None else y + reshape(bias, shape=(1, -1, *(1,) * d))


@composed
def conv1d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> Any:
    """Cross-correlation along one axis:  x (N, C, L), weight (O, C / groups, k), bias (O,) -> (N, O, out)."""
    return _conv(x, weight, bias, stride, padding, dilation, groups, 1)


@composed
def conv2d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> Any:
    """Cross-correlation of images:  x (N, C, H, W), weight (O, C / groups, kh, kw), bias (O,) -> (N, O, H', W').

    H' = ⌊(H + 2 padding - dilation (kh - 1) - 1) / stride⌋ + 1.  `padding` may be 'same' or 'valid'.
    """
    return _conv(x, weight, bias, stride, padding, dilation, groups, 2)


@composed
def conv3d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> Any:
    """Cross-correlation of volumes:  x (N, C, D, H, W), weight (O, C / groups, kd, kh, kw) -> (N, O, D', H', W')."""
    return _conv(x, weight, bias, stride, padding, dilation, groups, 3)


@composed
def conv_transpose1d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Any:
    """The transpose of `conv1d`:  x (N, C, L), weight (C, O / groups, k) -> (N, O, (L - 1) stride - 2 padding + k)."""
    return _conv_transpose(x, weight, bias, stride, padding, output_padding, groups, dilation, 1)


@composed
def conv_transpose2d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Any:
    """The transpose of `conv2d`:  x (N, C, H, W), weight (C, O / groups, kh, kw) -> (N, O, H', W').

    H' = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1.
    """
    return _conv_transpose(x, weight, bias, stride, padding, output_padding, groups, dilation, 2)


@composed
def conv_transpose3d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Any:
    """The transpose of `conv3d`:  x (N, C, D, H, W), weight (C, O / groups, kd, kh, kw) -> (N, O, D', H', W')."""
    return _conv_transpose(x, weight, bias, stride, padding, output_padding, groups, dilation, 3)
