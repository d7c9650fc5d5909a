"""Long graphs: nothing recurses, nothing is quadratic, and memory comes back."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from autograd import Tensor
from autograd.graph import Graph, trace

ROOT = Path(__file__).resolve().parents[2]


def chain(n):
    def f(x):
        for _ in range(n // 2):
            x = (x * 0.5).sin()
        return x
    return f


def test_a_chain_does_all_it_can():
    f, n = chain(1000), 1501
    g = trace(f)(Tensor(0.5, requires_grad=True))
    assert len(g.nodes) == n and len(str(g).splitlines()) == n + 1 and len(repr(g).splitlines()) == 242
    assert g(np.float32(0.25)) == f(Tensor(np.float32(0.25))).item()
    grads = g.backward()
    shorter = grads.simplify()
    x = Tensor(np.float32(0.25), requires_grad=True)
    f(x).backward()
    assert np.isclose(grads(x.value)["x"], x.grad.item()) and np.isclose(shorter(x.value)["x"], x.grad.item())
    assert Graph.from_json(g.to_json()) == g and not g.diff(g) and grads.diff(shorter)


@pytest.mark.slow
def test_a_million_nodes_trace_print_differentiate_and_are_freed():
    program = '''
import gc, resource
import numpy as np
import autograd
from autograd import Tensor
gc.collect(); gc.disable()

def f(x):
    for _ in range(500_000):
        x = -(x + x)
    return x

g = autograd.graph.trace(f)(Tensor(0.0, requires_grad=True))
assert len(g.nodes) == 1_000_001
text = str(g)
assert text.count(chr(10)) == 1_000_001 and text.endswith("return %1000000")
del text
grads = g.backward()
assert len(grads.nodes) > 1_000_000 and grads(np.float32(0.0)) is not None
del g, grads
assert gc.collect() == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
'''
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 4500, "MiB at the most: two graphs, and the record that the second was read from"


def test_memory_comes_back_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        g = trace(chain(600))(Tensor(np.full(3, 0.5), requires_grad=True))
        grads = g.backward().simplify()
        held = [weakref.ref(k.nodes[0].data) for k in (g, grads)]
        del g, grads
        assert all(r() is None for r in held) and gc.collect() == 0
    finally:
        gc.enable()
