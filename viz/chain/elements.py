"""Elements of operands as scalars, and what a program is told of the element that it is to compute."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

MARK = "#"                                     # how the names of terms and sums begin


class Operand:
    """An operand, of which single elements are taken, each once."""

    def __init__(self, tensor: Any, data: Any) -> None:
        self.tensor, self.data = tensor, np.asarray(data)
        self.shape = self.data.shape
        self._taken: dict[tuple[int, ...], Any] = {}

    def __getitem__(self, index: Any) -> Any:
        at = tuple([int(k) for k in (index if isinstance(index, tuple) else (index,))])
        if at not in self._taken:
            self._taken[at] = self.tensor[at] if self.shape else self.tensor
        return self._taken[at]


class Opening:
    """Where the element lies, how it was asked for, and which sums its definition has."""

    def __init__(self, op: str, at: tuple[int, ...], attrs: Mapping[str, Any]) -> None:
        self.op, self.at, self.attrs = op, at, attrs
        self.sums: list[tuple[str, tuple[str, ...]]] = []      # the marks of the result and of the terms
        self._marks: dict[int, tuple[str, Any]] = {}

    def sum(self, terms: Iterable[Any]) -> Any:
        """The sum, noted as one of so many terms."""
        found = list(terms)
        if not found:
            return 0.0
        total, level = found[0], found
        while len(level) > 1:                  # in pairs, so that the graph is flat
            level = [level[k] + level[k + 1] if k + 1 < len(level) else level[k] for k in range(0, len(level), 2)]
            total = level[0]
        if len(found) > 1 and all(hasattr(t, "name") for t in found):
            self.sums.append((self._mark(total), tuple([self._mark(t) for t in found])))
        return total

    def _mark(self, tensor: Any) -> str:
        """A name by which the tensor is known in the trace."""
        if id(tensor) not in self._marks:
            tensor.name = f"{MARK}{len(self._marks)}"
            self._marks[id(tensor)] = tensor.name, tensor
        return self._marks[id(tensor)][0]

    def along(self, shape: tuple[int, ...], dim: Any, keepdim: bool) -> list[tuple[int, ...]]:
        """The elements of an operand that are reduced to this element."""
        axes = axes_of(dim, len(shape))
        at = list(self.at)
        if not keepdim:
            for axis in sorted(axes):
                at.insert(axis, 0)
        return self.line(shape, tuple(at), axes)

    @staticmethod
    def line(shape: tuple[int, ...], at: tuple[int, ...], axes: tuple[int, ...]) -> list[tuple[int, ...]]:
        """All elements that differ from `at` on these axes only."""
        ranges = [range(n) if axis in axes else (at[axis],) for axis, n in enumerate(shape)]
        return list(itertools.product(*ranges))


def axes_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """The axes that `dim` means, from 0 on."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    return tuple([d % ndim for d in (dim if isinstance(dim, (tuple, list)) else (dim,))])


def place_in(at: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place in an operand that is spread over the axes in front."""
    return tuple([0 if n == 1 else k for k, n in zip(at[len(at) - len(shape):], shape, strict=True)])
