"""Linear algebra, under the names of torch.linalg."""

from typing import Any

from .ops import matmul
from .ops.factorize import cholesky, cholesky_ex, householder_product, qr
from .ops.linear import diagonal as _diagonal
from .ops.matrix_functions import cross, matrix_exp, matrix_power, multi_dot, tensorinv, tensorsolve, vander, vecdot
from .ops.norms import cond, matrix_norm, norm, vector_norm
from .ops.singular import lstsq, matrix_rank, pinv, svd, svdvals
from .ops.solve import (
    LinAlgError,
    det,
    inv,
    inv_ex,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
)
from .ops.spectral import eig, eigh, eigvals, eigvalsh
from .ops.symmetric import ldl_factor, ldl_factor_ex, ldl_solve
from .ops.triangular import lu, lu_factor, lu_factor_ex, lu_solve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonal of each matrix, of the last two axes by default, as the last axis."""
    return _diagonal(A, offset=offset, dim1=dim1, dim2=dim2)
