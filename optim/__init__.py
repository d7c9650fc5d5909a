"""Optimizers and learning-rate schedules, with PyTorch's names and defaults."""

from . import lr_scheduler as lr_scheduler
from .adagrad import Adagrad as Adagrad
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .clip import clip_grad_norm_ as clip_grad_norm_
from .clip import clip_grad_value_ as clip_grad_value_
from .clip import clip_grads_with_norm_ as clip_grads_with_norm_
from .clip import get_total_norm as get_total_norm
from .lr_scheduler import ConstantLR as ConstantLR
from .lr_scheduler import CosineAnnealingLR as CosineAnnealingLR
from .lr_scheduler import ExponentialLR as ExponentialLR
from .lr_scheduler import LambdaLR as LambdaLR
from .lr_scheduler import LinearLR as LinearLR
from .lr_scheduler import LRScheduler as LRScheduler
from .lr_scheduler import MultiStepLR as MultiStepLR
from .lr_scheduler import StepLR as StepLR
from .optimizer import Optimizer as Optimizer
from .registry import get as get
from .rmsprop import RMSprop as RMSprop
from .sgd import SGD as SGD
