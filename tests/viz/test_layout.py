"""The built-in layout: nothing overlaps, every wire goes forward, frames hold what is theirs."""

import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz.compose import scene
from viz.layered import Box, Edge, draw
from viz.layout import layout
from viz.reverse import backward
from viz.view import view


@st.composite
def programs(draw_):
    """Random computations in random modules: (arguments, module) of each op."""
    count = draw_(st.integers(1, 24))
    return [(draw_(st.lists(st.integers(1, 8), min_size=1, max_size=3)), draw_(st.sampled_from(["", "a", "a.b", "c"])))
            for _ in range(count)]


def boxes(s, p):
    for card in s.cards:
        x, y = p.cards[card.key]
        yield card.key, x, y, x + card.width, y + card.height


def check(s, p):
    rooms = list(boxes(s, p))
    for (a, ax, ay, bx, by), (b, cx, cy, dx, dy) in combinations(rooms, 2):
        assert ax >= dx or cx >= bx or ay >= dy or cy >= by, f"{a} and {b} overlap"
    along = 1 if s.rankdir == "TB" else 0
    where = {key: ((x, y), (z, w)) for key, x, y, z, w in rooms}
    for wire, points in zip(s.wires, p.wires, strict=True):
        assert len(points) % 3 == 1
        assert points[0][along] <= where[wire.source][1][along] + 0.01
        assert points[-1][along] == pytest.approx(where[wire.target][0][along], abs=14.1)      # a badge may stand out
        steps = [b[along] - a[along] for a, b in pairwise(points[::3])]
        assert min(steps) >= -0.01, "a wire goes back"
    for card in s.cards:
        group = card.group
        while group >= 0:
            x, y, w, h = p.frames[group]
            _, ax, ay, bx, by = next(room for room in rooms if room[0] == card.key)
            assert x <= ax and y <= ay and bx <= x + w + 0.01 and by <= y + h + 0.01, f"{card.key} stands out"
            group = s.frames[group].parent
    for x, y, w, h in p.frames:
        assert x >= 0 and y >= 0 and x + w <= p.width and y + h <= p.height


@given(programs(), st.sampled_from(["TB", "LR"]))
@settings(max_examples=150, deadline=None)
def test_random_computations(maker, program, rankdir):
    m = maker()
    ids = [m.input(requires_grad=True)]
    for back, module in program:
        ids.append(m.op("tanh", tuple(ids[max(0, len(ids) - k)] for k in back), module=module))
    v = view(m.graph(ids[-1]))
    for seen in (v, backward(v)):
        s = scene(seen, rankdir)
        check(s, layout(s))


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("name", ["scalars", "mlp", "residual"])
def test_known_graphs(graphs, name, rankdir):
    v = view(graphs[name]())
    for seen in (v, backward(v)):
        s = scene(seen, rankdir)
        check(s, layout(s))


def test_a_chain_is_straight(graphs):
    s = scene(view(graphs["mlp"]()))
    for points in layout(s).wires:
        assert max(x for x, _ in points) - min(x for x, _ in points) < 0.01


def test_a_wire_round_a_block_stays_in_its_frame(graphs):
    s = scene(view(graphs["residual"](1)))
    p = layout(s)
    frame = next(k for k, f in enumerate(s.frames) if f.path == "blocks.0")
    x, _, w, _ = p.frames[frame]
    inside = {card.key for card in s.cards if card.group == frame}
    skip = max(a for wire, points in zip(s.wires, p.wires, strict=True) if wire.target in inside for a, _ in points)
    assert x < skip < x + w


def test_crossings_are_removed():
    edges = [Edge(a, b, 5, 5) for a, b in ((0, 5), (1, 4), (2, 3), (3, 6), (4, 6), (5, 6))]
    level = draw([Box(10, 10) for _ in range(7)], edges, gap=10, rank_gap=20)
    x = [corner[0] for corner in level.corners]
    assert sorted(range(3), key=lambda v: x[v]) == [5 - v for v in sorted(range(3, 6), key=lambda v: x[v])]


def test_long_edges_are_straight_beside_the_ranks_they_pass():
    n = 12
    edges = [Edge(k, k + 1, 20, 20) for k in range(n - 1)] + [Edge(0, n - 1, 20, 20)]
    level = draw([Box(40, 20) for _ in range(n)], edges, gap=10, rank_gap=20)
    inner = {round(x, 3) for x, y in level.routes[-1] if level.corners[1][1] <= y <= level.corners[n - 2][1]}
    assert len(inner) == 1


def test_long_edges_from_one_place_share_a_trunk():
    n = 10
    edges = [Edge(k, k + 1, 20, 20) for k in range(n - 1)] + [Edge(0, k, 20, 20) for k in range(2, n)]
    level = draw([Box(40, 20) for _ in range(n)], edges, gap=10, rank_gap=20)
    trunks = {max(x for x, _ in level.routes[k]) for k in range(n - 1, len(edges))}
    assert len(trunks) == 1 and level.across < 80
    assert max(len(route) for route in level.routes) < 20  # straight pieces are one piece


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="layout: expected a graph without cycles"):
        draw([Box(1, 1), Box(1, 1)], [Edge(0, 1, 0, 0), Edge(1, 0, 0, 0)], gap=1, rank_gap=1)


def test_nothing_is_nothing():
    assert draw([], [], gap=1, rank_gap=1).along == 0


def test_five_thousand_cards_in_bounded_time(graphs):
    s = scene(view(graphs["chain"](5000), budget=None))
    start = time.perf_counter()
    p = layout(s)
    assert time.perf_counter() - start < 5
    assert len(p.cards) == 5002


def test_a_chain_fed_from_the_side_stays_straight():
    """x0 -> s0 -> s1 -> ...: every step reads one more source of its own, and a weight that all steps share."""
    n = 30
    boxes = [Box(80.0, 30.0) for _ in range(3 * n + 1)]             # sources, what reads them, steps; the weight
    edges = []
    for k in range(n):
        edges += [Edge(k, n + k, 40.0, 40.0), Edge(3 * n, n + k, 40.0, 40.0), Edge(n + k, 2 * n + k, 40.0, 40.0)]
        edges += [Edge(2 * n + k - 1, 2 * n + k, 40.0, 40.0)] if k else []
    level = draw(boxes, edges, gap=26.0, rank_gap=34.0)
    across = [level.corners[2 * n + k][0] for k in range(2, n)]
    assert max(across) - min(across) < 1.0                          # the steps stand in one line
    assert level.across < 6 * 106.0                                 # not one column for each source
    for k in range(2, n - 1):                                       # a source stands just above what reads it
        assert 0 < level.corners[n + k][1] - level.corners[k][1] < 100.0
