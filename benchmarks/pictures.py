"""Pictures: a graph to SVG, beside torchviz's and torchview's way: one DOT node an op and a leaf, through `dot`.

Ours counts from the recorded tensor: reading the graph, folding, layout and SVG.  `dot` is given 20 seconds.
`python -m benchmarks.pictures deep` prints seconds and bytes of the largest graph, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import nn
import viz
from autograd import Tensor, record
from autograd.graph import Graph, graph

from .memory import UNIT
from .table import Row, duration
from .timing import clean_heap

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20.0                                # seconds for `dot`
MEMORY = 1.5                                   # GiB for 50,000 nodes
RUNS = 3


class Scene(NamedTuple):
    """One picture: how the tensor is computed, how it is drawn, and the seconds it may take."""

    what: str
    made: Callable[[], Tensor]
    options: dict[str, Any]
    limit: float
    beside: bool = True                        # whether `dot` is asked for it too


def skipping(ops: int) -> Tensor:
    """A chain of elementwise ops; every second one reads the input again."""
    x = y = Tensor(np.ones((4, 8), np.float32), requires_grad=True)
    for k in range(ops):
        y = y + x if k % 2 else y.tanh()
    return y


def network(layers: int) -> Tensor:
    """Linear and Tanh in turn, with modules and lines recorded."""
    parts = [part for _ in range(layers) for part in (nn.Linear(8, 8), nn.Tanh())]
    with record():
        return nn.Sequential(*parts)(Tensor(np.ones((4, 8), np.float32)))


def recurrent(steps: int) -> Tensor:
    """h = tanh(x U + h W + b), the three weights shared by all steps."""
    rng = np.random.default_rng(0)
    u, w = (Tensor(rng.standard_normal((8, 8)) / 4, requires_grad=True) for _ in range(2))
    b, h, loss = Tensor(np.zeros(8), requires_grad=True), Tensor(np.zeros((2, 8))), Tensor(0.0)
    for _ in range(steps):
        h = (Tensor(rng.standard_normal((2, 8))) @ u + h @ w + b).tanh()
        loss = loss + h.sum()
    return loss


OPEN = {"budget": None}
SCENES = (
    Scene("500 cards to SVG", lambda: skipping(500), OPEN, 0.3),
    Scene("500 cards to SVG, a network with modules", lambda: network(250), OPEN, 0.3),
    Scene("5,000 recorded nodes, folded", lambda: skipping(5000), {}, 0.5, beside=False),
    Scene("5,000 recorded nodes, all open", lambda: skipping(5000), OPEN, 2.0),
    Scene("5,000 recorded nodes in 2,500 modules, folded", lambda: network(1250), {}, 0.5, beside=False),
    Scene("5,000 recorded nodes in 2,500 modules, all open", lambda: network(1250), OPEN, 2.0),
    Scene("RNN of 500 steps with shared weights", lambda: recurrent(500), {}, 1.0),
    Scene("RNN of 500 steps with shared weights, all open", lambda: recurrent(500), OPEN, 2.0, beside=False),
)


def plain_dot(record: Graph) -> str:
    """The graph as torchviz writes it: every op, parameter and input a box, every use an arrow."""
    lines = ["digraph {", "node [shape=box fontsize=10]"]
    for node in record.nodes:
        lines.append(f'{node.id} [label="{node.op or node.name or node.kind}\\n{node.shape}"]')
        lines += [f"{a} -> {node.id}" for a in node.inputs]
    return "\n".join([*lines, "}"])


def by_dot(source: str) -> float | None:
    """Seconds that `dot` takes to SVG; None when it takes longer than anybody waits."""
    start = perf_counter()
    try:
        subprocess.run(["dot", "-Tsvg"], input=source.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=PATIENCE, check=True)
    except subprocess.TimeoutExpired:
        return None
    return perf_counter() - start


def seconds(result: Tensor, options: dict[str, Any]) -> float:
    """From the recorded tensor to the text of the SVG."""
    start = perf_counter()
    assert viz.draw(graph(result), **options).svg
    return perf_counter() - start


def rows() -> Iterator[Row]:
    """Every scene, and the largest graph in a process of its own."""
    for scene in SCENES:
        result = scene.made()
        with clean_heap():
            ours = sorted(seconds(result, scene.options) for _ in range(RUNS))
        peer = "-"
        if scene.beside:
            there = by_dot(plain_dot(graph(result))) if which("dot") else None
            peer = "no dot" if not which("dot") else f"dot: {duration(there)}" if there else f"dot: over {PATIENCE:g} s"
        yield Row(f"picture: {scene.what}", f"< {scene.limit:g} s", f"{ours[0]:.2f} / {ours[RUNS // 2]:.2f} s",
                  duration(ours[0]), peer, ours[RUNS // 2] < scene.limit)
    done = subprocess.run([sys.executable, "-m", "benchmarks.pictures", "deep"], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, encoding="utf-8")
    deep = json.loads(done.stdout)
    gib = deep["peak"] / 2**30
    yield Row("picture: 50,000 recorded nodes", f"< 10 s, < {MEMORY:g} GiB", f"{deep['seconds']:.2f} s, {gib:.2f} GiB",
              duration(deep["seconds"]), "-", deep["seconds"] < 10 and gib < MEMORY)


def deepest() -> dict[str, float]:
    """50,000 nodes, drawn as `draw` does by default."""
    result = skipping(50_000)
    taken = seconds(result, {})
    import resource  # not on Windows
    return {"seconds": taken, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT}


if __name__ == "__main__":
    print(json.dumps(deepest()))
