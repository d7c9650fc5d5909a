"""docs/explain.md: its program runs, and prints what stands there."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explain.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:```text\n(.*?)```\n)?", re.DOTALL)


def current(text: str) -> str:
    """The page with what its programs print now; they are run as one, in a file that is called train.py."""
    names: dict[str, object] = {"__name__": "train"}

    def run(match: re.Match[str]) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(match[1], "train.py", "exec"), names)
        said = f"```text\n{out.getvalue()}```\n" if out.getvalue() else ""
        return f"```python\n{match[1]}```\n{said}"
    return BLOCK.sub(run, text)


def steady(text: str) -> str:
    """Without the last digits, which are the processor's."""
    text = re.sub(r"differ by [\d.e-]+", "differ by", text)
    return re.sub(r"-?\d+\.\d{7,}(e-?\d+)?", lambda m: f"{float(m[0]):.6g}", text)


def test_the_page_is_current():
    text = PAGE.read_text(encoding="utf-8")
    assert steady(current(text)) == steady(text), "run: ./run python tests/viz/test_explain_page.py"


if __name__ == "__main__":
    sys.path.insert(0, str(PAGE.parents[1]))
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
