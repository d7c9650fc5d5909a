"""Other batch sizes, over random programs: the graph computes what the function does, or says that it cannot."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import ShapeError, Tensor
from autograd.graph import trace

RNG = np.random.default_rng(5)
TABLE = Tensor(RNG.standard_normal((11, 4)))
# Each takes a result, the batch size and the batch itself (n, 3, 4); what does not fit is left out.
STEPS = [
    lambda y, n, x: y.reshape(n, -1), lambda y, n, x: y.reshape(-1), lambda y, n, x: y.reshape(-1, 2),
    lambda y, n, x: y.reshape(n * 3, -1), lambda y, n, x: y.reshape(n, 3, -1), lambda y, n, x: y.reshape(2, -1),
    lambda y, n, x: y.reshape(3, n, -1), lambda y, n, x: y.reshape(n, 2, -1), lambda y, n, x: y.reshape(-1, 3, 4),
    lambda y, n, x: y.unsqueeze(0), lambda y, n, x: y.unsqueeze(1), lambda y, n, x: y.squeeze(0),
    lambda y, n, x: y.squeeze(1), lambda y, n, x: y.transpose(0, 1), lambda y, n, x: y.transpose(-1, -2),
    lambda y, n, x: y.permute(*range(y.ndim)[::-1]), lambda y, n, x: y.flatten(), lambda y, n, x: y.flatten(1),
    lambda y, n, x: y.sum(dim=0), lambda y, n, x: y.mean(dim=-1), lambda y, n, x: y.sum(dim=1, keepdim=True),
    lambda y, n, x: y / n, lambda y, n, x: y * (1 / y.numel()), lambda y, n, x: y * (n - 1), lambda y, n, x: y * 2,
    lambda y, n, x: y.exp(), lambda y, n, x: y + x, lambda y, n, x: y - y.mean(), lambda y, n, x: y.std(dim=0),
    lambda y, n, x: y[0], lambda y, n, x: y[-1], lambda y, n, x: y[1:], lambda y, n, x: y[:-1], lambda y, n, x: y[:, 1],
    lambda y, n, x: x[:n // 2], lambda y, n, x: y[::2], lambda y, n, x: y[..., None], lambda y, n, x: y[2],
    lambda y, n, x: sum(y[k] for k in range(len(y))), lambda y, n, x: ag.cat([y, y]), lambda y, n, x: ag.stack([y, y]),
    lambda y, n, x: ag.cat([y, ag.ones(y.shape)], dim=-1), lambda y, n, x: y + ag.ones((n, 1, 1)),
    lambda y, n, x: y.expand(n, *y.shape), lambda y, n, x: ag.ones((1, 4)).expand(n, 4) + y,
    lambda y, n, x: ag.expand(TABLE[:1], (n, 4)), lambda y, n, x: y * ag.arange(n).reshape(n, 1, 1),
    lambda y, n, x: y @ TABLE.T, lambda y, n, x: y @ y.mT, lambda y, n, x: y.split(2)[0],
    lambda y, n, x: y.chunk(2)[-1],
    lambda y, n, x: y.softmax(dim=0), lambda y, n, x: y.cumsum(dim=0), lambda y, n, x: y.flip(0),
    lambda y, n, x: ag.pad(y, (1, 0)), lambda y, n, x: y.max() + y, lambda y, n, x: y.tile((2, 1, 1)),
    lambda y, n, x: y.roll(1, 0), lambda y, n, x: ag.einsum("i...,i...->...", y, y), lambda y, n, x: y.tril(),
]


def program(steps, x):
    """The function of those steps that fit, one after the other."""
    chosen, y = [], Tensor(x)
    for k in steps:
        try:
            z = STEPS[k](y, len(x), Tensor(x))
        except (ValueError, IndexError, TypeError):
            continue
        if 0 < z.numel() < 5000:
            chosen.append(STEPS[k])
            y = z

    def f(x):
        y = x
        for step in chosen:
            y = step(y, len(x), x)
        return y
    return f


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, len(STEPS) - 1), min_size=1, max_size=5), st.sampled_from([7, 5]),
       st.sampled_from([1, 2, 3, 4, 6, 10]))
def test_right_or_refused(steps, old, new):
    first, x = RNG.standard_normal((old, 3, 4)), RNG.standard_normal((new, 3, 4))
    f = program(steps, first)
    g = trace(f)(first)
    try:
        want = f(Tensor(x)).value
    except (ValueError, IndexError, TypeError, ZeroDivisionError):
        return                                      # the program does not allow this size
    try:
        got = g(x)
    except ShapeError:
        return                                      # it does, but that is not certain
    assert got.shape == want.shape and np.allclose(got, want, equal_nan=True)
