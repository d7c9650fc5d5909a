"""What `import` costs: fresh processes, in turn; the start of Python counts for both."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from .table import Row, times
from .timing import Duel

ROOT = Path(__file__).resolve().parent.parent
LIMIT, RUNS = 1.3, 40


def seconds(statement: str, environment: dict[str, str]) -> float:
    """Wall time of a process that runs one statement, in the repository root, where the packages are found."""
    start = perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, env=environment, check=True)
    return perf_counter() - start


def rows() -> Iterator[Row]:
    """All four packages beside NumPy alone.  Both find compiled files, as users do, whatever the environment says."""
    ours, peer = "import autograd, nn, optim, viz", "import numpy"
    result = Duel([], [])
    with TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        seconds(ours, environment), seconds(peer, environment)          # compiled files are written
        for i in range(RUNS):
            for statement in (ours, peer) if i % 2 else (peer, ours):   # neither always goes first
                (result.ours if statement == ours else result.peers).append(seconds(statement, environment))
    yield times(f"`{ours}`", LIMIT, f"`{peer}`", result)
