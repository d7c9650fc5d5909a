"""What gradients cost, and what curvature does: Baur and Strassen's bound on the library's own graphs, and the edge of
stability by Hessian-vector products."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd as ag
import nn
import optim
from autograd import Tensor, functional_call, hvp, trace

from .outcome import Outcome, Target, at_most, between

# -- The cheap gradient principle (Griewank and Walther 2008, section 3.3: between 3 and 4, 5 if all is counted) ---


def programs() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """name -> (a scalar function, the inputs that it is differentiated by)."""
    rng = np.random.default_rng(0)
    x, image = rng.standard_normal((32, 64)), rng.standard_normal((8, 1, 12, 12))
    labels, answers = rng.integers(0, 10, 32), rng.integers(0, 10, 8)
    perceptron = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)).double()
    pictures = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(200, 10)).double()
    words = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True).double()

    def product(*factors: Any) -> Any:        # its gradient, written out by hand, costs n^2
        out = factors[0]
        for factor in factors[1:]:
            out = out * factor
        return out
    return {
        "Speelpenning's product of 50 numbers": (product, tuple(rng.uniform(0.9, 1.1, 50))),
        "Rosenbrock's function of 100 variables": (
            lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), (rng.standard_normal(100),)),
        "log sum exp of a 32 x 64 product": (lambda w: ag.logsumexp(Tensor(x) @ w, 0).sum(), (x[:16].T.copy(),)),
        "MLP 64-128-10, cross-entropy": (lambda x: nn.functional.cross_entropy(perceptron(x), Tensor(labels)), (x,)),
        "convolutional network, cross-entropy": (
            lambda x: nn.functional.cross_entropy(pictures(x), Tensor(answers)), (image,)),
        "a layer of a transformer": (lambda x: (words(x) ** 2).mean(), (rng.standard_normal((4, 6, 16)),)),
    }


def cheap(options: Namespace) -> Iterator[Outcome]:
    """Floating-point operations of the graph of (f, gradient), over those of the graph of f."""
    for name, (function, inputs) in programs().items():
        graph = trace(function)(*inputs)
        gradients = graph.backward()
        yield at_most(f"cheap gradient: cost of f and grad f, {name}", 5.0, gradients.flops / graph.flops, digits=3,
                      shown="<= 5")


# -- The edge of stability (Cohen, Kaur, Li, Kolter and Talwalkar 2021) ------------------------------------


def sharpness(loss: Callable[[Any], Any], parameters: dict[str, Any], start: Any, steps: int) -> tuple[float, Any]:
    """The largest eigenvalue of the Hessian, and its direction, by Lanczos' method from `start`.

    Krylov's basis q_1, q_2, ... is orthogonalized in full; in it the Hessian is tridiagonal.
    """
    names = list(parameters)
    cuts = np.cumsum([parameters[name].size for name in names])[:-1]

    def product(q: Any) -> Any:
        direction = {name: part.reshape(parameters[name].shape) for name, part in zip(names, np.split(q, cuts))}
        _, found = hvp(loss, (parameters,), (direction,))
        return np.concatenate([found[name].ravel() for name in names])
    basis = [start / np.linalg.norm(start)]
    diagonal, beside = [], []
    for _ in range(steps):
        h = product(basis[-1])
        diagonal.append(basis[-1] @ h)
        for _ in range(2):                    # twice is enough
            h = h - np.array(basis).T @ (np.array(basis) @ h)
        beside.append(np.linalg.norm(h))
        if beside[-1] < 1e-10:
            break
        basis.append(h / beside[-1])
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside[:len(diagonal) - 1], 1)
                                     + np.diag(beside[:len(diagonal) - 1], -1))
    return float(values[-1]), vectors[:, -1] @ np.array(basis[:len(diagonal)])


def descend(rate: float, steps: int, every: int) -> list[float]:
    """The sharpness along gradient descent on all the data: a tanh network 64-32-32-10, squared error, 200 digits."""
    from sklearn.datasets import load_digits
    scans, labels = load_digits(return_X_y=True)
    x, y = Tensor(scans[:200] / 8 - 1), Tensor(np.eye(10)[labels[:200]])
    network = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 10)).double()
    optimizer = optim.SGD(network.parameters(), lr=rate)

    def loss(parameters: Any) -> Any:
        return 0.5 * ((functional_call(network, parameters, (x,)) - y) ** 2).sum(1).mean()
    direction = np.random.default_rng(0).standard_normal(sum(p.numel() for p in network.parameters()))
    found = []
    for step in range(steps):
        if step % every == 0:
            here = {name: p.numpy(force=True).copy() for name, p in network.named_parameters()}
            value, direction = sharpness(loss, here, direction, 20 if step == 0 else 8)
            found.append(value)
        optimizer.zero_grad()
        loss(dict(network.named_parameters())).backward()
        optimizer.step()
    return found


def edge(options: Namespace) -> Iterator[Outcome]:
    """The sharpness rises until it stands at 2/rate, whatever the rate is, and hovers there."""
    for rate in (0.1, 0.12):
        found = np.array(descend(rate, 4000, 40)) * rate / 2
        yield at_most(f"edge of stability, rate {rate}: sharpness at the start, in units of 2/rate", 0.75, found[0],
                      digits=3, shown="well below")
        yield between(f"edge of stability, rate {rate}: mean over the last third", "1", found[-50:].mean(), 0.95, 1.1,
                      digits=4)
        yield between(f"edge of stability, rate {rate}: highest", "just above 1", found.max(), 1.0, 1.5, digits=4)


TARGETS = {
    "cheap-gradient": Target(cheap, "cheap gradient", "<= 5"),
    "edge": Target(edge, "edge of stability", "2/rate", packages=("sklearn",)),
}
