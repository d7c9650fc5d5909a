"""Peak memory of forward and backward of a deep network, each library in a process of its own.

`python -m benchmarks.memory glassgrad` (or torch) prints what one of them needs, in bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .table import Row

ROOT = Path(__file__).resolve().parent.parent
LAYERS, WIDTH, BATCH, LIMIT, RUNS = 50, 1024, 256, 1.15, 5
UNIT = 1 if sys.platform == "darwin" else 1024           # of ru_maxrss, bytes there and KiB elsewhere


def resident(field: str) -> int:
    """VmRSS (now) or VmHWM (the most since the last reset), in bytes; the most of all times where there is no /proc."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource  # not on Windows
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def reset_peak() -> None:
    """Let VmHWM start from what is resident now, where the system allows it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def glassgrad() -> Any:
    """The program, model and data built: call it to run forward and backward once."""
    import numpy as np

    import nn
    from autograd import Tensor
    x = Tensor(np.random.default_rng(0).standard_normal((BATCH, WIDTH)).astype(np.float32))
    model = nn.Sequential(*[part for _ in range(LAYERS) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())])
    return lambda: model(x).sum().backward()


def torch() -> Any:
    """The same in PyTorch."""
    import numpy as np
    import torch
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((BATCH, WIDTH)).astype(np.float32))
    model = torch.nn.Sequential(*[part for _ in range(LAYERS)
                                  for part in (torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU())])
    return lambda: model(x).sum().backward()


def measured(program: Any) -> dict[str, int]:
    """Bytes resident before, and at most during, one run."""
    reset_peak()
    before = resident("VmRSS")
    program()
    return {"before": before, "peak": resident("VmHWM")}


def in_a_process(library: str) -> dict[str, int]:
    """What `measured` says in a fresh process; the least of a few, since other things only add."""
    runs = []
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-m", "benchmarks.memory", library], cwd=ROOT, check=True,
                              stdout=subprocess.PIPE, encoding="utf-8")
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: run["peak"])


def rows() -> Iterator[Row]:
    """What forward and backward add to the built model, and the whole process at its peak, beside PyTorch."""
    peer = in_a_process("torch") if find_spec("torch") else None
    ours = in_a_process("glassgrad")
    for what, of in ((f"memory of forward + backward, {LAYERS} x Linear({WIDTH}) + ReLU, batch {BATCH}: added",
                      lambda run: run["peak"] - run["before"]),
                     ("the same: peak of the process", lambda run: run["peak"])):
        here = of(ours)
        if peer is None:
            yield Row(what, f"<= {LIMIT} x PyTorch", "PyTorch is not installed", _mib(here), "-", None)
        else:
            there = of(peer)
            yield Row(what, f"<= {LIMIT} x PyTorch", f"{here / there:.2f} x", _mib(here), _mib(there),
                      here <= LIMIT * there)


def _mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"


if __name__ == "__main__":
    print(json.dumps(measured({"glassgrad": glassgrad, "torch": torch}[sys.argv[1]]())))
