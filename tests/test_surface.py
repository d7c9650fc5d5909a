"""What editors see of Tensor is what Tensor has."""

from __future__ import annotations

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location("surface", Path(__file__).parent / "surface.py")
surface = importlib.util.module_from_spec(spec)
spec.loader.exec_module(surface)


def test_the_stub_is_current():
    assert surface.TARGET.read_text() == surface.text(), "run: ./run python tests/surface.py"
