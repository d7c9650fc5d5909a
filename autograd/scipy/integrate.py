"""Ordinary differential equations, solved by SciPy and differentiated by the adjoint equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..differential_operators import make_vjp
from ..errors import GradientError
from ..extend import defvjp_argnums, primitive, values
from ..misc.flatten import flatten
from ..protocols.arguments import array
from ..tensor import Tensor
from .installed import scipy_part

_own = scipy_part("integrate")
__all__ = ["odeint"]


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """y at the times t of  dy/dt = func(y, t, *args),  y(t[0]) = y0; the shape is (len(t), len(y0)).

    Derivatives to y0, t and args (arrays, numbers or trees of them) come from the adjoint equation, solved backwards
    with the same options (rtol, atol, ...), so that no step has to be kept; they are as exact as its solution.
    Source: L. Pontryagin et al. 1962; R. Chen et al., "Neural ordinary differential equations", 2018.
    """
    args = args if isinstance(args, tuple) else (args,)
    return _solved(func, array(y0), array(t), args, **options)


@primitive
def _solved(func: Callable[..., Any], y0: Any, t: Any, args: Any, **options: Any) -> Any:
    def plain(y: Any, time: float, *rest: Any) -> Any:
        dy = func(y, time, *rest)
        parts = dy if isinstance(dy, (list, tuple)) else [dy]
        if any(isinstance(d, Tensor) and d.requires_grad for d in parts):
            raise GradientError("odeint: func uses a tensor that requires a gradient but is not among args; hand it "
                                "in, odeint(func, y0, t, (x,)), so that its gradient can be computed")
        return values(dy)
    return _own.odeint(plain, np.atleast_1d(y0), t, args, **options)


def _adjoint(argnums: Any, ans: Any, given: Any, options: Any) -> Callable[[Any], Any]:
    """d/dt (y, λ, λ_t, λ_args) = (f, -λ f_y, -λ f_t, -λ f_args), from the last time to the first."""
    func, y0, t, args = given
    size = int(np.prod(np.shape(y0), dtype=int))
    row, back = flatten(args)

    def at(y: Any, time: Any, packed: Any) -> Any:
        return _vector(func(y, time, *back(packed)))

    def motion(state: Any, time: Any, packed: Any) -> Any:
        y, change = state[:size], state[size:2 * size]
        pulled, dy = make_vjp(lambda z: at(*z))((y, -time, packed))
        y_part, t_part, args_part = pulled(change)
        return np.concatenate([-dy, y_part, np.reshape(t_part, (1,)), args_part])

    def back_in_time(g: Any) -> Any:
        change, packed = g[-1], array(row)
        t_part, args_part = 0.0, packed * 0.0
        t_grads = []
        for i in range(len(t) - 1, 0, -1):
            slope = at(ans[i], t[i], packed)
            moved = np.dot(slope, g[i])
            t_grads.append(moved)
            t_part = t_part - moved
            state = np.concatenate([ans[i], change, np.reshape(array(t_part), (1,)), args_part])
            # time runs backwards: the motion is solved in -t, from -t[i] to -t[i - 1]
            state = odeint(motion, state, np.stack([-t[i], -t[i - 1]]), (packed,), **options)[1]
            change = state[size:2 * size] + g[i - 1]
            t_part, args_part = state[2 * size], state[2 * size + 1:]
        t_grads.append(t_part if len(t) > 1 else np.dot(at(ans[0], t[0], packed), g[0]) * 0.0)
        grads = {1: np.reshape(change, np.shape(y0)), 2: np.stack([array(x) for x in t_grads[::-1]]),
                 3: back(args_part)}
        return [grads[k] for k in argnums]
    return back_in_time


def _vector(dy: Any) -> Any:
    return np.reshape(array(dy), (-1,))


defvjp_argnums(_solved, _adjoint)
