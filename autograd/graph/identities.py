"""Identities that hold to the bit, and so do their derivatives (at kinks too).

    x · 1   x / 1   x^1   x - 0   -(-x)   conj conj x   identity and clone      are x
    x + 0                                                                       is x, but that -0 + 0 is 0
    x + (-y)   x - (-y)                                                         are x - y and x + y
    x where c, else (y where c, else z)                                         is x where c, else z
    | |x| |   relu relu x   ⌊⌊x⌋⌋ ... clamp clamp x   x where c else x   max(x, x)  are the inner one, or x
    |-x|   (-x)²   |x|²                                                         are |x|, x², x²
    reshape of reshape, permute of permute (or transpose), expand of expand     are one step, or none
    cast to a wider dtype and back, flip of flip, an index that takes all       are x

What is not here changes values: exp(log x) is NaN below 0, x - x is NaN of an infinity, x · 0 too, (x + a) + b rounds
twice.  Nor is a constant factor drawn out of a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .nodes import GraphNode, is_weak
from .rewriting import Rewriter

Found = int | GraphNode | None
_SAME_TWICE = ("abs", "relu", "floor", "ceil", "trunc", "round", "sign", "clamp", "tril", "triu", "expand")
_THERE_AND_BACK = ("negative", "conj", "flip", "bitwise_not")
_RULES: dict[str, Callable[[GraphNode, Rewriter, tuple[int, ...]], Found]] = {}


def identity_of(node: GraphNode, out: Rewriter) -> Found:
    """What a step may be replaced by: a node that is there (its id), another step, or None."""
    inputs = out.inputs(node)
    if not inputs or node.absent:
        return None
    x = out.nodes[inputs[0]]
    if x.op == node.op and x.attrs == node.attrs and len(inputs) == 1 and not _holds_arrays(node):
        if node.op in _SAME_TWICE and _like(node, x):
            return inputs[0]
        if node.op in _THERE_AND_BACK and _like(node, out.nodes[x.inputs[0]]):
            return x.inputs[0]
    rule = _RULES.get(node.op)
    return rule(node, out, inputs) if rule is not None else None


def _holds_arrays(node: GraphNode) -> bool:
    return any(isinstance(v, (np.ndarray, tuple, list)) for v in node.attrs.values()) and node.op not in (
        "flip", "expand")


def _like(node: GraphNode, x: GraphNode) -> bool:
    """Whether x may stand where node stood: of its shape and dtype, and no weaker."""
    return x.shape == node.shape and x.dtype == node.dtype and not is_weak(x)


def _is(x: GraphNode, number: float) -> bool:
    """Whether a node is a constant of nothing but this number."""
    return x.kind == "constant" and x.data is not None and bool(np.all(np.equal(x.data, number))) and 0 not in x.shape


def _rule(*names: str) -> Any:
    def enter(rule: Any) -> Any:
        _RULES.update(dict.fromkeys(names, rule))
        return rule
    return enter


@_rule("identity", "clone")
def _itself(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    return inputs[0] if _like(node, out.nodes[inputs[0]]) else None


@_rule("multiply", "divide", "power")
def _by_one(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    i, j = inputs
    x, y = out.nodes[i], out.nodes[j]
    if _is(y, 1) and _like(node, x):
        return i
    return j if node.op == "multiply" and _is(x, 1) and _like(node, y) else None


@_rule("add", "subtract")
def _sum(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    i, j = inputs
    x, y = out.nodes[i], out.nodes[j]
    if _is(y, 0) and _like(node, x):
        return i
    if node.op == "add" and _is(x, 0) and _like(node, y):
        return j
    if np.dtype(node.dtype).kind in "fc":
        if y.op == "negative" and not is_weak(out.nodes[y.inputs[0]]):
            return out.step(node, "subtract" if node.op == "add" else "add", (i, y.inputs[0]))
        if node.op == "add" and x.op == "negative" and not is_weak(out.nodes[x.inputs[0]]):
            return out.step(node, "subtract", (j, x.inputs[0]))
    return None


@_rule("abs", "square")
def _even(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    x = out.nodes[inputs[0]]
    if np.dtype(node.dtype).kind == "f" and (x.op == "negative" or (x.op == "abs" and node.op == "square")):
        inner = x.inputs[0]
        return out.step(node, node.op, (inner,)) if out.nodes[inner].dtype == x.dtype else None
    return None


@_rule("maximum", "minimum")
def _of_itself(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    return inputs[0] if inputs[0] == inputs[1] and _like(node, out.nodes[inputs[0]]) else None


@_rule("where")
def _either_way(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    condition, i, j = inputs
    x, y = out.nodes[i], out.nodes[j]
    if i == j and _like(node, x):
        return i
    if x.op == "where" and x.inputs[0] == condition and x.shape == node.shape and x.dtype == node.dtype:
        i = x.inputs[1]
    if y.op == "where" and y.inputs[0] == condition and y.shape == node.shape and y.dtype == node.dtype:
        j = y.inputs[2]
    return None if (condition, i, j) == inputs or all(map(is_weak, (out.nodes[i], out.nodes[j]))) else out.step(
        node, "where", (condition, i, j))


@_rule("conj")
def _of_a_real(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    x = out.nodes[inputs[0]]
    return inputs[0] if np.dtype(x.dtype).kind != "c" and _like(node, x) else None


@_rule("logical_not")
def _not_not(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    x = out.nodes[inputs[0]]
    return x.inputs[0] if x.op == "logical_not" and _like(node, out.nodes[x.inputs[0]]) else None


@_rule("cast")
def _cast(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    x = out.nodes[inputs[0]]
    if _like(node, x):
        return inputs[0]
    if x.op == "cast":
        first = out.nodes[x.inputs[0]]
        if _like(node, first) and np.can_cast(np.dtype(first.dtype), np.dtype(x.dtype), "safe"):
            return x.inputs[0]
    return None


@_rule("reshape")
def _reshape(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    x = out.nodes[inputs[0]]
    if _like(node, x):
        return inputs[0]
    if x.op == "reshape":
        first = x.inputs[0]
        return first if _like(node, out.nodes[first]) else out.step(node, "reshape", (first,), shape=node.shape)
    return None


@_rule("expand")
def _expand(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    x = out.nodes[inputs[0]]
    if _like(node, x):
        return inputs[0]
    return out.step(node, "expand", x.inputs, shape=node.shape) if x.op == "expand" else None


@_rule("permute", "transpose")
def _permute(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    outer, x = _order(node), out.nodes[inputs[0]]
    if outer == tuple(range(len(outer))):
        return inputs[0] if _like(node, x) else None
    if x.op not in ("permute", "transpose"):
        return None
    inner = _order(x)
    order = tuple([inner[k] for k in outer])
    if order == tuple(range(len(order))):
        return x.inputs[0]
    return out.step(node, "permute", x.inputs, dims=order)


def _order(node: GraphNode) -> tuple[int, ...]:
    """Which axis of its operand each axis of a permutation is."""
    n = len(node.shape)
    if node.op == "permute":
        return tuple([int(d) % n for d in node.attrs["dims"]])
    order = list(range(n))
    if n:
        a, b = node.attrs["dim0"] % n, node.attrs["dim1"] % n
        order[a], order[b] = order[b], order[a]
    return tuple(order)


@_rule("getitem")
def _all_of_it(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    index = node.attrs["index"]
    entries = index if isinstance(index, tuple) else (index,)
    takes_all = all(k is Ellipsis or (isinstance(k, slice) and k == slice(None)) for k in entries)
    return inputs[0] if takes_all and _like(node, out.nodes[inputs[0]]) else None


@_rule("concatenate")
def _of_one(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    return inputs[0] if len(inputs) == 1 and _like(node, out.nodes[inputs[0]]) else None


@_rule("zero_pad")
def _no_border(node: GraphNode, out: Rewriter, inputs: tuple[int, ...]) -> Found:
    return inputs[0] if _like(node, out.nodes[inputs[0]]) and not np.any(node.attrs["padding"]) else None
