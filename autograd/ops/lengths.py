"""The norm of a tensor, of its elements or, as "nuc", of its matrices."""

from __future__ import annotations

from typing import Any

from . import compose
from .composed import composed
from .norms import matrix_norm


@composed
def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Length over `dim`:  (Σ |x|^p)^(1/p); p = 2 ("fro") by default, inf the largest |x|, 0 the number of non-zeros.

    p = "nuc" is the sum of the singular values of the matrices over two axes.  At an element 0 the derivative is 0.
    """
    if p == "nuc":
        return matrix_norm(x, "nuc", (-2, -1) if dim is None else tuple(dim), keepdim, dtype=dtype)
    return compose.norm(x, p, dim, keepdim, dtype)
