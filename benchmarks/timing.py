"""Timing on machines that are not quiet: many short runs, the rivals taking turns, minima and medians.

Whatever else the machine does can only make a run slower, so the minimum is the best estimate of what a program costs
by itself; the median over neighbouring runs says what one meets in practice.  A target is met when both meet it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import NamedTuple

SHORTEST = 2e-3                               # seconds a timed run lasts at least: far above the clock's resolution

Program = Callable[[], object]


class Duel(NamedTuple):
    """Seconds of two programs, run after run: `ours[i]` and `peers[i]` were measured next to each other."""

    ours: list[float]
    peers: list[float]

    @property
    def ratio(self) -> tuple[float, float]:
        """Ours over the peer's: of the minima, and the median over neighbouring runs."""
        return min(self.ours) / min(self.peers), median(a / b for a, b in zip(self.ours, self.peers))

    @property
    def excess(self) -> tuple[float, float]:
        """Ours less the peer's, in seconds: of the minima, and the median over neighbouring runs."""
        return min(self.ours) - min(self.peers), median(a - b for a, b in zip(self.ours, self.peers))


@contextmanager
def clean_heap() -> Iterator[None]:
    """What exists already is no business of the garbage collector: nobody pays for the modules another has imported."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def once(program: Program, repeats: int) -> float:
    """Seconds a call takes, as the mean of a short run of calls.  The collector runs as it does for users."""
    program()                                 # what the rival put into the caches and into threads is gone after this
    gc.collect()                              # and its garbage is not ours to collect
    start = perf_counter()
    for _ in range(repeats):
        program()
    return (perf_counter() - start) / repeats


def repeats_of(program: Program) -> int:
    """How many calls make a run long enough to be measured."""
    program()
    repeats = 1
    while once(program, repeats) * repeats < SHORTEST:
        repeats *= 2
    return repeats


def duel(ours: Program, peer: Program, seconds: float = 4.0, least: int = 15) -> Duel:
    """Run two programs in turn, for so many seconds and at least so many times each."""
    with clean_heap():
        programs = (ours, peer)
        repeats = tuple(map(repeats_of, programs))
        times: tuple[list[float], list[float]] = ([], [])
        end = perf_counter() + seconds
        while len(times[0]) < least or perf_counter() < end:
            for i in (0, 1) if len(times[0]) % 2 else (1, 0):          # neither always goes first
                times[i].append(once(programs[i], repeats[i]))
    return Duel(*times)


def alone(program: Program, seconds: float = 2.0, least: int = 15) -> list[float]:
    """Seconds of a program that has no rival here, run after run."""
    with clean_heap():
        times: list[float] = []
        repeats, end = repeats_of(program), perf_counter() + seconds
        while len(times) < least or perf_counter() < end:
            times.append(once(program, repeats))
    return times
