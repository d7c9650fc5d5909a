"""The names of HIPS autograd's `autograd.core` that programs import; most live in `extend` and `tracer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .differential_operators import make_jvp as jvp_maker
from .differential_operators import make_vjp as vjp_maker
from .extend import Box as Box
from .extend import VSpace as VSpace
from .extend import def_linear as def_linear
from .extend import defjvp as defjvp
from .extend import defjvp_argnum as defjvp_argnum
from .extend import defjvp_argnums as defjvp_argnums
from .extend import defvjp as defvjp
from .extend import defvjp_argnum as defvjp_argnum
from .extend import defvjp_argnums as defvjp_argnums
from .extend import notrace_primitive as notrace_primitive
from .extend import primitive as primitive
from .extend import vspace as vspace
from .tracer import getval as getval
from .tracer import isbox as isbox


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """(v -> v J, f(x)) at x."""
    return vjp_maker(fun)(x)


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """v -> (f(x), J v) at x."""
    return jvp_maker(fun)(x)
