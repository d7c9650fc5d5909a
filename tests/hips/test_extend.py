"""Functions of arrays with derivatives of one's own."""

from __future__ import annotations

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import GradientError, ShapeError, elementwise_grad, grad, hessian, jacobian, make_jvp
from autograd.extend import (
    Box,
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
    vspace,
)
from autograd.test_util import check_equivalent, check_grads, combo_check

x = onp.array([1.0, 2.0, 3.0])


@primitive
def logsumexp(y):
    """ln Σ e^y."""
    assert type(y) is onp.ndarray
    top = onp.max(y)
    return top + onp.log(onp.sum(onp.exp(y - top)))


defvjp(logsumexp, lambda ans, y: lambda g: np.full(y.shape, g) * np.exp(y - np.full(y.shape, ans)))


@primitive
def scaled(a, b, k=1.0):
    return a * b ** 2 * k


defvjp(scaled, lambda ans, a, b, k=1.0: lambda g: g * b ** 2 * k, lambda ans, a, b, k=1.0: lambda g: g * 2 * a * b * k)


def test_values_and_derivatives_of_any_order():
    assert logsumexp(x) == pytest.approx(onp.log(onp.exp(x).sum())) and logsumexp.__doc__ == "ln Σ e^y."
    soft = onp.exp(x) / onp.exp(x).sum()
    onp.testing.assert_allclose(grad(logsumexp)(x), soft)
    onp.testing.assert_allclose(hessian(logsumexp)(x), onp.diag(soft) - onp.outer(soft, soft), atol=1e-12)
    check_grads(lambda y: logsumexp(y ** 2), modes=["rev", "fwd"], order=3)(x)
    check_grads(scaled, modes=["rev", "fwd"], order=2)(2.0, 3.0)
    assert grad(scaled)(2.0, 3.0, k=5.0) == 45.0
    combo_check(scaled, modes=["rev"], order=1)([1.0, 2.0], [0.5, 1.5], k=[1.0, 2.0])


def test_a_wrong_rule_is_found():
    @primitive
    def cube(y):
        return y ** 3
    defvjp(cube, lambda ans, y: lambda g: g * 2 * y ** 2)
    with pytest.raises(AssertionError, match="finite differences"):
        check_grads(cube, modes=["rev"], order=1)(x)
    defvjp(cube, lambda ans, y: lambda g: g * 3 * y ** 2)
    check_grads(cube, modes=["rev"], order=2)(x)
    with pytest.raises(AssertionError):
        check_equivalent(onp.ones(3), onp.ones(4))
    with pytest.raises(AssertionError):
        check_equivalent(onp.ones(3), onp.ones(3) + 1e-3)


def test_rules_by_argument():
    @primitive
    def f(a, b, c):
        return a * b + c
    defvjp(f, lambda ans, a, b, c: lambda g: g * b, None, argnums=(0, 2))
    assert grad(f)(2.0, 3.0, 4.0) == 3.0 and grad(f, 2)(2.0, 3.0, 4.0) == 0.0
    with pytest.raises(GradientError, match="no vjp of argument 1"):
        grad(f, 1)(2.0, 3.0, 4.0)
    defvjp_argnum(f, lambda k, ans, args, kwargs: lambda g: g * (args[1], args[0], 1.0)[k])
    assert grad(f, (0, 1, 2))(2.0, 3.0, 4.0) == (3.0, 2.0, 1.0)
    defvjp_argnums(f, lambda numbers, ans, args, kwargs: lambda g: [g * (args[1], args[0], 1.0)[k] for k in numbers])
    check_grads(f, modes=["rev"], order=2)(2.0, 3.0, 4.0)


def test_forward_rules_alone_are_transposed():
    @primitive
    def f(a, b):
        return a * onp.sin(b)
    with pytest.raises(GradientError, match="defvjp"):
        grad(f)(2.0, 3.0)
    defjvp(f, lambda g, ans, a, b: g * np.sin(b), lambda g, ans, a, b: g * a * np.cos(b))
    assert make_jvp(f, 1)(2.0, 3.0)(1.0) == pytest.approx((2 * onp.sin(3.0), 2 * onp.cos(3.0)))
    assert grad(f)(2.0, 3.0) == pytest.approx(onp.sin(3.0))
    check_grads(f, modes=["rev", "fwd"], order=2)(x, x[::-1].copy())
    defjvp_argnum(f, lambda k, g, ans, args, kwargs: g * (np.sin(args[1]) if k == 0 else args[0] * np.cos(args[1])))
    check_grads(f, modes=["rev"], order=2)(x, x[::-1].copy())
    defjvp_argnums(f, lambda ks, gs, ans, args, kwargs: sum(
        g * (np.sin(args[1]) if k == 0 else args[0] * np.cos(args[1])) for k, g in zip(ks, gs, strict=True)))
    check_grads(f, modes=["rev"], order=2)(x, x[::-1].copy())


def test_linear_functions_need_their_transpose():
    @primitive
    def twice(y):
        return 2 * y
    def_linear(twice)
    with pytest.raises(GradientError, match="transpose"):
        grad(twice)(1.0)
    defvjp(twice, lambda ans, y: lambda g: 2 * g)
    assert grad(twice)(1.0) == 2.0 and make_jvp(twice)(1.0)(3.0)[1] == 6.0


def test_trees_and_several_results():
    @primitive
    def f(params, k):
        return params["a"] * k, params["b"][0] ** 2
    defvjp(f, lambda ans, p, k: lambda g: {"a": g[0] * k, "b": (g[1] * 2 * p["b"][0],)},
           lambda ans, p, k: lambda g: np.sum(g[0] * p["a"]))

    def total(params, k):
        first, second = f(params, k)
        return np.sum(first) * second
    params = {"a": x, "b": (onp.array(2.0),)}
    g = grad(total)(params, 3.0)
    onp.testing.assert_allclose(g["a"], [12, 12, 12])
    onp.testing.assert_allclose(g["b"][0], 72.0)
    assert grad(total, 1)(params, 3.0) == 24.0
    check_grads(total, modes=["rev"], order=2)(params, 3.0)


def test_shapes_are_undone_or_refused():
    @primitive
    def spread(a, y):
        return a + y
    defvjp(spread, lambda ans, a, y: lambda g: g, lambda ans, a, y: lambda g: g)
    assert grad(lambda a: np.sum(spread(a, x)))(1.0) == 3.0
    defvjp(spread, lambda ans, a, y: lambda g: np.ones(2))
    with pytest.raises(ShapeError, match="shape of its argument"):
        grad(lambda a: np.sum(spread(a, x)))(x)


def test_a_method_may_be_a_primitive():
    class Line:
        slope = 3.0

        @primitive
        def at(self, y):
            return self.slope * y
    defvjp(Line.at, None, lambda ans, self, y: lambda g: g * self.slope)
    assert elementwise_grad(Line().at)(2.0) == 3.0


def test_no_trace():
    @notrace_primitive
    def count(y, k=0):
        assert type(y) is onp.ndarray
        return int(onp.sum(y > 1))
    onp.testing.assert_allclose(grad(lambda y: np.sum(y) * count(y, k=y[0]))(x), [2, 2, 2])
    assert Box.__name__ == "Tensor"
    with pytest.raises(TypeError, match="@primitive"):
        defvjp(np.exp, lambda ans, y: lambda g: g)


def test_spaces():
    space = vspace({"a": onp.ones((2, 3)), "b": [1.0, onp.ones(2) * 1j]})
    assert space.size == 6 + 1 + 4 and space == vspace(space.randn()) and space != vspace(onp.ones(3))
    assert space.iscomplex and len(list(space.standard_basis())) == space.size and space.shape["a"] == (2, 3)
    basis = list(vspace(x).standard_basis())
    onp.testing.assert_array_equal(basis, onp.eye(3))
    ones = vspace(x).ones()
    assert vspace(x).inner_prod(x, ones) == 6.0
    onp.testing.assert_array_equal(vspace(x).add(x, vspace(x).scalar_mul(ones, 2.0)), x + 2)
    with pytest.raises(TypeError, match="expected numbers"):
        vspace("text")


def test_jacobian_of_a_primitive():
    @primitive
    def square(y):
        return y ** 2
    defvjp(square, lambda ans, y: lambda g: 2 * y * g)
    onp.testing.assert_allclose(jacobian(square)(x), onp.diag(2 * x))
