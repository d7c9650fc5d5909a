"""scipy.linalg: what HIPS autograd has of it, and the factorisations and solvers that programs use most."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import linalg as la
from .. import ops
from ..errors import GradientError, ShapeError
from ..op import op
from ..protocols.arguments import array, holds_tensor, real
from ..tensor import Tensor
from .installed import quietly_of, scipy_part

_own = scipy_part("linalg")
_SQUARE = (np.eye(3) * 3 + np.arange(9.0).reshape(3, 3) / 9).astype(np.float32)
_ONE, _POSITIVE = (1, 1), (0.5, 3.0)          # a matrix that has a square root whatever is drawn


def __getattr__(name: str) -> Any:
    """SciPy's own, which takes arrays alone."""
    found = getattr(_own, name)
    if callable(found) and not isinstance(found, type):
        def call(*args: Any, **kwargs: Any) -> Any:
            for a in (*args, *kwargs.values()):
                if isinstance(a, Tensor) and a.requires_grad:
                    raise GradientError(f"scipy.linalg.{name} has no derivative here: pass x.detach(), or write it "
                                        "with solve, cholesky, eigh, svd, expm")
            return found(*args, **kwargs)
        call.__name__, call.__doc__ = name, found.__doc__
        globals()[name] = call
        return call
    return found


def _left(g: Any, a: Any, b: Any) -> Any:
    """The change of Q that a change g of X stands for: the transposed equation, solved."""
    return solve_sylvester(ops.transpose(a, dim0=-1, dim1=-2), ops.transpose(b, dim0=-1, dim1=-2), g)


@op(a=lambda g, a, b, out: -(_left(g, a, b) @ ops.transpose(out, dim0=-1, dim1=-2)),
    b=lambda g, a, b, out: -(ops.transpose(out, dim0=-1, dim1=-2) @ _left(g, a, b)),
    q=lambda g, a, b: _left(g, a, b), shapes="(n, n), (m, m) and (n, m)",
    domain=_POSITIVE,
    cases=[((_SQUARE, _SQUARE[:2, :2], (3, 2)), {}), ((_ONE, _ONE, _ONE), {})], name="solve_sylvester")
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """X with  a X + X b = q.

    Source: R. Bartels, G. Stewart, "Solution of the matrix equation AX + XB = C", 1972.
    """
    dtype = np.result_type(a, b, q)
    return quietly_of(_own.solve_sylvester, a.astype(dtype), b.astype(dtype), q.astype(dtype))


@op(A=lambda g, out, A_dtype: _as(solve_sylvester(_turned(out), _turned(out), g), A_dtype),
    shapes="a square matrix without eigenvalues on the negative real axis", domain=_POSITIVE,
    cases=[((_ONE,), {})], name="sqrtm")
def _sqrtm(A: Any) -> Any:
    """The principal square root of a matrix:  X X = A.

    Source: N. Higham, "Functions of matrices", 2008, chapter 6; dX solves  X dX + dX X = dA.
    """
    with np.errstate(all="ignore"):
        root = np.asarray(_own.sqrtm(A))
    if A.dtype.kind == "f" and root.dtype.kind == "c" and np.all(root.imag == 0):
        root = root.real
    return root.astype(np.result_type(A.dtype, root.dtype) if root.dtype.kind == "c" else A.dtype, copy=False)


def _turned(x: Any) -> Any:
    return ops.transpose(x, dim0=-1, dim1=-2)


def _as(g: Any, dtype: Any) -> Any:
    return g if g.dtype == dtype else ops.cast(g, dtype=dtype)


def sqrtm(A: Any) -> Any:
    """The principal square root of a matrix:  X X = A."""
    return _sqrtm(real(A))


def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
                     overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """x with a x = b (a^T x = b for trans 1 or "T", a^H x = b for 2 or "C"), a being triangular."""
    a, b = real(a), real(b)
    if trans in (1, "T", 2, "C"):
        a, lower = ops.transpose(a if trans in (1, "T") else ops.conj(a), dim0=-1, dim1=-2), not lower
    elif trans not in (0, "N"):
        raise ValueError(f"solve_triangular: expected trans 0, 1, 2, 'N', 'T' or 'C'; got {trans!r}")
    column = b.ndim == 1
    x = la.solve_triangular(a, ops.unsqueeze(b, -1) if column else b, upper=not lower, unitriangular=unit_diagonal)
    return x[..., 0] if column else x


def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The triangular factor: R with R^H R = a, or, for `lower`, L with L L^H = a."""
    return la.cholesky(real(a), upper=not lower)


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, bool]:
    """(factor, lower), for cho_solve."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """x with a x = b, from the factor of a."""
    factor, lower = c_and_lower
    first, second = (0, "C") if lower else ("C", 0)
    return solve_triangular(factor, solve_triangular(factor, b, first, lower), second, lower)


def solve(a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
          check_finite: bool = True, assume_a: Any = None, transposed: bool = False) -> Any:
    """x with a x = b; for `assume_a` "sym", "her" or "pos" only one triangle of a is read."""
    a = real(a)
    if assume_a in ("sym", "her", "pos"):
        half = ops.tril(a, diagonal=-1) if lower else ops.triu(a, diagonal=1)
        other = ops.transpose(half, dim0=-1, dim1=-2)
        a = half + (ops.conj(other) if assume_a != "sym" else other) + np.eye(a.shape[-1], dtype=a.dtype) * a
    return np.linalg.solve(ops.transpose(a, dim0=-1, dim1=-2) if transposed else a, real(b))


_BAND = np.array([[0, 0.5, 0.2], [3.0, 4, 5], [0.7, 0.1, 0]], np.float32)


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False,
                 check_finite: bool = True) -> Any:
    """x with A x = b, A having its diagonals as rows of ab:  ab[u + i - j, j] = A[i, j]."""
    ab, b = real(ab), real(b)
    below, above = (int(n) for n in l_and_u)
    if ab.ndim != 2 or ab.shape[0] != below + above + 1 or b.shape[:1] != ab.shape[1:]:
        raise ShapeError(f"solve_banded: expected ab ({below + above + 1}, n) and b (n,) or (n, k) for {l_and_u}; got "
                         f"{ab.shape} and {b.shape}")
    return _banded(ab, b, below=below, above=above)


@op(ab=lambda g, ab, out, below, above: -_band_of_outer(_banded_transposed(g, ab, below, above), out, below, above),
    b=lambda g, ab, below, above: _banded_transposed(g, ab, below, above),
    shapes="the diagonals (l + u + 1, n), and (n,) or (n, k)",
    domain=_POSITIVE,
    cases=[((_BAND, (3,)), {"below": 1, "above": 1}), ((_ONE, (1,)), {"below": 0, "above": 0}),
           ((_ONE, (1, 2)), {"below": 0, "above": 0})],
    name="solve_banded")
def _banded(ab: Any, b: Any, *, below: int, above: int) -> Any:
    """x with A x = b for A of few diagonals."""
    return np.asarray(_own.solve_banded((below, above), ab, b)).astype(np.result_type(ab, b), copy=False)


def _banded_transposed(g: Any, ab: Any, below: int, above: int) -> Any:
    """A^T x = g: the same diagonals, the other way up and each moved along."""
    n = ab.shape[1]
    rows = []
    for k in range(below, -above - 1, -1):      # the k-th diagonal below that of A is the k-th above that of A^T
        row = ab[above + k]
        zeros = np.zeros(min(abs(k), n), ab.dtype)
        kept = row[:n - k] if k > 0 else row[-k:]
        parts = [zeros, kept] if k > 0 else [kept, zeros]
        rows.append(ops.concatenate(*parts) if k else row)
    return _banded(ops.stack(rows), g, below=above, above=below)


def _band_of_outer(x: Any, y: Any, below: int, above: int) -> Any:
    """The diagonals of x y^T, in the places of ab."""
    n = x.shape[0]
    rows = []
    for k in range(-above, below + 1):          # entries (j + k, j)
        left, right = x[max(k, 0):n + min(k, 0)], y[max(-k, 0):n - max(k, 0)]
        row = left * right
        row = ops.sum(row, dim=1) if row.ndim == 2 else row
        zeros = np.zeros(abs(k), row.dtype)
        rows.append(row if k == 0 else ops.concatenate(*([row, zeros] if k > 0 else [zeros, row])))
    return ops.stack(rows)


def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The inverse."""
    return la.inv(real(a))


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant."""
    return la.det(real(a))


def expm(A: Any) -> Any:
    """The exponential of a matrix."""
    return la.matrix_exp(real(A))


def block_diag(*arrs: Any) -> Any:
    """The matrix with these blocks on its diagonal."""
    return ops.block_diag(*[array(x) for x in arrs]) if holds_tensor(list(arrs)) else _own.block_diag(*arrs)


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix of constant diagonals: first column c, first row r (conj(c) by default)."""
    c = array(c)
    r = ops.conj(c) if r is None else array(r)
    n, m = c.shape[0], r.shape[0]
    line = ops.concatenate(ops.flip(r[1:], dims=0), c) if m > 1 else c
    return line[np.arange(n)[:, None] - np.arange(m)[None, :] + m - 1]


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """The norm of vectors or matrices."""
    return np.linalg.norm(a, ord, axis, keepdims)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, **kwargs: Any) -> Any:
    """(U, s, Vh); s alone without compute_uv."""
    a = real(a)
    return la.svd(a, full_matrices) if compute_uv else la.svdvals(a)


def eigh(a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, **kwargs: Any) -> Any:
    """Eigenvalues and vectors of a Hermitian matrix; of a v = w b v for a positive definite b."""
    a = real(a)
    if kwargs:
        raise TypeError(f"eigh: {', '.join(kwargs)} is not here; expected a, b, lower, eigvals_only")
    if b is None:
        return la.eigvalsh(a, "L" if lower else "U") if eigvals_only else la.eigh(a, "L" if lower else "U")
    L = cholesky(b, lower=True)
    half = solve_triangular(L, a, lower=True)
    c = ops.conj(ops.transpose(solve_triangular(L, ops.conj(ops.transpose(half, dim0=-1, dim1=-2)), lower=True),
                               dim0=-1, dim1=-2))
    if eigvals_only:
        return la.eigvalsh(c, "L" if lower else "U")
    w, v = la.eigh(c, "L" if lower else "U")
    return w, solve_triangular(L, v, "C", lower=True)
