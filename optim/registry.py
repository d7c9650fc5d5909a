"""Optimizers by the names Keras gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

NAMES: dict[str, type[Optimizer]] = {"adagrad": Adagrad, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop, "sgd": SGD}


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
