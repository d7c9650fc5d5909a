"""The graph of a call: what a function or module does with these inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from ..node import Constant, Extra, Node, attrs_of
from ..place import user_line, user_place
from ..recording import record
from ..tensor import Parameter, Tensor, wrap
from .naming import NOBODY, Told, told_by
from .nodes import GraphNode, arrays_in, frozen, summary
from .reading import Known, ancestors, lines, node_of
from .trees import flatten, rebuild
from .watched import watched

Bound = tuple[tuple[str, tuple[int, ...]], ...]


class Parts(NamedTuple):
    """What a Graph is made of."""

    nodes: tuple[GraphNode, ...]
    outputs: tuple[int, ...]
    modules: dict[str, str]
    takes: Any
    gives: Any
    arguments: int                                  # the first nodes are so many inputs
    results: tuple[Any, ...]                        # what the function returned, flat
    bound: Bound


@cache
def place_of(line: str) -> tuple[str, int]:
    """File and line of "train.py:12"."""
    file, _, number = line.rpartition(":")
    return (file, int(number)) if number.isdecimal() else ("", 0)


class Tracer(record):
    """A recording for one graph: values are summed up at once, and nothing stays on tensors that outlive it."""

    known = True                                    # the leaves have their values

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[Node, Any] = {}           # of leaves, as they were when first used
        self.aliases: dict[Node, Node] = {}         # stand-in -> the node whose value it is
        self._owners: dict[int, tuple[Any, Node]] = {}      # id of a value -> (the value, kept alive; its node)
        self.leaves: dict[Node, tuple[str, str]] = {}
        self.source: GraphNode | None = None        # the line that is run again just now, where a graph is
        self.links: dict[Node, dict[int, Node]] = {}        # step -> id of an array among its attributes -> whose it is
        self.looked: dict[str, list[Node]] = {}     # line -> whose values were looked at there, outside of any op
        self.bound: dict[str, list[Node]] = {}      # those after which an array came up that no op has made
        self.paths: dict[Node, tuple[str, str]] = {}        # of parameters and buffers: (root module, path in it)

    def note(self, node: Node, value: Any) -> None:
        extra = node.extra
        if extra is None:
            extra = node.extra = Extra()
        extra.recorded, extra.value, extra.modules = True, summary(value), self.module_types
        for name, attribute in attrs_of(node).items():
            if name != "made":
                for v in arrays_in(attribute):
                    if id(v) in self._owners and not isinstance(v, np.bool_):
                        self.links.setdefault(node, {})[id(v)] = self._owners[id(v)][1]
                    else:
                        self.bound |= self.looked
        self.own(node, value)
        if self.source is not None:
            extra.at, extra.inside = place_of(self.source.line), self.source.module
        else:
            extra.at = user_place()
            if self.inside:
                extra.inside = self.inside

    def step(self, node: Node, value: Any, *operands: Any) -> None:
        for x in operands:
            if x.node is not None:
                self.leaf(x.node, x.value)
            stub = getattr(x, "stub", None)
            if stub is not None:
                self.leaf(stub, x.value)
        self.note(node, value)

    def leaf(self, node: Node, value: Any) -> None:
        if node.op is None and node not in self.values and node not in self.aliases:
            owner = self._owners.get(id(value))
            if owner is not None:
                # A stand-in, through which no gradient flows, for what has a node: the operand of a comparison, an
                # index, a detached tensor.  The value is the very same object, and that tells whose it is.
                self.aliases[node] = owner[1]
            else:
                self.values[node] = frozen(value)
                self.own(node, value)
                if type(node) is Constant and isinstance(value, np.ndarray) and node not in self.leaves:
                    self.bound |= self.looked

    def own(self, node: Node, value: Any) -> None:
        """Remember whose value this is.  (Not of NumPy's one True and one False, which are everybody's.)"""
        if not isinstance(value, np.bool_):
            self._owners[id(value)] = value, node

    def copied(self, value: Any, copy: Any) -> None:
        """An array was copied on its way into an operation: the copy is whose the array is."""
        owner = self._owners.get(id(value))
        if owner is not None and not isinstance(value, np.bool_):
            self.own(owner[1], copy)

    def taken_out(self, tensor: Tensor) -> None:
        """The values of a tensor were looked at outside of any op: arrays that come up later may depend on them."""
        node = node_of(tensor)
        if node.op is not None or node in self.aliases or node in self.leaves:
            line = self.source.line if self.source is not None else user_line()
            self.looked.setdefault(line or "a line without a file", []).append(node)

    def bindings(self, first: Sequence[Node]) -> Bound:
        """Per line at which values chose what is computed, the inputs they came from; -1 stands for parameters."""
        found = {}
        known = Known({}, {}, (), aliases=self.aliases, links=self.links)
        for line, nodes in self.bound.items():
            above = set(ancestors(nodes, known)[0])
            own = any(n.op is None and n not in first and (type(n) is not Constant or n in self.leaves) for n in above)
            places = (*[k for k, n in enumerate(first) if n in above], *([-1] if own else []))
            if places:
                found[line] = places
        return tuple(found.items())

    def written(self, tensor: Tensor) -> None:
        """A tensor changed in place stands for another step now, and its memory, which is the same, holds that."""
        self.own(node_of(tensor), tensor.value)

    def name_apart(self) -> None:
        """Parameters of two modules that have one path, "weight", are "encoder.weight" and "linear.weight"."""
        used: dict[str, int] = {}
        for _, path in self.paths.values():
            used[path] = used.get(path, 0) + 1
        for node, (root, path) in self.paths.items():
            if used[path] > 1:
                kind = self.leaves[node][0] if node in self.leaves else "parameter"
                self.leaves[node] = (kind, f"{root}.{path}")

    def forget(self) -> None:
        """Let go of the values, once nothing more is recorded."""
        self._owners.clear()

    @contextmanager
    def module(self, module: Any) -> Iterator[None]:
        if self._paths:
            with super().module(module):
                yield
            return
        learned, fixed = list(module.named_parameters()), list(module.named_buffers())
        for _, tensor in (*learned, *fixed):
            self.leaf(node_of(tensor), tensor.value)
        for path, tensor in fixed:
            self.leaves.setdefault(node_of(tensor), ("buffer", path))
        with super().module(module):
            for path, tensor in (*learned, *fixed):
                node = node_of(tensor)
                self.paths.setdefault(node, (self.inside, path))
                if node.extra is not None:          # a value noted on what outlives the recording would grow stale
                    node.extra.value = None
            yield


def traced(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parts:
    """What f does with these arguments, run once.

    Raises TypeError for arguments or results that are not numbers, or dicts, lists and tuples of them.
    """
    leaves: list[Any] = []
    names: list[str] = []
    titles = [*_positional(f, len(args)), *kwargs]
    takes = tuple([(name, flatten(tree, leaves, names, name, "trace"))
                   for name, tree in zip(titles, (*args, *kwargs.values()), strict=True)])
    given = _sources(leaves)
    tracer = Tracer()
    for tensor, name in zip(given, names, strict=True):
        node = node_of(tensor)
        tracer.leaf(node, tensor.value)
        tracer.leaves[node] = ("parameter" if isinstance(tensor, Parameter) else "input", tensor.name or name)
    first = [node_of(t) for t in given]              # now: a change in place would make them others
    trees = [rebuild(form, given) for _, form in takes]
    with tracer:
        out = f(*trees[:len(args)], **dict(zip(kwargs, trees[len(args):], strict=True)))
    outputs: list[Any] = []
    gives = flatten(out, outputs, [], "", "trace: the result")
    if not any(isinstance(t, Tensor) for t in outputs):
        raise TypeError(f"trace: expected a function that returns tensors; it returned {type(out).__name__}"
                        + (": is a return missing?" if out is None else ": nothing of it was computed from its inputs"))
    tensors = [t if isinstance(t, Tensor) else wrap(np.asarray(t)[()]) for t in outputs]
    nodes, at, modules = read(tracer, tensors, first, told_by(f))
    return Parts(nodes, at, modules, takes, None if gives == 0 else gives, len(given),
                 tuple([t.value for t in tensors]), tracer.bindings(first))


def read(tracer: Tracer, outputs: Sequence[Tensor], first: Sequence[Node], told: Told = NOBODY
         ) -> tuple[tuple[GraphNode, ...], tuple[int, ...], dict[str, str]]:
    """What was traced, as lines: see `lines`."""
    roots = [node_of(t) for t in outputs]
    for root, t in zip(roots, outputs, strict=True):
        tracer.leaf(root, t.value)
    tracer.name_apart()
    tracer.forget()
    return lines(roots, Known(tracer.values, tracer.leaves, first, True, tracer.known, tracer.aliases, tracer.links,
                              told.names, told.cuts))


def _positional(f: Callable[..., Any], n: int) -> list[str]:
    """The names of the first n positional parameters: "x", "y", and "rest[0]" for those of *rest."""
    try:
        parameters = tuple(signature(getattr(f, "forward", f)).parameters.values())
    except (ValueError, TypeError):                 # a function of C that says nothing of itself
        parameters = ()
    names: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{k}]" for k in range(n - len(names))]
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
    return [*names, *[f"x{k}" for k in range(len(names), n)]][:n]


def _sources(leaves: list[Any]) -> list[Tensor]:
    """A leaf tensor for each example; a tensor given twice, or computed, gets one that stands for it here."""
    made: list[Tensor] = []
    taken: set[int] = set()
    for x in leaves:
        if not isinstance(x, Tensor):
            x = Tensor(x.copy() if isinstance(x, np.ndarray) else x)      # told from the same array used inside
        elif not x.is_leaf or id(x) in taken:
            fresh = wrap(x.value)
            x = fresh.requires_grad_() if x.requires_grad else fresh
        taken.add(id(x))
        made.append(x if isinstance(x, Parameter) else watched(x))
    return made
