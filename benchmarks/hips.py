"""Programs written for HIPS autograd, here and there.

Both libraries are imported as `autograd`, so that one is the peer in a process of its own, with an environment of its
own (.bench-hips), made when it is first needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .hips_programs import PROGRAMS, value_of
from .table import Row, duration, missing, times
from .timing import Duel, alone, clean_heap, once, repeats_of

ROOT = Path(__file__).resolve().parent.parent
HOME, WANTED = ROOT / ".bench-hips", "autograd==1.9.1"
LIMIT, OVERHEAD, RUNS = 0.3, 0.5e-6, 25
PLAIN = ("np.sum(a)", "np.exp(a)", "np.dot(a, a)", "np.zeros(8)", "np.array(a)", "np.where(m, a, a)", "np.argmax(a)",
         "np.concatenate([a, a])", "np.linalg.norm(a)", "np.reshape(a, (2, 4))")


def python() -> Path | None:
    """The Python that has HIPS autograd; None where it cannot be installed, with the reason on standard error."""
    found = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (HOME / "complete").exists():
        return found
    print(f"benchmarks: setting up {HOME.name} with {WANTED}", file=sys.stderr, flush=True)
    try:
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WANTED,
                        f"numpy=={np.__version__}"], check=True, cwd=HOME, env=clean(), capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        print(f"benchmarks: HIPS autograd cannot be installed, so it is left out ({said[-1] if said else error})",
              file=sys.stderr, flush=True)
        return None
    (HOME / "complete").touch()
    return found


def clean() -> dict[str, str]:
    """The environment, without what would lead another Python to this library."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}


@contextmanager
def peer(home: Path) -> Iterator[Any]:
    """ask(repeats, name) -> the answer of the other process."""
    programs = Path(__file__).with_name("hips_programs.py")
    with subprocess.Popen([home, "-P", programs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOME,
                          env=clean()) as process:
        def ask(repeats: object, name: str) -> float:
            assert process.stdin is not None and process.stdout is not None
            print(repeats, name, file=process.stdin, flush=True)
            answer = process.stdout.readline()
            if not answer:
                raise RuntimeError(f"HIPS autograd's process ended while it ran {name}")
            return float(answer)
        try:
            yield ask
        finally:
            assert process.stdin is not None
            process.stdin.close()


def rows() -> Iterator[Row]:
    """Gradients and products beside HIPS autograd; and what autograd.numpy costs on plain arrays."""
    home = python()
    if home is None:
        for name, make in PROGRAMS.items():
            yield missing(name, LIMIT, "HIPS autograd", alone(make()))
    else:
        with peer(home) as ask:
            for name, make in PROGRAMS.items():
                yield compared(name, make(), ask)
    yield on_arrays()


def compared(name: str, ours: Any, ask: Any) -> Row:
    """One program in both processes, in turn."""
    here, there = value_of(ours()), ask("value", name)
    if abs(here - there) > 1e-8 * abs(there):
        raise AssertionError(f"{name}: the two libraries do not compute the same: {here} and {there}")
    result = Duel([], [])
    with clean_heap():
        repeats = repeats_of(ours)
        for i in range(RUNS):
            for is_ours in (True, False) if i % 2 else (False, True):
                if is_ours:
                    result.ours.append(once(ours, repeats))
                else:
                    result.peers.append(ask(repeats, name))
    return times(name, LIMIT, "HIPS autograd", result)


def on_arrays() -> Row:
    """The worst of a few functions of autograd.numpy, less NumPy's own, on 8 floats."""
    import autograd.numpy as recorded
    a = np.ones(8)
    m = a > 0
    worst, which, both = -1.0, "", (0.0, 0.0)
    for call in PLAIN:
        code = compile(f"for _ in times: {call}", call, "exec")
        spent = []
        for home in (recorded, np):
            names = {"np": home, "a": a, "m": m, "times": range(1000)}
            spent.append(min(once(partial(exec, code, names), 1) for _ in range(RUNS)) / 1000)
        if spent[0] - spent[1] > worst:
            worst, which, both = spent[0] - spent[1], call, (spent[0], spent[1])
    return Row(f"autograd.numpy on plain arrays, the worst of {len(PLAIN)} calls: {which}",
               f"<= {duration(OVERHEAD)} above NumPy", duration(worst), duration(both[0]), duration(both[1]),
               worst <= OVERHEAD)
