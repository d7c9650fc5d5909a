"""docs/transforms.md: its examples run, and its table names all there is."""

from __future__ import annotations

import re
from pathlib import Path

from autograd import transforms

PAGE = Path(__file__).resolve().parents[2] / "docs" / "transforms.md"


def test_the_examples_run():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    assert len(blocks) >= 7


def test_every_transform_is_in_the_table():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in transforms.__all__ if f"`{name}" not in text and name != "tree_map"] == []
    assert all(callable(getattr(transforms, name)) for name in transforms.__all__)
    assert set(transforms.__all__) <= set(dir(transforms))
