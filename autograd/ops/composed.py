"""What functions made of ops share: how they may be called, and what stands behind a Tensor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..modes import current
from ..tensor import Tensor, wrap

_NAMES = {"axis": ("dim", "dims"), "axes": ("dims", "dim"), "keepdims": ("keepdim",), "other": ("y",)}


def composed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, taking NumPy's names of arguments too, and `input` and `other` as PyTorch has them."""
    code = function.__code__
    known = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    ours = {theirs: name for theirs, names in _NAMES.items() for name in names[::-1] if name in known}
    if code.co_argcount:
        ours["input"] = known[0]
    ours = {theirs: name for theirs, name in ours.items() if theirs not in known}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs in kwargs.keys() & ours.keys():
                if ours[theirs] in kwargs:
                    raise TypeError(f"{function.__name__}() got {theirs!r} and {ours[theirs]!r}, which are the same")
                kwargs[ours[theirs]] = kwargs.pop(theirs)
        try:
            return function(*args, **kwargs)
        except TypeError as error:            # of a `vmap`, where each lane has values of its own
            if getattr(error, "by_lanes", None) is None:
                raise
            return error.by_lanes(function, args, kwargs)                            # type: ignore[attr-defined]
    return call


def array_of(x: Any) -> Any:
    """The array behind a Tensor; an array itself."""
    if isinstance(x, Tensor):
        if hasattr(x, "level"):
            return x.detach()                 # of all lanes of a `vmap` there is no one array
        mode = current()
        if mode is not None and mode.recorder is not None:
            mode.recorder.taken_out(x)        # no operation shows what becomes of the values
        return x.value
    return np.asarray(x)


def tensor_if(x: Any, value: Any) -> Any:
    """A computed array, without history: as a Tensor where x is one (or a list that holds one)."""
    if isinstance(x, (list, tuple)):
        x = next((v for v in x if isinstance(v, Tensor)), None)
    if not isinstance(x, Tensor) or isinstance(value, Tensor):
        return value
    return wrap(value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value)


def sizes_of(sizes: Any) -> tuple[int, ...]:
    """f(x, 2, 3) and f(x, (2, 3)) alike: the numbers as a tuple of ints."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list, np.ndarray)):
        sizes = sizes[0]
    return tuple([int(n) for n in sizes])


class ValuesIndices(NamedTuple):
    """Values along an axis and the positions they were at."""

    values: Any
    indices: Any
