"""What NumPy's functions share in how they take arguments."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .. import ops
from ..op import linear
from ..ops import cast, permute, reshape
from ..ops.linear import getitem
from ..tensor import Tensor


def array(x: Any) -> Any:
    """A Tensor or an array as it is; numbers and nested sequences as an array, and with Tensors in them as a Tensor."""
    if type(x) is Tensor or isinstance(x, (np.ndarray, np.generic, Tensor)):
        return x
    if isinstance(x, (list, tuple)) and holds_tensor(x):
        leaves: list[Any] = []
        layout = _laid_out(x, leaves)
        if layout is None:                     # a row of Tensors beside one that is a Tensor
            return ops.stack([array(v) for v in x])
        outer, inner = layout
        made = ops.stack(leaves) if inner else pack(*leaves)
        return made if len(outer) == 1 else reshape(made, shape=outer + inner)
    return np.asarray(x)[()]


def _laid_out(x: Any, leaves: list[Any]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """(shape of the nested lists, shape of what they hold); the arrays and numbers in order go to `leaves`.

    None where some rows are lists and others arrays, though of one shape; ValueError where the shapes differ.
    """
    if not isinstance(x, (list, tuple)):
        leaves.append(x if isinstance(x, Tensor) else np.asarray(x)[()])
        return (), tuple(leaves[-1].shape)
    layouts = {_laid_out(v, leaves) for v in x}
    shapes = {layout[0] + layout[1] for layout in layouts if layout is not None}
    if len(shapes) != 1:
        raise ValueError(f"expected rows of one shape; got {' and '.join(map(str, sorted(shapes))) or 'none'}")
    layout = layouts.pop()
    return None if layouts or layout is None else ((len(x), *layout[0]), layout[1])


@linear(xs=lambda g, i: getitem(g, index=i), shapes="numbers, each without axes", cases=[(((), (), ()), {})])
def pack(*xs: Any) -> Any:
    """Numbers as a vector:  [x_0, x_1, ...]."""
    return np.array(xs)


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
