"""numpy.linalg, by the functions of autograd.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import linalg as la
from .. import ops
from . import products, shapes
from .arguments import array, real, value
from .complexes import _real_part


def matrix_power(a: Any, n: int) -> Any:
    """The n-th power of square matrices."""
    return la.matrix_power(real(a), n)


def inv(a: Any) -> Any:
    """The inverse."""
    return la.inv(real(a))


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The pseudo-inverse."""
    a = real(a)
    cut = rcond if rcond is not None else rtol
    if cut is None:
        cut = max(a.shape[-2:]) * np.finfo(a.dtype).eps if rtol is None and a.ndim >= 2 else None
    return la.pinv(a, rtol=cut, hermitian=hermitian)


def det(a: Any) -> Any:
    """The determinant."""
    return la.det(real(a))


def slogdet(a: Any) -> Any:
    """(sign, logabsdet)."""
    return la.slogdet(real(a))


def solve(a: Any, b: Any) -> Any:
    """x with a x = b; b is a vector exactly where it has one axis."""
    a, b = real(a), real(b)
    if b.ndim == 1:
        return la.solve(a, ops.unsqueeze(b, -1))[..., 0]
    return la.solve(a, ops.broadcast_to(b, shape=(*a.shape[:-2], *b.shape)) if b.ndim < a.ndim else b)


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """x with tensordot(a, x, x.ndim) = b."""
    return la.tensorsolve(real(a), real(b), axes)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse as to tensordot."""
    return la.tensorinv(real(a), ind)


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The triangular factor L with L L^H = a."""
    return la.cholesky(real(a), upper=upper)


def qr(a: Any, mode: str = "reduced") -> Any:
    """(Q, R)."""
    if mode == "raw":
        raise TypeError("numpy.linalg.qr(mode='raw') has no derivative here; use 'reduced', 'complete' or 'r'")
    found = la.qr(real(a), mode)
    return found.R if mode == "r" else found


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """(U, S, Vh); the singular values alone without compute_uv."""
    return la.svd(real(a), full_matrices) if compute_uv else la.svdvals(real(a))


def svdvals(x: Any, /) -> Any:
    """The singular values."""
    return la.svdvals(real(x))


def eig(a: Any) -> Any:
    """(eigenvalues, eigenvectors); those of a real matrix are real where no eigenvalue is complex."""
    a = real(a)
    w, v = la.eig(a)
    return (_real_part(w), _real_part(v)) if _no_complex(a, w) else (w, v)


def eigvals(a: Any) -> Any:
    """The eigenvalues; those of a real matrix are real where none is complex."""
    a = real(a)
    w = la.eigvals(a)
    return _real_part(w) if _no_complex(a, w) else w


def _no_complex(a: Any, w: Any) -> bool:
    return a.dtype.kind != "c" and not np.any(value(w).imag)


def _of_triangle(a: Any, UPLO: str) -> Any:
    """The Hermitian matrix that NumPy sees where it reads one triangle: so the derivative is exact, not symmetrised."""
    if UPLO.upper() not in ("L", "U"):
        raise ValueError(f"expected UPLO 'L' or 'U'; got {UPLO!r}")
    half = ops.tril(a, diagonal=-1) if UPLO.upper() == "L" else ops.triu(a, diagonal=1)
    return half + ops.conj(ops.transpose(half, dim0=-1, dim1=-2)) + a * np.eye(a.shape[-1], dtype=a.dtype)


def eigh(a: Any, UPLO: str = "L") -> Any:
    """(eigenvalues, eigenvectors) of Hermitian matrices."""
    return la.eigh(_of_triangle(real(a), UPLO), UPLO)


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of Hermitian matrices."""
    return la.eigvalsh(_of_triangle(real(a), UPLO), UPLO)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """(solution, residuals, rank, singular values) of least squares."""
    a, b = real(a), real(b)
    column = b.ndim == 1
    cut = np.finfo(a.dtype).eps * max(a.shape) if rcond is None else rcond
    found = la.lstsq(a, ops.unsqueeze(b, -1) if column else b, cut)
    x = found.solution[..., 0] if column else found.solution
    rest = b - ops.matmul(a, x)
    full = a.shape[0] > a.shape[1] and int(la.matrix_rank(a)) == a.shape[1]
    left = ops.sum(ops.square(ops.abs(rest)), dim=0, keepdim=column) if full else ops.reshape(rest, shape=(-1,))[:0]
    return x, left, int(la.matrix_rank(a)), la.svdvals(a)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices; of all elements by default."""
    x = real(x)
    dim = axis if axis is None or isinstance(axis, int) else tuple(axis)
    if ord is not None and dim is None and x.ndim > 2:
        raise ValueError(f"norm: with ord={ord!r} and no axis, expected a vector or a matrix; got shape {x.shape}")
    return la.norm(x, ord, dim, bool(keepdims))


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of matrices."""
    return la.matrix_norm(real(x), ord, (-2, -1), keepdims)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors."""
    return la.vector_norm(real(x), ord, axis, keepdims)


def cond(x: Any, p: Any = None) -> Any:
    """The condition number."""
    return la.cond(real(x), p)


def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """The product of several matrices in the cheapest order."""
    return la.multi_dot([array(x) for x in arrays])


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of the last two axes."""
    return shapes.trace(x, offset, -2, -1, dtype)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of the last two axes."""
    return shapes.diagonal(x, offset, -2, -1)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector product."""
    return products.cross(x1, x2, axis=axis)


def outer(x1: Any, x2: Any, /) -> Any:
    """Every element times every element."""
    return products.outer(x1, x2)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Summed over pairs of axes."""
    return products.tensordot(x1, x2, axes)


def matmul(x1: Any, x2: Any, /) -> Any:
    """The matrix product."""
    return ops.matmul(array(x1), array(x2))


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Σ conj(x1) x2 along an axis."""
    return ops.sum(ops.conj(array(x1)) * array(x2), dim=axis)


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    return shapes.matrix_transpose(x)
