"""The backward pass as a view: the forward view turned round.

Every card shows what its op sends on, one rule per input that needs a gradient ("gx = g * y");
arrows run from the loss to the leaves; where a value was used more than once its gradients are summed.
Inputs that need no gradient are absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import clean, rule
from .view import Group, Item, Link, Rule, View

if TYPE_CHECKING:
    from autograd.graph import Graph, GraphNode

LETTERS = "xyzuvw"
MAX_FORMULA = 120


def backward(view: View) -> View:
    """The reverse of a forward view: same cards and groups, links from the results to the leaves.

    Raises ValueError where no gradient flows at all.
    """
    graph = view.graph
    if not any(graph.nodes[i].requires_grad for i in graph.outputs):
        names = ", ".join(graph.nodes[i].name or graph.nodes[i].op or "a leaf" for i in graph.outputs[:3])
        raise ValueError("draw: expected an output that requires a gradient, for a backward picture; got "
                         f"{clean(names) or 'none'}, which depends on nothing that requires one; set "
                         'requires_grad=True on a tensor it is computed from, or draw direction="forward"')
    uses = contributions(graph)
    items = [turned for item in view.items if (turned := _turned(item, view, uses)) is not None]
    there = {item.key for item in items}
    at = {i: item.key for item in items if item.kind != "seed" for i in item.nodes}
    first = {item.key: item.nodes[0] for item in view.items if item.kind in ("op", "loss")}
    links = []
    for link in view.links:
        if link.target not in there or link.source not in there or not graph.nodes[link.node].requires_grad:
            continue
        if not link.args:                      # to an output marker, which is the seed now
            links.append(Link(link.target, link.source, link.node, ()))
        elif any(graph.nodes[i].requires_grad for i, _ in link.args):
            op, arg = link.args[0]
            port = arg if first.get(link.target) == op else -1         # a closed module shows no rules
            links.append(Link(link.target, link.source, link.node, link.args, port))
    linked = {link.source for link in links if link.source.startswith("out")}
    for i in graph.outputs:
        if f"out{i}" not in linked and i in at and graph.nodes[i].requires_grad:
            items.append(Item(f"out{i}", "seed", (i,)))
            links.append(Link(f"out{i}", at[i], i, ()))
    kept, groups = _kept_groups(items, view.groups)
    items = [item._replace(group=kept[item.group]) for item in items]
    order = {item.key: k for k, item in enumerate(items)}
    links.sort(key=lambda link: (-link.node, order[link.source], link.port))
    return View(graph, tuple(reversed(items)), groups, tuple(links), view.params, "backward", view.scalar)


def contributions(graph: Graph) -> dict[int, int]:
    """How many gradients are summed into each node: one per use by an op that passes one on, one if it is an output."""
    uses: dict[int, int] = {}
    for node in graph.nodes:
        if node.requires_grad:
            for a in node.inputs:
                if graph.nodes[a].requires_grad:
                    uses[a] = uses.get(a, 0) + 1
    for i in graph.outputs:
        uses[i] = uses.get(i, 0) + 1
    return uses


def argument(node: GraphNode, arg: int) -> str:
    """The name of an argument in the rules of an op: x, y, z; x[7] where there are many."""
    return LETTERS[arg] if len(node.inputs) <= len(LETTERS) else f"x[{arg}]"


def _turned(item: Item, view: View, uses: dict[int, int]) -> Item | None:
    graph = view.graph
    if not any(graph.nodes[i].requires_grad for i in item.nodes):
        return None
    if item.kind == "output":
        return item._replace(kind="seed")
    if item.kind in ("module", "repeat"):
        return item
    node = graph.nodes[item.nodes[0]]
    gathers = uses.get(node.id, 0) if uses.get(node.id, 0) > 1 else 0
    if item.kind == "leaf":
        return item._replace(gathers=gathers)
    rows = {leaf: row for row in item.rows for leaf in row}
    rules = []
    for arg, a in enumerate(node.inputs):
        if not graph.nodes[a].requires_grad:
            continue
        formula = rule(node.formula[arg], MAX_FORMULA) if arg < len(node.formula) else ""
        if a in rows:
            rules.append(Rule(arg, formula, rows[a], uses.get(a, 0) > 1))
        else:
            name = f"g{argument(node, arg)}"
            rules.append(Rule(arg, f"{name} = {formula}" if formula else name))
    return item._replace(kind="op", rows=(), rules=tuple(rules), gathers=gathers)


def _kept_groups(items: list[Item], groups: tuple[Group, ...]) -> tuple[dict[int, int], tuple[Group, ...]]:
    """Groups that still hold something, and the new index of each."""
    wanted: set[int] = set()
    for item in items:
        group = item.group
        while group >= 0 and group not in wanted:
            wanted.add(group)
            group = groups[group].parent
    kept = {-1: -1} | {old: new for new, old in enumerate(sorted(wanted))}
    return kept, tuple(groups[old]._replace(parent=kept[groups[old].parent]) for old in sorted(wanted))
