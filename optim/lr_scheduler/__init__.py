"""Learning rates that follow a schedule, with PyTorch's names; `schedule.lr(t)` tells the rate of any step before."""

from .cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from .decay import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler
from .sequences import ChainedScheduler, SequentialLR
from .warmup import WarmupCosineLR, WarmupInverseSqrtLR, WarmupLinearLR, WarmupLR, WarmupStableDecayLR

_LRScheduler = LRScheduler

__all__ = [
    "LRScheduler", "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR",
    "SequentialLR", "CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau", "CyclicLR",
    "CosineAnnealingWarmRestarts", "OneCycleLR", "PolynomialLR", "WarmupLR", "WarmupLinearLR", "WarmupCosineLR",
    "WarmupStableDecayLR", "WarmupInverseSqrtLR",
]
