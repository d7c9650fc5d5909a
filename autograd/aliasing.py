"""Tensors that share memory: which is a view of which, by what steps, so that a change in place reaches them all.

A view knows the tensor it was taken from (its root) and the ops that lead there; a root knows its views, weakly.  NumPy
lets views of arrays share memory by itself; scalars it copies, so they are brought up to date by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from .changes import note_change, owner
from .tensor import Shared, Tensor

if TYPE_CHECKING:
    from .op import Op


class View:
    """One step from a tensor to a view of it."""

    __slots__ = ("root", "before", "op", "attrs", "apart")

    def __init__(self, root: Tensor, before: View | None, op: Op, attrs: dict[str, Any], apart: bool) -> None:
        self.root, self.before, self.op, self.attrs = root, before, op, attrs
        self.apart = apart                    # a scalar stands between: NumPy copied, and memory is not shared


def note_view(view: Tensor, source: Tensor, op: Op, attrs: dict[str, Any]) -> None:
    """`view` was made from `source` by an op that, of arrays, makes views where it can."""
    value, of = view.value, source.value
    apart = not (value.ndim and of.ndim)
    if not apart:
        held = value.base
        alike = value is of or held is of or (held is not None and (held is of.base or owner(value) is owner(of)))
        if not alike:
            return                            # a copy
    before = getattr(source, "view_of", None)
    root = source if before is None else before.root
    view.view_of = View(root, before, op, attrs, apart or (before is not None and before.apart))
    try:
        views = root.views
    except AttributeError:
        views = root.views = []
    views.append(ref(view))
    if len(views) >= 32 and not len(views) & (len(views) - 1):
        views[:] = [r for r in views if r() is not None]
    if type(source) is Shared:
        view.__class__ = Shared


def root_of(tensor: Tensor) -> Tensor:
    """The tensor whose memory this one shows; itself if it has its own."""
    view = getattr(tensor, "view_of", None)
    return tensor if view is None else view.root


def steps_to(tensor: Tensor) -> list[tuple[Op, dict[str, Any]]]:
    """The ops that lead from the root to a view."""
    steps, view = [], getattr(tensor, "view_of", None)
    while view is not None:
        steps.append((view.op, view.attrs))
        view = view.before
    return steps[::-1]


def views_of(root: Tensor) -> Iterator[Tensor]:
    """The views of a root that somebody holds."""
    for r in tuple(getattr(root, "views", ())):
        view = r()
        if view is not None:
            yield view


def region(array: Any, steps: Any) -> Any:
    """The part of a root's array that steps lead to, as an array also where the view is a scalar."""
    for op, attrs in steps:
        if op.name == "getitem":
            index = attrs["index"] if isinstance(attrs["index"], tuple) else (attrs["index"],)
            array = array[index if any(k is Ellipsis for k in index) else (*index, Ellipsis)]
        else:
            array = op.fn(array, **attrs)
    return array


def bring_up_to_date(tensor: Tensor) -> None:
    """The value of a tensor was written to: carry it to those that show the same memory and, being scalars, copied."""
    root, value = root_of(tensor), tensor.value
    if root is not tensor and tensor.view_of.apart:
        if root.value.ndim:
            part = region(root.value, steps_to(tensor))
            part[...] = value
            note_change(part)
        else:
            whole = np.array(root.value)
            region(whole, steps_to(tensor))[...] = value
            root.value = whole[()]
    if not root.value.ndim:
        origin = getattr(root, "origin", None)             # a detached scalar, and what it was detached from
        origin = origin() if origin is not None else None
        if origin is not None and origin.value is not root.value:
            origin.value = root.value
            bring_up_to_date(origin)
    _refresh(root)


def _refresh(tensor: Tensor) -> None:
    """Values anew for the scalars that show the memory of a tensor: its views, and what was detached from it."""
    for view in views_of(tensor):
        if not hasattr(view, "view_of"):
            view.value = tensor.value
        elif view.view_of.apart:
            value = region(np.asarray(tensor.value), steps_to(view))
            if view.value.ndim:
                view.value[...] = value
                note_change(view.value)
            else:
                view.value = value[()]
        else:
            continue
        _refresh(view)
