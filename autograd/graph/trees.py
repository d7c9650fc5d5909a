"""Numbers in dicts, lists and tuples: their shape as plain data, the leaves in order, and back.

A form is the position of a leaf, ("list", form, ...), ("tuple", form, ...), ("dict", (key, form), ...), or
("fixed", value) for what is no number but a choice: None, a string, True or False.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor

NUMERIC = (Tensor, np.ndarray, np.generic, int, float, complex)
CHOICES = (type(None), str, bool)


def flatten(tree: Any, leaves: list[Any], names: list[str], name: str, who: str) -> Any:
    """The form of a tree; its leaves and their names ("w['a'][0]") go to the lists.  TypeError for anything else."""
    if isinstance(tree, CHOICES):
        return ("fixed", tree)
    if isinstance(tree, NUMERIC):
        leaves.append(tree)
        names.append(name)
        return len(leaves) - 1
    if isinstance(tree, dict):
        return ("dict", *[(k, flatten(v, leaves, names, f"{name}[{k!r}]" if name else str(k), who))
                          for k, v in tree.items()])
    if isinstance(tree, (list, tuple)):
        kind = "list" if isinstance(tree, list) else "tuple"
        return (kind, *[flatten(v, leaves, names, f"{name}[{k}]" if name else "", who) for k, v in enumerate(tree)])
    raise TypeError(f"{who}: expected arrays, Tensors and numbers, or dicts, lists and tuples of them; got "
                    f"{type(tree).__name__}{f' for {name}' if name else ''}")


def rebuild(form: Any, leaves: Sequence[Any]) -> Any:
    """The tree of a form, with these leaves."""
    if isinstance(form, int):
        return leaves[form]
    if form[0] == "fixed":
        return form[1]
    if form[0] == "dict":
        return {k: rebuild(v, leaves) for k, v in form[1:]}
    parts = [rebuild(v, leaves) for v in form[1:]]
    return parts if form[0] == "list" else tuple(parts)


def spread(form: Any, tree: Any, into: list[Any], name: str) -> None:
    """The leaves of a tree of the given form, put in their places.  TypeError for a tree of another form."""
    if isinstance(form, int):
        if not isinstance(tree, NUMERIC) or isinstance(tree, bool):
            raise TypeError(f"graph: expected an array, a Tensor or a number for {name}; got {type(tree).__name__}")
        into[form] = tree
    elif form[0] == "dict":
        keys = [k for k, _ in form[1:]]
        if not isinstance(tree, dict) or set(tree) != set(keys):
            got = f"a dict of {', '.join(map(str, tree))}" if isinstance(tree, dict) else type(tree).__name__
            raise TypeError(f"graph: expected for {name} a dict of {', '.join(map(str, keys))}, as when it was "
                            f"traced; got {got}")
        for k, part in form[1:]:
            spread(part, tree[k], into, f"{name}[{k!r}]")
    elif form[0] == "fixed":
        if not isinstance(tree, CHOICES) or tree != form[1]:
            raise ValueError(f"graph: expected {name}={form[1]!r}, as when it was traced; got {tree!r:.80}; "
                             "another choice may be another program: trace it again")
    else:
        if not isinstance(tree, (list, tuple)) or len(tree) != len(form) - 1:
            got = f"{len(tree)}" if isinstance(tree, (list, tuple)) else type(tree).__name__
            raise TypeError(f"graph: expected for {name} a {form[0]} of {len(form) - 1}, as when it was traced; "
                            f"got {got}")
        for k, part in enumerate(form[1:]):
            spread(part, tree[k], into, f"{name}[{k}]")


def places(form: Any) -> list[int]:
    """The positions of the leaves of a form, in order."""
    if isinstance(form, int):
        return [form]
    if form[0] == "fixed":
        return []
    parts = [v for _, v in form[1:]] if form[0] == "dict" else form[1:]
    return [k for part in parts for k in places(part)]
