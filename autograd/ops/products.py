"""Products of matrices and vectors with a summand, over several axes; distances."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor
from . import elementwise as ew
from . import linear as li
from .axes import axis_in
from .compose import bmm, dot, mm, mv, norm, outer
from .composed import array_of, composed
from .matrix import matmul
from .shape import broadcast_tensors, unsqueeze


def _plus(x: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """β x + α product;  with β = 0, x counts for nothing, not even its NaN."""
    if x.dtype.kind in "biu":                 # of integers, factors lose their fraction (PyTorch)
        alpha, beta = (bool(c) if x.dtype.kind == "b" else int(c) for c in (alpha, beta))
    scaled = product if alpha == 1 and alpha is not True else ew.multiply(product, alpha)
    if beta == 0:
        x = ew.where(np.ones(x.shape, bool), 0, x)
    return ew.add(x if beta in (0, 1) else ew.multiply(x, beta), scaled)


@composed
def addmm(x: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """β x + α A B."""
    return _plus(x, mm(mat1, mat2), beta, alpha)


@composed
def addmv(x: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """β x + α A v."""
    return _plus(x, mv(mat, vec), beta, alpha)


@composed
def addr(x: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """β x + α u v^T."""
    return _plus(x, outer(vec1, vec2), beta, alpha)


@composed
def baddbmm(x: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """β x[k] + α A[k] B[k]."""
    return _plus(x, bmm(batch1, batch2), beta, alpha)


@composed
def addbmm(x: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """β x + α Σ_k A[k] B[k]."""
    return _plus(x, _total(bmm(batch1, batch2), [0], False), beta, alpha)


@composed
def vdot(x: Any, y: Any) -> Any:
    """Inner product of two vectors, the first conjugated:  Σ conj(x) y."""
    return dot(li.conj(x), y)


@composed
def inner(x: Any, y: Any) -> Any:
    """Sums of products over the last axes of both; a scalar multiplies."""
    if x.ndim == 0 or y.ndim == 0:
        return ew.multiply(x, y)
    if x.shape[-1] != y.shape[-1]:
        raise ShapeError(f"inner: expected last axes of one size; got {tuple(x.shape)} and {tuple(y.shape)}")
    return tensordot(x, y, ([-1], [-1]))


@composed
def tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    """Sums of products over the last `dims` axes of x and the first of y, or over pairs of axes ([...], [...])."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise ValueError(f"tensordot: expected dims of at least 0; got {dims}")
        left, right = list(range(x.ndim - dims, x.ndim)), list(range(dims))
    else:
        left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
    left = [axis_in(d, x.ndim, "tensordot") for d in left]
    right = [axis_in(d, y.ndim, "tensordot") for d in right]
    a, b = [x.shape[d] for d in left], [y.shape[d] for d in right]
    if len(a) != len(b) or any(m != n and 1 not in (m, n) for m, n in zip(a, b)):
        raise ShapeError(f"tensordot: expected axes of equal sizes to be summed over; got {a} of x {tuple(x.shape)} "
                         f"and {b} of y {tuple(y.shape)}")
    x = _total(x, [d for d, m, n in zip(left, a, b) if m != n and n == 1], True) if _uneven(a, b) else x
    y = _total(y, [d for d, m, n in zip(right, a, b) if m != n and m == 1], True) if _uneven(b, a) else y
    rest = [d for d in range(x.ndim) if d not in left], [d for d in range(y.ndim) if d not in right]
    n = prod(x.shape[d] for d in left)
    outside = [x.shape[d] for d in rest[0]], [y.shape[d] for d in rest[1]]
    rows = li.reshape(li.permute(x, dims=(*rest[0], *left)), shape=(prod(outside[0]), n))
    cols = li.reshape(li.permute(y, dims=(*right, *rest[1])), shape=(n, prod(outside[1])))
    return li.reshape(matmul(rows, cols), shape=(*outside[0], *outside[1]))


def _total(x: Any, dims: list[int], keepdim: bool) -> Any:
    """The sum over some axes, in the dtype of x: small integers wrap round."""
    return li.fit(li.sum(x, dim=dims, keepdim=keepdim), x.dtype)


def _uneven(a: list[int], b: list[int]) -> bool:
    return any(m != n and n == 1 for m, n in zip(a, b))


@composed
def cross(x: Any, y: Any, dim: int | None = None) -> Any:
    """Vector product along an axis of 3 elements (the first such without `dim`):  perpendicular to both."""
    if x.ndim != y.ndim:
        raise ShapeError(f"cross: expected as many axes of both; got {tuple(x.shape)} and {tuple(y.shape)}")
    x, y = broadcast_tensors(x, y)
    if dim is None:
        if 3 not in x.shape:
            raise ShapeError(f"cross: no axis of {tuple(x.shape)} has 3 elements")
        dim = tuple(x.shape).index(3)
    at = axis_in(dim, x.ndim, "cross")
    if x.shape[at] != 3:
        raise ShapeError(f"cross: expected 3 elements on axis {dim}; got shape {tuple(x.shape)}")
    lead = (slice(None),) * at
    turn = lambda v, k: li.getitem(v, index=(*lead, np.array([k, (k + 1) % 3, (k + 2) % 3])))
    return ew.subtract(ew.multiply(turn(x, 1), turn(y, 2)), ew.multiply(turn(x, 2), turn(y, 1)))


# -- distances --------------------------------------------------------------------------------------------


@composed
def dist(x: Any, y: Any, p: float = 2) -> Any:
    """‖x - y‖_p over all elements."""
    return norm(ew.subtract(x, y), p)


@composed
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """Distances of all pairs of rows:  x1 (..., n, k), x2 (..., m, k) -> (..., n, m).  At distance 0 the slope is 0."""
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1] or p < 0:
        raise ShapeError(f"cdist: expected (..., n, k) and (..., m, k), and p of at least 0; got {tuple(x1.shape)}, "
                         f"{tuple(x2.shape)} and p = {p}")
    return norm(ew.subtract(unsqueeze(x1, -2), unsqueeze(x2, -3)), p, -1)


@composed
def pdist(x: Any, p: float = 2.0) -> Any:
    """Distances of all pairs of rows i < j of a matrix, in order."""
    if x.ndim != 2 or p < 0:
        raise ShapeError(f"pdist: expected a matrix, and p of at least 0; got shape {tuple(x.shape)} and p = {p}")
    i, j = np.triu_indices(x.shape[0], 1)
    return norm(ew.subtract(li.getitem(x, index=i), li.getitem(x, index=j)), p, -1)


@composed
def renorm(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Each slice along `dim` whose p-norm is above maxnorm shortened to it."""
    if p <= 0 or maxnorm < 0 or x.ndim < 2:
        raise ValueError(f"renorm: expected p above 0, maxnorm of at least 0 and two axes; got p = {p}, "
                         f"maxnorm = {maxnorm}, shape {tuple(x.shape)}")
    at = axis_in(dim, x.ndim, "renorm")
    others = tuple([d for d in range(x.ndim) if d != at])
    above = norm(array_of(x), p, others, True) > maxnorm
    size = norm(ew.where(above, x, 0), p, others, True)            # a slice that stays has no part in it, nor its NaN
    return ew.multiply(x, ew.where(above, maxnorm / (size + 1e-7), 1))
