"""`checkpoint`: the same values and derivatives, from the inputs alone."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import GradientError, Tensor, grad, hessian, jacobian, jvp
from autograd.node import Node
from autograd.sweep import history
from autograd.transforms import checkpoint, checkpoint_sequential, linearize

X = np.array([0.5, -1.0, 2.0])
W = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)


def block(x):
    return ag.tanh(x * W) * (W * 2).sum() + x


@pytest.mark.parametrize("f", [checkpoint(block), lambda x: checkpoint(block, x),
                               lambda x: checkpoint(block, x, use_reentrant=False)])
def test_backward_through_inputs_and_closure(f):
    grads = []
    for g in (block, f):
        x, W.grad = Tensor(X, requires_grad=True), None
        (g(g(x)) ** 2).sum().backward()
        grads.append((x.grad.value, W.grad.value))
    W.grad = None
    assert np.allclose(grads[0], grads[1], rtol=1e-13)


def test_derivatives_of_any_order():
    ck = checkpoint(block)
    twice = lambda g: lambda x: (g(g(x)) ** 2).sum()
    assert np.allclose(grad(twice(ck))(X), grad(twice(block))(X))
    assert np.allclose(hessian(twice(ck))(X), hessian(twice(block))(X))
    third = lambda g: grad(grad(grad(lambda s: (g(X * s) ** 2).sum())))(0.3)
    assert np.isclose(third(ck), third(block))
    for order in (jvp, lambda f, p, t: jvp(lambda x: jvp(f, (x,), t)[1], p, t)):
        assert np.allclose(order(ck, (X,), (X,)), order(block, (X,), (X,)))
    assert np.allclose(linearize(ck, X)[1](X), linearize(block, X)[1](X))


def test_nested():
    inner = checkpoint(lambda z: ag.sin(z) * W)
    f = lambda ck: lambda x: ck(lambda x: block(x) * inner(x) if ck is checkpoint else block(x) * ag.sin(x) * W)(x)
    plain = f(lambda function: function)
    assert np.allclose(grad(lambda x: f(checkpoint)(x).sum())(X), grad(lambda x: plain(x).sum())(X))
    assert np.allclose(jacobian(f(checkpoint))(X), jacobian(plain)(X))
    assert np.allclose(hessian(lambda x: f(checkpoint)(x).sum())(X), hessian(lambda x: plain(x).sum())(X))


def test_closed_over_values_that_depend_on_one_another():
    def f(ck):
        def outer(t):
            scale = ag.exp(t) * t
            total = scale.sum()
            return ck(lambda x: x * scale * total)(Tensor(X)).sum()
        return outer
    plain = lambda function: function
    assert np.allclose(grad(f(checkpoint))(X), grad(f(plain))(X), rtol=1e-13)
    assert np.allclose(hessian(f(checkpoint))(X), hessian(f(plain))(X), rtol=1e-13)


def test_trees_in_and_out():
    def f(p, scale=1.0):
        return {"a": p["x"] * scale, "b": [(p["y"] * p["x"]).sum(), np.arange(2)]}
    total = lambda ck: lambda p: (lambda r: (r["a"] ** 2).sum() + r["b"][0] * r["b"][1][1])(ck(f)(p, scale=2.0))
    p = {"x": X, "y": X + 1}
    expected, found = (grad(total(ck))(p) for ck in (lambda g: g, checkpoint))
    assert np.allclose(found["x"], expected["x"]) and np.allclose(found["y"], expected["y"])
    assert isinstance(checkpoint(f)(p)["a"], np.ndarray), "arrays in, arrays out"


def test_the_same_random_numbers_again():
    noisy = lambda x: nn.functional.dropout(x, 0.5) * x + ag.randn(3, dtype="float64")
    x = Tensor(X, requires_grad=True)
    ag.manual_seed(3)
    y = checkpoint(noisy)(x)
    after = ag.default_rng().bit_generator.state
    (g,) = ag.gradients(y.sum(), x)
    assert ag.default_rng().bit_generator.state == after, "the backward pass draws nothing"
    ag.manual_seed(3)
    z = noisy(x)
    assert np.allclose(y.value, z.value) and np.allclose(g.value, ag.gradients(z.sum(), x)[0].value)


def test_what_was_computed_on_the_way_is_not_kept():
    made = []

    def long(x):
        for _ in range(5):
            x = ag.exp(ag.sin(x))
            made.append(x.node)
        return x
    x = Tensor(X, requires_grad=True)
    y = checkpoint(long)(x)
    assert len(history([y.node])) == 2, "one step between input and result"
    made.clear()
    with ag.no_grad():
        assert not checkpoint(long)(Tensor(X, requires_grad=True)).requires_grad
    y.sum().backward()
    with pytest.raises(GradientError, match="second time"):
        y.sum().backward()


@pytest.mark.parametrize("segments", [1, 2, 3, 4])
def test_a_row_of_modules_in_segments(segments):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Sigmoid()).double()
    grads = []
    for run in (model, lambda x: checkpoint_sequential(model, segments, x)):
        model.zero_grad()
        x = Tensor(X, requires_grad=True)
        (run(x) ** 2).sum().backward()
        grads.append([x.grad.value, *[p.grad.value for p in model.parameters()]])
    assert all(np.allclose(one, other) for one, other in zip(*grads, strict=True))
    steps = [n.op.name for n in history([checkpoint_sequential(model, segments, x).node]) if n.op is not None]
    assert steps.count("checkpoint") == segments - 1
    with pytest.raises(ValueError, match="segments must be between 1 and 4"):
        checkpoint_sequential(model, 5, x)


def test_no_reference_cycle():
    gc.collect()
    gc.disable()
    try:
        before = sum(issubclass(type(o), Node) for o in gc.get_objects())
        x = Tensor(X, requires_grad=True)
        y = checkpoint(lambda z: ag.sin(z) * z)(x).sum()
        y.backward()
        del x, y
        assert sum(issubclass(type(o), Node) for o in gc.get_objects()) == before
    finally:
        gc.enable()


def test_another_computation_the_second_time_is_an_error():
    calls = []

    def fickle(x):
        calls.append(1)
        return x * 2 if len(calls) == 1 else x[:2]
    y = checkpoint(fickle)(Tensor(X, requires_grad=True))
    with pytest.raises(GradientError, match="same each time"):
        y.sum().backward()
    calls.clear()
    other = Tensor(X, requires_grad=True)

    def wanders(x):
        calls.append(1)
        return x * W if len(calls) == 1 else x * other
    y = checkpoint(wanders)(Tensor(X, requires_grad=True))
    with pytest.raises(GradientError, match="other tensors"):
        y.sum().backward()


def test_a_checkpointed_module():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = Tensor(X, dtype="float32")
    grads = []
    for run in (model, checkpoint(model)):
        model.zero_grad()
        (run(x) ** 2).sum().backward()
        grads.append([p.grad.value for p in model.parameters()])
    assert all(np.allclose(one, other) for one, other in zip(*grads, strict=True))
