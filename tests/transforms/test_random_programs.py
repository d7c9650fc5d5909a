"""Every transform against the others, over random programs: one derivative, by many ways."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.transforms import checkpoint, jacfwd, jacrev, linearize, vhp, vmap

N = 3
A = np.array([[0.5, -0.3, 0.2], [0.1, 0.4, -0.6], [-0.2, 0.7, 0.3]])

# Steps take the values made so far, vectors of N elements, and make another one.  All are smooth everywhere.
UNARY = {
    "sin": ag.sin, "tanh": ag.tanh, "sigmoid": ag.sigmoid, "softmax": lambda v: ag.softmax(v, dim=0) * 2,
    "cumsum": lambda v: ag.cumsum(v, 0) * 0.5, "matmul": lambda v: ag.Tensor(A) @ v,
    "flip": lambda v: ag.flip(v, dims=0), "centre": lambda v: v - v.mean(),
    "square": lambda v: v * v * 0.3, "index": lambda v: v[[2, 0, 0]],
    "logsumexp": lambda v: v * 0.1 + ag.logsumexp(v, dim=0), "stack": lambda v: ag.stack([v, v * v]).sum(0) * 0.4,
    "einsum": lambda v: ag.einsum("ij,j->i", A, v), "softplus": ag.softplus, "norm": lambda v: v / (1 + (v * v).sum()),
    "roll": lambda v: ag.roll(v, 1, 0), "outer": lambda v: ag.outer(v, v)[1],
    "reshape": lambda v: v[:, None].reshape(N),
    "solve": lambda v: ag.linalg.solve(ag.Tensor(np.eye(N)) + 0.1 * ag.outer(v, v), v),
    "checkpoint": checkpoint(lambda v: ag.cos(v) * v), "layer": lambda v: ag.standardize(v, dim=0, eps=1.0),
    "inner": grad(lambda v: ag.cos(v).sum() + (v ** 3).sum() * 0.05),
    "pushed": lambda v: jvp(lambda u: ag.sin(u) * u.sum(), (v,), (v * 0.5,))[1],
    "lanes": lambda v: vmap(lambda s, v: ag.sin(s * v).mean(), in_axes=(0, None))(v, v),
}
BINARY = {
    "add": lambda u, v: u + v, "multiply": lambda u, v: u * v * 0.5, "subtract": lambda u, v: u - 2 * v,
    "divide": lambda u, v: u / (2 + v * v), "where": lambda u, v: ag.where(np.array([True, False, True]), u, v),
    "atan2": lambda u, v: ag.atan2(u, 3 + v * v), "cat": lambda u, v: ag.cat([u[:1], v[1:]]),
}
step = st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 9), st.integers(0, 9))
programs = st.lists(step, min_size=1, max_size=6)
points = st.lists(st.floats(-1.5, 1.5, width=32), min_size=N, max_size=N).map(np.array)


def built(program):
    """R^N -> R^N."""
    def f(x):
        made = [x]
        for name, i, j in program:
            u, v = made[i % len(made)], made[j % len(made)]
            made.append(UNARY[name](u) if name in UNARY else BINARY[name](u, v))
        return made[-1] + 0.1 * made[len(made) // 2]
    return f


def close(a, b, tolerance=1e-9):
    return np.allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, float(np.max(np.abs(b), initial=0))))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs, points, points, points)
def test_first_derivatives(program, x, u, v):
    f = built(program)
    y, pullback = vjp(f, x)
    _, along = jvp(f, (x,), (v,))
    assert np.isclose(u @ along, pullback(u) @ v, rtol=1e-9, atol=1e-9), "J and its transpose"
    J = jacobian(f)(x)
    assert close(J @ v, along) and close(u @ J, pullback(u)) and close(linearize(f, x)[1](v), along)
    assert close(jacrev(f)(x), J) and close(jacfwd(f)(x), J) and close(vmap(pullback)(np.eye(N)), J)
    assert close(jacfwd(f, chunk_size=2)(x), J) and close(checkpointed(f, x), J)
    h = 1e-6
    slope = (f(ag.Tensor(x + h * v)).value - f(ag.Tensor(x - h * v)).value) / (2 * h)
    assert close(along, slope, 1e-5) and close(f(ag.Tensor(x)).value, y)


def checkpointed(f, x):
    return jacobian(checkpoint(f))(x)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(programs, points, points)
def test_second_derivatives(program, x, v):
    f = lambda x: (built(program)(x) * np.array([1.0, -0.5, 2.0])).sum()
    H = hessian(f)(x)
    assert close(H, H.T, 1e-8), "second derivatives commute"
    g, hv = hvp(f, (x,), (v,))
    assert close(hv, H @ v) and close(vhp(f, (x,), (v,))[1], v @ H) and close(g, grad(f)(x))
    assert close(jacobian(grad(f))(x), H) and close(jacfwd(jacrev(f))(x), H) and close(jacrev(jacfwd(f))(x), H)
    assert close(jacfwd(jacfwd(f))(x), H, 1e-8) and close(hessian(checkpoint(f))(x), H)
    h = 1e-6
    assert close(hv, (grad(f)(x + h * v) - grad(f)(x - h * v)) / (2 * h), 1e-4)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(programs, st.lists(points, min_size=1, max_size=3).map(np.array))
def test_vmap_is_the_loop(program, xs):
    f = built(program)
    total = lambda x: (f(x) ** 2).sum()
    assert close(vmap(f)(xs), [f(ag.Tensor(x)).value for x in xs])
    value, g = vmap(value_and_grad(total))(xs)
    assert close(g, [grad(total)(x) for x in xs]) and close(value, [total(ag.Tensor(x)).value for x in xs])
    assert close(vmap(jacobian(f))(xs), [jacobian(f)(x) for x in xs])
    assert close(vmap(f, in_axes=1, out_axes=1)(xs.T), vmap(f)(xs).T)
    assert close(grad(lambda xs: vmap(total)(xs).sum())(xs), g)
    assert close(vmap(lambda x: jvp(f, (x,), (x,))[1])(xs), [jvp(f, (x,), (x,))[1] for x in xs])


@settings(max_examples=8, deadline=None, derandomize=True)
@given(programs, st.lists(points, min_size=2, max_size=2).map(np.array))
def test_vmap_of_the_hessian_and_third_derivatives(program, xs):
    f = lambda x: (built(program)(x) * np.array([1.0, -0.5, 2.0])).sum()
    H = np.array([hessian(f)(x) for x in xs])
    assert close(vmap(hessian(f))(xs), H) and close(vmap(jacfwd(jacrev(f)))(xs), H)
    x = xs[0]
    third = jacobian(hessian(f))(x)
    assert close(third, np.moveaxis(third, -1, 0), 1e-7), "third derivatives commute"
    assert close(third @ xs[1], jvp(hessian(f), (x,), (xs[1],))[1], 1e-8)
    assert close(grad(lambda x: (hessian(f)(x) * third[0]).sum())(x), np.einsum("ijk,ij->k", third, third[0]), 1e-7)
