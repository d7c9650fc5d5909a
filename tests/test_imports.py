"""Importing glassgrad loads NumPy, its own files and next to nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("autograd", "nn", "optim", "viz")

# What a plausible line of code could pull in, and nobody wants to wait for.
HEAVY = """
    IPython PIL argparse ast asyncio base64 bz2 concurrent ctypes dataclasses decimal difflib dis email fractions
    graphviz hashlib hmac html http importlib.metadata json logging lzma matplotlib multiprocessing numba numpy.f2py
    numpy.random numpy.testing onnx onnxruntime pandas pathlib pdb pickle platform pprint pydoc pygraphviz queue random
    safetensors scipy secrets shutil signal sklearn socket sqlite3 ssl statistics subprocess tempfile threading tokenize
    torch tqdm traceback unittest urllib uuid xml xmlrpc zipfile zlib
"""


def loaded_by(statement: str) -> set[str]:
    """The modules of a fresh process after a statement."""
    program = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                              encoding="utf-8").stdout.split())


@pytest.fixture(scope="module")
def numpys():
    return loaded_by("import numpy")


@pytest.mark.parametrize("statement", [f"import {', '.join(PACKAGES)}", *[f"import {name}" for name in PACKAGES]])
def test_nothing_heavy_is_imported(statement, numpys):
    more = loaded_by(statement) - numpys
    heavy = sorted(m for m in more if any(m == h or m.startswith(f"{h}.") for h in HEAVY.split()))
    assert not heavy, f"`{statement}` loads {', '.join(heavy)}, which NumPy does not: import it where it is used"
    foreign = {m.split(".")[0] for m in more} - set(PACKAGES) - set(sys.stdlib_module_names) - {"numpy"}
    assert not foreign, f"`{statement}` loads {', '.join(sorted(foreign))}"


def test_importing_has_no_side_effects():
    """No output, no warning; NumPy's settings, the recursion limit and the filters of others' warnings as they were."""
    program = """
import json, sys, warnings
import numpy as np
settings = lambda: [np.geterr(), np.get_printoptions()["precision"], sys.getrecursionlimit()]
before, filters = settings(), list(warnings.filters)
import autograd, nn, optim, viz
foreign = [f for f in warnings.filters if f not in filters and "autograd" not in getattr(f[3], "pattern", "")]
print(json.dumps([before == settings(), foreign], default=str))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, check=True, capture_output=True,
                          encoding="utf-8")
    assert json.loads(done.stdout) == [True, []] and done.stderr == ""
