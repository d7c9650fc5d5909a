"""The column *PyTorch* of docs/conventions.md, where PyTorch is installed (the extra "bench")."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tables"))
import conventions
from row import agree, evaluate

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("row", conventions.ROWS, ids=lambda row: row.id)
def test_row_in_pytorch(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")       # that std of one element is NaN
        found = evaluate(row, torch, torch.nn.functional)
    if isinstance(row.torch, str):
        assert isinstance(found[0], (AttributeError, NameError)), "no such function"
    elif row.torch is None and isinstance(row.value, type):
        assert isinstance(found[0], Exception)
    else:
        value, grad = row.torch or (row.value, row.grad)
        assert agree(found, value, grad, 1e-9), f"value {found[0]!r}, gradient {found[1]}"
        if row.torch is None and not row.pending:
            ours = row.here()[0]
            assert np.asarray(found[0]).dtype == np.asarray(ours).dtype
