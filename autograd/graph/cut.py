"""Steps of graphs that no user calls: `detach`, where no gradient flows, and what an op computed on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ..call import OPS
from ..op import Op


def _like(base: Op, name: str, fn: Callable[..., Any]) -> Op:
    """An op that takes what another takes, and has no derivative; it is in no table of ops."""
    made = object.__new__(Op)
    made.__dict__.update(base.__dict__)
    made.name, made.fn, made.kind, made.category, made.symbol = name, fn, "op", "index", ""
    made.rules, made.aux, made.kept, made.kept_names = {}, {}, (), ()
    made.masks = None if base.variadic else (0,) * len(base.inputs)
    made.views = made.selects = False
    return made


@cache
def detach() -> Op:
    """The same values, through which no gradient flows:  x.  Stands in graphs for `detach()`."""
    return _like(OPS["identity"], "detach", lambda x: x)


@cache
def aside(name: str) -> Op:
    """The op "max_pool.position": what `max_pool` returns behind its result for its derivative, as a step of its own.

    Raises LookupError for an op that has no such thing.
    """
    of, _, aux = name.partition(".")
    base = OPS.get(of)
    if base is None or aux not in base.aux:
        raise LookupError(f"graph: expected an op that computes {aux!r} on the way; got {of!r}, which does not")
    at, fn = 1 + list(base.aux).index(aux), base.fn
    return _like(base, name, lambda *xs, **attrs: fn(*xs, **attrs)[at])
