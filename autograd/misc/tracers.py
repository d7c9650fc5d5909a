"""`const_graph(f, *args)`, as HIPS autograd has it for functions whose graph is always the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["const_graph"]


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """fun with these arguments first.  Here it runs each time, so that it may do something else each time."""
    return functools.partial(fun, *args, **kwargs)
