"""Letters that follow letters: bigrams of names, and a small GPT on tiny-shakespeare.

Source: github.com/karpathy/makemore (names.txt) and github.com/karpathy/nanoGPT (README, config and train.py).
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from math import cos, pi, sqrt
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import nn
import optim
from autograd import Parameter, Tensor, arange, no_grad

from .outcome import Outcome, Target, at_most, near

# -- makemore: bigrams of names -----------------------------------------------------------------------------


def bigrams(path: Path) -> tuple[Any, list[str]]:
    """How often each letter follows each, (27, 27) for names.txt, and the letters; "." is the start and the end."""
    names = path.read_text(encoding="utf-8").split()
    if not names:
        raise ValueError(f"{path}: expected one name a line; the file is empty")
    letters = [".", *sorted(set("".join(names)))]
    code = {letter: i for i, letter in enumerate(letters)}
    counts = np.zeros((len(letters), len(letters)))
    for name in names:
        coded = [0, *(code[letter] for letter in name), 0]
        np.add.at(counts, (coded[:-1], coded[1:]), 1)
    return counts, letters


def nats(counts: Any, smoothing: float) -> float:
    """The mean of -log p over the bigrams, p from their own counts, all of them larger by `smoothing`."""
    p = (counts + smoothing) / (counts + smoothing).sum(1, keepdims=True)
    seen = counts > 0
    return float(-(counts[seen] * np.log(p[seen])).sum() / counts.sum())


def neural(counts: Any) -> float:
    """The same from logits W that gradients found, from zero: what cannot be below the counts' own and comes near."""
    weights = Tensor(counts / counts.sum())
    logits = Parameter(np.zeros(counts.shape))
    optimizer = optim.LBFGS([logits], max_iter=300, tolerance_change=1e-12, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -(weights * nn.functional.log_softmax(logits, 1)).sum()
        loss.backward()
        return loss
    optimizer.step(closure)
    return -(weights * nn.functional.log_softmax(logits.detach(), 1)).sum().item()


def names(options: Namespace) -> Iterator[Outcome]:
    """228,146 bigrams of 32,033 names."""
    counts, _ = bigrams(options.names_file)
    yield near("makemore: bigrams of names.txt", 228_146, counts.sum(), 0, digits=9)
    yield near("makemore, bigram counts: nats a letter", 2.45401, nats(counts, 0), 5e-6)
    yield near("makemore, bigram counts + 1: nats a letter", 2.45458, nats(counts, 1), 5e-6)
    yield near("makemore, logits by gradients: nats a letter, from above", nats(counts, 0), neural(counts), 1e-4)


# -- nanoGPT: the small configuration for a laptop ----------------------------------------------------------

LAYERS, HEADS, WIDTH, CONTEXT, BATCH, STEPS = 4, 4, 128, 64, 12, 2000


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)); no biases, no dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Any) -> Any:
        n, t, _ = x.shape
        q, k, v = self.queries_keys_values(self.norm_1(x)).reshape(n, t, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        heads = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(heads.transpose(1, 2).reshape(n, t, WIDTH))
        return x + self.narrow(nn.functional.gelu(self.wide(self.norm_2(x))))


class GPT(nn.Module):
    """Symbols (N, T) to the logits of the next, (N, T, symbols); the table of symbols is that of the logits too."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.symbols, self.places = nn.Embedding(symbols, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                last = name.endswith(("out.weight", "narrow.weight"))     # what is added to the stream, 2 a block
                nn.init.normal_(p, 0, 0.02 / sqrt(2 * LAYERS) if last else 0.02)

    def forward(self, x: Any) -> Any:
        stream = self.blocks(self.symbols(x) + self.places(arange(x.shape[1])))
        return nn.functional.linear(self.norm(stream), self.symbols.weight)


def rate(step: int) -> float:
    """Up to 0.001 in 100 steps, then along a cosine down to 0.0001."""
    if step < 100:
        return 1e-3 * (step + 1) / 101
    return 1e-4 + 0.5 * (1 + cos(pi * (step - 100) / (STEPS - 100))) * 9e-4


def batch(text: Any, rng: Any) -> tuple[Tensor, Tensor]:
    """12 pieces of 64 letters, and the same one letter later."""
    starts = rng.integers(0, len(text) - CONTEXT, BATCH)[:, None] + np.arange(CONTEXT)
    return Tensor(text[starts]), Tensor(text[starts + 1])


def loss_of(model: Any, x: Tensor, y: Tensor) -> Any:
    """Cross-entropy, nats a letter."""
    logits = model(x)
    return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def read(path: Path) -> tuple[Any, Any, int]:
    """The first nine tenths of a text as numbers, the rest, and how many symbols there are."""
    text = path.read_text(encoding="utf-8")
    if len(text) < 20 * CONTEXT:
        raise ValueError(f"{path}: expected a text of {20 * CONTEXT:,} letters at least; got {len(text):,}")
    symbols, coded = np.unique(list(text), return_inverse=True)
    cut = int(0.9 * len(coded))
    return coded[:cut], coded[cut:], len(symbols)


def without_network(train: Any, test: Any, symbols: int) -> tuple[float, float]:
    """Nats a letter on `test` of the frequencies in `train`: of letters, and of bigrams + 1."""
    single = np.bincount(train, minlength=symbols) / len(train)
    pairs = np.ones((symbols, symbols))
    np.add.at(pairs, (train[:-1], train[1:]), 1)
    pairs /= pairs.sum(1, keepdims=True)
    with np.errstate(divide="ignore"):
        return float(-np.log(single)[test].mean()), float(-np.log(pairs[test[:-1], test[1:]]).mean())


def train(text: Any, test: Any, symbols: int, steps: int = STEPS, batches: int = 50) -> tuple[float, float]:
    """Losses on the training and the test part, each the mean over some batches."""
    rng = np.random.default_rng(1337)
    model = GPT(symbols)
    tables = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    optimizer = optim.AdamW([{"params": tables, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
                            lr=1e-3, betas=(0.9, 0.99))
    began = perf_counter()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss = loss_of(model, *batch(text, rng))
        optimizer.zero_grad()
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 200 == 0:
            print(f"    GPT, step {step}, {perf_counter() - began:.0f} s: loss {loss.item():.4f}", file=sys.stderr,
                  flush=True)

    def mean(part: Any) -> float:
        return float(np.mean([loss_of(model, *batch(part, rng)).item() for _ in range(batches)]))
    with no_grad():
        return mean(text), mean(test)


def shakespeare(options: Namespace) -> Iterator[Outcome]:
    """The text of 1,115,394 letters, 65 different ones."""
    text, test, symbols = read(options.shakespeare)
    single, pairs = without_network(text, test, symbols)
    yield near("tiny-shakespeare, frequencies of letters: nats a letter", 3.3473, single, 5e-5)
    yield near("tiny-shakespeare, bigrams + 1: nats a letter", 2.4819, pairs, 5e-5)
    learned, unseen = train(text, test, symbols)
    yield near("nanoGPT, 4 layers, 128 wide, 2,000 steps: training loss", 1.7648, learned, 0.04)
    yield at_most("nanoGPT: validation loss", 1.88, unseen, 0.03, digits=4)


TARGETS = {
    "names": Target(names, "makemore, bigrams of names", "2.45401, 2.45458", file="names_file"),
    "shakespeare": Target(shakespeare, "nanoGPT on tiny-shakespeare", "1.88", file="shakespeare", slow=True),
}
