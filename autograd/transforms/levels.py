"""The levels of `vmap`: values brought in and out of them, and every op on its way to the innermost one it concerns."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..modes import Mode, Scope
from ..ops import expand, permute
from ..tensor import Tensor, wrap
from .calls import LaneError
from .lanes import Lane, Level, by_lanes, lane


def lower(x: Any, level: Level) -> Tensor:
    """x with the lanes of `level` as axis 0; the same in each lane where x has none.  Lanes of others stay lanes."""
    if not isinstance(x, Tensor):
        x = wrap(np.asarray(x)[()])
    if isinstance(x, Lane):
        if x.level is level:
            return x.inner
        if x.level.number > level.number:
            return x.mapped(lambda inner: _swapped(lower(inner, level))) if x.inner is not None else \
                x.mapped(lambda term: lower(term, level))
    return expand(x, shape=(level.size, *x.shape))


def lift(x: Tensor, level: Level) -> Lane:
    """The inverse of `lower`: axis 0 of x becomes the lanes of `level`."""
    if isinstance(x, Lane) and x.level.number > level.number:
        return x.mapped(lambda inner: lift(_swapped(inner), level)) if x.inner is not None else \
            x.mapped(lambda term: lift(term, level))
    return lane(x, level)


def _swapped(x: Tensor) -> Tensor:
    return permute(x, dims=(1, 0, *range(2, x.ndim)))


class Batching:
    """The `vmap`s that are open, from the outermost in.  Every op that a Tensor enters passes `apply`."""

    __slots__ = ("levels",)

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self.levels = levels

    def joined(self, other: Batching | None) -> Batching:
        """These and others."""
        if other is None or other is self:
            return self
        return Batching(tuple(sorted({*self.levels, *other.levels}, key=lambda level: level.number)))

    def apply(self, op: Any, inputs: Any, attrs: dict[str, Any]) -> Any:
        """The op on all lanes, or NotImplemented where no input has any."""
        newest: Level | None = None
        for x in inputs:
            if isinstance(x, Lane) and (newest is None or x.level.number > newest.number):
                newest = x.level
        if "index" in attrs:
            for x in attrs["index"] if isinstance(attrs["index"], tuple) else (attrs["index"],):
                if isinstance(x, Lane) and (newest is None or x.level.number > newest.number):
                    newest = x.level
        if newest is None:
            return NotImplemented
        if newest not in self.levels:
            raise LaneError(f"{op.name} was given a tensor of a vmap or jet that is over; return it from the function "
                            "instead of storing it")
        return newest.run(op, inputs, attrs)

    def physical(self, x: Any) -> Tensor:
        """x with the axes of all lanes in front, the outermost first."""
        for level in reversed(self.levels):
            if not level.single:
                x = lower(x, level)
        return x if isinstance(x, Tensor) else wrap(np.asarray(x)[()])

    def logical(self, x: Tensor) -> Tensor:
        """The inverse of `physical`."""
        for level in self.levels:
            if not level.single:
                x = lift(x, level)
        return x

    def draw(self) -> None:
        """Called before random numbers are drawn."""
        for level in reversed(self.levels):
            if level.randomness == "error":
                raise RuntimeError("vmap: a random number was drawn inside vmap; say what that means: "
                                   "vmap(f, randomness='different') draws for each lane, 'same' once for all")
            if level.randomness == "different" and not level.single:
                raise LaneError("vmap: a random number for each lane", level, functools.partial(by_lanes, level))


class Opened(Scope):
    """A block in which a `vmap` or a `jet` is open."""

    def __new__(cls, level: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, level: Any) -> None:
        super().__init__()
        self.level = level

    def change(self, mode: Mode) -> Mode:
        outer = mode.batch
        return mode._replace(batch=Batching((*(outer.levels if outer is not None else ()), self.level)))
