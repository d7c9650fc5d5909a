"""What distinguishes two graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .nodes import GraphNode, is_weak, same
from .passes import hashable
from .text import line, readable, returned, sentence, typed, words

if TYPE_CHECKING:
    from .graphs import Graph

_MOST_COMPARED = 4_000_000                          # pairs of lines; beyond, lines are paired in order


class Change(NamedTuple):
    """A node that stands in both graphs, and is not the same in both."""

    before: GraphNode
    after: GraphNode
    what: tuple[str, ...]                           # "dim: 0 -> 1", ...


class Diff(NamedTuple):
    """Nodes of the first graph only, of the second only, those of both that differ, and what is returned otherwise.

    False where nothing differs; printed, one line a difference.
    """

    removed: tuple[GraphNode, ...]
    added: tuple[GraphNode, ...]
    changed: tuple[Change, ...]
    results: tuple[str, ...]
    text: str

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.changed or self.results)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def diff(a: Graph, b: Graph) -> Diff:
    """What makes b of a.  Lines are matched as those of texts are; source lines and recorded values do not count."""
    there = _pairs(a, b)
    back = {j: i for i, j in there.items()}
    removed = tuple([n for n in a.nodes if n.id not in there])
    added = tuple([n for n in b.nodes if n.id not in back])
    changed = tuple([Change(a.nodes[i], b.nodes[j], what) for i, j in there.items()
                     if (what := _differences(a.nodes[i], b.nodes[j], there))])
    results = _results(a, b, there)
    counts = [f"{len(part)} {word}" for part, word in ((removed, "removed"), (added, "added"), (changed, "changed"))
              if part]
    rows = [(n.id, 0, f"- {line(a.nodes, n)}") for n in removed]
    rows += [(c.before.id, 1, f"~ {_both(c)}: {typed(c.after)} = {sentence(b.nodes, c.after)}   # {'; '.join(c.what)}")
             for c in changed]
    at = len(a.nodes)
    for n in reversed(b.nodes):                     # what was added stands before the next line of both
        at = back.get(n.id, at)
        if n.id not in back:
            rows.append((at, -1, f"+ {line(b.nodes, n)}"))
    rows.sort(key=lambda row: row[:2])
    head = f"{', '.join(counts) or 'no node differs'} ({len(a.nodes)} nodes -> {len(b.nodes)})"
    return Diff(removed, added, changed, results, "\n".join([head, *[row[2] for row in rows], *results]))


def _both(change: Change) -> str:
    i, j = change.before.id, change.after.id
    return f"%{i}" if i == j else f"%{i} -> %{j}"


def _pairs(a: Graph, b: Graph) -> dict[int, int]:
    """Which node of b each node of a became, in order."""
    left, right = [[_key_of_line(g, node) for node in g.nodes] for g in (a, b)]
    n, m = len(left), len(right)
    head = 0
    while head < min(n, m) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(n, m) - head and left[n - 1 - tail] == right[m - 1 - tail]:
        tail += 1
    pairs = {k: k for k in range(head)}
    for first, last, start, end in _gaps(left, right, head, n - tail, m - tail, pairs):
        _alike(a, b, range(first, last), range(start, end), pairs)
    pairs.update({n - k: m - k for k in range(tail, 0, -1)})
    return dict(sorted(pairs.items()))


def _gaps(left: list[Any], right: list[Any], head: int, n: int, m: int, pairs: dict[int, int]
          ) -> list[tuple[int, int, int, int]]:
    """Pairs the lines that are equal; returns the stretches between them."""
    if (n - head) * (m - head) > _MOST_COMPARED:
        return [(head, n, head, m)]
    from difflib import SequenceMatcher
    gaps = []
    for tag, i, k, j, l in SequenceMatcher(None, left[head:n], right[head:m], autojunk=False).get_opcodes():
        if tag == "equal":
            pairs.update(zip(range(head + i, head + k), range(head + j, head + l)))
        else:
            gaps.append((head + i, head + k, head + j, head + l))
    return gaps


def _alike(a: Graph, b: Graph, left: range, right: range, pairs: dict[int, int]) -> None:
    """Pairs, in order, the lines of two stretches that do the same, then those that do the same to something else."""
    for of in (_key_of_line, lambda g, n: _key(n), lambda g, n: (n.kind, n.op, n.name)):
        waiting: dict[Any, list[int]] = {}
        taken = {pairs[i] for i in left if i in pairs}
        for j in reversed(right):
            if j not in taken:
                waiting.setdefault(of(b, b.nodes[j]), []).append(j)
        least = 0
        for i in left:
            if i not in pairs:
                found = waiting.get(of(a, a.nodes[i]), [])
                while found and found[-1] < least:
                    found.pop()
                if found:
                    pairs[i] = least = found.pop()


def _key_of_line(graph: Graph, node: GraphNode) -> Any:
    """What a line does, and to the results of which ops."""
    return _key(node), tuple([(n.op, n.name, n.data if is_weak(n) else None) for n in [
        graph.nodes[i] for i in node.inputs]])


def _key(node: GraphNode) -> Any:
    return node.kind, node.op, node.name, node.dtype, node.shape, hashable(node.attrs), node.module


def _differences(a: GraphNode, b: GraphNode, there: dict[int, int]) -> tuple[str, ...]:
    """In words, what makes b of a."""
    found = []
    if (a.kind, a.op) != (b.kind, b.op):
        found.append(f"{a.op or a.kind} -> {b.op or b.kind}")
    if a.name != b.name:
        found.append(f"name: {a.name!r} -> {b.name!r}")
    if typed(a) != typed(b):
        found.append(f"{typed(a)} -> {typed(b)}")
    for name in dict.fromkeys([*a.attrs, *b.attrs]):
        if name not in a.attrs or name not in b.attrs or not same(a.attrs[name], b.attrs[name]):
            before, after = [readable(n.attrs[name]) if name in n.attrs else "the default" for n in (a, b)]
            found.append(f"{name}: {before} -> {after}")
    if a.data is not None and b.data is not None and not same(a.data, b.data) and a.value and b.value:
        before, after = words(a.value), words(b.value)
        found.append(f"value: {before} -> {after}" if before != after else f"value: other elements, {after}")
    if len(a.inputs) != len(b.inputs) or a.absent != b.absent:
        found.append(f"{len(a.inputs)} operands -> {len(b.inputs)}")
    else:
        found += [f"operand {k}: %{i} -> %{j}" for k, (i, j) in enumerate(zip(a.inputs, b.inputs, strict=True))
                  if there.get(i) != j]
    if a.module != b.module:
        found.append(f"module: {a.module or 'none'} -> {b.module or 'none'}")
    if a.requires_grad != b.requires_grad:
        found.append("gradients flow here now" if b.requires_grad else "no gradient flows here any more")
    return tuple(found)


def _results(a: Graph, b: Graph, there: dict[int, int]) -> tuple[str, ...]:
    if tuple([there.get(i) for i in a.outputs]) == b.outputs and same(a.gives, b.gives):
        return ()
    if same(a.gives, b.gives) and len(a.outputs) == len(b.outputs):
        return tuple([f"~ result {k}: %{i} -> %{j}" for k, (i, j) in enumerate(zip(a.outputs, b.outputs, strict=True))
                      if there.get(i) != j])
    return (f"~ {returned(a)} -> {returned(b)}",)
