"""NumPy's functions as they stand in autograd.numpy: Tensors go straight to what is recorded, arrays to NumPy.

NumPy itself would hand Tensors over (autograd.protocols), after a look at all arguments that costs more than many ops.
It does not look inside lists, so that `np.sum([x, y])` is helped here.  What has no derivative (`argmax`, `shape`,
`allclose`) comes as NumPy gives it, to be counted with, printed and used as a key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..protocols.arguments import array, holds_tensor
from ..protocols.dispatch import FLAT, NAMES, counterpart
from ..tensor import Tensor

_ARRAYS = """
    amax amin average broadcast_to clip convolve correlate cov corrcoef cross cumprod cumsum diag diagonal diff dot
    expand_dims flip fliplr flipud inner interp kron linspace matrix_transpose max mean median min moveaxis nan_to_num
    nanmax nanmean nanmin nanprod nanstd nansum nanvar outer percentile prod ptp quantile ravel real imag angle repeat
    reshape roll rollaxis rot90 round sort split squeeze std sum swapaxes take tensordot tile trace transpose trapezoid
    tril triu vander var vdot where
"""
_SEQUENCES = "concatenate concat stack vstack hstack dstack column_stack"
_UNARY = """
    abs absolute arccos arccosh arcsin arcsinh arctan arctanh ceil cos cosh exp exp2 expm1 floor log log10 log1p log2
    negative reciprocal sign sin sinh sqrt square tan tanh
"""
_MADE = ("zeros_like", "ones_like", "empty_like")          # see creation
__all__: list[str] = []


def _enter(name: str, call: Callable[..., Any]) -> None:
    call.__name__ = call.__qualname__ = name
    call.__doc__, call.__module__ = getattr(np, name).__doc__, "autograd.numpy"
    globals()[name] = call
    __all__.append(name)


def of_arrays(theirs: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays, any of which may be a list with Tensors in it."""
    def call(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            kind = type(a)
            if kind is np.ndarray:
                continue
            if kind is Tensor or isinstance(a, Tensor):
                return ours(*args, **kwargs) if "out" not in kwargs else theirs(*args, **kwargs)
            if (kind is list or (kind is tuple and a is args[0])) and holds_tensor(a):
                return ours(*[array(x) if type(x) is list or (type(x) is tuple and holds_tensor(x)) else x
                              for x in args], **kwargs)
        return theirs(*args, **kwargs)
    return call


def names_of(own: Any, kept: dict[str, Any], but: tuple[str, ...] = ()) -> Callable[[str], Any]:
    """The `__getattr__` of a module that stands for one of NumPy's: its own for arrays, what is recorded for Tensors.

    `kept` is the module's globals, where a name stays from the first time on; those in `but` are NumPy's as they are.
    """
    def found_by(name: str) -> Any:
        found = getattr(own, name)
        ours = counterpart(found) if callable(found) else None
        if ours is not None and name not in but:
            found = of_arrays(found, ours)
        kept[name] = found
        return found
    return found_by


def _of_sequences(theirs: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a sequence of arrays."""
    def call(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        if type(arrays) is list or type(arrays) is tuple:
            for a in arrays:
                if isinstance(a, Tensor) or (type(a) is list and holds_tensor(a)):
                    return ours(arrays, *args, **kwargs)
        return theirs(arrays, *args, **kwargs)
    return call


def _of_elements(theirs: np.ufunc, ours: Callable[..., Any]) -> Callable[..., Any]:
    """A ufunc of one array, with its attributes."""
    def call(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        if type(x) is Tensor and not args and not kwargs and x.value.dtype.kind in "fc":
            return ours(x)
        return theirs(x, *args, **kwargs)
    for attribute in ("at", "identity", "nargs", "nin", "nout", "ntypes", "outer", "signature", "types"):
        setattr(call, attribute, getattr(theirs, attribute))
    return call


def _flat(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """A function without a derivative: no Tensor round its results."""
    def call(*args: Any, **kwargs: Any) -> Any:
        found = theirs(*args, **kwargs)
        if isinstance(found, Tensor):
            return found.value
        if type(found) is tuple:
            return tuple([x.value if isinstance(x, Tensor) else x for x in found])
        return found
    return call


for _name in sorted(FLAT):
    if _name not in _MADE and hasattr(np, _name) and not isinstance(getattr(np, _name), np.ufunc):
        _enter(_name, _flat(getattr(np, _name)))
for _name in _ARRAYS.split():
    _enter(_name, of_arrays(getattr(np, _name), counterpart(getattr(np, _name))))
for _name in _SEQUENCES.split():
    _enter(_name, _of_sequences(getattr(np, _name), counterpart(getattr(np, _name))))
for _name in _UNARY.split():
    _enter(_name, _of_elements(getattr(np, _name), getattr(ops, NAMES.get(getattr(np, _name).__name__, _name))))
