"""Coordinates across the ranks of a layered drawing (Brandes and Köpf 2001), with widths and ports.

Four extreme drawings (aligned to the upper or the lower neighbours, packed to the left or to the right)
are made and averaged.  Long edges come out straight; chains stay in line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Set
from itertools import pairwise

Segment = tuple[int, int, float, float]        # upper, lower, port of each as an offset from its middle
BEND_GAP = 12.0


def coordinates(layers: list[list[int]], segments: list[Segment], across: list[float], boxes: int, gap: float,
                beside: Set[tuple[int, int]] = frozenset()) -> list[float]:
    """The middle of each element.  Elements from `boxes` on are bends of long edges.

    beside: segments (upper, lower) whose upper element stands as near as there is room, and bends nothing out of line.
    Elements of a rank keep their order and at least `gap` between them; bends, and boxes without width, may be nearer.
    """
    n = len(across)
    place = [0] * n
    for layer in layers:
        for k, v in enumerate(layer):
            place[v] = k
    above: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    below: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    for u, v, a, b in segments:
        above[v].append((u, a - b))            # v stands right under u when x(v) = x(u) + a - b
        below[u].append((v, b - a))
    barred = _conflicts(layers, above, place, boxes)
    trunks = {u for v in range(boxes, n) for u, _ in above[v] if u >= boxes}
    barred |= {(u, v) for v in range(boxes) for u, _ in above[v] if u in trunks}   # branches give way to their trunk
    followers = _followers(layers, below, beside)
    barred |= {(u, below[u][0][0]) for u in followers}
    runs = []
    for near, rows in ((above, layers), (below, layers[::-1])):
        for flip in (1.0, -1.0):
            rank_order = [layer[::-1] for layer in rows] if flip < 0 else rows
            at = [-k for k in place] if flip < 0 else place
            root, shift = _aligned(rank_order, near, at, barred, flip)
            x = _packed(rank_order, root, shift, across, boxes, gap)
            runs.append([flip * value for value in x])
    x = _balanced(runs, across)
    _drawn_near(layers, below, x, followers, lambda u, v: _apart(u, v, across, boxes, gap))
    return x


def _apart(u: int, v: int, across: list[float], boxes: int, gap: float) -> float:
    """The least distance between the middles of two neighbours."""
    wide = u < boxes and v < boxes and across[u] and across[v]
    return (across[u] + across[v]) / 2 + (gap if wide else BEND_GAP)


def _conflicts(layers: list[list[int]], above: list[list[tuple[int, float]]], place: list[int], boxes: int
               ) -> set[tuple[int, int]]:
    """Segments that cross one between two bends: those give way, so that long edges stay straight."""
    barred: set[tuple[int, int]] = set()
    for upper, lower in pairwise(layers):
        low, scanned = 0, 0
        for k, v in enumerate(lower):
            inner = next((u for u, _ in above[v] if u >= boxes), None) if v >= boxes else None
            if inner is None and k < len(lower) - 1:
                continue
            high = place[inner] if inner is not None else len(upper) - 1
            for w in lower[scanned:k + 1]:
                for u, _ in above[w]:
                    if not low <= place[u] <= high and not (u >= boxes and w >= boxes):
                        barred.add((u, w))
            scanned, low = k + 1, high
    return barred


def _aligned(layers: list[list[int]], near: list[list[tuple[int, float]]], place: list[int],
             barred: set[tuple[int, int]], flip: float) -> tuple[list[int], list[float]]:
    """Blocks of elements in line: for each element the root of its block, and its place relative to the root."""
    n = len(near)
    root, shift, taken = list(range(n)), [0.0] * n, [False] * n
    for layer in layers:
        last = -(1 << 60)
        for v in layer:
            wanted = sorted(near[v], key=lambda pair: place[pair[0]])
            if not wanted:
                continue
            for m in dict.fromkeys(((len(wanted) - 1) // 2, len(wanted) // 2)):
                u, offset = wanted[m]
                if taken[u] or root[v] != v or place[u] <= last or (u, v) in barred or (v, u) in barred:
                    continue
                taken[u] = True
                root[v] = root[u]
                shift[v] = shift[u] + flip * offset
                last = place[u]
    return root, shift


def _packed(layers: list[list[int]], root: list[int], shift: list[float], across: list[float], boxes: int, gap: float
            ) -> list[float]:
    """Blocks as far to the left as they can be; then to the right where nothing is lost by it."""
    n = len(root)
    follows: dict[int, dict[int, float]] = {}
    before: dict[int, int] = {}
    for layer in layers:
        for u, v in pairwise(layer):
            apart = _apart(u, v, across, boxes, gap)
            a, b = root[u], root[v]
            edges = follows.setdefault(a, {})
            if b not in edges:
                before[b] = before.get(b, 0) + 1
            edges[b] = max(edges.get(b, -1e18), apart + shift[u] - shift[v])
    order = [v for v in range(n) if root[v] == v and not before.get(v)]
    x = [0.0] * n
    reached = [False] * n
    for a in order:
        for b, apart in follows.get(a, {}).items():
            x[b] = max(x[b], x[a] + apart) if reached[b] else x[a] + apart
            reached[b] = True
            before[b] -= 1
            if not before[b]:
                order.append(b)
    for a in reversed(order):
        room = min((x[b] - apart for b, apart in follows.get(a, {}).items()), default=None)
        if room is not None and room > x[a]:
            x[a] = room
    return [x[root[v]] + shift[v] for v in range(n)]


def _followers(layers: list[list[int]], below: list[list[tuple[int, float]]], beside: Set[tuple[int, int]]) -> set[int]:
    """What stands beside, and what only that is computed from."""
    near: set[int] = set()
    for layer in reversed(layers):
        for v in layer:
            if len(below[v]) == 1 and ((v, below[v][0][0]) in beside or below[v][0][0] in near):
                near.add(v)
    return near


def _drawn_near(layers: list[list[int]], below: list[list[tuple[int, float]]], x: list[float], near: set[int],
                apart: Callable[[int, int], float]) -> None:
    """Each of `near` moves over what it feeds, as far as there is room."""
    for layer in reversed(layers):
        wish = {v: x[below[v][0][0]] + below[v][0][1] for v in layer if v in near}
        if not wish:
            continue
        for step in (1, -1):
            for k in range(len(layer))[::step]:
                v = layer[k]
                if v in wish:
                    low = x[layer[k - 1]] + apart(layer[k - 1], v) if k else -math.inf
                    high = x[layer[k + 1]] - apart(v, layer[k + 1]) if k + 1 < len(layer) else math.inf
                    x[v] = max(low, min(wish[v], max(low, high)))


def _balanced(runs: list[list[float]], across: list[float]) -> list[float]:
    """The mean of the two middle drawings, all moved onto the narrowest one."""
    lows = [min(x - w / 2 for x, w in zip(run, across, strict=True)) for run in runs]
    highs = [max(x + w / 2 for x, w in zip(run, across, strict=True)) for run in runs]
    narrow = min(range(4), key=lambda k: highs[k] - lows[k])
    for k, run in enumerate(runs):
        move = lows[narrow] - lows[k] if k % 2 == 0 else highs[narrow] - highs[k]
        runs[k] = [value + move for value in run]
    result = []
    for values in zip(*runs, strict=True):
        middle = sorted(values)
        result.append((middle[1] + middle[2]) / 2)
    return result
