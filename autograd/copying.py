"""Copies of tensors: `copy`, `deepcopy` and `pickle`."""

from __future__ import annotations

from typing import Any

from .errors import GradientError
from .tensor import Parameter, Tensor, extra_of, wrap


def deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """A leaf with memory, gradient and name of its own; GradientError for a tensor that was computed."""
    if self.node is not None and self.node.op is not None:
        raise GradientError("only leaf tensors can be deep-copied; this one was computed by "
                            f"{self.node.op.name}: use detach() or clone()")
    copy = wrap(self.value.copy(), type(self))
    memo[id(self)] = copy
    if self.node is not None:
        copy.requires_grad_()
        if self.grad is not None:
            copy.grad = wrap(self.grad.value.copy())
    _told(copy, self.name)
    return copy


def reduce(self: Tensor) -> Any:
    """For pickle: a leaf by type, value, requires_grad and name; GradientError for a tensor that was computed."""
    if self.node is not None and self.node.op is not None:
        raise GradientError("only leaf tensors can be pickled; this one was computed by "
                            f"{self.node.op.name}: use detach()")
    return _rebuild, (type(self), self.value, self.node is not None, self.name)


def _rebuild(kind: type[Tensor], value: Any, requires_grad: bool, name: str) -> Tensor:
    tensor = wrap(value, kind)
    if requires_grad:
        tensor.requires_grad_()
    _told(tensor, name)
    return tensor


def _told(tensor: Tensor, name: str) -> None:
    """Note what a graph calls this leaf: by its name, and a parameter where it is one."""
    if name:
        tensor.name = name
    elif isinstance(tensor, Parameter):
        extra_of(tensor)


setattr(Tensor, "__deepcopy__", deepcopy)
setattr(Tensor, "__reduce__", reduce)
