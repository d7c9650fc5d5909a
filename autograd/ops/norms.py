"""Norms of vectors and of matrices, and the condition number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import elementwise, op
from .elementwise import where
from .linear import cast, permute, reshape, spread, sum
from .logic import sign
from .reduce import amax, amin, euclidean_norm
from .singular import svdvals
from .solve import array_of, check_matrices, inv, inv_ex, real_dtype


def _unit(x: Any, size: Any) -> Any:
    """x / |x|, and 0 at 0."""
    if x.dtype.kind != "c":
        return sign(x)
    return x / where(array_of(size) == 0, math.inf, size)


@elementwise(x=lambda g, x, out: g * _unit(x, out))
def modulus(x: Any) -> Any:
    """Modulus of a real or complex number:  |x|.  At 0 the derivative is taken as 0."""
    return np.abs(x)


_VECTOR = {"shapes": "axes that x has", "category": "reduction"}


@op(x=lambda g, x, out, x_shape, ord, dim, keepdim: _pull_power_norm(g, x, out, x_shape, ord, dim, keepdim),
    cases=[(((2, 3),), {"ord": 3.0}), (((2, 3),), {"ord": 1.5, "dim": 1}), (((2, 3),), {"ord": 3, "keepdim": True})],
    **_VECTOR)
def power_norm(x: Any, *, ord: float, dim: Any = None, keepdim: bool = False) -> Any:
    """(Σ |x|^p)^(1/p), scaled against overflow and underflow.  At 0 the derivative is taken as 0."""
    a = np.abs(x)
    with np.errstate(all="ignore"):
        m = np.max(a, axis=dim, keepdims=True, initial=0) if ord > 0 else np.min(a, axis=dim, keepdims=True)
        m = np.where(np.isfinite(m) & (m > 0), m, m.dtype.type(1))
        p = a.dtype.type(ord)
        out = m * np.sum((a / m) ** p, axis=dim, keepdims=True) ** (1 / p)
        return out if keepdim else out.reshape(()) if dim is None else np.squeeze(out, dim)


def _pull_power_norm(g: Any, x: Any, out: Any, shape: Any, p: float, dim: Any, keepdim: bool) -> Any:
    """g x/|x| (|x| / out)^(p-1), and 0 where x or the norm is 0."""
    total = spread(out, shape=shape, dim=dim, keepdim=keepdim)
    a = modulus(x)
    zero = (array_of(a) == 0) | (array_of(total) == 0)
    ratio = where(zero, 1, a) / where(zero, 1, total)
    return spread(g, shape=shape, dim=dim, keepdim=keepdim) * where(zero, 0, ratio ** (p - 1)) * _unit(x, a)


def _cast_for(who: str, x: Any, dtype: Any) -> Any:
    if dtype is not None:
        return cast(x, dtype=dtype)
    if x.dtype.kind not in "fc":
        raise TypeError(f"{who}: Expected a floating point or complex tensor as input; got {x.dtype}: use x.float()")
    return x


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Norm of the elements over `dim` (all by default) as one vector:  (Σ |x|^p)^(1/p).

    ord inf and -inf are the largest and the smallest modulus, 0 the number of elements that are not 0.
    """
    x = _cast_for("vector_norm", x, dtype)
    p = float(ord)
    dims = None if dim is None else tuple([int(d) for d in ((dim,) if isinstance(dim, (int, np.integer)) else dim)])
    dims = dims if dims and x.ndim else None
    if p == 2:
        return euclidean_norm(x, dim=dims, keepdim=keepdim)
    if p == 1:
        return sum(modulus(x), dim=dims, keepdim=keepdim)
    if p == 0:
        return sum(cast(modulus(x), dtype=real_dtype(x.dtype)) * 0 + (array_of(x) != 0), dim=dims, keepdim=keepdim)
    if math.isinf(p):
        count = math.prod(x.shape if dims is None else [x.shape[d] for d in dims])
        if not count:
            raise ShapeError(f"vector_norm: expected at least one element for ord={ord!r}; got shape {tuple(x.shape)}, "
                             f"dim={dim!r}")
        return (amax if p > 0 else amin)(modulus(x), dim=dims, keepdim=keepdim)
    return power_norm(x, ord=p, dim=dims, keepdim=keepdim)


_BY_SINGULAR_VALUES = {"nuc": lambda S: sum(S, dim=-1), 2: lambda S: amax(S, dim=-1), -2: lambda S: amin(S, dim=-1)}


def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Norm of the matrices over the two axes `dim`.

    "fro" √(Σ |a|²), "nuc" Σ s, 2 and -2 the largest and smallest singular value, inf and -inf the largest and smallest
    sum of moduli of a row, 1 and -1 of a column.
    """
    if A.ndim < 2:
        raise ShapeError(f"matrix_norm: The input tensor A must have at least 2 dimensions; got {A.shape}")
    A = _cast_for("matrix_norm", A, dtype)
    if len(dim) != 2 or dim[0] % A.ndim == dim[1] % A.ndim:
        raise ValueError(f"matrix_norm: dim must be a tuple of two different axes; got {dim!r}")
    rows, columns = (d % A.ndim for d in dim)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in _BY_SINGULAR_VALUES:
        rest = [d for d in range(A.ndim) if d not in (rows, columns)]
        out = _BY_SINGULAR_VALUES[ord](svdvals(permute(A, dims=(*rest, rows, columns))))
        shape = tuple(1 if d in (rows, columns) else n for d, n in enumerate(A.shape))
        return reshape(out, shape=shape) if keepdim else out
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise ValueError(f"matrix_norm: expected ord 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2; got {ord!r}")
    across, along = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = sum(modulus(A), dim=across, keepdim=True)
    return (amax if ord > 0 else amin)(sums, dim=along, keepdim=True) if keepdim else \
        (amax if ord > 0 else amin)(sums, dim=(rows, columns))


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Norm of vectors or matrices (torch.linalg.norm): of all elements as one vector where neither `ord` nor `dim` is
    given; of matrices where `dim` names two axes, or `ord` is given for a matrix; else of vectors."""
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if A.ndim not in (1, 2):
            raise ShapeError(f"norm: with ord={ord!r} and no dim the input must be 1D or 2D; got {A.shape}")
        dim = tuple(range(A.ndim))
    elif isinstance(dim, int):
        dim = (dim,)
    if len(dim) == 2:
        return matrix_norm(A, ord, tuple(dim), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} is a norm of matrices, and dim={dim!r} names one axis")
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def cond(A: Any, p: Any = None) -> Any:
    """Condition number of each matrix:  |A| |A⁻¹| in a norm of matrices; by default s_max / s_min.  inf if singular."""
    check_matrices("cond", A, square=p not in (None, 2, -2))
    if p in (None, 2, -2):
        S = svdvals(A)
        if S.shape[-1] == 0:
            return sum(S, dim=-1)
        return S[..., -1] / S[..., 0] if p == -2 else S[..., 0] / S[..., -1]
    inverse, info = inv_ex(A)
    bad = array_of(info) > 0
    out = matrix_norm(A, p) * matrix_norm(where(bad[..., None, None], 0, inverse) if bad.any() else inv(A), p)
    return where(bad, math.inf, out) if bad.any() else out
