"""Who a node descends from: walks over the record, without recursion."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from .node import Node

number = attrgetter("index")


def history(roots: Iterable[Node], since: int = 0, leaves: bool = True) -> list[Node]:
    """The nodes the roots were made from, newest first, none older than number `since`.

    A node is numbered when it is made, after all it was made from: order of number is a topological
    order, and nothing older than a source can depend on it.  No recursion: a chain may be of any length.
    """
    order = [root for root in roots if leaves or root.op is not None]
    found = set(order)
    add, append = found.add, order.append
    for node in order:                        # grows while it is walked
        for p in node.parents:
            if p is not None and p not in found and p.index >= since and (leaves or p.op is not None):
                add(p)
                append(p)
    order.sort(key=number, reverse=True)
    return order


def live_of(order: list[Node], sources: Iterable[Node]) -> set[Node]:
    """The nodes of a history (newest first) that depend on the sources, and the sources."""
    live = set(sources)
    for node in reversed(order):
        if node not in live and not live.isdisjoint(node.parents):
            live.add(node)
    return live


def path(root: Node, node: Node) -> list[Node]:
    """The shortest way from `root` down to a node it was made from: both ends, and what lies between."""
    came: dict[Node, Node] = {}
    reached = [root]
    for n in reached:                         # grows while it is walked
        if n is node:
            break
        for p in n.parents:
            if p is not None and p not in came and p is not root:
                came[p] = n
                reached.append(p)
    steps = [node]
    while steps[-1] is not root:
        steps.append(came[steps[-1]])
    return steps[::-1]
