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
        self.backward_before: dict[int, Hook] = {}
        self.save_before: dict[int, Hook] = {}
        self.save_after: dict[int, Hook] = {}
        self.load_before: dict[int, Hook] = {}
        self.load_after: dict[int, Hook] = {}

    def all(self, when: str) -> tuple[Hook, ...]:
        """Those of every module, then its own."""
        own = tuple(getattr(self, when).values())
        return own if self is EVERYONE else (*getattr(EVERYONE, when).values(), *own)

    def around(self, module: Module) -> Callable[..., Any]:
        """`module.forward` with the hooks around it."""
        def run(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = self._before(module, args, kwargs)
            back, first = self.all("backward"), self.all("backward_before")
            passing = Passing(module, back, first) if back or first else None
            if passing is not None:
                args = passing.entering(args)
            try:
                out = module.forward(*args, **kwargs)
            except Exception:
                for hook in self.all("after"):
                    if hook.always:
                        _after(hook, module, args, kwargs, None)
                raise
            for hook in self.all("after"):
                replaced = _after(hook, module, args, kwargs, out)
                out = out if replaced is None else replaced
            return out if passing is None else passing.leaving(out)
        return run

    def _before(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        for hook in self.all("before"):
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


EVERYONE = Hooks()                            # of all modules: only those around forward and backward are used


def _after(hook: Hook, module: Module, args: Any, kwargs: Any, out: Any) -> Any:
    return hook.function(module, args, kwargs, out) if hook.with_kwargs else hook.function(module, args, out)


class Passing:
    """One call of a module whose gradients are watched.

    Each input passes two identity ops, one made after the other.  The sweep comes to the later ones first: they note
    the gradient.  When it comes to the first of the earlier ones all are known, and the hooks can be called.
    """

    def __init__(self, module: Module, hooks: tuple[Hook, ...], first: tuple[Hook, ...] = ()) -> None:
        self.module, self.hooks, self.first = module, hooks, first
        self.grad_input: list[Any] = []
        self.grad_output: list[Any] = []
        self.due = self.opened = False
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
        for i, x in enumerate(outs if self.first else ()):
            if isinstance(x, Tensor) and x.requires_grad:
                outs[i] = identity(x)
                outs[i].register_hook(lambda g, i=i: self._open(i))
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
            self.due, self.opened = True, False
        self.grad_output[i] = g
        if not self.watches_inputs and not self.first:
            self._call()

    def _open(self, i: int) -> Any:
        """All gradients of the outputs are known: the hooks before the backward of the module, once."""
        if not self.opened:
            self.opened = True
            for hook in self.first:
                replaced = hook.function(self.module, tuple(self.grad_output))
                if replaced is not None:
                    self.grad_output = _as_many(replaced, self.grad_output, "pre-hook", "output")
            if not self.watches_inputs:
                self._call()
        return self.grad_output[i]

    def _give(self, i: int) -> Any:
        if self.due:
            self._call()
        return self.grad_input[i]

    def _call(self) -> None:
        self.due = False
        for hook in self.hooks:
            replaced = hook.function(self.module, tuple(self.grad_input), tuple(self.grad_output))
            if replaced is not None:
                self.grad_input = _as_many(replaced, self.grad_input, "hook", "input")


def _as_many(replaced: Any, known: list[Any], kind: str, what: str) -> list[Any]:
    given = replaced if isinstance(replaced, tuple) else (replaced,)
    if len(given) != len(known):
        raise TypeError(f"a backward {kind} must return None or {len(known)} gradient(s), one for each {what}; got "
                        f"{len(given)}")
    return list(given)


class HookHandle:
    """Takes a hook away again: `handle.remove()`, or at the end of a `with` block."""

    def __init__(self, module: Any, when: str, function: Callable[..., Any], prepend: bool = False,
                 **options: bool) -> None:
        if not callable(function):
            raise TypeError(f"a hook must be a function; got {type(function).__name__}")
        self.when, self.number = when, _number()
        self.module, self.of_all = module, isinstance(module, type)
        if vars(module).get("_hooks") is None:
            module._hooks = EVERYONE if self.of_all else Hooks()
        hooks = getattr(module._hooks, when)
        entry = {self.number: Hook(function, **options)}
        setattr(module._hooks, when, {**entry, **hooks} if prepend else {**hooks, **entry})

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        hooks: Any = vars(self.module).get("_hooks")
        if hooks is not None:
            getattr(hooks, self.when).pop(self.number, None)
            if not any(vars(hooks).values()):
                if self.of_all:
                    self.module._hooks = None
                else:
                    del self.module._hooks

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooked:
    """What a module has to do with hooks."""

    _hooks: Hooks | None = None

    def _own_hooks(self, when: str) -> tuple[Callable[..., Any], ...]:
        return () if self._hooks is None else tuple(hook.function for hook in getattr(self._hooks, when).values())

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> HookHandle:
        """Call hook(module, args) before `forward`; what it returns (if not None) takes the place of the arguments.

        With `with_kwargs`: hook(module, args, kwargs), which may return (args, kwargs).
        """
        return HookHandle(self, "before", hook, prepend, with_kwargs=with_kwargs)

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> HookHandle:
        """Call hook(module, args, output) after `forward`; what it returns (if not None) takes the place of the output.

        With `with_kwargs`: hook(module, args, kwargs, output).  With `always_call` also when `forward` has failed, with
        output None.
        """
        return HookHandle(self, "after", hook, prepend, with_kwargs=with_kwargs, always=always_call)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call hook(module, grad_input, grad_output) when the gradients of the inputs are known.

        Both are tuples, None for what needs no gradient; a tuple that the hook returns takes the place of grad_input.
        """
        return HookHandle(self, "backward", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> HookHandle:
        """Call hook(module, grad_output) when the gradients of the outputs are known, before those of anything inside.

        A tuple that it returns takes the place of grad_output.
        """
        return HookHandle(self, "backward_before", hook, prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call hook(module, prefix, keep_vars) before `state_dict` looks at this module."""
        return HookHandle(self, "save_before", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call hook(module, state_dict, prefix, local_metadata) behind; it may change the dict, in place."""
        return HookHandle(self, "save_after", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs).

        That is before loading, with a copy of the dict, which it may change in place: to rename keys, for example.
        """
        return HookHandle(self, "load_before", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call hook(module, incompatible_keys) after loading; keys that it takes out of those lists raise no error."""
        return HookHandle(self, "load_after", hook)
