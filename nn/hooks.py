"""Hooks: functions called before and after a module's forward, and when gradients have passed it.

A module without hooks has no `Hooks`, so that calling it costs one look at an attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd import Tensor, identity

if TYPE_CHECKING:
    from .module import Module

_number = count().__next__


class Hook(NamedTuple):
    """One function, and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always: bool = False


class Hooks:
    """The hooks of one module, by number in the order they are called."""

    def __init__(self) -> None:
        self.before: dict[int, Hook] = {}
        self.after: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}

    def around(self, module: Module) -> Callable[..., Any]:
        """`module.forward` with the hooks around it."""
        def run(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._before(module, args, kwargs)
            passing = Passing(module, tuple(self.backward.values())) if self.backward else None
            if passing is not None:
                args = passing.entering(args)
            try:
                out = module.forward(*args, **kwargs)
            except Exception:
                for hook in tuple(self.after.values()):
                    if hook.always:
                        _after(hook, module, args, kwargs, None)
                raise
            for hook in tuple(self.after.values()):
                replaced = _after(hook, module, args, kwargs, out)
                out = out if replaced is None else replaced
            return out if passing is None else passing.leaving(out)
        return run

    def _before(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        for hook in tuple(self.before.values()):
            if hook.with_kwargs:
                replaced = hook.function(module, args, kwargs)
                if replaced is not None:
                    if not (isinstance(replaced, tuple) and len(replaced) == 2):
                        raise TypeError("a forward pre-hook with kwargs must return None or (args, kwargs); got "
                                        f"{type(replaced).__name__}")
                    args, kwargs = replaced
            else:
                replaced = hook.function(module, args)
                if replaced is not None:
                    args = replaced if isinstance(replaced, tuple) else (replaced,)
        return args, kwargs


def _after(hook: Hook, module: Module, args: Any, kwargs: Any, out: Any) -> Any:
    return hook.function(module, args, kwargs, out) if hook.with_kwargs else hook.function(module, args, out)


class Passing:
    """One call of a module whose gradients are watched.

    Each input passes two identity ops, one made after the other.  The sweep comes to the later ones first: they note
    the gradient.  When it comes to the first of the earlier ones all are known, and the hooks can be called.
    """

    def __init__(self, module: Module, hooks: tuple[Hook, ...]) -> None:
        self.module, self.hooks = module, hooks
        self.grad_input: list[Any] = []
        self.grad_output: list[Any] = []
        self.due = False
        self.watches_inputs = False

    def entering(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs of the module, watched."""
        self.grad_input = [None] * len(args)
        at = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        watched = list(args)
        for i in at:
            watched[i] = identity(watched[i])
            if watched[i].requires_grad:                 # not inside no_grad
                watched[i].register_hook(lambda g, i=i: self._give(i))
                self.watches_inputs = True
        for i in at:
            watched[i] = identity(watched[i])
            if watched[i].requires_grad:
                watched[i].register_hook(lambda g, i=i: self.grad_input.__setitem__(i, g))
        return tuple(watched)

    def leaving(self, out: Any) -> Any:
        """The outputs of the module, watched: a Tensor, or a tuple or list with Tensors."""
        several = isinstance(out, (tuple, list))
        outs = list(out) if several else [out]
        self.grad_output = [None] * len(outs)
        for i, x in enumerate(outs):
            if isinstance(x, Tensor) and x.requires_grad:
                outs[i] = identity(x)
                outs[i].register_hook(lambda g, i=i: self._arrive(i, g))
        if not several:
            return outs[0]
        return type(out)(*outs) if hasattr(out, "_fields") else type(out)(outs)

    def _arrive(self, i: int, g: Tensor) -> None:
        if not self.due:                                 # the first output of this backward
            self.grad_output = [None] * len(self.grad_output)
            self.grad_input = [None] * len(self.grad_input)
            self.due = True
        self.grad_output[i] = g
        if not self.watches_inputs:
            self._call()

    def _give(self, i: int) -> Any:
        if self.due:
            self._call()
        return self.grad_input[i]

    def _call(self) -> None:
        self.due = False
        for hook in self.hooks:
            replaced = hook.function(self.module, tuple(self.grad_input), tuple(self.grad_output))
            if replaced is not None:
                given = replaced if isinstance(replaced, tuple) else (replaced,)
                if len(given) != len(self.grad_input):
                    raise TypeError(f"a backward hook must return None or {len(self.grad_input)} gradient(s), one for "
                                    f"each input; got {len(given)}")
                self.grad_input = list(given)


class HookHandle:
    """Takes a hook away again: `handle.remove()`, or at the end of a `with` block."""

    def __init__(self, module: Module, when: str, function: Callable[..., Any], prepend: bool, **options: bool) -> None:
        if not callable(function):
            raise TypeError(f"a hook must be a function; got {type(function).__name__}")
        self.module, self.when, self.number = module, when, _number()
        if module._hooks is None:
            module._hooks = Hooks()
        hooks = getattr(module._hooks, when)
        entry = {self.number: Hook(function, **options)}
        setattr(module._hooks, when, {**entry, **hooks} if prepend else {**hooks, **entry})

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        hooks = self.module._hooks
        if hooks is not None:
            getattr(hooks, self.when).pop(self.number, None)
            if not (hooks.before or hooks.after or hooks.backward):
                del self.module._hooks

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()
