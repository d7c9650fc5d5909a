"""`check_grads(f)(x)`: derivatives of f, of both modes and any order, against finite differences.

As HIPS autograd has it; `autograd.gradcheck` says more about what is wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from .differential_operators import make_jvp, make_vjp
from .spaces import flatten, vspace
from .tensor import Tensor
from .transforms.trees import unflatten

__all__ = ["check_equivalent", "check_grads", "check_jvp", "check_vjp", "combo_check", "make_numerical_jvp",
           "scalar_close"]

TOL, RTOL, EPS = 1e-6, 1e-6, 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers agree to TOL or, relatively, RTOL."""
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def make_numerical_jvp(f: Callable[[Any], Any], x: Any) -> Callable[[Any], Any]:
    """v -> J v by central differences."""
    space = vspace(x)
    y_space = vspace(f(x))

    def along(v: Any) -> Any:
        above = f(space.add(x, space.scalar_mul(v, EPS / 2)))
        below = f(space.add(x, space.scalar_mul(v, -EPS / 2)))
        return y_space.scalar_mul(y_space.add(above, y_space.scalar_mul(below, -1.0)), 1.0 / EPS)
    return along


def check_equivalent(x: Any, y: Any) -> None:
    """AssertionError unless x and y are of one space and agree along a random direction."""
    x_space, y_space = vspace(x), vspace(y)
    assert x_space == y_space, f"spaces differ: {x_space} and {y_space}"
    v = x_space.randn()
    one, other = x_space.inner_prod(_plain(x), v), x_space.inner_prod(_plain(y), v)
    assert scalar_close(one, other), f"values differ along a random direction: {one} and {other}"


def _plain(x: Any) -> Any:
    leaves, structure = flatten(x)
    return unflatten(structure, [v.value if isinstance(v, Tensor) else v for v in leaves])


def check_jvp(f: Callable[[Any], Any], x: Any) -> None:
    """AssertionError unless the forward derivative agrees with finite differences."""
    v = vspace(x).randn()
    try:
        check_equivalent(make_jvp(f)(x)(v)[1], make_numerical_jvp(f, x)(v))
    except AssertionError as error:
        raise AssertionError(f"forward derivative of {_name(f)}: {error}") from None


def check_vjp(f: Callable[[Any], Any], x: Any) -> None:
    """AssertionError unless the reverse derivative agrees with finite differences."""
    vjp, y = make_vjp(f)(x)
    x_space, y_space = vspace(x), vspace(y)
    v, w = x_space.randn(), y_space.randn()
    g = vjp(y_space.covector(w))
    assert vspace(g) == x_space, f"reverse derivative of {_name(f)}: a gradient of {vspace(g)} for {x_space}"
    along = x_space.inner_prod(v, x_space.covector(_plain(g)))
    expected = y_space.inner_prod(w, make_numerical_jvp(f, x)(v))
    assert scalar_close(along, expected), \
        f"reverse derivative of {_name(f)}: {along} along a random direction; finite differences say {expected}"


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def check_grads(fun: Callable[..., Any], argnum: Any = None, modes: Sequence[str] = ("fwd", "rev"),
                order: int = 2) -> Callable[..., None]:
    """(*args) -> None, or AssertionError: derivatives to all arguments (or to `argnum`), up to the order given."""
    if not set(modes) <= {"fwd", "rev"}:
        raise ValueError(f"check_grads: expected modes 'fwd' and 'rev'; got {modes}")

    @functools.wraps(fun)
    def check(*args: Any, **kwargs: Any) -> None:
        numbers = tuple(range(len(args))) if argnum is None else (argnum,) if isinstance(argnum, int) else tuple(argnum)

        def of_chosen(chosen: Any) -> Any:
            given = list(args)
            for k, value in zip(numbers, chosen, strict=True):
                given[k] = value
            return fun(*given, **kwargs)
        functools.update_wrapper(of_chosen, fun)
        _check(of_chosen, tuple(args[k] for k in numbers), modes, order)
    return check


def _check(f: Callable[[Any], Any], x: Any, modes: Sequence[str], order: int) -> None:
    for mode in modes:
        (check_jvp if mode == "fwd" else check_vjp)(f, x)
        if order > 1:
            if mode == "fwd":                 # the derivative is a function of the direction too
                _check(lambda at: make_jvp(f)(at[0])(at[1])[1], (x, vspace(x).randn()), modes, order - 1)
            else:
                _check(lambda at: make_vjp(f)(at[0])[0](at[1]), (x, vspace(f(x)).randn()), modes, order - 1)


def combo_check(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., None]:
    """check_grads for every combination of listed arguments:  combo_check(f, modes=["rev"])([x1, x2], axis=[0, 1])."""
    def check(*args_lists: Any, **kwargs_lists: Any) -> None:
        keys = list(kwargs_lists)
        for given in product(*args_lists):
            for values in product(*[kwargs_lists[k] for k in keys]):
                check_grads(fun, *args, **kwargs)(*given, **dict(zip(keys, values, strict=True)))
    return check
