"""docs/graphs.md: its program runs, and prints what stands there."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "graphs.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:```text\n(.*?)```\n)?", re.DOTALL)


def printed(text: str) -> list[str]:
    """What each program of the page prints; they are run as one, in a file that is called train.py."""
    names: dict[str, object] = {"__name__": "train"}
    found = []
    for program, _ in BLOCK.findall(text):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(program, "train.py", "exec"), names)
        found.append(out.getvalue())
    return found


def current(text: str) -> str:
    """The page with what its programs print now."""
    results = iter(printed(text))
    return BLOCK.sub(lambda m: f"```python\n{m[1]}```\n" + (f"```text\n{r}```\n" if (r := next(results)) else ""), text)


def test_the_page_is_current():
    text = PAGE.read_text(encoding="utf-8")
    assert current(text) == text, "run: ./run python tests/graph/test_page.py"


if __name__ == "__main__":
    sys.path.insert(0, str(PAGE.parents[1]))
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
