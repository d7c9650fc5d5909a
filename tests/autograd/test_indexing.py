"""x[index] against NumPy: basic and advanced, repeated, by masks and by Tensors; and the gradient, which adds up."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, Tensor

X = np.arange(24.0).reshape(2, 3, 4) / 7
MASK = X > 1.5
ROWS = np.array([1, 0, 1])


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


INDICES = [
    0, -1, 1, (0, 1), (0, -1, 2), (1, 2, 3), slice(None), slice(1, None), slice(None, None, -1), slice(5, 9),
    slice(0, 0),
    (slice(None), slice(None, None, 2)), (slice(None), slice(2, 0, -1)),
    (slice(None, None, -1), slice(None), slice(3, None, -2)),
    Ellipsis, (Ellipsis, 0), (0, Ellipsis), (Ellipsis, slice(1, 3)), (Ellipsis, -1, None), None, (None, 0),
    (0, None, 1),
    (slice(None), None, slice(None), None), (None, Ellipsis, None), (), (True,), True, np.True_, False, (None, True, 0),
    [0], [1, 0], [0, 0, 1], [[0, 1], [1, 1]], [-1, 0], [], (slice(None), [2, 0, 2]),
    (slice(None), [2, 0, 2], slice(1, 3)),
    ([0, 1], [1, 2]), ([0, 1], [1, 2], [3, 3]), ([[0], [1]], [1, 2]), ([0, 1], slice(None), [1, 2]),
    (Ellipsis, [0, 3, 3]),
    ([1, 1, 0], Ellipsis), (0, [1, 1]), ([1, 1], 0), (0, slice(None), [0, 0]), (slice(None), 0, [0, 3]), (None, [0, 1]),
    ([0, 1], None, [0, 1]), np.array(1), np.array([1, 0]), np.int64(1), np.int8([0, 1]), np.uint8([1]),
    (np.int64(0), np.int64(1)),
    MASK, MASK[:, :, 0], MASK[:, 0, 0], (slice(None), np.array([True, False, True])), (0, MASK[0]),
    (Ellipsis, MASK[0, 0]),
    np.zeros((2, 3, 4), bool), (MASK[:, 0, 0], 0), ([True, False],), [True, False], np.array([], int),
    (np.array([0, 1]), slice(0, 2)),
]


@pytest.mark.parametrize("index", INDICES, ids=[str(k) for k in range(len(INDICES))])
def test_reads_and_gradients(index):
    x = leaf(X)
    listed = np.array(index, dtype=None if index else np.int64) if isinstance(index, list) else index
    y, expected = x[index], X[listed]
    assert type(y) is Tensor and y.shape == expected.shape and y.dtype == np.float64
    assert np.array_equal(y.value, expected)
    assert (type(y.value) is np.ndarray) == bool(y.shape)
    seed = np.arange(1.0, expected.size + 1).reshape(expected.shape)
    y.backward(seed)
    g = np.zeros_like(X)
    np.add.at(g, listed, seed)
    assert np.array_equal(x.grad.value, g)
    again = leaf(X)
    first, = ag.gradients(again[index], again, Tensor(seed), create_graph=True)
    assert np.array_equal(first.value, g)
    _, along = ag.jvp(lambda t: t[index], (X,), (X * 2,))
    assert np.array_equal(along, 2 * expected)


def test_tensor_indices():
    x = leaf(X)
    for plain, index in ((1, Tensor(1)), (ROWS, Tensor(ROWS)), (MASK, Tensor(MASK)),
                         ((slice(None), ROWS), (slice(None), Tensor(ROWS))),
                         ((0, ROWS), (Tensor(0), Tensor(ROWS))),
                         ((slice(None), MASK[0, :, 0]), (slice(None), Tensor(MASK[0, :, 0]))),
                         ((ROWS, 0), (Tensor(ROWS), 0)), ([0, 1], [Tensor(0), Tensor(1)])):
        assert np.array_equal(x[index].value, X[plain])
    assert np.array_equal(x[x > 1.5].value, X[X > 1.5])
    assert np.array_equal(x[Tensor(0):Tensor(2), :Tensor(1)].value, X[0:2, :1])
    x[Tensor([0, 0])].sum().backward()
    assert x.grad.value[0].tolist() == (2 * np.ones((3, 4))).tolist() and np.all(x.grad.value[1] == 0)
    for bad in (Tensor(1.0), Tensor([0.0, 1.0]), (slice(None), Tensor([0.5]))):
        with pytest.raises(IndexError):
            x[bad]


def test_an_index_that_is_changed_later_does_not_change_the_gradient():
    x, positions = leaf([1.0, 2.0, 3.0]), [0, 0, 1]
    y = x[positions]
    positions[:] = [2, 2, 2]
    y.sum().backward()
    assert x.grad.tolist() == [2, 1, 0]


def test_repeats_add_up():
    x = leaf([1.0, 2.0])
    (x[[0, 0, 1]] * Tensor(np.array([1.0, 10.0, 100.0]))).sum().backward()
    assert x.grad.tolist() == [11.0, 100.0]


def test_rows_of_a_tensor_that_is_read_element_by_element():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    total = sum(v * v for row in x for v in row)
    total.backward()
    assert total.item() == 30.0 and x.grad.tolist() == [[2, 4], [6, 8]]


def test_zero_dimensional():
    x = leaf(3.0)
    assert x[()].item() == 3.0 and x[...].shape == () and x[None].shape == (1,) and x[None, ..., None].shape == (1, 1)
    (x[None] * x[...]).sum().backward()
    assert x.grad.item() == 6.0
    for bad in (0, slice(None), [0], (0, 0)):
        with pytest.raises(IndexError):
            x[bad]


def test_reads_of_constants_share_memory_and_reads_of_arrays_stay_arrays():
    t = ag.from_numpy(X)
    assert np.shares_memory(t[0].value, X) and not t[0].requires_grad
    assert not np.shares_memory(t[[0]].value, X)


def test_second_derivatives_through_indices():
    x = leaf([1.0, 2.0, 3.0])
    h = ag.hessian(lambda x: (x[[0, 0, 2]] * x[::-1]).sum())(x).value       # x0 x2 + x0 x1 + x2 x0
    assert h.tolist() == [[0, 1, 2], [1, 0, 0], [2, 0, 0]]


# -- functions that choose -------------------------------------------------------------------------------


def test_gather_and_take_along_dim():
    index = np.array([[[0, 2, 1, 0]], [[2, 2, 0, 1]]])
    x = leaf(X)
    y = ag.gather(x, 1, Tensor(index))
    assert np.array_equal(y.value, np.take_along_axis(X, index, 1)) and y.shape == (2, 1, 4)
    y.backward(np.full((2, 1, 4), 3.0))
    g = np.zeros_like(X)
    np.put_along_axis(g, index, 3.0, 1)
    assert np.array_equal(x.grad.value, g)
    short = np.array([[[1, 1]]])                # shorter than x along the other axes: only there
    assert np.array_equal(ag.gather(X, 1, short), X[:1, [1], :2][:, :, :]) and ag.gather(X, -1, short).shape == (1,
        1, 2)
    assert np.array_equal(ag.take_along_dim(x, np.argsort(-X, 1), 1).value, np.sort(X, 1)[:, ::-1])
    assert np.array_equal(ag.take_along_dim(x, np.array([5, 0, 5])).value, X.reshape(-1)[[5, 0, 5]])
    assert np.array_equal(ag.take_along_dim(x, np.array([[[2]]]), 1).value, X[:, 2:])          # broadcast


def test_index_select_and_take():
    x = leaf(X)
    y = ag.index_select(x, 2, Tensor([3, 0, 3]))
    assert np.array_equal(y.value, X[:, :, [3, 0, 3]])
    y.sum().backward()
    assert x.grad.value[0, 0].tolist() == [1, 0, 0, 2]
    assert np.array_equal(ag.take(x, Tensor([[0, 23], [5, 5]])).value, X.reshape(-1)[[[0, 23], [5, 5]]])
    assert np.array_equal(x.index_select(-1, np.array([1])).value, X[:, :, [1]])


def test_scatter_add():
    x, src = leaf(np.zeros((3, 2))), leaf(np.arange(1.0, 7).reshape(3, 2))
    index = Tensor([[0, 0], [0, 2], [2, 2]])
    y = ag.scatter_add(x, 0, index, src)
    assert y.tolist() == [[4, 2], [0, 0], [5, 10]] and x.tolist() == [[0, 0]] * 3
    (y * Tensor(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))).sum().backward()
    assert x.grad.tolist() == [[1, 2], [3, 4], [5, 6]] and src.grad.tolist() == [[1, 2], [1, 6], [5, 6]]


def test_masks():
    x = leaf(X)
    y = ag.masked_select(x, Tensor(MASK))
    assert np.array_equal(y.value, X[MASK])
    (y * 2).sum().backward()
    assert np.array_equal(x.grad.value, 2.0 * MASK)
    assert np.array_equal(x.masked_select(MASK[0]).value, X[np.broadcast_to(MASK[0], X.shape)])
    z = x.masked_fill(MASK[0], -1.0)
    assert np.array_equal(z.value, np.where(MASK[0], -1.0, X)) and z.dtype == np.float64
    assert Tensor([True, False]).masked_fill(Tensor([True, True]), 0).dtype == np.bool_, "the dtype of x stays"
    assert np.array_equal(ag.nonzero(Tensor(MASK)).value, np.argwhere(MASK))


def test_one_hot():
    assert ag.one_hot(Tensor([0, 2, 1])).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert ag.one_hot(Tensor([[0], [1]]), 4).shape == (2, 1, 4) and ag.one_hot(Tensor(1), 3).tolist() == [0, 1, 0]


@pytest.mark.parametrize("f, expected", [
    (lambda x: ag.split(x, 2, 1), lambda a: (a[:, :2], a[:, 2:])),
    (lambda x: ag.split(x, [1, 3], -1), lambda a: (a[..., :1], a[..., 1:])),
    (lambda x: ag.chunk(x, 3, 2), lambda a: (a[..., :2], a[..., 2:])),
    (lambda x: x.unbind(1), lambda a: (a[:, 0], a[:, 1], a[:, 2])),
    (lambda x: [x.roll(1, 2)], lambda a: (np.roll(a, 1, 2),)), (lambda x: [x.roll(-5)], lambda a: (np.roll(a, -5),)),
    (lambda x: [x.flip(0, 2)], lambda a: (a[::-1, :, ::-1],)),
    (lambda x: [x.diagonal(1, 1, 2)], lambda a: (np.diagonal(a, 1, 1, 2),)),
    (lambda x: [x.tril(1), x.triu(1)], lambda a: (np.tril(a, 1), np.triu(a, 1))),
    (lambda x: [x.movedim(0, -1)], lambda a: (np.moveaxis(a, 0, -1),)),
    (lambda x: [ag.stack([x, x], 1)], lambda a: (np.stack([a, a], 1),)),
    (lambda x: [ag.cat([x, x], -1)], lambda a: (np.concatenate([a, a], -1),)),
    (lambda x: [x.tile(2, 1, 2)], lambda a: (np.tile(a, (2, 1, 2)),)),
    (lambda x: [x.repeat(2, 1, 1, 1)], lambda a: (np.tile(a, (2, 1, 1, 1)),)),
    (lambda x: [ag.pad(x, (1, 2))], lambda a: (np.pad(a, ((0, 0), (0, 0), (1, 2))),)),
    (lambda x: [ag.pad(x, (-1, 0, 1, 1), value=5.0)], lambda a: (np.pad(a[..., 1:], ((0, 0), (1, 1), (0, 0)),
        constant_values=5.0),)),
    (lambda x: [x.sort(1).values], lambda a: (np.sort(a, 1),)),
    (lambda x: [x.topk(2, 1).values], lambda a: (np.sort(a, 1)[:, :0:-1],)),
    (lambda x: [x.T, x.mT], lambda a: (a.T, a.swapaxes(-1, -2))),
    (lambda x: [x.unflatten(2, (2, -1))], lambda a: (a.reshape(2, 3, 2, 2),)),
])
def test_pieces_and_arrangements(f, expected):
    x = leaf(X)
    got, wanted = f(x), expected(X)
    assert len(got) == len(wanted) and all(np.array_equal(g.value, w) for g, w in zip(got, wanted, strict=True))
    rng = np.random.default_rng(0)
    seeds = [rng.standard_normal(w.shape) for w in wanted]
    g, = ag.gradients(list(got), x, [Tensor(s) for s in seeds])
    v = rng.standard_normal(X.shape)
    moved = [b.value - a.value for a, b in zip(f(Tensor(X)), f(Tensor(X + 1e-4 * v)), strict=True)]
    assert np.isclose((g.value * v).sum(), sum((s * m).sum() for s, m in zip(seeds, moved, strict=True)) / 1e-4,
                      rtol=1e-6)


def test_assignments_into_leaves_that_require_gradients_are_refused():
    x = leaf(X)
    with pytest.raises(GradientError):
        x[0] = 1.0
    y = x * 2
    y[0] = 1.0
    assert np.array_equal(y.value[1:], 2 * X[1:]) and (y.value[0] == 1).all()
