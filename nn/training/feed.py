"""What `Model.fit`, `evaluate` and `predict` are given, as batches of tensors of the model's dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor
from autograd.tensor import wrap

from ..data.check import as_array, cast, check_finite, check_lengths
from ..data.dataset import Dataset, TensorDataset
from ..data.loader import DataLoader, positive, tensors_below
from .randomness import put_back, taken


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
    """Batches `(x, y)` or `(x, y, weight)` of tensors, run over once per epoch.

    x, y          arrays (then `batch_size` and `shuffle` say how they are cut), or x is a DataLoader, a Dataset or any
                  other iterable of batches (x, y) or (x, y, weight)
    floats        whether targets of this kind are cast to the model's dtype as well
    weight        one number for each sample (or element of the targets): how much it counts
    classes       class -> how much its samples count
    limit         batches in an epoch, where they are not all of one run over the data; `ongoing`: the next epoch goes
                  on where this one stopped
    targets       all targets, where they are known beforehand; else None
    steps         the number of batches, where it is known
    leaves_one    whether the last batch will be a single sample
    checked, sound, sample    whether a batch was looked at, whether all losses were finite; shape and dtype of a sample
    began, drawn  the random generators when this run over the data began (where `keeps`), the batches given since
    given         of an epoch that was interrupted, the batches that need not be given again

    All arrays are checked when the feed is made, batches of unknown origin one by one as they come.
    """

    source: Any
    steps: int | None
    began: dict[str, Any] | None

    __slots__ = ("who", "source", "steps", "targets", "inputs", "floats", "known", "checked", "sample", "sound",
                 "leaves_one", "classes", "limit", "ongoing", "current", "keeps", "began", "drawn", "given")

    def __init__(self, who: str, x: Any, y: Any, batch_size: int | None, shuffle: bool, inputs: Inputs,
                 floats: Callable[[Any], bool], weight: Any = None, classes: Any = None, limit: int | None = None,
                 ongoing: bool = False) -> None:
        self.who, self.inputs, self.floats = who, inputs, floats
        self.checked, self.sound, self.leaves_one = False, True, False
        self.targets: Any = None
        self.sample: Any = None               # the shape of one sample and its dtype, once a batch was looked at
        self.limit, self.ongoing, self.classes = limit, ongoing and limit is not None, classes
        self.current: Iterator[Any] | None = None
        self.keeps, self.began, self.drawn, self.given = False, None, 0, 0
        if isinstance(x, Dataset):
            self._alone(y, weight)
            x = DataLoader(x, 32 if batch_size is None else positive(batch_size, f"{who}: batch_size"), shuffle)
        elif is_batches(x):
            self._alone(y, weight)
            if batch_size is not None:
                raise ValueError(f"{who}: batch_size={batch_size} was given with a {type(x).__name__}, which makes "
                                 "batches by itself: set it there")
        else:
            size = 32 if batch_size is None else positive(batch_size, f"{who}: batch_size")
            if y is None:
                raise ValueError(f"{who}: targets are missing: {who}(x, y), or {who}(loader) with batches (x, y)")
            x, y = as_array(x, f"{who}: x"), as_array(y, f"{who}: y")
            check_lengths(x, y, who)
            parts = [self._ready(x, "x"), self._target(y, "y")]
            parts += self._weights(parts[1], weight, "")
            self.source = DataLoader(TensorDataset(*map(wrap, parts)), size, shuffle)
            self.steps, self.targets, self.known = limit or len(self.source), parts[1], True
            self.leaves_one = who == "fit" and len(y) > 1 and len(y) % size == 1
            return
        self.source, self.known = x, False
        self.steps = _length(x)
        if self.steps == 0:
            raise ValueError(f"{who}: the {type(x).__name__} gives no batches: it is empty, or drop_last leaves out "
                             "its only batch")
        self.steps = limit or self.steps
        below = tensors_below(x) if isinstance(x, DataLoader) else None
        if below is not None and len(below) in (2, 3):       # the whole data set is at hand: look at it beforehand
            for value, name in zip(below, ("x", "y", "sample_weight")):
                check_finite(value, f"{who}: {name}")
            self.targets = self._target(below[1], "y")
            if classes is not None:
                by_class(classes, self.targets, who)

    def _alone(self, y: Any, weight: Any) -> None:
        for what, name, short in ((y, "y", "(x, y)"), (weight, "sample_weight", "(x, y, weight)")):
            if what is not None:
                raise ValueError(f"{self.who}: {name} was given twice: a loader or data set has it in its batches "
                                 f"{short}")

    def _ready(self, array: Any, name: str) -> Any:
        check_finite(array, f"{self.who}: {name}")
        return self.inputs(array, f"{self.who}: {name}")

    def _target(self, array: Any, name: str) -> Any:
        check_finite(array, f"{self.who}: {name}")
        if array.dtype.kind in "fiub" and self.floats(array):
            return cast(array, self.inputs.dtype, f"{self.who}: {name}")
        return array

    def _weights(self, y: Any, weight: Any, where: str) -> list[Any]:
        """The weights of samples and of their classes together, in a list; an empty one where there are none."""
        who = f"{self.who}{where}"
        found = None
        if weight is not None:
            found = as_array(weight, f"{who}: sample_weight")
            check_finite(found, f"{who}: sample_weight")
            if found.ndim > 1 and found.shape[-1] == 1 and found.shape != y.shape[:found.ndim]:
                found = found[..., 0]
            if found.shape != y.shape[:found.ndim]:
                raise ShapeError(f"{who}: sample_weight has shape {found.shape}; expected ({len(y)},), one for each "
                                 f"sample" + (f", or {y.shape}" if y.ndim > 1 else ""))
            if found.dtype.kind not in "fiub" or found.min() < 0:
                raise ValueError(f"{who}: sample_weight must not be negative; the lowest is {found.min()}")
        if self.classes is not None:
            share = by_class(self.classes, y, who)
            found = share if found is None else found * share.reshape(share.shape + (1,) * (found.ndim - share.ndim))
        return [] if found is None else [found.astype(self.inputs.dtype)]

    def __iter__(self) -> Iterator[Any]:
        """The batches of an epoch."""
        if self.limit is None:
            batches = self.current if self.current is not None else self._start()    # or what `replay` left
            self.current = None
            for batch in batches:
                self.drawn += 1
                yield batch
            return
        begin, self.given = self.given, 0
        for step in range(begin, self.limit):
            fresh = self.current is None
            if self.current is None or (step == 0 and not self.ongoing):
                self.current = self._start()
            batch = next(self.current, None)
            if batch is None and not fresh and self.ongoing:             # all data were seen: from the start again
                self.current = self._start()
                batch = next(self.current, None)
            if batch is None:
                self.current = None
                if step or self.ongoing:
                    raise ValueError(f"{self.who}: the {type(self.source).__name__} ran out of batches after {step} of "
                                     f"the {self.limit} of an epoch: give fewer steps, or data that can be run "
                                     "through again, such as a DataLoader")
                return
            self.drawn += 1
            yield batch

    def _start(self) -> Iterator[Any]:
        self.began, self.drawn = taken(self.source) if self.keeps else None, 0
        return iter(self.source) if self.known else self._converted()

    def replay(self, began: Any, drawn: int, given: int) -> None:
        """Go to where a run over the data stood: the generators as they were, and `drawn` batches passed over.

        `given` of them belong to the epoch that comes next.
        """
        put_back(began, self.source)
        self.current = self._start()
        for at in range(drawn):
            if next(self.current, None) is None:
                raise ValueError(f"{self.who}: the run was interrupted after {drawn} batches, and now there are {at}: "
                                 "resume with the data and the batch_size it was begun with")
        self.began, self.drawn, self.given = began, drawn, given

    def first(self) -> list[Tensor]:
        """x and y (and weights) of the first samples, a batch of them; nothing where looking would use them up."""
        if not self.known:
            return []
        return [wrap(t.value[:self.source.batch_size]) for t in self.source.dataset.tensors]

    def _converted(self) -> Iterator[list[Tensor]]:
        for step, batch in enumerate(self.source, 1):
            if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
                got = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else type(batch).__name__
                raise TypeError(f"{self.who}: expected batches (x, y), or (x, y, weight); batch {step} has {got}")
            x, y = (as_array(part, f"{self.who}, batch {step}: {name}") for part, name in zip(batch, ("x", "y")))
            check_lengths(x, y, f"{self.who}, batch {step}")
            parts = [self._ready(x, f"batch {step}: x"), self._target(y, f"batch {step}: y")]
            if len(batch) == 3 or self.classes is not None:
                parts += self._weights(parts[1], batch[2] if len(batch) == 3 else None, f", batch {step}")
            yield [wrap(part) for part in parts]


class InputFeed:
    """Batches of inputs alone, for `predict`: of an array, of a data set, or of a loader (targets are left aside)."""

    __slots__ = ("source", "steps", "inputs", "known", "limit")

    def __init__(self, x: Any, batch_size: int | None, inputs: Inputs, limit: int | None = None) -> None:
        self.inputs, self.limit = inputs, limit
        self.known = not isinstance(x, Dataset) and not is_batches(x)
        if self.known or isinstance(x, Dataset):
            size = 32 if batch_size is None else positive(batch_size, "predict: batch_size")
            self.source: Any = DataLoader(TensorDataset(wrap(inputs(as_array(x, "predict: x"), "predict: x")))
                                          if self.known else x, size)
        else:
            self.source = x
        self.steps = limit or _length(self.source)

    def __iter__(self) -> Iterator[Tensor]:
        for step, batch in enumerate(self.source):
            if step == self.limit:
                return
            if isinstance(batch, (tuple, list)):
                batch = batch[0]
            yield batch if self.known else wrap(self.inputs(as_array(batch, "predict: x"), "predict: x"))


def by_class(classes: Any, y: Any, who: str) -> Any:
    """How much each sample counts, by its class: integer labels, 0 or 1, or one-hot targets; classes not named: 1."""
    labels = y
    if y.ndim > 1 and y.shape[-1] > 1 and y.dtype.kind == "f":
        labels = y.argmax(-1)
        if not np.allclose(y.sum(-1), 1, atol=1e-3):
            raise ValueError(f"{who}: class_weight needs classes as targets, labels or one-hot; the rows of y, of "
                             f"shape {y.shape}, do not add up to 1: for quantities use sample_weight")
    elif y.ndim > 1 and y.shape[-1] == 1:
        labels = y[..., 0]
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        raise ValueError(f"{who}: class_weight needs classes as targets; got {labels[labels != np.floor(labels)][0]}: "
                         "for quantities use sample_weight")
    if isinstance(classes, str):
        if classes != "balanced":
            raise ValueError(f"{who}: class_weight must be a dict from class to weight, or 'balanced'; got {classes!r}")
        found, counts = np.unique(labels, return_counts=True)
        classes = dict(zip(found.tolist(), (labels.size / (len(found) * counts)).tolist()))
    if not isinstance(classes, dict):
        raise TypeError(f"{who}: class_weight must be a dict from class to weight, or 'balanced'; got "
                        f"{type(classes).__name__}")
    share = np.ones(labels.shape)
    for name, value in classes.items():
        if isinstance(name, bool) or not isinstance(name, (int, float, np.integer, np.floating)):
            raise TypeError(f"{who}: class_weight: classes are numbers, 0, 1, ...; got {name!r}")
        if not isinstance(value, (int, float, np.integer, np.floating)) or not 0 <= value < np.inf:
            raise ValueError(f"{who}: class_weight: the weight of class {name} must be a number >= 0; got {value!r}")
        share[labels == name] = value
    return share


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
