"""Single ways, the largest first; and routes: ways taken together that go through the same steps."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .cone import Cone
from .local import Floats, Ints


class Factor(NamedTuple):
    """The slope of element `to` of step `target` with respect to element `at` of its operand `source`."""

    source: int
    at: int
    target: int
    to: int
    place: int                                 # which operand; -1: all ways from here on; -2: several factors
    slope: float


SEVERAL = -2                                   # as a place: of a factor that stands for several


def shortened(factors: tuple[Factor, ...], ends: int = 12) -> tuple[Factor, ...]:
    """The factors; of a very long way the first and the last ones, and those between as one."""
    if len(factors) <= 2 * ends + 1:
        return factors
    middle = factors[ends:-ends]
    first, last = middle[0], middle[-1]
    one = Factor(first.source, first.at, last.target, last.to, SEVERAL, math.prod([f.slope for f in middle]))
    return (*factors[:ends], one, *factors[-ends:])


class Term(NamedTuple):
    """One way: its factors, from the element to the result, and their product."""

    factors: tuple[Factor, ...]
    value: float


class Route(NamedTuple):
    """All ways through the same nodes: their number and their sum."""

    nodes: tuple[int, ...]
    ways: float                                # an int as far as floats count exactly
    value: float


class _Out(NamedTuple):
    """What leads on from one element, the largest product to the result first."""

    key: Floats
    slope: Floats
    target: Ints
    to: Ints
    place: Ints


class Ways:
    """The ways of a cone, found best first (A* with the exact largest product still to come as its bound)."""

    def __init__(self, cone: Cone) -> None:
        self.cone = cone
        self._edges: dict[int, list[tuple[int, int, Ints, Ints, Floats]]] = {}
        for e in cone.edges:
            if e.target in cone.best:
                order = np.argsort(e.src, kind="stable")
                self._edges.setdefault(e.source, []).append((e.target, e.place, e.src[order], e.dst[order],
                                                             e.slope[order]))
        self._known: dict[tuple[int, int], _Out] = {}

    def _out(self, node: int, at: int) -> _Out:
        found = self._known.get((node, at))
        if found is not None:
            return found
        parts = []
        for target, place, src, dst, slope in self._edges.get(node, ()):
            a, b = np.searchsorted(src, [at, at + 1])
            reach = self.cone.best[target][dst[a:b]]
            on = np.flatnonzero(self.cone._count[target][dst[a:b]] > 0)
            with np.errstate(all="ignore"):
                key = np.abs(slope[a:b][on]) * reach[on]
            key = np.where(np.isnan(key), math.inf, key)
            parts.append((key, slope[a:b][on], np.full(len(on), target), dst[a:b][on], np.full(len(on), place)))
        columns: list[Any] = [np.concatenate(c) for c in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 5
        order = np.argsort(-columns[0], kind="stable")
        found = self._known[node, at] = _Out(*[c[order] for c in columns])
        return found

    def best(self, most: int) -> list[Term]:
        """The `most` ways of the largest absolute products, in that order."""
        import heapq
        cone = self.cone
        if cone.start == cone.end:
            return [Term((), 1.0)]
        found: list[Term] = []
        links: list[tuple[int, Factor] | None] = [None]        # (index of the link before, the factor)
        # (-product of all, tie, product so far, link, node, element, rank of the edge to take)
        heap: list[tuple[float, int, float, int, int, int, int]] = []
        tie = 0

        def push(product: float, link: int, node: int, at: int, rank: int) -> None:
            nonlocal tie
            out = self._out(node, at)
            if rank < len(out.key):
                key = abs(product) * float(out.key[rank])
                heapq.heappush(heap, (-(math.inf if math.isnan(key) else key), tie, product, link, node, at, rank))
                tie -= 1                       # of equal ones the latest first: one way is finished before others

        push(1.0, 0, cone.start, cone.at, 0)
        while heap and len(found) < most:
            _, _, product, link, node, at, rank = heapq.heappop(heap)
            out = self._out(node, at)
            factor = Factor(node, at, int(out.target[rank]), int(out.to[rank]), int(out.place[rank]),
                            float(out.slope[rank]))
            push(product, link, node, at, rank + 1)
            links.append((link, factor))
            if factor.target == cone.end:
                found.append(Term(self._chain(links, len(links) - 1), product * factor.slope))
            else:
                push(product * factor.slope, len(links) - 1, factor.target, factor.to, 0)
        return found

    @staticmethod
    def _chain(links: list[tuple[int, Factor] | None], at: int) -> tuple[Factor, ...]:
        factors = []
        while (entry := links[at]) is not None:
            factors.append(entry[1])
            at = entry[0]
        return tuple(reversed(factors))

    def routes(self, most: int = 64) -> list[Route] | None:
        """The routes, the largest first; None where there are more than `most`."""
        cone = self.cone
        follows: dict[int, set[int]] = {}
        for e in cone.edges:
            if e.target in cone.best:
                follows.setdefault(e.source, set()).add(e.target)
        count: dict[int, int] = {cone.end: 1}
        for node in sorted(follows, reverse=True):
            count[node] = sum([count.get(t, 0) for t in follows[node]])
        if count.get(cone.start, 0) > most:
            return None
        chains: list[tuple[int, ...]] = []
        stack: list[tuple[int, ...]] = [(cone.start,)]
        while stack:
            chain = stack.pop()
            if chain[-1] == cone.end:
                chains.append(chain)
                continue
            stack += [(*chain, t) for t in follows.get(chain[-1], ()) if count.get(t)]
        found = [Route(chain, ways, value) for chain in chains for value, ways in [cone.between(chain)]]
        return sorted([r for r in found if r.ways], key=lambda r: -abs(r.value))
