"""What `viz.watch` costs: whole training steps with it and without it, at five frames a second and a page written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import nn
import optim
from autograd import Tensor
from viz.live.watch import Watch, watch

from .table import Row, times
from .timing import Duel, clean_heap

LIMIT = 1.10
FPS = 5.0
SLICE = 0.4                                    # seconds of training at a stretch; a frame comes every 0.2 s
TURNS = 18


class Case(NamedTuple):
    """A model and what it is fed."""

    name: str
    model: Any
    shape: tuple[int, ...]


def cases() -> list[Case]:
    mlp = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    cnn = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1),
                        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10))
    return [Case("MLP 784-128-10, batch 128", mlp, (128, 784)),
            Case("CNN 8-16 on 28x28, batch 32", cnn, (32, 1, 28, 28))]


def seconds(case: Case, x: Any, y: Any, optimizer: Any, watched: Watch | None) -> float:
    """Mean seconds of a step over a stretch."""
    steps, start = 0, perf_counter()
    while (taken := perf_counter() - start) < SLICE:
        loss = nn.functional.cross_entropy(case.model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watched is not None:
            watched.step(loss)
        steps += 1
    return taken / steps


def rows() -> Iterator[Row]:
    """Stretches with and without, taking turns; the ratio of the minima and the median of neighbours."""
    for case in cases():
        rng = np.random.default_rng(0)
        x, y = Tensor(rng.standard_normal(case.shape).astype(np.float32)), rng.integers(0, 10, case.shape[0])
        optimizer = optim.SGD(case.model.parameters(), lr=1e-3)
        seconds(case, x, y, optimizer, None)
        off, on, frames = [], [], 0
        with tempfile.TemporaryDirectory() as folder, clean_heap():
            for _ in range(TURNS):
                off.append(seconds(case, x, y, optimizer, None))
                watched = watch(case.model, html=os.path.join(folder, "run.html"), fps=FPS, show=False)
                on.append(seconds(case, x, y, optimizer, watched))
                watched.close()                # all hooks are gone for the next stretch without
                frames += watched.record.frames
        if frames < TURNS:
            raise AssertionError(f"{case.name}: {frames} frames in {TURNS} stretches: nothing was watched")
        yield times(f"viz.watch, {case.name}, {frames / TURNS / SLICE:.0f} frames/s", LIMIT, "unwatched", Duel(on, off))
