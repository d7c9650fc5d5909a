"""A tree of arrays as one vector, and back; for optimizers that know vectors only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops import cast, concatenate, reshape
from ..spaces import flatten as apart
from ..tensor import Tensor, wrap
from ..transforms.trees import unflatten

__all__ = ["flatten", "flatten_func"]


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(vector, unflatten): all numbers of a tree of arrays in a row, and the way back.  Both are differentiable."""
    leaves, structure = apart(value)
    arrays = [x if isinstance(x, Tensor) else np.asarray(x) for x in leaves]
    shapes, dtypes = [tuple(x.shape) for x in arrays], [x.dtype for x in arrays]
    ends = np.cumsum([0, *[int(np.prod(s, dtype=int)) for s in shapes]]).tolist()
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(float)
    rows = [reshape(x if x.dtype == dtype else cast(x, dtype=dtype), shape=(-1,)) for x in arrays]
    tensors = any(isinstance(x, Tensor) for x in arrays)
    if tensors:
        vector = concatenate(*[x if isinstance(x, Tensor) else wrap(x) for x in rows])
    else:
        vector = np.concatenate(rows) if rows else np.zeros(0)

    def back(v: Any) -> Any:
        if v.shape != (ends[-1],):
            raise ValueError(f"unflatten: expected a vector of {ends[-1]} numbers; got shape {v.shape}")
        parts = [reshape(v[a:b], shape=s) for a, b, s in zip(ends, ends[1:], shapes, strict=False)]
        return unflatten(structure, [p if p.dtype == d or not dtype_matters(p.dtype, d) else cast(p, dtype=d)
                                     for p, d in zip(parts, dtypes, strict=True)])
    return vector, back


def dtype_matters(found: Any, wanted: Any) -> bool:
    """Whether a part goes back to its own dtype: integers stay what optimizers made of them."""
    return wanted.kind in "fc" and not (found.kind == "c" and wanted.kind == "f")


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    """(func of the vector, unflatten, the vector of the example)."""
    vector, back = flatten(example)

    def of_vector(v: Any, *args: Any) -> Any:
        return flatten(func(back(v), *args))[0]
    return of_vector, back, vector
