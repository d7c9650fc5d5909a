"""Tensors filled in place with random numbers: Tensor.uniform_ and its relatives.

Each takes the tensor first, writes into its memory as `copy_` does and returns it: views see the change, and a leaf
that requires a gradient is filled inside no_grad only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..creation import default_rng
from ..tensor import Tensor


def _rng(generator: Any) -> np.random.Generator:
    return default_rng() if generator is None else np.random.default_rng(generator)


def _filled(tensor: Any, values: Any) -> Any:
    return tensor.copy_(np.asarray(values).astype(tensor.dtype))


def _floating(who: str, tensor: Tensor) -> None:
    if tensor.dtype.kind not in "fc":
        raise TypeError(f"{who}: expected a floating-point tensor; got {tensor.dtype}")


def uniform_(tensor: Tensor, low: float = 0.0, high: float = 1.0, *, generator: Any = None) -> Tensor:
    """Uniform in [low, high)."""
    _floating("uniform_", tensor)
    if low > high:
        raise ValueError(f"uniform_: expected low <= high; got {low} and {high}")
    return _filled(tensor, low + (high - low) * _rng(generator).random(tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Normal of the given mean and standard deviation."""
    _floating("normal_", tensor)
    if std < 0:
        raise ValueError(f"normal_: expected std >= 0.0, but found std {std}")
    rng = _rng(generator)
    drawn = rng.standard_normal(tensor.shape)
    if tensor.dtype.kind == "c":              # half of the variance in each part
        drawn = (drawn + 1j * rng.standard_normal(tensor.shape)) / np.sqrt(2)
    return _filled(tensor, mean + std * drawn)


def log_normal_(tensor: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
    """e^N(mean, std): mean and std are those of the logarithm."""
    _floating("log_normal_", tensor)
    if std <= 0:
        raise ValueError(f"log_normal_: expected std > 0.0, but found std {std}")
    return _filled(tensor, np.exp(mean + std * _rng(generator).standard_normal(tensor.shape)))


def exponential_(tensor: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Exponential of rate lambd: mean 1 / lambd."""
    _floating("exponential_", tensor)
    if not lambd > 0:
        raise ValueError(f"exponential_: expected lambd > 0.0, but found lambd {lambd}")
    return _filled(tensor, _rng(generator).standard_exponential(tensor.shape) / lambd)


def cauchy_(tensor: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
    """Cauchy of the given median and half width at half maximum."""
    _floating("cauchy_", tensor)
    if not sigma > 0:
        raise ValueError(f"cauchy_: expected sigma > 0.0, but found sigma {sigma}")
    return _filled(tensor, median + sigma * _rng(generator).standard_cauchy(tensor.shape))


def geometric_(tensor: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """The number of tries up to the first success, each of probability p:  1, 2, ..."""
    if not 0 < p < 1:
        raise ValueError(f"geometric_: expected p to be in (0, 1), but got p={p}")
    return _filled(tensor, _rng(generator).geometric(p, tensor.shape))


def bernoulli_(tensor: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """1 with probability p (a number, or a tensor that broadcasts), else 0."""
    chance = p.value if isinstance(p, Tensor) else np.asarray(p)
    if not (np.all(chance >= 0) and np.all(chance <= 1)):
        raise ValueError(f"bernoulli_: expected p within [0, 1]; got {p}")
    return _filled(tensor, _rng(generator).random(tensor.shape) < chance)


def random_(tensor: Tensor, low: int = 0, high: int | None = None, *, generator: Any = None) -> Tensor:
    """Whole numbers in [low, high), or in [0, low) of low alone; without either all that the dtype holds."""
    if high is None and low:
        low, high = 0, low
    if high is None:
        kind = tensor.dtype.kind
        high = 2 if kind == "b" else 2 ** (np.finfo(tensor.dtype).nmant + 1) + 1 if kind in "fc" else \
            int(np.iinfo(tensor.dtype).max) + 1
    if low >= high:
        raise ValueError(f"random_: expected low < high; got {low} and {high}")
    drawn: Any = tensor.dtype if tensor.dtype.kind in "iu" else np.int64
    return _filled(tensor, _rng(generator).integers(low, high - 1, tensor.shape, drawn, endpoint=True))
