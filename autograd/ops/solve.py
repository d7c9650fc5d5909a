"""Inverses, determinants and linear systems, by LU with partial pivoting (LAPACK, through NumPy).

Source of the rules: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), section 2.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from ..op import op
from ..tensor import Tensor, wrap
from .composed import array_of as array_of
from .elementwise import log, where
from .linear import cast, conj, expand, reshape, sum, tril, triu

SQUARE = "square matrices (..., n, n) of floats"
ELSEWHERE: Any = iter(())                     # no generated case fits: complex results, or only one triangle is read


class LinAlgError(np.linalg.LinAlgError, RuntimeError):
    """A matrix that cannot be factorized or inverted (NumPy's kind of error, and PyTorch's)."""


def like(x: Any, value: Any) -> Any:
    """A plain result beside x: a Tensor where x is one."""
    value = value[()] if value.ndim == 0 else value
    return wrap(value) if isinstance(x, Tensor) else value


def column(x: Any) -> Any:
    """Each vector on the last axis as a matrix of one column."""
    return reshape(x, shape=(*x.shape, 1))


def adjoint(x: Any) -> Any:
    """Conjugate transpose of the last two axes; of real matrices the transpose."""
    return conj(x.mT) if x.dtype.kind == "c" else x.mT


def real_dtype(dtype: Any) -> Any:
    """The dtype of the real part of a number."""
    return np.zeros((), dtype).real.dtype


def eye_of(x: Any, n: int) -> Any:
    """The identity (n, n) in the dtype of x, an array."""
    return np.eye(n, dtype=x.dtype)


def check_matrices(who: str, A: Any, square: bool = True) -> None:
    """ShapeError unless A holds (square) matrices; TypeError unless its dtype is one LAPACK knows."""
    if A.ndim < 2:
        raise ShapeError(f"{who}: The input tensor A must have at least 2 dimensions; got {A.shape}")
    if square and A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{who}: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} "
                         f"matrices: the shape is {A.shape}; use pinv or lstsq for others")
    if A.dtype.kind not in "fc" or A.dtype == np.float16:
        raise TypeError(f"{who}: expected float32, float64 or complex matrices; got {A.dtype}: use A.float()")


def singular(who: str, info: Any, shape: tuple[int, ...]) -> LinAlgError:
    """The exception for singular matrices: which of the batch, and how large they are."""
    which = "" if len(shape) == 2 else f"(Batch element {int(np.argmax(info))}): "
    return LinAlgError(f"{who}: {which}The solver failed because the input matrix is singular; it is "
                       f"{shape[-2]} by {shape[-1]}: lstsq and pinv take singular matrices")


# -- inverse ---------------------------------------------------------------------------------------------


@op(A=lambda g, out: -(out.mT @ g @ out.mT), shapes=SQUARE, category="linear",
    cases=[(((2, 2),), {}), (((2, 3, 3),), {}), (((1, 1),), {}), (((0, 2, 2),), {})])
def inv(A: Any) -> Any:
    """Inverse of each matrix:  A⁻¹.  LinAlgError if one is singular."""
    check_matrices("inv", A)
    try:
        return np.linalg.inv(A)
    except np.linalg.LinAlgError:
        raise singular("inv", _is_singular(A), A.shape) from None


def _is_singular(A: Any) -> Any:
    """Which matrices of a batch the LU factorization finds singular."""
    with np.errstate(all="ignore"):
        return np.linalg.det(A) == 0


@op(A=lambda g, out: -(out.mT @ g @ out.mT), shapes=SQUARE, category="linear", cases=[(((2, 2),), {})])
def boundless_inverse(A: Any) -> Any:
    """Inverse of each matrix, the adjugate over 0 where there is none:  infinite, in its direction."""
    try:
        return np.linalg.inv(A)
    except np.linalg.LinAlgError:
        with np.errstate(all="ignore"):
            bad = _is_singular(A)[..., None, None]
            good = np.linalg.inv(np.where(bad, np.eye(A.shape[-1], dtype=A.dtype), A))
            return np.where(bad, _cofactors(A).swapaxes(-1, -2) / A.dtype.type(0), good)


class Inverse(NamedTuple):
    """Inverses, and per matrix 0 or the place of a zero pivot."""

    inverse: Any
    info: Any


class Solution(NamedTuple):
    """Solutions, and per matrix 0 or the place of a zero pivot."""

    result: Any
    info: Any


def inv_ex(A: Any, *, check_errors: bool = False) -> Inverse:
    """(A⁻¹, info): info is 0 where the matrix has an inverse; elsewhere the inverse is infinite or NaN."""
    check_matrices("inv", A)
    info = _is_singular(array_of(A)).astype(np.int32) * A.shape[-1]
    return Inverse(inv(A) if check_errors or not info.any() else boundless_inverse(A), like(A, info))


# -- determinants ----------------------------------------------------------------------------------------


@op(A=lambda g, A: g[..., None, None] * cofactor(A), shapes=SQUARE, category="linear",
    cases=[(((2, 2),), {}), (((3, 3),), {}), (((2, 3, 3),), {}), (((1, 1),), {}), (((0, 2, 2),), {})])
def det(A: Any) -> Any:
    """Determinant of each matrix:  |A|.  Its gradient, the transposed adjugate, is right at singular matrices too."""
    check_matrices("det", A)
    with np.errstate(all="ignore"):
        return np.linalg.det(A)


@op(A=lambda g, A: cofactor_change(A, g), shapes=SQUARE, category="linear", cases=[(((3, 3),), {}), (((2, 2),), {})])
def cofactor(A: Any) -> Any:
    """Cofactors of each matrix (the transposed adjugate):  det(A) A⁻ᵀ, also where A is singular."""
    return _cofactors(A)


def _cofactors(A: Any) -> Any:
    """From the singular values, of which no product holds the one left out:  det(U V) conj(U) Π_{j≠i} s_j conj(V)."""
    regular = _if_regular(A)
    if regular:
        return regular[1] * regular[0].swapaxes(-1, -2)
    U, s, Vh = np.linalg.svd(A)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return sign[..., None, None] * ((U.conj() * _without(s)[..., None, :]) @ Vh.conj())


def _if_regular(A: Any) -> Any:
    """(A⁻¹, det A) if all the matrices are far from singular, else None: it takes a tenth of the time of an SVD."""
    try:
        inverse, size = np.linalg.inv(A), np.linalg.det(A)[..., None, None]
    except np.linalg.LinAlgError:
        return None
    with np.errstate(all="ignore"):
        cond = np.abs(A).sum(-2).max(-1, initial=0) * np.abs(inverse).sum(-2).max(-1, initial=0)
        info = np.finfo(A.dtype)
        fine = np.all(cond < info.eps ** -0.25) and np.all(np.isfinite(size) & (np.abs(size) > info.tiny))
    return (inverse, size) if fine else None


def _without(s: Any) -> Any:
    """Per element the product of all others on the last axis."""
    others = np.where(np.eye(s.shape[-1], dtype=bool), s.dtype.type(1), s[..., None, :])
    return np.prod(others, axis=-1)


@op(A=lambda g, A, direction: _third_of_det(A, direction, g), direction=lambda g, A: cofactor_change(A, g),
    shapes=SQUARE, category="linear", cases=[(((3, 3), (3, 3)), {})])
def cofactor_change(A: Any, direction: Any) -> Any:
    """Change of the cofactors along a direction:  the second derivative of det, symmetric, also at singular A.

    In the bases of the SVD, with B = Uᴴ D V:  the diagonal changes by Σ_k B_kk Π_{l≠i,k} s_l, the rest by
    -B_ij Π_{l≠i,j} s_l.
    """
    regular = _if_regular(A)
    if regular:
        M, size = regular
        turned = M @ direction
        return size * (np.trace(turned, axis1=-2, axis2=-1)[..., None, None] * M - turned @ M).swapaxes(-1, -2)
    U, s, Vh = np.linalg.svd(A)
    n = s.shape[-1]
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    B = U.swapaxes(-1, -2).conj() @ direction @ Vh.swapaxes(-1, -2).conj()
    left_out = np.eye(n, dtype=bool)[:, None, :] | np.eye(n, dtype=bool)[None, :, :]
    pairs = np.prod(np.where(left_out, s.dtype.type(1), s[..., None, None, :]), axis=-1)
    pairs = pairs * (1 - np.eye(n, dtype=s.dtype))
    on = np.einsum("...ij,...jj->...i", pairs, B)
    change = on[..., None] * np.eye(n, dtype=s.dtype) - pairs * B
    return sign[..., None, None] * (U.conj() @ change.swapaxes(-1, -2) @ Vh.conj()) if A.size else A * direction


def _third_of_det(A: Any, a: Any, b: Any) -> Any:
    """The third derivative of det along a and b, as a matrix; not at a singular A."""
    M = boundless_inverse(A)
    a, b = M @ a, M @ b
    ta, tb, tab = (sum(x * eye_of(x, x.shape[-1]), dim=(-2, -1), keepdim=True) for x in (a, b, a @ b))
    inner = (ta * tb - tab) * M - tb * (a @ M) - ta * (b @ M) + (a @ b + b @ a) @ M
    return det(A)[..., None, None] * inner.mT


class Slogdet(NamedTuple):
    """Sign (a number of modulus 1) and logarithm of the modulus of determinants."""

    sign: Any
    logabsdet: Any


@op(A=lambda g, A, out, A_shape: _turn(g, A, out, A_shape), name="sign_of_det", shapes=SQUARE, category="linear",
    cases=[(((2, 3, 3),), {})])
def _sign_of_det(A: Any, *, made: Any = None) -> Any:
    """Sign of the determinant:  det A / |det A|."""
    return np.linalg.slogdet(A)[0] if made is None else made[0]


def _turn(g: Any, A: Any, out: Any, shape: tuple[int, ...]) -> Any:
    if g.dtype.kind != "c":
        return expand((g * 0)[..., None, None], shape=shape)
    c = g * out
    return ((c - conj(c)) * 0.5)[..., None, None] * boundless_inverse(A).mT


@op(A=lambda g, A: g[..., None, None] * adjoint(boundless_inverse(A)), name="logabsdet", shapes=SQUARE,
    category="linear", cases=[(((2, 2),), {}), (((2, 3, 3),), {})])
def _logabsdet(A: Any, *, made: Any = None) -> Any:
    """Logarithm of the modulus of the determinant:  ln |det A|."""
    return np.linalg.slogdet(A)[1] if made is None else made[1]


def slogdet(A: Any) -> Slogdet:
    """(sign, ln |det A|) of each matrix:  det A = sign e^logabsdet.  A singular one gives (0, -inf)."""
    check_matrices("slogdet", A)
    made = np.linalg.slogdet(array_of(A))
    return Slogdet(_sign_of_det(A, made=made), _logabsdet(A, made=made))


def logdet(A: Any) -> Any:
    """Logarithm of the determinant of each matrix:  ln det A, NaN where it is negative, -inf where it is 0."""
    sign, size = slogdet(A)
    if A.dtype.kind == "c":
        return size + log(sign)
    return where(array_of(sign) < 0, math.nan, size)


# -- linear systems --------------------------------------------------------------------------------------


@op(A=lambda g, A, out: -(solve_matrices(A.mT, g) @ out.mT), B=lambda g, A: solve_matrices(A.mT, g), name="solve",
    shapes="square matrices A (..., n, n) and right-hand sides B (..., n, k) or (n,)", category="linear",
    cases=[(((2, 2), (2, 3)), {}), (((3, 2, 2), (2, 1)), {}), (((2, 2), (3, 2, 1)), {})])
def solve_matrices(A: Any, B: Any) -> Any:
    """Solution X of A X = B, for matrices:  A⁻¹ B."""
    try:
        return np.linalg.solve(A, B)
    except np.linalg.LinAlgError:
        raise singular("solve", _is_singular(A), A.shape) from None


def _is_vector(A: Any, B: Any) -> bool:
    """Whether B (..., n) is one right-hand side for each matrix, as PyTorch and NumPy 1 tell."""
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """Solution X of  A X = B  (left) or  X A = B.  LinAlgError if a matrix is singular.

    A (..., n, n);  B (..., n, k), (..., k, n) where not left, or a vector for each matrix: (n,), (..., n).
    """
    check_matrices("solve", A)
    vector = _is_vector(A, B)
    if vector:
        if not left:
            raise ShapeError("solve: a vector right-hand side needs left=True: expected B of shape (..., k, n); "
                             f"got {B.shape}")
        B = column(B)
    n, rows = A.shape[-1], B.shape[-2 if left else -1]
    if rows != n:
        raise ShapeError(f"solve: incompatible shapes: A is {A.shape}, so B needs {n} {'rows' if left else 'columns'}; "
                         f"got {B.shape}")
    X = solve_matrices(A, B) if left else solve_matrices(A.mT, B.mT).mT
    return reshape(X, shape=X.shape[:-1]) if vector else X


def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> Solution:
    """(X, info) with A X = B: info is 0 where the matrix has an inverse, n elsewhere."""
    info = _is_singular(array_of(A)).astype(np.int32) * A.shape[-1]
    if check_errors or not info.any():
        return Solution(solve(A, B, left=left), like(A, info))
    vector = _is_vector(A, B)
    B = column(B) if vector else B
    X = boundless_inverse(A) @ B if left else B @ boundless_inverse(A)
    return Solution(reshape(X, shape=X.shape[:-1]) if vector else X, like(A, info))


def triangle(A: Any, upper: bool, unitriangular: bool = False) -> Any:
    """One triangle of A, zeros in the other; with ones on the diagonal if it is unitriangular."""
    part = triu if upper else tril
    if unitriangular:
        return part(A, diagonal=1 if upper else -1) + eye_of(A, A.shape[-1])
    return part(A)


def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """Solution X of  A X = B  (left) or  X A = B  with one triangle of A; the other is not looked at."""
    check_matrices("solve_triangular", A)
    T = triangle(A, upper, unitriangular)
    return solve_matrices(T, B) if left else solve_matrices(T.mT, B.mT).mT


class TriangularSolution(NamedTuple):
    """What torch.triangular_solve returns."""

    solution: Any
    cloned_coefficient: Any


def triangular_solve(b: Any, A: Any, upper: bool = True, transpose: bool = False,
                     unitriangular: bool = False) -> TriangularSolution:
    """(X, A) with A X = b, or Aᵀ X = b: torch.triangular_solve, the older name of solve_triangular."""
    T = triangle(A, upper, unitriangular)
    return TriangularSolution(solve_matrices(T.mT if transpose else T, b), A * 1)


def real_part(x: Any) -> Any:
    """Real part; a real number itself."""
    return cast(x, dtype=real_dtype(x.dtype)) if x.dtype.kind == "c" else x
