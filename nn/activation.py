"""Activation functions as modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import Parameter, ShapeError, full, relu, sigmoid, silu, tanh
from autograd.devices import on_cpu

from . import functional as F
from . import init
from .linear import count
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class _Activation(Module):
    """An elementwise function; `shown` names the settings that stand in the repr."""

    shown: tuple[str, ...] = ()
    inplace = False

    def extra_repr(self) -> str:
        parts = [f"{name}={getattr(self, name)!r}" for name in self.shown]
        return ", ".join([*parts, "inplace=True"] if self.inplace else parts)


class _Inplace(_Activation):
    """An elementwise function whose only setting is `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(_Inplace):
    """max(x, 0)."""

    def forward(self, input: Any) -> Any:
        return F.relu(input, True) if self.inplace else relu(input)


class ReLU6(_Inplace):
    """min(max(x, 0), 6)."""

    def forward(self, input: Any) -> Any:
        return F.relu6(input, self.inplace)


class LeakyReLU(_Activation):
    """x where x > 0, negative_slope · x elsewhere."""

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Any) -> Any:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(_Activation):
    """x where x > 0, weight · x elsewhere; weight (num_parameters,), one for all or one for each channel of axis 1."""

    shown = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        on_cpu("PReLU", device)
        self.num_parameters, self.init = count("PReLU", "num_parameters", num_parameters), init
        self.weight = Parameter(full(self.num_parameters, init, dtype=dtype))

    def reset_parameters(self) -> None:
        """All slopes as at the start."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        return F.prelu(input, self.weight)


class RReLU(_Activation):
    """x where x >= 0, a x elsewhere; in training a is drawn from [lower, upper] for each element, else their mean.

    Source: Xu et al. 2015.
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= lower <= upper:
            raise ValueError(f"RReLU: expected 0 <= lower <= upper; got {lower} and {upper}")
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Any) -> Any:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class ELU(_Activation):
    """x where x > 0, alpha (e^x - 1) elsewhere."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Any) -> Any:
        return F.elu(input, self.alpha, self.inplace)


class CELU(ELU):
    """max(x, 0) + min(0, alpha (e^(x/alpha) - 1))."""

    def forward(self, input: Any) -> Any:
        return F.celu(input, self.alpha, self.inplace)


class SELU(_Inplace):
    """Scaled ELU that keeps mean 0 and variance 1 from layer to layer."""

    def forward(self, input: Any) -> Any:
        return F.selu(input, self.inplace)


class GELU(_Activation):
    """x Φ(x), or its approximation by tanh: approximate="tanh"."""

    shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh'; got {approximate!r}")
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        return F.gelu(input, self.approximate)


class SiLU(_Inplace):
    """x sigmoid(x)."""

    def forward(self, input: Any) -> Any:
        return F.silu(input, True) if self.inplace else silu(input)


class Mish(_Inplace):
    """x tanh(softplus(x))."""

    def forward(self, input: Any) -> Any:
        return F.mish(input, self.inplace)


class Sigmoid(_Activation):
    """1 / (1 + e^-x)."""

    def forward(self, input: Any) -> Any:
        return sigmoid(input)


class LogSigmoid(_Activation):
    """ln(1 / (1 + e^-x))."""

    def forward(self, input: Any) -> Any:
        return F.logsigmoid(input)


class Hardsigmoid(_Inplace):
    """min(max(x + 3, 0), 6) / 6."""

    def forward(self, input: Any) -> Any:
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_Inplace):
    """x min(max(x + 3, 0), 6) / 6."""

    def forward(self, input: Any) -> Any:
        return F.hardswish(input, self.inplace)


class Tanh(_Activation):
    """Hyperbolic tangent."""

    def forward(self, input: Any) -> Any:
        return tanh(input)


class Hardtanh(_Activation):
    """x held within [min_val, max_val]."""

    shown = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
                 min_value: float | None = None, max_value: float | None = None) -> None:
        super().__init__()
        min_val = min_val if min_value is None else min_value                # the older names
        max_val = max_val if max_value is None else max_value
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val must be below max_val; got {min_val} and {max_val}")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Any) -> Any:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class Tanhshrink(_Activation):
    """x - tanh(x)."""

    def forward(self, input: Any) -> Any:
        return F.tanhshrink(input)


class Softplus(_Activation):
    """ln(1 + e^(beta x)) / beta; x itself where beta x exceeds the threshold."""

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        return F.softplus(input, self.beta, self.threshold)


class Softsign(_Activation):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Any:
        return F.softsign(input)


class Softshrink(_Activation):
    """x moved towards 0 by lambd, and 0 within it."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(Softshrink):
    """0 where |x| <= lambd, x elsewhere."""

    def forward(self, input: Any) -> Any:
        return F.hardshrink(input, self.lambd)


class Threshold(_Activation):
    """x where x > threshold, `value` elsewhere."""

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Any) -> Any:
        return F.threshold(input, self.threshold, self.value, self.inplace)


class GLU(_Activation):
    """First half of axis `dim`, times the sigmoid of the second."""

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return F.glu(input, self.dim)


class Softmax(_Activation):
    """e^x / Σ e^x along axis `dim`."""

    shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return F.softmax(input, self.dim)


class LogSoftmax(Softmax):
    """ln softmax(x) along axis `dim`."""

    def forward(self, input: Any) -> Any:
        return F.log_softmax(input, self.dim)


class Softmin(Softmax):
    """softmax(-x) along axis `dim`."""

    def forward(self, input: Any) -> Any:
        return F.softmin(input, self.dim)


class Softmax2d(_Activation):
    """e^x / Σ e^x over the channels, at each place of an image:  x (N, C, H, W) or (C, H, W) -> y (same shape)."""

    def forward(self, input: Any) -> Any:
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected an input (N, C, H, W) or (C, H, W); got shape {tuple(input.shape)}")
        return F.softmax(input, -3)
