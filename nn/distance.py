"""How near two batches of vectors are to each other."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module


class CosineSimilarity(Module):
    """Cosine of the angle between vectors along `dim`:  x1 · x2 / (max(‖x1‖, ε) max(‖x2‖, ε)).

    x1 and x2 of shapes that broadcast -> y without `dim`.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """Distance between vectors on the last axis:  ‖x1 - x2 + ε‖_p.

    x1 and x2 of shapes that broadcast -> y without the last axis, or with a 1 in its place (`keepdim`).
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
