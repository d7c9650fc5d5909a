"""Optimizers where the answer is known: Adam's arithmetic, its counter-example, and Rosenbrock's valley."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib import import_module
from math import sqrt
from typing import Any

import numpy as np

import optim
from autograd import Parameter, Tensor, grad

from .outcome import Outcome, Target, at_most, near

# -- Adam (Kingma and Ba 2015) ---------------------------------------------------------------------------


def stepped(gradients: Any, **settings: Any) -> tuple[Any, float]:
    """The steps that Adam takes at x = 0 for a sequence of gradients, one row each, in units of the rate."""
    x = Parameter(np.zeros_like(gradients[0]))
    optimizer = optim.Adam([x], **settings)
    steps = []
    for g in gradients:
        before = x.numpy(force=True).copy()
        x.grad = Tensor(g)
        optimizer.step()
        steps.append(x.numpy(force=True) - before)
    return np.array(steps), settings.get("lr", 1e-3)


def bias_correction(options: Namespace) -> Iterator[Outcome]:
    """A gradient that is always g: m^ = g and v^ = g^2 at every t, so each step is  -lr g / (|g| + eps)."""
    g = np.array([1e-6, -0.3, 2.0, -5e4])
    steps, lr = stepped(np.tile(g, (1000, 1)), lr=1e-3, eps=1e-8)
    error = np.abs(steps / (-lr * g / (np.abs(g) + 1e-8)) - 1).max()
    yield at_most("Adam, bias correction: 1,000 steps against the closed form, relative", 0, error, 1e-9, digits=2)


def step_bounds(options: Namespace) -> Iterator[Outcome]:
    """How long a step can be (section 2.1), for b1 = 0.9 and b2 = 0.999.

    The paper: about lr at most; lr (1 - b1) / sqrt(1 - b2) where a gradient comes after nothing but zeros.  Neither is
    a bound for all sequences: by Cauchy and Schwarz, |m| <= (1 - b1) sum b1^k |g| is at most
    (1 - b1) / sqrt((1 - b2) (1 - b1^2/b2)) sqrt(v), and gradients that grow by b2/b1 at each step get there.
    """
    b1, b2 = 0.9, 0.999
    steps, lr = stepped(np.random.default_rng(0).standard_normal((300, 10_000)), eps=0.0)
    noise = np.abs(steps[10:]).max() / lr
    yield at_most("Adam: longest step over normal noise, in units of lr (the paper: approximately)", 1.0, noise, 0.1)
    zeros = np.zeros((10_000, 1))
    steps, lr = stepped(np.concatenate([zeros, [[1.0]]]))
    yield near("Adam: a gradient after 10,000 zeros, in units of lr", (1 - b1) / sqrt(1 - b2), abs(steps[-1, 0]) / lr,
               2e-4)
    growing = (b2 / b1) ** np.arange(300.0)[:, None]
    steps, lr = stepped(np.concatenate([zeros, growing]), eps=1e-100)
    bound = (1 - b1) / sqrt((1 - b2) * (1 - b1**2 / b2))
    yield near("Adam: gradients growing by b2/b1, in units of lr; the sharp bound", bound, abs(steps[-1, 0]) / lr,
               2e-4)


CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "Adam": ("Adam", {}), "Adam, amsgrad": ("Adam", {"amsgrad": True}),
    "Adam, weight decay": ("Adam", {"weight_decay": 0.1}), "AdamW": ("AdamW", {}),
}


def beside_torch(options: Namespace) -> Iterator[Outcome]:
    """500 steps over the same gradients; the largest difference of a parameter, in float64."""
    torch: Any = import_module("torch")
    gradients = np.random.default_rng(1).standard_normal((500, 64)) * np.logspace(-4, 3, 64)
    for what, (name, settings) in CHOICES.items():
        ours = Parameter(np.linspace(-1, 1, 64))
        theirs = torch.nn.Parameter(torch.linspace(-1, 1, 64, dtype=torch.float64))
        theirs.data[:] = torch.tensor(ours.numpy(force=True))
        pair = getattr(optim, name)([ours], **settings), getattr(torch.optim, name)([theirs], **settings)
        for g in gradients:
            ours.grad, theirs.grad = Tensor(g), torch.tensor(g)
            for optimizer in pair:
                optimizer.step()
        apart = np.abs(ours.numpy(force=True) - theirs.detach().numpy()).max()
        yield at_most(f"{what}: 500 steps beside PyTorch", 0, apart, 1e-12, digits=2)


# -- The counter-example of Reddi, Kale and Kumar (2018), section 3 and figure 1 ---------------------------


def drift(amsgrad: bool, steps: int = 1_000_000) -> float:
    """Where Adam ends on [-1, 1] if f is 1010 x every 101st time and else -10 x: the best point is -1."""
    x = Parameter(np.float64(0.0))
    optimizer = optim.Adam([x], betas=(0.9, 0.99), amsgrad=amsgrad)
    settings = optimizer.param_groups[0]
    rare, common = (Tensor(grad(f)(np.float64(0.0))) for f in (lambda x: 1010 * x, lambda x: -10 * x))
    for t in range(1, steps + 1):
        x.grad = rare if t % 101 == 1 else common          # the slope of a line is the same everywhere
        settings["lr"] = 0.5 / sqrt(t)
        optimizer.step()
        if not -1.0 <= x.value <= 1.0:                     # the projection onto [-1, 1]
            x.value = np.clip(x.value, -1.0, 1.0)
    return float(x.value)


def counter_example(options: Namespace) -> Iterator[Outcome]:
    """A million steps each."""
    for name, published, amsgrad in (("Adam", 1.0, False), ("AMSGrad", -0.9973, True)):
        yield near(f"counter-example to Adam, 1,000,000 steps: {name} ends at", published, drift(amsgrad), 5e-5)


# -- Rosenbrock --------------------------------------------------------------------------------------------


def rosenbrock(x: Any) -> Any:
    """(1 - x)^2 + 100 (y - x^2)^2:  a bent valley with its floor at (1, 1)."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def minimize(f: Callable[[Any], Any], start: Any, **settings: Any) -> tuple[Any, float, int]:
    """x, f(x) and the iterations of one call of L-BFGS."""
    x = Parameter(np.array(start, np.float64))
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe", **settings)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = f(x)
        loss.backward()
        return loss
    optimizer.step(closure)
    return x.numpy(force=True), float(f(x.detach())), optimizer.state[x]["n_iter"]


def valley(options: Namespace) -> Iterator[Outcome]:
    """From the textbook's (-1.2, 1), to the bottom."""
    x, value, iterations = minimize(rosenbrock, [-1.2, 1.0], max_iter=200, tolerance_grad=1e-10, tolerance_change=1e-16)
    yield at_most("Rosenbrock from (-1.2, 1): iterations of L-BFGS, strong Wolfe", 49, iterations, shown="< 50")
    yield at_most("Rosenbrock: f at the end", 0.0, value, 1e-18, digits=2)
    yield at_most("Rosenbrock: distance from (1, 1)", 0.0, float(np.hypot(*(x - 1))), 1e-9, digits=2)


TARGETS = {
    "adam": Target(bias_correction, "Adam, bias correction"),
    "adam-bounds": Target(step_bounds, "Adam, longest steps"),
    "adam-torch": Target(beside_torch, "Adam beside PyTorch", "0", packages=("torch",)),
    "amsgrad": Target(counter_example, "counter-example to Adam", "+1, -0.9973"),
    "rosenbrock": Target(valley, "Rosenbrock by L-BFGS", "< 50 iterations"),
}
