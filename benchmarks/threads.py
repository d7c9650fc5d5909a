"""The same cases with one thread and with several, each number in a process of its own.

NumPy's BLAS and PyTorch read how many threads they may use when they are loaded.  A file of cases ends in

    def rows():
        return by_threads("kernels")

    if __name__ == "__main__":
        print_rows(CASES, measure)

and `python -m benchmarks.kernels [words]` prints, as lines of JSON, its rows whose names have one of the words.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .table import Row

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def by_threads(group: str, most: int | None = None) -> Iterator[Row]:
    """All cases of a file with one thread, then with as many as there are cores (at most `most`)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for threads in sorted({1, min(cores, most or cores)}):
        environment = {**os.environ, **dict.fromkeys(VARIABLES, str(threads))}
        with subprocess.Popen([sys.executable, "-m", f"benchmarks.{group}"], cwd=ROOT, env=environment,
                              stdout=subprocess.PIPE, encoding="utf-8") as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield Row(*json.loads(line))
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)


def named(what: str, threads: int) -> str:
    """The name of a row, with its number of threads."""
    return f"{what}, {threads} thread{'s' * (threads > 1)}"


def print_rows(cases: Iterable[Any], measure: Callable[[Any, int], Row]) -> None:
    """What a process of `by_threads` does: measure the cases that the command line names, or all."""
    threads = int(os.environ.get(VARIABLES[0], 0)) or os.cpu_count() or 1
    for case in cases:
        if len(sys.argv) == 1 or any(word in case.what for word in sys.argv[1:]):
            print(json.dumps(measure(case, threads)), flush=True)
