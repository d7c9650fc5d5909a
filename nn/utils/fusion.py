"""A linear map and the batch norm behind it as one map, for evaluation.

BatchNorm in evaluation is  y = (x - m) / √(v + ε) · γ + β,  linear per channel, so it goes into weight and bias.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from autograd import Parameter, Tensor, no_grad, ones_like, zeros_like


def _scaled(weight: Any, bias: Any, mean: Any, var: Any, eps: float, gamma: Any, beta: Any,
            axis: int) -> tuple[Parameter, Parameter]:
    with no_grad():
        scale = (var + eps) ** -0.5 * (ones_like(mean) if gamma is None else gamma)
        bias = zeros_like(mean) if bias is None else bias
        shape = [-1 if k == axis else 1 for k in range(weight.ndim)]
        fused = weight * scale.reshape(*shape)
        shift = (bias - mean) * scale + (0 if beta is None else beta)
    learned = [bool(getattr(t, "requires_grad", True)) for t in (weight, bias)]
    return (Parameter(Tensor(fused.value.astype(weight.dtype)), learned[0]),
            Parameter(Tensor(shift.value.astype(weight.dtype)), learned[1]))


def fuse_conv_bn_weights(conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any,
                         transpose: bool = False) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution (transposed: output channels are axis 1) with a batch norm behind it."""
    return _scaled(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any,
                           bn_b: Any) -> tuple[Parameter, Parameter]:
    """Weight and bias of a Linear with a batch norm behind it."""
    return _scaled(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fused(who: str, layer: Any, bn: Any, axis: int) -> Any:
    if layer.training or bn.training:
        raise RuntimeError(f"{who}: fusion is for evaluation only: call eval() on both first")
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(f"{who}: this {type(bn).__name__} has no running statistics (track_running_stats=False)")
    made = deepcopy(layer)
    made.weight, made.bias = _scaled(layer.weight, layer.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                     bn.bias, axis)
    return made


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A new convolution that does what `conv` and then `bn` do in evaluation mode; both stay as they are."""
    return _fused("fuse_conv_bn_eval", conv, bn, 1 if transpose else 0)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A new Linear that does what `linear` and then `bn` do in evaluation mode; both stay as they are."""
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise ValueError(f"fuse_linear_bn_eval: the Linear gives {linear.out_features} features, the norm takes "
                         f"{bn.num_features}")
    return _fused("fuse_linear_bn_eval", linear, bn, 0)
