"""Optimizers around others: accumulation, bad batches, sharpness, lookahead."""

import copy

import numpy as np
import pytest

import optim
from autograd import Tensor


def leaf(*values):
    return Tensor(np.array(values), requires_grad=True)


def test_accumulated_batches_step_as_one_large_batch_does():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=12)
    whole, parts = leaf(0.1, 0.2, 0.3), leaf(0.1, 0.2, 0.3)
    large, small = optim.Adam([whole], lr=0.1), optim.Accumulate(optim.Adam([parts], lr=0.1), every=4)
    schedule = optim.StepLR(small, 1, 0.5)
    for _ in range(3):
        large.zero_grad()
        ((Tensor(x) @ whole - Tensor(y)) ** 2).mean().backward()
        large.step()
        for k in range(4):
            small.zero_grad()                              # the loop as it always is
            ((Tensor(x[3 * k:3 * k + 3]) @ parts - Tensor(y[3 * k:3 * k + 3])) ** 2).mean().backward()
            before = parts.value
            small.step()
            assert small.stepping == (k == 3) == (parts.value is not before)
        np.testing.assert_allclose(parts.value, whole.value, rtol=1e-12)
    schedule.step()
    assert small.optimizer.param_groups[0]["lr"] == 0.05


def test_what_waits_can_be_flushed_and_is_remembered():
    p = leaf(1.0)
    optimizer = optim.Accumulate(optim.SGD([p], lr=1.0), every=4)
    optimizer.flush()                                      # nothing waits
    for g in (0.2, 0.4):
        optimizer.zero_grad()
        (p * g).sum().backward()
        optimizer.step()
    assert p.tolist() == [1.0]
    other = optim.Accumulate(optim.SGD([leaf(1.0)], lr=1.0), every=4)
    other.load_state_dict(optimizer.state_dict())
    assert other.waiting == 2
    optimizer.flush()
    np.testing.assert_allclose(p.value, [0.7])
    assert p.grad is None and optimizer.waiting == 0
    summed = optim.Accumulate(optim.SGD([p], lr=1.0), every=2, mean=False)
    for _ in range(2):
        (p * 0.1).sum().backward()
        summed.step()
    np.testing.assert_allclose(p.value, [0.5])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_step_with_a_bad_gradient_is_skipped_and_leaves_no_trace(bad):
    p, q = leaf(1.0), leaf(2.0, 3.0)
    optimizer = optim.SkipNonFinite(optim.Adam([("p", p), ("q", q)], lr=0.1), limit=2)
    for g in (1.0, bad, 1.0, bad):
        p.grad, q.grad = Tensor(np.ones(1)), Tensor(np.array([1.0, g]))
        before, state = (p.value, q.value), copy.deepcopy(optimizer.state_dict()["state"])
        optimizer.step()
        if g is bad:
            assert p.value is before[0] and q.value is before[1]
            assert repr(optimizer.state_dict()["state"]) == repr(state)
    assert (optimizer.skipped, optimizer.in_a_row) == (2, 1)
    with pytest.raises(FloatingPointError) as error:
        optimizer.step()
    assert str(error.value) == ("2 steps in a row had gradients that are not finite, the first in 'q': lower lr, clip "
                                "gradients, or see autograd.detect_anomaly()")
    other = optim.SkipNonFinite(optim.Adam([leaf(1.0), leaf(2.0, 3.0)]))
    other.load_state_dict(optimizer.state_dict())
    assert (other.skipped, other.in_a_row) == (3, 2)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_takes_the_gradient_uphill(adaptive):
    a, lr, rho = np.array([1.0, 5.0]), 0.1, 0.2
    p = leaf(2.0, -1.0)
    optimizer = optim.SAM(optim.SGD([p], lr=lr), rho=rho, adaptive=adaptive)
    x = p.value.copy()

    def closure():
        optimizer.zero_grad()
        loss = (Tensor(a) * p * p).sum() / 2
        loss.backward()
        return loss

    for _ in range(5):
        g = a * x
        if adaptive:
            uphill = rho * x * x * g / (np.linalg.norm(np.abs(x) * g) + 1e-12)
        else:
            uphill = rho * g / (np.linalg.norm(g) + 1e-12)
        wanted = (a * x * x).sum() / 2
        x = x - lr * a * (x + uphill)
        assert optimizer.step(closure).item() == pytest.approx(wanted)
        np.testing.assert_allclose(p.value, x, rtol=1e-12)
    with pytest.raises(TypeError) as error:
        optimizer.step()
    assert str(error.value).startswith("SAM takes the gradient at two places: call step(closure)")


def test_sam_puts_parameters_back_if_the_closure_fails():
    p = leaf(1.0, 2.0)
    optimizer, calls = optim.SAM(optim.SGD([p])), []

    def closure():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("no data")
        p.grad = Tensor(np.ones(2))
        return 0.0
    before = p.value
    with pytest.raises(RuntimeError, match="no data"):
        optimizer.step(closure)
    assert p.value is before


def test_lookahead_goes_k_forward_and_one_back():
    p = leaf(1.0)
    optimizer = optim.Lookahead(optim.SGD([p], lr=0.1), k=3, alpha=0.4)
    slow = fast = 1.0
    saved = None
    for t in range(1, 10):
        p.grad = Tensor(p.value.copy())
        optimizer.step()
        fast = 0.9 * fast
        if t % 3 == 0:
            slow = fast = slow + 0.4 * (fast - slow)
        np.testing.assert_allclose(p.value, [fast], rtol=1e-12)
        if t == 4:
            saved, value = optimizer.state_dict(), p.value
    q = Tensor(value, requires_grad=True)
    successor = optim.Lookahead(optim.SGD([q], lr=0.5), k=3, alpha=0.4)
    successor.load_state_dict(saved)
    for _ in range(5):
        q.grad = Tensor(q.value.copy())
        successor.step()
    np.testing.assert_array_equal(q.value, p.value)
    twin = copy.deepcopy(optimizer)
    twin.step()
    with pytest.raises(ValueError, match="slow weights of the state dict do not have the parameters' shapes"):
        successor.load_own_state({"count": 1, "slow": [Tensor([1.0, 2.0])]})


def test_all_else_is_the_other_optimizers():
    p, q = leaf(1.0), leaf(2.0)
    inner = optim.Adam([p], lr=0.1)
    for kind, settings in ((optim.Accumulate, {"every": 2}), (optim.SkipNonFinite, {}), (optim.SAM, {}),
                           (optim.Lookahead, {})):
        outer = kind(inner, **settings)
        assert outer.param_groups is inner.param_groups and outer.state is inner.state
        assert outer.defaults is inner.defaults
        assert repr(outer).startswith(f"{kind.__name__} around Adam (")
        outer.load_state_dict(inner.state_dict())          # that of the other alone will do
    outer.add_param_group({"params": [q]})
    assert inner.param_groups[1]["params"] == [q]
    q.grad = Tensor(np.ones(1))
    outer.zero_grad()
    assert q.grad is None
    with pytest.raises(TypeError) as error:
        optim.Lookahead([p])
    assert str(error.value) == "Lookahead goes around an Optimizer; got a list"
    with pytest.raises(ValueError) as error:
        optim.Lookahead(inner, alpha=2)
    assert str(error.value) == "alpha must be in [0, 1]; got 2"
