"""Zoom: the scalars that make one element have its value and its derivatives, for every op."""

from __future__ import annotations

import importlib
import re
import zlib

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional.attending
import nn.functional.channels
import viz
from autograd import Tensor, ops
from autograd.graph import Graph
from autograd.op import OPS
from viz.chain.programs import PROGRAMS
from viz.chain.zooming import zoom

for family in sorted(set(ops.LATE.values())):
    importlib.import_module(f"autograd.ops.{family}")          # every op enters OPS when its file is imported

ALL = 10 ** 6
APART = {"drawn", "standing_for", "qr_complete"}          # no one calls them
NOT_REAL = {"imag", "view_as_real", "view_as_complex", "fourier_transform", "real_fourier_transform",
            "inverse_real_fourier_transform", "eig_values", "eig_vectors"}


def cases(op):
    n = len(op.inputs)
    return list(op.cases) or [(((2, 3),) * n, {}), (((2, 1), (3,), (1, 1))[:n], {}), (((),) * n, {})]


def traced(op, shapes, attrs):
    """The graph of one call at random inputs, and the inputs that a gradient flows to."""
    rng = np.random.default_rng(zlib.crc32(op.name.encode()))
    fixed = [isinstance(s, np.ndarray) for s in shapes]
    values = [s if f else np.asarray(rng.uniform(*op.domain, s))[()] for s, f in zip(shapes, fixed, strict=True)]

    def f(*xs):
        given = iter(xs)
        args = [v if fix else next(given) for v, fix in zip(values, fixed, strict=True)]
        if op.order[:len(args)] != op.inputs[:len(args)] and not op.variadic:
            return op.call(**dict(zip(op.inputs, args, strict=False)), **attrs)
        return op.call(*args, **attrs)

    inputs = [Tensor(v, requires_grad=True, name=f"in{k}") for k, v in enumerate(values) if not fixed[k]]
    return ag.trace(f)(*inputs), inputs, f


def check(op, shapes, attrs, most=3):
    """Elements of a call, each opened: value and every slope against the op itself."""
    graph, inputs, f = traced(op, shapes, attrs)
    out = f(*inputs)
    step = next((n for n in graph.nodes if n.op == op.name), None)
    if step is None or out.value.size == 0 or out.dtype.kind != "f" or step.id != graph.outputs[0]:
        return None
    rng = np.random.default_rng(0)
    for flat in rng.choice(out.value.size, min(most, out.value.size), replace=False):
        at = tuple(int(k) for k in np.unravel_index(flat, out.shape))
        opened = zoom(graph, step.id, at if at else None, terms=ALL)
        element = f(*inputs)[at] if at else f(*inputs)
        for x in inputs:
            x.grad = None
        if element.requires_grad:
            element.backward()
        assert opened.value == pytest.approx(element.item(), rel=1e-12, abs=1e-13, nan_ok=True)
        wanted = {}
        for x in inputs:
            g = np.zeros(x.shape) if x.grad is None else x.grad.numpy()
            for p in np.ndindex(*x.shape):
                wanted[x.name + (f"[{', '.join(map(str, p))}]" if p else "")] = float(g[p])
        scale = max(map(abs, wanted.values()), default=0.0)
        learned = {n for n in opened.slopes if not re.match(r"c\d", n)}     # what a case fixes is a constant
        assert learned <= set(wanted)
        for name, slope in wanted.items():
            assert opened.slopes.get(name, 0.0) == pytest.approx(slope, rel=1e-12, abs=1e-12 * scale, nan_ok=True), name
        if opened.opened:
            assert all(n.shape == () for n in opened.graph.nodes)
            assert float(opened.graph()) == opened.value           # it runs
            learned = [n for n in opened.graph.nodes if wanted.get(n.name)]
            if learned:
                back = opened.graph.backward([f"%{n.id}" for n in learned])()
                for node in learned:
                    g = back.get(node.name, back.get(f"%{node.id}"))
                    assert float(g) == pytest.approx(wanted[node.name], rel=1e-12, abs=1e-12 * scale)
    return opened


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_scalar_program_is_its_op(name):
    opened = [check(OPS[name], shapes, attrs) for shapes, attrs in cases(OPS[name])
              if not any(0 in s for s in shapes if isinstance(s, tuple))]
    opened = [one for one in opened if one is not None]
    assert opened and all(one.opened for one in opened)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n, op in OPS.items() if op.rules and n not in PROGRAMS))
def test_every_op_opens(name):
    """Elementwise and linear ops into scalars, others into one node with the elements that count."""
    op = OPS[name]
    if name in NOT_REAL or name in APART:
        pytest.skip("complex results, or no op of its own")
    for shapes, attrs in cases(op)[:2]:
        if not any(0 in s for s in shapes if isinstance(s, tuple)):
            check(op, shapes, attrs, most=1)


@pytest.mark.parametrize("name", ["tanh", "gelu", "clamp", "where", "reshape", "concatenate", "sum", "cumsum", "inv"])
def test_common_ops_open(name):
    for shapes, attrs in cases(OPS[name])[:2]:
        check(OPS[name], shapes, attrs, most=2)


def attention():
    ag.manual_seed(0)
    rng = np.random.default_rng(1)
    q, k, v = (Tensor(rng.standard_normal((4, 8)), requires_grad=True, name=n) for n in "qkv")
    with ag.record():
        scores = q @ k.T / 8 ** 0.5
        weights = scores.softmax(-1)
        out = weights @ v
        loss = (out * out).mean()
        loss.backward()
    return loss, {"scores": scores, "weights": weights, "out": out, "q": q, "v": v}


def test_the_numbers_are_those_of_the_whole():
    loss, parts = attention()
    seen = zoom(loss, "softmax", (1, 2))
    assert seen.value == pytest.approx(parts["weights"].value[1, 2], rel=1e-12)
    graph = ag.graph.graph(loss)
    step = next(n for n in graph.nodes if n.op == "softmax")
    assert seen.node == step.id and seen.index == (1, 2)
    top = seen.graph.nodes[seen.graph.outputs[0]]
    whole = step.grad                                       # recorded: the gradient of the whole matrix
    assert whole.min - 1e-12 <= seen.gradient <= whole.max + 1e-12
    assert top.grad.item == pytest.approx(seen.gradient, rel=1e-12)
    # over all elements of the output, the contributions to one element of an operand add up to its gradient
    total = 0.0
    matmul = [n.id for n in graph.nodes if n.op == "matmul"][-1]
    for at in np.ndindex(4, 8):
        opened = zoom(graph, matmul, at)
        total += opened.gradient * opened.slopes.get("v[2, 3]", 0.0)
    assert total == pytest.approx(parts["v"].grad.numpy()[2, 3], rel=1e-12)


def test_long_sums_are_closed_and_keep_their_numbers():
    rng = np.random.default_rng(0)
    x, w = (Tensor(rng.standard_normal(s), requires_grad=True, name=n) for s, n in (((2, 125), "x"), ((125, 3), "w")))
    with ag.record():
        y = (x @ w).sum()
    opened = zoom(y, "matmul", (0, 1), terms=8)
    rest = [n for n in opened.shown.nodes if n.name == "… 118 more terms"]
    assert len(rest) == 1
    hidden = float(x.value[0, 7:] @ w.value[7:, 1])
    assert rest[0].value.item == pytest.approx(hidden, rel=1e-12)
    assert rest[0].grad.item == 1.0
    assert len(opened.slopes) == 250 and opened.slopes["x[0, 124]"] == w.value[124, 1]
    assert "more terms" in opened.text and "more terms" in opened.svg
    layer = nn.LayerNorm(32).double()
    normed = zoom(ag.trace(layer)(rng.standard_normal((2, 32))), "layer_norm", (0, 3))
    assert len(normed.shown.nodes) <= 48                    # chosen such that the picture has numbers in its nodes
    assert normed.drawing.view.scalar
    rest = [n for n in normed.shown.nodes if n.name.startswith("… ")]
    assert rest[-1].inputs                                  # what is hidden still depends on the mean that is seen


def test_it_folds_back():
    loss, _ = attention()
    drawing = viz.draw(loss)
    opened = zoom(drawing, "softmax[0, 1]")
    assert opened.whole is drawing.graph
    assert opened.fold().graph is drawing.graph
    assert opened.fold().svg == drawing.svg


def test_it_shows_itself(tmp_path):
    loss, _ = attention()
    opened = zoom(loss, "softmax", (0, 1), theme="dark")
    bundle = opened._repr_mimebundle_()
    assert bundle["text/plain"] == repr(opened) == opened.text
    assert "<svg" in bundle["text/html"]
    opened.save(tmp_path / "softmax.svg")
    assert (tmp_path / "softmax.svg").read_text() == opened.svg
    assert isinstance(Graph.from_json(opened.graph.to_json()), Graph)


def test_large_logits_do_not_overflow():
    x = np.array([[1000.0, 999.0, -1000.0]])
    opened = zoom(ag.trace(lambda x: x.softmax(-1))(x), "softmax", (0, 1))
    assert opened.value == pytest.approx(1 / (1 + np.e), rel=1e-12)
    assert opened.slopes["x[0, 0]"] == pytest.approx(-opened.value * (1 - opened.value), rel=1e-12)


def test_mistakes_are_explained():
    loss, _ = attention()
    with pytest.raises(LookupError, match="'conv'"):
        zoom(loss, "conv")
    with pytest.raises(LookupError, match=r"matmul.*give the id"):
        zoom(loss, "matmul", (0, 1))
    with pytest.raises(IndexError, match=r"\(4, 4\)"):
        zoom(loss, "softmax", (9, 9))
    with pytest.raises(ValueError, match="one element"):
        zoom(loss, "softmax")
    with pytest.raises(ValueError, match="terms"):
        zoom(loss, "softmax", (0, 1), terms=0)
    with pytest.raises(ValueError, match="not computed"):
        zoom(loss, "q", (0, 1))
    outside = (Tensor(np.ones(3), requires_grad=True, name="t") * 2).sum()
    with pytest.raises(ValueError, match=r"record\(\)"):
        zoom(outside, "sum")
