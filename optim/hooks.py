"""Functions called around a step, a `state_dict()` and a `load_state_dict()`, with PyTorch's names and arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import count
from typing import Any

from autograd.node import Handle

Hook = Callable[..., Any]

_number = count().__next__


class Hooks:
    """The hooks of one optimizer, each kind in the order of its calls."""

    def __init__(self) -> None:
        self.step_pre: dict[int, Hook] = {}
        self.step_post: dict[int, Hook] = {}
        self.state_dict_pre: dict[int, Hook] = {}
        self.state_dict_post: dict[int, Hook] = {}
        self.load_pre: dict[int, Hook] = {}
        self.load_post: dict[int, Hook] = {}


EVERYONE = Hooks()                            # of all optimizers: only the two around the step are used


def add(hooks: dict[int, Hook], hook: Hook, prepend: bool = False) -> Handle:
    """Put a hook last, or first; the handle takes it out again."""
    if not callable(hook):
        raise TypeError(f"a hook must be a function; got {type(hook).__name__}")
    key = _number()
    others = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[key] = hook
    hooks.update(others)
    return Handle(hooks, key)


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` with the hooks of the optimizer, and those of all optimizers, around it: once, also where one step calls
    that of its base class."""
    @wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.stepped = True
        hooks = self._hooks
        if self._stepping or (hooks is None and not EVERYONE.step_pre and not EVERYONE.step_post):
            return step(self, *args, **kwargs)
        own = hooks or EVERYONE
        self._stepping = True
        try:
            for hook in (*EVERYONE.step_pre.values(), *(own.step_pre.values() if own is not EVERYONE else ())):
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not isinstance(changed, tuple) or len(changed) != 2:
                        raise RuntimeError("a step pre-hook must return None or (args, kwargs); got "
                                           f"{type(changed).__name__}")
                    args, kwargs = changed
            result = step(self, *args, **kwargs)
            for hook in (*(own.step_post.values() if own is not EVERYONE else ()), *EVERYONE.step_post.values()):
                hook(self, args, kwargs)
            return result
        finally:
            self._stepping = False
    return run


def register_optimizer_step_pre_hook(hook: Hook) -> Handle:
    """Call `hook(optimizer, args, kwargs)` before every step of every optimizer; it may return new (args, kwargs)."""
    return add(EVERYONE.step_pre, hook)


def register_optimizer_step_post_hook(hook: Hook) -> Handle:
    """Call `hook(optimizer, args, kwargs)` after every step of every optimizer."""
    return add(EVERYONE.step_post, hook)


class Hooked:
    """What an optimizer has to do with hooks."""

    stepped = False                           # what a schedule asks, to find out that it was stepped first
    _hooks: Hooks | None = None               # most have none
    _stepping = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "step" in vars(cls):
            cls.step = hooked(vars(cls)["step"])  # type: ignore[attr-defined]

    def _own(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def register_step_pre_hook(self, hook: Hook) -> Handle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new (args, kwargs)."""
        return add(self._own().step_pre, hook)

    def register_step_post_hook(self, hook: Hook) -> Handle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return add(self._own().step_post, hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer)` before `state_dict()`."""
        return add(self._own().state_dict_pre, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer, state_dict)` after `state_dict()`; what it returns, if anything, takes its place."""
        return add(self._own().state_dict_post, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer, state_dict)` before loading, with a shallow copy; what it returns is loaded instead."""
        return add(self._own().load_pre, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer)` after loading."""
        return add(self._own().load_post, hook, prepend)

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles go without hooks, which are often functions that cannot be pickled."""
        return {name: value for name, value in vars(self).items() if name not in ("_hooks", "_stepping")}
