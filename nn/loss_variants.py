"""Losses of other libraries than PyTorch, as modules."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .losses import _Loss


class SigmoidFocalLoss(_Loss):
    """a (1 - p)^γ (-ln p),  p = σ(x) where t = 1 and 1 - σ(x) where t = 0;  a as in `sigmoid_focal_loss`.  Nats."""

    def __init__(self, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, input: Any, target: Any) -> Any:
        return F.sigmoid_focal_loss(input, target, self.alpha, self.gamma, self.reduction)


class SoftmaxFocalLoss(_Loss):
    """a[t] (1 - p[t])^γ (-ln p[t]),  p = softmax(x);  x (N, C), labels t (N,).  Nats."""

    def __init__(self, alpha: Any = None, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, input: Any, target: Any) -> Any:
        return F.softmax_focal_loss(input, target, self.alpha, self.gamma, self.reduction)


class DiceLoss(_Loss):
    """1 - 2 Σ p t / (Σ p + Σ t + ε),  summed over `dim` (all axes);  probabilities p and targets t of one shape."""

    def __init__(self, dim: Any = None, eps: float = 1e-7, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.dim, self.eps = dim, eps

    def forward(self, input: Any, target: Any) -> Any:
        return F.dice_loss(input, target, self.dim, self.eps, self.reduction)


class TverskyLoss(_Loss):
    """1 - Σ p t / (Σ p t + α Σ p (1 - t) + β Σ (1 - p) t + ε),  summed over `dim` (all axes)."""

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, dim: Any = None, eps: float = 1e-7,
                 reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.alpha, self.beta, self.dim, self.eps = alpha, beta, dim, eps

    def forward(self, input: Any, target: Any) -> Any:
        return F.tversky_loss(input, target, self.alpha, self.beta, self.dim, self.eps, self.reduction)


class LogCoshLoss(_Loss):
    """ln cosh(x - t)."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.log_cosh_loss(input, target, self.reduction)


class SquaredHingeLoss(LogCoshLoss):
    """max(0, 1 - t x)²,  t = 1 or -1."""

    def forward(self, input: Any, target: Any) -> Any:
        return F.squared_hinge_loss(input, target, self.reduction)


class CategoricalHingeLoss(LogCoshLoss):
    """max(0, 1 + max_{j≠t} x[j] - x[t]);  x (N, C), labels t (N,)."""

    def forward(self, input: Any, target: Any) -> Any:
        return F.categorical_hinge_loss(input, target, self.reduction)


class ContrastiveLoss(_Loss):
    """d² / 2 where t = 1, max(0, margin - d)² / 2 where t = 0;  d = ‖x1 - x2‖, x1 and x2 (N, n), t (N,)."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, x1: Any, x2: Any, target: Any) -> Any:
        return F.contrastive_loss(x1, x2, target, self.margin, self.reduction)


class NTXentLoss(_Loss):
    """Cross-entropy of finding the partner of each vector by its cosine over the temperature;  x1 and x2 (N, n)."""

    def __init__(self, temperature: float = 0.5, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.temperature = temperature

    def forward(self, x1: Any, x2: Any) -> Any:
        return F.nt_xent_loss(x1, x2, self.temperature, self.reduction)
