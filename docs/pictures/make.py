"""The pictures of docs/inside.md and docs/from_micrograd.md:  ./run python docs/pictures/make.py

A test draws them again and compares what they show, so that a change of the engine or of `viz` is seen here too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn
import viz
from autograd import Tensor

HERE = Path(__file__).resolve().parent


def neuron() -> Any:
    """y = tanh(x w + b), recorded, with its gradients."""
    x, w, b = (Tensor(np.float64(v), requires_grad=True, name=n) for v, n in ((2.0, "x"), (-0.3, "w"), (1.0, "b")))
    with autograd.record():
        y = (x * w + b).tanh()
        y.backward(retain_graph=True)
    y.name = "y"
    return y


def two_ways() -> Any:
    """y = tanh(x w + 1) + w² / 10, and w, which it depends on in two ways."""
    x, w = (Tensor(np.float64(v), requires_grad=True, name=n) for v, n in ((2.0, "x"), (-0.3, "w")))
    with autograd.record():
        y = (x * w + 1.0).tanh() + 0.1 * w ** 2
    y.name = "y"
    return y, w


def bent() -> Any:
    """y = tanh(x)."""
    x = Tensor(np.float64(0.5), requires_grad=True, name="x")
    with autograd.record():
        y = x.tanh()
    y.name = "y"
    return y


def shared() -> Any:
    """A value that two steps read: its gradient is a sum."""
    x = Tensor(np.float64(0.5), requires_grad=True, name="x")
    with autograd.record():
        y = x.exp() * x.sin()
        y.backward(retain_graph=True)
    y.name = "y"
    return y


def stretched() -> Any:
    """A bias added to every row."""
    autograd.manual_seed(0)
    x = Tensor(np.arange(12.0).reshape(4, 3) / 10, name="x")
    w = Tensor(np.linspace(-1, 1, 6).reshape(3, 2), requires_grad=True, name="w")
    b = Tensor([0.1, 0.2], requires_grad=True, dtype="float64", name="b")
    with autograd.record():
        loss = (x @ w + b).square().mean()
        loss.backward(retain_graph=True)
    loss.name = "loss"
    return loss


def network() -> Any:
    """A small classifier and its loss, after a backward pass."""
    autograd.manual_seed(0)
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
    x, label = rng.standard_normal((32, 8)).astype("float32"), rng.integers(0, 3, 32)
    with autograd.record():
        loss = nn.functional.cross_entropy(model(Tensor(x, name="x")), Tensor(label, name="label"))
        loss.backward(retain_graph=True)
    loss.name = "loss"
    return loss


def example() -> Any:
    """The example of micrograd's README."""
    a, b = (Tensor(np.float64(v), requires_grad=True, name=n) for v, n in ((-4.0, "a"), (2.0, "b")))
    with autograd.record():
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
        g.backward(retain_graph=True)
    g.name = "g"
    return g


PICTURES: dict[str, Callable[[], Any]] = {
    "forward": lambda: viz.draw(neuron(), theme="auto"),
    "backward": lambda: viz.draw(neuron(), direction="backward", theme="auto"),
    "chain": lambda: viz.explain(*two_ways(), theme="auto"),
    "shared": lambda: viz.draw(shared(), direction="backward", theme="auto"),
    "second": lambda: viz.draw(bent(), direction="second", theme="auto"),
    "broadcast": lambda: viz.draw(stretched(), direction="backward", theme="auto"),
    "network": lambda: viz.draw(network(), theme="auto"),
    "scalars": lambda: viz.draw(example(), theme="auto", rankdir="TB"),
}

if __name__ == "__main__":
    for name, picture in PICTURES.items():
        picture().save(HERE / f"{name}.svg")
        print(f"docs/pictures/{name}.svg")
