"""Singular values, and what is computed through them: rank, pseudo-inverse, least squares.

Each result of the decomposition is an op of its own, as in `spectral`.  At equal singular values the vectors have no
derivative: NaN.

Source of the rules: Wan and Zhang, "Automatic differentiation for complex valued SVD" (2019).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..op import op
from .elementwise import where
from .factorize import plain
from .linear import concatenate, conj, reshape, sum
from .solve import adjoint, array_of, check_matrices, column, like, real_part
from .spectral import hermitian_parts, no_convergence, off_diagonal


class SVD(NamedTuple):
    """A = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


class OldSVD(NamedTuple):
    """A = U diag(S) Vᴴ."""

    U: Any
    S: Any
    V: Any


def _svd(A: Any, made: Any = None, who: str = "svd") -> Any:
    """(U, S, Vh), reduced."""
    if made is not None:
        return made
    check_matrices(who, A, square=False)
    try:
        return tuple(np.linalg.svd(A, full_matrices=False))
    except np.linalg.LinAlgError:
        raise no_convergence(who, A) from None


def _skew_over_gaps(X: Any, S: Any) -> Any:
    """(X - Xᴴ) / E with E_ij = s_j² - s_i², 0 on the diagonal."""
    gaps = (S[..., None, :] - S[..., :, None]) * (S[..., None, :] + S[..., :, None])
    gaps = gaps + np.eye(S.shape[-1], dtype=S.dtype)
    gaps = where(array_of(gaps) == 0, math.nan, gaps)
    return (X - adjoint(X)) / gaps * off_diagonal(S.shape[-1], S.dtype)


def _pull_left(g: Any, U: Any, S: Any, Vh: Any) -> Any:
    X = adjoint(U) @ g
    inner = _skew_over_gaps(X, S) * S[..., None, :]
    if g.dtype.kind == "c":                   # the phase, which U and V share, is counted here
        inner = inner + (X - adjoint(X)) * np.eye(S.shape[-1], dtype=S.dtype) / (2 * S[..., None, :])
    out = U @ inner
    if U.shape[-2] > S.shape[-1]:
        out = out + (g - U @ X) / S[..., None, :]
    return out @ Vh


def _pull_right(gh: Any, Vh: Any, U: Any, S: Any) -> Any:
    g, V = adjoint(gh), adjoint(Vh)
    X = Vh @ g
    out = (S[..., :, None] * _skew_over_gaps(X, S)) @ Vh
    if V.shape[-2] > S.shape[-1]:
        out = out + adjoint(g - V @ X) / S[..., :, None]
    return U @ out


@op(A=lambda g, U, Vh: (U * g[..., None, :]) @ Vh, aux={"U": lambda A: svd_left(A), "Vh": lambda A: svd_right(A)},
    shapes="matrices (..., m, n)", category="linear", cases=[(((2, 3),), {}), (((2, 2, 2),), {})])
def svd_values(A: Any, *, made: Any = None) -> Any:
    """Singular values of each matrix, descending:  the S of A = U diag(S) Vᴴ."""
    U, S, Vh = _svd(A, made)
    return S, U, Vh


@op(A=lambda g, out, S, Vh: plain(_pull_left, g, out, S, Vh),
    aux={"S": lambda A: svd_values(A), "Vh": lambda A: svd_right(A)},
    shapes="matrices (..., m, n)", category="linear", cases=[(((3, 2),), {}), (((2, 2, 3),), {})])
def svd_left(A: Any, *, made: Any = None) -> Any:
    """Left singular vectors of each matrix, in columns:  the U of A = U diag(S) Vᴴ."""
    return _svd(A, made)


@op(A=lambda g, out, U, S: plain(_pull_right, g, out, U, S),
    aux={"U": lambda A: svd_left(A), "S": lambda A: svd_values(A)},
    shapes="matrices (..., m, n)", category="linear", cases=[(((3, 2),), {}), (((2, 2, 3),), {})])
def svd_right(A: Any, *, made: Any = None) -> Any:
    """Right singular vectors of each matrix, in rows:  the Vᴴ of A = U diag(S) Vᴴ."""
    U, S, Vh = _svd(A, made)
    return Vh, U, S


def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """Singular value decomposition of each matrix (m, n):  A = U diag(S) Vh, S descending.

    Reduced, U is (m, k) and Vh (k, n), k = min(m, n); full, they are square, and no gradient flows through the
    vectors beyond the first k, which are free.  `driver` is PyTorch's and chooses nothing here.
    """
    if not full_matrices:
        made = _svd(array_of(A))
        return SVD(svd_left(A, made=made), svd_values(A, made=made), svd_right(A, made=made))
    a = array_of(A)
    check_matrices("svd", a, square=False)
    try:
        U, S, Vh = np.linalg.svd(a)
    except np.linalg.LinAlgError:
        raise no_convergence("svd", a) from None
    k = S.shape[-1]
    made = U[..., :k], S, Vh[..., :k, :]
    left, right = svd_left(A, made=made), svd_right(A, made=made)
    if U.shape[-1] > k:
        left = concatenate(left, U[..., k:], dim=-1)
    if Vh.shape[-1] > k:
        right = concatenate(right, Vh[..., k:, :], dim=-2)
    return SVD(left, svd_values(A, made=made), right)


def old_svd(A: Any, some: bool = True, compute_uv: bool = True) -> OldSVD:
    """torch.svd:  (U, S, V) with A = U diag(S) Vᴴ; reduced unless `some` is False."""
    if not compute_uv:
        m, n = A.shape[-2:]
        zeros = [like(A, np.zeros((*A.shape[:-2], j, j), A.dtype)) for j in (m, n)]
        return OldSVD(zeros[0], svdvals(A), zeros[1])
    U, S, Vh = svd(A, not some)
    return OldSVD(U, S, adjoint(Vh))


def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """Singular values of each matrix, in descending order."""
    return svd_values(A, made=_svd(array_of(A)))


# -- rank and pseudo-inverse -----------------------------------------------------------------------------


def _cutoff(S: Any, shape: tuple[int, ...], atol: Any, rtol: Any) -> Any:
    """Below it a singular value counts as 0:  max(atol, rtol s_max); rtol is max(m, n) ε unless atol is given."""
    atol, rtol = (None if x is None else array_of(x) for x in (atol, rtol))
    if rtol is None:
        rtol = 0.0 if atol is not None and np.all(atol > 0) else max(shape[-2:]) * np.finfo(S.dtype).eps
    top = S.max(axis=-1, initial=0)
    return np.maximum(0.0 if atol is None else atol, np.asarray(rtol) * top)[..., None]


def _sizes(A: Any, hermitian: bool) -> Any:
    return np.abs(hermitian_parts(A, "L")[0]) if hermitian else _svd(A)[1]


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """Number of singular values above max(atol, rtol s_max); rtol is max(m, n) ε unless atol or tol is given."""
    a = array_of(A)
    check_matrices("matrix_rank", a, square=hermitian)
    S = _sizes(a, hermitian)
    edge = array_of(tol)[..., None] if tol is not None else _cutoff(S, a.shape, atol, rtol)
    return like(A, np.asarray((edge < S).sum(axis=-1)))


def _pull_pinv(g: Any, A: Any, P: Any) -> Any:
    """Source: Golub and Pereyra, "The differentiation of pseudo-inverses ..." (1973), equation 4.12."""
    gh, Ph = adjoint(g), adjoint(P)
    K = gh @ P
    KPh = K @ Ph
    return KPh - adjoint(P @ K) - (A @ P) @ KPh + (Ph @ P) @ (gh - K @ A)


@op(A=lambda g, A, out: plain(_pull_pinv, g, A, out), name="pinv", shapes="matrices (..., m, n)", category="linear",
    cases=[(((3, 2),), {}), (((2, 2, 3),), {})])
def _pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Moore-Penrose inverse of each matrix:  V diag(1/s) Uᴴ, of the singular values above the cutoff."""
    check_matrices("pinv", A, square=hermitian)
    if hermitian:
        w, V = hermitian_parts(A, "L", who="pinv")
        keep = np.abs(w) > _cutoff(np.abs(w), A.shape, atol, rtol)
        return (V * np.where(keep, 1 / np.where(keep, w, 1), 0)[..., None, :]) @ V.swapaxes(-1, -2).conj()
    U, S, Vh = _svd(A, who="pinv")
    keep = _cutoff(S, A.shape, atol, rtol) < S
    T = U * np.where(keep, 1 / np.where(keep, S, 1), 0).astype(S.dtype)[..., None, :]
    return (T @ Vh).swapaxes(-1, -2).conj()


def pinv(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """Moore-Penrose inverse of each matrix; singular values up to max(atol, rtol s_max) count as 0.

    rtol (also `rcond`) is max(m, n) ε unless atol is given.  The gradient is that at constant rank.
    """
    return _pinv(A, atol=atol, rtol=rcond if rtol is None else rtol, hermitian=hermitian)


class LeastSquares(NamedTuple):
    """Solution of a least-squares problem, sums of squared residuals, ranks and singular values (empty)."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """X of least norm among those that minimise |A X - B|:  A⁺ B.

    A (..., m, n);  B (..., m, k), or (..., m), a vector for each matrix.  As in PyTorch `driver` chooses
    what comes beside X: "gelsy", the default, the rank; "gels" the residuals; "gelsd" and "gelss" both and the singular
    values.  Residuals are there where m > n and the rank is n.
    """
    check_matrices("lstsq", A, square=False)
    vector = B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]
    B = column(B) if vector else B
    a = array_of(A)
    m, n = A.shape[-2:]
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ValueError(f"lstsq: expected driver 'gels', 'gelsy', 'gelsd' or 'gelss'; got {driver!r}")
    rtol = rcond if rcond is not None and rcond >= 0 else max(m, n) * np.finfo(a.dtype).eps
    S = _svd(a)[1]
    rank = np.asarray((rtol * S.max(axis=-1, initial=0, keepdims=True) < S).sum(-1))
    X = pinv(A, rtol=rtol) @ B
    D = A @ X - B
    residuals = sum(real_part(D * conj(D)), dim=-2)
    if driver in (None, "gelsy") or m <= n or not (rank == n).all():
        residuals = reshape(residuals, shape=(-1,))[:0]
    values = S if driver in ("gelss", "gelsd") else np.empty(0, S.dtype)
    return LeastSquares(reshape(X, shape=X.shape[:-1]) if vector else X, residuals,
                        like(A, rank if driver != "gels" else np.empty(0, np.int64)), like(A, values))
