"""The reverse sweep as a user meets it: what lands in `.grad`, when, of what shape, and in whose memory."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, ShapeError, Tensor
from autograd.graph import graph


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


# -- what is computed ------------------------------------------------------------------------------------


def test_the_same_tensor_twice():
    for f, slope in ((lambda x: x * x, 6.0), (lambda x: x + x, 2.0), (lambda x: x - x, 0.0), (lambda x: x / x, 0.0),
                     (lambda x: x * x * x, 27.0), (lambda x: x ** x, 27 * (1 + np.log(3.0)))):
        x = leaf(3.0)
        f(x).backward()
        assert np.isclose(x.grad.item(), slope, atol=1e-14)
        assert x.grad.shape == () and type(x.grad.value) is np.float64


def test_diamonds():
    x = leaf(2.0)
    a = x * 3
    b = a * a                                   # a is used three times, b twice
    y = b * a + b
    y.backward()                                # y = 27 x^3 + 9 x^2
    assert x.grad.item() == 81 * 4 + 18 * 2
    x = leaf(1.0)
    y = x
    for _ in range(50):
        y = y + y                               # 2^50 paths, 50 nodes
    y.backward()
    assert x.grad.item() == 2.0 ** 50


def test_order_of_creation_does_not_matter():
    x = leaf(2.0)
    early = x * 5
    late = (x * x) * x
    y = early * late + early
    y.backward()
    assert x.grad.item() == 20 * 8 + 5


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (2, 3), (4, 2, 3), (4, 1, 1)])
@pytest.mark.parametrize("other", [(), (1,), (3,), (2, 3), (4, 2, 3)])
def test_broadcasting_sums_back(shape, other):
    x, y = leaf(np.full(shape, 2.0)), leaf(np.full(other, 3.0))
    z = x * y
    (z * 2).sum().backward()
    assert x.grad.shape == shape and y.grad.shape == other
    assert np.all(x.grad.value == 6.0 * (z.numel() / max(x.numel(), 1)))
    assert np.all(y.grad.value == 4.0 * (z.numel() / max(y.numel(), 1)))


def test_broadcasting_of_empty_shapes():
    x, y = leaf(np.ones((0, 3))), leaf(np.ones(3))
    (x * y).sum().backward()
    assert x.grad.shape == (0, 3) and y.grad.tolist() == [0, 0, 0]


def test_gradients_of_several_leaves_and_of_constants():
    x, y, c = leaf(2.0), leaf(3.0), Tensor(5.0)
    (x * y + c * x).backward()
    assert (x.grad.item(), y.grad.item(), c.grad) == (8.0, 2.0, None)


def test_one_element_tensors_count_as_scalars():
    x = leaf([[3.0]])
    (x * x).backward()
    assert x.grad.tolist() == [[6.0]]


def test_dtype_of_the_gradient_is_that_of_the_leaf():
    for dtype in ("float16", "float32", "float64"):
        x = leaf([1.0, 2.0], dtype)
        (x * Tensor(np.array([2.0, 3.0]))).sum().backward()        # float64 weights
        assert x.grad.dtype == np.dtype(dtype) and x.grad.tolist() == [2.0, 3.0]


def test_backward_from_a_leaf():
    x = leaf([1.0, 2.0])
    x.backward(Tensor(np.array([3.0, 4.0])))
    x.backward(np.array([1.0, 1.0]))
    assert x.grad.tolist() == [4.0, 5.0]


# -- gradient=, inputs=, accumulation --------------------------------------------------------------------


def test_gradient_argument():
    for seed in (np.array([1.0, 10.0]), Tensor(np.array([1.0, 10.0])), Tensor([1.0, 10.0]), [1.0, 10.0]):
        x = leaf([2.0, 3.0])
        (x * x).backward(seed)
        assert x.grad.tolist() == [4.0, 60.0] and x.grad.dtype == np.float64
    x = leaf(2.0)
    (x * x).backward(Tensor(5.0))
    assert x.grad.item() == 20.0
    x = leaf([2.0, 3.0])
    for bad in (np.ones(3), np.ones((1, 2)), 1.0):
        with pytest.raises(ShapeError):
            (x * x).backward(bad)
    assert x.grad is None


def test_gradients_accumulate():
    x = leaf([1.0, 2.0])
    for n in range(1, 4):
        (x * 3).sum().backward()
        assert x.grad.tolist() == [3.0 * n] * 2
    x.zero_grad()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_accumulation_does_not_change_a_gradient_taken_before():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    first, array = x.grad, x.grad.value
    (x * 3).sum().backward()
    assert array.tolist() == [3.0, 3.0] and x.grad.tolist() == [6.0, 6.0] and first.tolist() in ([3.0, 3.0], [6.0, 6.0])


def test_inputs_argument():
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    w = z * z
    w.backward(inputs=[x], retain_graph=True)
    assert x.grad.item() == 36.0 and y.grad is None
    w.backward(inputs=y)
    assert x.grad.item() == 36.0 and y.grad.item() == 24.0
    z = x * y
    (z * z).backward(inputs=[z])                # also of what was computed
    assert z.grad.item() == 12.0 and x.grad.item() == 36.0


def test_inputs_that_cannot_have_a_gradient_are_refused():
    x = leaf(2.0)
    y = x * x
    with pytest.raises((GradientError, ValueError)):
        y.backward(inputs=[])
    with pytest.raises(GradientError):
        y.backward(inputs=[Tensor(1.0)])
    y.backward()                                # and nothing was freed
    assert x.grad.item() == 4.0


# -- retain_graph, create_graph --------------------------------------------------------------------------


def test_second_backward_is_an_error_and_changes_nothing():
    x = leaf(3.0)
    y = x * x
    y.backward()
    for _ in range(2):
        with pytest.raises(GradientError, match="second time"):
            y.backward()
    assert x.grad.item() == 6.0


def test_second_backward_through_a_shared_part():
    x = leaf(3.0)
    shared = x.exp()
    (shared * 2).backward()
    with pytest.raises(GradientError, match="exp"):
        (shared * 3).backward()
    assert np.isclose(x.grad.item(), 2 * np.exp(3.0))


def test_retain_graph():
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 18.0
    with pytest.raises(GradientError):
        y.backward()


def test_what_saved_nothing_may_be_walked_again():
    x = leaf([1.0, 2.0])
    y = (x + 3).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_saved_values_are_freed():
    x = leaf(np.ones(1000))
    big = np.ones(1000)
    alive = weakref.ref(big)
    y = (x * ag.from_numpy(big)).sum()
    del big
    assert alive() is not None
    y.backward()
    assert alive() is None and y.requires_grad


def test_create_graph():
    x = leaf(2.0)
    (x ** 4).backward(create_graph=True)
    g = x.grad
    assert g.item() == 32.0 and g.requires_grad
    x.grad = None
    g.backward(create_graph=True)
    h = x.grad
    assert h.item() == 48.0
    x.grad = None
    h.backward()
    assert x.grad.item() == 48.0 and not x.grad.requires_grad


def test_without_create_graph_the_gradient_has_no_history():
    x = leaf(2.0)
    (x * x).backward()
    assert not x.grad.requires_grad and x.grad.is_leaf


def test_a_gradient_penalty():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = (w * x * x).sum()
    g, = ag.gradients(y, x, create_graph=True)
    penalty = (g * g).sum()                     # Σ 4 w² x²
    penalty.backward()
    assert np.allclose(w.grad.value, 8 * w.value * x.value ** 2)
    assert np.allclose(x.grad.value, 8 * w.value ** 2 * x.value)


def test_gradients_function():
    x, y, unused = leaf(2.0), leaf(3.0), leaf(1.0)
    z = x * x * y
    gx, gy = ag.gradients(z, [x, y], retain_graph=True)
    assert (gx.item(), gy.item(), x.grad, y.grad) == (12.0, 4.0, None, None)
    assert ag.gradients(z, [x, unused], retain_graph=True, allow_unused=True)[1] is None
    with pytest.raises(GradientError):
        ag.gradients(z, [x, unused], retain_graph=True)
    with pytest.raises(GradientError):
        ag.gradients(z, Tensor(1.0), retain_graph=True)
    a, = ag.gradients([z, x * 10], [x], [Tensor(np.float64(2)), Tensor(np.float64(1))])
    assert a.item() == 34.0
    with pytest.raises(GradientError):
        ag.gradients(z, x)                      # freed
    with pytest.raises(GradientError):
        ag.gradients(leaf([1.0, 2.0]) * 2, x)
    with pytest.raises(GradientError):
        ag.gradients(Tensor(1.0), x)


# -- whose memory it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("f", [lambda a, b: a + b, lambda a, b: a - (-b), lambda a, b: ag.identity(a) + b,
                               lambda a, b: b + a.clone(), lambda a, b: a.reshape(-1) + b.view(2),
                               lambda a, b: ag.maximum(a, a * 0 - 100) + b])
def test_gradients_never_share_memory(f, create_graph):
    a, b, seed = leaf([1.0, 2.0]), leaf([3.0, 4.0]), np.array([5.0, 6.0])
    given = Tensor(seed)
    f(a, b).backward(given, create_graph=create_graph)
    assert a.grad.tolist() == b.grad.tolist() == [5.0, 6.0]
    assert a.grad is not b.grad and a.grad is not given and b.grad is not given
    if not create_graph:
        assert not np.shares_memory(a.grad.value, b.grad.value)
        assert not np.shares_memory(a.grad.value, seed) and not np.shares_memory(b.grad.value, seed)
    a.grad.value = a.grad.value * 100           # what clipping does
    assert b.grad.tolist() == [5.0, 6.0] and given.tolist() == [5.0, 6.0]


def test_gradients_of_sums_are_writeable_arrays_of_their_own():
    a, b = leaf(np.ones((2, 3))), leaf(np.ones((2, 3)))
    (a + b).sum().backward()                    # the gradient is a broadcast view of one number inside
    a.grad[0, 0] = 7.0
    assert a.grad.value.flags.writeable and a.grad.sum().item() == 12.0 and b.grad.sum().item() == 6.0


def test_the_seed_array_is_not_kept():
    x, seed = leaf([1.0, 2.0]), np.ones(2)
    x.clone().backward(seed)
    seed[:] = 100
    assert x.grad.tolist() == [1.0, 1.0]


def test_retained_gradients_are_of_their_own_too():
    x = leaf([1.0, 2.0])
    y = x.clone()
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0] and not np.shares_memory(x.grad.value, y.grad.value)
    y.grad.value = y.grad.value * 3
    assert x.grad.tolist() == [1.0, 1.0]


def test_inputs_are_not_written_into():
    data = np.array([1.0, -2.0, 3.0])
    kept = data.copy()
    x = Tensor(data, requires_grad=True)
    (ag.softmax(x, 0) * x.relu() + x.sigmoid().cumsum(0)).sum().backward()
    assert np.array_equal(data, kept)


# -- hooks and retain_grad -------------------------------------------------------------------------------


def test_hook_sees_the_whole_gradient_once():
    seen = []
    x = leaf(3.0)
    x.register_hook(lambda g: seen.append(g.item()))
    y = x * x
    y.register_hook(lambda g: seen.append(g.item()))
    (y + y).backward()
    assert seen == [2.0, 12.0] and x.grad.item() == 12.0


def test_hook_replaces_the_gradient():
    x = leaf([1.0, 2.0])
    y = x * 2
    handle = y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)            # in the order of registration
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [22.0, 22.0]
    handle.remove()
    handle.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_hook_with_create_graph_is_part_of_the_graph():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda g: g * y)
    g, = ag.gradients(y, x, create_graph=True)
    assert g.item() == 54.0                     # y · 2x
    assert ag.gradients(g, x)[0].item() == 342.0          # 2y + 2x · y · 2x: the hook acts in this sweep too


def test_handle_as_a_block():
    x = leaf(1.0)
    with x.register_hook(lambda g: g * 5):
        (x * 1).backward()
    assert x.grad.item() == 5.0
    (x * 1).backward()
    assert x.grad.item() == 6.0


def test_a_handle_takes_away_its_own_registration_only():
    x, times_ten = leaf(1.0), lambda g: g * 10
    first = x.register_hook(times_ten)
    x.register_hook(times_ten)
    first.remove()
    (x * 1).backward()
    assert x.grad.item() == 10.0


@pytest.mark.parametrize("bad", [5, np.ones(2), Tensor(np.ones(3)), Tensor(np.ones(2, "float32")),
                                 Tensor(np.ones(2, int))])
def test_a_hook_that_returns_something_else_is_an_error(bad):
    x = leaf([1.0, 2.0])
    y = x * 2
    y.register_hook(lambda g: bad)
    with pytest.raises(GradientError):
        y.sum().backward()
    assert x.grad is None


def test_hooks_need_a_gradient():
    with pytest.raises(GradientError):
        Tensor(1.0).register_hook(print)
    with pytest.raises(GradientError):
        Tensor(1.0).retain_grad()


def test_retain_grad():
    x = leaf(3.0)
    y = x * x
    assert not y.retains_grad
    y.retain_grad()
    x.retain_grad()                             # of a leaf: as it is
    (y * 5).backward()
    assert y.retains_grad and y.grad.item() == 5.0 and x.grad.item() == 30.0
    (y * 1).backward(inputs=[y])
    assert y.grad.item() >= 6.0


# -- a sweep that fails ----------------------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_failed_backward_leaves_every_gradient_as_it_was(create_graph):
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    (x * 1 + y * 1).sum().backward()
    before = x.grad, y.grad

    def broken(g):
        raise KeyError("no")
    y.register_hook(broken)
    with pytest.raises(KeyError):
        (x * x * y).sum().backward(create_graph=create_graph)
    assert (x.grad, y.grad) == before or (x.grad is before[0] and y.grad is before[1])
    assert x.grad.tolist() == [1.0, 1.0] and y.grad.tolist() == [1.0, 1.0] and ag.is_grad_enabled()


# -- size and memory -------------------------------------------------------------------------------------


def test_a_chain_of_a_million_ops():
    x = leaf(1.0)
    y = x
    for _ in range(500_000):
        y = -y
        y = y + x
    alive = weakref.ref(y)
    y.backward()
    assert x.grad.item() == 1.0                 # y -> x - y, an even number of times
    del y
    assert alive() is None


def test_a_long_chain_is_freed_without_recursion_and_read_without_it():
    x = leaf(1.0)
    y = x
    for _ in range(50_000):
        y = -y
    assert len(graph(y).nodes) == 50_001
    g, = ag.gradients(y, x, create_graph=True, retain_graph=True)
    assert g.item() == 1.0 and ag.push(y, [(x, np.float64(1.0))]) == 1.0
    del y, g


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _plain():
    x, w = leaf(np.ones((3, 3))), leaf(np.ones((3, 3)))
    loss = ((x @ w).tanh() + x).relu().sum()
    loss.backward()


def _hooked():
    x = leaf([1.0, 2.0])
    y = x * x
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    y.sum().backward(retain_graph=True)


def _twice():
    x = leaf([1.0, 2.0])
    g, = ag.gradients((x ** 3).sum(), x, create_graph=True)
    (g * g).sum().backward()


def _recorded():
    with ag.record():
        x = leaf([1.0, 2.0])
        y = (x * x).sum()
        y.backward()
    graph(y)


def _transformed():
    f = lambda x: (x * x * x).sum()
    x = np.ones(3)
    ag.grad(f)(x), ag.hessian(f)(x), ag.jvp(f, (x,), (x,)), ag.hvp(f, (x,), (x,)), ag.jacobian(lambda x: x * x)(x)


def _failed():
    for attempt in (lambda: leaf([1.0, 2.0]) + leaf([1.0, 2.0, 3.0]), lambda: (leaf([1.0, 2.0]) * 2).backward()):
        with pytest.raises((ShapeError, GradientError)):
            attempt()


@pytest.mark.parametrize("step", [_plain, _hooked, _twice, _recorded, _transformed])
def test_no_garbage_is_left_for_the_collector(step, no_collector):
    step()                                      # what is made once, on first use
    gc.collect()
    for _ in range(3):
        step()
    assert gc.collect() == 0


def test_nodes_and_tensors_die_with_their_last_user(no_collector):
    x = leaf(np.ones(10))
    y = x * 2
    z = (y * y).sum()
    refs = [weakref.ref(t) for t in (x, y, z)]
    z.backward()
    del y
    assert refs[1]() is None and refs[0]() is x
    del z
    assert refs[2]() is None
    del x
    assert refs[0]() is None
