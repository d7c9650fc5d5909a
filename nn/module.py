"""Module: a function with parameters.  What belongs to it are its attributes, and nothing is registered twice.

Parameters and submodules are found by looking at the attributes, also inside plain lists, tuples and
dicts; so a list that grows later is no trap, nor is a forgotten `super().__init__()`.  Only buffers have
to be called so, by `register_buffer` or as a `Buffer`, since a tensor attribute may be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from reprlib import recursive_repr
from typing import Any, Self

import numpy as np

from autograd import Parameter, Tensor, modes, zeros_like
from autograd.devices import DEVICES, on_cpu

from .hooks import Hooked, Hooks
from .location import locate
from .members import Part, buffers_of, claims, members, parameters_of, walk
from .parameter import Buffer
from .state import Saved

_mode = modes.current


class Module(Saved, Hooked, Part):
    """Base class of layers and models: give it attributes and a `forward`, and call it.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(4, 8), nn.Linear(8, 3)]     # a plain list is found too
            def forward(self, x):
                return self.layers[1](self.layers[0](x).relu())

    An exception raised inside carries a note that says in which part of the model it was raised.
    """

    # On the class, so that they hold for a subclass that forgets super().__init__() as well.
    training: bool = True
    _persistent: dict[str, bool] = {}         # noqa: RUF012  names of the buffers, and whether they are saved; never changed here
    _hooks: Hooks | None = None

    def _unwritten(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define what it computes, "
                                  "def forward(self, x): ...")

    forward: Callable[..., Any] = _unwritten

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            mode = _mode()
            if self._hooks is None and (mode is None or mode.recorder is None):
                return self.forward(*args, **kwargs)
            run = self.forward if self._hooks is None else self._hooks.around(self)
            if mode is None or mode.recorder is None:
                return run(*args, **kwargs)
            with mode.recorder.module(self):
                return run(*args, **kwargs)
        except Exception as error:
            locate(error, self, args)
            raise

    # -- attributes ------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Buffer) and not isinstance(self.__dict__.get(name), (Parameter, Module)):
            self.register_buffer(name, value, value.persistent)
            return
        if name in self._persistent:
            if isinstance(value, Parameter):
                del self._persistent[name]    # it is learned from now on
            elif value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{type(self).__name__}.{name} is a buffer and must stay a Tensor or None; "
                                f"got {type(value).__name__}: wrap it in Tensor(...)")
        elif isinstance(value, (Parameter, Module)):
            if hasattr(Module, name):
                raise AttributeError(f"{type(self).__name__}.{name} = {type(value).__name__}(...) would hide "
                                     f"nn.Module.{name}; choose another name")
        elif value is not None:
            old = self.__dict__.get(name)
            if isinstance(old, (Parameter, Module)):
                kind, fix = ("nn.Parameter", "wrap it in nn.Parameter(...), or ") if isinstance(old, Parameter) else \
                    ("nn.Module", "")
                raise TypeError(f"{type(self).__name__}.{name} is an {kind} and must stay one, or become None; "
                                f"got {type(value).__name__}: {fix}del it first to give the name another meaning")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in self._persistent:
            del self._persistent[name]

    def _check_name(self, name: Any, kind: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string; got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{kind} name {name!r}: it must not be empty, nor hold a dot, as paths have between names")
        taken = self.__dict__.get(name, Module)
        known = taken is None or isinstance(taken, Module if kind == "module" else Parameter)
        if hasattr(self, name) and not known:
            raise KeyError(f"attribute {name!r} already exists in {type(self).__name__}")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """self.name = param; None keeps the place."""
        self._check_name(name, "parameter")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter {name!r}: expected an nn.Parameter or None; "
                            f"got {type(param).__name__}: wrap it in nn.Parameter(...)")
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """self.name = tensor, a state that is not learned; `state_dict` has it (if persistent), and `to` casts it."""
        if name not in self._persistent:
            self._check_name(name, "buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer {name!r}: expected a Tensor or None; got {type(tensor).__name__}: "
                            "wrap it in Tensor(...)")
        self.__dict__.setdefault("_persistent", {})[name] = persistent
        object.__setattr__(self, name, tensor)

    def add_module(self, name: str, module: Module | None) -> None:
        """self.name = module."""
        self._check_name(name, "module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module {name!r}: expected an nn.Module or None; got {what_is(module)}")
        setattr(self, name, module)

    register_module = add_module

    # -- what it holds ---------------------------------------------------------------------------------

    def named_modules(self, memo: set[Any] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """(dotted path, module) of this module (path "") and all below it."""
        memo = set() if memo is None else memo
        yield from walk(self, prefix, claims(self), (), memo if remove_duplicate else None)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the modules directly below this one, each once."""
        seen = set()
        for name, module in members(self, Module, claims(self)):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        return (module for _, module in self.named_children())

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """(dotted path, parameter) of all parameters; one that is shared comes once, under its first name."""
        return self._tensors(parameters_of, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimizer is given."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """(dotted path, buffer) of all buffers, each once."""
        return self._tensors(buffers_of, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _tensors(self, find: Callable[..., Any], prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[Any]:
        claimed, seen = claims(self), set()
        modules = walk(self, prefix, claimed, (), set() if remove_duplicate else None) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, tensor in find(module, claimed):
                if not (remove_duplicate and id(tensor) in seen):
                    seen.add(id(tensor))
                    yield f"{path}.{name}" if path else name, tensor

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; AttributeError when there is none."""
        return _look_up(self, "submodule", target, dict(self.named_modules(remove_duplicate=False)))

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path; AttributeError when there is none."""
        return _look_up(self, "parameter", target, dict(self.named_parameters(remove_duplicate=False)))

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path; AttributeError when there is none."""
        return _look_up(self, "buffer", target, dict(self.named_buffers(remove_duplicate=False)))

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a dotted path, in the place of another (or, unless `strict`, of none)."""
        if not target or not isinstance(module, Module):
            raise ValueError(f"set_submodule: expected a path and an nn.Module; got {target!r} and {what_is(module)}")
        *above, name = target.split(".")
        parent: Any = self
        for i, step in enumerate(above):
            parent = _inside(parent, step, ".".join(above[:i + 1]))
        if isinstance(parent, (list, dict)) or strict or hasattr(parent, name):
            old = _inside(parent, name, target)
            if not isinstance(old, Module):
                raise AttributeError(f"set_submodule: {target!r} is no nn.Module, but {type(old).__name__}")
        if isinstance(parent, list):
            parent[int(name)] = module
        elif isinstance(parent, dict):
            parent[name] = module
        else:
            setattr(parent, name, module)

    # -- changing all of it ----------------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call fn on every module once, children first.  Returns the module."""
        def visit(module: Module) -> None:
            if module not in seen:
                seen.add(module)
                for child in module.children():
                    visit(child)
                fn(module)
        seen: set[Module] = set()
        visit(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Put all modules in training mode: dropout drops, batch norm follows the batch.  Returns the module."""
        if not isinstance(mode, (bool, np.bool_)):
            raise TypeError(f"train(mode): expected True or False; got {type(mode).__name__}: train() only sets the "
                            "mode, nn.Model fits")
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Put all modules in evaluation mode.  Returns the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Learn all parameters, or freeze them.  Returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or set them to zeros)."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else zeros_like(parameter)

    def cpu(self) -> Self:
        """The module: it is on the CPU."""
        return self

    def cuda(self, device: Any = "cuda") -> Self:
        """RuntimeError: there is no GPU here."""
        on_cpu("cuda", device)
        return self

    def to(self, *args: Any, device: Any = None, dtype: Any = None, **ignored: Any) -> Self:
        """Cast all floating-point parameters and buffers to a dtype (or that of a tensor).  Returns the module.

        The device "cpu" is accepted and changes nothing; there is no other.
        """
        for given in (*args, device):
            text = str(given).partition(":")[0]
            if isinstance(given, Tensor):
                dtype = given.dtype
            elif text in DEVICES:
                on_cpu("to", given)
            elif given is not None and not isinstance(given, bool) and text != "cpu":
                dtype = given
        if dtype is not None:
            dtype = np.dtype(dtype)
            if dtype.kind not in "fc":
                raise TypeError(f"to(dtype): a module is cast to floating-point or complex dtypes only; got {dtype}")
            for tensor in (*self.parameters(), *self.buffers()):
                if tensor.dtype.kind in "fc" and tensor.dtype != dtype:
                    grad = tensor.grad
                    tensor.data = tensor.value.astype(dtype)
                    if grad is not None:
                        tensor.grad = Tensor(grad.value.astype(dtype))
        return self

    def float(self) -> Self:
        """Cast to float32."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Cast to float64."""
        return self.to(np.float64)

    def half(self) -> Self:
        """Cast to float16."""
        return self.to(np.float16)

    # -- as text ---------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the brackets of the repr; for subclasses to override."""
        return ""

    @recursive_repr("(...)")
    def __repr__(self) -> str:
        lines = self.extra_repr().split("\n") if self.extra_repr() else []
        inside = members(self, Module, claims(self))
        children = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in inside]
        if not children and len(lines) <= 1:
            return f"{type(self).__name__}({''.join(lines)})"
        return f"{type(self).__name__}(\n  " + "\n  ".join([*lines, *children]) + "\n)"


def what_is(value: Any) -> str:
    """How an error text names what is no module."""
    if isinstance(value, type):
        return f"the class {value.__name__}: call it, {value.__name__}(...)"
    return f"{type(value).__name__} {value!r}"[:80]


def _inside(parent: Any, name: str, path: str) -> Any:
    """An attribute of a module, or an entry of a plain list or dict in one."""
    try:
        return parent[int(name)] if isinstance(parent, (list, tuple)) else \
            parent[name] if isinstance(parent, dict) else getattr(parent, name)
    except (AttributeError, LookupError, ValueError):
        raise AttributeError(f"set_submodule: there is nothing at {path!r}") from None


def _look_up(module: Module, kind: str, target: str, known: dict[str, Any]) -> Any:
    if target not in known:
        from difflib import get_close_matches
        near = get_close_matches(target, known, 3, 0.5)
        raise AttributeError(f"{type(module).__name__} has no {kind} {target!r}; "
                             + (f"did you mean {' or '.join(map(repr, near))}?" if near else
                                f"it has {', '.join(repr(name) for name in list(known)[:20]) or 'none'}"))
    return known[target]
