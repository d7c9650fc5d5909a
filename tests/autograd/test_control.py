"""Modes and hooks beyond `no_grad`: inference, what is saved, what happens after a gradient has been added."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, Tensor


def leaf(data):
    return Tensor(np.array(data, np.float64), requires_grad=True)


# -- inference_mode ------------------------------------------------------------------------------------------


def test_inference_mode():
    x = leaf([1.0])
    with ag.inference_mode():
        assert not ag.is_grad_enabled() and not (x * 2).requires_grad
        with ag.inference_mode(False):
            assert (x * 2).requires_grad
    assert ag.is_grad_enabled()

    @ag.inference_mode()
    def f(x):
        return x * 2

    @ag.inference_mode
    def g(x):
        return x * 3
    assert not f(x).requires_grad and not g(x).requires_grad and (x * 2).requires_grad


def test_modes_are_per_thread_and_per_task():
    x, seen = leaf([1.0]), {}

    def other():
        seen["thread"] = (x * 2).requires_grad

    with ag.inference_mode():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen["thread"]

    async def off():
        with ag.inference_mode():
            await asyncio.sleep(0)
            return (x * 2).requires_grad

    async def on():
        await asyncio.sleep(0)
        return (x * 2).requires_grad

    async def both():
        return await asyncio.gather(off(), on(), off(), on())
    assert asyncio.run(both()) == [False, True, False, True]


# -- what is saved -------------------------------------------------------------------------------------------


def test_saved_tensors_go_through_pack_and_unpack():
    packed, unpacked = [], []

    def pack(t):
        packed.append(t)
        return ("box", t.to("float32"))

    def unpack(box):
        unpacked.append(box)
        return box[1].to("float64")

    x = leaf([1.0, 2.0])
    with ag.saved_tensors_hooks(pack, unpack):
        y = ag.exp(x) * x
    z = y * y                                  # outside
    assert len(packed) == 3 and not unpacked and all(isinstance(t, Tensor) and not t.requires_grad for t in packed)
    z.sum().backward()
    e = np.exp([1.0, 2.0])
    assert len(unpacked) == 3 and np.allclose(x.grad.value, 2 * e * [1, 2] * (e + e * [1, 2]), rtol=1e-6)


def test_saved_tensors_hooks_and_higher_derivatives():
    def f(x):
        with ag.saved_tensors_hooks(lambda t: t.numpy().copy(), lambda a: Tensor(a)):
            return (ag.sin(x) * x ** 3).sum()
    ag.gradgradcheck(f, (leaf([0.3, 0.7]),))
    assert np.allclose(ag.jvp(f, (np.array([0.3]),), (np.array([1.0]),))[1],
                       np.cos(0.3) * 0.3 ** 3 + 3 * 0.3 ** 2 * np.sin(0.3))


def test_unpack_must_return_a_tensor():
    x = leaf([1.0])
    with ag.saved_tensors_hooks(lambda t: 1, lambda one: one):
        y = ag.exp(x)
    with pytest.raises(TypeError, match="unpack must return a Tensor; got int"):
        y.sum().backward()


# -- after a gradient was added --------------------------------------------------------------------------------


def test_post_accumulate_hooks_can_step_while_the_sweep_goes_on():
    a, b, seen = leaf([1.0, 1.0]), leaf([2.0, 2.0]), []

    def step(p):
        seen.append(p)
        with ag.no_grad():
            p -= 0.1 * p.grad
        p.grad = None

    handles = [p.register_post_accumulate_grad_hook(step) for p in (a, b)]
    (a * b).sum().backward()
    assert sorted(map(id, seen)) == sorted([id(a), id(b)]) and a.grad is None
    assert np.allclose(a.value, 0.8) and np.allclose(b.value, 1.9)
    handles[0].remove()
    (a * b).sum().backward()
    assert len(seen) == 3 and a.grad is not None


def test_post_accumulate_hooks_are_for_leaves():
    x = leaf([1.0])
    with pytest.raises(GradientError, match=r"needs a leaf.*computed by multiply: use register_hook"):
        (x * 2).register_post_accumulate_grad_hook(print)
    with pytest.raises(GradientError, match="this tensor requires none"):
        Tensor([1.0]).register_post_accumulate_grad_hook(print)
