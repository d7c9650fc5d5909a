"""Two walks over one record: pull gradients back, push tangents forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .ancestry import history, live_of, number
from .call import apply
from .changes import CHANGED, check_saved
from .errors import GradientError, ShapeError
from .guard import check_guards
from .modes import current, enable_grad, outside_recording
from .node import HOOKED, SEEN, Node, attrs_of, inputs_of, shape_of
from .op import Op, asks
from .ops.elementwise import where
from .ops.linear import cast, conj, ones, reshape, sum
from .quiet import quietly
from .tensor import Tensor, attach, wrap


def pull(roots: Sequence[Tensor], seeds: Sequence[Any], sources: Sequence[Tensor] | None = None, *,
         record: bool = False, retain: bool = True) -> Any:
    """Gradients of sum_k <seed_k, root_k>: with `sources`, one each (None where there is no path);
    without, a dict from leaf node to gradient for every leaf the roots were made from.

    With `record` the rules run on Tensors instead of arrays, and what they compute can be pulled again;
    the gradients are Tensors then.  Without `retain`, what the nodes saved is dropped as the walk passes.
    """
    grads: dict[Node, Any] = {}
    for root, seed in zip(roots, seeds):
        node = root.node
        if node is not None:
            grads[node] = grads[node] + seed if node in grads else seed
    wanted: list[Node] = []
    if sources is None:
        order, live = history(grads, leaves=False), None
    else:
        wanted = [s.node for s in sources if s.node is not None]
        order = history(grads, since=min(map(number, wanted), default=0))
        live = live_of(order, wanted)
    keep, mode = set(wanted), current()
    watch = None if mode is None or mode.recorder is None else mode.recorder.watch(order)
    if record:
        with enable_grad(), np.errstate(all="ignore"):
            found = _walk(order, grads, live, keep, True, retain, watch)
    elif mode is None and not HOOKED:
        found = quietly(_walk, order, grads, live, keep, False, retain)
    else:
        with np.errstate(all="ignore"), outside_recording():
            found = _walk(order, grads, live, keep, False, retain, watch)
    return found if sources is None else [None if s.node is None else found.get(s.node) for s in sources]


def _walk(order: list[Node], grads: dict[Node, Any], live: set[Node] | None, keep: set[Node],
          record: bool, retain: bool, watch: Any = None) -> dict[Node, Any]:
    """The reverse sweep.  Returns what reached the leaves and the nodes in `keep`; consumes `grads`."""
    found: dict[Node, Any] = {}
    masks: dict[Node, Any] = {}               # where the gradient of a node goes on; elsewhere it was not selected
    complex_seen = SEEN["complex"]
    for node in order:
        g = grads.pop(node, None)
        if g is None:
            continue
        mask = masks.pop(node, None) if masks else None
        kept: Any = node.saved
        if node.extra is not None:
            g = _notice(node, g, record)
            if node.extra.unpack is not None:
                kept = _unpacked(node)
        if keep and node in keep:
            found[node] = g
        op = node.op
        if op is None:
            continue
        if CHANGED and kept:
            check_saved(node)
        saved: Any = _recall(node, kept) if record else kept
        shape = node.shape
        # A rule is the plain transpose of the derivative; PyTorch's gradient of a complex value is its conjugate.
        turned = complex_seen and node.dtype.kind == "c"
        if turned:
            g = conj(g)
        try:
            if op.selects or mask is not None:
                _pull_selected(node, g, saved, mask, live, grads, masks, watch)
            else:
                for p, (rule, a, b) in zip(node.parents, op.pulls):
                    if p is not None and (live is None or p in live):
                        if b is None:             # what the rule asks for was sorted out when the op was declared
                            gp = rule(g) if a is None else rule(g, saved[a])
                        else:
                            gp = rule(g, saved, node) if a is None else rule(g, saved[a], saved[b])
                        if turned:
                            gp = conj(gp)
                        if watch is not None:
                            watch.check_gradient(node, p, g, gp)
                        if shape and gp.shape != p.shape:        # nothing was stretched into a 0-d result
                            gp = fit(gp, p.shape)
                        if p in grads:
                            grads[p] = grads[p] + gp
                            if masks:
                                masks.pop(p, None)       # every element of what came now goes on
                        else:
                            grads[p] = gp
        except (TypeError, AttributeError, ValueError) as error:
            if node.saved is None:
                raise _freed(node) from None
            if not isinstance(error, (GradientError, ShapeError)):
                error.add_note(
                    f"in the derivative of {op.name}, by the rule of one of {', '.join(op.inputs)}; a rule must "
                    f"return a gradient of the shape of its input"
                )
            raise
        if not retain and saved:
            node.saved = None
    if live is None:                          # the leaves stand in no order: what is left belongs to them
        for node, g in grads.items():
            extra = node.extra
            found[node] = _notice(node, g, record) if extra is not None and (extra.hooks or extra.recorded) else g
        grads.clear()
    return found


def _pull_selected(node: Node, g: Any, saved: Any, mask: Any, live: set[Node] | None, grads: dict[Node, Any],
                   masks: dict[Node, Any], watch: Any) -> None:
    """One step of the walk where some elements of the gradient are no number that happens to be 0, but were not
    selected by a `where`: past them nothing flows, also where a slope is infinite or NaN.

    Through elementwise steps and linear ones (reshape, index, sum) a mask says which; others end it.
    """
    op = node.op
    assert op is not None
    turned = SEEN["complex"] and node.dtype.kind == "c"
    for i, p in enumerate(node.parents):
        if p is None or (live is not None and p not in live):
            continue
        gp = op.pull(i, g, saved, node)
        if turned:
            gp = conj(gp)
        goes_on = mask
        if op.selects:
            raw = saved[0].value if isinstance(saved[0], Tensor) else saved[0]
            chosen = np.broadcast_to(np.asarray(raw, bool) if i == 1 else ~np.asarray(raw, bool), node.shape)
            goes_on = chosen if mask is None else chosen & mask
        elif mask is None:
            pass
        elif op.kind == "linear":
            plain = [v.value if isinstance(v, Tensor) else v for v in saved]
            goes_on = np.asarray(op.pull(i, mask.astype(np.float64), plain, node)) != 0
        elif op.kind != "elementwise" or gp.shape != node.shape:
            goes_on = None
        if goes_on is not None and goes_on.all():
            goes_on = None
        if goes_on is not None:
            gp = where(wrap(goes_on), gp, 0) if isinstance(gp, Tensor) else np.where(goes_on, gp, gp.dtype.type(0))
        if watch is not None:
            watch.check_gradient(node, p, g, gp)
        if gp.shape != p.shape:
            gp = fit(gp, p.shape)
            if goes_on is not None:
                goes_on = fit(goes_on.astype(np.float64), p.shape) > 0
        if p in grads:
            gp = grads[p] + gp
            before = masks.pop(p, None)
            goes_on = None if before is None or goes_on is None else before | goes_on
        grads[p] = gp
        if goes_on is not None:
            masks[p] = goes_on


def _notice(node: Node, g: Any, record: bool) -> Any:
    """Hooks, `retain_grad` and `record()`: what few nodes have.  Returns the gradient that goes on."""
    extra = node.extra
    assert extra is not None
    if extra.guards and node.saved:
        check_guards(node)
    for hook in tuple(extra.hooks.values()):
        replaced = hook(g if record else wrap(g))
        if replaced is not None:
            if not isinstance(replaced, Tensor) or replaced.shape != node.shape or replaced.dtype != node.dtype:
                got = f"{replaced.shape} {replaced.dtype}" if isinstance(replaced, Tensor) else type(replaced).__name__
                raise GradientError(f"a hook must return None or a Tensor like the gradient, {node.shape} "
                                    f"{node.dtype}; got {got}")
            g = replaced if record else replaced.value
    if extra.recorded:
        extra.grad = g.value if record else g
    if extra.retain and node.op is not None:
        kept = g if record else wrap(g)
        before = getattr(node, "grad", None)
        node.grad = kept if before is None else before + kept
    return g


def _freed(node: Node) -> GradientError:
    assert node.op is not None
    names = ", ".join(node.op.kept_names)
    return GradientError(
        f"trying to run backward through the graph a second time: {node.op.name} had saved {names} for its "
        "derivative, and the first backward freed it; pass retain_graph=True to the first backward")


def _unpacked(node: Node) -> Any:
    """What a node saved, as it was before `saved_tensors_hooks` packed it."""
    if node.saved is None:
        return None
    assert node.extra is not None
    made = []
    for packed in node.saved:
        value = packed if packed is None else node.extra.unpack(packed)
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"saved_tensors_hooks: unpack must return a Tensor; got {type(value).__name__}")
        made.append(value if value is None else value.value)
    return tuple(made)


def _recall(node: Node, kept: Any) -> Any:
    """What a node saved, given back their histories, for a sweep that is itself recorded."""
    if kept is None or node.op is None:
        return kept
    if node.op.variadic:
        made = (*(node.parents if 0 in node.op.kept else ()), *((node,) if 1 in node.op.kept else ()))
        return [attach(v, m) if m is not None else v for v, m in zip(kept, made, strict=True)]
    made = (*node.parents, node)
    saved = [attach(v, made[k]) if k < len(made) and made[k] is not None and v is not None
             else wrap(v) if isinstance(v, np.generic) else v
             for v, k in zip(kept, node.op.kept, strict=True)]
    if node.op.aux:
        names = node.op.kept_names
        for name, afresh in node.op.aux.items():
            if name in names:                        # computed anew from the inputs, so that it has a history
                at = {n: saved[names.index(n)] if n in names else attrs_of(node)[n] for n in asks(afresh, 0)}
                saved[names.index(name)] = afresh(**at)
    return saved


def push(root: Tensor, tangents: Sequence[tuple[Tensor, Any]]) -> Any:
    """The derivative of `root` along `tangents`, pairs (source, direction); None where there is no path.

    Recorded if the directions or the sources carry histories, so pushes and pulls nest.
    """
    if root.node is None:
        return None
    tangent: dict[Node, Any] = {}
    for source, direction in tangents:
        if source.node is not None:
            tangent[source.node] = direction if isinstance(direction, Tensor) else wrap(direction)
    order = history([root.node], since=min(map(number, tangent), default=0))
    for node in reversed(order):
        if node not in tangent and node.op is not None:
            directions = [None if p is None else tangent.get(p) for p in node.parents]
            if any(d is not None for d in directions):
                tangent[node] = _carry(node, directions)
    return tangent.get(root.node)


def _carry(node: Node, directions: list[Any]) -> Any:
    """One step of `push`: the direction of a node from those of its parents."""
    op = node.op
    assert op is not None
    if node.saved is None:
        raise _freed(node)
    if CHANGED and node.saved:
        check_saved(node)
    if node.extra is not None and node.extra.guards:
        check_guards(node)
    saved = _recall(node, node.saved if node.extra is None or node.extra.unpack is None else _unpacked(node))
    if op.kind == "linear":
        given = [_zeros_for(p, node, op, j) if d is None else d
                 for j, (p, d) in enumerate(zip(inputs_of(node), directions, strict=True))]
        return apply(op, given, attrs_of(node))
    total = None
    for i, d in enumerate(directions):
        if d is None:
            continue
        parent = node.parents[i]
        assert parent is not None
        real = parent.dtype.kind == "c" and node.dtype.kind != "c"     # |z|: a rule gives G, and df = Re(conj(G) dz)
        if op.kind == "elementwise" and real:
            part = cast(conj(op.pull(i, np.ones(node.shape, node.dtype)[()], saved, node)) * d, dtype=node.dtype)
        elif op.kind == "elementwise":
            part = op.pull(i, d, saved, node)
        elif op.kind == "bilinear":
            part = apply(
                op, [d if j == i else _operand(node, saved, j) for j in range(len(directions))], attrs_of(node)
            )
        else:                                       # a rule is linear in g, so its transpose is its own pull
            g = Tensor(np.zeros(node.shape, node.dtype), requires_grad=True)
            with enable_grad():
                back = op.pull(i, g, saved, node)
                if back.shape != parent.shape:
                    back = fit(back, parent.shape)
            turned = node.dtype.kind == "c"        # `pull` gives conjugates
            part, = pull([back], [conj(d) if turned else d], [g], record=True)
            if part is None:
                continue
            if turned:
                part = conj(part)
        if part.shape != node.shape:
            part = part + np.zeros(node.shape, node.dtype)
        total = part if total is None else total + part
    return np.zeros(node.shape, node.dtype)[()] if total is None else total


def _zeros_for(parent: Any, node: Node, op: Op, j: int) -> Any:
    """No direction of an input: zeros; an input without a rule (an index) as it was."""
    if not op.variadic and op.inputs[j] not in op.rules:
        assert node.saved is not None
        return node.saved[op.kept.index(j)]
    return np.zeros(shape_of(parent), node.dtype)[()]


def _operand(node: Node, saved: Any, j: int) -> Any:
    """The j-th operand of a bilinear op, which the rule of the other operands made it save."""
    op = node.op
    assert op is not None
    return saved[j] if op.variadic else saved[op.kept.index(j)]


_add: Any = np.add.reduce


def fit(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum `g` over the axes that were added or stretched, down to `shape`."""
    lead = len(g.shape) - len(shape)
    if type(g) is np.ndarray and g.ndim == 2 and g.size <= 4096 and g.dtype.itemsize >= 4:   # as a product
        if lead == 1 and g.shape[1:] == shape:
            return ones(len(g), g.dtype).dot(g)
        if not lead and shape[1] == 1 and shape[0] == len(g):
            return g.dot(ones(g.shape[1], g.dtype))[:, None]
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1)
    if type(g) is np.ndarray and g.dtype.itemsize >= 8 and axes:        # float32 adds up more carefully, in `sum`
        g = _add(g, axis=axes, keepdims=not lead)
        return g if g.shape == shape else g.reshape(shape)
    if axes:
        g = sum(g, dim=axes)
    return g if g.shape == shape else reshape(g, shape=shape)

