"""PyTorch's names for views in memory of their own, and for pieces that may be written into."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import linear as li
from .arrange import narrow, t, unfold
from .composed import composed, sizes_of
from .elementwise import where
from .shape import chunk, split, squeeze, unbind, unsqueeze
from .shape import pad as padded
from .stacking import split_with_sizes


def _copied(function: Any, name: str) -> Any:
    """The function, its results in memory of their own."""
    def call(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        return tuple([li.clone(m) for m in made]) if isinstance(made, tuple) else li.clone(made)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"As `{name.removesuffix('_copy')}`, in memory of its own."
    return call


def _expand(x: Any, *size: Any) -> Any:
    return li.expand(x, shape=sizes_of(size))


def _permute(x: Any, *dims: Any) -> Any:
    return li.permute(x, dims=sizes_of(dims))


def _view(x: Any, *size: Any) -> Any:
    return li.reshape(x, shape=sizes_of(size))


alias_copy, diagonal_copy = _copied(li.identity, "alias_copy"), _copied(li.diagonal, "diagonal_copy")
expand_copy, permute_copy = _copied(_expand, "expand_copy"), _copied(_permute, "permute_copy")
squeeze_copy, unsqueeze_copy = _copied(squeeze, "squeeze_copy"), _copied(unsqueeze, "unsqueeze_copy")
t_copy, transpose_copy = _copied(t, "t_copy"), _copied(li.transpose, "transpose_copy")
narrow_copy, unfold_copy = _copied(narrow, "narrow_copy"), _copied(unfold, "unfold_copy")
view_copy, unbind_copy = _copied(_view, "view_copy"), _copied(unbind, "unbind_copy")
split_with_sizes_copy = _copied(split_with_sizes, "split_with_sizes_copy")
unsafe_chunk, unsafe_split = _copied(chunk, "unsafe_chunk"), _copied(split, "unsafe_split")


@composed
def resolve_conj(x: Any) -> Any:
    """The tensor itself: conjugates are never put off here."""
    return x


@composed
def resolve_neg(x: Any) -> Any:
    """The tensor itself: signs are never put off here."""
    return x


@composed
def conj_physical(x: Any) -> Any:
    """Complex conjugate; a real number itself."""
    return li.conj(x)


@composed
def constant_pad_nd(x: Any, pad: Any, value: Any = 0) -> Any:
    """A border of `value`: `pad` is (before, after) for the last axis, then for the one before it, ..."""
    return padded(x, pad, "constant", value)


@composed
def fill(x: Any, value: Any) -> Any:
    """A tensor like x that holds one value everywhere; a 0-d tensor's gradient is the sum."""
    if not hasattr(value, "dtype"):
        value = np.asarray(value, x.dtype)
    value = li.fit(value, x.dtype)
    return where(np.zeros(tuple(x.shape), bool), x, value)
