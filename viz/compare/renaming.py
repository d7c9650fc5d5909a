"""Modules of two graphs that are the same under other names: a network in another class, layers that moved up by one.

    Graph, Graph -> the first graph with the names of the second, and in words what was renamed
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from autograd.graph import Graph

Sign = tuple[str, tuple[object, ...]]          # of a module: its class, and what it computes

MOST = 20_000                                  # nodes, up to which names are looked at
MOST_SAID = 4


def renamed(a: Graph, b: Graph) -> tuple[Graph, tuple[str, ...]]:
    """The first graph with each module called as its counterpart in the second; and the notes that say so."""
    if not a.modules or not b.modules or max(len(a.nodes), len(b.nodes)) > MOST:
        return a, ()
    names = _counterparts(a, b)
    leaves = {**_leaf_names(a, b, names), **_input_names(a, b)}
    if not leaves and all(old == new for old, new in names.items()):
        return a, ()
    nodes = tuple(n._replace(module=names.get(n.module, n.module), name=leaves.get(n.id, n.name)) for n in a.nodes)
    modules = {names.get(path, path): kind for path, kind in a.modules.items()}
    return a._replace(nodes=nodes, modules=MappingProxyType(modules)), _words(names)


def _counterparts(a: Graph, b: Graph) -> dict[str, str]:
    """Each module path of the first graph, and its path in the second; each of these once."""
    signs, others = _signs(a), _signs(b)
    below, under = _children(a.modules), _children(b.modules)
    names: dict[str, str] = {}
    roots, tops = below.get("", []), under.get("", [])
    pairs = _aligned(roots, tops, signs, others)
    if len(roots) == len(tops) == 1:
        alike = a.modules[roots[0]] == b.modules[tops[0]] or (roots[0] in below) == (tops[0] in under)
        pairs = [(roots[0], tops[0])] if alike else []
        if signs[roots[0]] != others[tops[0]]:             # one of them may be inside of the other now
            inner = [path for path in b.modules if others[path] == signs[roots[0]]]
            outer = [path for path in a.modules if signs[path] == others[tops[0]]]
            if len(inner) == 1:
                pairs = [(roots[0], inner[0])]
            elif len(outer) == 1:
                pairs = [(outer[0], tops[0])]
    for old, new in pairs:                                 # grows while it is walked
        names[old] = new
        pairs += _aligned(below.get(old, []), under.get(new, []), signs, others)
    taken = set(names.values())
    for path in a.modules:                                 # what has no counterpart keeps its name, if it is free
        if path not in names and path in taken:
            names[path] = path + " (before)"
    return names


def _children(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """The modules right inside each path, in the order in which they are called."""
    found: dict[str, list[str]] = {}
    for path in modules:
        parent = path.rpartition(".")[0]
        while parent and parent not in modules:
            parent = parent.rpartition(".")[0]
        found.setdefault(parent, []).append(path)
    return found


def _signs(graph: Graph) -> dict[str, Sign]:
    """What tells a module from others: its class, and the ops inside it with the shapes they read and give."""
    inside: dict[str, list[object]] = {path: [] for path in graph.modules}
    for node in graph.nodes:
        if node.kind == "op":
            does = node.op, node.shape, tuple([graph.nodes[i].shape for i in node.inputs])
            path = node.module
            while path:
                if path in inside:
                    inside[path].append(does)
                path = path.rpartition(".")[0]
    return {path: (kind, tuple(inside[path])) for path, kind in graph.modules.items()}


def _aligned(left: list[str], right: list[str], signs: Mapping[str, Sign], others: Mapping[str, Sign]
             ) -> list[tuple[str, str]]:
    """Pairs of children: those that do the same, in order; then those of one name; then those of one class between.

    As many, of the same names and classes: nothing was renamed.
    """
    from difflib import SequenceMatcher
    if [(_last(p), signs[p][0]) for p in left] == [(_last(p), others[p][0]) for p in right]:
        return list(zip(left, right, strict=True))
    first_signs, second_signs = [signs[p] for p in left], [others[p] for p in right]
    most, head, tail = min(len(left), len(right)), 0, 0
    while head < most and first_signs[head] == second_signs[head]:
        head += 1
    while tail < most - head and first_signs[-1 - tail] == second_signs[-1 - tail]:
        tail += 1
    n, m = len(left) - tail, len(right) - tail
    pairs = dict(zip([*left[:head], *left[n:]], [*right[:head], *right[m:]], strict=True))
    gaps = []
    match = SequenceMatcher(None, first_signs[head:n], second_signs[head:m], autojunk=False)
    for tag, i, j, k, l in match.get_opcodes():
        if tag == "equal":
            pairs.update(zip(left[head + i:head + j], right[head + k:head + l], strict=True))
        else:
            gaps.append((left[head + i:head + j], right[head + k:head + l]))
    for first, second in gaps:
        named = {_last(p): p for p in second}
        for p in first:
            q = named.get(_last(p))
            if q is not None and signs[p][0] == others[q][0]:
                pairs[p] = q
        free = [p for p in first if p not in pairs]
        for q in second:
            if q not in pairs.values():
                like = [p for p in free if signs[p][0] == others[q][0]]
                if like:
                    pairs[like[0]] = q
                    free = free[free.index(like[0]) + 1:]              # nothing overtakes
    return list(pairs.items())


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _leaf_names(a: Graph, b: Graph, names: Mapping[str, str]) -> dict[int, str]:
    """Parameters that are called by the path of their module: "2.weight" is "4.weight" where 2 is 4."""
    known = {n.name for n in b.nodes if n.kind != "op"}
    found: dict[int, str] = {}
    for node in a.nodes:
        new = names.get(node.module, node.module)
        if node.kind != "op" or new == node.module:
            continue
        for i in node.inputs:
            leaf = a.nodes[i]
            path, _, last = leaf.name.rpartition(".")
            if leaf.kind == "op" or not last or i in found or (path and not f".{node.module}".endswith(f".{path}")):
                continue
            parts = new.split(".")
            choices = [".".join([*parts[len(parts) - k:], last]) for k in range(len(parts) + 1)]
            same = path.count(".") + 1 if path else 0      # rather one of as many parts
            choices.sort(key=lambda c: abs(c.count(".") - same))
            chosen = next((c for c in choices if c in known), None)
            if chosen is not None:
                found[i] = chosen
    return found


def _input_names(a: Graph, b: Graph) -> dict[int, str]:
    """Inputs are called by the parameters of `forward`: the k-th is the k-th, where their shapes are the same."""
    first, second = [[n for n in g.nodes if n.kind == "input"] for g in (a, b)]
    if [n.shape for n in first] != [n.shape for n in second] or {n.name for n in first} == {n.name for n in second}:
        return {}
    return {n.id: m.name for n, m in zip(first, second, strict=True) if n.name != m.name}


def _words(names: Mapping[str, str]) -> tuple[str, ...]:
    """What was renamed, without what follows from the names around it."""
    said = []
    for old, new in names.items():
        around, after = names.get(old.rpartition(".")[0]), new.rpartition(".")[0]
        if old != new and not new.endswith("(before)") and (around != after or _last(old) != _last(new)):
            said.append(f"{old} → {new}")
    more = [f"{len(said) - MOST_SAID} more"] if len(said) > MOST_SAID else []
    return ("renamed, not counted as a change: " + ", ".join([*said[:MOST_SAID], *more]),) if said else ()
