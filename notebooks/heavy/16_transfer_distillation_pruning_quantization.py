"""Transfer from the digits 0-4 to 5-9, five seeds, centred and moved scans, 2 to 50 examples each: about 2 minutes.

    OPENBLAS_NUM_THREADS=1 python notebooks/heavy/16_transfer_distillation_pruning_quantization.py

writes 16_transfer_distillation_pruning_quantization.json beside itself, which notebook 16 shows.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import autograd
import nn
import optim

F = nn.functional
SEEDS, EXAMPLES, SIZE, NOISE = 5, (2, 5, 10, 20, 50), 12, 0.2
HERE = Path(__file__).resolve()

scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32").reshape(-1, 1, 8, 8)
low = labels < 5


def centred(x, rng):
    edge = (SIZE - 8) // 2
    return np.pad(x, ((0, 0), (0, 0), (edge, edge), (edge, edge)))


def moved(x, rng):
    """The scans somewhere on a page of 12x12 pixels, with noise."""
    page = np.zeros((len(x), 1, SIZE, SIZE))
    for k, (top, left) in enumerate(rng.integers(0, SIZE - 8 + 1, (len(x), 2))):
        page[k, :, top:top + 8, left:left + 8] = x[k]
    return (page + NOISE * rng.normal(size=page.shape)).astype("float32")


def network():
    body = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    return nn.Sequential(body, nn.Linear(24 * 9, 5))


def learn(net, params, view, x, y, steps, lr, batch):
    rng, optimizer = autograd.default_rng(), optim.Adam(params, lr=lr)
    for _ in range(steps):
        k = rng.integers(0, len(x), batch)
        optimizer.zero_grad()
        F.cross_entropy(net(view(x[k], rng)), y[k]).backward()
        optimizer.step()


def accuracy(net, x, y):
    with autograd.no_grad():
        return float((net(x).numpy().argmax(axis=1) == y).mean())


if __name__ == "__main__":
    found = {"seeds": SEEDS, "examples": EXAMPLES, "accuracy": {}}
    for view in (centred, moved):
        rows = {kind: [] for kind in ("scratch", "frozen", "tuned")}
        for seed in range(SEEDS):
            autograd.manual_seed(seed)
            source = network()
            learn(source, source.parameters(), view, images[low], labels[low], 1000, 3e-3, 64)
            rng = np.random.default_rng(seed)
            x, y = view(images[~low], rng), labels[~low] - 5
            mixed = rng.permutation(len(y))
            for kind, row in rows.items():
                line = []
                for many in EXAMPLES:
                    few = np.concatenate([mixed[y[mixed] == digit][:many] for digit in range(5)])
                    rest = np.setdiff1d(mixed, few)
                    autograd.manual_seed(seed + 100)
                    net = network()
                    if kind != "scratch":
                        net[0].load_state_dict(source[0].state_dict())
                    params = net[1].parameters() if kind == "frozen" else net.parameters()
                    lr = 1e-3 if kind == "tuned" else 3e-3
                    learn(net, params, lambda seen, rng: seen, x[few], y[few], 100, lr, 32)
                    line.append(round(accuracy(net, x[rest], y[rest]), 4))
                row.append(line)
                print(f"{view.__name__}, seed {seed}, {kind}: {line}", flush=True)
        found["accuracy"][view.__name__] = rows
    HERE.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
