"""What a page holds of a graph, and the steps of a backward pass, without a browser."""

import base64
import json
import re
import zlib

import pytest

from viz.drawing import draw
from viz.fold import Ops
from viz.offline import animated, inline, page
from viz.offline.arithmetic import evaluated
from viz.offline.inset import MOST_SCRIPT, script
from viz.offline.stepping import order, steps
from viz.offline.units import tree, turns
from viz.offline.walk import walk


def record(text):
    packed = re.search(r'<script id="graph"[^>]*>([^<]*)</script>', text)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed)))


# -- what can be folded -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [2, 6, 200])
def test_units_nest_and_hold_all_ops(graphs, blocks):
    ops = Ops(graphs["residual"](blocks))
    folds = tree(ops).folds
    for k, fold in enumerate(folds):
        assert 0 <= fold.start < fold.stop <= len(ops.ids)
        if fold.parent >= 0:
            around = folds[fold.parent]
            assert fold.parent < k and around.start <= fold.start and fold.stop <= around.stop
        siblings = [f for f in folds if f.parent == fold.parent and f is not fold]
        assert all(f.stop <= fold.start or fold.stop <= f.start for f in siblings)


def test_a_repeat_opens_into_its_turns(graphs):
    ops = Ops(graphs["residual"](6))
    folds = tree(ops).folds
    repeat = next(k for k, fold in enumerate(folds) if fold.form == "repeat")
    assert [f.path for f in folds if f.parent == repeat] == [f"blocks.{k}" for k in range(6)]
    assert [len(t) for t in turns(folds[repeat], ops)] == [6] * 6


def test_nothing_opens_into_more_than_can_be_seen(graphs):
    folds = tree(Ops(graphs["chain"](5000))).folds
    children = [sum(f.parent == k for f in folds) for k in range(-1, len(folds))]
    assert max(children) <= 150 and any(f.form == "part" for f in folds)


# -- the backward pass ------------------------------------------------------------------------------------------


def test_the_order_is_that_of_the_sweep(maker):
    m = maker()
    x, y = m.leaf("input", "x", requires_grad=True), m.leaf("input", "y")
    a = m.op("exp", (x,), ())
    m.op("exp", (y,), ())                                   # no gradient
    unused = m.op("sin", (a,), ())
    b = m.op("add", (a, y), ())
    assert order(m.graph(b)) == [b, a] and unused not in order(m.graph(b))
    assert steps(m.graph(y)) == []


def test_contributions_add_up_to_the_recorded_gradient():
    """The expression of micrograd's README: its gradients are 138.8338 and 645.5773."""
    from autograd import Tensor
    from autograd import record as recording
    from autograd.graph import graph
    a, b = Tensor(-4.0, requires_grad=True, dtype="float64"), Tensor(2.0, requires_grad=True, dtype="float64")
    with recording():
        c = a + b
        d = a * b + b**3
        c = c + c + 1
        c = c + 1 + c + (-a)
        d = d + d * 2 + (b + a).relu()
        d = d + 3 * d + (b - a).relu()
        f = (c - d) ** 2
        g = f / 2.0 + 10.0 / f
        g.backward()
    lines = [line for step in steps(graph(g)) for line in step.lines]
    assert any(line.endswith("= 138.8338") for line in lines) and any(line.endswith("= 645.5773") for line in lines)


def test_memory_is_freed_step_by_step(maker):
    m = maker()
    h = m.leaf("input", "x", (4,), requires_grad=True)
    for size in (16, 0, 64):
        h = m.op("exp", (h,), (4,), saved=("out",) if size else (), saved_bytes=size)
    told = steps(m.graph())
    assert [s.alive for s in told] == [16, 16, 0]
    assert [s.freed for s in told] == ["frees out: 64 B", "", "frees out: 16 B"]


@pytest.mark.parametrize("rule, names, text, value", [
    ("g * y", {"g": 0.5, "y": -3.0}, "0.5 * (-3.0)", -1.5),
    ("g * (1 - out * out)", {"g": 1.0, "out": 0.5}, "1.0 * (1 - 0.5 * 0.5)", 0.75),
    ("where(out > 0, g, 0)", {"g": 2.0, "out": -1.0}, "where((-1.0) > 0, 2.0, 0)", 0.0),
    ("keep(g, ~(out <= 0))", {"g": 2.0, "out": 1.0}, "keep(2.0, ~(1.0 <= 0))", 2.0),
])
def test_rules_are_filled_with_numbers(rule, names, text, value):
    assert evaluated(rule, names) == (text, value)


@pytest.mark.parametrize("rule", [
    "g @ y.mT", "open('x')", "g.__class__", "().__class__", "[g for g in x]", "g * unknown", "10 ** 10 ** 10", "1 / 0",
    "lambda: g", "g[0]", "x" * 1000, "(" * 200 + ")" * 200, "exp(g, g)", "where(g)", "", "print(g)", "g if g else g",
])
def test_what_is_no_arithmetic_has_no_number(rule):
    assert evaluated(rule, {"g": 1.0, "x": 2.0}) is None


def test_steps_inside_a_closed_card_are_one_stop(graphs):
    drawing = draw(graphs["residual"](6), depth=0)
    told = walk(drawing)
    assert [stop.title for stop in told.stops] == [
        "step 1/41: nll_loss: gx = softmax - onehot", "steps 2 to 3 of 41: head: Linear",
        "steps 4 to 39 of 41: blocks: Sequential", "steps 40 to 41 of 41: embed: Linear"]
    assert {key for stop in told.stops for key in stop.keys} <= {card.key for card in drawing.scene.cards}


def test_a_leaf_has_its_gradient_after_its_last_use(graphs):
    told = walk(draw(graphs["scalars"]()))
    assert told.reached == {"n5": 0, "n4": 1, "n3": 2, "n2": 1, "n0": 2, "n1": 2}


# -- the page ---------------------------------------------------------------------------------------------------


def test_it_is_one_file_that_may_fetch_nothing(graphs):
    text = page(graphs["residual"]())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe-eval" not in policy
    assert not re.findall(r'(?:src|href)="(?!data:)[^"#]', text) and "@import" not in text and "url(" not in text


def test_the_same_graph_gives_the_same_page(graphs):
    assert page(graphs["mlp"]()) == page(graphs["mlp"]())


def test_theme_and_title(graphs):
    graph = graphs["mlp"]()
    assert 'data-theme="auto"' in page(graph) and 'data-theme="dark"' in page(draw(graph, theme="dark"))
    assert "<title>a &lt;b&gt;</title>" in page(graph, title="a <b>", theme="contrast")
    with pytest.raises(ValueError, match=r"expected theme='auto' or 'light'.*got 'pink'"):
        page(graph, theme="pink")
    with pytest.raises(TypeError, match=r"expected a Drawing or a Graph; got int.*page\(viz.draw"):
        page(3)


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_every_kind_of_drawing_becomes_a_page(graphs, direction):
    found = record(page(draw(graphs["mlp"](), direction=direction)))
    assert len(found["cards"]["ops"]) == 7 and len(found["steps"]["node"]) == 7
    assert found["backward"] == (direction == "backward")


def test_the_page_begins_as_open_as_the_drawing(graphs):
    graph = graphs["residual"](2)
    paths = [record(page(draw(graph, depth=depth))) for depth in (0, 1, 9)]
    opened = [{found["texts"][found["units"]["path"][u]] for u in found["open"]} for found in paths]
    assert opened[0] == set() and opened[1] == {"embed", "blocks", "head"}
    assert opened[2] > opened[1] | {"blocks.0", "blocks.1", "blocks.0.fc1"}


def test_numbers_that_json_has_no_form_for(maker):
    m = maker()
    m.op("log", (m.leaf("input", "x", value=float("-inf"), requires_grad=True),), (), value=float("nan"))
    found = record(page(m.graph()))
    assert found["nodes"]["value"] == [["−∞"], ["NaN"]]


def test_small_arrays_are_told_number_by_number():
    import numpy as np

    from autograd import Tensor
    from autograd.graph import trace
    found = record(page(trace(lambda x: x.exp())(Tensor(np.arange(6.0).reshape(2, 3)))))
    assert "[0, 1, 2; 3, 4, 5]" in found["texts"]


# -- notebooks and slides ---------------------------------------------------------------------------------------


def test_an_inset_is_small_and_scoped(graphs):
    assert len(script()) < MOST_SCRIPT
    one, two = inline(draw(graphs["mlp"]())), inline(draw(graphs["residual"]()))
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    assert "SCOPE" not in one and one.count("<script>") == one.count("</script>") == 1


def test_a_moving_svg_is_well_formed_and_whole_at_rest(graphs):
    from xml.etree import ElementTree
    drawing = draw(graphs["residual"](6))
    root = ElementTree.fromstring(animated(drawing))
    assert float(root.get("width")) == pytest.approx(drawing.width, abs=0.1)
    assert float(root.get("height")) > drawing.height
    assert "prefers-reduced-motion" in animated(drawing) and "<script" not in animated(drawing)


def test_where_nothing_flows_the_picture_is_still(maker):
    m = maker()
    m.op("exp", (m.input(),))
    drawing = draw(m.graph())
    assert "@keyframes" not in animated(drawing)
    assert '"steps":[]' in inline(drawing).replace("&quot;", '"')


def test_rings_are_seen_on_every_theme():
    from viz.offline.colours import style
    from viz.theme import THEMES, contrast
    rules = style()
    for name, theme in THEMES.items():
        ring = re.search(rf':root\[data-theme="{name}"\]{{color-scheme:(?:light|dark);--focus:(#\w+);', rules)[1]
        assert contrast(ring, theme["page"]) >= 4.5 and contrast(ring, theme["module"]) >= 4.5
