"""The work of a picture is bounded for every graph: counted in calls of functions, which no busy machine changes."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz.compose import scene
from viz.layered import MOST_BENDS, Box, Edge, draw
from viz.layout import layout
from viz.paint import sheet
from viz.svg import svg
from viz.theme import THEMES
from viz.view import view

EACH = 3000                                    # calls for each op, card, frame and wire, bends of long wires included
ALWAYS = 20_000                                # legend, tables, first use


def calls_of(program):
    """How many functions the program calls, Python's own among them."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        result = program()
    finally:
        sys.setprofile(before)
    return count, result


def painted(seen):
    s = scene(seen, "TB")
    return s, svg(sheet(s, layout(s), ()), THEMES["light"])


def check(maker, seed, ops, fan, reach, modules, everything):
    rng, m = np.random.default_rng(seed), maker()
    ids = [m.input(requires_grad=True)]
    for _ in range(ops):
        inputs = tuple(ids[-int(k)] for k in rng.integers(1, min(reach, len(ids)) + 1, rng.integers(1, fan + 1)))
        path = ".".join(str(rng.integers(0, 4)) for _ in range(modules))
        ids.append(m.op("add", inputs, module=path))
    count, (s, text) = calls_of(lambda: painted(view(m.graph(ids[-1]), budget=None if everything else 150)))
    size = ops * (1 + modules) + len(s.cards) + len(s.wires) + len(s.frames)
    assert count <= ALWAYS + EACH * size
    assert text.rstrip().endswith("</svg>")


SHAPES = {"seed": st.integers(0, 2**32 - 1), "fan": st.integers(1, 6), "reach": st.sampled_from([1, 5, 100, 2000]),
          "modules": st.integers(0, 3), "everything": st.booleans()}


@given(**SHAPES, ops=st.sampled_from([1, 30, 200]))
@settings(max_examples=12, deadline=None)
def test_random_graphs(maker, seed, ops, fan, reach, modules, everything):
    check(maker, seed, ops, fan, reach, modules, everything)


@pytest.mark.slow
@given(**SHAPES, ops=st.integers(500, 2000))
@settings(max_examples=6, deadline=None)
def test_large_random_graphs(maker, seed, ops, fan, reach, modules, everything):
    check(maker, seed, ops, fan, reach, modules, everything)


@pytest.mark.parametrize("everything", [False, True])
def test_graphs_of_equal_steps(maker, everything):
    """Nothing repeats, and every step looks like every other: the search for repeats must not look at all pairs."""
    check(maker, 0, 700, 6, 5, 0, everything)


@pytest.mark.parametrize("n", [300, 1500])
def test_long_edges_beside_one_another(n):
    """Every box is read by the last ones: n²/2 bends if each edge bent at every rank it passes."""
    boxes = [Box(40, 20) for _ in range(n)]
    edges = [Edge(k, k + 1, 20, 20) for k in range(n - 1)] + [Edge(k, n - 1 - k % 7, 20, 20) for k in range(n - 9)]
    count, level = calls_of(lambda: draw(boxes, edges, gap=10, rank_gap=20))
    assert sum(map(len, level.routes)) <= 8 * (len(edges) + MOST_BENDS)
    assert count <= ALWAYS + EACH * (n + len(edges))


@pytest.mark.slow
def test_a_chain_of_100_000(graphs):
    graph = graphs["chain"](100_000)
    s, text = painted(view(graph))
    assert len(s.cards) < 200 and len(text) < 1_000_000
