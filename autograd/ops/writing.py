"""Assignment as an op: what stands in the graph where a tensor, or a view of one, was written to in place."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..aliasing import region
from ..call import OPS
from ..op import linear
from .linear import conj, getitem, reshape

M, V = (2, 3), (3,)


@linear(
    x=lambda g, index: setitem(g, index, 0.0),
    value=lambda g, index, x_shape, value_shape: _arrived(g, index, x_shape, value_shape),
    category="index",
    symbol="[]=",
    shapes="an index into x, and a value that broadcasts to what it names",
    order=("x", "index", "value"),
    cases=[
        ((M, V), {"index": 1}),
        ((M, ()), {"index": (slice(None), 0)}),
        ((M, (2, 2)), {"index": (slice(None), [0, 2])}),
        ((M, (4,)), {"index": np.array([[True, False, True], [False, True, True]])}),
        ((V, (1, 3)), {"index": Ellipsis}),
        ((V, (3,)), {"index": [0, 1, 0]}),
        (((), ()), {"index": Ellipsis}),
    ],
)
def setitem(x: Any, value: Any, *, index: Any) -> Any:
    """x with the elements at an index replaced:  y = x, y[index] = value.  Of an index named twice the last counts."""
    out = np.array(x)
    out[index] = value
    return out[()]


def _arrived(g: Any, index: Any, shape: tuple[int, ...], value_shape: tuple[int, ...]) -> Any:
    """The gradient of what was assigned: that of the elements it went to, and is still in."""
    taken = getitem(g, index=index)
    if any(isinstance(k, (list, np.ndarray)) and np.asarray(k).dtype.kind in "iu"
           for k in (index if isinstance(index, tuple) else (index,))):
        last = np.empty(shape, np.int64)
        numbers = np.arange(prod(taken.shape)).reshape(taken.shape)
        last[index] = numbers
        if not (kept := last[index] == numbers).all():
            taken = taken * kept.astype(g.dtype)
    lead = len(value_shape) - taken.ndim
    return reshape(taken, shape=(1,) * lead + tuple(taken.shape)) if lead > 0 else taken


@linear(
    x=lambda g, steps: overwrite(g, 0.0, steps=steps),
    value=lambda g, value_dtype, steps: _view(conj(g) if g.dtype.kind == "c" and value_dtype.kind != "c" else g, steps),
    category="index",
    symbol="[]=",
    shapes="a value of the shape of the view",
    cases=[((M, V), {"steps": (("permute", {"dims": (1, 0)}), ("getitem", {"index": (slice(None), 1)}))}),
           ((M, (6,)), {"steps": (("permute", {"dims": (1, 0)}), ("reshape", {"shape": (6,)}))}),
           (((), (1,)), {"steps": (("reshape", {"shape": (1,)}),)})],
)
def overwrite(x: Any, value: Any, *, steps: tuple[tuple[str, dict[str, Any]], ...]) -> Any:
    """x with a view of it replaced; the steps (name of op, its attributes) lead from x to the view."""
    out = np.array(x)
    ops = [(OPS[name], attrs) for name, attrs in steps]
    part = region(out, ops)
    if np.may_share_memory(part, out):
        part[...] = value
    else:                                     # in the memory order of this x a step copies: go by position
        at = region(np.arange(out.size).reshape(out.shape), ops)
        flat = out.reshape(-1)
        flat[at] = value
        out = flat.reshape(out.shape)
    return out[()]


def _view(x: Any, steps: Any) -> Any:
    for name, attrs in steps:
        x = OPS[name].call(x, **attrs)
    return x
