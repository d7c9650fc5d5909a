"""`import autograd.numpy as np`: every name of NumPy, recorded where it has a derivative, NumPy itself on arrays."""

from __future__ import annotations

import pickle
import timeit

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import Tensor, elementwise_grad, grad, jacobian, vmap
from autograd.test_util import check_grads

x = onp.array([1.0, 2.0, 3.0])
M = onp.arange(6.0).reshape(2, 3) / 5 + 0.1


def test_every_name_of_numpy_is_here():
    assert not [name for name in dir(onp) if not hasattr(np, name)]
    for part in ("linalg", "fft", "random"):
        assert not [n for n in dir(getattr(onp, part)) if n[0] != "_" and not hasattr(getattr(np, part), n)]
    assert np.add is onp.add and np.float64 is onp.float64
    assert np.pi == onp.pi and np.newaxis is None
    from autograd.numpy.linalg import inv
    from autograd.numpy.random import RandomState
    assert onp.allclose(inv(2 * onp.eye(2)), onp.eye(2) / 2)
    assert RandomState(0).randn() == onp.random.RandomState(0).randn()


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "eye", "identity"])
def test_outside_a_derivative_arrays_are_plain(name):
    assert type(getattr(np, name)(3)) is onp.ndarray
    assert type(np.array([1.0, 2.0])) is onp.ndarray and type(np.zeros_like(x)) is onp.ndarray
    assert type(np.sum(x)) is onp.float64 and type(np.argmax(x)) is onp.int64


# What functions use, each with the gradient that it should have at x.
GRADIENTS = {
    "array of tensors": (lambda y: np.sum(np.array([[y[0], y[1]], [1.0, y[2] ** 2]]) ** 2), [2, 4, 108]),
    "sum of a list": (lambda y: np.sum([y[0], y[1] ** 2, 3.0]) * np.max([y[0], y[2]]), [3, 12, 8]),
    "std of a tuple": (lambda y: np.std((y[0], y[1], 3.0 * y[0])), None),
    "norm of a list": (lambda y: np.linalg.norm([y[0], y[1] * 0, y[2]]) ** 2, [2, 0, 6]),
    "integers of it": (lambda y: np.sum(y[np.int64(y - 0.5)]) * (y + 0.5).astype(int)[0], [1, 1, 1]),
    "a triangle of it": (lambda y: np.sum(np.linalg.eigh(np.outer(y, y) + np.triu(np.ones((3, 3)) * y))[0] ** 2), None),
    "real eigenvalues": (lambda y: np.sum(np.linalg.eigvals(np.diag(y) + np.tril(np.ones((3, 3)))) ** 2), [4, 6, 8]),
    "nested lists": (lambda y: np.sum(np.array([[y, 2 * y], [[1.0, 2, 3], y * y]])), 3 + 2 * x),
    "mean of a list": (lambda y: np.mean([y[0], y[1], y[1]]), [1 / 3, 2 / 3, 0]),
    "dot of a list": (lambda y: np.dot([y[0], 2.0], onp.array([3.0, 4.0])), [3, 0, 0]),
    "an index found": (lambda y: y[np.argmax(y)] ** 2, [0, 0, 6]),
    "a shape": (lambda y: np.sum(y) / np.size(y) * np.shape(y)[0] + np.ndim(y), [1, 1, 1]),
    "a branch": (lambda y: np.sum(y) if np.allclose(y, x) else 0.0, [1, 1, 1]),
    "where": (lambda y: np.sum(np.where(y > 1.5, y ** 2, 0.0)), [0, 4, 6]),
    "r_": (lambda y: np.sum(np.r_[y, y[0], 3.0, 1:3] ** 2), [4, 4, 6]),
    "c_": (lambda y: np.sum(np.c_[y, y ** 2] * onp.arange(6.0).reshape(3, 2)), [2, 14, 34]),
    "full": (lambda y: np.sum(np.full((2, 3), y) * M) + np.sum(np.full(2, y[0])), M.sum(0) + [2, 0, 0]),
    "a loop": (lambda y: np.sum(np.stack([y * k for k in range(3)], axis=0)), [3, 3, 3]),
    "hstack": (lambda y: np.sum(np.hstack([y, 1.0, y[0]]) * onp.arange(5.0)), [4, 1, 2]),
    "iteration": (lambda y: sum(len(y) * a for a in y), [3, 3, 3]),
    "augmented": (lambda y: _augmented(y), [0.5, 1, 1.5]),
    "assigned by index": (lambda y: _assigned(y), [3, 4, 12]),
    "assigned by slice": (lambda y: _by_slice(y), [1, 3, 2]),
    "assigned to a copy": (lambda y: _copied(y), [0, 4, 6]),
    "assigned to ones_like": (lambda y: np.prod(_first(np.ones_like(y), y[2])), [0, 0, 1]),
    "assigned to eye": (lambda y: np.linalg.det(_first(np.eye(3), y[1] * y[2], (0, 0))), [0, 3, 2]),
    "a recurrence": (lambda y: _recurrence(y), None),
    "complex": (lambda y: np.real(np.sum((y + 1j * y) ** 2 * 1j)), [-4, -8, -12]),
    "fft": (lambda y: np.sum(np.real(np.fft.fft(y) * np.conj(np.fft.fft(y)))), 6 * x),
    "linalg": (lambda y: np.linalg.norm(y) ** 2 + np.linalg.det(np.diag(y)), [8, 7, 8]),
    "operators": (lambda y: np.sum(abs(-y) * 2 - y / 2 + y % 2.5 + 2 ** y * 0), [2.5, 2.5, 2.5]),
    "make_diagonal": (lambda y: np.sum(np.make_diagonal(y) * onp.arange(9.0).reshape(3, 3)), [0, 4, 8]),
}


def _augmented(y):
    total = np.zeros(3)
    total += y
    total *= 0.25
    total[1:] += y[1:] / 4
    total[0] += y[0] * 0.25
    return np.sum(total * x) - np.sum(np.zeros(2)) + 0 * total[0] - np.sum(total[:0])


def _assigned(y):
    out = np.zeros(3)
    for i in range(3):
        out[i] = y[i] ** 2
    return np.sum(out * np.array([y[0], 1.0, 2.0]))


def _by_slice(y):
    out = np.empty((2, 3))
    out[0] = y
    out[1, 1:] = y[:2] * 0 + y[1:]
    out[1, 0] = y[1]
    return np.sum(out)


def _copied(y):
    out = np.array(y)
    out[0] = 0.0
    return np.sum(out ** 2)


def _first(out, value, at=0):
    out[at] = value
    return out


def _recurrence(y):
    state = np.zeros(6)
    state[0] = y[0]
    for i in range(1, 6):
        state[i] = np.tanh(state[i - 1] * y[1]) + y[2] * state[i - 1] ** 2 / 10
    return np.sum(state * np.linspace(0, 1, 6))


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_inside_a_function(name):
    f, expected = GRADIENTS[name]
    found = grad(f)(x)
    assert type(found) is onp.ndarray
    if expected is not None:
        onp.testing.assert_allclose(found, expected, atol=1e-12)
    check_grads(f, modes=["rev"], order=2)(x)


@pytest.mark.parametrize("name", ["sum of a list", "where", "a recurrence", "assigned by slice", "linalg", "fft"])
def test_mapped_over_a_batch(name):
    f = GRADIENTS[name][0]
    batch = x + onp.arange(4.0)[:, None] / 3
    onp.testing.assert_allclose(vmap(f)(batch), [f(row) for row in batch])
    onp.testing.assert_allclose(vmap(grad(f))(batch), [grad(f)(row) for row in batch])


def test_the_callers_arrays_are_left_alone():
    kept = x.copy()

    def f(y):
        out = np.array(kept)
        out[0] = y[0]
        seen = np.asarray(kept)
        assert seen is kept
        return np.sum(out * y)
    onp.testing.assert_allclose(grad(f)(x), [2, 2, 3])
    onp.testing.assert_array_equal(kept, x)


def test_integers_and_ranges_stay_numpy():
    def f(y):
        order, count = np.array([2, 0]), np.zeros(3, dtype=int)
        count[order[0]] += 1
        for i in np.arange(2):
            y = y * {0: 1.0, 1: 2.0}[int(i)]
        assert type(order) is onp.ndarray and type(np.arange(3.0)) is onp.ndarray
        return np.sum(y[order]) + count.sum()
    onp.testing.assert_allclose(grad(f)(x), [2, 0, 2])


def test_a_function_without_a_derivative_gives_plain_arrays():
    t = Tensor(x, requires_grad=True)
    assert type(np.argmax(t)) is onp.int64 and type(np.argsort(t)) is onp.ndarray and np.shape(t) == (3,)
    assert {0: "a", 2: "c"}[np.argmax(t)] == "c" and np.array_equal(t, x) is True


def test_boxes_are_tensors():
    t = Tensor(x, requires_grad=True)
    assert isinstance(t, np.numpy_boxes.ArrayBox) and t._value is t.value


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        grad(lambda y: np.sum(np.array([[y[0], y[1]], [1.0, 2.0, y[2]]])))(x)


def test_functions_of_it_can_be_pickled():
    assert pickle.loads(pickle.dumps(np.sum)) is np.sum and pickle.loads(pickle.dumps(np.exp)) is np.exp


def test_arrays_in_arrays_out_of_any_order():
    assert type(grad(grad(np.sin))(1.0)) is onp.float64
    assert grad(grad(grad(grad(np.sin))))(1.0) == pytest.approx(onp.sin(1.0))
    onp.testing.assert_allclose(elementwise_grad(elementwise_grad(np.tanh))(x),
                                -2 * onp.tanh(x) * (1 - onp.tanh(x) ** 2))
    assert jacobian(lambda y: np.outer(y, y))(x).shape == (3, 3, 3)


@pytest.mark.parametrize("call", ["sum(a)", "exp(a)", "dot(a, a)", "zeros(3)", "array(a)", "argmax(a)", "mean(a)",
                                  "concatenate([a, a])", "where(m, a, a)", "linalg.norm(a)", "ones_like(a)"])
@pytest.mark.slow
def test_the_cost_on_plain_arrays(call):
    a = onp.ones(10)

    def cost(home):
        return min(timeit.repeat(f"np.{call}", globals={"np": home, "a": a, "m": a > 0}, number=2000, repeat=7)) / 2000
    assert min(cost(np) - cost(onp) for _ in range(5)) < 0.5e-6
