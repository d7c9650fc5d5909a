"""Steps of optimizers over a million parameters in 50 tensors, beside PyTorch's `fused=True`.

`python -m benchmarks.optimizers [words]` prints, as lines of JSON, the rows whose names have one of the words.  Each
number of threads has a process of its own: PyTorch reads its own when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import optim
from autograd import Tensor

from .table import Row, missing, times
from .threads import by_threads, named, print_rows
from .timing import alone, duel

SECONDS = 3.0
TENSORS, SHAPE = 50, (100, 200)


class Case(NamedTuple):
    """An optimizer of the same name and settings in both libraries."""

    name: str
    settings: dict[str, Any]
    limit: float                              # times PyTorch's

    @property
    def what(self) -> str:
        given = "".join(f", {name} {value}" for name, value in self.settings.items())
        return f"{self.name} step{given}, 1,000,000 parameters in {TENSORS} tensors"


CASES = [
    Case("Adam", {}, 1.3),
    Case("AdamW", {}, 1.3),
    Case("SGD", {"momentum": 0.9}, 1.3),
]


def measure(case: Case, threads: int) -> Row:
    """The row of a case, after making sure that both come to the same parameters."""
    rng = np.random.default_rng(0)
    values, slopes = ([rng.standard_normal(SHAPE).astype(np.float32) for _ in range(TENSORS)] for _ in range(2))
    what = named(case.what, threads)
    params = [Tensor(value.copy(), requires_grad=True) for value in values]
    for p, slope in zip(params, slopes):
        p.grad = Tensor(slope)
    ours = getattr(optim, case.name)(params, lr=1e-3, **case.settings)
    if not find_spec("torch"):
        return missing(what, case.limit, "PyTorch fused", alone(ours.step))
    torch: Any = import_module("torch")
    torch.set_num_threads(threads)
    others = [torch.tensor(value, requires_grad=True) for value in values]
    for q, slope in zip(others, slopes):
        q.grad = torch.tensor(slope)
    peer = getattr(torch.optim, case.name)(others, lr=1e-3, fused=True, **case.settings)
    for _ in range(3):
        ours.step()
        peer.step()
    for p, q in zip(params, others, strict=True):
        if not np.allclose(p.value, q.detach().numpy(), 1e-5, 1e-6):
            raise AssertionError(f"{what}: the two programs do not compute the same: {p} and {q}")
    return times(what, case.limit, "PyTorch fused", duel(ours.step, peer.step, seconds=SECONDS))


def rows() -> Iterator[Row]:
    """All cases with one thread, then with as many as there are cores."""
    return by_threads("optimizers")


if __name__ == "__main__":
    print_rows(CASES, measure)
