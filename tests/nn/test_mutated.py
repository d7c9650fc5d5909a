"""Damaged files, many of them: no crash, no hang, no memory beyond what a file has, no change by a failed load."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def came_of(seed, count, folder, limit):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    program = [sys.executable, str(Path(__file__).with_name("mutated.py")), str(seed), str(count), str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=limit, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_files(tmp_path, count):
    found = came_of(count, count, tmp_path, 600)
    print(found)
    assert not found["which"]
    assert found["read"] + found["refused"] == count and found["refused"] > 0.6 * count and found["read"] > 0.02 * count
    assert found["models"] == count // 5 and found["not loaded"] and found["peak_MB"] < 16
