"""Programs in pages of docs/: found, run in order, and side by side with those of another library."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^(?:\*\*([^*\n]+)\*\*\n\n)?```python\n(.*?)^```\n(?:\n<!-- same: ([^>]*?) -->)?", re.S | re.M)


class Block(NamedTuple):
    """A program of a page: whose it is ("" where nothing is said), its text, and the names that must come out alike."""

    whose: str
    text: str
    same: tuple[str, ...]
    line: int


def blocks(name: str) -> list[Block]:
    """The programs of a page, in order."""
    page = (DOCS / name).read_text(encoding="utf-8")
    found = [Block(m[1] or "", m[2], tuple((m[3] or "").split()), page[:m.start(2)].count("\n") + 1)
             for m in FENCE.finditer(page)]
    assert len(found) == page.count("```python\n"), f"{name}: a program that the test does not see"
    return found


def run(block: Block, names: dict[str, Any], page: str, theirs: bool = False) -> str:
    """One program, in the names of those before it; what it printed.  Our warnings are errors, theirs are theirs."""
    out = io.StringIO()
    with redirect_stdout(out), warnings.catch_warnings():
        if theirs:
            warnings.simplefilter("ignore")
        exec(compile("\n" * (block.line - 1) + block.text, page, "exec"), names)
    return out.getvalue()


def promises(block: Block) -> list[str]:
    """What the comments behind `print` say that it prints; "..." stands for anything."""
    return re.findall(r"^ *print\(.*\) +# (.*)", block.text, re.M)


def kept(printed: str, promised: list[str]) -> bool:
    """Whether the lines printed are those promised."""
    lines = printed.splitlines()
    return len(lines) == len(promised) and all(
        re.fullmatch(".*".join(re.escape(part.strip()) for part in promise.split("...")), line)
        for line, promise in zip(lines, promised, strict=True))


def plain(value: Any) -> Any:
    """A result of either library as arrays, texts and containers of these."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (str, type(None), type)):
        return value
    if hasattr(value, "data") and isinstance(value.data, (int, float)):
        return np.asarray(value.data)          # micrograd's Value
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return np.asarray(value)


def assert_alike(ours: Any, theirs: Any, what: str) -> None:
    """Equal texts, containers of one form, numbers to the precision of float32."""
    ours, theirs = plain(ours), plain(theirs)
    if isinstance(ours, list) != isinstance(theirs, list):         # a list of numbers, and an array
        ours, theirs = np.asarray(ours), np.asarray(theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), f"{what}: {list(ours)} and {list(theirs)}"
        for key in ours:
            assert_alike(ours[key], theirs[key], f"{what}[{key!r}]")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), f"{what}: {len(ours)} and {len(theirs)} parts"
        for k, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_alike(*pair, f"{what}[{k}]")
    elif isinstance(ours, np.ndarray) and ours.dtype.kind in "fiubc":
        assert ours.shape == theirs.shape, f"{what}: {ours.shape} and {theirs.shape}"
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6, err_msg=what)
    else:
        assert np.array_equal(ours, theirs), f"{what}: {ours!r} and {theirs!r}"
