"""What the first two steps of a hand-written loop give away: gradients that nobody cleared, or that never came.

A loop does the same each time, so it is looked at once, and from the third step on costs nothing.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import ref

import numpy as np

from autograd import Tensor


class FirstSteps:
    """Looks on from an optimizer's beginning to its second step.

    After the first step one small parameter is watched.  If a backward() then adds to the very gradient that the step
    has used, and the second step is given the sum, nobody called zero_grad(): that is warned of.  To gather gradients
    over several calls of backward() before a step, to clear them in any way, and to leave old gradients lying where
    another optimizer is at work (as in adversarial training) is all in order.
    """

    def __init__(self) -> None:
        self.cleared = False                  # whether zero_grad() was called
        self.watched: Tensor | None = None
        self.used: Any = None                 # its gradient at the first step, and the numbers in it
        self.values: Any = None
        self.sum: Any = None                  # what the gradient is if it was added to
        self.handle: Any = None

    def before(self, who: str, groups: Iterable[Mapping[str, Any]]) -> None:
        """A step begins."""
        if self.watched is None:
            if self.cleared and all(p.grad is None for group in groups for p in group["params"]):
                _warn(f"{who}.step(): no parameter has a gradient, so nothing changes: call backward() on the loss "
                      "between zero_grad() and step(), and make sure that the loss depends on these parameters (was "
                      "the model rebuilt after the optimizer was made?)")
        elif self.sum is not None and self.watched.grad is not None and _alike(self.watched.grad.value, self.sum):
            _warn(f"{who}.step(): the gradients of this step were added to those that the last step has used, and so "
                  "on from step to step: call zero_grad() before each backward(), or after each step()")

    def after(self, groups: Iterable[Mapping[str, Any]]) -> FirstSteps | None:
        """A step has ended; returns what looks on from here, None after the second."""
        if self.watched is not None:
            self.handle.remove()
            return None
        moved = [p for group in groups for p in group["params"] if p.grad is not None and p.grad.value.any()]
        if not moved or not all(np.isfinite(p.grad.value).all() for p in moved[:1]):
            return None
        self.watched = min(moved, key=lambda p: (p.size < 2, p.size))
        self.used = self.watched.grad
        self.values = self.used.value.copy()
        itself = ref(self)

        def arrives(g: Tensor) -> None:
            watch = itself()
            if watch is None:                 # the optimizer is gone
                handle.remove()
            else:
                watch.arrives(g.value)
        handle = self.handle = self.watched.register_hook(arrives)
        return self

    def arrives(self, g: Any) -> None:
        """A gradient is about to be added to that of the parameter."""
        assert self.watched is not None
        grad = self.watched.grad
        if grad is None:
            self.sum = None
        elif grad is self.used and np.array_equal(grad.value, self.values):
            self.sum = grad.value + g
        elif self.sum is not None:
            self.sum = self.sum + g


def _alike(found: Any, wanted: Any) -> bool:
    """Whether these are the same numbers, perhaps all scaled alike, as clipping does."""
    a, b = np.ravel(found).astype(np.complex128), np.ravel(wanted).astype(np.complex128)
    if np.allclose(a, b, rtol=1e-4, atol=0):
        return True
    scale = np.linalg.norm(b)
    if a.size < 2 or not scale or not np.isfinite(scale):
        return False
    return bool(np.linalg.norm(a - b * (np.vdot(b, a) / scale ** 2)) <= 1e-4 * np.linalg.norm(a))


def _warn(text: str) -> None:
    """At the line of the caller of the optimizer."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("optim", "nn"):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)
