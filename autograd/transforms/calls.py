"""One call of a function on fresh sources: what every derivative begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import Any

import numpy as np

from ..errors import GradientError, ShapeError
from ..modes import current, enable_grad
from ..node import Node
from ..node import leaf as leaf_of
from ..ops import identity
from ..sweep import history, pull
from ..tensor import Tensor, attach, wrap
from .trees import LEAF, VALUES, describe, flatten, same, tree_map, unflatten

Function = Callable[..., Any]
# The sources of the transforms that are running: an inner one asks whether its result depends on an outer one's.
_running: ContextVar[tuple[Node, ...]] = ContextVar("glassgrad_running", default=())


class LaneError(TypeError):
    """Inside `vmap` something asked for one value where each lane has its own.

    Where the library itself asked, `by_lanes(function, args, kwargs)` runs its function on one lane after the other;
    where nobody calls that, `vmap` runs all of the user's function so.
    """

    def __init__(self, text: str, level: Any = None, by_lanes: Function | None = None) -> None:
        super().__init__(text)
        self.level, self.by_lanes = level, by_lanes

    @property
    def library(self) -> bool:
        """Whether the library itself asked."""
        return self.by_lanes is not None


def batching() -> Any:
    """The open `vmap`s, or None."""
    mode = current()
    return None if mode is None else mode.batch


def source_of(x: Any, batch: Any = None) -> Tensor:
    """A fresh source for x, so that nested transforms do not mix; it stays linked to an outer one.

    Inside `vmap` the source has all lanes, so that the gradient of one lane never meets that of another.
    """
    if type(x) is np.ndarray and batch is None and x.ndim and x.dtype.kind == "f":
        x = x.copy("K")                       # whoever changes the array afterwards changes nothing here
        return attach(x, leaf_of(x))
    if not isinstance(x, Tensor):
        x = np.asarray(x)
        x = Tensor(x if x.dtype.kind in "fc" else x.astype(np.float64))
    if batch is not None:
        x = batch.physical(x)
    return identity(x) if x.node is not None else wrap(x.value).requires_grad_()


@contextmanager
def running(sources: Sequence[Tensor]) -> Iterator[tuple[Node, ...]]:
    """A block in which the transforms that belong to these sources run; yields the sources of outer ones."""
    outer = _running.get()
    token = _running.set((*outer, *[s.node for s in sources if s.node is not None]))
    try:
        yield outer
    finally:
        _running.reset(token)


class Call:
    """What a function gave, and what is needed to differentiate it and to hand the derivative back.

    `sources` and `outputs` are what the sweeps see: inside `vmap`, Tensors with the axes of all lanes in front.
    """

    __slots__ = ("who", "structures", "counts", "sources", "structure", "leaves", "outputs", "aux", "tensors", "record",
                 "batch")

    def __init__(self, who: str, f: Function, args: Sequence[Any], argnums: int | Sequence[int],
                 kwargs: dict[str, Any], has_aux: bool = False) -> None:
        check_callable(who, f)
        args = list(args)
        self.who = who
        numbers = numbers_of(who, argnums, len(args))
        self.batch = batch = batching()
        self.tensors = self.record = False
        self.sources: list[Tensor | None] = []
        self.structures, self.counts = [], []
        nodes: list[Node] = []
        for k, arg in enumerate(args):
            leaves, structure = flatten(arg)
            for leaf in leaves:
                if isinstance(leaf, Tensor):
                    self.tensors = True
            if k not in numbers:
                continue
            for j, leaf in enumerate(leaves):
                if isinstance(leaf, VALUES):
                    source = source_of(leaf, batch)
                    node: Any = source.node
                    nodes.append(node)
                    self.record = self.record or node.op is not None
                    self.sources.append(source)
                    # another Tensor than ours: if the function changes it in place, ours is still the source
                    leaves[j] = attach(source.value, node) if batch is None else batch.logical(source)
                else:
                    self.sources.append(None)
            self.structures.append(structure)
            self.counts.append(len(leaves))
            args[k] = leaves[0] if structure is LEAF else unflatten(structure, leaves)
        if list(numbers) != sorted(numbers):
            self._sort(numbers)
        outer = _running.get()
        token = _running.set((*outer, *nodes))
        try:
            if current() is None:
                value = f(*args, **kwargs)
            else:
                with enable_grad():
                    value = f(*args, **kwargs)
        finally:
            _running.reset(token)
        aux = None
        if has_aux:
            if not isinstance(value, tuple) or len(value) != 2:
                raise TypeError(f"{who}: with has_aux the function must return a pair (value, aux); "
                                f"it returned {type(value).__name__}")
            value, aux = value
        self.leaves, self.structure = flatten(value)
        for leaf in self.leaves:
            if not isinstance(leaf, VALUES):
                raise TypeError(f"{who}: the function must return a number or a tensor; it returned "
                                f"{type(leaf).__name__}")
        if value is None:
            raise TypeError(f"{who}: the function must return a number or a tensor; it returned None: "
                            "is a return missing?")
        self.outputs = self.leaves if batch is None else [batch.physical(leaf) for leaf in self.leaves]
        if not self.record and (outer or self.tensors):
            self._look_below(outer)
        self.aux = aux if aux is None else tree_map(self._beside, aux)

    def _sort(self, numbers: Sequence[int]) -> None:
        """Arguments were looked at from the first to the last; here they come as `argnums` names them."""
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        starts = [sum(self.counts[:j]) for j in range(len(order))]
        found = {k: (self.structures[j], self.counts[j], self.sources[starts[j]:starts[j] + self.counts[j]])
                 for j, k in enumerate(order)}
        self.structures, self.counts, self.sources = [], [], []
        for k in range(len(numbers)):
            structure, count, sources = found[k]
            self.structures.append(structure)
            self.counts.append(count)
            self.sources += sources

    def _beside(self, leaf: Any) -> Any:
        """What goes along with the value, in the caller's terms."""
        return plain(leaf if self.record else cut(leaf), self.nested) if isinstance(leaf, Tensor) else leaf

    def _look_below(self, outer: tuple[Node, ...]) -> None:
        """Whether an outer transform, or the caller's graph, will differentiate the derivative."""
        roots = [y.node for y in self.outputs if isinstance(y, Tensor) and y.node is not None]
        if roots:
            fresh = {s.node for s in self.live()}
            below = history(roots, since=0 if self.tensors else min(n.index for n in outer))
            self.record = any(n in outer or (self.tensors and n.op is None and n not in fresh) for n in below)

    def live(self) -> list[Tensor]:
        """The sources that gradients flow to."""
        return [s for s in self.sources if s is not None]

    @property
    def nested(self) -> bool:
        """Whether the caller works with Tensors."""
        return self.tensors or self.record

    def physical(self, x: Any) -> Any:
        """As the sweeps see it: the axes of all lanes in front."""
        return x if self.batch is None else self.batch.physical(x)

    def logical(self, x: Any) -> Any:
        """As the function sees it: one lane."""
        return x if self.batch is None else self.batch.logical(x)

    def roots(self) -> list[tuple[int, Tensor]]:
        """(position, output) of what has a history."""
        return [(k, y) for k, y in enumerate(self.outputs) if isinstance(y, Tensor) and y.node is not None]

    def hand_back(self, x: Any, like: Any, nested: bool) -> Any:
        """A derivative as the caller works: Tensors with Tensors, arrays with arrays; zeros where there is none."""
        if x is None:
            x = np.zeros(like.shape, like.dtype)[()]
        if self.batch is not None:
            return self.batch.logical(x if isinstance(x, Tensor) else wrap(x))
        return plain(x, nested)

    def gradients(self, found: Sequence[Any], nested: bool) -> list[Any]:
        """One tree for each argument differentiated, from one gradient for each of `live()`."""
        if self.batch is None and not nested and not any(g is None or isinstance(g, Tensor) for g in found):
            return self.trees(found)
        return self.trees([self.hand_back(g, s, nested) for g, s in zip(found, self.live(), strict=True)])

    def trees(self, found: Sequence[Any]) -> list[Any]:
        """One tree for each argument differentiated, from one leaf for each of `live()`; None where nothing flows."""
        given = iter(found)
        leaves = [None if s is None else next(given) for s in self.sources]
        trees, at = [], 0
        for structure, count in zip(self.structures, self.counts, strict=True):
            trees.append(leaves[at] if structure is LEAF else unflatten(structure, leaves[at:at + count]))
            at += count
        return trees

    def result(self, nested: bool | None = None) -> Any:
        """The function's value, in the caller's terms; its history only where somebody will want it."""
        nested = self.nested if nested is None else nested
        if not self.record and not nested and self.batch is None:
            made = [y.value if isinstance(y, Tensor) else y for y in self.leaves]
        else:
            made = [plain(y if self.record else cut(y), nested) for y in self.leaves]
        return made[0] if self.structure is LEAF else unflatten(self.structure, made)

    def tangents(self, given: Any, structures: Sequence[Any] | None = None) -> tuple[list[tuple[Tensor, Any]], bool]:
        """Pairs (source, direction), and whether the directions have histories."""
        pairs, recorded, at = [], False, 0
        for tree, structure, count in zip(given, structures or self.structures, self.counts, strict=True):
            leaves, found = flatten(tree)
            if not same(found, structure):
                raise ShapeError(f"{self.who}: a tangent must be built like its primal, {describe(structure)}; "
                                 f"got {describe(found)}")
            for source, t in zip(self.sources[at:at + count], leaves, strict=True):
                if source is None:
                    continue
                t = t if isinstance(t, Tensor) else np.asarray(t, source.dtype)[()]
                shape = self.logical(source).shape
                if t.shape != shape:
                    raise ShapeError(f"{self.who}: a tangent must have the shape of its primal, {shape}; got {t.shape}")
                t = self.physical(t)
                recorded = recorded or (isinstance(t, Tensor) and t.node is not None)
                pairs.append((source, t))
            at += count
        return pairs, recorded


def pulled(roots: Sequence[Tensor], seeds: Sequence[Any], sources: Sequence[Tensor], record: bool) -> list[Any]:
    """`pull`, from seeds that may be lanes: of a rule that wants arrays, the recorded form is taken then."""
    if not roots or not sources:
        return [None] * len(sources)
    if record:
        return pull(roots, [s if isinstance(s, Tensor) else wrap(s) for s in seeds], sources, record=True)
    seeds = [plain(s, False) for s in seeds]
    lane: Any = next((s for s in seeds if isinstance(s, Tensor)), None)
    if lane is None:
        return pull(roots, seeds, sources)
    try:
        return pull(roots, seeds, sources)
    except (TypeError, AttributeError, ValueError):        # a rule wants arrays
        pass
    seeds = [s if isinstance(s, Tensor) else wrap(s) for s in seeds]
    try:
        return [cut(g) for g in pull(roots, seeds, sources, record=True)]
    except (TypeError, AttributeError, ValueError):        # it wants them in its recorded form too
        return lane.by_lanes(lambda seeds: [cut(g) for g in pull(roots, seeds, sources, record=True)], (seeds,))


def check_callable(who: str, f: Any) -> None:
    """TypeError for what is no function, with the way to what was probably meant."""
    if not callable(f):
        raise TypeError(
            f"{who}: expected a function; got {type(f).__name__}: the gradient of a tensor that was computed "
            "already is autograd.gradients(outputs, inputs)"
        )


def numbers_of(who: str, argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    """The positions that `argnums` names, counted from the front."""
    if isinstance(argnums, int) and 0 <= argnums < count:
        return (argnums,)
    nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if any(not -count <= k < count for k in nums):
        raise IndexError(f"{who}: argnums {argnums}, but the function was given {count} positional argument(s)")
    nums = tuple([k % count for k in nums])
    if len(set(nums)) < len(nums):
        raise ValueError(f"{who}: argnums {argnums} name an argument twice; name each once")
    return nums


def one_or_all(who: str, argnums: Any, argnum: Any) -> Any:
    """`argnums`, or `argnum`, which is HIPS autograd's name for the same."""
    chosen = argnums if argnum is None else argnum
    if isinstance(chosen, (int, np.integer)) and not isinstance(chosen, bool):
        return int(chosen)
    if isinstance(chosen, (tuple, list)) and chosen and all(isinstance(k, (int, np.integer)) for k in chosen):
        return tuple(int(k) for k in chosen)
    raise TypeError(f"{who}: argnums must be the number of an argument, or a tuple of them; got {chosen!r}")


def plain(x: Any, nested: bool) -> Any:
    """As the caller works: Tensors with Tensors, arrays with arrays.  A lane of a `vmap` stays one."""
    if nested:
        return x if isinstance(x, Tensor) else wrap(np.asarray(x)[()])
    return x.value if isinstance(x, Tensor) and not hasattr(x, "level") else x


def cut(x: Any) -> Any:
    """Without its history."""
    return x.detach() if isinstance(x, Tensor) else x


def one_number(call: Call) -> Any:
    """The single scalar that a function must return to have a gradient, as the sweep sees it; GradientError else."""
    if call.structure is not LEAF:
        raise GradientError(f"{call.who}: the function must return one number; it returned "
                            f"{describe(call.structure)}: use vjp or jacobian, or has_aux for what goes along")
    shape, dtype = getattr(call.leaves[0], "shape", ()), getattr(call.leaves[0], "dtype", None)
    if shape != () and prod(shape) != 1:      # one number may have axes, as in PyTorch's backward
        raise GradientError(f"{call.who}: the function must return a scalar; it returned shape {shape}: "
                            "sum or average it, or use jacobian")
    if (dtype is not None and dtype.kind == "c") or isinstance(call.leaves[0], complex):
        raise GradientError(f"{call.who}: the function must return a real number; it returned a complex one: take its "
                            "real or imaginary part, or use holomorphic_grad")
    return call.outputs[0]
