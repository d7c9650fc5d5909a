"""Triangular factorizations: Cholesky, QR, LU, and what is made of them.

The rules of results that are complex are PyTorch's gradients between two conjugations (`plain`), since the sweep
conjugates around a rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import GradientError, ShapeError
from ..op import op
from ..tensor import Tensor
from .linear import concatenate, conj, tril, triu
from .solve import (
    ELSEWHERE,
    SQUARE,
    LinAlgError,
    adjoint,
    array_of,
    check_matrices,
    eye_of,
    solve_matrices,
    triangle,
)


def plain(gradient: Any, g: Any, *saved: Any) -> Any:
    """A rule for the sweep from PyTorch's formula for the gradient of complex values."""
    return conj(gradient(conj(g), *saved)) if g.dtype.kind == "c" else gradient(g, *saved)


def half_diagonal(n: int, dtype: Any) -> Any:
    """The mask that takes the lower triangle and half of the diagonal."""
    return (np.tril(np.ones((n, n))) - 0.5 * np.eye(n)).astype(dtype)


# -- Cholesky --------------------------------------------------------------------------------------------


def _pull_cholesky(g: Any, L: Any) -> Any:
    T = adjoint(L)
    P = (T @ tril(g)) * half_diagonal(L.shape[-1], L.dtype)
    S = adjoint(solve_matrices(T, adjoint(solve_matrices(T, P))))
    return (S + adjoint(S)) * 0.5


@op(A=lambda g, out: plain(_pull_cholesky, g, out), name="cholesky", category="linear", cases=[(((3, 1, 1),), {})],
    domain=(0.2, 3.0), shapes="positive definite matrices (..., n, n)")
def _lower_cholesky(A: Any) -> Any:
    """Cholesky factor of each matrix, of which the lower triangle is read:  A = L Lᴴ.  The gradient is Hermitian.

    Source: Murray, "Differentiation of the Cholesky decomposition" (2016), equation 10.
    """
    check_matrices("cholesky", A)
    try:
        return np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        info = _not_definite(A)
        which = "" if A.ndim == 2 else f"(Batch element {int(np.argmax(info > 0))}): "
        raise LinAlgError(f"cholesky: {which}The factorization could not be completed because the input is not "
                          f"positive-definite (the leading minor of order {int(info.max())} is not)") from None


def _not_definite(A: Any) -> Any:
    """Per matrix 0, or the order of the first leading minor that is not positive definite."""
    flat = A.reshape(-1, *A.shape[-2:])
    info = np.zeros(len(flat), np.int32)
    for i, matrix in enumerate(flat):
        for k in range(1, A.shape[-1] + 1):
            try:
                np.linalg.cholesky(matrix[:k, :k])
            except np.linalg.LinAlgError:
                info[i] = k
                break
    return info.reshape(A.shape[:-2])


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """Cholesky factor of each Hermitian positive definite matrix:  A = L Lᴴ, or Uᴴ U.  LinAlgError if one is not.

    Only the triangle of the result is read of A.
    """
    return adjoint(_lower_cholesky(adjoint(A))) if upper else _lower_cholesky(A)


class CholeskyEx(NamedTuple):
    """Factors, and per matrix 0 or the order of the minor that is not positive definite."""

    L: Any
    info: Any


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """(factor, info): info is 0 where the matrix is positive definite; elsewhere the factor is NaN."""
    check_matrices("cholesky", A)
    a = array_of(A)
    try:
        return CholeskyEx(cholesky(A, upper=upper), np.zeros(a.shape[:-2], np.int32))
    except np.linalg.LinAlgError:
        if check_errors:
            raise
        info = _not_definite(a.swapaxes(-1, -2).conj() if upper else a)
        bad = (info > 0)[..., None, None]
        return CholeskyEx(cholesky(A * ~bad + np.where(bad, eye_of(a, a.shape[-1]), 0), upper=upper)
                          * np.where(bad, np.nan, 1).astype(a.dtype), info)


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """Solution X of  L Lᴴ X = B, or  Uᴴ U X = B, from the Cholesky factor of the matrix."""
    T = triangle(L, upper)
    lower, higher = (adjoint(T), T) if upper else (T, adjoint(T))
    return solve_matrices(higher, solve_matrices(lower, B))


def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """Inverse of a matrix from its Cholesky factor:  (L Lᴴ)⁻¹, or (Uᴴ U)⁻¹."""
    check_matrices("cholesky_inverse", L)
    return cholesky_solve(eye_of(L, L.shape[-1]), L, upper)


# -- QR --------------------------------------------------------------------------------------------------


class QR(NamedTuple):
    """A = Q R."""

    Q: Any
    R: Any


def _through_r(M: Any, Q: Any, R: Any, direct: Any) -> Any:
    """(Q sym(M) + direct) R⁻ᴴ, where sym repeats the upper triangle below, the diagonal real."""
    n = M.shape[-1]
    S = M * half_diagonal(n, M.dtype).T
    inner = Q @ (S + adjoint(S))
    return adjoint(solve_matrices(R, adjoint(inner if direct is None else inner + direct)))


def _pull_q(g: Any, Q: Any, R: Any) -> Any:
    return _through_r(-(adjoint(Q) @ g), Q, R, g)


def _pull_r(g: Any, R: Any, Q: Any) -> Any:
    return _through_r(triu(g) @ adjoint(R), Q, R, None)


_TALL = "matrices (..., m, n), m >= n, of full rank"


@op(A=lambda g, out, R: plain(_pull_q, g, out, R), aux={"R": lambda A: qr_r(A)}, shapes=_TALL, category="linear",
    cases=[(((3, 2),), {}), (((2, 2, 2),), {})])
def qr_q(A: Any, *, made: Any = None) -> Any:
    """Q of the reduced QR factorization:  orthonormal columns.

    Source: Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010), section 3.
    """
    return np.linalg.qr(A) if made is None else made


@op(A=lambda g, out, Q: plain(_pull_r, g, out, Q), aux={"Q": lambda A: qr_q(A)}, shapes=_TALL, category="linear",
    cases=[(((3, 2),), {}), (((2, 2, 2),), {})])
def qr_r(A: Any, *, made: Any = None) -> Any:
    """R of the reduced QR factorization:  upper triangular.  Source: as `qr_q`."""
    return (np.linalg.qr(A) if made is None else made)[::-1]


def _no_rule(g: Any) -> Any:
    raise GradientError("qr: the complete factorization of a matrix with more rows than columns is not differentiable, "
                        "its last columns being free; use mode='reduced'")


@op(A=lambda g: _no_rule(g), shapes=_TALL, category="linear", cases=ELSEWHERE)
def qr_complete(A: Any, *, which: int, made: Any) -> Any:
    """Q or R of the complete QR factorization, without a derivative."""
    return made[which]


def qr(A: Any, mode: str = "reduced") -> QR:
    """QR factorization of each matrix (m, n), k = min(m, n):  Q (m, k) orthonormal, R (k, n) upper triangular.

    mode "complete" gives Q (m, m), "r" R alone (Q is empty).  The derivative needs the first k columns independent,
    and there is none of the complete factorization where m > n.
    """
    check_matrices("qr", A, square=False)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr: expected mode 'reduced', 'complete' or 'r'; got {mode!r}")
    m, n = A.shape[-2:]
    if m > n and mode == "complete":
        made = np.linalg.qr(array_of(A), "complete")
        return QR(qr_complete(A, which=0, made=made), qr_complete(A, which=1, made=made))
    if m >= n:
        made = tuple(np.linalg.qr(array_of(A)))
        Q, R = qr_q(A, made=made), qr_r(A, made=made)
    else:
        left = A[..., :m]
        made = tuple(np.linalg.qr(array_of(left)))
        Q = qr_q(left, made=made)
        R = concatenate(qr_r(left, made=made), adjoint(Q) @ A[..., m:], dim=-1)
    if mode == "r":
        empty = np.empty(0, A.dtype)
        Q = Tensor(empty) if isinstance(A, Tensor) else empty
    return QR(Q, R)


def householder_product(A: Any, tau: Any) -> Any:
    """The first columns of a product of reflections  H_1 H_2 ..., H_i = 1 - τ_i v_i v_iᴴ, v_i in column i of A.

    Of v_i the part below the diagonal is read; on it v_i is 1 and above it 0.
    """
    check_matrices("householder_product", A, square=False)
    m, n = A.shape[-2:]
    if m < n or tau.shape[-1] > n:
        raise ShapeError("householder_product: expected reflections A (..., m, n), m >= n, and at most n factors tau; "
                         f"got {A.shape} and {tau.shape}")
    ones = np.eye(m, n, dtype=A.dtype)
    V, Q = tril(A, diagonal=-1) + ones, ones
    for i in range(tau.shape[-1] - 1, -1, -1):
        v = V[..., :, i:i + 1]
        Q = Q - (v * tau[..., i:i + 1, None]) @ (adjoint(v) @ Q)
    return Q


def ormqr(A: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """Product of the reflections in A (`householder_product`, all m columns) with a matrix:  Q C, Qᴴ C, C Q or C Qᴴ."""
    m, n = A.shape[-2:]
    wide = concatenate(A, np.zeros((*A.shape[:-1], m - n), A.dtype), dim=-1) if m > n else A
    Q = householder_product(wide, tau)
    Q = adjoint(Q) if transpose else Q
    return Q @ other if left else other @ Q


# -- LU --------------------------------------------------------------------------------------------------


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
    a = A.reshape(-1, *A.shape[-2:]).copy()
    b, m, n = a.shape
    k, every = min(m, n), np.arange(b)
    pivots, order = np.zeros((b, k), np.int32), np.tile(np.arange(m), (b, 1))
    with np.errstate(all="ignore"):
        for j in range(k):
            p = j + np.argmax(np.abs(a[:, j:, j]), axis=1) if b else every
            pivots[:, j] = p + 1
            for x in (a, order):
                kept = x[:, j].copy()
                x[:, j] = x[every, p]
                x[every, p] = kept
            pivot = a[:, j, j]
            a[:, j + 1:, j] /= np.where(pivot == 0, 1, pivot)[:, None]
            a[:, j + 1:, j + 1:] -= a[:, j + 1:, j, None] * a[:, None, j, j + 1:]
    return a.reshape(A.shape), pivots.reshape(*A.shape[:-2], k), order.reshape(*A.shape[:-2], m)


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
    return LUFactor(LU, Tensor(pivots) if isinstance(A, Tensor) else pivots)


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
    return LUFactorEx(LU, pivots, Tensor(info) if isinstance(A, Tensor) else info)


def _unpack(LU: Any, order: Any) -> LU:
    m, n = LU.shape[-2:]
    k = min(m, n)
    L = tril(LU[..., :k], diagonal=-1) + np.eye(m, k, dtype=LU.dtype)
    P = (np.arange(m)[:, None] == order[..., None, :]).astype(LU.dtype)
    return _LU(Tensor(P) if isinstance(LU, Tensor) else P, L, triu(LU[..., :k, :]))


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
    flat = pivots.reshape(-1, pivots.shape[-1])
    order, every = np.tile(np.arange(m), (len(flat), 1)), np.arange(len(flat))
    for j in range(flat.shape[1]):
        kept = order[:, j].copy()
        order[:, j] = order[every, flat[:, j] - 1]
        order[every, flat[:, j] - 1] = kept
    return order.reshape(*pivots.shape[:-1], m)


def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> LU:
    """(P, L, U) of what `lu_factor` packed."""
    P, L, U = _unpack(LU_data, _order(LU_pivots, LU_data.shape[-2]))
    none: Any = np.empty(0, LU_data.dtype)
    none = Tensor(none) if isinstance(LU_data, Tensor) else none
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
