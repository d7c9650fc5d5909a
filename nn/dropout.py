"""Dropout: of elements, of whole channels, and of what keeps mean and variance."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .functional.layers import check_probability
from .module import Module


class _Dropout(Module):
    """A probability, and whether the input is overwritten."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, each element is 0 with probability p and x / (1 - p) otherwise; in evaluation, x itself.

    x (any shape) -> y (same shape).  Draws from `autograd.default_rng()`.  Source: Srivastava et al. 2014.
    """

    def forward(self, input: Any) -> Any:
        return F.dropout(input, self.p, self.training, self.inplace)


class _ChannelDropout(_Dropout):
    """In training, each channel of each sample is 0 with probability p and x / (1 - p) otherwise; in evaluation, x.

    x (N, C, *L) or (C, *L) -> y (same shape).  Neighbouring elements of a channel tell the same: dropping single ones
    would only add noise.  Source: Tompson et al. 2015.
    """


class Dropout1d(_ChannelDropout):
    __doc__ = _ChannelDropout.__doc__

    def forward(self, input: Any) -> Any:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_ChannelDropout):
    __doc__ = _ChannelDropout.__doc__

    def forward(self, input: Any) -> Any:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_ChannelDropout):
    __doc__ = _ChannelDropout.__doc__

    def forward(self, input: Any) -> Any:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for SELU: in training, dropped elements get SELU's least value, and mean 0 and variance 1 stay.

    x (any shape) -> y (same shape).  Source: Klambauer et al. 2017.
    """

    def forward(self, input: Any) -> Any:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels:  x (N, C, ...) -> y (same shape)."""

    def forward(self, input: Any) -> Any:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
