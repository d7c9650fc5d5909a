"""The record of how a value came to be.

A `Tensor` is what the user holds; a `Node` is what happened.  Nodes point down only, to older nodes
and to arrays, never to Tensors: a graph has no reference cycles and is freed with its last Tensor.
"""

from __future__ import annotations

from itertools import count
from os.path import basename
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

if TYPE_CHECKING:
    from .op import Op
    from .tensor import Tensor

tick = count().__next__                       # one counter for all nodes: order of number is topological
NO_ATTRS: dict[Any, Any] = {}
SEEN = {"complex": False}                     # has any been met yet?  Sweeps ask once
HOOKED: dict[int, Any] = {}                   # what has hooks at the moment, by id: sweeps over none are faster


class Extra:
    """What few nodes have: a name, hooks, a gradient to keep, and what `record()` noted.

    What nobody set is not stored: a recording makes one of these for each step.
    """

    name, role = "", "input"
    hooks: dict[int, Any] = NO_ATTRS          # number of the registration -> hook
    accumulated: dict[int, Any] = NO_ATTRS    # hooks to call when `.grad` of a leaf has grown
    retain = recorded = False
    value: Any = None
    grad: Any = None
    at: tuple[str, int] = ("", 0)             # the user's line: file and number
    inside: Any = ""                          # the dotted path of the module, or an object whose path() finds it out
    modules: dict[str, str] = NO_ATTRS        # dotted path -> class name, shared by all of one recording
    unpack: Any = None                        # gives back what `saved_tensors_hooks` packed
    guards: Any = ()                          # (position of a user's array in `saved`, mark of what it held)

    def __init__(self, role: str = "input") -> None:
        if role != "input":
            self.role = role

    @property
    def line(self) -> str:
        """file:line of the user's program, "" where it was not noted."""
        return f"{basename(self.at[0])}:{self.at[1]}" if self.at[0] else ""

    @property
    def module(self) -> str:
        """The dotted path of the module that the step ran in; "" at the top level."""
        return self.inside if type(self.inside) is str else self.inside.path()

    def add_hook(self, kind: str, hook: Any) -> Handle:
        """Enter a hook under `kind`, "hooks" or "accumulated"."""
        hooks = getattr(self, kind)
        if hooks is NO_ATTRS:
            hooks = {}
            setattr(self, kind, hooks)
        key, place = tick(), id(self) if kind == "hooks" else 0
        if place and not hooks:
            HOOKED[place] = ref(self, lambda gone: HOOKED.pop(place, None))
        hooks[key] = hook
        return Handle(hooks, key, place)


class Node:
    """One step of a computation through which gradients flow, or (with `op` None) a leaf they flow to."""

    __slots__ = ("op", "parents", "saved", "shape", "dtype", "index", "extra", "attrs", "others", "grad")

    op: Op | None
    parents: tuple[Node | None, ...]          # by input; None where no gradient flows
    saved: tuple[Any, ...] | None             # what the rules of the op will ask for; None once it was freed
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    index: int
    extra: Extra | None
    # and, set only where there is something to say (every store costs on the hot path; see the functions below):
    attrs: dict[str, Any]
    others: dict[int, Any]  # input -> the Constant or Python number that stands where a parent is None
    grad: Tensor | None                       # of a leaf, or where `retain_grad` asked for it


class Constant(Node):
    """A step or leaf to which no gradient flows; pictures show it, sweeps pass it by."""

    __slots__ = ()


def attrs_of(node: Node) -> dict[str, Any]:
    """The attributes of the op that the node ran."""
    return getattr(node, "attrs", NO_ATTRS)


def inputs_of(node: Node) -> tuple[Any, ...]:
    """What the node was computed from: Nodes, Constants, Python numbers, and None for an input left out."""
    others = getattr(node, "others", None)
    return tuple([others.get(j) if p is None else p for j, p in enumerate(node.parents)]) if others else node.parents


def shape_of(parent: Any) -> tuple[int, ...]:
    """The shape of what `inputs_of` gives."""
    return parent.shape if isinstance(parent, Node) else ()


def leaf(value: Any, kind: Any = Node, extra: Extra | None = None) -> Any:
    """A node for a value that nothing was computed for."""
    node = kind()
    node.op, node.parents, node.saved = None, (), ()
    node.shape, node.dtype, node.index, node.grad, node.extra = value.shape, value.dtype, tick(), None, extra
    return node


class Handle:
    """Takes a hook away again: `handle.remove()`, or at the end of a `with` block."""

    __slots__ = ("hooks", "key", "place")

    def __init__(self, hooks: dict[int, Any], key: int, place: int = 0) -> None:
        self.hooks, self.key, self.place = hooks, key, place

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self.hooks.pop(self.key, None) is None or self.hooks or not self.place:
            return
        entry = HOOKED.get(self.place)
        extra = None if entry is None else entry()
        if extra is not None and extra.hooks is self.hooks:        # else it is gone, and another has its id
            HOOKED.pop(self.place, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()
