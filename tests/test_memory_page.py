"""The examples of docs/memory.md do what their comments say."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "memory.md"


def test_every_example_prints_what_its_comment_says():
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 6
    for k, block in enumerate(blocks):
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(block, f"{PAGE.name}:{k}", "exec"), names)
        printed = out.getvalue().splitlines()
        promised = re.findall(r"print\(.*\) +# (.*)", block)
        assert len(printed) == len(promised), block
        for line, promise in zip(printed, promised, strict=True):
            pattern = ".*".join(re.escape(part.strip()) for part in promise.split("..."))
            assert re.fullmatch(pattern + ("" if promise[-3:] != "..." else ".*"), line), (promise, line)
