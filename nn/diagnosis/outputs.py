"""Does the loss take what the model gives?  Found by changing outputs and targets, and looking at the loss."""

from __future__ import annotations

from math import exp, log
from typing import Any

import numpy as np

from autograd import Tensor

from .case import Case, Tape
from .report import Report

_MOVES = {"reshape", "permute", "transpose", "getitem", "cast", "clone", "identity", "squeeze", "unsqueeze"}
_ENDS = {"softmax", "sigmoid", "log_softmax"}


def labels(case: Case, report: Report) -> None:
    """Labels that are counted from 1: the highest is out of range, or the lowest never occurs."""
    t, out = case.target, case.seen()
    if not isinstance(t, Tensor) or t.dtype.kind not in "iu" or out is None or out.ndim < 2 or not t.numel() \
            or t.shape != (out.shape[0], *out.shape[2:]):
        return
    classes, counted = out.shape[1], t.value[t.value != -100]
    if not counted.size or not _takes_scores(case, out, np.clip(t.value, 0, classes - 1)):
        return
    low, high = int(counted.min()), int(counted.max())
    if high >= classes or low < 0:
        one = low >= 1 and high == classes
        report.add("error", "labels out of range" if not one else "labels are counted from 1",
                   f"labels run from {low} to {high}; {classes} classes have the labels 0 to {classes - 1}"
                   + (" (and -100 for what is left out)" if low < 0 else ""),
                   "use y - 1" if one else f"give the last layer {high + 1} outputs, or map the labels to 0, 1, ...")
    elif low >= 1 and counted.size >= 10 * classes:
        report.add("warning", "labels are counted from 1",
                   f"among {counted.size} labels of {classes} classes none is 0 (chance: "
                   f"{(1 - 1 / classes) ** counted.size:.1e}); they run from {low} to {high}",
                   f"use y - 1, and a last layer of {classes - 1} outputs")
    else:
        report.fine.append(("labels", f"{low} to {high}, for {classes} classes"))


def _takes_scores(case: Case, out: Any, target: Any) -> bool:
    return case.number(out, Tensor(np.asarray(target))) is not None


def _shift(case: Case, out: Any, dim: int) -> str:
    """How the loss answers when all scores of a sample grow by a constant: "none" (it has a softmax of its own),
    "minus" (it takes them for log-probabilities), or ""."""
    base, spread = case.number(out), case.number(out * 3 + 0.1 * np.arange(out.shape[dim]).reshape(
        [-1 if k == dim else 1 for k in range(out.ndim)]).astype(out.dtype))
    if base is None or spread is None or not np.isfinite(base) or abs(spread - base) < 1e-6 * (1 + abs(base)):
        return ""
    moved = [case.number(out + np.asarray(c, out.dtype)) for c in (1.0, -2.0)]
    if None in moved:
        return ""
    change = [m - base for m in moved if m is not None]
    if max(map(abs, change)) < 1e-4 * (1 + abs(base)):
        return "none"
    twice = case.number(2 * out)
    linear = twice is not None and abs(twice - 2 * base) < 1e-4 * (1 + abs(base))
    return "minus" if linear and abs(change[0] + 1) < 1e-3 and abs(change[1] - 2) < 1e-3 else ""


def _disturbed(case: Case) -> list[Any]:
    """Outputs as they are, with inputs ten times as large, and with parameters four times as large (and a bit more)."""
    found = [case.seen()]
    if any(isinstance(x, Tensor) and x.dtype.kind == "f" for x in case.inputs):
        found.append(case.seen([x * 10 if isinstance(x, Tensor) and x.dtype.kind == "f" else x for x in case.inputs]))
    rng = np.random.default_rng(0)
    for p in case.named.values():
        if p.dtype.kind == "f":
            p.value = p.value * p.dtype.type(4) + rng.standard_normal(p.shape).astype(p.dtype) * p.dtype.type(0.1)
    found.append(case.seen())
    return [f for f in found if f is not None and np.isfinite(f).all()]


def _sums_to_one(outs: list[Any], dim: int) -> bool:
    return all(o.shape[dim] > 1 and o.min() >= 0 and np.allclose(o.sum(dim), 1, atol=1e-3) for o in outs)


def ending(case: Case, tape: Tape) -> Any:
    """The last step that made the outputs what they are, past those that only move them about."""
    inside = [n for n, v in tape.steps if n.op is not None and n.op.name not in _MOVES]
    ends = (n for n in reversed(inside) if n.op is not None and n.op.name in _ENDS)
    return next(ends, inside[-1] if inside else None)


def activations(case: Case, report: Report) -> None:
    """Softmax before cross_entropy, sigmoid before BCE-with-logits, scores given to nll_loss."""
    if not case.single:
        report.skipped.append(("last activation", "the model gives several outputs"))
        return
    outs = _disturbed(case)
    if not outs or outs[0].dtype.kind != "f" or not outs[0].ndim or not isinstance(case.target, Tensor):
        return
    out, dim = outs[0], 1 if outs[0].ndim > 1 else 0
    tape, _ = case.taped(False)
    layer, line = case.place(ending(case, tape))
    if len(outs) > 1 and case.named and all(np.array_equal(o, out) for o in outs):
        report.add("error", "output never changes", "inputs 10 times and parameters 4 times as large leave every one "
                   f"of the {out.size} outputs as it is (they run from {out.min():.4g} to {out.max():.4g})",
                   "look at the last step: a softmax over a single output is always 1, a clamp or a ReLU may be out of "
                   "range", layer, line)
        return
    kind, classes = _shift(case, out, dim), out.shape[dim]
    distribution = _sums_to_one(outs, dim)
    if kind == "none" and distribution:
        report.add("error", "softmax before cross_entropy",
                   f"the {classes} outputs of every sample are positive and add up to 1, also for inputs 10 times and "
                   "parameters 4 times as large; and adding a constant to them leaves the loss as it is: it takes a "
                   f"softmax itself. After two of them no loss is below {log(1 + (classes - 1) * exp(-1)):.3f}, and "
                   "gradients are small", "leave the softmax out, and let the model give scores (logits)", layer, line)
    elif kind == "minus" and classes > 1:
        top = out.max(dim, keepdims=True)
        total = float(np.abs(np.log(np.exp(out - top).sum(dim)) + top.squeeze(dim)).max())
        if distribution or total > 1e-2:
            given = "probabilities (they add up to 1)" if distribution else \
                f"scores: ln Σ e^x is up to {total:.3g}, of log-probabilities it is 0"
            report.add("error", "nll_loss without log_softmax",
                       f"the loss falls by 1 when all outputs grow by 1, so it takes them for log-probabilities; they "
                       f"are {given}. Such a loss has no lower bound", "end the model with log_softmax, or use "
                       "cross_entropy, which has it inside", layer, line)
    elif _between(outs) and _wants_logits(case, out):
        report.add("error", "sigmoid before BCE-with-logits",
                   f"outputs stay within {min(o.min() for o in outs):.3g} and {max(o.max() for o in outs):.3g} "
                   "whatever the inputs, but the loss of a target 0 is lower at -5 than at 0, and of a target 1 at 6 "
                   "than at 1: it takes a sigmoid itself", "leave the sigmoid out, or use binary_cross_entropy",
                   layer, line)
    else:
        said = {"none": "the loss takes scores, and gets scores", "minus": "the loss takes log-probabilities, and gets "
                "them"}.get(kind, "the loss takes what the model gives")
        report.fine.append(("last activation", said))


def _between(outs: list[Any]) -> bool:
    return len(outs) > 1 and all(o.min() >= 0 and o.max() <= 1 for o in outs) and np.ptp(outs[-1]) > 0


def _wants_logits(case: Case, out: Any) -> bool:
    t = case.target
    if t.shape != out.shape or t.value.min() < 0 or t.value.max() > 1:
        return False
    zeros, ones = (Tensor(np.full(t.shape, v, t.dtype)) for v in (0, 1))
    found = [case.number(np.full_like(out, v), target) for v, target in ((-5, zeros), (0, zeros), (6, ones), (1, ones))]
    if None in found or not np.isfinite(found).all():     # type: ignore[arg-type]
        return False
    low, zero, high, one = found
    return low < zero - 1e-3 and high < one - 1e-3        # type: ignore[operator]


def pairing(case: Case, report: Report) -> None:
    """A loss that is the same whichever prediction meets which target, as where (N, 1) - (N,) made a table."""
    out, t = case.seen(), case.target
    if out is None or not isinstance(t, Tensor) or not t.ndim or not out.ndim or t.shape[0] != out.shape[0] \
            or t.shape[0] < 3 or t.value.min() == t.value.max():
        return
    rng = np.random.default_rng(0)
    values = rng.standard_normal(out.shape).astype(out.dtype)
    base = case.number(values)
    if base is None or not np.isfinite(base):
        values = 1 / (1 + np.exp(-values))
        base = case.number(values)
    if base is None or not np.isfinite(base):
        return
    orders = [rng.permutation(t.shape[0]) for _ in range(3)]
    found = [case.number(values, Tensor(t.value[order])) for order in orders]
    if any(f is None or abs(f - base) > 1e-5 * (1 + abs(base)) for f in found):
        report.fine.append(("pairing", "the loss changes when targets change places"))
        return
    if t.shape == out.shape or out.dtype.kind != "f":
        return
    a, b = out.shape, t.shape
    wide = np.broadcast_shapes(a, b) if {a, b} == {(a[0],), (a[0], 1)} else ()
    fix = "output.squeeze(-1)" if a == (*b, 1) else "target.squeeze(-1)" if b == (*a, 1) else \
        "reshape, so that both have one shape"
    report.add("error", f"output {a} against target {b}",
               f"putting the targets in another order leaves the loss at {base:.4g}: each prediction is held against "
               f"every target" + (f", in a table {wide}" if wide else "") + "; the best it can learn is the mean",
               f"use {fix}")
