"""Derivatives of the user's own: `custom_vjp` and `custom_jvp`, for functions made of ops.

An op with a NumPy forward is declared with the decorators `autograd.op`, `elementwise`, `linear` and `bilinear`; those
here give a function that is already written another derivative: more stable, cheaper, or another one on purpose.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..modes import is_grad_enabled
from ..tensor import Tensor, wrap
from .calls import check_callable, pulled
from .step import Outputs, Place, Step, differentiable, recorded, unwrapped
from .trees import VALUES, count, describe, flatten, same, tree_map, unflatten


class _Custom:
    """A function whose derivative was given to it."""

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        check_callable(type(self).__name__, function)
        functools.update_wrapper(self, function)
        self.function, self.nondiff_argnums = function, tuple(sorted(nondiff_argnums))
        if any(k < 0 for k in self.nondiff_argnums):
            raise ValueError(f"nondiff_argnums count from the front; got {nondiff_argnums}")

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """On a class it is a method."""
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._ready():
            raise TypeError(f"{self.__name__}: it has no derivative yet; {self._fix}")      # type: ignore[attr-defined]
        chosen = [arg for k, arg in enumerate(args) if k not in self.nondiff_argnums]
        if not is_grad_enabled() or not any(differentiable(leaf) for arg in chosen for leaf in flatten(arg)[0]):
            return self.function(*args, **kwargs)
        return self._step(_Arguments(self, args, kwargs))

    _fix = ""

    def _ready(self) -> bool:
        raise NotImplementedError

    def _step(self, given: _Arguments) -> Any:
        raise NotImplementedError


class _Arguments:
    """The arguments of one call: those that gradients flow to apart from the rest."""

    def __init__(self, custom: _Custom, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.name, self.place, self.kwargs = custom.__name__, Place(), kwargs      # type: ignore[attr-defined]
        fixed = custom.nondiff_argnums
        self.fixed = [args[k] for k in fixed if k < len(args)]
        self.order = [k in fixed for k in range(len(args))]
        self.leaves, self.structure = flatten(tuple([a for k, a in enumerate(args) if k not in fixed]))
        self.where = [k for k, leaf in enumerate(self.leaves) if differentiable(leaf)]
        self.xs = [self.place.physical(self.leaves[k]) for k in self.where]
        for k in self.where:
            self.leaves[k] = None

    def filled(self, xs: Sequence[Any]) -> tuple[Any, ...]:
        """The differentiable arguments, in order, with these values where gradients flow."""
        leaves = list(self.leaves)
        for k, x in zip(self.where, xs, strict=True):
            leaves[k] = self.place.logical(x if isinstance(x, Tensor) else wrap(x))
        return unflatten(self.structure, leaves)

    def all(self, xs: Sequence[Any]) -> list[Any]:
        """All positional arguments."""
        fixed, chosen = iter(self.fixed), iter(self.filled(xs))
        return [next(fixed if is_fixed else chosen) for is_fixed in self.order]

    def cut(self) -> list[Tensor]:
        """The values gradients flow to, without their histories."""
        return [x.detach() for x in self.xs]


class custom_vjp(_Custom):
    """A function with a reverse derivative of its own.

        @custom_vjp
        def f(x, y): ...
        f.defvjp(forward, backward)     # forward(x, y) -> (f(x, y), residuals); backward(residuals, g) -> (gx, gy)

    `backward` gets what `forward` kept and the change g, built like the result, and returns one gradient for each
    argument, built like it; None for zero.  Arguments named in `nondiff_argnums` get none; they come first in
    `backward(*fixed, residuals, g)`.  Higher derivatives differentiate `forward` and `backward` themselves.  What the
    function closes over gets no gradient: hand it in.  As jax.custom_vjp.
    """

    _fix = "call defvjp(forward, backward)"

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(function, nondiff_argnums)
        self.forward: Callable[..., Any] | None = None
        self.backward: Callable[..., Any] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
        """Give the derivative.  Returns `backward`."""
        check_callable("defvjp", forward)
        check_callable("defvjp", backward)
        self.forward, self.backward = forward, backward
        return backward

    def _ready(self) -> bool:
        return self.forward is not None

    def _forward(self, given: _Arguments, xs: Sequence[Any]) -> tuple[Any, Any]:
        assert self.forward is not None
        made = self.forward(*given.all(xs), **given.kwargs)
        if not isinstance(made, tuple) or len(made) != 2:
            raise TypeError(f"{given.name}: its forward must return a pair (result, residuals); "
                            f"it returned {type(made).__name__}")
        return made

    def _step(self, given: _Arguments) -> Any:
        result, residuals = given.place.run(lambda: self._forward(given, given.cut()), False)
        outputs = Outputs(given.name, result, given.place)
        if outputs.value is None:
            return result

        def back(saved: Sequence[Any], g: Any, record: bool) -> Sequence[Any]:
            kept = self._forward(given, saved)[1] if record else residuals
            assert self.backward is not None
            grads = self.backward(*given.fixed, kept, outputs.cotangent(g))
            return _gradients(given, grads, saved, record)

        step = Step(given.name, self.__doc__ or "",
                    lambda saved, g, record: given.place.run(lambda: back(saved, g, record), record), len(given.xs))
        made = recorded(step, outputs.value.value, [x.node for x in given.xs], [x.value for x in given.xs])
        return outputs.rebuilt(made)


def _gradients(given: _Arguments, grads: Any, saved: Sequence[Any], record: bool) -> list[Any]:
    """What a backward function returned, one gradient for each value that wants one."""
    grads = tuple(grads) if isinstance(grads, (tuple, list)) else (grads,)
    parts = given.structure[2]
    if len(grads) != len(parts):
        raise TypeError(f"{given.name}: its backward must return one gradient for each of {len(parts)} argument(s); "
                        f"it returned {len(grads)}")
    leaves: list[Any] = []
    for k, (grad, part) in enumerate(zip(grads, parts, strict=True)):
        if grad is None:
            leaves += [None] * count(part)
            continue
        found, structure = flatten(grad)
        if not same(structure, part):
            raise ShapeError(f"{given.name}: the gradient of argument {k} must be built like it, {describe(part)}; "
                             f"got {describe(structure)}")
        leaves += found
    made = []
    for k, x in zip(given.where, saved, strict=True):
        g = leaves[k]
        g = np.zeros(x.shape, x.dtype)[()] if g is None else given.place.physical(g if isinstance(g, Tensor)
                                                                                 else wrap(np.asarray(g)[()]))
        if g.shape != x.shape:
            raise ShapeError(f"{given.name}: a gradient must have the shape of its argument, {x.shape}; got {g.shape}")
        made.append(unwrapped(g, record))
    return made


class custom_jvp(_Custom):
    """A function with a forward derivative of its own; the reverse one is its transpose.

        @custom_jvp
        def f(x, y): ...
        f.defjvp(rule)                        # rule((x, y), (dx, dy)) -> (f(x, y), df)
        f.defjvps(lambda dx, out, x, y: ..., None)                      # or by argument: the sum of the parts; None: 0

    `rule` is linear in the tangents and made of ops.  Arguments named in `nondiff_argnums` come first:
    `rule(*fixed, primals, tangents)`.  As jax.custom_jvp.
    """

    _fix = "call defjvp(rule)"

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(function, nondiff_argnums)
        self.rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the derivative.  Returns the rule."""
        check_callable("defjvp", rule)
        self.rule = rule
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Give the derivative by argument: each rule(tangent, result, *arguments) -> its part."""
        def rule(primals: Any, tangents: Any) -> Any:
            if len(rules) != len(primals):
                raise TypeError(f"{self.__name__}: defjvps was given {len(rules)} rules for "   # type: ignore[attr-defined]
                                f"{len(primals)} arguments")
            out = self(*primals)
            parts = [part(t, out, *primals) for part, t in zip(rules, tangents, strict=True) if part is not None]
            total = parts[0] if parts else tree_map(lambda leaf: leaf * 0, out)
            for part in parts[1:]:
                total = total + part
            return out, total
        self.rule = rule

    def _ready(self) -> bool:
        return self.rule is not None

    def _step(self, given: _Arguments) -> Any:
        result = given.place.run(lambda: self.function(*given.all(given.cut()), **given.kwargs), False)
        outputs = Outputs(given.name, result, given.place)
        if outputs.value is None:
            return result

        def back(saved: Sequence[Any], g: Any, record: bool) -> Sequence[Any]:
            tangents = [wrap(np.zeros(x.shape, x.dtype)[()]).requires_grad_() for x in given.xs]
            along = Outputs(given.name, self._along(given, saved, tangents), given.place).value
            if along is None or along.node is None:
                return [unwrapped(np.zeros(x.shape, x.dtype)[()], record) for x in given.xs]
            if along.shape != g.shape:
                raise ShapeError(f"{given.name}: the derivative must be built like the result, of {g.shape}; "
                                 f"got {along.shape}")
            found = pulled([along], [g], tangents, record)
            return [unwrapped(np.zeros(t.shape, t.dtype)[()] if f is None else f, record)
                    for f, t in zip(found, tangents, strict=True)]

        step = Step(given.name, self.__doc__ or "",
                    lambda saved, g, record: given.place.run(lambda: back(saved, g, record), True), len(given.xs))
        made = recorded(step, outputs.value.value, [x.node for x in given.xs], [x.value for x in given.xs])
        return outputs.rebuilt(made)

    def _along(self, given: _Arguments, saved: Sequence[Any], tangents: Sequence[Tensor]) -> Any:
        """The rule's derivative, with the directions of what needs none at zero."""
        assert self.rule is not None
        leaves: list[Any] = [wrap(np.zeros(np.shape(leaf))[()]) if isinstance(leaf, VALUES) else leaf
                             for leaf in (x.value if type(x) is Tensor else x for x in given.leaves)]
        for k, t in zip(given.where, tangents, strict=True):
            leaves[k] = given.place.logical(t)
        made = self.rule(*given.fixed, given.filled(saved), unflatten(given.structure, leaves))
        if not isinstance(made, tuple) or len(made) != 2:
            raise TypeError(f"{given.name}: its rule must return a pair (result, derivative); "
                            f"it returned {type(made).__name__}")
        return made[1]
