"""Scalars: many small ops, where what a library does around each number is all that counts."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from inspect import stack
from time import perf_counter
from typing import Any

from autograd import Tensor

from .table import Row, duration, missing, times
from .timing import alone, duel

OPS, LONG, LIMIT = 2_000, 1_000_000, 1.3


def leaf(value: float) -> Tensor:
    return Tensor(value, requires_grad=True)


def with_variables(kind: Callable[[float], Any]) -> Callable[[], float]:
    """y <- y w + b, where all are variables: 1,000 multiplies and 1,000 adds, forward and backward."""
    def program() -> float:
        x, w, b = kind(0.5), kind(1.0001), kind(1e-4)
        y = x
        for _ in range(OPS // 2):
            y = y * w + b
        y.backward()
        return _slope(x)
    return program


def with_constants(kind: Callable[[float], Any]) -> Callable[[], float]:
    """y <- 1.0001 y + 0.0001, where the factors are Python numbers."""
    def program() -> float:
        x = kind(0.5)
        y = x
        for _ in range(OPS // 2):
            y = y * 1.0001 + 1e-4
        y.backward()
        return _slope(x)
    return program


def _slope(x: Any) -> float:
    return float(x.grad)


def rows() -> Iterator[Row]:
    """The chain beside micrograd, and one too long for anything that recurses."""
    Value: Any = import_module("micrograd.engine").Value if find_spec("micrograd") else None
    # micrograd sorts the graph by recursion, one frame for each op of the chain
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20 * OPS))
    for what, program in (("variables", with_variables), ("Python constants", with_constants)):
        name = f"scalar chain, {OPS:,} ops with {what}, forward + backward"
        if Value is None:
            yield missing(name, LIMIT, "micrograd", alone(program(leaf)))
            continue
        ours, peer = program(leaf), program(Value)
        if abs(ours() - peer()) > 1e-4:
            raise AssertionError(f"{name}: the two programs do not compute the same: {ours()} and {peer()}")
        yield times(name, LIMIT, "micrograd", duel(ours, peer))
    yield million()


def million() -> Row:
    """Build, differentiate and free a long chain under a recursion limit that forbids recursion."""
    limit = sys.getrecursionlimit()
    gc.collect()
    sys.setrecursionlimit(len(stack(0)) + 50)
    try:
        x, w, b = leaf(0.5), leaf(0.999999), leaf(1e-7)
        start = perf_counter()
        y = x
        for _ in range(LONG // 2):
            y = y * w + b
        built = perf_counter()
        y.backward()
        pulled = perf_counter()
        ok = x.grad is not None and abs(float(x.grad) - 0.999999 ** (LONG // 2)) < 1e-2
        del y
        freed = perf_counter()
    finally:
        sys.setrecursionlimit(limit)
    garbage = gc.collect()
    spans = " + ".join(duration(span) for span in (built - start, pulled - built, freed - pulled))
    return Row(f"scalar chain, {LONG:,} ops: build + backward + free", "no recursion, no garbage",
               f"gc.collect() finds {garbage}", spans, "-", ok and garbage == 0)
