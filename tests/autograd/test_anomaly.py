"""`detect_anomaly`: the first value that is not finite, its step, line, element, operands and way to the loss."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import AnomalyError, Tensor, detect_anomaly, set_detect_anomaly


def leaf(data):
    return Tensor(np.array(data, np.float64), requires_grad=True)


def test_the_forward_pass():
    x = leaf([[1.0, 2.0], [0.0, 4.0]])
    with detect_anomaly(), pytest.raises(AnomalyError) as found:
        ag.log(x)
    error = found.value
    assert (error.op, error.index, error.value) == ("log", (1, 0), -np.inf)
    assert error.line.startswith("test_anomaly.py:")
    assert str(error) == ("the first value of the forward pass that is not finite: log gave -inf at index (1, 0)\n"
                          f"  log at {error.line}\n  x[1, 0] = 0.0")


def test_the_backward_pass():
    x = leaf([4.0, 0.0])
    with detect_anomaly():
        loss = (ag.sqrt(x) * 2).mean()
        with pytest.raises(AnomalyError) as found:
            loss.backward()
    error = found.value
    assert (error.op, error.index, error.value) == ("sqrt", (1,), np.inf)
    assert "the derivative of sqrt with respect to x gave inf at index (1,)" in str(error)
    assert "x[1] = 0.0" in str(error) and "the gradient from above[1] = 1.0" in str(error)
    assert [step.split()[0] for step in error.path] == ["sqrt", "multiply", "mean"]
    assert x.grad is None


def test_the_module_is_named():
    class Blowing(nn.Module):
        def forward(self, x):
            return ag.exp(x * 1000)

    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(Blowing(), nn.ReLU()))
    nn.init.constant_(net[0].weight, 1.0)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"in module sequential\.1\.0") as found:
        net(Tensor(np.full((1, 2), 100.0, np.float32)))
    assert found.value.module == "sequential.1.0" and found.value.op == "exp"


def test_what_is_infinite_on_purpose_is_no_anomaly():
    scores = leaf(np.ones((2, 3)))
    hidden = Tensor([[True, False, False], [False, True, False]])
    with detect_anomaly():
        weights = ag.softmax(ag.masked_fill(scores, hidden, -np.inf), dim=1)
        (weights * weights).sum().backward()
    assert np.isfinite(scores.grad.value).all()
    with detect_anomaly():
        top = leaf([np.inf, 1.0]) * 1
        with pytest.raises(AnomalyError, match=r"subtract gave nan at index \(0,\)"):
            top - top


def test_steps_that_have_no_elementwise_operands_show_their_range():
    x = Tensor(np.full((2, 3), 1e30, np.float32), requires_grad=True)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"x: \(2, 3\) float32, from 1e\+30 to 1e\+30"):
        x @ x.T


def test_on_and_off():
    x = leaf([0.0])
    assert np.isinf(ag.log(x).item())
    set_detect_anomaly(True)
    try:
        with pytest.raises(AnomalyError):
            ag.log(x)
    finally:
        set_detect_anomaly(False)
    assert np.isinf(ag.log(x).item())
    with set_detect_anomaly(True), pytest.raises(AnomalyError):
        ag.log(x)
    assert np.isinf(ag.log(x).item())
    with detect_anomaly(check_nan=False):
        ag.log(x).sum().backward()

    @detect_anomaly()
    def f(x):
        return 1 / x
    with pytest.raises(AnomalyError, match="divide gave inf"):
        f(leaf(0.0))


def test_long_paths_are_shortened():
    x = leaf(0.0)
    with detect_anomaly():
        y = ag.sqrt(x)
        for _ in range(50):
            y = y + 1
        with pytest.raises(AnomalyError, match=r"\(43 more\)"):
            y.backward()
