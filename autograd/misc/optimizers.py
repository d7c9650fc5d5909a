"""Gradient descent over trees of arrays, as HIPS autograd has it: sgd(grad(loss), params, callback=..., num_iters=...).

`grad(x, i)` is the gradient at step i; `callback(x, i, g)` sees every step.  Each returns the last x, built like the
first.  For everything else there is the package `optim`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .flatten import flatten

__all__ = ["adam", "rmsprop", "sgd"]

Gradient = Callable[[Any, int], Any]


def _of_trees(optimize: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(optimize)
    def of_tree(grad: Gradient, x0: Any, callback: Any = None, *args: Any, **kwargs: Any) -> Any:
        x, back = flatten(x0)

        def gradient(x: Any, i: int) -> Any:
            return flatten(grad(back(x), i))[0]
        seen = None if callback is None else lambda x, i, g: callback(back(x), i, back(g))
        return back(optimize(gradient, np.array(x), seen, *args, **kwargs))
    return of_tree


@_of_trees
def sgd(grad: Gradient, x: Any, callback: Any = None, num_iters: int = 200, step_size: float = 0.1,
        mass: float = 0.9) -> Any:
    """Descent with momentum:  v = m v - (1 - m) g;  x = x + α v."""
    velocity = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        velocity = mass * velocity - (1.0 - mass) * g
        x = x + step_size * velocity
    return x


@_of_trees
def rmsprop(grad: Gradient, x: Any, callback: Any = None, num_iters: int = 100, step_size: float = 0.1,
            gamma: float = 0.9, eps: float = 1e-8) -> Any:
    """Steps divided by a running root mean square of the gradient:  s = γ s + (1 - γ) g²;  x = x - α g / (√s + ε).

    Source: T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", 2012.
    """
    square = np.ones(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        square = gamma * square + (1 - gamma) * g ** 2
        x = x - step_size * g / (np.sqrt(square) + eps)
    return x


@_of_trees
def adam(grad: Gradient, x: Any, callback: Any = None, num_iters: int = 100, step_size: float = 0.001,
         b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Steps from running means of g and g², without their bias towards 0.

    Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015.
    """
    m, v = np.zeros(len(x)), np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * g ** 2 + b2 * v
        x = x - step_size * (m / (1 - b1 ** (i + 1))) / (np.sqrt(v / (1 - b2 ** (i + 1))) + eps)
    return x
