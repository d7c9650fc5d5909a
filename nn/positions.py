"""Where in a sequence something stands, told to a model that sees only sets: added waves, learned rows, rotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import Parameter, ShapeError, Tensor, empty
from autograd.promotion import get_default_dtype

from . import init
from .dropout import Dropout
from .linear import count
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def sinusoidal_positions(length: int, d_model: int, base: float = 10000.0, dtype: DTypeLike | None = None) -> Tensor:
    """(length, d_model):  sin(p / base^(2i / d)) in column 2i and the cosine beside it (Vaswani et al. 2017, 3.5)."""
    angles = _angles(length, d_model, base)
    made = np.empty((length, d_model))
    made[:, 0::2], made[:, 1::2] = np.sin(angles), np.cos(angles[:, :d_model // 2])
    return Tensor(made.astype(get_default_dtype() if dtype is None else dtype))


def _angles(length: int, width: int, base: float) -> Any:
    """(length, ⌈width / 2⌉):  p / base^(2i / width)."""
    return np.arange(length)[:, None] / base ** (np.arange(0, width, 2) / width)


def alibi(heads: int, length: int, many: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """(heads, length, many):  -m |i - j|, m = 2^(-8 h / heads) in head h = 1, 2, ..., to be added to attention scores.

    An attn_mask of `scaled_dot_product_attention`, which then looks the less the farther away.  Source: Press et al.
    2022; for a number of heads that is no power of 2 the slopes lie between those of their rule.
    """
    if count("alibi", "heads", heads) < 1:
        raise ValueError(f"alibi: expected at least one head; got {heads}")
    slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    many = length if many is None else many           # the last query stands at the last key
    distance = np.abs(np.arange(many - length, many)[:, None] - np.arange(many))
    return Tensor((-slopes[:, None, None] * distance).astype(get_default_dtype() if dtype is None else dtype))


class _Positions(Module):
    """What the layers share: how long a sequence may be, and where its axis is."""

    def __init__(self, d_model: int, max_len: int, batch_first: bool) -> None:
        super().__init__()
        who = type(self).__name__
        self.d_model, self.max_len = count(who, "d_model", d_model), count(who, "max_len", max_len)
        self.batch_first = batch_first

    def _rows(self, x: Any, offset: int) -> slice:
        """The positions of x, the first of which is `offset`."""
        axis = -2 if self.batch_first or x.ndim < 3 else 0
        if x.ndim < 2 or x.shape[-1] != self.d_model or offset + x.shape[axis] > self.max_len or offset < 0:
            shape = f"(N, L, {self.d_model})" if self.batch_first else f"(L, N, {self.d_model})"
            raise ShapeError(f"{type(self).__name__}: expected an input {shape} or (L, {self.d_model}), L at most "
                             f"max_len={self.max_len}; got shape {tuple(x.shape)}"
                             + (f" at offset {offset}" if offset else ""))
        return slice(offset, offset + x.shape[axis])

    def _beside(self, x: Any, rows: Any) -> Any:
        """rows (L, d_model) so that they meet x."""
        return rows if self.batch_first or x.ndim < 3 else autograd.unsqueeze(rows, 1)

    def extra_repr(self) -> str:
        return f"{self.d_model}, max_len={self.max_len}, batch_first={self.batch_first}"


class PositionalEncoding(_Positions):
    """x + waves of all lengths:  x[p, 2i] + sin(p / 10000^(2i / d)), x[p, 2i + 1] + cos of it (Vaswani et al. 2017).

    x (N, L, d_model), without batch_first (L, N, d_model), or (L, d_model) -> same shape.  Nothing is learned.
    The first position is `offset`, as where a sequence is written step by step: `offset=cache.length`.
    """

    pe: Tensor

    def __init__(self, d_model: int, dropout: float = 0.0, max_len: int = 5000, batch_first: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(d_model, max_len, batch_first)
        self.dropout = Dropout(dropout)
        self.register_buffer("pe", sinusoidal_positions(max_len, d_model, dtype=dtype), persistent=False)

    def forward(self, x: Any, offset: int = 0) -> Any:
        return self.dropout(x + self._beside(x, self.pe[self._rows(x, offset)]))


class LearnedPositionalEncoding(_Positions):
    """x + a learned row for each position:  x[p] + weight[p].

    x (N, L, d_model), without batch_first (L, N, d_model), or (L, d_model) -> same shape.  weight (max_len, d_model)
    starts normal with standard deviation 0.02 (Radford et al. 2018).  The first position is `offset`.
    """

    def __init__(self, d_model: int, dropout: float = 0.0, max_len: int = 512, batch_first: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(d_model, max_len, batch_first)
        self.dropout = Dropout(dropout)
        self.weight = Parameter(empty(max_len, d_model, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the rows anew."""
        init.normal_(self.weight, 0.0, 0.02)

    def forward(self, x: Any, offset: int = 0) -> Any:
        return self.dropout(x + self._beside(x, self.weight[self._rows(x, offset)]))


class RotaryPositionalEncoding(Module):
    """Pairs of numbers turned by the position:  (x_i, x_j) -> (x_i cos a - x_j sin a, x_i sin a + x_j cos a).

    x (..., L, dim), dim even, such as queries and keys of a head -> same shape; a = (offset + p) / base^(2i / dim).
    The pairs are neighbours, (2i, 2i + 1), as in the paper, or with interleaved=False halves apart, (i, i + dim / 2).
    A product of a query and a key then depends on their positions by the difference alone.  Source: Su et al. 2021.
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = True) -> None:
        super().__init__()
        if count("RotaryPositionalEncoding", "dim", dim) % 2 or not dim:
            raise ValueError(f"RotaryPositionalEncoding: dim must be even, numbers turn in pairs; got {dim}")
        self.dim, self.base, self.interleaved = dim, base, interleaved

    def forward(self, x: Any, offset: int = 0) -> Any:
        if x.ndim < 2 or x.shape[-1] != self.dim:
            raise ShapeError(f"RotaryPositionalEncoding({self.dim}): expected an input (..., L, {self.dim}); got shape "
                             f"{tuple(x.shape)}")
        angles = _angles(offset + x.shape[-2], self.dim, self.base)[offset:]
        cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
        k = self.dim // 2
        pairs = autograd.reshape(x, shape=(*x.shape[:-1], *((k, 2) if self.interleaved else (2, k))))
        at = -1 if self.interleaved else -2
        a, b = autograd.unbind(pairs, at)
        return autograd.reshape(autograd.stack([a * cos - b * sin, a * sin + b * cos], at), shape=tuple(x.shape))

    def extra_repr(self) -> str:
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"
