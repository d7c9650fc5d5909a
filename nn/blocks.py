"""Small layers and blocks of other libraries than PyTorch: maxout, highways, scales, cropping, a layer at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import autograd
from autograd import Parameter, ShapeError, ones, zeros

from . import functional as F
from . import init
from .activation import ReLU
from .containers import Sequential
from .dropout import Dropout
from .linear import Linear, count
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class MLP(Sequential):
    """Linear layers with an activation, and dropout, between them:  MLP(2, 16, 16, 1) is 2 -> 16 -> 16 -> 1.

    `activation` makes the module that stands behind each layer but the last; x (..., sizes[0]) -> y (..., sizes[-1]).
    """

    def __init__(self, *sizes: int, activation: Callable[[], Module] = ReLU, dropout: float = 0.0, bias: bool = True,
                 dtype: DTypeLike | None = None) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP: expected the sizes of input and output at least, MLP(2, 16, 1); got {sizes}")
        layers: list[Module] = []
        for i, (into, out) in enumerate(pairwise(sizes)):
            if i:
                layers += [activation(), *([Dropout(dropout)] if dropout else [])]
            layers.append(Linear(into, out, bias, dtype=dtype))
        super().__init__(*layers)


class Maxout(Linear):
    """The largest of several linear maps, unit by unit:  y = max_k (W[k] x + b[k]) (Goodfellow et al. 2013).

    x (..., in_features) -> y (..., out_features);  weight (out_features · pieces, in_features), the pieces of a unit
    beside one another.
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        if count("Maxout", "pieces", pieces) < 1:
            raise ValueError(f"Maxout: pieces must be at least 1; got {pieces}")
        super().__init__(in_features, out_features * pieces, bias, dtype=dtype)
        self.pieces = pieces

    def forward(self, input: Any) -> Any:
        y = super().forward(input)
        return autograd.amax(autograd.reshape(y, shape=(*y.shape[:-1], -1, self.pieces)), dim=-1)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, pieces={self.pieces}"


class Highway(Module):
    """t f(W x + b) + (1 - t) x,  t = sigmoid(W' x + b'):  x (..., size) -> y (same shape) (Srivastava et al. 2015).

    b' starts at -1, so that at first most of x goes through.  Parts: `plain`, `gate`.
    """

    def __init__(self, size: int, activation: Callable[[Any], Any] = F.relu, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.plain, self.gate = Linear(size, size, dtype=dtype), Linear(size, size, dtype=dtype)
        self.activation = activation
        assert self.gate.bias is not None
        init.constant_(self.gate.bias, -1.0)

    def forward(self, input: Any) -> Any:
        t = autograd.sigmoid(self.gate(input))
        return t * self.activation(self.plain(input)) + (1 - t) * input


class Scale(Module):
    """weight x + bias, element by element along the axes from `dim` on, as those of `shape`:  at first x itself.

    x (N, C, H, W) with Scale(C): one weight and one bias for each channel.
    """

    def __init__(self, shape: int | Sequence[int], dim: int = 1, bias: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.shape, self.dim = (shape,) if isinstance(shape, int) else tuple(shape), dim
        self.weight = Parameter(ones(self.shape, dtype=dtype))
        self.bias = Parameter(zeros(self.shape, dtype=dtype)) if bias else None

    def forward(self, input: Any) -> Any:
        dim = self.dim % max(input.ndim, 1)
        if tuple(input.shape[dim:dim + len(self.shape)]) != self.shape:
            raise ShapeError(f"Scale: expected an input whose axes from {self.dim} on are {self.shape}; got shape "
                             f"{tuple(input.shape)}")
        shape = (*self.shape, *(1,) * (input.ndim - dim - len(self.shape)))
        y = input * autograd.reshape(self.weight, shape=shape)
        return y if self.bias is None else y + autograd.reshape(self.bias, shape=shape)

    def extra_repr(self) -> str:
        return f"{self.shape}, dim={self.dim}, bias={self.bias is not None}"


class UnitNormalization(Module):
    """x / ‖x‖ along `dim`, an axis or several: vectors of norm 1."""

    def __init__(self, dim: int | tuple[int, ...] = -1, eps: float = 1e-12) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, input: Any) -> Any:
        return F.normalize(input, 2.0, self.dim, self.eps)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class RepeatVector(Module):
    """The same vector n times in a row:  x (N, k) -> y (N, n, k)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = count("RepeatVector", "n", n)

    def forward(self, input: Any) -> Any:
        if input.ndim != 2:
            raise ShapeError(f"RepeatVector: expected an input (N, k); got shape {tuple(input.shape)}")
        return autograd.expand(autograd.unsqueeze(input, 1), shape=(input.shape[0], self.n, input.shape[1]))

    def extra_repr(self) -> str:
        return f"{self.n}"


class _Cropping(Module):
    """What is cut away at both ends of the last axes: one number for all, or (before, after) of the last axis, ..."""

    axes: int

    def __init__(self, cropping: int | Sequence[int]) -> None:
        super().__init__()
        who, n = type(self).__name__, 2 * self.axes
        given = (cropping,) * n if isinstance(cropping, int) else tuple(cropping)
        if len(given) != n or any(count(who, "cropping", k) < 0 for k in given):
            raise ValueError(f"{who}: cropping must be a number or {n} of them, (before, after) of the last axis "
                             f"first, none negative; got {cropping!r}")
        self.cropping = given

    def forward(self, input: Any) -> Any:
        if input.ndim < self.axes:
            raise ShapeError(f"{type(self).__name__}: expected {self.axes} axes or more; got shape "
                             f"{tuple(input.shape)}")
        return F.pad(input, [-k for k in self.cropping])

    def extra_repr(self) -> str:
        return f"{self.cropping}"


class Cropping1d(_Cropping):
    __doc__ = _Cropping.__doc__
    axes = 1


class Cropping2d(_Cropping):
    __doc__ = _Cropping.__doc__
    axes = 2


class Cropping3d(_Cropping):
    __doc__ = _Cropping.__doc__
    axes = 3


class TimeDistributed(Module):
    """A layer at each step of a sequence:  x (N, T, ...) -> y (N, T, ...), the layer being given (N T, ...)."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, input: Any) -> Any:
        if input.ndim < 2:
            raise ShapeError(f"TimeDistributed: expected an input (N, T, ...); got shape {tuple(input.shape)}")
        n, steps, *rest = input.shape
        y = self.module(autograd.reshape(input, shape=(n * steps, *rest)))
        return autograd.reshape(y, shape=(n, steps, *y.shape[1:]))
