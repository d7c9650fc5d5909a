"""Layers that bring several inputs together, given as arguments or as one list, and any function as a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import autograd
from autograd import ShapeError

from .module import Module


class Lambda(Module):
    """A function as a layer:  Lambda(f)(x) = f(x)."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        if not callable(function):
            raise TypeError(f"Lambda: expected a function; got {type(function).__name__}")
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)


class _Merge(Module):
    """Two inputs or more, of one shape or such that broadcast:  layer(a, b) or layer([a, b])."""

    def forward(self, *inputs: Any) -> Any:
        given = list(inputs[0]) if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) else list(inputs)
        if len(given) < 2:
            raise TypeError(f"{type(self).__name__}: expected two inputs or more; got {len(given)}")
        return self.merged(given)

    def merged(self, given: list[Any]) -> Any:
        """What becomes of the inputs."""
        raise NotImplementedError


class Add(_Merge):
    """a + b + ...;  inputs as arguments or as one list, of shapes that broadcast."""

    def merged(self, given: list[Any]) -> Any:
        return reduce(add, given)


class Subtract(_Merge):
    """a - b, of two inputs."""

    def merged(self, given: list[Any]) -> Any:
        if len(given) != 2:
            raise TypeError(f"Subtract: expected two inputs; got {len(given)}")
        return given[0] - given[1]


class Multiply(_Merge):
    """a b ...;  inputs as arguments or as one list, of shapes that broadcast."""

    def merged(self, given: list[Any]) -> Any:
        return reduce(mul, given)


class Average(_Merge):
    """(a + b + ...) / n."""

    def merged(self, given: list[Any]) -> Any:
        return reduce(add, given) / len(given)


class Maximum(_Merge):
    """The largest of the inputs, element by element; equals share the gradient."""

    def merged(self, given: list[Any]) -> Any:
        return reduce(autograd.maximum, given)


class Minimum(_Merge):
    """The smallest of the inputs, element by element; equals share the gradient."""

    def merged(self, given: list[Any]) -> Any:
        return reduce(autograd.minimum, given)


class Concatenate(_Merge):
    """The inputs one behind the other along `dim`, alike in all other axes."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def merged(self, given: list[Any]) -> Any:
        return autograd.cat(given, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Dot(_Merge):
    """Sums of products along one axis of each of two inputs, sample by sample:  a (N, ..., k), b (N, ..., k).

    dims = -1, or one for each:  the axes that meet; those that are left stand side by side, first a's, then b's.  With
    `normalize` the vectors are first brought to norm 1, which gives the cosine.  Source: Keras.
    """

    def __init__(self, dims: int | Sequence[int] = -1, normalize: bool = False) -> None:
        super().__init__()
        self.dims, self.normalize = dims, normalize

    def merged(self, given: list[Any]) -> Any:
        if len(given) != 2 or given[0].shape[0] != given[1].shape[0]:
            raise ShapeError("Dot: expected two inputs with as many samples; got shapes "
                             f"{', '.join(str(tuple(x.shape)) for x in given)}")
        dims = (self.dims,) * 2 if isinstance(self.dims, int) else tuple(self.dims)
        both = []
        for x, dim in zip(given, dims):
            if not -x.ndim < dim < x.ndim or not dim % x.ndim:
                raise ShapeError(f"Dot: {dim} is no axis of shape {tuple(x.shape)} behind the samples")
            x = autograd.movedim(x, dim, -1)
            if self.normalize:
                x = x * autograd.rsqrt(autograd.clamp(autograd.sum(x * x, -1, True), min=1e-12))
            both.append(x)
        a, b = both
        if a.shape[-1] != b.shape[-1]:
            raise ShapeError(f"Dot: the axes that meet have {a.shape[-1]} and {b.shape[-1]} elements")
        rows, columns = tuple(a.shape[1:-1]), tuple(b.shape[1:-1])
        flat = autograd.matmul(autograd.reshape(a, shape=(a.shape[0], -1, a.shape[-1])), autograd.transpose(
            autograd.reshape(b, shape=(b.shape[0], -1, b.shape[-1])), 1, 2))
        return autograd.reshape(flat, shape=(a.shape[0], *(rows + columns or (1,))))

    def extra_repr(self) -> str:
        return f"dims={self.dims}, normalize={self.normalize}"
