"""What is being recorded just now: one context variable, safe in threads and in async code.

The ordinary state is `None`: operations on tensors that require gradients are recorded, and nothing
more.  Anything else is a `Mode`, so the hot path asks a single question: `current() is None`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from inspect import isgeneratorfunction
from typing import Any

from .place import user_line


class Mode:
    """A state other than the ordinary one.  Never changed: `_replace` gives another, as of a named tuple."""

    __slots__ = ("batch", "grad", "light", "recorder", "saving", "since")

    def __init__(self, grad: bool = True, recorder: Any = None, batch: Any = None, saving: Any = None,
                 since: str = "") -> None:
        self.grad = grad                      # are gradients recorded?
        self.recorder = recorder              # the open `record()`, if there is one
        self.batch = batch                    # the open `vmap`s, if any: they see every op that a Tensor enters
        self.saving = saving                  # (pack, unpack) of the open `saved_tensors_hooks`
        self.since = since                    # the user's line that turned gradients off
        # nothing but a recorder: the short ways of forms.py will do
        self.light = grad and batch is None and saving is None

    def _replace(self, **changes: Any) -> Mode:
        settings = {"grad": self.grad, "recorder": self.recorder, "batch": self.batch, "saving": self.saving,
                    "since": self.since}
        return Mode(**{**settings, **changes})


_ORDINARY = Mode()
_mode: ContextVar[Mode | None] = ContextVar("glassgrad_mode", default=None)
current = _mode.get


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are recorded just now."""
    mode = _mode.get()
    return mode is None or mode.grad


def _enter(mode: Mode) -> Token[Mode | None]:
    return _mode.set(None if mode.light and mode.recorder is None else mode)


class Scope:
    """A change of mode for the length of a `with` block, or of a decorated function."""

    def __new__(cls, function: Any = None) -> Any:
        """`@no_grad` as well as `@no_grad()`."""
        return object.__new__(cls) if not callable(function) else cls()(function)

    def __init__(self) -> None:
        self._tokens: list[Token[Mode | None]] = []

    def change(self, mode: Mode) -> Mode:
        """The mode inside the block, given the one outside."""
        raise TypeError(f"{type(self).__name__} does not say how it changes the mode; override `change`")

    def again(self) -> Scope:
        """A fresh scope of the same settings."""
        return type(self)()

    def __enter__(self) -> Any:
        self._tokens.append(_enter(self.change(_mode.get() or _ORDINARY)))
        return self

    def __exit__(self, *exception: object) -> None:
        _mode.reset(self._tokens.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, run in a scope of its own at each call; a generator, at each step."""
        if isgeneratorfunction(function):
            return self._stepwise(function)

        @functools.wraps(function)
        def scoped(*args: Any, **kwargs: Any) -> Any:
            with self.again():
                return function(*args, **kwargs)
        return scoped


    def _stepwise(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def scoped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            step, given = generator.send, None
            while True:
                try:
                    with self.again():
                        made = step(given)
                except StopIteration as end:
                    return end.value
                try:
                    step, given = generator.send, (yield made)
                except GeneratorExit:
                    generator.close()
                    raise
                except BaseException as error:
                    step, given = generator.throw, error
        return scoped


class no_grad(Scope):
    """Nothing is recorded for gradients: `with no_grad(): ...`, or `@no_grad()` on a function."""

    def change(self, mode: Mode) -> Mode:
        return mode._replace(grad=False, since=user_line())


class inference_mode(Scope):
    """As `no_grad`, under PyTorch's name for evaluation; `inference_mode(False)` records gradients."""

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls, mode)

    def __init__(self, mode: Any = True) -> None:
        super().__init__()
        self.mode = bool(mode)

    def change(self, mode: Mode) -> Mode:
        return mode._replace(grad=not self.mode, since=user_line() if self.mode else "")

    def again(self) -> Scope:
        return inference_mode(self.mode)


class enable_grad(Scope):
    """Gradients are recorded again, inside a `no_grad` block."""

    def change(self, mode: Mode) -> Mode:
        return mode._replace(grad=True, since="")


class set_grad_enabled(Scope):
    """Gradients recorded or not, by a flag.  As in PyTorch it acts at once, and may also open a block."""

    def __init__(self, enabled: bool) -> None:
        super().__init__()
        self.enabled = bool(enabled)
        self._tokens.append(_enter(self.change(_mode.get() or _ORDINARY)))

    def change(self, mode: Mode) -> Mode:
        return mode._replace(grad=self.enabled, since="" if self.enabled else user_line())

    def again(self) -> Scope:
        return set_grad_enabled(self.enabled)

    def __enter__(self) -> Any:
        return self                            # it acted when it was made

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        _mode.reset(self._tokens.pop())        # a decorator acts when the function is called, not before
        return super().__call__(function)


class saved_tensors_hooks(Scope):
    """What ops save for their derivatives goes through `pack(tensor)`, and comes back through `unpack(packed)`.

        with saved_tensors_hooks(lambda t: t.to("float16"), lambda t: t.to("float32")):
            loss = f(x)                       # keeps half the memory, and the derivative half the digits

    `unpack` must give a tensor of the shape and dtype that `pack` was given.  As torch.autograd.graph's.
    """

    def __new__(cls, pack_hook: Any, unpack_hook: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        super().__init__()
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def change(self, mode: Mode) -> Mode:
        return mode._replace(saving=(self.pack_hook, self.unpack_hook))

    def again(self) -> Scope:
        return saved_tensors_hooks(self.pack_hook, self.unpack_hook)


class outside_recording(Scope):
    """Work of the library itself, which an open `record()` should not see."""

    def change(self, mode: Mode) -> Mode:
        return mode._replace(recorder=None)
