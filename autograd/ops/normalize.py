"""Normalisation by mean and deviation: the core that layer, batch, group and instance norm share."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..op import bilinear, op
from . import rows
from .axes import axes_of, axis_of
from .elementwise import rsqrt
from .linear import ones, reshape, sum
from .reduce import mean, var

_LAYER: list[Any] = [(((4, 3), (3,), (3,)), {"dim": -1}), (((2, 2, 3), (2, 3)), {"dim": (-2, -1), "eps": 0.1})]


def _scale(x: Any, dim: Any, eps: float) -> Any:
    return rsqrt(var(x, dim=dim, correction=0, keepdim=True) + eps)


@op(x=lambda g, out, scale, dim: standardize_backward(g, out, scale, dim=dim),
    aux={"scale": lambda x, dim, eps: _scale(x, dim, eps)}, category="norm", shapes="axes that x has",
    cases=[(((4, 3),), {"dim": 0}), (((4, 3),), {"dim": (-1,)}), (((3, 2, 4),), {"dim": (0, 2), "eps": 0.1})])
def standardize(x: Any, *, dim: Any, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over `dim`:  (x - mean) / √(var + ε), var with divisor n."""
    n = rows.length(x, dim)
    if n:
        out, _, scale = rows.standardize(x, n, eps)
        return out, scale.reshape(_kept(x.shape, dim))
    axis = axis_of(dim, x.ndim)
    with np.errstate(all="ignore"):
        d = x - mean(x, dim=axis, keepdim=True)
        scale = 1 / np.sqrt(mean(d * d, dim=axis, keepdim=True) + eps)
        d *= scale
        return d, scale


def _kept(shape: tuple[int, ...], dim: Any) -> tuple[int, ...]:
    """The shape after a reduction that keeps the axes as ones."""
    return tuple(1 if axis in axes_of(dim, len(shape)) else n for axis, n in enumerate(shape))


@op(g=lambda h, normal, scale, weight, dim: _weighted(standardize_backward(h, normal, scale, dim=dim), weight),
    normal=lambda h, g, normal, scale, weight, dim: _to_the_normal(h, _weighted(g, weight), normal, scale, dim),
    scale=lambda h, out, scale, dim: sum(h * out, dim=dim, keepdim=True) / scale,
    weight=lambda h, g, normal, scale, dim: g * standardize_backward(h, normal, scale, dim=dim),
    category="norm", shapes="g and normal of one shape, scale with ones at `dim`", domain=(0.5, 2.0),
    cases=[(((4, 3), (4, 3), (4, 1), (3,)), {"dim": -1}), (((3, 2, 4), (3, 2, 4), (3, 1, 1), (2, 4)), {"dim": (1, 2)}),
           (((3, 2), (3, 2), (1, 2), (2,)), {"dim": 0})])
def standardize_backward(g: Any, normal: Any, scale: Any, weight: Any = None, *, dim: Any) -> Any:
    """The gradient of layer norm:  s (h - mean h - z mean(h z)),  h = g · weight, z normal, s its scale."""
    n = rows.length(normal, dim)
    if n and g.dtype == normal.dtype:
        return rows.standardize_backward(g, normal, scale, n, weight)
    h = _weighted(g, weight)
    return (h - mean(h, dim=dim, keepdim=True) - normal * mean(h * normal, dim=dim, keepdim=True)) * scale


def _weighted(g: Any, weight: Any) -> Any:
    return g if weight is None else g * weight


def _to_the_normal(h: Any, g: Any, normal: Any, scale: Any, dim: Any) -> Any:
    h = h * scale
    return -(h * mean(g * normal, dim=dim, keepdim=True) + g * mean(h * normal, dim=dim, keepdim=True))


@op(x=lambda g, normal, scale, weight, dim: standardize_backward(g, normal, scale, weight, dim=dim),
    weight=lambda g, normal, weight_shape: products_to(g, normal, shape=weight_shape),
    bias=lambda g, bias_shape: _sums_to(g, bias_shape),
    aux={"normal": lambda x, dim, eps: standardize(x, dim=dim, eps=eps),
         "scale": lambda x, dim, eps: _scale(x, dim, eps)},
    category="norm", shapes="x (..., *n), weight (*n) and bias (*n), dim the axes *n", cases=_LAYER)
def layer_norm(x: Any, weight: Any = None, bias: Any = None, *, dim: Any, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over the last axes `dim`, then scaled and shifted:  z · weight + bias (Ba et al. 2016)."""
    n = rows.length(x, dim)
    if n:
        out, normal, scale = rows.standardize(x, n, eps, weight, bias)
        return out, normal, scale.reshape(_kept(x.shape, dim))
    normal, scale = standardize.__wrapped__(x, dim=dim, eps=eps)
    out = _weighted(normal, weight)
    return out if bias is None else out + bias, normal, scale


@bilinear(x=lambda g, y: g * y, y=lambda g, x: g * x, category="reduction",
          shapes="x and y of one shape, which ends in `shape`",
          cases=[(((4, 3), (4, 3)), {"shape": (3,)}), (((2, 2, 3), (2, 2, 3)), {"shape": (2, 3)})])
def products_to(x: Any, y: Any, *, shape: tuple[int, ...]) -> Any:
    """Σ x y over the leading axes, down to `shape`."""
    dim = tuple(range(x.ndim - len(shape), x.ndim))
    n = rows.length(y, dim)
    if n and x.dtype == y.dtype:
        return rows.column_products(x, y, n).reshape(shape)
    return np.sum(x * y, axis=tuple(range(x.ndim - len(shape))), dtype=np.float64).astype(x.dtype)


def _sums_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Over the leading axes, as a product with ones."""
    table = reshape(g, shape=(prod(g.shape[:g.ndim - len(shape)]), prod(shape)))
    return reshape(ones(table.shape[0], g.dtype) @ table, shape=shape)
