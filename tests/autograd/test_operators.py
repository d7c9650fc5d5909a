"""Operators between tensors, arrays and numbers, on either side, and with objects that are none of these."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import GradientError, Tensor


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


def describe(other):
    return f"{type(other).__name__}{getattr(other, 'shape', '')}"


STRANGERS = [2, 2.0, True, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), np.array([2.0, 3.0]),
             np.array([[2.0], [3.0]]), np.array([2, 3])]
OPERATORS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
             "**": lambda a, b: a ** b, "%": lambda a, b: a % b, "//": lambda a, b: a // b}


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("other", STRANGERS, ids=describe)
def test_operators_with_strangers_on_either_side(symbol, other):
    f, a = OPERATORS[symbol], np.array([1.5, 2.5])
    for x in (Tensor(a), leaf(a)):
        for got, expected in ((f(x, other), f(a, other)), (f(other, x), f(other, a))):
            assert type(got) is Tensor and got.shape == np.shape(expected)
            assert got.dtype == np.float64 and np.allclose(got.value, expected, rtol=1e-15)
            assert got.requires_grad == (x.requires_grad and symbol != "//")


@pytest.mark.parametrize("symbol", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("other", [*STRANGERS, Tensor(2.0), Tensor([2.0, 3.0])], ids=describe)
def test_comparisons(symbol, other):
    f = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
         "==": lambda a, b: a == b, "!=": lambda a, b: a != b}[symbol]
    a = np.array([1.0, 3.0])
    plain = other.value if isinstance(other, Tensor) else other
    for got, expected in ((f(leaf(a), other), f(a, plain)), (f(other, leaf(a)), f(plain, a))):
        assert type(got) is Tensor and got.dtype == np.bool_ and not got.requires_grad
        assert np.array_equal(got.value, expected)


def test_comparison_with_what_is_no_number():
    x = Tensor([1.0])
    assert (x == None) is False and (x != None) is True and (x == "a") is False       # noqa: E711
    assert x not in [None, "a"]
    for bad in (None, "a", object()):
        with pytest.raises(TypeError):
            x < bad                             # noqa: B015
        with pytest.raises(TypeError):
            x + bad
        with pytest.raises(TypeError):
            bad * x


def test_matrix_product_operator():
    a, m = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    for left, right in ((leaf(m), a), (m, leaf(a)), (leaf(a), m), (a, leaf(m)), (leaf(m), leaf(m))):
        got = left @ right
        plain = lambda t: t.value if isinstance(t, Tensor) else t
        assert type(got) is Tensor and got.requires_grad and np.array_equal(got.value, plain(left) @ plain(right))


def test_unary_operators_and_logic():
    x = leaf([-1.5, 2.0])
    assert (-x).tolist() == [1.5, -2.0] and (+x).tolist() == [-1.5, 2.0] and abs(x).tolist() == [1.5, 2.0]
    m, n = Tensor([True, True, False]), np.array([True, False, False])
    assert (~m).tolist() == [False, False, True] and (m & n).tolist() == [True, False, False]
    assert (n | m).tolist() == [True, True, False] and (m ^ n).tolist() == [False, True, False]
    assert (Tensor([6, 5]) & 3).tolist() == [2, 1] and (3 | Tensor([4])).tolist() == [7]
    assert (~Tensor([0])).tolist() == [-1]


def test_python_in_place_operators():
    x = leaf([1.0, 2.0])
    y = same = x * 1
    y += 1
    y *= 2
    y -= x
    y /= 2
    assert x.tolist() == [1.0, 2.0] and y is same
    y.sum().backward()                          # y = (2(x + 1) - x) / 2 = x / 2 + 1
    assert x.grad.tolist() == [0.5, 0.5]
    y = leaf([3.0]) * 1
    y **= 2
    assert y.tolist() == [9.0]
    w = leaf(np.eye(2))
    v = w
    v @= np.ones((2, 2))                        # a matrix product has no place of its own: Python rebinds
    assert w.tolist() == [[1, 0], [0, 1]] and v.tolist() == [[1, 1], [1, 1]]
    n = m = Tensor([6, 5])
    n &= 3
    n |= 8
    n ^= 1
    n //= 2
    n %= 4
    assert m.tolist() == [1, 0]


def test_an_array_is_not_changed_by_adding_a_tensor_to_it():
    a = np.ones(2)
    with pytest.raises(GradientError, match="in place of x"):
        a += leaf([1.0, 2.0])                   # values without their history
    assert a.tolist() == [1.0, 1.0]


def test_strangers_may_define_their_own_operators():
    class Money:
        def __radd__(self, other):
            return "radd"

        def __rmul__(self, other):
            return "rmul"

        def __rmatmul__(self, other):
            return "rmatmul"

        def __eq__(self, other):
            return "eq"

        __hash__ = None

    x = leaf([1.0])
    assert x + Money() == "radd" and x * Money() == "rmul" and x @ Money() == "rmatmul" and (x == Money()) == "eq"


def test_lists_count_as_arrays_in_arithmetic():
    x = leaf([1.0, 2.0])
    assert (x + [1, 2]).tolist() == [2.0, 4.0] == ([1, 2] + x).tolist() and (x * [2.0, 0.0]).tolist() == [2.0, 0.0]
