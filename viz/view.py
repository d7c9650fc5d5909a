"""From a graph to what is seen of it: which modules are open, which repeats are folded, which leaves are rows.

    graph -> View (items in groups, links between items)

Leaves are not ranked: a parameter, buffer or constant is a row in the card of each op that uses it.
Modules open breadth-first as long as the view stays within its budget of cards.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .fold import Call, Chunk, Ops, Repeat, Unit, calls, chunked, folded, inside, positions

if TYPE_CHECKING:
    from autograd.graph import Graph, GraphNode

SMALL = 40                                     # up to so many ops every one of them is shown, also repeated ones
FEW = 10                                       # units at the top that leave it to one of them to fill the picture
SCALAR = 48                                    # up to so many nodes a graph of scalars is drawn with numbers in nodes
ROW_KINDS = ("parameter", "buffer", "constant")


class Rule(NamedTuple):
    """What an op gives back to one input: `text` is "gx = g * y"; a result row names its leaves."""

    arg: int
    text: str
    leaves: tuple[int, ...] = ()
    gathers: bool = False                      # the leaf receives from elsewhere too: "+="


class Item(NamedTuple):
    """One card."""

    key: str                                   # stable: "n12", "m12.1", "out12"
    kind: str                                  # op leaf module repeat loss output seed
    nodes: tuple[int, ...]                     # the graph nodes it stands for
    group: int = -1                            # index of the group it lies in; -1 is the page
    path: str = ""                             # of the module; of an op alone in its module: that module's
    turns: tuple[tuple[int, ...], ...] = ()    # of a repeat: the nodes of each turn
    rows: tuple[tuple[int, ...], ...] = ()     # leaves drawn as rows: those of one row, over all turns
    rules: tuple[Rule, ...] = ()               # backward view: what is sent on
    gathers: int = 0                           # backward view: how many gradients are summed here, if more than one


class Group(NamedTuple):
    """An open module, or an open repeat, of which the first turn is shown."""

    key: str
    path: str
    parent: int
    nodes: tuple[int, ...]
    turns: tuple[tuple[int, ...], ...] = ()


class Link(NamedTuple):
    """A value that travels from one item to another; `args` are the (op, argument) pairs that read it."""

    source: str
    target: str
    node: int
    args: tuple[tuple[int, int], ...]
    port: int = -1                             # backward view: the argument whose rule sends it


class View(NamedTuple):
    """What is drawn: still plain data, without sizes or colours."""

    graph: Graph
    items: tuple[Item, ...]
    groups: tuple[Group, ...]
    links: tuple[Link, ...]
    params: str                                # "row" or "node"
    direction: str = "forward"
    scalar: bool = False                       # numbers in the nodes, as for a graph of scalars


def view(graph: Graph, *, depth: int | None = None, budget: int | None = 150, params: str | None = None) -> View:
    """Fold a graph into at most about `budget` cards (None: no limit, nothing folded).

    depth: open exactly so many levels of modules, whatever the budget.
    """
    graph = graph._replace(nodes=with_data(graph))
    scalar = len(graph.nodes) <= SCALAR and all(n.shape == () for n in graph.nodes)
    params = params or ("node" if scalar else "row")
    ops = Ops(graph)
    return _Builder(graph, ops, params, scalar and params == "node").build(*_open(ops, depth, budget))


def with_data(graph: Graph) -> tuple[GraphNode, ...]:
    """The nodes, with arrays told apart: data is an input, what an op brings along (a dropout mask) is a constant.

    Data has a name, or a computation starts from it, or a loss reads it.
    """
    data = {n.id for n in graph.nodes if n.name or n.requires_grad or n.id in graph.outputs}
    for node in graph.nodes:
        if node.category == "loss" or all(graph.nodes[a].kind != "op" for a in node.inputs):
            data.update(node.inputs)
    kinds = ("constant", "input")
    return tuple(n._replace(kind=kinds[n.id in data]) if n.kind in kinds and n.shape != () else n for n in graph.nodes)


def _open(ops: Ops, depth: int | None, budget: int | None) -> tuple[list[Unit], dict[int, list[Unit]]]:
    """The units at the top, and for each opened unit (by identity) the units seen inside it."""
    root = calls(ops)
    small = budget is None or len(ops.ids) <= min(SMALL, budget)
    top = root.units if small else folded(root.units, ops, 3, bare=False)
    if budget is not None and len(top) > budget:
        top = chunked(folded(root.units, ops, 2, bare=True), budget)
    opened: dict[int, list[Unit]] = {}
    seen = len(top)
    queue: deque[tuple[Unit, int]] = deque((u, 0) for u in top)
    while queue:
        unit, level = queue.popleft()
        if isinstance(unit, (int, Chunk)):
            continue
        content = inside(unit)
        if not small:
            content = folded(content, ops, 3, bare=False)
            if budget is not None and seen + len(content) - 1 > budget:
                content = folded(inside(unit), ops, 2, bare=True)
                if level == 0 and len(top) < FEW:          # the one big module of a picture must not stay closed
                    content = chunked(content, max(FEW, budget - seen))
        single = len(content) == 1 and isinstance(content[0], int)
        within = level < depth if depth is not None else budget is None or seen + len(content) - 1 <= budget
        if (single and isinstance(unit, Call)) or within:
            opened[id(unit)] = content
            seen += len(content) - 1
            queue.extend((u, level + 1) for u in content)
    return top, opened


class _Builder:
    """Emits items and groups, then the links between them."""

    def __init__(self, graph: Graph, ops: Ops, params: str, scalar: bool) -> None:
        self.graph, self.ops, self.params, self.scalar = graph, ops, params, scalar
        self.items: list[Item] = []
        self.groups: list[Group] = []
        self.at: dict[int, int] = {}           # graph node -> index of its item
        self.turn: dict[int, tuple[tuple[int, int], ...]] = {}     # op -> (group, turn) of each repeat around it
        self.outputs = set(graph.outputs)

    def build(self, top: list[Unit], opened: dict[int, list[Unit]]) -> View:
        # (unit, group, positions' shifts with the turns they stand for, level)
        first: list[tuple[int, tuple[tuple[int, int], ...]]] = [(0, ())]
        stack = [(unit, -1, first, 0) for unit in reversed(top)]
        while stack:
            unit, group, shifts, level = stack.pop()
            if isinstance(unit, int):
                self._op(unit, group, shifts, "")
                continue
            content = opened.get(id(unit))
            if content is None:
                self._closed(unit, group, shifts, level)
            elif isinstance(unit, Call) and len(content) == 1 and isinstance(content[0], int):
                self._op(content[0], group, shifts, unit.path)
            else:
                index, shifts = self._group(unit, group, shifts, level)
                stack.extend((u, index, shifts, level + 1) for u in reversed(content))
        self._leaves()
        links = self._links()
        return View(self.graph, tuple(self.items), tuple(self.groups), tuple(links), self.params, scalar=self.scalar)

    def _ids(self, places: range, shifts: list[tuple[int, tuple[tuple[int, int], ...]]]) -> tuple[int, ...]:
        return tuple(self.ops.ids[p + shift] for shift, _ in shifts for p in places)

    def _enter(self, item: Item) -> None:
        for i in item.nodes:
            self.at[i] = len(self.items)
        self.items.append(item)

    def _op(self, p: int, group: int, shifts: list[tuple[int, tuple[tuple[int, int], ...]]], path: str) -> None:
        nodes = self._ids(range(p, p + 1), shifts)
        for i, (_, turn) in zip(nodes, shifts, strict=True):
            if turn:
                self.turn[i] = turn
        rows: list[tuple[int, ...]] = []
        if self.params == "row":
            for arg, a in enumerate(self.graph.nodes[nodes[0]].inputs):
                if self.graph.nodes[a].kind in ROW_KINDS:
                    row = tuple(dict.fromkeys(self.graph.nodes[i].inputs[arg] for i in nodes))
                    if row not in rows:
                        rows.append(row)
        node = self.graph.nodes[nodes[0]]
        results = [i for i in nodes if i in self.outputs] if not self.scalar else []
        loss = bool(results) and len(nodes) == 1 and node.shape == () and not rows
        self._enter(Item(f"n{node.id}", "loss" if loss else "op", nodes, group, path, rows=tuple(rows)))
        if not loss:
            self.items += [Item(f"out{i}", "output", (i,)) for i in results]

    def _closed(self, unit: Call | Repeat, group: int, shifts: list[tuple[int, tuple[tuple[int, int], ...]]],
                level: int) -> None:
        nodes = self._ids(positions(unit), shifts)
        key = f"m{nodes[0]}.{level}"
        for shift, turn in shifts:
            if turn:
                self.turn.update((self.ops.ids[p + shift], turn) for p in positions(unit))
        self._enter(Item(key, "repeat" if isinstance(unit, Repeat) else "module", nodes, group, _path(unit),
                         turns=self._turns(unit, shifts)))
        self.items += [Item(f"out{i}", "output", (i,)) for i in nodes if i in self.outputs]

    def _turns(self, unit: Call | Repeat, shifts: list[tuple[int, tuple[tuple[int, int], ...]]]
               ) -> tuple[tuple[int, ...], ...]:
        if isinstance(unit, Call):
            return ()
        return tuple(self._ids(range(unit.start + k * unit.length, unit.start + (k + 1) * unit.length), shifts)
                     for k in range(unit.copies))

    def _group(self, unit: Call | Repeat, parent: int, shifts: list[tuple[int, tuple[tuple[int, int], ...]]],
               level: int) -> tuple[int, list[tuple[int, tuple[tuple[int, int], ...]]]]:
        index = len(self.groups)
        nodes = self._ids(positions(unit), shifts)
        self.groups.append(Group(f"g{nodes[0]}.{level}", _path(unit), parent, nodes, self._turns(unit, shifts)))
        if isinstance(unit, Repeat):
            shifts = [(shift + k * unit.length, (*turn, (index, k)))
                      for shift, turn in shifts for k in range(unit.copies)]
        return index, shifts

    def _leaves(self) -> None:
        """Inputs are cards of their own; so is every leaf where params="node", and one that is itself an output."""
        users: dict[int, list[int]] = {}       # leaf -> indices of the items that read it, in order
        twins: dict[int, int] = {}             # leaf -> the leaf of the first turn it stands beside
        for index, item in enumerate(self.items):
            if item.kind in ("module", "repeat"):
                for i in item.nodes:
                    for a in self.graph.nodes[i].inputs:
                        users.setdefault(a, []).append(index)
            elif item.kind != "output":
                for arg, a in enumerate(self.graph.nodes[item.nodes[0]].inputs):
                    for i in item.nodes:
                        b = self.graph.nodes[i].inputs[arg]
                        if self.graph.nodes[b].kind != "input":
                            twins.setdefault(b, a)
                        users.setdefault(b, []).append(index)
        cards: dict[int, list[int]] = {}
        for node in self.graph.nodes:
            if node.kind == "op":
                continue
            alone = node.id in self.outputs or not self.ops.ids
            drawn = node.kind == "input" or (self.params == "node" and any(
                self.items[u].kind not in ("module", "repeat") for u in users.get(node.id, ())))
            if alone or drawn:
                cards.setdefault(twins.get(node.id, node.id), []).append(node.id)
        for first, ids in cards.items():
            around = [self.items[u].group for i in ids for u in users.get(i, ())]
            group = -1 if self.graph.nodes[first].kind == "input" and not self.scalar else self._common(around)
            self._enter(Item(f"n{first}", "leaf", tuple(ids), group))

    def _common(self, groups: list[int]) -> int:
        """The innermost group around all of these."""
        if not groups:
            return -1
        chains = []
        for group in dict.fromkeys(groups):
            chain = [group]
            while chain[-1] >= 0:
                chain.append(self.groups[chain[-1]].parent)
            chains.append(chain)
        shared = set(chains[0]).intersection(*chains[1:])
        return next(group for group in chains[0] if group in shared)

    def _links(self) -> list[Link]:
        found: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
        carried: dict[tuple[int, int, int], int] = {}
        shown = [{a for row in item.rows for a in row} for item in self.items]             # as rows of the card itself
        for i in self.ops.ids:
            target = self.at[i]
            fine = self.items[target].kind in ("op", "loss")
            for arg, a in enumerate(self.graph.nodes[i].inputs):
                source = self.at.get(a)
                if source is None or source == target or self._between_turns(a, i):
                    continue
                if a in shown[target]:
                    continue
                key = (source, target, arg if fine else -1)
                found.setdefault(key, []).append((i, arg))
                carried.setdefault(key, a)
        links = [Link(self.items[s].key, self.items[t].key, carried[s, t, arg], tuple(args))
                 for (s, t, arg), args in found.items()]
        links += [Link(self.items[self.at[item.nodes[0]]].key, item.key, item.nodes[0], ())
                  for item in self.items if item.kind == "output"]
        return links

    def _between_turns(self, a: int, b: int) -> bool:
        """Whether a value goes from one turn of a repeat to another: within a plate that shows one turn."""
        for (group, turn), (other, later) in zip(self.turn.get(a, ()), self.turn.get(b, ()), strict=False):
            if group != other:
                return False
            if turn != later:
                return True
        return False


def _path(unit: Call | Repeat) -> str:
    if isinstance(unit, Call):
        return unit.path
    return unit.units[0].path if len(unit.units) == 1 and isinstance(unit.units[0], Call) else ""
