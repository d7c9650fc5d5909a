"""Every row of docs/conventions.md, and what else happens at the edges that does not fit into a row.

The rows stand in tests/tables, one expression each with the value and the gradient expected.  Warnings are errors here:
infinities and NaN are values.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "tables"))
import conventions
from row import Scope, agree, inputs, several

inf, nan = math.inf, math.nan


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


def rows(wanted=lambda row: True, pending=False):
    return pytest.mark.parametrize("row", [
        pytest.param(row, id=row.id, marks=[pytest.mark.xfail(reason=row.pending)] if row.pending and pending else [])
        for row in conventions.ROWS if wanted(row)])


# -- the rows --------------------------------------------------------------------------------------------


@rows(pending=True)
def test_row(row):
    value, grads = found = row.here()
    assert agree(found, row.value, row.grad, 1e-11), f"value {value!r}, gradient {grads}"
    if not isinstance(row.value, type) and (row.result or row.grad is not None):
        assert value.dtype == np.dtype(row.result or row.dtype)
    if row.grad is not None:
        assert all(g is None or (g.shape == x.shape and g.dtype == x.dtype)
                   for g, x in zip(grads, inputs(row), strict=True)), "a gradient looks like its input"


@rows(lambda row: row.dtype == "float64" and re.fullmatch(r"[\w.]+\(x[^()*>]*\)[.\w]*", row.code))
def test_row_of_arrays(row):
    """Arrays alone give an array, with the same numbers."""
    if isinstance(row.value, type):
        with pytest.raises(row.value):
            row.arrays()
    else:
        value = row.arrays()
        assert not isinstance(value, Tensor) and agree((np.asarray(value), None), row.value, None, 1e-11)


def is_a_number(row):
    """In value and gradient: the mean of no elements has a gradient of no elements, and no slope."""
    if row.pending or row.dtype != "float64" or row.grad is None or np.isnan(row.value).all():
        return False
    return all(np.isfinite(g).all() for g in several(row.grad) if g is not None)


@rows(is_a_number)
def test_row_in_forward_mode(row):
    """The derivative along a direction is the product with the gradient, at kinks and ties too."""
    xs = inputs(row)
    rng = np.random.default_rng(0)
    along = tuple(np.asarray(rng.standard_normal(x.shape))[()] for x in xs)
    _, slope = ag.jvp(lambda *xs: eval(row.code, {}, Scope(ag, nn.functional, xs)).sum(), tuple(xs), along)
    expected = sum(np.sum(np.asarray(g) * v) for g, v in zip(several(row.grad), along, strict=True) if g is not None)
    assert np.isclose(slope, expected, rtol=1e-9, atol=1e-300)


def test_rows_are_told_apart():
    ids = [row.id for row in conventions.ROWS]
    assert len(set(ids)) == len(ids), sorted({i for i in ids if ids.count(i) > 1})


# -- masks, positions, second derivatives ---------------------------------------------------------------


def test_a_fully_masked_row_does_not_harm_the_others():
    x = leaf([[0.0, 1.0], [2.0, 3.0]])
    mask = np.array([[False, True], [True, True]])
    p = x.masked_fill(mask, -inf).softmax(1)
    assert p.value[0].tolist() == [1.0, 0.0] and np.isnan(p.value[1]).all()
    p[0, 0].backward()
    assert x.grad.value[0].tolist() == [0.0, 0.0] and np.all((x.grad.value[1] == 0) | np.isnan(x.grad.value[1]))


def test_positions_of_nan():
    x = Tensor([2.0, nan, 1.0])
    assert x.argmax().item() == 1 and x.argmin().item() == 1 and ag.argsort(x).tolist() == [2, 0, 1]
    assert ag.sort(x).indices.tolist() == [2, 0, 1] and ag.max(x, 0).indices.item() == 1


def test_prod_is_differentiable_twice_with_zeros():
    x = leaf([2.0, 0.0, 3.0])
    assert np.allclose(ag.hessian(lambda x: x.prod())(x).value, [[0, 3, 0], [3, 0, 2], [0, 2, 0]])
    assert np.allclose(ag.hessian(lambda x: x.prod())(np.zeros(3)), np.zeros((3, 3)))


def test_empty_reductions():
    x = leaf(np.ones((0, 3)))
    assert x.sum(0).tolist() == [0, 0, 0] and x.sum(1).shape == (0,) and x.prod(0).tolist() == [1, 1, 1]
    assert x.amax(1).shape == (0,) and ag.max(x, 1).values.shape == (0,) and np.isnan(x.mean(0).value).all()
    assert x.softmax(0).shape == (0, 3) and x.cumsum(0).shape == (0, 3) and ag.sort(x, 0).values.shape == (0, 3)
    (x.sum() + x.mean(1).sum() + x.var(0, correction=0).sum() * 0 + (x @ np.ones((3, 2))).sum()).backward()
    assert x.grad.shape == (0, 3)
    for f in (lambda: ag.argmax(leaf([])), lambda: ag.max(x, 0), lambda: x.max()):
        with pytest.raises((IndexError, ValueError)):
            f()


def test_zero_dimensional_arguments():
    x = leaf(3.0)
    for y in (x.sum(0), x.mean(0), x.prod(0), x.max(0).values, x.min(-1).values, x.amax(0), x.sort()[0], x.topk(1)[0],
              x.cumsum(0), x.logsumexp(0), x.norm(), x.squeeze(), x.flip(0), x.transpose(0, 0)):
        assert y.shape == () and y.item() == 3.0
    assert x.max(0).indices.item() == 0 and x.argmax().item() == 0 and ag.argsort(x).shape == ()
    assert x.softmax(0).item() == 1.0 and x.log_softmax(-1).item() == 0.0 and x.flatten().shape == (1,)
    assert x.sum(0, keepdim=True).shape == () and x.reshape(1, 1).shape == (1, 1) and (x * np.ones(2))[0].shape == ()
    assert type(x[...]) is Tensor and type(leaf([1.0, 2.0])[0] * 2) is Tensor


# -- precision -------------------------------------------------------------------------------------------


def test_float16():
    length = Tensor(np.full(100, 300, "float16")).norm()
    assert length.item() == 3000 and length.dtype == np.float16
    assert Tensor(np.tile(np.float16([0, 400]), 500)).var().item() == 40032
    assert Tensor(np.zeros(3000, "float16")).softmax(0).sum().item() == pytest.approx(1, abs=2e-3)
    assert Tensor(np.full(4000, 30, "float16")).mean().item() == 30
    assert Tensor(np.full(5000, 1, "float16")).sum().item() == 5000
    assert (Tensor(np.float16([60000.0])) * 2).tolist() == [inf] and Tensor(np.float16(60000.0)).square().item() == inf


def test_float32_sums_are_accurate_along_any_axis():
    x = np.full((200_000, 2), 0.1, "float32")
    exact = float(np.float32(0.1)) * 200_000
    for t in (Tensor(x), Tensor(np.asfortranarray(x)), Tensor(np.ascontiguousarray(x.T)).T):
        assert np.allclose(t.sum(0).value, exact, rtol=1e-6) and np.allclose(t.mean(0).value, 0.1, rtol=1e-6)
        assert np.allclose(t.sum().item(), 2 * exact, rtol=1e-6)
        assert np.allclose(t.cumsum(0).value[-1], exact, rtol=1e-6)
        assert np.allclose(t.logsumexp(0).value, 0.1 + math.log(200_000), rtol=1e-6)
        assert np.allclose(t.softmax(0).sum(0).value, 1, rtol=1e-6) and np.allclose(t.var(0).value, 0, atol=1e-12)
        assert np.allclose(ag.einsum("ij->j", t).value, exact, rtol=1e-6)
        assert np.isclose(t.norm().item(), math.sqrt(400_000) * float(np.float32(0.1)), rtol=1e-6)
    x = np.float32([1e4, 1e4 + 1, 1e4 + 2])
    assert Tensor(x).var().item() == 1.0


def test_the_gradient_of_broadcasting_is_summed_accurately():
    b = Tensor(np.zeros(2, "float32"), requires_grad=True)
    (b + np.zeros((200_000, 2), "float32")).backward(np.full((200_000, 2), 0.1, "float32"))
    assert np.allclose(b.grad.value, float(np.float32(0.1)) * 200_000, rtol=1e-6)


# -- complex, integers -----------------------------------------------------------------------------------


def test_complex_gradients_are_pytorch_s():
    """The gradient is conj(∂L/∂z) in the sense that z - η g descends: for L = Re(z²), 2 conj(z)."""
    z = Tensor(1 + 2j, requires_grad=True, dtype="complex128")
    y = z * z
    assert y.item() == -3 + 4j
    y.backward(Tensor(1 + 0j, dtype="complex128"))
    assert z.grad.item() == 2 - 4j
    for f, expected in ((lambda z: ag.exp(z), np.conj(np.exp(1 + 2j))), (lambda z: ag.sin(z), np.conj(np.cos(1 + 2j))),
                        (lambda z: 1 / z, np.conj(-1 / (1 + 2j) ** 2)), (lambda z: z ** 3, np.conj(3 * (1 + 2j) ** 2)),
                        (lambda z: ag.log(z), np.conj(1 / (1 + 2j)))):
        z = Tensor(1 + 2j, requires_grad=True, dtype="complex128")
        f(z).backward(Tensor(1 + 0j, dtype="complex128"))
        assert np.isclose(z.grad.item(), expected, rtol=1e-13)
    z = Tensor(3 + 4j, requires_grad=True, dtype="complex128")
    abs(z).backward()
    assert z.dtype == np.complex128 and abs(z).dtype == np.float64 and np.isclose(z.grad.item(), 0.6 + 0.8j)
    z = Tensor(0j, requires_grad=True, dtype="complex128")
    (z ** 2).backward(Tensor(1 + 0j, dtype="complex128"))
    assert z.grad.item() == 0


def test_the_modulus_has_a_second_derivative():
    """Along its direction it grows evenly, across it turns:  PyTorch's numbers."""
    z = Tensor(np.array([3 + 4j, 1 - 2j]), requires_grad=True)
    (g,) = ag.gradients([abs(z)], [z], [Tensor(np.ones(2))], create_graph=True)
    bent = abs(g * np.array([1 + 1j, 2 - 1j]) + np.array([0.3, 0.5j]))
    (h,) = ag.gradients([bent], [z], [Tensor(np.ones(2))])
    assert np.allclose(h.value, [0.04787802 - 0.03590851j, 0], rtol=1e-6, atol=1e-12)
    assert ag.gradgradcheck(abs, np.array([3 + 4j, -1 - 2j]))


@pytest.mark.parametrize("name", ["sigmoid", "silu", "logsigmoid", "softplus", "gelu", "elu", "relu", "leaky_relu",
                                  "erf",
                                  "erfc", "maximum", "minimum"])
def test_real_functions_of_complex_numbers(name):
    """Right, as in PyTorch for sigmoid and silu, or refused; never a number that means nothing."""
    z = np.array([1 + 2j, -1 + 0.5j, 0.3 - 3j])
    right = {"sigmoid": 1 / (1 + np.exp(-z)), "silu": z / (1 + np.exp(-z))}
    operands = (Tensor(z), Tensor(z)) if name.startswith(("max", "min")) else (Tensor(z),)
    try:
        y = getattr(ag, name)(*operands)
    except TypeError:
        return
    assert name in right and np.allclose(y.value, right[name], rtol=1e-12)


def test_the_slope_of_a_remainder_agrees_with_its_value():
    for x, y in ((6.0, 0.1), (-6.0, 0.1), (1.0, 0.1), (0.3, 0.1), (7.0, -2.5)):
        slope = ag.grad(lambda y, x=x: ag.remainder(x, y))(y)
        assert slope == -round((x - x % y) / y)
    h = ag.hessian(lambda v: ag.remainder(v[0], v[1]))(np.array([3.0, 2.0]))
    assert h.tolist() == [[0, 0], [0, 0]]


def test_integers_and_bools():
    assert abs(Tensor(np.int8(-128))).item() == -128 and Tensor(np.int8([100, 100])).sum().item() == 200
    assert (Tensor([1, 2]) / 0).tolist() == [inf, inf] and (Tensor([True]) + Tensor([True])).tolist() == [True]
    assert (Tensor([7, -7]) // 2).tolist() == [3, -4] and (Tensor([7, -7]) % 3).tolist() == [1, 2]
    assert (Tensor(2 ** 62) * 4).item() == 0 and (-Tensor(np.uint8(1))).item() == 255
    assert Tensor([True, True, False]).sum().item() == 2 and Tensor([2, 3]).prod().item() == 6
    assert Tensor([1.7, -1.7]).long().tolist() == [1, -1] and Tensor([0.5, 0.0]).bool().tolist() == [True, False]
