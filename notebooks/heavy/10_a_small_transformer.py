"""nn.GPT on the text of a license beside n-grams of characters: about 5 minutes.

    OPENBLAS_NUM_THREADS=1 ./run python notebooks/heavy/10_a_small_transformer.py

writes 10_a_small_transformer.json beside itself, which notebook 10 shows.
"""

import json
import math
from collections import Counter, defaultdict
from pathlib import Path
from time import process_time

import numpy as np

import autograd
import nn
import optim

F = nn.functional
STEPS, BATCH, BLOCK, RATE = 2000, 16, 64, 4e-3
HERE = Path(__file__).resolve()

raw = (HERE.parent.parent / "data" / "gpl-3.txt").read_text(encoding="utf-8").lower()
paragraphs = [" ".join(p.split()) for p in raw.split("\n\n")]
vocabulary = nn.data.Vocabulary.of_characters("\n".join(paragraphs))
text = "\n".join(p for k, p in enumerate(paragraphs) if k % 10 != 9)
held_out = "\n".join(paragraphs[9::10])
train, valid = vocabulary.encode(text), vocabulary.encode(held_out)
classes = len(vocabulary)


def ngrams(longest):
    """n -> nats per held-out character of the n-gram that falls back to fewer characters (Witten and Bell 1991):
    p(c | w) = (count(w c) + kinds(w) p(c | shorter w)) / (count(w) + kinds(w)), kinds(w) those that followed w."""
    follow = defaultdict(Counter)
    for n in range(longest):
        for i in range(n, len(text)):
            follow[text[i - n:i]][text[i]] += 1
    total = dict.fromkeys(range(1, longest + 1), 0.0)
    for i in range(longest, len(held_out)):
        p = 1 / classes
        for n in range(longest):
            met = follow.get(held_out[i - n:i])
            if met:
                p = (met[held_out[i]] + len(met) * p) / (met.total() + len(met))
            total[n + 1] -= math.log(p)
    return {n: round(nats / (len(held_out) - longest), 4) for n, nats in total.items()}


def nats(model):
    """Mean over held-out windows, each character with at least half a block in sight."""
    model.eval()
    windows = nn.data.windows(valid, BLOCK, stride=BLOCK // 2)
    with autograd.no_grad():
        x, y = windows[:]
        found = F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none").numpy().reshape(x.shape)
    model.train()
    return float(found[:, BLOCK // 2:].mean())


if __name__ == "__main__":
    autograd.manual_seed(0)
    found = {"ngrams": ngrams(6)}
    print(found, flush=True)
    model = nn.GPT(classes, BLOCK, n_layer=3, n_head=4, n_embd=96, dropout=0.2)
    optimizer = optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)
    schedule = optim.OneCycleLR(optimizer, max_lr=RATE, total_steps=STEPS, pct_start=0.1)
    dataset = nn.data.windows(train, BLOCK)
    sampler = nn.data.RandomSampler(dataset, replacement=True, num_samples=STEPS * BATCH)
    start, curve = process_time(), []
    for step, (x, y) in enumerate(nn.data.DataLoader(dataset, batch_size=BATCH, sampler=sampler), 1):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            curve.append(round(nats(model), 4))
            print(step, round(loss.item(), 3), curve[-1], f"{process_time() - start:.0f} s", flush=True)
    model.eval()
    autograd.manual_seed(1)
    sample = model.generate(vocabulary.encode("you may ")[None], 400, temperature=0.6)
    found |= {"nats": curve[-1], "curve": curve, "every": 100, "steps": STEPS,
              "parameters": int(np.sum([p.numel() for p in model.parameters()])), "sample": vocabulary.decode(sample),
              "seconds": round(process_time() - start, 1)}
    HERE.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
