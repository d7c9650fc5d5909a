"""LU factorization with partial pivoting, of all matrices of a batch at once, and what is made of it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..op import op
from .linear import concatenate, tril, triu
from .solve import (
    SQUARE,
    LinAlgError,
    adjoint,
    array_of,
    check_matrices,
    like,
    solve_matrices,
    triangle,
)


class LUFactor(NamedTuple):
    """L below the diagonal and U on and above it, in one matrix, and the rows exchanged, counted from 1."""

    LU: Any
    pivots: Any


class LU(NamedTuple):
    """A = P L U."""

    P: Any
    L: Any
    U: Any


def _eliminate(A: Any) -> tuple[Any, Any, Any]:
    """Packed factors, pivots and order of rows by Gaussian elimination with partial pivoting, all matrices at once."""
    b, (m, n) = math.prod(A.shape[:-2]), A.shape[-2:]
    a = A.reshape(b, m, n).copy()
    k, every = min(m, n), np.arange(b)
    pivots, order = np.zeros((b, k), np.int32), np.tile(np.arange(m), (b, 1))
    with np.errstate(all="ignore"):
        for j in range(k):
            p = j + np.argmax(_size(a[:, j:, j]), axis=1) if b else every
            pivots[:, j] = p + 1
            for x in (a, order):
                kept = x[:, j].copy()
                x[:, j] = x[every, p]
                x[every, p] = kept
            pivot = a[:, j, j]
            a[:, j + 1:, j] /= np.where(pivot == 0, 1, pivot)[:, None]
            a[:, j + 1:, j + 1:] -= a[:, j + 1:, j, None] * a[:, None, j, j + 1:]
    return a.reshape(A.shape), pivots.reshape(*A.shape[:-2], k), order.reshape(*A.shape[:-2], m)


def _size(x: Any) -> Any:
    """By which LAPACK chooses a pivot:  |x|, and |Re x| + |Im x| of complex numbers."""
    return np.abs(x.real) + np.abs(x.imag) if x.dtype.kind == "c" else np.abs(x)


def _pull_packed(g: Any, out: Any) -> Any:
    L, U = triangle(out, False, True), triu(out)
    inner = tril(L.mT @ tril(g, diagonal=-1), diagonal=-1) + triu(triu(g) @ U.mT)
    return solve_matrices(L.mT, solve_matrices(U, inner.mT).mT)


@op(A=lambda g, out: _pull_packed(g, out), shapes=SQUARE, category="linear",
    cases=[(((2, 2),), {}), (((2, 3, 3),), {})], domain=(0.2, 3.0))
def lu_packed(A: Any, *, made: Any = None) -> Any:
    """Triangular factors of square matrices without exchanges, packed into one:  A = L U.

    Source: de Hoog, Anderssen and Lukas, "Differentiation of matrix functionals using triangular factorization"
    (2011), section 3.
    """
    if made is None:
        made = A.copy()
        with np.errstate(all="ignore"):
            for j in range(A.shape[-1]):
                made[..., j + 1:, j] /= made[..., j, None, j]
                made[..., j + 1:, j + 1:] -= made[..., j + 1:, j, None] * made[..., None, j, j + 1:]
    return made


def _factored(A: Any) -> tuple[Any, Any, Any]:
    """Packed factors with their history, pivots, and order of rows."""
    check_matrices("lu", A, square=False)
    packed, pivots, order = _eliminate(array_of(A))
    m, n = A.shape[-2:]
    k = min(m, n)
    A = A[_rows(order)]
    LU = lu_packed(A[..., :k, :k], made=packed[..., :k, :k])
    if m > n:
        LU = concatenate(LU, solve_matrices(triu(LU).mT, A[..., n:, :].mT).mT, dim=-2)
    elif n > m:
        LU = concatenate(LU, solve_matrices(triangle(LU, False, True), A[..., m:]), dim=-1)
    return LU, pivots, order


def _rows(order: Any) -> tuple[Any, ...]:
    """The index that takes the rows of each matrix in that order."""
    return (*[grid[..., None] for grid in np.ogrid[tuple(map(slice, order.shape[:-1]))]], order) if order.ndim > 1 \
        else (order,)


def lu_factor(A: Any, *, pivot: bool = True) -> LUFactor:
    """LU factorization with partial pivoting, packed:  (LU, pivots), for `lu_solve`."""
    if not pivot:
        raise ValueError("lu_factor: without pivoting the factorization is not stable: use pivot=True")
    LU, pivots, _ = _factored(A)
    return LUFactor(LU, like(A, pivots))


class LUFactorEx(NamedTuple):
    """As LUFactor, and per matrix 0 or the place of a zero on the diagonal of U."""

    LU: Any
    pivots: Any
    info: Any


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> LUFactorEx:
    """(LU, pivots, info): info is 0, or the place, from 1, of the first zero on the diagonal of U."""
    LU, pivots = lu_factor(A, pivot=pivot)
    zero = np.diagonal(array_of(LU), axis1=-2, axis2=-1) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1 if zero.shape[-1] else 0, 0).astype(np.int32)
    if check_errors and info.any():
        raise LinAlgError(f"lu_factor: U[{int(info.max())},{int(info.max())}] is zero: the matrix is singular")
    return LUFactorEx(LU, pivots, like(A, info))


def _unpack(LU: Any, order: Any) -> LU:
    m, n = LU.shape[-2:]
    k = min(m, n)
    L = tril(LU[..., :k], diagonal=-1) + np.eye(m, k, dtype=LU.dtype)
    P = (np.arange(m)[:, None] == order[..., None, :]).astype(LU.dtype)
    return _LU(like(LU, P), L, triu(LU[..., :k, :]))


_LU = LU


def lu(A: Any, *, pivot: bool = True) -> LU:
    """LU factorization with partial pivoting:  A = P L U.  The derivative needs the first min(m, n) pivots not 0."""
    if not pivot:
        raise ValueError("lu: without pivoting the factorization is not stable: use pivot=True")
    packed, _, order = _factored(A)
    return _unpack(packed, order)


def _order(pivots: Any, m: int) -> Any:
    """The order of rows that a sequence of exchanges leaves."""
    pivots = array_of(pivots)
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1])
    order, every = np.tile(np.arange(m), (len(flat), 1)), np.arange(len(flat))
    for j in range(flat.shape[1]):
        kept = order[:, j].copy()
        order[:, j] = order[every, flat[:, j] - 1]
        order[every, flat[:, j] - 1] = kept
    return order.reshape(*pivots.shape[:-1], m)


def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> LU:
    """(P, L, U) of what `lu_factor` packed."""
    P, L, U = _unpack(LU_data, _order(LU_pivots, LU_data.shape[-2]))
    none = like(LU_data, np.empty(0, LU_data.dtype))
    return LU(P if unpack_pivots else none, L if unpack_data else none, U if unpack_data else none)


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """Solution X of  A X = B, X A = B, or with Aᴴ in place of A, from the factors that `lu_factor` packed."""
    order = _order(pivots, LU.shape[-1])
    L, U = triangle(LU, False, True), triu(LU)
    if not left:                              # X A = B is Aᴴ Xᴴ = Bᴴ
        return _adjoint(lu_solve(LU, pivots, _adjoint(B), adjoint=not adjoint))
    shape = np.broadcast_shapes(order.shape[:-1], B.shape[:-2])
    order = np.broadcast_to(order, (*shape, order.shape[-1]))
    if B.shape[:-2] != shape:
        B = B + np.zeros((*shape, *B.shape[-2:]), B.dtype)
    if adjoint:
        return solve_matrices(_adjoint(L), solve_matrices(_adjoint(U), B))[_rows(np.argsort(order, axis=-1))]
    return solve_matrices(U, solve_matrices(L, B[_rows(order)]))


_adjoint = adjoint


def old_lu(A: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    """torch.lu:  (LU, pivots), packed, and the infos if asked for."""
    made = lu_factor_ex(A, pivot=pivot)
    return tuple(made) if get_infos else tuple(made[:2])


def old_lu_solve(b: Any, LU_data: Any, LU_pivots: Any) -> Any:
    """torch.lu_solve:  X of A X = b, the right-hand side coming first."""
    return lu_solve(LU_data, LU_pivots, b)
