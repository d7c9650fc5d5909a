"""Factors of symmetric matrices that need not be positive definite:  A = P L D Lᵀ Pᵀ  by Bunch and Kaufman.

Source: Bunch and Kaufman 1977, "Some stable methods for calculating inertia and solving symmetric linear systems",
algorithm A, packed as LAPACK's sytrf and hetrf do: D and the columns of L below it in one matrix, and pivots, of which
two equal negative numbers mark a block of 2 x 2.
"""

from __future__ import annotations

from math import prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from .composed import array_of, composed
from .elementwise import where
from .linear import conj, getitem
from .matrix import matmul
from .solve import LinAlgError, adjoint, check_matrices, like, solve_matrices

ALPHA = (1 + sqrt(17)) / 8                    # the growth of one step of two and of two steps of one is then the same


class LDLFactor(NamedTuple):
    """L and D in one matrix, and which rows were exchanged, counted from 1."""

    LD: Any
    pivots: Any


class LDLFactorInfo(NamedTuple):
    """L and D in one matrix, pivots, and 0, or the first pivot that is 0, counted from 1."""

    LD: Any
    pivots: Any
    info: Any


def _size(x: Any) -> Any:
    return np.abs(x.real) + np.abs(x.imag) if x.dtype.kind == "c" else np.abs(x)


def _pivot(a: Any, k: int, hermitian: bool) -> tuple[int, int, bool]:
    """(row to exchange with, size of the block, whether the column is 0)."""
    n = a.shape[0]
    own = abs(a[k, k].real) if hermitian else _size(a[k, k])
    below = _size(a[k + 1:, k])
    largest = below.max(initial=0)
    if not max(own, largest) > 0:
        return k, 1, True
    if own >= ALPHA * largest:
        return k, 1, False
    row = k + 1 + int(np.argmax(below))
    others = max(_size(a[row, k:row]).max(initial=0), _size(a[row + 1:, row]).max(initial=0) if row < n - 1 else 0)
    if own >= ALPHA * largest * (largest / others):
        return k, 1, False
    facing = abs(a[row, row].real) if hermitian else _size(a[row, row])
    return row, 1 if facing >= ALPHA * others else 2, False


def _exchange(a: Any, k: int, at: int, row: int, hermitian: bool) -> None:
    """Rows and columns `at` and `row` of the trailing matrix exchanged, of which the lower triangle is kept."""
    turn = np.conj if hermitian else np.asarray
    a[row + 1:, [at, row]] = a[row + 1:, [row, at]]
    between = a[at + 1:row, at].copy()
    a[at + 1:row, at] = turn(a[row, at + 1:row])
    a[row, at + 1:row] = turn(between)
    a[row, at] = turn(a[row, at])
    a[at, at], a[row, row] = a[row, row], a[at, at]
    if at > k:
        a[at, k], a[row, k] = a[row, k], a[at, k]


def _factorize(a: Any, hermitian: bool) -> tuple[Any, int]:
    """Pivots and info; the lower triangle of a becomes the factors."""
    n = a.shape[0]
    pivots, info, k = np.zeros(n, np.int32), 0, 0
    turn = np.conj if hermitian else np.asarray
    while k < n:
        row, size, nothing = _pivot(a, k, hermitian)
        at = k + size - 1
        if row != at:
            _exchange(a, k, at, row, hermitian)
        if hermitian:
            a[at, at], a[k, k] = a[at, at].real, a[k, k].real
        if nothing:
            info = info or k + 1
        rest = a[k + size:, k:k + size].copy()
        if not nothing and rest.size:
            block = a[k:k + size, k:k + size].copy()
            if size == 2:
                block[0, 1] = turn(block[1, 0])
            column = rest / block[0, 0] if size == 1 else np.linalg.solve(block.T, rest.T).T
            a[k + size:, k + size:] -= np.tril(column @ turn(rest).T)
            a[k + size:, k:k + size] = column
        pivots[k:k + size] = row + 1 if size == 1 else -(row + 1)
        k += size
    return pivots, info


@composed
def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False) -> LDLFactorInfo:
    """Factors of symmetric (or hermitian) matrices, of which the lower triangle is read: (LD, pivots, info).

    What `ldl_solve` takes.  No gradient flows through the factors, as in PyTorch: solve(A, B) differentiates.
    """
    check_matrices("ldl_factor_ex", A)
    value = array_of(A)
    n = value.shape[-1]
    made = np.tril(value)
    flat = made.reshape(prod(value.shape[:-2]), n, n)
    found = [_factorize(a, hermitian and value.dtype.kind == "c") for a in flat]
    pivots = np.array([p for p, _ in found], np.int32).reshape(*value.shape[:-2], n)
    info = np.array([i for _, i in found], np.int32).reshape(value.shape[:-2])
    if check_errors and info.any():
        raise LinAlgError(f"ldl_factor: the diagonal block {int(info[info > 0].flat[0])} of D is exactly 0: the matrix "
                          "is singular")
    return LDLFactorInfo(like(A, made), like(A, pivots), like(A, info))


@composed
def ldl_factor(A: Any, *, hermitian: bool = False) -> LDLFactor:
    """Factors of symmetric (or hermitian) matrices: (LD, pivots).  LinAlgError for a singular matrix."""
    return LDLFactor(*ldl_factor_ex(A, hermitian=hermitian, check_errors=True)[:2])


def _order(pivots: Any) -> tuple[Any, Any, Any]:
    """Where each element of the final L stands in the packed matrix, the final order of rows, where blocks begin."""
    n = len(pivots)
    rows, starts, k = np.tile(np.arange(n)[:, None], (1, n)), np.zeros(n, bool), 0
    order = np.arange(n)
    while k < n:
        size = 2 if pivots[k] < 0 else 1
        at, row = k + size - 1, abs(int(pivots[k])) - 1
        rows[[at, row], :k] = rows[[row, at], :k]      # columns made before see the exchange too
        order[[at, row]] = order[[row, at]]
        starts[k] = size == 2
        k += size
    return rows, order, starts


@composed
def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """Solution of  A X = B  from the factors of A:  LD (..., n, n), pivots (..., n), B (..., n, k) -> (..., n, k).

    Recorded for LD and B.
    """
    check_matrices("ldl_solve", LD)
    marks, n = array_of(pivots), LD.shape[-1]
    if marks.dtype.kind != "i" or marks.shape != tuple(LD.shape[:-1]):
        raise ShapeError(f"ldl_solve: expected pivots {tuple(LD.shape[:-1])} of integers; got {marks.shape} "
                         f"{marks.dtype}")
    if B.ndim < 2 or B.shape[-2] != n:
        raise ShapeError(f"ldl_solve: expected B (..., {n}, k); got {tuple(B.shape)}")
    each = [_order(p) for p in marks.reshape(prod(marks.shape[:-1]), n)]
    lead, grid = marks.shape[:-1], np.ogrid[tuple(slice(m) for m in (*marks.shape[:-1], n, n))]
    rows, order, starts = (np.array([e[i] for e in each], kind).reshape(*lead, *tail) for i, kind, tail in
                           ((0, int, (n, n)), (1, int, (n,)), (2, bool, (n,))))
    packed = getitem(LD, index=(*grid[:-2], rows, grid[-1]))
    under = np.eye(n, k=-1, dtype=bool) & starts[..., None, :]           # below the first column of a block: of D
    eye, below = np.eye(n, dtype=bool), np.tril(np.ones((n, n), bool), -1)
    zero = np.zeros((), packed.dtype)
    L = where(below & ~under, packed, np.eye(n, dtype=packed.dtype))
    half = where(under, LD, zero)
    diagonal = where(eye, LD, zero)
    if hermitian and LD.dtype.kind == "c":
        D, Lt = (diagonal + conj(diagonal)) * 0.5 + half + adjoint(half), adjoint(L)
    else:
        D, Lt = diagonal + half + half.mT, L.mT
    P = np.zeros((*lead, n, n), packed.dtype)
    np.put_along_axis(P, order[..., None], 1, -1)                        # (P B)[i] = B[order[i]]
    X = solve_matrices(Lt, solve_matrices(D, solve_matrices(L, matmul(P, B))))
    return matmul(np.swapaxes(P, -1, -2), X)
