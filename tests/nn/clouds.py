"""What the tests of training share: three clouds of points, a small network, all that a failure must leave alone."""

from __future__ import annotations

import numpy as np

import autograd
import nn
from nn.training.model import Model

SPARSE = "sparse_categorical_crossentropy"
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 90)
X = (RNG.normal(size=(90, 4)) + 2 * np.eye(3, 4)[Y])                      # three clouds, float64


def net(*tail, out=3):
    autograd.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, out), *tail)


def compiled(loss=SPARSE, metrics=("accuracy",), *tail, out=3, optimizer="adam"):
    model = Model(net(*tail, out=out))
    model.compile(optimizer, loss, list(metrics))
    return model


def state(model):
    """All that a failing call must leave as it was."""
    return {**{k: v.numpy().copy() for k, v in model.state_dict().items()},
            **{f"{i}.{k}": np.copy(v) for i, s in enumerate(model.optimizer.state.values()) for k, v in s.items()},
            **{f"mode.{k}": np.array(m.training) for k, m in model.named_modules()}}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
