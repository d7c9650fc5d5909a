"""Attention in several heads, and the loss behind the last linear map, as one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, where

from .attending import self_attention
from .attention import additive, dropout_scale, scaled_dot_product_attention
from .layers import dropout, linear
from .loss import cross_entropy


def _mask(name: str, mask: Any, dtype: Any) -> Any:
    """A mask as what is added to the scores: of bools, -inf where True."""
    if mask is None:
        return None
    if mask.dtype.kind not in "bf":
        raise TypeError(f"multi_head_attention_forward: expected {name} of bools or floats; got {mask.dtype}")
    return where(mask, np.asarray(-math.inf, dtype), np.zeros((), dtype)) if mask.dtype == bool else mask


def _wider(mask: Any) -> Any:
    """A mask with a column more, which may be looked at."""
    return None if mask is None else autograd.pad(mask, (0, 1))


def _check(query: Any, key: Any, value: Any, embed_dim: int, num_heads: int, separate: bool) -> None:
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise ShapeError("multi_head_attention_forward: expected query (L, N, E), key and value (S, N, E), or all "
                         f"without N; got {shapes}")
    if query.shape[-1] != embed_dim:
        raise ShapeError(f"multi_head_attention_forward: expected embedding dimension {embed_dim}; got {shapes}")
    if embed_dim % num_heads:
        raise ValueError(f"multi_head_attention_forward: embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    both = -1 if separate else None
    if tuple(key.shape[:both]) != tuple(value.shape[:both]):
        raise ShapeError(f"multi_head_attention_forward: key and value do not go together; got {shapes}")


def _projected(query: Any, key: Any, value: Any, weights: Any, bias: Any) -> Any:
    """Query, key and value each through its own linear map; through one of three times the width where they are one."""
    packed, *own = weights
    if packed is None:
        parts = (None,) * 3 if bias is None else autograd.chunk(bias, 3)
        return [linear(x, w, b) for x, w, b in zip((query, key, value), own, parts)]
    if query is key and key is value:
        return autograd.chunk(linear(query, packed, bias), 3, -1)
    rows = autograd.chunk(packed, 3)
    parts = (None,) * 3 if bias is None else autograd.chunk(bias, 3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), rows, parts)]


def masks(key_padding_mask: Any, attn_mask: Any, dtype: Any, batch: int, heads: int, length: int,
          many: int) -> tuple[Any, Any]:
    """Both masks as what is added to the scores: (batch, many), and (1 or batch heads, length, many), or None."""
    kept, seen = _mask("key_padding_mask", key_padding_mask, dtype), _mask("attn_mask", attn_mask, dtype)
    if seen is not None:
        if tuple(seen.shape) not in ((length, many), (batch * heads, length, many)):
            raise ShapeError(f"multi_head_attention_forward: expected attn_mask {(length, many)} or "
                             f"{(batch * heads, length, many)}; got {tuple(seen.shape)}")
        seen = autograd.unsqueeze(seen, 0) if seen.ndim == 2 else seen
    if kept is not None and tuple(kept.shape) != (batch, many):
        raise ShapeError(f"multi_head_attention_forward: expected key_padding_mask {(batch, many)}; got "
                         f"{tuple(kept.shape)}")
    return kept, seen


def _learned(*given: Any) -> bool:
    return any(getattr(mask, "requires_grad", False) for mask in given)


def attend_to_itself(x: Any, projection: tuple[Any, Any], output: tuple[Any, Any], heads: int, kept: Any, seen: Any,
                     p: float, batch_first: bool) -> Any:
    """Attention of x (L, B, E), or with batch_first (B, L, E), to itself, projected in and out; masks from `masks`.

    One product makes queries, keys and values of all heads, and one op takes them as they lie.
    """
    batch, length = x.shape[:2] if batch_first else x.shape[1::-1]
    mask = None
    if seen is not None:
        mask = additive(seen, x.dtype).reshape(((1, 1) if seen.shape[0] == 1 else (batch, heads)) + (length, length))
    if kept is not None:
        padding = additive(kept, x.dtype).reshape(batch, 1, 1, length)
        mask = padding if mask is None else mask + padding
    keep = dropout_scale((batch, heads, length, length), p, x.dtype)
    found = self_attention(linear(x, *projection), mask, keep, heads=heads, batch_first=batch_first)
    return linear(found, *output)


def attend_cached(q: Any, k: Any, v: Any, output: tuple[Any, Any], key_padding_mask: Any, attn_mask: Any,
                  is_causal: bool, p: float, need_weights: bool) -> tuple[Any, Any]:
    """(output (B, L, E), weights or None) of queries (B, heads, L, d), the last of S positions; keys and values are
    (B, heads, S, d); with is_causal and no mask each looks at the positions up to its own."""
    (batch, heads, length, width), many = q.shape, k.shape[-2]
    kept, seen = masks(key_padding_mask, attn_mask, q.dtype, batch, heads, length, many)
    if is_causal and seen is None and length > 1:
        seen = np.triu(np.full((1, length, many), -math.inf, q.dtype), many - length + 1)
    mask = None if seen is None else autograd.reshape(
        seen, shape=((1, 1) if seen.shape[0] == 1 else (batch, heads)) + (length, many))
    if kept is not None:
        kept = autograd.reshape(kept, shape=(batch, 1, 1, many))
        mask = kept if mask is None else mask + kept
    if need_weights:
        scores = autograd.matmul(q * math.sqrt(1 / width), autograd.transpose(k, dim0=-1, dim1=-2))
        weights = dropout(autograd.softmax(scores if mask is None else scores + mask, dim=-1), p)
        found = autograd.matmul(weights, v)
    else:
        weights, found = None, scaled_dot_product_attention(q, k, v, mask, p)
    found = autograd.reshape(autograd.transpose(found, dim0=1, dim1=2), shape=(batch, length, heads * width))
    return linear(found, *output), weights


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any, in_proj_bias: Any,
    bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any, out_proj_bias: Any,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None, average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """Attention of several heads side by side, projected in and out (Vaswani et al. 2017, 3.2.2): (output, weights).

    query (L, N, E), key and value (S, N, E), or all without N -> output of the shape of query, weights (N, L, S), or
    (N, heads, L, S) unless average_attn_weights, None unless need_weights.  key_padding_mask (N, S) and attn_mask
    (L, S) or (N heads, L, S): True, or -inf, for what must not be looked at.
    """
    _check(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    single = query.ndim == 2
    if single:
        same = query is key and key is value
        query = autograd.unsqueeze(query, 1)
        key, value = (query, query) if same else (autograd.unsqueeze(key, 1), autograd.unsqueeze(value, 1))
        key_padding_mask = None if key_padding_mask is None else autograd.unsqueeze(key_padding_mask, 0)
    if is_causal and attn_mask is None:
        raise ValueError("multi_head_attention_forward: is_causal is a hint about attn_mask, which is missing")
    (length, batch, embed), dtype = query.shape, query.dtype
    width, lanes, p = embed // num_heads, batch * num_heads, dropout_p if training else 0.0
    kept, seen = masks(key_padding_mask, attn_mask, dtype, batch, num_heads, length, key.shape[0])
    if query is key and key is value and not (use_separate_proj_weight or need_weights or add_zero_attn) and \
            all(part is None for part in (bias_k, bias_v, static_k, static_v)) and not _learned(kept, seen):
        out = attend_to_itself(query, (in_proj_weight, in_proj_bias), (out_proj_weight, out_proj_bias), num_heads,
                               kept, seen, p, False)
        return (out[:, 0] if single else out), None
    weights = (None, q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else (in_proj_weight,)
    q, k, v = _projected(query, key, value, weights, in_proj_bias)
    if (bias_k is None) != (bias_v is None):
        raise ValueError("multi_head_attention_forward: bias_k and bias_v come together; one is None")
    if bias_k is not None:
        k, v = (autograd.cat([x, autograd.tile(b, (1, batch, 1))]) for x, b in ((k, bias_k), (v, bias_v)))
        seen, kept = _wider(seen), _wider(kept)
    q, k, v = (autograd.transpose(autograd.reshape(x, shape=(-1, lanes, width)), dim0=0, dim1=1) for x in (q, k, v))
    k, v = k if static_k is None else static_k, v if static_v is None else static_v
    if add_zero_attn:
        nothing = np.zeros((lanes, 1, width), dtype)
        k, v = autograd.cat([k, nothing], 1), autograd.cat([v, nothing], 1)
        seen, kept = _wider(seen), _wider(kept)
    many = k.shape[1]
    if kept is not None:
        kept = autograd.expand(autograd.reshape(kept, shape=(batch, 1, 1, many)), shape=(batch, num_heads, 1, many))
        kept = autograd.reshape(kept, shape=(lanes, 1, many))
        seen = kept if seen is None else seen + kept
    if need_weights:
        scores = autograd.matmul(q * math.sqrt(1 / width), autograd.transpose(k, dim0=-1, dim1=-2))
        shares = dropout(autograd.softmax(scores if seen is None else scores + seen, dim=-1), p)
        out, found = autograd.matmul(shares, v), autograd.reshape(shares, shape=(batch, num_heads, length, many))
    else:
        found = None
        if seen is not None:
            seen = autograd.reshape(seen, shape=(1, *seen.shape) if seen.shape[0] == 1 else
                                    (batch, num_heads, seen.shape[1], many))
        q, k, v = (autograd.reshape(x, shape=(batch, num_heads, -1, width)) for x in (q, k, v))
        out = autograd.reshape(scaled_dot_product_attention(q, k, v, seen, p), shape=(lanes, length, width))
    out = autograd.reshape(autograd.transpose(out, dim0=0, dim1=1), shape=(length, batch, embed))
    out = linear(out, out_proj_weight, out_proj_bias)
    if found is not None and average_attn_weights:
        found = autograd.mean(found, dim=1)
    if single:
        return out[:, 0], None if found is None else found[0]
    return out, found


def linear_cross_entropy(input: Any, linear_weight: Any, target: Any, *, linear_bias: Any = None, weight: Any = None,
                         reduction: str = "mean", ignore_index: int | None = None, label_smoothing: float = 0.0,
                         options: Any = None) -> Any:
    """cross_entropy(linear(input, linear_weight, linear_bias), target).  Nats.

    input (n,) or (N, n), linear_weight (C, n) or (C, d1, ..., n), linear_bias (C,) or (C, d1, ...); the rest as
    `cross_entropy`.  `options`, PyTorch's way to save memory by chunks, are accepted and change nothing.
    """
    if input.ndim not in (1, 2) or linear_weight.ndim < 2 or input.shape[-1] != linear_weight.shape[-1]:
        raise ShapeError("linear_cross_entropy: expected input (n,) or (N, n) and linear_weight (C, ..., n); got "
                         f"{tuple(input.shape)} and {tuple(linear_weight.shape)}")
    classes, *more, n = linear_weight.shape
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *more):
        raise ShapeError(f"linear_cross_entropy: expected linear_bias {(classes, *more)}; got "
                         f"{tuple(linear_bias.shape)}")
    if more:
        if input.ndim == 1:
            raise ShapeError(f"linear_cross_entropy: with linear_weight {tuple(linear_weight.shape)} input must be "
                             f"(N, {n}); got {tuple(input.shape)}")
        linear_weight = autograd.reshape(linear_weight, shape=(-1, n))
        linear_bias = linear_bias if linear_bias is None else autograd.reshape(linear_bias, shape=-1)
    logits = linear(input, linear_weight, linear_bias)
    if more:
        logits = autograd.reshape(logits, shape=(input.shape[0], classes, *more))
    if ignore_index is not None and tuple(np.shape(target)) == tuple(logits.shape):
        raise ValueError("linear_cross_entropy: ignore_index cannot be specified when target holds probabilities")
    return cross_entropy(logits, target, weight, ignore_index=-100 if ignore_index is None else ignore_index,
                         reduction=reduction, label_smoothing=label_smoothing)
