"""What a `where` did not select gets no gradient, whatever the slope there: PyTorch gives NaN."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def leaf(data):
    return Tensor(np.array(data, np.float64), requires_grad=True)


def gradient(f, x):
    f(x).sum().backward()
    return x.grad.tolist()


@pytest.mark.parametrize("f, at, wanted", [
    (lambda x: ag.where(x > 0, ag.sqrt(x), x), [-1.0, 0.0, 4.0], [1, 1, 0.25]),
    (lambda x: ag.where(x > 0, ag.log(x), 0.0), [-1.0, 0.0, 4.0], [0, 0, 0.25]),
    (lambda x: ag.where(x <= 0, x, 1 / x), [-1.0, 0.0, 4.0], [1, 1, -1 / 16]),
    (lambda x: ag.masked_fill(ag.sqrt(x), x == 0, 0.0), [0.0, 4.0], [0, 0.25]),
    (lambda x: ag.where(x > 0, ag.sqrt(x).reshape(3, 1).T[0] ** 1.5, x), [-1.0, 0.0, 1.0], [1, 1, 0.75]),
    (lambda x: ag.where(x > 0, ag.where(x < 2, ag.sqrt(x), x * x), x), [0.0, 1.0, 3.0], [1, 0.5, 6]),
    (lambda x: ag.where(x < 2, ag.sqrt(x)[::-1], 0.0), [4.0, 0.0], [0.25, 0]),
    (lambda x: ag.where(Tensor([[True, False], [False, False]]), ag.sqrt(x), 1.0), [1.0, 0.0], [0.5, 0]),
], ids=range(8))
def test_the_branch_not_taken_does_not_leak(f, at, wanted):
    assert gradient(f, leaf(at)) == pytest.approx(wanted, nan_ok=False)


def test_a_zero_that_was_computed_is_no_mask():
    assert np.isnan(gradient(lambda x: ag.sqrt(x) ** 2, leaf([0.0]))[0])
    assert np.isnan(gradient(lambda x: ag.where(x > -1, ag.sqrt(x) * 0.0, x), leaf([0.0]))[0])


def test_what_another_consumer_selects_flows():
    x = leaf([0.0, 4.0])
    r = ag.sqrt(x)
    (ag.where(x > 0, r, x).sum() + r.sum()).backward()
    assert x.grad.tolist() == [np.inf, 0.5]
    x = leaf([0.0, 4.0])
    r = ag.sqrt(x)
    (ag.where(x > 0, r, 0.0) + ag.where(x > 1, r, 0.0)).sum().backward()
    assert x.grad.tolist() == [0, 0.5]


def test_higher_derivatives():
    def f(x):
        return ag.where(x > 0, x ** 1.5, x * x)

    third = ag.grad(ag.grad(ag.grad(f)))
    assert third(4.0) == pytest.approx(-0.375 * 4 ** -1.5) and third(-1.0) == 0 and third(0.0) == 0
    x = leaf([-1.0, 0.0, 4.0])
    g, = ag.gradients(ag.where(x > 0, ag.sqrt(x), x * x).sum(), [x], create_graph=True)
    g.sum().backward()
    assert x.grad.tolist() == pytest.approx([2, 2, -0.25 * 4 ** -1.5])


def test_scalars_and_float32():
    x = Tensor(0.0, requires_grad=True)
    ag.where(x > 0, ag.sqrt(x), x).backward()
    assert x.grad.item() == 1 and x.grad.dtype == np.float32
