"""The Hessian times a vector, on arrays: forward mode through the reverse sweep, step by step.

A sweep that is recorded, and then walked, costs three histories.  Here the tangents of all values are pushed forward
first; then one reverse sweep carries, for each node, its gradient g and the tangent ġ of that:

    gp = r(g, s)        ġp = r(ġ, s) + ∂r/∂s (g, s) ṡ        (a rule r is linear in g; s is what the node saved)

The last term is nothing for a linear op and for a rule that is flat in s, the rule itself again for a product, and a
push through the record of that one rule elsewhere.  Nothing else is recorded, and of any size.
Source: B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ancestry import history, live_of, number
from ..modes import current
from ..node import SEEN, Node, leaf
from ..op import Op
from ..sweep import fit, pull
from ..tensor import Tensor, attach, wrap
from .calls import Call, Function, cut, one_number
from .forward import alone, recalled, tangents_of
from .gradient import has_tensor, pushed

Pairs = Sequence[tuple[Tensor, Any]]
# as bilinear ops: each rule is linear in what it asks for beside g
PRODUCTS = {"multiply", "linear", "exp", "exp2", "square"}
TURNED = {                                    # ∂r/∂s (g, s) ṡ, where s is one value, for what stands in most networks
    "tanh": lambda g, out, d: g * out * d * -2,
    "sigmoid": lambda g, out, d: g * d * (1 - 2 * out),
    "log": lambda g, x, d: -g * d / (x * x),
    "sqrt": lambda g, out, d: g * d / (out * out * -2),
}
FLAT = {"amax", "amin", "maximum", "minimum", "relu", "leaky_relu"}       # what their rules ask for only chooses


class Curvature:
    """A scalar function at a point, run once: its gradient, and products with its Hessian."""

    __slots__ = ("_call", "_gradients", "_single", "_y")

    def __init__(self, f: Function, primals: Sequence[Any]) -> None:
        self._call = Call("hvp", f, primals, tuple(range(len(primals))), {})
        self._single = len(primals) == 1
        self._y = one_number(self._call)
        self._gradients: Any = None           # with their histories, where the short way was not open

    def gradient(self) -> Any:
        """Built like the primal; a tuple for several."""
        call = self._call
        return self._built(self._pulled(call.record), call.nested, call.record)

    def along(self, tangents: Sequence[Any]) -> tuple[Any, Any]:
        """(gradient, Hessian times tangents), both built like the primal; tuples for several."""
        call, y = self._call, self._y
        pairs, recorded = call.tangents(tangents)
        record = call.record or recorded
        nested = call.nested or record or has_tensor(tangents)
        found: Any = None
        if not record and call.batch is None and isinstance(y, Tensor) and y.node is not None and pairs:
            found = gradients_along(y, np.ones(y.shape, y.dtype)[()], call.live(), pairs)
        if found is None:
            if self._gradients is None:
                self._gradients = self._pulled(True)
            found = zip(self._gradients, pushed(self._gradients, pairs, record), strict=True)
        gradients, products = zip(*found, strict=True) if pairs else ((), ())
        return self._built(gradients, nested, record), self._built(products, nested, record)

    def _pulled(self, record: bool) -> list[Any]:
        y, live = self._y, self._call.live()
        if not isinstance(y, Tensor) or y.node is None or not live:
            return [None] * len(live)
        seed = np.ones(y.shape, y.dtype)[()]
        return pull([y], [wrap(seed) if record else seed], live, record=record)

    def _built(self, found: Sequence[Any], nested: bool, record: bool) -> Any:
        trees = self._call.gradients([g if record else cut(g) for g in found], nested)
        return trees[0] if self._single else tuple(trees)


def gradients_along(root: Tensor, seed: Any, sources: Sequence[Tensor],
                    tangents: Pairs) -> list[tuple[Any, Any]] | None:
    """(gradient of <seed, root>, its derivative along the pairs (source, array)) for each source, as arrays.

    None for either where it is zero.  None for all where the long way, a recorded sweep, has to be taken: there are
    hooks, a `where` that hides infinite slopes, complex numbers, or steps whose rules are Python functions.
    """
    assert root.node is not None
    wanted = [s.node for s in sources if s.node is not None]
    order = history([root.node], since=min(map(number, wanted)))
    if not _plain(order):
        return None
    return alone(_swept, order, root.node, seed, wanted, tangents)


def _swept(order: list[Node], root: Node, seed: Any, wanted: Sequence[Node], tangents: Pairs) -> Any:
    return _walk(order, {root: seed}, tangents_of(order, tangents), live_of(order, wanted), wanted)


def _plain(order: list[Node]) -> bool:
    mode = current()
    if mode is not None and (mode.recorder is not None or mode.batch is not None or mode.saving is not None):
        return False
    complex_seen = SEEN["complex"]
    for node in order:
        op, extra = node.op, node.extra
        if op is not None and (op.selects or type(op) is not Op or node.saved is None):
            return False
        if extra is not None and (extra.hooks or extra.retain or extra.recorded or extra.unpack is not None):
            return False
        if complex_seen and node.dtype.kind == "c":
            return False
    return True


def _walk(order: Sequence[Node], grads: dict[Node, Any], tangent: dict[Node, Any], live: set[Node],
          wanted: Sequence[Node]) -> list[tuple[Any, Any]]:
    """The reverse sweep over gradients and their tangents."""
    moves: dict[Node, Any] = {}               # node -> tangent of its gradient, where that is not zero
    found: dict[Node, tuple[Any, Any]] = {}
    keep = set(wanted)
    for node in order:
        g = grads.pop(node, None)
        if g is None:
            continue
        dg = moves.pop(node, None)
        if node in keep:
            found[node] = g, dg
        op, saved = node.op, node.saved
        if op is None or saved is None:
            continue
        bends = bool(saved) and op.kind != "linear" and op.name not in FLAT and not tangent.keys().isdisjoint(
            (node, *node.parents))
        for i, p in enumerate(node.parents):
            if p is None or p not in live:
                continue
            rule, a, b = op.pulls[i]
            if b is None:
                if a is None:
                    gp, dp = rule(g), None if dg is None else rule(dg)
                elif bends:
                    gp, dp = _bent(node, op, i, g, dg, tangent)
                else:
                    gp, dp = rule(g, saved[a]), None if dg is None else rule(dg, saved[a])
            elif bends:
                gp, dp = _bent(node, op, i, g, dg, tangent)
            else:
                gp, dp = op.pull(i, g, saved, node), None if dg is None else op.pull(i, dg, saved, node)
            if gp.shape != p.shape:
                gp = fit(gp, p.shape)
            grads[p] = grads[p] + gp if p in grads else gp
            if dp is not None:
                if dp.shape != p.shape:
                    dp = fit(dp, p.shape)
                moves[p] = moves[p] + dp if p in moves else dp
    return [found.get(node, (None, None)) for node in wanted]


def _bent(node: Node, op: Op, i: int, g: Any, dg: Any, tangent: dict[Node, Any]) -> tuple[Any, Any]:
    """What the i-th rule gives, and its derivative where what it was given has a tangent, too."""
    saved = node.saved
    assert saved is not None
    turning = _turning(node, op, i, tangent)
    if op.kind == "bilinear" or op.name in PRODUCTS or not turning:
        dp = None if dg is None else op.pull(i, dg, saved, node)
        for k, d in turning:
            part = op.pull(i, g, [*saved[:k], d, *saved[k + 1:]], node)
            dp = part if dp is None else dp + part
        return op.pull(i, g, saved, node), dp
    if op.name in TURNED:
        (k, d), = turning
        dp = TURNED[op.name](g, saved[k], d)
        return op.pull(i, g, saved, node), dp if dg is None else dp + op.pull(i, dg, saved, node)
    pairs = []
    given: list[Any] = list(saved)
    for k, d in turning:
        given[k] = attach(saved[k], leaf(saved[k]))
        pairs.append((given[k], d))
    change = wrap(g)
    if dg is not None:
        change.node = leaf(g)
        pairs.append((change, dg))
    back = op.pull(i, change, recalled(node, op, given), node)
    if not isinstance(back, Tensor):
        return back, None
    if back.node is None:
        return back.value, None
    order = history([back.node])
    return back.value, tangents_of(order, pairs).get(back.node)


def _turning(node: Node, op: Op, i: int, tangent: dict[Node, Any]) -> list[tuple[int, Any]]:
    """(place in what was saved, tangent) of what the i-th rule asks for and has one."""
    parents = node.parents
    if op.variadic:
        made = [*(parents if 0 in op.kept else ()), *((node,) if 1 in op.kept else ())]
        return [(k, tangent[m]) for k, m in enumerate(made) if m in tangent and not (op.kind == "bilinear" and k == i)]
    needs, n, found = op.needs[i], len(parents), []
    for k, j in enumerate(op.kept):
        if j in needs and j <= n:
            m = node if j == n else parents[j]
            if m in tangent:
                found.append((k, tangent[m]))
    return found
