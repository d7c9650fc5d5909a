"""How signals survive depth: the fixed point of SELU, and He's initial weights through 50 layers of ReLU."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor, no_grad

from .outcome import Outcome, Target, between, near

WIDTH, DEPTH = 512, 50


def moments_of_selu() -> tuple[float, float]:
    """Mean and variance of selu(z) for normal z, by Gauss-Legendre quadrature of the library's own op on both sides
    of the kink."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    mean = square = 0.0
    for low, high in ((-12.0, 0.0), (0.0, 12.0)):
        z = low + (high - low) * (nodes + 1) / 2
        density = weights * (high - low) / 2 * np.exp(-z * z / 2) / sqrt(2 * pi)
        out = nn.functional.selu(Tensor(z)).numpy()
        mean, square = mean + float(density @ out), square + float(density @ out**2)
    return mean, square - mean**2


def constants_of_selu() -> tuple[float, float]:
    """alpha and lambda for which mean 0 and variance 1 are kept (Klambauer et al. 2017, equation 14 solved)."""
    tail = exp(0.5) * (1 - erf(1 / sqrt(2)))                       # 2 E[e^z; z < 0]
    tail_of_squares = exp(2.0) * (1 - erf(2 / sqrt(2)))            # 2 E[e^2z; z < 0]
    alpha = sqrt(2 / pi) / (1 - tail)
    return alpha, sqrt(2 / (1 + alpha**2 * (tail_of_squares - 2 * tail + 1)))


def deep(activation: Any, init: Any) -> Any:
    """50 layers of 512 without biases, in float64."""
    layers = []
    for _ in range(DEPTH):
        linear = nn.Linear(WIDTH, WIDTH, bias=False).double()
        init(linear.weight)
        layers += [linear, activation()]
    return nn.Sequential(*layers)


def selu(options: Namespace) -> Iterator[Outcome]:
    """The fixed point itself, and a network of weights N(0, 1/n) that starts elsewhere and comes back to it."""
    mean, variance = moments_of_selu()
    yield near("SELU of a normal number: mean", 0.0, mean, 1e-7, digits=2)
    yield near("SELU of a normal number: variance", 1.0, variance, 1e-7, digits=9)
    alpha, scale = constants_of_selu()
    slope = nn.functional.selu(Tensor(np.array([1.0, -60.0]))).numpy()
    yield near("SELU: lambda, from the closed form", scale, float(slope[0]), 1e-7, digits=10)
    yield near("SELU: alpha, from the closed form", alpha, float(-slope[1] / slope[0]), 1e-7, digits=10)
    network = deep(nn.SELU, lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear"))
    with no_grad():
        out = network(autograd.randn(400, WIDTH, dtype="float64") * 1.3 + 0.2).numpy()
    yield between(f"SELU, {DEPTH} layers, from mean 0.2 and variance 1.69: mean", "0", out.mean(), -0.1, 0.1, digits=3)
    yield between(f"SELU, {DEPTH} layers: variance", "1", out.var(), 0.8, 1.2, digits=3)


def he(options: Namespace) -> Iterator[Outcome]:
    """The size of signals and gradients after 50 layers, over that before.

    A layer of variance c/n multiplies the mean square by c, a ReLU by 1/2; there are 49 between 50.  He's c is 2,
    Glorot's 1.
    """
    for name, gain, init in (("He", 2.0, lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
                             ("Glorot", 1.0, nn.init.xavier_normal_)):
        forward, backward = [], []
        for _ in range(3):
            network = deep(nn.ReLU, init)
            x: Any = autograd.randn(100, WIDTH, dtype="float64").requires_grad_()
            out = network[:-1](x)                          # up to the last Linear
            out.backward(autograd.randn(100, WIDTH, dtype="float64"))
            forward.append(out.detach().numpy().std())
            backward.append(x.grad.numpy().std())
        expected = sqrt(gain**DEPTH / 2 ** (DEPTH - 1))
        for what, ratios in (("signals", forward), ("gradients", backward)):
            ratio = float(np.exp(np.mean(np.log(ratios))))
            yield between(f"{name}'s weights, {DEPTH} ReLU layers: {what}, last / first", f"{expected:.3g}", ratio,
                          expected / 2, expected * 2, digits=3)


TARGETS = {
    "selu": Target(selu, "fixed point of SELU", "mean 0, variance 1"),
    "he": Target(he, "He's initial weights", "1"),
}
