"""Layered drawing of one level: ranks, order within ranks, coordinates, routes.

No recursion, and time linear in boxes and edges (the number of bends of long edges is bounded).
Sources: Sugiyama, Tagawa, Toda 1981 (the method); Gansner, Koutsofios, North, Vo 1993 (ranks, medians);
Brandes, Köpf 2001 (coordinates), with widths and ports as in Rüegg, Schulze, Carstens, von Hanxleden 2015.
"""

from __future__ import annotations

from typing import NamedTuple

from .coordinates import coordinates

MAX_BENDS = 20                                 # of long edges: at most so many for each box and edge
MOST_BENDS = 40_000                            # and in all: thousands of long edges side by side are read by nobody
STRAIGHT = 0.4                                 # what is less out of line is drawn in line
SWEEPS = 8
LABEL_GAP = 6.0                                # between a label and what it stands beside


class Box(NamedTuple):
    """Something with a size; `pin` keeps it on the first (-1) or on the last (1) rank."""

    across: float
    along: float
    pin: int = 0


class Edge(NamedTuple):
    """From the far side of one box to the near side of another; offsets are from the start of that side."""

    source: int
    target: int
    leave: float
    arrive: float
    label: float = 0.0                         # room for a label beside the line
    tall: float = 0.0                          # and along it
    late: bool = False                         # the label stands near the target: others leave from here too


class Level(NamedTuple):
    """A drawn level: near corners of the boxes, and for each edge its route (3 n + 1 points) and label place."""

    corners: list[tuple[float, float]]
    routes: list[list[tuple[float, float]]]
    labels: list[tuple[float, float] | None]
    across: float
    along: float


def ranks_of(boxes: list[Box], edges: list[Edge]) -> tuple[list[int], set[tuple[int, int]]]:
    """Ranks, and which boxes only feed what others lead to: (box, what it feeds).

    Ranks are those of the longest path; then what has more edges out than in moves down to where it is needed.  What
    nothing else is computed from moves with it: its edges in do not count.
    """
    n = len(boxes)
    outs: list[list[int]] = [[] for _ in range(n)]
    ins: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    for e in edges:
        outs[e.source].append(e.target)
        ins[e.target].append(e.source)
        waiting[e.target] += 1
    first = 1 if any(box.pin < 0 for box in boxes) else 0
    rank = [0 if box.pin < 0 else first for box in boxes]
    own = [box.pin == 0 for box in boxes]      # it, and all that it is computed from, has one user
    order = [v for v in range(n) if not waiting[v]]
    for v in order:
        own[v] = own[v] and len(set(outs[v])) == 1
        for w in outs[v]:
            rank[w] = max(rank[w], rank[v] + 1)
            own[w] = own[w] and own[v]
            waiting[w] -= 1
            if not waiting[w]:
                order.append(w)
    if len(order) < n:
        raise ValueError("layout: expected a graph without cycles")
    if any(box.pin > 0 for box in boxes):
        last = max([rank[v] + 1 for v in range(n) if boxes[v].pin <= 0] + [first])
        rank = [last if boxes[v].pin > 0 else r for v, r in enumerate(rank)]
    depth = list(rank)
    held = [sum([not own[u] for u in above]) for above in ins]
    for _ in range(2):                         # the second time follows what moved in the first
        for v in reversed(order):
            if boxes[v].pin == 0 and outs[v] and len(outs[v]) + (held[v] < len(ins[v])) > held[v]:
                rank[v] = max(rank[v], min(rank[w] for w in outs[v]) - 1)
    beside = set()
    for v, above in enumerate(ins):
        deepest = max([depth[u] for u in above], default=0)
        beside |= {(u, v) for u in above if depth[u] < deepest and (own[u] or rank[u] > depth[u])}
    return rank, beside


class _Grid:
    """Elements (boxes, then bends) in ranks, and the segments between neighbouring ranks.

    Long edges from one place share a trunk of bends, from which each branches off to its target.
    """

    def __init__(self, boxes: list[Box], edges: list[Edge]) -> None:
        rank, self.beside = ranks_of(boxes, edges)
        close = {r: k for k, r in enumerate(sorted(set(rank)))}
        self.rank = [close[r] for r in rank]
        self.count = len(boxes)
        self.across = [box.across for box in boxes]
        self.bends: list[list[int]] = [[] for _ in edges]
        self.segments: list[tuple[int, int, float, float]] = []        # upper, lower, offsets from their middles
        self._trunks: dict[tuple[int, float], list[int]] = {}
        budget = min(MAX_BENDS * (len(boxes) + len(edges)) + 1000, MOST_BENDS)
        for k in sorted(range(len(edges)), key=lambda k: self.rank[edges[k].target] - self.rank[edges[k].source]):
            trunk = self._trunks.setdefault((edges[k].source, edges[k].leave), [])
            span = self.rank[edges[k].target] - self.rank[edges[k].source] - 1
            if span <= budget:                 # what is over the budget goes straight, past all ranks between
                budget -= span
                self._add(k, edges[k], boxes, trunk, span)

    def _add(self, k: int, e: Edge, boxes: list[Box], trunk: list[int], span: int) -> None:
        leave, arrive = e.leave - boxes[e.source].across / 2, e.arrive - boxes[e.target].across / 2
        while len(trunk) < span:
            bend = len(self.rank)
            self.rank.append(self.rank[e.source] + len(trunk) + 1)
            self.across.append(2.0)
            self.segments.append((trunk[-1] if trunk else e.source, bend, 0.0 if trunk else leave, 0.0))
            trunk.append(bend)
        self.bends[k] = trunk[:span]
        if span and e.label:
            self.across[trunk[0]] = max(self.across[trunk[0]], 2.0 + 2 * e.label)
        self.segments.append((trunk[span - 1], e.target, 0.0, arrive) if span else (e.source, e.target, leave, arrive))


def _ordered(grid: _Grid) -> list[list[int]]:
    """Order within ranks: medians, downward and upward in turn; the order with the fewest crossings wins."""
    n = len(grid.rank)
    above: list[list[tuple[int, float, float]]] = [[] for _ in range(n)]       # other end, its port, own port: 0 to 1
    below: list[list[tuple[int, float, float]]] = [[] for _ in range(n)]
    for u, v, a, b in grid.segments:
        p = 0.5 + 0.9 * a / grid.across[u] if grid.across[u] else 0.5
        q = 0.5 + 0.9 * b / grid.across[v] if grid.across[v] else 0.5
        above[v].append((u, p, q))
        below[u].append((v, q, p))
    layers: list[list[int]] = [[] for _ in range(max(grid.rank, default=-1) + 1)]
    seen = [False] * n
    for root in range(n):                      # depth first keeps what belongs together side by side
        stack = [] if seen[root] or above[root] else [root]
        while stack:
            v = stack.pop()
            if not seen[v]:
                seen[v] = True
                layers[grid.rank[v]].append(v)
                stack.extend(w for w, _, _ in reversed(below[v]) if not seen[w])
    place = [0] * n
    for layer in layers:
        for k, v in enumerate(layer):
            place[v] = k
    best, least = [list(layer) for layer in layers], _crossings(layers, below, place)
    for sweep in range(SWEEPS if n < 3000 else 2):
        if least == 0:
            break
        down = sweep % 2 == 0
        near = above if down else below
        for layer in (layers[1:] if down else layers[-2::-1]):
            if len(layer) > 1:
                wish = {v: _median([place[w] + p for w, p, _ in near[v]], place[v] + 0.5) for v in layer}
                layer.sort(key=lambda v: (wish[v], place[v]))
                for k, v in enumerate(layer):
                    place[v] = k
        if n < 3000:
            _transpose(layers, above, below, place)
        now = _crossings(layers, below, place)
        if now < least:
            best, least = [list(layer) for layer in layers], now
    return best


def _median(values: list[float], otherwise: float) -> float:
    if not values:
        return otherwise
    values.sort()
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _crossings(layers: list[list[int]], below: list[list[tuple[int, float, float]]], place: list[int]) -> int:
    """Number of crossing pairs of segments: inversions, counted in a Fenwick tree."""
    total = 0
    for layer in layers[:-1]:
        ends = [(place[w] + q) for v in layer for _, q, w in sorted((p, q, w) for w, q, p in below[v])]
        if len(ends) < 2:
            continue
        order = {e: k for k, e in enumerate(sorted(set(ends)))}
        tree = [0] * (len(order) + 1)
        for k, end in enumerate(ends):
            i, smaller = order[end] + 1, 0
            while i:
                smaller += tree[i]
                i &= i - 1
            total += k - smaller
            i = order[end] + 1
            while i <= len(order):
                tree[i] += 1
                i += i & -i
    return total


def _transpose(layers: list[list[int]], above: list[list[tuple[int, float, float]]],
               below: list[list[tuple[int, float, float]]], place: list[int]) -> None:
    """Swaps neighbours where that saves crossings."""
    for layer in layers:
        for k in range(len(layer) - 1):
            u, v = layer[k], layer[k + 1]
            now = then = 0
            for near in (above, below):
                if len(near[u]) * len(near[v]) > 64:
                    continue
                for a, p, _ in near[u]:
                    for b, q, _ in near[v]:
                        now += place[a] + p > place[b] + q
                        then += place[b] + q > place[a] + p
            if then < now:
                layer[k], layer[k + 1] = v, u
                place[v], place[u] = k, k + 1


def draw(boxes: list[Box], edges: list[Edge], *, gap: float, rank_gap: float, ends: float = 0.0) -> Level:
    """Places the boxes and routes the edges.  `ends`: distance between pinned boxes and the others."""
    if not boxes:
        return Level([], [], [], 0.0, 0.0)
    grid = _Grid(boxes, edges)
    layers = _ordered(grid)
    x = coordinates(layers, grid.segments, grid.across, grid.count, gap, grid.beside)
    left = min(x[v] - grid.across[v] / 2 for v in range(grid.count))
    left = min([left] + [x[v] - 1 for v in range(grid.count, len(x))])
    right = max(x[v] + (grid.across[v] / 2) for v in range(len(x)))
    x = [value - left for value in x]
    tops, sizes = _ranges(grid, boxes, edges, layers, x, rank_gap, ends)
    fed = {e.target for e in edges}
    corners = []
    for v, box in enumerate(boxes):
        r = grid.rank[v]
        room = sizes[r] - box.along            # what nothing feeds stands near to what it feeds
        corners.append((x[v] - box.across / 2, tops[r] + (room / 2 if v in fed else room)))
    routes, labels = [], []
    for k, e in enumerate(edges):
        route, label = _route(e, grid, k, boxes, corners, x, tops, sizes)
        routes.append(route)
        labels.append(label)
    return Level(corners, routes, labels, right - left, tops[-1] + sizes[-1])


def _ranges(grid: _Grid, boxes: list[Box], edges: list[Edge], layers: list[list[int]], x: list[float],
            rank_gap: float, ends: float) -> tuple[list[float], list[float]]:
    """Start and size of every rank; gaps are wider where edges run far sideways or carry labels."""
    sizes = [max((boxes[v].along for v in layer if v < grid.count), default=0.0) for layer in layers]
    drift = [0.0] * len(layers)
    for u, v, a, b in grid.segments:
        drift[grid.rank[u]] = max(drift[grid.rank[u]], abs(x[u] + a - x[v] - b))
    labels = [0.0] * len(layers)
    for e in edges:
        if e.label:
            r = grid.rank[e.target] - 1 if e.late else grid.rank[e.source]
            labels[r] = max(labels[r], e.tall + 4 * LABEL_GAP)
    pinned = [all(v < grid.count and boxes[v].pin for v in layer) for layer in layers]
    tops = [0.0]
    for r in range(len(layers) - 1):
        space = rank_gap + min(40.0, 0.12 * max(0.0, drift[r] - 40.0))
        if pinned[r] or pinned[r + 1]:
            space = ends + min(28.0, 0.3 * drift[r])
        tops.append(tops[-1] + sizes[r] + max(space, labels[r]))
    return tops, sizes


def _route(e: Edge, grid: _Grid, k: int, boxes: list[Box], corners: list[tuple[float, float]], x: list[float],
           tops: list[float], sizes: list[float]) -> tuple[list[tuple[float, float]], tuple[float, float] | None]:
    """Down through the rank of the source, a curve in each gap, straight down beside what stands in a rank."""
    a, b = grid.rank[e.source], grid.rank[e.target]
    start = (corners[e.source][0] + e.leave, corners[e.source][1] + boxes[e.source].along)
    stop = (corners[e.target][0] + e.arrive, corners[e.target][1])
    # straight pieces: across, where it begins, where it ends; those in line are one
    stops = [(start[0], start[1], tops[a] + sizes[a])]
    bands = [(x[bend], tops[grid.rank[bend]], tops[grid.rank[bend]] + sizes[grid.rank[bend]]) for bend in grid.bends[k]]
    for at, near, far in (*bands, (stop[0], tops[b], stop[1])):
        if abs(stops[-1][0] - at) <= STRAIGHT:
            stops[-1] = (stops[-1][0], stops[-1][1], far)
        else:
            stops.append((at, near, far))
    route = [start]
    for at, near, far in stops:
        before, y = route[-1]
        if at != before:
            lean = (near - y) * 0.55
            route += [(before, y + lean), (at, near - lean), (at, near)]
            y = near
        if far - y > 0.5:
            route += [(at, y + (far - y) / 3), (at, y + 2 * (far - y) / 3), (at, far)]
    if len(route) == 1:
        route += [start, stop, stop]
    label = None
    if e.label:
        if bands:
            at, near, far = bands[0]
            label = (at + LABEL_GAP + e.label / 2, (near + far) / 2)
        elif e.late:
            side = 1 if start[0] > stop[0] - 1 else -1
            label = (stop[0] + side * (LABEL_GAP + e.label / 2), tops[b] - LABEL_GAP - e.tall / 2)
        else:
            label = (start[0] + LABEL_GAP + e.label / 2, tops[a] + sizes[a] + LABEL_GAP + e.tall / 2)
    return route, label
