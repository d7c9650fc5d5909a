"""From the record, as nodes hold it, to the lines of a graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from os.path import basename
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..node import NO_ATTRS, Constant, Node, attrs_of, inputs_of
from ..op import Op
from ..tensor import Tensor, stub_of
from .costs import flops, formulas
from .cut import detach
from .nodes import NOTHING, GraphNode, Operand, Summary, dtype_name, frozen, kept_attribute, leaf_node, summary


class Known(NamedTuple):
    """What is known of a record besides its nodes."""

    values: dict[Node, Any]                         # of leaves and outputs
    leaves: dict[Node, tuple[str, str]]             # (kind, name) of leaves, where the nodes do not say
    first: Sequence[Node] = ()                      # the inputs, in the order of the arguments, used or not
    traced: bool = False                            # what is none of the inputs belongs to the function
    saved: bool = True                              # what nodes saved for the backward pass is known as a value
    aliases: Mapping[Node, Node] = MappingProxyType({})     # stand-in, with no gradient -> the node whose value it is
    links: Mapping[Node, dict[int, Node]] = MappingProxyType({})    # step -> id of an attribute -> the node it is from
    names: Mapping[Node, str] = MappingProxyType({})        # of those that have none: the user's variables
    cuts: Mapping[Node, str] = MappingProxyType({})         # leaf -> where it was cut from its history


def node_of(tensor: Tensor) -> Node:
    """The node of a tensor, or what stands for it."""
    return tensor.node if tensor.node is not None else stub_of(tensor)


def lines(roots: Sequence[Node], known: Known) -> tuple[tuple[GraphNode, ...], tuple[int, ...], dict[str, str]]:
    """The lines, the ids of the roots, and the class of every module path."""
    aliases = known.aliases
    order, parents = ancestors(roots, known)
    values = {**_at_hand(order), **known.values} if known.saved else known.values
    if known.names:                                 # a name that a user gave stays the only one of its kind
        given = {n.extra.name for n in order if n.extra is not None} | {name for _, name in known.leaves.values()}
        known = known._replace(names={n: name for n, name in known.names.items() if name not in given})
    ids: dict[Any, int] = {}
    made: list[GraphNode] = []
    modules: dict[str, str] = {}
    seen: Any = None
    for node, above in zip(order, parents, strict=True):
        at: list[int] = []
        absent: list[int] = []
        for place, p in enumerate(above):
            if isinstance(p, Node):
                owner = aliases.get(p, p)
                cut = owner is not p and type(owner) is not Constant and _has_rule(node, place)
                at.append(_cut(made, ids, owner, p, known) if cut else ids[owner])
            elif p is None:
                absent.append(place)
            else:                                   # a Python number
                at.append(len(made))
                made.append(leaf_node(len(made), "constant", "", p))
        while absent and absent[-1] == len(at) + len(absent) - 1:
            absent.pop()                            # after the last that was given: left out, as in the call
        operands = {}
        for key, owner in known.links.get(node, {}).items():
            operands[key] = Operand(len(at))
            at.append(ids[owner])
        ids[node] = len(made)
        extra = node.extra
        if extra is not None and extra.modules is not seen:
            seen = extra.modules
            modules.update(seen)
        if node.op is None:
            made.append(_leaf(len(made), node, known, values.get(node)))
        else:
            made.append(_step(len(made), node, node.op, tuple(at), tuple(absent), made, values.get(node),
                              operands, known))
    outputs = []
    for r in roots:
        owner = aliases.get(r, r)
        outputs.append(_cut(made, ids, owner, r, known) if owner is not r and type(owner) is not Constant
                       else ids[owner])
    return tuple(made), tuple(outputs), modules


def aliases_of(roots: Sequence[Node]) -> dict[Node, Node]:
    """Of what `record()` noted, the stand-ins (operands of comparisons, detached tensors): whose value each has.

    The value is the very same object.  (NumPy's one True and one False are everybody's, and tell nothing.)
    """
    owners: dict[int, Node] = {}
    aliases: dict[Node, Node] = {}
    for node in ancestors(roots, Known({}, {}))[0]:
        value = node.extra.value if node.extra is not None else None
        if value is not None and not isinstance(value, (np.bool_, Summary)):
            if node.op is None and type(node) is Constant and id(value) in owners:
                aliases[node] = owners[id(value)]
            else:
                owners[id(value)] = node
    return aliases


def _has_rule(node: Node, place: int) -> bool:
    """Whether a gradient would flow to this operand, if it had a history."""
    op = node.op
    assert op is not None
    return bool(op.rules) if op.masks is None else bool(op.masks[place])


def _cut(made: list[GraphNode], ids: dict[Any, int], owner: Node, stub: Node, known: Known) -> int:
    """The id of a line that has the value of a node, and through which no gradient flows; made when first asked for.

    stub: what stands for the value where it is used; a variable may tell its name, and the line of the detach().
    """
    if ("cut", owner) not in ids:
        of = made[ids[owner]]
        ids["cut", owner] = len(made)
        made.append(of._replace(
            id=len(made), kind="op", op=detach().name, category=detach().category, symbol="",
            name=known.names.get(stub, ""), line=known.cuts.get(stub, "").partition(" ")[2] or of.line,
            inputs=(of.id,), attrs=NOTHING, requires_grad=False, grad=None, grad_state="none", formula=("",), saved=(),
            saved_bytes=0, flops=0, data=None, absent=(), keeps=(), marks=()))
    return ids["cut", owner]


def ancestors(roots: Sequence[Node], known: Known) -> tuple[list[Node], list[tuple[Any, ...]]]:
    """All nodes, the inputs first and then the oldest, and what each was computed from."""
    aliases = known.aliases
    order = list(dict.fromkeys([aliases.get(r, r) for r in roots]))
    found, inputs = set(order), {}
    for node in order:                              # grows while it is walked
        inputs[node] = inputs_of(node)
        for p in (*inputs[node], *known.links[node].values()) if node in known.links else inputs[node]:
            if isinstance(p, Node):
                p = aliases.get(p, p)
                if p not in found:
                    found.add(p)
                    order.append(p)
    order.sort(key=lambda n: n.index)
    if known.first:
        ahead = set(known.first)
        order = [*known.first, *[n for n in order if n not in ahead]]
    return order, [inputs.get(n, ()) for n in order]


def _at_hand(order: Sequence[Node]) -> dict[Node, Any]:
    """Values that were saved for the backward pass, and so are known without a recording."""
    found: dict[Node, Any] = {}
    for node in order:
        if node.op is None or not node.saved or node.op.variadic:
            continue
        made = (*node.parents, node)
        for k, value in zip(node.op.kept, node.saved, strict=True):
            owner = made[k] if k < len(made) else None
            if owner is not None and value is not None:
                found[owner] = value
    return found


def _gradient(node: Node) -> tuple[Any, str]:
    """What is known of the gradient that reached a node, and the word for it."""
    kept = getattr(node, "grad", None)
    g = kept.value if kept is not None else node.extra.grad if node.extra is not None else None
    if type(node) is Constant:
        return None, "none"
    return g, "known" if g is not None else "pending"


def _leaf(position: int, node: Node, known: Known, value: Any) -> GraphNode:
    extra, wants = node.extra, type(node) is not Constant
    if value is None and extra is not None:
        value = extra.value
    kind, name = known.leaves.get(node, ("", ""))
    if not kind:
        # What a traced function brings along is its own: learned, where gradients flow to it.  Of a tensor's history
        # nobody said what its inputs are: they are the leaves that are no parameters.
        kind = (("parameter" if wants else "constant") if known.traced else
                extra.role if extra is not None else "input" if wants else "constant")
    g, state = _gradient(node)
    data = None if value is None else frozen(value)
    return leaf_node(position, kind, name or _name(node, known), data)._replace(
        shape=tuple(node.shape), dtype=dtype_name(node.dtype), requires_grad=wants,
        grad=None if g is None else summary(g), grad_state=state, nbytes=math.prod(node.shape) * node.dtype.itemsize,
        marks=_marks(node, known))


def _step(position: int, node: Node, op: Op, inputs: tuple[int, ...], absent: tuple[int, ...],
          made: list[GraphNode], value: Any, operands: dict[int, Operand], known: Known) -> GraphNode:
    extra, wants = node.extra, type(node) is not Constant
    if value is None and extra is not None:
        value = extra.value
    g, state = _gradient(node)
    attrs = attributes(op, attrs_of(node), operands)
    shape = tuple(node.shape)
    nbytes = math.prod(shape) * node.dtype.itemsize
    names, keeps = _kept(node, op, absent) if wants else ((), ())
    saved_bytes = sum([int(getattr(v, "nbytes", 0)) for v in node.saved if v is not None]) if node.saved else \
        sum([made[inputs[k]].nbytes if k >= 0 else nbytes for k in keeps])      # freed since: by the sizes it had
    return GraphNode(
        position, "op", op.name, op.category, op.symbol, _name(node, known), shape,
        dtype_name(node.dtype), inputs, attrs, extra.module if extra is not None else "",
        _line(extra.at) if extra is not None else "", wants,
        value if value is None or type(value) is Summary else summary(value), None if g is None else summary(g), state,
        formulas(op, len(inputs)), names, saved_bytes, nbytes,
        flops(op, attrs, shape, [made[i].shape for i in inputs]), None, absent, keeps,
        _marks(node, known))


def _name(node: Node, known: Known) -> str:
    """What a user called it; else the variable that holds it."""
    name = node.extra.name if node.extra is not None else ""
    return name or known.names.get(node, "")


def _marks(node: Node, known: Known) -> tuple[str, ...]:
    """Hooks, `retain_grad`, and where a leaf was cut from its history."""
    extra, cut = node.extra, known.cuts.get(node)
    if extra is None:
        return (cut,) if cut else ()
    return (*["hook"] * (len(extra.hooks) + len(extra.accumulated)), *(("retain_grad",) if extra.retain else ()),
            *((cut,) if cut else ()))


def _kept(node: Node, op: Op, absent: tuple[int, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The names of what a step keeps for the backward pass, and which of these are operands or the result.

    Also after the backward pass freed it, when it can be told from what needed a gradient.
    """
    n = len(node.parents)
    if op.variadic:
        return op.kept_names, (*(range(n) if 0 in op.kept else ()), *((-1,) if 1 in op.kept else ()))
    if node.saved and len(node.saved) == len(op.kept):
        there = [v is not None for v in node.saved]
    else:
        masks = op.masks or ()
        live = sum([m for m, p in zip(masks, node.parents, strict=False) if p is not None and type(p) is not Constant])
        there = [k >= 0 for k in op.picks(live)]
    found = [(name, k) for name, k, kept in zip(op.kept_names, op.kept, there, strict=True) if kept]
    places = [k - sum([a < k for a in absent]) if k < n else -1 for _, k in found if k <= n and k not in absent]
    return tuple([name for name, _ in found]), tuple(places)


@cache
def _line(at: tuple[str, int]) -> str:
    return f"{basename(at[0])}:{at[1]}" if at[0] else ""


def attributes(op: Op, given: Mapping[str, Any], operands: dict[int, Operand] | None = None) -> Mapping[str, Any]:
    """What a call says that is not the default of the op, read-only.

    `made` hands an op of several results the decomposition computed for all of them: no part of what it is.
    """
    if given is NO_ATTRS or given is op.defaults:
        return NOTHING
    said = {k: kept_attribute(v, operands or {}) for k, v in given.items() if k != "made" and not _is_default(op, k, v)}
    return MappingProxyType(said) if said else NOTHING


def _is_default(op: Op, name: str, value: Any) -> bool:
    if name not in op.defaults:
        return False
    default = op.defaults[name]
    return value is default or (type(value) is type(default) and isinstance(value, (bool, int, float, str))
                                and value == default)
