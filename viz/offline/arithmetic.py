"""A derivative rule with numbers in it: "g * y" at g = 0.5, y = -3 is 0.5 * (-3) = -1.5.

Only arithmetic on plain numbers is done, from a syntax tree of which every part is known; a rule that needs more
(arrays, attributes, other functions) has no number, and nothing of it ever runs.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..text import exact

LONGEST = 300                                  # characters of a rule that is looked at
_BINARY: dict[str, Callable[[float, float], float]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv, "Pow": math.pow,
}
_UNARY: dict[str, Callable[[float], float]] = {
    "USub": operator.neg, "UAdd": operator.pos, "Invert": lambda x: float(not x), "Not": lambda x: float(not x),
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "Gt": operator.gt, "GtE": operator.ge, "Lt": operator.lt, "LtE": operator.le, "Eq": operator.eq,
    "NotEq": operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "abs": abs, "absolute": abs,
    "sign": lambda x: float((x > 0) - (x < 0)), "square": lambda x: x * x, "negative": operator.neg,
    "where": lambda c, a, b: a if c else b, "keep": lambda a, c: a if c else 0.0, "erf": math.erf, "expm1": math.expm1,
    "log1p": math.log1p, "slope_of_power": lambda x, y: y * math.pow(x, y - 1) if y else 0.0,
}
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*\()")      # not of a function, nor the exponent of a number


def evaluated(rule: str, names: Mapping[str, float]) -> tuple[str, float] | None:
    """The rule with its names replaced by their values, and what it comes to; None where that cannot be said."""
    if not rule or len(rule) > LONGEST:
        return None
    import ast
    try:
        value = _value(ast.parse(rule, mode="eval").body, names)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return _NAME.sub(lambda found: _written(names[found[0]]), rule), float(value)
    except (SyntaxError, ValueError, ArithmeticError, KeyError, TypeError, RecursionError, MemoryError):
        return None


def _written(value: float) -> str:
    text = exact(value).replace("−", "-")
    return f"({text})" if text.startswith("-") else text


def _value(node: Any, names: Mapping[str, float]) -> float:
    """What a part of the tree comes to.  KeyError for what is no arithmetic."""
    kind = type(node).__name__
    if kind == "Constant" and isinstance(node.value, (int, float)):
        return float(node.value)
    if kind == "Name":
        return names[node.id]
    if kind == "BinOp":
        return _BINARY[type(node.op).__name__](_value(node.left, names), _value(node.right, names))
    if kind == "UnaryOp":
        return _UNARY[type(node.op).__name__](_value(node.operand, names))
    if kind == "Compare" and len(node.ops) == 1:
        return _COMPARE[type(node.ops[0]).__name__](_value(node.left, names), _value(node.comparators[0], names))
    if kind == "Call" and type(node.func).__name__ == "Name" and not node.keywords:
        return _FUNCTIONS[node.func.id](*[_value(a, names) for a in node.args])
    raise KeyError(kind)
