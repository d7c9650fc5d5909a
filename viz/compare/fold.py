"""The view of a difference: what did not change is folded, whatever the budget; what changed stands open."""

from __future__ import annotations

from ..view import Group, Item, Link, View, view, with_data
from .merge import Merged

MOST_OPENED = 3000                             # ops up to which everything is opened before the unchanged is folded


def touched(merged: Merged) -> set[int]:
    """The ops at which something is to be seen: they differ, or a leaf in their card does."""
    return {n.id for n in merged.graph.nodes if n.kind == "op" and (
        n.id in merged.status or any(a in merged.status and merged.graph.nodes[a].kind != "op" for a in n.inputs))}


def view_of(merged: Merged, depth: int | None, budget: int | None, params: str | None) -> View:
    """The view, with every module closed in which nothing differs."""
    marked = touched(merged)
    graph = merged.graph._replace(nodes=with_data(merged.graph))

    def seen(budget: int | None, depth: int | None = None) -> View:
        """What is marked is like nothing else, so that no repeat swallows it."""
        apart = tuple(n._replace(dtype=f"{n.dtype} {n.id}") if n.id in marked else n for n in merged.graph.nodes)
        return view(merged.graph._replace(nodes=apart), depth=depth, budget=budget, params=params)._replace(graph=graph)

    plain = seen(budget, depth)
    if not marked or depth is not None or budget is None:
        return plain
    folded = closed(plain, marked)                         # runs of equal siblings are one card here
    hidden = any(item.kind in ("module", "repeat") and not marked.isdisjoint(item.nodes) for item in folded.items)
    if hidden and sum(1 for n in merged.graph.nodes if n.kind == "op") <= MOST_OPENED:
        wide = closed(seen(None), marked)
        if len(wide.items) <= budget:
            return wide
    return folded


def closed(seen: View, marked: set[int]) -> View:
    """The same view with the outermost unmarked groups as one card each."""
    groups = seen.groups
    inside = [not marked.isdisjoint(group.nodes) for group in groups]

    def outermost(g: int) -> int:
        """The outermost unmarked group around g, g included; -1 where all are marked."""
        found = -1
        while g >= 0:
            found = g if not inside[g] else found
            g = groups[g].parent
        return found

    kept = {-1: -1}
    for g in range(len(groups)):
        if outermost(g) < 0:
            kept[g] = len(kept) - 1
    home: dict[str, str] = {}                              # card that is inside -> card it is now
    items: list[Item] = []
    made: set[int] = set()
    for item in seen.items:
        around = outermost(item.group)
        if around < 0 or item.kind == "output":
            items.append(item._replace(group=kept[_open(item.group, kept, groups)]))
            continue
        group = groups[around]
        key = "m" + group.key[1:]
        home[item.key] = key
        if around not in made:
            made.add(around)
            items.append(Item(key, "repeat" if group.turns else "module", group.nodes, kept[group.parent], group.path,
                              turns=group.turns))
    links: list[Link] = []
    into: dict[tuple[str, str], int] = {}                  # a closed module is entered once from each card
    for link in seen.links:
        source, target = home.get(link.source, link.source), home.get(link.target, link.target)
        if source == target:
            continue
        if target != link.target and (source, target) in into:
            old = links[into[source, target]]
            links[into[source, target]] = old._replace(args=(*old.args, *link.args))
            continue
        if target != link.target:
            into[source, target] = len(links)
        links.append(link._replace(source=source, target=target))
    return seen._replace(items=tuple(items), links=tuple(links),
                         groups=tuple(groups[g]._replace(parent=kept[groups[g].parent]) for g in kept if g >= 0))


def _open(g: int, kept: dict[int, int], groups: tuple[Group, ...]) -> int:
    """The innermost group around g that is still there."""
    while g not in kept:
        g = groups[g].parent
    return g
