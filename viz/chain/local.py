"""Local derivatives, one by one: the Jacobian of one step with respect to one operand, as far as it is asked for.

Every number comes from the engine: the step is a graph of its own, whose `backward()` gives rows of the Jacobian
(one run for each element of the result), and the `backward()` of that its columns (one for each of the operand).
An elementwise step gives its whole diagonal in one run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.graph.graphs import Graph
from autograd.graph.nodes import GraphNode, operands_in
from autograd.graph.running import op_named

from .values import NO_MODULES, Numbers, given

Ints = np.ndarray[Any, np.dtype[np.intp]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


class Edges(NamedTuple):
    """Slopes from elements of one operand to elements of a result, both counted in C order."""

    source: int                                # id of the node that is the operand
    target: int                                # id of the step
    place: int                                 # which operand of it; -1: all ways from here to the output, grouped
    src: Ints
    dst: Ints
    slope: Floats


class TooMany(Exception):
    """There are more edges than can be held."""


def places(node: GraphNode) -> Iterator[tuple[int, int, int]]:
    """(position in `node.inputs`, position among the arguments of the op, id) where a derivative can flow."""
    op = op_named(node.op)
    if not op.rules:
        return
    linked = min([k.at for k in operands_in(node.attrs)], default=len(node.inputs))
    arguments = [k for k in range(len(node.inputs) + len(node.absent)) if k not in node.absent]
    for k, (argument, i) in enumerate(zip(arguments, node.inputs, strict=True)):
        if k < linked and (op.masks is None or (argument < len(op.masks) and op.masks[argument])):
            yield k, argument, i


class Local:
    """The Jacobian of step `node` with respect to its operand at `place` (a position in `node.inputs`)."""

    def __init__(self, known: Numbers, node: GraphNode, place: int) -> None:
        self.node, self.place = node, place
        self.elementwise = op_named(node.op).kind == "elementwise"
        self.operands = [known.values[i] for i in node.inputs]
        self.value = np.asarray(self.operands[place], np.float64)
        self.size, self.result = self.value.size, math.prod(node.shape)
        self._back: Graph | None = None
        self._moved: tuple[Ints, ...] | None = None
        self._forth: Graph | bool | None = False

    def flows(self) -> bool:
        """Whether the op has this derivative: some are of no closed form (the incomplete gamma function, to a)."""
        try:
            self._pulled(np.zeros(self.node.shape))
        except RuntimeError:                   # GradientError
            return False
        return True

    def selection(self) -> Ints | None:
        """Of a step that only moves elements about: by element of the result, which one it is; -1 for none.

        Such is known by what the step makes of the numbers 1, 2, 3, ..., of their squares, and of ones.
        """
        if self._moved is None:
            self._moved = ()
            op = op_named(self.node.op)
            if op.kind == "linear" and op.category in ("shape", "index"):
                index = np.arange(1.0, self.size + 1).reshape(self.value.shape)
                others = [np.zeros_like(v) if isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind == "f" else v
                          for v in self.operands]
                made = [np.reshape(self._graph(v if v.ndim else v[()], others)(), -1)
                        for v in (np.ones_like(index), index, index * index)]
                if np.isin(made[0], (0.0, 1.0)).all() and np.array_equal(made[2], made[1] * made[1]):
                    self._moved = (made[1].astype(np.intp) - 1,)
        return self._moved[0] if self._moved else None

    def runs(self, active: int) -> int:
        """How many runs the edges of so many elements of the operand take."""
        return 1 if self.elementwise or self.selection() is not None else min(active, self.result)

    def work(self, active: int) -> int:
        """How many numbers these runs touch."""
        return self.runs(active) * (sum([np.size(v) for v in self.operands]) + self.result)

    def edges(self, active: Ints, zeros: bool = False, most: float = math.inf) -> Edges:
        """The slopes from these elements that are not 0; `zeros`: of an elementwise step also those.

        Raises TooMany where there are more than `most`.
        """
        if self.elementwise:
            src, dst, slope = self._diagonal(active)
            keep = np.ones(len(slope), bool) if zeros else slope != 0
        elif (owner := self.selection()) is not None:
            dst = np.flatnonzero(np.isin(owner, active))
            src, slope, keep = owner[dst], np.ones(len(dst)), np.ones(len(dst), bool)
        else:
            rows = self.result <= len(active) or self._pushed() is None
            src, dst, slope = self._rows(active, most) if rows else self._columns(active, most)
            keep = slope != 0
        return Edges(self.node.inputs[self.place], self.node.id, self.place, src[keep], dst[keep], slope[keep])

    def row(self, at: int) -> Floats:
        """The slopes of element `at` of the result with respect to all elements of the operand."""
        seed = np.zeros(self.node.shape)
        seed.reshape(-1)[at] = 1.0
        return self._pulled(seed)

    def _graph(self, operand: Any, others: list[Any] | None = None) -> Graph:
        leaves = [given(k, operand if k == self.place else v) for k, v in enumerate(others or self.operands)]
        step = self.node._replace(id=len(leaves), inputs=tuple(range(len(leaves))))
        return Graph((*leaves, step), (len(leaves),), NO_MODULES, given=())

    def _pulled(self, seed: Floats) -> Floats:
        if self._back is None:
            self._back = self._graph(self.value if self.value.ndim else self.value[()]).backward(f"%{self.place}")
        found = self._back(*([seed] if self._back.arguments else []))
        return np.asarray(next(iter(found.values())), np.float64).reshape(-1)

    def _pushed(self) -> Graph | None:
        """The graph of J v; None where the step has no second derivative, or gives a single number."""
        if self._forth is False:
            self._forth = None
            self._pulled(np.zeros(self.node.shape))
            if self._back is not None and self._back.arguments:
                try:
                    self._forth = self._back.backward(f"%{self._back.inputs[0]}")
                except (RuntimeError, NotImplementedError, LookupError):
                    self._forth = None
        assert self._forth is None or isinstance(self._forth, Graph)
        return self._forth

    def _diagonal(self, active: Ints) -> tuple[Ints, Ints, Floats]:
        """Of an elementwise step: the operand spread over the result, and one run for all."""
        shape = self.node.shape
        wide = np.ascontiguousarray(np.broadcast_to(self.value, shape))
        back = self._graph(wide if wide.ndim else wide[()]).backward(f"%{self.place}")
        found = back(*([np.ones(shape)] if back.arguments else []))
        slope = np.asarray(next(iter(found.values())), np.float64).reshape(-1)
        owner = np.broadcast_to(np.arange(self.size).reshape(self.value.shape), shape).reshape(-1)
        dst = np.flatnonzero(np.isin(owner, active))
        return owner[dst], dst, slope[dst]

    def _rows(self, active: Ints, most: float) -> tuple[Ints, Ints, Floats]:
        src, dst, slope = [], [], []
        for at in range(self.result):
            row = self.row(at)[active]
            found = np.flatnonzero(row)
            most = _less(most, len(found))
            src.append(active[found])
            dst.append(np.full(len(found), at, np.intp))
            slope.append(row[found])
        return _joined(src, dst, slope)

    def _columns(self, active: Ints, most: float) -> tuple[Ints, Ints, Floats]:
        forth = self._pushed()
        assert forth is not None
        src, dst, slope = [], [], []
        nothing = np.zeros(self.node.shape)
        for at in active:
            seed = np.zeros(self.value.shape)
            seed.reshape(-1)[at] = 1.0
            column = forth(*[nothing, seed][:len(forth.arguments)])
            column = np.asarray(next(iter(column.values())), np.float64).reshape(-1)
            found = np.flatnonzero(column)
            most = _less(most, len(found))
            src.append(np.full(len(found), at, np.intp))
            dst.append(found)
            slope.append(column[found])
        return _joined(src, dst, slope)


def _less(most: float, n: int) -> float:
    if n > most:
        raise TooMany
    return most - n


def _joined(src: list[Any], dst: list[Any], slope: list[Any]) -> tuple[Ints, Ints, Floats]:
    if not src:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    return np.concatenate(src), np.concatenate(dst), np.concatenate(slope)
