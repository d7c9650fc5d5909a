"""Optimizers and learning-rate schedules, with PyTorch's names and defaults.

What is not for every day is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD

if TYPE_CHECKING:
    from . import lr_scheduler as lr_scheduler
    from . import swa_utils as swa_utils
    from .adadelta import Adadelta as Adadelta
    from .adafactor import Adafactor as Adafactor
    from .adagrad import Adagrad as Adagrad
    from .adamax import Adamax as Adamax
    from .around import SAM as SAM
    from .around import Accumulate as Accumulate
    from .around import Lookahead as Lookahead
    from .around import SkipNonFinite as SkipNonFinite
    from .asgd import ASGD as ASGD
    from .clip import clip_grad_adaptive_ as clip_grad_adaptive_
    from .clip import clip_grad_norm_ as clip_grad_norm_
    from .clip import clip_grad_value_ as clip_grad_value_
    from .clip import clip_grads_with_norm_ as clip_grads_with_norm_
    from .clip import get_total_norm as get_total_norm
    from .lbfgs import LBFGS as LBFGS
    from .lion import Lion as Lion
    from .lr_scheduler import ChainedScheduler as ChainedScheduler
    from .lr_scheduler import ConstantLR as ConstantLR
    from .lr_scheduler import CosineAnnealingLR as CosineAnnealingLR
    from .lr_scheduler import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
    from .lr_scheduler import CyclicLR as CyclicLR
    from .lr_scheduler import ExponentialLR as ExponentialLR
    from .lr_scheduler import LambdaLR as LambdaLR
    from .lr_scheduler import LinearLR as LinearLR
    from .lr_scheduler import LRScheduler as LRScheduler
    from .lr_scheduler import MultiplicativeLR as MultiplicativeLR
    from .lr_scheduler import MultiStepLR as MultiStepLR
    from .lr_scheduler import OneCycleLR as OneCycleLR
    from .lr_scheduler import PolynomialLR as PolynomialLR
    from .lr_scheduler import ReduceLROnPlateau as ReduceLROnPlateau
    from .lr_scheduler import SequentialLR as SequentialLR
    from .lr_scheduler import StepLR as StepLR
    from .lr_scheduler import WarmupCosineLR as WarmupCosineLR
    from .lr_scheduler import WarmupInverseSqrtLR as WarmupInverseSqrtLR
    from .lr_scheduler import WarmupLinearLR as WarmupLinearLR
    from .lr_scheduler import WarmupLR as WarmupLR
    from .lr_scheduler import WarmupStableDecayLR as WarmupStableDecayLR
    from .muon import Muon as Muon
    from .nadam import NAdam as NAdam
    from .radam import RAdam as RAdam
    from .registry import get as get
    from .rmsprop import RMSprop as RMSprop
    from .rprop import Rprop as Rprop
    from .schedule_free import AdamWScheduleFree as AdamWScheduleFree
    from .swa_utils import SWALR as SWALR
    from .swa_utils import AveragedModel as AveragedModel

# file -> the names in it
_LATE = {
    "adadelta": "Adadelta", "adafactor": "Adafactor", "adagrad": "Adagrad", "adamax": "Adamax", "asgd": "ASGD",
    "lbfgs": "LBFGS", "lion": "Lion", "muon": "Muon", "nadam": "NAdam", "radam": "RAdam", "rmsprop": "RMSprop",
    "rprop": "Rprop", "schedule_free": "AdamWScheduleFree", "around": "SAM Accumulate Lookahead SkipNonFinite",
    "clip": "clip_grad_adaptive_ clip_grad_norm_ clip_grad_value_ clip_grads_with_norm_ get_total_norm",
    "lr_scheduler": "ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR "
                    "LambdaLR LinearLR LRScheduler MultiplicativeLR MultiStepLR OneCycleLR PolynomialLR "
                    "ReduceLROnPlateau SequentialLR StepLR WarmupCosineLR WarmupInverseSqrtLR WarmupLinearLR WarmupLR "
                    "WarmupStableDecayLR",
    "registry": "get", "swa_utils": "AveragedModel SWALR",
}
_HOMES = {name: home for home, names in _LATE.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """What is imported when it is first asked for: `_LATE`, and the files themselves."""
    if name not in _HOMES and name not in _LATE:
        raise AttributeError(f"module 'optim' has no attribute {name!r}")
    from importlib import import_module
    home = import_module(f".{_HOMES.get(name, name)}", __name__)
    found = getattr(home, name) if name in _HOMES else home
    globals()[name] = found                   # the next one finds it at once
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_LATE])
