"""Powers and the exponential of matrices, chains of products, products of vectors along an axis, and tensors
as matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import op
from .linear import cast, concatenate, conj, getitem, permute, reshape, sum
from .solve import SQUARE, check_matrices, inv, solve


def matrix_power(A: Any, n: int) -> Any:
    """Product of n factors of each matrix:  Aⁿ, by squaring; of the inverse where n < 0."""
    check_matrices("matrix_power", A)
    if n < 0:
        A, n = inv(A), -n
    if n == 0:
        return A * 0 + np.eye(A.shape[-1], dtype=A.dtype)
    out: Any = None
    while n:
        if n & 1:
            out = A if out is None else out @ A
        n >>= 1
        if n:
            A = A @ A
    return out if out is not A else A * 1


# Higham's coefficients of the Padé approximant of degree 13, and the 1-norm up to which it is exact to a double.
_PADE = (64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
         10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0)
_THETA = 5.371920351148152


@op(A=lambda g, A: _pull_exp(g, A), shapes=SQUARE, category="linear",
    cases=[(((2, 2),), {}), (((2, 3, 3),), {}), (((1, 1),), {})])
def matrix_exp(A: Any) -> Any:
    """Exponential of each matrix:  Σ Aᵏ / k!, by scaling and squaring a Padé approximant.

    Source: Higham, "The scaling and squaring method for the matrix exponential revisited" (2005), algorithm 2.3; the
    derivative is a block of the exponential of a matrix twice as large (Van Loan, 1978).
    """
    if A.dtype == np.float16:
        return matrix_exp(A.astype(np.float32)).astype(A.dtype)
    check_matrices("matrix_exp", A)
    if not A.size:
        return A.copy()
    wide = A.astype(np.result_type(A.dtype, np.float64))
    size = np.abs(wide).sum(axis=-2).max(axis=-1)
    with np.errstate(all="ignore"):
        s = np.ceil(np.log2(np.maximum(np.where(np.isfinite(size), size, 0) / _THETA, 1))).astype(int)[..., None, None]
        X, b = wide / 2.0 ** s, _PADE
        eye = np.eye(A.shape[-1])
        X2 = X @ X
        X4 = X2 @ X2
        X6 = X4 @ X2
        U = X @ (X6 @ (b[13] * X6 + b[11] * X4 + b[9] * X2) + b[7] * X6 + b[5] * X4 + b[3] * X2 + b[1] * eye)
        V = X6 @ (b[12] * X6 + b[10] * X4 + b[8] * X2) + b[6] * X6 + b[4] * X4 + b[2] * X2 + b[0] * eye
        good = np.isfinite(U).all(axis=(-2, -1), keepdims=True)
        out = np.where(good, np.linalg.solve(np.where(good, V - U, eye), V + U), np.nan)
        for k in range(int(s.max())):
            out = np.where(s > k, out @ out, out)
        return out.astype(A.dtype)


def _pull_exp(g: Any, A: Any) -> Any:
    """The upper right block of  exp [[Aᵀ, g], [0, Aᵀ]]."""
    T, n = A.mT, A.shape[-1]
    top = concatenate(T, g, dim=-1)
    block = concatenate(top, concatenate(np.zeros(A.shape, A.dtype), T, dim=-1), dim=-2)
    return getitem(matrix_exp(block), index=(Ellipsis, slice(0, n), slice(n, None)))


def multi_dot(tensors: Sequence[Any]) -> Any:
    """Product of two or more matrices (the first and last may be vectors), in the cheapest order.

    Source: Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", section 15.2.
    """
    xs = list(tensors)
    n = len(xs)
    if n < 2:
        raise ValueError(f"multi_dot: expected at least 2 tensors; got {n}")
    if any(x.ndim != 2 for x in xs[1:-1]) or xs[0].ndim not in (1, 2) or xs[-1].ndim not in (1, 2):
        raise ShapeError(f"multi_dot: expected matrices, the first and last perhaps vectors; got shapes "
                         f"{[x.shape for x in xs]}")
    sizes = [1 if xs[0].ndim == 1 else xs[0].shape[0], *[x.shape[0] for x in xs[1:]],
             xs[-1].shape[-1] if xs[-1].ndim == 2 else 1]
    if xs[0].shape[-1] != sizes[1]:
        sizes[1] = xs[0].shape[-1]
    cost, cut = np.zeros((n, n)), np.zeros((n, n), int)
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = [cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            cost[i, j], cut[i, j] = min(costs), i + int(np.argmin(costs))

    def product(i: int, j: int) -> Any:
        return xs[i] if i == j else product(i, cut[i, j]) @ product(cut[i, j] + 1, j)
    return product(0, n - 1)


def chain_matmul(*matrices: Any) -> Any:
    """Product of matrices in the cheapest order: the older name of `multi_dot`."""
    return multi_dot(matrices) if len(matrices) > 1 else matrices[0] * 1


def vander(x: Any, *, N: int | None = None) -> Any:
    """Vandermonde matrix of each vector:  V[i, j] = x[i]^j, j = 0 .. N-1 (the length of x by default)."""
    n = x.shape[-1] if N is None else N
    if n < 0 or (N is not None and N <= 1 and N != 1):
        raise ValueError(f"vander: expected N of at least 1; got {N}")
    x = cast(x, dtype=np.int64) if x.dtype.kind in "biu" else x
    base = reshape(x, shape=(*(x.shape or (1,)), 1))
    columns = [np.ones(base.shape, base.dtype), base]
    for _ in range(n - 2):
        columns.append(columns[-1] * base)
    return concatenate(*columns[:n], dim=-1)


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """Vector product along `dim`, of length 3:  x × y."""
    n = input.ndim
    if other.ndim != n:
        raise ShapeError("cross: inputs must have the same number of dimensions; "
                         f"got {input.shape} and {other.shape}")
    for x in (input, other):
        if not x.ndim or x.shape[dim] != 3:
            raise ShapeError(f"cross: inputs dimension {dim} must have length 3; got {input.shape} and {other.shape}")
    dim = dim % n - n
    at = lambda x, k: getitem(x, index=(Ellipsis, slice(k, k + 1), *[slice(None)] * (-dim - 1)))
    x, y = [at(input, k) for k in range(3)], [at(other, k) for k in range(3)]
    return concatenate(x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0], dim=dim)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Scalar product of vectors along `dim`:  Σ conj(x) y."""
    return sum((conj(x) if x.dtype.kind == "c" else x) * y, dim=dim)


def tensorinv(A: Any, ind: int = 2) -> Any:
    """Inverse of A as a map from its last axes to its first `ind`:  tensordot(tensorinv(A), A, ind) is the identity."""
    if ind <= 0:
        raise ShapeError(f"tensorinv: Expected a strictly positive integer for 'ind'; got {ind}")
    rows, columns = A.shape[:ind], A.shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise ShapeError(f"tensorinv: expected as many elements in the first {ind} axes as in the rest; got {A.shape}")
    return reshape(inv(reshape(A, shape=(math.prod(rows), math.prod(columns)))), shape=(*columns, *rows))


def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """Solution X of  tensordot(A, X, X.ndim) = B;  `dims` of A are moved to its end first."""
    if dims is not None:
        moved = [d % A.ndim for d in dims]
        A = permute(A, dims=(*[d for d in range(A.ndim) if d not in moved], *moved))
    shape, n = A.shape[B.ndim:], math.prod(B.shape)
    if math.prod(shape) != n:
        raise ShapeError(f"tensorsolve: expected A {A.shape} to end in as many elements as B {B.shape} has")
    return reshape(solve(reshape(A, shape=(n, n)), reshape(B, shape=(n,))), shape=shape)
