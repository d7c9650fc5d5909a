"""Memory that was changed in place, and when: so that no derivative is computed from what is no longer there.

Nothing is written down when an op saves a value.  A change in place is: the memory, the region of it, the time (on
the clock that numbers the nodes) and the user's line.  A sweep that finds changes asks of each array a node saved
whether it was written to after the node was made.  So programs without changes in place pay nothing.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np

from .errors import GradientError
from .node import Node, tick
from .place import user_line


class _Region:
    """A region of memory as NumPy's array interface describes it: shape, strides and address, no reference."""

    __slots__ = ("__array_interface__",)

    def __init__(self, array: Any) -> None:
        self.__array_interface__ = {**array.__array_interface__, "strides": array.strides}


class _Memory:
    """What was written to in the memory of one array."""

    __slots__ = ("owner", "regions", "table")

    def __init__(self, owner: Any, key: int) -> None:
        self.owner = ref(owner, lambda _: CHANGED.pop(key, None))
        self.regions: dict[Any, tuple[int, int, int, str, _Region]] = {}       # low, high, when, line, where
        self.table: Any = None                # rows (low, high, when), made when a sweep asks


CHANGED: dict[int, _Memory] = {}              # id of the array that owns the memory; an entry goes when the array does


def owner(array: Any) -> Any:
    """The array whose memory an array shows, through views and what `as_strided` puts between."""
    while True:
        base = array.base
        if base is not None and not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)
        if not isinstance(base, np.ndarray):
            return array
        array = base


def _bounds(array: Any, start: int) -> tuple[int, int]:
    """The first byte of an array, and the one after its last."""
    low, high = start, start + array.itemsize
    for n, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (n - 1) * stride
        else:
            high += (n - 1) * stride
    return low, high


def note_change(region: Any) -> None:
    """The elements of an array have been written to."""
    if not region.size:
        return
    whole = owner(region)
    memory = CHANGED.get(id(whole))
    if memory is None:
        memory = CHANGED[id(whole)] = _Memory(whole, id(whole))
    where = _Region(region)
    start = where.__array_interface__["data"][0]
    memory.regions[start, region.shape, region.strides] = (*_bounds(region, start), tick(), user_line(), where)
    memory.table = None


def _changed_at(array: Any, since: int) -> str | None:
    """The line that wrote to any element of an array after the time `since`; None where nothing did."""
    memory = CHANGED.get(id(owner(array)))
    if memory is None or not array.size:
        return None
    rows = list(memory.regions.values())
    if memory.table is None:
        memory.table = np.array([row[:3] for row in rows], np.int64)
    low, high = _bounds(array, array.__array_interface__["data"][0])
    table = memory.table
    for k in np.flatnonzero((table[:, 0] < high) & (table[:, 1] > low) & (table[:, 2] > since)):
        if _share(array, np.asarray(rows[k][4])):
            return rows[k][3] or "a line without a file"
    return None


def _share(a: Any, b: Any) -> bool:
    """Whether two arrays have an element in common; where that is too hard to say, yes."""
    try:
        return np.shares_memory(a, b, max_work=10_000)                           # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def check_saved(node: Node) -> None:
    """Raise GradientError if something a node saved for its derivative was written to since; names both places."""
    op = node.op
    for k, value in enumerate(node.saved or ()):
        if type(value) is np.ndarray and value.ndim:
            line = _changed_at(value, node.index)
            if line is not None:
                assert op is not None
                name = op.inputs[0] if op.variadic else op.kept_names[k]
                made = f" at {node.extra.line}" if node.extra is not None and node.extra.line else ""
                raise GradientError(
                    f"{op.name}{made} saved {name}, an array of shape {value.shape}, for its derivative, and it was "
                    f"changed in place at {line}: the gradient would be wrong; change a copy, x.clone(), or change it "
                    f"after backward()" + ("" if made else " (inside `with autograd.record():` the line of "
                                           f"{op.name} is known too)")
                )


def keep_apart(node: Node | None, target: Any, since: int) -> None:
    """Before `target` is written to: what steps made after `since` saved of its memory becomes a copy."""
    waiting = [node] if node is not None and node.index > since else []
    seen = set(waiting)
    for n in waiting:
        if n.saved:
            n.saved = tuple([v.copy() if type(v) is np.ndarray and v.ndim and np.may_share_memory(v, target) else v
                             for v in n.saved])
        for p in n.parents:
            if p is not None and p.index > since and p not in seen:
                seen.add(p)
                waiting.append(p)
