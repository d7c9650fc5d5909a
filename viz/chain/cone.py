"""All scalar ways from one element to a scalar result: the slopes along them, and sums over all ways at once.

A way is a chain of elements, each an operand of the step that made the next.  There may be more of them than could
ever be listed, so that sums, counts and the largest term are found by dynamic programming, back from the result.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .local import Edges, Floats, Ints, Local, TooMany, places
from .values import Numbers, gradients

MOST_RUNS = 4_000                              # of single steps, for their local derivatives
MOST_WORK = 400_000_000                        # numbers these runs touch
MOST_EDGES = 1_000_000
EXACT = 2.0 ** 53                              # up to here a float counts without error


def counted(n: float) -> float:
    """A count as an int, where a float holds it exactly."""
    return int(n) if n < EXACT else float(n)


class Cone:
    """What lies between element `at` of node `start` and the scalar node `end`.

    slopes: the edges, in the order of the steps.
    total: by node, the derivative of the result with respect to each element, along the ways of the cone.
    magnitude: the same sum of absolute values.  best: the largest absolute product to the result.
    """

    def __init__(self, known: Numbers, start: int, at: int, end: int, *, zeros: bool = False) -> None:
        self.known, self.start, self.at, self.end = known, start, at, end
        self.grouped_from = -1                 # the first step that is not opened; -1: all are
        self.edges: list[Edges] = []
        self._open(zeros)
        self._sum()

    # -- the edges -------------------------------------------------------------------------------------

    def _between(self) -> set[int]:
        """The steps that the result depends on."""
        nodes, found, stack = self.known.graph.nodes, {self.end}, [self.end]
        while stack:
            for j in nodes[stack.pop()].inputs:
                if j not in found and j >= self.start:
                    found.add(j)
                    stack.append(j)
        return found

    def _open(self, zeros: bool) -> None:
        between = self._between()
        active: dict[int, Ints] = {self.start: np.array([self.at], np.intp)}
        runs = work = count = 0
        for node in self.known.graph.nodes[self.start + 1:self.end + 1]:
            if node.kind != "op" or node.id not in between:
                continue
            local = [Local(self.known, node, k) for k, _, i in places(node) if i in active]
            if not local:
                continue
            sizes = [len(active[node.inputs[one.place]]) for one in local]
            runs += sum([one.runs(n) for one, n in zip(local, sizes, strict=True)])
            work += sum([one.work(n) for one, n in zip(local, sizes, strict=True)])
            if runs > MOST_RUNS or work > MOST_WORK or count > MOST_EDGES:
                self._group(node.id, active)
                break
            try:
                made = [one.edges(active[node.inputs[one.place]], zeros, MOST_EDGES) for one in local]
            except TooMany:
                self._group(node.id, active)
                break
            made = [found for found in made if len(found.src)]
            count += sum([len(found.src) for found in made])
            self.edges += made
            if made:
                active[node.id] = np.unique(np.concatenate([found.dst for found in made]))

    def _group(self, first: int, active: dict[int, Ints]) -> None:
        """From step `first` on, all ways from an element to the result are one edge, whose slope the engine gives."""
        self.grouped_from = first
        nodes, values = self.known.graph.nodes, self.known.values
        outer = {j for n in nodes[first:self.end + 1] if n.kind == "op" for j in n.inputs if j < first}
        given = {j: values[j] for j in outer}
        wrt = [j for j in sorted(outer) if j in active]
        for j, g in gradients(nodes, values, self.end, wrt, given).items():
            slope = g.reshape(-1)[active[j]]
            keep = np.flatnonzero(slope)
            if len(keep):
                self.edges.append(Edges(j, self.end, -1, active[j][keep], np.zeros(len(keep), np.intp), slope[keep]))

    # -- sums over all ways ----------------------------------------------------------------------------

    def _sum(self) -> None:
        self.total: dict[int, Floats] = {self.end: np.ones(1)}
        self.magnitude: dict[int, Floats] = {self.end: np.ones(1)}
        self.best: dict[int, Floats] = {self.end: np.ones(1)}
        count: dict[int, Any] = {self.end: np.ones(1)}
        with np.errstate(all="ignore"):
            for e in reversed(self.edges):
                n = int(np.size(self.known.values[e.source]))
                tables: list[tuple[dict[int, Any], Any]] = [
                    (self.total, e.slope), (self.magnitude, np.abs(e.slope)), (count, None)]
                for table, slope in tables:
                    after = table.get(e.target)
                    if after is None:
                        continue
                    added = np.bincount(e.src, after[e.dst] if slope is None else slope * after[e.dst], n)
                    table[e.source] = table[e.source] + added if e.source in table else added
                if e.target in self.best:
                    before = self.best.setdefault(e.source, np.zeros(n))
                    np.maximum.at(before, e.src, np.abs(e.slope) * self.best[e.target][e.dst])
        self._count = count

    def _here(self, table: dict[int, Any]) -> Any:
        return table[self.start].reshape(-1)[self.at] if self.start in table else 0

    @property
    def derivative(self) -> float:
        """d end / d start[at], as the sum over all ways."""
        return float(self._here(self.total))

    @property
    def absolute(self) -> float:
        """The sum of the absolute values of all terms."""
        return float(self._here(self.magnitude))

    @property
    def count(self) -> int:
        """How many ways there are, exactly."""
        found = float(self._here(self._count))
        if found < EXACT:
            return int(found)
        table: dict[int, Any] = {self.end: np.ones(1, object)}
        for e in reversed(self.edges):
            if e.target in table:
                before = table.setdefault(e.source, np.zeros(np.size(self.known.values[e.source]), object))
                np.add.at(before, e.src, table[e.target][e.dst])
        return int(self._here(table))

    def between(self, chain: tuple[int, ...]) -> tuple[float, float]:
        """(sum, number) of the ways that go through exactly these nodes, from `start` to `end`."""
        sums, ways = np.zeros(self._size(self.start)), np.zeros(self._size(self.start))
        sums[self.at] = ways[self.at] = 1.0
        for a, b in pairwise(chain):
            next_sums, next_ways = np.zeros(self._size(b)), np.zeros(self._size(b))
            for e in self.edges:
                if e.source == a and e.target == b:
                    next_sums += np.bincount(e.dst, e.slope * sums[e.src], len(next_sums))
                    next_ways += np.bincount(e.dst, ways[e.src], len(next_ways))
            sums, ways = next_sums, next_ways
        return float(sums[0]), counted(ways[0])

    def through(self, node: int) -> list[tuple[int, float, float]]:
        """(element, sum, number) of the ways through each element of a node, the largest sums first."""
        sums: dict[int, Floats] = {self.start: np.zeros(self._size(self.start))}
        ways: dict[int, Floats] = {self.start: np.zeros(self._size(self.start))}
        sums[self.start][self.at] = ways[self.start][self.at] = 1.0
        for e in self.edges:
            n = self._size(e.target)
            for table, slope in ((sums, e.slope), (ways, np.ones(len(e.src)))):
                added: Any = np.bincount(e.dst, slope * table[e.source][e.src], n)
                table[e.target] = table[e.target] + added if e.target in table else added
        if node not in sums or node not in self.total:
            return []
        found = [(int(k), float(sums[node][k] * self.total[node][k]), counted(ways[node][k] * self._count[node][k]))
                 for k in np.flatnonzero(ways[node] * self._count[node])]
        return sorted(found, key=lambda f: -abs(f[1]))

    def _size(self, node: int) -> int:
        return int(np.size(self.known.values[node]))
