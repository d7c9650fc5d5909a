"""The targets that need a file, on small files of the same format, good and bad."""

from __future__ import annotations

import gzip
import struct
from math import log

import numpy as np
import pytest

from autograd import Tensor, manual_seed
from benchmarks.targets import characters, mnist


def idx(array):
    """The bytes of an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    """Forty "images" whose label is the bright row."""
    rng = np.random.default_rng(0)
    for name, kind in mnist.FILES:
        labels = np.arange(40) % 10
        images = rng.integers(0, 50, (40, 28, 28))
        images[np.arange(40), 2 * labels] = 255
        data = idx(images if kind == "idx3" else labels)
        zipped = name == "train-images"
        path = tmp_path / f"{name}-{kind}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(data) if zipped else data)
    return tmp_path


def test_mnist_reads_images_and_labels(folder):
    x, y, x_test, y_test = mnist.mnist(folder)
    assert x.shape == x_test.shape == (40, 784) and x.dtype == np.float32 and x.max() == 1.0
    assert (y == y_test).all() and (x.reshape(40, 28, 28)[np.arange(40), 2 * y] == 1).all()


def test_both_networks_learn(folder, monkeypatch):
    manual_seed(0)
    fitted = mnist.fitted
    monkeypatch.setattr(mnist, "fitted", lambda *a: fitted(*a[:-2], 20 if a[2] is mnist.squared else 3, 10))
    data = mnist.mnist(folder)
    assert mnist.nielsen(data) > 50 and mnist.keras(data) > 80


@pytest.mark.parametrize("damage, said", [
    (lambda data: data[:-1], "truncated"),
    (lambda data: data[:9], "truncated"),
    (lambda data: b"\x89PNG" + data[4:], "00 00 08"),
    (lambda data: b"", "nothing"),
    (lambda data: data[:4] + b"\xff" + data[5:], "truncated, or another"),
])
def test_a_damaged_file_is_told_of(folder, damage, said):
    path = folder / "train-labels-idx1-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=said) as caught:
        mnist.mnist(folder)
    assert path.name in str(caught.value)


def test_a_file_that_is_not_there_and_files_that_do_not_fit(folder):
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(np.zeros(39)))
    with pytest.raises(ValueError, match="40 images; its labels are 39"):
        mnist.mnist(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=path.name):
        mnist.mnist(folder)


def test_bigrams_are_counted_with_start_and_end(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("ab\nb\n")
    counts, letters = characters.bigrams(path)
    assert letters == [".", "a", "b"]
    assert counts.tolist() == [[0, 1, 1], [0, 0, 1], [2, 0, 0]]            # .a .b, ab, b. b.
    assert characters.nats(counts, 0) == pytest.approx(2 * log(2) / 5)
    assert characters.nats(counts, 1) == pytest.approx(-(2 * log(2 / 5) + log(2 / 4) + 2 * log(3 / 5)) / 5)
    assert 0 <= characters.neural(counts) - characters.nats(counts, 0) < 1e-4
    path.write_text("\n")
    with pytest.raises(ValueError, match="empty"):
        characters.bigrams(path)


def test_the_transformer_sees_no_later_letter():
    manual_seed(0)
    model = characters.GPT(11)
    x = np.random.default_rng(0).integers(0, 11, (2, 20))
    other = x.copy()
    other[:, 12:] = (other[:, 12:] + 1) % 11
    a, b = (model(Tensor(tokens)).detach().numpy() for tokens in (x, other))
    np.testing.assert_allclose(a[:, :12], b[:, :12], atol=1e-6)
    assert np.abs(a[:, 12:] - b[:, 12:]).max() > 1e-3
    assert a.shape == (2, 20, 11) and "symbols.weight" in dict(model.named_parameters())


def test_a_text_is_coded_and_measured(tmp_path):
    path = tmp_path / "input.txt"
    path.write_text("abac" * 400)
    train, test, symbols = characters.read(path)
    assert symbols == 3 and (len(train), len(test)) == (1440, 160)
    single, pairs = characters.without_network(train, test, symbols)
    assert single == pytest.approx(0.5 * log(2) + 0.5 * log(4), rel=1e-2)
    assert pairs == pytest.approx(0.5 * log(2), rel=2e-2)                   # after a: b or c; after those: a
    path.write_text("too short")
    with pytest.raises(ValueError, match="1,280 letters"):
        characters.read(path)


def test_the_rate_rises_and_falls():
    rates = [characters.rate(step) for step in range(characters.STEPS)]
    assert np.argmax(rates) == 100 and rates[100] == pytest.approx(1e-3) and rates[-1] == pytest.approx(1e-4, rel=1e-3)


def test_the_transformer_learns_a_text_that_repeats(tmp_path, monkeypatch):
    for name, value in {"LAYERS": 1, "WIDTH": 32, "CONTEXT": 16, "BATCH": 8}.items():
        monkeypatch.setattr(characters, name, value)
    manual_seed(0)
    path = tmp_path / "input.txt"
    path.write_text("to be or not to be. " * 200)
    learned, unseen = characters.train(*characters.read(path), steps=60, batches=3)
    assert learned < 1.9 and unseen < 1.9                                  # 2.2 by the frequencies of its letters
