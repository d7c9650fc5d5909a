"""Gradients kept within bounds, by norm or by value.  Each `.grad` is replaced, never written into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import GradientError, Tensor

from .checks import described, listed, number


def _tensors(given: Any, name: str) -> list[Tensor]:
    tensors = [given] if isinstance(given, Tensor) else listed(given, f"{name} must be a Tensor or Tensors in a list")
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(f"{name} must be Tensors; number {i} is {described(t)}")
    return tensors


def _norm(x: Any, p: float) -> Any:
    """||x||_p of an array as one vector, in its own real dtype."""
    x = np.abs(x) if x.dtype.kind == "c" else np.asarray(x)
    if x.dtype == np.float16:                 # squares leave the range of float16 at 256
        return np.float16(_norm(x.astype(np.float32), p))
    if x.size == 0:
        return x.dtype.type(0)
    return x.dtype.type(np.linalg.norm(x.reshape(-1), None if p == 2 else p))


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """||(||x_1||_p, ||x_2||_p, ...)||_p:  the p-norm of all elements of all tensors, as a 0-d Tensor.

    `norm_type` p may be inf ('inf').  Raises GradientError for a norm that is not finite, if asked to.
    """
    return _total(_tensors(tensors, "tensors"), norm_type, error_if_nonfinite)


def _total(tensors: list[Tensor], norm_type: float, error_if_nonfinite: bool) -> Tensor:
    p = float(norm_type)
    if not tensors:
        return Tensor(np.float32(0))
    with np.errstate(all="ignore"):
        total = _norm(np.array([_norm(t.value, p) for t in tensors]), p)
    if error_if_nonfinite and not np.isfinite(total):
        raise GradientError(f"the total norm of order {p} of the gradients is {total}, so they cannot be clipped; "
                            "pass error_if_nonfinite=False to scale them all the same")
    return Tensor(total)


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """Scale all gradients by  min(1, max_norm / (total norm + 1e-6)).  Returns the total norm before that.

    All gradients count as one vector (Pascanu, Mikolov and Bengio 2013, algorithm 1).
    """
    number("max_norm", max_norm, ">= 0", 0)
    tensors = _tensors(parameters, "parameters")
    total = _total([p.grad for p in tensors if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(tensors, max_norm, total)
    return total


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor | float,
                          foreach: bool | None = None) -> None:
    """Scale all gradients by  min(1, max_norm / (total_norm + 1e-6)), for a norm that is known already."""
    number("max_norm", max_norm, ">= 0", 0)
    scale = float(max_norm) / (float(total_norm) + 1e-6)
    if scale >= 1:                            # with nan it is not: nan spreads, as in PyTorch
        return
    with np.errstate(all="ignore"):
        for p in _tensors(parameters, "parameters"):
            if p.grad is not None:
                p.grad = Tensor(p.grad.value * scale)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clip every element of every gradient to [-clip_value, clip_value]."""
    number("clip_value", clip_value, ">= 0", 0)
    bound = float(clip_value)
    for p in _tensors(parameters, "parameters"):
        if p.grad is not None:
            p.grad = Tensor(np.clip(p.grad.value, -bound, bound))


def clip_grad_adaptive_(parameters: Tensor | Iterable[Tensor], clip_factor: float = 0.01, eps: float = 1e-3) -> None:
    """Clip every unit's gradient to a share of its weights' norm:  g min(1, clip_factor max(|w|, eps) / |g|).

    A unit is what one output is computed from: the weights with one index on axis 0, w (out, ...); the whole of a
    parameter of fewer than two axes.  Adaptive gradient clipping of Brock et al. 2021, eq. 3; they leave out the last
    layer.
    """
    number("clip_factor", clip_factor, ">= 0", 0)
    number("eps", eps, ">= 0", 0)
    with np.errstate(all="ignore"):
        for p in _tensors(parameters, "parameters"):
            if p.grad is None:
                continue
            g = p.grad.value
            w_norm, g_norm = _unit_norms(p.value), _unit_norms(g)
            most = clip_factor * np.maximum(w_norm, eps)
            scale = np.where(g_norm > most, most / np.maximum(g_norm, 1e-30), 1.0)
            p.grad = Tensor((g * scale.astype(g.real.dtype))[()])


def _unit_norms(x: Any) -> Any:
    """The norms along all axes but the first, in float64, with axes of length 1 in their place."""
    wide = np.abs(x).astype(np.float64)
    axes = tuple(range(1, wide.ndim)) if wide.ndim > 1 else None
    return np.sqrt((wide * wide).sum(axis=axes, keepdims=True))
