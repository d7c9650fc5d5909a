"""The forward sweep on arrays, where nobody will differentiate it again: a step costs what the NumPy function costs.

`autograd.push` is the same walk on Tensors, recorded, for derivatives of derivatives and for lanes of `vmap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..ancestry import history
from ..changes import CHANGED, check_saved
from ..guard import check_guards
from ..modes import current, enable_grad, outside_recording
from ..node import NO_ATTRS, Node, attrs_of, inputs_of, shape_of
from ..op import Op, asks
from ..ops.linear import sum as total
from ..quiet import quietly
from ..sweep import fit, pull, push
from ..tensor import Tensor, wrap


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """function(*args), a sweep on arrays: nothing of it is noted, NumPy does not warn, single rules are recorded."""
    if current() is None:
        return quietly(function, *args)
    with outside_recording(), enable_grad(), np.errstate(all="ignore"):
        return function(*args)


def push_arrays(root: Tensor, tangents: Sequence[tuple[Tensor, Any]]) -> Any:
    """The derivative of `root` along `tangents`, pairs (source, array): an array; None where there is no path."""
    assert root.node is not None
    since = min([source.node.index for source, _ in tangents if source.node is not None], default=0)
    order = history([root.node], since=since)
    if any(n.saved is None or (n.extra is not None and n.extra.unpack is not None) for n in order):
        with outside_recording():             # rarer, and with more to it: what was freed or packed
            along = push(root, tangents)
        return along.value if isinstance(along, Tensor) else along
    return alone(tangents_of, order, tangents).get(root.node)


def tangents_of(order: Sequence[Node], tangents: Sequence[tuple[Tensor, Any]]) -> dict[Node, Any]:
    """The derivative of each node of a history (newest first) along pairs (source, array), where there is a path."""
    tangent: dict[Node, Any] = {}
    for source, direction in tangents:
        if source.node is not None:
            tangent[source.node] = direction.value if isinstance(direction, Tensor) else direction
    for node in reversed(order):
        op = node.op
        if op is not None and node not in tangent:
            for p in node.parents:
                if p in tangent:
                    if CHANGED and node.saved:
                        check_saved(node)
                    if node.extra is not None and node.extra.guards:
                        check_guards(node)
                    tangent[node] = _carried(node, op, [None if p is None else tangent.get(p) for p in node.parents])
                    break
    return tangent


def _carried(node: Node, op: Op, directions: list[Any]) -> Any:
    """The direction of a node from those of its parents."""
    saved, kind = node.saved, op.kind
    if kind == "linear":
        if len(directions) > 1:
            directions = [_still(node, op, j, p) if d is None else d
                          for j, (p, d) in enumerate(zip(inputs_of(node), directions, strict=True))]
        made = op.fn(*directions, **attrs_of(node))
        return _fit(made[0] if op.aux else made)
    along = None
    for i, d in enumerate(directions):
        if d is None:
            continue
        if kind == "elementwise" and d.dtype.kind == "c" and node.dtype.kind != "c":
            slope = op.pull(i, np.ones(node.shape, node.dtype)[()], saved, node)         # real and imaginary slope
            part = (slope.conj() * d).real
        elif kind == "elementwise":
            part = op.pull(i, d, saved, node)
        elif kind == "bilinear":
            assert saved is not None
            part = op.fn(*[d if j == i else saved[j] if op.variadic else saved[op.kept.index(j)]
                           for j in range(len(directions))], **attrs_of(node))
        else:
            part = _through(node, op, i, d)
            if part is None:
                continue
        along = part if along is None else along + part
    if along is None or along.shape != node.shape:
        along = np.zeros(node.shape, node.dtype) if along is None else along + np.zeros(node.shape, node.dtype)
    return _fit(along)


def _fit(made: Any) -> Any:
    return made[()] if type(made) is np.ndarray and not made.ndim else made


def _still(node: Node, op: Op, j: int, parent: Any) -> Any:
    """No direction of an input: zeros; an input without a rule (an index) as it was."""
    if not op.variadic and op.inputs[j] not in op.rules:
        assert node.saved is not None
        return node.saved[op.kept.index(j)]
    return np.zeros(shape_of(parent), node.dtype)[()]


def _through(node: Node, op: Op, i: int, d: Any) -> Any:
    """Along the i-th input of an op that has a rule for the reverse sweep only."""
    saved: Any = node.saved
    if d.dtype.kind == node.dtype.kind == "f":
        if op.name == "linear":               # x W^T + b
            return d @ saved[1].mT if i == 0 else saved[0] @ d.mT if i == 1 else d
        if op.name == "softmax":
            return op.pull(i, d, saved, node)                  # its matrix, diag(y) - y y^T, is symmetric
        if not node.shape or (op.category == "reduction" and "keepdim" in op.attributes):
            over = NO_ATTRS if not node.shape else {"dim": node.attrs["dim"], "keepdim": node.attrs["keepdim"]}
            slope = op.pull(i, np.ones(node.shape, node.dtype)[()], saved, node)   # each element enters one result
            part = total(slope * d, **over)
            if not np.isfinite(part).all():   # what was not chosen is not looked at
                part = total(np.where(slope == 0, slope, slope * d), **over)
            return part if part.dtype == node.dtype else part.astype(node.dtype)
    return _transposed(node, op, i, d)        # a rule is linear in g, and its transpose its own pull


def _transposed(node: Node, op: Op, i: int, d: Any) -> Any:
    """Along the i-th input of an op that has a rule for the reverse sweep only: that rule, pulled."""
    g = Tensor(np.zeros(node.shape, node.dtype), requires_grad=True)
    parent = node.parents[i]
    assert parent is not None
    with enable_grad():
        back = op.pull(i, g, recalled(node, op, node.saved or ()), node)
        if back.shape != parent.shape:
            back = fit(back, parent.shape)
    if node.dtype.kind != "c":
        part, = pull([back], [d], [g])
        return part
    part, = pull([back], [d.conj()], [g])     # a gradient is the conjugate, a direction is not
    return None if part is None else part.conj()


def recalled(node: Node, op: Op, kept: Sequence[Any]) -> list[Any]:
    """What a node saved, as Tensors (those that are none yet, without history): a rule takes its recorded form."""
    saved = [wrap(v) if isinstance(v, (np.ndarray, np.generic)) else v for v in kept]
    if op.aux:                                # the recorded form does without what the forward pass kept for the other
        names = op.kept_names
        for name, afresh in op.aux.items():
            if name in names:
                at = {n: saved[names.index(n)] if n in names else attrs_of(node)[n] for n in asks(afresh, 0)}
                saved[names.index(name)] = afresh(**at)
    return saved
