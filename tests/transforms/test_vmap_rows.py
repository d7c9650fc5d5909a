"""Every op under `vmap`, from its own row: the same as the loop over the lanes, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.transforms import batching, vmap
from autograd.transforms.batching import lanes
from autograd.transforms.calls import pulled
from autograd.transforms.forward import push_arrays
from autograd.transforms.levels import lower
from tests.transforms.op_rows import B, batch_of, called, rows


def patterns(n):
    """All inputs with lanes; and each alone, the others shared."""
    return [(0,) * n] + ([tuple(0 if j == k else None for j in range(n)) for k in range(n)] if n > 1 else [])


def lane(x, axis, k):
    return x[k] if axis == 0 else x[0]


@pytest.fixture
def tries(monkeypatch):
    """What was run on one example after the other after all: a rule that raises would hide there."""
    found, again = [], batching._one_by_one
    monkeypatch.setattr(batching, "_one_by_one", lambda *args: found.append(args) or again(*args))
    return found


@pytest.mark.parametrize("op, shapes, attrs", rows(True) + rows(False))
def test_values_are_those_of_the_loop(op, shapes, attrs, tries):
    rng = np.random.default_rng(0)
    batches = [batch_of(op, shape, rng, k) for k, shape in enumerate(shapes)]
    for axes in patterns(len(shapes)):
        xs = [x if axis == 0 else np.asarray(x[0]) for x, axis in zip(batches, axes, strict=True)]
        run = vmap(lambda *xs: called(op, xs, attrs), in_axes=axes)
        try:
            loop = np.stack([called(op, [lane(x, a, k) for x, a in zip(batches, axes, strict=True)], attrs)
                             for k in range(B)])
        except ValueError as error:           # the largest of no elements: what one lane says, all say
            with pytest.raises(ValueError) as caught:
                run(*xs)
            assert str(caught.value) == str(error)
            tries.clear()
            continue
        found = run(*xs)
        assert not tries
        assert found.shape == loop.shape and found.dtype == loop.dtype, axes
        assert np.allclose(found, loop, rtol=1e-10, atol=1e-12, equal_nan=True), axes


@pytest.mark.parametrize("op, shapes, attrs", rows(True))
def test_gradients_are_those_of_the_loop(op, shapes, attrs, tries):
    rng = np.random.default_rng(1)
    batches = [batch_of(op, shape, rng, k) for k, shape in enumerate(shapes)]
    free = [j for j, shape in enumerate(shapes) if not isinstance(shape, np.ndarray)]
    run = lambda xs: vmap(lambda *xs: called(op, xs, attrs))(*xs)
    loop = lambda xs: ag.stack([called(op, [x[k] for x in xs], attrs) for k in range(B)])
    grads = []
    for way in (run, loop):
        xs = [Tensor(x, requires_grad=j in free) for j, x in enumerate(batches)]
        y = way(xs)
        u = np.random.default_rng(2).standard_normal(y.shape)
        grads.append([g.value for g in ag.gradients((y * u).sum(), [xs[j] for j in free])])
    assert not tries
    for one, other in zip(*grads, strict=True):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-11, equal_nan=True)


@pytest.mark.parametrize("op, shapes, attrs", rows(True))
def test_the_forward_sweep_on_arrays_is_that_on_tensors(op, shapes, attrs):
    rng = np.random.default_rng(4)
    xs = [Tensor(batch_of(op, shape, rng, k)[0], requires_grad=not isinstance(shape, np.ndarray))
          for k, shape in enumerate(shapes)]
    y = called(op, xs, attrs)
    pairs = [(x, rng.standard_normal(x.shape)[()]) for x in xs if x.requires_grad]
    for some in (pairs, pairs[:1]):
        found, expected = push_arrays(y, some), ag.push(y, some)
        expected = expected.value if isinstance(expected, Tensor) else expected
        assert type(found) is type(expected) and found.shape == y.shape
        assert np.allclose(found, expected, rtol=1e-12, atol=1e-13, equal_nan=True)


@pytest.mark.parametrize("op, shapes, attrs", rows(True))
def test_many_changes_go_back_at_once(op, shapes, attrs):
    """The rules on lanes: the rows of a Jacobian pulled together."""
    rng = np.random.default_rng(3)
    inputs = [batch_of(op, shape, rng, k)[0] for k, shape in enumerate(shapes)]
    xs = [Tensor(x, requires_grad=not isinstance(shape, np.ndarray)) for x, shape in zip(inputs, shapes, strict=True)]
    y = called(op, xs, attrs)
    us = rng.standard_normal((B, *y.shape))
    free = [x for x in xs if x.requires_grad]
    singly = [ag.pull([y], [u[()]], free) for u in us]
    with lanes(B) as level:
        together = [lower(g, level).value for g in pulled([y], [level.spread(us)], free, False)]
    for j, g in enumerate(together):
        assert np.allclose(g, np.stack([s[j] for s in singly]), rtol=1e-9, atol=1e-11, equal_nan=True)
