"""For ops of many small steps with one rule: the composition their rule falls back on, and work that rules share."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import ref

import autograd
from autograd import Tensor, pull


class Composed:
    """An op once more, as a composition of others: where a sweep is recorded, this is what is differentiated.

    It takes the place of an `aux`, and is made from the inputs, which have their histories then.
    """

    def __init__(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        self.inputs = [autograd.identity(v) if isinstance(v, Tensor) else v for v in inputs]
        self.out = function(*self.inputs)
        self.found: Any = None

    def gradient(self, g: Any, i: int) -> Any:
        """The gradient of the i-th input; those of all inputs come from one walk."""
        if self.found is None or self.found[0] is not g:
            live = [k for k, v in enumerate(self.inputs) if isinstance(v, Tensor) and v.requires_grad]
            parts = pull([self.out], [g], [self.inputs[k] for k in live], record=True)
            self.found = g, dict(zip(live, parts))
        part = self.found[1].get(i)
        return autograd.zeros_like(self.inputs[i]) if part is None else part


# for which g and saved the rules last worked, and the result; each thread has its own
_LATEST: ContextVar[list[Any] | None] = ContextVar("_LATEST", default=None)


def once(g: Any, saved: Any, back: Callable[[], Any]) -> Any:
    """back(), which the rules of all inputs of a node share: they are asked one after the other with the same g.

    A g is made by the rules of the nodes above, and nobody writes into it; when it is gone, so is what was found.
    """
    held = _LATEST.get()
    if not held or held[0]() is not g or held[1]() is not saved:
        if held:
            held.clear()
        held = _begun(g, saved, back())
        _LATEST.set(held)
    return held[2]


def _begun(g: Any, saved: Any, found: Any) -> list[Any]:
    held: list[Any] = []
    held.extend((ref(g, lambda gone: held.clear()), ref(saved), found))
    return held
