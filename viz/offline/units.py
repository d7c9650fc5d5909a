"""All that can be folded in a graph, as one tree: calls of modules, repeats, and parts of what is too long.

A still picture opens as much of a graph as it has room for.  A page has no such limit, so it gets the whole tree:
every unit is a contiguous run of ops, closed it is one card, opened it shows the units and ops inside it.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..fold import Call, Chunk, Ops, Repeat, Unit, calls, chunked, folded, inside, start_of, stop_of
from ..view import SMALL

MOST = 150                                     # units seen when one is opened; more are put together
PARTS = 60                                     # into so many


class Fold(NamedTuple):
    """One unit: the ops at positions start to stop, in the unit `parent` (-1 is the page)."""

    parent: int
    start: int
    stop: int
    form: str                                  # call repeat part
    path: str                                  # of the module
    length: int = 0                            # of a repeat: ops of one turn


class Tree(NamedTuple):
    """The units, each after the one around it; and the module of each op that is alone in the call of one."""

    folds: tuple[Fold, ...]
    alone: dict[int, str]


def tree(ops: Ops) -> Tree:
    """Everything of a graph that opens and closes."""
    small = len(ops.ids) <= SMALL
    folds: list[Fold] = []
    alone: dict[int, str] = {}
    queue: deque[tuple[int, list[Unit]]] = deque([(-1, _arranged(calls(ops).units, ops, small))])
    while queue:
        parent, units = queue.popleft()
        for unit in units:
            if isinstance(unit, int):
                continue
            if isinstance(unit, _Turns):
                content = _parted(unit.all)
            elif isinstance(unit, Chunk):
                content = _parted(unit.units)
            else:
                content = _arranged(inside(unit), ops, small)
            if isinstance(unit, Call) and len(content) == 1 and isinstance(content[0], int):
                alone[content[0]] = unit.path
                continue
            path = unit.path if isinstance(unit, Call) else _path(unit)
            form = "repeat" if isinstance(unit, Repeat) else "part" if isinstance(unit, Chunk) else "call"
            folds.append(Fold(parent, start_of(unit), stop_of(unit), form, path,
                              unit.length if isinstance(unit, Repeat) else 0))
            queue.append((len(folds) - 1, content))
    return Tree(tuple(folds), alone)


class _Turns(Repeat):
    """A repeat that still knows the units of all its turns."""

    __slots__ = ("all",)

    def __init__(self, repeat: Repeat, everything: list[Unit]) -> None:
        super().__init__(repeat.units, repeat.copies, repeat.start, repeat.length)
        self.all = everything


def _path(unit: Repeat) -> str:
    return unit.units[0].path if len(unit.units) == 1 and isinstance(unit.units[0], Call) else ""


def _arranged(units: list[Unit], ops: Ops, small: bool) -> list[Unit]:
    """Siblings with repeats folded, and put together where they are too many."""
    if small:
        return units
    content = folded(units, ops, 3, bare=False)
    if len(content) > MOST:
        content = folded(units, ops, 2, bare=True)
    at = {start_of(unit): k for k, unit in enumerate(units)}
    whole: list[Unit] = [_Turns(unit, units[at[unit.start]:at.get(unit.stop, len(units))])
                         if isinstance(unit, Repeat) else unit for unit in content]
    return _parted(whole)


def _parted(units: list[Unit]) -> list[Unit]:
    return chunked(units, PARTS) if len(units) > MOST else units


def turns(fold: Fold, ops: Ops) -> tuple[tuple[int, ...], ...]:
    """The nodes of each turn of a repeat; () of any other unit."""
    if fold.form != "repeat":
        return ()
    return tuple(tuple(ops.ids[at:at + fold.length]) for at in range(fold.start, fold.stop, fold.length))


def nodes(fold: Fold, ops: Ops) -> tuple[int, ...]:
    """The nodes of all ops of a unit."""
    return tuple(ops.ids[fold.start:fold.stop])
