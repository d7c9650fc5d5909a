"""Three arms of a spiral: a linear classifier and one with a hidden layer.

Source: the notes of Stanford's CS231n, "Putting it together: minimal neural network case study".
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import nn
import optim
from autograd import Tensor

from .outcome import Outcome, Target, near, percent

POINTS, CLASSES, PENALTY = 100, 3, 1e-3


def spiral() -> tuple[Any, Any]:
    """300 points of the plane, 100 to an arm, drawn as in the notes."""
    x, y = np.zeros((POINTS * CLASSES, 2)), np.repeat(np.arange(CLASSES), POINTS)
    for j in range(CLASSES):
        r = np.linspace(0.0, 1, POINTS)
        t = np.linspace(j * 4, (j + 1) * 4, POINTS) + np.random.randn(POINTS) * 0.2
        x[y == j] = np.c_[r * np.sin(t), r * np.cos(t)]
    return x, y


def classifier(sizes: list[int]) -> Any:
    """Linear layers with ReLUs between, weights 0.01 N(0, 1) from NumPy's own generator, no biases at first."""
    layers: list[Any] = []
    for n, m in pairwise(sizes):
        linear: Any = nn.Linear(n, m).double()
        linear.weight.value, linear.bias.value = 0.01 * np.random.randn(n, m).T, np.zeros(m)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(model: Any, points: Any, labels: Any, steps: int, printed: int) -> tuple[float, float]:
    """Gradient descent with rate 1 on cross-entropy and 0.0005 |W|^2: the loss at a step, the accuracy after all."""
    x, y = Tensor(points), Tensor(labels)
    weights: list[Any] = [p for name, p in model.named_parameters() if name.endswith("weight")]
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    shown = 0.0
    for step in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y) + 0.5 * PENALTY * sum((w * w).sum() for w in weights)
        loss.backward()
        optimizer.step()
        if step == printed:
            shown = loss.item()
    return shown, float((model(x).argmax(1).numpy() == labels).mean())


def session(seed: int) -> tuple[float, float, float, float, float]:
    """The case study from top to bottom, all from one sequence of draws.

    What the notes print was drawn from seed 0, the weights of the linear classifier at the fourth run of their cell:
    it is that draw that starts at the loss they show.
    """
    np.random.seed(seed)
    points, labels = spiral()
    linear = [classifier([2, CLASSES]) for _ in range(4)][-1]
    start = train(linear, points, labels, steps=1, printed=0)[0]
    loss, right = train(linear, points, labels, steps=199, printed=189)
    return start, loss, right, *train(classifier([2, 100, CLASSES]), points, labels, steps=10_000, printed=9_000)


def case_study(options: Namespace) -> Iterator[Outcome]:
    """Seed 0 gives the digits of the notes; four more seeds show how much is chance."""
    found = np.array([session(seed) for seed in range(5)])
    start, linear_loss, linear_right, loss, right = found[0]
    yield near("CS231n spiral, linear: loss at step 0", 1.096956, start, 5e-7, digits=7)
    yield near("CS231n spiral, linear: loss at step 190", 0.786302, linear_loss, 5e-7)
    yield near("CS231n spiral, linear: accuracy", 49, percent(linear_right), 0.5, digits=4, unit=" %")
    yield near("CS231n spiral, 100 ReLUs: loss at step 9000", 0.245292, loss, 5e-6)
    yield near("CS231n spiral, 100 ReLUs: accuracy", 98, percent(right), 0.5, digits=4, unit=" %")
    yield near("CS231n spiral, 100 ReLUs, seeds 0 to 4: mean loss", 0.245292, found[:, 3].mean(), 0.01)
    yield near("CS231n spiral, 100 ReLUs, seeds 0 to 4: mean accuracy", 98, percent(found[:, 4].mean()), 1, digits=4,
               unit=" %")


TARGETS = {"spiral": Target(case_study, "CS231n spiral", "0.786302 / 49 %, 0.245292 / 98 %")}
