"""Tensors from nothing: shapes, dtypes, values, and one generator for all that is random."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


@pytest.mark.parametrize("make, value", [(ag.zeros, 0), (ag.ones, 1)])
def test_zeros_and_ones(make, value):
    for args in ((2, 3), ((2, 3),), ([2, 3],)):
        t = make(*args)
        assert type(t) is Tensor and t.shape == (2, 3) and t.dtype == np.float32 and np.all(t.value == value)
        assert not t.requires_grad
    assert make().shape == () and make(3).shape == (3,) and make(0).shape == (0,) and make(2, 0).shape == (2, 0)
    assert type(make().value) is np.float32 and make((2,), dtype="int64").dtype == np.int64
    assert make(2, requires_grad=True).requires_grad and make(2, dtype=ag.float64).dtype == np.float64


def test_empty_and_full():
    assert ag.empty(2, 3).shape == (2, 3) and ag.empty((2,), dtype="int64").dtype == np.int64
    for value, dtype in ((1.5, "float32"), (3, "int64"), (True, "bool"), (2j, "complex64"), (np.float64(1), "float64")):
        t = ag.full((2, 3), value)
        assert t.dtype == np.dtype(dtype) and t.shape == (2, 3) and np.all(t.value == value)
    assert ag.full((), 2.0).shape == () and ag.full((2,), 1, dtype="float64", requires_grad=True).requires_grad


def test_likes():
    x = Tensor(np.arange(6, dtype="float64").reshape(2, 3), requires_grad=True)
    for f, value in ((ag.zeros_like, 0), (ag.ones_like, 1), (lambda t, **k: ag.full_like(t, 7, **k), 7)):
        t = f(x)
        assert t.shape == (2, 3) and t.dtype == np.float64 and np.all(t.value == value) and not t.requires_grad
        assert f(x, dtype="float32").dtype == np.float32 and f(x, requires_grad=True).requires_grad
        assert f(np.ones((2,), "int8")).dtype == np.int8 and isinstance(f(np.ones(2)), Tensor)
        assert f(Tensor(1.0)).shape == ()
    assert ag.empty_like(x).shape == (2, 3) and ag.empty_like(x).dtype == np.float64
    assert ag.rand_like(x).shape == ag.randn_like(x).shape == (2, 3) and ag.rand_like(x).dtype == np.float64
    assert ag.randn_like(x, dtype="float32").dtype == np.float32 and ag.rand_like(x,
        dtype="float32").dtype == np.float32


@pytest.mark.parametrize("args, expected, dtype", [
    ((5,), [0, 1, 2, 3, 4], "int64"), ((2, 5), [2, 3, 4], "int64"), ((0, 10, 3), [0, 3, 6, 9], "int64"),
    ((5, 0, -2), [5, 3, 1], "int64"), ((0,), [], "int64"), ((3.0,), [0, 1, 2], "float32"),
    ((0, 1, 0.25), [0, 0.25, 0.5, 0.75], "float32"),
    ((1.0, 1.3, 0.1), [1.0, 1.1, 1.2, 1.3], "float32"), ((1.5,), [0, 1], "float32"),
])
def test_arange(args, expected, dtype):
    t = ag.arange(*args)
    assert t.dtype == np.dtype(dtype) and np.allclose(t.value, expected, rtol=1e-6) and t.shape == (len(expected),)


def test_arange_by_name():
    assert ag.arange(start=1, end=4).tolist() == [1, 2, 3] and ag.arange(end=3).tolist() == [0, 1, 2]
    assert ag.arange(3, dtype="float64").dtype == np.float64 and ag.arange(3.0, requires_grad=True).requires_grad
    assert ag.arange(0, 2, step=0.5).tolist() == [0, 0.5, 1, 1.5]
    with pytest.raises((ValueError, RuntimeError, ZeroDivisionError)):
        ag.arange(0, 1, 0)


def test_linspace_and_logspace():
    t = ag.linspace(0, 1, 5)
    assert t.dtype == np.float32 and t.tolist() == [0, 0.25, 0.5, 0.75, 1] and ag.linspace(3, 4, 1).tolist() == [3]
    assert ag.linspace(0, 1, 0).shape == (0,) and ag.linspace(-1, 1, steps=3, dtype="float64").dtype == np.float64
    assert np.allclose(ag.logspace(0, 2, 3).value, [1, 10, 100]) and np.allclose(ag.logspace(0, 3, 4, base=2).value,
        [1, 2, 4, 8])
    assert np.allclose(ag.linspace(Tensor(0.0), Tensor(1.0), 3).value, [0, 0.5, 1])


def test_eye():
    assert ag.eye(2).tolist() == [[1, 0], [0, 1]] and ag.eye(2, 3).shape == (2, 3) and ag.eye(2).dtype == np.float32
    assert ag.eye(0).shape == (0, 0) and ag.eye(2, dtype="int64").dtype == np.int64


def test_from_what_is_there():
    a = np.arange(3.0)
    assert np.shares_memory(ag.from_numpy(a).value, a) and np.shares_memory(ag.as_tensor(a).value, a)
    assert not np.shares_memory(ag.tensor(a).value, a) and ag.tensor(a, dtype="float32").dtype == np.float32
    t = ag.tensor([1.0, 2.0], requires_grad=True, name="w")
    assert t.requires_grad and t.name == "w" and t.is_leaf and ag.tensor(t).requires_grad is False
    assert ag.tensor(3).shape == () and type(ag.tensor(np.array(2.0)).value) is np.float64
    assert ag.as_tensor([1, 2]).dtype == np.int64 and ag.as_tensor(t) is t
    with pytest.raises(TypeError):
        ag.from_numpy([1.0])


# -- random ----------------------------------------------------------------------------------------------


def test_random_numbers():
    ag.manual_seed(0)
    u, n = ag.rand(200, 100), ag.randn(200, 100)
    assert u.dtype == n.dtype == np.float32 and u.shape == (200, 100)
    assert u.min().item() >= 0 and u.max().item() < 1 and u.mean().item() == pytest.approx(0.5, abs=0.01)
    assert n.mean().item() == pytest.approx(0, abs=0.02) and n.std().item() == pytest.approx(1, abs=0.02)
    assert ag.rand().shape == ag.randn(()).shape == () and ag.rand((2, 3), dtype="float64").dtype == np.float64
    assert ag.randn(2, requires_grad=True).requires_grad and ag.rand(0, 3).shape == (0, 3)


def test_uniform_numbers_stay_below_one_in_every_dtype():
    ag.manual_seed(0)
    for dtype in ("float16", "float32"):
        assert ag.rand(100_000, dtype=dtype).max().item() < 1, "rounding must not reach 1"


def test_random_integers():
    ag.manual_seed(0)
    t = ag.randint(3, 7, (1000,))
    assert t.dtype == np.int64 and set(t.tolist()) == {3, 4, 5, 6} and ag.randint(2, (5,)).max().item() <= 1
    assert ag.randint(0, 5, ()).shape == () and ag.randint(5, (2, 3)).shape == (2, 3)
    assert ag.randint(0, 5, (2,), dtype="int32").dtype == np.int32 and ag.randint(high=3, size=(2,),
        low=1).shape == (2,)
    p = ag.randperm(10)
    assert p.dtype == np.int64 and sorted(p.tolist()) == list(range(10)) and ag.randperm(0).shape == (0,)


def test_one_seed_for_all():
    def draw():
        return [ag.rand(3).tolist(), ag.randn(2).tolist(), ag.randint(100, (4,)).tolist(), ag.randperm(5).tolist(),
                ag.default_rng().random()]
    generator = ag.manual_seed(7)
    assert generator is ag.default_rng()
    first = draw()
    ag.manual_seed(7)
    assert draw() == first
    ag.manual_seed(8)
    assert draw() != first
    state = np.random.get_state()[1].copy()
    draw()
    assert np.array_equal(np.random.get_state()[1], state), "NumPy's global generator is not touched"
