"""Forward and backward in one picture, and the picture of second order."""

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor, trace
from viz.beside import BACK


@pytest.mark.parametrize("name", ["mlp", "scalars", "residual"])
@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_the_same_cards_stand_at_the_same_heights(graphs, name, rankdir):
    drawing = viz.draw(graphs[name](), direction="both", rankdir=rankdir)
    cards = {card.key: card for card in drawing.scene.cards}
    pairs = [(key, key + BACK) for key in cards if key + BACK in cards]
    assert len(pairs) >= 3
    along = 0 if rankdir == "LR" else 1
    for one, other in pairs:
        middles = []
        for key in (one, other):
            inset, corner = cards[key].inset, drawing.placed.cards[key]
            size = (cards[key].width, cards[key].height)[along]
            middles.append(corner[along] + inset[along] + (size - inset[along] - inset[along + 2]) / 2)
        assert middles[0] == pytest.approx(middles[1])


@pytest.mark.parametrize("name", ["mlp", "scalars", "residual"])
@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_nothing_overlaps_and_wires_join_cards(graphs, name, rankdir):
    drawing = viz.draw(graphs[name](), direction="both", rankdir=rankdir)
    placed, cards = drawing.placed, {card.key: card for card in drawing.scene.cards}
    boxes = [(*placed.cards[k], c.width, c.height) for k, c in cards.items()]
    for i, (x, y, w, h) in enumerate(boxes):
        assert x >= 0 and y >= 0 and x + w <= placed.width and y + h <= placed.height
        for u, v, p, q in boxes[:i]:
            assert x >= u + p or u >= x + w or y >= v + q or v >= y + h
    for wire, points in zip(drawing.scene.wires, placed.wires, strict=True):
        assert len(points) % 3 == 1
        for key, (px, py) in ((wire.source, points[0]), (wire.target, points[-1])):
            x, y = placed.cards[key]
            assert x - 0.1 <= px <= x + cards[key].width + 0.1 and y - 0.1 <= py <= y + cards[key].height + 0.1


def test_values_run_down_and_gradients_up(graphs):
    drawing = viz.draw(graphs["mlp"](), direction="both")
    for wire, points in zip(drawing.scene.wires, drawing.placed.wires, strict=True):
        assert (points[-1][1] < points[0][1]) == wire.source.endswith(BACK)
    text = drawing.text
    first, second = text.split("Backward")[0], text.split("Backward")[1]
    assert "∇" not in first and "gx = " not in first and "∇0.02" in second and "weight.grad = x.mT @ g" in second
    assert drawing.scene.title == "Forward and backward graph of 7 operations"


def test_it_is_saved_in_every_form(graphs, tmp_path):
    drawing = viz.draw(graphs["residual"](), direction="both", theme="auto")
    for suffix in ("svg", "dot", "mmd", "tex", "json", "txt"):
        drawing.save(tmp_path / f"g.{suffix}")
        assert (tmp_path / f"g.{suffix}").stat().st_size > 500


def test_without_gradients_there_are_no_two_directions(maker):
    m = maker()
    with pytest.raises(ValueError, match="an output that requires a gradient, for a backward picture"):
        viz.draw(m.graph(m.op("relu", (m.input(),))), direction="both")


# -- second order ---------------------------------------------------------------------------------------------


def test_the_second_derivative_of_a_scalar_function():
    x = Tensor(0.5, requires_grad=True, dtype="float64")
    drawing = viz.draw(x.sin() * x, direction="second")
    graph = drawing.graph
    assert graph(0.5)["x"] == pytest.approx(2 * np.cos(0.5) - 0.5 * np.sin(0.5), abs=1e-12)
    assert drawing.scene.title.startswith("Second-order graph of ")
    assert "f″ x" in drawing.text
    assert any(note.startswith("f″") for note in drawing.scene.notes)
    assert {n.module for n in graph.nodes if n.kind == "op"} <= {"function", "gradient", "second-order"}
    assert any(n.module == "second-order" for n in graph.nodes)


def test_the_hessian_times_a_vector():
    w = np.array([1.0, -2.0, 0.5])
    drawing = viz.draw(trace(lambda w: (w ** 3).sum())(w), direction="second")
    v = np.array([1.0, 0.0, -1.0])
    assert np.allclose(drawing.graph(w, grad=v)["w"], 6 * w * v)
    assert "f″: the Hessian times the vector grad" in drawing.scene.notes


def test_what_has_no_second_derivative_is_told(graphs):
    x = Tensor(np.ones(3), requires_grad=True)
    with pytest.raises(ValueError, match=r"expected one scalar, for a picture of second order; got results of shape"):
        viz.draw(x * 2, direction="second")
    with pytest.raises(ValueError, match="a function that bends"):
        viz.draw((x * 2).sum(), direction="second")


# -- what is shown of values and gradients --------------------------------------------------------------------


def recorded():
    with autograd.record():
        x = Tensor(np.array([[1.0, 3.0]], "f"), name="x")
        w = Tensor(np.array([[2.0], [0.0]], "f"), requires_grad=True, name="w")
        loss = ((x @ w) ** 2).mean()
        loss.backward()
    return loss


def test_values_and_gradients_are_shown_or_not():
    loss = recorded()
    plain = viz.draw(loss).text
    assert "★ mean → loss (4.0)" in plain and "∇" in plain and "±" not in plain
    assert "x 2.0 ± 1.0 1×2" in viz.draw(loss, values=True).text.replace("2 ± 1", "2.0 ± 1.0")
    assert "4.0" not in viz.draw(loss, values=False).text
    assert "∇" not in viz.draw(loss, gradients=False).text
    assert "s-flow" not in viz.draw(loss, gradients=False).svg
    y = Tensor(np.ones((2, 2)), requires_grad=True) * 2
    assert "pending" in viz.draw(y, gradients=True).text.splitlines()[1] and "pending" not in viz.draw(y).text.split(
        "\n", 2)[1]
    scalar = Tensor(2.0, requires_grad=True, name="a") * 3
    assert "data" not in viz.draw(scalar, values=False).text
    assert "grad 3.0" in viz.draw(_after(scalar)).text and "grad" not in viz.draw(scalar, gradients=False).text


def _after(y):
    y.backward()
    return y


def test_what_each_step_frees_is_said_once():
    with autograd.record():
        x = Tensor(np.ones((4, 3), "f"), requires_grad=True)
        h = (x * 2).tanh()
        loss = (h * h).sum()
        loss.backward()
    text = viz.draw(loss, direction="backward").text
    assert text.count("frees ") == 1 and "frees out · 48 B" in text       # h is saved by tanh and by the product
    assert "saved tensors: 48 B, freed by 1 step" in text


@pytest.mark.parametrize("seed", range(8))
def test_any_graph_is_placed_and_its_wires_join(maker, seed):
    rng = np.random.default_rng(seed)
    m = maker()
    paths = ["", "a", "a.b", "a.b", "c", "c.d.e"]
    m.modules.update(dict.fromkeys(("a", "a.b", "c", "c.d", "c.d.e"), "Mod"))
    ids = [m.input("x", (4,), requires_grad=bool(rng.integers(2))), m.input("y", (4,))]
    parameters = [m.parameter(f"p{k}", (4,)) for k in range(3)]
    n = int(rng.choice((3, 12, 40)))
    for k in range(n):
        inputs = tuple(int(i) for i in rng.choice([*ids[-10:], *parameters], int(rng.integers(1, 4))))
        grown = {} if rng.random() < 0.9 else {"requires_grad": False}
        ids.append(m.op(str(rng.choice(("add", "tanh", "detach"))), inputs, (4,) if rng.random() < 0.8 else (),
                        module=paths[k * len(paths) // n], saved=("x",), keeps=(0,), **grown))
    graph = m.graph(*{int(i) for i in rng.choice(ids[-6:], 2)})
    if not any(graph.nodes[i].requires_grad for i in graph.outputs):
        graph = m.graph(m.op("add", (ids[-1], parameters[0]), (4,)))
    for options in ({}, {"rankdir": "LR", "params": "node"}, {"depth": 0}, {"budget": 8}):
        drawing = viz.draw(graph, direction="both", **options)
        cards = {card.key: card for card in drawing.scene.cards}
        for wire, points in zip(drawing.scene.wires, drawing.placed.wires, strict=True):
            for key, (px, py) in ((wire.source, points[0]), (wire.target, points[-1])):
                x, y = drawing.placed.cards[key]
                assert x - 0.1 <= px <= x + cards[key].width + 0.1 and y - 0.1 <= py <= y + cards[key].height + 0.1
        assert drawing.svg and drawing.source and drawing.mermaid and drawing.text
