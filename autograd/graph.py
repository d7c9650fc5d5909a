"""The record as plain data, for anyone who wants to draw it, print it, count it or send it somewhere.

    graph(loss)               what a tensor was computed from
    trace(model, x)           what a function or module does with these inputs, with values and module paths

A `Graph` is immutable, holds no tensors and no arrays, and goes to JSON and back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .node import Constant, Node, attrs_of, inputs_of
from .op import asks
from .recording import record
from .tensor import Parameter, Tensor, stub_of


class Summary(NamedTuple):
    """What is kept of an array: enough to colour it, to describe it and to find what is wrong with it."""

    rms: float                      # root of the mean square, of the finite elements
    mean: float
    std: float
    min: float
    max: float
    zeros: float                    # fraction of exact zeros
    nans: int
    infs: int
    size: int
    item: Any                       # the number itself, when there is only one
    hist: tuple[int, ...]           # counts in 16 equal bins from lo to hi; () when there is nothing to count
    lo: float
    hi: float


class GraphNode(NamedTuple):
    """One step or leaf, with nothing left in it that can be called or changed."""

    id: int                         # its position in Graph.nodes
    kind: str                       # "input" | "parameter" | "buffer" | "constant" | "op"
    op: str  # name of the op; "" for a leaf
    category: str  # "linear" "elementwise" "activation" "norm" "reduction" "shape" "index" "loss" "logic" ...
    symbol: str                     # a short sign for some ops ("+", "×", "Σ")
    name: str                       # given by the user, or the path of a parameter
    shape: tuple[int, ...]
    dtype: str
    inputs: tuple[int, ...]         # ids, in the order of the arguments
    attrs: dict[str, Any]
    module: str                     # dotted path of the module it ran in
    line: str                       # "train.py:12", where recorded
    requires_grad: bool
    value: Summary | None
    grad: Summary | None
    grad_state: str                 # "known" | "pending" | "none"
    formula: tuple[str, ...]        # the rule of each input, as text
    saved: tuple[str, ...]          # what it keeps for the backward pass
    saved_bytes: int
    nbytes: int
    flops: int


class Graph(NamedTuple):
    """Nodes in topological order, the ids of the outputs, and the class of every module path."""

    nodes: tuple[GraphNode, ...]
    outputs: tuple[int, ...]
    modules: dict[str, str]

    def __str__(self) -> str:
        """One line a node:  %3 float32[32,10] = affine(%0, %1, %2)  # 2 · train.py:12."""
        lines = []
        for n in self.nodes:
            args = [f"%{i}" for i in n.inputs] + [f"{k}={v}" for k, v in n.attrs.items()]
            made = f"{n.op}({', '.join(args)})" if n.kind == "op" else " ".join(filter(None, [n.kind, n.name]))
            note = " · ".join(filter(None, [n.module, n.line]))
            lines.append(f"%{n.id} {n.dtype}[{','.join(map(str, n.shape))}] = {made}" + (f"  # {note}" if note else ""))
        return "\n".join([*lines, "return " + ", ".join(f"%{i}" for i in self.outputs)])

    def to_json(self) -> str:
        """The graph as JSON text; `Graph.from_json` reads it back."""
        import json

        nodes = [
            {**n._asdict(), "value": n.value and n.value._asdict(), "grad": n.grad and n.grad._asdict()}
            for n in self.nodes
        ]
        return json.dumps(
            {"format": "glassgrad.graph/1", "nodes": _safe(nodes), "outputs": self.outputs, "modules": self.modules},
            allow_nan=False,
            separators=(",", ":"),
        )

    @staticmethod
    def from_json(text: str) -> Graph:
        """The graph that `to_json` wrote.  Raises ValueError for anything else."""
        import json
        try:
            data = json.loads(text, object_hook=_restored)
            if data["format"] != "glassgrad.graph/1":
                raise ValueError(f"its format is {data['format']!r}")
            if not isinstance(data["nodes"], list) or not isinstance(data["modules"], dict):
                raise ValueError("its nodes are no list, or its modules no dict")
            nodes = []
            for n in data["nodes"]:
                for key in ("value", "grad"):
                    fields: Any = (
                        {k: tuple(v) if k == "hist" else v for k, v in n[key].items()} if n[key] else None
                    )
                    n[key] = fields and Summary._make(fields[k] for k in Summary._fields)
                nodes.append(GraphNode._make(tuple(v) if isinstance(v := n[k], list) else v for k in GraphNode._fields))
            for position, node in enumerate(nodes):
                if node.id != position or any(not 0 <= i < position for i in node.inputs):
                    raise ValueError(f"node {position} does not stand after its inputs")
            if any(not 0 <= i < len(nodes) for i in data["outputs"]):
                raise ValueError("an output is none of its nodes")
            return Graph(tuple(nodes), tuple(data["outputs"]), data["modules"])
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ValueError(f"from_json: expected what Graph.to_json wrote; {error}") from error


def _safe(x: Any) -> Any:
    """Infinities and NaN as {"float": "inf"}: JSON has no numbers for them."""
    if isinstance(x, float):
        return x if math.isfinite(x) else {"float": repr(x)}
    if isinstance(x, dict):
        return {str(k): _safe(v) for k, v in x.items()}
    return [_safe(v) for v in x] if isinstance(x, (list, tuple)) else x


def _restored(x: dict[str, Any]) -> Any:
    return float(x["float"]) if x.keys() == {"float"} else x


def summary(value: Any) -> Summary:
    """The summary of an array or NumPy scalar."""
    a = np.asarray(value)
    size = int(a.size)
    item = a.reshape(-1)[0].item() if size == 1 else None
    if isinstance(item, complex):
        item = abs(item)
    x = np.abs(a).reshape(-1).astype(np.float64) if a.dtype.kind == "c" else a.reshape(-1).astype(np.float64)
    nans, infs = int(np.isnan(x).sum()), int(np.isinf(x).sum())
    x = x[np.isfinite(x)] if nans or infs else x
    if not x.size:
        return Summary(math.nan, math.nan, math.nan, math.nan, math.nan, 0.0, nans, infs, size, item, (), 0.0, 0.0)
    lo, hi = float(x.min()), float(x.max())
    scale = max(abs(lo), abs(hi)) or 1.0
    hist: tuple[int, ...] = ()
    if size > 1 and hi > lo and math.isfinite(hi - lo):
        hist = tuple(int(n) for n in np.histogram(x, bins=16, range=(lo, hi))[0])
    y = x / scale
    return Summary(float(np.sqrt(np.mean(y * y)) * scale), float(y.mean() * scale), float(y.std() * scale), lo, hi,
                   float(np.mean(x == 0)), nans, infs, size, item, hist, lo, hi)


def graph(*outputs: Tensor | Sequence[Tensor]) -> Graph:
    """The graph of what the tensors were computed from.

    Values, source lines and module paths are there for what was computed inside `record()`.
    """
    tensors = [t for out in outputs for t in ([out] if isinstance(out, Tensor) else out)]
    if not tensors or not all(isinstance(t, Tensor) for t in tensors):
        raise TypeError(f"graph: expected tensors; got {', '.join(type(o).__name__ for o in outputs) or 'nothing'}")
    roots = [t.node if t.node is not None else stub_of(t) for t in tensors]
    values = {r: t.value for r, t in zip(roots, tensors, strict=True)}
    return _build(roots, values)


def trace(f: Callable[..., Any], *inputs: Any) -> Graph:
    """The graph of f(*inputs), f a function or a Module; arrays become tensors.  Values and module paths are kept."""
    given = [x if isinstance(x, Tensor) else Tensor(x) for x in inputs]
    names = getattr(getattr(getattr(f, "forward", f), "__code__", None), "co_varnames", ())
    names = names[1:] if hasattr(f, "forward") and names[:1] == ("self",) else names
    for k, x in enumerate(given):
        if not x.name and k < len(names) and not isinstance(x, Parameter):
            x.name = names[k]
    with record():
        out = f(*given)
    outputs = [out] if isinstance(out, Tensor) else list(out.values()) if isinstance(out, dict) else \
        list(out) if isinstance(out, (list, tuple)) else []
    if not outputs or not all(isinstance(t, Tensor) for t in outputs):
        raise TypeError(f"trace: the function must return tensors; it returned {type(out).__name__}")
    roots = [t.node if t.node is not None else stub_of(t) for t in outputs]
    values = {t.node if t.node is not None else stub_of(t): t.value for t in (*given, *outputs)}
    return _build(roots, values)


def _ancestors(roots: Sequence[Node]) -> tuple[list[Node], list[tuple[Any, ...]]]:
    """All nodes, oldest first, and per node its inputs with Python numbers turned into leaves of their own."""
    order, found = list(dict.fromkeys(roots)), set(roots)
    inputs: dict[Node, tuple[Any, ...]] = {}
    for node in order:
        inputs[node] = tuple(p for p in inputs_of(node) if p is not None)
        for p in inputs[node]:
            if isinstance(p, Node) and p not in found:
                found.add(p)
                order.append(p)
    order.sort(key=lambda n: n.index)
    return order, [inputs[n] for n in order]


def _build(roots: Sequence[Node], values: dict[Node, Any]) -> Graph:
    order, inputs = _ancestors(roots)
    values = {**_at_hand(order), **values}
    backward_done = any(n.extra is not None and n.extra.grad is not None for n in order)
    ids: dict[Node, int] = {}
    nodes: list[GraphNode] = []
    modules: dict[str, str] = {}
    for node, parents in zip(order, inputs, strict=True):
        at = []
        for p in parents:
            if isinstance(p, Node):
                at.append(ids[p])
            else:                                   # a Python number
                at.append(len(nodes))
                nodes.append(_constant(len(nodes), p))
        ids[node] = len(nodes)
        if node.extra is not None:
            modules.update(node.extra.modules)
        nodes.append(_node(len(nodes), node, tuple(at), [nodes[i] for i in at], values.get(node), backward_done))
    return Graph(tuple(nodes), tuple(ids[r] for r in roots), modules)


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


def _constant(position: int, number: Any) -> GraphNode:
    value = summary(number)
    return GraphNode(
        position,
        "constant",
        "",
        "",
        "",
        "",
        (),
        np.asarray(number).dtype.name,
        (),
        {},
        "",
        "",
        False,
        value,
        None,
        "none",
        (),
        (),
        0,
        0,
        0,
    )


def _node(position: int, node: Node, inputs: tuple[int, ...], parents: list[GraphNode], value: Any,
          backward_done: bool) -> GraphNode:
    op, extra, wants = node.op, node.extra, type(node) is not Constant
    if value is None and extra is not None:
        value = extra.value
    kept = getattr(node, "grad", None)
    g = kept.value if kept is not None else extra.grad if extra is not None else None
    state = "none" if not wants else "known" if g is not None else "pending"
    # `made` hands an op of several results the decomposition computed for all of them: no part of what it is
    attrs = {k: _readable(v) for k, v in attrs_of(node).items() if v is not None and k != "made"}
    saved_bytes = 0
    if op is not None and node.saved:
        saved_bytes = sum(int(getattr(v, "nbytes", 0)) for v in node.saved if v is not None)
    names = op.kept_names if op is not None and wants else ()
    if names and op is not None and not op.variadic and node.saved and len(node.saved) == len(names):
        names = tuple(n for n, v in zip(names, node.saved, strict=True) if v is not None)
    return GraphNode(
        position, "op" if op is not None else extra.role if extra is not None else "constant" if not wants else "input",
        op.name if op is not None else "", op.category if op is not None else "", op.symbol if op is not None else "",
        extra.name if extra is not None else "", tuple(node.shape), node.dtype.name, inputs, attrs,
        extra.module if extra is not None else "", extra.line if extra is not None else "", wants,
        None if value is None else summary(value), None if g is None else summary(g), state,
        formulas(op, len(inputs)) if op is not None else (), names, saved_bytes,
        math.prod(node.shape) * node.dtype.itemsize, _flops(op.name, node, parents) if op is not None else 0)


def _readable(v: Any) -> Any:
    """An attribute as JSON can hold it; arrays as a word about their shape."""
    if isinstance(v, (bool, int, float, str)) or v is None:
        return v
    if isinstance(v, (list, tuple)):
        return [_readable(k) for k in v]
    if isinstance(v, np.ndarray):
        return v.tolist() if v.size <= 8 else f"{v.dtype}[{','.join(map(str, v.shape))}]"
    if isinstance(v, np.generic):
        return v.item()
    if isinstance(v, slice):
        return ":".join("" if k is None else str(k) for k in (v.start, v.stop, v.step)).removesuffix(":") or ":"
    return "..." if v is Ellipsis else str(v)


_PER_ELEMENT = {"linear": 2, "activation": 4, "norm": 8, "loss": 6, "shape": 0, "index": 0}


def _flops(name: str, node: Node, parents: list[GraphNode]) -> int:
    """Floating-point operations: exact for products of matrices, a count per element elsewhere."""
    size = math.prod(node.shape)
    if name in ("matmul", "affine") and parents and parents[0].shape:
        return 2 * size * parents[0].shape[-1]
    if node.op is not None and node.op.category == "reduction":
        return math.prod(parents[0].shape) if parents else size
    return size * _PER_ELEMENT.get(node.op.category if node.op is not None else "", 1)


_FORMULAS: dict[str, tuple[str, ...]] = {}


def formulas(op: Any, n: int) -> tuple[str, ...]:
    """The rule of each input as the row of the op has it: ("g * y", "g * x") for multiply; "" where there is none."""
    if op.name not in _FORMULAS:
        bodies = _rule_bodies(op)
        _FORMULAS[op.name] = tuple(
            bodies.get(x, f"rule({', '.join(('g', *asks(op.rules[x])))})") if x in op.rules else "" for x in op.inputs
        )
    found = _FORMULAS[op.name]
    return found * n if op.variadic else (*found, *[""] * n)[:n]


def _rule_bodies(op: Any) -> dict[str, str]:
    """The bodies of the lambdas in the decorator of the op, by input; empty where the source is not at hand."""
    import ast
    import inspect
    import textwrap
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(op.fn)))
    except (OSError, TypeError, SyntaxError):
        return {}
    keywords = [k for call in ast.walk(tree) if isinstance(call, ast.Call) for k in call.keywords]
    return {k.arg: ast.unparse(k.value.body) for k in reversed(keywords) if k.arg and isinstance(k.value, ast.Lambda)
            and k.value.args.args[:1] and k.value.args.args[0].arg == "g"}


setattr(Tensor, "graph", lambda self: graph(self))          # loss.graph()
