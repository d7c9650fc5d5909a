"""The forward sweep on arrays, where nobody will differentiate it again: a step costs what the NumPy function costs.

`autograd.push` is the same walk on Tensors, recorded, for derivatives of derivatives and for lanes of `vmap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from ..changes import CHANGED, check_saved
from ..guard import check_guards
from ..modes import enable_grad, outside_recording
from ..node import Node, attrs_of, inputs_of, shape_of
from ..op import Op, asks
from ..sweep import fit, history, pull, push
from ..tensor import Tensor, wrap

_number = attrgetter("index")


def push_arrays(root: Tensor, tangents: Sequence[tuple[Tensor, Any]]) -> Any:
    """The derivative of `root` along `tangents`, pairs (source, array): an array; None where there is no path."""
    assert root.node is not None
    tangent: dict[Node, Any] = {}
    for source, direction in tangents:
        if source.node is not None:
            tangent[source.node] = direction.value if isinstance(direction, Tensor) else direction
    order = history([root.node], since=min(map(_number, tangent), default=0))
    if any(n.saved is None or (n.extra is not None and n.extra.unpack is not None) for n in order):
        with outside_recording():             # rarer, and with more to it: what was freed or packed
            along = push(root, tangents)
        return along.value if isinstance(along, Tensor) else along
    with outside_recording(), np.errstate(all="ignore"):
        for node in reversed(order):
            if node.op is not None and node not in tangent:
                directions = [None if p is None else tangent.get(p) for p in node.parents]
                for d in directions:
                    if d is not None:
                        if CHANGED and node.saved:
                            check_saved(node)
                        if node.extra is not None and node.extra.guards:
                            check_guards(node)
                        tangent[node] = _carried(node, node.op, directions)
                        break
    return tangent.get(root.node)


def _carried(node: Node, op: Op, directions: list[Any]) -> Any:
    """The direction of a node from those of its parents."""
    saved, kind = node.saved, op.kind
    if kind == "linear":
        given = [_still(node, op, j, p) if d is None else d
                 for j, (p, d) in enumerate(zip(inputs_of(node), directions, strict=True))]
        made = op.fn(*given, **attrs_of(node))
        return _fit(made[0] if op.aux else made)
    total = None
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
        else:                                 # a rule is linear in g, and its transpose its own pull
            part = _transposed(node, op, i, d)
            if part is None:
                continue
        if part.shape != node.shape:
            part = part + np.zeros(node.shape, node.dtype)
        total = part if total is None else total + part
    return np.zeros(node.shape, node.dtype)[()] if total is None else _fit(total)


def _fit(made: Any) -> Any:
    return made[()] if type(made) is np.ndarray and not made.ndim else made


def _still(node: Node, op: Op, j: int, parent: Any) -> Any:
    """No direction of an input: zeros; an input without a rule (an index) as it was."""
    if not op.variadic and op.inputs[j] not in op.rules:
        assert node.saved is not None
        return node.saved[op.kept.index(j)]
    return np.zeros(shape_of(parent), node.dtype)[()]


def _transposed(node: Node, op: Op, i: int, d: Any) -> Any:
    """Along the i-th input of an op that has a rule for the reverse sweep only: that rule, pulled."""
    g = Tensor(np.zeros(node.shape, node.dtype), requires_grad=True)
    parent = node.parents[i]
    assert parent is not None
    with enable_grad():
        back = op.pull(i, g, _constants(node, op), node)
        if back.shape != parent.shape:
            back = fit(back, parent.shape)
    if node.dtype.kind != "c":
        part, = pull([back], [d], [g])
        return part
    part, = pull([back], [d.conj()], [g])     # a gradient is the conjugate, a direction is not
    return None if part is None else part.conj()


def _constants(node: Node, op: Op) -> list[Any]:
    """What a node saved, as Tensors without history: a rule takes its recorded form, and records g alone."""
    saved = [wrap(v) if isinstance(v, (np.ndarray, np.generic)) else v for v in node.saved or ()]
    names = op.kept_names
    for name, afresh in op.aux.items():       # the recorded form does without what the forward pass kept for the other
        if name in names:
            at = {n: saved[names.index(n)] if n in names else attrs_of(node)[n] for n in asks(afresh, 0)}
            saved[names.index(name)] = afresh(**at)
    return saved
