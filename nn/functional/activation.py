"""Activation functions.  At a kink the derivative is PyTorch's."""

from __future__ import annotations

import warnings
from typing import Any

import autograd
from autograd import ShapeError, where
from autograd.inplace import honour_inplace

from . import rules


@honour_inplace
def relu(input: Any, inplace: bool = False) -> Any:
    """Rectifier:  max(x, 0)."""
    return autograd.relu(input)


@honour_inplace
def relu6(input: Any, inplace: bool = False) -> Any:
    """Rectifier held at 6:  min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0)


@honour_inplace
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, negative_slope · x elsewhere (Maas et al. 2013)."""
    return autograd.leaky_relu(input, negative_slope=negative_slope)


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, weight · x elsewhere, the slope being learned (He et al. 2015).

    input (N, C, ...), weight (1,) or (C,), one slope for each channel of axis 1 -> (N, C, ...).
    """
    slopes = weight.shape[0] if weight.ndim else 1
    if weight.ndim > 1 or slopes not in (1, input.shape[1] if input.ndim > 1 else 1):
        channels = f"{input.shape[1]} channels on axis 1" if input.ndim > 1 else "no channel axis"
        raise ShapeError("prelu: expected a weight (1,), or one slope for each channel; "
                         f"got weight {tuple(weight.shape)} and input {tuple(input.shape)}, which has {channels}")
    if slopes != 1 and input.ndim > 2:
        weight = autograd.reshape(weight, shape=(slopes,) + (1,) * (input.ndim - 2))
    elif weight.ndim and not input.ndim:
        weight = autograd.reshape(weight, shape=())
    return rules.prelu(input, weight)


@honour_inplace
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, α(e^x - 1) elsewhere (Clevert et al. 2016)."""
    return autograd.elu(input, alpha=alpha)


@honour_inplace
def selu(input: Any, inplace: bool = False) -> Any:
    """Scaled elu whose fixed point is mean 0 and variance 1 (Klambauer et al. 2017)."""
    return 1.0507009873554804934193349852946 * autograd.elu(input, alpha=1.6732632423543772848170429916717)


@honour_inplace
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(x, 0) + min(0, α(e^(x/α) - 1)), smooth at 0 for any α (Barron 2017)."""
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0, it divides x")
    return alpha * autograd.elu(input / alpha)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Φ(x), Φ the distribution function of the normal (Hendrycks and Gimpel 2016).

    approximate="tanh":  x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    """
    if approximate == "none":
        return autograd.gelu(input)
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh'; got {approximate!r}")
    # (1 + tanh u) / 2 = sigmoid(2u), which does not cancel for u << 0
    return input * autograd.sigmoid(1.5957691216057308 * (input + 0.044715 * (input * input * input)))


@honour_inplace
def silu(input: Any, inplace: bool = False) -> Any:
    """x sigmoid(x), also called swish (Elfwing et al. 2018)."""
    return autograd.silu(input)


@honour_inplace
def mish(input: Any, inplace: bool = False) -> Any:
    """x tanh(softplus(x)) (Misra 2020)."""
    return input * autograd.tanh(autograd.softplus(input))


def sigmoid(input: Any) -> Any:
    """Logistic function:  1 / (1 + e^-x)."""
    return autograd.sigmoid(input)


def logsigmoid(input: Any) -> Any:
    """ln sigmoid(x), without overflow."""
    return autograd.logsigmoid(input)


@honour_inplace
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """Sigmoid of straight lines:  relu6(x + 3) / 6."""
    return rules.hardsigmoid(input)


@honour_inplace
def hardswish(input: Any, inplace: bool = False) -> Any:
    """x hardsigmoid(x) (Howard et al. 2019)."""
    return input * relu6(input + 3) / 6


def tanh(input: Any) -> Any:
    """Hyperbolic tangent."""
    return autograd.tanh(input)


@honour_inplace
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x held within [min_val, max_val]; on the bounds the derivative is 0 (`autograd.clamp` has 1 there)."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val must not exceed max_val; got {min_val} and {max_val}")
    return rules.hardtanh(input, min_val=min_val, max_val=max_val)


def tanhshrink(input: Any) -> Any:
    """x - tanh(x)."""
    return input - autograd.tanh(input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + e^(βx)) / β; x itself where βx exceeds the threshold (Dugas et al. 2001)."""
    return autograd.softplus(input, beta=beta, threshold=threshold)


def softsign(input: Any) -> Any:
    """x / (1 + |x|)."""
    return input / (autograd.abs(input) + 1)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by lambd, and 0 within it:  sign(x) max(|x| - λ, 0)."""
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must not be negative; got {lambd}")
    return input - autograd.clamp(input, min=-lambd, max=lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """0 where |x| <= λ, x elsewhere."""
    return where((input >= -lambd) & (input <= lambd), 0, input)


@honour_inplace
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > threshold, `value` elsewhere."""
    return where(input <= threshold, value, input)


def glu(input: Any, dim: int = -1) -> Any:
    """First half of an axis, gated by the second:  a sigmoid(b),  x = [a, b] (Dauphin et al. 2017)."""
    if input.ndim == 0 or input.shape[dim] % 2:
        raise ShapeError(f"glu: expected an even number of elements on axis {dim}, to halve it; "
                         f"got shape {tuple(input.shape)}")
    a, b = autograd.split(input, input.shape[dim] // 2, dim)
    return a * autograd.sigmoid(b)


def softmax(input: Any, dim: int | None = None, *, dtype: Any = None) -> Any:
    """e^x / Σ e^x along `dim`."""
    return autograd.softmax(_cast(input, dtype), dim=_axis("softmax", dim, input.ndim))


def log_softmax(input: Any, dim: int | None = None, *, dtype: Any = None) -> Any:
    """ln softmax(x) along `dim`, without overflow."""
    return autograd.log_softmax(_cast(input, dtype), dim=_axis("log_softmax", dim, input.ndim))


def softmin(input: Any, dim: int | None = None, *, dtype: Any = None) -> Any:
    """softmax(-x) along `dim`.

    The sign is turned in the dtype of x, before the cast to `dtype`: unsigned integers wrap round then, as in PyTorch.
    Raises TypeError for unsigned integers that are not cast at all.
    """
    if dtype is None and input.dtype.kind == "u":
        raise TypeError(f"softmin: expected floats; got {input.dtype}, which has no negative numbers: use x.float()")
    return autograd.softmax(_cast(-input, dtype), dim=_axis("softmin", dim, input.ndim))


def _cast(input: Any, dtype: Any) -> Any:
    return input if dtype is None else autograd.cast(input, dtype=dtype)


def _axis(who: str, dim: int | None, ndim: int) -> int:
    if dim is not None:
        return dim
    dim = 0 if ndim in (0, 1, 3) else 1
    warnings.warn(f"{who} was given no dim and takes {dim} for {ndim} axes, as PyTorch: say dim={dim}", stacklevel=3)
    return dim
