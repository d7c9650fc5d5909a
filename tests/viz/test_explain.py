"""explain: the products along all ways add up to the gradient, and what is written is what was computed."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd import Tensor
from viz.chain import cone
from viz.chain.explaining import explain


def micrograd(a, b):
    """The expression of the front page of micrograd."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def scalars():
    a = Tensor(-4.0, requires_grad=True, name="a")
    b = Tensor(2.0, requires_grad=True, name="b")
    g = micrograd(a, b)
    g.name = "g"
    return g, a, b


def network(sizes=(6, 5, 4), n=3, dtype=np.float64):
    ag.manual_seed(0)
    rng = np.random.default_rng(0)
    layers = []
    for i, o in pairwise(sizes):
        layers += [nn.Linear(i, o), nn.Tanh()]
    model = nn.Sequential(*layers[:-1])
    if dtype == np.float64:
        model = model.double()
    x, y = rng.standard_normal((n, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], n)
    return model, x, y


def recorded(**options):
    model, x, y = network(**options)
    with ag.record():
        loss = nn.functional.cross_entropy(model(Tensor(x)), y)
    return model, loss


def adds_up(explanation, gradient):
    """All that is shown, to 1e-12 of the absolute terms, or of 1: inside of a normalization more cancels.

    Each term is the product of its factors, each way a chain.
    """
    chain = explanation.chains[0]
    near = 1e-12 * max(1.0, chain.absolute) if chain.absolute > 1e-6 else 1e-12 * chain.absolute + 1e-300
    assert math.fsum([*[t.value for t in chain.terms], chain.rest]) == pytest.approx(gradient, rel=0, abs=near)
    assert explanation.gradient == pytest.approx(gradient, rel=0, abs=near)
    sizes = [abs(t.value) for t in chain.terms]
    assert all(a >= b * (1 - 1e-9) for a, b in pairwise(sizes))
    for term in chain.terms:
        assert math.prod([f.slope for f in term.factors]) == pytest.approx(term.value, rel=1e-12)
        ends = [(chain.node, chain.at), *[(f.target, f.to) for f in term.factors]]
        assert ends[:-1] == [(f.source, f.at) for f in term.factors]
        assert ends[-1] == (explanation.end, 0)
    assert len({t.factors for t in chain.terms}) == len(chain.terms)


def balanced(text):
    """Braces, environments and \\left \\right match, and nothing LaTeX would stumble over is left."""
    bare = text.replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left\W", text)) == len(re.findall(r"\\right\W", text))
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") > 0
    assert text.isascii()
    for body in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", text, re.S):
        for line in body.split("\\\\\n"):
            marks = len(re.findall(r"(?<!\\)&", line))
            assert line.strip() and 1 <= marks <= 3 and ("=" in line or "further" in line)


# -- a graph of scalars -------------------------------------------------------------------------------


def test_the_example_of_micrograd():
    g, a, b = scalars()
    whole = explain(g, most=40)
    assert [round(c.derivative, 4) for c in whole.chains] == [138.8338, 645.5773]
    text = whole.text
    assert "∂g/∂a = 138.8338, ∂g/∂b = 645.5773" in text
    for line in ("= 24.5 + 0.2041 = 24.7041", "= 3 · b² = 3 · 2² = 12", " > 0] = [-2 > 0] = 0"):
        assert line in text
    for one, leaf in zip(whole.chains, (a, b), strict=True):
        assert one.others == 0 and one.rest == 0
        assert explain(g, leaf).gradient == one.derivative
    g.backward()
    adds_up(explain(g, a, most=7), 138.83381924198252)
    assert whole.chains[1].derivative == pytest.approx(b.grad.item(), rel=1e-6)


def test_every_line_of_the_derivation_is_true():
    """The numbers in each line, worked out again from what is written."""
    g, _, _ = scalars()
    said = explain(g).text
    checked = 0
    for line in said.splitlines():
        parts = [p.strip() for p in line.split(" = ")]
        if not line.startswith("   ") or len(parts) < 3 or "relu" in line or "engine" in line:
            continue
        filled = parts[-2].replace("·", "*").replace("²", "**2").replace("³", "**3")
        if re.fullmatch(r"[-+*/(). \d\[\]>e]+", filled):
            worth = eval(re.sub(r"\[(.*?)\]", r"(\1)", filled))
            assert float(worth) == pytest.approx(float(parts[-1]), rel=2e-3, abs=2e-3), line
            checked += 1
    assert checked > 50


def test_formula_of_tanh():
    u = Tensor(np.float64(0.8813735870195432), requires_grad=True, name="u")
    y = u.tanh()
    assert re.search(r"∂y/∂u = 1 - y² = 1 - 0.7071² = 0.5", explain(y, u).text)
    assert r"\frac{\partial y}{\partial u} &= 1 - y^{2} = 1 - 0.7071^{2} = 0.5" in explain(y, u).latex


@pytest.mark.parametrize("f", [
    lambda x, y: x / y, lambda x, y: x ** y, lambda x, y: (x * y).exp().log(),
    lambda x, y: (x - y).sigmoid() * x.sqrt(), lambda x, y: x.sin() * y.cos() + (x * x).tan(),
    lambda x, y: x.maximum(y) * x.minimum(y),
    lambda x, y: (x.relu() + y.abs()) / (x * x * x), lambda x, y: ag.silu(x) * ag.gelu(y) + ag.softplus(x * y),
    lambda x, y: ag.leaky_relu(-x) * y.rsqrt(), lambda x, y: ag.hypot(x, y) + ag.atan2(x, y), lambda x, y: x * x + x,
])
def test_formulas_give_the_numbers(f):
    x, y = (Tensor(np.float64(v), requires_grad=True, name=n) for v, n in ((0.7, "x"), (1.3, "y")))
    out = f(x, y)
    found = explain(out)
    out.backward()
    for chain, leaf in zip(found.chains, (x, y), strict=False):
        assert chain.derivative == pytest.approx(leaf.grad.item(), rel=1e-12)
        assert math.fsum(t.value for t in chain.terms) == pytest.approx(leaf.grad.item(), rel=1e-12)
    balanced(found.latex)


def test_ways_of_one_operand_used_twice():
    x = Tensor(np.float64(3.0), requires_grad=True, name="x")
    found = explain(x * x, x)
    assert found.count == 2 and [t.value for t in found.terms] == [3.0, 3.0]
    assert "as operand 1" in found.text and "as operand 2" in found.text


OPS = [
    lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a.tanh(), lambda a, b: a.sin() * 2,
    lambda a, b: a / (b * b + 1), lambda a, b: (a * 0.5).exp(), lambda a, b: a.relu() + 0.25 * b,
]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 10), st.integers(0, 10)), min_size=1, max_size=9),
       st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_random_programs_of_scalars(steps, values):
    made = [Tensor(np.float64(v), requires_grad=True, name=f"x{k}") for k, v in enumerate(values)]
    leaves = list(made)
    for op, i, j in steps:
        made.append(OPS[op](made[i % len(made)], made[j % len(made)]))
    out = made[-1]
    for leaf in leaves:
        leaf.grad = None
    out.backward(retain_graph=True)
    for leaf in leaves:
        if leaf.grad is not None:
            adds_up(explain(out, leaf, most=5), leaf.grad.item())
            everything = explain(out, leaf, most=10_000)
            assert everything.rest == 0
            adds_up(everything, leaf.grad.item())
            balanced(everything.latex)
            assert everything.ascii.isascii()


# -- tensors ------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@example(120, ["relu", "layer_norm"])                     # the slopes of a normalization cancel
@given(st.integers(0, 10_000), st.lists(st.sampled_from(["tanh", "relu", "softmax", "layer_norm", "linear", "skip",
                                                         "square", "center"]), min_size=1, max_size=4))
def test_random_networks(seed, parts):
    rng = np.random.default_rng(seed)
    w = Tensor(rng.standard_normal((3, 3)), requires_grad=True, name="w")
    x = Tensor(rng.standard_normal((2, 3)))
    with ag.record():
        h = x @ w
        for part in parts:
            h = {"tanh": lambda h: h.tanh(), "relu": lambda h: h.relu(), "softmax": lambda h: h.softmax(-1),
                 "layer_norm": lambda h: nn.functional.layer_norm(h, (3,)), "linear": lambda h: h @ w.T,
                 "skip": lambda h: h + h.tanh(), "square": lambda h: h * h,
                 "center": lambda h: h - h.mean(0, keepdim=True)}[part](h)
        loss = (h * h).sum()
    at = tuple(int(k) for k in rng.integers(0, 3, 2))
    loss.backward(retain_graph=True)
    adds_up(explain(loss, w, at, most=4), w.grad.numpy()[at])
    if explain(loss, w, at).count < 3_000:
        everything = explain(loss, w, at, most=3_000)
        assert everything.rest == 0
        adds_up(everything, w.grad.numpy()[at])


def test_a_network_and_every_way_to_ask():
    model, loss = recorded()
    w = model[0].weight
    loss.backward(retain_graph=True)
    gradient = w.grad.numpy()[1, 2]
    asked = [explain(loss, w[1, 2]), explain(w[1, 2], loss), explain(loss, w, (1, 2)), explain(loss, w[1][2]),
             explain(loss, w.T[2, 1]), explain(loss, w.reshape(-1)[8]), explain(loss, w, (-4, -4)),
             explain(loss.graph(), "model.0.weight" if "model.0.weight" in loss.graph().parameters else "0.weight",
                     (1, 2)), explain(loss.graph(), "0.weight[1, 2]")]
    for found in asked:
        adds_up(found, gradient)
        assert found.chains[0].at == 8
    assert asked[0].count == 3 * 4                       # examples × classes, through one hidden unit


def test_a_step_inside_is_explained_too():
    model, x, y = network()
    with ag.record():
        hidden = model[1](model[0](Tensor(x)))
        loss = nn.functional.cross_entropy(model[2](hidden), y)
    hidden.retain_grad()
    loss.backward()
    adds_up(explain(loss, hidden[1, 2]), hidden.grad.numpy()[1, 2])


def test_inputs_without_a_gradient_are_explained():
    graph = ag.trace(lambda x: (x * x).sum())(np.arange(4.0))
    assert explain(graph, "x[3]").gradient == 6.0


def test_formulas_of_tensors_give_the_numbers():
    _, loss = recorded()
    found = explain(loss, "0.weight[1, 2]", most=3)
    said = found.text
    assert "2.weight[" in said and "softmax(" in said and "1 - v2[" in said
    for line in said.splitlines():
        parts = line.split(" = ")
        numbers = re.match(r"-?[\d.e-]+", parts[-1].strip())
        if line.lstrip().startswith("∂") and len(parts) == 4 and numbers:
            worth = eval(parts[2].replace("²", "**2").replace("·", "*"))
            assert worth == pytest.approx(float(numbers[0]), rel=1e-2)


def test_float32_is_explained_in_float64():
    model, loss = recorded(dtype=np.float32)
    loss.backward(retain_graph=True)
    found = explain(loss, model[0].weight, (0, 1))
    assert found.gradient == pytest.approx(float(model[0].weight.grad.numpy()[0, 1]), rel=1e-5)
    assert "float64" in found.text


def test_astronomically_many_ways_are_counted_and_the_largest_found():
    model, loss = recorded(sizes=(8, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 5), n=4)
    found = explain(loss, model[0].weight[0, 1], most=6)
    assert found.count == 4 * 12 ** 14 * 5               # more than a float counts
    loss.backward()
    adds_up(found, model[0].weight.grad.numpy()[0, 1])
    assert f"{4 * 12 ** 14 * 5 - 6:,} further ways" in found.text


@pytest.mark.slow
def test_more_ways_than_a_float_holds():
    rng = np.random.default_rng(0)
    w = Tensor(rng.standard_normal((11, 11)) / 4, requires_grad=True, name="w")
    with ag.record():
        h = start = Tensor(np.ones((1, 11)), requires_grad=True, name="start")
        for _ in range(300):
            h = h @ w
        loss = h.sum()
    found = explain(loss, start[0, 0], most=1)
    assert found.count == 11 ** 300
    loss.backward()
    adds_up(found, start.grad.numpy()[0, 0])
    assert "further ways" in found.text and "more than 1e308" in found.text


def test_groups_by_what_ways_go_through():
    rng = np.random.default_rng(0)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(6, 6).double()

        def forward(self, x):
            return x + self.inner(x).tanh()

    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6).double(), Block(), Block())
    graph = ag.trace(lambda x: (model(x) ** 2).sum())(rng.standard_normal((3, 6)))
    found = explain(graph, "0.weight[0, 1]", most=3)
    routes = found.chains[0].routes
    assert len(routes) == 4                              # through or past each block
    assert sum(r.ways for r in routes) == found.count
    assert math.fsum(r.value for r in routes) == pytest.approx(found.gradient, rel=1e-12)
    assert "grouped by what they go through" in found.text and "sequential.1.inner" in found.text


def test_ways_through_the_same_steps_are_grouped_by_an_element():
    model, loss = recorded(n=12)
    found = explain(loss, model[0].weight[0, 1], most=2)
    groups = found.chains[0].cone.through(found.chains[0].terms[0].factors[0].target)
    assert len(groups) == 12 and sum(g[2] for g in groups) == found.count       # one for each example
    assert math.fsum(g[1] for g in groups) == pytest.approx(found.gradient, rel=1e-12)
    assert "grouped by the element of v1" in found.text and "4 further" in found.text


@pytest.mark.parametrize(("limit", "least"), [("MOST_RUNS", 9), ("MOST_EDGES", 30), ("MOST_WORK", 4_000)])
def test_too_large_to_open_is_grouped_and_says_so(monkeypatch, limit, least):
    model, loss = recorded(sizes=(8, 20, 20, 6), n=5)
    whole = explain(loss, model[0].weight[0, 1], most=10_000)
    monkeypatch.setattr(cone, limit, least)
    grouped = explain(loss, model[0].weight[0, 1])
    loss.backward()
    adds_up(grouped, model[0].weight.grad.numpy()[0, 1])
    assert grouped.chains[0].cone.grouped_from > 0 and grouped.count < whole.count
    assert "Grouped from" in grouped.text and "all ways from here on" in grouped.text
    assert "Grouped from" in grouped.svg


def test_no_way_and_dead_units():
    x = Tensor(np.float64(-1.0), requires_grad=True, name="x")
    dead = explain(x.relu() * 3, x)
    assert dead.gradient == 0 and dead.count == 1 and "[x > 0] = [-1 > 0] = 0" in dead.text
    w = Tensor(np.ones((2, 2)), requires_grad=True, name="w")
    with ag.record():
        loss = w[0].sum()
    none = explain(loss, w[1, 1])
    assert none.gradient == 0 and none.count == 0 and "No way leads" in none.text
    assert "<svg" in none.svg
    balanced(none.latex)


def test_infinite_slopes():
    x = Tensor(np.float64(0.0), requires_grad=True, name="x")
    found = explain(x.sqrt() + x, x)
    assert found.gradient == math.inf and "not all finite" in found.text
    with ag.record():
        clipped = ag.where(x > 0, x.sqrt(), x * 2)
    clipped = explain(clipped, x)
    assert clipped.gradient == 2.0                       # past what was not selected nothing flows
    found.svg, found.latex, clipped.svg, clipped.latex  # noqa: B018


# -- how it is shown ----------------------------------------------------------------------------------


def test_text_latex_and_picture(tmp_path):
    _, loss = recorded()
    found = explain(loss, "0.weight[1, 2]", most=3, theme="dark")
    balanced(found.latex)
    assert found.ascii.isascii() and "d" in found.ascii and "9 further ways" in found.ascii
    bundle = found._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/latex", "text/plain"}
    assert "9 further ways" in found.svg and "×" in found.svg and 'role="img"' in found.svg
    for name in ("why.svg", "why.txt", "why.tex", "why.html"):
        found.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    with pytest.raises(ValueError, match=r"\.svg"):
        found.save(tmp_path / "why.gif")


def test_columns_stay_aligned_in_ascii():
    _, loss = recorded()
    said = explain(loss, "0.weight[1, 2]", most=1)
    for text in (said.text, said.ascii):
        rows = [line for line in text.splitlines() if line.lstrip().startswith(("∂v", "dv"))]
        assert len({line.index(" = ") for line in rows}) == 1 and len(rows) >= 3


def test_strange_names_are_safe():
    x = Tensor(np.float64(2.0), requires_grad=True, name="a_b{}$&#^~%\\ <x> ∂é")
    found = explain(x * x * 3, x)
    balanced(found.latex)
    assert "<x>" not in found.svg and found.ascii.isascii()


def test_a_terminal_without_unicode(monkeypatch):
    import io
    import sys
    g, a, _ = scalars()
    found = explain(g, a)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert repr(found) == found.ascii
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert repr(found) == found.text


# -- mistakes -----------------------------------------------------------------------------------------


def test_values_of_the_callers_variables_are_used_unless_they_changed():
    model, x, _ = network()
    batch = Tensor(x)
    loss = (model(batch) ** 2).sum()                         # nothing recorded: biases and inputs are not kept
    loss.backward(retain_graph=True)
    gradient = model[0].weight.grad.numpy()[1, 2]
    adds_up(explain(loss, model[0].weight[1, 2]), gradient)
    with ag.no_grad():
        model[0].bias += 0.5
    with pytest.raises(ValueError, match="changed since"):
        explain(loss, model[0].weight[1, 2])


def test_mistakes_are_explained():
    model, loss = recorded()
    w = model[0].weight
    with pytest.raises(ValueError, match="one element"):
        explain(loss, w)
    with pytest.raises(IndexError, match=r"\(5, 6\)"):
        explain(loss, w, (7, 0))
    with pytest.raises(ValueError, match="neither was computed"):
        explain(loss, Tensor(np.ones(3), requires_grad=True)[0])
    with pytest.raises(ValueError, match="whose gradient to explain"):
        explain(loss)
    with pytest.raises(ValueError, match="scalar result"):
        explain(model(Tensor(np.ones((2, 6)))), w[0, 0])
    with pytest.raises(LookupError, match="'v'"):
        explain(loss.graph(), "v", 0)
    with pytest.raises(TypeError, match=r"autograd\.trace"):
        explain(model, w[0, 0])
    with pytest.raises(ValueError, match="most"):
        explain(loss, w[0, 0], most=0)
    with pytest.raises(ValueError, match="theme"):
        explain(loss, w[0, 0], theme="pink")
    def made_elsewhere():
        bias = Tensor(np.zeros(4), requires_grad=True)
        return nn.functional.cross_entropy(model(Tensor(np.ones((2, 6)))) + bias, np.array([0, 1]))
    outside = made_elsewhere()
    with pytest.raises(ValueError, match=r"with autograd\.record\(\)"):
        explain(outside, w[0, 0])
    z = Tensor(np.ones(2, complex), requires_grad=True)
    with pytest.raises(TypeError, match=r"real numbers|floating-point"):
        explain((z * z.conj()).real.sum(), z, 0)


def test_what_is_computed_from_the_numbers_as_written_is_the_number_written():
    w = Tensor(-3.0, requires_grad=True, name="w")
    with ag.record():
        y = (w * 1.8).tanh()
        z = (y * y + w * 1e-3) * 1000.123 - 1000.1
    told = explain(z, w).text
    told = told.replace("tanh(", "math.tanh(").replace("·", "*").replace("²", "**2")
    checked = 0
    for line in told.split("\n"):
        *_, sum_, result = ("", "", *line.strip().split("   ")[0].split(" = "))
        if re.fullmatch(r"(math\.tanh|[-+*/() .\de])+", sum_) and re.search(r"[-+*/(]", sum_[1:]):
            assert eval(sum_, {"math": math}) == pytest.approx(float(result), rel=2e-3), line
            checked += 1
    assert checked >= 10


def test_names_from_right_to_left_do_not_turn_the_line():
    w = Tensor(3.0, requires_grad=True, name="\u05e9\u05dc\u05d5\u05dd")
    with ag.record():
        y = (w * 0.3).tanh()
    told = explain(y, w)
    assert all(line.count("\u05dd") == line.count("\u05dd\u200e") for line in told.text.splitlines())
    assert "\u200e" not in told.latex and told.ascii.isascii()
