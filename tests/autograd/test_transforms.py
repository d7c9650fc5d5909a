"""Derivatives of plain functions: closed forms, one mode against the other, nested, and kept apart from each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, ShapeError, Tensor, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

X = np.array([0.5, -1.0, 2.0])
A = np.array([[2.0, 1.0, 0.0], [0.5, 3.0, -1.0], [1.0, 0.0, 1.0]])


def cubic(x):
    return (x * x * x).sum()


def quadratic(x):
    return 0.5 * (x @ (A @ x))


def field(x):
    """R^3 -> R^2."""
    return ag.stack([x[0] * ag.sin(x[1]), ag.exp(x[2]) * x[0]])


def jacobian_of_field(x):
    return np.array([[np.sin(x[1]), x[0] * np.cos(x[1]), 0.0], [np.exp(x[2]), 0.0, x[0] * np.exp(x[2])]])


# -- arrays in, arrays out; numbers in, numbers out; Tensors in, Tensors out -----------------------------


def test_grad_of_an_array():
    g = grad(cubic)(X)
    assert type(g) is np.ndarray and g.dtype == np.float64 and np.allclose(g, 3 * X ** 2)
    assert np.allclose(grad(quadratic)(X), 0.5 * (A + A.T) @ X)
    g32 = grad(cubic)(X.astype(np.float32))
    assert g32.dtype == np.float32 and np.allclose(g32, 3 * X ** 2, rtol=1e-6)


def test_grad_of_python_numbers():
    for x in (2.0, 2, np.float64(2.0), np.array(2.0)):
        g = grad(lambda x: x * x * x)(x)
        assert not isinstance(g, Tensor) and np.shape(g) == () and g == 12.0 and g.dtype == np.float64
        v = value_and_grad(lambda x: x * x)(x)
        assert not isinstance(v[0], Tensor) and v == (4.0, 4.0)
    assert grad(lambda x: ag.exp(-x * x))(0.5) == pytest.approx(-math.exp(-0.25), rel=1e-15)


def test_grad_of_tensors():
    g = grad(cubic)(Tensor(X))
    assert type(g) is Tensor and np.allclose(g.value, 3 * X ** 2) and not g.requires_grad
    x = Tensor(X, requires_grad=True)
    g = grad(cubic)(x)
    assert g.requires_grad
    (g * g).sum().backward()                    # Σ 9 x⁴
    assert np.allclose(x.grad.value, 36 * X ** 3)


def test_the_argument_is_not_touched():
    x = Tensor(X)
    grad(cubic)(x), hessian(cubic)(x), jvp(cubic, (x,), (x,))
    assert not x.requires_grad and x.grad is None and x.is_leaf
    leaf = Tensor(X, requires_grad=True)
    grad(cubic)(leaf)
    assert leaf.grad is None


def test_lists_and_ints_count_as_floats():
    assert np.allclose(grad(lambda x: (x * x).sum())([1.0, 2.0]), [2, 4])
    assert grad(lambda x: x * x)(3) == 6.0
    assert np.allclose(grad(cubic)(np.array([1, 2])), [3, 12])


# -- value_and_grad, argnums, has_aux --------------------------------------------------------------------


def test_value_and_grad():
    value, g = value_and_grad(cubic)(X)
    assert value == cubic(X) and not isinstance(value, Tensor) and np.allclose(g, 3 * X ** 2)
    value, g = value_and_grad(cubic)(Tensor(X))
    assert isinstance(value, Tensor) and value.item() == cubic(X) and np.allclose(g.value, 3 * X ** 2)


def test_argnums():
    f = lambda x, y, z=1.0: (x * y * z).sum()
    y = X + 1
    assert np.allclose(grad(f)(X, y), y) and np.allclose(grad(f, argnums=1)(X, y), X)
    assert np.allclose(grad(f, argnums=-1)(X, y), X) and np.allclose(grad(f, 1)(X, y, z=3.0), 3 * X)
    gx, gy = grad(f, argnums=(0, 1))(X, y)
    assert np.allclose(gx, y) and np.allclose(gy, X)
    (gy,) = grad(f, argnums=[1])(X, y)
    assert np.allclose(gy, X)
    gy, gx = grad(f, argnums=(1, 0))(X, y)
    assert np.allclose(gx, y) and np.allclose(gy, X)
    with pytest.raises(IndexError):
        grad(f, argnums=2)(X, y)


def test_has_aux():
    f = lambda x: ((x * x).sum(), {"squares": x * x, "note": "hello"})
    (value, aux), g = value_and_grad(f, has_aux=True)(X)
    assert value == (X * X).sum() and aux["note"] == "hello" and np.allclose(g, 2 * X)
    g, aux = grad(f, has_aux=True)(X)
    assert np.allclose(g, 2 * X) and aux["note"] == "hello"


def test_same_argument_in_two_places():
    assert np.allclose(grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(X, X), [X, X])


def test_functions_that_do_not_depend_on_their_argument():
    assert grad(lambda x: 3.0)(X).tolist() == [0, 0, 0] and grad(lambda x: Tensor(3.0))(X).tolist() == [0, 0, 0]
    assert value_and_grad(lambda x: 3.0)(2.0) == (3.0, 0.0)
    assert np.all(jacobian(lambda x: np.ones(2))(X) == np.zeros((2, 3))) and np.all(hessian(lambda x: x.sum())(X) == 0)
    assert np.all(grad(lambda x, y: (y * y).sum())(X, X) == 0)
    _, along = jvp(lambda x: np.ones(2), (X,), (X,))
    assert np.shape(along) == (2,) and np.all(along == 0)


def test_functions_without_a_number():
    for f in (lambda x: None, lambda x: "a", lambda x: [x.sum()], lambda x: x, lambda x: x.reshape(1, 3)):
        with pytest.raises((GradientError, TypeError)):
            grad(f)(X)


def test_names_and_docstrings_are_kept():
    for transform in (grad, value_and_grad, jacobian, hessian):
        assert transform(cubic).__name__ == "cubic"
    assert grad(field).__doc__ == "R^3 -> R^2."


def test_transforms_work_inside_no_grad_and_record_nothing_outside():
    with ag.no_grad():
        assert np.allclose(grad(cubic)(X), 3 * X ** 2)
        assert np.allclose(hessian(cubic)(X), np.diag(6 * X))
        assert np.allclose(jvp(cubic, (X,), (X,))[1], (3 * X ** 3).sum())
        assert not ag.is_grad_enabled()
    assert ag.is_grad_enabled()


# -- vjp, jvp, jacobian, hessian, hvp --------------------------------------------------------------------


def test_vjp():
    y, pullback = vjp(field, X)
    assert type(y) is np.ndarray and np.allclose(y, field(X))
    for v in np.eye(2):
        assert np.allclose(pullback(v), v @ jacobian_of_field(X))     # as often as one likes
    f = lambda x, m: m @ x
    _, pullback = vjp(f, X, A)
    gx, gm = pullback(X)
    assert np.allclose(gx, A.T @ X) and np.allclose(gm, np.outer(X, X))
    y, pullback = vjp(field, Tensor(X))
    assert isinstance(y, Tensor) and isinstance(pullback(Tensor(np.ones(2))), Tensor)
    with pytest.raises(ShapeError):
        pullback(np.ones(3))


def test_jvp():
    v = np.array([1.0, 2.0, -1.0])
    y, along = jvp(field, (X,), (v,))
    assert type(along) is np.ndarray and np.allclose(y, field(X)) and np.allclose(along, jacobian_of_field(X) @ v)
    _, along = jvp(lambda x, m: m @ x, (X, A), (v, A * 2))
    assert np.allclose(along, A @ v + 2 * A @ X)
    y, along = jvp(lambda x: x * x, (3.0,), (2.0,))
    assert (y, along) == (9.0, 12.0)
    y, along = jvp(field, (Tensor(X),), (Tensor(v),))
    assert isinstance(y, Tensor) and isinstance(along, Tensor)
    for primals, tangents in (((X,), ()), ((X,), (np.ones(2),)), ((X, X), (v,))):
        with pytest.raises(ShapeError):
            jvp(field, primals, tangents)


@pytest.mark.parametrize("f, shape", [
    (field, (2,)), (lambda x: x * x, (3,)), (lambda x: x[:, None] * x, (3, 3)), (lambda x: x.sum(), ()),
    (lambda x: ag.cat([x, x * x, x.exp()]), (9,)), (lambda x: x.reshape(3, 1), (3, 1)), (lambda x: x[:0], (0,)),
])
def test_jacobian_by_rows_and_by_columns(f, shape):
    jac = jacobian(f)(X)                        # rows where f is shorter than x, columns where it is longer
    assert type(jac) is np.ndarray and jac.shape == (*shape, 3)
    columns = [jvp(f, (X,), (e,))[1] for e in np.eye(3)]
    assert np.allclose(jac, np.stack(columns, -1), rtol=1e-13)
    y, pullback = vjp(f, X)
    rows = [pullback(e.reshape(shape)[()]) for e in np.eye(np.size(y))]
    assert np.allclose(jac.reshape(-1, 3), np.array(rows).reshape(-1, 3), rtol=1e-13)
    tensor = jacobian(f)(Tensor(X))
    assert isinstance(tensor, Tensor) and np.allclose(tensor.value, jac, rtol=1e-13)


def test_jacobian_of_matrices_and_numbers():
    jac = jacobian(lambda m: m @ m)(A)
    expected = np.einsum("ik,jl->ijkl", np.eye(3), A.T) + np.einsum("ik,jl->ijkl", A, np.eye(3))
    assert jac.shape == (3, 3, 3, 3) and np.allclose(jac, expected)
    assert jacobian(lambda x: x * x)(3.0) == 6.0
    assert np.allclose(jacobian(lambda x: ag.stack([x, x * x, x ** 3]))(2.0), [1, 4, 12])
    assert np.allclose(jacobian(lambda x, y: x * y, argnum=1)(X, X), np.diag(X))


def test_hessian():
    assert np.allclose(hessian(cubic)(X), np.diag(6 * X)) and np.allclose(hessian(quadratic)(X), 0.5 * (A + A.T))
    assert hessian(lambda x: x ** 4)(2.0) == 48.0
    rosenbrock = lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    x, y = 1.5, -0.5
    assert np.allclose(hessian(rosenbrock)(np.array([x, y])), [[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200]])
    h = hessian(lambda m: ag.logsumexp(m.reshape(-1), 0))(A)
    p = np.exp(A).reshape(-1) / np.exp(A).sum()
    assert h.shape == (3, 3, 3, 3) and np.allclose(h.reshape(9, 9), np.diag(p) - np.outer(p, p))
    assert isinstance(hessian(cubic)(Tensor(X)), Tensor)


def test_hvp():
    v = np.array([1.0, 2.0, -1.0])
    f = lambda x: ag.sin(x @ (A @ x)) + cubic(x)
    g, hv = hvp(f, (X,), (v,))
    assert not isinstance(hv, Tensor) and np.allclose(g, grad(f)(X)) and np.allclose(hv, hessian(f)(X) @ v)
    assert hvp(lambda x: x ** 3, (2.0,), (1.5,)) == (12.0, 18.0)
    g, hv = hvp(f, (Tensor(X),), (Tensor(v),))
    assert isinstance(g, Tensor) and np.allclose(hv.value, hessian(f)(X) @ v)
    with pytest.raises(ShapeError):
        hvp(f, (X, X), (v,))


@pytest.mark.parametrize("order", [1, 2])
def test_forward_against_reverse_on_a_network(order):
    rng = np.random.default_rng(0)
    w1, w2, x = rng.standard_normal((5, 4)), rng.standard_normal((3, 5)), rng.standard_normal((4,))

    def net(x):
        h = ag.gelu(w1 @ x)
        h = (h - h.mean()) / (h.var(correction=0) + 0.1).sqrt()
        return ag.log_softmax(w2 @ h, 0) * ag.sigmoid(x[:3]) + ag.cumsum(x, 0)[1:].abs()
    f = net if order == 1 else lambda x: jvp(net, (x,), (x * 0 + 0.5,))[1]
    v, u = rng.standard_normal(4), rng.standard_normal(3)
    assert np.isclose(u @ jvp(f, (x,), (v,))[1], vjp(f, x)[1](u) @ v, rtol=1e-12)
    h = 1e-6
    up, down = f(Tensor(x + h * v)), f(Tensor(x - h * v))
    assert np.allclose(jvp(f, (x,), (v,))[1], (up.value - down.value) / (2 * h), rtol=1e-6)


# -- nesting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, derivatives", [
    (lambda x: x ** 5, lambda x: (5 * x ** 4, 20 * x ** 3, 60 * x ** 2, 120 * x)),
    (lambda x: ag.sin(2 * x), lambda x: (2 * math.cos(2 * x), -4 * math.sin(2 * x), -8 * math.cos(2 * x),
                                         16 * math.sin(2 * x))),
    (lambda x: ag.exp(x) / x, lambda x: tuple(
        math.exp(x) * sum(math.comb(n, k) * (-1) ** k * math.factorial(k) / x ** (k + 1) for k in range(n + 1))
        for n in range(1, 5))),
    (lambda x: ag.tanh(x), lambda x: (lambda t: (1 - t * t, -2 * t * (1 - t * t), (1 - t * t) * (6 * t * t - 2),
                                                 (1 - t * t) * (16 * t - 24 * t ** 3)))(math.tanh(x))),
])
def test_nested_to_order_four(f, derivatives):
    x, expected = 0.7, derivatives(0.7)
    g = f
    for n in range(4):
        g = grad(g)
        assert np.isclose(g(x), expected[n], rtol=1e-12), n + 1
    forward = f
    for n in range(4):                          # forward over forward over ...
        forward = lambda x, forward=forward: jvp(forward, (x,), (1.0,))[1]
        assert np.isclose(forward(x), expected[n], rtol=1e-12), n + 1
    mixed = lambda x: jvp(grad(lambda x: jvp(grad(f), (x,), (1.0,))[1]), (x,), (1.0,))[1]
    assert np.isclose(mixed(x), expected[3], rtol=1e-12)
    assert np.isclose(hessian(lambda x: hessian(f)(x))(x), expected[3], rtol=1e-12)
    assert np.isclose(jacobian(jacobian(jacobian(f)))(x), expected[2], rtol=1e-12)


def test_perturbations_are_not_confused():
    """d/dx [x · d/dy (x + y)] at 1 is 1, not 2 (Siskind and Pearlmutter 2005)."""
    one = lambda derivative: derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0)
    forward = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]
    assert one(grad) == 1.0 and one(forward) == 1.0
    assert grad(lambda x: x * forward(lambda y: x + y)(1.0))(1.0) == 1.0
    assert forward(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: x * x * y * y)(x))(2.0) == 24.0      # d/dx [2 x² y at y = x] = 6x²
    assert forward(lambda x: forward(lambda y: x * x * y * y)(x))(2.0) == 24.0
    assert grad(lambda x: grad(lambda x: x * x)(x) * x)(3.0) == 12.0


def test_inner_derivative_of_a_constant_of_the_outer():
    c = 5.0
    assert grad(lambda x: x * grad(lambda y: y * y)(c))(1.0) == 10.0
    assert grad(lambda x: value_and_grad(lambda y: x * y * y)(c)[0])(2.0) == 25.0
    assert np.allclose(jacobian(lambda x: grad(lambda y: (x * y * y).sum())(X))(X), np.diag(2 * X))


def test_pullbacks_nest():
    f = lambda x: vjp(lambda y: y * y * y, x)[1](x)                 # 3x² · x
    assert np.allclose(grad(lambda x: f(x).sum())(X), 9 * X ** 2)
    _, pullback = vjp(lambda x: x ** 3, 2.0)
    assert np.allclose(jvp(lambda v: pullback(v), (Tensor(1.0, dtype="float64"),), (1.0,))[1].value, 12.0)


def test_control_flow_and_loops():
    def newton(a):
        x = a
        for _ in range(8):
            x = 0.5 * (x + a / x)
        return x
    assert np.isclose(grad(newton)(2.0), 0.5 / math.sqrt(2), rtol=1e-12)
    assert np.isclose(grad(grad(newton))(2.0), -0.25 * 2 ** -1.5, rtol=1e-12)
    relu = lambda x: x if x > 0 else 0.0 * x
    assert grad(relu)(2.0) == 1.0 and grad(relu)(-2.0) == 0.0


def test_backward_inside_a_transformed_function():
    def f(x):
        w = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
        (w * w * x.detach()).sum().backward()
        return (w.grad * x).sum()
    assert np.allclose(grad(f)(X), 2 * np.array([1, 2, 3]) * X)


def test_grad_of_a_module_like_object():
    class Model:
        def __init__(self):
            self.w = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)

        def __call__(self, x):
            return (self.w * x).sum()
    model = Model()
    assert np.allclose(grad(model.__call__)(X), [1, 2, 3]) and model.w.grad is None
    g = grad(model.__call__)(Tensor(X))
    g.sum().backward()
    assert np.allclose(model.w.grad.value, 1.0)
