"""The Hessian times a vector on arrays, step by step, beside the sweep that is recorded and pushed through."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor, grad, hessian, hvp
from autograd.transforms import curvature, vmap
from autograd.transforms.curvature import FLAT, PRODUCTS, TURNED, Curvature, gradients_along
from tests.transforms.op_rows import ROWS, batch_of, called, rows

X = np.array([0.3, -1.2, 2.0])
V = np.array([1.0, 0.5, -2.0])


def recorded(root, free, pairs):
    """(gradient, its derivative along the pairs) by a recorded sweep."""
    grads = ag.pull([root], [Tensor(np.ones(root.shape, root.dtype))], free, record=True)
    return [(g, None if g is None else ag.push(g, pairs)) for g in grads]


def equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        one, other = (np.float64(0) if z is None else z.value if isinstance(z, Tensor) else z for z in (one, other))
        assert np.allclose(one, other, rtol=1e-9, atol=1e-11, equal_nan=True)


@pytest.mark.parametrize("op, shapes, attrs", rows(True))
def test_of_every_op_it_is_what_the_recorded_sweep_gives(op, shapes, attrs):
    rng = np.random.default_rng(5)
    xs = [Tensor(batch_of(op, shape, rng, k)[0], requires_grad=not isinstance(shape, np.ndarray))
          for k, shape in enumerate(shapes)]
    free = [x for x in xs if x.requires_grad]
    y = called(op, [x * 1.0 if x.requires_grad else x for x in xs], attrs)
    root = (ag.tanh(y) * rng.standard_normal(y.shape)).sum()
    pairs = [(x, rng.standard_normal(x.shape)[()]) for x in free]
    for some in (pairs, pairs[:1]):
        found = gradients_along(root, np.float64(1), free, some)
        assert (found is None) == op.selects
        for one, other in zip(found or (), recorded(root, free, some), strict=False):
            equal(one, other)


def test_the_tables_name_ops():
    assert ROWS.keys() >= FLAT | PRODUCTS | TURNED.keys()


def network(W, b, U):
    x, labels = np.random.default_rng(0).standard_normal((6, 4)), np.array([0, 2, 1, 1, 0, 2])
    hidden = nn.functional.relu(nn.functional.linear(Tensor(x), W, b))
    return nn.functional.cross_entropy(hidden @ U + ag.exp(-hidden).sum(), Tensor(labels))


def test_a_network_beside_its_hessian():
    rng = np.random.default_rng(1)
    params, along = ([rng.standard_normal(s) for s in ((5, 4), (5,), (5, 3))] for _ in range(2))
    gradients, products = hvp(network, params, along)
    blocks = hessian(network, argnums=(0, 1, 2))(*params)
    for g, expected in zip(gradients, grad(network, (0, 1, 2))(*params), strict=True):
        assert type(g) is np.ndarray and np.allclose(g, expected)
    for product, row in zip(products, blocks, strict=True):
        assert np.allclose(product, sum(np.tensordot(block, v, v.ndim) for block, v in zip(row, along, strict=True)))


def test_the_function_runs_once_and_products_may_be_asked_for_often(monkeypatch):
    calls = []

    def f(x):
        calls.append(1)
        return (x ** 3 * ag.sin(x)).sum()
    expected = hessian(f)(X)
    calls.clear()
    at = Curvature(f, (X,))
    for v in np.eye(3):
        assert np.allclose(at.along((v,))[1], expected @ v)
    assert np.allclose(at.gradient(), grad(f)(X)) and len(calls) == 2
    monkeypatch.setattr(curvature, "_plain", lambda order: False)            # the long way
    calls.clear()
    g, product = hvp(f, (X,), (V,))
    assert len(calls) == 1 and np.allclose(product, expected @ V) and np.allclose(g, grad(f)(X))


def test_hooks_choices_and_custom_rules_take_the_long_way():
    seen = []

    def hooked(x):
        y = x ** 3
        y.register_hook(lambda g: seen.append(g) or g * 2)
        return y.sum()
    assert np.allclose(hvp(hooked, (X,), (V,))[1], 12 * X * V) and len(seen) == 1
    f = lambda x: ag.where(x > 0, ag.sqrt(x) * x, x * x).sum()               # √x has no slope below 0
    assert np.allclose(hvp(f, (X,), (V,))[1], np.where(X > 0, 0.75 / np.sqrt(np.abs(X)), 2) * V)
    cubed = ag.transforms.checkpoint(lambda x: x ** 3)
    assert np.allclose(hvp(lambda x: cubed(x).sum(), (X,), (V,))[1], 6 * X * V)


def test_a_change_of_what_was_saved_is_noticed():
    data = np.array([1.0, 2.0, 3.0])

    def f(x):
        y = (x * x * data).sum()
        data[0] = 7.0
        return y
    with pytest.raises(ag.GradientError, match="the array was changed since"):
        hvp(f, (X,), (V,))


def test_products_of_products_and_in_lanes():
    f = lambda x: (ag.exp(x) * x ** 2).sum()
    third = grad(lambda x: hvp(f, (x,), (V,))[1].sum())(X)
    assert np.allclose(third, np.exp(X) * (X ** 2 + 6 * X + 6) * V)
    vs = np.random.default_rng(2).standard_normal((4, 3))
    rows = vmap(lambda v: hvp(f, (X,), (v,))[1])(vs)
    assert np.allclose(rows, vs @ hessian(f)(X))
    made = hvp(f, (Tensor(X, requires_grad=True),), (Tensor(V),))[1]
    assert made.requires_grad and np.allclose(made.detach().numpy(), hessian(f)(X) @ V)


def test_single_precision_stays_and_what_is_not_met_is_zero():
    g, product = hvp(lambda x: (x ** 2).sum(), (X.astype("f"),), (V.astype("f"),))
    assert g.dtype == product.dtype == np.float32
    g, product = hvp(lambda p: (p["a"] * 3.0).sum(), ({"a": X, "b": V},), ({"a": V, "b": X},))
    assert np.allclose(g["a"], 3) and not g["b"].any() and not product["a"].any() and not product["b"].any()
    assert hvp(lambda x: 5.0, (X,), (V,))[1].tolist() == [0, 0, 0]
