"""A step of the graph whose derivative is a Python function: what `checkpoint` and rules of the user's own record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any

import numpy as np

from ..creation import default_rng
from ..modes import Mode, Scope, current
from ..node import Node, tick
from ..op import FULL, OPS, Op, op
from ..ops import cast, concatenate, reshape
from ..tensor import Tensor, attach, wrap
from .calls import batching
from .trees import LEAF, VALUES, flatten, unflatten

_TAKEN = object()


@op(xs=lambda g, i, xs: g, category="custom", shapes="what its function takes")
def _step(*xs: Any) -> Any:
    """A step that was recorded for one call."""
    raise TypeError("a step that was recorded for one call cannot be called again")


_TEMPLATE = OPS.pop("_step")                  # no op of its own: each call makes one


class Step(Op):
    """An op made for one call.

    `pull(xs, g, record)` gives the gradients of all parents at once: xs are the values the step began from, Tensors if
    the sweep is recorded, arrays otherwise; g is the change arriving at the result.  What stands behind the parents'
    values in `saved` is the business of who made the step.
    """

    for_one_call = True

    def __init__(self, name: str, doc: str, pull: Callable[[Sequence[Any], Any, bool], Sequence[Any]],
                 count: int) -> None:
        self.__dict__.update(_TEMPLATE.__dict__)
        self.name, self.doc, self._picks = name, doc, {}
        gradients = _Gradients(pull)          # an object of its own: the rules must not point back to the step
        self.rules = {"xs": gradients.of}
        self.reflected, self.aux = "", {}
        self.promotable, self.masks, self.promotes = (0,), None, False
        self.kept, self.kept_names, self.needs = (0,), ("xs",), [frozenset({0})]
        self._picks = {}
        self.pulls = [(gradients.rule(i), None, FULL) for i in range(count)]


class _Gradients:
    """The gradients of all parents of a step.  They are found together, at the first that is asked for."""

    __slots__ = ("_last", "_pull")

    def __init__(self, pull: Callable[[Sequence[Any], Any, bool], Sequence[Any]]) -> None:
        self._pull = pull
        self._last: tuple[Any, list[Any]] = (None, [])

    def rule(self, i: int) -> Callable[[Any, Any, Node], Any]:
        """The rule of the i-th parent, as a sweep calls it."""
        return lambda g, saved, node: self.of(g, saved, i)

    def of(self, g: Any, xs: Any, i: int) -> Any:
        """The gradient of the i-th parent."""
        asked, grads = self._last
        if asked is not g or grads[i] is _TAKEN:
            grads = list(self._pull(xs, g, any(isinstance(x, Tensor) for x in xs)))
            self._last = (g, grads)
        found, grads[i] = grads[i], _TAKEN    # so that nothing is held longer than the sweep needs it
        if all(rest is _TAKEN for rest in grads):
            self._last = (None, [])
        return found


class Within(Scope):
    """The state in which a step's own functions run: gradients on or off, the lanes of its `vmap`s, no recording."""

    def __new__(cls, grad: bool, batch: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, grad: bool, batch: Any) -> None:
        super().__init__()
        self.grad, self.batch = grad, batch

    def change(self, mode: Mode) -> Mode:
        return mode._replace(grad=self.grad, recorder=None, batch=self.batch)

    def again(self) -> Scope:
        return Within(self.grad, self.batch)


def generator() -> np.random.Generator:
    """The generator of random numbers, to read or set where it stands: `vmap` is not asked, for nothing is drawn."""
    with Within(True, None):
        return default_rng()


class Place:
    """Where a step was recorded: its context variables and its lanes, to return to when its derivative is computed."""

    __slots__ = ("batch", "context")

    def __init__(self) -> None:
        self.batch, self.context = batching(), copy_context()

    def run(self, function: Callable[[], Any], grad: bool) -> Any:
        """function(), there."""
        now = batching()
        batch = self.batch.joined(now) if self.batch is not None else now

        def inside() -> Any:
            with Within(grad, batch):
                return function()
        return self.context.copy().run(inside)

    def physical(self, x: Any) -> Any:
        """As the sweeps see it."""
        return x if self.batch is None else self.batch.physical(x)

    def logical(self, x: Any) -> Any:
        """As the function sees it."""
        return x if self.batch is None else self.batch.logical(x)


def differentiable(leaf: Any) -> bool:
    """Whether a gradient may flow to a leaf of the arguments."""
    return isinstance(leaf, Tensor) and leaf.requires_grad


def recorded(step: Step, value: Any, parents: Sequence[Node], saved: Sequence[Any]) -> Tensor:
    """The Tensor of a value that the step gave."""
    node = Node()
    node.op, node.parents, node.saved = step, tuple(parents), tuple(saved)
    node.shape, node.dtype, node.index, node.extra = value.shape, value.dtype, tick(), None
    mode = current()
    if mode is not None and mode.recorder is not None:
        mode.recorder.note(node, value)
    return attach(value, node)


class Outputs:
    """What a function returned, as the single array that one step of the graph gives.

    One result is that array itself; several floating-point ones are laid out in a row, and taken apart by recorded ops.
    """

    __slots__ = ("carrying", "dtype", "leaves", "place", "shapes", "structure", "types", "value")

    def __init__(self, who: str, result: Any, place: Place) -> None:
        self.leaves, self.structure = flatten(result)
        self.place = place
        if not all(isinstance(leaf, VALUES) for leaf in self.leaves):
            bad = next(leaf for leaf in self.leaves if not isinstance(leaf, VALUES))
            raise TypeError(f"{who}: the function must return numbers or tensors; it returned {type(bad).__name__}")
        made = [place.physical(y if isinstance(y, Tensor) else wrap(np.asarray(y)[()])) for y in self.leaves]
        self.carrying = [k for k, y in enumerate(made) if y.dtype.kind in "fc"]
        self.shapes, self.types = [y.shape for y in made], [y.dtype for y in made]
        parts = [made[k] for k in self.carrying]
        self.dtype = np.result_type(*[y.dtype for y in parts]) if parts else np.dtype(np.float64)
        self.value = self._joined(parts) if parts else None

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        if len(parts) == 1:
            return parts[0]
        return concatenate(*[reshape(y if y.dtype == self.dtype else cast(y, dtype=self.dtype), shape=(-1,))
                             for y in parts])

    def apart(self, joined: Any) -> list[Any]:
        """The parts of an array laid out like the value: a Tensor or, in a sweep, an array."""
        if len(self.carrying) == 1:
            return [joined]
        parts, at = [], 0
        for k in self.carrying:
            size = int(np.prod(self.shapes[k]))
            part = reshape(joined[at:at + size], shape=self.shapes[k])
            parts.append(part if part.dtype == self.types[k] else cast(part, dtype=self.types[k]))
            at += size
        return parts

    def rebuilt(self, joined: Tensor) -> Any:
        """The result as the function built it, with the recorded parts in their places."""
        leaves = [leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in self.leaves]
        for k, part in zip(self.carrying, self.apart(joined), strict=True):
            leaves[k] = self.place.logical(part)
        return leaves[0] if self.structure is LEAF else unflatten(self.structure, leaves)

    def cotangent(self, g: Any) -> Any:
        """The change that arrives, as a tree of Tensors built like the result; zeros for what carries none."""
        leaves: list[Any] = [wrap(np.zeros(getattr(leaf, "shape", ()))[()]) for leaf in self.leaves]
        for k, part in zip(self.carrying, self.apart(g), strict=True):
            leaves[k] = self.place.logical(part if isinstance(part, Tensor) else wrap(part))
        return leaves[0] if self.structure is LEAF else unflatten(self.structure, leaves)


def unwrapped(g: Any, record: bool) -> Any:
    """A gradient as the sweep works: Tensors in a recorded one, arrays otherwise."""
    if record or not isinstance(g, Tensor) or hasattr(g, "level"):
        return g if isinstance(g, Tensor) or not record else wrap(g)
    return g.value
