"""`viz.diff`: two graphs as one, what is marked, what is folded, and the change of gradients between two steps."""

import math
import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
import optim
from autograd import Tensor
from autograd.graph import Graph
from viz.compare.colours import SIGNS
from viz.compare.diff import diff
from viz.compare.gradients import Shift
from viz.compare.merge import merge
from viz.theme import THEMES, contrast

X = np.random.default_rng(0).standard_normal((16, 6)).astype("float32")


class Block(nn.Module):
    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.fc, self.act = nn.Linear(6, 6), act

    def forward(self, x: Tensor) -> Tensor:
        return x + self.act(self.fc(x))


def blocks(*acts: nn.Module) -> nn.Module:
    return nn.Sequential(*[Block(act) for act in acts])


def step(model: nn.Module, optimizer: Any) -> Graph:
    with autograd.record():
        loss = nn.functional.cross_entropy(model(Tensor(X)), np.arange(16) % 3)
    optimizer.zero_grad()
    loss.backward()
    graph = loss.graph()
    optimizer.step()
    return graph


def test_nothing_differs() -> None:
    model = blocks(nn.ReLU(), nn.ReLU())
    found = diff((model, X), (model, X))
    assert not found and (found.added, found.removed, found.changed) == (0, 0, 0)
    assert "same structure" in found.text and "+ added" not in found.text


def test_added_removed_changed_are_said_with_sign_and_word() -> None:
    def before(x: Tensor) -> Tensor:
        return (x.tanh() + 1).sum(dim=0)

    def after(x: Tensor) -> Tensor:
        return ((x * 2).tanh() + 1).sum(dim=1)

    found = diff((before, X), (after, X))
    assert found and found.added == 2 and found.removed == 0      # the op and its 2
    text = found.text
    assert "+ added" in text and re.search(r"~ dim: .*0.* → .*1", text) and "~ 6 → 16" in text
    back = diff((after, X), (before, X))
    assert back.removed == 2 and back.added == 0 and "− removed" in back.text


def test_an_op_in_the_place_of_another_changed() -> None:
    found = diff((lambda x: (x.relu() * x).exp(), X), (lambda x: (x.tanh() * x).exp(), X))
    assert (found.added, found.removed, found.changed) == (0, 0, 1) and "relu → tanh" in found.text


def test_ops_of_one_name_in_other_modules_are_not_one_op() -> None:
    class Net(nn.Module):
        def __init__(self, gated: bool) -> None:
            super().__init__()
            self.gated, self.drop = gated, nn.Dropout(0.5)

        def forward(self, x: Tensor) -> Tensor:
            return x * x.sigmoid() if self.gated else self.drop(x)

    found = diff((Net(False), X), (Net(True), X))
    statuses = {(n.op, n.module.rpartition(".")[2]): found.merged.status.get(n.id) for n in found.merged.graph.nodes
                if n.kind == "op"}
    assert statuses["multiply", "drop"] == "removed" and statuses["sigmoid", "net"] == "added"


def test_unchanged_modules_are_folded_and_changed_ones_open() -> None:
    acts = [nn.ReLU() for _ in range(5)]
    found = diff((blocks(*acts), X), (blocks(*acts[:3], nn.GELU(), acts[4]), X))
    kinds = [item.kind for item in found.view.items]
    assert kinds.count("module") == 4 and found.changed == 1
    roles = {card.role for card in found.scene.cards}
    assert roles <= {"same", "module", "changed"}
    ends = {key for wire in found.scene.wires for key in (wire.source, wire.target)}
    assert ends == {card.key for card in found.scene.cards}                    # all is still connected
    open_all = diff((blocks(*acts), X), (blocks(*acts[:3], nn.GELU(), acts[4]), X), budget=None)
    assert len(open_all.view.items) > len(kinds)


def test_a_parameter_that_grew_or_went_is_marked_in_its_row() -> None:
    found = diff((nn.Linear(6, 3), X), (nn.Linear(6, 4, bias=False), X))
    text = found.text
    assert "~ 3×6 → 4×6" in text and re.search(r"− (linear\.)?bias", text)
    card = next(c for c in found.scene.cards if c.role == "changed")
    assert {row.fill for row in card.rows if row.leaf} == {"changed", "removed"}


def test_wires_of_what_was_removed_are_dashed() -> None:
    found = diff((lambda x: (x.exp() + x).sum(), X), (lambda x: (x + x).sum(), X))
    lost = [w for w in found.scene.wires if w.role == "removed-ink"]
    assert lost and all(w.dash == "dashed" for w in lost)
    gone = next(c for c in found.scene.cards if c.role == "removed")
    assert gone.form == "view" and "− removed" in found.text                   # the dashed border


def test_gradients_then_and_now() -> None:
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    old = model[0].weight.value.copy()
    before = step(model, optimizer)
    new = model[0].weight.value.copy()
    for _ in range(5):
        after = step(model, optimizer)
    found = diff(before, after)
    assert not found and "gradients then and now" in found.text and {"ratio"} <= found.kinds
    ids = {n.name: n.id for n in after.nodes}
    then, now = (g.nodes[ids["0.weight"]].grad.rms for g in (before, after))
    from viz.text import number
    assert f"∇ {number(then)} → {number(now)}" in found.text and f"∇×{number(now / then)}" in found.text
    moved = np.linalg.norm(after.nodes[ids["0.weight"]].data - old) / np.linalg.norm(old)
    assert f"moved by {number(float(moved))}" in found.text and not np.array_equal(old, new)
    plain = diff(before, after, gradients=False)
    assert "∇" not in plain.text and "ratio" not in plain.kinds


def test_the_strip_of_a_repeat_has_a_ratio_for_each_turn() -> None:
    autograd.manual_seed(0)
    model = nn.Sequential(*[layer for _ in range(16) for layer in (nn.Linear(6, 6), nn.Tanh(), nn.LayerNorm(6))],
                          nn.Linear(6, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    before = step(model, optimizer)
    for _ in range(8):
        after = step(model, optimizer)
    for options in ({"budget": 20}, {"depth": 1}):
        found = diff(before, after, **options)
        strips = [[c.fill for c in row.cells if c.fill and not c.text]
                  for part in (*found.scene.frames, *found.scene.cards) for row in part.rows]
        strip = next(s for s in strips if s)
        ends = [n.id for n in after.nodes if n.op == "layer_norm"]
        assert strip == [Shift(before.nodes[i].grad.rms, after.nodes[i].grad.rms).role for i in ends]


@pytest.mark.parametrize("then, now, role, words", [
    (1.0, 1.0, "ramp4", "×1"), (1.0, 0.25, "ramp2", "×0.25"), (1.0, 2.0, "ramp5", "×2"), (1.0, 1e9, "ramp8", "×1.0e9"),
    (1.0, 1e-9, "ramp0", "×1.0e-9"), (0.0, 0.0, "ramp4", "0"), (0.0, 1.0, "alarm", "from 0"),
    (1.0, 0.0, "alarm", "to 0"),
    (1.0, math.nan, "alarm", "NaN"), (math.inf, 1.0, "alarm", "∞"), (math.nan, math.nan, "alarm", "NaN")])
def test_the_swatch_of_a_ratio(then: float, now: float, role: str, words: str) -> None:
    assert (Shift(then, now).role, Shift(then, now).factor) == (role, words)


def test_tensors_lists_graphs_and_calls_are_taken() -> None:
    x = Tensor(X, requires_grad=True)
    a, b = x.exp().sum(), x.tanh().sum()
    for pair in ((a, b), (a.graph(), b), ([a], [b]), ([a, x.exp()], (lambda y: y.tanh().sum(), X))):
        assert diff(*pair)


@pytest.mark.parametrize("sides, options, error", [
    ((3, 4), {}, TypeError), ((nn.Linear(6, 2), nn.Linear(6, 2)), {}, TypeError), (((), ()), {}, TypeError),
    ((Tensor(X), Tensor(X)), {"theme": "pink"}, ValueError), ((Tensor(X), Tensor(X)), {"gradients": 3}, ValueError),
    ((Tensor(X), Tensor(X)), {"budget": 0}, ValueError)])
def test_errors_say_what_was_expected(sides: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="diff: expected"):
        diff(*sides, **options)


def test_files_and_notebook(tmp_path: Any) -> None:
    found = diff((nn.Linear(6, 3), X), (nn.Linear(6, 4), X))
    for suffix in ("svg", "dot", "txt", "mmd", "tex"):
        found.save(tmp_path / f"d.{suffix}")
        assert (tmp_path / f"d.{suffix}").stat().st_size > 100
    svg = (tmp_path / "d.svg").read_text()
    assert "legend of the difference" in svg and "changed" in svg and svg.count("<svg") == 1
    assert set(found._repr_mimebundle_()) >= {"text/html", "text/plain"}
    with pytest.raises(ValueError, match="expected a path"):
        found.save(tmp_path / "d.html")
    assert not (tmp_path / "d.html").exists()


def test_scalars_and_hostile_names_are_drawn() -> None:
    a, b = (autograd.Tensor(v, requires_grad=True) for v in (2.0, -3.0))
    evil = "</g><script>\"'&" + "\u202e" * 5
    a.name = evil
    one, two = a * b + 1.0, (a * b + 2.0).tanh()
    found = diff(one, two)
    assert found.added and "<script" not in found.svg and "value" not in found.svg.split("</title>")[0]
    assert found.changed == 1 and "1" in found.text and "→ 2" in found.text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=14), st.lists(st.integers(0, 5), min_size=1, max_size=14))
def test_the_union_holds_both_in_order(first: list[int], second: list[int]) -> None:
    def program(codes: list[int]) -> Any:
        def run(x: Tensor) -> Tensor:
            seen = [x]
            for k, code in enumerate(codes):
                y, z = seen[-1], seen[k // 2]
                seen.append([y.tanh, y.exp, lambda y=y, z=z: y + z, lambda y=y, z=z: z * y, y.relu,
                             lambda y=y: y * 2.0][code]())
            return seen[-1]
        return run

    with np.errstate(all="ignore"):
        a, b = (autograd.trace(program(codes))(X[:2, :2]) for codes in (first, second))
    merged = merge(a, b)
    nodes = merged.graph.nodes
    assert all(i < n.id for n in nodes for i in n.inputs) and [n.id for n in nodes] == list(range(len(nodes)))
    counts = {s: merged.count(s) for s in SIGNS}
    assert len(nodes) == len(b.nodes) + counts["removed"] == len(a.nodes) + counts["added"]
    assert len(merged.before) == len(b.nodes) - counts["added"]
    assert [n.op for n in nodes if merged.status.get(n.id) != "removed"] == [n.op for n in b.nodes]
    if first == second:
        assert not merged.status
    found = diff(a, b)
    assert {c.key for c in found.scene.cards} >= {k for w in found.scene.wires for k in (w.source, w.target)}


def test_large_graphs_take_a_bounded_time() -> None:
    def deep(n: int, act: str) -> Any:
        def run(x: Tensor) -> Tensor:
            for k in range(n):
                x = x.tanh() if k != n // 2 else getattr(x, act)()
            return x
        return run

    a, b = (autograd.trace(deep(4000, act))(X[:1, :1]) for act in ("tanh", "relu"))
    start = time.process_time()
    found = diff(a, b)
    assert len(found.scene.cards) <= 200 and "+ added" in found.text and "− removed" in found.text
    assert time.process_time() - start < 5


# -- colours ----------------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009: what is seen without one kind of cone, on linear RGB
DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]}


def lab(colour: str, matrix: Any) -> np.ndarray:
    rgb = np.array([int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)])
    rgb = np.clip(np.array(matrix) @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(np.maximum(xyz / [0.9505, 1.0, 1.089], 1e-6))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES)
def test_marks_can_be_read_and_told_apart(theme: str) -> None:
    colours = THEMES[theme]
    for status in (*SIGNS, "same"):
        assert contrast(colours[f"{status}-ink"], colours[status]) >= 5.5
    if theme == "print":
        return                                             # black on white: signs, words and dashes alone
    for matrix in (np.eye(3), *DEFICIENCIES.values()):
        for a, b in (("added", "removed"), ("added", "changed"), ("removed", "changed")):
            far = [np.linalg.norm(lab(colours[a + k], matrix) - lab(colours[b + k], matrix)) for k in ("", "-ink")]
            assert max(far) > 10, (theme, a, b, far)


class Holds(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Keeps(Holds):
    pass


def deep(*middle: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), *middle, nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1))


def test_an_inserted_layer_does_not_change_those_behind_it() -> None:
    found = diff((deep(), X), (deep(nn.Linear(8, 8), nn.Tanh()), X))
    assert (found.removed, found.changed) == (0, 0)
    added = {(n.kind, n.op or n.name) for n in found.merged.graph.nodes if found.merged.status.get(n.id) == "added"}
    assert added == {("op", "linear"), ("op", "tanh"), ("parameter", "2.weight"), ("parameter", "2.bias")}
    assert "sequential.2 → sequential.4" in found.text
    back = diff((deep(nn.Linear(8, 8), nn.Tanh()), X), (deep(), X))
    assert (back.added, back.removed, back.changed) == (0, 4, 0)


@pytest.mark.parametrize(("old", "new", "said"), [
    (Holds(deep()), Keeps(deep()), "holds → keeps"), (deep(), Holds(deep()), "sequential → holds.body"),
    (Holds(deep()), deep(), "holds.body → sequential")])
def test_modules_of_another_name_are_one_note_and_no_change(old: nn.Module, new: nn.Module, said: str) -> None:
    found = diff((old, X), (new, X))
    assert not found and said in found.text and "changed" not in found.text.replace("a change", "")
