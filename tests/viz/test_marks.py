"""Hooks, kept gradients, cuts, and the first number that is none."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor
from viz.marks import cut_at, first_bad

SVG = "{http://www.w3.org/2000/svg}"


def test_scissors_stand_on_the_edges_that_are_cut():
    with autograd.record():
        x = Tensor(np.ones((2, 2)), requires_grad=True)
        h = x.tanh()
        with autograd.no_grad():
            fixed = h.exp()
        loss = (h * h.detach() + fixed).sum()
    drawing = viz.draw(loss)
    ops = {card.key: card.rows[0].cells[0].text for card in drawing.scene.cards}
    cut = {(ops[w.source], ops[w.target]) for w in drawing.scene.wires if w.sign == "cut"}
    assert cut == {("tanh → h", "detach"), ("tanh → h", "exp → fixed")}
    assert all(w.dash == "dotted" and w.role == "edge" for w in drawing.scene.wires if w.sign)
    assert "cut" in drawing.scene.kinds and "✂" in drawing.source and "gradient cut" in drawing.svg
    assert "cut by no_grad at test_marks.py:" in drawing.svg


def test_a_comparison_is_no_cut():
    with autograd.record():
        x = Tensor(np.ones(3), requires_grad=True)
        loss = (x * (x > 0)).sum()
    assert not [w for w in viz.draw(loss).scene.wires if w.sign]
    made = loss.graph()
    assert not any(cut_at(made, n.id, k) for n in made.nodes for k in range(len(n.inputs)))


def test_anchors_and_pins():
    x = Tensor(np.ones(3), requires_grad=True)
    x.register_hook(lambda g: None)
    h = x * 2
    h.retain_grad()
    drawing = viz.draw(h.sum())
    assert {card.key: card.signs for card in drawing.scene.cards if card.signs} == {"n0": ("hook",), "n2": ("retain",)}
    assert {"hook", "retain"} <= set(drawing.scene.kinds)
    assert "1 gradient hook" in drawing.svg and "keeps its gradient: retain_grad()" in drawing.svg
    assert "⚓" in drawing.text and "⚲" in drawing.text


def test_the_mark_of_a_parameter_stands_in_its_row(maker):
    m = maker()
    m.parameter("w", marks=("hook",))
    assert "⚓" in viz.draw(m.graph(m.op("matmul", (m.input(), 0)))).text


def bad():
    with autograd.record():
        x = Tensor(np.array([1.0, -1.0]), requires_grad=True)
        y = x * 1
        z = y.log()
        loss = z.sum()
        loss.backward()
    return loss


def test_the_first_nan_has_a_ring_and_a_note():
    drawing = viz.draw(bad())
    node = drawing.graph.nodes[drawing.first_bad]
    assert node.op == "log" and drawing.notes == (f"first NaN: log at {node.line}",)
    assert node.line.startswith("test_marks.py:")
    assert [card.key for card in drawing.scene.cards if card.ring] == [f"n{node.id}"]
    assert drawing.notes[0] in drawing.text and drawing.notes[0] in drawing.svg and drawing.notes[0] in drawing.source


def test_a_mask_of_minus_infinity_is_no_fault():
    with autograd.record():
        x = Tensor(np.ones((2, 2)), requires_grad=True)
        mask = Tensor(np.array([[0.0, -np.inf], [0.0, 0.0]]))
        a = autograd.softmax(x + mask, 1).sum()
        b = autograd.softmax(x.masked_fill(mask.numpy() < 0, -np.inf), 1).sum()
    assert viz.draw([a, b]).first_bad is None
    with autograd.record():
        worse = (x + mask - (x + mask)).sum()               # inf - inf
    drawing = viz.draw(worse)
    assert drawing.graph.nodes[drawing.first_bad].op == "subtract"


def test_an_infinity_that_nobody_asked_for():
    with autograd.record():
        x = Tensor(np.array([0.0, 1.0]), requires_grad=True)
        y = (1 / x).sum()
    drawing = viz.draw(y)
    assert drawing.notes[0].startswith("first Inf: divide at test_marks.py:")


def test_the_first_bad_gradient_names_who_sent_it():
    with autograd.record():
        x = Tensor(np.array([0.0, 1.0]), requires_grad=True)
        h = x * 3
        loss = h.sqrt().sum()
        loss.backward()
    drawing = viz.draw(loss)
    assert drawing.notes[0].startswith("first Inf in the backward pass: gradient of multiply → h at test_marks.py:")
    assert ", sent by sqrt at test_marks.py:" in drawing.notes[0]
    assert drawing.graph.nodes[drawing.first_bad].op == "multiply"


def test_a_nan_in_data_or_in_a_parameter_is_first(maker):
    m = maker()
    x = m.input(value=1.0)
    m.nodes[x] = m.nodes[x]._replace(value=m.nodes[x].value._replace(nans=2))
    graph = m.graph(m.op("tanh", (x,)))
    assert [(b.node, b.note) for b in first_bad(graph)] == [(x, "first NaN: x")]


def test_a_sound_graph_has_no_note(graphs):
    drawing = viz.draw(graphs["mlp"]())
    assert drawing.first_bad is None and drawing.notes == ()
    assert not [card for card in drawing.scene.cards if card.ring]


def test_every_node_says_what_it_is(graphs):
    loss = bad()
    root = ET.fromstring(viz.draw(loss).svg.encode())
    facts = {g.get("data-id"): g.attrib for g in root.iter(SVG + "g") if g.get("class", "").startswith("node")}
    log = next(f for f in facts.values() if f.get("data-op") == "log")
    assert log["data-kind"] == "op" and log["data-line"].startswith("test_marks.py:")
    assert next(f for f in facts.values() if f.get("data-op") == "sum")["data-name"] == "loss"
    root = ET.fromstring(viz.draw(graphs["residual"](12), depth=1).svg.encode())
    kinds = [g.get("data-kind") for g in root.iter(SVG + "g") if g.get("class", "").startswith("node")]
    assert {"op", "input", "repeat"} <= set(kinds)
    assert any(g.get("data-module") == "embed" for g in root.iter(SVG + "g"))


@pytest.mark.parametrize("part", ["line model.py:7", "module net.fc", "float16", "512 B", "1.02 kFLOP",
                                  "saved for backward: x, out", "gradient of input 0: g * out", "value RMS"])
def test_a_tooltip_says_everything(maker, part):
    m = maker()
    x = m.input(requires_grad=True)
    m.op("gelu", (x,), category="activation", module="net.fc", line="model.py:7", dtype="float16", nbytes=512,
         flops=1024, saved=("x", "out"), saved_bytes=900, formula=("g * out",), value=2.0)
    m.nodes[1] = m.nodes[1]._replace(value=m.nodes[1].value._replace(item=None))
    card = next(c for c in viz.draw(m.graph(m.op("relu", (1,)))).scene.cards if c.key == "n1")
    assert part in card.title
