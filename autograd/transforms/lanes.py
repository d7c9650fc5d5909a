"""What a value is inside `vmap`: a Tensor that shows one lane and holds them all.

A `Lane` has the shape that the function sees, and in `inner` a Tensor with the lanes of one `vmap` along axis 0; that
may be a Lane itself, of a `vmap` further out.  Ops run on `inner`, so the graph is that of the whole batch.
"""

from __future__ import annotations

import functools
import sys
from os import sep
from os.path import dirname
from typing import Any

import numpy as np

from .. import ops
from ..describe import Count
from ..errors import GradientError, ShapeError
from ..methods import plain_index
from ..node import tick
from ..ops import cast
from ..ops.writing import setitem
from ..tensor import Tensor, wrap
from .calls import LaneError
from .rules import batched
from .trees import flatten, unflatten

_HOME = dirname(dirname(dirname(__file__)))
_NUMPY = dirname(np.__file__) + sep
_OURS = tuple(f"{_HOME}{sep}{room}{sep}" for room in ("autograd", "nn"))


class Level:
    """One `vmap` that is running: how many lanes it has, and what randomness means in it."""

    __slots__ = ("number", "randomness", "single", "size")

    def __init__(self, size: int, randomness: str = "error", single: bool = False) -> None:
        self.size, self.randomness, self.number = size, randomness, tick()
        self.single = single                  # the lanes run one by one: there is no Lane of this level

    def spread(self, x: Any) -> Lane:
        """A Tensor or array with the lanes along axis 0, as one lane."""
        return lane(x if isinstance(x, Tensor) else wrap(x), self)

    def run(self, op: Any, inputs: Any, attrs: dict[str, Any]) -> Tensor:
        """The op on all lanes."""
        return lane(batched(op, inputs, attrs, self, Lane), self)


def _from_the_library() -> bool:
    """Whether it is the library that asks for a value, not the user's own code."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_OURS)


def from_the_library(error: BaseException) -> bool:
    """Whether it was raised in the library, or in what the library called, not in the user's own code."""
    files, trace = [], error.__traceback__
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    for file in reversed(files):
        if file.startswith(_OURS):
            return True
        if not file.startswith((_NUMPY, "<")):
            return False
    return False


class Lane(Tensor):
    """A Tensor inside `vmap`: what is seen of it is one lane."""

    __slots__ = ("inner", "level")
    inner: Any
    level: Any

    def _refuse(self, what: str) -> Any:
        fix = ("use autograd.where(condition, x, y) for a choice and a fixed number of steps for a loop, or move this "
               "out of the function")
        text = f"vmap: {what} needs one value, but there are {self.level.size} lanes with a value each; {fix}"
        return LaneError(text, self.level, functools.partial(by_lanes, self.level) if _from_the_library() else None)

    @property
    def value(self) -> Any:
        """No one array is right; ops see the lanes through `inner`."""
        raise self._refuse("reading the value of a tensor")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one lane."""
        return self.inner.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.inner.dtype

    @property
    def ndim(self) -> int:
        """The axes of one lane."""
        return self.inner.ndim - 1

    @property
    def nbytes(self) -> int:
        """The memory of one lane, in bytes."""
        return self.numel() * self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        """The memory of one element, in bytes."""
        return self.dtype.itemsize

    @property
    def size(self) -> Count:
        """The number of elements of one lane; called, its shape or its entry at `dim`."""
        made = Count(self.numel())
        made.shape = self.shape
        return made

    def dim(self) -> int:
        """The axes of one lane."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements of one lane."""
        return int(np.prod(self.shape))

    def element_size(self) -> int:
        """The memory of one element, in bytes."""
        return self.dtype.itemsize

    def is_floating_point(self) -> bool:
        """Whether the elements are real floating-point numbers."""
        return self.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Whether the elements are complex numbers."""
        return self.dtype.kind == "c"

    # -- its history is that of the whole batch --------------------------------------------------------

    @property                                                                        # type: ignore[misc]
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        return self.inner.requires_grad

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Refused where it would change something: inside `vmap`, use grad or vjp."""
        if requires_grad != self.requires_grad:
            raise self._no_graph("requires_grad_()")
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user."""
        return self.inner.is_leaf

    @property                                                                        # type: ignore[misc]
    def grad(self) -> Any:
        """Inside `vmap` gradients are returned by grad and vjp, and nothing is left here."""
        return None

    def _no_graph(self, what: str) -> GradientError:
        return GradientError(f"vmap: {what} inside vmap would act on all {self.level.size} lanes at once; use the "
                             "transforms grad, vjp or jvp inside, or backward() on what vmap returns")

    def backward(self, *args: Any, **kwargs: Any) -> None:
        """Refused: inside `vmap`, use grad or vjp."""
        raise self._no_graph("backward()")

    def register_hook(self, hook: Any) -> Any:
        """Refused: a hook would see all lanes."""
        raise self._no_graph("register_hook()")

    def retain_grad(self) -> None:
        """Refused: inside `vmap`, use grad or vjp."""
        raise self._no_graph("retain_grad()")

    def mapped(self, function: Any) -> Lane:
        """The function on what holds all lanes."""
        return lane(function(self.inner), self.level)

    def by_lanes(self, function: Any, args: Any) -> Any:
        """function(*args) on one lane after the other, and the results stacked: lanes again."""
        return by_lanes(self.level, function, args, {})

    def detach(self) -> Tensor:
        """The same data without the history."""
        return lane(self.inner.detach(), self.level)

    @property                                                                        # type: ignore[misc]
    def data(self) -> Tensor:
        """The same data without the history."""
        return self.detach()

    @property                                                                        # type: ignore[misc]
    def name(self) -> str:
        """The name shown in pictures."""
        return self.inner.name

    # -- out of the library: one value, where there are many -------------------------------------------

    def item(self) -> Any:
        """Refused: each lane has a value of its own."""
        raise self._refuse("item()")

    def tolist(self) -> Any:
        """Refused: each lane has a value of its own."""
        raise self._refuse("tolist()")

    def numpy(self, *, force: bool = False) -> Any:
        """Refused: each lane has a value of its own."""
        raise self._refuse("numpy()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self._refuse("turning a tensor into an array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """As for every Tensor; but what the library asks NumPy for, it wants the values for, unless it is an op."""
        if _from_the_library() and (method != "__call__" or not hasattr(getattr(ops, ufunc.__name__, None), "op")):
            raise self._refuse(f"numpy.{ufunc.__name__}")
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """As for every Tensor; of what the library asks NumPy for, decompositions take the lanes as leading axes."""
        if not _from_the_library():
            return super().__array_function__(func, types, args, kwargs)
        if func.__module__ != "numpy.linalg" or not args or args[0] is not self:
            raise self._refuse(f"numpy.{func.__name__}")
        inner = self.inner if isinstance(self.inner, Lane) else np.asarray(self.inner.value)
        made = func(inner, *args[1:], **kwargs)
        parts = [lane(m if isinstance(m, Tensor) else wrap(m), self.level)
                 for m in (made if isinstance(made, tuple) else (made,))]
        return (type(made)(*parts) if hasattr(made, "_fields") else tuple(parts)) if isinstance(made, tuple) else \
            parts[0]

    def __bool__(self) -> bool:
        raise self._refuse("a truth value (if, while, and, or, assert)")

    def __float__(self) -> float:
        raise self._refuse("float()")

    def __int__(self) -> int:
        raise self._refuse("int()")

    def __complex__(self) -> complex:
        raise self._refuse("complex()")

    def __index__(self) -> int:
        raise self._refuse("an index into a list or an array (into a Tensor it is fine)")

    def __contains__(self, item: Any) -> bool:
        raise self._refuse("`in`")

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.inner = _inner(assigned(self, index, value), self.level)

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"lane({self.level.size} lanes of shape {self.shape}, {self.dtype}, all: {self.inner!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return lane(self.inner.detach() * 1, self.level)

    def __reduce__(self) -> Any:
        raise self._refuse("pickling")


for _name in ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul"):
    def _in_place(self: Any, other: Any, _plain: str = f"__{_name[1:]}__") -> Any:
        self.inner = _inner(getattr(self, _plain)(other), self.level)
        return self
    setattr(Lane, f"__{_name}__", _in_place)


def lane(inner: Tensor, level: Level) -> Lane:
    """The Lane of a Tensor with the lanes of `level` along axis 0."""
    made = object.__new__(Lane)
    made.node, made.inner, made.level = None, inner, level
    return made


def _inner(x: Tensor, level: Level) -> Tensor:
    """What a Lane of this level holds after a change in place."""
    if not isinstance(x, Lane) or x.level is not level:
        raise GradientError("vmap: a change in place would give a tensor lanes that it did not have; write "
                            "x = x + y in place of x += y")
    return x.inner


def assigned(x: Lane, index: Any, value: Any) -> Tensor:
    """x with the value at the index, as a new tensor."""
    index = tuple([plain_index(k) for k in index]) if isinstance(index, tuple) else plain_index(index)
    if not isinstance(value, Tensor):
        value = wrap(np.asarray(value, x.dtype)[()])
    return setitem(x, index, value if value.dtype == x.dtype else cast(value, dtype=x.dtype))


def by_lanes(level: Level, function: Any, args: Any, kwargs: Any) -> Any:
    """function(*args, **kwargs) on one lane after the other, and the results stacked: lanes again."""
    leaves, structure = flatten((args, kwargs))
    made: list[Any] = []
    kept: Any = None
    for k in range(level.size):
        rest = [leaf.inner[k] if getattr(leaf, "level", None) is level else leaf for leaf in leaves]
        given, named = unflatten(structure, rest)
        parts, kept = flatten(function(*given, **named))
        made.append(parts)
    return unflatten(kept, [_stacked(level, column) for column in zip(*made, strict=True)])


def _stacked(level: Level, column: Any) -> Any:
    shapes = {tuple(getattr(part, "shape", ())) for part in column}
    if len(shapes) > 1:
        raise ShapeError(f"vmap: all lanes must give results of one shape; got {sorted(shapes)}: a selection by value "
                         "has another size in each; use autograd.where with a mask")
    return lane(ops.stack([part if isinstance(part, Tensor) else wrap(np.asarray(part)[()]) for part in column]), level)
