"""Reductions and normalised exponentials that have a rule of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import op
from . import rows
from .axes import axes_of, axis_of, count
from .elementwise import exp, where
from .linear import concatenate, fit, flip, permute, reshape, spread, sum
from .logic import eq

M = (2, 3)
_AXES = "axes that x has"
_CASES = [((M,), {}), ((M,), {"dim": 0}), (((2, 3, 4),), {"dim": (0, -1), "keepdim": True}), ((M,), {"dim": 1})]


def _reduction(**options: Any) -> Any:
    return op(**{"shapes": _AXES, "category": "reduction", "cases": _CASES, **options})


@_reduction(x=lambda g, x_shape, x_dtype, dim, keepdim:
            spread(fit(g, x_dtype) / count(x_shape, dim), shape=x_shape, dim=dim, keepdim=keepdim))
def mean(x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Arithmetic mean over `dim` (all axes by default):  Σ x / n.  NaN of no elements."""
    if dtype is not None:
        x = x.astype(dtype)
    _check_floating("mean", x)
    with np.errstate(all="ignore"):
        n = count(x.shape, axis_of(dim, x.ndim))
        if n == 0:
            return sum(x, dim=dim, keepdim=keepdim) / x.dtype.type(0)
        return sum(x, dim=dim, keepdim=keepdim) / n if x.dtype != np.float16 else \
            np.mean(x, axis=axis_of(dim, x.ndim), keepdims=keepdim)


@_reduction(
    x=lambda g, x, x_shape, dim, correction, keepdim: (
        spread(g * (2 / _freedom(x_shape, dim, correction)), shape=x_shape, dim=dim, keepdim=keepdim) * _centred(x, dim)
    ),
    order=("x", "dim", "correction", "keepdim"),
)
def var(x: Any, *, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Any:
    """Variance over `dim`:  Σ (x - mean)² / (n - correction), in two passes."""
    _check_floating("var", x)
    n = count(x.shape, axis_of(dim, x.ndim))
    freedom = max(n - correction, 0)
    with np.errstate(all="ignore"):
        if x.dtype == np.float16:
            return var(x.astype(np.float32), dim=dim, correction=correction, keepdim=keepdim).astype(x.dtype)
        d = x - mean(x, dim=dim, keepdim=True) if n else x
        squares = d * d if x.dtype.kind == "f" else d.real * d.real + d.imag * d.imag
        return sum(squares, dim=dim, keepdim=keepdim) / squares.dtype.type(freedom)


def _check_floating(who: str, x: Any) -> None:
    if x.dtype.kind not in "fc":
        raise TypeError(f"{who} needs a floating-point tensor; got {x.dtype}: use x.float().{who}()")


def _freedom(shape: tuple[int, ...], dim: Any, correction: float) -> float:
    freedom = count(shape, dim) - correction
    return freedom if freedom > 0 else math.nan


def _centred(x: Any, dim: Any) -> Any:
    return x - mean(x, dim=dim, keepdim=True)


@_reduction(x=lambda g, x, out, x_shape, dim, correction, keepdim:
            spread(g / where(out == 0, math.inf, out) * (1 / _freedom(x_shape, dim, correction)), shape=x_shape,
                   dim=dim, keepdim=keepdim) * _centred(x, dim), order=("x", "dim", "correction", "keepdim"))
def std(x: Any, *, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Any:
    """Standard deviation over `dim`:  √var.  Of equal elements the derivative is 0."""
    _check_floating("std", x)
    return np.sqrt(var(x, dim=dim, correction=correction, keepdim=keepdim))


@_reduction(x=lambda g, x, out, x_shape, dim, keepdim: _to_the_extreme(g, x, out, x_shape, dim, keepdim))
def amax(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Largest element over `dim`:  max_i x[i].  A tie shares the gradient evenly."""
    return np.amax(x, axis=axis_of(dim, x.ndim), keepdims=keepdim)


@_reduction(x=lambda g, x, out, x_shape, dim, keepdim: _to_the_extreme(g, x, out, x_shape, dim, keepdim))
def amin(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Smallest element over `dim`:  min_i x[i].  A tie shares the gradient evenly."""
    return np.amin(x, axis=axis_of(dim, x.ndim), keepdims=keepdim)


def _to_the_extreme(g: Any, x: Any, out: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    top = spread(out, shape=shape, dim=dim, keepdim=keepdim)
    hit = eq(x, top) | ((x != x) & (top != top))
    ties = spread(sum(where(hit, g.dtype.type(1), g.dtype.type(0)), dim=dim, keepdim=keepdim), shape=shape, dim=dim,
                  keepdim=keepdim)
    return where(hit, spread(g, shape=shape, dim=dim, keepdim=keepdim) / ties, 0)


@_reduction(x=lambda g, x, x_shape, dim, keepdim:
            fit(spread(g, shape=x_shape, dim=dim, keepdim=keepdim) * _others(fit(x, g.dtype), dim), x.dtype))
def prod(x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Product over `dim`:  Π x.  Right with zeros among the factors."""
    if dtype is not None:
        x, dtype = x.astype(dtype), None
    elif x.dtype.kind in "bui":
        dtype = np.int64
    with np.errstate(all="ignore"):
        return np.multiply.reduce(x, axis=axis_of(dim, x.ndim), keepdims=keepdim, dtype=dtype)


def _others(x: Any, dim: Any) -> Any:
    """Per element, the product of all the others: exclusive products from both ends, so no division."""
    if x.ndim == 0:
        return x * 0 + 1
    dims = axes_of(dim, x.ndim)
    rest = tuple(d for d in range(x.ndim) if d not in dims)
    order = (*rest, *dims)
    flat = reshape(permute(x, dims=order), shape=(*[x.shape[d] for d in rest], -1))
    out = exclusive_cumprod(flat) * flip(exclusive_cumprod(flip(flat, dims=-1)), dims=-1)
    out = reshape(out, shape=tuple(x.shape[d] for d in order))
    return permute(out, dims=tuple(sorted(range(x.ndim), key=lambda i: order[i])))


@op(x=lambda g, x: _exclusive_pull(g, x), shapes="at least one axis", category="reduction",
    cases=[(((3,),), {}), (((2, 4),), {})])
def exclusive_cumprod(x: Any) -> Any:
    """Product of the elements before, along the last axis:  y[i] = Π_{j<i} x[j]."""
    out = np.ones_like(x)
    with np.errstate(all="ignore"):
        np.cumprod(x[..., :-1], axis=-1, out=out[..., 1:])
    return out


def _exclusive_pull(g: Any, x: Any) -> Any:
    """Σ_{i>j} g[i] Π_{k<i, k≠j} x[k]  =  Π_{k<j} x[k] · s[j],  s[j] = g[j+1] + x[j+1] s[j+1]."""
    if x.shape[-1] == 0:
        return x
    nothing = x[..., :1] * 0
    after, factor = (concatenate(v[..., 1:], nothing, dim=-1) for v in (g, x))
    return exclusive_cumprod(x) * recur_from_the_end(after, factor)


def recur_from_the_end(b: Any, a: Any) -> Any:
    """s[j] = b[j] + a[j] s[j+1] along the last axis, s = 0 beyond it, by doubling (Hillis and Steele 1986)."""
    n, reach = b.shape[-1], 1
    while reach < n:
        b = concatenate(b[..., :-reach] + a[..., :-reach] * b[..., reach:], b[..., n - reach:], dim=-1)
        if 2 * reach < n:
            a = concatenate(a[..., :-reach] * a[..., reach:], a[..., n - reach:], dim=-1)
        reach *= 2
    return b


@_reduction(x=lambda g, x, out, x_shape, dim, keepdim:
            spread(g, shape=x_shape, dim=dim, keepdim=keepdim)
            * exp(x - _finite(spread(out, shape=x_shape, dim=dim, keepdim=keepdim))), floating=True)
def logsumexp(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """ln Σ e^x over `dim`, without overflow:  m + ln Σ e^(x - m),  m = max Re x.  -inf of no elements."""
    x, axis = _floats(x), axis_of(dim, x.ndim)
    with np.errstate(all="ignore"):
        m = np.max(x.real, axis=axis, keepdims=True, initial=-np.inf)
        m = np.where(np.isfinite(m), m, m.dtype.type(0))
        out = np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True)) + m
        return out if keepdim else out.reshape(()) if axis is None else np.squeeze(out, axis)


def _floats(x: Any) -> Any:
    """Integers of a plain array as NumPy's functions take them; those of a Tensor have come as floats."""
    return x.astype(np.float64) if x.dtype.kind in "biu" else x


def _finite(out: Any) -> Any:
    """Where all of x is -inf the softmax is taken as 0, not NaN."""
    return where(out == -math.inf, 0, out)


@op(
    x=lambda g, out, x_dtype, dim: fit(softmax_backward(g, out, dim=dim), x_dtype),
    category="activation",
    shapes="an axis that x has",
    floating=True,
    cases=[((M,), {"dim": 1}), ((M,), {"dim": 0}), (((),), {"dim": 0})],
)
def softmax(x: Any, *, dim: int, dtype: Any = None) -> Any:
    """Normalised exponentials along `dim`:  e^x / Σ e^x."""
    x = _floats(x) if dtype is None else x.astype(dtype)
    if x.ndim == 0:
        with np.errstate(invalid="ignore"):
            return x * 0 + x.dtype.type(1)    # NaN of NaN and of an infinity
    n = rows.length(x, dim)
    if n:
        return rows.softmax(x, n)
    with np.errstate(all="ignore"):
        e = np.exp(x - np.max(x, axis=dim, keepdims=True, initial=-np.inf))
        e /= sum(e, dim=dim, keepdim=True)
        return e


@op(g=lambda h, out, dim: softmax_backward(h, out, dim=dim),
    out=lambda h, g, out, dim: h * (g - sum(g * out, dim=dim, keepdim=True)) - g * sum(h * out, dim=dim, keepdim=True),
    category="activation", shapes="g and out of one shape", cases=[((M, M), {"dim": 1}), ((M, M), {"dim": 0})])
def softmax_backward(g: Any, out: Any, *, dim: int) -> Any:
    """The gradient of `softmax`:  y (g - Σ g y)."""
    n = rows.length(out, dim)
    if n and g.dtype == out.dtype:
        return rows.softmax_backward(g, out, n)
    return out * (g - sum(g * out, dim=dim, keepdim=True))


@op(
    x=lambda g, out, x_dtype, dim: fit(log_softmax_backward(g, out, dim=dim), x_dtype),
    category="activation",
    shapes="an axis that x has",
    floating=True,
    cases=[((M,), {"dim": 1}), ((M,), {"dim": 0}), (((),), {"dim": 0})],
)
def log_softmax(x: Any, *, dim: int, dtype: Any = None) -> Any:
    """Logarithm of softmax along `dim`:  x - ln Σ e^x."""
    x = _floats(x) if dtype is None else x.astype(dtype)
    if x.ndim == 0:
        with np.errstate(invalid="ignore"):
            return x * 0
    n = rows.length(x, dim)
    if n:
        return rows.log_softmax(x, n)
    with np.errstate(all="ignore"):
        z = x - np.max(x, axis=dim, keepdims=True, initial=-np.inf)
        z -= np.log(sum(np.exp(z), dim=dim, keepdim=True))
        return z


@op(g=lambda h, out, dim: h - sum(h * exp(out), dim=dim, keepdim=True),
    out=lambda h, g, out, dim: -h * exp(out) * sum(g, dim=dim, keepdim=True),
    category="activation", shapes="g and out of one shape", cases=[((M, M), {"dim": 1}), ((M, M), {"dim": 0})])
def log_softmax_backward(g: Any, out: Any, *, dim: int) -> Any:
    """The gradient of `log_softmax`:  g - e^y Σ g."""
    n = rows.length(out, dim)
    if n and g.dtype == out.dtype:
        return rows.log_softmax_backward(g, out, n)
    return g - np.exp(out) * sum(g, dim=dim, keepdim=True)


@_reduction(name="norm", x=lambda g, x, out, x_shape, dim, keepdim:
            spread(g / where(out == 0, math.inf, out), shape=x_shape, dim=dim, keepdim=keepdim) * x)
def euclidean_norm(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Euclidean length over `dim`:  √(Σ x²), scaled against overflow and underflow.  At 0 the derivative is 0."""
    _check_floating("norm", x)
    axis = axis_of(dim, x.ndim)
    size = np.abs(x)
    wide = size.astype(np.float64) if size.dtype.itemsize < 8 else size
    with np.errstate(all="ignore"):
        m = np.max(wide, axis=axis, keepdims=True, initial=0)
        m = np.where(np.isfinite(m) & (m > 0), m, 1)
        out = m * np.sqrt(np.sum((wide / m) ** 2, axis=axis, keepdims=True))
    return (out if keepdim else out.reshape(()) if axis is None else np.squeeze(out, axis)).astype(size.dtype)
