"""Functions with derivatives of one's own, as HIPS autograd declares them.

    @primitive
    def logsumexp(x):                         # plain NumPy: it is given arrays
        top = np.max(x)
        return top + np.log(np.sum(np.exp(x - top)))

    defvjp(logsumexp, lambda ans, x: lambda g: g * np.exp(x - ans))
    defjvp(logsumexp, lambda g, ans, x: np.sum(g * np.exp(x - ans)))

One rule for each argument, in order (`argnums=` names others); None means zero.  Either of the two is enough: the other
direction is its transpose.  Rules written with `autograd.numpy`, operators and primitives have derivatives themselves.
New code may prefer `autograd.op` (of arrays) and `autograd.transforms.custom_vjp` (of Tensors).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .errors import GradientError, ShapeError
from .modes import enable_grad, is_grad_enabled
from .spaces import VSpace as VSpace
from .spaces import conjugated, flatten
from .spaces import vspace as vspace
from .sweep import fit, pull
from .tensor import Tensor, wrap
from .transforms.calls import check_callable
from .transforms.step import Outputs, Place, Step, differentiable, recorded, unwrapped
from .transforms.trees import count, unflatten

__all__ = [
    "Box", "VSpace", "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp", "defvjp_argnum",
    "defvjp_argnums", "notrace_primitive", "primitive", "vspace",
]

Box = Tensor                                   # what stands for an array while its function is differentiated
Rule = Callable[..., Any]


class primitive:
    """A function of arrays that is one step of the graph; its derivative comes from `defvjp` or `defjvp`."""

    def __init__(self, fun: Callable[..., Any]) -> None:
        check_callable("primitive", fun)
        functools.update_wrapper(self, fun)
        self.fun, self.name = fun, getattr(fun, "__name__", type(fun).__name__)
        self.vjp: Rule | None = None          # (argnums, ans, args, kwargs) -> g -> gradients of the argnums
        self.jvp: Rule | None = None          # (argnums, tangents, ans, args, kwargs) -> tangent of ans

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """On a class it is a method."""
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for a in (*args, *kwargs.values()):
            if isinstance(a, (Tensor, list, tuple, dict)):
                break
        else:
            return self.fun(*args, **kwargs)
        kwargs = {k: values(v) for k, v in kwargs.items()}
        leaves, structure = flatten(args)
        where = [k for k, leaf in enumerate(leaves) if differentiable(leaf)] if is_grad_enabled() else []
        plain = [leaf.value if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        if not where:
            found = self.fun(*unflatten(structure, plain), **kwargs)
            return tree_map(_tensor, found) if any(isinstance(leaf, Tensor) for leaf in leaves) else found
        return _Use(self, leaves, structure, where, kwargs).first()

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def values(x: Any) -> Any:
    """Arrays in place of Tensors, in trees too."""
    if isinstance(x, Tensor):
        return x.value
    return tree_map(values, x) if isinstance(x, (list, tuple, dict)) else x


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function` applied to each leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])


def _tensor(x: Any) -> Any:
    return wrap(np.asarray(x)[()]) if isinstance(x, (np.ndarray, np.generic, float, complex)) else x


class _Use:
    """One call of a primitive with Tensors that gradients flow to."""

    def __init__(self, of: primitive, leaves: list[Any], structure: Any, where: list[int],
                 kwargs: dict[str, Any]) -> None:
        self.of, self.structure, self.where, self.kwargs, self.place = of, structure, where, kwargs, Place()
        self.xs = [self.place.physical(leaves[k]) for k in where]
        self.leaves = [leaf.value if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        at, self.starts = 0, []                # where the leaves of each argument begin
        for part in structure[2]:
            self.starts.append(at)
            at += count(part)
        self.argnums = [k for k, part in enumerate(structure[2])
                        if any(self.starts[k] <= j < self.starts[k] + count(part) for j in where)]

    def args(self, xs: Sequence[Any]) -> Any:
        """The arguments, with these values where gradients flow."""
        leaves = list(self.leaves)
        for k, x in zip(self.where, xs, strict=True):
            leaves[k] = self.place.logical(x) if isinstance(x, Tensor) else x
        return unflatten(self.structure, leaves)

    def first(self) -> Any:
        """The result, recorded as one step."""
        if self.place.batch is None:
            made = self.of.fun(*self.args([x.value for x in self.xs]), **self.kwargs)
        else:                                  # lanes of `vmap`: NumPy gets them whole only where it could take them
            raise TypeError(f"{self.of.name}: a primitive is given arrays, which `vmap` has none of: loop over the "
                            "lanes, or declare it with autograd.op")
        outputs = Outputs(self.of.name, made, self.place)
        if outputs.value is None:
            return made
        step = Step(self.of.name, self.of.__doc__ or "",
                    lambda xs, g, record: self.place.run(lambda: self._back(made, outputs, xs, g, record), record),
                    len(self.xs))
        value = outputs.value.value
        return outputs.rebuilt(recorded(step, value, [x.node for x in self.xs], [x.value for x in self.xs]))

    def _back(self, made: Any, outputs: Outputs, xs: Sequence[Any], g: Any, record: bool) -> list[Any]:
        args = self.args(xs)
        ans = self.of(*args, **self.kwargs) if record else made
        change = outputs.apart(g)
        leaves = list(outputs.leaves)
        for k, part in zip(outputs.carrying, change, strict=True):
            leaves[k] = part
        g = unflatten(outputs.structure, leaves) if outputs.structure is not None else leaves[0]
        if self.of.vjp is not None:
            grads = self.of.vjp(tuple(self.argnums), ans, args, self.kwargs)(_turned(g))
            found: list[Any] = [None] * len(self.leaves)
            for k, grad in zip(self.argnums, grads, strict=True):
                for j, leaf in enumerate(flatten(_turned(grad))[0]):
                    found[self.starts[k] + j] = leaf
            return [self._fitted(found[k], x, record) for k, x in zip(self.where, xs, strict=True)]
        if self.of.jvp is None:
            raise GradientError(f"{self.of.name}: it has no derivative yet; call defvjp({self.of.name}, ...) with a "
                                "rule for each argument")
        return self._transposed(ans, args, xs, g, record)

    def _fitted(self, g: Any, x: Any, record: bool) -> Any:
        """The gradient of one leaf, of its shape."""
        if g is None:
            g = np.zeros(x.shape, x.dtype)[()]
        g = g if isinstance(g, Tensor) else np.asarray(g)[()]
        if g.shape != x.shape:
            try:
                g = fit(g + np.zeros(x.shape, g.dtype) if g.ndim < len(x.shape) else g, x.shape)
            except ValueError as error:
                raise ShapeError(f"{self.of.name}: a gradient must have the shape of its argument, {x.shape}; "
                                 f"got {g.shape}") from error
        return unwrapped(g, record)

    def _transposed(self, ans: Any, args: Any, xs: Sequence[Any], g: Any, record: bool) -> list[Any]:
        """Gradients from the rules of forward mode, which are linear in the tangents."""
        assert self.of.jvp is not None
        tangents = [wrap(np.zeros(x.shape, x.dtype)[()]).requires_grad_() for x in xs]
        leaves: list[Any] = [np.zeros(np.shape(leaf)) for leaf in self.leaves]
        for k, t in zip(self.where, tangents, strict=True):
            leaves[k] = t
        directions = unflatten(self.structure, leaves)
        with enable_grad():
            along = self.of.jvp(tuple(self.argnums), [directions[k] for k in self.argnums], ans, args, self.kwargs)
        roots = [(y, c) for y, c in zip(flatten(along)[0], flatten(g)[0], strict=True)
                 if isinstance(y, Tensor) and y.requires_grad]
        found = pull([y for y, _ in roots], [c if isinstance(c, Tensor) or not record else wrap(np.asarray(c)[()])
                                             for _, c in roots], tangents, record=record)
        return [self._fitted(f, x, record) for f, x in zip(found, xs, strict=True)]


def _turned(g: Any) -> Any:
    """HIPS autograd's gradient of a complex number is the conjugate of the library's."""
    return tree_map(conjugated, g)


# -- giving derivatives ----------------------------------------------------------------------------------


def _known(fun: Any, who: str) -> primitive:
    if not isinstance(fun, primitive):
        raise TypeError(f"{who}: expected a function decorated with @primitive; got {fun!r}: the functions of "
                        "autograd.numpy have derivatives of their own; give them others with custom_vjp")
    return fun


def _by_number(rules: Sequence[Any], argnums: Iterable[int] | None) -> dict[int, Any]:
    return dict(zip(range(len(rules)) if argnums is None else argnums, rules))


def _rule_of(fun: primitive, what: str, rules: dict[int, Any], k: int) -> Any:
    if k not in rules:
        raise GradientError(f"{fun.name}: no {what} of argument {k} was given; pass one for each argument to "
                            f"def{what}, or None for zero")
    return rules[k]


def defvjp(fun: Any, *vjpmakers: Rule | None, argnums: Iterable[int] | None = None) -> None:
    """The reverse derivative, by argument: maker(ans, *args, **kwargs) -> (g -> gradient)."""
    fun = _known(fun, "defvjp")
    rules = _by_number(vjpmakers, argnums)

    def vjp(wanted: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Rule:
        makers = [_rule_of(fun, "vjp", rules, k) for k in wanted]
        rule = [None if maker is None else maker(ans, *args, **kwargs) for maker in makers]
        return lambda g: [None if r is None else r(g) for r in rule]
    fun.vjp = vjp


def defvjp_argnum(fun: Any, vjpmaker: Rule) -> None:
    """The reverse derivative: maker(argnum, ans, args, kwargs) -> (g -> gradient)."""
    def vjp(wanted: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Rule:
        rules = [vjpmaker(k, ans, args, kwargs) for k in wanted]
        return lambda g: [rule(g) for rule in rules]
    _known(fun, "defvjp_argnum").vjp = vjp


def defvjp_argnums(fun: Any, vjpmaker: Rule) -> None:
    """The reverse derivative of several arguments at once: maker(argnums, ans, args, kwargs) -> (g -> gradients)."""
    _known(fun, "defvjp_argnums").vjp = vjpmaker


def defjvp(fun: Any, *jvpfuns: Rule | str | None, argnums: Iterable[int] | None = None) -> None:
    """The forward derivative, by argument: rule(g, ans, *args, **kwargs); "same" where the function is linear in it."""
    fun = _known(fun, "defjvp")
    rules = _by_number(jvpfuns, argnums)

    def jvp(wanted: Sequence[int], tangents: Sequence[Any], ans: Any, args: Any, kwargs: Any) -> Any:
        total: Any = None
        for k, t in zip(wanted, tangents, strict=True):
            rule = _rule_of(fun, "jvp", rules, k)
            if rule is None:
                continue
            if rule == "same":
                raise _needs_vjp(fun)
            part = rule(t, ans, *args, **kwargs)
            total = part if total is None else _plus(total, part)
        return tree_map(lambda leaf: leaf * 0.0, ans) if total is None else total
    fun.jvp = jvp


def _plus(one: Any, other: Any) -> Any:
    left, structure = flatten(one)
    return unflatten(structure, [a + b for a, b in zip(left, flatten(other)[0], strict=True)])


def defjvp_argnum(fun: Any, jvpmaker: Rule) -> None:
    """The forward derivative: rule(argnum, g, ans, args, kwargs)."""
    def jvp(wanted: Sequence[int], tangents: Sequence[Any], ans: Any, args: Any, kwargs: Any) -> Any:
        parts = [jvpmaker(k, t, ans, args, kwargs) for k, t in zip(wanted, tangents, strict=True)]
        return functools.reduce(_plus, parts)
    _known(fun, "defjvp_argnum").jvp = jvp


def defjvp_argnums(fun: Any, jvpmaker: Rule) -> None:
    """The forward derivative of several arguments at once: rule(argnums, gs, ans, args, kwargs)."""
    _known(fun, "defjvp_argnums").jvp = jvpmaker


def def_linear(fun: Any) -> None:
    """The function is linear in each argument, so that it is its own forward derivative; give its vjp too."""
    def jvp(*_: Any) -> Any:
        raise _needs_vjp(fun)
    _known(fun, "def_linear").jvp = jvp


def _needs_vjp(fun: primitive) -> GradientError:
    return GradientError(f"{fun.name} is linear, but the transpose of a function of arrays cannot be seen from "
                         "outside: give it with defvjp, or declare the function with autograd.linear")


def notrace_primitive(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A function through which no gradient flows: it is given arrays, and what it returns stays as it is."""
    @functools.wraps(fun)
    def call(*args: Any, **kwargs: Any) -> Any:
        return fun(*map(values, args), **{k: values(v) for k, v in kwargs.items()})
    return call

