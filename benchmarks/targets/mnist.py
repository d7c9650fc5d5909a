"""MNIST, for those who have its four files: Nielsen's network of 30 sigmoids, and Keras's two layers of 512.

Sources: M. Nielsen, "Neural networks and deep learning", chapters 1 and 3; Keras, examples/mnist_mlp.py.
"""

from __future__ import annotations

import gzip
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import nn
import optim

from .outcome import Outcome, Target, at_least, percent

FILES = ("train-images", "idx3"), ("train-labels", "idx1"), ("t10k-images", "idx3"), ("t10k-labels", "idx1")


def idx(path: Path) -> Any:
    """The array of unsigned bytes in an IDX file: two zeros, 8 for the type, the number of axes, their lengths as
    big-endian 32-bit integers, the bytes.  ValueError says what is wrong with it."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: expected an IDX file of unsigned bytes, which begins with 00 00 08; got "
                         f"{data[:4].hex(' ') or 'nothing'}")
    axes = data[3]
    shape = tuple(np.frombuffer(data, ">i4", axes, 4).tolist()) if len(data) >= 4 + 4 * axes else ()
    body = data[4 + 4 * axes:]
    if not shape or min(shape) < 0 or len(body) != np.prod(shape, dtype=np.int64):
        wanted = f"{'x'.join(map(str, shape))} bytes" if shape else f"the lengths of {axes} axes"
        raise ValueError(f"{path}: expected {wanted}; got {len(body):,} bytes: the file is truncated, or another")
    return np.frombuffer(body, np.uint8).reshape(shape)


def mnist(folder: Path) -> list[Any]:
    """Training images (n, 784) in [0, 1] and labels, then those of the test."""
    found = []
    for name, kind in FILES:
        paths = [folder / f"{name}{dot}{kind}-ubyte{end}" for dot in "-." for end in ("", ".gz")]
        path = next((path for path in paths if path.exists()), None)
        if path is None:
            raise FileNotFoundError(f"{folder}: expected {paths[0].name}, or {paths[1].name}; there is neither")
        array = idx(path)
        found.append(array.reshape(len(array), -1).astype("float32") / 255 if "images" in name else array.astype(int))
    for (name, _), images, labels in zip(FILES[::2], found[::2], found[1::2]):
        if len(images) != len(labels):
            raise ValueError(f"{folder}: {name} has {len(images):,} images; its labels are {len(labels):,}")
    return found


def fitted(network: Any, optimizer: Any, loss: Any, data: list[Any], epochs: int, batch: int) -> float:
    """The accuracy on the test images, in percent, after so many epochs."""
    x, y, x_test, y_test = data
    target = np.eye(10, dtype="float32")[y] if loss is squared else y
    model = nn.Model(network)
    model.compile(optimizer, loss)
    model.fit(x, target, epochs=epochs, batch_size=batch, verbose=0)
    return percent((model.predict(x_test, verbose=0).argmax(1) == y_test).mean())


def squared(output: Any, target: Any) -> Any:
    """Nielsen's cost: half the squared distance, the mean over the batch."""
    return 0.5 * ((output - target) ** 2).sum(1).mean()


def nielsen(data: list[Any]) -> float:
    """784-30-10 sigmoids, weights and biases N(0, 1), descent with rate 3 and batches of 10, 30 epochs, on 50,000."""
    network = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid())
    for p in network.parameters():
        nn.init.normal_(p)
    first = [array[:50_000] for array in data[:2]] + data[2:]
    return fitted(network, lambda parameters: optim.SGD(parameters, lr=3.0), squared, first, 30, 10)


def keras(data: list[Any]) -> float:
    """784-512-512-10, ReLU, dropout 0.2, RMSprop (Keras's rate and epsilon), 20 epochs of batches of 128."""
    network = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 512), nn.ReLU(),
                            nn.Dropout(0.2), nn.Linear(512, 10))
    for layer in network[0], network[3], network[6]:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    return fitted(network, lambda parameters: optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=1e-7),
                  "sparse_categorical_crossentropy", data, 20, 128)


def digits(options: Namespace) -> Iterator[Outcome]:
    """The book's number is the best of 30 epochs, ours that after the last."""
    data = mnist(options.mnist)
    yield at_least("MNIST, Nielsen's 784-30-10: test accuracy", 95.42, nielsen(data), 0.8, digits=4, unit=" %")
    yield at_least("MNIST, Keras's MLP 512-512: test accuracy", 98.40, keras(data), 0.3, digits=4, unit=" %")


TARGETS = {
    "mnist": Target(digits, "MNIST, Nielsen 784-30-10 and Keras 512-512", "95.42, 98.40 %", file="mnist", slow=True),
}
