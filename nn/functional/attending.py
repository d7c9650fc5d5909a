"""Attention as one op: scores, softmax and weighted sum, with a rule that keeps the weights alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import op, where
from autograd.ops import rows

from .composed import Composed, once

# for the tests of the ops: the last row may look at nothing
_MASK = np.where([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], 0.0, -math.inf)
_KEEP = np.array([[2.0, 2, 0, 0, 2], [2, 0, 2, 2, 2], [2, 2, 2, 2, 2]])


def _weights(q: Any, k: Any, mask: Any, scale: float) -> Any:
    """softmax(q k^T scale + mask) on arrays; rows that may look at nothing are 0."""
    scores = np.matmul(q * q.dtype.type(scale), k.swapaxes(-1, -2))
    blind = None
    if mask is not None:
        if np.broadcast_shapes(mask.shape, scores.shape) != scores.shape:
            scores = scores + mask.astype(scores.dtype, copy=False)
        else:
            scores += mask
        blind = np.isneginf(mask).all(axis=-1, keepdims=True)
        blind = np.broadcast_to(blind, (*scores.shape[:-1], 1)) if blind.any() else None
        if blind is not None:                 # softmax of nothing would be NaN
            np.copyto(scores, 0, where=blind)
    n = rows.length(scores, -1)
    if n:
        made = rows.softmax(scores, n)
    else:
        scores -= np.max(scores, axis=-1, keepdims=True, initial=-math.inf)
        made = np.exp(scores, out=scores)
        made /= np.sum(made, axis=-1, keepdims=True)
    if blind is not None:
        np.copyto(made, 0, where=blind)
    return made


def _kept(weights: Any, keep: Any) -> Any:
    return weights if keep is None else weights * keep.astype(weights.dtype, copy=False)


def _scores_back(g: Any, v: Any, weights: Any, keep: Any) -> Any:
    """The gradient of the scores:  p (d - Σ p d),  d = g v^T."""
    d = np.matmul(g, v.swapaxes(-1, -2))
    if keep is not None:
        d *= keep
    n = rows.length(weights, -1)
    if n:
        return rows.softmax_backward(d, weights, n)
    d -= np.sum(d * weights, axis=-1, keepdims=True)
    d *= weights
    return d


def _composed(q: Any, k: Any, v: Any, mask: Any, keep: Any, scale: float) -> Any:
    """The same, of ops."""
    scores = autograd.matmul(q * scale, autograd.transpose(k, dim0=-1, dim1=-2))
    blind = None
    if mask is not None:
        mask = mask.value if hasattr(mask, "node") else np.asarray(mask)
        blind = np.isneginf(mask).all(axis=-1, keepdims=True)
        scores = scores + mask
        scores = where(blind, 0, scores) if blind.any() else scores
    weights = autograd.softmax(scores, dim=-1)
    if blind is not None and blind.any():
        weights = where(blind, 0, weights)
    return autograd.matmul(weights if keep is None else weights * keep, v)


def _rule(i: int) -> Any:
    def rule(g: Any, q: Any, k: Any, v: Any, weights: Any, keep: Any, scale: Any) -> Any:
        if isinstance(weights, Composed):
            return weights.gradient(g, i)
        if i == 2:
            return np.matmul(_kept(weights, keep).swapaxes(-1, -2), g)
        d = once(g, weights, lambda: _scores_back(g, v, weights, keep))
        made = np.matmul(d.swapaxes(-1, -2), q) if i else np.matmul(d, k)
        made *= made.dtype.type(scale)
        return made
    return rule


@op(q=_rule(0), k=_rule(1), v=_rule(2), category="attention",
    aux={"weights": lambda q, k, v, mask, keep, scale: Composed(
        lambda q, k, v: _composed(q, k, v, mask, keep, scale), (q, k, v))},
    shapes="q (..., L, d), k (..., S, d), v (..., S, e), mask and keep that broadcast to (..., L, S)",
    cases=[(((2, 3, 4), (2, 5, 4), (2, 5, 2), _MASK, _KEEP), {"scale": 0.5})])
def attention(q: Any, k: Any, v: Any, mask: Any = None, keep: Any = None, *, scale: float) -> Any:
    """softmax(q k^T scale + mask) keep v;  a row whose mask is -inf throughout gives 0."""
    weights = _weights(q, k, mask, scale)
    return np.matmul(_kept(weights, keep), v), weights


# -- query, key and value of all heads side by side, as one matrix product made them ---------------------


def _heads(qkv: Any, many: int, heads: int, batch_first: bool) -> Any:
    """(batch, length, many E) or (length, batch, many E) as views (many, batch, heads, length, E / heads)."""
    view = qkv.reshape(*qkv.shape[:2], many, heads, -1)
    return view.transpose((2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4))


def _self_attention_pull(g: Any, qkv: Any, weights: Any, keep: Any, heads: int, batch_first: bool) -> Any:
    if isinstance(weights, Composed):
        return weights.gradient(g, 0)
    q, k, v = _heads(qkv, 3, heads, batch_first)
    g = _heads(np.ascontiguousarray(g), 1, heads, batch_first)[0]
    made = np.empty(qkv.shape, qkv.dtype)
    dq, dk, dv = _heads(made, 3, heads, batch_first)
    np.matmul(_kept(weights, keep).swapaxes(-1, -2), g, out=dv)
    d = _scores_back(g, v, weights, keep)
    np.matmul(d, k, out=dq)
    np.matmul(d.swapaxes(-1, -2), q, out=dk)
    of_scores = made.reshape(*made.shape[:2], 3, -1)[:, :, :2]
    of_scores *= made.dtype.type(1 / math.sqrt(q.shape[-1]))
    return made


def _self_composed(qkv: Any, mask: Any, keep: Any, heads: int, batch_first: bool) -> Any:
    view = autograd.reshape(qkv, shape=(*qkv.shape[:2], 3, heads, qkv.shape[2] // (3 * heads)))
    view = autograd.permute(view, dims=(2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4))
    out = _composed(view[0], view[1], view[2], mask, keep, 1 / math.sqrt(view.shape[-1]))
    out = autograd.permute(out, dims=(0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    return autograd.reshape(out, shape=(*qkv.shape[:2], -1))


@op(qkv=lambda g, qkv, weights, keep, heads, batch_first: _self_attention_pull(
        g, qkv, weights, keep, heads, batch_first),
    aux={"weights": lambda qkv, mask, keep, heads, batch_first: Composed(
        lambda qkv: _self_composed(qkv, mask, keep, heads, batch_first), (qkv,))},
    category="attention", shapes="qkv (B, L, 3 E), or without batch_first (L, B, 3 E), E a multiple of heads",
    cases=[(((2, 3, 12), _MASK[:, :3], _KEEP[:, :3]), {"heads": 2, "batch_first": True}),
           (((3, 2, 12), _MASK[:, :3], _KEEP[:, :3]), {"heads": 2, "batch_first": False})])
def self_attention(qkv: Any, mask: Any = None, keep: Any = None, *, heads: int, batch_first: bool = True) -> Any:
    """`attention` of a sequence to itself in several heads, of queries, keys and values that lie side by side."""
    if not qkv.flags.c_contiguous:
        qkv = np.ascontiguousarray(qkv)
    q, k, v = _heads(qkv, 3, heads, batch_first)
    weights = _weights(q, k, mask, 1 / math.sqrt(q.shape[-1]))
    out = np.empty((*qkv.shape[:2], qkv.shape[2] // 3), qkv.dtype)
    np.matmul(_kept(weights, keep), v, out=_heads(out, 1, heads, batch_first)[0])
    return out, weights
