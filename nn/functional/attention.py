"""Attention, and products of two inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor, default_rng, where

from . import attending
from .layers import check_probability, dropout


def scaled_dot_product_attention(query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
                                 is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> Any:
    """softmax(Q K^T / √d + mask) V  (Vaswani et al. 2017, 3.2.1).

    query (..., L, d), key (..., S, d), value (..., S, v) -> (..., L, v).  A mask of bools says what may be looked at,
    one of floats is added; is_causal lets position i look at 0..i.  A row that may look at nothing gives 0.
    With enable_gqa each head of key and value (axis -3) serves several of query.
    """
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError("scaled_dot_product_attention: expected query (..., L, d), key (..., S, d), value (..., S, v)"
                         f"; got {tuple(query.shape)}, {tuple(key.shape)}, {tuple(value.shape)}")
    if enable_gqa:
        key = autograd.repeat_interleave(key, query.shape[-3] // key.shape[-3], -3)
        value = autograd.repeat_interleave(value, query.shape[-3] // value.shape[-3], -3)
    if is_causal:
        if attn_mask is not None:
            raise ValueError("scaled_dot_product_attention: attn_mask and is_causal were both given")
        attn_mask = np.tril(np.ones((query.shape[-2], key.shape[-2]), bool))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    added = attn_mask if attn_mask is None else additive(attn_mask, query.dtype)
    if getattr(added, "requires_grad", False):
        return _with_learned_mask(query, key, value, added, dropout_p, factor)
    shape = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
    return attending.attention(query, key, value, added, dropout_scale(shape, dropout_p, query.dtype), scale=factor)


def additive(mask: Any, dtype: Any) -> Any:
    """A mask as an array that is added to scores: of bools, -inf where False.  One that is learned stays as it is."""
    if getattr(mask, "requires_grad", False):
        return mask
    value = mask.value if isinstance(mask, Tensor) else np.asarray(mask)
    if value.dtype == bool:
        return np.where(value, dtype.type(0), dtype.type(-math.inf))
    return value.astype(dtype, copy=False)


def dropout_scale(shape: tuple[int, ...], p: float, dtype: Any) -> Any:
    """What dropout multiplies with: 0 with probability p and 1 / (1 - p) otherwise; None where it does nothing."""
    check_probability("dropout", p)
    if not p:
        return None
    return (default_rng().random(shape, np.float32) >= p) * dtype.type(1 / (1 - p) if p < 1 else 0)


def _with_learned_mask(query: Any, key: Any, value: Any, mask: Any, p: float, scale: float) -> Any:
    scores = autograd.matmul(query * scale, autograd.transpose(key, dim0=-1, dim1=-2)) + mask
    blind = np.isneginf(mask.value).all(axis=-1, keepdims=True)
    if blind.any():                           # softmax of nothing would be NaN, in the derivative too
        scores = where(blind, 0, scores)
    weights = autograd.softmax(scores, dim=-1)
    if blind.any():
        weights = where(blind, 0, weights)
    return autograd.matmul(dropout(weights, p), value)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """x1^T W[k] x2 + b[k]:  input1 (..., n), input2 (..., m), weight (out, n, m) -> (..., out)."""
    if tuple(input1.shape[:-1]) != tuple(input2.shape[:-1]) or \
            (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise ShapeError("bilinear: expected input1 (..., n), input2 (..., m), weight (out, n, m); got "
                         f"{tuple(input1.shape)}, {tuple(input2.shape)}, {tuple(weight.shape)}")
    out = autograd.einsum("...i,kij,...j->...k", input1, weight, input2)
    return out if bias is None else out + bias
