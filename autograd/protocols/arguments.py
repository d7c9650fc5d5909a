"""What NumPy's functions share in how they take arguments."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .. import ops
from ..ops import cast, permute, reshape
from ..tensor import Tensor


def array(x: Any) -> Any:
    """A Tensor or an array as it is; numbers and nested sequences as an array, and with Tensors in them as a Tensor."""
    if isinstance(x, (Tensor, np.ndarray, np.generic)):
        return x
    if isinstance(x, (list, tuple)) and holds_tensor(x):
        parts = [array(v) for v in x]
        shapes = {p.shape for p in parts}
        if len(shapes) > 1:
            raise ValueError(f"expected rows of one shape; got {' and '.join(map(str, sorted(shapes)))}")
        return ops.stack(parts)
    return np.asarray(x)[()]


def holds_tensor(x: Any) -> bool:
    """Whether a nested sequence holds a Tensor anywhere."""
    if isinstance(x, Tensor):
        return True
    if isinstance(x, (list, tuple)):
        for v in x:
            if holds_tensor(v):
                return True
    return False


def real(x: Any) -> Any:
    """Integers and bools as float64, as NumPy takes them where a result is not whole."""
    x = array(x)
    return cast(x, dtype=np.dtype("float64")) if x.dtype.kind in "iub" else x


def select_where(x: Any, where: Any, other: Any) -> Any:
    """The elements that `where=` takes, `other` in place of the rest."""
    return x if where is True else ops.where(array(where), x, other)


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that NumPy's `axis` names, counted from the front; None is all of them, () none."""
    if axis is None:
        return tuple(range(ndim))
    names = axis if isinstance(axis, (tuple, list)) else (axis,)
    return np.lib.array_utils.normalize_axis_tuple([int(d) for d in names], ndim)


def merged(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """x with the axes of a reduction as one axis, the last; and its shape with those axes of size 1."""
    dims = axes(axis, x.ndim)
    rest = [d for d in range(x.ndim) if d not in dims]
    one = tuple([1 if d in dims else n for d, n in enumerate(x.shape)])
    flat = reshape(permute(x, dims=(*rest, *dims)) if x.ndim else x,
                   shape=(*[x.shape[d] for d in rest], prod([x.shape[d] for d in dims])))
    return flat, one


def counted(x: Any, axis: Any, where: Any, keepdims: bool) -> Any:
    """How many elements a reduction puts together: a number, or an array where `where=` takes some."""
    if where is True:
        return prod([x.shape[d] for d in axes(axis, x.ndim)])
    taken = np.broadcast_to(value(where), x.shape)
    return np.sum(taken, axis=axis, keepdims=keepdims)


def value(x: Any) -> Any:
    """The array behind a Tensor; anything else as an array."""
    return x.value if isinstance(x, Tensor) else np.asarray(x)


def as_axis(axis: Any) -> Any:
    """NumPy's axis as ops take it; an empty tuple, which names no axis there and all of them here, stays apart."""
    return tuple(axis) if isinstance(axis, list) else axis
