"""What `Model.fit`, `evaluate` and `predict` are given, as batches of tensors of the model's dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.tensor import wrap

from .check import as_array, cast, check_finite, check_lengths
from .dataset import Dataset, TensorDataset
from .loader import DataLoader, positive, tensors_below


class Inputs:
    """How inputs are brought to the dtype the model computes in.

    Floats are cast to that of the parameters, also bools and uint8 (images), except for a model that looks numbers up
    (`indices`: it has an Embedding).  Other integers stay.
    """

    __slots__ = ("dtype", "indices")

    def __init__(self, dtype: Any, indices: bool) -> None:
        self.dtype, self.indices = dtype, indices

    def __call__(self, array: Any, name: str) -> Any:
        kind = array.dtype.kind
        if kind == "f" or (not self.indices and (kind == "b" or array.dtype == np.uint8)):
            return cast(array, self.dtype, name)
        return array

    def tensor(self, data: Any, name: str) -> Tensor:
        """One input, whatever it came as; a Tensor keeps its history unless it is cast."""
        if isinstance(data, Tensor):
            value = self(data.value, name)
            return data if value is data.value else data.to(self.dtype)
        return wrap(self(as_array(data, name), name))


class Feed:
    """Batches `(x, y)` of tensors, run over once per epoch.

    x, y          arrays (then `batch_size` and `shuffle` say how they are cut), or x is a DataLoader, a Dataset or any
                  other iterable of batches (x, y)
    floats        whether targets of this kind are cast to the model's dtype as well
    targets       all targets, where they are known beforehand; else None
    steps         the number of batches, where it is known
    leaves_one    whether the last batch will be a single sample
    checked, sound, sample    whether a batch was looked at, whether all losses were finite; shape and dtype of a sample

    All arrays are checked when the feed is made, batches of unknown origin one by one as they come.
    """

    source: Any
    steps: int | None

    __slots__ = ("who", "source", "steps", "targets", "inputs", "floats", "known", "checked", "sample", "sound",
                 "leaves_one")

    def __init__(self, who: str, x: Any, y: Any, batch_size: int | None, shuffle: bool, inputs: Inputs,
                 floats: Callable[[Any], bool]) -> None:
        self.who, self.inputs, self.floats = who, inputs, floats
        self.checked, self.sound, self.leaves_one = False, True, False
        self.targets: Any = None
        self.sample: Any = None               # the shape of one sample and its dtype, once a batch was looked at
        if isinstance(x, Dataset):
            self._no_target(y)
            x = DataLoader(x, 32 if batch_size is None else positive(batch_size, f"{who}: batch_size"), shuffle)
        elif is_batches(x):
            self._no_target(y)
            if batch_size is not None:
                raise ValueError(f"{who}: batch_size={batch_size} was given with a {type(x).__name__}, which makes "
                                 "batches by itself: set it there")
        else:
            size = 32 if batch_size is None else positive(batch_size, f"{who}: batch_size")
            if y is None:
                raise ValueError(f"{who}: targets are missing: {who}(x, y), or {who}(loader) with batches (x, y)")
            x, y = as_array(x, f"{who}: x"), as_array(y, f"{who}: y")
            check_lengths(x, y, who)
            x, y = self._ready(x, "x"), self._target(y, "y")
            self.source = DataLoader(TensorDataset(wrap(x), wrap(y)), size, shuffle)
            self.steps, self.targets, self.known = len(self.source), y, True
            self.leaves_one = who == "fit" and len(y) > 1 and len(y) % size == 1
            return
        self.source, self.known = x, False
        self.steps = _length(x)
        if self.steps == 0:
            raise ValueError(f"{who}: the {type(x).__name__} gives no batches: it is empty, or drop_last leaves out "
                             "its only batch")
        below = tensors_below(x) if isinstance(x, DataLoader) else None
        if below is not None and len(below) == 2:            # the whole data set is at hand: look at it beforehand
            for value, name in zip(below, ("x", "y")):
                check_finite(value, f"{who}: {name}")
            self.targets = self._target(below[1], "y")

    def _no_target(self, y: Any) -> None:
        if y is not None:
            raise ValueError(f"{self.who}: y was given twice: a loader or data set has it in its batches (x, y)")

    def _ready(self, array: Any, name: str) -> Any:
        check_finite(array, f"{self.who}: {name}")
        return self.inputs(array, f"{self.who}: {name}")

    def _target(self, array: Any, name: str) -> Any:
        check_finite(array, f"{self.who}: {name}")
        if array.dtype.kind in "fiub" and self.floats(array):
            return cast(array, self.inputs.dtype, f"{self.who}: {name}")
        return array

    def __iter__(self) -> Iterator[Any]:
        return iter(self.source) if self.known else self._converted()

    def first(self) -> list[Tensor]:
        """x and y of the first samples, one batch of them; nothing where looking would use them up."""
        if not self.known:
            return []
        return [wrap(t.value[:self.source.batch_size]) for t in self.source.dataset.tensors]

    def _converted(self) -> Iterator[tuple[Tensor, Tensor]]:
        for step, batch in enumerate(self.source, 1):
            if not isinstance(batch, (tuple, list)) or len(batch) != 2:
                got = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else type(batch).__name__
                raise TypeError(f"{self.who}: expected batches (x, y); batch {step} has {got}")
            x, y = (as_array(part, f"{self.who}, batch {step}: {name}") for part, name in zip(batch, ("x", "y")))
            check_lengths(x, y, f"{self.who}, batch {step}")
            yield wrap(self._ready(x, f"batch {step}: x")), wrap(self._target(y, f"batch {step}: y"))


class InputFeed:
    """Batches of inputs alone, for `predict`: of an array, of a data set, or of a loader (targets are left aside)."""

    __slots__ = ("source", "steps", "inputs", "known")

    def __init__(self, x: Any, batch_size: int | None, inputs: Inputs) -> None:
        self.inputs = inputs
        self.known = not isinstance(x, Dataset) and not is_batches(x)
        if self.known or isinstance(x, Dataset):
            size = 32 if batch_size is None else positive(batch_size, "predict: batch_size")
            self.source: Any = DataLoader(TensorDataset(wrap(inputs(as_array(x, "predict: x"), "predict: x")))
                                          if self.known else x, size)
        else:
            self.source = x
        self.steps = _length(self.source)

    def __iter__(self) -> Iterator[Tensor]:
        for batch in self.source:
            if isinstance(batch, (tuple, list)):
                batch = batch[0]
            yield batch if self.known else wrap(self.inputs(as_array(batch, "predict: x"), "predict: x"))


def is_batches(x: Any) -> bool:
    """Whether x yields batches, rather than being data: a loader or another iterable, but no array, list or table."""
    if isinstance(x, (Tensor, np.ndarray, list, tuple, str, bytes)) or hasattr(x, "__array__") or hasattr(x, "toarray"):
        return False
    return isinstance(x, Iterable)


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except TypeError:
        return None
