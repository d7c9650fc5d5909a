"""What a step is by its row: its derivative rules as text, and the floating-point operations it takes."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from ..op import Op, asks

_PER_ELEMENT = {"linear": 2, "activation": 4, "norm": 8, "loss": 6, "shape": 0, "index": 0}


def flops(op: Op, attrs: Any, shape: tuple[int, ...], operands: list[tuple[int, ...]]) -> int:
    """Floating-point operations of one call: exact for sums of products, a count per element elsewhere.

    A product of (n, k) and (k, m) takes 2 n k m, a convolution 2 per output element and weight of its channel.
    """
    size = math.prod(shape)
    if op.category == "linear" and operands and operands[0]:
        if op.name in ("matmul", "linear"):
            return 2 * size * operands[0][-1]
        if op.name == "contract":
            letters = dict(zip(attrs["subscripts"].partition("->")[0].replace(",", ""),
                               [n for s in operands for n in s], strict=False))
            return 2 * math.prod(letters.values())
    if op.name == "convolution" and len(operands) > 1:
        return 2 * size * math.prod(operands[1][1:])
    if op.name == "convolution_transpose" and len(operands) > 1:
        return 2 * math.prod(operands[0]) * math.prod(operands[1][1:])
    if op.name == "convolution_weight" and len(operands) > 1:
        return 2 * math.prod(operands[1]) * math.prod(shape[1:])
    if op.category == "reduction":
        return math.prod(operands[0]) if operands else size
    if op.category == "loss":                       # of a reduced loss, the elements that went in
        size = max([size, *map(math.prod, operands)])
    return size * _PER_ELEMENT.get(op.category, 1)


@cache
def formulas(op: Op, n: int) -> tuple[str, ...]:
    """The rule of each input as the row of the op has it: ("g * y", "g * x") for multiply; "" where there is none."""
    found = _rules(op)
    return found * n if op.variadic else (*found, *[""] * n)[:n]


@cache
def _rules(op: Op) -> tuple[str, ...]:
    bodies = _rule_bodies(op)
    return tuple(
        bodies.get(x, f"rule({', '.join(('g', *asks(op.rules[x])))})") if x in op.rules else "" for x in op.inputs
    )


def _rule_bodies(op: Op) -> dict[str, str]:
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
