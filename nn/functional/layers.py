"""What layers compute, given their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor, affine, default_rng, where
from autograd.inplace import honour_inplace
from autograd.ops.normalize import layer_norm as _layer_norm


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x W^T + b:  input (..., n), weight (m, n), bias (m,) -> (..., m)."""
    return affine(input, weight) if bias is None else affine(input, weight, bias)


# -- dropout ---------------------------------------------------------------------------------------------


def check_probability(who: str, p: float) -> None:
    """ValueError unless 0 <= p <= 1."""
    if not 0 <= p <= 1:
        raise ValueError(f"{who}: dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element 0 with probability p and x / (1 - p) otherwise; x itself unless training (Srivastava 2014)."""
    check_probability("dropout", p)
    return _drop(input, p, inplace) if training and p else input


def _dropped(input: Any, p: float, inplace: bool) -> Any:
    keep = np.asarray(default_rng().random(input.shape, np.float32) >= p)
    scale = input.dtype.type(1 / (1 - p) if p < 1 else 0)
    return input * (keep * scale)


_dropped.__name__ = "dropout"                 # in the texts of errors
_drop = honour_inplace(_dropped)


# -- embedding -------------------------------------------------------------------------------------------


def check_padding(padding_idx: int | None, rows: int) -> int | None:
    """The padding row counted from the front; IndexError when there is no such row."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise IndexError(f"embedding: padding_idx must be a row of the table, 0..{rows - 1}; got {padding_idx}")
    return padding_idx % rows


def embedding(input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None,
              norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False) -> Any:
    """Rows of a table:  input (any shape) integers, weight (rows, n) -> (*input.shape, n).

    The row `padding_idx` gets no gradient.  Rows longer than `max_norm` are first shortened to it, in the table itself.
    With `scale_grad_by_freq` the gradient of a row is divided by how often it was asked for.  Gradients are dense
    always: `sparse` is accepted and changes nothing.
    Raises TypeError for an index that is not of integers, IndexError for one outside the table.
    """
    index = np.asarray(input.value if isinstance(input, Tensor) else input)
    rows = weight.shape[0]
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding: expected integer indices; got {index.dtype} of shape {index.shape}: use x.long()")
    if index.size and (index.min() < 0 or index.max() >= rows):
        at = tuple(int(k) for k in np.argwhere((index < 0) | (index >= rows))[0])
        raise IndexError(f"embedding: index out of range: the table has {rows} rows, 0..{rows - 1}; "
                         f"got {int(index[at])} at position {at}")
    padding_idx = check_padding(padding_idx, rows)
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    out = weight[index]
    if isinstance(out, Tensor) and out.requires_grad:
        if padding_idx is not None:
            padded = index == padding_idx
            if padded.any():
                out = where(padded[..., None], out.detach(), out)
        if scale_grad_by_freq and index.size:
            share = (1 / np.bincount(index.ravel(), minlength=rows)[index]).astype(out.dtype)[..., None]
            out = out * share + out.detach() * (1 - share)
    return out


def _shorten(weight: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Bring the rows asked for to a norm of at most max_norm; no part of any graph."""
    if not isinstance(weight, Tensor):
        raise TypeError("embedding: with max_norm the weight must be a Tensor, to be updated; got "
                        f"{type(weight).__name__}")
    value, at = weight.value.copy(), np.unique(index)
    norms = np.linalg.norm(value[at], norm_type, axis=1, keepdims=True)
    value[at] *= np.where(norms > max_norm, max_norm / (norms + 1e-7), 1).astype(value.dtype)
    weight.value = value


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """A 1 at each position that the labels name:  input (...) integers -> (..., num_classes) int64."""
    return autograd.one_hot(input, num_classes)


# -- normalisation ---------------------------------------------------------------------------------------


def layer_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None,
               eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over the last axes, then scaled and shifted:  (x - mean) / √(var + ε) · weight + bias.

    input (..., *normalized_shape); weight and bias (*normalized_shape).  Source: Ba et al. 2016.
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    n = len(shape)
    if n == 0 or tuple(input.shape[-n:]) != shape:
        raise ShapeError(f"layer_norm: expected an input whose last axes are normalized_shape={shape}; "
                         f"got shape {tuple(input.shape)}")
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != shape:
            raise ShapeError(f"layer_norm: expected {name} of shape normalized_shape={shape}; got {tuple(given.shape)}")
    dim = tuple(range(-n, 0))
    if weight is None:
        out = autograd.standardize(input, dim=dim, eps=eps)
        return out if bias is None else out + bias
    return _layer_norm(input, weight, bias, dim=dim, eps=eps)


# -- geometry --------------------------------------------------------------------------------------------


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """x / max(‖x‖_p, ε), the norm taken over `dim`."""
    return input / autograd.clamp(autograd.norm(input, p, dim, True), min=eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Cosine of the angle between vectors along `dim`:  x1 · x2 / (max(‖x1‖, ε) max(‖x2‖, ε))."""
    if x1.shape != x2.shape:
        x1, x2 = autograd.broadcast_tensors(x1, x2)
    a = x1 / autograd.clamp(autograd.norm(x1, dim=dim, keepdim=True), min=eps)
    b = x2 / autograd.clamp(autograd.norm(x2, dim=dim, keepdim=True), min=eps)
    return autograd.sum(a * b, dim=dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x1 - x2 + ε‖_p over the last axis."""
    return autograd.norm(x1 - x2 + eps, p, -1, keepdim)
