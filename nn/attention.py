"""Attention in several heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autograd
from autograd import Parameter, empty

from . import functional as F
from . import init
from .functional.heads import attend_cached, attend_to_itself, masks, multi_head_attention_forward
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .cache import KVCache, Memory


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear`, under the name that PyTorch shows for it."""


class MultiheadAttention(Module):
    """Several heads of attention side by side, projected in and out (Vaswani et al. 2017, 3.2.2).

    query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), with batch_first (N, L, ...), or all without N ->
    output like query, and weights (N, L, S), or (N, heads, L, S) unless average_attn_weights, None unless need_weights.
    key_padding_mask (N, S) and attn_mask (L, S) or (N heads, L, S): True, or -inf, for what must not be looked at;
    other numbers are added to the scores.  is_causal says that attn_mask is the causal one, and changes nothing.

    With a `cache` (nn.KVCache) query, key and value hold the new positions alone, and the query looks at those of the
    calls before too: attn_mask is (L, length so far with the new), or is_causal alone, position i looking at all up to
    itself.  In attention to something else, give `cache.memory`: key and value are those of the first call.

    Parameters: in_proj_weight (3 embed_dim, embed_dim), rows of queries, keys, values (or q_proj_weight, k_proj_weight,
    v_proj_weight where kdim or vdim differ), in_proj_bias, out_proj; with add_bias_kv bias_k and bias_v, one position
    more to look at; add_zero_attn adds one of zeros.  The projections start as Glorot's uniform, biases at 0.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
                 add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
                 vdim: int | None = None, batch_first: bool = False, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError("MultiheadAttention: embed_dim and num_heads must be greater than 0; got "
                             f"embed_dim={embed_dim} and num_heads={num_heads}")
        if embed_dim % num_heads:
            raise AssertionError("MultiheadAttention: embed_dim must be divisible by num_heads; got "
                                 f"{embed_dim} and {num_heads}")
        super().__init__()
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.in_proj_weight = self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        if self._qkv_same_embed_dim:
            self.in_proj_weight = Parameter(empty(3 * embed_dim, embed_dim, dtype=dtype))
        else:
            self.q_proj_weight = Parameter(empty(embed_dim, embed_dim, dtype=dtype))
            self.k_proj_weight = Parameter(empty(embed_dim, self.kdim, dtype=dtype))
            self.v_proj_weight = Parameter(empty(embed_dim, self.vdim, dtype=dtype))
        self.in_proj_bias = Parameter(empty(3 * embed_dim, dtype=dtype)) if bias else None
        self.bias_k = Parameter(empty(1, 1, embed_dim, dtype=dtype)) if add_bias_kv else None
        self.bias_v = Parameter(empty(1, 1, embed_dim, dtype=dtype)) if add_bias_kv else None
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            assert self.out_proj.bias is not None
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
                attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False, *,
                cache: KVCache | Memory | None = None) -> tuple[Any, Any]:
        if cache is not None:
            return self._with_cache(query, key, value, cache, key_padding_mask, attn_mask, is_causal, need_weights,
                                    average_attn_weights)
        turned = self.batch_first and query.ndim == 3
        if turned and not need_weights and self._by_itself(query, key, value, key_padding_mask, attn_mask):
            if is_causal and attn_mask is None:
                raise ValueError("MultiheadAttention: is_causal is a hint about attn_mask, which is missing: give the "
                                 "mask too, nn.Transformer.generate_square_subsequent_mask(L)")
            batch, length = query.shape[:2]
            kept, seen = masks(key_padding_mask, attn_mask, query.dtype, batch, self.num_heads, length, length)
            return attend_to_itself(
                query, (self.in_proj_weight, self.in_proj_bias), (self.out_proj.weight, self.out_proj.bias),
                self.num_heads, kept, seen, self.dropout if self.training else 0.0, True), None
        if turned:
            same, equal = query is key, key is value
            query = autograd.transpose(query, dim0=0, dim1=1)
            key = query if same else autograd.transpose(key, dim0=0, dim1=1)
            value = key if equal else autograd.transpose(value, dim0=0, dim1=1)
        out, weights = multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal)
        return (autograd.transpose(out, dim0=0, dim1=1) if turned else out), weights

    def _with_cache(self, query: Any, key: Any, value: Any, cache: KVCache | Memory, key_padding_mask: Any,
                    attn_mask: Any, is_causal: bool, need_weights: bool, average: bool) -> tuple[Any, Any]:
        if self.bias_k is not None or self.add_zero_attn:
            raise ValueError("MultiheadAttention: add_bias_kv and add_zero_attn put a position behind the last, and "
                             "do not go with a cache")

        def heads(x: Any, part: int) -> Any:
            """(N, L, E), or as `forward` takes it, projected and cut into heads: (N, heads, L, head_dim)."""
            x = autograd.unsqueeze(x, 0) if x.ndim == 2 else x if self.batch_first else autograd.transpose(x, 0, 1)
            rows = slice(part * self.embed_dim, (part + 1) * self.embed_dim)
            packed = self.in_proj_weight
            weight = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[part] if packed is None else \
                packed[rows]
            x = F.linear(x, weight, None if self.in_proj_bias is None else self.in_proj_bias[rows])
            return autograd.transpose(autograd.reshape(x, shape=(*x.shape[:2], self.num_heads, self.head_dim)), 1, 2)

        def kept() -> tuple[Any, Any]:
            return heads(key, 1), heads(value, 2)
        keys, values = cache.extend(self, kept)
        out, weights = attend_cached(
            heads(query, 0), keys, values, (self.out_proj.weight, self.out_proj.bias), key_padding_mask, attn_mask,
            is_causal, self.dropout if self.training else 0.0, need_weights)
        if weights is not None and average:
            weights = autograd.mean(weights, dim=1)
        if query.ndim == 2:
            return out[0], None if weights is None else weights[0]
        return out if self.batch_first else autograd.transpose(out, 0, 1), weights

    def _by_itself(self, query: Any, key: Any, value: Any, *given: Any) -> bool:
        """Whether a sequence looks at itself, through one projection and masks that are not learned."""
        return query is key and key is value and query.shape[-1] == self.embed_dim and self._qkv_same_embed_dim and \
            self.bias_k is None and not self.add_zero_attn and \
            not any(getattr(mask, "requires_grad", False) for mask in given)

    def merge_masks(self, attn_mask: Any, key_padding_mask: Any, query: Any) -> tuple[Any, int | None]:
        """(one mask, its kind): attn_mask alone 2, as (N, heads, L, L); key_padding_mask alone 1; both 2; none None."""
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length = query.shape[:2]
        shape = (batch, self.num_heads, length, length)
        if attn_mask.ndim == 3:
            merged = autograd.reshape(attn_mask, shape=shape)
        else:
            merged = autograd.expand(autograd.reshape(attn_mask, shape=(1, 1, length, length)), shape=shape)
        if key_padding_mask is not None:
            padding = autograd.reshape(key_padding_mask, shape=(batch, 1, 1, length))
            merged = merged + autograd.expand(padding, shape=(batch, self.num_heads, 1, length))
        return merged, 2
