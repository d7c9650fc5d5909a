"""The backward picture: rules, reversed arrows, sums."""

import pytest

import viz
from viz.reverse import backward, contributions
from viz.view import view


def by_op(v):
    return {v.graph.nodes[item.nodes[0]].op: item for item in v.items if item.kind == "op"}


def test_arrows_run_from_the_result_to_the_leaves(graphs):
    v = backward(view(graphs["scalars"]()))
    name = {item.key: v.graph.nodes[item.nodes[0]] for item in v.items}
    assert [(name[k.source].name or name[k.source].op, name[k.target].name or name[k.target].op) for k in v.links] == [
        ("o", "o"), ("o", "add"), ("add", "multiply"), ("add", "b"), ("multiply", "w"), ("multiply", "x")]
    assert v.items[0].kind == "seed"


def test_every_op_shows_the_rule_of_each_input(graphs):
    ops = by_op(backward(view(graphs["scalars"]())))
    assert [r.text for r in ops["multiply"].rules] == ["gx = g * y", "gy = g * x"]
    assert [r.text for r in ops["tanh"].rules] == ["gx = g * (1 - out * out)"]


def test_a_parameter_is_a_result_row_with_its_rule(graphs):
    v = backward(view(graphs["mlp"]()))
    matmul = next(i for i in v.items if v.graph.nodes[i.nodes[0]].op == "matmul" and len(i.rules) == 2)
    flow, result = matmul.rules
    assert (flow.text, flow.leaves) == ("gx = g @ y.mT", ())
    assert (result.text, result.gathers) == ("x.mT @ g", False)
    assert v.graph.nodes[result.leaves[0]].name == "fc2.weight"


def test_inputs_without_gradient_are_absent(graphs):
    v = backward(view(graphs["mlp"]()))
    assert not [i for i in v.items if i.kind == "leaf"]
    first = v.items[-1]
    assert v.graph.nodes[first.nodes[0]].op == "matmul" and [r.text for r in first.rules] == ["x.mT @ g"]
    power = by_op(v)["power"]
    assert [r.arg for r in power.rules] == [0]             # nothing for the constant exponent


def test_a_value_used_twice_gathers_two_gradients(maker):
    m = maker()
    x = m.input("x", (3,), requires_grad=True)
    h = m.op("exp", (x,), (3,))
    graph = m.graph(m.op("sum", (m.op("multiply", (h, h), (3,)),), (), "reduction"))
    assert contributions(graph)[h] == 2
    v = backward(view(graph))
    assert by_op(v)["exp"].gathers == 2 and by_op(v)["multiply"].gathers == 0
    assert sum(k.target == f"n{h}" for k in v.links) == 2
    assert "Σ 2" in viz.draw(graph, direction="backward").svg


def test_a_shared_parameter_adds_up(maker):
    m = maker()
    w, h = m.parameter("w"), m.input()
    for _ in range(2):
        h = m.op("matmul", (h, w), formula=("g @ y.mT", "x.mT @ g"))
    text = viz.draw(m.graph(h), direction="backward").text
    assert text.count("◆ w.grad += x.mT @ g") == 2


def test_folded_modules_stay_folded(graphs):
    graph = graphs["residual"](12)
    v = backward(view(graph, depth=0))
    assert [i.path for i in v.items if i.kind == "module"] == ["head", "blocks", "embed"]
    v = backward(view(graph))
    assert [len(g.turns) for g in v.groups if g.turns] == [12]


def test_private_names_in_rules_are_shown_without_their_mark(maker):
    m = maker()
    x = m.input("x", (), requires_grad=True)
    graph = m.graph(m.op("power", (x,), (), formula=("g * _slope(x, my_name)",)))
    assert by_op(backward(view(graph)))["power"].rules[0].text == "gx = g * slope(x, my_name)"


def test_without_gradients_there_is_no_backward_picture(maker):
    m = maker()
    graph = m.graph(m.op("relu", (m.input(),)))
    with pytest.raises(ValueError) as error:
        viz.draw(graph, direction="backward")
    assert str(error.value) == (
        "draw: expected an output that requires a gradient, for a backward picture; got relu, which depends on nothing "
        'that requires one; set requires_grad=True on a tensor it is computed from, or draw direction="forward"')
