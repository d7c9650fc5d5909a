"""Derivatives over nested dicts, lists, tuples and named tuples: built like what was given."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, ShapeError, Tensor, grad, transforms, value_and_grad
from autograd.transforms import hessian, hvp, jacfwd, jacobian, jacrev, jvp, linearize, tree_map, vhp, vjp

X = np.array([0.5, -1.0, 2.0])
Layer = namedtuple("Layer", "w b")


def energy(p, x):
    return (p.w * x * p.b["c"][0]).sum() ** 2


PARAMS = Layer(np.array([1.0, 2.0, 3.0]), {"c": [np.array(2.0)], "none": None})


def test_gradient_is_built_like_its_argument():
    g = grad(energy)(PARAMS, X)
    s = 2 * (PARAMS.w * X).sum()
    assert type(g) is Layer and g.b["none"] is None and isinstance(g.b["c"], list)
    assert np.allclose(g.w, 4 * s * X) and np.isclose(g.b["c"][0], s * s)
    assert not any(isinstance(leaf, Tensor) for leaf in (g.w, g.b["c"][0]))
    value, (gp, gx) = value_and_grad(energy, argnums=(0, 1))(PARAMS, X)
    assert np.isclose(value, s * s) and np.allclose(gx, 4 * s * PARAMS.w) and np.allclose(gp.w, g.w)
    gx, gp = grad(energy, argnums=(1, 0))(PARAMS, X)
    assert np.allclose(gx, 4 * s * PARAMS.w) and np.allclose(gp.w, g.w)
    tensors = tree_map(lambda leaf: Tensor(leaf), PARAMS)
    assert isinstance(grad(energy)(tensors, X).b["c"][0], Tensor)


def test_what_is_no_number_passes_by():
    f = lambda p: (p["x"] * (2.0 if p["name"] == "two" else 3.0)).sum()
    g = grad(f)({"x": X, "name": "two", "f": len})
    assert np.allclose(g["x"], 2) and g["name"] is None and g["f"] is None


def test_kinds_of_containers():
    for tree in ({"a": X}, [X], (X,), OrderedDict(a=X), Layer(X, X), [[X], {"b": (X,)}], {}, None):
        leaves, structure = transforms.trees.flatten(tree)
        again = transforms.trees.unflatten(structure, leaves)
        assert type(again) is type(tree) and str(again) == str(tree)
    assert np.allclose(grad(lambda x: (x * x).sum())([1.0, 2.0]), [2, 4]), "a list of plain numbers is an array"
    g = grad(lambda p: p[0] * p[1])((2.0, 5.0))
    assert g == (5.0, 2.0)


def test_vjp_and_jvp_of_trees():
    f = lambda d, y: {"a": d["x"] * 2 * y, "b": (d["x"].sum(), 3.0)}
    value, pullback = vjp(f, {"x": X}, 2.0)
    assert np.allclose(value["a"], 4 * X) and value["b"] == (X.sum(), 3.0)
    gd, gy = pullback({"a": X, "b": (1.0, 5.0)})
    assert np.allclose(gd["x"], 4 * X + 1) and np.isclose(gy, 2 * X @ X)
    value, along = jvp(f, ({"x": X}, 2.0), ({"x": X * 0 + 1}, 0.5))
    assert np.allclose(along["a"], 4 + X) and along["b"] == (3.0, 0.0)
    value, forward = linearize(f, {"x": X}, 2.0)
    for _ in range(2):
        again = forward({"x": X * 0 + 1}, 0.5)
        assert np.allclose(again["a"], along["a"]) and again["b"] == along["b"]
    value, pullback, aux = vjp(lambda x: (x * x, {"twice": 2 * x}), X, has_aux=True)
    assert np.allclose(aux["twice"], 2 * X) and np.allclose(pullback(X), 2 * X * X)
    value, along, aux = jvp(lambda x: (x * x, "note"), (X,), (X,), has_aux=True)
    assert np.allclose(along, 2 * X * X) and aux == "note"


@pytest.mark.parametrize("transform", [jacobian, jacrev, jacfwd])
def test_jacobian_of_trees(transform):
    f = lambda x, y: {"s": x * y, "t": ag.sin(x).sum(), "u": [2.0]}
    jac = transform(f, (0, 1))(X, X + 1)
    assert np.allclose(jac["s"][0], np.diag(X + 1)) and np.allclose(jac["s"][1], np.diag(X))
    assert np.allclose(jac["t"][0], np.cos(X)) and np.all(jac["t"][1] == 0) and jac["t"][1].shape == (3,)
    assert jac["u"][0].shape == (1, 3) and np.all(jac["u"][0] == 0)
    jac, aux = transform(lambda p: (p["a"] @ p["b"], "aux"), has_aux=True)({"a": np.ones((2, 3)), "b": X})
    assert aux == "aux" and jac["a"].shape == (2, 2, 3) and np.allclose(jac["b"], 1)
    assert np.allclose(jac["a"], np.einsum("ij,k->ijk", np.eye(2), X))
    assert transform(lambda x: x[:0])(X).shape == (0, 3) and transform(lambda x: x.sum() * X)(X[:0]).shape == (3, 0)


def test_hessian_of_trees():
    f = lambda p: (p["a"] ** 3).sum() * p["b"]
    h = hessian(f)({"a": X, "b": np.array(2.0)})
    assert np.allclose(h["a"]["a"], np.diag(12 * X)) and np.allclose(h["a"]["b"], 3 * X ** 2)
    assert np.allclose(h["b"]["a"], 3 * X ** 2) and h["b"]["b"] == 0
    (xx, xy), (yx, yy) = hessian(lambda x, y: (x * x * y).sum(), (0, 1))(X, X)
    assert np.allclose(xx, np.diag(2 * X)) and np.allclose(xy, np.diag(2 * X)) and np.allclose(yx, xy)
    assert np.all(yy == 0)


@pytest.mark.parametrize("product", [hvp, vhp])
def test_products_with_the_hessian(product):
    f = lambda x: ag.sin(x @ np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]]) @ x) + (x ** 3).sum()
    g, hv = product(f, (X,), (X + 1,))
    assert np.allclose(g, grad(f)(X)) and np.allclose(hv, hessian(f)(X) @ (X + 1))
    (_, gy), (hx, hy) = product(lambda x, y: (x ** 3 * y).sum(), (X, X), (X, X * 0))
    assert np.allclose(hx, 6 * X ** 3) and np.allclose(hy, 3 * X ** 3) and np.allclose(gy, X ** 3)
    g, hv = product(lambda p: (p["a"] ** 3).sum(), ({"a": X},), ({"a": X},))
    assert np.allclose(hv["a"], 6 * X * X)


def test_what_was_changed_in_place_since_is_noticed():
    w = Tensor(X)
    _, forward = linearize(lambda x: ag.sin(x) * w, X)
    assert np.allclose(forward(X), np.cos(X) * X * X)
    w[0] = 9.0
    with pytest.raises(GradientError, match="changed in place"):
        forward(X)


def test_packed_tensors_are_unpacked():
    with ag.modes.saved_tensors_hooks(lambda t: t.value.tolist(), lambda packed: ag.tensor(packed, dtype="float64")):
        value, forward = linearize(lambda x: ag.sin(x) * x, X)
    assert np.allclose(forward(X), (np.cos(X) * X + np.sin(X)) * X) and np.allclose(value, np.sin(X) * X)


@pytest.mark.parametrize("f", [
    ag.exp, ag.abs, lambda a: a * a * (2 + 1j), lambda a: a @ a, lambda a: ag.linalg.inv(a), lambda a: ag.linalg.det(a),
    lambda a: ag.linalg.solve(a, a @ a), lambda a: ag.fft.fft(a), lambda a: a * ag.conj(a), lambda a: (a * a).mean(),
    lambda a: ag.abs(ag.linalg.inv(a)).sum(),
])
def test_directions_of_complex_values(f):
    rng = np.random.default_rng(0)
    a, v = (rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3)) for _ in range(2))
    y, along = jvp(f, (a,), (v,))
    h = 1e-6
    slope = (f(Tensor(a + h * v)).value - f(Tensor(a - h * v)).value) / (2 * h)
    assert along.dtype == y.dtype and np.allclose(along, slope, rtol=1e-6, atol=1e-6)
    real = np.real(v).astype(complex)
    assert np.allclose(np.tensordot(jacobian(f)(a), real, 2), jvp(f, (a,), (real,))[1]), "by the real parts"


def test_hips_ways_of_calling():
    f = lambda x, y: (x * x * y).sum()
    assert np.allclose(grad(f, 1)(X, X), X * X) and np.allclose(grad(f, argnum=1)(X, X), X * X)
    assert np.allclose(value_and_grad(f, argnum=1)(X, X)[1], X * X)
    assert np.allclose(jacobian(lambda x, y: x * y, 1)(X, X), np.diag(X))
    assert np.allclose(hessian(f, 0)(X, X), np.diag(2 * X)) and np.allclose(hessian(f, argnum=0)(X, X), np.diag(2 * X))
    gy, = grad(f, [1])(X, X)
    assert np.allclose(gy, X * X)
    assert np.allclose(grad(f, (0, 1))(X, X)[1], X * X)


def test_what_is_refused():
    with pytest.raises(GradientError, match="one number"):
        grad(lambda x: {"a": x.sum()})(X)
    with pytest.raises(TypeError, match="is a return missing"):
        vjp(lambda x: None, X)
    with pytest.raises(TypeError, match="str"):
        jvp(lambda x: {"a": "text"}, (X,), (X,))
    with pytest.raises(ShapeError, match="built like"):
        vjp(lambda x: {"a": x}, X)[1]({"b": X})
    with pytest.raises(ShapeError, match="built like"):
        jvp(lambda d: d["a"], ({"a": X},), ({"b": X},))
    with pytest.raises(ShapeError, match="one for each"):
        linearize(lambda x: x, X)[1](X, X)
    with pytest.raises(TypeError, match="has_aux"):
        grad(lambda x: x.sum(), has_aux=True)(X)
    with pytest.raises(ValueError, match="twice"):
        grad(lambda x, y: x.sum(), argnums=(0, -2))(X, X)
    for argnums in ("x", 1.0, (), True):
        with pytest.raises(TypeError, match="argnums"):
            grad(lambda x: x.sum(), argnums)
    with pytest.raises(ValueError, match="mode"):
        jacobian(lambda x: x, mode="sideways")
    with pytest.raises(AttributeError):
        _ = transforms.nothing
