"""Warnings of training, which point at the line of the user's program that called the library."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # of all of nn


class TrainingWarning(RuntimeWarning, UserWarning):
    """Something that `fit` noticed: it goes on, and will probably not learn what it was meant to."""


def warn(text: str) -> None:
    """A TrainingWarning at the nearest line that is not of this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and os.path.abspath(frame.f_code.co_filename).startswith(HERE):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, TrainingWarning, stacklevel=level)


@contextmanager
def said_once() -> Iterator[None]:
    """Within it the losses keep to themselves what a Model finds out from its last layer, and says better."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\w+ takes logits and applies \w+ itself", UserWarning)
        yield
