"""Layers beside PyTorch's eager mode: a whole training step of LeNet-5; normalizations, forward and backward.

`python -m benchmarks.layers [words]` prints, as lines of JSON, the rows whose names have one of the words.  Each number
of threads has a process of its own: NumPy's BLAS and PyTorch read theirs when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import nn
import optim
from autograd import Tensor

from .table import Row, missing, times
from .threads import by_threads, named, print_rows
from .timing import alone, duel

SECONDS = 4.0


class Case(NamedTuple):
    """A model of either library, `make(nn)`, and the shape of its input; with classes a training step, else a pass."""

    what: str
    limit: float                              # times PyTorch's
    make: Callable[[Any], Any]
    shape: tuple[int, ...]
    classes: int = 0


def lenet(nn: Any) -> Any:
    """LeNet-5 for 28 x 28 (LeCun et al. 1998), as it is usually written today: ReLU and max pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


CASES = [
    Case("LeNet-5 on 28 x 28, batch 64, SGD step", 1.5, lenet, (64, 1, 28, 28), 10),
    Case("BatchNorm2d(16) of (64, 16, 28, 28)", 2.0, lambda nn: nn.BatchNorm2d(16), (64, 16, 28, 28)),
    Case("BatchNorm2d(64) of (32, 64, 16, 16)", 2.0, lambda nn: nn.BatchNorm2d(64), (32, 64, 16, 16)),
    Case("LayerNorm(512) of (2048, 512)", 2.0, lambda nn: nn.LayerNorm(512), (2048, 512)),
    Case("LayerNorm(128) of (16, 64, 128)", 2.0, lambda nn: nn.LayerNorm(128), (16, 64, 128)),
]


def program(nn: Any, optim: Any, case: Case, model: Any, x: Any, above: Any) -> Callable[[], Any]:
    """The same text for both libraries; `above` are the labels, or the gradient from above."""
    if not case.classes:
        def both() -> Any:
            x.grad = None
            model.zero_grad()
            y = model(x)
            y.backward(above)
            return y.sum()
        return both
    optimizer = optim.SGD(model.parameters(), lr=1e-3)

    def step() -> Any:
        loss = nn.functional.cross_entropy(model(x), above)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step


def measure(case: Case, threads: int) -> Row:
    """The row of a case, after making sure that the two programs compute the same."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(case.shape).astype(np.float32)
    above = rng.integers(0, case.classes, len(x)) if case.classes else \
        rng.standard_normal(case.shape).astype(np.float32)
    what = named(case.what, threads)
    model, learned = case.make(nn), not case.classes
    ours = program(nn, optim, case, model, Tensor(x, requires_grad=learned), Tensor(above))
    if not find_spec("torch"):
        return missing(what, case.limit, "PyTorch", alone(ours))
    torch: Any = import_module("torch")
    other = case.make(torch.nn)
    other.load_state_dict({key: torch.tensor(value.numpy()) for key, value in model.state_dict().items()})
    peer = program(torch.nn, torch.optim, case, other, torch.tensor(x, requires_grad=learned), torch.from_numpy(above))
    for _ in range(3):
        here, there = ours().item(), peer().item()
    pairs = [(here, there), *((a.numpy(), b.numpy()) for a, b in zip(
        model.state_dict().values(), other.state_dict().values(), strict=True))]
    if not all(np.allclose(a, b, 1e-3, 1e-2 if i == 0 and learned else 1e-3) for i, (a, b) in enumerate(pairs)):
        raise AssertionError(f"{what}: the two programs do not compute the same: {here} and {there}")
    return times(what, case.limit, "PyTorch", duel(ours, peer, seconds=SECONDS))


def rows() -> Iterator[Row]:
    """All cases with one thread, then with as many as there are cores."""
    return by_threads("layers")


if __name__ == "__main__":
    print_rows(CASES, measure)
