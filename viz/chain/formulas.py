"""The formula of a step and of its local derivative, with names and with numbers.

The text of a derivative is the rule of the op, as its row has it, at g = 1.  A formula that does not give the number
the engine gives (at a kink, say) is not shown.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from functools import cache

import numpy as np

from autograd.graph import GraphNode
from autograd.graph.costs import formulas
from autograd.graph.running import op_named

from .expressions import Formula, Symbol, at_one, parsed, renamed
from .names import Names, literal, number, number_latex
from .values import Numbers

# Rules whose text names a function of their file, in plain signs.
_SLOPES = {
    ("power", 0): "y * x ** (y - 1)", ("power", 1): "out * log(x)", ("abs", 0): "sign(x)", ("relu", 0): "where(x > 0)",
    ("leaky_relu", 0): "where(x > 0) + negative_slope * where(x <= 0)", ("maximum", 0): "where(x > y)",
    ("maximum", 1): "where(y > x)", ("minimum", 0): "where(x < y)", ("minimum", 1): "where(y < x)",
    ("hardtanh", 0): "where(x > min_val) * where(x < max_val)",
    ("elu", 0): "where(x > 0) + where(x <= 0) * (out + alpha)",
    ("hypot", 0): "x / out", ("hypot", 1): "y / out", ("square", 0): "2 * x", ("softplus", 0): "sigmoid(beta * x)",
    ("silu", 0): "sigmoid(x) * (1 + x * (1 - sigmoid(x)))", ("sign", 0): "0",
    ("gelu", 0): "ndtr(x) + x * exp(-x ** 2 / 2) / sqrt(2 * pi)", ("atan2", 0): "y / (x ** 2 + y ** 2)",
    ("atan2", 1): "-x / (x ** 2 + y ** 2)", ("divide", 1): "-x / y ** 2", ("reciprocal", 0): "-1 / x ** 2",
    ("prelu", 0): "where(x > 0) + weight * where(x <= 0)", ("rsqrt", 0): "-out ** 3 / 2",
    ("binary_cross_entropy", 0): "(p - target) / (p * (1 - p))", ("sqrt", 0): "1 / (2 * out)",
}
_FORMS = {
    "add": "x + y", "subtract": "x - y", "multiply": "x * y", "divide": "x / y", "power": "x ** y", "negative": "-x",
    "square": "x ** 2", "reciprocal": "1 / x", "rsqrt": "1 / sqrt(x)",
}


def step_formula(known: Numbers, names: Names, node: GraphNode) -> Formula:
    """What a step on scalars computes."""
    op = op_named(node.op)
    found = {f"s{k}": symbol(known, names, i, 0) for k, i in enumerate(node.inputs)}
    text = _FORMS.get(node.op)
    if text and len(found) == len(op.inputs):
        return Formula(renamed(parsed(text), dict(zip(op.inputs, found, strict=True))), found)
    arguments: list[ast.expr] = [ast.Name(k) for k in found]
    return Formula(ast.Call(ast.Name(node.op), arguments, []), found)


def slope_formula(known: Numbers, names: Names, node: GraphNode, argument: int, at: int, to: int, slope: float
                  ) -> Formula | None:
    """The derivative of element `to` of a step with respect to element `at` of an argument; None where no plain
    formula is known that gives this slope."""
    found = _elementwise(known, names, node, argument, to) if op_named(node.op).kind == "elementwise" else \
        _by_index(known, names, node, argument, at, to)
    if found is None:
        return None
    try:
        worth = found.value()
    except (LookupError, ValueError, ArithmeticError, TypeError):
        return None
    return found if abs(worth - slope) <= 1e-9 * max(1e-300, abs(slope)) or worth == slope else None


def symbol(known: Numbers, names: Names, node: int, at: int) -> Symbol:
    """An element with its name and number."""
    return Symbol(names.element(node, at), names.latex(node, at), known.element(node, at))


def _elementwise(known: Numbers, names: Names, node: GraphNode, argument: int, to: int) -> Formula | None:
    op = op_named(node.op)
    tree = _slope_tree(node.op, argument)
    if tree is None:
        return None
    if node.op == "power" and argument == 0 and literal(known.graph.nodes[node.inputs[1]]):
        n = known.element(node.inputs[1], 0)       # 3 b² says more than 3 b^(3 - 1)
        tree = parsed("y" if n == 1 else "y * x" if n == 2 else f"y * x ** {number(n - 1)}")
    symbols, rename = {"out": symbol(known, names, node.id, to)}, {"out": "out"}
    arguments = [k for k in range(len(node.inputs) + len(node.absent)) if k not in node.absent]
    for k, (place, i) in enumerate(zip(arguments, node.inputs, strict=True)):
        if place < len(op.inputs):
            rename[op.inputs[place]] = f"s{k}"
            symbols[f"s{k}"] = symbol(known, names, i, spread_from(known, node, i, to))
    for key, value in {**op.defaults, **node.attrs}.items():
        if isinstance(value, (int, float)):
            symbols[key], rename[key] = Symbol(number(value), number_latex(value), float(value)), key
    return Formula(renamed(tree, rename), symbols)


def spread_from(known: Numbers, node: GraphNode, operand: int, to: int) -> int:
    """Which element of an operand is read for element `to` of an elementwise step."""
    shape = np.shape(known.values[operand])
    if shape == node.shape:
        return to
    return int(np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), node.shape).reshape(-1)[to])


def _by_index(known: Numbers, names: Names, node: GraphNode, argument: int, at: int, to: int) -> Formula | None:
    """Slopes of sums of products, softmax and cross-entropy."""
    def element(operand: int, index: tuple[int, ...]) -> Symbol:
        i = node.inputs[operand] if operand >= 0 else node.id
        return symbol(known, names, i, int(np.ravel_multi_index(index, np.shape(known.values[i]))) if index else 0)

    def made(text: str, **symbols: Symbol) -> Formula:
        return Formula(parsed(text), symbols)

    source = node.inputs[argument] if argument < len(node.inputs) else -1
    if source < 0 or node.absent:
        return None
    here, there = names.index(source, at), names.index(node.id, to)
    if node.op == "linear":
        if argument == 2:
            return None
        return made("w", w=element(1, (there[-1], here[-1]))) if argument == 0 else made(
            "x", x=element(0, (*there[:-1], here[-1])))
    if node.op == "matmul" and len(here) >= 2 and all(np.ndim(known.values[i]) >= 2 for i in node.inputs):
        other = node.inputs[1 - argument]
        shape = np.shape(known.values[other])
        batch = there[:-2][len(there) - len(shape):] if len(shape) < len(there) else there[:-2]
        batch = tuple([0 if n == 1 else k for k, n in zip(batch, shape[:-2], strict=True)])
        tail = (here[-1], there[-1]) if argument == 0 else (there[-2], here[-2])
        return made("w", w=element(1 - argument, (*batch, *tail)))
    if node.op == "convolution" and argument < 2:
        return _windowed(node, argument, here, there, element, made)
    if node.op == "mean":
        n = np.size(known.values[source]) // max(1, np.size(known.values[node.id]))
        return made("1 / n", n=Symbol(str(n), str(n), float(n)))
    if node.op == "softmax":
        return made("s * (1 - s)", s=element(-1, there)) if here == there else made(
            "-s * t", s=element(-1, there), t=element(-1, here))
    if node.op == "cross_entropy" and argument == 0 and len(here) == 2:
        target = np.asarray(known.values[node.inputs[1]])
        if target.ndim != 1:
            return None
        row = np.asarray(known.values[source])[here[0]]
        p = np.exp(row - row.max())
        share = float(p[here[1]] / p.sum())
        share_of = names.latex(source)
        return made("(p - 1) / n" if target[here[0]] == here[1] else "p / n", n=Symbol(
            str(len(target)), str(len(target)), float(len(target))), p=Symbol(
            f"softmax({names.of(source)})[{here[0]}, {here[1]}]",
            rf"\operatorname{{softmax}}({share_of})[{here[0]},{here[1]}]", share))
    return None


def _windowed(node: GraphNode, argument: int, here: tuple[int, ...], there: tuple[int, ...],
              element: Callable[..., Symbol], made: Callable[..., Formula]) -> Formula | None:
    """Of a convolution: the element of the other operand that meets this one in the window."""
    stride, dilation = node.attrs["stride"], node.attrs["dilation"]
    before = [p for p, _ in node.attrs["padding"]]
    n, o, *place = there
    if node.attrs.get("groups", 1) != 1:
        return None
    if argument == 1:
        at = [p * s + k * d - b for p, s, k, d, b in zip(place, stride, here[2:], dilation, before, strict=True)]
        return made("x", x=element(0, (n, here[1], *at))) if min(at) >= 0 else None
    steps = [(x + b - p * s, d) for x, b, p, s, d in zip(here[2:], before, place, stride, dilation, strict=True)]
    return made("w", w=element(1, (o, here[1], *[k // d for k, d in steps])))


@cache
def _slope_tree(op: str, argument: int) -> ast.expr | None:
    """The rule of an elementwise op for one argument, at g = 1."""
    text = _SLOPES.get((op, argument))
    if text:
        return parsed(text)
    rules = formulas(op_named(op), argument + 1)
    if not rules[argument] or rules[argument].startswith("rule("):
        return None
    tree = at_one(parsed(rules[argument]))
    return None if any(isinstance(n, ast.Name) and n.id == "g" for n in ast.walk(tree)) else tree
