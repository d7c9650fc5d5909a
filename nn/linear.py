"""Affine maps, and layers that only change the shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd import Parameter, ShapeError, affine, empty, flatten, unflatten
from autograd.devices import on_cpu

from . import functional as F
from . import init
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def count(layer: str, name: str, value: Any) -> int:
    """A size given by the user: an integer, 0 or more."""
    try:
        n = value.__index__()
    except AttributeError:
        raise TypeError(f"{layer}: {name} must be an integer; got {type(value).__name__} {value!r}"[:160]) from None
    if n < 0:
        raise ValueError(f"{layer}: {name} must not be negative; got {n}")
    return n


class Linear(Module):
    """Affine map of the last axis:  y = x W^T + b.

    x (..., in_features) -> y (..., out_features);  weight W (out_features, in_features), bias b (out_features,).
    Both start uniform in ±1/√in_features (He et al. 2015 with a = √5, as PyTorch does).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        on_cpu("Linear", device)
        self.in_features = count("Linear", "in_features", in_features)
        self.out_features = count("Linear", "out_features", out_features)
        self.weight = Parameter(empty(self.out_features, self.in_features, dtype=dtype))
        self.bias = Parameter(empty(self.out_features, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Any) -> Any:
        try:
            return affine(input, self.weight, self.bias)
        except ShapeError:
            shape = tuple(getattr(input, "shape", ()))
            if shape[-1:] == (self.in_features,):
                raise
            raise ShapeError(self._misfit(shape)) from None

    def _misfit(self, shape: tuple[int, ...]) -> str:
        n = self.in_features
        if not shape:
            fix = f"give it at least one axis, e.g. x.reshape(-1, {n})"
        elif len(shape) > 2 and math.prod(shape[1:]) == n:
            fix = "put nn.Flatten() before it, or x.flatten(1)"
        elif len(shape) == 2 and shape[0] == n:
            fix = "is it transposed? x.T fits"
        elif n == 1:
            fix = "x.unsqueeze(-1) adds the axis"
        else:
            fix = f"make the layer Linear({shape[-1]}, {self.out_features}), or mend what comes before it"
        got = f"{shape[-1]} in an input of shape {shape}" if shape else "a scalar"
        return f"Linear({self.extra_repr()}): expected axis -1 of the input to have {n} elements; got {got}: {fix}"

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """A bilinear map of two inputs:  y[k] = x1^T W[k] x2 + b[k].

    x1 (..., in1_features), x2 (..., in2_features) -> y (..., out_features);  weight W (out, in1, in2), bias b (out,).
    Both start uniform in ±1/√in1_features.
    """

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        on_cpu("Bilinear", device)
        self.in1_features = count("Bilinear", "in1_features", in1_features)
        self.in2_features = count("Bilinear", "in2_features", in2_features)
        self.out_features = count("Bilinear", "out_features", out_features)
        if not self.in1_features:
            raise ValueError("Bilinear: in1_features must be at least 1; got 0")
        self.weight = Parameter(empty(self.out_features, self.in1_features, self.in2_features, dtype=dtype))
        self.bias = Parameter(empty(self.out_features, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in1_features={self.in1_features}, in2_features={self.in2_features}, " \
               f"out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """The input itself.  Takes any arguments, to stand in for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """The axes from start_dim to end_dim as one:  x (N, ...) -> (N, n), the batch axis staying by default."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis as several:  Unflatten(1, (3, 4)) makes (N, 12) into (N, 3, 4).  One size may be -1."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
