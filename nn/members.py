"""Finding the parts of a module: its attributes, and what stands in plain lists, tuples and dicts among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograd import Parameter

_PLAIN = (list, tuple, dict)


class Part:
    """Marks what is found, besides parameters: modules."""


def members(module: Any, kind: type, claimed: set[int]) -> Iterator[tuple[str, Any]]:
    """(name, value) of the attributes of one kind, and of those in plain lists, tuples and dicts: "layers.0"."""
    for name, value in module.__dict__.items():
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, _PLAIN):
            for inner, part in _inside(value, ()):
                if isinstance(part, kind) and id(part) not in claimed:
                    yield f"{name}.{inner}", part


def _inside(plain: Any, outer: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    """(path, parameter or module) in nested plain containers."""
    outer = (*outer, id(plain))
    for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
        if isinstance(value, (Parameter, Part)):
            yield str(key), value
        elif isinstance(value, _PLAIN) and id(value) not in outer:
            for inner, part in _inside(value, outer):
                yield f"{key}.{inner}", part


def parameters_of(module: Any, claimed: set[int]) -> Iterator[tuple[str, Parameter]]:
    """(name, parameter) of a module's own parameters."""
    return members(module, Parameter, claimed)


def buffers_of(module: Any, claimed: set[int]) -> Iterator[tuple[str, Any]]:
    """(name, tensor) of a module's own buffers that are not None."""
    named = ((name, module.__dict__.get(name)) for name in module._persistent)
    return ((name, buffer) for name, buffer in named if buffer is not None)


def claims(root: Any) -> set[int]:
    """The ids of what is an attribute somewhere below root: in a plain list it is an alias and gets no second name."""
    claimed, seen, stack = {id(root)}, {id(root)}, [root]
    while stack:
        for value in stack.pop().__dict__.values():
            if isinstance(value, (Parameter, Part)):
                claimed.add(id(value))
                parts = [value]
            elif isinstance(value, _PLAIN):
                parts = [part for _, part in _inside(value, ())]
            else:
                continue
            for part in parts:
                if isinstance(part, Part) and id(part) not in seen:
                    seen.add(id(part))
                    stack.append(part)
    return claimed


def walk(module: Any, path: str, claimed: set[int], trail: tuple[int, ...],
         memo: set[Any] | None) -> Iterator[tuple[str, Any]]:
    """(path, module) from the top down; with a memo each module once, and in any case no module inside itself."""
    if memo is not None:
        if module in memo:
            return
        memo.add(module)
    yield path, module
    trail = (*trail, id(module))
    for name, child in members(module, Part, claimed):
        if id(child) not in trail:
            yield from walk(child, f"{path}.{name}" if path else name, claimed, trail, memo)
