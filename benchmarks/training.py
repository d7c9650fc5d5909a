"""A whole training step of small networks: forward, loss, zero_grad, backward, optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

import nn
import optim
from autograd import Tensor

from .table import Row, missing, times
from .timing import alone, duel

# name: sizes, batch, target
STEPS = {"MLP 64-32-10, batch 32": ((64, 32, 10), 32, 0.45), "MLP 784-128-10, batch 128": ((784, 128, 10), 128, 1.15)}


def network(nn: Any, sizes: tuple[int, ...]) -> Any:
    """Linear, ReLU, Linear in either library."""
    n, hidden, classes = sizes
    return nn.Sequential(nn.Linear(n, hidden), nn.ReLU(), nn.Linear(hidden, classes))


def stepper(model: Any, cross_entropy: Any, optimizer: Any, x: Any, y: Any) -> Callable[[], Any]:
    """The same text for both."""
    def step() -> Any:
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step


def rows() -> Iterator[Row]:
    """SGD steps beside PyTorch's eager mode, with the threads that PyTorch and NumPy take by default."""
    torch: Any = import_module("torch") if find_spec("torch") else None
    for name, (sizes, batch, limit) in STEPS.items():
        rng = np.random.default_rng(0)
        x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
        y = rng.integers(0, sizes[-1], batch)
        model = network(nn, sizes)
        ours = stepper(model, nn.functional.cross_entropy, optim.SGD(model.parameters(), lr=1e-3), Tensor(x), Tensor(y))
        what = f"{name}, SGD step"
        if torch is None:
            yield missing(what, limit, "PyTorch", alone(ours))
            continue
        other = network(torch.nn, sizes)
        other.load_state_dict({key: torch.tensor(value.numpy()) for key, value in model.state_dict().items()})
        peer = stepper(other, torch.nn.functional.cross_entropy, torch.optim.SGD(other.parameters(), lr=1e-3),
                       torch.from_numpy(x), torch.from_numpy(y))
        for _ in range(3):
            here, there = ours().item(), peer().item()
        if abs(here - there) > 1e-4:
            raise AssertionError(f"{what}: the two programs do not compute the same: {here} and {there}")
        yield times(what, limit, "PyTorch", duel(ours, peer, seconds=6))
