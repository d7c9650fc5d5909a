"""The program `glassgrad`: what it draws, what it says, and its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from viz import backend, checkup, example
from viz.command import main

ROOT = Path(__file__).resolve().parents[2]
MODEL = '''
import autograd
import nn
from width_of_it import WIDTH

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, WIDTH)
    def forward(self, x, scale=None):
        out = self.fc(x).relu()
        return out if scale is None else out * scale

class Sized(nn.Module):
    def __init__(self, size):
        super().__init__()

def make_model():
    return Net()

def words():
    return nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 3))

class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 4)
    def forward(self, tokens, mask):
        return {"all": [self.table(tokens) * mask]}

def lazy():
    return nn.Sequential(nn.LazyLinear(3))

def with_inputs():
    return Net(), autograd.ones(2, 8)

def product(x, y):
    return (x * y).sum()

def nothing():
    pass

def fails():
    raise RuntimeError("the factory's own fault")

def leaves():
    raise SystemExit(3)

model = Net()
loss = (autograd.Tensor([1.0, 2.0], requires_grad=True) ** 2).sum()
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a user's files, which is where the program runs; what it does to Python is undone."""
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "width_of_it.py").write_text("WIDTH = 5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    known = set(sys.modules)
    yield tmp_path
    for name in ("model", "model_drawn", "width_of_it", "broken", "lacks"):
        if name not in known:
            sys.modules.pop(name, None)


def run(capsys, *words):
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("target", ["model.py:make_model", "model.py:Net", "model.py:model", "model:Net"])
def test_a_model_however_it_is_named(folder, capsys, target):
    status, out, err = run(capsys, "draw", target, "--input", "2x8")
    assert (status, err) == (0, "")
    assert "linear 2×5" in out and "relu 2×5" in out


def test_a_picture_in_each_format(folder, capsys):
    names = ["g.svg", "g.dot", "g.json", "g.txt"]
    status, out, _ = run(capsys, "draw", "model.py:Net", "-i", "2x8", *[w for n in names for w in ("--out", n)])
    assert status == 0 and all((folder / n).stat().st_size and n in out for n in names)
    assert "<svg" in (folder / "g.svg").read_text(encoding="utf-8")
    assert json.loads((folder / "g.json").read_text(encoding="utf-8"))
    assert sorted(p.name for p in folder.iterdir() if p.suffix in (".pyc", ".part", ".pkl")) == []


def test_backward_has_gradients(folder, capsys):
    status, out, err = run(capsys, "draw", "model.py:Net", "-i", "2x8", "--backward")
    assert status == 0 and out.startswith("Backward graph") and "∇" in out
    assert "sum of the results" in err                   # what was differentiated is said
    status, out, err = run(capsys, "draw", "model.py:product", "-i", "3", "-i", "y=3", "--direction", "backward")
    assert status == 0 and "x.grad" in out and "y.grad" in out and err == ""


def test_depth_and_budget_fold(folder, capsys):
    closed = run(capsys, "draw", "model.py:Net", "-i", "2x8", "--depth", "0")[1]
    opened = run(capsys, "draw", "model.py:Net", "-i", "2x8", "--budget", "0")[1]
    assert "linear" not in closed and "linear" in opened


def test_inputs_by_name_and_dtype(folder, capsys):
    status, out, _ = run(capsys, "draw", "model.py:Net", "-i", "x=2x8", "-i", "scale=scalar")
    assert status == 0 and "multiply" in out


def test_a_table_is_looked_up_by_whole_numbers(folder, capsys):
    for spec in ("2x3", "2x3:int64"):
        status, out, err = run(capsys, "draw", "model.py:words", "-i", spec)
        assert status == 0 and "2×3×4" in out
        assert "int64 zeros" in err                      # said, because nobody asked for it


def test_only_the_input_that_must_be_whole_is(folder, capsys):
    status, _, err = run(capsys, "draw", "model.py:Masked", "-i", "mask=2x3x1", "-i", "tokens=2x3", "--backward")
    assert status == 0 and "tokens=2x3: int64" in err and "mask=2x3x1: int64" not in err
    status, _, err = run(capsys, "draw", "model.py:words", "-i", "2x3:float32")
    assert status == 1 and "expected integer" in err     # what was asked for is not changed


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_lazy_layers_learn_their_shapes(folder, capsys, direction):
    status, out, _ = run(capsys, "draw", "model.py:lazy", "-i", "2x7", "--direction", direction)
    assert status == 0 and "weight" in out and "3×7" in out


def test_what_brings_its_inputs_along_needs_none(folder, capsys):
    assert "linear 2×5" in run(capsys, "draw", "model.py:with_inputs")[1]
    assert "sum" in run(capsys, "draw", "model.py:loss")[1]
    assert run(capsys, "draw", "model.py:loss", "-i", "3")[0] == 2


@pytest.mark.parametrize("words, said", [
    (["model.py:Net"], "--input"),
    (["model.py"], "model.py:Net"),
    (["model.py:Nets", "-i", "3"], "model.py:Net"),
    (["absent.py:Net", "-i", "3"], "no such file"),
    (["absent:Net", "-i", "3"], "'absent'"),
    (["model.py:Sized", "-i", "3"], "size"),
    (["model.py:product"], "x, y"),
    (["model.py:nothing", "-i", "3"], "None"),
    (["model.py:Net", "-i", "2y8"], "'2y8'"),
    (["model.py:Net", "-i", "2x8:flaot"], "'flaot'"),
    (["model.py:Net", "-i", "2x8:str"], "numbers"),
    (["model.py:Net", "-i", "y z=2x8"], "'y z'"),
    (["model.py:Net", "-i", "900000x900000"], "memory"),
    (["model.py:Net", "-i", "depth=2x8"], "'x'"),
    (["model.py:Net", "-i", "8", "-i", "8", "-i", "8"], "x, scale"),
    (["model.py:Net", "-i", "2x8", "--out", "g.bmp"], ".svg"),
    (["model.py:Net", "-i", "2x8", "--out", "absent/g.svg"], "makedirs"),
    (["model.py:Net", "-i", "2x8", "--depth", "-1"], "-1"),
    (["model.py:Net", "-i", "2x8", "--budget", "-1"], "-1"),
    (["model.py:Net", "-i", "2x8", "--theme", "pink"], "pink"),
    (["model.py:Net", "-i", "2x8", "--backward", "--direction", "forward"], "--backward"),
])
def test_what_is_wrong_with_the_words_is_status_2(folder, capsys, words, said):
    before = sorted(p.name for p in folder.iterdir())
    status, out, err = run(capsys, "draw", *words)
    assert status == 2 and out == "" and said in err and "Traceback" not in err
    assert [n for n in sorted(p.name for p in folder.iterdir()) if n != "__pycache__"] == before


def test_an_error_in_the_users_code_shows_the_users_line(folder, capsys):
    status, _, err = run(capsys, "draw", "model.py:Net", "-i", "2x9")
    assert status == 1 and "model.py:11, in forward: out = self.fc(x).relu()" in err and "ShapeError" in err
    status, _, err = run(capsys, "draw", "model.py:fails", "-i", "3")
    assert status == 1 and "in fails" in err and "the factory's own fault" in err and "Traceback" not in err
    assert "Traceback" in run(capsys, "draw", "model.py:fails", "--traceback")[2]
    assert run(capsys, "draw", "model.py:leaves")[0] == 1


def test_a_file_that_cannot_be_read_as_python(folder, capsys):
    (folder / "broken.py").write_text("def f(:\n", encoding="utf-8")
    status, _, err = run(capsys, "draw", "broken.py:f", "-i", "3")
    assert status == 1 and "broken.py:1" in err and "SyntaxError" in err
    (folder / "lacks.py").write_text("\nimport no_such_package\n", encoding="utf-8")
    for target in ("lacks.py:f", "lacks:f"):
        status, _, err = run(capsys, "draw", target, "-i", "3")
        assert status == 1 and "lacks.py:2" in err and "no_such_package" in err


def test_a_file_may_be_called_as_the_library_is(folder, capsys):
    (folder / "nn.py").write_text("def double(x):\n    return x + x\n", encoding="utf-8")
    import nn
    assert "add" in run(capsys, "draw", "nn.py:double", "-i", "3")[1]
    assert sys.modules["nn"] is nn


def test_examples_are_the_same_each_time():
    (first,), named, said = example.examples([example.spec("3x2:float64")], None)
    (again,), *_ = example.examples([example.spec("3x2:float64")], None)
    assert first.dtype == "float64" and first.tobytes() == again.tobytes() and (named, said) == ({}, [])
    assert example.spec("32, 1,28").shape == (32, 1, 28) and example.spec("scalar").shape == ()


def test_help_and_version(capsys):
    status, out, _ = run(capsys, "--help")
    assert status == 0 and "glassgrad draw model.py:make_model --input 32x1x28x28" in out
    assert run(capsys, "--version")[1].startswith("glassgrad ")
    assert run(capsys)[0] == 2
    assert run(capsys, "paint")[0] == 2


def test_doctor_names_what_is_missing(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(backend, "_package", lambda: False)
    status, out, _ = run(capsys, "doctor")
    assert status == 0                                   # what is absent is no fault
    assert "apt-get install graphviz" in out and 'pip install "glassgrad[viz]"' in out
    assert "yes  built-in" in out and "numpy" in out.lower()


def test_doctor_notices_a_renderer_that_is_here_and_does_not_work(capsys, monkeypatch):
    monkeypatch.setattr(backend, "available", lambda: True)

    def refuses(*words, **settings):
        raise backend.BackendError("expected Graphviz to make png; it failed: no plugin")
    monkeypatch.setattr(backend, "graphviz", refuses)
    report, fine = checkup.checkup()
    assert not fine and "no plugin" in report
    assert run(capsys, "doctor")[0] == 1


@pytest.mark.slow
def test_as_a_program(folder):
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", "viz", "draw", "model.py:Net", "-i", "2x8", "-o", "g.svg"], cwd=folder,
                          env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and (folder / "g.svg").exists(), done.stderr
    done = subprocess.run([sys.executable, "-m", "viz", "draw", "model.py:Net", "-i", "2x8"], cwd=folder,
                          env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "linear" in done.stdout, done.stderr      # a terminal that knows no ⊗


def test_backward_takes_the_gradient_of_the_sum():
    import numpy as np
    graph = example.run(lambda x, y: (x * 3.0, [x + y]), [np.ones(2), np.ones(2)], {}, backward=True)
    first, second = (next(n for n in graph.nodes if n.name == name) for name in "xy")
    assert (first.grad.rms, second.grad.rms) == (4.0, 1.0)
