"""Kinks, ties, poles and edges: the number and the subgradient expected, written in.

Where a convention decides, it is PyTorch's (2.13); where PyTorch is merely less accurate (the tails of gelu, norms that
overflow), it is the right number, from mpmath.  Warnings are errors here: infinities and NaN are values.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

inf, nan = math.inf, math.nan


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


def check(f, xs, value, grads, dtype=np.float64, rtol=1e-12):
    """Value, and gradient of the sum, of f at xs; both as one reads them, NaN equal to NaN."""
    ts = [leaf(x, dtype) for x in xs]
    y = f(*ts)
    assert y.dtype == np.dtype(dtype)
    assert np.allclose(y.value, value, rtol=rtol, atol=0, equal_nan=True), f"value {y.value}, expected {value}"
    y.sum().backward()
    for k, (t, g) in enumerate(zip(ts, grads, strict=True)):
        if g is not None:
            assert t.grad.shape == t.shape
            assert np.allclose(t.grad.value, g, rtol=rtol, atol=0, equal_nan=True), f"{k}: {t.grad.value}, expected {g}"
    if f.__module__.startswith("autograd"):     # a function of the library: the same of arrays
        raw = f(*[np.array(x, dtype)[()] for x in xs])
        assert not isinstance(raw, Tensor) and np.allclose(raw, value, rtol=rtol, atol=0, equal_nan=True)


def table(rows):
    return pytest.mark.parametrize("f, xs, value, grads", [pytest.param(*row[1:], id=row[0]) for row in rows])


# -- exponentials and logarithms -------------------------------------------------------------------------

lse = lambda x: ag.logsumexp(x, 0)
soft = lambda x: ag.softmax(x, 0)
logsoft = lambda x: ag.log_softmax(x, 0)


@table([
    ("logsumexp of large", lse, [[1000.0, 1000.0]], 1000.6931471805599, [[0.5, 0.5]]),
    ("logsumexp of small", lse, [[-1000.0, -1000.0]], -999.30685281944, [[0.5, 0.5]]),
    ("logsumexp with -inf", lse, [[-inf, 0.0]], 0.0, [[0.0, 1.0]]),
    ("logsumexp of -inf", lse, [[-inf, -inf]], -inf, [None]),
    ("logsumexp with inf", lse, [[inf, 0.0]], inf, [None]),
    ("logsumexp of none", lse, [[]], -inf, [[]]),
    ("logaddexp", ag.logaddexp, [1000.0, 1000.0], 1000.6931471805599, [0.5, 0.5]),
    ("logaddexp(-inf, 0)", ag.logaddexp, [-inf, 0.0], 0.0, [0.0, 1.0]),
    ("logaddexp(inf, 0)", ag.logaddexp, [inf, 0.0], inf, [1.0, 0.0]),
    ("logaddexp(-inf, -inf)", ag.logaddexp, [-inf, -inf], -inf, [None, None]),
    ("softmax of large", soft, [[1000.0, 0.0]], [1.0, 0.0], [[0.0, 0.0]]),
    ("softmax with -inf", soft, [[-inf, 0.0]], [0.0, 1.0], [[0.0, 0.0]]),
    ("softmax of -inf", soft, [[-inf, -inf]], [nan, nan], [[nan, nan]]),
    ("softmax of none", soft, [[]], [], [[]]),
    ("log_softmax", logsoft, [[0.0, -1000.0]], [0.0, -1000.0], [[-1.0, 1.0]]),
    ("log_softmax with -inf", logsoft, [[-inf, 0.0]], [-inf, 0.0], [[1.0, -1.0]]),
    ("log_softmax of -inf", logsoft, [[-inf, -inf]], [nan, nan], [[nan, nan]]),
    ("softplus", ag.softplus, [[-1000.0, 1000.0, 20.5, 0.0]], [0, 1000, 20.5, math.log(2)], [[0, 1, 1, 0.5]]),
    ("softplus(-40)", ag.softplus, [-40.0], 4.248354255291589e-18, [4.248354255291589e-18]),
    ("logsigmoid", ag.logsigmoid, [[-1000.0, 1000.0, 40.0]], [-1000, 0, -4.248354255291589e-18],
     [[1, 0, 4.248354255291589e-18]]),
    ("sigmoid", ag.sigmoid, [[-800.0, 800.0, 0.0]], [0.0, 1.0, 0.5], [[0, 0, 0.25]]),
    ("sigmoid(-40)", ag.sigmoid, [-40.0], 4.248354255291589e-18, [4.248354255291589e-18]),
    ("tanh", ag.tanh, [[400.0, -400.0, inf]], [1, -1, 1], [[0, 0, 0]]),
    ("silu", ag.silu, [[-1000.0, 1000.0, 0.0]], [0, 1000, 0], [[0, 1, 0.5]]),
    ("gelu(-10)", ag.gelu, [-10.0], -7.6198530241605261e-23, [-7.618400096464814e-22]),
    ("gelu", ag.gelu, [[0.0, 1000.0, -1000.0]], [0, 1000, 0], [[0.5, 1, 0]]),
    ("exp beyond its range", ag.exp, [[710.0, -746.0]], [inf, 0.0], [[inf, 0.0]]),
    ("exp into the denormals", ag.exp, [-745.0], 5e-324, [5e-324]),
    ("log at 0 and of a denormal", ag.log, [[0.0, 5e-324]], [-inf, -744.4400719213812], [[inf, inf]]),
    ("log1p", ag.log1p, [[1e-20, -1.0]], [1e-20, -inf], [[1.0, inf]]),
    ("expm1", ag.expm1, [[1e-20, -1000.0]], [1e-20, -1.0], [[1.0, 0.0]]),
    ("erf", ag.erf, [[0.0, 1.0, inf, -inf]], [0, 0.8427007929497149, 1, -1],
     [[1.1283791670955126, 0.4151074974205947, 0, 0]]),
    ("erfc in the tail", ag.erfc, [[10.0, 26.0, 30.0]], [2.08848758376254476e-45, 5.66319240885614285e-296, 0.0],
     [[-4.19765623135441689e-44, -2.94703499326626954e-294, 0.0]]),
])
def test_exponentials(f, xs, value, grads):
    check(f, xs, value, grads, rtol=1e-11)


def test_gradient_of_logsumexp_and_logaddexp_at_minus_infinity_is_not_nan_or_all_nan():
    x = leaf([-inf, -inf])
    ag.logsumexp(x, 0).backward()
    assert np.isfinite(x.grad.value).all() or np.isnan(x.grad.value).all()


def test_a_fully_masked_row_does_not_harm_the_others():
    x = leaf([[0.0, 1.0], [2.0, 3.0]])
    mask = np.array([[False, True], [True, True]])
    p = x.masked_fill(mask, -inf).softmax(1)
    assert p.value[0].tolist() == [1.0, 0.0] and np.isnan(p.value[1]).all()
    p[0, 0].backward()
    assert x.grad.value[0].tolist() == [0.0, 0.0] and np.all((x.grad.value[1] == 0) | np.isnan(x.grad.value[1]))


# -- roots, norms, powers, angles ------------------------------------------------------------------------

power = lambda x, y: x ** y
norm = lambda x: ag.norm(x)


@table([
    ("sqrt(0)", ag.sqrt, [0.0], 0.0, [inf]), ("sqrt(-1)", ag.sqrt, [-1.0], nan, [nan]),
    ("rsqrt(0)", ag.rsqrt, [0.0], inf, [-inf]), ("reciprocal(0)", ag.reciprocal, [0.0], inf, [-inf]),
    ("sqrt(x·x) at 0", lambda x: (x * x).sqrt(), [0.0], 0.0, [nan]),
    ("norm(0, 0)", norm, [[0.0, 0.0]], 0.0, [[0.0, 0.0]]),
    ("norm of large", norm, [[1e200, 1e200]], 1.414213562373095e200, [[0.7071067811865475] * 2]),
    ("norm of small", norm, [[3e-200, 4e-200]], 5e-200, [[0.6, 0.8]]),
    ("norm of none", norm, [[]], 0.0, [[]]),
    ("x ** (1/3) at -8", lambda x: x ** (1 / 3), [-8.0], nan, [nan]),
    ("0 ** 2", power, [0.0, 2.0], 0.0, [0.0, 0.0]), ("0 ** 1", power, [0.0, 1.0], 0.0, [1.0, 0.0]),
    ("0 ** 0.5", power, [0.0, 0.5], 0.0, [inf, 0.0]), ("0 ** 0", power, [0.0, 0.0], 1.0, [0.0, 0.0]),
    ("0 ** -1", power, [0.0, -1.0], inf, [-inf, -inf]), ("(-2) ** 3", power, [-2.0, 3.0], -8.0, [12.0, nan]),
    ("x ** 0 at 0", lambda x: x ** 0, [0.0], 1.0, [0.0]), ("x ** 1 at 0", lambda x: x ** 1, [0.0], 0.0, [1.0]),
    ("x ** 2 at 0", lambda x: x ** 2, [0.0], 0.0, [0.0]), ("x ** -0.5 at 0", lambda x: x ** -0.5, [0.0], inf, [-inf]),
    ("x ** 0.5 at 0", lambda x: x ** 0.5, [0.0], 0.0, [inf]),
    ("0 ** x", lambda x: 0 ** x, [[0.0, 1.0]], [1, 0], [[0, 0]]),
    ("2 ** x", lambda x: 2 ** x, [[0.0, -1.0]], [1, 0.5], [[math.log(2), math.log(2) / 2]]),
    ("atan2(0, 0)", ag.atan2, [0.0, 0.0], 0.0, [0.0, 0.0]),
    ("atan2(-0, -1)", ag.atan2, [-0.0, -1.0], -math.pi, [-1.0, 0.0]),
    ("atan2 of large", ag.atan2, [1e200, 1e200], math.pi / 4, [None, None]),
    ("acos(±1)", ag.acos, [[1.0, -1.0]], [0, math.pi], [[-inf, -inf]]),
    ("asin(±1)", ag.asin, [[1.0, -1.0]], [math.pi / 2, -math.pi / 2], [[inf, inf]]),
    ("acosh(1)", ag.acosh, [1.0], 0.0, [inf]), ("atanh(1)", ag.atanh, [1.0], inf, [inf]),
    ("asinh of large", ag.asinh, [[-1e10, 1e200]], [-23.718998110500402, 461.2101657793691], [None]),
    ("sin of large", ag.sin, [1e22], -0.8522008497671888, [0.5232147853951389]),
    ("1 / -0", lambda x: 1 / x, [-0.0], -inf, [-inf]), ("0 / 0", lambda x, y: x / y, [0.0, 0.0], nan, [inf, nan]),
])
def test_roots_powers_angles(f, xs, value, grads):
    check(f, xs, value, grads)


def test_angle_near_the_origin_is_never_nan():
    y, x = leaf(1e-200), leaf(1e-200)
    ag.atan2(y, x).backward()
    assert not math.isnan(y.grad.item()) and not math.isnan(x.grad.item())


# -- kinks, ties, rounding -------------------------------------------------------------------------------

first = lambda x: ag.max(x, 0).values
ramp = [0.0, 0.5, 1.0, -0.5, 1.5]


@table([
    ("abs(0)", abs, [[0.0, -0.0, -2.0]], [0, 0, 2], [[0, 0, -1]]),
    ("relu", ag.relu, [[0.0, -0.0, 1.0, -1.0]], [0, 0, 1, 0], [[0, 0, 1, 0]]),
    ("leaky_relu(0)", ag.leaky_relu, [[0.0, 1.0, -1.0]], [0, 1, -0.01], [[0.01, 1, 0.01]]),
    ("elu(0)", ag.elu, [[0.0, 2.0, -1000.0]], [0, 2, -1], [[1, 1, 0]]),
    ("clamp on its bounds", lambda x: x.clamp(0, 1), [ramp], [0, 0.5, 1, 0, 1], [[1, 1, 1, 0, 0]]),
    ("clamp below", lambda x: x.clamp(min=0), [[0.0, -1.0, 5.0]], [0, 0, 5], [[1, 0, 1]]),
    ("clamp above", lambda x: x.clamp(max=1), [[1.0, 2.0, -5.0]], [1, 1, -5], [[1, 0, 1]]),
    ("clamp, bounds crossed", lambda x: x.clamp(2, 1), [[0.0, 1.5, 3.0]], [1, 1, 1], [[0, 0, 0]]),
    ("clamp by tensors", lambda x, lo: x.clamp(lo), [[1.0, 3.0], [2.0, 2.0]], [2, 3], [[0, 1], [1, 0]]),
    ("maximum at a tie", ag.maximum, [1.0, 1.0], 1.0, [0.5, 0.5]),
    ("minimum at a tie", ag.minimum, [1.0, 1.0], 1.0, [0.5, 0.5]),
    ("maximum of infinities", ag.maximum, [inf, inf], inf, [0.5, 0.5]),
    ("maximum of -infinities", ag.maximum, [-inf, -inf], -inf, [0.5, 0.5]),
    ("minimum of infinities", ag.minimum, [inf, inf], inf, [0.5, 0.5]),
    ("max at a tie", lambda x: x.max(), [[1.0, 1.0, 0.0]], 1.0, [[0.5, 0.5, 0]]),
    ("min at a tie", lambda x: x.min(), [[1.0, 0.0, 0.0]], 0.0, [[0, 0.5, 0.5]]),
    ("max along dim at a tie", first, [[1.0, 1.0, 0.0]], 1.0, [[1, 0, 0]]),
    ("min along dim at a tie", lambda x: x.min(0).values, [[0.0, 1.0, 0.0]], 0.0, [[1, 0, 0]]),
    ("amax at a tie", lambda x: ag.amax(x, 0), [[1.0, 1.0, 0.0]], 1.0, [[0.5, 0.5, 0]]),
    ("amin of infinities", lambda x: ag.amin(x, 0), [[-inf, -inf, 0.0]], -inf, [[0.5, 0.5, 0]]),
    ("sort at a tie", lambda x: ag.sort(x).values[0] * 3, [[1.0, 0.0, 0.0]], 0.0, [[0, 3, 0]]),
    ("topk at a tie", lambda x: ag.topk(x, 1).values, [[1.0, 2.0, 2.0]], [2.0], [[0, 1, 0]]),
    ("sign", ag.sign, [[0.0, -2.0, 2.0]], [0, -1, 1], [[0, 0, 0]]),
    ("floor", ag.floor, [[1.0, -0.5]], [1, -1], [[0, 0]]), ("ceil", ag.ceil, [[1.0, 0.5]], [1, 1], [[0, 0]]),
    ("trunc", ag.trunc, [[-1.5, 1.5]], [-1, 1], [[0, 0]]),
    ("round, halves to even", ag.round, [[0.5, 1.5, 2.5, -0.5]], [0, 2, 2, 0], [[0, 0, 0, 0]]),
    ("remainder", lambda x, y: x % y, [[-3.0, 3.0], [2.0, -2.0]], [1, -1], [[1, 1], [2, 2]]),
    ("remainder by inf", lambda x, y: x % y, [3.0, inf], 3.0, [1.0, 0.0]),
])
def test_kinks_and_ties(f, xs, value, grads):
    check(f, xs, value, grads)


@table([
    ("relu(NaN)", ag.relu, [nan], nan, [None]), ("maximum(1, NaN)", ag.maximum, [1.0, nan], nan, [1.0, 1.0]),
    ("minimum(NaN, 1)", ag.minimum, [nan, 1.0], nan, [1.0, 1.0]),
    ("clamp(NaN)", lambda x: x.clip(0, 1), [nan], nan, [0.0]),
    ("min along dim", lambda x: ag.min(x, 0).values, [[1.0, nan, 0.0]], nan, [[0, 1, 0]]),
    ("max", lambda x: ag.max(x), [[1.0, nan, 0.0]], nan, [[0, 1, 0]]),
    ("sort", lambda x: ag.sort(x).values, [[2.0, nan, 1.0]], [1, 2, nan], [[1, 1, 1]]),
    ("sort, descending", lambda x: ag.sort(x, descending=True).values, [[2.0, nan, 1.0]], [nan, 2, 1], [[1, 1, 1]]),
    ("x · 0 at inf", lambda x: x * 0, [inf], nan, [0.0]), ("sigmoid(NaN)", ag.sigmoid, [nan], nan, [nan]),
])
def test_nan(f, xs, value, grads):
    check(f, xs, value, grads)


def test_positions_of_nan():
    x = Tensor([2.0, nan, 1.0])
    assert x.argmax().item() == 1 and x.argmin().item() == 1 and ag.argsort(x).tolist() == [2, 0, 1]
    assert ag.sort(x).indices.tolist() == [2, 0, 1] and ag.max(x, 0).indices.item() == 1


# -- where and masks -------------------------------------------------------------------------------------


def test_where():
    check(lambda x: ag.where(x > 0, ag.sqrt(x), 0.0), [-1.0], 0.0, [nan])            # the branch not taken leaks
    safe = lambda x: ag.where(x == 0, 1.0, ag.sin(x) / ag.where(x == 0, 1.0, x))
    check(safe, [0.0], 1.0, [0.0])                                                   # and the cure
    check(lambda x, y: ag.where(x > y, x, y), [[1.0, 2.0], [1.0, 0.0]], [1, 2], [[0, 1], [1, 0]])
    check(lambda x: x.masked_fill(x < 0, 7.0), [[-1.0, 1.0]], [7, 1], [[0, 1]])


# -- sums, products, statistics --------------------------------------------------------------------------


@table([
    ("prod with a zero", lambda x: x.prod(), [[2.0, 0.0, 3.0]], 0.0, [[0, 6, 0]]),
    ("prod with two zeros", lambda x: x.prod(), [[0.0, 0.0, 3.0]], 0.0, [[0, 0, 0]]),
    ("prod along dim", lambda x: x.prod(1), [[[2.0, 0.0], [3.0, 4.0]]], [0, 12], [[[0, 2], [4, 3]]]),
    ("prod of none", lambda x: x.prod(), [[]], 1.0, [[]]), ("sum of none", lambda x: x.sum(), [[]], 0.0, [[]]),
    ("mean of none", lambda x: x.mean(), [[]], nan, [[]]),
    ("std of one", lambda x: x.std(), [[3.0]], nan, [[nan]]), ("var of one", lambda x: x.var(), [[3.0]], nan, [[nan]]),
    ("std of equals", lambda x: x.std(), [[3.0, 3.0]], 0.0, [[0, 0]]),
    ("var of equals", lambda x: x.var(), [[3.0, 3.0]], 0.0, [[0, 0]]),
    ("var far from 0", lambda x: x.var(), [[1e8, 1e8 + 1, 1e8 + 2]], 1.0, [[-1, 0, 1]]),
    ("cumsum", lambda x: x.cumsum(0), [[1.0, 2.0, 3.0]], [1, 3, 6], [[3, 2, 1]]),
    ("sum of infinities", lambda x: x.sum(), [[inf, -inf]], nan, [[1, 1]]),
    ("mean of infinities", lambda x: x.mean(), [[inf, 1.0]], inf, [[0.5, 0.5]]),
    ("0 · inf", lambda x, y: x * y, [0.0, inf], nan, [inf, 0.0]),
    ("inf - inf", lambda x, y: x - y, [inf, inf], nan, [1.0, -1.0]),
    ("overflow", lambda x: x * x, [[1e200, -1e200]], [inf, inf], [[2e200, -2e200]]),
    ("dot of infinities", lambda x, y: x @ y, [[inf, 1.0], [0.0, 1.0]], nan, [[0, 1], [inf, 1]]),
])
def test_sums_and_products(f, xs, value, grads):
    check(f, xs, value, grads)


@pytest.mark.parametrize("f, x", [(norm, [0.0, 0.0]), (lambda x: x.std(), [3.0, 3.0]), (lambda x: x.prod(), [0.0, 2.0]),
                                  (lambda x: x.amax(), [1.0, 1.0]), (lambda x: abs(x).sum(), [0.0, 1.0]),
                                  (lambda x: x.relu().sum(), [0.0, 1.0]), (lambda x: (x ** 2).sum(), [0.0, 1.0]),
                                  (lambda x: ag.softplus(x).sum(), [-1000.0, 1000.0]),
                                  (lambda x: x.max(0)[0], [1.0, 1.0]),
                                  (lambda x: ag.logsumexp(x, 0), [-inf, 0.0]),
                                  (lambda x: ag.gelu(x).sum(), [-1000.0, 0.0])])
def test_forward_mode_keeps_the_conventions(f, x):
    x = np.array(x)
    reverse = ag.grad(f)(x)
    forward = [ag.jvp(f, (x,), (unit,))[1] for unit in np.eye(2)]
    assert np.isfinite(reverse).all() and np.allclose(forward, reverse, rtol=1e-12, atol=0)


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


# -- complex ---------------------------------------------------------------------------------------------


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
