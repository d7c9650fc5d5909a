"""NumPy's products: dot, inner, outer, tensor contractions, convolutions, covariance, polynomials."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

import numpy as np

from .. import ops
from ..errors import ShapeError
from .arguments import array, axes, real
from .shapes import reshape, transpose


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The product of scalars; of the last axis of a with the last but one (or only one) of b."""
    a, b = array(a), array(b)
    n, m = a.ndim, b.ndim
    if 0 < n <= 2 and 0 < m <= 2:
        return ops.matmul(a, b)
    if n == 0 or m == 0:
        return ops.multiply(a, b)
    return tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def vdot(a: Any, b: Any, /) -> Any:
    """Σ conj(a) b over all elements."""
    return ops.sum(ops.conj(reshape(array(a), -1)) * reshape(array(b), -1))


def inner(a: Any, b: Any, /) -> Any:
    """Over the last axes of both."""
    a, b = array(a), array(b)
    return ops.multiply(a, b) if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


def outer(a: Any, b: Any, out: Any = None) -> Any:
    """Every element of a times every element of b."""
    return reshape(array(a), (-1, 1)) * reshape(array(b), -1)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Summed over pairs of axes, or the last of a with the first of b."""
    a, b = array(a), array(b)
    if isinstance(axes, (int, np.integer)):
        left, right = list(range(-axes, 0)), list(range(axes))
    else:
        left, right = ([int(d) for d in (ax if isinstance(ax, (list, tuple, np.ndarray)) else [ax])] for ax in axes)
    left, right = (list(np.lib.array_utils.normalize_axis_tuple(d, n)) for d, n in ((left, a.ndim), (right, b.ndim)))
    if len(left) != len(right) or any(a.shape[i] != b.shape[j] for i, j in zip(left, right)):
        raise ShapeError(f"tensordot: expected axes of the same sizes; got axes {left} of {a.shape} and {right} of "
                         f"{b.shape}")
    rest_a, rest_b = [d for d in range(a.ndim) if d not in left], [d for d in range(b.ndim) if d not in right]
    n = int(np.prod([a.shape[d] for d in left], dtype=int))
    x = ops.reshape(transpose(a, (*rest_a, *left)), shape=(int(np.prod([a.shape[d] for d in rest_a], dtype=int)), n))
    y = ops.reshape(transpose(b, (*right, *rest_b)), shape=(n, int(np.prod([b.shape[d] for d in rest_b], dtype=int))))
    return ops.reshape(ops.matmul(x, y), shape=(*[a.shape[d] for d in rest_a], *[b.shape[d] for d in rest_b]))


def einsum(*operands: Any, out: Any = None, dtype: Any = None, order: str = "K", casting: str = "safe",
           optimize: Any = False) -> Any:
    """Einstein's summation, as 'ij,jk->ik' or as arrays each followed by the numbers of its axes."""
    if not isinstance(operands[0], str):
        pairs = operands[:len(operands) // 2 * 2]
        terms = ["".join("..." if k is Ellipsis else ascii_letters[k] for k in term) for term in pairs[1::2]]
        arrow = ""
        if len(operands) % 2:
            arrow = "->" + "".join("..." if k is Ellipsis else ascii_letters[k] for k in operands[-1])
        operands = (",".join(terms) + arrow, *pairs[::2])
    return ops.einsum(operands[0], *[array(x) for x in operands[1:]])


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product."""
    return ops.kron(array(a), array(b))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """The vector product of vectors of three elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = ops.movedim(array(a), axisa, -1), ops.movedim(array(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(f"cross: expected vectors of three elements; got {a.shape[-1]} and {b.shape[-1]}")
    (a0, a1, a2), (b0, b1, b2) = (tuple(x[..., i] for i in range(3)) for x in (a, b))
    return ops.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axisc)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """y[k] = Σ_n a[n + k] conj(v[n])."""
    return _correlate("correlate", array(a), ops.conj(array(v)), mode)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """y[k] = Σ_n a[n] v[k - n]."""
    a, v = array(a), array(v)
    if v.ndim == 1 and a.ndim == 1 and v.shape[0] > a.shape[0]:
        a, v = v, a
    return _correlate("convolve", a, ops.flip(v, dims=0) if v.ndim else v, mode)


def _correlate(who: str, a: Any, v: Any, mode: str) -> Any:
    """Windows of the longer one, framed by zeros, times the shorter one."""
    a, v = reshape(a, -1) if a.ndim == 0 else a, reshape(v, -1) if v.ndim == 0 else v
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(f"{who}: expected two vectors that are not empty; got shapes {a.shape} and {v.shape}")
    if a.shape[0] < v.shape[0]:                   # Σ a[n + k] v[n] read from the other side
        return ops.flip(_correlate(who, v, a, mode), dims=0)
    n, m = a.shape[0], v.shape[0]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{who}: expected mode 'full', 'same' or 'valid'; got {mode!r}")
    before = {"full": m - 1, "same": m // 2, "valid": 0}[mode]
    count = {"full": n + m - 1, "same": n, "valid": n - m + 1}[mode]
    framed = ops.linear.zero_pad(a, padding=((before, count + m - 1 - n - before),))
    return ops.matmul(ops.unfold(framed, 0, m, 1), v)


def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
        aweights: Any = None, *, dtype: Any = None) -> Any:
    """Covariance of the rows, each column an observation."""
    x = _observations(m, y, rowvar)
    correction = ddof if ddof is not None else 0 if bias else 1
    return ops.cov(x, correction=correction, fweights=fweights, aweights=aweights)


def _observations(m: Any, y: Any, rowvar: bool) -> Any:
    x = real(m)
    x = transpose(x) if not rowvar and x.ndim == 2 and x.shape[0] != 1 else x
    if y is not None:
        y = real(y)
        y = transpose(y) if not rowvar and y.ndim == 2 and y.shape[0] != 1 else y
        x = ops.cat([ops.atleast_2d(x), ops.atleast_2d(y)], 0)
    return x


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Correlation of the rows."""
    return ops.corrcoef(_observations(x, y, rowvar))


def polyval(p: Any, x: Any) -> Any:
    """Σ_k p[k] x^(n - 1 - k), by Horner's scheme."""
    p, x = array(p), array(x)
    y = x * 0
    for k in range(p.shape[0]):
        y = y * x + p[k]
    return y


def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """The powers of x, falling from left to right."""
    x = array(x)
    n = x.shape[0] if N is None else N
    if not n:
        return ops.reshape(x, shape=(-1, 1))[:, :0]
    powers = ops.stack([x ** k if k else x * 0 + 1 for k in range(n)], -1)
    return powers if increasing else ops.flip(powers, dims=1)


def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    """A function over one axis after the other."""
    x = array(a)
    for d in (axes,) if isinstance(axes, int) else axes:
        y = func(x, d)
        x = y if y.ndim == x.ndim else ops.unsqueeze(y, d)
    return x


def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of vectors for every vector along an axis."""
    x = array(arr)
    at = axes(axis, x.ndim)[0]
    rows = ops.movedim(x, at, -1)
    flat = ops.reshape(rows, shape=(-1, x.shape[at]))
    found = ops.stack([array(func1d(flat[i], *args, **kwargs)) for i in range(flat.shape[0])])
    out = ops.reshape(found, shape=(*rows.shape[:-1], *found.shape[1:]))
    inner = out.ndim - (x.ndim - 1)
    return ops.movedim(out, tuple(range(x.ndim - 1, out.ndim)), tuple(range(at, at + inner))) if inner else out

