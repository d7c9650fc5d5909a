"""Data sets made of data sets, and data sets that can only be read from beginning to end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from .dataset import Dataset


class IterableDataset(Dataset):
    """Samples one after another: subclasses define `__iter__()`, for streams, files read line by line, simulations.

    There are no indices, so a DataLoader cannot shuffle it; each `iter(dataset)` starts from the beginning.
    """

    __getitem__: Any = None                    # iter() and DataLoader see that there are no indices

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__(), which gives the samples in turn")

    def __add__(self, other: Iterable[Any]) -> ChainDataset:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset):
    """Several iterable data sets, one after another."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        return sum(map(len, self.datasets))


class ConcatDataset(Dataset):
    """Several data sets as one: first all samples of the first, then those of the second, ..."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: expected at least one data set; got none")
        for dataset in self.datasets:
            if not hasattr(dataset, "__len__") or getattr(dataset, "__getitem__", None) is None:
                raise TypeError(f"ConcatDataset: expected data sets with __getitem__ and __len__; got a "
                                f"{type(dataset).__name__}; ChainDataset takes iterable ones")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"ConcatDataset: expected an index from {-len(self)} to {len(self) - 1}; got {index}")
        part = bisect_right(self.cumulative_sizes, at)
        return self.datasets[part][at - (self.cumulative_sizes[part - 1] if part else 0)]


class StackDataset(Dataset):
    """Data sets side by side: sample i is the tuple (or, given by name, the dict) of their samples i."""

    def __init__(self, *datasets: Any, **named: Any) -> None:
        if bool(datasets) == bool(named):
            raise ValueError("StackDataset: expected data sets by position, or all by name; got "
                             f"{len(datasets)} by position and {len(named)} by name")
        self.datasets: Any = named or datasets
        sizes = [len(d) for d in (named.values() if named else datasets)]
        if len(set(sizes)) > 1:
            raise ValueError(f"StackDataset: expected data sets of one size; got sizes {', '.join(map(str, sizes))}")
        self._size = sizes[0]

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, Mapping):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])


class Transformed(Dataset):
    """A data set with its samples changed as they are fetched: `transform(x)`, and `target_transform(y)` of pairs."""

    def __init__(self, dataset: Any, transform: Callable[[Any], Any] | None = None,
                 target_transform: Callable[[Any], Any] | None = None) -> None:
        self.dataset, self.transform, self.target_transform = dataset, transform, target_transform

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        sample = self.dataset[index]
        pair = isinstance(sample, Sequence) and not isinstance(sample, (str, bytes))
        if not pair:
            return self.transform(sample) if self.transform else sample
        x, *rest = sample
        if self.target_transform:
            if not rest:
                raise ValueError("Transformed: expected samples (x, y), for a target_transform; got samples of one "
                                 "part")
            rest[0] = self.target_transform(rest[0])
        return (self.transform(x) if self.transform else x, *rest)
