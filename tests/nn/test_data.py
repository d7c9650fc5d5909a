"""nn.data: the orders and batches are those of PyTorch, and quick for arrays."""

import numpy as np
import pytest

import autograd
from autograd import ShapeError, Tensor
from nn.data import DataLoader, Dataset, Subset, TensorDataset, default_collate, random_split

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


class Squares(Dataset):
    """Samples made by Python, one at a time."""

    def __len__(self):
        return 7

    def __getitem__(self, i):
        if not 0 <= i < 7:
            raise IndexError(i)
        return np.array([i, i * i], np.float32), i


class Augmented(TensorDataset):
    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return x + 100, y


def ys(loader):
    return [y.tolist() for _, y in loader]


# -- data sets -------------------------------------------------------------------------------------------


def test_tensor_dataset_shares_its_tensors_and_gives_tuples():
    data = TensorDataset(X, Tensor(Y))
    assert len(data) == 10 and np.shares_memory(data.tensors[0].value, X)
    x, y = data[3]
    assert x.tolist() == [6, 7] and y.item() == 3 and isinstance(data[3], tuple)
    assert data[-1][1].item() == 9 and data[2:4][0].shape == (2, 2)
    with pytest.raises(IndexError):
        data[10]


@pytest.mark.parametrize(("tensors", "kind", "text"), [
    ((X, Y[:9]), ShapeError, "TensorDataset: all tensors need the same number of samples (size of the first axis); "
                             "got 10, 9 (shapes (10, 2), (9,))"),
    ((X, 1.0), ShapeError,
     "TensorDataset: each tensor needs a first axis that counts the samples; got shapes (10, 2), ()"),
    ((), TypeError, "TensorDataset() needs at least one tensor: TensorDataset(x, y)"),
])
def test_tensor_dataset_says_what_does_not_fit(tensors, kind, text):
    with pytest.raises(kind) as error:
        TensorDataset(*tensors)
    assert str(error.value) == text


def test_a_dataset_without_getitem_says_so():
    with pytest.raises(NotImplementedError, match="Dataset does not define __getitem__"):
        Dataset()[0]


def test_a_subset_maps_indices_also_below_another():
    inner = Subset(TensorDataset(X, Y), [8, 6, 4, 2])
    outer = Subset(inner, [3, 0])
    assert len(outer) == 2 and [outer[i][1].item() for i in (0, 1)] == [2, 8]
    assert ys(DataLoader(outer, 2)) == [[2, 8]]
    assert [s[1].item() for s in outer.__getitems__([1, 0])] == [8, 2]
    assert ys(DataLoader(Subset(Squares(), [5, 1]), 2)) == [[5, 1]]


# -- random_split ----------------------------------------------------------------------------------------


def test_random_split_is_a_partition_and_follows_its_generator():
    parts = random_split(TensorDataset(X, Y), [7, 3], generator=np.random.default_rng(1))
    assert [len(p) for p in parts] == [7, 3] and sorted(parts[0].indices + parts[1].indices) == list(range(10))
    assert random_split(X, [7, 3], 1)[0].indices == parts[0].indices
    autograd.manual_seed(1)
    assert random_split(X, [7, 3])[0].indices == parts[0].indices


@pytest.mark.parametrize(("n", "fractions", "sizes"), [
    (10, [0.5, 0.5], [5, 5]), (10, [0.33, 0.33, 0.34], [4, 3, 3]), (7, [0.1, 0.2, 0.7], [1, 2, 4]), (10, [1], [10]),
    (9, [0.5, 0.5], [5, 4]), (10, [10], [10]), (3, [3, 0], [3, 0])])
def test_random_split_by_fractions_as_in_pytorch(n, fractions, sizes):
    assert [len(p) for p in random_split(range(n), fractions)] == sizes


def test_random_split_warns_of_an_empty_part():
    with pytest.warns(UserWarning, match=r"part 1 is empty: 0.1 of 4 samples"):
        assert [len(p) for p in random_split(range(4), [0.9, 0.1], 0)] == [4, 0]


@pytest.mark.parametrize(("lengths", "text"), [
    ([5, 4], "random_split: the lengths must add up to the size of the data set, 10; got [5, 4], which add up to 9"),
    ([0.5, 0.4], "random_split: the fractions must add up to 1; got [0.5, 0.4], which add up to 0.9"),
    ([11, -1], "random_split: lengths cannot be negative; got [11, -1]")])
def test_random_split_refuses_lengths_that_do_not_add_up(lengths, text):
    with pytest.raises(ValueError) as error:
        random_split(X, lengths)
    assert str(error.value) == text


# -- DataLoader ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [TensorDataset(X, Y), Subset(TensorDataset(X, Y), range(10)), list(zip(X, Y))])
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5, 10, 11])
def test_batches_in_order(data, size, drop):
    loader = DataLoader(data, batch_size=size, drop_last=drop)
    whole = [list(range(i, min(i + size, 10))) for i in range(0, 10, size)]
    expected = [b for b in whole if len(b) == size or not drop]
    assert ys(loader) == expected and len(loader) == len(expected)
    for x, y in loader:
        assert isinstance(x, Tensor) and x.tolist() == X[y.tolist()].tolist()


def test_a_batch_is_a_list_and_a_copy():
    data = TensorDataset(X.copy(), Y)
    batch = next(iter(DataLoader(data, 4)))
    assert isinstance(batch, list)
    batch[0][0] = 99.0
    assert data[0][0].tolist() == [0, 1]


def test_each_pass_has_a_fresh_order_and_seeds_repeat_it():
    def passes(**settings):
        loader = DataLoader(TensorDataset(X, Y), 10, shuffle=True, **settings)
        return [ys(loader)[0] for _ in range(3)]
    first = passes(seed=3)
    assert first == passes(generator=np.random.default_rng(3)) == passes(generator=3)
    assert first[0] != first[1] and all(sorted(order) == list(range(10)) for order in first)
    autograd.manual_seed(3)
    assert passes() == first
    assert passes() != first                                     # the library's generator has moved on


def test_the_quick_way_and_the_general_one_give_the_same_batches():
    quick = DataLoader(TensorDataset(X, Y), 3, shuffle=True, seed=5)
    general = DataLoader(list(zip(X, Y)), 3, shuffle=True, seed=5)
    assert ys(quick) == ys(general)


def test_a_dataset_with_getitem_of_its_own_is_not_gone_round():
    x, _ = next(iter(DataLoader(Augmented(X, Y), 4)))
    assert x.tolist() == (X[:4] + 100).tolist()


def test_gradients_flow_into_tensors_that_require_them():
    x = Tensor(np.ones((4, 2), np.float32), requires_grad=True)
    (batch,) = next(iter(DataLoader(TensorDataset(x), 3)))
    batch.sum().backward()
    assert x.grad.tolist() == [[1, 1], [1, 1], [1, 1], [0, 0]]


def test_samplers():
    data = TensorDataset(X, Y)
    assert ys(DataLoader(data, 2, sampler=[9, 1, 5])) == [[9, 1], [5]]
    assert len(DataLoader(data, 2, sampler=[9, 1, 5])) == 2
    assert ys(DataLoader(data, batch_sampler=[[1, 2, 3], [0]])) == [[1, 2, 3], [0]]
    assert ys(DataLoader(Squares(), 2, sampler=iter([3, 4, 0]))) == [[3, 4], [0]]
    assert len(DataLoader(data, batch_sampler=[[1, 2, 3], [0]])) == 2


def test_without_batches():
    assert [y.item() for _, y in DataLoader(TensorDataset(X, Y), batch_size=None)] == list(range(10))
    x, i = next(iter(DataLoader(Squares(), batch_size=None)))
    assert isinstance(x, Tensor) and i == 0


def test_an_iterable_is_read_in_its_own_order():
    loader = DataLoader((float(i) for i in range(5)), batch_size=2)
    assert [b.tolist() for b in loader] == [[0, 1], [2, 3], [4]]
    with pytest.raises(ValueError, match="generator has no indices to shuffle"):
        DataLoader((i for i in range(3)), shuffle=True)


def test_what_pytorch_code_passes_is_accepted():
    loader = DataLoader(TensorDataset(X, Y), batch_size=4, num_workers=2, pin_memory=True, persistent_workers=True)
    assert len(list(loader)) == 3


def test_collate_fn_gets_the_samples():
    assert [len(b) for b in DataLoader(TensorDataset(X, Y), 4, collate_fn=list)] == [4, 4, 2]


@pytest.mark.parametrize(("settings", "kind", "text"), [
    ({"batch_size": 0}, ValueError, "DataLoader: batch_size must be a positive integer; got 0"),
    ({"batch_size": 2.0}, TypeError, "DataLoader: batch_size must be a positive integer; got float 2.0"),
    ({"shuffle": True, "sampler": [1]}, ValueError,
     "DataLoader: sampler and shuffle exclude each other: the sampler says the order"),
    ({"batch_sampler": [[1]], "shuffle": True}, ValueError,
     "DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last"),
    ({"batch_size": None, "drop_last": True}, ValueError,
     "DataLoader: drop_last needs a batch_size; got batch_size=None"),
    ({"seed": 1, "generator": 2}, ValueError, "give a generator or a seed, not both; got generator=2 and seed=1"),
    ({"seed": 1.5}, TypeError, "generator: expected a np.random.Generator or an integer seed; got float"),
])
def test_settings_that_do_not_fit(settings, kind, text):
    with pytest.raises(kind) as error:
        DataLoader(TensorDataset(X, Y), **settings)
    assert str(error.value) == text


def test_what_is_no_data_set():
    with pytest.raises(TypeError, match="expected a data set with __getitem__ and __len__, or an iterable; got int"):
        DataLoader(3)
    with pytest.raises(ValueError, match="the data set to shuffle is empty"):
        DataLoader([], shuffle=True)
    assert list(DataLoader([])) == [] and len(DataLoader([])) == 0


# -- collate ---------------------------------------------------------------------------------------------


def test_default_collate():
    from collections import namedtuple
    point = namedtuple("point", "x y")
    assert default_collate([1, 2]).dtype == np.int64
    assert default_collate([1.0, 2.0]).dtype == np.float32                # as Python floats are everywhere here
    assert default_collate([np.float64(1), np.float64(2)]).dtype == np.float64
    assert default_collate([Tensor([1.0]), Tensor([2.0])]).tolist() == [[1], [2]]
    assert default_collate(["a", "b"]) == ["a", "b"]
    pair = default_collate([(1, np.ones(2)), (2, np.zeros(2))])
    assert isinstance(pair, list) and pair[0].tolist() == [1, 2] and pair[1].shape == (2, 2)
    assert default_collate([{"a": 1}, {"a": 2}])["a"].tolist() == [1, 2]
    assert default_collate([point(1, 2), point(3, 4)]).y.tolist() == [2, 4]
    with pytest.raises(TypeError, match="got object: pass a collate_fn"):
        default_collate([object()])
    with pytest.raises(TypeError, match="the same number of parts; got \\[1, 2\\]"):
        default_collate([(1,), (1, 2)])
    with pytest.raises(ShapeError):
        default_collate([np.ones(2), np.ones(3)])
