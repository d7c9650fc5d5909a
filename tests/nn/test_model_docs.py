"""docs/training.md: its programs run, from top to bottom, and its tables are complete."""

import re
from pathlib import Path

import nn

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_the_programs_of_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(programs) >= 7
    for program in programs:
        exec(compile(program, "training.md", "exec"), names)
    assert names["accuracy"].compute() > 0.8 and names["again"].epoch == names["again"].history.epoch[-1] + 1
    assert (tmp_path / "out" / "best.safetensors").exists() and list((tmp_path / "out" / "backup").iterdir()) == []
    assert names["found"].suggestion > 1e-3 and "Epoch 5/5" in capsys.readouterr().out


def test_the_tables_of_the_page():
    other_names = {"acc", "roc_auc", "pr_auc", "r2", *(name for name in nn.metrics.METRICS if name.endswith("_error"))}
    for name in set(nn.metrics.METRICS) - other_names:
        assert f"`{name}`" in PAGE, name
    for name in (n for n in dir(nn.callbacks) if n[0].isupper() and n != "History"):
        assert f"`{name}`" in PAGE, name
