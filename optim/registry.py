"""Optimizers by the names Keras gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .asgd import ASGD
from .lbfgs import LBFGS
from .lion import Lion
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .schedule_free import AdamWScheduleFree
from .sgd import SGD

NAMES: dict[str, type[Optimizer]] = {kind.__name__.lower(): kind for kind in (   # those for every day first
    Adagrad, Adam, AdamW, RMSprop, SGD, Adadelta, Adafactor, Adamax, AdamWScheduleFree, ASGD, LBFGS, Lion, Muon, NAdam,
    RAdam, Rprop)}


def get(name: str | type[Optimizer], params: Iterable[Any], **settings: Any) -> Optimizer:
    """The optimizer of that name (any case), or of that class, for `params`; defaults and settings are PyTorch's.

    Raises ValueError for a name it does not know, with the nearest it does.
    """
    if isinstance(name, type) and issubclass(name, Optimizer):
        return name(params, **settings)
    if not isinstance(name, str):
        raise TypeError(f"an optimizer is given by name or class; got {type(name).__name__}")
    kind = NAMES.get(name.lower())
    if kind is None:
        from difflib import get_close_matches
        near = get_close_matches(name.lower(), NAMES, n=1)
        raise ValueError(f"unknown optimizer {name!r}{f': did you mean {near[0]!r}?' if near else ';'} "
                         f"known: {', '.join(NAMES)}")
    return kind(params, **settings)
