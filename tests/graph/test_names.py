"""Names from the caller's variables, and the marks of hooks, kept gradients and cuts."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor, trace
from autograd.graph import Graph, graph


def names(made):
    return {n.name for n in made.nodes if n.name}


def test_leaves_and_results_are_called_as_the_callers_variables():
    def step():
        x, w = Tensor(2.0, requires_grad=True), Tensor(-3.0, requires_grad=True)
        h = x * w
        loss = h.tanh()
        return loss.graph(), graph(loss)
    for made in step():
        assert [n.name for n in made.nodes] == ["x", "w", "h", "loss"]
        assert made(x=1.0, w=1.0) == np.tanh(np.float32(1))


def test_a_users_name_stays_and_stays_the_only_one():
    x = Tensor(2.0, requires_grad=True, name="weight")
    weight = Tensor(3.0, requires_grad=True)
    out = x * weight
    assert [n.name for n in out.graph().nodes] == ["weight", "", "out"]


def test_what_two_variables_hold_has_no_name():
    x = y = Tensor(2.0, requires_grad=True)
    _1 = Tensor(3.0, requires_grad=True)
    assert names((x * y * _1).graph()) == set()


def test_nothing_is_called_by_what_it_was_before():
    x = Tensor(2.0, requires_grad=True)
    x = x * 2
    assert [n.name for n in x.graph().nodes if n.kind != "constant"] == ["", "x"]


def test_parameters_have_their_path_in_the_outermost_module():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    first = model[0]
    x = Tensor(np.ones((4, 2), "f"))
    made = model(x).sum().graph()
    assert {n.name for n in made.nodes if n.kind == "parameter"} == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert "x" in names(made) and first is model[0]


def test_two_models_with_the_same_paths_are_not_mixed_up():
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    made = (one(np.ones((1, 2), "f")) + other(np.ones((1, 2), "f"))).sum().graph()
    assert not {n.name for n in made.nodes if n.kind == "parameter"} - {""}


def test_a_module_that_fails_to_tell_is_left_alone():
    class Odd:
        def named_parameters(self):
            raise RuntimeError("not yet")
    odd, x = Odd(), Tensor(1.0, requires_grad=True)
    assert names((x * 2).graph()) == {"x"} and odd


def test_a_traced_function_brings_its_variables_along():
    scale, shift = Tensor(2.0, requires_grad=True), Tensor(np.ones(3))
    made = trace(lambda x: x * scale + shift)(np.zeros(3))
    assert {n.name: n.kind for n in made.nodes if n.kind != "op"} == {
        "x": "input", "scale": "parameter", "shift": "constant"}


def test_names_change_nothing_but_names():
    x = Tensor(np.ones(3), requires_grad=True)
    loss = (x * 2).sum()

    def elsewhere(value):
        return graph(value)
    a, b = graph(loss), elsewhere(loss)
    assert [(n.kind, n.op, n.shape, n.inputs, n.saved, n.requires_grad) for n in a.nodes] == [
        (n.kind, n.op, n.shape, n.inputs, n.saved, n.requires_grad) for n in b.nodes]
    assert names(a) == {"x", "loss"} and names(b) == {"value"}


def test_hooks_and_kept_gradients_are_marked():
    x = Tensor(np.ones(3), requires_grad=True)
    handle = x.register_hook(lambda g: None)
    x.register_post_accumulate_grad_hook(lambda t: None)
    h = x * 2
    h.retain_grad()
    made = h.sum().graph()
    assert [n.marks for n in made.nodes if n.kind != "constant"] == [("hook", "hook"), ("retain_grad",), ()]
    handle.remove()
    assert h.sum().graph().nodes[0].marks == ("hook",)
    assert Graph.from_json(made.to_json()) == made


def test_a_leaf_that_was_cut_off_says_where():
    w = Tensor(np.ones(3), requires_grad=True)
    frozen = w.detach()
    with ag.no_grad():
        target = w * 2
    made = (w * frozen - target).sum().graph()
    marks = {n.name: n.marks for n in made.nodes if n.marks}
    assert set(marks) == {"frozen", "target"}
    (detached,), (unrecorded,) = marks["frozen"], marks["target"]
    assert detached.startswith("detach test_names.py:") and unrecorded.startswith("no_grad test_names.py:")


def test_what_was_saved_is_told_after_it_was_freed():
    x, w = Tensor(np.ones((4, 3)), requires_grad=True), Tensor(np.ones((3, 2)), requires_grad=True)
    loss = (x @ w).tanh().sum()
    before = loss.graph()
    loss.backward()
    after = loss.graph()
    for a, b in zip(before.nodes, after.nodes, strict=True):
        assert (a.saved, a.keeps, a.saved_bytes) == (b.saved, b.keeps, b.saved_bytes)
    matmul = next(n for n in after.nodes if n.op == "matmul")
    assert len(matmul.keeps) == 2 and matmul.saved_bytes == (12 + 6) * 8


def test_only_what_the_needed_rules_ask_for_is_kept():
    x, w = Tensor(np.ones((4, 3))), Tensor(np.ones((3, 2)), requires_grad=True)
    loss = (x @ w).sum()
    loss.backward()
    matmul = next(n for n in loss.graph().nodes if n.op == "matmul")
    assert [matmul.inputs[k] for k in matmul.keeps] == [next(n.id for n in loss.graph().nodes if n.name == "x")]


def test_old_texts_are_read_and_wrong_ones_refused():
    x = Tensor(np.ones(3), requires_grad=True)
    text = (x * x).sum().graph().to_json()
    plain = Graph.from_json(text)
    assert Graph.from_json(text.replace(',"keeps":[0,1]', "")).nodes[1].keeps == () != plain.nodes[1].keeps
    for wrong in ('"keeps":[7]', '"keeps":["a"]', '"keeps":[-2]', '"marks":[3]', '"value":[1,2,3]'):
        with pytest.raises(ValueError, match="from_json: expected"):
            Graph.from_json(text.replace('"keeps":[0,1]', wrong))


# -- values from the variables --------------------------------------------------------------------------------


def test_what_the_backward_pass_freed_comes_from_the_variables():
    a, b = Tensor(-4.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    c = a + b
    d = a * b + b ** 3
    out = (c - d) * 2
    out.backward()
    made = out.graph()
    assert {n.name: n.value.item for n in made.nodes if n.name} == {"a": -4, "b": 2, "c": -2, "d": 0, "out": -4}
    assert all(n.value is not None for n in made.nodes) and made() == out.item()


def test_values_that_changed_since_are_not_taken_for_those_of_then():
    w, x = Tensor(np.ones(3), requires_grad=True), Tensor(np.arange(3.0))
    loss = ((w * x) ** 2).sum()
    loss.backward()
    assert loss.graph().nodes[0].value.max == 1
    with ag.no_grad():
        w -= 0.1
    made = loss.graph()
    assert next(n for n in made.nodes if n.name == "w").value is None
    assert next(n for n in made.nodes if n.name == "loss").value.item == 5.0


def test_large_and_custom_graphs_are_not_run_again():
    runs = []

    class Own(ag.Function):
        @staticmethod
        def forward(ctx, x):
            runs.append(1)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2
    x = Tensor(np.ones(3), requires_grad=True)
    own = Own.apply(x).sum()
    own.backward()
    own.graph()
    assert len(runs) == 1
    y = Tensor(np.ones(200_000), requires_grad=True)
    total = (y * 3).sum()
    total.backward()
    assert next(n for n in total.graph().nodes if n.name == "y").value is None


def test_the_line_of_a_detach_is_that_of_the_variable():
    x = Tensor(np.ones(3), requires_grad=True)
    with ag.record():
        h = x * 2
        frozen = h.detach()
        loss = (h * frozen).sum()
    nodes = loss.graph().nodes
    product, cut = (next(int(n.line.rpartition(":")[2]) for n in nodes if key in (n.name, n.op)) for key in (
        "h", "detach"))
    assert cut == product + 1
