"""Attention whose heads share keys and values in groups, with turned positions, and what a position may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor

from . import functional as F
from .linear import Linear, count
from .module import Module
from .positions import RotaryPositionalEncoding

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .cache import KVCache


def sliding_window_mask(length: int, window: int, many: int | None = None) -> Tensor:
    """(length, many) bools, True where position i may look: at itself and the window - 1 positions before it.

    The last of the `length` queries stands at the last of the `many` keys.  An attn_mask for
    `scaled_dot_product_attention`; for `MultiheadAttention`, whose True hides, take `~mask`.
    """
    if count("sliding_window_mask", "window", window) < 1:
        raise ValueError(f"sliding_window_mask: window must be at least 1; got {window}")
    many = length if many is None else many
    behind = np.arange(many - length, many)[:, None] - np.arange(many)
    return Tensor((behind >= 0) & (behind < window))


class GroupedQueryAttention(Module):
    """Attention in num_heads heads of queries, which share num_kv_heads heads of keys and values (Ainslie et al. 2023).

    x (N, L, embed_dim) -> y (same shape).  One head of keys and values is multi-query attention (Shazeer 2019), as many
    as of queries the usual one.  `is_causal` lets position i look at 0..i, `window` only at the last so many of those;
    `rotary` turns queries and keys by their position, with that base, halves apart (Su et al. 2021).  With a `cache`
    (nn.KVCache) x holds the new positions alone.  Parameters: q_proj, k_proj, v_proj, o_proj.
    """

    def __init__(self, embed_dim: int, num_heads: int, num_kv_heads: int, dropout: float = 0.0, bias: bool = False,
                 is_causal: bool = False, window: int | None = None, rotary: float | None = None,
                 head_dim: int | None = None, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if num_kv_heads < 1 or num_heads % num_kv_heads or (head_dim is None and embed_dim % num_heads):
            raise ValueError("GroupedQueryAttention: num_heads must be a multiple of num_kv_heads, and embed_dim of "
                             f"num_heads; got embed_dim={embed_dim}, num_heads={num_heads}, "
                             f"num_kv_heads={num_kv_heads}")
        if window is not None and not is_causal:
            raise ValueError("GroupedQueryAttention: a window goes back from a position, and needs is_causal=True")
        self.head_dim = width = embed_dim // num_heads if head_dim is None else head_dim
        self.embed_dim, self.num_heads, self.num_kv_heads = embed_dim, num_heads, num_kv_heads
        self.dropout, self.is_causal, self.window = dropout, is_causal, window
        self.q_proj = Linear(embed_dim, num_heads * width, bias, dtype=dtype)
        self.k_proj = Linear(embed_dim, num_kv_heads * width, bias, dtype=dtype)
        self.v_proj = Linear(embed_dim, num_kv_heads * width, bias, dtype=dtype)
        self.o_proj = Linear(num_heads * width, embed_dim, bias, dtype=dtype)
        self.rotary = None if rotary is None else RotaryPositionalEncoding(width, rotary, interleaved=False)

    def forward(self, x: Any, attn_mask: Any = None, *, cache: KVCache | None = None) -> Any:
        """`attn_mask` (..., L, S): True for what may be looked at, or numbers to be added to the scores."""
        if x.ndim != 3 or x.shape[-1] != self.embed_dim:
            raise ShapeError(f"GroupedQueryAttention: expected an input (N, L, {self.embed_dim}); got shape "
                             f"{tuple(x.shape)}")
        if self.is_causal and attn_mask is not None:
            raise ValueError("GroupedQueryAttention: is_causal and attn_mask were both given")
        (batch, length, _), start = x.shape, 0
        if cache is not None and self in cache.kept:
            start = cache.kept[self][0].shape[-2]

        def heads(projection: Linear, many: int, turned: bool) -> Any:
            y = autograd.transpose(autograd.reshape(projection(x), shape=(batch, length, many, self.head_dim)), 1, 2)
            return y if self.rotary is None or not turned else self.rotary(y, start)

        def made() -> tuple[Any, Any]:
            return heads(self.k_proj, self.num_kv_heads, True), heads(self.v_proj, self.num_kv_heads, False)
        k, v = made() if cache is None else cache.extend(self, made)
        many = k.shape[-2]
        if self.is_causal:
            attn_mask = sliding_window_mask(length, self.window or many, many)
        y = F.scaled_dot_product_attention(heads(self.q_proj, self.num_heads, True), k, v, attn_mask,
                                           self.dropout if self.training else 0.0, enable_gqa=True)
        return self.o_proj(autograd.reshape(autograd.transpose(y, 1, 2), shape=(batch, length, -1)))

    def extra_repr(self) -> str:
        return (f"{self.embed_dim}, num_heads={self.num_heads}, num_kv_heads={self.num_kv_heads}, "
                f"dropout={self.dropout}, is_causal={self.is_causal}, window={self.window}")
