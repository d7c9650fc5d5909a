"""The rules of an op as a learner reads them: private functions and intermediate values put in their place."""

from __future__ import annotations

import ast
import copy
import inspect
import re
import sys
import textwrap
from typing import Any

from autograd.graph.costs import formulas

LONGEST = 150                                 # characters: beyond, the name of a function says more than its body
RAISES = "raises"                             # for a derivative that nobody has
CONSTANTS = {"0.6931471805599453": "ln2", "2.302585092994046": "ln10", "1.1283791670955126": "2/√π", "LN2": "ln2",
             "0.3989422804014327": "1/√(2π)", "2.5066282746310002": "√(2π)", "ROOT_PI": "√π", "math.inf": "inf",
             "DEGREE": "π/180", "RADIAN": "180/π"}


def derivatives(op: Any) -> list[tuple[str, str]]:
    """(input, rule as text) of every input that has a rule."""
    made = []
    for name, text in zip(op.inputs, formulas(op, len(op.inputs)), strict=True):
        if name in op.rules:
            rule = op.rules[name]
            body = text if not text.startswith("rule(") else elsewhere(op, rule)
            made.append((name, readable(body, vars(sys.modules[op.fn.__module__]))))
    return made


def elsewhere(op: Any, rule: Any) -> str:
    """The body of a rule that is not a keyword of the declaration: a lambda of a decorator, or a named function."""
    names = list(rule.__code__.co_varnames[:rule.__code__.co_argcount])
    if rule.__name__ == "<lambda>":
        tree = ast.parse(textwrap.dedent(inspect.getsource(op.fn)))
        for node in ast.walk(tree):
            if isinstance(node, ast.Lambda) and [a.arg for a in node.args.args] == names:
                return ast.unparse(node.body)
    found = final(rule)
    return ast.unparse(found[1]) if found else RAISES


def readable(text: str, names: dict[str, Any]) -> str:
    """A rule with what is private to its file written out, where that is short."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return text
    for _ in range(3):
        wider = ast.unparse(WrittenOut(names).visit(copy.deepcopy(tree)))
        if len(wider) > LONGEST or wider == ast.unparse(tree):
            break
        tree = ast.parse(wider, mode="eval").body
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "_no_rule":
        return RAISES
    text = re.sub(r"\b(?:li|ew|lo|sh|re_|np|ma)\.(?=[a-z])", "", ast.unparse(tree))
    for number, sign in CONSTANTS.items():
        text = re.sub(rf"(?<![\w.]){re.escape(number)}(?!\w)", sign, text)
    return re.sub(r"(?<!\w)_(?=[a-z])", "", text)


class WrittenOut(ast.NodeTransformer):
    """A call of a private function becomes what the function returns."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id.startswith("_")):
            return node
        found = final(self.names.get(node.func.id))
        if found is None or any(isinstance(a, ast.Starred) for a in node.args):
            return node
        given = dict(zip(found[0], node.args, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}
        if not set(found[0]) <= given.keys():
            return node
        return Put(given).visit(copy.deepcopy(found[1]))


class Put(ast.NodeTransformer):
    """Names replaced by what stands for them."""

    def __init__(self, given: dict[str, ast.AST]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self.given.get(node.id, node))


def final(function: Any) -> tuple[list[str], ast.AST] | None:
    """(parameters, what is returned in the general case) of a function of few lines; None of any other.

    Early returns are special cases; a value with a name is put where the name stands.
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source[source.index("def "):] if "def " in source else source[source.index("lambda"):])
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    top = tree.body[0]
    if isinstance(top, ast.Expr) and isinstance(top.value, ast.Lambda):
        return [a.arg for a in top.value.args.args], top.value.body
    if not isinstance(top, ast.FunctionDef):
        return None
    if top.args.vararg or top.args.kwarg or top.args.kwonlyargs or top.args.defaults:
        return None
    given: dict[str, ast.AST] = {}
    for line in top.body:
        if isinstance(line, ast.Return) and line.value is not None:
            return [a.arg for a in top.args.args], Put(given).visit(line.value)
        if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name):
            given[line.targets[0].id] = Put(given).visit(line.value)
        elif isinstance(line, ast.If):
            if line.orelse or not all(isinstance(k, (ast.Return, ast.If, ast.Raise)) for k in line.body):
                return None
        elif not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)):
            return None
    return None
