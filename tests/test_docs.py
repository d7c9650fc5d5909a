"""docs/: the tables that are written by programs are current, and whole."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "tables"))
import conventions
import vocabulary
from rules import CONSTANTS, derivatives

from autograd.call import OPS

PAGES = [conventions, vocabulary]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TARGET.name)


@pages
def test_the_page_is_current(page):
    if page is vocabulary:
        pytest.importorskip("scipy", reason="the domains of special functions are found by trying")
    assert page.TARGET.read_text(encoding="utf-8") == page.text(), f"run: ./run python tests/tables/{page.__name__}.py"


@pages
def test_tables_are_whole(page):
    """Every row has as many cells as its header, and no cell is empty but a note."""
    columns: list[str] = []
    for number, line in enumerate(page.TARGET.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
        if cells and not columns:
            columns = cells
        elif cells:
            assert len(cells) == len(columns), f"line {number} has {len(cells)} cells, its header {len(columns)}"
            empty = [name for name, cell in zip(columns, cells, strict=True) if not cell and name != "note"]
            assert not empty, f"line {number}: nothing under {empty}"
        else:
            columns = []


@pages
def test_links_lead_somewhere(page):
    folder = page.TARGET.parent
    for target in set(re.findall(r"\]\(([^)]+)\)", page.TARGET.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        file = folder / path if path else page.TARGET
        assert file.exists(), target
        if anchor:
            text = file.read_text(encoding="utf-8")
            headings = [conventions.place(h) for h in re.findall(r"^#+ (.+)$", text, re.M)]
            assert f'id="{anchor}"' in text or anchor in headings, target


def test_every_public_function_is_on_the_page():
    text = vocabulary.TARGET.read_text(encoding="utf-8")
    absent = [n for names in vocabulary.by_function().values() for n in names if f"`{n}`" not in text]
    assert not absent


class Names(dict):
    """What a rule on the page speaks of: its inputs, the ops, and what is private to its file."""

    def __init__(self, op, values):
        super().__init__(values)
        self.file = vars(sys.modules[op.fn.__module__])

    def __missing__(self, name):
        return OPS[name].call if name in OPS else self.file[name if name in self.file else f"_{name}"]


def test_the_rules_on_the_page_are_those_that_run():
    """Text against function, at random numbers, for every elementwise op whose settings have numbers as defaults."""
    vocabulary.load()
    rng = np.random.default_rng(0)
    compared = set()
    for op in [op for op in OPS.values() if op.kind == "elementwise" and not op.cases]:
        values = {x: rng.uniform(*op.domain, 5) for x in op.inputs}
        values |= {"out": op.call(*values.values())}
        for x, text in derivatives(op):
            for number, sign in CONSTANTS.items():
                text = text.replace(sign, number) if number[0].isdigit() else text
            text = text.replace("√π", "(π ** 0.5)")
            rule = op.rules[x]
            asked = rule.__code__.co_varnames[1:rule.__code__.co_argcount]
            if text != "raises" and set(asked) <= values.keys():
                g = rng.uniform(1, 2, 5)
                said = eval(text, {}, Names(op, values | {"g": g, "ln2": np.log(2), "ln10": np.log(10),
                                                         "π": np.pi, "inf": np.inf}))
                assert np.allclose(said, rule(g, *[values[name] for name in asked])), f"{op.name}, {x}: {text}"
                compared.add(op.name)
    assert {"multiply", "power", "maximum", "atan2", "gelu", "exp2", "remainder"} <= compared and len(compared) > 70


def test_rules_without_a_lambda_at_hand():
    assert dict(derivatives(OPS["gammainc"]))["a"] == "raises"
    assert dict(derivatives(OPS["amax"]))["x"].startswith("to_the_extreme(g, ")
    assert "bessel_j(x, order=order - 1)" in dict(derivatives(OPS["bessel_j"]))["x"]
