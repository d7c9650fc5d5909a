"""Sweeps know whether there is a hook anywhere: after the last has gone, they are as fast as before the first."""

import gc

import numpy as np

import nn
import optim
from autograd import Tensor
from autograd.node import HOOKED


def test_hooks_that_were_taken_away_are_forgotten():
    gc.collect()
    before = len(HOOKED)
    x = Tensor(np.ones(3), requires_grad=True)
    seen = []
    first, second = x.register_hook(seen.append), x.register_hook(seen.append)
    assert len(HOOKED) == before + 1
    (x * 2).sum().backward()
    first.remove()
    first.remove()
    (x * 2).sum().backward()
    assert len(seen) == 3 and len(HOOKED) == before + 1
    second.remove()
    assert len(HOOKED) == before
    with x.register_hook(seen.append):
        assert len(HOOKED) == before + 1
    x.register_post_accumulate_grad_hook(seen.append)
    assert len(HOOKED) == before


def test_hooks_of_what_is_gone_are_forgotten():
    gc.collect()
    before = len(HOOKED)
    x = Tensor(np.ones(3), requires_grad=True)
    handles = []
    for _ in range(5):
        y = x * 2
        handles.append(y.register_hook(lambda g: None))
        y.sum().backward()
    del y
    assert len(HOOKED) == before
    for handle in handles:
        handle.remove()
    z = x * 3
    z.register_hook(lambda g: g * 10)
    z.sum().backward()
    assert x.grad.tolist() == [40] * 3 and len(HOOKED) == before + 1


def test_training_leaves_none():
    gc.collect()
    before = len(HOOKED)
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(Tensor(np.ones((4, 3), "f"))).sum().backward()
        optimizer.step()
    assert len(HOOKED) == before
