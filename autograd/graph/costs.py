"""What a step is by its row: its derivative rules as text, and the floating-point operations it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from ..op import Op, asks

_PER_ELEMENT = {"linear": 2, "activation": 4, "norm": 8, "loss": 6, "shape": 0, "index": 0}


# Of dense linear algebra: the terms of the third order, (long side m, short side n, right-hand sides k) -> three times
# the number, so that it is whole.  Source: Golub and Van Loan, "Matrix Computations" (4th edition), sections 3.2, 4.2,
# 5.2, 7.5, 8.3, 8.6 and 9.3.  Factorizations whose parts are lines of their own are shared out: together they are what
# the factorization costs.  `svd_right` stands for the vectors of the short side, `svd_left` for those of the long one.
_DENSE: dict[str, Callable[[int, int, int], int]] = {
    "solve": lambda m, n, k: 2 * n**3 + 6 * n**2 * k,
    "inv": lambda m, n, k: 6 * n**3, "boundless_inverse": lambda m, n, k: 6 * n**3,
    "det": lambda m, n, k: 2 * n**3, "logabsdet": lambda m, n, k: 2 * n**3, "sign_of_det": lambda m, n, k: 3 * n,
    "cofactor": lambda m, n, k: 8 * n**3,                                  # det A times the inverse
    "cofactor_change": lambda m, n, k: 20 * n**3,                          # that, and two products
    "lu_packed": lambda m, n, k: 2 * n**3, "cholesky": lambda m, n, k: n**3,
    "qr_r": lambda m, n, k: 6 * m * n**2 - 2 * n**3, "qr_q": lambda m, n, k: 6 * m * n**2 - 2 * n**3,
    "svd_values": lambda m, n, k: 12 * m * n**2 - 4 * n**3,
    "svd_left": lambda m, n, k: 30 * m * n**2, "svd_right": lambda m, n, k: 28 * n**3,
    "eigh_values": lambda m, n, k: 4 * n**3, "eigh_vectors": lambda m, n, k: 23 * n**3,
    "eig_values": lambda m, n, k: 30 * n**3, "eig_vectors": lambda m, n, k: 45 * n**3,
    "pinv": lambda m, n, k: 48 * m * n**2 + 24 * n**3,                     # the SVD, and a product
    "matrix_exp": lambda m, n, k: 44 * n**3,                               # of a norm that needs no squaring
}


def _dense(name: str, attrs: Any, shape: tuple[int, ...], operands: list[tuple[int, ...]]) -> int:
    """The FLOPs of an op of `_DENSE` or `qr_complete`, of all the matrices of a batch."""
    *batch, rows, columns = operands[0]
    m, n = max(rows, columns), min(rows, columns)
    if name == "solve":
        return math.prod(shape[:-2]) * (_DENSE[name](m, n, shape[-1]) // 3)
    if name == "qr_complete":                       # which: 0 is Q, all of it; 1 is R
        thrice = _DENSE["qr_r"](m, n, 0) if attrs["which"] else 12 * (m**2 * n - m * n**2) + 4 * n**3
    else:
        if rows < columns and name in ("svd_left", "svd_right"):
            name = "svd_right" if name == "svd_left" else "svd_left"
        thrice = _DENSE[name](m, n, 0)
    return math.prod(batch) * (thrice // 3)


def flops(op: Op, attrs: Any, shape: tuple[int, ...], operands: list[tuple[int, ...]]) -> int:
    """Floating-point operations of one call: exact for sums of products, a count per element elsewhere.

    A product of (n, k) and (k, m) takes 2 n k m, a convolution 2 per output element and weight of its channel; of
    inverses, determinants and factorizations the terms of the third order are counted, as of real matrices.
    """
    size = math.prod(shape)
    if (op.name in _DENSE or op.name == "qr_complete") and operands and len(operands[0]) > 1:
        return _dense(op.name, attrs, shape, operands)
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
    if op.name == "put_all":                        # what it adds up
        return sum(map(math.prod, operands))
    if op.category == "reduction":
        return math.prod(operands[0]) if operands else size
    if op.category == "loss":                       # of a reduced loss, the elements that went in
        size = max([size, *map(math.prod, operands)])
    return size * _PER_ELEMENT.get(op.category, 1)


@cache
def formulas(op: Op, n: int) -> tuple[str, ...]:
    """The rule of each input as the row of the op has it: ("g * y", "g * x") for multiply; "" where there is none."""
    if op.for_one_call:                        # its rule is a function of the user's, or a whole program
        return (f"{op.name}.backward(g)",) * n
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
