"""The pages "from X": our programs run in order, theirs beside them where X is installed, and the results are alike.

Below a pair of programs stands  <!-- same: loss w_grad -->  where names of both must have the same values.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_programs import DOCS, assert_alike, blocks, kept, promises, run

OTHERS = {"from_pytorch.md": ("PyTorch", "torch"), "from_keras.md": ("Keras", "keras"),
          "from_micrograd.md": ("micrograd", "micrograd"), "hips.md": ("HIPS autograd", "")}
pages = pytest.mark.parametrize("page", OTHERS)


def walk(page: str, ours: dict[str, Any], theirs: dict[str, Any] | None) -> int:
    """Runs a page; returns how many names were compared."""
    compared = 0
    for block in blocks(page):
        mine = block.whose in ("", "both", "glassgrad")
        if theirs is not None and block.whose not in ("", "glassgrad"):
            said = run(block, theirs, page, theirs=True)
            assert not promises(block) or kept(said, promises(block)), (page, block.text, said)
        if mine:
            said = run(block, ours, page)
            assert not promises(block) or kept(said, promises(block)), (page, block.text, said)
        for name in block.same:
            assert name in ours, f"{page}: no {name}"
            if theirs is not None:
                assert_alike(ours[name], theirs[name], f"{page}, line {block.line}: {name}")
            compared += 1
    return compared


@pages
def test_our_programs_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    walk(page, {"__name__": "page"}, None)


@pages
def test_their_programs_are_python(page):
    found = blocks(page)
    for block in found:
        ast.parse(block.text)
    assert {block.whose for block in found} <= {"", "both", "glassgrad", OTHERS[page][0]}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["from_pytorch.md", "from_keras.md", "from_micrograd.md"])
def test_both_give_the_same(page, tmp_path, monkeypatch):
    module = OTHERS[page][1]
    if module == "keras":
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        if "KERAS_BACKEND" not in os.environ:
            monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip(module, exc_type=ImportError)      # absent; or, of Keras, without a backend
    monkeypatch.chdir(tmp_path)
    assert walk(page, {"__name__": "page"}, {"__name__": "page"}) >= 6


HIPS = DOCS.parent / ".bench-hips"             # where `./run bench` puts it, apart: both packages are called autograd
LEAVES = """
def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    parts = map(leaves, value) if isinstance(value, (list, tuple)) else [value]
    return np.concatenate([np.ravel(np.asarray(part)) for part in parts])
"""


@pytest.mark.slow
@pytest.mark.skipif(not (HIPS / "complete").exists(), reason="HIPS autograd is not installed; ./run bench hips does it")
def test_hips_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks("hips.md")
    same = [name for block in found for name in block.same]
    program = "\n".join([block.text for block in found if block.whose in ("both", "HIPS autograd")])
    program += f"\nimport numpy as np\n{LEAVES}\nnp.savez('theirs.npz', **{{n: leaves(globals()[n]) for n in {same}}})"
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    python = HIPS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = subprocess.run([python, "-P", "-c", program], env=clean, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    ours: dict[str, Any] = {"__name__": "page"}
    walk("hips.md", ours, None)
    tool: dict[str, Any] = {"np": np}
    exec(LEAVES, tool)
    theirs = np.load("theirs.npz")
    assert len(same) >= 15
    for name in same:
        np.testing.assert_allclose(tool["leaves"](ours[name]), theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)
