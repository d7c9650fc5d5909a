"""Noise in training that is none in evaluation: added, multiplied, and whole branches that are left out."""

from __future__ import annotations

from typing import Any

from autograd import default_rng

from .functional.layers import check_probability
from .module import Module


class GaussianNoise(Module):
    """In training x + a normal number of standard deviation `stddev` for each element; in evaluation x itself."""

    def __init__(self, stddev: float) -> None:
        super().__init__()
        if not stddev >= 0:
            raise ValueError(f"GaussianNoise: stddev must not be negative; got {stddev}")
        self.stddev = stddev

    def forward(self, input: Any) -> Any:
        if not self.training or not self.stddev:
            return input
        return input + (default_rng().standard_normal(input.shape) * self.stddev).astype(input.dtype)

    def extra_repr(self) -> str:
        return f"stddev={self.stddev}"


class GaussianDropout(Module):
    """In training x times a normal number of mean 1 and variance p / (1 - p) for each element; in evaluation x itself.

    Mean and variance of dropout with probability p.  Source: Srivastava et al. 2014, section 10.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        check_probability("GaussianDropout", p)
        if p == 1:
            raise ValueError("GaussianDropout: p must be less than 1, the variance is p / (1 - p)")
        self.p = p

    def forward(self, input: Any) -> Any:
        if not self.training or not self.p:
            return input
        std = (self.p / (1 - self.p)) ** 0.5
        return input * (1 + default_rng().standard_normal(input.shape) * std).astype(input.dtype)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class StochasticDepth(Module):
    """In training each sample (mode "row"), or the batch ("batch"), is 0 with probability p and x / (1 - p) otherwise.

    x (N, ...) -> y (same shape): what a residual branch gives, which then is left out.  Source: Huang et al. 2016.
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        check_probability("StochasticDepth", p)
        if mode not in ("row", "batch"):
            raise ValueError(f"StochasticDepth: mode must be 'row' or 'batch'; got {mode!r}")
        self.p, self.mode = p, mode

    def forward(self, input: Any) -> Any:
        if not self.training or not self.p:
            return input
        many = input.shape[0] if self.mode == "row" else 1
        keep = default_rng().random((many,) + (1,) * (input.ndim - 1)) >= self.p
        return input * (keep / (1 - self.p) if self.p < 1 else keep).astype(input.dtype)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"
