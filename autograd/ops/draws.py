"""Random numbers from distributions with parameters: of the generator that `autograd.manual_seed` starts.

`normal` and `uniform` are reparameterised: a draw is a function of its parameters, and is differentiated as such
(Kingma and Welling 2014, section 2.4), where PyTorch returns zeros.  Whole numbers jump: their derivative is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..creation import default_rng
from ..errors import ShapeError
from ..op import elementwise
from ..promotion import get_default_dtype
from ..tensor import Tensor, wrap
from .composed import array_of, composed, tensor_if
from .elementwise import add, multiply, subtract
from .linear import cast
from .reduce import softmax

_DRAWN = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])


@elementwise(x=lambda g: g * 0, category="custom", cases=[(((2, 3), _DRAWN), {})])
def drawn(x: Any, value: Any) -> Any:
    """Whole numbers that were drawn with parameters x: they jump, so the derivative is 0."""
    return np.asarray(value).astype(x.dtype)[()]


def _generator(generator: Any) -> np.random.Generator:
    return default_rng() if generator is None else np.random.default_rng(generator)


def _floats(who: str, x: Any, low: float | None = None, high: float | None = None) -> Any:
    value = array_of(x)
    if value.dtype.kind != "f":
        raise TypeError(f"{who}: expected parameters of a floating-point dtype; got {value.dtype}")
    above, below = low is None or np.all(value >= low), high is None or np.all(value <= high)
    if value.size and not (above and below):
        limits = f"within [{low}, {high}]" if high is not None else f"of at least {low}"
        raise ValueError(f"{who}: expected parameters {limits}; got {value.min()} to {value.max()}")
    return value


@composed
def bernoulli(x: Any, p: float | None = None, *, generator: Any = None) -> Any:
    """1 with probability x (or p), else 0, element by element."""
    if p is not None:
        made = (_generator(generator).random(x.shape) < p).astype(x.dtype)
        return tensor_if(x, np.asarray(made))
    chance = _floats("bernoulli", x, 0, 1)
    return drawn(x, np.asarray(_generator(generator).random(chance.shape) < chance))


@composed
def poisson(x: Any, generator: Any = None) -> Any:
    """Counts of mean x, element by element (Poisson distribution)."""
    rate = _floats("poisson", x, 0)
    return drawn(x, np.asarray(_generator(generator).poisson(rate)))


@composed
def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """How many of `count` tries succeed, each with probability `prob`."""
    tries, chance = _floats("binomial", count, 0), _floats("binomial", prob, 0, 1)
    return drawn(prob + count * 0, np.asarray(_generator(generator).binomial(tries.astype(np.int64), chance)))


@composed
def multinomial(x: Any, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Any:
    """Indices drawn with probabilities in proportion to x:  (n,) or (m, n) -> (num_samples,) or (m, num_samples) int64.

    Without replacement by the largest of x / Exponential(1) (Efraimidis and Spirakis 2006).
    Raises ValueError for weights below 0, rows without any, and more draws than there is to draw from.
    """
    weight = _floats("multinomial", x)
    if weight.ndim not in (1, 2) or not weight.shape[-1]:
        raise ShapeError(f"multinomial: expected weights (n,) or (m, n); got shape {weight.shape}")
    if not np.all(np.isfinite(weight)) or np.any(weight < 0) or not np.all(weight.sum(-1) > 0):
        raise ValueError("multinomial: expected finite weights of at least 0, with a sum above 0 in each row; got "
                         f"{weight.min()} to {weight.max()}")
    if num_samples <= 0 or (not replacement and num_samples > weight.shape[-1]):
        raise ValueError(f"multinomial: cannot draw {num_samples} of {weight.shape[-1]} "
                         f"{'with' if replacement else 'without'} replacement")
    rng, wide = _generator(generator), weight.astype(np.float64)
    if not replacement:
        if np.any(np.count_nonzero(weight, -1) < num_samples):
            raise ValueError(f"multinomial: fewer than {num_samples} weights are above 0: draw with replacement")
        key = wide / rng.standard_exponential(wide.shape)
        return tensor_if(x, np.argsort(-key, axis=-1, kind="stable")[..., :num_samples])
    upto = np.cumsum(wide, -1)
    at = rng.random((*wide.shape[:-1], num_samples)) * upto[..., -1:]
    if wide.ndim == 1:
        found = np.searchsorted(upto, at, "right")
    else:                                     # rows one behind the other on one axis, so that one search does all
        lift = np.arange(len(wide))[:, None] * (upto[:, -1].max() + 1)
        found = np.searchsorted((upto + lift).ravel(), (at + lift).ravel(), "right").reshape(at.shape)
        found -= np.arange(len(wide))[:, None] * wide.shape[1]
    last = wide.shape[-1] - 1 - np.argmax(wide[..., ::-1] > 0, -1)
    return tensor_if(x, np.minimum(found, last[..., None] if wide.ndim == 2 else last))


def _size(size: Any, *parts: Any) -> Any:
    if size is None:
        return np.broadcast_shapes(*[np.shape(array_of(p)) for p in parts])
    return tuple(size) if isinstance(size, (tuple, list)) else (size,)


def _dtype(*parts: Any) -> Any:
    kinds = [p.dtype for p in parts if hasattr(p, "dtype") and p.dtype.kind in "fc"]
    return np.result_type(*kinds) if kinds else get_default_dtype()


def _beside(value: Any, *parts: Any) -> Any:
    """A Tensor, unless arrays alone were given: of numbers alone too, as the other constructors."""
    arrays = any(isinstance(p, (np.ndarray, np.generic)) for p in parts)
    return value if arrays and not any(isinstance(p, Tensor) for p in parts) else wrap(np.asarray(value)[()])


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Any:
    """Normal random numbers of mean and std, which broadcast, or of a size:  mean + std ε.

    Recorded for tensors mean and std: the derivative is 1 to mean, ε to std.
    """
    if np.any(array_of(std) < 0):
        raise ValueError(f"normal: expected std >= 0.0, but found std {float(np.min(array_of(std)))}")
    eps = np.asarray(_generator(generator).standard_normal(_size(size, mean, std)))
    made = add(multiply(_beside(eps.astype(dtype or _dtype(mean, std)), mean, std), std), mean)
    return made if dtype is None or made.dtype == dtype else cast(made, dtype=dtype)


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Any:
    """Uniform random numbers in [low, high), which broadcast, or of a size:  low + (high - low) ε.  Recorded."""
    if np.any(array_of(high) < array_of(low)):
        raise ValueError("uniform: expected low <= high; got a low above its high")
    eps = np.asarray(_generator(generator).random(_size(size, low, high)))
    drawn_ = _beside(eps.astype(dtype or _dtype(low, high)), low, high)
    width = high - low if not any(isinstance(v, Tensor) for v in (low, high)) else subtract(high, low)
    return add(multiply(drawn_, width), low)


@composed
def randint_like(x: Any, low: int, high: int | None = None, *, dtype: Any = None) -> Any:
    """Random integers in [low, high), or in [0, low), of the shape and dtype of x."""
    low, high = (0, low) if high is None else (low, high)
    return tensor_if(x, np.asarray(default_rng().integers(int(low), int(high), x.shape)).astype(dtype or x.dtype))


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A draw from categories as a point of the simplex:  softmax((logits + Gumbel noise) / tau)  along `dim`.

    hard: the one-hot vector of the largest, with the gradient of the soft draw (straight-through).
    Source: Jang, Gu and Poole 2017, section 2.
    """
    noise = -np.log(default_rng().standard_exponential(tuple(logits.shape)) + np.finfo(np.float64).tiny)
    soft = softmax((logits + noise.astype(logits.dtype)) / tau, dim=dim)
    if not hard:
        return soft
    value = array_of(soft)
    top = np.zeros(value.shape, value.dtype)
    np.put_along_axis(top, np.argmax(value, axis=dim, keepdims=True), 1, axis=dim)
    return soft + (top - value)
