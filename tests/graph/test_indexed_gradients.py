"""The graph of the gradients of many indexed reads: one line gathers them, so that it stays as long as the program."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, trace
from autograd.graph import Graph


def product(x):
    y = x[0]
    for i in range(1, len(x)):
        y = y * x[i]
    return y


def numbers(n):
    return np.linspace(0.9, 1.1, n)


def test_flops_of_the_way_back_grow_as_the_way_there():
    flops = {}
    for n in (50, 100, 200):
        back = trace(product)(numbers(n)).backward()
        flops[n] = back.flops
        assert back.flops < 6 * n and back.simplify().flops < 6 * n
        assert sum(node.nbytes for node in back.nodes) < 100 * n
    assert flops[200] - flops[100] == 2 * (flops[100] - flops[50]), "linear"


def test_its_values():
    x = numbers(20)
    back = trace(product)(x).backward()
    assert np.allclose(back(x)["x"], product(x) / x)
    y = np.random.default_rng(0).standard_normal(20)
    for g in (back, back.simplify()):
        assert np.allclose(g(y)["x"], product(y) / y), "with other numbers"


KINDS = {
    "overlapping slices": lambda x: (x[1:4] * x[:3]).sum() + (x[2] * x[-1, 0]).sum() + (x[..., 1] ** 2).sum(),
    "a new axis": lambda x: (x[:, None] * x[None, 0]).sum() + x[1, 2],
    "repeated rows": lambda x: (x[np.array([0, 2, 2])] ** 3).sum() + (x[np.array([[1, 1], [0, 3]])] ** 2).sum(),
    "a mask": lambda x: (x[np.array([True, False, True, False])] ** 3).sum() + (x[0] * x[1]).sum(),
    "rows and columns": lambda x: (x[[0, 1], [2, 2]] ** 3).sum() + (x[:, np.array([0, 0])] ** 2).sum(),
    "used whole as well": lambda x: (x**2).sum() * x[0, 0] * x[3, 1],
    "of what was computed": lambda x: (lambda z: (z[0] * z[1] * z[2]).sum() + z.sum())(x * x),
    "selected elsewhere": lambda x: ag.where(x > 0, x, 0.0)[0].sum() * x[1].sum() + ag.where(x > 0.1, x**4, x)[2].sum(),
    "complex": lambda x: abs((x[0] * (1 + 2j) * x[1]).sum() + (x[2] * 1j).sum()),
}


@pytest.mark.parametrize("what", KINDS)
def test_every_kind_of_index_to_any_order(what):
    f, x = KINDS[what], np.random.default_rng(1).standard_normal((4, 3))
    back = trace(f)(x).backward()
    t = Tensor(x, requires_grad=True)
    f(t).backward()
    assert np.allclose(back(x)["x"], t.grad.numpy())
    v = np.random.default_rng(2).standard_normal((4, 3))
    twice = trace(lambda x: (back(x)["x"] * v).sum())(x).backward()
    assert np.allclose(twice(x)["x"], ag.hvp(f, (x,), (v,))[1])
    if what not in ("a new axis", "overlapping slices"):       # which are of the second degree
        thrice = trace(lambda x: (twice(x)["x"] * v).sum())(x).backward()
        eps = 1e-5
        slope = (twice(x + eps * v)["x"] - twice(x - eps * v)["x"]) / (2 * eps)
        assert np.allclose(thrice(x)["x"], slope, rtol=1e-5, atol=1e-5)


def test_it_travels_and_runs_in_lanes():
    x = np.random.default_rng(3).standard_normal((4, 3))
    for what in ("repeated rows", "overlapping slices", "a mask", "a new axis"):
        back = trace(KINDS[what])(x).backward()
        again = Graph.from_json(back.to_json())
        assert np.allclose(again(x)["x"], back(x)["x"])
        many = np.stack([x, 2 * x, -x])
        lanes = ag.vmap(lambda x, back=back: back(x)["x"])(many)
        assert np.allclose(np.asarray(getattr(lanes, "value", lanes)), np.stack([back(row)["x"] for row in many]))


def test_a_looked_up_index_follows_its_input():
    def f(x, order):
        picked = x[ag.argsort(order)]
        return (picked[0] * x[1]).sum() + (x[order] ** 2).sum()
    x, order = numbers(4), np.array([2, 0, 3, 1])
    back = trace(f)(x, order).backward(wrt="x")
    for other in (order, order[::-1].copy()):
        t = Tensor(x, requires_grad=True)
        f(t, Tensor(other)).backward()
        assert np.allclose(back(x, other)["x"], t.grad.numpy())


def test_derivative_of_the_op_itself():
    from autograd.ops.scattering import put_all
    xs = [np.random.default_rng(k).standard_normal(s) for k, s in enumerate([(), (3,), (2, 3)])]
    indices = ((0, 1), 2, np.array([2, 2]))
    out = put_all(*xs, indices=indices, shape=(4, 3))
    expected = np.zeros((4, 3))
    for x, index in zip(xs, indices):
        np.add.at(expected, index, x)
    assert np.allclose(out, expected)
    assert ag.gradcheck(lambda *xs: put_all(*xs, indices=indices, shape=(4, 3)),
                        tuple(Tensor(x, requires_grad=True) for x in xs))
