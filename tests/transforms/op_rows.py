"""The rows of all ops, with inputs at random: what the tests of vmap and jet try."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from autograd import ops
from autograd.op import OPS

for file in sorted(Path(ops.__file__).parent.glob("*.py")):
    importlib.import_module("autograd.ops" if file.stem == "__init__" else f"autograd.ops.{file.stem}")
ROWS = {name: op for name, op in OPS.items() if op.fn.__module__.startswith("autograd.ops.")}
B = 3                                         # lanes of a batch
NO_CASES = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift", "bitwise_right_shift"}
REAL_SIZE = {"nonzero"}                       # the shape depends on the values


def default_cases(op):
    n = len(op.inputs)
    return [(((2, 3),) * n, {}), (((2, 1), (3,), (1, 1))[:n], {}), (((),) * n, {}), (((0, 3),) * n, {})]


def rows(differentiable):
    return [pytest.param(op, shapes, attrs, id=f"{op.name}-{k}") for op in ROWS.values()
            if bool(op.rules) == differentiable and op.name not in REAL_SIZE
            for k, (shapes, attrs) in enumerate(op.cases or default_cases(op))]


def batch_of(op, shape, rng, k):
    """A batch of one input: of a free one random numbers, of a fixed one (labels, masks, positions) copies of it."""
    if isinstance(shape, np.ndarray):
        return np.stack([shape] * B)
    if op.name in NO_CASES:
        return rng.integers(0, 4, (B, *shape))
    if not op.rules:
        return rng.integers(-1, 3, (B, *shape)).astype(float)
    return rng.uniform(*op.domain, (B, *shape))


def called(op, xs, attrs):
    if op.order[:len(xs)] != op.inputs[:len(xs)] and not op.variadic:
        return op.call(**dict(zip(op.inputs, xs, strict=False)), **attrs)
    return op.call(*xs, **attrs)
