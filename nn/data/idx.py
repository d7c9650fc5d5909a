"""MNIST and its kin: files in the IDX format, compressed with gzip or not.

A file is two zero bytes, a byte for the kind of number, a byte for the number of axes, each size as four bytes (big
endian), and the numbers, big endian, in C order.  Source: LeCun, Cortes, Burges, "The MNIST database".
"""

from __future__ import annotations

import os
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST = 2 << 30                                 # bytes of numbers: no file of this format is near it
FILES = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}

Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def read_idx(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """The array in an IDX file, of the shape and kind of number the file says; `.gz` is opened on the way.

    Raises ValueError for a file that is no IDX file, is truncated, goes on after its end, or claims an absurd size.
    """
    name = os.fspath(path)
    with open(path, "rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        file: Any = raw
        if zipped:
            import gzip
            file = gzip.GzipFile(fileobj=raw)
        try:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in KINDS:
                raise ValueError(f"read_idx: expected an IDX file, which begins 00 00, kind of number, axes; got "
                                 f"{head.hex(' ') or 'an empty file'} in {name!r}{_guess(head)}")
            dtype, axes = np.dtype(KINDS[head[2]]), head[3]
            sizes = file.read(4 * axes)
            if len(sizes) < 4 * axes:
                raise ValueError(f"read_idx: {name!r} ends within its head: it was not downloaded whole")
            shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
            wanted = prod(shape) * dtype.itemsize
            if wanted > MOST:
                raise ValueError(f"read_idx: expected at most {MOST:,} bytes of numbers; {name!r} claims shape "
                                 f"{shape}, {wanted:,} bytes: the file is damaged")
            body = file.read(wanted + 1)       # one more: to see that nothing follows
        except (EOFError, zlib.error, OSError) as error:
            raise ValueError(f"read_idx: {name!r} cannot be decompressed ({error}): it was not downloaded whole"
                             ) from error
    if len(body) != wanted:
        raise ValueError(f"read_idx: expected {wanted:,} bytes of numbers for shape {shape}; got "
                         f"{f'only {len(body):,}' if len(body) < wanted else 'more'} in {name!r}: the file is "
                         f"{'truncated; download it again' if len(body) < wanted else 'damaged, or of another format'}")
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def mnist(folder: str | os.PathLike[str], train: bool = True, classes: int = 10) -> Pair:
    """Images (N, 1, 28, 28) float32 from 0 to 1 and labels (N,) int64 of MNIST, Fashion-MNIST, KMNIST, ... in a folder.

    The folder holds `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (`t10k-` for train=False), or these names
    with `.gz`, or with a dot in place of the second hyphen.  They are at yann.lecun.com/exdb/mnist and its mirrors.

    Raises FileNotFoundError with what was looked for, ValueError for damaged files, for images and labels that do not
    belong together, and for labels beyond `classes`.
    """
    paths = {kind: _find(Path(folder), ("train-" if train else "t10k-") + name) for kind, name in FILES.items()}
    images, labels = read_idx(paths["images"]), read_idx(paths["labels"])
    if images.ndim != 3 or labels.ndim != 1:
        raise ValueError(f"mnist: expected images (N, H, W) and labels (N,); got {images.shape} in "
                         f"{paths['images'].name} and {labels.shape} in {paths['labels'].name}: are they swapped?")
    if len(images) != len(labels):
        raise ValueError(f"mnist: expected as many labels as images; got {len(images)} images in "
                         f"{paths['images'].name} and {len(labels)} labels in {paths['labels'].name}: of two sets?")
    if labels.size and int(labels.max()) >= classes:
        raise ValueError(f"mnist: expected labels from 0 to {classes - 1}; got {labels.max()} in "
                         f"{paths['labels'].name}; is it another set? give classes=")
    return images[:, None].astype(np.float32) / np.float32(255), labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    names = [form + end for form in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
    for candidate in names:
        if (folder / candidate).is_file():
            return folder / candidate
    there = sorted(p.name for p in folder.iterdir())[:6] if folder.is_dir() else None
    raise FileNotFoundError(f"mnist: expected {' or '.join(names)} in {str(folder)!r}; got "
                            f"{'no such folder' if there is None else ', '.join(there) or 'an empty folder'}; the "
                            "library downloads nothing: put the files there")


def _guess(head: bytes) -> str:
    """What a file is that is taken for an IDX file."""
    kinds = {b"<!DO": "a web page: the download failed", b"<htm": "a web page: the download failed",
             b"\x89PNG": "a PNG image", b"PK\x03\x04": "a zip file: unpack it first", b"\x80\x04\x95": "a pickle"}
    return next((f", {what}" for start, what in kinds.items() if head.startswith(start[:4])), "")
