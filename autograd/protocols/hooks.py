"""What NumPy and other libraries find on a Tensor: their protocols.  This file is all of it that is imported at once.

`np.exp(tensor)` and `array * tensor` come to `__array_ufunc__`, `np.sum(tensor)` to `__array_function__`, and go on to
`dispatch`.  The others give the values away, and refuse where that would cut a graph.

`float(tensor)` is the way out that everybody takes on purpose, so it stays open, as in PyTorch.  But NumPy takes it
for `array[i] = tensor` too, where the array would silently lose the gradient: the caller's instruction tells which.
"""

from __future__ import annotations

from sys import _getframe
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..errors import GradientError
from ..ops import elementwise
from ..tensor import Shared, Tensor, wrap

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

# The operators: `array * tensor` asks here.  `dispatch` enters the other ufuncs when it first meets them.
UFUNCS: dict[np.ufunc, Any] = {
    np.add: elementwise.add, np.subtract: elementwise.subtract, np.multiply: elementwise.multiply,
    np.divide: elementwise.divide, np.power: elementwise.power, np.negative: elementwise.negative,
    np.matmul: ops.matmul,
}

FUNCTIONS: dict[Any, Any] = {}                # NumPy's other functions -> ours; filled when the first is asked for


def __array_ufunc__(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if method == "__call__" and not kwargs:
        function = UFUNCS.get(ufunc)
        if function is not None:
            return function(*inputs)
    from .dispatch import call_ufunc
    return call_ufunc(UFUNCS, ufunc, method, inputs, kwargs)


def __array_function__(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    function = FUNCTIONS.get(func)
    if function is not None and "out" not in kwargs:
        return function(*args, **kwargs)
    from .dispatch import call_function
    return call_function(FUNCTIONS, func, args, kwargs)


def __array__(self: Tensor, dtype: DTypeLike | None = None, copy: bool | None = None) -> Any:
    if self.node is not None and (dtype is None or np.dtype(dtype).kind in "fcO"):     # integers carry no gradient
        raise GradientError(
            "a tensor that requires a gradient does not turn into an array by itself, which would cut it from the "
            "graph: np.stack([...]) joins tensors (np.array does not), autograd.zeros(...) can be assigned into (an "
            "array cannot), and tensor.detach().numpy() gives the values alone"
        )
    return np.array(self.value, dtype=dtype, copy=copy)


def __float__(self: Tensor) -> float:
    if self.node is not None:
        _no_store(_getframe(1))
    return float(self.item())


def __complex__(self: Tensor) -> complex:
    if self.node is not None:
        _no_store(_getframe(1))
    return complex(self.item())


def _no_store(caller: Any) -> None:
    """Raises where the number is wanted for `array[i] = tensor`."""
    from opcode import opmap
    if caller.f_code.co_code[caller.f_lasti] == opmap["STORE_SUBSCR"]:
        raise GradientError(
            "array[...] = tensor: a NumPy array cannot carry on the graph of a tensor that requires a gradient; make "
            "the array a Tensor first, autograd.zeros(shape) or Tensor(array), or assign tensor.detach()"
        )


def _memory(self: Tensor, what: str) -> Any:
    if self.node is not None:
        raise GradientError(f"{what} of a tensor that requires a gradient would cut it from the graph; "
                            "use tensor.detach()")
    if not self.value.ndim:                    # a NumPy scalar has no memory to share: a copy
        return np.asarray(self.value)
    return self.value


def __dlpack__(self: Tensor, **options: Any) -> Any:
    return _memory(self, "DLPack").__dlpack__(**options)


def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    return (1, 0)                              # kDLCPU


def __buffer__(self: Tensor, flags: int) -> memoryview:
    return memoryview(_memory(self, "the buffer"))


def from_dlpack(x: Any) -> Tensor:
    """The array of another library (NumPy, PyTorch, JAX, ...) as a Tensor that shares its memory.

    x has `__dlpack__`, and its memory is the CPU's.  Raises TypeError for anything else.
    """
    if isinstance(x, Tensor):
        return wrap(x.value)
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"from_dlpack: expected an array with __dlpack__; got {type(x).__name__}: use tensor(data)")
    found = np.from_dlpack(x)
    return wrap(found, Shared) if found.ndim else wrap(found[()])


def _as_method(name: str) -> Any:
    """A method that ndarray has and PyTorch's tensors do not: NumPy's function of that name."""
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)
    method.__name__ = method.__qualname__ = name
    return method


def compress(self: Tensor, condition: Any, axis: int | None = None) -> Any:
    """The elements, or the parts along an axis, where the condition holds."""
    return np.compress(condition, self, axis)


for _method in (__array_ufunc__, __array_function__, __array__, __float__, __complex__,
                __dlpack__, __dlpack_device__, __buffer__, compress):
    setattr(Tensor, _method.__name__, _method)
for _name in ("argpartition", "choose", "conjugate", "copy", "searchsorted"):
    setattr(Tensor, _name, _as_method(_name))
