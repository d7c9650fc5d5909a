"""Initial values of parameters.  Each function fills its tensor, in place as PyTorch's, and returns it.

The tensor is given a new array: what was read from it before, or saved by a graph, keeps the old one.
All draw from `autograd.default_rng()` unless they are given a generator (a NumPy Generator, or a seed).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd import GradientError, ShapeError, Tensor, default_rng


def _write(tensor: Tensor, value: Any) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"init: expected a Tensor to fill; got {type(tensor).__name__}")
    if tensor.grad_fn is not None:
        raise GradientError("init: expected a leaf to fill, such as a parameter; got a tensor computed by "
                            f"{tensor.grad_fn.op}, whose history would be wrong")
    value = np.broadcast_to(np.asarray(value), tensor.shape).astype(tensor.dtype)
    tensor.value = value if value.ndim else value[()]
    return tensor


def _rng(generator: Any) -> np.random.Generator:
    return default_rng() if generator is None else np.random.default_rng(generator)


def _drawn(dtype: np.dtype[Any]) -> Any:
    """The precision to draw in: the tensor's own where NumPy can, so that a large table costs half."""
    return np.float32 if dtype == np.float32 else np.float64


def _uniform(tensor: Tensor, a: float, b: float, generator: Any) -> Tensor:
    drawn = _rng(generator).random(tensor.shape, _drawn(tensor.dtype))
    return _write(tensor, drawn * (b - a) + a)


def _normal(tensor: Tensor, mean: float, std: float, generator: Any) -> Tensor:
    drawn = _rng(generator).standard_normal(tensor.shape, _drawn(tensor.dtype))
    return _write(tensor, drawn * std + mean)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in [a, b)."""
    if a > b:
        raise ValueError(f"uniform_: expected a <= b; got a={a}, b={b}")
    return _uniform(tensor, a, b, generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal of the given mean and standard deviation."""
    if std < 0:
        raise ValueError(f"normal_: the standard deviation must not be negative; got {std}")
    return _normal(tensor, mean, std, generator)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Any = None) -> Tensor:
    """Normal of mean and std, drawn again wherever it falls outside [a, b] (limits in the units of the tensor).

    Source: Robert 1995, "Simulation of truncated normal variables": from the normal itself where [a, b] holds much
    of it, from a uniform proposal elsewhere.
    """
    if not a < b or std <= 0:
        raise ValueError(f"trunc_normal_: expected a < b and std > 0; got a={a}, b={b}, std={std}")
    rng, low, high = _rng(generator), (a - mean) / std, (b - mean) / std
    wide = low < 0.5 and high > -0.5 and high - low > 1
    peak = min(max(0.0, low), high)                     # the most likely place within the limits
    low, high = max(low, peak - 9), min(high, peak + 9)  # beyond, the density has fallen by e^-40
    out = np.empty(tensor.numel())
    left = np.arange(out.size)
    while left.size:
        drawn = rng.standard_normal(left.size) if wide else low + (high - low) * rng.random(left.size)
        good = (drawn >= low) & (drawn <= high)
        if not wide:
            good &= rng.random(left.size) < np.exp((peak * peak - drawn * drawn) / 2)
        out[left[good]] = drawn[good]
        left = left[~good]
    return _write(tensor, np.clip(out * std + mean, a, b).reshape(tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The same value everywhere."""
    return _write(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return _write(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return _write(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix; as the weight of a Linear it keeps as many inputs as there are outputs."""
    _at_least("eye_", tensor, 2, 2)
    return _write(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution kernel (out, in, *size) that passes its input on: 1 at the middle, from channel i to channel i."""
    _at_least("dirac_", tensor, 3, 5)
    out, channels, *size = tensor.shape
    if out % groups:
        raise ValueError(f"dirac_: the {out} output channels must divide evenly into groups={groups}")
    value, each = np.zeros(tensor.shape), out // groups
    for g in range(groups):
        for i in range(min(each, channels)):
            value[(g * each + i, i, *[n // 2 for n in size])] = 1
    return _write(tensor, value)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a layer's weights must grow so that the nonlinearity after it keeps the variance.

    √2 for relu, √(2 / (1 + slope²)) for leaky_relu (param: the slope, 0.01 by default), 5/3 for tanh, 3/4 for selu.
    Raises ValueError for a name that is not known.
    """
    known = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    known.update({f"conv{t}{n}d": 1.0 for t in ("", "_transpose") for n in (1, 2, 3)})
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"calculate_gain: the slope of leaky_relu must be a number; got {param!r}")
        return math.sqrt(2 / (1 + slope * slope))
    if nonlinearity not in known:
        names = ", ".join(sorted([*known, "leaky_relu"]))
        raise ValueError(f"calculate_gain: unsupported nonlinearity {nonlinearity!r}; known: {names}")
    return known[nonlinearity]


def _at_least(who: str, tensor: Tensor, low: int, high: int) -> None:
    if not low <= tensor.ndim <= high:
        axes = f"{low}" if low == high else f"{low} to {high}"
        raise ShapeError(f"{who}: expected a tensor of {axes} axes; got shape {tensor.shape}")


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many numbers go into one output, and out of one input.  weight (out, in, *kernel)."""
    if tensor.ndim < 2:
        raise ShapeError("Fan in and fan out can not be computed for a tensor with fewer than 2 axes (out, in, ...); "
                         f"got shape {tensor.shape}: use uniform_, normal_ or zeros_")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in ±gain √(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6 / (sum(fans(tensor)) or 1))
    return _uniform(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal of standard deviation gain √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    return _normal(tensor, 0, gain * math.sqrt(2 / (sum(fans(tensor)) or 1)), generator)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: mode must be 'fan_in' or 'fan_out'; got {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan or 1)


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Any = None) -> Tensor:
    """Uniform in ±gain √(3 / fan);  `a` is the slope of the leaky_relu that follows (He et al. 2015)."""
    bound = math.sqrt(3) * _kaiming(tensor, a, mode, nonlinearity)
    return _uniform(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Any = None) -> Tensor:
    """Normal of standard deviation gain / √fan;  `a` is the slope of the leaky_relu that follows (He et al. 2015)."""
    return _normal(tensor, 0, _kaiming(tensor, a, mode, nonlinearity), generator)


def variance_scaling_(tensor: Tensor, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
                      generator: Any = None) -> Tensor:
    """Variance scale / fan, by whose special cases the others go:  fan of `mode` "fan_in", "fan_out" or "fan_avg".

    `distribution`: "truncated_normal" (within two standard deviations, and widened to make up for that), "normal" (in
    Keras "untruncated_normal") or "uniform".  Source: Keras's VarianceScaling.
    """
    into, out = fans(tensor)
    known = {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}
    if mode not in known or scale <= 0:
        raise ValueError(f"variance_scaling_: expected scale > 0 and mode 'fan_in', 'fan_out' or 'fan_avg'; got "
                         f"scale={scale} and mode={mode!r}")
    std = math.sqrt(scale / max(known[mode], 1))
    if distribution == "truncated_normal":
        std /= 0.87962566103423978            # the standard deviation of a normal cut off at ±2
        return trunc_normal_(tensor, 0.0, std, -2 * std, 2 * std, generator)
    if distribution == "uniform":
        return _uniform(tensor, -math.sqrt(3) * std, math.sqrt(3) * std, generator)
    if distribution not in ("normal", "untruncated_normal"):
        raise ValueError("variance_scaling_: distribution must be 'truncated_normal', 'normal' or 'uniform'; got "
                         f"{distribution!r}")
    return _normal(tensor, 0, std, generator)


def lecun_uniform_(tensor: Tensor, generator: Any = None) -> Tensor:
    """Uniform in ±√(3 / fan_in) (LeCun et al. 1998)."""
    return variance_scaling_(tensor, 1.0, "fan_in", "uniform", generator)


def lecun_normal_(tensor: Tensor, generator: Any = None) -> Tensor:
    """Normal of variance 1 / fan_in, none beyond two standard deviations (LeCun et al. 1998); for SELU."""
    return variance_scaling_(tensor, 1.0, "fan_in", "truncated_normal", generator)


def delta_orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A convolution kernel (out, in, *size) that is an orthogonal matrix at its middle and 0 elsewhere.

    It keeps norms through thousands of layers.  Raises ShapeError for more inputs than outputs.  Source: Xiao et al.
    2018, "Dynamical Isometry and a Mean Field Theory of CNNs".
    """
    _at_least("delta_orthogonal_", tensor, 3, 5)
    out, into, *size = tensor.shape
    if into > out:
        raise ShapeError(f"delta_orthogonal_: expected at most as many inputs as outputs; got shape {tensor.shape}")
    middle = orthogonal_(Tensor(np.empty((out, into))), gain, generator).value
    value: Any = np.zeros(tensor.shape)
    value[(slice(None), slice(None), *[(n - 1) // 2 for n in size])] = middle
    return _write(tensor, value)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A (semi-)orthogonal matrix times gain, the axes after the first counted as one.  Source: Saxe et al. 2013.

    The signs are fixed by R's diagonal, so that all orthogonal matrices are equally likely (Mezzadri 2007).
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: expected a tensor of at least 2 axes; got shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    drawn = _rng(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diagonal(r) < 0, -1, 1)
    return _write(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal of mean 0, with a fraction `sparsity` of each column set to 0.  Source: Martens 2010."""
    _at_least("sparse_", tensor, 2, 2)
    rng = _rng(generator)
    rows, columns = tensor.shape
    value = rng.standard_normal((rows, columns)) * std
    for column in range(columns):
        value[rng.permutation(rows)[:math.ceil(sparsity * rows)], column] = 0
    return _write(tensor, value)


_calculate_fan_in_and_fan_out = fans          # under this name it stands in many programs
_OLD = "uniform normal constant eye dirac xavier_uniform xavier_normal kaiming_uniform kaiming_normal orthogonal sparse"


def __getattr__(name: str) -> Any:
    """The names of before PyTorch 0.4, without the underscore, with a warning."""
    if name not in _OLD.split():
        raise AttributeError(f"module 'nn.init' has no attribute {name!r}")
    warnings.warn(f"nn.init.{name} is deprecated: use nn.init.{name}_", FutureWarning, stacklevel=2)
    return globals()[f"{name}_"]
