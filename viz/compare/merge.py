"""Two graphs as one: the nodes of the second, and between them those that only the first has.

    Graph, Graph -> Merged (one Graph, and for each of its nodes what became of it)
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from autograd.graph import Change, Graph, GraphNode, readable

from ..text import shape
from .renaming import renamed


class Merged(NamedTuple):
    """The union of two graphs."""

    graph: Graph
    status: Mapping[int, str]                  # node -> added removed changed; not there: the same in both
    words: Mapping[int, tuple[str, ...]]       # node that changed -> what changed
    before: Mapping[int, GraphNode]            # node that is in both -> what it was
    results: tuple[str, ...]                   # how what is returned differs
    classes: Mapping[str, str]                 # module path -> class in the first graph
    notes: tuple[str, ...] = ()                # modules that have another name and are the same

    def count(self, status: str) -> int:
        return sum(1 for s in self.status.values() if s == status)


def merge(a: Graph, b: Graph) -> Merged:
    """The union, in an order in which inputs stand before what reads them."""
    a, notes = renamed(a, b)
    found = a.diff(b)
    kept = [c for c in found.changed if not _elsewhere(c)]
    apart = [c for c in found.changed if _elsewhere(c)]
    changed = {c.after.id: c for c in kept}
    removed = {n.id for n in found.removed} | {c.before.id for c in apart}
    added = {n.id for n in found.added} | {c.after.id for c in apart}
    pairs = {c.before.id: c.after.id for c in kept}
    # what is the same in both is the same in every word but the ids, and comes in the same order
    waiting: dict[object, deque[int]] = defaultdict(deque)
    for node in b.nodes:
        if node.id not in added and node.id not in changed:
            waiting[_face(node)].append(node.id)
    for node in a.nodes:
        if node.id not in removed and node.id not in pairs and waiting[_face(node)]:
            pairs[node.id] = waiting[_face(node)].popleft()
    replaced = _replacements(a, b, removed, added, pairs)
    order, ghosts = _ordered(a, b, removed, pairs)
    place = {key: k for k, key in enumerate(order)}
    back = {j: i for i, j in pairs.items()}
    nodes, status, words, before = [], {}, {}, {}
    for k, (old, i) in enumerate(order):
        if old:
            node = a.nodes[i]
            inputs = [place[_key(x, removed, pairs)] for x in node.inputs]
            status[k] = "removed"
        else:
            node = b.nodes[i]
            inputs = [place[False, x] for x in node.inputs] + [place[True, x] for x in ghosts.get(i, ())]
            if i in added:
                status[k] = "added"
            elif i in back:
                before[k] = a.nodes[back[i]]
                said = _words(changed[i], a, b, removed, added, pairs) if i in changed else replaced.get(i, ())
                if said:
                    status[k], words[k] = "changed", said
        nodes.append(node._replace(id=k, inputs=tuple(inputs)))
    made = Graph(tuple(nodes), tuple(place[False, i] for i in b.outputs),
                 MappingProxyType({**a.modules, **b.modules}))
    return Merged(made, status, words, before, found.results, a.modules, notes)


def _elsewhere(change: Change) -> bool:
    """Two ops of one name that run in different modules and read different things: not one op that changed."""
    return change.before.kind == "op" and change.before.module != change.after.module and any(
        word.startswith("operand ") for word in change.what)


def _face(node: GraphNode) -> object:
    return node.kind, node.op, node.name, node.dtype, node.shape, node.module


def _key(i: int, removed: set[int], pairs: Mapping[int, int]) -> tuple[bool, int]:
    """A node of the first graph, where it stands in the union."""
    return (True, i) if i in removed else (False, pairs[i])


def _replacements(a: Graph, b: Graph, removed: set[int], added: set[int], pairs: dict[int, int]
                  ) -> dict[int, tuple[str, ...]]:
    """An op that took the place of another: what it reads is the same, and so is its module, or its shape and what is
    around its module."""
    found = {}
    for place in (lambda n: n.module or None, lambda n: (n.shape, n.module.rpartition(".")[0])):
        free: dict[object, deque[int]] = defaultdict(deque)
        for j in sorted(added):
            node = b.nodes[j]
            if node.kind == "op" and node.inputs and place(node) is not None:
                free[node.inputs, place(node)].append(j)
        for i in sorted(removed):
            node = a.nodes[i]
            if node.kind != "op" or not all(x in pairs for x in node.inputs):
                continue
            candidates = free.get((tuple(pairs[x] for x in node.inputs), place(node)))
            if candidates:
                other = b.nodes[candidates.popleft()]
                pairs[i] = other.id
                removed.discard(i)
                added.discard(other.id)
                became = (f"{node.op} → {other.op}",) if node.op != other.op else _attributes(node, other)
                found[other.id] = (*became, *_types(node, other))
    return found


def _types(a: GraphNode, b: GraphNode) -> tuple[str, ...]:
    """How the type of a result changed, in as few words as say it."""
    if a.dtype == b.dtype:
        return (f"{shape(a.shape)} → {shape(b.shape)}",) if a.shape != b.shape else ()
    if a.shape == b.shape:
        return (f"{a.dtype} → {b.dtype}",)
    return (f"{a.dtype} {shape(a.shape)} → {b.dtype} {shape(b.shape)}",)


def _attributes(a: GraphNode, b: GraphNode) -> tuple[str, ...]:
    """How the same op is called in another way."""
    words = {k: tuple(readable(n.attrs[k]) if k in n.attrs else "the default" for n in (a, b))
             for k in dict.fromkeys([*a.attrs, *b.attrs])}
    return tuple(f"{k}: {before} → {after}" for k, (before, after) in words.items() if before != after)


def _ordered(a: Graph, b: Graph, removed: set[int], pairs: Mapping[int, int]
             ) -> tuple[list[tuple[bool, int]], dict[int, list[int]]]:
    """All nodes, (is it of the first graph?, id), in order; and for nodes of the second what they no longer read.

    What was removed stands before the next node that is in both.
    """
    import heapq
    ranks: dict[tuple[bool, int], tuple[int, int, int]] = {(False, n.id): (n.id, 1, 0) for n in b.nodes}
    at = len(b.nodes)
    for node in reversed(a.nodes):
        if node.id in removed:
            ranks[True, node.id] = (at, 0, node.id)
        elif node.id in pairs:
            at = pairs[node.id]
    reads = {(False, n.id): [(False, x) for x in n.inputs] for n in b.nodes}
    reads |= {(True, i): [_key(x, removed, pairs) for x in a.nodes[i].inputs] for i in removed}
    missing = {key: len(set(inputs)) for key, inputs in reads.items()}
    readers: dict[tuple[bool, int], list[tuple[bool, int]]] = {key: [] for key in reads}
    for key, inputs in reads.items():
        for source in set(inputs):
            readers[source].append(key)
    ready = [(ranks[key], key) for key, n in missing.items() if not n]
    heapq.heapify(ready)
    order = []
    while ready:
        _, key = heapq.heappop(ready)
        order.append(key)
        for reader in readers[key]:
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, (ranks[reader], reader))
    place = {key: k for k, key in enumerate(order)}
    ghosts: dict[int, list[int]] = {}
    for node in a.nodes:
        for x in node.inputs if node.id in pairs else ():
            if x in removed and place[True, x] < place[False, pairs[node.id]]:
                lost = ghosts.setdefault(pairs[node.id], [])
                if x not in lost:
                    lost.append(x)
    return order, ghosts


def _words(change: Change, a: Graph, b: Graph, removed: set[int], added: set[int], pairs: Mapping[int, int]
           ) -> tuple[str, ...]:
    """What changed, without what another mark says already: what it reads, and the values of arrays."""
    found = []
    for word in change.what:
        if word.startswith("operand "):
            k = int(word.removeprefix("operand ").partition(":")[0])
            before, after = a.nodes[change.before.inputs[k]], b.nodes[change.after.inputs[k]]
            if pairs.get(before.id) == after.id or before.id in removed or after.id in added:
                continue                                   # the wires say it
            names = [n.name or n.op or n.kind for n in (before, after)]
            found.append(f"reads {names[0]} → {names[1]}" if names[0] != names[1] else f"reads another {names[1]}")
        elif word.startswith(f"{change.before.dtype}[") and " -> " in word:
            found += _types(change.before, change.after)
        elif word.startswith("name: ") and change.after.kind == "op":
            continue                                       # the variable that holds it
        elif word.startswith("value: ") and (change.after.kind != "constant" or change.after.shape != ()):
            continue                                       # learned, or given, or drawn: not what the program is
        else:
            found.append(word.replace(" -> ", " → "))
    return tuple(found)
