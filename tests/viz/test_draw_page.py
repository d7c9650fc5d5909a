"""docs/draw.md: its programs run, keep what they promise, and draw the pictures that stand in it.

`./run python tests/viz/test_draw_page.py` draws these again.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

import viz
import viz.drawing

DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURES = DOCS / "pictures" / "draw"


def ran(folder: Path) -> tuple[list[str], list[str]]:
    """Runs the page in a folder: what it printed, and what its comments promise."""
    text = (DOCS / "draw.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    said, here = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(said):
            names: dict[str, object] = {}
            for program in programs:
                exec(compile(program, "draw.md", "exec"), names)
    finally:
        os.chdir(here)
    return said.getvalue().splitlines(), re.findall(r"^print\(.*?\)  +# (.*)$", "\n".join(programs), re.M)


def shown(path: Path) -> tuple[list[str], list[str]]:
    """What stands in a picture: its cards and its words, without numbers that a machine may round in another way."""
    text = path.read_text(encoding="utf-8")
    words = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    return re.findall(r'data-id="([^"]*)"', text), [w for w in words if not re.search(r"\d\.\d|\de-", w)]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], list[str]]:
    folder = tmp_path_factory.mktemp("draw")
    return folder, *ran(folder)


def test_the_programs_run_and_print_what_they_promise(drawn: tuple[Path, list[str], list[str]]) -> None:
    _, printed, promised = drawn
    assert printed == promised and promised


def test_the_pictures_of_the_page_are_current(drawn: tuple[Path, list[str], list[str]]) -> None:
    named = re.findall(r"pictures/draw/(\w+\.svg)", (DOCS / "draw.md").read_text(encoding="utf-8"))
    assert len(named) >= 8
    for name in named:
        assert (PICTURES / name).stat().st_size < 60_000
        assert shown(PICTURES / name) == shown(drawn[0] / name), f"draw again: ./run python {sys.argv[0]}"


def test_every_option_and_every_suffix_is_told() -> None:
    text = (DOCS / "draw.md").read_text(encoding="utf-8")
    for name, known in viz.drawing.OPTIONS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        assert all(f'"{value}"' in row for value in known if isinstance(value, str)), row
    assert all(f"`{suffix}`" in text for suffix in viz.files.SUFFIXES)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        ran(Path(made))
        for picture in Path(made).glob("*.svg"):
            if f"pictures/draw/{picture.name}" in (DOCS / "draw.md").read_text(encoding="utf-8"):
                (PICTURES / picture.name).write_bytes(picture.read_bytes())
