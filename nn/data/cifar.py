"""CIFAR-10 and CIFAR-100 in their binary version.

A record is one byte of label (CIFAR-100: coarse, then fine) and 3,072 bytes of image: red, green, blue, each 32 x 32 in
rows.  Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009, and the page of the set.
The Python version of the set is pickled, and nothing here loads a pickle.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGE = 3 * 32 * 32
MOST = 10_000                                  # records in a file of CIFAR-10

Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def read_cifar(path: str | os.PathLike[str], labels: int = 1, classes: int = 10) -> Pair:
    """Images (N, 3, 32, 32) uint8 and labels (N,) int64 of one binary file; with labels=2 the last one counts.

    Raises ValueError for a file of another size or kind, and for labels beyond `classes`.
    """
    name, record = os.fspath(path), labels + IMAGE
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if file.read(2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"\x1f\x8b") and size % record:
            raise ValueError(f"read_cifar: expected the binary version; {name!r} is a pickle or an archive, and "
                             "nothing here loads pickles: get cifar-10-binary.tar.gz and unpack it")
        if not size or size % record or size > 6 * MOST * record:
            raise ValueError(f"read_cifar: expected records of {record:,} bytes; got {size:,} bytes in {name!r}, "
                             f"{size / record:.2f} records: the file is truncated or of another format")
        file.seek(0)
        data = np.frombuffer(file.read(size), np.uint8).reshape(-1, record)
    found = data[:, labels - 1].astype(np.int64)
    if found.max() >= classes:
        raise ValueError(f"read_cifar: expected labels from 0 to {classes - 1}; got {found.max()} in record "
                         f"{int(found.argmax())} of {name!r}: the file is damaged or of another format")
    return data[:, labels:].reshape(-1, 3, 32, 32).copy(), found


def cifar10(folder: str | os.PathLike[str], train: bool = True) -> Pair:
    """Images (N, 3, 32, 32) float32 from 0 to 1 and labels (N,) int64 of a folder that holds the `.bin` files.

    Names of the classes: `nn.data.cifar.CLASSES`.  Raises FileNotFoundError and ValueError as `read_cifar` and `mnist`.
    """
    root = Path(folder)
    if not root.joinpath("test_batch.bin").exists() and root.joinpath("cifar-10-batches-bin").is_dir():
        root /= "cifar-10-batches-bin"
    names = [f"data_batch_{k}.bin" for k in range(1, 6)] if train else ["test_batch.bin"]
    missing = [name for name in names if not (root / name).is_file()]
    if missing:
        there = sorted(p.name for p in root.iterdir())[:6] if root.is_dir() else None
        raise FileNotFoundError(f"cifar10: expected {', '.join(missing)} in {str(root)!r}; got "
                                f"{'no such folder' if there is None else ', '.join(there) or 'an empty folder'}; the "
                                "library downloads nothing: unpack cifar-10-binary.tar.gz there")
    parts = [read_cifar(root / name) for name in names]
    images, labels = (np.concatenate(part) for part in zip(*parts))
    return images.astype(np.float32) / np.float32(255), labels
