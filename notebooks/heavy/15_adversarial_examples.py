"""What adversarial training costs: six sizes of box, five seeds each, attacked with 50 steps of PGD: about 4 minutes.

    OPENBLAS_NUM_THREADS=1 python notebooks/heavy/15_adversarial_examples.py

writes 15_adversarial_examples.json beside itself, which notebook 15 shows.
"""

import json
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.datasets import load_digits

import autograd
import nn
import optim
from autograd import Tensor

F = nn.functional
EPSILONS, SEEDS, EPOCHS, TRAINING_STEPS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3), 5, 20, 5
ATTACK, ATTACK_STEPS = 0.15, 50
HERE = Path(__file__).resolve()

scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32").reshape(-1, 1, 8, 8)
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:1200], order[1200:]


def pgd(network, x, y, epsilon, steps):
    epsilon = np.float32(epsilon)
    low, high = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    rate = np.float32(2.5 / steps) * epsilon
    at = autograd.default_rng().uniform(low, high).astype(x.dtype)
    for _ in range(steps):
        leaf = Tensor(at, requires_grad=True)
        slope, = autograd.gradients(F.cross_entropy(network(leaf), y, reduction="sum"), [leaf])
        at = np.clip(at + rate * np.sign(slope.numpy()), low, high)
    return at


def accuracy(network, x):
    with autograd.no_grad():
        return float((network(x).numpy().argmax(axis=1) == labels[test]).mean())


def trained(epsilon, seed):
    """The network, and the seconds of processor time that its training took."""
    autograd.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
                            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 4 * 4, 10))
    optimizer = optim.Adam(network.parameters(), lr=3e-3)
    dataset = nn.data.TensorDataset(images[train], labels[train])
    start = process_time()
    for _ in range(EPOCHS):
        for x, y in nn.data.DataLoader(dataset, batch_size=64, shuffle=True):
            if epsilon:
                x = pgd(network, x.numpy(), y.numpy(), epsilon, TRAINING_STEPS)
            optimizer.zero_grad()
            F.cross_entropy(network(x), y).backward()
            optimizer.step()
    return network, process_time() - start


if __name__ == "__main__":
    found = {"epsilons": EPSILONS, "seeds": SEEDS, "epochs": EPOCHS, "attack": ATTACK, "attack_steps": ATTACK_STEPS,
             "clean": [], "attacked": [], "seconds": []}
    for epsilon in EPSILONS:
        rows = []
        for seed in range(SEEDS):
            network, seconds = trained(epsilon, seed)
            held = accuracy(network, pgd(network, images[test], labels[test], ATTACK, ATTACK_STEPS))
            rows.append((round(accuracy(network, images[test]), 4), round(held, 4), round(seconds, 2)))
            print(f"trained with {epsilon}, seed {seed}: clean {rows[-1][0]:.1%}, attacked {rows[-1][1]:.1%}, "
                  f"{seconds:.1f} s", flush=True)
        for name, values in zip(("clean", "attacked", "seconds"), zip(*rows)):
            found[name].append(values)
    HERE.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
