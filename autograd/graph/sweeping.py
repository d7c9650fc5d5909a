"""The reverse sweep over the lines of a graph, every step of it an op on Tensors, so that it can be recorded.

As `sweep.pull` with `record`, but that operands through which no gradient flows (labels, masks, indices, positions)
stay linked to where they come from: the gradients can be computed again with others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..call import apply
from ..node import attrs_of
from ..op import Op, asks
from ..ops.elementwise import where
from ..ops.linear import cast, conj, expand, put
from ..ops.logic import bitwise_and, bitwise_or, gt, logical_not, ne
from ..ops.scattering import put_all
from ..sweep import fit
from ..tensor import Tensor
from .cut import aside

if TYPE_CHECKING:
    from .again import Recording
    from .graphs import Graph


class Step(NamedTuple):
    """A line that ran: its operands (Tensors, Python numbers, None for one left out) and its result."""

    operands: list[Any]
    result: Any


def pull(graph: Graph, recording: Recording, seeds: dict[int, Tensor], leaves: list[int]) -> dict[int, Tensor]:
    """The gradients of sum_k <seed_k, line_k> with respect to the leaves that are reached, by id."""
    grads, wanted, found = dict(seeds), set(leaves), {}
    masks: dict[int, Any] = {}                      # where a gradient goes on; elsewhere it was not selected
    read: dict[int, list[tuple[Any, Any]]] = {}     # (gradient, index) of each read by index: added up all at once
    for node in reversed(graph.nodes):
        if node.id in read:
            gp = _put(read.pop(node.id), node.shape)
            grads[node.id] = grads[node.id] + gp if node.id in grads else gp
            masks.pop(node.id, None)                # every element of what came goes on
        g, mask = grads.pop(node.id, None), masks.pop(node.id, None)
        if g is None:
            continue
        if node.id in wanted:
            found[node.id] = g
        step = recording.steps.pop(node.id, None)
        if step is None:
            continue
        recording.source = node
        places = [k for k in range(len(step.operands)) if k not in node.absent]
        for place, i in zip(places, node.inputs):   # behind them may stand what attributes are computed from
            x = step.operands[place]
            if not isinstance(x, Tensor) or x.node is None or step.result.node.parents[place] is None:
                continue
            if step.result.node.op.name == "getitem" and mask is None:
                read.setdefault(i, []).append((g, attrs_of(step.result.node)["index"]))
                continue
            gp, goes_on = _pulled(step, place, g, mask)
            if i in grads:
                gp, before = grads[i] + gp, masks.pop(i, None)
                goes_on = None if before is None or goes_on is None else bitwise_or(before, goes_on)
            grads[i] = gp
            if goes_on is not None:
                masks[i] = goes_on
    return found


def _put(parts: list[tuple[Any, Any]], shape: tuple[int, ...]) -> Any:
    """The gradient of what was read by index: one line however often it was, where a sum of as many whole arrays would
    take time by the square of that."""
    if len(parts) == 1:
        return put(parts[0][0], index=parts[0][1], shape=shape)
    return put_all(*[g for g, _ in parts], indices=tuple([index for _, index in parts]), shape=shape)


def _pulled(step: Step, place: int, g: Any, mask: Any) -> tuple[Any, Any]:
    """What one operand gets of the gradient, and where it goes on (None: everywhere).

    Past elements that a `where` did not select nothing flows, also where a slope is infinite or NaN: through
    elementwise steps and linear ones a mask says which these are; others end it.
    """
    node, x, result = step.result.node, step.operands[place], step.result
    op, saved = node.op, _saved(step)
    turned = result.dtype.kind == "c"
    gp = op.pull(place, conj(g) if turned else g, saved, node)
    gp = conj(gp) if turned else gp
    goes_on = mask
    if op.selects:
        condition = cast(step.operands[0], dtype=np.dtype(bool)) if step.operands[0].dtype != bool else step.operands[0]
        chosen = expand(condition if place == 1 else logical_not(condition), shape=result.shape)
        goes_on = chosen if mask is None else bitwise_and(chosen, mask)
    elif mask is not None and op.kind == "linear":
        goes_on = ne(op.pull(place, cast(mask, dtype=np.dtype(float)), saved, node), 0)
    elif op.kind != "elementwise" or gp.shape != result.shape:
        goes_on = None
    if goes_on is not None:
        gp = where(goes_on, gp, 0)
    if gp.shape != x.shape:
        gp = fit(gp, x.shape)
        if goes_on is not None:
            goes_on = gt(fit(cast(goes_on, dtype=np.dtype(float)), x.shape), 0)
    return (gp if gp.dtype == x.dtype else cast(gp, dtype=x.dtype)), goes_on


def _saved(step: Step) -> list[Any]:
    """What the rules of a step ask for: its operands and result themselves, which know where they come from."""
    node, operands, result = step.result.node, step.operands, step.result
    op, n = node.op, len(step.operands)
    if op.variadic:
        return [*(operands if 0 in op.kept else ()), *((result,) if 1 in op.kept else ())]
    saved = [_as_saved(operands[k], v) if k < n else result if k == n else v for k, v in zip(op.kept, node.saved)]
    names = op.kept_names
    for name, afresh in op.aux.items():
        if name in names:
            asked = asks(afresh, 0)
            saved[names.index(name)] = _aside(op, name, step) if name in asked else afresh(
                **{a: saved[names.index(a)] if a in names else attrs_of(node)[a] for a in asked})
    return saved


def _as_saved(x: Any, value: Any) -> Any:
    """An operand in the dtype in which it was computed with."""
    if isinstance(x, Tensor) and value is not None and x.dtype != value.dtype:
        return cast(x, dtype=value.dtype)
    return x


def _aside(op: Op, name: str, step: Step) -> Any:
    """What an op computed on the way and cannot be had otherwise: as a step of its own, which computes it again."""
    return apply(aside(f"{op.name}.{name}"), step.operands, attrs_of(step.result.node))


