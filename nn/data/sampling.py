"""Samplers: in what order a DataLoader fetches samples.  Source: torch.utils.data.sampler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .dataset import rng_of
from .loader import positive


class Sampler:
    """An iterable of indices.  Subclasses define `__iter__()`, and `__len__()` where the number is known."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__(), which gives the indices in turn")


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """A new random order each time; with `replacement`, each of `num_samples` draws is from all samples."""

    def __init__(self, data_source: Any, replacement: bool = False, num_samples: int | None = None,
                 generator: np.random.Generator | int | None = None) -> None:
        if len(data_source) == 0 and num_samples is None:
            raise ValueError("RandomSampler: expected a data set with samples; got an empty one")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._rng = None if generator is None else rng_of(generator)
        self.num_samples = len(data_source) if num_samples is None else positive(num_samples,
                                                                                 "RandomSampler: num_samples")

    def __iter__(self) -> Iterator[int]:
        rng, n = rng_of(self._rng), len(self.data_source)
        if self.replacement:
            yield from rng.integers(n, size=self.num_samples).tolist()
            return
        left = self.num_samples
        while left > 0:
            yield from rng.permutation(n)[:left].tolist()
            left -= n

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices, in a new random order each time."""

    def __init__(self, indices: Sequence[int], generator: np.random.Generator | int | None = None) -> None:
        self.indices = indices
        self._rng = None if generator is None else rng_of(generator)

    def __iter__(self) -> Iterator[int]:
        for k in rng_of(self._rng).permutation(len(self.indices)):
            yield self.indices[k]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """`num_samples` indices, index i with probability weights[i] / sum(weights): rare classes can be seen more often.

    Raises ValueError for weights that are negative, not finite, or all zero; without replacement, also if fewer of
    them are positive than are drawn.
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True,
                 generator: np.random.Generator | int | None = None) -> None:
        self.weights = np.asarray(weights, np.float64)
        self.num_samples = positive(num_samples, "WeightedRandomSampler: num_samples")
        w = self.weights
        if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise ValueError("WeightedRandomSampler: expected weights (N,), finite, none negative, not all zero; got "
                             f"shape {w.shape}, from {w.min(initial=0):g} to {w.max(initial=0):g}")
        if not replacement and np.count_nonzero(w) < num_samples:
            raise ValueError(f"WeightedRandomSampler: expected at least {num_samples} positive weights, to draw so "
                             f"many without replacement; got {np.count_nonzero(w)}")
        self.replacement = replacement
        self._rng = None if generator is None else rng_of(generator)

    def __iter__(self) -> Iterator[int]:
        p = self.weights / self.weights.sum()
        yield from rng_of(self._rng).choice(len(p), self.num_samples, replace=self.replacement, p=p).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of `batch_size` indices of another sampler."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler, self.drop_last = sampler, drop_last
        self.batch_size = positive(batch_size, "BatchSampler: batch_size")

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)                  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
