"""What is seen of a graph: rows, open modules, folded repeats, budgets."""

import time

import pytest

import viz
from viz.view import SMALL, view


def keys(v):
    return {item.key for item in v.items}


def is_acyclic(v):
    order = {}
    incoming = {item.key: 0 for item in v.items}
    for link in v.links:
        incoming[link.target] += 1
    ready = [k for k, n in incoming.items() if not n]
    for key in ready:
        order[key] = len(order)
        for link in v.links:
            if link.source == key:
                incoming[link.target] -= 1
                if not incoming[link.target]:
                    ready.append(link.target)
    return len(order) == len(v.items)


def test_parameters_and_constants_are_rows_and_inputs_are_cards(graphs):
    graph = graphs["mlp"]()
    v = view(graph)
    assert v.params == "row" and not v.scalar
    drawn = {i for item in v.items for i in item.nodes}
    rows = {i for item in v.items for row in item.rows for i in row}
    for node in graph.nodes:
        assert (node.id in rows) == (node.kind in ("parameter", "constant"))
        assert (node.id in drawn) == (node.kind in ("input", "op"))


def test_a_parameter_is_named_as_its_module_sees_it(maker):
    m = maker()
    w = m.parameter("encoder.fc.weight")
    h = m.op("matmul", (m.input(), w), module="net.encoder.fc")
    graph = m.graph(m.op("matmul", (h, w), module="net.decoder"))
    text = viz.draw(graph).text
    assert "◆ weight 8×8" in text and "◆ encoder.fc.weight 8×8" in text


def test_params_node_draws_every_leaf(graphs):
    v = view(graphs["mlp"](), params="node")
    assert {i for item in v.items for i in item.nodes} == {n.id for n in v.graph.nodes}
    assert not any(item.rows for item in v.items)


def test_a_small_graph_of_scalars_is_drawn_with_numbers_in_nodes(graphs):
    v = view(graphs["scalars"]())
    assert v.scalar and v.params == "node" and len(v.items) == 6
    assert not view(graphs["scalars"](), params="row").scalar


def test_modules_are_groups_and_links_cross_them(graphs):
    v = view(graphs["mlp"]())
    assert [g.path for g in v.groups] == ["fc1", "fc2"]
    by_key = {item.key: item for item in v.items}
    assert [(by_key[k.source].group, by_key[k.target].group) for k in v.links] == [
        (-1, 0), (0, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]


def test_an_op_alone_in_its_module_needs_no_group(graphs):
    v = view(graphs["residual"](1))
    relu = next(item for item in v.items if v.graph.nodes[item.nodes[0]].op == "relu")
    assert relu.path == "blocks.0.act"
    assert "blocks.0.act" not in [g.path for g in v.groups]


def test_equal_siblings_fold_into_one_open_repeat_that_shows_the_first(graphs):
    v = view(graphs["residual"](12))
    repeat = next(g for g in v.groups if g.turns)
    assert repeat.path == "blocks.0" and len(repeat.turns) == 12
    assert len({len(turn) for turn in repeat.turns}) == 1
    adds = [item for item in v.items if len(item.nodes) == 12]
    assert len(adds) == 6                      # matmul add relu matmul add, and the sum
    assert all(v.graph.nodes[i].op == v.graph.nodes[item.nodes[0]].op for item in adds for i in item.nodes)
    rows = [row for item in adds for row in item.rows]
    assert len(rows) == 4 and all(len(row) == 12 for row in rows)
    assert is_acyclic(v)                       # what goes from one turn to the next is not a link
    assert all(link.source != link.target for link in v.links)


def test_few_operations_are_never_folded(graphs):
    v = view(graphs["residual"](4))
    assert len(v.graph.nodes) > SMALL > sum(n.kind == "op" for n in v.graph.nodes)
    assert not any(g.turns for g in v.groups)


def test_depth_says_how_many_levels_are_open(graphs):
    graph = graphs["residual"](12)
    closed = view(graph, depth=0)
    assert [(i.kind, i.path) for i in closed.items if i.kind in ("module", "repeat")] == [
        ("module", "embed"), ("module", "blocks"), ("module", "head")]
    one = view(graph, depth=1)
    assert [(i.kind, len(i.turns)) for i in one.items if i.kind in ("module", "repeat")] == [("repeat", 12)]
    assert is_acyclic(closed) and is_acyclic(one)


@pytest.mark.parametrize("budget", [1, 5, 10, 20, 60])
def test_the_budget_bounds_the_cards(graphs, budget):
    v = view(graphs["residual"](12), budget=budget)
    least = len(view(graphs["residual"](12), depth=0).items)
    assert len(v.items) <= max(budget, least) + 2          # inputs come on top
    assert is_acyclic(v)


def test_no_budget_shows_everything(graphs):
    graph = graphs["residual"](12)
    v = view(graph, budget=None)
    assert {item.kind for item in v.items} == {"op", "leaf", "loss"}
    assert sum(len(item.nodes) for item in v.items) == sum(n.kind in ("op", "input") for n in graph.nodes)


def test_a_pattern_of_several_siblings_folds(maker):
    m = maker()
    h = m.input()
    for k in range(30):
        m.modules[f"{2 * k}"], m.modules[f"{2 * k + 1}"] = "Linear", "Tanh"
        h = m.linear(f"{2 * k}", h)
        h = m.op("tanh", (h,), category="activation", module=f"{2 * k + 1}")
    v = view(m.graph(h))
    assert [len(g.turns) for g in v.groups if g.turns] == [30]
    assert len(v.items) == 5                   # input, matmul, add, tanh, output


def test_siblings_with_names_of_their_own_do_not_fold(maker):
    m = maker()
    x = m.input()
    outs = []
    for name in ("q_proj", "k_proj", "v_proj"):
        h = m.linear(f"attention.{name}", x)
        for _ in range(14):
            h = m.op("tanh", (h,), category="activation", module=f"attention.{name}")
        outs.append(h)
    v = view(m.graph(m.op("cat", tuple(outs))))
    assert {g.path for g in v.groups} >= {"attention.q_proj", "attention.k_proj", "attention.v_proj"}


def test_a_module_called_twice_is_two_calls(maker):
    m = maker()
    m.modules["act"] = "ReLU"
    h = m.input()
    for k in range(2):
        h = m.linear(f"fc{k}", h)
        h = m.op("relu", (h,), category="activation", module="act")
        h = m.op("dropout", (h,), module="act")
    v = view(m.graph(h), depth=0)
    assert [i.path for i in v.items if i.kind == "module"] == ["fc0", "act", "fc1", "act"]
    assert is_acyclic(v)


def test_an_unrolled_recurrence_folds_without_modules(maker):
    m = maker()
    x, h = m.input("x", (50, 4, 8)), m.input("h", (4, 8))
    w = m.parameter("w")
    for _ in range(50):
        step = m.op("getitem", (x,), (4, 8), "index")
        h = m.op("tanh", (m.op("add", (m.op("matmul", (h, w), (4, 8), "linear"), step), (4, 8)),), (4, 8), "activation")
    v = view(m.graph(h))
    assert [len(g.turns) for g in v.groups] == [50]
    assert [row for item in v.items for row in item.rows] == [(w,)]    # shared: one leaf for all turns
    assert is_acyclic(v)


def test_arrays_are_data_where_a_computation_starts_and_constants_elsewhere(maker):
    m = maker()
    x, mask = m.leaf("constant", shape=(16, 8)), m.leaf("constant", shape=(16, 8))
    target = m.leaf("constant", shape=(16,), dtype="int64")
    h = m.op("multiply", (m.linear("fc", x), mask))
    v = view(m.graph(m.op("cross_entropy", (h, target), (), "loss")))
    assert [v.graph.nodes[i].kind for i in (x, mask, target)] == ["input", "constant", "input"]


def test_results_that_are_no_loss_get_an_end_of_their_own(maker):
    m = maker()
    h = m.linear("fc", m.input())
    a, b = m.op("tanh", (h,)), m.op("exp", (h,))
    v = view(m.graph(a, b))
    assert [item.nodes for item in v.items if item.kind == "output"] == [(a,), (b,)]


def test_a_graph_without_ops_shows_its_leaf(maker):
    m = maker()
    m.parameter("w")
    v = view(m.graph())
    assert [(i.key, i.kind) for i in v.items] == [("n0", "leaf")] and not v.links


def test_thousands_of_ops_are_seen_at_once(graphs):
    graph = graphs["chain"](5000)
    start = time.perf_counter()
    everything, some = view(graph, budget=None), view(graph)
    assert time.perf_counter() - start < 3
    assert len(everything.items) == 5002 and len(some.items) <= 152
    assert is_acyclic(some)


def test_one_big_module_is_opened_in_pieces(maker):
    m = maker()
    h = m.input()
    m.modules["net"] = "Net"
    for k in range(400):
        h = m.op("tanh" if k * k % 7 < 3 else "relu", (h,), (16, k), module=f"net.{k}")
    v = view(m.graph(m.op("sum", (h,), (), "reduction")))
    assert 50 < len(v.items) <= 153 and [g.path for g in v.groups] == ["net"]
    assert is_acyclic(v)


def test_deep_module_paths_do_not_recurse(maker):
    m = maker()
    h = m.input()
    for k in range(60):
        h = m.op("tanh", (h,), module=".".join("a" * (5 * k)))
    v = view(m.graph(h))
    assert is_acyclic(v)
    assert keys(v)
