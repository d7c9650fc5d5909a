"""A value with a history: what the user holds."""

from __future__ import annotations

from collections.abc import Callable
from sys import _getframe, getrefcount
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from .describe import Count, describe
from .errors import GradientError
from .node import SEEN, Constant, Extra, Handle, Node, leaf
from .promotion import as_value

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .surface import Surface  # what methods.py puts on the class, for editors and type checkers
else:
    Surface = object


class Tensor(Surface):
    """An array with a history.

    Tensor(data, requires_grad=False, dtype=None, name=None)

    `data` is a number, a (nested) sequence, an array or a Tensor.  Python floats become float32 (see
    `set_default_dtype`), integers int64; NumPy arrays keep their dtype and are copied (`from_numpy` and
    `as_tensor` share memory), Tensors are shared.
    With `requires_grad`, operations on the tensor are recorded, and `backward()` on what was computed
    leaves the gradient in `.grad`.  A 0-d tensor is a scalar: the same engine serves both.

    Raises TypeError for data that are not numbers; GradientError for a gradient of integers or bools.
    """

    __slots__ = ("value", "node", "stub", "view_of", "views", "origin", "cut", "__weakref__")
    __array_priority__ = 1000

    value: Any                                # the array; a NumPy scalar when 0-d (ten times faster)
    node: Node | None                         # there exactly if the tensor requires a gradient
    stub: Constant                            # stands in for the node where there is none; made when first asked for
    # set only where memory is shared (see aliasing.py):
    view_of: Any                              # of a view: its root and the steps to it
    views: list[ref[Tensor]]                  # of a root: its views; of a scalar: also what was detached from it
    origin: ref[Tensor]                       # of a scalar that was detached: from what
    cut: Any                                  # why it has no history though what it came from had one (see why.py)

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None,
                 name: str | None = None) -> None:
        value = as_value(data.value if isinstance(data, Tensor) else data, dtype)
        if value.ndim and (value is data or (isinstance(data, np.ndarray) and value.base is not None)):
            value = value.copy("K")           # whoever changes the array afterwards changes nothing here
        self.value, self.node = value, None
        if requires_grad:
            self.requires_grad_()
        if name:
            self.name = name

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of elements along each axis."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    @property
    def nbytes(self) -> int:
        """The memory of the elements, in bytes."""
        return self.value.nbytes

    @property
    def itemsize(self) -> int:
        """The memory of one element, in bytes."""
        return self.value.itemsize

    @property
    def size(self) -> Count:
        """As NumPy has it the number of elements; called, as PyTorch has it, the shape or its entry at `dim`."""
        made = Count(self.value.size)
        made.shape = self.value.shape
        return made

    def dim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.value.size

    def element_size(self) -> int:
        """The memory of one element, in bytes."""
        return self.value.itemsize

    def is_floating_point(self) -> bool:
        """Whether the elements are real floating-point numbers."""
        return self.value.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Whether the elements are complex numbers."""
        return self.value.dtype.kind == "c"

    @property
    def name(self) -> str:
        """The name shown in pictures and error texts; settable."""
        node = self.node if self.node is not None else getattr(self, "stub", None)
        return node.extra.name if node is not None and node.extra is not None else ""

    @name.setter
    def name(self, name: str) -> None:
        extra_of(self).name = str(name)

    # -- its gradient ----------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) recording operations on this leaf.  Returns the tensor."""
        if requires_grad and self.node is None:
            _check_differentiable(self.value.dtype)
            stub = getattr(self, "stub", None)
            self.node = leaf(self.value, extra=stub.extra if stub is not None else None)
        elif not requires_grad and self.node is not None:
            if self.node.op is not None:
                raise GradientError("requires_grad can be switched off for leaf tensors only; this one was computed by "
                                    f"{self.node.op.name}: use detach()")
            extra, self.node = self.node.extra, None
            if extra is not None:
                stub_of(self).extra = extra
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user, not computed from others that require gradients."""
        return self.node is None or self.node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that computed this tensor; None for a leaf."""
        return self.node if self.node is not None and self.node.op is not None else None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` left here; None before that."""
        return getattr(self.node, "grad", None)

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if self.node is None:
            if grad is None:
                return
            raise GradientError(
                "grad was set on a tensor that does not require a gradient; call requires_grad_() first"
            )
        if grad is not None:
            if not isinstance(grad, Tensor):
                raise TypeError(f"grad must be a Tensor or None; got {type(grad).__name__}: wrap it in Tensor(...)")
            if grad.shape != self.shape or grad.dtype != self.dtype:
                raise GradientError(f"grad must look like its tensor, {self.shape} {self.dtype}; "
                                    f"got {grad.shape} {grad.dtype}")
        self.node.grad = grad

    def zero_grad(self) -> None:
        """Forget the gradient: `.grad` becomes None."""
        if self.node is not None:
            self.node.grad = None

    @property
    def retains_grad(self) -> bool:
        """Whether a computed tensor keeps its gradient."""
        return self.node is not None and self.node.extra is not None and self.node.extra.retain

    def retain_grad(self) -> None:
        """Keep the gradient of a computed tensor in `.grad`, as is done for leaves."""
        if self.node is None:
            raise GradientError("retain_grad() was called on a tensor that does not require a gradient")
        if self.node.op is not None:
            extra_of(self).retain = True

    def register_hook(self, hook: Callable[[Tensor], Any]) -> Handle:
        """Call `hook(grad)` when the gradient of this tensor is known; a Tensor it returns takes its place.

        Returns a handle whose `remove()` takes the hook away.
        """
        if self.node is None:
            raise GradientError("register_hook() was called on a tensor that does not require a gradient")
        return extra_of(self).add_hook("hooks", hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call `hook(tensor)` each time a backward() has added to the `.grad` of this leaf.  Returns a handle.

        With it an optimizer can step, and drop the gradient, while the sweep is still under way.
        """
        if self.node is None or self.node.op is not None:
            raise GradientError("register_post_accumulate_grad_hook() needs a leaf that requires a gradient; "
                                + ("this tensor requires none" if self.node is None else
                                   f"this one was computed by {self.node.op.name}: use register_hook()"))      # type: ignore[union-attr]
        itself = ref(self)
        return extra_of(self).add_hook("accumulated", lambda: hook(itself()))    # type: ignore[arg-type]

    def detach(self) -> Tensor:
        """The same data without the history (memory is shared)."""
        made = wrap(self.value, Shared if type(self) is Shared else Tensor)
        if self.node is not None:
            made.cut = _getframe(1)
            made.cut = (made.cut.f_code.co_filename, made.cut.f_lineno)
        if not self.value.shape:              # NumPy copies scalars: those who share one have to know each other
            made.origin = ref(self)
            self.views = [*(r for r in getattr(self, "views", ()) if r() is not None), ref(made)]
        return made

    def detach_(self) -> Tensor:
        """Cut this tensor off from its history, in place."""
        self.node = None
        return self

    @property
    def data(self) -> Tensor:
        """The same data without the history (memory is shared); setting it replaces the values only."""
        return self.detach()

    @data.setter
    def data(self, data: Any) -> None:
        value = as_value(data.value if isinstance(data, Tensor) else data)
        if self.node is not None:
            _check_differentiable(value.dtype)
        if value.shape != self.value.shape or value.dtype != self.value.dtype:
            if self.node is not None and self.node.op is not None:
                raise GradientError(f"data of a computed tensor keep their shape and dtype, {self.shape} {self.dtype}; "
                                    f"got {value.shape} {value.dtype}")
            if self.node is not None:
                self.node.shape, self.node.dtype = value.shape, value.dtype
        if value is not self.value:           # other memory from now on
            for relation in ("view_of", "views", "origin"):
                if hasattr(self, relation):
                    delattr(self, relation)
        self.value = value

    # -- out of the library ----------------------------------------------------------------------------

    def item(self) -> Any:
        """The one element as a Python number; ValueError when there is not exactly one."""
        if self.value.size != 1:
            raise ValueError(f"item() needs a tensor of exactly one element; this one has shape {self.shape}: "
                             "use tolist() or numpy()")
        return self.value.item()

    def tolist(self) -> Any:
        """The elements as nested Python lists; a Python number for a 0-d tensor."""
        return self.value.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The elements as a NumPy array, sharing memory; refused where it would silently cut a graph."""
        if self.node is not None and not force:
            raise GradientError("numpy() on a tensor that requires a gradient would cut it from the graph; "
                                "use tensor.detach().numpy()")
        return np.asarray(self.value)

    def __bool__(self) -> bool:
        if self.value.size != 1:
            raise ValueError(f"the truth value of a tensor of shape {self.shape} is ambiguous; use .any() or .all()")
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.value.dtype.kind not in "iub" or self.value.size != 1:
            raise TypeError(f"only an integer tensor of one element can be an index; "
                            f"got {self.value.dtype} of shape {self.shape}")
        return int(self.value)

    def __len__(self) -> int:
        if self.value.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.value.shape[0]

    def __iter__(self) -> Any:
        if self.value.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.value.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool((self.value == (item.value if isinstance(item, Tensor) else item)).any())

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self.value.ndim:
            raise TypeError(f"format {spec!r} needs a 0-d tensor; this one has shape {self.shape}")
        return format(self.item(), spec)

    def __repr__(self) -> str:
        return describe(self.value, "tensor(", self.name, self._origin())

    def _origin(self) -> str:
        if self.node is None:
            return ""
        return "requires_grad=True" if self.node.op is None else f"grad_fn=<{self.node.op.name}>"


def _check_differentiable(dtype: np.dtype[Any]) -> None:
    if dtype.kind == "c":
        SEEN["complex"] = True
    elif dtype.kind != "f":
        raise GradientError(f"only floating-point and complex tensors can require gradients; got dtype {dtype}; "
                            "write the data as floats (2.0 for 2) or pass dtype='float32'")


class Shared(Tensor):
    """A tensor that shows the memory of a NumPy array of the user's: calls on it take the way that guards against
    changes of the array behind our back (guard.py)."""

    __slots__ = ()


class Parameter(Tensor):
    """A tensor that a Module learns: a leaf that requires a gradient.

    Parameter(data, requires_grad=True); a Tensor's data are shared, not copied.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None) -> None:
        super().__init__(data, requires_grad=requires_grad, name=name)
        extra_of(self).role = "parameter"

    def __repr__(self) -> str:
        return "Parameter containing:\n" + describe(self.value, "tensor(", self.name, self._origin())


def wrap(value: Any, kind: type[Tensor] = Tensor, new: Callable[[Any], Any] = object.__new__) -> Tensor:
    """A Tensor without history for a value that is already an array or a NumPy scalar."""
    tensor = new(kind)
    tensor.value, tensor.node = value, None
    return tensor


def attach(value: Any, node: Node, new: Callable[[Any], Any] = object.__new__) -> Tensor:
    """The Tensor for a value whose history is known."""
    tensor = new(Tensor)
    tensor.value, tensor.node = value, node
    return tensor


def stub_of(tensor: Tensor) -> Constant:
    """What stands for a tensor without gradient in the graph of what is computed from it."""
    try:
        return tensor.stub
    except AttributeError:
        tensor.stub = leaf(tensor.value, Constant)
        return tensor.stub


def extra_of(tensor: Tensor) -> Extra:
    """The tensor's extra information, made when it is first asked for."""
    node = tensor.node if tensor.node is not None else stub_of(tensor)
    if node.extra is None:
        node.extra = Extra(role="parameter" if isinstance(tensor, Parameter) else "input")
    return node.extra


def _alone() -> int:
    made = np.empty(1)
    return getrefcount(made)


ALONE = _alone()  # what getrefcount says of a local variable's only array (it varies with Python)
