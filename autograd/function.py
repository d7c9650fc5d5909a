"""`Function`: a step whose forward and backward are the user's own, in PyTorch's form."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import GradientError, ShapeError
from .inplace import take_history
from .modes import is_grad_enabled
from .node import Node
from .op import FULL
from .tensor import Tensor, attach, wrap
from .transforms.step import Outputs, Place, Step, differentiable, recorded, unwrapped


class Context:
    """What `forward` leaves for `backward`: `ctx`.  Any attribute may be set on it."""

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self._to_save: tuple[Any, ...] = ()
        self._recalled: tuple[Any, ...] | None = None
        self._fixed: set[int] = set()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs, results or others; None is allowed) for `backward`."""
        if not all(t is None or isinstance(t, Tensor) for t in tensors):
            bad = next(t for t in tensors if t is not None and not isinstance(t, Tensor))
            raise TypeError(f"save_for_backward: expected Tensors or None; got {type(bad).__name__}: "
                            "set other things as attributes, ctx.name = value")
        self._to_save = tensors

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` was given; in a recorded backward, with the histories of inputs and results."""
        return self._to_save if self._recalled is None else self._recalled

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Results to which no gradient flows."""
        self._fixed = {id(t) for t in tensors}

    def mark_dirty(self, *tensors: Any) -> None:
        """Inputs that `forward` changed in place; it must return them."""
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (True, the default) or None for results that carry no gradient at all.

        For a result that could carry one and was not reached it is zeros in any case.
        """
        self._materialize = bool(value)


class Function:
    """A function with a derivative of the user's own, as torch.autograd.Function.

        class Exp(autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, g):
                y, = ctx.saved_tensors
                return g * y

        y = Exp.apply(x)

    `forward` computes without recording; `backward` gets one gradient for each result and returns one for each argument
    of `forward` (None where there is none).  Written with operations on tensors, it can be differentiated again.
    PyTorch's second form, `forward(*args)` with `setup_context(ctx, inputs, output)`, is understood too.
    """

    setup_context: Callable[..., None] | None = None

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result: a Tensor, or a tuple of them."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments of `forward`, from those of its results."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *grad_outputs) to be differentiated")

    vjp: Callable[..., Any] | None = None     # PyTorch's other name for backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function, recorded as one step named after the class."""
        if not isinstance(cls.__dict__.get("forward", staticmethod(Function.forward)), staticmethod):
            raise TypeError(f"{cls.__name__}.forward must be a static method: put @staticmethod above it")
        at = [k for k, x in enumerate(args) if differentiable(x)] if is_grad_enabled() else []
        place, context = Place(), Context(tuple([k in at for k in range(len(args))]))
        xs = [place.physical(args[k]) for k in at]
        parents: list[Any] = [x.node for x in xs]            # before `forward` may change an input in place

        def run() -> Any:
            if cls.setup_context is None:
                return cls.forward(context, *args, **kwargs)
            made = cls.forward(*args, **kwargs)
            cls.setup_context(context, args, made)
            return made

        made = place.run(run, False)
        if not at:
            return made
        single = not isinstance(made, tuple)
        results = (made,) if single else made
        carried = [y for y in results if isinstance(y, Tensor) and y.dtype.kind in "fc" and id(y) not in context._fixed]
        if not carried:
            return made
        outputs = Outputs(cls.__name__, tuple(carried), place)
        assert outputs.value is not None
        call = _Call(cls, context, args, at, results, outputs, place)
        step = recorded(call.step(), outputs.value.value, parents, [x.value for x in xs])
        parts = iter(outputs.rebuilt(step))
        finished = []
        for y in results:
            if any(y is c for c in carried):
                part = next(parts)
                if any(y is d for d in context._dirty):
                    take_history(y, part.node)
                    part = y
                finished.append(part)
            else:
                finished.append(y)
        return finished[0] if single else tuple(finished)


class _Call:
    """One call: what its step asks when its gradient is wanted."""

    def __init__(
        self,
        cls: type[Function],
        context: Context,
        args: Sequence[Any],
        at: list[int],
        results: Sequence[Any],
        outputs: Outputs,
        place: Place,
    ) -> None:
        self.cls, self.context, self.outputs, self.place = cls, context, outputs, place
        self.count, self.at = len(args), at
        self.fixed = [None if any(y is c for c in outputs.leaves) else y for y in results]
        # where each saved tensor came from: an input by position, a result, or neither
        self.origins = [next((("input", j) for j, k in enumerate(at) if t is args[k]), None) or
                        next((("result", j) for j, y in enumerate([y for y in results if id(y) not in context._fixed])
                              if t is y), ("other", t)) for t in context._to_save]
        self.last: tuple[Any, dict[int, Any]] = (None, {})

    def step(self) -> Step:
        step = Step(self.cls.__name__, self.cls.__doc__ or "", lambda xs, g, record: (), 0)
        step.pulls = [(self._rule(j), None, FULL) for j in range(len(self.at))]
        return step

    def _rule(self, j: int) -> Callable[[Any, Any, Node], Any]:
        def rule(g: Any, saved: Any, node: Node) -> Any:
            asked, grads = self.last
            if asked is not g or j not in grads:
                record = any(isinstance(x, Tensor) for x in saved)
                grads = dict(enumerate(self.place.run(lambda: self._pull(saved, g, node, record), record)))
                self.last = (g, grads)
            found = grads.pop(j)
            if not grads:
                self.last = (None, {})
            return found
        return rule

    def _pull(self, saved: Any, g: Any, node: Node, record: bool) -> list[Any]:
        cls, context, place = self.cls, self.context, self.place
        own = self.outputs.apart(attach(self.outputs.value.value, node)) if record else None   # type: ignore[union-attr]
        recalled = []
        for (kind, which), t in zip(self.origins, context._to_save, strict=True):
            if kind == "input":
                x = saved[which]
                recalled.append(place.logical(x if isinstance(x, Tensor) else wrap(x)))
            elif kind == "result" and own is not None:
                recalled.append(place.logical(own[which]))
            else:
                recalled.append(t.detach() if isinstance(t, Tensor) else t)
        context._recalled = tuple(recalled)
        backward = cls.backward if cls.vjp is None else cls.vjp
        arrived = iter(self.outputs.cotangent(g))
        above = [next(arrived) if y is None else self._nothing(y) for y in self.fixed]
        try:
            given = backward(context, *above)
        finally:
            context._recalled = None
        grads = given if isinstance(given, tuple) else (given,)
        if len(grads) < self.count or any(extra is not None for extra in grads[self.count:]):
            raise GradientError(
                f"{cls.__name__}.backward returned {len(grads)} gradient(s) for the {self.count} arguments "
                "of forward: return one for each, None where there is none"
            )
        return [self._checked(grads[k], saved[j], k, record) for j, k in enumerate(self.at)]

    def _nothing(self, y: Any) -> Any:
        """For a result that carries no gradient."""
        return wrap(np.zeros(y.shape, y.dtype)[()]) if self.context._materialize and isinstance(y, Tensor) else None

    def _checked(self, grad: Any, x: Any, k: int, record: bool) -> Any:
        if grad is None:
            return unwrapped(wrap(x.value * 0 if isinstance(x, Tensor) else x * 0), record)
        if not isinstance(grad, Tensor):
            raise TypeError(f"{self.cls.__name__}.backward must return Tensors or None; gradient {k} is a "
                            f"{type(grad).__name__}")
        grad = self.place.physical(grad)
        if grad.shape != x.shape:
            raise ShapeError(
                f"{self.cls.__name__}.backward: gradient {k} must have the shape of its argument, {x.shape}; "
                f"got {grad.shape}"
            )
        return unwrapped(grad, record)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Above a `backward` that is not made of operations on tensors: its result has no derivative of its own."""
    @functools.wraps(backward)
    def once(ctx: Any, *grads: Any) -> Any:
        ctx._recalled = tuple([t.detach() if isinstance(t, Tensor) else t for t in ctx.saved_tensors])
        given = backward(ctx, *[g.detach() for g in grads])
        found = given if isinstance(given, tuple) else (given,)
        return tuple([g.detach() if isinstance(g, Tensor) else g for g in found])
    return once
