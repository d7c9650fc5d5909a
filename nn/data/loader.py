"""Batches of a data set, in order or shuffled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from autograd import Tensor, stack, tensor
from autograd.tensor import wrap

from .dataset import Subset, TensorDataset, rng_of
from .prefetch import prefetched


class DataLoader:
    """Runs over a data set batch by batch:  `for x, y in DataLoader(dataset, batch_size=32, shuffle=True)`.

    dataset        anything with `__getitem__` and `__len__`, or (read in its own order) anything iterable
    batch_size     samples in a batch; None gives the samples one by one, unbatched
    shuffle        a new random order each time it is run over
    sampler        an iterable of indices, in place of shuffle
    batch_sampler  an iterable of lists of indices, in place of batch_size, shuffle, sampler and drop_last
    collate_fn     makes a batch of a list of samples; `default_collate` if not given
    drop_last      leave out the last batch where it is smaller than the others
    generator      the NumPy Generator (or integer seed) that orders are drawn from; `seed=` says the same.  Without one
                   they are drawn from `autograd.default_rng()`, so `autograd.manual_seed` makes them reproducible

    A batch of a TensorDataset (or of Subsets of one) is a list of tensors, indexed in one step rather than sample by
    sample.  `len(loader)` is the number of batches.

    num_workers      0: batches are made when asked for; otherwise a thread makes them ahead of time, `prefetch_factor`
                     for each worker; the batches are the same, in the same order
    pin_memory, persistent_workers   are accepted, so that code written for PyTorch runs, and change nothing

    Raises ValueError and TypeError for settings that exclude each other or are no positive integers.
    Source: torch.utils.data.DataLoader.
    """

    def __init__(self, dataset: Any, batch_size: int | None = 1, shuffle: bool = False,
                 sampler: Iterable[int] | None = None, batch_sampler: Iterable[Iterable[int]] | None = None,
                 num_workers: int = 0, collate_fn: Callable[[list[Any]], Any] | None = None, pin_memory: bool = False,
                 drop_last: bool = False, *, generator: np.random.Generator | int | None = None,
                 seed: int | None = None, prefetch_factor: int | None = None, persistent_workers: bool = False) -> None:
        self.indexed = getattr(dataset, "__getitem__", None) is not None and hasattr(dataset, "__len__")
        if not self.indexed and not hasattr(dataset, "__iter__"):
            raise TypeError(f"DataLoader: expected a data set with __getitem__ and __len__, or an iterable; got "
                            f"{type(dataset).__name__}")
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler and shuffle exclude each other: the sampler says the order")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
            batch_size = None
        elif batch_size is not None:
            batch_size = positive(batch_size, "DataLoader: batch_size")
        elif drop_last:
            raise ValueError("DataLoader: drop_last needs a batch_size; got batch_size=None")
        if not self.indexed and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(f"DataLoader: {type(dataset).__name__} has no indices to shuffle or sample: it can only "
                             "be read in its own order")
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.drop_last = bool(shuffle), bool(drop_last)
        self.sampler, self.batch_sampler, self.collate_fn = sampler, batch_sampler, collate_fn
        self.generator = rng_of(generator, seed) if (generator, seed) != (None, None) else None
        if isinstance(num_workers, bool) or not isinstance(num_workers, (int, np.integer)) or num_workers < 0:
            raise ValueError(f"DataLoader: num_workers must be an integer, 0 or more; got {num_workers!r}")
        if prefetch_factor is not None and not num_workers:
            raise ValueError("DataLoader: prefetch_factor says how far ahead a worker is; give num_workers=1 with it")
        factor = 2 if prefetch_factor is None else positive(prefetch_factor, "DataLoader: prefetch_factor")
        self.num_workers, self.prefetch_factor = int(num_workers), factor
        if self.indexed and shuffle and len(dataset) == 0:
            raise ValueError("DataLoader: the data set to shuffle is empty")

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)                               # type: ignore[arg-type]
        n = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if not self.num_workers:
            return self._batches(self._order() if self.indexed else None)
        order = self._order() if self.indexed else None
        if order is not None and not isinstance(order, (range, np.ndarray)):
            order = list(order)                # what a sampler draws is drawn here, not beside the dropout of a step
        return prefetched(lambda: self._batches(order), self.num_workers * self.prefetch_factor)

    def _order(self) -> Any:
        """The indices of one pass; lists of them where a batch sampler makes the batches."""
        if self.batch_sampler is not None or self.sampler is not None:
            return self.batch_sampler if self.sampler is None else self.sampler
        n = len(self.dataset)
        return rng_of(self.generator).permutation(n) if self.shuffle else range(n)

    def _batches(self, order: Any) -> Iterator[Any]:
        if order is None:
            return self._of_iterable()
        if self.batch_sampler is None and self.batch_size is None:
            collate = self.collate_fn or _convert
            return (collate(self.dataset[int(i)]) for i in order)
        rows = _rows(self.dataset) if self.collate_fn is None else None
        if rows is not None and self.batch_sampler is None and self.sampler is None:
            return self._of_rows(*rows, order)
        return self._of_indices(rows, order)

    def _of_rows(self, dataset: TensorDataset, within: Any, order: Any) -> Iterator[list[Tensor]]:
        """The quick way: whole batches of arrays, no Python per sample."""
        size, n = self.batch_size, len(order)
        assert size is not None
        stop = n - n % size if self.drop_last else n
        if not self.shuffle and within is None and all(t.node is None for t in dataset.tensors):
            values = [t.value for t in dataset.tensors]
            for start in range(0, stop, size):
                yield [wrap(v[start:start + size].copy()) for v in values]
            return
        order = np.asarray(order) if within is None else within[np.asarray(order)]
        for start in range(0, stop, size):
            yield dataset.rows(order[start:start + size])

    def _of_indices(self, rows: Any, order: Any) -> Iterator[Any]:
        """Batches by lists of indices, from a sampler or for a data set of any kind."""
        collate = self.collate_fn or default_collate
        fetch = getattr(self.dataset, "__getitems__", None)
        for indices in order if self.batch_sampler is not None else self._chunks(order):
            indices = [int(i) for i in indices]
            if rows is not None:
                dataset, within = rows
                yield dataset.rows(indices if within is None else within[indices])
            else:
                yield collate(fetch(indices) if fetch is not None else [self.dataset[i] for i in indices])

    def _of_iterable(self) -> Iterator[Any]:
        if self.batch_size is None:
            yield from map(self.collate_fn or _convert, self.dataset)
        else:
            yield from map(self.collate_fn or default_collate, self._chunks(self.dataset))

    def _chunks(self, items: Iterable[Any]) -> Iterator[list[Any]]:
        rest = iter(items)
        while chunk := list(islice(rest, self.batch_size)):
            if len(chunk) == self.batch_size or not self.drop_last:
                yield chunk


def positive(value: Any, name: str) -> int:
    """The value as an int of at least 1; else an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a positive integer; got {type(value).__name__} {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be a positive integer; got {value}")
    return int(value)


def _rows(dataset: Any) -> tuple[TensorDataset, Any] | None:
    """The TensorDataset below (Subsets of) a data set and the indices into it; None where samples need Python.

    A subclass that defines `__getitem__` of its own (to augment, say) is not gone round.
    """
    within: Any = None
    while type(dataset) is Subset:
        inner = np.asarray(dataset.indices, dtype=np.intp)
        within = inner if within is None else inner[within]
        dataset = dataset.dataset
    if isinstance(dataset, TensorDataset) and type(dataset).__getitem__ is TensorDataset.__getitem__:
        return dataset, within
    return None


def tensors_below(loader: DataLoader) -> list[Any] | None:
    """The arrays that a loader takes its batches from, where it takes them as they are; else None."""
    rows = _rows(loader.dataset) if loader.collate_fn is None else None
    if rows is None:
        return None
    dataset, within = rows
    return [t.value if within is None else t.value[within] for t in dataset.tensors]


def default_collate(samples: list[Any]) -> Any:
    """A batch from a list of samples: numbers, arrays and tensors are stacked into tensors along a new first axis.

    Tuples and lists of these give lists of batches, named tuples and mappings keep their kind, strings stay a list.
    Python floats become the default dtype.  Raises ShapeError for samples of different shapes, TypeError for others.
    Source: torch.utils.data.default_collate.
    """
    first = samples[0]
    if isinstance(first, Tensor):
        return stack(samples)
    if isinstance(first, (np.ndarray, np.generic)):
        return stack([wrap(np.asarray(s)) for s in samples])
    if isinstance(first, (bool, int, float, complex)):
        return tensor(samples)
    if isinstance(first, (str, bytes)):
        return list(samples)
    if isinstance(first, Mapping):
        return {key: default_collate([s[key] for s in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        if len({len(s) for s in samples}) > 1:
            raise TypeError(f"default_collate: all samples of a batch need the same number of parts; got "
                            f"{sorted({len(s) for s in samples})}: pass a collate_fn")
        parts = [default_collate(list(part)) for part in zip(*samples)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    raise TypeError("default_collate: a sample must be made of tensors, arrays, numbers, strings, tuples, lists or "
                    f"mappings; got {type(first).__name__}: pass a collate_fn")


def _convert(sample: Any) -> Any:
    """One sample where there are no batches: arrays become tensors, the rest stays."""
    if isinstance(sample, np.ndarray):
        return wrap(sample if sample.ndim else sample[()])
    if isinstance(sample, Mapping):
        return {key: _convert(value) for key, value in sample.items()}
    if isinstance(sample, (tuple, list)):
        parts = [_convert(part) for part in sample]
        return type(sample)(*parts) if hasattr(sample, "_fields") else parts
    return sample
