"""A network that obeys Burgers' equation:  u_t + u u_x = (0.01/pi) u_xx  on [-1, 1] x [0, 1].

    u(x, 0) = -sin(pi x),   u(-1, t) = u(1, t) = 0

The wave steepens to a front at x = 0.  The network is told 100 values on the three known edges, and elsewhere only how
far it is from the equation, at 10,000 points; u_t, u_x and u_xx are derivatives of the network by the engine, and the
loss made of them is differentiated again by the weights.
Source: Raissi, Perdikaris, Karniadakis 2017, "Physics informed deep learning", part I, section 3.1 and table 1.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np

import nn
import optim
from autograd import Tensor, cat, gradients, no_grad

from .outcome import Outcome, Target, at_most, between

VISCOSITY = 0.01 / np.pi
KNOWN, INSIDE = 100, 10_000
EVALUATIONS = 6_000                           # of the loss, at most; the paper's optimizer may make 50,000


def exact(x: Any, t: Any) -> Any:
    """The solution, by Cole and Hopf: both integrals over eta = sqrt(4 nu t) z by Gauss and Hermite's quadrature.

        u = - int sin(pi (x - eta)) F(x - eta) e^(-eta^2 / 4 nu t) d eta / int F(x - eta) e^(-eta^2 / 4 nu t) d eta
        F(y) = exp(-cos(pi y) / 2 pi nu)

    Source: Basdevant et al. 1986.
    """
    z, weights = np.polynomial.hermite.hermgauss(100)
    y = x[..., None] - np.sqrt(4 * VISCOSITY * t)[..., None] * z
    logs = -np.cos(np.pi * y) / (2 * np.pi * VISCOSITY)
    f = weights * np.exp(logs - logs.max(-1, keepdims=True))       # F runs from e^-50 to e^50
    return -(np.sin(np.pi * y) * f).sum(-1) / f.sum(-1)


def hypercube(n: int, rng: Any) -> Any:
    """n points of [-1, 1] x [0, 1], one in each of n slices of either axis (Latin hypercube)."""
    unit = np.stack([(rng.permutation(n) + rng.random(n)) / n for _ in range(2)], 1)
    return unit * [2, 1] - [1, 0]


def edges(n: int, rng: Any) -> tuple[Any, Any]:
    """n points where u is known, and u: at the start (256 to choose from), and at both ends (100 each)."""
    x, t = np.linspace(-1, 1, 256), np.linspace(0, 1, 100)
    points = np.concatenate([np.c_[x, 0 * x], np.c_[0 * t - 1, t], np.c_[0 * t + 1, t]])
    chosen = points[rng.permutation(len(points))[:n]]
    return chosen, np.where(chosen[:, 1] == 0, -np.sin(np.pi * chosen[:, 0]), 0.0)


def network(rng: Any) -> Any:
    """2-20-20-20-20-20-20-20-20-1, tanh, Glorot's weights; float32, as in the paper's program."""
    layers: list[Any] = []
    for n, m in pairwise([2, *[20] * 8, 1]):
        layers += [nn.Linear(n, m), nn.Tanh()]
        nn.init.xavier_normal_(layers[-2].weight, generator=rng)
        nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1])


def surface(model: Any, x: Any, t: Any) -> Any:
    """u at points (N, 1); both coordinates enter between -1 and 1."""
    return model(cat([x, 2 * t - 1], 1))


def columns(points: Any, **settings: Any) -> list[Tensor]:
    """x and t of points (N, 2), each (N, 1)."""
    return [Tensor(column[:, None].astype(np.float32), **settings) for column in points.T]


def residual(model: Any, x: Tensor, t: Tensor) -> Tensor:
    """u_t + u u_x - nu u_xx:  zero where the network solves the equation."""
    u = surface(model, x, t)
    slopes: Any = gradients(u.sum(), [x, t], create_graph=True)
    u_x, u_t = slopes
    u_xx: Any = gradients(u_x.sum(), [x], create_graph=True)[0]
    return u_t + u * u_x - VISCOSITY * u_xx


def error_of(model: Any) -> float:
    """The L2 error over that of zero, on the paper's grid of 256 x 100 points."""
    x, t = (a.ravel() for a in np.meshgrid(np.linspace(-1, 1, 256), np.linspace(0, 0.99, 100)))
    with no_grad():
        u = surface(model, *columns(np.c_[x, t])).numpy()[:, 0]
    truth = exact(x, t)
    return float(np.linalg.norm(u - truth) / np.linalg.norm(truth))


def solve(evaluations: int, known: int = KNOWN, inside: int = INSIDE, seed: int = 0) -> tuple[float, float, int]:
    """Relative error, loss and evaluations when L-BFGS has converged or the evaluations are used up."""
    rng = np.random.default_rng(seed)
    points, values = edges(known, rng)
    x_known, t_known = columns(points)
    u_known = Tensor(values[:, None].astype(np.float32))
    x, t = columns(np.concatenate([hypercube(inside, rng), points]), requires_grad=True)
    model = network(rng)
    optimizer = optim.LBFGS(model.parameters(), max_iter=evaluations, max_eval=evaluations, history_size=50,
                            tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe")
    weights, made, began = list(model.parameters()), 0, perf_counter()
    loss = Tensor(0.0)

    def closure() -> Tensor:
        nonlocal made, loss
        off = residual(model, x, t)
        loss = ((surface(model, x_known, t_known) - u_known) ** 2).mean() + (off * off).mean()
        for weight, slope in zip(weights, gradients(loss, weights)):
            weight.grad = slope
        made += 1
        if made % 250 == 0:
            print(f"    Burgers, {made} evaluations, {perf_counter() - began:.0f} s: loss {loss.item():.2e}, "
                  f"relative error {error_of(model):.2e}", file=sys.stderr, flush=True)
        return loss
    optimizer.step(closure)
    return error_of(model), loss.item(), made


def burgers(options: Namespace) -> Iterator[Outcome]:
    """The front is narrower than 0.01, so the quadrature is checked first: at t = 0 and by its symmetry."""
    x = np.linspace(-1, 1, 41)
    known = np.abs(exact(x, np.full_like(x, 1e-12)) + np.sin(np.pi * x)).max()
    odd = np.abs(exact(x, np.full_like(x, 0.8)) + exact(-x, np.full_like(x, 0.8))).max()
    yield at_most("Burgers, exact solution: -sin(pi x) at t = 0, odd in x", 0.0, max(known, odd), 1e-5, digits=2)
    error, loss, made = solve(EVALUATIONS)
    yield between(f"Burgers, network of 8 x 20 tanh, {made} evaluations, loss {loss:.1e}: relative error", "6.7e-04",
                  error, 0, 6.7e-3, digits=2)


TARGETS = {"burgers": Target(burgers, "Burgers' equation by a network", "6.7e-04", slow=True)}
