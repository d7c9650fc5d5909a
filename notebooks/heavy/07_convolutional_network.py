"""The whole experiment of notebook 07: three minutes on one core.

    OPENBLAS_NUM_THREADS=1 python notebooks/heavy/07_convolutional_network.py

* Five-fold cross-validation: every digit is tested once, by a network that was trained without it.
* New writers: trained on the first half of the digits, tested on the second, which other people wrote: an MLP, the
  convolutional network, and the same with augmentation, three seeds each.

The number of epochs is fixed beforehand and no test digit is looked at before the end.  Writes
07_convolutional_network.json beside itself, which notebook 07 shows.
"""

import json
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.model_selection import StratifiedKFold

import autograd
import nn
import optim

EPOCHS, BATCH, RATE = 30, 64, 3e-3


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def trained(network, x, y, seed, augment=True):
    """The network, trained with AdamW along one cosine, on digits that are turned, shifted and scaled at random."""
    autograd.manual_seed(seed)
    batches = nn.data.DataLoader(nn.data.TensorDataset(x, y), BATCH, shuffle=True)
    if augment:
        change = nn.data.RandomAffine(degrees=10, translate=0.1, scale=(0.9, 1.1))
        batches = nn.data.Augmented(batches, change)
    model = nn.Model(network())
    model.compile(optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01),
                  nn.CrossEntropyLoss(label_smoothing=0.1))
    schedule = optim.lr_scheduler.CosineAnnealingLR(model.optimizer, T_max=EPOCHS)
    model.fit(batches, epochs=EPOCHS, verbose=0, callbacks=[nn.callbacks.LearningRateScheduler(schedule)])
    return model


def right(model, x, y):
    predicted = model.predict(x, verbose=0).argmax(axis=1)
    return predicted, round(float((predicted == y).mean()), 5)


if __name__ == "__main__":
    start = process_time()
    x, y, *_ = nn.data.digits()
    predicted, folds = np.zeros(len(y), int), []
    for k, (train, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)):
        predicted[test], share = right(trained(cnn, x[train], y[train], seed=k), x[test], y[test])
        folds.append(share)
        print(f"fold {k + 1}: {share:.2%} of {len(test)}, {process_time() - start:.0f} s", flush=True)

    half, writers = len(x) // 2, {}
    for name, network, augment in (("MLP", mlp, False), ("CNN", cnn, False), ("CNN, augmented", cnn, True)):
        writers[name] = [right(trained(network, x[:half], y[:half], seed, augment), x[half:], y[half:])[1]
                         for seed in range(3)]
        print(f"{name}: {writers[name]}, {process_time() - start:.0f} s", flush=True)

    wrong = {int(k): int(predicted[k]) for k in np.flatnonzero(predicted != y)}
    result = {"network": str(cnn()), "epochs": EPOCHS, "batch_size": BATCH, "lr": RATE, "folds": folds, "wrong": wrong,
              "new_writers": writers, "seconds": round(process_time() - start, 1)}
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"mean of the folds {np.mean(folds):.2%}")
