"""Dropout."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .functional.layers import check_probability
from .module import Module


class Dropout(Module):
    """In training, each element is 0 with probability p and x / (1 - p) otherwise; in evaluation, x itself.

    x (any shape) -> y (same shape).  Draws from `autograd.default_rng()`.  Source: Srivastava et al. 2014.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability("Dropout", p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
