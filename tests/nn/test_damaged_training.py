"""Sound files that say nonsense of the training: refused with a sentence, and nothing of the model has changed."""

import copy
import json
import random

import numpy as np
import pytest

import nn
from nn import safetensors
from nn.callbacks import BackupAndRestore, EarlyStopping

X = np.random.default_rng(0).standard_normal((8, 3)).astype("f")
KEY = "glassgrad.model"
NONSENSE = [None, True, 0, -1, 3, 1e308, float("nan"), 10**30, "x", "/random/", "mse", [], {}, [1, 2], {"list": []},
            {"dict": []}, {"dict": [["a", 1]]}, {"dict": [["a"]]}, {"list": 3}, {"tuple": [1, 2]},
            {"array": "0.weight", "tensor": True}, {"array": "0.weight", "tensor": False},
            {"array": "no", "tensor": True}]


def made():
    model = nn.Model(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 2)))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def fit(model, *callbacks):
    model.fit(X, X[:, :2], batch_size=4, epochs=model.epoch + 1, initial_epoch=model.epoch, verbose=0,
              callbacks=list(callbacks))


def paths(tree, path=()):
    if path:
        yield path
    for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from paths(part, (*path, key))


def spoiled(arrays, tree, rng):
    """One or two places of the tree replaced or deleted; now and then an array of another kind."""
    arrays, tree = dict(arrays), copy.deepcopy(tree)
    everywhere = list(paths(tree))
    for _ in range(rng.choice((1, 1, 2))):
        *way, last = rng.choice(everywhere)
        part = tree
        try:
            for step in way:
                part = part[step]
            if rng.random() < 0.2:
                del part[last]
            else:
                part[last] = copy.deepcopy(rng.choice(NONSENSE))
        except (LookupError, TypeError):      # the other change has taken it away
            pass
    if rng.random() < 0.1:
        arrays[rng.choice(list(arrays))] = np.zeros(rng.choice([(), (1,), (4, 4), (0,)]), rng.choice(["f4", "i8", "?"]))
    return arrays, tree


def state(model):
    return copy.deepcopy((model.epoch, model.state_dict(), model._plan.optimizer.state_dict()))


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "value"):
        a, b = a.value, b.value
    return np.array_equal(a, b, equal_nan=True) if isinstance(a, (np.ndarray, np.generic)) else a == b


@pytest.mark.parametrize("count", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_a_model(tmp_path, count):
    rng, model, path = random.Random(count), made(), tmp_path / "m.safetensors"
    fit(model)
    model.save(tmp_path / "good.safetensors")
    arrays, metadata = safetensors.load(tmp_path / "good.safetensors", metadata=True)
    refused = 0
    for _ in range(count):
        changed, tree = spoiled(arrays, json.loads(metadata[KEY]), rng)
        safetensors.save(changed, path, {KEY: json.dumps(tree)})
        before = state(model)
        try:
            model.load(path)
        except (ValueError, RuntimeError):
            refused += 1
            assert same(before, state(model))
        else:
            fit(model)                        # what was taken can be trained on
            model.load(tmp_path / "good.safetensors")
    assert 0.5 * count < refused < count


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_a_run(tmp_path, count):
    rng, model, path = random.Random(count), made(), tmp_path / "run.safetensors"
    fit(model, EarlyStopping("loss", patience=3), BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False))
    arrays, metadata = safetensors.load(path, metadata=True)
    refused = 0
    for _ in range(count):
        changed, tree = spoiled(arrays, json.loads(metadata[KEY]), rng)
        safetensors.save(changed, path, {KEY: json.dumps(tree)})
        model = made()
        before = state(model)
        try:
            model.fit(X, X[:, :2], batch_size=4, epochs=2, verbose=0, callbacks=[
                EarlyStopping("loss", patience=3), BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False)])
        except (ValueError, RuntimeError):
            refused += 1
            assert same(before, state(model))
    assert 0.3 * count < refused < count
