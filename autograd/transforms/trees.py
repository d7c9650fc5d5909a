"""Nested dicts, lists, tuples and named tuples of arrays: taken apart into leaves and put together again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..tensor import Tensor

LEAF = None                                   # the structure of a leaf; that of a container is (model, keys, parts)
NOTHING: Any = (None, None, [])               # that of None, which holds no leaf
_ARRAYS = (Tensor, np.ndarray, np.generic)
_NUMBERS = (int, float, complex)
VALUES = (*_ARRAYS, *_NUMBERS)                # what a gradient can flow to, or come from


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """(leaves in order, structure) of a tree.  A list of plain numbers is an array, as elsewhere in the library."""
    if isinstance(tree, _ARRAYS):
        return [tree], LEAF
    leaves: list[Any] = []
    return leaves, _take_apart(tree, leaves)


def _take_apart(tree: Any, leaves: list[Any]) -> Any:
    if tree is None:
        return NOTHING
    kind = type(tree)
    if kind is list or isinstance(tree, tuple):
        if kind is list and all_numbers(tree):
            leaves.append(np.asarray(tree))
            return LEAF
        return tree if isinstance(tree, tuple) else kind, None, [_take_apart(part, leaves) for part in tree]
    if isinstance(tree, dict):
        return tree, list(tree), [_take_apart(part, leaves) for part in tree.values()]
    leaves.append(tree)
    return LEAF


def all_numbers(tree: Any) -> bool:
    """Whether a list, and every list in it, holds numbers alone: then it is an array written out."""
    return len(tree) > 0 and all(
        all_numbers(part) if type(part) is list else isinstance(part, (*_NUMBERS, np.generic)) for part in tree
    )


def unflatten(structure: Any, leaves: Iterable[Any]) -> Any:
    """The tree of a structure with these leaves, in order."""
    return _put_together(structure, iter(leaves))


def _put_together(structure: Any, leaves: Iterator[Any]) -> Any:
    if structure is LEAF:
        return next(leaves)
    if structure is NOTHING:
        return None
    model, keys, parts = structure
    made = [_put_together(part, leaves) for part in parts]
    if keys is not None:
        if type(model) is dict:
            return dict(zip(keys, made, strict=True))
        tree = copy.copy(model)               # a subclass of dict keeps what else it holds
        tree.update(zip(keys, made, strict=True))
        return tree
    if model is list:
        return made
    return type(model)(*made) if hasattr(model, "_fields") else type(model)(made)


def same(one: Any, other: Any) -> bool:
    """Whether two structures have the same containers, keys and lengths."""
    if one is LEAF or other is LEAF:
        return one is other
    return (kind_of(one) == kind_of(other) and one[1] == other[1] and len(one[2]) == len(other[2])
            and all(same(a, b) for a, b in zip(one[2], other[2], strict=True)))


def kind_of(structure: Any) -> Any:
    """The type of the outermost container."""
    return list if structure[0] is list else type(structure[0])


def count(structure: Any) -> int:
    """How many leaves a structure has."""
    return 1 if structure is LEAF else sum(map(count, structure[2]))


def tree_map(function: Callable[..., Any], tree: Any) -> Any:
    """The tree with `function` applied to each leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])


def describe(structure: Any) -> str:
    """A structure as text: `{'w': *, 'b': *}`."""
    if structure is LEAF:
        return "*"
    if structure is NOTHING:
        return "None"
    model, keys, parts = structure
    inner = [describe(part) for part in parts]
    if keys is not None:
        return "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(keys, inner, strict=True)) + "}"
    return f"[{', '.join(inner)}]" if model is list else f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
