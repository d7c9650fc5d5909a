"""What a traced function's graph says: its arguments, its own leaves, how it prints, and what is refused."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Parameter, Tensor
from autograd.graph import Graph, trace
from autograd.ops.elementwise import clamp

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 3)).astype("float32")
W = RNG.standard_normal((3, 2)).astype("float32")


def ops_of(graph):
    return [n.op for n in graph.nodes if n.op]


def test_it_prints_one_typed_line_a_node():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    g = trace(net)(X)
    here = inspect.currentframe().f_lineno - 1
    assert str(g).splitlines() == [
        "%0: float32[4, 3] = input input",
        "%1: float32[2, 3] = parameter 0.weight",
        "%2: float32[2] = parameter 0.bias",
        f"%3: float32[4, 2] = linear(%0 input, %1 0.weight, %2 0.bias)   # sequential.0  test_tracing.py:{here}",
        f"%4: float32[4, 2] = relu(%3)                                   # sequential.1  test_tracing.py:{here}",
        "return %4"]
    assert repr(g) == str(g) and g.modules == {"sequential": "Sequential", "sequential.0": "Linear",
                                               "sequential.1": "ReLU"}
    assert g.parameters == {"0.weight": 1, "0.bias": 2} and g.inputs == (0,)


def test_steps_that_have_a_name():
    def f(x):
        h = x * 2
        h.name = "hidden"
        return h + 1
    lines = str(trace(f)(X)).splitlines()
    assert lines[2].startswith("%2 hidden: float32[4, 3] = multiply(%0 x, %1 2)")
    assert "add(%2 hidden, %3 1)" in lines[4]
    g = trace(f)(X)
    assert {g: 1}[Graph.from_json(g.to_json())] == 1, "and graphs can be keys"


def test_values_and_costs_on_request():
    g = trace(lambda x, w: (x @ w).sum())(np.ones((4, 3), "float32"), np.ones((3, 2), "float32"))
    text = g.text(values=True, costs=True).splitlines()
    assert "value 3 ± 0" in text[2] and "48 FLOP" in text[2] and "32 B" in text[2] and "value 24" in text[3]
    assert text[-1] == "return %3   # 56 FLOP, 36 B of results, 0 B saved for the backward pass"
    assert g.flops == 56 and g.nbytes == 36


def test_flops_of_sums_of_products():
    x, k = np.ones((2, 3, 8, 8), "float32"), np.ones((5, 3, 3, 3), "float32")
    conv = trace(ag.conv2d)(x, k).nodes[-1]
    assert conv.flops == 2 * (2 * 5 * 6 * 6) * (3 * 3 * 3)
    grads = trace(ag.conv2d)(x, k).backward()
    assert {n.op: n.flops for n in grads.nodes if n.op.startswith("convolution_")} == {
        "convolution_transpose": conv.flops, "convolution_weight": conv.flops}, "each way back costs what the way did"
    product = trace(lambda a, b: ag.einsum("bij,bjk->bik", a, b))(np.ones((2, 3, 4)), np.ones((2, 4, 5))).nodes[-1]
    assert product.flops == 2 * 2 * 3 * 4 * 5


def test_inputs_parameters_buffers_and_constants_are_told_apart():
    w, mask = Tensor(W, requires_grad=True, name="w"), np.ones((4, 2), "float32")
    net = nn.BatchNorm1d(2)
    net.eval()
    g = trace(lambda x: net(x @ w) * mask + 1.5)(X)
    kinds = {(n.kind, n.name) for n in g.nodes if n.kind != "op"}
    assert kinds == {("input", "x"), ("parameter", "w"), ("parameter", "weight"), ("parameter", "bias"),
                     ("buffer", "running_mean"), ("buffer", "running_var"), ("constant", "")}
    assert trace(lambda p: p * 2)(Parameter([1.0])).nodes[0].kind == "parameter"


def test_arguments_are_trees_and_come_by_name_too():
    def f(params, x, *rest, scale):
        h = x @ params["w"] + params["b"][0]
        return {"h": h * scale + rest[0], "parts": [h.sum(), (h.mean(), 3)], "nothing": None}
    params = {"w": W, "b": [np.zeros(2, "float32")]}
    g = trace(f)(params, X, np.float32(1), scale=2.0)
    assert [g.nodes[i].name for i in g.inputs] == ["params['w']", "params['b'][0]", "x", "rest[0]", "scale"]
    out = g(params, X, np.float32(1), scale=np.float32(2))
    want = f(params, X, np.float32(1), scale=np.float32(2))
    assert np.allclose(out["h"], want["h"], rtol=1e-6) and out["nothing"] is None
    assert isinstance(out["parts"], list) and out["parts"][1][0].shape == () and out["parts"][1][1] == 3
    assert str(g).splitlines()[-1].startswith("return {h: %") and Graph.from_json(g.to_json()) == g
    with pytest.raises(TypeError, match="dict of w, b"):
        g({"w": W}, X, np.float32(1), scale=2.0)


def test_names_of_arguments():
    class Doubled:
        def __call__(self, a):
            return a * 2

    names = lambda f, *xs: [trace(f)(*xs).nodes[k].name for k in range(len(xs))]
    assert names(Doubled(), X) == ["a"] and names(functools.partial(lambda a, b: a + b, b=2.0), X) == ["a"]
    assert names(nn.Linear(3, 2).forward, X) == ["input"] and names(ag.matmul, X, W) == ["x", "y"]
    assert names(lambda first, /, *rest: first + rest[1], X, X, X) == ["first", "rest[0]", "rest[1]"]
    assert names(trace(lambda p, q: p @ q)(X, W), X, W) == ["p", "q"]
    named = Tensor(X, name="mine")
    g = trace(lambda x: x * 2)(named)
    assert g.nodes[0].name == "mine" and np.array_equal(g(x=X), g(mine=X)) and named.name == "mine"


def test_an_unused_input_is_still_an_argument():
    g = trace(lambda x, y: x * 2)(X, W)
    assert len(g.inputs) == 2 and np.array_equal(g(X, W), X * 2)
    assert np.array_equal(trace(lambda a, b: a - b)(X, X)(X, X + 1), X - (X + 1)), "one array twice is two inputs"


def test_choices_stay_what_they_were():
    def f(x, how, n, flip=False):
        return ag.sum(x, dim=int(n)) if how == "sum" else -x if flip else x
    g = trace(f)(X, "sum", 1, flip=True)
    assert np.allclose(g(X, "sum", 1, flip=True), X.sum(1))
    for call in (lambda: g(X, "neg", 1, flip=True), lambda: g(X, "sum", 0, flip=True),
                 lambda: g(X, "sum", 1, flip=False)):
        with pytest.raises(ValueError, match="when it was traced"):
            call()


def test_attributes_that_are_computed_are_linked():
    g = trace(lambda x, lowest, n: clamp(x, max=lowest.max()).sum(dim=n))(X, X[0], 1)
    other = RNG.standard_normal((4, 3)).astype("float32")
    assert "clamp(%0 x, max=%3)" in str(g) and "sum(%4, dim=%2 n)" in str(g)
    h = Graph.from_json(g.to_json())
    for n in (1, 0):
        want = np.minimum(other, other[1].max()).sum(n)
        assert h == g and np.allclose(h(other, other[1], n), want, rtol=1e-6)
        assert np.allclose(g.simplify()(other, other[1], n), want, rtol=1e-6)


@pytest.mark.skipif(not hasattr(ag.record, "copied"), reason="indexing does not tell a recording what it copies")
def test_a_table_is_looked_up_anew():
    table, head = nn.Embedding(10, 4), nn.Linear(4, 10)
    f = lambda token, label: nn.functional.cross_entropy(head(table(token).mean(dim=1)), label)
    draw = lambda n: (RNG.integers(0, 10, (n, 5)), RNG.integers(0, 10, n))
    g = trace(f)(*draw(6))
    assert set(g.parameters) == {"embedding.weight", "linear.weight", "bias"}, "one name each"
    assert "getitem(%2 embedding.weight, index=%0 token)" in str(g)
    for n in (6, 3):
        token, label = draw(n)
        assert g(token, label) == f(Tensor(token), Tensor(label)).item()
    token, label = draw(6)
    f(Tensor(token), Tensor(label)).backward()
    for h in (g.backward(), g.backward().simplify(), Graph.from_json(g.simplify().to_json()).backward()):
        found = h(token, label)
        assert np.allclose(found["embedding.weight"], table.weight.grad.value, atol=1e-7)
        assert np.allclose(found["linear.weight"], head.weight.grad.value, atol=1e-7)


@pytest.mark.skipif(not hasattr(ag.record, "taken_out"), reason="functions do not tell a recording what they look at")
def test_values_that_chose_the_program_bind_it_to_them():
    g = trace(lambda x: ag.sort(x * 2)[0].sum(dim=1))(X)
    (line, places), = g.bound
    assert line.startswith("test_tracing.py:") and places == (0,) and "# bound to the values of %0 x" in str(g)
    assert np.allclose(g(X), 2 * X.sum(1), rtol=1e-5) and Graph.from_json(g.to_json()).bound == g.bound
    assert g.backward().bound == g.bound
    for h in (g, g.simplify(), Graph.from_json(g.to_json())):
        with pytest.raises(ValueError, match=r"chose what is computed at test_tracing.py:\d+"):
            h(X + 1)
    assert trace(lambda x: x + ag.sort(Tensor([3.0, 1.0, 2.0]))[0])(X).bound == ()
    w = Tensor(W, requires_grad=True, name="w")
    both = trace(lambda x, y: (ag.sort(x @ w)[0] + y).sum())(X, np.float32(1))
    assert both.bound[0][1] == (0, -1) and np.isclose(both(X, np.float32(3)), both(X, np.float32(1)) + 16)
    with pytest.raises(ValueError, match="%2 w to have the values"):
        both(X, np.float32(1), w=W * 2)


def test_labels_that_a_loss_looked_at_bind_it_to_them():
    """A loss that has no way of its own for weights reads its labels: other inputs will do, other labels not."""
    f = lambda x, y: nn.functional.cross_entropy(x, y, label_smoothing=0.1)
    label = np.array([0, 2, 1, 1])
    g, other = trace(f)(X, label), RNG.standard_normal((4, 3)).astype("float32")
    assert np.allclose(g(other, label), f(Tensor(other), Tensor(label)).item(), rtol=1e-6)
    try:
        found = g(other, label[::-1])
    except ValueError as error:
        assert "%1 y to have the values it was traced with" in str(error) and g.bound[0][1] == (1,)
    else:
        assert np.allclose(found, f(Tensor(other), Tensor(label[::-1].copy())).item(), rtol=1e-6)
    plain = trace(nn.functional.cross_entropy)(X, label)
    assert plain.bound == (), "which was only checked"


@pytest.mark.skipif(not hasattr(ag.record, "written"), reason="changes in place do not tell a recording")
def test_changes_in_place_are_traced():
    def f(x):
        y = x * 2
        mask = y > 1
        y += x
        y[:, 1] += x[:, 0]
        positive = y > 0
        y *= y
        return y.sum() + mask.sum() * 3 + (positive * y).mean()
    other = RNG.standard_normal((4, 3)).astype("float32")
    for example in (X, Tensor(X, requires_grad=True)):
        assert trace(f)(example)(other) == f(Tensor(other)).item()


def test_trace_of_a_matrix_is_still_its_trace():
    assert trace(np.eye(3)) == 3 and trace(Tensor(np.eye(2))).item() == 2


@pytest.mark.parametrize("f, x, words", [
    (lambda x: None, X, "is a return missing"),
    (lambda x: 3, X, "returned int"),
    (lambda x: object(), X, "got object"),
    (lambda x: x, object(), "got object for x"),
])
def test_what_cannot_be_traced(f, x, words):
    with pytest.raises(TypeError, match=words):
        trace(f)(x)


def test_operands_without_a_derivative_are_linked():
    """Masks, labels and detached values are computed in the graph: they are not what they were when it was traced."""
    t = Tensor(X, requires_grad=True)
    other = RNG.standard_normal((4, 3)).astype("float32")
    for f in (lambda x: ag.where(x > 0, x, -x).sum(), lambda x: (x * x.detach()).sum(),
              lambda x: ag.where((x * 2).argmax(dim=1) == 1, x[:, 0], x[:, 1]),
              lambda x: ag.gather(x, 1, x.argsort(dim=1)), lambda x: (x.detach() > 0).float() * x):
        for example in (t, X):
            g = trace(f)(example)
            assert not any(n.kind == "constant" and n.shape for n in g.nodes)
            assert np.array_equal(g(other), f(Tensor(other)).value)
    cut = trace(lambda x: (x * x.detach()).sum())(t)
    assert "detach" in ops_of(cut)
    assert np.allclose(cut.backward()(other)["x"], other), "and no gradient flows where it was detached"
    assert "detach" not in ops_of(trace(lambda x: (x * x).sum())(t))


def test_a_tensor_written_to_is_traced():
    def f(x):
        y = x * 2
        y[0] = 1.0
        y[:, 1] = x[:, 0]
        return y.sum() * y
    other = RNG.standard_normal((4, 3)).astype("float32")
    for example in (X, Tensor(X, requires_grad=True)):
        g = trace(f)(example)
        assert ops_of(g).count("setitem") == 2 and np.array_equal(g(other), f(Tensor(other)).value)


def test_memory_written_to_behind_the_back_is_noticed():
    def f(x):
        y = x * 2
        y.value[0] = 7.0
        return y + 1
    with pytest.raises(ag.GradientError, match="changed memory in a way that no operation tells of"):
        trace(f)(X)


def test_what_is_computed_before_stays_outside():
    t = Tensor(X, requires_grad=True)
    g = trace(lambda h: h * 2)(t.exp())
    assert [n.op or n.kind for n in g.nodes] == ["input", "constant", "multiply"] and g.nodes[0].requires_grad


def test_tracing_leaves_nothing_behind():
    net = nn.Linear(3, 2)
    trace(net)(X)
    assert net.weight.node.extra.value is None and net.weight.grad is None
    net.weight.value = net.weight.value * 0
    n = next(n for n in net(Tensor(X)).graph().nodes if n.name == "weight")
    assert n.value is None or n.value.max == 0, "never the old value"


def test_loss_graph_is_the_same_graph():
    x, w = Tensor(X, name="x"), Parameter(W, name="w")
    with ag.record():
        loss = ((x @ w).relu() * 2).sum()
    a, b = loss.graph(), trace(lambda x: ((x @ w).relu() * 2).sum())(X)
    assert [(n.kind, n.op, n.name, n.shape, n.inputs) for n in a.nodes[:-1]] == [
        (n.kind, n.op, n.name, n.shape, n.inputs) for n in b.nodes[:-1]]
    assert np.array_equal(a(X * 2), b(X * 2)) and a() == b() == loss.item()
    grads = [g.backward()(X) for g in (a, b)]
    assert np.array_equal(grads[0]["w"], grads[1]["w"]) and list(grads[0]) == ["w"]


def test_a_recorded_tensor_knows_its_masks():
    x = Tensor(X, requires_grad=True, name="x")
    with ag.record():
        loss = (ag.where(x > 0, x, -x) * np.full((4, 3), 2.0, "float32") * x.detach()).sum()
    g = loss.graph()
    assert [n.name for n in g.nodes if n.kind == "input" and n.requires_grad] == ["x"] and "detach" in ops_of(g)
    other = RNG.standard_normal((4, 3)).astype("float32")
    assert np.allclose(g(other), (abs(other) * 2 * other).sum(), rtol=1e-4)
    assert np.allclose(g.backward()(other)["x"], np.sign(other) * 2 * other)


def test_graphs_have_no_cycles_and_hold_no_tensors():
    gc.collect()
    gc.disable()
    try:
        net, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), Tensor(X)
        g = trace(net)(x)
        h = g.backward().simplify()
        watched = [weakref.ref(net[0].weight), weakref.ref(x)]
        del net, x
        assert all(r() is None for r in watched)
        nodes = weakref.ref(g.nodes[0].data) if g.nodes[0].data is not None else None
        str(g), g.diff(h), g(X), Graph.from_json(g.to_json())
        del g, h
        assert nodes is not None and nodes() is None and gc.collect() == 0
    finally:
        gc.enable()
