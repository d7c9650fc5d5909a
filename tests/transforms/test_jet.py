"""`jet`: Taylor series against nested forward derivatives, for every op and for programs."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor, grad, jacobian, jvp
from autograd.transforms import LaneError, jet, vmap
from tests.transforms.op_rows import batch_of, called, rows

X = np.array([0.5, 0.8, 1.2])
V = np.array([[1.0, -0.5, 0.3], [0.2, 0.4, -1.0], [0.7, -0.3, 0.1]])


def along(f, x, series):
    """The curve x(t) and f on it, differentiated by nesting: value and as many derivatives."""
    g = lambda t: f(x + sum((t ** (k + 1) * (v / math.factorial(k + 1)) for k, v in enumerate(series)), 0 * t))
    made = []
    for _ in range(len(series) + 1):
        made.append(g(Tensor(0.0, dtype="float64")).detach().value)
        g = (lambda h: lambda t: jvp(h, (t,), (Tensor(1.0, dtype="float64"),))[1])(g)
    return made


@pytest.mark.parametrize("f", [
    ag.exp, ag.sin, ag.tanh, ag.log, lambda x: 1 / x, lambda x: x / (2 + x * x), lambda x: x * x * x,
    lambda x: x ** 2.5,
    lambda x: 3 - 2 * x, lambda x: ag.softmax(x, dim=0), lambda x: ag.logsumexp(x, dim=0), lambda x: ag.outer(x, x) @ x,
    lambda x: ag.linalg.solve(Tensor(np.eye(3)) + ag.outer(x, x), x), lambda x: (x * ag.cos(x)).sum(), ag.prod, ag.gelu,
    lambda x: x.var(), lambda x: ag.where(x > 0.6, x * x, ag.sin(x)), lambda x: ag.einsum("i,j,k->ijk", x, x, x),
    lambda x: ag.cat([x[:1], x * x]), lambda x: ag.standardize(x, dim=0), lambda x: x.max() * x, lambda x: x.norm(),
    lambda x: ag.sort(x)[0] ** 2, lambda x: ag.erf(x) * x[1],
])
def test_against_nested_derivatives(f):
    y, derivatives = jet(f, (X,), (tuple(V),))
    expected = along(f, X, V)
    for found, wanted in zip([y, *derivatives], expected, strict=True):
        assert isinstance(found, (np.ndarray, np.generic)) and found.shape == wanted.shape
        assert np.allclose(found, wanted, rtol=1e-8, atol=1e-9)


BY_NUMPY = {"ctc"}                            # its rules leave the ops


@pytest.mark.parametrize("op, shapes, attrs", [p for p in rows(True) if p.id != "softmax-2"])     # of one number: 1
def test_second_order_of_every_op(op, shapes, attrs):
    rng = np.random.default_rng(0)
    xs = [batch_of(op, shape, rng, k)[0] for k, shape in enumerate(shapes)]
    free = [k for k, shape in enumerate(shapes) if not isinstance(shape, np.ndarray)]
    first, second = ([rng.standard_normal(np.shape(xs[k]))[()] for k in free] for _ in range(2))

    def f(*given):
        args = list(xs)
        for k, x in zip(free, given, strict=True):
            args[k] = x
        return called(op, args, attrs)
    inner = lambda *given: jvp(f, given[:len(free)], given[len(free):])
    if op.name in BY_NUMPY:
        with pytest.raises(LaneError, match="jet"):
            jet(f, [xs[k] for k in free], list(zip(first, second, strict=True)))
        return
    (y, y1), (_, y2) = jvp(inner, [*[xs[k] for k in free], *first], [*first, *second])
    found, (found1, found2) = jet(f, [xs[k] for k in free], list(zip(first, second, strict=True)))
    for one, other in ((found, y), (found1, y1), (found2, y2)):
        assert np.shape(one) == np.shape(other)
        assert np.allclose(one, other, rtol=1e-7, atol=1e-8, equal_nan=True)


def test_high_orders_have_the_known_values():
    _, d = jet(ag.exp, (0.0,), ((1.0,) + (0.0,) * 9,))
    assert np.allclose(d, 1)
    _, d = jet(lambda x: 1 / (1 - x), (0.0,), ((1.0,) + (0.0,) * 9,))
    assert np.allclose(d, [math.factorial(k) for k in range(1, 11)])
    _, d = jet(ag.sin, (0.0,), ((1.0,) + (0.0,) * 7,))
    assert np.allclose(d, [1, 0, -1, 0, 1, 0, -1, 0])
    _, d = jet(ag.tanh, (0.0,), ((1.0,) + (0.0,) * 6,))
    assert np.allclose(d, [1, 0, -2, 0, 16, 0, -272])


def test_trees_numbers_and_tensors():
    f = lambda p, s: {"y": p["x"] * s, "n": [s * s], "c": 3.0}
    value, d = jet(f, ({"x": X}, 2.0), (({"x": V[0]}, {"x": V[1]}), (1.0, 0.0)))
    assert np.allclose(d["y"][0], 2 * V[0] + X) and np.allclose(d["y"][1], 2 * V[1] + 2 * V[0])
    assert np.allclose(d["n"][0], [4, 2]) and value["c"] == 3.0 and np.all(np.array(d["c"]) == 0)
    sized = lambda x: x * x if x.sum() > 2 and x[0] else -x
    assert np.allclose(jet(sized, (X,), ((V[0],),))[1][0], 2 * X * V[0]), "a choice goes by the point of expansion"
    assert np.allclose(jet(sized, (X / 2,), ((V[0],),))[1][0], -V[0])
    y, (d1,) = jet(ag.sin, (Tensor(X),), ((V[0],),))
    assert isinstance(y, Tensor) and isinstance(d1, Tensor)


def test_with_other_transforms():
    second = lambda x: jet(ag.sin, (x,), ((1.0, 0.0),))[1][1]
    assert np.isclose(grad(second)(0.3), -math.cos(0.3)) and np.isclose(grad(grad(second))(0.3), math.sin(0.3))
    assert np.allclose(vmap(second)(X), -np.sin(X))
    assert np.allclose(jacobian(lambda x: jet(lambda y: y * y.sum(), (x,), ((x,),))[1][0])(X),
                       jacobian(lambda x: 2 * x * x.sum())(X))
    _, (d1, d2) = jet(vmap(lambda x: ag.exp(x) * x), (X,), ((V[0], V[1]),))
    expected = along(lambda x: ag.exp(x) * x, X, V[:2])
    assert np.allclose(d1, expected[1]) and np.allclose(d2, expected[2])
    _, (_, d2) = jet(lambda x: vmap(lambda a: (a * x).sum() * a)(x), (X,), ((V[0], V[1]),))
    assert np.allclose(d2, along(lambda x: x.sum() * x * x, X, V[:2])[2])
    laplacian = lambda f: lambda x: vmap(lambda e: jet(f, (x,), ((e, 0 * e),))[1][1])(np.eye(3)).sum()
    f = lambda x: (x ** 3).prod() + ag.sin(x).sum()
    assert np.isclose(laplacian(f)(X), np.trace(ag.hessian(f)(X)))


def test_what_is_refused():
    with pytest.raises(ShapeError, match="one for each"):
        jet(ag.sin, (X,), ())
    with pytest.raises(ShapeError, match="one length"):
        jet(lambda x, y: x, (X, X), ((X,), (X, X)))
    with pytest.raises(ShapeError, match="shape of its primal"):
        jet(ag.sin, (X,), ((X[:2],),))
    with pytest.raises(ShapeError, match="built like"):
        jet(lambda p: p["a"], ({"a": X},), (({"b": X},),))
    for f in (lambda x: x.item(), lambda x: grad(lambda y: y.sum())(x), lambda x: np.asarray(x), float):
        with pytest.raises(LaneError, match="jet"):
            jet(f, (X,), ((X,),))
    with pytest.raises(TypeError, match="must return"):
        jet(lambda x: None, (X,), ((X,),))
