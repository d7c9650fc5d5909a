"""Writes docs/ops.md: every op from its declaration, and every function made of ops, with where it stands.

    ./run python tests/tables/vocabulary.py      # write it again after an op was added
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import conventions
import numpy as np
from rules import RAISES, derivatives

import autograd
import nn.functional
from autograd import ops
from autograd.call import OPS
from autograd.methods import METHODS

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "ops.md"
CATEGORIES = {
    "elementwise": ("Elementwise", "One number in, one number out, at every position by itself."),
    "activation": ("Activations", "What stands between the layers of a network."),
    "reduction": ("Reductions and running results", "Many numbers along an axis become one, or a running result."),
    "norm": ("Normalization", "Brought to mean 0 and variance 1."),
    "loss": ("Losses", "How far a prediction is from what it should be."),
    "linear": ("Products and linear algebra", "Matrices: the last two axes, and a batch of them over all axes before."),
    "shape": ("Shape", "The same numbers at other positions: each is linear, and its derivative is the way back."),
    "index": ("Choosing and placing", "Some numbers by position: taking out, and as its derivative putting back."),
    "custom": ("Others", "What fits nowhere else."),
    "logic": ("Comparing, counting, testing", "No gradient flows: the results are bools, positions, counts."),
}
HEAD = """# The ops

{ops} ops have derivatives of their own, {public} of them under a public name; {composed} functions are made of them.
This page is written from their declarations by `tests/tables/vocabulary.py`; a test keeps it current.

## How to read it

An op is one decorated function: what it computes, and for each input a *rule*, the derivative.

* `g` is the change that arrives from above, the gradient of the result; it has the shape of the result. A rule says
  what the input gets of it. `g * y` in the row of `multiply`, beside x: the gradient of x is that of the result,
  times y.
* `out` is the result itself: `g * out` for `exp`, whose slope is its value. Other names are the inputs, the settings
  of the op (`dim`, `keepdim`), and `x_shape`, `x_dtype`.
* A rule is made of ops again (`keep`, `spread`, `sum`, `place_along`: all on this page), so a derivative has a
  derivative, of any order. `.mT` is the matrix transposed, `@` the matrix product, `fit(g, x_dtype)` is g in the type
  of x. A name that is not on this page is that of a few lines in the file under *source*.
* Broadcasting needs no rule: where an input was stretched, its gradient is summed back to its shape. For complex
  numbers a rule is the plain transpose, and the engine conjugates before and after.
* *Kind* says where forward mode comes from. *elementwise*: the rule itself carries a change forward. *linear*: the
  op does. *bilinear*: the op does, one input at a time. *op*: the transpose of the rule.
* *raises*: a derivative that has no closed form; PyTorch has none either. A dot behind a name: it is a method too.
* *Domain* is where the result is a number, for one real input; otherwise the shapes that fit.
* *Edges* leads to the row in [conventions](conventions.md): kinks, ties, poles, empty input.
* [What stands behind](#what-stands-behind): ops that are no functions of their own, but halves and transposes.

Sections: {sections}.
"""
DOMAINS: list[tuple[str, Callable[[Any], Any]]] = [       # the first that fits
    ("all x", lambda x: np.full(x.shape, True)), ("x ≥ 0", lambda x: x >= 0), ("x > 0", lambda x: x > 0),
    ("−1 ≤ x ≤ 1", lambda x: abs(x) <= 1), ("−1 < x < 1", lambda x: abs(x) < 1), ("x ≥ 1", lambda x: x >= 1),
    ("0 ≤ x ≤ 1", lambda x: (x >= 0) & (x <= 1)), ("x ≥ −1", lambda x: x >= -1),
    ("x ≠ 0", lambda x: x != 0), ("x not −1, −2, ...", lambda x: (x >= 0) | (x != np.round(x))),
]
POINTS = np.array([-7.5, -3, -2.5, -2, -1.5, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 7.5])


def public() -> dict[str, Any]:
    """Every public function by the name a user types after `autograd.`, or `F.` for those of nn.functional."""
    spaces = [("", autograd, [*ops.__all__, *ops.LATE])]
    spaces += [(f"{name}.", space, space.__all__) for name in ("linalg", "fft", "special", "masked", "signal")
               if (space := getattr(autograd, name, None)) is not None]
    spaces += [("F.", nn.functional, [*vars(nn.functional), *nn.functional.LATE])]
    found = {prefix + name: getattr(space, name) for prefix, space, names in spaces for name in names
             if not name.startswith("_")}
    return {name: f for name, f in found.items() if inspect.isfunction(f)}


def by_function() -> dict[Any, list[str]]:
    """Op or composed function -> its names, its own first, without `special.erf` beside `erf`.

    An op that users call through a function of the same name (add, which has an `alpha`) has that name too: their
    docstrings begin with the same word.
    """
    names = public()
    found: dict[Any, list[str]] = {}
    for name, function in names.items():
        found.setdefault(getattr(function, "op", function), []).append(name)
    for op in OPS.values():
        if op not in found:
            same = [name for name, f in names.items() if name.rpartition(".")[2] == op.name
                    and not hasattr(f, "op") and (f.__doc__ or "").split()[:1] == op.doc.split()[:1]]
            if same:
                found[op] = same[:1]
    for function, several in found.items():
        own = getattr(function, "name", "") or function.__name__
        several.sort(key=lambda name, own=own: (name.rpartition(".")[2] != own, "." in name))
        found[function] = [n for n in several if "." not in n or n.rpartition(".")[2] not in several]
    return found


def load() -> None:
    """Import every family: an op enters OPS when its file is imported."""
    for package in (ops, nn.functional):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")


# -- cells -----------------------------------------------------------------------------------------------


def row(*cells: str) -> str:
    """A row of a table."""
    return "| " + " | ".join(" ".join(c.replace("|", "\\|").split()) for c in cells) + " |"


def first_line(doc: str | None) -> str:
    """The first lines of a docstring, which say what and by which formula, without the source in brackets."""
    return SOURCE.sub("", " ".join((doc or "").strip().split("\n\n")[0].split()))


SOURCE = re.compile(r"\s*\(((?:[A-Z][\w-]+(?: and | et al\.?,? ?|, | )?)+\d{4}[^)]*)\)")


def source(doc: str | None, module: str) -> str:
    """Who had it first, where the docstring says it, and the file."""
    path = module.replace(".", "/") + ".py"
    file = f"[{module.removeprefix('autograd.ops.').removeprefix('nn.')}](../{path})"
    said = SOURCE.findall(doc or "") or re.findall(r"Source: (.+?)\.?(?:\n\n|\Z)", doc or "", re.S)
    return f"{file}; {said[0]}" if said else file


def domain(op: Any) -> str:
    """Where the result is a number, for one real input; otherwise the shapes that fit."""
    if op.kind == "elementwise" and len(op.inputs) == 1 and set(op.attributes) <= set(op.defaults):
        with np.errstate(all="ignore"):
            number = ~np.isnan(op.call(POINTS))
        return next((text for text, where in DOMAINS if np.array_equal(where(POINTS), number)), "any shape")
    return op.shapes


def edges(names: list[str], places: dict[str, str]) -> str:
    """Links to the rows of docs/conventions.md."""
    short = list(dict.fromkeys(name.rpartition(".")[2] for name in names))
    return ", ".join(f"[{name}](conventions.md#{places[name]})" for name in short if name in places) or "—"


def names_of(op: Any, names: list[str]) -> str:
    """The names of an op, with a dot before those that are methods too."""
    shown = [f"`{name}`" for name in names or [op.name]]
    return ", ".join(shown) + (" ·" if any(name in METHODS for name in names) else "")


def op_row(op: Any, names: list[str], places: dict[str, str]) -> str:
    """A row of an op."""
    rules = "; ".join(f"{x}: {text if text == RAISES else f'`{text}`'}" for x, text in derivatives(op)) or "none"
    return row(names_of(op, names), first_line(op.doc), rules, op.kind, domain(op), edges(names, places),
               source(op.doc, op.fn.__module__))


# -- the page --------------------------------------------------------------------------------------------


def text() -> str:
    """The whole page."""
    load()
    known, places = by_function(), conventions.anchors()
    own = [op for op in OPS.values() if op.fn.__module__.startswith(("autograd.ops.", "nn."))]      # what `load` loads
    composed = {f: names for f, names in known.items() if inspect.isfunction(f)}
    parts = []
    for category, (title, about) in CATEGORIES.items():
        rows = sorted((op for op in own if op.category == category and op in known), key=lambda op: op.name)
        if rows:
            parts.append((title, [about, "", *OP_TABLE, *(op_row(op, known[op], places) for op in rows)]))
    parts += list(functions(composed, places))
    inner = sorted((op for op in own if op not in known), key=lambda op: op.name)
    parts.append(("What stands behind", [
        "Ops that graphs show and that have no public name: halves of a result, derivatives and transposes of others.",
        "", *OP_TABLE, *(op_row(op, [], places) for op in inner)]))
    sections = ", ".join(f"[{title}](#{conventions.place(title)})" for title, _ in parts)
    head = HEAD.format(ops=len([op for op in own if op.rules]), composed=len(composed), sections=sections,
                       public=len([op for op in own if op.rules and op in known]))
    return head + "".join(f"\n## {title}\n\n" + "\n".join(lines) + "\n" for title, lines in parts)


TABLE = ["| name | what it gives | edges | source |", "|---" * 4 + "|"]
OP_TABLE = ["| name | formula | derivative | kind | domain | edges | source |", "|---" * 7 + "|"]


def functions(composed: dict[Any, list[str]], places: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Functions made of ops, by file."""
    by_file: dict[str, list[tuple[list[str], Any]]] = {}
    for function, names in composed.items():
        by_file.setdefault(function.__module__, []).append((names, function))
    lines = ["No rule of their own: the chain rule differentiates the ops they are made of. By file."]
    for module in sorted(by_file):
        about = first_line(importlib.import_module(module).__doc__)
        lines += ["", f"### {module.removeprefix('autograd.')}", "", about, "", *TABLE]
        lines += [row(names_of(None, names), first_line(f.__doc__), edges(names, places), source(f.__doc__, module))
                  for names, f in sorted(by_file[module], key=lambda item: item[0][0].lower())]
    yield "Composed functions", lines


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
