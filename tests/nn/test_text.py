"""Vocabularies, windows, padding, one-hot rows, series."""

import numpy as np
import pytest

from autograd import Tensor
from nn import data


def test_characters():
    v = data.Vocabulary.of_characters("banana", specials=["<pad>"])
    assert v.tokens == ["<pad>", "a", "b", "n"] and len(v) == 4 and "a" in v and "z" not in v
    assert v.encode("nab").tolist() == [3, 1, 2] and v.decode(v.encode("banana")) == "banana"
    assert v.decode(Tensor([2, 1])) == "ba" and v.encode("").shape == (0,)
    with pytest.raises(KeyError, match="got 'z', 'é'; make it with unknown"):
        v.encode("zaéz")
    assert data.Vocabulary.of_characters("ab", unknown="?").decode([0, 2]) == "?b"
    with pytest.raises(ValueError, match="every token once; got 'a'"):
        data.Vocabulary("aab")


def test_words():
    assert data.words("Don't panic, it's 42!") == ["Don't", "panic", ",", "it's", "42", "!"]
    v = data.Vocabulary.of_words("b a b c b a", specials=["<s>"])
    assert v.tokens == ["<unk>", "<s>", "b", "a", "c"]
    assert v.encode("a zebra b").tolist() == [3, 0, 2] and v.decode([3, 2]) == "a b"
    assert data.Vocabulary.of_words("b a b c b a", max_size=2).tokens == ["<unk>", "b"]
    assert data.Vocabulary.of_words("b a b c b a", min_count=2, unknown=None).tokens == ["b", "a"]
    assert v.encode(["<s>", "c"]).tolist() == [1, 4]


def test_windows():
    w = data.windows(np.arange(10), 4, stride=2)
    assert len(w) == 3 and [part.tolist() for part in w[1]] == [[2, 3, 4, 5], [3, 4, 5, 6]]
    x, y = next(iter(data.DataLoader(w, batch_size=3)))
    assert x.shape == (3, 4) and (y.numpy() == x.numpy() + 1).all()
    with pytest.raises(ValueError, match=r"at least length \+ 1 = 11"):
        data.windows(np.arange(10), 10)


def test_padding():
    parts = [[1], [1, 2, 3], [1, 2]]
    assert data.pad_sequences(parts).tolist() == [[0, 0, 1], [1, 2, 3], [0, 1, 2]]
    assert data.pad_sequences(parts, padding="post", value=-1).tolist() == [[1, -1, -1], [1, 2, 3], [1, 2, -1]]
    assert data.pad_sequences(parts, maxlen=2).tolist() == [[0, 1], [2, 3], [1, 2]]
    assert data.pad_sequences(parts, maxlen=2, truncating="post").tolist() == [[0, 1], [1, 2], [1, 2]]
    assert data.pad_sequences([[], [5]]).tolist() == [[0], [5]] and data.pad_sequences([]).shape == (0, 0)
    assert data.pad_sequences([np.ones((2, 3)), np.ones((1, 3))], dtype="float32").shape == (2, 2, 3)
    with pytest.raises(ValueError, match="padding to be 'pre' or 'post'; got 'left'"):
        data.pad_sequences(parts, padding="left")
    with pytest.raises(ValueError, match="steps of one shape"):
        data.pad_sequences([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="got the int 3 at 1"):
        data.pad_sequences([[1], 3])


def test_one_hot():
    assert data.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert data.to_categorical(np.array([[1], [0]]), 2).tolist() == [[0, 1], [1, 0]]
    for bad in ([3], [-1]):
        with pytest.raises(ValueError, match="labels from 0 to 2"):
            data.to_categorical(bad, 3)
    with pytest.raises(ValueError, match="whole numbers"):
        data.to_categorical([0.5])


def test_series():
    series = np.arange(20.0)
    x, y = next(iter(data.timeseries_dataset_from_array(series, series[5:], 5)))
    assert x.shape == (15, 5) and (y.numpy() == x.numpy()[:, -1] + 1).all()
    x = next(iter(data.timeseries_dataset_from_array(series, None, 3, sequence_stride=4, sampling_rate=2)))[0]
    assert x.tolist() == [[0, 2, 4], [4, 6, 8], [8, 10, 12], [12, 14, 16]]
    with pytest.raises(ValueError, match="at least 30 steps"):
        data.timeseries_dataset_from_array(series, None, 30)
