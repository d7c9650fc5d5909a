"""The record as plain data: what is in it, how it prints, and that it comes back from JSON as it was."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Mapping

import numpy as np
import pytest

import autograd as ag
from autograd import Parameter, Tensor
from autograd.graph import Graph, GraphNode, Summary, graph, summary, trace
from autograd.graph.nodes import same
from autograd.graph.text import readable


def leaf(data, name=None):
    return Tensor(np.array(data, np.float64), requires_grad=True, name=name)


def made_of(g):
    """(kind or op, inputs) of every node: the bare structure."""
    return [(n.op or n.kind, n.inputs) for n in g.nodes]


# -- structure -------------------------------------------------------------------------------------------


def test_nodes_in_order_with_repeats_and_constants():
    x = leaf([1.0, 2.0], "x")
    c = Tensor(np.array([3.0, 4.0]))
    y = (x * x + c) * 2.5
    g = graph(y)
    assert made_of(g) == [("input", ()), ("multiply", (0, 0)), ("input", ()), ("add", (1, 2)), ("constant", ()),
                          ("multiply", (3, 4))] or made_of(g)[0] == ("input", ())
    assert g.outputs == (len(g.nodes) - 1,) and g.modules == {}
    for k, n in enumerate(g.nodes):
        assert n.id == k and all(i < k for i in n.inputs)
    by_op = {n.op: n for n in g.nodes if n.op}
    assert by_op["add"].inputs[0] == next(n.id for n in g.nodes if n.op == "multiply")
    number = g.nodes[g.nodes[-1].inputs[1]]
    assert number.kind == "constant" and number.value.item == 2.5 and number.shape == () and not number.requires_grad
    assert number.grad_state == "none" and g.nodes[0].name == "x" and g.nodes[0].requires_grad


def test_a_leaf_alone_and_several_outputs():
    x = leaf([1.0])
    assert [n.kind for n in graph(x).nodes] == ["input"] and graph(x).outputs == (0,)
    y, z = x * 2, x.exp()
    g = graph(y, z)
    assert len(g.nodes) == 4 and [g.nodes[i].op for i in g.outputs] == ["multiply", "exp"]
    assert graph([y, z]) == g == graph((y, z)) and graph(y, y).outputs == (2, 2)
    assert graph(Tensor([1.0])).nodes[0].requires_grad is False
    for bad in ((), (1,), (x, 2.0), (np.ones(2),)):
        with pytest.raises(TypeError):
            graph(*bad)


def test_fields_of_a_node():
    x, w = leaf(np.ones((2, 3)), "x"), Parameter(np.ones((3, 4)), name="w")
    n = graph((x @ w).sum(dim=0, keepdim=True)).nodes
    assert [k.kind for k in n] == ["input", "parameter", "op", "op"] and [k.name for k in n] == ["x", "w", "", ""]
    mm, total = n[2], n[3]
    assert (mm.op, mm.category, mm.symbol, mm.shape, mm.dtype) == ("matmul", "linear", "⊗", (2, 4), "float64")
    assert mm.inputs == (0, 1) and mm.requires_grad and mm.grad_state == "pending" and mm.grad is None
    assert mm.nbytes == 64 and mm.flops == 2 * 2 * 3 * 4 and set(mm.saved) == {"x", "y"} and mm.saved_bytes == 48 + 96
    assert (total.op, total.category, total.symbol, total.shape) == ("sum", "reduction", "Σ", (1, 4))
    assert total.attrs["dim"] == 0 and total.attrs["keepdim"] is True and total.saved_bytes == 0
    assert n[0].op == "" and n[0].category == "" and n[0].attrs == {} and n[0].inputs == () and n[0].formula == ()
    assert all(k.module == "" and k.line == "" for k in n)


def test_the_derivative_rules_as_text():
    x, y = leaf(2.0), leaf(3.0)
    formula = {n.op: n.formula for n in graph((x * y).tanh() + x / y - x).nodes if n.op}
    assert formula["multiply"] == ("g * y", "g * x") and formula["add"] == ("g",
        "g") and formula["subtract"] == ("g", "-g")
    assert formula["tanh"] == ("g * (1 - out * out)",) and formula["divide"] == ("g / y", "-g * out / y")
    assert all(isinstance(f, str) for fs in formula.values() for f in fs)


def test_inputs_that_carry_no_gradient():
    x, mask, index = leaf([[1.0, 2.0], [3.0, 4.0]]), Tensor([[True, False], [False, True]]), Tensor([[0], [1]])
    g = graph(ag.where(mask, x, 0.0).gather(1, index))
    where = next(n for n in g.nodes if n.op == "where")
    assert [g.nodes[i].dtype for i in where.inputs][:2] == ["bool",
                                                            "float64"] and g.nodes[where.inputs[2]].value.item == 0.0
    picked = g.nodes[-1]
    assert picked.op == "gather" and picked.attrs["dim"] == 1 and g.nodes[picked.inputs[1]].dtype == "int64"
    assert not g.nodes[where.inputs[0]].requires_grad and g.nodes[where.inputs[0]].grad_state == "none"


def test_attributes_are_what_the_op_was_called_with():
    x = leaf(np.arange(6.0).reshape(2, 3))
    g = graph(x[:, 1:].permute(1, 0).reshape(-1)[[0, 1]].clamp(min=0.5))
    attrs = {n.op: n.attrs for n in g.nodes if n.op}
    assert attrs["permute"] == {"dims": (1, 0)} and attrs["reshape"] == {"shape": (-1,)} and attrs["clamp"] == {
        "min": 0.5}, "and what is left to the default does not stand there"
    first, second = [n.attrs["index"] for n in g.nodes if n.op == "getitem"]
    assert first == (slice(None), slice(1, None)) and readable(first) == "[:, 1:]"
    assert second.tolist() == [0, 1] and readable(second) == "[0, 1]"
    assert readable(np.dtype("float32")) == "float32" and readable((Ellipsis, None, slice(None, None, -2))) == (
        "[..., None, ::-2]") and readable(np.zeros((3, 4))) == "float64[3, 4]"


def test_nobody_can_change_a_graph():
    x = leaf(np.ones((2, 2)))
    index = np.array([0, 1])
    with ag.record():
        y = (x @ np.ones((2, 2)))[index, 1].sum()
        y.backward()
    g = graph(y)
    index[0] = 1
    at = next(n.attrs["index"][0] for n in g.nodes if n.op == "getitem")
    assert at.tolist() == [0, 1], "a copy"
    for change in (lambda: at.__setitem__(0, 5), lambda: g.nodes[0].data.__setitem__(0, 5.0),
                   lambda: g.nodes[-1].attrs.update(dim=1), lambda: g.modules.update(a="B"),
                   lambda: setattr(g, "outputs", ()), lambda: setattr(g.nodes[0], "name", "y")):
        with pytest.raises((ValueError, AttributeError, TypeError)):
            change()

    def plain(v):
        if isinstance(v, np.ndarray):
            return not v.flags.writeable
        if isinstance(v, (tuple, list)):
            return all(map(plain, v))
        if isinstance(v, Mapping):
            return all(map(plain, v.values()))
        return v is None or isinstance(v, (str, int, float, bool, np.generic, slice))
    assert plain(g), "and it holds no tensors"


# -- values and gradients --------------------------------------------------------------------------------


def test_recorded_values_gradients_and_lines():
    x, w = leaf([1.0, -2.0, 0.0], "x"), leaf([3.0, 4.0, 5.0], "w")
    with ag.record():
        y = x * w
        first = inspect.currentframe().f_lineno - 1
        loss = y.relu().sum()
        loss.backward()
    nodes = {n.op or n.name: n for n in graph(loss).nodes}
    product, total = nodes["multiply"], nodes["sum"]
    assert product.line == f"test_graph.py:{first}" and total.line == f"test_graph.py:{first + 2}"
    assert (product.value.min, product.value.max, product.value.size, product.value.item) == (-8.0, 3.0, 3, None)
    assert total.value.item == 3.0 and total.grad.item == 1.0 and total.grad_state == "known"
    assert (product.grad.max, product.grad.zeros) == (1.0, 2 / 3) and nodes["relu"].grad.mean == 1.0
    assert nodes["x"].value.mean == pytest.approx(-1 / 3) and nodes["x"].grad.max == 3.0 and nodes["w"].grad.max == 1.0
    assert all(n.grad_state == "known" for n in nodes.values())


def test_constants_are_recorded_too():
    c = Tensor([1.0, 2.0])
    with ag.record():
        d = c * 3
        e = d + 1
    n = graph(e).nodes
    assert [k.op or k.kind for k in n if k.kind == "op"] == ["multiply", "add"] and not any(k.requires_grad for k in n)
    assert n[-1].value.max == 7.0 and n[-1].line.startswith("test_graph.py:") and n[-1].grad_state == "none"
    assert graph(c * 3).nodes[0].op == "", "nothing is recorded of constants outside"


def test_before_backward_the_gradient_is_pending():
    x = leaf([1.0, 2.0])
    with ag.record():
        y = (x * x).sum()
    assert {n.grad_state for n in graph(y).nodes} == {"pending"}
    y.backward()
    assert {n.grad_state for n in graph(y).nodes} == {"known"}


def test_a_leaf_shows_its_gradient_without_recording():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    n = graph(y).nodes
    assert n[0].grad.max == 4.0 and n[0].grad_state == "known" and n[1].grad is None


def test_recording_changes_no_number_and_ends_with_the_block():
    x = leaf([1.0, 2.0])
    with ag.record():
        (x.exp() * 2).sum().backward()
    recorded = x.grad.value
    x.grad = None
    y = (x.exp() * 2).sum()
    y.backward()
    assert np.array_equal(x.grad.value, recorded) and all(n.line == "" for n in graph(y).nodes)


def test_summary():
    s = summary(np.array([3.0, -4.0, 0.0, 0.0]))
    assert (s.rms, s.mean, s.min, s.max, s.zeros, s.nans, s.infs, s.size, s.item) == (2.5, -0.25, -4.0, 3.0, 0.5, 0,
        0, 4, None)
    assert s.std == pytest.approx(np.std([3, -4, 0, 0])) and len(s.hist) == 16 and sum(s.hist) == 4 and (s.lo,
        s.hi) == (-4.0, 3.0)
    s = summary(np.array([np.nan, np.inf, -np.inf, 2.0]))
    assert (s.nans, s.infs, s.size, s.rms, s.min, s.max) == (1, 2, 4, 2.0, 2.0, 2.0)
    s = summary(np.array([]))
    assert s.size == 0 and s.item is None and s.hist == () and math.isnan(s.mean)
    assert summary(np.float32(0.5)).item == 0.5 and summary(np.bool_(True)).item is True
    assert summary(np.int64(7)).item == 7
    assert summary(np.array([1e200, 1e200])).rms == pytest.approx(1e200) and summary(np.array([1e-200] * 2)).rms > 0
    assert summary(np.array([3 + 4j, 3 + 4j])).rms == pytest.approx(5.0)
    big = summary(np.random.default_rng(0).standard_normal(100_000).astype("float16"))
    assert big.std == pytest.approx(1, abs=0.02) and sum(big.hist) == 100_000


# -- trace -----------------------------------------------------------------------------------------------


def test_trace_of_a_function():
    def model(a, b, *, bias=1.0):
        return (a @ b).tanh() + bias
    g = trace(model, np.ones((2, 3)), np.ones((3, 2)))
    assert [n.name for n in g.nodes if n.kind == "input"] == ["a", "b"]
    assert [n.op for n in g.nodes if n.op] == ["matmul", "tanh", "add"] and g.nodes[0].value.mean == 1.0
    assert all(n.line.startswith("test_graph.py:") for n in g.nodes if n.op)
    several = trace(lambda x: {"a": x * 2, "b": x + 1}, np.ones(2))
    assert [several.nodes[i].op for i in several.outputs] == ["multiply", "add"]
    assert len(trace(lambda x: (x, x * 2), np.ones(2)).outputs) == 2


class Layer:
    """The little that a module must offer to be recorded with its paths."""

    def __init__(self, **parts):
        self.parts = parts
        self.weight = Parameter(np.ones(2)) if not parts else None

    def named_modules(self, prefix=""):
        yield prefix, self
        for name, part in self.parts.items():
            yield from part.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_parameters(self):
        for path, module in self.named_modules():
            if module.weight is not None:
                yield f"{path}.weight" if path else "weight", module.weight

    def named_buffers(self):
        return iter(())

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return x * self.weight if self.weight is not None else x.relu()

    def __call__(self, x):
        mode = ag.modes.current()
        if mode is None or mode.recorder is None:
            return self.forward(x)
        with mode.recorder.module(self):
            return self.forward(x)


def test_module_paths():
    model = Layer(encoder=Layer(first=Layer(), second=Layer()), head=Layer())
    g = trace(model, np.ones(2))
    paths = [n.module for n in g.nodes if n.op]
    root = paths[-1]
    inside = [p.removeprefix(root).removeprefix(".") if root else p for p in paths]
    assert inside == ["encoder.first", "encoder.second", "encoder", "head", ""]
    assert set(g.modules.values()) == {"Layer"} and len(g.modules) == 5
    names = [n.name for n in g.nodes if n.kind == "parameter"]
    assert [name.removeprefix(root).removeprefix(".") if root else name for name in names] == [
        "encoder.first.weight", "encoder.second.weight", "head.weight"]
    assert all(n.module == "" for n in graph(model(leaf([1.0, 2.0]))).nodes), "recorded: elsewhere not"


def test_a_module_called_twice_and_one_that_fails():
    model = Layer(a=Layer())
    with ag.record():
        y = model(model(leaf([1.0, 2.0])))
    nodes = graph(y).nodes
    assert [n.op for n in nodes if n.op] == ["multiply", "relu"] * 2
    assert len([n for n in nodes if n.kind == "parameter"]) == 1
    other = Layer(b=Layer())
    with ag.record():                           # two models in one recording: each with its own paths
        z = other(model(leaf([1.0, 2.0])))
    paths = [n.module for n in graph(z).nodes if n.op]
    assert [p.rpartition(".")[2] for p in paths if p.endswith(("a", "b"))] == ["a", "b"] and len(set(paths)) == 4
    with pytest.raises(ag.ShapeError), ag.record():
        model(leaf([1.0, 2.0, 3.0]))
    with ag.record():
        z = leaf([1.0]) * 2
    assert graph(z).nodes[-1].module == ""


# -- as text ---------------------------------------------------------------------------------------------


def test_str():
    x, w = leaf([[1.0, 2.0]], "x"), Parameter(np.ones((2, 3), "float32"), name="w")
    text = str(graph((x.float() @ w).sum(dim=1)))
    assert text.splitlines() == [
        "%0: float64[1, 2] = input x",
        "%1: float32[2, 3] = parameter w",
        "%2: float32[1, 2] = cast(%0 x, dtype=float32)",
        "%3: float32[1, 3] = matmul(%2, %1 w)",
        "%4: float32[1] = sum(%3, dim=1)",
        "return %4",
    ]


def test_str_of_what_was_recorded_names_lines():
    with ag.record():
        y = leaf(2.0, "x") * 3
        line = inspect.currentframe().f_lineno - 1
    lines = str(graph(y)).splitlines()
    assert lines[:2] == ["%0: float64[] = input x", "%1: int = constant 3"]
    assert lines[2] == f"%2 y: float64[] = multiply(%0 x, %1 3)   # test_graph.py:{line}"


def everything():
    x = leaf([1.0, np.nan, np.inf, -np.inf], "x")
    with ag.record():
        y = ag.where(x > 0, x * float("inf"), -3).clamp(max=float("inf"))[1:][None, ::2]
        z = y.sum() + Tensor([1, 2]).sum()
        z.backward()
    return graph(z, y)


def test_json_round_trip():
    for g in (everything(), graph(leaf([])), graph(leaf([1.0, 2.0]).prod() * (2 + 1)),
              trace(Layer(a=Layer()), np.ones(2))):
        text = g.to_json()
        back = Graph.from_json(text)
        assert same(back, g) and back == g and back.to_json() == text
        assert isinstance(back.nodes[0], GraphNode) and isinstance(back.nodes, tuple)
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    nodes = Graph.from_json(everything().to_json()).nodes
    assert nodes[0].value.nans == 1 and nodes[0].value.infs == 2 and isinstance(nodes[0].value, Summary)
    assert any(n.kind == "constant" and n.value is not None and n.value.item == math.inf for n in nodes)
    assert next(n for n in nodes if n.op == "clamp").attrs["max"] == math.inf


GOOD = graph(leaf(2.0) * 3).to_json()


@pytest.mark.parametrize("text", [
    "", "null", "[]", "{}", "3", "nonsense",
    '{"format": "glassgrad.graph/9"}', '{"format": "glassgrad.graph/2"}', GOOD[:-10],
    GOOD.replace("glassgrad", "other"),
    GOOD.replace('"inputs":[0,1]', '"inputs":[0,2]'), GOOD.replace('"inputs":[0,1]', '"inputs":[-1,1]'),
    GOOD.replace('"id":1', '"id":2'),
    GOOD.replace('"outputs":[2]', '"outputs":[3]'), GOOD.replace('"shape"', '"shap"'),
    '{"format":"glassgrad.graph/2","nodes":{},"outputs":[],"modules":{}}', "[" * 100_000,
])
def test_json_that_is_not_ours_is_refused(text):
    with pytest.raises(ValueError, match="from_json"):
        Graph.from_json(text)


def test_a_chain_of_any_length():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = -y
    g = graph(y)
    assert len(g.nodes) == 10_001 and len(str(g).splitlines()) == 10_002
    assert Graph.from_json(g.to_json()).outputs == (10_000,)


def test_the_method():
    x = leaf(2.0)
    y = x * x
    assert y.graph() == graph(y) and ag.graph.graph(y) == graph(y)
