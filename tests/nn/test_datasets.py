"""Data sets made of others, samplers, drawn and embedded sets, batches made ahead of time."""

import threading
import time

import numpy as np
import pytest

import autograd
import nn
from nn import data


class Slow(data.Dataset):
    def __init__(self, n, fail=None):
        self.n, self.fail = n, fail

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i == self.fail:
            raise RuntimeError(f"sample {i} cannot be read")
        return np.float32(i), i


class Lines(data.IterableDataset):
    def __init__(self, *lines):
        self.lines = lines

    def __iter__(self):
        return iter(self.lines)


def values(loader):
    return [batch.tolist() if not isinstance(batch, list) else batch[0].tolist() for batch in loader]


def test_joined():
    joined = data.ConcatDataset([range(3), range(10, 12)])
    assert [joined[i] for i in range(5)] == [0, 1, 2, 10, 11] and joined[-1] == 11 and len(joined) == 5
    with pytest.raises(IndexError, match="from -5 to 4; got 5"):
        joined[5]
    assert list(Lines(1, 2) + Lines(3)) == [1, 2, 3]
    assert data.StackDataset(range(3), range(5, 8))[1] == (1, 6)
    assert data.StackDataset(x=range(3), y=range(5, 8))[1] == {"x": 1, "y": 6}
    with pytest.raises(ValueError, match="of one size; got sizes 3, 2"):
        data.StackDataset(range(3), range(2))
    with pytest.raises(TypeError, match="ChainDataset takes iterable ones"):
        data.ConcatDataset([Lines(1)])
    changed = data.Transformed(data.TensorDataset(np.arange(4.0), np.arange(4)), lambda x: x * 2, lambda y: y + 1)
    assert [float(v) for v in changed[3]] == [6, 4]


def test_a_stream_of_samples():
    loader = data.DataLoader(Lines(1.0, 2.0, 3.0), batch_size=2)
    assert values(loader) == [[1, 2], [3]] == values(loader)
    with pytest.raises(ValueError, match="no indices to shuffle"):
        data.DataLoader(Lines(1), shuffle=True)


def test_samplers():
    assert list(data.SequentialSampler(range(4))) == [0, 1, 2, 3]
    order = list(data.RandomSampler(range(50), generator=0))
    assert sorted(order) == list(range(50)) != order
    assert len(list(data.RandomSampler(range(5), num_samples=12, generator=0))) == 12
    assert set(data.RandomSampler(range(3), replacement=True, num_samples=60, generator=0)) == {0, 1, 2}
    assert sorted(data.SubsetRandomSampler([7, 9, 4], generator=0)) == [4, 7, 9]
    assert list(data.BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert len(data.BatchSampler(range(5), 2, True)) == 2 == len(list(data.BatchSampler(range(5), 2, True)))
    drawn = list(data.WeightedRandomSampler([1, 0, 3], 4000, generator=0))
    assert abs(drawn.count(2) / 4000 - 0.75) < 0.03 and 1 not in drawn
    assert sorted(data.WeightedRandomSampler([1, 0, 3], 2, replacement=False)) == [0, 2]
    for weights, number in (([-1, 2], 1), ([0, 0], 1), ([np.nan], 1)):
        with pytest.raises(ValueError, match="not all zero"):
            data.WeightedRandomSampler(weights, number)
    with pytest.raises(ValueError, match="at least 2 positive weights"):
        data.WeightedRandomSampler([1, 0], 2, replacement=False)
    loader = data.DataLoader(Slow(10), batch_sampler=data.BatchSampler(data.RandomSampler(range(10)), 4, True))
    assert len(loader) == 2 == len(values(loader))


@pytest.mark.parametrize("make", [
    lambda w: data.DataLoader(data.TensorDataset(np.arange(20.0), np.arange(20)), 6, shuffle=True, num_workers=w),
    lambda w: data.DataLoader(Slow(20), 6, shuffle=True, drop_last=True, num_workers=w),
    lambda w: data.DataLoader(Slow(20), 6, sampler=data.RandomSampler(range(20)), num_workers=w),
    lambda w: data.DataLoader(Slow(20), batch_sampler=data.BatchSampler(data.RandomSampler(range(20)), 3, False),
                              num_workers=w),
    lambda w: data.DataLoader(Lines(*map(float, range(7))), 3, num_workers=w),
    lambda w: data.DataLoader(Slow(5), batch_size=None, num_workers=w)])
def test_batches_made_ahead_are_the_same(make):
    """Also when the training loop draws from the stream of the library between them."""
    runs = []
    for workers in (0, 2):
        autograd.manual_seed(3)
        loader = make(workers)
        run = []
        for _ in range(2):
            for batch in loader:
                run.append(str(batch))
        runs.append(run)
    assert runs[0] == runs[1]


def test_made_ahead_while_the_loop_works():
    before = threading.active_count()
    loader = data.DataLoader(Slow(50), 1, num_workers=1, prefetch_factor=3)
    for k, _ in enumerate(loader):
        if k == 4:
            break
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="sample 7 cannot be read"):
        list(data.DataLoader(Slow(20, fail=7), 2, num_workers=1))
    assert threading.active_count() == before
    with pytest.raises(ValueError, match="num_workers must be an integer"):
        data.DataLoader(Slow(3), num_workers=-1)
    with pytest.raises(ValueError, match="give num_workers=1"):
        data.DataLoader(Slow(3), prefetch_factor=2)


def test_a_model_learns_from_batches_made_ahead():
    x, y = data.moons(200, seed=0)
    losses = []
    for workers in (0, 1):
        autograd.manual_seed(0)
        model = nn.Model(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)))
        model.compile("adam", "cross_entropy")
        history = model.fit(data.DataLoader(data.TensorDataset(x, y), 32, shuffle=True, num_workers=workers),
                            epochs=3, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "blobs", "xor"])
def test_classes_in_the_plane(name):
    make = getattr(data, name)
    x, y = make(101, seed=1)
    assert x.shape == (101, 2) and y.shape == (101,) and x.dtype == np.float32 and y.dtype == np.int64
    assert np.ptp(np.bincount(y)) <= 1 or name == "xor"
    assert np.array_equal(x, make(101, seed=1)[0]) and not np.array_equal(x, make(101, seed=2)[0])
    autograd.manual_seed(5)
    first = make(20)[0]
    autograd.manual_seed(5)
    assert np.array_equal(first, make(20)[0])
    with pytest.raises(ValueError, match="positive integer"):
        make(0)


def test_shapes_of_the_drawn_sets():
    x, y = data.moons(500, noise=0, seed=0)
    assert np.allclose(np.hypot(*x[y == 0].T), 1, atol=1e-6)
    assert np.allclose(np.hypot(x[y == 1, 0] - 1, x[y == 1, 1] - 0.5), 1, atol=1e-6)
    x, y = data.circles(400, noise=0, factor=0.3, seed=0)
    assert np.allclose(np.hypot(*x.T), np.where(y == 0, 1, 0.3), atol=1e-6)
    x, y = data.blobs(300, [[0, 0, 0], [9, 9, 9]], std=0.1, seed=0)
    assert np.abs(x - 9 * y[:, None]).max() < 1
    x, y = data.xor(300, seed=0)
    assert np.array_equal(y, (x[:, 0] * x[:, 1] < 0))
    x, y = data.sine(50, noise=0, seed=0)
    assert np.allclose(np.sin(x[:, 0]), y, atol=1e-6) and x.shape == (50, 1)
    x, y = data.swiss_roll(50, seed=0)
    assert np.allclose(np.hypot(x[:, 0], x[:, 2]), y, rtol=1e-5)


@pytest.mark.parametrize("name, shape, classes", [("digits", (1797, 1, 8, 8), 10), ("iris", (150, 4), 3),
                                                  ("wine", (178, 13), 3), ("breast_cancer", (569, 30), 2)])
def test_embedded_sets(name, shape, classes):
    table = getattr(data, name)()
    assert table.x.shape == shape and table.x.dtype == np.float32 and np.isfinite(table.x).all()
    assert table.y.dtype == np.int64 and set(table.y) == set(range(classes)) and len(table.classes) == classes
    assert not table.features or len(table.features) == shape[1]
    x, y = table.xy
    assert x is table.x and y is table.y


def test_diabetes():
    table = data.diabetes()
    assert table.x.shape == (442, 10) and table.y.dtype == np.float32 and len(table.features) == 10


def test_every_name_is_there():
    for name in data.__all__:
        assert getattr(data, name).__doc__, name
    with pytest.raises(AttributeError, match=r"nn.data' has no attribute 'moon'"):
        data.moon  # noqa: B018
