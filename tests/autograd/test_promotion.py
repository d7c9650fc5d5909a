"""The dtype of a result, for every pair of dtypes and strengths: torch.result_type of PyTorch 2.13, written in.

Strength: a tensor with axes goes before a 0-d one, and that before a Python number, within a kind (bool, integer, real,
complex).  The last test compares the tables with PyTorch's, where it is installed, and says what to write.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

# bool, uint8, int8, int16, int32, int64, float16, float32, float64, complex64, complex128: NumPy's one-letter codes,
# one string for each dtype on the left; "c" is PyTorch's complex32, which NumPy has not: complex64 takes its place.
CODES = "?BbhilefdFD"
EQUAL_STRENGTH = ("?BbhilefdFD", "BBhhilefdFD", "bhbhilefdFD", "hhhhilefdFD", "iiiiilefdFD", "llllllefdFD",
                  "eeeeeeefdFD", "ffffffffdFD", "dddddddddDD", "FFFFFFFFDFD", "DDDDDDDDDDD")
AXES_AND_0D = ("?BbhilefdFD", "BBBBBBefdFD", "bbbbbbefdFD", "hhhhhhefdFD", "iiiiiiefdFD", "llllllefdFD", "eeeeeeeeecc",
               "fffffffffFF", "dddddddddDD", "FFFFFFFFFFF", "DDDDDDDDDDD")
NUMBERS = (True, 2, 2.0, 2j)
AND_A_NUMBER = ("?lfF", "BBfF", "bbfF", "hhfF", "iifF", "llfF", "eeec", "fffF", "dddD", "FFFF", "DDDD")


def dtype_of(code):
    return np.dtype({"c": "F", "l": "int64"}.get(code, code))


def pairs():
    for (i, a), (j, b) in itertools.product(enumerate(CODES), repeat=2):
        yield a, (2,), b, (2,), EQUAL_STRENGTH[i][j]
        yield a, (), b, (), EQUAL_STRENGTH[i][j]
        yield a, (2,), b, (), AXES_AND_0D[i][j]
        yield a, (), b, (2,), AXES_AND_0D[j][i]


def made(code, shape):
    return Tensor(np.ones(shape, dtype_of(code)))


def disagreements(f, allowed=lambda a, b: True, result=lambda code: code, both_ways=True):
    wrong = []
    for a, a_shape, b, b_shape, code in pairs():
        if allowed(a, b):
            got, expected = f(made(a, a_shape), made(b, b_shape)).dtype, dtype_of(result(code))
            if got != expected:
                wrong.append(f"{dtype_of(a)}{a_shape} with {dtype_of(b)}{b_shape}: {got}, expected {expected}")
    for (i, a), (j, number), shape in itertools.product(enumerate(CODES), enumerate(NUMBERS), [(2,), ()]):
        if allowed(a, "?lfF"[j]):
            expected = dtype_of(result(AND_A_NUMBER[i][j]))
            orders = [(made(a, shape), number), (number, made(a, shape))]
            for x, y in orders if both_ways else orders[:1]:
                if f(x, y).dtype != expected:
                    wrong.append(f"{x!r} with {y!r}: {f(x, y).dtype}, expected {expected}")
    return wrong


def real(a, b):
    return a not in "FDc" and b not in "FDc"


def integers(a, b):
    return a in "Bbhil" and b in "Bbhil"


def to_float(code):
    return "f" if code in "?Bbhil" else code


@pytest.mark.parametrize("f", [lambda x, y: x + y, lambda x, y: x * y, ag.add, ag.multiply,
                               lambda x, y: ag.where(Tensor(True), x, y)])
def test_arithmetic(f):
    assert disagreements(f) == []


def test_subtraction():
    assert disagreements(lambda x, y: x - y, lambda a, b: "?" not in (a, b)) == []


def test_division_of_integers_is_in_the_default_dtype():
    assert disagreements(lambda x, y: x / y, result=to_float) == []
    try:
        ag.set_default_dtype("float64")
        assert (Tensor([1]) / 2).dtype == np.float64 and (Tensor([1]) / Tensor([2])).dtype == np.float64
        assert (Tensor([1]) * 0.5).dtype == np.float64 and Tensor([1]).exp().dtype == np.float64
    finally:
        ag.set_default_dtype("float32")


@pytest.mark.parametrize("f", [ag.maximum, ag.minimum])
def test_maximum(f):
    assert disagreements(f, real) == []


@pytest.mark.parametrize("f", [lambda x, y: x % y, lambda x, y: x // y, lambda x, y: x ** y],
                         ids=["remainder", "floor_divide", "power"])
def test_integer_arithmetic(f):
    assert disagreements(f, lambda a, b: real(a, b) and "?" not in (a, b)) == []


@pytest.mark.parametrize("f", [lambda x, y: x & y, lambda x, y: x | y, lambda x, y: x ^ y], ids=["and", "or", "xor"])
def test_bitwise(f):
    assert disagreements(f, lambda a, b: integers(a, b) or (a, b) == ("?", "?")) == []


@pytest.mark.parametrize("f", [ag.atan2, ag.logaddexp])
def test_floating_functions_of_two(f):
    assert disagreements(f, real, result=to_float) == []


@pytest.mark.parametrize("f", [ag.eq, ag.lt, ag.ge, ag.logical_and])
def test_comparisons_give_bools(f):
    assert disagreements(f, real, result=lambda code: "?") == []


def test_comparisons_are_made_in_the_common_dtype():
    assert (Tensor([0.1]) == Tensor(np.float64(0.1))).tolist() == [True]          # in float32: a 0-d is weak
    assert (Tensor([0.1]) == Tensor(np.array([0.1]))).tolist() == [False]         # in float64
    assert (Tensor([0.1]) == 0.1).tolist() == [True] and (Tensor(0.1) == 0.1).item() is True
    assert (Tensor(np.uint8([200])) > Tensor(np.int8([-1]))).tolist() == [True]


def test_joining():
    for a, b in itertools.product(CODES, repeat=2):
        expected = dtype_of(EQUAL_STRENGTH[CODES.index(a)][CODES.index(b)])
        assert ag.cat([made(a, (2,)), made(b, (2,))]).dtype == expected, (a, b)
        assert ag.stack([made(a, ()), made(b, ())]).dtype == expected, (a, b)


def test_numpy_operands_are_as_strong_as_their_axes():
    x = Tensor([1.0, 2.0])
    for other, expected in ((np.float64(2), "float32"), (np.array(2.0), "float32"), (np.array([2.0, 2.0]), "float64"),
                            (np.float16(2), "float32"), (np.int64(2), "float32"), (np.array([2, 2]), "float32")):
        assert (x * other).dtype == (other * x).dtype == np.dtype(expected), other
    assert (Tensor([1, 2]) * np.float64(2)).dtype == np.float32 == (Tensor(1) * np.float64(2)).dtype
    assert (Tensor(1.0) * np.float64(2)).dtype == np.float32, "np.float64 is a Python float"
    assert (Tensor(1.0) * np.array(2.0)).dtype == np.float64


@pytest.mark.parametrize("f", [ag.sqrt, ag.exp, ag.log, ag.sin, ag.tanh, ag.sigmoid, ag.erf, ag.reciprocal, ag.rsqrt,
                               lambda x: ag.logsumexp(x, 0)])
def test_functions_of_integers_are_floating(f):
    for code in CODES:
        if code in "?Bbhil":
            assert f(Tensor(np.ones(2, dtype_of(code)))).dtype == np.float32
        elif code in "efd":
            assert f(Tensor(np.ones(2, dtype_of(code)))).dtype == dtype_of(code)


def test_reductions():
    for code in CODES:
        x = made(code, (2, 2))
        wide = np.dtype("int64") if code in "?Bbhil" else dtype_of(code)
        for f in (ag.sum, ag.prod, lambda x: x.sum(0), lambda x: x.cumsum(0), lambda x: x.prod(0)):
            assert f(x).dtype == wide, (code, f)
        if code not in "FD":
            assert ag.amax(x, dim=0).dtype == ag.max(x).dtype == x.dtype
            assert ag.argmax(x).dtype == ag.argsort(x).dtype == ag.max(x, 0).indices.dtype == np.int64
    for code in "?Bbhil":
        for f in (ag.mean, ag.var, ag.std, ag.norm):
            with pytest.raises((TypeError, RuntimeError)):
                f(made(code, (2,)))


def test_two_python_numbers():
    mask = Tensor([True, False])
    assert ag.where(mask, 1.0, 0.0).dtype == np.float32 and ag.where(mask, 1, 0).dtype == np.int64
    assert ag.where(mask, 1, 0.5).dtype == np.float32 and ag.where(mask, True, False).dtype == np.bool_


def test_gradients_come_back_in_the_dtype_of_each_operand():
    for a, b in itertools.product("efd", repeat=2):
        x = Tensor(np.ones(2, dtype_of(a)), requires_grad=True)
        y = Tensor(np.ones((), dtype_of(b)), requires_grad=True)
        z = Tensor(np.arange(2), requires_grad=False)
        (x * y + z).sum().backward()
        assert x.grad.dtype == dtype_of(a) and y.grad.dtype == dtype_of(b) and y.grad.item() == 2.0


def stays_narrow(f, code):
    """Whether result and gradient are of the dtype of the tensor beside a Python number."""
    for n, shape in itertools.product((2, 2.0, True), [(2,), ()]):
        x = Tensor(np.full(shape, 1.5, dtype_of(code)), requires_grad=True)
        y = f(x, n)
        y.backward(Tensor(np.ones(shape, y.dtype)))
        assert y.dtype == x.grad.dtype == dtype_of(code), (n, shape, y.dtype, x.grad.dtype)


@pytest.mark.parametrize("code", "efdFD")
@pytest.mark.parametrize("f", [lambda x, n: x + n, lambda x, n: n - x, lambda x, n: x * n, lambda x, n: n / x,
                               lambda x, n: x ** n], ids=["add", "rsub", "mul", "rdiv", "pow"])
def test_a_python_number_does_not_widen_the_gradient(f, code):
    stays_narrow(f, code)


@pytest.mark.parametrize("code", "efF")
def test_a_python_base_does_not_widen_the_gradient(code):
    stays_narrow(lambda x, n: n ** x, code)


def test_result_dtype():
    assert ag.result_dtype([np.ones(2, "float32"), 1.5]) == np.float32 and ag.result_dtype([1, True]) == np.int64
    assert ag.result_dtype([np.ones(2, "int8"), np.float64(1)]) in (np.float64, np.float32)


def test_the_tables_are_pytorchs():
    torch = pytest.importorskip("torch")
    of = {"?": torch.bool, "B": torch.uint8, "b": torch.int8, "h": torch.int16, "i": torch.int32, "l": torch.int64,
          "e": torch.float16, "f": torch.float32, "d": torch.float64, "c": torch.complex32, "F": torch.complex64,
          "D": torch.complex128}
    code_of = {dtype: code for code, dtype in of.items()}

    def table(others):
        return tuple("".join(code_of[torch.result_type(torch.ones(2, dtype=of[a]), b)] for b in others) for a in CODES)
    assert table([torch.ones(2, dtype=of[b]) for b in CODES]) == EQUAL_STRENGTH
    assert table([torch.ones((), dtype=of[b]) for b in CODES]) == AXES_AND_0D
    assert table(NUMBERS) == AND_A_NUMBER
    for a, b in itertools.product(CODES, repeat=2):
        both = torch.result_type(torch.ones((), dtype=of[a]), torch.ones((), dtype=of[b]))
        assert code_of[both] == EQUAL_STRENGTH[CODES.index(a)][CODES.index(b)], "0-d ones are as strong as each other"
