"""The graph of the gradients: that of `backward()`, but as a program that can be run again."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import GradientError, Tensor
from autograd.graph import Graph, trace

RNG = np.random.default_rng(2)


def data(*shape):
    return RNG.standard_normal(shape)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(data(3, 1, 3, 3))
        self.table = nn.Parameter(data(5, 8))
        self.norm = nn.LayerNorm(12)
        self.out = nn.Linear(12, 4)

    def forward(self, image, token):
        h = ag.max_pool2d(ag.conv2d(image, self.kernel).relu(), 3).reshape(len(image), -1)
        return self.out(self.norm(h) + self.table[:, :4].mean() + self.table[token].sum(dim=1, keepdim=True))


def net64():
    net = Net()
    for p in net.parameters():
        p.data = p.data.double()
    return net


def test_it_is_what_backward_computes_and_follows_inputs_and_labels():
    net = net64()
    f = lambda image, token, label: nn.functional.cross_entropy(net(image, token), label)
    draw = lambda: (data(6, 1, 8, 8), RNG.integers(0, 5, 6), RNG.integers(0, 4, 6))
    token = draw()[1]
    take = lambda image, label: f(image, token, label)          # an index is part of the program, as in the library
    g = trace(take)(*draw()[::2])
    grads = g.backward()
    assert isinstance(grads, Graph) and [n.kind for n in grads.nodes[:2]] == ["input", "input"]
    for _ in range(3):
        image, _, label = draw()
        net.zero_grad()
        take(Tensor(image), Tensor(label)).backward()
        found = grads(image, label)
        assert list(found) == [k for k, _ in net.named_parameters()]
        for name, p in net.named_parameters():
            assert np.allclose(found[name], p.grad.value, rtol=1e-9, atol=1e-12), name
        net.zero_grad()
    assert {n.module.partition(".")[2] for n in grads.nodes if n.op} >= {"norm", "out"}, "a step back has the module"
    assert all(n.line.startswith("test_gradients.py:") for n in grads.nodes if n.op), "and the line it goes back over"


def test_with_other_parameters():
    layer = nn.Linear(3, 1)
    grads = trace(lambda x: (layer(x) ** 2).sum())(data(4, 3).astype("float32")).backward()
    x, w = data(4, 3).astype("float32"), data(1, 3).astype("float32")
    layer.weight.value = w
    (layer(Tensor(x)) ** 2).sum().backward()
    assert np.allclose(grads(x, weight=w)["weight"], layer.weight.grad.value, rtol=1e-5)


def test_outputs_that_are_no_scalars_take_a_gradient():
    f = lambda x, y: (x * y, (x + y).exp().sum())
    x, y, v = data(3), data(3), data(3)
    grads = trace(f)(x, y).backward()
    assert [n.name for n in grads.nodes if n.kind == "input"] == ["x", "y", "grad[0]"]
    got = grads(x, y, v)
    assert np.allclose(got["x"], v * y + np.exp(x + y)) and np.allclose(got["y"], v * x + np.exp(x + y))
    single = trace(lambda x: x.sin())(x).backward()
    assert np.allclose(single(x, grad=v)["x"], v * np.cos(x)) and np.allclose(single(x=x, grad=v)["x"], v * np.cos(x))


def test_with_respect_to_what_is_named():
    w = Tensor(data(3, 2), requires_grad=True, name="w")
    g = trace(lambda x: (x @ w).tanh().sum())(data(4, 3))
    assert list(g.backward()()) == ["w"] and list(g.backward("x")()) == ["x"] and list(g.backward(["x", "w"])()) == [
        "x", "w"] and list(g.backward("%0")()) == ["x"]
    assert list(trace(lambda x, k: x[k % 2] * 2)(data(2, 3), 1).backward()()) == ["x"], "inputs, if nothing is learned"
    with pytest.raises(LookupError, match=r"names of leaves \(x, w\); got 'y'"):
        g.backward("y")
    with pytest.raises(GradientError, match="floating-point"):
        trace(lambda x, k: x * k)(data(2), np.arange(2)).backward("k")
    with pytest.raises(GradientError, match="outputs of dtype bool"):
        trace(lambda x: x > 0)(data(2)).backward()
    with pytest.raises(GradientError, match="with none"):
        trace(lambda x: x * 2)(np.arange(3)).backward()
    with pytest.raises(GradientError):
        trace(lambda x, y: y * 2)(data(2), data(2)).backward("x")


def test_again_and_again():
    x = data(3)
    cube = trace(lambda x: (x ** 3).sum())(x)
    first = cube.backward()
    second = first.backward()                     # of <grad, 3 x²>
    third = second.backward("x")
    ones = np.ones(3)
    assert np.allclose(first(x)["x"], 3 * x ** 2) and np.allclose(second(x, ones)["x"], 6 * x)
    assert np.allclose(third(x, ones, ones)["x"], 6)
    assert np.allclose(third.simplify()(x, ones, ones)["x"], 6)


def test_past_what_was_not_selected_nothing_flows():
    """As in `backward()`: an infinite slope behind a branch not taken stays there, whichever it was when traced."""
    f = lambda x: ag.where(x > 0, (x * 2).sqrt(), x * 3)
    for traced_at in (2.0, -1.0):
        grads = trace(f)(traced_at).backward()
        for x in (0.5, 0.0, -2.0):
            t = Tensor(x, requires_grad=True)
            f(t).backward()
            assert grads(x)["x"] == t.grad.item()
    g = trace(lambda x: ag.where(x.reshape(2, 2) > 0, x.reshape(2, 2).log(), 0.0).sum())(data(4)).backward()
    x = np.array([1.0, 0.0, -1.0, 4.0])
    assert np.array_equal(g(x)["x"], [1, 0, 0, 0.25])


def test_a_pool_finds_its_positions_anew():
    f = lambda x: (ag.max_pool2d(x, 2) ** 2).sum()
    grads = trace(f)(data(1, 1, 4, 4)).backward()
    for _ in range(3):
        t = Tensor(data(1, 1, 4, 4), requires_grad=True)
        f(t).backward()
        assert np.array_equal(grads(t.value)["x"], t.grad.value)


def test_complex_numbers():
    f = lambda z: (z * z.conj() * z).abs().sum()
    z = data(3) + 1j * data(3)
    grads = trace(f)(z).backward()
    t = Tensor(z * 2, requires_grad=True)
    f(t).backward()
    assert np.allclose(grads(z * 2)["z"], t.grad.value)


def test_mixed_dtypes_come_back_in_their_own():
    w = Tensor(data(3), requires_grad=True, name="w")
    grads = trace(lambda x: (x * w).sum())(data(3).astype("float32")).backward(["x", "w"])
    found = grads(data(3).astype("float32"))
    assert found["x"].dtype == np.float32 and found["w"].dtype == np.float64


def test_without_a_record_the_structure_is_there_and_no_values():
    x, w = Tensor(data(3, 2), name="x"), Tensor(data(2, 2), requires_grad=True, name="w")
    grads = ((x @ w) + Tensor(data(2))).relu().sum().graph().backward()
    assert all(n.value is None for n in grads.nodes if n.op)
    with pytest.raises(TypeError, match="expected a value for"):
        grads()
    x, w, b = [n.name or f"%{n.id}" for n in grads.nodes if n.kind != "op" and n.shape]
    found = grads(**{x: np.ones((3, 2)), w: np.eye(2), b: np.array([0.0, -5.0])})
    assert np.array_equal(found["w"], [[3, 0], [3, 0]])


def test_other_sizes_need_another_trace():
    g = trace(lambda x: x.mean())(data(4))
    grads = g.backward()
    with pytest.raises(ag.ShapeError, match=r"autograd.trace\(forward\)\(\*inputs\).backward\(\)"):
        grads(data(8))
    assert np.allclose(trace(g)(data(8)).backward()(data(8))["x"], 1 / 8), "a graph is a function, and can be traced"


def test_it_prints():
    grads = trace(lambda x: x.exp() * x)(1.0).backward().simplify()
    assert grads.text().splitlines()[-1] == f"return {{x: %{grads.outputs[0]}}}"
    assert math.isclose(grads(2.0)["x"], 3 * math.exp(2), rel_tol=1e-6)


def test_graphs_are_drawn_as_they_are():
    import viz
    g = trace(lambda x, w: (x * w).tanh().sum())(data(3), data(3))
    for drawn in (g, g.backward(), g.backward().simplify(), Graph.from_json(g.to_json())):
        picture = viz.draw(drawn)
        assert picture.graph is drawn and "<svg" in picture.svg and "tanh" in picture.text
    assert viz.draw(lambda x: x.exp(), data(2)).graph.nodes[-1].op == "exp"
