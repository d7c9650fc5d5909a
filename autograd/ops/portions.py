"""Large arrays worked on a portion at a time, by several threads at once.

NumPy lets other Python threads run while it computes, so two threads do two portions in the time of one.  Where one
portion ends and the next begins follows from the sizes alone: results are the same to the last bit with any number of
threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import lru_cache
from typing import Any

ALONE = 1 << 18                               # multiplications in a product of matrices that BLAS does in one thread

_AT_WORK: ContextVar[bool] = ContextVar("at_work", default=False)    # in a portion: what is called there goes on alone
_chosen: int | None = None
_pool: Any = None                             # made when it is first needed
_guarded = False                              # whether fork() has been told of it


def get_num_threads() -> int:
    """How many threads work on a large array.

    Unless set, as many as NumPy's BLAS would take: OPENBLAS_NUM_THREADS or OMP_NUM_THREADS, at most one for each core.
    """
    return _default() if _chosen is None else _chosen


def set_num_threads(num: int) -> None:
    """Let so many threads work on a large array; 1 for the caller's own alone.

    NumPy's BLAS, which multiplies matrices, has threads of its own: for those set OPENBLAS_NUM_THREADS before NumPy is
    imported.  Raises TypeError for what is not an int, ValueError for less than 1.
    """
    if isinstance(num, bool) or not isinstance(num, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}: {num!r}")
    if num < 1:
        raise ValueError(f"set_num_threads expects a positive integer; got {num}: 1 is the caller's own thread alone")
    global _chosen
    if num != get_num_threads():
        _close()                              # a pool has the size it was made with
    _chosen = num


def _default() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        first = os.environ.get(variable, "").split(",")[0].strip()
        if first.isdecimal() and int(first):
            return min(cores, int(first))
    return cores


def in_portions(function: Callable[[slice], Any], count: int, each: int) -> list[Any]:
    """[function(slice(0, n)), function(slice(n, 2 n)), ...] up to `count`, n being at most `each`, by several threads.

    `function` sees the context variables of the caller, with them NumPy's error state, and must write to nothing that
    another portion reads.  An error ends the work and is raised here.
    """
    each = -(-count // max(1, -(-count // each)))              # as many portions, all of one size
    places = [slice(start, min(start + each, count)) for start in range(0, count, max(1, each))]
    if len(places) < 2 or _AT_WORK.get():
        return [function(place) for place in places]
    others = min(get_num_threads(), len(places)) - 1
    if others < 1:
        return [function(place) for place in places]
    made: list[Any] = [None] * len(places)
    left = deque(range(len(places)))

    def work() -> None:
        _AT_WORK.set(True)
        while True:
            try:
                k = left.popleft()
            except IndexError:
                return
            try:
                made[k] = function(places[k])
            except BaseException:
                left.clear()
                raise

    jobs = _start(work, others)
    try:
        copy_context().run(work)
    finally:
        busy = [job for job in jobs if not job.cancel()]       # one that has not begun would find nothing left to do
        errors = [job.exception() for job in busy]
    for error in errors:
        if error is not None:
            raise error
    return made


@lru_cache(256)
def rows_alone(rows: int, inner: int, columns: int) -> int:
    """The largest divisor of `rows` with which BLAS multiplies (rows, inner) and (inner, columns) in one thread.

    A stack of such products is what a portion can do without waiting for BLAS's own threads.  All rows where they would
    be cut too short.
    """
    most = ALONE // max(1, inner * columns)
    return next((n for n in range(min(rows, most), 15, -1) if rows % n == 0), rows)


def _start(work: Callable[[], None], others: int) -> list[Any]:
    """`work` in other threads; in fewer or none where the system has no more, or the interpreter is about to end."""
    global _pool, _guarded
    jobs: list[Any] = []
    try:
        if _pool is None:
            from concurrent.futures import ThreadPoolExecutor
            _pool = ThreadPoolExecutor(get_num_threads() - 1, "autograd")
            if not _guarded and hasattr(os, "register_at_fork"):
                os.register_at_fork(before=_before_fork, after_in_child=_forget)
                _guarded = True
        for _ in range(others):
            jobs.append(_pool.submit(copy_context().run, work))
    except RuntimeError:
        pass
    return jobs


def _close() -> None:
    """End the threads, once they have done what they are at."""
    global _pool
    pool, _pool = _pool, None
    if pool is not None:
        pool.shutdown()


def _before_fork() -> None:
    """A child has none of its parent's threads, and Python warns of those that there are."""
    if not _AT_WORK.get():
        _close()


def _forget() -> None:
    global _pool
    _pool = None
