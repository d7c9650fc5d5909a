"""Large ops, where what counts is how the numbers are moved and multiplied: each forward and backward, beside PyTorch.

`python -m benchmarks.kernels [words]` prints, as lines of JSON, the rows whose names have one of the words.  Each
number of threads has a process of its own: NumPy's BLAS and PyTorch read theirs when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import nn
from autograd import Tensor, from_numpy

from .table import Row, missing, times
from .threads import by_threads, named, print_rows
from .timing import alone, duel

SECONDS = 3.0


class Case(NamedTuple):
    """A function of tensors in either library: `run(F, *inputs)`, `F` being its nn.functional."""

    what: str
    limit: float                              # times PyTorch's
    shapes: tuple[tuple[int, ...], ...]
    run: Callable[..., Any]
    constant: int = 0                         # so many of the first inputs need no gradient
    index: tuple[int, ...] = ()               # shape of an array of row numbers, given last; () for none


def convolution(x: tuple[int, ...], filters: int, padding: int, limit: float, constant: int = 0) -> Case:
    """A layer of 3 x 3 kernels with a bias."""
    note = "input without gradient" if constant else ""
    border = f"padding {padding}" if padding else ""
    what = ", ".join(filter(None, (f"conv2d {x} x {filters}, 3 x 3", border, note)))
    return Case(what, limit, (x, (filters, x[1], 3, 3), (filters,)),
                lambda F, x, w, b: F.conv2d(x, w, b, padding=padding), constant)


def chain(F: Any, x: Any) -> Any:
    """Six elementwise ops."""
    return ((x * 1.5 + 0.5).tanh() * x).sigmoid().exp()


CASES = [
    convolution((64, 16, 14, 14), 32, 1, 2.8),
    convolution((32, 64, 16, 16), 64, 0, 2.0),
    convolution((64, 1, 28, 28), 16, 0, 0.8, constant=1),
    convolution((64, 1, 28, 28), 16, 0, 0.8),
    Case("max_pool2d (64, 16, 28, 28), 2", 1.5, ((64, 16, 28, 28),), lambda F, x: F.max_pool2d(x, 2)),
    Case("max_pool2d (64, 16, 28, 28), 3, stride 2, padding 1", 1.5, ((64, 16, 28, 28),),
         lambda F, x: F.max_pool2d(x, 3, 2, 1)),
    Case("softmax (2048, 512)", 2.0, ((2048, 512),), lambda F, x: F.softmax(x, dim=1)),
    Case("layer_norm (2048, 512)", 2.0, ((2048, 512), (512,), (512,)),
         lambda F, x, w, b: F.layer_norm(x, (512,), w, b)),
    Case("embedding, 4,096 rows of a table (50,000, 128)", 1.0, ((50_000, 128),), lambda F, w, at: F.embedding(at, w),
         index=(4096,)),
    Case("chain of 6 elementwise ops on 1,000,000 floats", 1.5, ((1_000_000,),), chain),
]


def program(F: Any, case: Case, inputs: list[Any], index: list[Any], like: Callable[[Any], Any]) -> Callable[[], Any]:
    """Forward and backward, the gradient from above in the memory order of the result, as the op behind leaves it."""
    above = like(case.run(F, *inputs, *index))

    def run() -> Any:
        for x in inputs:
            x.grad = None
        y = case.run(F, *inputs, *index)
        y.backward(above)
        return y
    return run


def measure(case: Case, threads: int) -> Row:
    """The row of a case, after making sure that the two programs compute the same."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in case.shapes]
    at = [rng.integers(0, case.shapes[0][0], case.index)] if case.index else []
    what = named(case.what, threads)
    inputs = [Tensor(a, requires_grad=i >= case.constant) for i, a in enumerate(arrays)]
    slopes = rng.standard_normal(case.run(nn.functional, *inputs, *map(Tensor, at)).shape).astype(np.float32)

    def alike(y: Tensor) -> Tensor:
        made = np.empty_like(y.value)
        made[...] = slopes
        return from_numpy(made)
    ours = program(nn.functional, case, inputs, [Tensor(i) for i in at], alike)
    if not find_spec("torch"):
        return missing(what, case.limit, "PyTorch", alone(ours))
    torch: Any = import_module("torch")
    others = [torch.tensor(a, requires_grad=i >= case.constant) for i, a in enumerate(arrays)]
    peer = program(torch.nn.functional, case, others, [torch.from_numpy(i) for i in at],
                   lambda y: torch.from_numpy(slopes))
    here, there = [ours(), *[x.grad for x in inputs]], [peer(), *[x.grad for x in others]]
    for i, (a, b) in enumerate(zip(here, there, strict=True)):
        if b is not None and not np.allclose(a.numpy() if i else a.detach().numpy(), b.detach().numpy(), 1e-3, 1e-3):
            raise AssertionError(f"{what}: the two programs do not compute the same: {a} and {b}")
    return times(what, case.limit, "PyTorch", duel(ours, peer, seconds=SECONDS))


def rows() -> Iterator[Row]:
    """All cases with one thread, then with as many as there are cores."""
    return by_threads("kernels")


if __name__ == "__main__":
    print_rows(CASES, measure)
