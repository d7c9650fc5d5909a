"""A graph at other sizes than it was traced with: what follows the batch, where that is certain.

A trace sees one batch size.  Shapes that follow from those of the operands need no help; what needs it are sizes that
stand in the program: of `reshape`, which are matched by the elements they keep together; of `expand`, which count as
the batch where the result meets what follows it; bounds of slices; arrays and numbers the function brought along.
Where more than one reading is left, `ShapeError` says which node it is and what helps: nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..op import Op
from .nodes import GraphNode
from .text import sentence, title, typed

if TYPE_CHECKING:
    from .graphs import Graph

Shape = tuple[int, ...]
_SIZED = ("shape", "size", "index", "positions")   # attributes that say sizes or positions


class Sizes:
    """One run of a graph whose inputs have other shapes than when it was traced."""

    def __init__(self, graph: Graph, given: dict[int, Shape]) -> None:
        self.graph, self.given = graph, given
        self.shapes = dict(given)                   # id -> shape, where it is not the one that was traced
        self.became: dict[int, int] = {}            # size -> other size
        self.assumed: dict[int, set[int]] = {}      # id of an `expand` -> axes taken for the batch, not yet confirmed
        for i, shape in given.items():
            for n, m in zip(graph.nodes[i].shape, shape, strict=True):
                if n != m and self.became.setdefault(n, m) != m:
                    raise ShapeError(f"{self._head()} but axes of size {n} became both {self.became[n]} and {m}, and "
                                     f"which of them a size of the program follows is not certain; {self._fix()}")
        if graph.fixed:
            raise ShapeError(f"{self._head()} but {graph.fixed}")
        for node in graph.nodes:
            if node.kind == "constant" and any(n > 1 and n in self.became for n in node.shape):
                self._refuse(node, f"holds an array made for size {next(n for n in node.shape if n in self.became)}")

    def call(self, op: Op, node: GraphNode, attrs: dict[str, Any]) -> dict[str, Any]:
        """The attributes with which the op of a node is to be called now."""
        if self.assumed:
            self._confirm(op, node)
        if op.name == "expand":
            return {**attrs, "shape": self._expanded(node)}
        if not any(i in self.shapes for i in node.inputs):
            if op.name == "reshape" and node.shape != self.graph.nodes[node.inputs[0]].shape and any(
                    n > 1 and n in self.became for n in node.shape):
                self._refuse(node, "says a size that may be the batch, or may happen to equal it")
            return attrs
        if op.name == "reshape":
            i = node.inputs[0]
            shape = reshaped(self.graph.nodes[i].shape, self.shapes[i], node.shape, self.became)
            if shape is None:
                self._refuse(node, "does not say which of its sizes follows the batch")
            old = self.graph.nodes[i].shape
            if any(n > 1 and m == 1 for n, m in zip(old, self.shapes[i])) and _may_squeeze(old, node.shape):
                self._refuse(node, "may be a squeeze, which would drop an axis that has become 1")
            return {**attrs, "shape": shape}
        if op.name in ("getitem", "setitem"):
            self._check_index(node, attrs["index"])
        elif any(self._may_follow(attrs.get(name)) for name in _SIZED):
            self._refuse(node, "says sizes or positions that belong to the shape it was traced with")
        if 1 in self.became.values():
            self._check_broadcast(op, node)
        return attrs

    def note(self, node: GraphNode, shape: Shape) -> None:
        """Keep the shape of a result, where it is another one."""
        if shape != node.shape:
            self.shapes[node.id] = shape

    def finish(self) -> None:
        """What can be told only at the end: assumptions that nothing confirmed, numbers that may count elements."""
        for i in self.assumed:
            self._refuse(self.graph.nodes[i], "expands to a size that may be the batch, or may happen to equal it")
        counts = self._counts()
        for node in self.graph.nodes:
            if node.kind == "constant" and any(n > 1 and n in counts for n in node.shape):
                self._refuse(node, f"holds an array of {next(n for n in node.shape if n in counts)}, which may be made "
                             "for the batch")
            if node.kind == "constant" and node.shape == () and node.data is not None and _may_count(node.data, counts):
                self._refuse(node, "is a number that may count elements: use mean() and the like where it does")

    def _expanded(self, node: GraphNode) -> Shape:
        old = self.graph.nodes[node.inputs[0]].shape
        new = self.shapes.get(node.inputs[0], old)
        lead, shape = len(node.shape) - len(old), list(node.shape)
        for axis, n in enumerate(node.shape):
            if axis >= lead and n == old[axis - lead]:
                shape[axis] = new[axis - lead]
            elif n > 1 and (of := [k for k in self.became if k > 1 and n % k == 0]):
                shape[axis] = n // of[0] * self.became[of[0]]
                self.assumed.setdefault(node.id, set()).add(axis)
        return tuple(shape)

    def _confirm(self, op: Op, node: GraphNode) -> None:
        """An axis taken for the batch is the batch where it meets, in one op, an axis that follows it."""
        for i in node.inputs:
            axes = self.assumed.get(i)
            if axes is None:
                continue
            mine = len(self.graph.nodes[i].shape)
            for j in node.inputs:
                if j == i or j not in self.shapes or j in self.assumed:
                    continue
                old, new = self.graph.nodes[j].shape, self.shapes[j]
                for axis in list(axes):
                    at = axis - mine + len(old)
                    meets = op.kind == "elementwise" or (op.name == "matmul" and axis < mine - 2) or (
                        op.name == "concatenate" and axis != node.attrs.get("dim", 0) % mine)
                    if meets and 0 <= at < len(old) and old[at] != new[at]:
                        axes.discard(axis)
            if not axes:
                del self.assumed[i]

    def _may_follow(self, said: Any) -> bool:
        """Whether a size may follow one that has changed; positions always may."""
        if said is None:
            return False
        sizes = said if isinstance(said, tuple) else (said,)
        return any(not isinstance(n, int) or any(n % k == 0 for k in self.became if k) for n in sizes)

    def _check_index(self, node: GraphNode, index: Any) -> None:
        i = node.inputs[0]
        old = self.graph.nodes[i].shape
        new = self.shapes.get(i, old)
        entries = list(index) if isinstance(index, tuple) else [index]
        takes = [0 if k is None else k.ndim if isinstance(k, np.ndarray) and k.dtype == bool else 1 for k in entries]
        axis = 0
        for k, n in zip(entries, takes, strict=True):
            if k is Ellipsis:
                axis += len(old) - sum(takes) + 1
                continue
            for at in range(axis, axis + n):
                if old[at] != new[at] and not _any_length(k, old[at]):
                    self._refuse(node, f"picks positions along an axis of {old[at]} that now has {new[at]}")
            axis += n

    def _check_broadcast(self, op: Op, node: GraphNode) -> None:
        """A batch that became 1 would broadcast against what was made for the old batch, where it should fail."""
        if op.kind != "elementwise" and op.name not in ("matmul", "contract", "concatenate"):
            return
        for i in node.inputs:
            if i not in self.shapes:
                continue
            old, new = self.graph.nodes[i].shape, self.shapes[i]
            for at in range(-len(old), 0):
                if old[at] != 1 and new[at] == 1 and (op.name != "matmul" or at < -2):
                    for j in node.inputs:
                        other = self.shapes.get(j, self.graph.nodes[j].shape)
                        if len(other) >= -at and other[at] == old[at]:
                            self._refuse(node, f"meets {title(self.graph.nodes[j])}, which still has {old[at]} there")

    def _counts(self) -> set[int]:
        """What a program may have counted: products of sizes of which one has changed."""
        found: set[int] = set()
        for old, new in {(self.graph.nodes[i].shape, shape) for i, shape in self.shapes.items()}:
            if len(old) != len(new) or len(old) > 8:
                continue
            for r in range(1, len(old) + 1):
                for axes in combinations(range(len(old)), r):
                    if any(old[a] != new[a] for a in axes):
                        found.add(math.prod([old[a] for a in axes]))
        return found

    def _refuse(self, node: GraphNode, why: str) -> Any:
        at = f" ({node.line})" if node.line else ""
        raise ShapeError(f"{self._head()} but %{node.id} = {sentence(self.graph.nodes, node)}{at} {why}; {self._fix()}")

    def _head(self) -> str:
        nodes = self.graph.nodes
        asked = ", ".join(f"{title(nodes[i])} {typed(nodes[i])}" for i in self.given)
        got = " and ".join(f"{tuple(shape)}" for shape in self.given.values())
        return f"graph: expected {asked}, or other sizes where the program surely allows them; got {got},"

    def _fix(self) -> str:
        return "trace the function with these inputs, or with a batch of a size that nothing else in it has"


def reshaped(old: Shape, new: Shape, target: Shape, became: Mapping[int, int] = MappingProxyType({})) -> Shape | None:
    """The shape that stands to `new` as `target` to `old`; None where that is not certain.

    Axes of `old` and `target` that hold the same elements are matched from the front.  Where one axis was cut into
    several, the one that is a multiple of what changed takes the change: of the size of an input that became another
    (`became`), where these are known.
    """
    result = list(target)
    for k, (n, m) in enumerate(zip(old, new, strict=True)):
        if n != m and n <= 1:                       # a batch of one could be any of the ones
            if n == 0 or old[:k + 1] != target[:k + 1] or target[k + 1:k + 2] == (1,) or old[k + 1:k + 2] == (1,) or (
                    k and old[k - 1] == 1):
                return None
            result[k] = m
    if 0 in old:
        return tuple(result) if old == target else None
    left = [(n, m) for n, m in zip(old, new, strict=True) if n != 1]
    right = [(k, n) for k, n in enumerate(target) if n != 1]
    i = j = 0
    while i < len(left) and j < len(right):
        a, b = i, j
        here, there = left[i][0], right[j][1]
        i, j = i + 1, j + 1
        while here != there:
            if here < there:
                here, i = here * left[i][0], i + 1
            else:
                there, j = there * right[j][1], j + 1
        changed = [(n, m) for n, m in left[a:i] if n != m]
        if not changed:
            continue
        if j - b == 1:
            result[right[b][0]] = math.prod([m for _, m in left[a:i]])
            continue
        size, becomes = math.prod([n for n, _ in changed]), math.prod([m for _, m in changed])
        units = [(n, m) for n, m in became.items() if n > 1 and size % n == 0 and size // n * m == becomes]
        takers = {(k, size_now // n * m) for n, m in (units if became else [(size, becomes)])
                  for k, size_now in right[b:j] if size_now % n == 0}
        if len(takers) != 1:
            return None
        k, result_size = takers.pop()
        result[k] = result_size
    return tuple(result)


def _may_squeeze(old: Shape, target: Shape) -> bool:
    """Whether a reshape does no more than leave out axes of 1."""
    return [n for n in old if n != 1] == [n for n in target if n != 1] and len(target) <= len(old)


def _any_length(k: Any, n: int) -> bool:
    """Whether an index means the same along an axis of any length: all of it, its first or its last element."""
    if isinstance(k, slice):
        return all(bound is None or bound in (0, -1) or (bound == 1 and n > 3) for bound in (k.start, k.stop))
    return isinstance(k, (int, np.integer)) and (k in (0, -1)) and (n > 1 or k == 0)


def _may_count(data: Any, counts: set[int]) -> bool:
    """Whether a number is a count of elements, one less, or one over them."""
    x = abs(complex(data))
    for v in (x, 1 / x if x else 0.0):
        n = round(v) if math.isfinite(v) else 0
        if n and abs(v - n) <= 1e-6 * v and (n in counts or (n + 1 in counts and n > 1)):
            return True
    return False
