"""Connectionist temporal classification: the likelihood of a sequence of labels, summed over all its alignments.

Source: Graves et al. 2006, "Connectionist temporal classification", section 4 (the recursions, eq. 5 to 16), here in
logarithms.  Vectorised over the batch and over labels; time alone is a loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import elementwise, op
from ..tensor import Tensor
from .composed import array_of, composed, tensor_if
from .elementwise import clamp, exp, where
from .linear import concatenate, gather, getitem, reshape, sum
from .reduce import mean
from .shape import stack

NEVER = -1e30                                 # ln 0, but finite: differences of it are numbers
HIGHEST = 80                                  # no logarithm of a probability comes near; its exponential is finite
_SKIP = np.array([[False, False, False, True, False], [False, False, False, False, False]])
_CASE = {"skip": _SKIP, "steps": np.array([4, 3]), "labels": np.array([2, 1])}


@elementwise(x=lambda g, x, out: g * exp(x - out), y=lambda g, y, out: g * exp(y - out),
             z=lambda g, z, out: g * exp(z - out))
def log_add(x: Any, y: Any, z: Any) -> Any:
    """ln(e^x + e^y + e^z),  without overflow."""
    top = np.maximum(np.maximum(x, y), z)
    with np.errstate(under="ignore"):
        return top + np.log(np.exp(x - top) + np.exp(y - top) + np.exp(z - top))


def _closed(skip: Any, dtype: Any) -> Any:
    """What is added to the likelihood of leaving out a blank: nothing where it may be, ln 0 where not."""
    return np.where(skip, 0, NEVER).astype(dtype)


def _forward(e: Any, skip: Any, steps: Any) -> list[Any]:
    """ln of the likelihood of all beginnings that end in each state at each time; kept as it is after the last."""
    first, least = np.arange(e.shape[2]) < 2, int(steps.min()) if len(steps) else 0
    closed, edge = _closed(skip, e.dtype), np.full((e.shape[1], 2), NEVER, e.dtype)
    found = [where(first, e[0], NEVER)]
    for t in range(1, e.shape[0]):
        a = found[-1]
        wide = concatenate(edge, a, dim=1)
        fresh = e[t] + log_add(a, wide[:, 1:-1], wide[:, :-2] + closed)
        found.append(fresh if t < least else where((t < steps)[:, None], fresh, a))
    return found


def _total(a: Any, labels: Any) -> Any:
    """ln of the likelihood of all that end in the last label, or in the blank after it."""
    rows = np.arange(len(labels))
    blank = getitem(a, index=(rows, 2 * labels))
    label = where(labels > 0, getitem(a, index=(rows, np.maximum(2 * labels - 1, 0))), NEVER)
    return log_add(blank, label, np.full(len(labels), NEVER, a.dtype))


def _occupancy(e: Any, alpha: Any, skip: Any, steps: Any, labels: Any) -> Any:
    """The share of each state at each time in the likelihood:  e^(α + β - total),  0 where there is no alignment."""
    times, _, n = e.shape
    total = _total(alpha[-1], labels)
    none = array_of(total) < NEVER / 2
    norm = reshape(where(none, 0, total), shape=(-1, 1))
    closed = np.pad(_closed(skip, e.dtype), ((0, 0), (0, 2)), constant_values=NEVER)[:, 2:]
    edge, state = np.full((e.shape[1], 2), NEVER, e.dtype), np.arange(n)
    last = (state == 2 * labels[:, None]) | (state == 2 * labels[:, None] - 1)
    ends = np.where(last, 0, NEVER).astype(e.dtype)
    b, found, least = ends, [ends], int(steps.min()) if len(steps) else 0
    for t in range(times - 2, -1, -1):
        after = b + e[t + 1]
        wide = concatenate(after, edge, dim=1)
        back = log_add(after, wide[:, 1:-1], wide[:, 2:] + closed)
        b = back if t < least - 1 else where((t < steps - 1)[:, None], back, ends)
        found.append(b)
    counts = (np.arange(times)[:, None] < steps) & ~none
    return exp(where(counts[..., None], alpha + stack(found[::-1], 0) - norm, NEVER))


@op(e=lambda g, e, out, alpha, skip, steps, labels: _pull(g, e, out, alpha, skip, steps, labels),
    aux={"alpha": lambda e, skip, steps: stack(_forward(e, skip, steps), 0)},
    name="ctc", category="loss", shapes="(T, N, 2 S + 1)",
    cases=[(((4, 2, 5),), _CASE), (((3, 1, 1),), {"skip": np.zeros((1, 1), bool), "steps": np.array([3]),
                                                "labels": np.array([0])})])
def alignments(e: Any, *, skip: Any, steps: Any, labels: Any) -> Any:
    """-ln of the sum over all alignments of  Π_t e^e[t, n, state at t]:  e (T, N, 2 S + 1) -> (N,).  inf for none.

    The states are the labels, with a blank before, between and behind; `skip` says where the blank may be left out.
    """
    alpha = np.stack(_forward(np.maximum(e, NEVER), skip, steps))
    total = _total(alpha[-1], labels)
    out = np.where(steps > 0, -total, np.where(labels > 0, np.inf, 0))
    return np.where(out > -NEVER / 2, np.inf, out).astype(e.dtype), alpha


def _pull(g: Any, e: Any, out: Any, alpha: Any, skip: Any, steps: Any, labels: Any) -> Any:
    """-g times the occupancy; NaN for a sequence without alignment, as in PyTorch, unless nothing asks for it."""
    lost = np.isinf(array_of(out)) & (array_of(g) != 0)
    times = np.arange(e.shape[0])[:, None]
    return where((lost & (times < steps))[..., None], np.nan, reshape(-g, shape=(1, -1, 1))
                 * _occupancy(e, alpha, skip, steps, labels))


def _sequences(targets: Any, lengths: Any, batch: int) -> Any:
    """The labels as (N, S), also where they were given one sequence after another."""
    if targets.dtype.kind not in "iu":
        raise TypeError(f"ctc_loss: expected targets to be integers; got {targets.dtype}")
    if targets.ndim == 2:
        if targets.shape[0] != batch or (lengths.size and lengths.max() > targets.shape[1]):
            raise ShapeError(f"ctc_loss: expected targets (N, S) with N = {batch} and S of at least the longest target "
                             f"length; got {targets.shape} and target_lengths {lengths.tolist()}")
        return targets
    if targets.ndim != 1 or targets.size != lengths.sum():
        raise ShapeError(f"ctc_loss: expected targets (N, S), or one after another as long as the sum of target_lengths"
                         f" ({int(lengths.sum())}); got shape {targets.shape}")
    out = np.zeros((batch, int(lengths.max()) if batch else 0), np.int64)
    out[np.arange(out.shape[1]) < lengths[:, None]] = targets
    return out


def _lengths(name: str, given: Any, batch: int, most: int) -> Any:
    made = np.atleast_1d(array_of(given))
    if made.dtype.kind not in "iu":
        raise TypeError(f"ctc_loss: expected {name} to be integers; got {made.dtype}")
    if made.shape != (batch,):
        raise ShapeError(f"ctc_loss: expected {name} of one length for each of {batch} sequences; got {made.shape}")
    if batch and (made.min() < 0 or made.max() > most):
        raise ValueError(f"ctc_loss: expected {name} within 0..{most}; got {made.tolist()}")
    return made.astype(np.int64)


@composed
def ctc_loss(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
             reduction: str = "mean", zero_infinity: bool = False) -> Any:
    """-ln of the probability of the labels, summed over all alignments (Graves et al. 2006).  Nats.

    log_probs (T, N, C) or (T, C), from log_softmax; targets (N, S), or all labels one after another; lengths (N,).
    "mean" divides each loss by its number of labels (at least 1) and takes the mean, "sum" adds them, "none" keeps
    (N,).  A sequence too short for its labels has loss inf; `zero_infinity` makes that, and its gradient, 0.

    As in PyTorch, the gradient is that of the scores behind log_softmax: it has e^log_probs added, whose own
    derivative through log_softmax is 0.
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"ctc_loss: reduction must be 'none', 'mean' or 'sum'; got {reduction!r}")
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"ctc_loss: expected log_probs (T, N, C) or (T, C); got shape {tuple(log_probs.shape)}")
    if log_probs.dtype.kind != "f":
        raise TypeError(f"ctc_loss: expected log_probs of a floating-point dtype; got {log_probs.dtype}")
    single = log_probs.ndim == 2
    lp = reshape(log_probs, shape=(log_probs.shape[0], 1, log_probs.shape[1])) if single else log_probs
    times, batch, classes = lp.shape
    if not times:
        raise ShapeError(f"ctc_loss: expected at least one time step; got log_probs {tuple(log_probs.shape)}")
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: expected blank within 0..{classes - 1}; got {blank}")
    steps = _lengths("input_lengths", input_lengths, batch, times)
    target = array_of(targets)
    labels = _lengths("target_lengths", target_lengths, batch, target.size)
    known = _sequences(target.reshape(1, -1) if single and target.ndim == 1 else target, labels, batch)
    inside = np.arange(known.shape[1]) < labels[:, None]
    if np.any(inside & ((known < 0) | (known >= classes))):
        raise IndexError(f"ctc_loss: expected labels within 0..{classes - 1}; got {known[inside].tolist()}")
    states = np.full((batch, 2 * known.shape[1] + 1), blank)
    states[:, 1::2] = np.where(inside, known, blank)
    skip = np.zeros(states.shape, bool)
    skip[:, 2:] = states[:, 2:] != states[:, :-2]
    held = clamp(lp, min=NEVER)
    emitted = gather(held, 2, np.broadcast_to(states, (times, *states.shape)))
    loss = alignments(emitted, skip=skip, steps=steps, labels=labels)
    within = (np.arange(times)[:, None] < steps)[..., None]
    mass = sum(where(within, exp(clamp(held, max=HIGHEST)), 0), dim=(0, 2))
    loss = loss + (mass - (mass.detach() if isinstance(mass, Tensor) else mass))
    if zero_infinity:
        loss = where(array_of(loss) == np.inf, 0, loss)
    if reduction == "none":
        return loss[0] if single else loss
    return sum(loss) if reduction == "sum" else mean(loss / tensor_if(loss, np.maximum(labels, 1).astype(loss.dtype)))
