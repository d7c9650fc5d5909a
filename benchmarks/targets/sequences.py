"""What a recurrent network must remember: the adding problem and the copying problem.

Source: Hochreiter and Schmidhuber 1997; Arjovsky, Shah and Bengio 2016, section 4, whose baselines these are.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from math import log
from typing import Any

import numpy as np

import nn
import optim
from autograd import Tensor, no_grad

from .outcome import Outcome, Target, at_most, near

LENGTH = 50                                   # of the sequences to add
WAIT, SYMBOLS, COPIED = 20, 8, 10             # steps between reading and writing, of 10 symbols out of 8


class Reader(nn.Module):
    """A recurrent layer and a Linear on what it puts out, at every step."""

    def __init__(self, layer: Any, outputs: int) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(layer.hidden_size, outputs)

    def forward(self, x: Any) -> Any:
        return self.head(self.layer(x)[0])


def additions(batch: int, rng: Any) -> tuple[Tensor, Tensor]:
    """Numbers in [0, 1) and marks on two of them, one in each half: (T, N, 2); and the sums of the marked: (N,)."""
    numbers, marks, half = rng.random((LENGTH, batch)), np.zeros((LENGTH, batch)), LENGTH // 2
    for start in (0, half):
        marks[rng.integers(start, start + half, batch), np.arange(batch)] = 1
    return Tensor(np.stack([numbers, marks], -1).astype("float32")), Tensor((numbers * marks).sum(0).astype("float32"))


def adding(options: Namespace) -> Iterator[Outcome]:
    """Who always says 1 errs by 1/6, the variance of a sum of two uniform numbers."""
    rng = np.random.default_rng(0)
    sums = additions(200_000, rng)[1].numpy()
    yield near(f"adding problem, T = {LENGTH}: error of who says 1, 1/6", 1 / 6, np.square(sums - 1.0).mean(), 2e-3, 4)
    model = Reader(nn.LSTM(2, 64), 1)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(1000):
        x, y = additions(64, rng)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x)[-1, :, 0], y).backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with no_grad():
        x, y = additions(2000, rng)
        error = nn.functional.mse_loss(model(x)[-1, :, 0], y).item()
    yield at_most("adding problem: mean squared error of an LSTM", 1 / 60, error, digits=3,
                  shown="< 1/6")


def copies(batch: int, rng: Any) -> tuple[Tensor, Tensor]:
    """10 symbols, a wait, a signal, and silence while they are to be said again; what is to be said at each step.

    One-hot inputs (T, N, 10) and labels (T, N) for T = wait + 20: symbols 0 to 7, blank 8, signal 9.
    """
    symbols = rng.integers(0, SYMBOLS, (COPIED, batch))
    blank, steps = SYMBOLS, WAIT + 2 * COPIED
    shown, said = np.full((steps, batch), blank), np.full((steps, batch), blank)
    shown[:COPIED], said[-COPIED:] = symbols, symbols
    shown[-COPIED - 1] = blank + 1
    return Tensor(np.eye(SYMBOLS + 2, dtype="float32")[shown]), Tensor(said)


def loss_of(model: Any, x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy, the mean over all steps, also those where nothing is to be said."""
    return nn.functional.cross_entropy(model(x).reshape(-1, SYMBOLS + 1), y.reshape(-1))


def copying(options: Namespace) -> Iterator[Outcome]:
    """Who says blanks and then guesses loses log 8 at each of 10 steps."""
    baseline = COPIED * log(SYMBOLS) / (WAIT + 2 * COPIED)
    rng = np.random.default_rng(0)
    _, y = copies(10, rng)
    guess = np.full((*y.shape, SYMBOLS + 1), -np.inf)
    guess[:-COPIED, :, SYMBOLS], guess[-COPIED:, :, :SYMBOLS] = 0.0, 0.0
    found = nn.functional.cross_entropy(Tensor(guess.reshape(-1, SYMBOLS + 1)), y.reshape(-1)).item()
    yield near(f"copying problem, wait {WAIT}: loss of who guesses, 10 log 8 / (T + 20)", baseline, found, 1e-12)
    model = Reader(nn.GRU(SYMBOLS + 2, 96), SYMBOLS + 1)
    optimizer = optim.Adam(model.parameters(), lr=4e-3)
    for _ in range(1500):
        optimizer.zero_grad()
        loss_of(model, *copies(64, rng)).backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with no_grad():
        loss = loss_of(model, *copies(1000, rng)).item()
    yield at_most("copying problem: loss of a GRU", 0.9 * baseline, loss, digits=3,
                  shown=f"< {baseline:.4f}")


TARGETS = {
    "adding": Target(adding, "adding problem", "1/6"),
    "copying": Target(copying, "copying problem", "10 ln 8 / (T + 20)"),
}
