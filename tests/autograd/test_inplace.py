"""Changes in place: the same as the program written without them, or an error that names both places."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import GradientError, ShapeError, Tensor


def leaf(data):
    return Tensor(np.array(data, np.float64), requires_grad=True)


# -- random programs, beside cells of memory that hold one scalar each --------------------------------------

VIEWS = {
    "row": lambda v, k: v[k % v.shape[0]] if v.ndim and v.shape[0] else v,
    "slice": lambda v, k: v[k % 2:] if v.ndim and v.shape[0] > 1 else v,
    "step": lambda v, k: v[::2] if v.ndim else v,
    "back": lambda v, k: v[::-1] if v.ndim else v,
    "T": lambda v, k: v.T,
    "column": lambda v, k: v[..., k % v.shape[-1]] if v.ndim and v.shape[-1] else v,
    "new axis": lambda v, k: v[None],
    "wide": lambda v, k: v.reshape((1, *v.shape)),
}
WRITES = {
    "add": lambda v, k, other: v.__iadd__(other(v.shape)),
    "mul": lambda v, k, other: v.__imul__(other(v.shape)),
    "sub 0-d": lambda v, k, other: v.__isub__(other(())),
    "square": lambda v, k, other: v.__imul__(v),
    "fill": lambda v, k, other: v.fill_(k + 0.5),
    "copy": lambda v, k, other: v.copy_(other(v.shape)),
    "row": lambda v, k, other: v.__setitem__(k % v.shape[0], other(v.shape[1:])) if v.ndim else v,
    "shift": lambda v, k, other: v.__setitem__(slice(1, None), v[:-1]) if v.ndim else v,
    "pick": lambda v, k, other: v.__setitem__([0, -1, 0], other((3,))) if v.ndim == 1 else v,
    "mask": lambda v, k, other: v.__setitem__(np.arange(v.shape[0]) % 2 == 0, other(())) if v.ndim == 1 else v,
}


class Cells:
    """A view of memory as numbers of cells, with the methods of Tensor that the programs use."""

    def __init__(self, memory, at):
        self.memory, self.at = memory, np.asarray(at)
        self.shape, self.ndim = self.at.shape, self.at.ndim

    def __getitem__(self, index):
        return Cells(self.memory, self.at[index])

    def reshape(self, shape):
        return Cells(self.memory, self.at.reshape(shape))

    @property
    def T(self):
        return Cells(self.memory, self.at.T)

    def read(self):
        return [self.memory[i] for i in self.at.ravel()]

    def new(self, values):
        start = len(self.memory)
        self.memory.extend(values)
        return Cells(self.memory, np.arange(start, start + self.at.size).reshape(self.shape))

    def __mul__(self, other):
        return self.new([v * other for v in self.read()] if isinstance(other, float)
                        else [v * w for v, w in zip(self.read(), other.read(), strict=True)])

    def __setitem__(self, index, other):
        at = self.at[index]
        wide = np.broadcast_to(other.at, at.shape).ravel()
        for i, v in zip(at.ravel(), [self.memory[j] for j in wide], strict=True):
            self.memory[i] = v

    def _each(self, other, f):
        wide = np.broadcast_to(other.at, self.shape).ravel()
        made = [f(v, self.memory[j]) for v, j in zip(self.read(), wide, strict=True)]
        for i, v in zip(self.at.ravel(), made, strict=True):
            self.memory[i] = v

    def __iadd__(self, other):
        self._each(other, lambda v, w: v + w)

    def __isub__(self, other):
        self._each(other, lambda v, w: v - w)

    def __imul__(self, other):
        self._each(other, lambda v, w: v * w)

    def copy_(self, other):
        self._each(other, lambda v, w: w)

    def fill_(self, number):
        self._each(self, lambda v, w: Tensor(np.float64(number)))


STEP = st.tuples(st.sampled_from(["view", "write", "write", "read", "base"]), st.sampled_from(sorted(VIEWS)),
                 st.sampled_from(sorted(WRITES)), st.integers(0, 3), st.integers(0, 5))


def run(program, pool, y):
    """The program on tensors, or on cells: all that it made."""
    seen = []
    for what, view, how, k, at in program:
        v = pool[at % len(pool)]
        if what == "view":
            pool.append(VIEWS[view](v, k))
        elif what == "write":
            WRITES[how](v, k, lambda shape, k=k: y[k:k + int(np.prod(shape))].reshape(shape))
        elif what == "read":
            seen.append(v * v)
        else:
            pool.append(v * 1.5)
    return [*seen, *pool]


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=9), st.integers(0, 99))
def test_random_programs_agree_with_scalars(program, seed):
    rng = np.random.default_rng(seed)
    X, Y, weights = rng.uniform(0.5, 1.5, (2, 3)), rng.uniform(0.5, 1.5, 12), rng.uniform(-1, 1, 12)
    x, y = leaf(X), leaf(Y)
    outs = run(program, [x * 1.0, ag.zeros(3, dtype=np.float64)], y)
    xs, ys = [leaf(v) for v in X.ravel()], [leaf(v) for v in Y]
    memory = [*(v * 1.0 for v in xs), *(Tensor(np.float64(0)) for _ in range(3)), *ys]
    wanted = run(program, [Cells(memory, np.arange(6).reshape(2, 3)), Cells(memory, np.arange(6, 9))],
                 Cells(memory, np.arange(9, 21)))
    for o, w in zip(outs, wanted, strict=True):
        assert o.shape == w.shape
        assert np.allclose(o.value.ravel(), [v.item() for v in w.read()], rtol=1e-12, atol=0), program
    loss = sum((o * Tensor(weights[:o.numel()].reshape(o.shape))).sum() for o in outs)
    scalar_loss = sum(v * a for w in wanted for v, a in zip(w.read(), weights, strict=False))
    try:
        loss.backward()
    except GradientError as error:            # a saved value was changed: said, not computed from
        assert "changed in place at test_inplace.py:" in str(error)
        return
    if scalar_loss.requires_grad:              # else every cell was overwritten by numbers
        scalar_loss.backward()
    for t, scalars in ((x, xs), (y, ys)):
        got = np.zeros(t.shape) if t.grad is None else t.grad.value
        want = [0.0 if s.grad is None else s.grad.item() for s in scalars]
        assert np.allclose(got.ravel(), want, rtol=1e-10, atol=1e-12), program


# -- by hand ------------------------------------------------------------------------------------------------


def test_a_change_of_a_tensor_reaches_its_views_and_the_other_way_round():
    x = leaf([1.0, 2.0, 3.0])
    z = x * 1
    tail, first = z[1:], z[0]
    z *= 2
    assert tail.tolist() == [4, 6] and first.item() == 2
    first += 10                                # a scalar: NumPy copied it, we did not
    tail.zero_()
    assert z.tolist() == [12, 0, 0]
    (z * z).sum().backward()
    assert x.grad.tolist() == [48, 0, 0]


def test_detached_and_numpy_share_memory():
    x = ag.zeros(3)
    a, d = x.numpy(), x.detach()
    x += 1
    d[0] = 5
    assert a.tolist() == x.tolist() == d.tolist() == [5, 1, 1]
    p = leaf(2.0)
    p.data.fill_(7)
    assert p.item() == 7
    p.data -= 1
    assert p.item() == 6 and p.is_leaf and p.requires_grad


def test_windows_and_diagonals_follow_too():
    x = leaf([1.0, 2.0, 3.0, 4.0])
    z = x * 1
    windows, corner = z.unfold(0, 2, 1), z.reshape(2, 2).diagonal()
    z *= 2
    corner += 1
    assert windows.tolist() == [[3, 4], [4, 6], [6, 9]]
    (windows * windows).sum().backward()
    assert x.grad.tolist() == [12, 32, 48, 36]
    saved = x.detach().clone()
    y = (leaf(np.ones((3, 2))) * saved.unfold(0, 2, 1)).sum()
    saved[0] = 5
    with pytest.raises(GradientError, match="changed in place"):
        y.backward()


def test_parts_of_complex_numbers_are_views():
    x = leaf([1.0, 2.0])
    z = ag.complex(x * 1, x * 2)
    z.real *= 3
    z.imag[0] = 0.0
    assert z.tolist() == [3, 6 + 4j]
    (z.real * z.real + z.imag).sum().backward()
    assert x.grad.tolist() == [18, 38]
    a, b = ag.zeros(2, dtype="complex128"), ag.ones(2, dtype="complex128")
    a.real = b.real
    a.imag = 2.0
    assert a.tolist() == [1 + 2j, 1 + 2j]


def test_a_tensor_that_nobody_shares_is_not_copied_twice():
    x = ag.ones(1000)
    x += 1
    assert x.value.base is None and x.tolist() == [2] * 1000


def test_the_hand_written_training_loop():
    w = leaf([1.0, 2.0])
    same = w
    for _ in range(3):
        (w * w).sum().backward()
        with ag.no_grad():
            w -= 0.25 * w.grad
        w.grad.zero_()
    assert w is same and w.is_leaf and w.tolist() == [0.125, 0.25]


def test_a_saved_value_that_was_changed_is_an_error_that_names_both_places():
    x = leaf([1.0, 2.0])
    with ag.record():
        y = x.exp()
        y += 1
        with pytest.raises(
            GradientError,
            match=r"exp at test_inplace.py:\d+ saved out.*shape \(2,\).*changed in place at "
            r"test_inplace.py:\d+.*clone",
        ):
            y.sum().backward()
    assert x.grad is None
    z = x * 1
    w = z * z
    z.detach()[0] = 3.0
    with pytest.raises(GradientError, match="multiply saved x"):
        w.sum().backward()
    with pytest.raises(GradientError, match="multiply saved"):
        ag.push(w, [(x, ag.ones(2, dtype=np.float64))])


def test_only_what_was_saved_of_the_elements_that_changed_counts():
    x = leaf([1.0, 2.0, 3.0])
    u = ag.zeros(4, 3, dtype=np.float64)
    u[0] = x
    for t in range(1, 4):
        u[t] = u[t - 1] * x                   # saves row t - 1, writes row t
    u.sum().backward()
    assert x.grad.tolist() == [10, 49, 142]
    columns = ag.zeros(3, 4, dtype=np.float64)
    columns[:, 0] = x.detach()
    y = leaf([2.0, 2.0, 2.0])
    for t in range(1, 4):
        columns[:, t] = columns[:, t - 1] * y
    columns.sum().backward()
    assert y.grad.tolist() == [17, 34, 51]


def test_leaves_are_not_changed_while_gradients_are_recorded():
    x = leaf([1.0, 2.0])
    x.name = "weight"
    for change in (lambda: x.add_(1), lambda: x.__setitem__(0, 1.0), lambda: x.zero_(), lambda: x[0].add_(1)):
        with pytest.raises(GradientError, match=r"a leaf 'weight' that requires a gradient.*no_grad"):
            change()
    assert x.tolist() == [1, 2]


def test_shapes_and_dtypes_that_do_not_fit():
    x, whole = ag.zeros(3), ag.zeros(3, dtype=np.int64)
    with pytest.raises(ShapeError, match=r"fit the tensor, \(3,\); it has shape \(2, 3\)"):
        x += ag.zeros(2, 3)
    with pytest.raises(TypeError, match=r"dtype float32 cannot be stored in a tensor of int64"):
        whole += 1.5
    with pytest.raises(TypeError, match="float32"):
        whole /= 2
    with pytest.raises(TypeError, match="complex"):
        x[0] = Tensor(1j)
    with pytest.raises(ShapeError, match=r"setitem: expected an index into x.*value \(2,\)"):
        x[:] = ag.ones(2)
    with pytest.raises(IndexError, match="index 3 is out of bounds"):
        x[3] = 1
    with pytest.raises(ShapeError, match=r"fill_.*copy_"):
        x.fill_(ag.ones(3))
    with pytest.raises(ValueError, match=r"expanded.*x\.clone\(\)"):
        ag.zeros(1).expand(3).add_(1)
    assert x.tolist() == [0, 0, 0] and whole.tolist() == [0, 0, 0]
    whole[0] = 2.7
    assert whole.tolist() == [2, 0, 0]
    x += np.float64(1)
    assert x.dtype == np.float32


def test_the_methods_with_an_underscore():
    x = leaf([[4.0, 9.0], [1.0, 16.0]])
    corner = ag.tensor([[True, False], [False, False]])
    y = (x * 1).square_().add_(1, alpha=2).clamp_(max=200.0).t_().masked_fill_(corner, 0.0)
    assert y.tolist() == [[0, 3], [83, 200]]
    y.sum().backward()
    assert np.allclose(x.grad.value, [[0, 18], [2, 0]])
    z = ag.arange(6.0).unsqueeze_(0).squeeze_()
    assert z.reshape(2, 3).transpose_(0, 1).shape == (3, 2) and z.eq_(3.0).tolist() == [0, 0, 0, 1, 0, 0]


def test_an_element_assigned_twice_counts_once():
    x, v = leaf([0.0, 0.0]), leaf([1.0, 2.0, 3.0])
    y = x * 1
    y[[0, 1, 0]] = v
    assert y.tolist() == [3, 2]
    (y * Tensor([10.0, 100.0])).sum().backward()
    assert v.grad.tolist() == [0, 100, 10] and x.grad.tolist() == [0, 0]


def test_derivatives_of_any_order_and_forward_mode_go_through_assignments():
    def f(x):
        y = x * x
        y[1:] *= x[:-1]
        y[0] = y[1] * x[2]
        return y

    def g(x):
        return ag.stack([x[1] * x[1] * x[0] * x[2], x[1] * x[1] * x[0], x[2] * x[2] * x[1]])

    x = leaf([1.1, 0.7, 1.9])
    assert np.allclose(f(x).value, g(x).value)
    ag.gradcheck(f, (x,))
    ag.gradgradcheck(f, (x,))
    assert np.allclose(ag.hessian(lambda x: f(x).sum())(x).value, ag.hessian(lambda x: g(x).sum())(x).value)
    v = np.array([0.3, -1.0, 2.0])
    assert np.allclose(np.asarray(ag.jvp(f, (x.value,), (v,))[1]), np.asarray(ag.jvp(g, (x.value,), (v,))[1]))


def test_names_and_retained_gradients_move_along():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.name = "state"
    y.retain_grad()
    y += 1
    y.sum().backward()
    assert y.name == "state" and y.grad.tolist() == [1, 1]


def test_views_leave_no_garbage():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(100))
        y = x * 1
        for k in range(40):
            y[k] *= 2
        root, view = weakref.ref(y), y[1:]
        del y
        assert root() is not None              # its view needs it
        view += 1
        view.sum().backward()
        del view
        assert root() is None and gc.collect() == 0
    finally:
        gc.enable()


def test_a_detached_value_does_not_keep_its_graph():
    x = leaf([1.0, 2.0])
    kept = []
    for _ in range(3):
        loss = (x * x).sum()
        alive = weakref.ref(loss)
        kept.append(loss.detach())
        del loss
        assert alive() is None


# -- NumPy arrays that were handed in -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (200, 300)])
@pytest.mark.parametrize("hand_in", [lambda a: a, ag.from_numpy, lambda a: ag.as_tensor(a).reshape(a.shape)])
def test_a_numpy_array_changed_before_backward_is_noticed(shape, hand_in):
    a = np.random.default_rng(0).standard_normal(shape)
    x = leaf(np.ones(shape))

    def changed(change):
        y = (x * hand_in(a)).sum()
        change()
        with pytest.raises(
            GradientError, match=r"multiply at test_inplace.py:\d+ was given a NumPy array.*guard_arrays"
        ):
            y.backward()
        assert x.grad is None

    changed(lambda: a.__setitem__(tuple(n // 2 for n in shape), 7.0))
    changed(lambda: np.negative(a, out=a))
    changed(lambda: a[..., ::-1].sort())
    y = (x * hand_in(a)).sum()
    y.backward()
    assert np.array_equal(x.grad.value, a)


def test_the_guard_can_be_turned_off():
    a, x = np.array([1.0, 2.0]), leaf([1.0, 1.0])
    assert ag.guard_arrays(False) is True
    try:
        y = (x * a).sum()
        a[:] = 5
        y.backward()
        assert x.grad.tolist() == [5, 5]
    finally:
        assert ag.guard_arrays(True) is False


def test_indices_are_copied_and_tensors_own_their_memory():
    i, a = np.array([0, 1]), np.array([1.0, 2.0, 3.0])
    x = Tensor(a, requires_grad=True)
    y = (x[i] * Tensor(a)[:2]).sum()
    i[:], a[:] = 2, 0
    y.backward()
    assert x.grad.tolist() == [1, 2, 0]
