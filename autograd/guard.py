"""A NumPy array handed in and changed before backward() is noticed: others give a wrong gradient in silence.

NumPy tells nobody of a change.  So where an op saves memory that a user's array shows too (an operand that is an array,
or a tensor of `from_numpy`), a mark of its contents is kept beside it, and the sweep compares.  Of at most 32 KiB the
mark is a copy; of more, sums of the bits over rows and over columns of 64: any change of one element shows, and a
changed order all but certainly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import GradientError
from .node import Extra, Node
from .place import user_place
from .tensor import Shared

GUARD = {"on": True}
_SMALL = 32 * 1024                            # bytes


def guard_arrays(on: bool = True) -> bool:
    """Whether changes of NumPy arrays between an operation that saved them and its backward() are noticed.

    On by default.  Costs a copy of small operands and one reading of large ones, of NumPy arrays and `from_numpy`
    tensors only; tensors of the library's own are guarded by the clock, at no cost.  Returns what was set before.
    """
    before, GUARD["on"] = GUARD["on"], bool(on)
    return before


def _mark(array: Any) -> Any:
    if array.nbytes <= _SMALL:
        return array.copy()
    bits = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    n = bits.size // 512 * 512
    words = bits[:n].view(np.uint64)
    return (words.reshape(64, -1).sum(axis=1), words.reshape(-1, 64).sum(axis=0), bits[n:].copy())


def _same(array: Any, mark: Any) -> bool:
    if isinstance(mark, np.ndarray):
        return array.tobytes() == mark.tobytes()           # NaN is NaN here
    return all(np.array_equal(a, b) for a, b in zip(_mark(array), mark, strict=True))


def guard(node: Node, values: Any, given: Any) -> None:
    """Mark what `node` saved of those operands (their values, and what was given) that somebody else may write to."""
    saved = node.saved or ()
    marks = [(next(k for k, s in enumerate(saved) if s is value), _mark(value))
             for value, x in zip(values, given, strict=False)
             if (value is x or type(x) is Shared) and isinstance(value, np.ndarray) and value.ndim
             and value.flags.writeable and any(s is value for s in saved)]
    if marks:
        if node.extra is None:
            node.extra = Extra()
        node.extra.guards = marks
        node.extra.at = user_place()


def guard_operand(node: Node, place: int, array: Any) -> None:
    """Mark the array of the user's that `node`, just made, saved at this place."""
    if array.flags.writeable:
        extra = node.extra = Extra()
        extra.guards = ((place, _mark(array)),)
        extra.at = user_place()


def check_guards(node: Node) -> None:
    """Raise GradientError if an array that a node saved is not what it was then."""
    assert node.extra is not None and node.op is not None
    for k, mark in node.extra.guards if GUARD["on"] and node.saved else ():
        value = node.saved[k]                                                    # type: ignore[index]
        if not _same(value, mark):
            raise GradientError(
                f"{node.op.name} at {node.extra.line or 'an unknown line'} was given a NumPy array of shape "
                f"{value.shape} and saved it for its derivative; the array was changed since, so the gradient would be "
                "wrong: hand in a copy, autograd.tensor(array), or change it after backward(); "
                "autograd.guard_arrays(False) turns this check off"
            )
