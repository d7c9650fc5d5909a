"""A parameter computed from others at each use: `weight = f(original)`, with `original` what is learned.

A module with parametrizations is of a class of its own, "Parametrized" + its name, in which the parameter is a
property; `module.parametrizations.weight.original` (or original0, ...) is in its place among the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograd import Parameter, Tensor, no_grad

from ..containers import ModuleDict, ModuleList
from ..module import Module

_cache: ContextVar[dict[Any, Any] | None] = ContextVar("glassgrad_parametrize_cache", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """In the block each parametrized tensor is computed once, at its first use.  Blocks may stand in one another."""
    outer = _cache.get()
    token = _cache.set({} if outer is None else outer)
    try:
        yield
    finally:
        _cache.reset(token)


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, first to last, and what they are computed from."""

    def __init__(self, modules: Any, original: Tensor, unsafe: bool = False) -> None:
        modules = list(modules)
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        made = _inverse(modules, original, needed=False)
        self.is_tensor = isinstance(made, Tensor)
        learned = isinstance(original, Parameter)
        if self.is_tensor:
            self.ntensors = 1
            if made.dtype != dtype and not unsafe:
                raise ValueError(f"register_parametrization: right_inverse gives {made.dtype}, the tensor is {dtype}; "
                                 "with unsafe=True that is not checked")
            if learned:
                if made is not original:
                    original.data = made.detach()
                self.original = original      # the same Parameter: optimizers that have it go on
            else:
                self.register_buffer("original", made)
        else:
            if not isinstance(made, (tuple, list)) or not all(isinstance(t, Tensor) for t in made):
                raise ValueError("register_parametrization: right_inverse must return a Tensor or a sequence of "
                                 f"Tensors; got {type(made).__name__}")
            self.ntensors = len(made)
            for i, t in enumerate(made):
                if learned:
                    t = Parameter(t.detach().clone(), original.requires_grad and t.dtype.kind in "fc")
                    self.register_parameter(f"original{i}", t)
                else:
                    self.register_buffer(f"original{i}", t)
        if not unsafe:
            _check(self(), shape, dtype)

    def _originals(self) -> list[Tensor]:
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def forward(self) -> Any:
        """The tensor, computed anew."""
        parts = list(self)
        out = parts[0](*self._originals())
        for part in parts[1:]:
            out = part(out)
        return out

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the tensor becomes `value`, by the parametrizations' own right_inverse."""
        with no_grad():
            made = _inverse(list(self), value, needed=True)
            made = [made] if self.is_tensor else list(made)
            if len(made) != self.ntensors:
                raise ValueError(f"right_inverse gave {len(made)} tensors, not {self.ntensors} as at first")
            for original, t in zip(self._originals(), made):
                if not self.unsafe and self.is_tensor and (t.shape, t.dtype) != (original.shape, original.dtype):
                    raise ValueError(f"right_inverse gave {t.shape} {t.dtype}; the original is {original.shape} "
                                     f"{original.dtype}")
                original.data = t.detach().clone()


def _inverse(modules: list[Any], value: Any, needed: bool) -> Any:
    """The parametrizations undone, last to first; one without right_inverse leaves the value as it is."""
    made = value
    with no_grad():
        for module in reversed(modules):
            if not hasattr(module, "right_inverse"):
                if needed:
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse, so "
                                       "the tensor cannot be assigned to; set the originals")
                continue
            try:
                made = module.right_inverse(made)
            except NotImplementedError:
                if needed:
                    raise
    return made


def _check(made: Any, shape: Any, dtype: Any) -> None:
    if not isinstance(made, Tensor):
        raise ValueError(f"a parametrization must return a Tensor; got {type(made).__name__}")
    if made.dtype != dtype:
        raise ValueError(f"a parametrization must keep the dtype, unless unsafe=True: {dtype} became {made.dtype}")
    if made.shape != shape:
        raise ValueError(f"a parametrization must keep the shape, unless unsafe=True: {shape} became {made.shape}")


def _property(name: str) -> property:
    def get(self: Any) -> Any:
        known = _cache.get()
        if known is None:
            return self.parametrizations[name]()
        if (id(self), name) not in known:
            known[id(self), name] = self.parametrizations[name]()
        return known[id(self), name]

    def change(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)
    return property(get, change)


class _Parametrized:
    """Marks the classes made here, and lets them be copied and pickled."""

    _plain: type
    _names: tuple[str, ...] = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _empty, (self._plain, self._names), dict(self.__dict__)


def _empty(plain: type, names: tuple[str, ...]) -> Any:
    made: Any = object.__new__(plain)
    made.__class__ = _class_with(plain, names)
    return made


def _class_with(plain: type, names: tuple[str, ...]) -> type:
    """The class with these names as properties; nothing is added to it later, so that copies may share it."""
    if not names:
        return plain
    body = {"_plain": plain, "_names": names, **{name: _property(name) for name in names}}
    return type(f"Parametrized{plain.__name__}", (_Parametrized, plain), body)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has parametrizations, or this tensor of it."""
    if not isinstance(module, _Parametrized):
        return False
    return tensor_name is None or tensor_name in module._names


def type_before_parametrizations(module: Module) -> type:
    """The class that the module was of before it got any parametrization."""
    return module._plain if isinstance(module, _Parametrized) else type(module)


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *,
                             unsafe: bool = False) -> Module:
    """Compute a parameter (or buffer) of the module as `parametrization(original)`, at each use.  Returns the module.

    If the parametrization has a `right_inverse`, the original starts as that of the present value, and assigning to
    the tensor sets it; right_inverse may return several tensors, which forward then takes as arguments.  A second
    parametrization is put behind the first.  Unless `unsafe`, shape and dtype must stay as they are.

    Raises ValueError, and leaves the module as it was, for a tensor that is not there or does not keep its shape.
    """
    if not isinstance(module, Module) or not isinstance(parametrization, Module):
        wrong = parametrization if isinstance(module, Module) else module
        raise TypeError(f"register_parametrization: expected modules; got {type(wrong).__name__}")
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        row = module.parametrizations[tensor_name]       # type: ignore[attr-defined]
        now = getattr(module, tensor_name)
        if not unsafe:
            _check(parametrization(now.detach()), now.shape, now.dtype)
        if hasattr(parametrization, "right_inverse"):
            with no_grad():
                before = parametrization.right_inverse(now.detach())
                if not unsafe:
                    _check(before, now.shape, now.dtype)
                row.right_inverse(before)
        row.append(parametrization)
        row.unsafe = row.unsafe or unsafe
        return module
    original = module.__dict__.get(tensor_name)
    persistent = module._persistent.get(tensor_name)
    if not (isinstance(original, Parameter) or (persistent is not None and isinstance(original, Tensor))):
        raise ValueError(f"Module {type(module).__name__} does not have a parameter, a buffer, or a parametrized "
                         f"tensor with name {tensor_name!r}")
    row = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = row           # type: ignore[attr-defined]
    _rename(module, (*getattr(module, "_names", ()), tensor_name))
    return module


def _rename(module: Any, names: tuple[str, ...]) -> None:
    module.__class__ = _class_with(type_before_parametrizations(module), names)


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make the tensor a plain parameter again: with its present value, or the original one.  Returns the module.

    Raises ValueError if it has no parametrization, or if several originals cannot be left as one tensor.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {type(module).__name__} does not have a parametrization on {tensor_name}")
    row = module.parametrizations[tensor_name]           # type: ignore[attr-defined]
    originals = row._originals()
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name)
        learned = any(isinstance(t, Parameter) for t in originals)
        if row.is_tensor:
            tensor = originals[0]
            tensor.data = value.detach()
        else:
            tensor = Parameter(value.detach().clone(), any(t.requires_grad for t in originals)) if learned else \
                value.detach()
    elif row.is_tensor:
        tensor = originals[0]
    else:
        raise ValueError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in "
                         "terms of a sequence of tensors.")
    _rename(module, tuple(n for n in module._names if n != tensor_name))         # type: ignore[attr-defined]
    del module.parametrizations[tensor_name]             # type: ignore[attr-defined]
    if not is_parametrized(module):
        del module.parametrizations                      # type: ignore[attr-defined]
    if isinstance(tensor, Parameter):
        module.register_parameter(tensor_name, tensor)
    else:
        module.register_buffer(tensor_name, tensor)
    return module


def transfer_parametrizations_and_params(from_module: Module, to_module: Module,
                                         tensor_name: str | None = None) -> Module:
    """Give another module the same parametrizations, and the originals of this one.  Returns that module."""
    if not is_parametrized(from_module, tensor_name):
        raise ValueError(f"transfer_parametrizations_and_params: {type(from_module).__name__} has no parametrization"
                         + (f" on {tensor_name}" if tensor_name else ""))
    for name in from_module._names if tensor_name is None else [tensor_name]:    # type: ignore[attr-defined]
        row = from_module.parametrizations[name]         # type: ignore[attr-defined]
        if not hasattr(to_module, name):
            to_module.register_parameter(name, Parameter(getattr(from_module, name).detach().clone()))
        for part in row:
            register_parametrization(to_module, name, part, unsafe=row.unsafe)
        for mine, theirs in zip(to_module.parametrizations[name]._originals(), row._originals()):  # type: ignore[attr-defined]
            mine.data = theirs.detach().clone()
    return to_module
