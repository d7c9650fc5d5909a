"""What it costs to record one op, beyond NumPy's doing it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd import Tensor

from .table import Row, duration
from .timing import duel

LIMIT = 1.2e-6


def rows() -> Iterator[Row]:
    """One add of 8 floats, recorded, less the same add of arrays."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(8).astype(np.float32) for _ in range(2))
    x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    times = range(100)

    def recorded() -> None:
        for _ in times:
            x + y

    def plain() -> None:
        for _ in times:
            a + b
    result = duel(recorded, plain, seconds=2)
    low, middle = (excess / len(times) for excess in result.excess)
    yield Row("recording one add of two 8-float tensors", f"<= {duration(LIMIT)} above NumPy",
              f"{duration(low)} / {duration(middle)}", duration(min(result.ours) / len(times)),
              duration(min(result.peers) / len(times)), max(low, middle) <= LIMIT)
