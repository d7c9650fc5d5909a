"""Random programs: reverse mode, forward mode, second derivatives and central differences say the same thing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Tensor

UNARY = [
    lambda x: x.tanh(), lambda x: x.sin() * 2, lambda x: (x * x + 0.5).sqrt(), lambda x: (x * 0.3).exp(),
    lambda x: x.sigmoid(),
    lambda x: 1 / (x * x + 1), lambda x: ag.gelu(x), lambda x: ag.softplus(x), lambda x: x ** 3 * 0.1, lambda x: -x,
    lambda x: x.erf(),
    lambda x: (x * x + 1).log(), lambda x: x.clone(), lambda x: 2 - x, lambda x: x.atan() + 1,
    lambda x: (x * x + 0.3) ** 0.7,
]
BINARY = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (y * y + 1), lambda x,
    y: ag.logaddexp(x, y),
    lambda x, y: ag.atan2(x, y * y + 1), lambda x, y: (x * x + 0.5) ** y.tanh(), lambda x, y: ag.lerp(x, y, 0.3),
]
SHAPE = [
    lambda x: x.reshape(-1), lambda x: x.T, lambda x: x.unsqueeze(0), lambda x: x.sum(0),
    lambda x: x.mean(-1, keepdim=True),
    lambda x: x.softmax(-1), lambda x: x.log_softmax(0), lambda x: x.logsumexp(0, keepdim=True),
    lambda x: x.cumsum(0), lambda x: x.flip(0),
    lambda x: x[::-1] if x.ndim else x, lambda x: x[[0, -1, 0]] if x.ndim else x[None], lambda x: ag.stack([x, x * 2]),
    lambda x: ag.cat([x, x], -1) if x.ndim else x, lambda x: x.expand(2, *x.shape), lambda x: x.var(correction=0),
    lambda x: x.prod(),
    lambda x: ag.pad(x, (1, 0)) if x.ndim else x, lambda x: x.tile(2), lambda x: x @ x.mT if x.ndim > 1 else x * 1.0,
    lambda x: ag.einsum("...i,...i->...", x, x) if x.ndim else x, lambda x: x.norm() + x,
    lambda x: (x - x.mean()) / (x.var(correction=0) + 1).sqrt(),
]
step = st.one_of(st.tuples(st.just(1), st.integers(0, len(UNARY) - 1), st.integers(0, 9), st.just(0)),
                 st.tuples(st.just(2), st.integers(0, len(BINARY) - 1), st.integers(0, 9), st.integers(0, 9)),
                 st.tuples(st.just(3), st.integers(0, len(SHAPE) - 1), st.integers(0, 9), st.just(0)))
shapes = st.sampled_from([(), (1,), (3,), (2, 3), (1, 3), (2, 1), (2, 2, 3)])


def run(program, xs):
    """The sum of all that the program computes, so that every step takes part."""
    pool = list(xs)
    for kind, which, i, j in program:
        x, y = pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]
        if kind == 1:
            new = UNARY[which](x)
        elif kind == 2:
            try:
                np.broadcast_shapes(x.shape, y.shape)
            except ValueError:
                continue
            new = BINARY[which](x, y)
        else:
            new = SHAPE[which](x)
        if new.numel() <= 64:
            pool.append(new)
    total = sum((t * t * 0.1 + t).sum() for t in pool[len(xs):])
    return (total + (pool[0] * 0.5).sum()).tanh() if isinstance(total, Tensor) else (pool[0] * 0.5).sum()


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(st.lists(step, min_size=1, max_size=7), st.lists(shapes, min_size=1, max_size=2), st.integers(0, 99))
def test_every_way_to_a_derivative_agrees(program, given_shapes, seed):
    rng = np.random.default_rng(seed)
    xs = [np.asarray(rng.uniform(-1, 1, s)) for s in given_shapes]
    vs = [np.asarray(rng.standard_normal(s)) for s in given_shapes]
    kept = [x.copy() for x in xs]
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    loss = run(program, leaves)
    loss.backward(retain_graph=True)
    grads = [np.zeros(x.shape) if t.grad is None else t.grad.value for t, x in zip(leaves, xs, strict=True)]
    assert all(g.shape == x.shape and g.dtype == np.float64 for g, x in zip(grads, xs, strict=True))
    slope = sum((g * v).sum() for g, v in zip(grads, vs, strict=True))

    f = lambda *a: run(program, a)
    value, along = ag.jvp(f, xs, vs)
    assert np.isclose(value, loss.item(), rtol=1e-12) and np.isclose(along, slope, rtol=1e-9, atol=1e-10)
    with ag.record():
        assert run(program, leaves).item() == loss.item()
    moved = [f(*[Tensor(x + h * v) for x, v in zip(xs, vs, strict=True)]).item() for h in (1e-5, -1e-5)]
    assert np.isclose((moved[0] - moved[1]) / 2e-5, slope, rtol=1e-4, atol=1e-5)

    recorded = ag.gradients(loss, leaves, create_graph=True, allow_unused=True)
    first = sum((g * v).sum() for g, v in zip(recorded, vs, strict=True) if g is not None)
    assert np.isclose(first.item(), slope, rtol=1e-9, atol=1e-10)
    if first.requires_grad:
        second = ag.gradients(first, leaves, allow_unused=True)
        curvature = sum((h.value * v).sum() for h, v in zip(second, vs, strict=True) if h is not None)
        forward = ag.jvp(lambda *a: ag.jvp(f, a, vs)[1], xs, vs)[1]
        assert np.isclose(curvature, forward, rtol=1e-7, atol=1e-8)
    assert all(np.array_equal(x, k) for x, k in zip(xs, kept, strict=True)), "inputs are never written into"
