"""One level of the layout, drawn by the page's own program and by the Python one: the same to a tenth of a point."""

import random

import pytest

from viz.layered import Box, Edge, draw
from viz.offline.document import program

pytestmark = pytest.mark.slow


def level(seed):
    """Boxes of random sizes, some of them pinned as borders are, and edges that go forward."""
    rng = random.Random(seed)
    count = rng.randint(1, 40)
    boxes = [Box(float(rng.randint(20, 200)), float(rng.randint(20, 90))) for _ in range(count)]
    edges = []
    for _ in range(rng.randint(0, 3 * count)):
        a, b = sorted(rng.sample(range(count), 2)) if count > 1 else (0, 0)
        if a != b:
            label = rng.choice([0.0, 0.0, 24.0])
            edges.append(Edge(a, b, boxes[a].across / 2, boxes[b].across / 2, label, 12.0 if label else 0.0,
                              rng.random() < 0.5))
    if count > 3 and rng.random() < 0.5:
        fed = rng.randrange(count)
        edges.append(Edge(count, fed, 0.0, boxes[fed].across / 2))
        boxes.append(Box(0.0, 0.0, -1))
    return boxes, edges


def test_both_programs_draw_the_same(chromium):
    levels = [level(seed) for seed in range(24)]
    cases = [[[b._asdict() for b in boxes], [e._asdict() for e in edges]] for boxes, edges in levels]
    source = program().removeprefix("(() => {").removesuffix("begin();\n\n})();")
    tab = chromium.new_page()
    drawn = tab.evaluate(f"(cases) => {{{source}\nreturn cases.map(([b, e]) => drawLevel(b, e, 26, 34, 14));}}", cases)
    tab.close()
    for (boxes, edges), theirs in zip(levels, drawn, strict=True):
        ours = draw(boxes, edges, gap=26.0, rank_gap=34.0, ends=14.0)
        assert theirs["across"] == pytest.approx(ours.across, abs=0.1)
        assert theirs["along"] == pytest.approx(ours.along, abs=0.1)
        for ours_at, at in zip(ours.corners, theirs["corners"], strict=True):
            assert at == pytest.approx(ours_at, abs=0.1)
        for ours_route, route in zip(ours.routes, theirs["routes"], strict=True):
            for p, q in zip(ours_route, route, strict=True):
                assert q == pytest.approx(p, abs=0.1)
        for ours_label, label in zip(ours.labels, theirs["labels"], strict=True):
            assert (label is None) == (ours_label is None)
            assert label is None or label == pytest.approx(ours_label, abs=0.1)
