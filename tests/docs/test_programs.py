"""docs/data.md and docs/sklearn.md: their programs run, and print what they promise."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_programs import blocks, kept, promises, run

import nn


def walk(page, programs):
    names = {"__name__": "page"}
    for block in programs:
        said = run(block, names, page)
        assert kept(said, promises(block)), (block.text, said)
    return names


def test_data(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    Path("mnist").mkdir()
    for name, sizes in (("train-images-idx3-ubyte", (20, 28, 28)), ("train-labels-idx1-ubyte", (20,))):
        head = bytes([0, 0, 8, len(sizes)]) + np.array(sizes, ">u4").tobytes()
        numbers = rng.integers(0, 10, sizes).astype(np.uint8)
        Path("mnist", name + ".gz").write_bytes(gzip.compress(head + numbers.tobytes()))
    for kind in ("cat", "dog"):
        Path("photos", kind).mkdir(parents=True)
        image.fromarray(rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)).save(f"photos/{kind}/1.png")
    names = walk("data.md", blocks("data.md"))
    x, y = names["x"], names["y"]
    assert (names["network"](nn.data.TensorDataset(x, y)[:][0]).argmax(1).numpy(force=True) == y).mean() > 0.85


def test_every_name_of_nn_data_is_on_its_page():
    text = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    inner = {"Sampler", "Transform", "ChainDataset", "array_to_img", "default_collate", "words"}      # seldom named
    absent = [name for name in nn.data.__all__ if name not in text and name not in inner]
    assert not absent


def test_sklearn():
    pytest.importorskip("sklearn")
    walk("sklearn.md", [b for b in blocks("sklearn.md") if "optuna" not in b.text])


@pytest.mark.slow
def test_optuna():
    pytest.importorskip("sklearn")
    pytest.importorskip("optuna")
    found = blocks("sklearn.md")
    walk("sklearn.md", [found[0], *(b for b in found if "optuna" in b.text)])
