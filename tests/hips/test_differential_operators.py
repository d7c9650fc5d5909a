"""The transforms that are HIPS autograd's alone, against closed forms, finite differences and each other."""

from __future__ import annotations

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import (
    GradientError,
    checkpoint,
    core,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)
from autograd.builtins import isinstance as is_instance
from autograd.builtins import type as type_of
from autograd.differential_operators import make_jvp_reversemode
from autograd.misc import const_graph
from autograd.tracer import getval, isbox

x = onp.array([1.0, 2.0, 3.0])
v = onp.array([1.0, -1.0, 0.5])


def f(y):
    return np.sum(np.tanh(y) ** 2) + y[0] * y[1] ** 2


def F(y):
    return np.sin(y) * y[::-1]


def plain(found):
    return type(found) in (onp.ndarray, onp.float64)


def test_products_agree_with_matrices():
    J, H = jacobian(F)(x), hessian(f)(x)
    pull, value = make_vjp(F)(x)
    onp.testing.assert_allclose(pull(v), v @ J)
    onp.testing.assert_allclose(pull(2 * v), 2 * v @ J)
    onp.testing.assert_allclose(value, F(x))
    primal, along = make_jvp(F)(x)(v)
    onp.testing.assert_allclose(primal, F(x))
    onp.testing.assert_allclose(along, J @ v)
    onp.testing.assert_allclose(make_jvp_reversemode(F)(x)(v), J @ v)
    product, gradient = make_hvp(f)(x)
    onp.testing.assert_allclose(product(v), H @ v)
    onp.testing.assert_allclose(gradient, grad(f)(x))
    onp.testing.assert_allclose(hessian_vector_product(f)(x, v), H @ v)
    onp.testing.assert_allclose(hessian_tensor_product(f)(x, v), H @ v)
    onp.testing.assert_allclose(vector_jacobian_product(F)(x, v), v @ J)
    onp.testing.assert_allclose(tensor_jacobian_product(F)(x, v), v @ J)
    onp.testing.assert_allclose(make_ggnvp(F)(x)(v), J.T @ (J @ v))
    assert all(map(plain, (pull(v), value, along, product(v), gradient)))


def test_of_matrices():
    W = onp.arange(6.0).reshape(2, 3) / 7
    direction = onp.ones((2, 3))

    def g(W):
        return np.sum(np.exp(W) @ np.exp(W).T)
    H = hessian(g)(W)
    assert H.shape == (2, 3, 2, 3)
    onp.testing.assert_allclose(hessian_vector_product(g)(W, direction), onp.tensordot(H, direction, 2))


def test_a_tensor_of_fewer_axes_is_contracted_over_the_first():
    V = onp.array([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]])

    def g(y):
        return np.outer(V[0], y) * np.sum(y)
    J = jacobian(g)(x)
    onp.testing.assert_allclose(tensor_jacobian_product(g)(x, v), onp.tensordot(v, J, 1))
    onp.testing.assert_allclose(tensor_jacobian_product(g)(x, onp.outer(v, v)), onp.tensordot(onp.outer(v, v), J, 2))


def test_the_core_has_its_names():
    pull, value = core.make_vjp(F, x)
    onp.testing.assert_allclose(pull(v), v @ jacobian(F)(x))
    onp.testing.assert_allclose(core.make_jvp(F, x)(v)[0], value)
    assert const_graph(lambda a, b: a * b, 3.0)(2.0) == 6.0


def test_gradients_of_elements():
    onp.testing.assert_allclose(elementwise_grad(np.tanh)(x), 1 - onp.tanh(x) ** 2)
    onp.testing.assert_allclose(deriv(np.tanh)(x), 1 - onp.tanh(x) ** 2)
    onp.testing.assert_allclose(deriv(deriv(np.sin))(x), -onp.sin(x))
    onp.testing.assert_allclose(elementwise_grad(lambda a, b: a * b ** 2, 1)(x, v), 2 * x * v)
    assert elementwise_grad(lambda t: t ** 3)(2.0) == 12.0


def test_aux_names_and_dicts():
    g, aux = grad_and_aux(lambda y: (np.sum(y ** 2), {"a": y[0] * 3}))(x)
    onp.testing.assert_allclose(g, 2 * x)
    assert aux == {"a": 3.0} and plain(aux["a"])
    onp.testing.assert_allclose(grad_named(lambda a, b: np.sum(a * b ** 2), "b")(x, v), 2 * x * v)
    with pytest.raises(ValueError, match="has no argument 'c'"):
        grad_named(lambda a, b: a, "c")
    grads = multigrad_dict(lambda a, b=2.0, *args, **kw: np.sum(a * b) + args[0] * kw["c"])(x, 3.0, 4.0, c=5.0)
    assert list(grads) == ["a", "b", "args", "kw"]
    onp.testing.assert_allclose(grads["a"], [3, 3, 3])
    assert (grads["b"], grads["args"], grads["kw"]) == (6.0, (5.0,), {"c": 4.0})
    assert list(multigrad_dict(lambda a, flag=True, name="s": np.sum(a))(x)) == ["a"]


def test_complex_numbers():
    z = onp.array([1 + 2j, 0.5j])
    onp.testing.assert_allclose(holomorphic_grad(lambda z: z ** 3)(z), 3 * z ** 2)
    onp.testing.assert_allclose(elementwise_grad(lambda z: z ** 3)(z), 3 * z ** 2)
    onp.testing.assert_allclose(make_vjp(lambda z: 1j * z ** 2)(z)[0](onp.ones(2) + 1j), 2j * z * (1 + 1j))
    with pytest.raises(TypeError, match="expected complex"):
        holomorphic_grad(np.sin)(x)
    with pytest.raises(TypeError, match=r"np\.real"):
        elementwise_grad(lambda y: y * 1j)(x)


def test_conventions_of_calling():
    assert grad(lambda a, b: a * b, 1)(2.0, 3.0) == 2.0
    assert grad(lambda a, b: a * b, [0, 1])(2.0, 3.0) == (3.0, 2.0)
    onp.testing.assert_allclose(grad(lambda w, b=2.0: np.sum(w * b))(x, b=3.0), [3, 3, 3])
    g = grad(lambda p: np.sum(p["w"] @ p["w"].T) + p["b"] * p["t"][0])({"w": onp.ones((2, 2)), "b": 1.0, "t": (2.0,)})
    onp.testing.assert_allclose(g["w"], 4 * onp.ones((2, 2)))
    assert (g["b"], g["t"]) == (2.0, (1.0,))
    value, g = value_and_grad(f)(x)
    assert plain(value) and value == pytest.approx(f(x)) and plain(g)
    with pytest.raises(GradientError, match="scalar"):
        grad(F)(x)
    with pytest.raises(IndexError, match="argnum 3"):
        elementwise_grad(np.sin, 3)(x)


def test_one_number_may_have_axes():
    """As there, and as in PyTorch's backward: np.dot of a row and a column is (1, 1)."""
    onp.testing.assert_allclose(grad(lambda y: np.dot(y.reshape(1, 3), y.reshape(3, 1)))(x), 2 * x)
    onp.testing.assert_allclose(hessian_vector_product(lambda y: np.sum(y ** 3, keepdims=True))(x, v), 6 * x * v)


def test_checkpoint():
    def block(y):
        return np.tanh(np.sin(y) * y)
    onp.testing.assert_allclose(grad(lambda y: np.sum(checkpoint(block)(y)))(x), grad(lambda y: np.sum(block(y)))(x))


def test_looking_behind_values():
    seen = []

    def g(y):
        seen.extend([isbox(y), is_instance(y, onp.ndarray), type_of(y) is onp.ndarray, isbox(3.0)])
        return np.sum(y) * float(getval(y)[0] > 0)
    onp.testing.assert_allclose(grad(g)(x), [1, 1, 1])
    assert seen == [True, True, True, False]
    assert is_instance(1.0, float) and type_of([]) is list


def test_no_confusion_of_nested_derivatives():
    assert grad(lambda a: a * grad(lambda b: a + b)(1.0))(1.0) == 1.0
    assert grad(lambda a: grad(lambda b: a * b ** 2)(3.0) * a)(2.0) == 24.0
