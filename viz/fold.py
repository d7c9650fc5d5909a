"""Which ops belong together: the calls of modules, and runs of equal siblings.

A call of a module is a contiguous run of ops in recording order.  A module called twice with
something between is two calls, so a call drawn as one card can never close a cycle.  Equal siblings
in a row, or rows of p siblings repeated, fold into one `Repeat`: ResBlock ×6, (Linear, Tanh) ×14.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograd.graph import Graph

MAX_DEPTH = 24                                 # levels of modules told apart; deeper ones are seen as one
MAX_PERIOD = 24                                # siblings in one turn of a repeated pattern


class Call:
    """One call of a module: the ops at positions start to stop, as ops of its own and calls inside."""

    __slots__ = ("path", "start", "stop", "units")

    def __init__(self, path: str, start: int) -> None:
        self.path, self.start, self.stop = path, start, start
        self.units: list[Unit] = []


class Chunk(Call):
    """Neighbours that belong to no module, put together only because there are too many to be shown."""

    __slots__ = ()


class Repeat:
    """Equal siblings in a row: `units` is the first turn, each turn is `length` ops long."""

    __slots__ = ("units", "copies", "start", "length")

    def __init__(self, units: list[Unit], copies: int, start: int, length: int) -> None:
        self.units, self.copies, self.start, self.length = units, copies, start, length

    @property
    def stop(self) -> int:
        return self.start + self.copies * self.length


Unit = int | Call | Repeat                     # an int is the position of one op


class Ops:
    """The ops of a graph by position, and what about each of them decides whether two are alike."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ids = [node.id for node in graph.nodes if node.kind == "op"]
        self.position = {i: p for p, i in enumerate(self.ids)}
        self.alike: list[int] = []             # equal numbers: same op, shape, dtype and leaves
        self.reach: list[tuple[int, ...]] = []     # distance to each op it reads
        known: dict[object, int] = {}
        for p, i in enumerate(self.ids):
            node = graph.nodes[i]
            leaves, reach = [], []
            for a in node.inputs:
                source = graph.nodes[a]
                if source.kind == "op":
                    reach.append(p - self.position[a])
                elif source.kind == "input":   # where a first turn reads an input, later turns read the turn before
                    reach.append(1 << 60)
                else:
                    leaves.append((source.kind, source.shape))
            self.alike.append(known.setdefault((node.op, node.shape, node.dtype, tuple(leaves)), len(known)))
            self.reach.append(tuple(reach))

    def pattern(self, start: int, stop: int) -> tuple[object, ...]:
        """Structure of a run of ops: what they are, and how they read each other (from outside: 0)."""
        return tuple([(self.alike[p], tuple([r if r <= p - start else 0 for r in self.reach[p]]))
                      for p in range(start, stop)])


def prefixes(path: str) -> tuple[str, ...]:
    """"a.b.c" -> ("a", "a.b", "a.b.c")."""
    parts = path.split(".") if path else []
    return tuple(".".join(parts[:k + 1]) for k in range(min(len(parts), MAX_DEPTH)))


def calls(ops: Ops) -> Call:
    """The tree of module calls, from the module path of each op."""
    root = Call("", 0)
    stack = [root]
    known: dict[str, tuple[str, ...]] = {}
    for p, i in enumerate(ops.ids):
        module = ops.graph.nodes[i].module
        wanted = known.get(module)
        if wanted is None:
            wanted = known[module] = prefixes(module)
        common = 0
        while common < len(wanted) and common + 1 < len(stack) and stack[common + 1].path == wanted[common]:
            common += 1
        while len(stack) > common + 1:
            stack.pop().stop = p
        for path in wanted[common:]:
            call = Call(path, p)
            stack[-1].units.append(call)
            stack.append(call)
        stack[-1].units.append(p)
    for call in stack:
        call.stop = len(ops.ids)
    return root


def start_of(unit: Unit) -> int:
    return unit if isinstance(unit, int) else unit.start


def stop_of(unit: Unit) -> int:
    return unit + 1 if isinstance(unit, int) else unit.stop


def positions(unit: Unit) -> range:
    """All ops of a unit."""
    return range(start_of(unit), stop_of(unit))


def inside(unit: Call | Repeat) -> list[Unit]:
    """What is seen when a unit is opened; a repeated single call shows the call's own content."""
    if isinstance(unit, Repeat) and len(unit.units) == 1 and isinstance(unit.units[0], Call):
        return unit.units[0].units
    return unit.units


def _marks(units: Sequence[Unit], ops: Ops) -> list[int]:
    """A number for each unit; units of equal structure have equal numbers."""
    known: dict[object, int] = {}
    marks = []
    for unit in units:
        if isinstance(unit, int):
            key: object = ops.alike[unit]
        else:
            path = unit.path if isinstance(unit, Call) else ""
            paths = tuple(ops.graph.nodes[ops.ids[p]].module[len(path):] for p in positions(unit))
            name = path.rpartition(".")[2].strip("0123456789")         # block1, block2 count; q_proj, k_proj do not
            key = (ops.graph.modules.get(path, ""), name, ops.pattern(start_of(unit), stop_of(unit)), paths)
        marks.append(known.setdefault(key, len(known)))
    return marks


def _turns(units: Sequence[Unit], marks: list[int], at: int, period: int, ops: Ops) -> int:
    """How often the `period` units from `at` on come again in a row, counting the first time.

    Turn by turn, up to the first that differs: what does not repeat is found out at once.
    """
    known = period == 1 and not isinstance(units[at], int)             # a mark says all of a module
    first = () if known else ops.pattern(start_of(units[at]), stop_of(units[at + period - 1]))
    turns, low = 1, at + period
    while low + period <= len(units) and marks[low:low + period] == marks[at:at + period]:
        if not known and ops.pattern(start_of(units[low]), stop_of(units[low + period - 1])) != first:
            break
        turns, low = turns + 1, low + period
    return turns


def folded(units: Sequence[Unit], ops: Ops, least: int, bare: bool) -> list[Unit]:
    """Siblings with repeats of at least `least` turns folded; `bare`: also where no module takes part."""
    marks = _marks(units, ops)
    result: list[Unit] = []
    module_from = [len(units)] * (len(units) + 1)          # where the next unit stands that is no single op
    for k in range(len(units) - 1, -1, -1):
        module_from[k] = module_from[k + 1] if isinstance(units[k], int) else k
    at = 0
    while at < len(units):
        best, best_period = 1, 1
        for period in range(1, min(MAX_PERIOD, (len(units) - at) // 2) + 1):
            if marks[at] != marks[at + period]:
                continue
            if not bare and module_from[at] >= at + period:
                continue
            turns = _turns(units, marks, at, period, ops)
            if turns >= least and turns * period > best * best_period:
                best, best_period = turns, period
        if best < 2:
            result.append(units[at])
        else:
            first = list(units[at:at + best_period])
            start = start_of(first[0])
            result.append(Repeat(first, best, start, stop_of(first[-1]) - start))
        at += best * best_period
    return result


def chunked(units: list[Unit], most: int) -> list[Unit]:
    """At most about `most` units: neighbours are put together."""
    size = -(-len(units) // most)
    if size < 2:
        return units
    result: list[Unit] = []
    for at in range(0, len(units), size):
        piece = units[at:at + size]
        if len(piece) == 1:
            result += piece
            continue
        chunk = Chunk("", start_of(piece[0]))
        chunk.units, chunk.stop = piece, stop_of(piece[-1])
        result.append(chunk)
    return result
