"""Losses with a rule of their own: more accurate than the composition, or at least twice as fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import elementwise, op
from .activation import sigmoid
from .linear import ones
from .reduce import softmax

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_TARGET = np.array([2, 0, 1, 2])


def check_classes(target: Any, classes: int, ignore_index: int = -100, who: str = "cross_entropy") -> None:
    """Labels must be integers in 0..classes-1 (or `ignore_index`): TypeError or IndexError, with the fix."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{who}: expected integer class labels of shape (N,); got dtype {target.dtype}: "
                        "use labels.astype('int64'), or probabilities of the shape of the logits")
    if target.size:
        unsigned = target.view(_UNSIGNED[target.dtype.itemsize])  # a negative label is a huge one: one look, not two
        if np.maximum.reduce(unsigned, axis=None) >= classes:
            wrong = (target < 0) | (target >= classes)
            wrong &= target != ignore_index
            if wrong.any():
                at = tuple(int(k) for k in np.argwhere(wrong)[0]) if target.ndim else ()
                bad = int(target[at])
                hint = "; are the labels counted from 1?" if bad == classes else ""
                raise IndexError(f"{who}: Target {bad} is out of bounds: labels must be in 0..{classes - 1} "
                                 f"for {classes} classes; got {bad} at position {at}{hint}")


@op(
    logits=lambda g, p, target: less_onehot(p, target) * (g / len(target)),
    aux={"p": lambda logits: softmax(logits, dim=1)},
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
    check_classes(target, logits.shape[1])
    n = logits.shape[0]
    with np.errstate(all="ignore"):
        p = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
        picked = p.take(_places(target, logits.shape[1]))
        np.exp(p, out=p)
        total = p.dot(ones(p.shape[1], p.dtype))
        p /= total[:, None]
        return np.add.reduce(np.log(total) - picked) / n, p


@op(p=lambda g: g, category="loss", shapes="probabilities (N, C) and integer labels (N,)",
    cases=[(((4, 3), _TARGET), {})])
def less_onehot(p: Any, target: Any) -> Any:
    """Probabilities less what is so:  p - onehot(target)."""
    out, places = p.copy(), _places(target, p.shape[1])
    out.put(places, out.take(places) - 1)
    return out


def _places(target: Any, classes: int) -> Any:
    """The positions of (n, target[n]) in the flattened (N, C)."""
    return np.arange(0, len(target) * classes, classes) + target


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

