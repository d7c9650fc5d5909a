"""The two examples of micrograd: its expression, and its network on two moons, to the last digit.

Source: github.com/karpathy/micrograd, README.md and demo.ipynb.
"""

from __future__ import annotations

import random
from argparse import Namespace
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import nn
import optim
from autograd import Parameter, Tensor

from .outcome import Outcome, Target, at_least, near, percent

LOSS = 0.010978370135492717                   # as the notebook prints it


def expression() -> tuple[Any, Any, Any]:
    """g, a, b of the README, line for line; gradients are taken."""
    a = Tensor(np.float64(-4.0), requires_grad=True)
    b = Tensor(np.float64(2.0), requires_grad=True)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g, a, b


def readme(options: Namespace) -> Iterator[Outcome]:
    """The README prints four decimals."""
    g, a, b = expression()
    for name, published, ours in (("g", 24.7041, g), ("dg/da", 138.8338, a.grad), ("dg/db", 645.5773, b.grad)):
        yield near(f"micrograd expression: {name}", published, ours.item(), 5e-5, digits=7)


class Neuron:
    """w . x + b, one multiplication and one addition at a time, and a ReLU."""

    def __init__(self, inputs: int, bent: bool) -> None:
        self.w = [Parameter(np.float64(random.uniform(-1, 1))) for _ in range(inputs)]
        self.b, self.bent = Parameter(np.float64(0)), bent

    def __call__(self, x: list[Any]) -> Tensor:
        act = sum((w * value for w, value in zip(self.w, x)), self.b)
        return act.relu() if self.bent else act


def drawn() -> tuple[Any, Any, list[list[Neuron]]]:
    """The moons and the network 2-16-16-1, with the random numbers of the notebook."""
    from sklearn.datasets import make_moons
    np.random.seed(1337)
    random.seed(1337)
    x, y = make_moons(n_samples=100, noise=0.1)
    layers = [[Neuron(n, bent=m > 1) for _ in range(m)] for n, m in pairwise([2, 16, 16, 1])]
    return x, 2 * y - 1, layers


def train(measure: Any, parameters: list[Any]) -> tuple[float, float]:
    """100 steps of gradient descent on all the data, the rate falling from 1 to 0.1; the last loss and accuracy."""
    optimizer = optim.SGD(parameters, lr=1.0)
    for k in range(100):
        loss, accuracy = measure()
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = 1.0 - 0.9 * k / 100
        optimizer.step()
    return loss.item(), accuracy


def scalars() -> tuple[float, float]:
    """Every number a Tensor of its own: 120,000 of them in a step."""
    x, y, layers = drawn()
    parameters = [p for layer in layers for neuron in layer for p in (*neuron.w, neuron.b)]
    rows, signs = x.tolist(), y.tolist()

    def score(row: list[Any]) -> Tensor:
        for layer in layers:
            row = [neuron(row) for neuron in layer]
        return row[0]

    def measure() -> tuple[Tensor, float]:
        scores = [score(row) for row in rows]
        losses = [(1 + -sign * s).relu() for sign, s in zip(signs, scores)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        right = [(sign > 0) == (s.item() > 0) for sign, s in zip(signs, scores)]
        return loss, sum(right) / len(right)
    return train(measure, parameters)


def tensors() -> tuple[float, float]:
    """The same with `nn`: three Linear layers, all points at once."""
    x, y, layers = drawn()
    network = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)).double()
    linears: list[Any] = [module for module in network if isinstance(module, nn.Linear)]
    for module, layer in zip(linears, layers):
        module.weight.value = np.array([[w.item() for w in neuron.w] for neuron in layer])
        module.bias.value = np.zeros(len(layer))
    points, signs = Tensor(x), Tensor(y.astype(float))

    def measure() -> tuple[Tensor, float]:
        scores = network(points).squeeze(1)
        loss = (1 - signs * scores).relu().mean() + 1e-4 * sum((p * p).sum() for p in network.parameters())
        return loss, ((scores.detach().numpy() > 0) == (y > 0)).mean()
    return train(measure, list(network.parameters()))


def moons(options: Namespace) -> Iterator[Outcome]:
    """The notebook's digits, by the scalars of the notebook and by tensors, whose sums have another order."""
    loss, right = tensors()
    yield near("micrograd moons, as tensors: loss", LOSS, loss, 1e-9, digits=17)
    yield at_least("micrograd moons, as tensors: accuracy", 100, percent(right), unit=" %")
    loss, right = scalars()
    yield near("micrograd moons, number by number: loss", LOSS, loss, 0.0, digits=17)
    yield at_least("micrograd moons, number by number: accuracy", 100, percent(right), unit=" %")


TARGETS = {
    "expression": Target(readme, "micrograd expression", "24.7041, 138.8338, 645.5773"),
    "moons": Target(moons, "micrograd moons", str(LOSS), packages=("sklearn",)),
}
