"""What the progress bar adds to a step of training: a loop with it beside the same loop without it, on a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from time import perf_counter as clock
from typing import Any

from nn.training import progress

from .table import Row, duration
from .timing import duel

STEPS = 20_000
SECONDS_A_STEP = 50e-6                        # what a small network takes: redraws come ten times a second


class Terminal(io.StringIO):
    """Takes everything and keeps nothing."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


def loop(line: Any) -> None:
    """As in `nn.training.passes.learn`: a look at the clock after each step, and a redraw when it is due."""
    logs = {"accuracy": 0.9, "loss": 0.3}
    for step in range(1, STEPS + 1):
        if clock() >= line.due:
            line.draw(step, logs)


def bare() -> None:
    """The same loop without."""
    for _ in range(1, STEPS + 1):
        pass


def with_bar() -> None:
    """A pass with the line, to a terminal."""
    screen, sys.stdout = sys.stdout, Terminal()
    try:
        loop(progress.Progress(STEPS, 1))
    finally:
        sys.stdout = screen


def redraw() -> float:
    """Seconds that one redraw takes."""
    screen, sys.stdout = sys.stdout, Terminal()
    try:
        line, times = progress.Progress(STEPS, 1), []
        for step in range(1, 201):
            start = clock()
            line.draw(step, {"accuracy": 0.9, "loss": 0.3, "val_accuracy": 0.9, "val_loss": 0.3})
            times.append(clock() - start)
    finally:
        sys.stdout = screen
    return sorted(times)[len(times) // 2]


def rows() -> Iterator[Row]:
    """At most 1 us a step: the excess of the loop, and the share of a redraw, of which there are ten in a second."""
    result, drawn = duel(with_bar, bare, seconds=2), redraw()
    best, middle = (excess / STEPS + drawn * SECONDS_A_STEP / progress.INTERVAL for excess in result.excess)
    yield Row(f"progress bar, a step of {duration(SECONDS_A_STEP)} (a redraw: {duration(drawn)})", "<= 1 us",
              f"{duration(best)} / {duration(middle)}", duration(min(result.ours) / STEPS),
              duration(min(result.peers) / STEPS), max(best, middle) <= 1e-6)
