"""Expressions in symbols: what they are worth, and how they are written, with names and with numbers."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .names import digits_for, number, number_latex

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "exp": math.exp, "exp2": lambda x: 2.0 ** x, "expm1": math.expm1, "log": math.log, "sqrt": math.sqrt,
    "rsqrt": lambda x: 1 / math.sqrt(x), "square": lambda x: x * x, "abs": abs, "sign": lambda x: (x > 0) - (x < 0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x > -700 else 0.0, "where": float,
    "ndtr": lambda x: math.erfc(-x / math.sqrt(2)) / 2,
}
_CONSTANTS = {
    0.6931471805599453: ("ln 2", r"\ln 2"), 2.302585092994046: ("ln 10", r"\ln 10"),
    1.1283791670955126: ("2/√π", r"\tfrac{2}{\sqrt{\pi}}"), 0.3989422804014327: ("1/√(2π)", r"\tfrac{1}{\sqrt{2\pi}}"),
}
_NAMED = {"pi": (math.pi, "π", r"\pi")}
_SIGNS = {ast.Gt: (">", ">"), ast.Lt: ("<", "<"), ast.GtE: ("≥", r"\ge"), ast.LtE: ("≤", r"\le")}
_OTHER_WAY = {ast.Gt: ast.LtE, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.LtE: ast.Gt}
_LOG_NAMES = frozenset(("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp"))
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)     # how tightly a text holds together


class Symbol(NamedTuple):
    """A number with its name."""

    text: str
    latex: str
    value: float


class Formula(NamedTuple):
    """An expression in symbols."""

    tree: ast.expr
    symbols: Mapping[str, Symbol]

    def steps(self, latex: bool = False) -> list[str]:
        """It in names, and in numbers: of so many digits that the result can be computed from them."""
        names = _Writer(self.symbols, latex, False).write(self.tree)
        return [names, _Writer(self.symbols, latex, True, self._digits()).write(self.tree)]

    def _digits(self) -> int:
        try:
            total = self.value()
        except (LookupError, ValueError, ArithmeticError, TypeError):
            return 0
        return digits_for(total, lambda told: _worth(self.tree, {k: told(s.value) for k, s in self.symbols.items()}))

    def value(self) -> float:
        """What it is worth.  Raises LookupError for what it has no number for, ValueError or an ArithmeticError."""
        return _worth(self.tree, {k: s.value for k, s in self.symbols.items()})


def parsed(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


def _is_one(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value == 1


def at_one(tree: ast.expr) -> ast.expr:
    """The rule with g = 1, and what that makes plain: 1 · x, x · x, keep(1, c), −(−x)."""
    if isinstance(tree, ast.Name):
        return ast.Constant(1) if tree.id == "g" else tree
    if isinstance(tree, ast.UnaryOp):
        return ast.UnaryOp(tree.op, at_one(tree.operand))
    if isinstance(tree, ast.BinOp):
        a, b = at_one(tree.left), at_one(tree.right)
        if isinstance(tree.op, (ast.Mult, ast.Div)) and isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
            return ast.UnaryOp(ast.USub(), at_one(ast.BinOp(a.operand, tree.op, b)))
        if isinstance(tree.op, ast.Mult):
            if _is_one(a) or _is_one(b):
                return b if _is_one(a) else a
            if ast.dump(a) == ast.dump(b):
                return ast.BinOp(a, ast.Pow(), ast.Constant(2))
            if isinstance(a, ast.BinOp) and isinstance(a.op, ast.Pow) and ast.dump(a.left) == ast.dump(b) and \
                    isinstance(a.right, ast.Constant):
                return ast.BinOp(b, ast.Pow(), ast.Constant(a.right.value + 1))  # type: ignore[operator]
        return ast.BinOp(a, tree.op, b)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        args = [at_one(a) for a in tree.args]
        if tree.func.id == "keep" and len(args) == 2 and _is_one(args[0]):
            return ast.Call(ast.Name("where"), [args[1]], [])
        return ast.Call(tree.func, args, [])
    return tree


def renamed(tree: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """The tree with other names in it."""
    if isinstance(tree, ast.Name):
        return ast.Name(names.get(tree.id, tree.id))
    if isinstance(tree, ast.UnaryOp):
        return ast.UnaryOp(tree.op, renamed(tree.operand, names))
    if isinstance(tree, ast.BinOp):
        return ast.BinOp(renamed(tree.left, names), tree.op, renamed(tree.right, names))
    if isinstance(tree, ast.Compare):
        return ast.Compare(renamed(tree.left, names), tree.ops, [renamed(c, names) for c in tree.comparators])
    if isinstance(tree, ast.Call):
        return ast.Call(tree.func, [renamed(a, names) for a in tree.args], [])
    return tree


def _worth(tree: ast.expr, numbers: Mapping[str, float]) -> float:
    if isinstance(tree, ast.Constant):
        return float(tree.value)               # type: ignore[arg-type]
    if isinstance(tree, ast.Name):
        return numbers[tree.id] if tree.id in numbers else _NAMED[tree.id][0]
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return -_worth(tree.operand, numbers)
    if isinstance(tree, ast.BinOp):
        a, b = _worth(tree.left, numbers), _worth(tree.right, numbers)
        kinds: dict[type, Callable[[float, float], Any]] = {
            ast.Add: lambda x, y: x + y, ast.Sub: lambda x, y: x - y, ast.Mult: lambda x, y: x * y,
            ast.Div: lambda x, y: x / y, ast.Pow: lambda x, y: x ** y}
        return float(kinds[type(tree.op)](a, b))
    if isinstance(tree, ast.Compare):
        a, b = _worth(tree.left, numbers), _worth(tree.comparators[0], numbers)
        holds = {ast.Gt: a > b, ast.Lt: a < b, ast.GtE: a >= b, ast.LtE: a <= b}
        return float(holds[type(tree.ops[0])])
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return float(_FUNCTIONS[tree.func.id](*[_worth(a, numbers) for a in tree.args]))
    raise LookupError(ast.dump(tree))


class _Writer:
    """An expression as text or LaTeX; `filled`: with numbers in place of names."""

    def __init__(self, symbols: Mapping[str, Symbol], latex: bool, filled: bool, digits: int = 0) -> None:
        self.symbols, self.latex, self.filled, self.digits = symbols, latex, filled, digits

    def write(self, tree: ast.expr) -> str:
        return self._write(tree)[0]

    def _held(self, tree: ast.expr, least: int) -> str:
        text, holds = self._write(tree)
        if holds >= least:
            return text
        return rf"\left({text}\right)" if self.latex else f"({text})"

    def _number(self, value: float) -> tuple[str, int]:
        text = number_latex(value, self.digits) if self.latex else number(value, self.digits)
        return text, (SIGN if value < 0 else ATOM) if "e" not in text and "cdot" not in text else PRODUCT

    def _write(self, tree: ast.expr) -> tuple[str, int]:
        if isinstance(tree, ast.Constant):
            if tree.value in _CONSTANTS:
                return _CONSTANTS[tree.value][self.latex], PRODUCT      # type: ignore[index]
            return self._number(float(tree.value))                     # type: ignore[arg-type]
        if isinstance(tree, ast.Name):
            if tree.id in self.symbols:
                found = self.symbols[tree.id]
                return self._number(found.value) if self.filled else (found.latex if self.latex else found.text, ATOM)
            if tree.id in _NAMED:
                _, text, latex = _NAMED[tree.id]
                return latex if self.latex else text, ATOM
            return tree.id, ATOM
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            return f"-{self._held(tree.operand, POWER)}", SIGN
        if isinstance(tree, ast.BinOp):
            return self._binary(tree)
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
            return self._called(tree.func.id, tree.args)
        return self._condition(tree), SUM

    def _binary(self, tree: ast.BinOp) -> tuple[str, int]:
        kind = type(tree.op)
        if kind in (ast.Add, ast.Sub):
            sign = " + " if kind is ast.Add else " - "
            left = self._held(tree.left, SUM)
            right = self._held(tree.right, POWER if self._negative(tree.right) else PRODUCT)
            return left + sign + right, SUM
        if kind is ast.Mult:
            dot = r" \cdot " if self.latex else " · "
            left = self._held(tree.left, PRODUCT)
            return left + dot + self._held(tree.right, POWER), PRODUCT
        if kind is ast.Div:
            if self.latex:
                return rf"\frac{{{self.write(tree.left)}}}{{{self.write(tree.right)}}}", PRODUCT
            return f"{self._held(tree.left, PRODUCT)} / {self._held(tree.right, POWER)}", PRODUCT
        if self.latex:
            return f"{self._held(tree.left, ATOM)}^{{{self.write(tree.right)}}}", POWER
        power = self._held(tree.right, ATOM)
        raised = {"2": "²", "3": "³", "1": "¹", "0": "⁰", "4": "⁴"}.get(power)
        return self._held(tree.left, ATOM) + (raised or f"^{power}"), POWER

    def _negative(self, tree: ast.expr) -> bool:
        return self.write(tree).startswith("-")

    def _condition(self, tree: ast.expr) -> str:
        turned = isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.Invert, ast.Not))
        inner = tree.operand if isinstance(tree, ast.UnaryOp) else tree
        if isinstance(inner, ast.Compare):
            kind = type(inner.ops[0])
            sign = _SIGNS[_OTHER_WAY[kind] if turned else kind][self.latex]
            return f"{self._held(inner.left, SUM)} {sign} {self._held(inner.comparators[0], SUM)}"
        raise LookupError(ast.dump(tree))

    def _called(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        texts = [self.write(a) for a in args]
        inside = ", ".join(texts)
        if name == "where":
            return (rf"\left[{inside}\right]" if self.latex else f"[{inside}]"), ATOM
        if name in ("sqrt", "rsqrt"):
            root = rf"\sqrt{{{inside}}}" if self.latex else f"√({inside})"
            over = rf"\frac{{1}}{{{root}}}" if self.latex else f"1 / {root}"
            return (root, ATOM) if name == "sqrt" else (over, PRODUCT)
        if name == "square":
            return f"{self._held(args[0], ATOM)}{'^{2}' if self.latex else '²'}", POWER
        if not self.latex:
            return f"{'ln' if name == 'log' else name}({inside})", ATOM
        if name == "exp":
            return f"e^{{{inside}}}", POWER
        sign = r"\ln" if name == "log" else rf"\{name}" if name in _LOG_NAMES else \
            rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"
        return rf"{sign}\left({inside}\right)", ATOM
