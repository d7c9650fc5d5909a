"""Triangular factorizations: Cholesky, QR, LU, and what is made of them.

The rules of results that are complex are PyTorch's gradients between two conjugations (`plain`), since the sweep
conjugates around a rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import GradientError, ShapeError
from ..op import op
from .linear import concatenate, conj, tril, triu
from .solve import (
    ELSEWHERE,
    LinAlgError,
    adjoint,
    array_of,
    check_matrices,
    eye_of,
    like,
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
    X = T @ tril(g)
    P = tril(X, diagonal=-1)
    M = (P + adjoint(P) + X * eye_of(L, L.shape[-1])) * 0.5
    return adjoint(solve_matrices(T, adjoint(solve_matrices(T, M))))


@op(A=lambda g, out: plain(_pull_cholesky, g, out), name="cholesky", category="linear", cases=[(((3, 1, 1),), {})],
    domain=(0.2, 3.0), shapes="positive definite matrices (..., n, n)")
def _lower_cholesky(A: Any, *, upper: bool = False) -> Any:
    """Cholesky factor of each matrix, of which one triangle is read:  A = L Lᴴ.  The gradient is symmetric.

    Source: Murray, "Differentiation of the Cholesky decomposition" (2016), equation 10.
    """
    check_matrices("cholesky", A)
    A = A.swapaxes(-1, -2).conj() if upper else A
    try:
        return np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        info = _not_definite(A)
        which = "" if A.ndim == 2 else f"(Batch element {int(np.argmax(info > 0))}): "
        raise LinAlgError(f"cholesky: {which}The factorization could not be completed because the input is not "
                          f"positive-definite (the leading minor of order {int(info.max())} is not)") from None


def _not_definite(A: Any) -> Any:
    """Per matrix 0, or the order of the first leading minor that is not positive definite."""
    flat = A.reshape(-1, *A.shape[-2:])   # only after LAPACK found one that is not
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
    return adjoint(_lower_cholesky(A, upper=True)) if upper else _lower_cholesky(A)


def old_cholesky(input: Any, upper: bool = False) -> Any:
    """torch.cholesky: `upper` may be given by position."""
    return cholesky(input, upper=upper)


class CholeskyEx(NamedTuple):
    """Factors, and per matrix 0 or the order of the minor that is not positive definite."""

    L: Any
    info: Any


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """(factor, info): info is 0 where the matrix is positive definite; elsewhere the factor is NaN."""
    check_matrices("cholesky", A)
    a = array_of(A)
    try:
        return CholeskyEx(cholesky(A, upper=upper), like(A, np.zeros(a.shape[:-2], np.int32)))
    except np.linalg.LinAlgError:
        if check_errors:
            raise
        info = _not_definite(a.swapaxes(-1, -2).conj() if upper else a)
        bad = (info > 0)[..., None, None]
        return CholeskyEx(cholesky(A * ~bad + np.where(bad, eye_of(a, a.shape[-1]), 0), upper=upper)
                          * np.where(bad, np.nan, 1).astype(a.dtype), like(A, info))


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """Solution X of  L Lᴴ X = B, or  Uᴴ U X = B, from the Cholesky factor of the matrix."""
    T = L + array_of(triangle(array_of(L), upper) - array_of(L))
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
def qr_complete(A: Any, *, which: int, made: Any = None) -> Any:
    """Q or R of the complete QR factorization, without a derivative."""
    return (np.linalg.qr(A, "complete") if made is None else made)[which]


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
        made: Any = np.linalg.qr(array_of(A), "complete")
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
        Q = like(A, np.empty(0, A.dtype))
    return QR(Q, R)


def old_qr(input: Any, some: bool = True) -> QR:
    """torch.qr: reduced, or complete if not `some`."""
    return qr(input, "reduced" if some else "complete")


class Geqrf(NamedTuple):
    """R on and above the diagonal, reflections below it, and their factors."""

    a: Any
    tau: Any


def geqrf(input: Any) -> Geqrf:
    """QR factorization as LAPACK leaves it, for `householder_product` and `ormqr`; without a derivative."""
    check_matrices("geqrf", input, square=False)
    h, tau = np.linalg.qr(array_of(input), "raw")
    return Geqrf(like(input, h.swapaxes(-1, -2)), like(input, tau))


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
    if tau.shape[-1] == 0:
        return A * 0 + ones
    V, Q = tril(A, diagonal=-1) + ones, ones
    for i in range(tau.shape[-1] - 1, -1, -1):
        v = V[..., :, i:i + 1]
        Q = Q - (v * tau[..., i:i + 1, None]) @ (adjoint(v) @ Q)
    return Q


def ormqr(A: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """Product of the reflections in A (`householder_product`, all m columns) with a matrix:  Q C, Qᴴ C, C Q or C Qᴴ."""
    m, n = A.shape[-2], tau.shape[-1]
    A = A[..., :n]
    wide = concatenate(A, np.zeros((*A.shape[:-1], m - n), A.dtype), dim=-1) if m > n else A
    Q = householder_product(wide, tau)
    Q = adjoint(Q) if transpose else Q
    return Q @ other if left else other @ Q
