"""RNN, LSTM and GRU of equal size on the text of a license, 2,000 steps with three seeds each: about 4 minutes.

    OPENBLAS_NUM_THREADS=1 ./run python notebooks/heavy/09_recurrent_networks_on_characters.py

writes 09_recurrent_networks_on_characters.json beside itself, which notebook 09 shows.
"""

import json
from pathlib import Path
from time import process_time

import autograd
import nn
import optim
from autograd import Tensor

F = nn.functional
STEPS, EVERY, SEEDS, LENGTH, TEMPERATURE = 2000, 50, 3, 64, 0.5
WIDTHS = {"RNN": 112, "LSTM": 56, "GRU": 65}              # as notebook 09 finds them
HERE = Path(__file__).resolve()

raw = (HERE.parent.parent / "data" / "gpl-3.txt").read_text(encoding="utf-8").lower()
paragraphs = [" ".join(p.split()) for p in raw.split("\n\n")]
vocabulary = nn.data.Vocabulary.of_characters("\n".join(paragraphs))
train = vocabulary.encode("\n".join(p for k, p in enumerate(paragraphs) if k % 10 != 9))
valid = vocabulary.encode("\n".join(paragraphs[9::10]))
dataset = nn.data.windows(train, LENGTH)
x_valid, y_valid = nn.data.windows(valid, LENGTH, stride=LENGTH)[:]
classes = len(vocabulary)


class Reader(nn.Module):
    def __init__(self, kind, hidden):
        super().__init__()
        self.embed = nn.Embedding(classes, 24)
        self.memory = getattr(nn, kind)(24, hidden, batch_first=True)
        self.guess = nn.Linear(hidden, classes)

    def forward(self, x, state=None):
        states, last = self.memory(self.embed(x), state)
        return self.guess(states), last


def nats(model):
    with autograd.no_grad():
        return F.cross_entropy(model(x_valid)[0].flatten(0, 1), y_valid.flatten()).item()


def trained(kind, seed):
    autograd.manual_seed(seed)
    model = Reader(kind, WIDTHS[kind])
    optimizer = optim.Adam(model.parameters(), lr=8e-3)
    schedule = optim.OneCycleLR(optimizer, max_lr=8e-3, total_steps=STEPS)
    curve = [nats(model)]
    batches = nn.data.RandomSampler(dataset, replacement=True, num_samples=STEPS * 32)
    for step, (x, y) in enumerate(nn.data.DataLoader(dataset, batch_size=32, sampler=batches), 1):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x)[0].flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % EVERY == 0:
            curve.append(nats(model))
    return model, curve


def write(model, start, many, temperature):
    state, given, out = None, Tensor(vocabulary.encode(start)[None]), start
    with autograd.no_grad():
        for _ in range(many):
            logits, state = model(given, state)
            shares = (logits[0, -1] / temperature).softmax(0).numpy().astype(float)
            drawn = autograd.default_rng().choice(classes, p=shares / shares.sum())
            given, out = Tensor([[drawn]]), out + vocabulary.tokens[drawn]
    return out


if __name__ == "__main__":
    found = {"every": EVERY, "steps": STEPS, "temperature": TEMPERATURE, "widths": WIDTHS, "curves": {}, "samples": {},
             "seconds": {}}
    for kind in WIDTHS:
        start, runs = process_time(), []
        for seed in range(SEEDS):
            model, curve = trained(kind, seed)
            runs.append([round(value, 4) for value in curve])
            print(f"{kind}, seed {seed}: {curve[-1]:.3f} nats at the end, {min(curve):.3f} at best", flush=True)
        found["seconds"][kind] = round(process_time() - start, 1)
        found["curves"][kind] = runs
        autograd.manual_seed(1)
        found["samples"][kind] = write(model, "you may ", 300, TEMPERATURE)
    HERE.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
