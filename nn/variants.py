"""Activations of other libraries than PyTorch, as modules."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .activation import _Activation


class Squareplus(_Activation):
    """(x + √(x² + b)) / 2."""

    shown = ("b",)

    def __init__(self, b: float = 4.0) -> None:
        super().__init__()
        self.b = b

    def forward(self, input: Any) -> Any:
        return F.squareplus(input, self.b)


class QuickGELU(_Activation):
    """x sigmoid(1.702 x)."""

    def forward(self, input: Any) -> Any:
        return F.quick_gelu(input)


class ClippedReLU(_Activation):
    """min(max(x, 0), z)."""

    shown = ("z",)

    def __init__(self, z: float = 20.0) -> None:
        super().__init__()
        self.z = z

    def forward(self, input: Any) -> Any:
        return F.clipped_relu(input, self.z)


class _Along(_Activation):
    """What is done along one axis."""

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class CReLU(_Along):
    """max(x, 0) and max(-x, 0) one behind the other along `dim`, which gets twice as long."""

    def __init__(self, dim: int = 1) -> None:
        super().__init__(dim)

    def forward(self, input: Any) -> Any:
        return F.crelu(input, self.dim)


class SwiGLU(_Along):
    """silu(a) b,  x = [a, b] the halves of an axis."""

    def forward(self, input: Any) -> Any:
        return F.swiglu(input, self.dim)


class GEGLU(_Along):
    """gelu(a) b,  x = [a, b] the halves of an axis."""

    def forward(self, input: Any) -> Any:
        return F.geglu(input, self.dim)


class Sparsemax(_Along):
    """The point of the simplex nearest to x, along `dim`: shares as of softmax, but many of them 0."""

    def forward(self, input: Any) -> Any:
        return F.sparsemax(input, self.dim)
