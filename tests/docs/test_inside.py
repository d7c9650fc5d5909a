"""docs/inside.md: its programs do what they say, its quotations are the library's lines, its pictures are current."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from runpy import run_path
from textwrap import dedent

import pytest

from autograd.call import OPS

sys.path.insert(0, str(Path(__file__).parent))
from page_programs import DOCS, blocks, kept, promises, run

PAGE = blocks("inside.md")
PICTURES = DOCS / "pictures"
make = run_path(str(PICTURES / "make.py"))["PICTURES"]


def test_its_programs_print_what_they_promise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    try:
        for block in PAGE:
            if not block.whose:
                said = run(block, names, "inside.md")
                assert kept(said, promises(block)), (block.text, said)
    finally:
        OPS.pop("bump", None)                  # the op that the page declares


@pytest.mark.parametrize("block", [b for b in PAGE if b.whose], ids=lambda b: f"{b.whose.strip('`')}-{b.line}")
def test_its_quotations_are_in_the_files(block):
    """Line for line, but for how far in they stand; "..." leaves some out."""
    source = [line.strip() for line in (DOCS.parent / block.whose.strip("`")).read_text(encoding="utf-8").splitlines()]
    at = 0
    for part in re.split(r"^\.\.\.$", block.text, flags=re.M):
        quoted = [line.strip() for line in part.strip().splitlines()]
        places = [k for k in range(at, len(source)) if source[k:k + len(quoted)] == quoted]
        assert places, f"{block.whose} does not have, after what was quoted before:\n{dedent(part)}"
        at = places[0] + len(quoted)


def words(svg: str) -> list[str]:
    """What stands in a picture, but for the numbers: those are of the processor too."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    return sorted(re.sub(r"[-−]?\d[\d.,]*(e[-−]?\d+)?", "#", text) for text in found)


@pytest.mark.parametrize("name", make)
def test_the_pictures_show_what_is_drawn_today(name, tmp_path):
    make[name]().save(tmp_path / "again.svg")
    drawn, committed = ((folder / file).read_text(encoding="utf-8")
                        for folder, file in ((tmp_path, "again.svg"), (PICTURES, f"{name}.svg")))
    assert words(drawn) == words(committed) and len(words(drawn)) > 5, "run: ./run python docs/pictures/make.py"
    assert drawn.count("<path") == committed.count("<path"), "run: ./run python docs/pictures/make.py"


def test_every_picture_is_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    assert {path.stem for path in PICTURES.glob("*.svg")} == set(make)
    assert all(f"(pictures/{name}.svg)" in text for name in make)
