"""Arrays from nothing, from numbers and from Tensors.

Inside a function that is being differentiated, floating-point ones are made as Tensors, so that `y[i] = x` is recorded;
a NumPy array could not take part.  Outside they are NumPy's.  Integers, bools and `arange` are NumPy's everywhere: they
are what one counts and indexes with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops import cast, clone, reshape
from ..protocols.arguments import array as joined
from ..protocols.arguments import holds_tensor
from ..tensor import Tensor, wrap
from ..transforms.calls import _running, batching

__all__ = [
    "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "empty",
    "empty_like", "eye", "full", "full_like", "identity", "make_diagonal", "ones", "ones_like", "zeros", "zeros_like",
]


def traced() -> bool:
    """Whether a function is being differentiated here, or mapped over a batch."""
    return bool(_running.get()) or batching() is not None


def settable(made: Any) -> Any:
    """The array; inside a function that is being differentiated, a Tensor that can be assigned into."""
    if traced() and type(made) is np.ndarray and made.dtype.kind in "fc":
        return wrap(made if made.ndim else made[()])
    return made


def _made(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        return settable(made)
    return make


zeros, ones, empty, eye, identity = (_made(f) for f in (np.zeros, np.ones, np.empty, np.eye, np.identity))
zeros_like, ones_like, empty_like = (_made(f) for f in (np.zeros_like, np.ones_like, np.empty_like))
full_like = _made(np.full_like)


def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None,
         like: Any = None) -> Any:
    """One value, or values that broadcast, in a shape."""
    if isinstance(fill_value, Tensor) or holds_tensor(fill_value):
        return np.broadcast_to(array(fill_value, dtype), shape)
    return settable(np.full(shape, fill_value, dtype, order))


def array(object: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0,
          like: Any = None) -> Any:
    """An array of numbers and Tensors, nested in lists as one likes; a copy of an array or a Tensor."""
    if type(object) is np.ndarray and not traced():
        return np.array(object, dtype, copy=copy, order=order, subok=subok, ndmin=ndmin)
    if isinstance(object, Tensor):
        made = clone(object) if copy else object
    elif holds_tensor(object):
        made = joined(object)
    else:
        found = np.array(object, dtype, copy=copy, order=order, subok=subok, ndmin=ndmin)
        return settable(found)
    if dtype is not None and made.dtype != np.dtype(dtype):
        made = cast(made, dtype=np.dtype(dtype))
    return made if made.ndim >= ndmin else reshape(made, shape=(1,) * (ndmin - made.ndim) + tuple(made.shape))


def _as(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def convert(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if type(a) is np.ndarray:             # the caller's own array stays what it is
            return function(a, dtype, *args, **kwargs)
        if isinstance(a, Tensor) or holds_tensor(a):
            return array(a, dtype, copy=False)
        made = function(a, dtype, *args, **kwargs)
        return settable(made) if isinstance(a, (list, tuple)) else made
    return convert


asarray, asanyarray, ascontiguousarray = (_as(f) for f in (np.asarray, np.asanyarray, np.ascontiguousarray))
asarray_chkfinite, asfortranarray = _as(np.asarray_chkfinite), _as(np.asfortranarray)


def make_diagonal(D: Any, offset: int = 0, axis1: int = -1, axis2: int = -2) -> Any:
    """Matrices with D on their diagonals (square ones, of the main diagonal): the opposite of `np.diagonal`."""
    if offset or {axis1, axis2} != {-1, -2}:
        raise ValueError("make_diagonal: expected offset 0 and the last two axes")
    return D[..., None] * np.eye(D.shape[-1], dtype=D.dtype)
