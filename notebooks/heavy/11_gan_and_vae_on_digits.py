"""Three kinds of GAN on 8x8 digits, five seeds each, measured on the way: about 2 minutes.

    OPENBLAS_NUM_THREADS=1 ./run python notebooks/heavy/11_gan_and_vae_on_digits.py

writes 11_gan_and_vae_on_digits.json beside itself, which notebook 11 shows.
"""

import json
from pathlib import Path
from time import process_time

import numpy as np

import autograd
import nn
import optim

STEPS, EVERY, SEEDS, BATCH, NOISE = 5000, 250, 5, 64, 16
KINDS = {"batch norm, -log σ": (True, False), "no batch norm, -log σ": (False, False),
         "no batch norm, minimax": (False, True)}

digits = nn.data.digits()
train, labels = digits.x.reshape(-1, 64)[:1500], digits.y[:1500]


def nearest(a, b):
    """Distance from each row of a to the nearest row of b, and which it is."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(squares.min(1).clip(0)), squares.argmin(1)


def judged(made):
    """(mean distance forgery -> real, real -> forgery, how many kinds of digit make up 2 % or more)."""
    there, which = nearest(made, train)
    kinds = np.bincount(labels[which], minlength=10) >= 0.02 * len(made)
    return float(there.mean()), float(nearest(train, made)[0].mean()), int(kinds.sum())


def run(batch_norm, minimax, seed):
    """[step, forgery to real, real to forgery, kinds of digit, loss of D, length of the gradient of G] at each time."""
    autograd.manual_seed(seed)
    norm = nn.BatchNorm1d if batch_norm else nn.Identity
    G = nn.Sequential(nn.Linear(NOISE, 64), norm(64), nn.ReLU(), nn.Linear(64, 128), norm(128), nn.ReLU(),
                      nn.Linear(128, 64), nn.Sigmoid())
    D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    g_optimizer = optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    d_optimizer = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
    real, forged = autograd.ones(BATCH, 1), autograd.zeros(BATCH, 1)
    bce, found = nn.BCEWithLogitsLoss(), []
    rows = nn.data.RandomSampler(train, replacement=True, num_samples=BATCH * STEPS)
    for step, (x,) in enumerate(nn.data.DataLoader(nn.data.TensorDataset(train), batch_size=BATCH, sampler=rows), 1):
        made = G(autograd.randn(BATCH, NOISE))
        d_loss = bce(D(x), real) + bce(D(made.detach()), forged)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = -bce(D(made), forged) if minimax else bce(D(made), real)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        if step % EVERY == 0:
            G.eval()
            with autograd.no_grad():
                there, back, kinds = judged(G(autograd.randn(1000, NOISE)).numpy())
            G.train()
            slope = nn.utils.get_total_norm([p.grad for p in G.parameters()]).item()
            found.append([step, round(there, 3), round(back, 3), kinds, d_loss.item(), slope])
    return found


if __name__ == "__main__":
    start = process_time()
    result = {"steps": STEPS, "seeds": SEEDS, "runs": {}}
    for name, kind in KINDS.items():
        result["runs"][name] = [run(*kind, seed) for seed in range(SEEDS)]
        print(name, [measured[-1] for measured in result["runs"][name]], flush=True)
    result["seconds"] = round(process_time() - start, 1)
    Path(__file__).resolve().with_suffix(".json").write_text(json.dumps(result) + "\n", encoding="utf-8")
