"""What holds samples: `dataset[i]` is one of them, `len(dataset)` how many there are."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import floor, isclose
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor, as_tensor, default_rng
from autograd.tensor import wrap


class Dataset:
    """A map from indices to samples.  Subclasses define `__getitem__(index)` and `__len__()`.

    `__getitems__(indices)`, where it is defined, fetches a list of samples at once (as in PyTorch).
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__(index), which gives one sample")


class TensorDataset(Dataset):
    """Tensors whose rows belong together: sample i is `(tensors[0][i], tensors[1][i], ...)`.

    TensorDataset(x, y): tensors or arrays of shapes (N, ...), of one and the same N; memory is shared, not copied.

    Raises ShapeError for different N, TypeError for data that are no tensors.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise TypeError("TensorDataset() needs at least one tensor: TensorDataset(x, y)")
        self.tensors = tuple(as_tensor(t) for t in tensors)
        shapes = [t.shape for t in self.tensors]
        if not all(shapes):
            raise ShapeError(f"TensorDataset: each tensor needs a first axis that counts the samples; got shapes "
                             f"{', '.join(map(str, shapes))}")
        if len({shape[0] for shape in shapes}) > 1:
            raise ShapeError("TensorDataset: all tensors need the same number of samples (size of the first axis); got "
                             f"{', '.join(str(shape[0]) for shape in shapes)} (shapes {', '.join(map(str, shapes))})")

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def rows(self, indices: Any) -> list[Tensor]:
        """The samples at many indices as one batch:  indices (B,) -> tensors of shapes (B, ...), copied."""
        return [wrap(t.value.take(indices, 0)) if t.node is None else t[indices]
                for t in self.tensors]


class Subset(Dataset):
    """Some samples of another data set: sample i is `dataset[indices[i]]`."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples at many indices."""
        inner = [self.indices[i] for i in indices]
        fetch = getattr(self.dataset, "__getitems__", None)
        return fetch(inner) if fetch is not None else [self.dataset[i] for i in inner]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[float],
                 generator: np.random.Generator | int | None = None) -> list[Subset]:
    """Parts of a data set, drawn at random, without overlap.

    `lengths` are sizes that add up to len(dataset), or fractions that add up to 1: each then gets floor(fraction * N)
    samples, and what is left over goes one by one to the first parts.  `generator` is a NumPy Generator or a seed;
    without one the draw is from `autograd.default_rng()`.

    Raises ValueError for lengths that do not add up.  Source: torch.utils.data.random_split.
    """
    n = len(dataset)
    sizes = list(lengths)
    total = sum(sizes)
    if any(size < 0 for size in sizes):
        raise ValueError(f"random_split: lengths cannot be negative; got {sizes}")
    if isclose(total, 1) and not (n == 1 and all(isinstance(size, (int, np.integer)) for size in sizes)):
        sizes = [floor(n * size) for size in sizes]
        for i in range(n - int(sum(sizes))):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"random_split: part {i} is empty: {lengths[i]} of {n} samples is less than one",
                              stacklevel=2)
    elif total != n:
        fractions = any(isinstance(size, float) and not size.is_integer() for size in sizes)
        wanted = "fractions must add up to 1" if fractions else f"lengths must add up to the size of the data set, {n}"
        raise ValueError(f"random_split: the {wanted}; got {list(lengths)}, which add up to {total:g}")
    order = rng_of(generator).permutation(n).tolist()
    parts, start = [], 0
    for size in map(int, sizes):
        parts.append(Subset(dataset, order[start:start + size]))
        start += size
    return parts


def rng_of(generator: Any = None, seed: int | None = None) -> np.random.Generator:
    """The generator to draw from: the one given, one started from a seed, or else that of the library."""
    if generator is not None and seed is not None:
        raise ValueError(f"give a generator or a seed, not both; got generator={generator!r} and seed={seed!r}")
    if isinstance(generator, np.random.Generator):
        return generator
    if generator is None and seed is None:
        return default_rng()
    start = seed if generator is None else generator
    if isinstance(start, bool) or not isinstance(start, (int, np.integer)):
        raise TypeError(f"generator: expected a np.random.Generator or an integer seed; got {type(start).__name__}")
    return np.random.default_rng(int(start))
