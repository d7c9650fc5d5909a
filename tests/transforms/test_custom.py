"""Derivatives of the user's own, and modules as functions of their parameters."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import ShapeError, Tensor, grad, hessian, jacobian, jvp, vjp
from autograd.transforms import custom_jvp, custom_vjp, functional_call, stop_gradient

X = np.array([0.5, -1.0, 2.0])
P = np.exp(X) / np.exp(X).sum()


def make_logsumexp():
    @custom_vjp
    def lse(x):
        """log sum exp."""
        return ag.log(ag.exp(x).sum())

    def forward(x):
        y = lse(x)
        return y, (x, y)

    def backward(kept, g):
        x, y = kept
        return (g * ag.exp(x - y),)
    lse.defvjp(forward, backward)
    return lse


def test_custom_vjp():
    lse = make_logsumexp()
    assert lse.__name__ == "lse" and lse.__doc__ == "log sum exp." and np.isclose(lse(X), np.log(np.exp(X).sum()))
    assert np.allclose(grad(lse)(X), P)
    x = Tensor(X, requires_grad=True)
    lse(x).backward()
    assert np.allclose(x.grad.value, P) and lse(x).grad_fn.op.name == "lse" and "lse(" in str(lse(x).graph())
    assert np.allclose(hessian(lse)(X), np.diag(P) - np.outer(P, P)), "forward and backward are differentiated in turn"
    assert np.isclose(jvp(lse, (X,), (X,))[1], P @ X)
    third = lambda f: grad(grad(grad(lambda s: f(X * s))))(0.7)
    assert np.isclose(third(lse), third(lambda x: ag.logsumexp(x, 0)))


def test_the_rule_given_is_the_one_used():
    @custom_vjp
    def clipped(x, low):
        return x
    clipped.defvjp(lambda x, low: (x, low), lambda low, g: (ag.clamp(g, low, -low), None))
    assert np.allclose(grad(lambda x: (clipped(x, np.float64(-1.0)) * X * 3).sum())(X), np.clip(3 * X, -1, 1))
    assert np.all(grad(lambda low: clipped(X, low).sum())(-1.0) == 0), "None is a zero gradient"


def test_custom_vjp_of_trees_and_fixed_arguments():
    @custom_vjp
    def f(p, y):
        return {"a": p["x"] * y, "n": p["x"].sum()}
    f.defvjp(lambda p, y: (f(p, y), (p["x"], y)),
             lambda kept, g: ({"x": g["a"] * kept[1] + g["n"]}, (g["a"] * kept[0]).sum() * 10))
    gx, gy = grad(lambda x, y: (lambda r: (r["a"] * X).sum() + 2 * r["n"])(f({"x": x}, y)), (0, 1))(X, 3.0)
    assert np.allclose(gx, 3 * X + 2) and np.isclose(gy, 10 * X @ X)

    def power(x, n):
        return x ** n
    power = custom_vjp(power, nondiff_argnums=(1,))
    power.defvjp(lambda x, n: (x ** n, x), lambda n, x, g: (g * n * x ** (n - 1) * 100,))
    assert np.isclose(grad(lambda x: power(x, 3))(2.0), 1200)


def test_custom_jvp():
    @custom_jvp
    def f(x, y):
        return x * x * y
    f.defjvp(lambda p, t: (f(*p), 2 * p[0] * p[1] * t[0] + p[0] ** 2 * t[1]))
    same = lambda x: f(x, x)
    assert np.allclose(grad(lambda x: same(x).sum())(X), 3 * X ** 2) and np.allclose(f(X, X), X ** 3)
    assert np.allclose(jvp(f, (X, X), (X, 0 * X))[1], 2 * X ** 3)
    assert np.allclose(jacobian(same)(X), np.diag(3 * X ** 2))
    assert np.allclose(hessian(lambda x: same(x).sum())(X), np.diag(6 * X))
    f.defjvps(lambda t, out, x, y: 7 * t, None)
    assert np.allclose(grad(lambda x: same(x).sum())(X), 7), "the last rule given is the one used"
    assert np.allclose(vjp(f, X, X)[1](X), [7 * X, 0 * X])


def test_a_method():
    class Scaled:
        k = 3.0

        @custom_jvp
        def f(self, x):
            return x * self.k
    Scaled.f.defjvp(lambda p, t: (p[1] * p[0].k, t[1] * 30))
    assert grad(Scaled().f)(2.0) == 30.0


def test_what_is_refused():
    f = custom_vjp(lambda x: x)
    with pytest.raises(TypeError, match="defvjp"):
        f(X)
    with pytest.raises(TypeError, match="defjvp"):
        custom_jvp(lambda x: x)(X)
    f.defvjp(lambda x: x, lambda kept, g: (g,))
    with pytest.raises(TypeError, match="pair"):
        grad(lambda x: f(x).sum())(X)
    f.defvjp(lambda x: (x, None), lambda kept, g: (g, g))
    with pytest.raises(TypeError, match="1 argument"):
        grad(lambda x: f(x).sum())(X)
    f.defvjp(lambda x: (x, None), lambda kept, g: (g[:2],))
    with pytest.raises(ShapeError, match="shape"):
        grad(lambda x: f(x).sum())(X)


def test_stop_gradient():
    assert np.allclose(grad(lambda x: (stop_gradient(x) * x).sum())(X), X)
    assert np.all(grad(lambda x: (stop_gradient({"a": x})["a"] ** 2).sum())(X) == 0)
    assert np.all(jvp(lambda x: stop_gradient(x) * 2.0, (X,), (X,))[1] == 0)
    assert stop_gradient(X) is X


def test_functional_call():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).double().eval()
    own = dict(model.named_parameters())
    x = Tensor(np.random.default_rng(0).standard_normal((5, 3)))
    loss = lambda p: (functional_call(model, p, (x,)) ** 2).sum()
    g = grad(loss)(own)
    (model(x) ** 2).sum().backward()
    assert all(np.allclose(g[name].value, p.grad.value) for name, p in own.items()) and set(g) == set(own)
    arrays = {name: p.value * 0 for name, p in own.items()}
    assert np.all(functional_call(model, arrays, x).value == 0), "arrays do as well, and one argument needs no tuple"
    assert all(dict(model.named_parameters())[name] is p for name, p in own.items()), "the module is as it was"
    buffers = {"1.running_mean": Tensor(np.ones(4)), "1.running_var": Tensor(np.full(4, 4.0))}
    assert not np.allclose(functional_call(model, [own, buffers], x).value, model(x).value)
    with pytest.raises(KeyError, match="no parameter or buffer 'w'"):
        functional_call(model, {"w": X}, x)
    with pytest.raises(KeyError, match="strict"):
        functional_call(model, {"0.bias": arrays["0.bias"]}, x, strict=True)
    with pytest.raises(ShapeError):
        functional_call(model, {"0.weight": np.ones((4, 7))}, x)
    assert dict(model.named_parameters())["0.weight"] is own["0.weight"]


def test_functional_call_with_shared_parameters_and_lists():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)]
            self.table = {"w": nn.Parameter(np.ones(3))}
            self.layers[1].weight = self.layers[0].weight

        def forward(self, x, scale=1.0):
            return self.layers[1](self.layers[0](x)) * self.table["w"] * scale
    net = Net().double()
    given = {"layers.0.weight": np.eye(3) * 2, "table.w": np.full(3, 5.0)}
    assert np.allclose(functional_call(net, given, (Tensor(X),), {"scale": 10.0}).value, 200 * X)
    assert not np.allclose(functional_call(net, given, (Tensor(X),), tie_weights=False).value, 20 * X)
    assert np.all(net.table["w"].value == 1)
