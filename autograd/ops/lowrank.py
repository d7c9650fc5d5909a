"""The largest singular values and eigenvalues of large matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..creation import default_rng
from ..errors import ShapeError
from .composed import composed
from .elementwise import subtract
from .factorize import cholesky, qr
from .linear import flip
from .matrix import matmul
from .reduce import mean
from .singular import svd
from .solve import adjoint, check_matrices, solve_triangular
from .spectral import eigh


def _basis(A: Any, q: int, niter: int) -> Any:
    """Orthonormal columns that nearly span the range of A (Halko et al. 2009, algorithm 4.4)."""
    rng = default_rng()
    probe = rng.standard_normal((A.shape[-1], q))
    if A.dtype.kind == "c":
        probe = (probe + 1j * rng.standard_normal(probe.shape)) / np.sqrt(2)
    Q, _ = qr(matmul(A, probe.astype(A.dtype)))
    for _ in range(niter):
        Q, _ = qr(matmul(adjoint(A), Q))
        Q, _ = qr(matmul(A, Q))
    return Q


@composed
def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> tuple[Any, Any, Any]:
    """(U, S, V) of the q largest singular values, by random projection:  A ≈ U diag(S) Vᴴ;  with M of A - M.

    A (..., m, n) -> U (..., m, q), S (..., q), V (..., n, q).  `niter` power iterations sharpen what decays slowly.
    Source: Halko, Martinsson and Tropp 2009, "Finding structure with randomness", algorithm 5.1.
    """
    check_matrices("svd_lowrank", A, square=False)
    q, niter = 6 if q is None else int(q), 2 if niter is None else int(niter)
    m, n = A.shape[-2:]
    if not 0 <= q <= min(m, n):
        raise ValueError(f"svd_lowrank: expected q within 0..{min(m, n)} for shape {tuple(A.shape)}; got {q}")
    if niter < 0:
        raise ValueError(f"svd_lowrank: expected niter of at least 0; got {niter}")
    if M is not None:
        A = subtract(A, M)
    wide = m < n
    A = adjoint(A) if wide else A
    Q = _basis(A, q, niter)
    U, S, Vh = svd(matmul(adjoint(Q), A), full_matrices=False)
    U, V = matmul(Q, U), adjoint(Vh)
    return (V, S, U) if wide else (U, S, V)


@composed
def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Any, Any, Any]:
    """(U, S, V) of the q principal components of the rows of A (..., samples, features), which are centred first.

    V holds the directions, and S²/(samples - 1) are the variances along them.  q is min(6, m, n) by default.
    """
    check_matrices("pca_lowrank", A, square=False)
    least = min(A.shape[-2:])
    q = min(6, least) if q is None else int(q)
    if not 0 <= q <= least:
        raise ValueError(f"pca_lowrank: q(={q}) must be non-negative integer and not greater than min(m, n)={least}")
    return svd_lowrank(subtract(A, mean(A, dim=-2, keepdim=True)) if center else A, q, niter)


@composed
def lobpcg(A: Any, k: int | None = None, B: Any = None, X: Any = None, n: int | None = None, iK: Any = None,
           niter: int | None = None, tol: float | None = None, largest: bool | None = None, method: str | None = None,
           **others: Any) -> tuple[Any, Any]:
    """The k largest (or smallest) eigenvalues of  A x = λ B x,  A symmetric and B positive definite: (E, X).

    A (..., m, m) -> E (..., k), X (..., m, k) with  Xᴴ B X = 1.  The matrices being dense here, all eigenvalues are
    found at once (LAPACK) and the k asked for returned: what guides PyTorch's iterations (X beyond its number of
    columns, iK, niter, tol, method) is accepted and not needed.  Derivatives of every order.
    """
    check_matrices("lobpcg", A)
    m = A.shape[-1]
    count = int(k) if k is not None else int(n) if n is not None else X.shape[-1] if X is not None else 1
    if not 0 < count <= m:
        raise ValueError(f"lobpcg: expected k within 1..{m}; got {count}")
    if B is None:
        values, vectors = eigh(A)
    else:
        if tuple(B.shape[-2:]) != (m, m):
            raise ShapeError(f"lobpcg: expected B of the shape of A, {tuple(A.shape)}; got {tuple(B.shape)}")
        L = cholesky(B)
        reduced = solve_triangular(L, adjoint(solve_triangular(L, A, upper=False)), upper=False)
        values, vectors = eigh(reduced)
        vectors = solve_triangular(adjoint(L), vectors, upper=True)
    if largest is None or largest:
        return flip(values[..., m - count:], dims=-1), flip(vectors[..., m - count:], dims=-1)
    return values[..., :count], vectors[..., :count]
