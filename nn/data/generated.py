"""Small data sets that are drawn: points in the plane in two or more classes, and curves.

Each gives (x, y): x (N, 2) float32 (`swiss_roll` (N, 3), `sine` (N, 1)), y (N,) int64 classes or float32 quantities.
`seed` is an integer or a NumPy Generator; without one the draw is from `autograd.default_rng()`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dataset import rng_of
from .loader import positive

Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def moons(n: int = 100, noise: float = 0.1, seed: Any = None) -> Pair:
    """Two half circles, one hooked into the other."""
    rng, half = rng_of(seed), positive(n, "moons: n") // 2
    outer, inner = np.linspace(0, np.pi, half), np.linspace(0, np.pi, n - half)
    x = np.concatenate([np.stack([np.cos(outer), np.sin(outer)], 1),
                        np.stack([1 - np.cos(inner), 0.5 - np.sin(inner)], 1)])
    return _shuffled(x, np.repeat([0, 1], [half, n - half]), noise, rng)


def circles(n: int = 100, noise: float = 0.05, factor: float = 0.5, seed: Any = None) -> Pair:
    """A circle in a circle; `factor` is the radius of the inner one."""
    if not 0 <= factor < 1:
        raise ValueError(f"circles: expected factor, the radius of the inner circle, in [0, 1); got {factor!r}")
    rng, half = rng_of(seed), positive(n, "circles: n") // 2
    angle = 2 * np.pi * np.concatenate([np.arange(half) / max(half, 1), np.arange(n - half) / (n - half)])
    radius = np.repeat([1.0, factor], [half, n - half])
    return _shuffled(np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None],
                     np.repeat([0, 1], [half, n - half]), noise, rng)


def spirals(n: int = 300, classes: int = 3, noise: float = 0.2, seed: Any = None) -> Pair:
    """Arms of a spiral, one a class; `noise` is that of the angle, in radians.  Source: CS231n's notes."""
    rng = rng_of(seed)
    y = np.arange(positive(n, "spirals: n")) * positive(classes, "spirals: classes") // n
    radius = np.concatenate([np.linspace(0, 1, count) for count in np.bincount(y, minlength=classes) if count])
    angle = 4 * (y + radius) + noise * rng.standard_normal(n)
    return _shuffled(np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1), y, 0.0, rng)


def blobs(n: int = 100, centers: Any = 3, std: float = 1.0, seed: Any = None) -> Pair:
    """Normal clouds; `centers` is how many (placed at random in [-10, 10]²), or an array (K, D) of where."""
    rng = rng_of(seed)
    if isinstance(centers, (int, np.integer)):
        centers = rng.uniform(-10, 10, (positive(centers, "blobs: centers"), 2))
    where = np.asarray(centers, np.float64)
    if where.ndim != 2 or not len(where):
        raise ValueError(f"blobs: expected centers to be a number, or an array (K, D); got shape {where.shape}")
    y = np.arange(positive(n, "blobs: n")) % len(where)
    return _shuffled(where[y], y, std, rng)


def xor(n: int = 200, noise: float = 0.0, seed: Any = None) -> Pair:
    """Points of [-1, 1]²; the class is whether the signs of the two coordinates differ."""
    rng = rng_of(seed)
    x = rng.uniform(-1, 1, (positive(n, "xor: n"), 2))
    y = (x[:, 0] > 0) ^ (x[:, 1] > 0)
    return _shuffled(x, y.astype(np.int64), noise, rng)


def swiss_roll(n: int = 300, noise: float = 0.0, seed: Any = None) -> Pair:
    """A rolled sheet in space; y is the position along the roll.  Source: Marsland, Machine Learning, 2009, ch. 6."""
    rng = rng_of(seed)
    t = 1.5 * np.pi * (1 + 2 * rng.random(positive(n, "swiss_roll: n")))
    x = np.stack([t * np.cos(t), 21 * rng.random(n), t * np.sin(t)], 1)
    return (x + noise * rng.standard_normal(x.shape)).astype(np.float32), t.astype(np.float32)


def sine(n: int = 100, noise: float = 0.1, seed: Any = None) -> Pair:
    """y = sin(x) + noise, x uniform in [-pi, pi]."""
    rng = rng_of(seed)
    x = rng.uniform(-np.pi, np.pi, (positive(n, "sine: n"), 1))
    return x.astype(np.float32), (np.sin(x[:, 0]) + noise * rng.standard_normal(n)).astype(np.float32)


def _shuffled(x: Any, y: Any, noise: float, rng: np.random.Generator) -> Pair:
    order = rng.permutation(len(x))
    return (x + noise * rng.standard_normal(x.shape)).astype(np.float32)[order], y.astype(np.int64)[order]
