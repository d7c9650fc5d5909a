"""What the user's variables tell of tensors: a name for those that have none, and where they lost their history.

    def step(x, w):
        h = x @ w
        return h.graph()            # the lines are called x, w, h
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from os.path import basename
from types import FrameType, FunctionType
from typing import Any, NamedTuple

from ..modes import Mode
from ..node import Node
from ..place import user_place
from ..tensor import Tensor

MOST = 20_000                                       # variables that are looked at


class Told(NamedTuple):
    """By node: the name of the one variable that holds its tensor, where that was cut off, and its value now."""

    names: Mapping[Node, str]
    cuts: Mapping[Node, str]
    values: Mapping[Node, Any]


NOBODY = Told({}, {}, {})


def told_by(f: Any) -> Told:
    """What the variables tell that a function brings along: those around it, and the globals it names."""
    f = getattr(f, "__wrapped__", f)
    if not isinstance(f, FunctionType):
        return NOBODY
    around = zip(f.__code__.co_freevars, f.__closure__ or (), strict=False)
    variables = {name: f.__globals__[name] for name in f.__code__.co_names if name in f.__globals__}
    for name, cell in around:
        with suppress(ValueError):                  # a variable that has no value yet
            variables[name] = cell.cell_contents
    return read(variables)


def told() -> Told:
    """What the variables of the innermost frame that is not the library's own tell."""
    frame: FrameType | None = sys._getframe(1)
    place = user_place()
    while frame is not None and (frame.f_code.co_filename, frame.f_lineno) != place:
        frame = frame.f_back
    return read(frame.f_locals) if frame is not None else NOBODY


def read(variables: Mapping[str, Any]) -> Told:
    """What these variables tell.

    Names that begin with an underscore are nobody's choice (a notebook's `_12`).  What two variables hold has no name.
    A parameter that no variable holds has its path in the module that one does: the longest, where modules are nested.
    """
    found: dict[Node, str] = {}
    cuts: dict[Node, str] = {}
    values: dict[Node, Any] = {}
    modules = []
    for name, value in list(variables.items())[:MOST]:
        if isinstance(value, Tensor):
            node = value.node if value.node is not None else getattr(value, "stub", None)
            if node is None:
                continue
            values[node] = value.value
            if value.node is None and (cut := _cut(getattr(value, "cut", None))):
                cuts[node] = cut
            if name.isidentifier() and not name.startswith("_"):
                found[node] = "" if node in found else name
        elif callable(getattr(type(value), "named_parameters", None)) and not isinstance(value, type):
            modules.append(value)
    names = {node: name for node, name in found.items() if name}
    for node, path in _paths(modules, values).items():
        if node not in found:
            names[node] = path
    return Told(names, cuts, values)


def _cut(cut: Any) -> str:
    """Where a tensor lost its history, in words."""
    if isinstance(cut, Mode):
        return f"no_grad {cut.since}".rstrip()
    return f"detach {basename(cut[0])}:{cut[1]}" if isinstance(cut, tuple) else ""


def _paths(modules: list[Any], values: dict[Node, Any]) -> dict[Node, str]:
    """The path of each parameter and buffer in the outermost of these modules; their values join the others."""
    paths: dict[Node, str] = {}
    for module in modules:
        try:
            inside = [*module.named_parameters(), *module.named_buffers()]
        except Exception:                           # somebody else's class: what it has is not ours to know
            continue
        for path, tensor in inside:
            node = (tensor.node or getattr(tensor, "stub", None)) if isinstance(tensor, Tensor) else None
            if node is not None:
                values.setdefault(node, tensor.value)
            if node is not None and len(path) > len(paths.get(node, "")):
                paths[node] = path
    taken: dict[str, Node] = {}
    for node, path in paths.items():                # two models with one path: neither is called by it
        if path in taken:
            paths[node] = paths[taken[path]] = ""
        taken.setdefault(path, node)
    return {node: path for node, path in paths.items() if path}
