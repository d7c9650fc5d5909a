"""no_grad, enable_grad, set_grad_enabled: as blocks, as decorators, nested, in threads and in async code."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, enable_grad, is_grad_enabled, no_grad, set_grad_enabled


def leaf(data):
    return Tensor(np.array(data, np.float64), requires_grad=True)


@pytest.fixture(autouse=True)
def the_mode_is_as_before():
    assert is_grad_enabled()
    yield
    assert is_grad_enabled()


def test_no_grad_records_nothing():
    x = leaf([1.0, 2.0])
    with no_grad():
        y = x * x
        made = Tensor([1.0], requires_grad=True)
        assert not is_grad_enabled()
    assert not y.requires_grad and y.is_leaf and y.grad_fn is None and y.tolist() == [1.0, 4.0]
    assert made.requires_grad
    with pytest.raises(ag.GradientError):
        y.sum().backward()
    z = x * y                                   # y is a constant outside too
    z.sum().backward()
    assert x.grad.tolist() == [1.0, 4.0]


def test_enable_grad_inside_no_grad():
    x = leaf(3.0)
    with no_grad():
        with enable_grad():
            y = x * x
            assert is_grad_enabled()
        assert not is_grad_enabled()
    y.backward()
    assert x.grad.item() == 6.0


def test_backward_works_inside_no_grad():
    x = leaf(3.0)
    y = x ** 3
    with no_grad():
        y.backward(create_graph=True)
    assert x.grad.item() == 27.0 and x.grad.requires_grad
    g = x.grad
    x.grad = None
    g.backward()
    assert x.grad.item() == 18.0


def test_set_grad_enabled():
    with set_grad_enabled(False):
        assert not is_grad_enabled()
        with set_grad_enabled(True):
            assert is_grad_enabled()
        assert not is_grad_enabled()
    set_grad_enabled(False)                     # and, as in PyTorch, as a plain call
    assert not is_grad_enabled()
    set_grad_enabled(True)
    assert is_grad_enabled()


def test_decorators():
    @no_grad()
    def off(x, *, scale):
        """Doc."""
        return is_grad_enabled(), (x * scale).requires_grad

    @enable_grad()
    def on():
        return is_grad_enabled()

    @set_grad_enabled(False)
    def flagged():
        return is_grad_enabled()
    assert is_grad_enabled()
    assert off(leaf(1.0), scale=2) == (False, False) and off.__doc__ == "Doc." and off.__name__ == "off"
    assert not flagged() and is_grad_enabled()
    with no_grad():
        assert on() and not is_grad_enabled()


def test_decorator_without_parentheses():
    @no_grad
    def off():
        return is_grad_enabled()
    assert off() is False and off.__name__ == "off"


def test_a_decorated_generator_runs_in_the_mode_and_its_consumer_does_not():
    @no_grad()
    def steps():
        yield is_grad_enabled()
        yield is_grad_enabled()
    seen = []
    for inside in steps():
        seen += [inside, is_grad_enabled()]
    assert seen == [False, True, False, True]


def test_a_decorated_function_may_call_itself():
    @no_grad()
    def factorial(n):
        assert not is_grad_enabled()
        return 1 if n < 2 else n * factorial(n - 1)
    assert factorial(5) == 120


def test_one_block_object_used_twice_and_inside_itself():
    off = no_grad()
    with off:
        assert not is_grad_enabled()
    with off, off:
        assert not is_grad_enabled()


def test_the_mode_comes_back_after_an_exception():
    for block in (no_grad(), enable_grad()):
        with pytest.raises(KeyError), block:
            raise KeyError
    with no_grad():
        with pytest.raises(KeyError), enable_grad():
            raise KeyError
        assert not is_grad_enabled()


def test_threads_have_modes_of_their_own():
    seen, ready, go = {}, threading.Barrier(2), threading.Event()

    def inside():
        with no_grad():
            ready.wait()
            go.wait()
            x = leaf(2.0)
            seen["inside"] = is_grad_enabled(), (x * x).requires_grad

    def outside():
        ready.wait()
        x = leaf(2.0)
        y = x * x
        y.backward()
        seen["outside"] = is_grad_enabled(), x.grad.item()
        go.set()
    threads = [threading.Thread(target=f) for f in (inside, outside)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == {"inside": (False, False), "outside": (True, 4.0)}
    with no_grad():
        t = threading.Thread(target=lambda: seen.update(new=is_grad_enabled()))
        t.start()
        t.join()
    assert seen["new"], "a new thread starts in the ordinary state, as in PyTorch"


def test_threads_may_differentiate_at_once():
    results = []

    def work(seed):
        x = leaf(np.random.default_rng(seed).standard_normal(5))
        y = x
        for _ in range(200):
            y = (y * 0.99).tanh() + x * 0.01
        y.sum().backward()
        results.append((seed, x.grad.value))
    threads = [threading.Thread(target=work, args=(k % 2,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for seed in (0, 1):
        same = [g for s, g in results if s == seed]
        assert len(same) == 3 and all(np.array_equal(g, same[0]) for g in same)


def test_tasks_have_modes_of_their_own():
    async def off():
        with no_grad():
            await asyncio.sleep(0.002)
            inside = is_grad_enabled()
            await asyncio.sleep(0.002)
        return inside, is_grad_enabled()

    async def on():
        await asyncio.sleep(0.001)
        first = is_grad_enabled()
        await asyncio.sleep(0.002)
        return first, is_grad_enabled()

    async def both():
        return await asyncio.gather(off(), on())
    assert asyncio.run(both()) == [(False, True), (True, True)]


def test_record_and_no_grad_combine():
    x = leaf(3.0)
    with ag.record(), no_grad():
        y = x * x
    assert not y.requires_grad
    with no_grad(), ag.record():
        z = x * x
        assert not is_grad_enabled()
        with enable_grad():
            w = x * x
    assert not z.requires_grad and w.requires_grad
