"""Fixed points of maps, differentiated by the implicit function theorem: x = f(a)(x)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..differential_operators import make_vjp
from ..extend import defvjp_argnums, primitive
from ..spaces import flatten
from ..tensor import Tensor
from ..transforms.trees import unflatten

__all__ = ["fixed_point"]


@primitive
def _iterated(a: Any, f: Callable[[Any], Callable[[Any], Any]], x0: Any, distance: Callable[..., Any],
              tol: float) -> Any:
    step = f(a)
    before, x = x0, step(x0)
    while distance(x, before) > tol:
        before, x = x, step(x)
    return x


def _implicit(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Callable[[Any], Any]:
    """With J = df/dx there, g goes to g (I - J)^-1 df/da; the sum g + g J + g J² + ... is a fixed point itself."""
    a, f, _, distance, tol = args

    def back(g: Any) -> Any:
        if tuple(argnums) != (0,):
            raise ValueError("fixed_point: the start has no derivative; hand in plain arrays")
        through_x = make_vjp(lambda x: f(a)(x))(ans)[0]
        through_a = make_vjp(lambda b: f(b)(ans))(a)[0]
        total = _iterated_sum(lambda v: _plus(g, through_x(v)), g, distance, tol)
        return (through_a(total),)
    return back


def _iterated_sum(step: Callable[[Any], Any], start: Any, distance: Callable[..., Any], tol: float) -> Any:
    before, x = start, step(start)
    while distance(_plain(x), _plain(before)) > tol:
        before, x = x, step(x)
    return x


def _plus(one: Any, other: Any) -> Any:
    left, structure = flatten(one)
    return unflatten(structure, [p + q for p, q in zip(left, flatten(other)[0], strict=True)])


def _plain(x: Any) -> Any:
    leaves, structure = flatten(x)
    return unflatten(structure, [v.value if isinstance(v, Tensor) else v for v in leaves])


defvjp_argnums(_iterated, _implicit)


def fixed_point(f: Callable[[Any], Callable[[Any], Any]], a: Any, x0: Any, distance: Callable[..., Any],
                tol: float) -> Any:
    """The x to which f(a)(x) leads from x0, to within `tol` of `distance`; its derivative to a is exact, and costs no
    memory for the iterations.

    Source: B. Christianson, "Reverse accumulation and attractive fixed points", 1994.
    """
    return _iterated(a, f, x0, distance, tol)
