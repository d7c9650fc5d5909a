"""Losses with a rule of their own: more accurate than the composition, or at least twice as fast."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import elementwise, op
from .activation import sigmoid
from .linear import ones, sum
from .reduce import softmax

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_TARGET = np.array([2, 0, 1, 2])


def check_classes(target: Any, classes: int, ignore_index: int | None = None, who: str = "cross_entropy") -> None:
    """Labels must be integers in 0..classes-1, or `ignore_index`: TypeError or IndexError, with the fix."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{who}: expected integer class labels of shape (N,); got dtype {target.dtype}: "
                        "use labels.astype('int64'), or probabilities of the shape of the logits")
    if target.size:
        unsigned = target.view(_UNSIGNED[target.dtype.itemsize])  # a negative label is a huge one: one look, not two
        if np.maximum.reduce(unsigned, axis=None) >= classes:
            wrong = (target < 0) | (target >= classes)
            if ignore_index is not None:
                wrong &= target != ignore_index
            if wrong.any():
                at = tuple(int(k) for k in np.argwhere(wrong)[0]) if target.ndim else ()
                bad = int(target[at])
                hint = "; are the labels counted from 1?" if bad == classes else ""
                raise IndexError(f"{who}: Target {bad} is out of bounds: labels must be in 0..{classes - 1} "
                                 f"for {classes} classes; got {bad} at position {at}{hint}")


@op(
    logits=lambda g, slope: slope * (g / len(slope)),
    name="cross_entropy",
    aux={"slope": lambda logits, target: less_onehot(softmax(logits, dim=1), target)},
    category="loss",
    shapes="logits (N, C) and integer labels (N,)",
    cases=[(((4, 3), _TARGET), {})],
)
def softmax_cross_entropy(logits: Any, target: Any) -> Any:
    """Mean negative log-likelihood of the labels under softmax(logits):  -1/N Σ_n log_softmax(logits)[n, target[n]].

    logits (N, C), target (N,) integers in 0..C-1 -> ().  Nats.
    """
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise ShapeError(
            f"cross_entropy: expected logits (N, C) and labels (N,); got {logits.shape} and {target.shape}"
        )
    n, c = logits.shape
    check_classes(target, c)
    places = _rows(n, c) + target
    with np.errstate(all="ignore"):
        # rows as short as class scores usually are: reduced across, or as a product, in half the time
        top = np.maximum.reduce(logits.T.copy(), axis=0)[:, None] if c <= 64 else logits.max(axis=1, keepdims=True)
        p = logits - top
        picked = p.take(places)
        np.exp(p, out=p)
        total = p.dot(ones(c, p.dtype)) if c <= 64 else sum(p, dim=1)
        loss = sum(np.log(total) - picked) / n
        p /= total[:, None]
        p.put(places, p.take(places) - 1)
    return loss, p


@lru_cache(64)
def _rows(n: int, c: int) -> Any:
    """Where each row begins in the flattened (N, C)."""
    return np.arange(0, n * c, c)


@op(p=lambda g: g, category="loss", shapes="probabilities (N, C) and integer labels (N,)",
    cases=[(((4, 3), _TARGET), {})])
def less_onehot(p: Any, target: Any) -> Any:
    """Probabilities less what is so:  p - onehot(target)."""
    out, places = p.copy(), _rows(*p.shape) + target
    out.put(places, out.take(places) - 1)
    return out


@elementwise(
    x=lambda g, x, target: g * (sigmoid(x) - target),
    target=lambda g, x: -g * x,
    floating=True,
    category="loss",
    shapes="logits and targets of one shape",
)
def sigmoid_cross_entropy(x: Any, target: Any) -> Any:
    """Binary cross-entropy of logits, element by element:  max(x, 0) - x t + ln(1 + e^-|x|).  Nats."""
    with np.errstate(all="ignore"):
        return np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x)))

