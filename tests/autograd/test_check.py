"""gradcheck and gradgradcheck: they pass what is right, catch what is wrong, and name the worst element."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, Tensor, elementwise, gradcheck, gradgradcheck, op
from autograd.op import OPS

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


@pytest.fixture
def declared():
    """Ops declared in a test are forgotten after it."""
    before = dict(OPS)
    yield
    OPS.clear()
    OPS.update(before)


@pytest.mark.parametrize("f, inputs", [
    (lambda x: x.exp(), X), (lambda x: (x * x).sum(), X), (lambda x: x @ x.T, X), (lambda x, y: x * y + y, (X, X[:1])),
    (lambda x: x.softmax(1), X), (lambda x: (x.sum(0), x.prod(1)), X), (lambda x: x[[0, 0], [1, 2]], X),
    (lambda x: x ** 3, 1.5),
    (lambda x, n: x * n, (X, 3)), (lambda x, k: x.gather(1, k), (X, Tensor([[0], [2]]))), (lambda x: x.std(1), X),
    (lambda x: ag.where(x > 0, x, x * x), X), (lambda x: x * 0 + 3.0, X),
    (lambda x: x.clone(), Tensor(X, requires_grad=True)),
    (lambda x: x[:0], X), (lambda x: x.sum(), np.ones((0, 3))), (lambda x: x.exp(), X.astype("float32")),
])
def test_right_derivatives_pass(f, inputs):
    assert gradcheck(f, inputs) is True
    assert gradgradcheck(f, inputs) is True


@pytest.mark.parametrize("turn", [np.asfortranarray, lambda x: x[::-1], lambda x: x[:, ::2],
                                  lambda x: np.moveaxis(x, 0, -1)], ids=["Fortran", "reversed", "strided", "moved"])
def test_memory_order_does_not_matter(turn):
    x = turn(X)
    for inputs in ((x, x * 2.0), (Tensor(x, requires_grad=True), turn(X + 1))):
        assert gradcheck(lambda a, b: a * a * b, inputs) and gradgradcheck(lambda a, b: (a * a * b).T, inputs)
    assert gradcheck(lambda a: (a * a).T, x)


Z = np.array([[0.5 + 1j, -1 - 0.25j], [2j, 1.5 + 0j]])


@pytest.mark.parametrize("f, inputs", [
    (lambda z: z * z, Z), (lambda z: z.exp().sum(), Z), (lambda z: z @ z.T, Z), (lambda z, x: z * x, (Z, Z.real)),
    (lambda z: ag.conj(z) * z, Z), (abs, Z), (lambda z: (z ** 3).T, Tensor(Z.T, requires_grad=True)),
    (lambda z: 1 / z, 1 - 2j), (lambda x: x * (1 + 2j), Z.real),
])
def test_complex_numbers(f, inputs):
    """Two real numbers each: PyTorch's gradient of either part of an output, in either part of an input."""
    assert gradcheck(f, inputs)


@pytest.mark.parametrize("f", [lambda z: z ** 3, lambda z: ag.conj(z) * z * z])
def test_second_derivatives_of_complex_numbers(f):
    assert gradgradcheck(f, Z)
    assert gradgradcheck(f, Z, grad_outputs=Z)


def test_the_wrong_part_is_named(declared):
    @elementwise(z=lambda g, z: ag.conj(g) * (2 * z))
    def turned(z):
        """Square:  z^2, with the conjugate of the change."""
        return z * z
    with pytest.raises(GradientError, match=r"d output 0\[0\] \((real|imaginary) part\) / d input 0\[0\] \((real|im)"):
        gradcheck(turned, np.array([1 + 2j]))


def test_inputs_are_left_alone():
    x, y = Tensor(X.copy(), requires_grad=True), Tensor(X.copy())
    (x * 1).sum().backward()
    grad = x.grad
    assert gradcheck(lambda a, b: a * b, (x, y)) and gradgradcheck(lambda a, b: a * b, (x, y))
    assert x.grad is grad and np.array_equal(x.value, X) and not y.requires_grad
    array = X.copy()
    assert gradcheck(lambda a: a * a, array) and np.array_equal(array, X)
    with ag.no_grad():
        assert gradcheck(lambda a: a * a, X) and not ag.is_grad_enabled()


def test_a_wrong_rule_is_caught_and_the_worst_element_named(declared):
    @elementwise(x=lambda g, x: g * (2 * x + (x == 2.0) * 0.5 + (x == 1.5) * 0.125))
    def nearly_square(x):
        """Square:  x^2, with a rule that is off at 2, and less at 1.5."""
        return x * x
    with pytest.raises(GradientError) as caught:
        gradcheck(nearly_square, X)
    said = str(caught.value)
    assert said.startswith("gradcheck: d output 0[0, 2] / d input 0[0, 2] is 4.5 by the rules and ")
    assert "by central differences (step 1e-06) at input value 2" in said and "2 of 36 elements differ" in said
    value = float(said.split(" by the rules and ")[1].split(" by central")[0])
    assert value == pytest.approx(4.0, abs=1e-6)
    assert gradcheck(nearly_square, X, raise_exception=False) is False
    assert gradcheck(nearly_square, np.array([0.5, -1.0])) is True
    assert gradcheck(nearly_square, X, atol=1.0) is True


def test_the_output_and_input_are_named(declared):
    @op(x=lambda g, y: g * y, y=lambda g, x: g * x * 2)
    def lopsided(x, y):
        """Product:  x y, with a wrong rule of y."""
        return x * y
    with pytest.raises(GradientError, match=r"d output 1\[1\] / d input 1\[1\] is -?\d.* by the rules"):
        gradcheck(lambda x, y: (x + y, lopsided(x, y)), (X[0, :2] * 0.1, X[1, :2] + [0, -9]))
    with pytest.raises(GradientError, match=r"d output 0\[\] / d input 0\[\] is 4 by the rules"):
        gradcheck(lambda y: lopsided(Tensor(2.0, dtype="float64"), y), 3.0)


def test_a_missing_path_is_caught():
    with pytest.raises(GradientError, match="is 0 by the rules"):
        gradcheck(lambda x: x.detach() * 2, X)
    with pytest.raises(GradientError, match="is 1 by the rules"):
        gradcheck(lambda x: x * x.detach() / x.detach() + x.detach(), X)


def test_a_gradient_that_is_nan_is_caught():
    with pytest.raises(GradientError, match="is nan by the rules"):
        gradcheck(lambda x: (x * x).sqrt(), np.array([0.0, 1.0]))


def test_a_wrong_second_derivative_is_caught(declared):
    @elementwise(x=lambda g, x: g * _frozen(x))
    def forgetful(x):
        """Cube:  x^3, with a right rule that is no function of x any more."""
        return x * x * x

    def _frozen(x):
        return 3 * x * x if not isinstance(x, Tensor) else (3 * x * x).detach()
    assert gradcheck(forgetful, X) is True
    with pytest.raises(GradientError, match="gradcheck: d output"):
        gradgradcheck(forgetful, X)
    assert gradgradcheck(forgetful, X, raise_exception=False) is False


def test_grad_outputs_of_gradgradcheck():
    assert gradgradcheck(lambda x: x ** 3, X, grad_outputs=np.ones_like(X))
    assert gradgradcheck(lambda x: (x ** 3, x.sum()), X, grad_outputs=(Tensor(X), np.float64(2)))


def test_nothing_to_check_is_an_error():
    for inputs in (Tensor([1.0]), (3,), Tensor([1, 2]), ()):
        with pytest.raises(GradientError, match="no input requires a gradient"):
            gradcheck(lambda *x: x[0] * 2.0, inputs)
    for f in (lambda x: None, lambda x: 3.0, lambda x: np.ones(2), lambda x: x > 0):
        with pytest.raises((GradientError, TypeError)):
            gradcheck(f, X)


def test_kinks_show():
    with pytest.raises(GradientError):
        gradcheck(lambda x: x.relu(), np.array([0.0, 1.0]))
    assert gradcheck(lambda x: x.relu(), np.array([-1.0, 1.0]))


def test_a_kink_is_named_as_such():
    with pytest.raises(GradientError, match=r"gradcheck: .* sits on a kink: the slope is -3 from the left and 3 from"):
        ag.gradcheck(lambda x: ag.relu(x) * 6 - 3 * x, (np.array([1.0, 0.0]),), eps=1e-6)
    with pytest.raises(GradientError) as smooth:
        ag.gradcheck(lambda x: x * x.detach(), (np.array([0.5, 2.0]),))
    assert "kink" not in str(smooth.value)
    with pytest.raises(GradientError, match=r"^gradgradcheck: .* kink"):
        ag.gradgradcheck(lambda x: ag.relu(x) ** 2 + x * x, (np.array([0.0]),), grad_outputs=np.array([1.0]))
