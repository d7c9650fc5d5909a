"""`why(tensor)` says why there is no gradient."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor, why


def leaf(data, name=None):
    return Tensor(np.array(data, np.float64), requires_grad=True, name=name)


def cases():
    x = leaf([1.0, 2.0], "w")
    y = x * 2
    loss = (y * y).sum()
    with ag.no_grad():
        inside = y + 1
    return {
        "not yet": (x, None, "'w', of shape (2,) and dtype float64, requires a gradient and has none yet"),
        "computed": (
            y,
            None,
            "was computed, by multiply, and gradients of computed tensors pass through and are not "
            "kept: call retain_grad()",
        ),
        "reached": (x, loss, "is reached from the loss: sum <- multiply <- multiply. It gets its gradient when"),
        "detached": (y.detach(), None, "it was cut off by detach() (or .data) at test_reasons.py:"),
        "data": (y.data, None, "it was cut off by detach() (or .data) at"),
        "no_grad": (
            inside,
            None,
            "inside no_grad() (or inference_mode, or set_grad_enabled(False)) that was entered at test_reasons.py:",
        ),
        "bool": (y > 1, None, "bool is not a floating-point type"),
        "integers": (ag.argmax(y), None, "int64 is not a floating-point type"),
        "data of its own": (Tensor([1.0]), None, "made from plain data, without requires_grad=True"),
        "not on the way": (
            leaf(1.0),
            loss,
            "the loss does not depend on it. Of its 4 steps and leaves none is this tensor; its leaves are 'w'",
        ),
        "a loss without history": (x, inside.sum(), "for the loss has no history itself"),
        "flat": (x, ag.floor(x).sum(), "On the way floor is constant between jumps, so the gradient will be 0"),
    }


@pytest.mark.parametrize("case", cases().values(), ids=cases())
def test_reasons(case):
    tensor, loss, expected = case
    assert expected in why(tensor, loss)


def test_after_backward():
    x = leaf([3.0, 4.0])
    y = x * 1
    loss = (y * y).sum() / 2
    loss.backward()
    assert "has a gradient of root mean square 3.54" in why(x) and "Its gradient has root mean square 3.54" in why(
        x, loss
    )
    assert "a backward() has passed already" in why(y, loss)
    x.zero_grad()
    assert "its gradient was cleared since" in why(x, loss)
    y.retain_grad()
    assert "retain_grad() was called for it, and no backward() has reached it since" in why(y)


def test_parameters_of_a_module_are_named_as_such():
    net = nn.Linear(2, 2)
    assert "The parameter of shape (2, 2) and dtype float32 requires a gradient and has none yet" in why(net.weight)
    frozen = net.weight.requires_grad_(False)
    assert "does not require one" in why(frozen)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="why: expected a Tensor; got float"):
        why(1.0)
    with pytest.raises(TypeError, match="why: expected the loss as a Tensor; got list"):
        why(leaf(1.0), [1])
