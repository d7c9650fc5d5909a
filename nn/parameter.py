"""Tensors that belong to a module: buffers, and parameters and buffers whose shape is not known yet.

Lazy layers have those until they see an input.  PyTorch's torch.nn.parameter.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from autograd import Parameter as Parameter
from autograd import Tensor, empty


class Buffer(Tensor):
    """A tensor that becomes a buffer when it is assigned to an attribute of a module: kept, and not learned.

    Buffer(data=None, *, persistent=True); a Tensor's data are shared, not copied.  With persistent=False `state_dict`
    leaves it out.  `register_buffer` makes a buffer of any other Tensor.
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(empty(0) if data is None else data, requires_grad=getattr(data, "requires_grad", False))
        self.persistent = persistent

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = super().__deepcopy__(memo)
        made.persistent = self.persistent
        return made

    def __reduce__(self) -> Any:
        made, given = super().__reduce__()
        return made, given, (None, {"persistent": self.persistent})


class Blank:
    """In the place of an array: a dtype and nothing else.  Whatever asks for more is told what is missing."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def astype(self, dtype: Any, **settings: Any) -> Blank:
        """The same in another dtype."""
        return Blank(dtype)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):             # questions of copy and pickle, which go on without
            raise AttributeError(name)
        raise RuntimeError(f"{name}: the shape of an uninitialized parameter or buffer is not known yet; call the "
                           "model with an input, which initializes it, or load a state")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("an uninitialized parameter or buffer has no elements yet; call the model with an input, "
                           "which initializes it, or load a state")


class _Uninitialized(Tensor):
    """Setting `data`, and `materialize`, make it what it is to become."""

    __slots__ = ()

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give it a shape; its elements are anything.  From then on it is a Parameter, or a Buffer."""
        self.data = empty(shape, dtype=self.dtype if dtype is None else dtype)

    @property
    def data(self) -> Any:
        """Itself, as there are no data."""
        return self

    @data.setter
    def data(self, data: Any) -> None:
        value = data.value if isinstance(data, Tensor) else data
        if isinstance(value, Blank):
            self.value = value
            return
        self.value = np.empty(0, value.dtype)
        self.__class__ = Parameter if isinstance(self, Parameter) else Buffer    # type: ignore[assignment]
        self.data = data                      # with the setter of the new class

    def detach(self) -> Any:
        """Itself, as there is no history."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        kind: Any = type(self)
        made = kind(requires_grad=self.requires_grad, dtype=self.dtype)
        memo[id(self)] = made
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, None, self.dtype)


class UninitializedParameter(_Uninitialized, Parameter):
    """A Parameter whose shape is not known yet.  It may be cast, and becomes a Parameter by `materialize(shape)`."""

    __slots__ = ()

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        Parameter.__init__(self, empty(0, dtype=dtype), requires_grad=requires_grad)
        self.value = Blank(self.value.dtype)


class UninitializedBuffer(_Uninitialized, Buffer):
    """A Buffer whose shape is not known yet.  It becomes a Buffer by `materialize(shape)`."""

    __slots__ = ()

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None,
                 persistent: bool = True) -> None:
        Tensor.__init__(self, empty(0, dtype=dtype), requires_grad=requires_grad)
        self.value, self.persistent = Blank(self.value.dtype), persistent


def is_lazy(tensor: Any) -> bool:
    """Whether it is an UninitializedParameter or an UninitializedBuffer."""
    return isinstance(tensor, _Uninitialized)
