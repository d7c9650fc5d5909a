"""Eigenvalues and eigenvectors of Hermitian and of general matrices.

Each result of a decomposition is an op of its own: the decomposition is computed once and handed to each as `made`,
and the sweep adds their gradients.  At equal eigenvalues the vectors have no derivative: NaN.

Source of the rules: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), section 3.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..node import SEEN
from ..op import op
from .elementwise import where
from .factorize import plain
from .linear import conj, sum
from .solve import (
    ELSEWHERE,
    SQUARE,
    LinAlgError,
    adjoint,
    array_of,
    check_matrices,
    real_part,
    solve_matrices,
)


def _gaps(w: Any) -> Any:
    """E_ij = w_j - w_i; 1 on the diagonal, which is not used, and NaN where two are equal."""
    n = w.shape[-1]
    E = w[..., None, :] - w[..., :, None] + np.eye(n, dtype=w.dtype)
    return where(array_of(E) == 0, math.nan, E)


def no_convergence(who: str, A: Any) -> LinAlgError:
    """The exception where LAPACK gives up."""
    return LinAlgError(f"{who}: the algorithm failed to converge: the input {A.shape} holds inf or NaN, or is "
                       "ill-conditioned")


def off_diagonal(n: int, dtype: Any) -> Any:
    """Ones, and zeros on the diagonal."""
    return 1 - np.eye(n, dtype=dtype)


# -- Hermitian matrices ----------------------------------------------------------------------------------


class Eigh(NamedTuple):
    """Eigenvalues in ascending order, and unit eigenvectors in columns."""

    eigenvalues: Any
    eigenvectors: Any


def hermitian_parts(A: Any, UPLO: str, made: Any = None, who: str = "eigh") -> Any:
    """(eigenvalues, eigenvectors) of Hermitian matrices, computed unless they were."""
    if made is not None:
        return made
    check_matrices(who, A)
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError(f"{who}: expected UPLO 'L' or 'U'; got {UPLO!r}")
    try:
        return tuple(np.linalg.eigh(A, UPLO))
    except np.linalg.LinAlgError:
        raise no_convergence(who, A) from None


def _pull_vectors(g: Any, V: Any, w: Any) -> Any:
    inner = adjoint(V) @ g                    # of which the skew part turns the vectors, so the gradient is Hermitian
    return V @ ((inner - adjoint(inner)) * 0.5 / _gaps(w) * off_diagonal(w.shape[-1], w.dtype)) @ adjoint(V)


@op(A=lambda g, V: (V * g[..., None, :]) @ adjoint(V), aux={"V": lambda A, UPLO: eigh_vectors(A, UPLO=UPLO)},
    shapes=SQUARE, category="linear", cases=[(((3, 1, 1),), {})])
def eigh_values(A: Any, *, UPLO: str = "L", made: Any = None) -> Any:
    """Eigenvalues of Hermitian matrices, ascending:  the w of A = V diag(w) Vᴴ."""
    return hermitian_parts(A, UPLO, made)


@op(A=lambda g, out, w: plain(_pull_vectors, g, out, w), aux={"w": lambda A, UPLO: eigh_values(A, UPLO=UPLO)},
    shapes=SQUARE, category="linear", cases=[(((3, 1, 1),), {})])
def eigh_vectors(A: Any, *, UPLO: str = "L", made: Any = None) -> Any:
    """Eigenvectors of Hermitian matrices, in columns:  the V of A = V diag(w) Vᴴ, of any sign (phase)."""
    return hermitian_parts(A, UPLO, made)[::-1]


def eigh(A: Any, UPLO: str = "L") -> Eigh:
    """Eigenvalues and eigenvectors of Hermitian matrices:  A = V diag(w) Vᴴ; one triangle of A is read.

    Where eigenvalues are equal the gradient through the eigenvectors is NaN.
    """
    made = hermitian_parts(array_of(A), UPLO)
    return Eigh(eigh_values(A, UPLO=UPLO, made=made), eigh_vectors(A, UPLO=UPLO, made=made))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of Hermitian matrices in ascending order."""
    return eigh_values(A, UPLO=UPLO, made=hermitian_parts(array_of(A), UPLO))


# -- general matrices ------------------------------------------------------------------------------------


class Eig(NamedTuple):
    """Eigenvalues in no order, and unit eigenvectors in columns; complex."""

    eigenvalues: Any
    eigenvectors: Any


def _eig(A: Any, made: Any = None) -> Any:
    if made is not None:
        return made
    check_matrices("eig", A)
    try:
        w, V = np.linalg.eig(A)
    except np.linalg.LinAlgError:
        raise no_convergence("eig", A) from None
    to = np.result_type(A.dtype, np.complex64)
    return w.astype(to), V.astype(to)


def _like_input(gradient: Any, dtype: Any) -> Any:
    """Of a real matrix the gradient is real."""
    return gradient if dtype.kind == "c" else real_part(gradient)


def _pull_general(g: Any, V: Any, w: Any) -> Any:
    """PyTorch's: V⁻ᴴ ((Vᴴ g - Vᴴ V diag(Re Vᴴ g)) / conj(E)) Vᴴ."""
    n = V.shape[-1]
    T = adjoint(V)
    inner = T @ g
    on = real_part(sum(inner * np.eye(n, dtype=V.dtype), dim=-2))
    inner = inner - (T @ V) * on[..., None, :]
    return solve_matrices(T, (inner / conj(_gaps(w)) * off_diagonal(n, V.dtype)) @ T)


def _pull_eigenvalues(g: Any, V: Any, dtype: Any) -> Any:
    T = V.mT
    return _like_input(solve_matrices(T, g[..., :, None] * T), dtype)


@op(A=lambda g, V, A_dtype: _pull_eigenvalues(g, V, A_dtype), aux={"V": lambda A: eig_vectors(A)}, shapes=SQUARE,
    category="linear", cases=ELSEWHERE)
def eig_values(A: Any, *, made: Any = None) -> Any:
    """Eigenvalues of square matrices, complex, in no order:  the w of A V = V diag(w)."""
    return _eig(A, made)


@op(A=lambda g, out, w, A_dtype: _like_input(plain(_pull_general, g, out, w), A_dtype),
    aux={"w": lambda A: eig_values(A)}, shapes=SQUARE, category="linear", cases=ELSEWHERE)
def eig_vectors(A: Any, *, made: Any = None) -> Any:
    """Eigenvectors of square matrices, complex, of length 1, in columns:  the V of A V = V diag(w)."""
    return _eig(A, made)[::-1]


def eig(A: Any) -> Eig:
    """Eigenvalues and eigenvectors of square matrices:  A V = V diag(w), both complex."""
    made = _eig(array_of(A))
    return Eig(eig_values(_watched(A), made=made), eig_vectors(_watched(A), made=made))


def _watched(A: Any) -> Any:
    """A, whose results are complex: the sweep must know that there are complex numbers."""
    SEEN["complex"] = True
    return A


def eigvals(A: Any) -> Any:
    """Eigenvalues of square matrices, complex, in no order."""
    return eig_values(_watched(A), made=_eig(array_of(A)))
