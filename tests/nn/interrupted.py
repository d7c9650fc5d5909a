"""A run of training with everything that remembers something, to be killed and taken up again: python interrupted.py.

Arguments: the folder, save_freq, gradient_accumulation_steps, seconds to wait in each batch.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

import autograd
import nn
import optim
from nn.callbacks import (
    BackupAndRestore,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from nn.data import DataLoader, Dataset, TensorDataset


class Noisy(Dataset):
    """Augments with a generator of its own."""

    def __init__(self, x, y):
        self.x, self.y, self.rng = x, y, np.random.default_rng(11)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i] + self.rng.normal(0, 0.1, 5).astype(np.float32), self.y[i]


def run(folder, save_freq="epoch", every=1, wait=0.0, data="loader", epochs=4, stop_after=None):
    """The model and its History; with stop_after the exception of a batch that never ends."""
    folder = Path(folder)
    autograd.manual_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(101, 5)).astype(np.float32), rng.integers(0, 3, 101)
    model = nn.Model(nn.Sequential(nn.Linear(5, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 3)))
    model.compile(optim.NAdam, "sparse_categorical_crossentropy", ["accuracy", "auc", "f1_score"],
                  gradient_accumulation_steps=every)
    batches = []

    def pause(batch, logs):
        batches.append(batch)
        if stop_after == len(batches):
            raise KeyboardInterrupt
        time.sleep(wait)
    callbacks = [ReduceLROnPlateau("loss", factor=0.5, patience=1), CSVLogger(folder / "log.csv"),
                 LearningRateScheduler(optim.lr_scheduler.StepLR(model.optimizer, 7, 0.7), every="batch"),
                 EarlyStopping(patience=9, restore_best_weights=True),
                 BackupAndRestore(folder / "backup", save_freq), LambdaCallback(on_train_batch_end=pause)]
    given = {"arrays": {"x": x, "y": y, "batch_size": 16}, "steps": {"x": x, "y": y, "batch_size": 16,
                                                                    "steps_per_epoch": 5},
             "loader": {"x": DataLoader(TensorDataset(x, y), 16, shuffle=True, seed=5)},
             "augmented": {"x": DataLoader(Noisy(x, y), 16, shuffle=True)},
             "ahead": {"x": DataLoader(Noisy(x, y), 16, shuffle=True, num_workers=1)}}[data]
    print("begun", flush=True)
    history = model.fit(**given, epochs=epochs, validation_data=(x[:40], y[:40]), callbacks=callbacks, verbose=0)
    return model, history


def left(folder, model, history):
    """All that two runs must have in common, to the last bit."""
    return ({name: t.numpy().tobytes() for name, t in model.state_dict().items()},
            json.dumps([history.history, history.epoch]), (Path(folder) / "log.csv").read_text(),
            autograd.default_rng().bit_generator.state,
            [np.asarray(v).tobytes() for s in model.optimizer.state.values() for v in s.values()])


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2] if sys.argv[2] == "epoch" else int(sys.argv[2]), int(sys.argv[3]),
        float(sys.argv[4]), sys.argv[5])
