"""Recurrent layers and a transformer: the whole training step, beside PyTorch.

`python -m benchmarks.recurrent [words]` prints, as lines of JSON, the rows whose names have one of the words.  Each
number of threads has a process of its own: NumPy's BLAS and PyTorch read theirs when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import optim
from autograd import Tensor
from nn.recurrent import GRU, LSTM
from nn.transformer import TransformerEncoder, TransformerEncoderLayer

from .table import Row, missing, times
from .threads import by_threads, named, print_rows
from .timing import alone, duel

SECONDS = 5.0


class Case(NamedTuple):
    """A model in either library, and the optimizer it is trained with."""

    what: str
    limit: float                              # times PyTorch's
    model: Callable[[Any], Any]               # of a namespace that has the layers
    shape: tuple[int, ...]
    optimizer: str
    settings: dict[str, Any]


class Ours:
    """The layers of this library, under PyTorch's names."""

    LSTM, GRU = LSTM, GRU
    TransformerEncoder, TransformerEncoderLayer = TransformerEncoder, TransformerEncoderLayer


def encoder(nn: Any, dropout: float) -> Any:
    """Four layers, 128 wide, of 4 heads, the network between 512 wide."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(128, 4, 512, dropout, batch_first=True), 4,
                                 enable_nested_tensor=False)


SGD = ("SGD", {"lr": 1e-2})
ADAMW = ("AdamW", {"lr": 1e-4})
CASES = [
    Case("LSTM 2 x 128, B 32, T 50, SGD", 1.5, lambda nn: nn.LSTM(128, 128, 2), (50, 32, 128), *SGD),
    Case("GRU 2 x 128, B 32, T 50, SGD", 1.5, lambda nn: nn.GRU(128, 128, 2), (50, 32, 128), *SGD),
    Case("TransformerEncoder 4 x 128, B 16, T 64, AdamW", 2.0, lambda nn: encoder(nn, 0.0), (16, 64, 128), *ADAMW),
    Case("TransformerEncoder 4 x 128, B 16, T 64, dropout 0.1, AdamW", 2.0, lambda nn: encoder(nn, 0.1),
         (16, 64, 128), *ADAMW),
]


def stepper(model: Any, optimizer: Any, x: Any, y: Any) -> Callable[[], Any]:
    """Forward, mean squared error, backward, update: the same text for both."""
    def step() -> Any:
        out = model(x)
        out = out[0] if isinstance(out, tuple) else out
        difference = out - y
        loss = (difference * difference).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step


def measure(case: Case, threads: int) -> Row:
    """The row of a case, after making sure that the two programs compute the same."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(case.shape).astype(np.float32) for _ in range(2))
    what = named(case.what, threads)
    model = case.model(Ours)
    train = stepper(model, getattr(optim, case.optimizer)(model.parameters(), **case.settings), Tensor(x), Tensor(y))
    if not find_spec("torch"):
        return missing(what, case.limit, "PyTorch", alone(train))
    torch: Any = import_module("torch")
    peer = case.model(torch.nn)
    peer.load_state_dict({key: torch.tensor(value.numpy()) for key, value in model.state_dict().items()})
    other = stepper(peer, getattr(torch.optim, case.optimizer)(peer.parameters(), **case.settings),
                    torch.from_numpy(x), torch.from_numpy(y))
    if "dropout" not in case.what:
        for _ in range(3):
            here, there = train().item(), other().item()
            if abs(here - there) > 1e-4 * abs(there):
                raise AssertionError(f"{what}: the two programs do not compute the same: {here} and {there}")
    return times(what, case.limit, "PyTorch", duel(train, other, seconds=SECONDS))


def rows() -> Iterator[Row]:
    """All cases with one thread, then with two (where there are two cores)."""
    return by_threads("recurrent", most=2)


if __name__ == "__main__":
    print_rows(CASES, measure)
