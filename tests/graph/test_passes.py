"""Passes: each identity, what is left alone, and, of random programs, values and derivatives before and after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Tensor
from autograd.graph import (
    Graph,
    algebra,
    common_subexpressions,
    constant_folding,
    dead_code,
    trace,
)

RNG = np.random.default_rng(3)
X = RNG.standard_normal((2, 3))
EDGES = np.array([[0.0, -0.0, np.inf], [-np.inf, np.nan, 1.0]])


def ops_of(graph):
    return [n.op for n in graph.nodes if n.op]


def bits(x):
    return (x.dtype, x.shape, np.where(np.isnan(x), np.nan, x).tobytes()) if x.dtype.kind == "f" else x.tobytes()


# -- random programs -------------------------------------------------------------------------------------

M = np.array([[True, False, True], [False, False, True]])
UNARY = [
    lambda x: -x, abs, ag.relu, ag.tanh, ag.sin, lambda x: x * 1, lambda x: 1.0 * x, lambda x: x + 0, lambda x: x - 0.0,
    lambda x: x / 1, lambda x: x ** 1, ag.floor, lambda x: ag.clamp(x, min=-1.0, max=0.5), ag.square,
    lambda x: x.reshape(3, 2), lambda x: x.reshape(6), lambda x: x.reshape(2, 3), lambda x: x[:, :],
    lambda x: x[..., :], lambda x: x.float().double(), lambda x: x.double().float().double(), lambda x: x.T.T,
    lambda x: x.permute(1, 0),
    lambda x: x.transpose(0, 1).transpose(1, 0), lambda x: ag.flip(ag.flip(x, dims=0), dims=0), lambda x: x.clone(),
    lambda x: x.conj(), lambda x: ag.where(M, x, x) if x.shape == (2, 3) else x, lambda x: x.detach(),
    lambda x: x.sum() * 0.5 + x, lambda x: x.expand(2, *x.shape)[1], lambda x: x.softmax(dim=-1),
    lambda x: x * (Tensor(2.0) + 3.0), lambda x: ag.where(x > 0, x, -x), lambda x: ag.gather(x, -1, x.argsort(dim=-1)),
]
BINARY = [ag.add, ag.subtract, ag.multiply, ag.maximum, ag.minimum, lambda x, y: ag.where(x > y, x, y),
          lambda x, y: ag.where(x > 0, ag.where(x > 0, x, y), y), lambda x, y: x + (-y), lambda x, y: (-x) + y,
          lambda x, y: x - (-y)]
STEP = st.one_of(st.tuples(st.integers(0, len(UNARY) - 1), st.integers(0, 99)),
                 st.tuples(st.integers(0, len(BINARY) - 1), st.integers(0, 99), st.integers(0, 99)))


def program(steps):
    """The function of the steps: each applies an op to results that are there already."""
    def f(x, w):
        made = [x, w]
        for op, *args in steps:
            operands = [made[k % len(made)] for k in args]
            if len(args) == 1:
                if op in (14, 15, 16) and operands[0].value.size != 6:
                    continue
                if operands[0].ndim != 2 and op in (17, 21, 22, 23, 24):
                    continue
                made.append(UNARY[op](operands[0]))
            elif operands[0].shape == operands[1].shape:
                made.append(BINARY[op](*operands))
        return made[-1], made[len(made) // 2] + 0.0
    return f


PROGRAM = st.lists(STEP, min_size=1, max_size=14)
quick = settings(max_examples=40, deadline=None, derandomize=True)


def values(f, *args):
    return [t.value for t in f(*[Tensor(a) for a in args])]


@quick
@given(PROGRAM)
def test_a_random_program_runs_and_comes_back_from_json(steps):
    f = program(steps)
    g = trace(f)(X, X * 2)
    back = Graph.from_json(g.to_json())
    assert back == g and str(back) == str(g) and back.to_json() == g.to_json() and not g.diff(back)
    for args in ((X, X * 2), (EDGES, X), (X + 1, EDGES)):
        with np.errstate(all="ignore"):
            want = values(f, *args)
            for h in (g, back):
                assert list(map(bits, h(*args))) == list(map(bits, want))


@quick
@given(PROGRAM)
def test_passes_change_no_value(steps):
    g = trace(program(steps))(X, X * 2)
    for args in ((X, X - 1), (EDGES, X), (X, EDGES)):
        with np.errstate(all="ignore"):
            want = g(*args)
            for step in (dead_code, common_subexpressions, constant_folding):
                assert list(map(bits, step(g)(*args))) == list(map(bits, want)), step.__name__
            for h in (algebra(g), g.simplify()):
                for a, b in zip(h(*args), want, strict=True):
                    assert a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    s = g.simplify()
    assert len(ops_of(s)) <= len(ops_of(g)) and s.simplify() is s, "and once is enough"
    assert Graph.from_json(s.to_json()) == s


@quick
@given(PROGRAM)
def test_derivatives_are_those_of_the_library_before_and_after(steps):
    f = program(steps)
    x, w = Tensor(X, requires_grad=True, name="x"), Tensor(X - 0.3, requires_grad=True, name="w")
    out = f(x, w)
    total = sum((t * (k + 2)).sum() for k, t in enumerate(out))
    g = trace(lambda x, w: sum((t * (k + 2)).sum() for k, t in enumerate(f(x, w))))(x, w)
    if total.node is None:
        return
    total.backward()
    want = {t.name: t.grad.value for t in (x, w) if t.grad is not None}
    for h in (g.backward(), g.simplify().backward(), g.backward().simplify()):
        found = h(x.value, w.value)
        assert found.keys() == want.keys()
        for name, value in want.items():
            assert np.allclose(found[name], value, rtol=1e-5, atol=1e-6), "some of them went through float32"


# -- one by one ------------------------------------------------------------------------------------------

SHORTER = [
    (lambda x: x * 1, []), (lambda x: 1 * x, []), (lambda x: x / 1.0, []), (lambda x: x ** 1, []),
    (lambda x: x + 0, []), (lambda x: 0 + x, []), (lambda x: x - 0, []), (lambda x: x * np.ones((2, 3)), []),
    (lambda x: (-x).negative(), []), (lambda x: x.conj(), []), (lambda x: x.clone(), []),
    (lambda x: abs(abs(x)), ["abs"]),
    (lambda x: abs(-x), ["abs"]), (lambda x: ag.square(-x), ["square"]), (lambda x: ag.square(abs(x)), ["square"]),
    (lambda x: x.relu().relu(), ["relu"]), (lambda x: x.floor().floor(), ["floor"]),
    (lambda x: x + (-x.exp()), ["exp", "subtract"]), (lambda x: (-x) + x.exp(), ["exp", "subtract"]),
    (lambda x: x - (-x.exp()), ["exp", "add"]), (lambda x: ag.maximum(x, x), []), (lambda x: ag.where(x > 0, x, x), []),
    (lambda x: ag.where(x > 0, ag.where(x > 0, x, 1.0), 2.0), ["gt", "where"]),
    (lambda x: x.reshape(6).reshape(3, 2), ["reshape"]), (lambda x: x.reshape(6).reshape(2, 3), []),
    (lambda x: x.reshape(2, 3), []), (lambda x: x.T.T, []), (lambda x: x.permute(1, 0).transpose(0, 1), []),
    (lambda x: x.reshape(1, 2, 3).permute(1, 2, 0).permute(1, 2, 0), ["reshape", "permute"]),
    (lambda x: x.expand(4, 2, 3).expand(5, 4, 2, 3), ["expand"]), (lambda x: x.expand(2, 3), []),
    (lambda x: ag.cast(x, dtype="float64"), []), (lambda x: ag.flip(ag.flip(x, dims=(0, 1)), dims=(0, 1)), []),
    (lambda x: x[:], []), (lambda x: x[..., :], []), (lambda x: ag.cat([x]), []),
    (lambda x: x.sin() + x.sin(), ["sin", "add"]), (lambda x: (x * 2) * (2 * x), ["multiply", "multiply"]),
    (lambda x: x * (Tensor(2.0) * 3 + 1), ["multiply"]), (lambda x: ~(~(x > 0)), ["gt"]),
]


@pytest.mark.parametrize("f, left", SHORTER, ids=range(len(SHORTER)))
def test_it_becomes(f, left):
    g = trace(lambda x: f(x))(X)
    s = g.simplify()
    assert ops_of(s) == left and s.report and s.report[0].startswith("simplify: ")
    assert np.array_equal(s(X * 3), g(X * 3)) and s.inputs == (0,)
    if g.nodes[g.outputs[0]].dtype == "float64":
        want, found = g.backward(), s.backward()
        up = {"grad": np.ones(g.nodes[g.outputs[0]].shape)}
        assert np.allclose(want(X * 3, **up)["x"], found(X * 3, **up)["x"], rtol=1e-12)


LEFT_ALONE = [
    lambda x: x.log().exp(), lambda x: x.exp().log(), lambda x: x - x, lambda x: x * 0, lambda x: x / x,
    lambda x: x * -1, lambda x: 0 - x, lambda x: (x + 1) + 2, lambda x: x.float().double(), lambda x: x.sqrt() ** 2,
    lambda x: x + np.zeros((4, 2, 3)), lambda x: x * np.ones((2, 2, 3)), lambda x: x.detach() * x,
    lambda x: x.T, lambda x: x.reshape(6), lambda x: x[:, 1:], lambda x: x.clamp(min=0).clamp(max=1),
    lambda x: ag.maximum(x, -x), lambda x: ag.where(x > 0, x, -x), lambda x: 1 / x, lambda x: 2 ** x,
]


@pytest.mark.parametrize("f", LEFT_ALONE, ids=range(len(LEFT_ALONE)))
def test_it_is_left_alone(f):
    g = trace(lambda x: f(x))(X + 5)
    assert g.simplify() is g


def test_a_weak_number_is_not_put_in_the_place_of_a_tensor():
    g = trace(lambda x: x + (Tensor(np.float64(2.0)) * 1))(np.float32(1.5))
    s = g.simplify()
    assert s(np.float32(1.5)).dtype == g(np.float32(1.5)).dtype
    g = trace(lambda x: x * (Tensor(np.float64(2.0)) + 1.0))(np.ones(2, "float32"))
    assert g.simplify()(np.ones(2, "float32")).dtype == np.float32


def test_what_no_output_needs_goes_and_the_call_stays():
    g = trace(lambda x, y: (x.sin(), y.cos()))(X, X)
    one = g._replace(outputs=g.outputs[1:], gives=None)
    s = dead_code(one)
    assert ops_of(s) == ["cos"] and len(s.inputs) == 2 and np.array_equal(s(X, X + 1), np.cos(X + 1))
    assert [line.split()[:2] for line in s.report] == [["dead", "code"]] and dead_code(s) is s


def test_constants_do_not_grow_by_folding():
    g = trace(lambda x: x + Tensor(np.float64(1.0)).expand(1000, 1000))(X[:1, :1])
    assert ops_of(constant_folding(g)) == ops_of(g)
    small = trace(lambda x: x + Tensor(np.arange(3.0)).exp())(X)
    assert ops_of(constant_folding(small)) == ["add"]
    assert np.array_equal(constant_folding(small).nodes[-2].data, np.exp(np.arange(3.0)))


def test_parameters_are_not_folded_nor_merged():
    a, b = (Tensor(X, requires_grad=True) for _ in range(2))
    g = trace(lambda x: x * a.exp() + x * b.exp())(X)
    assert g.simplify() is g


def test_zeros_of_two_signs_and_numbers_of_two_types_stay_apart():
    g = trace(lambda x: (x + 2, x * 2.0, x - True, ag.maximum(x, 0.0), ag.maximum(x, -0.0)))(X)
    assert len([n for n in common_subexpressions(g).nodes if n.kind == "constant"]) == 5


def test_the_report_says_what_became_of_what():
    g = trace(lambda x: (x * 1).sin() + x.sin())(X)
    s = g.simplify()
    assert [line.partition("   #")[0] for line in s.report] == [
        "simplify: 4 steps -> 2, 24 FLOP -> 12 FLOP, 192 B of results -> 96 B",
        "algebra     %2 multiply(%0 x, %1 1) is %0 x",
        "common      %3 sin(%0 x) is %2 again"]
    assert "test_passes.py:" in s.report[1] and g.report == () and g.simplify(dead_code) is g


def test_other_sizes_after_simplifying():
    g = trace(lambda x: (x.reshape(len(x), -1, 1).reshape(len(x), 3) * 1).T.T)(RNG.standard_normal((7, 3)))
    s = g.simplify()
    x = RNG.standard_normal((4, 3))
    assert ops_of(s) == [] and np.array_equal(s(x), g(x))
