"""Threads: eight of them training eight models give what one after another gives, to the bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

import autograd as ag
import nn
import optim
from autograd import Tensor


def model(seed):
    ag.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.LayerNorm(16), nn.Linear(16, 3))


def train(net, seed, start=None):
    """A few steps, with all that a thread may do meanwhile: no_grad, record, higher derivatives, changes in place."""
    rng = np.random.default_rng(seed)
    x, y = Tensor(rng.standard_normal((20, 6)).astype(np.float32)), Tensor(rng.integers(0, 3, 20))
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    if start is not None:
        start.wait()                           # all at once
    losses = []
    for step in range(12):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        if step % 3 == 0:
            with ag.no_grad():
                assert not net(x).requires_grad
        if step % 4 == 0:
            with ag.record():
                (net(x) ** 2).mean()
        if step % 5 == 0:
            weight = net[0].weight
            slope, = ag.gradients(loss, [weight], create_graph=True)
            loss = loss + (slope * slope).sum()
        hidden = loss * 1
        hidden += 0.5
        hidden.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [p.value.copy() for p in net.parameters()]


def test_eight_threads_give_what_one_gives():
    alone = [train(model(seed), seed) for seed in range(8)]
    nets, start = [model(seed) for seed in range(8)], Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: train(nets[seed], seed, start), range(8)))
    for (losses, weights), (others, those) in zip(alone, together, strict=True):
        assert losses == others and all(np.array_equal(a, b) for a, b in zip(weights, those, strict=True))
