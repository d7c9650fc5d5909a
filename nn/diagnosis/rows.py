"""Does each sample go its own way through the model?  Found by changing the other samples, and the random draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from .case import Case, Tape, first, operands, together
from .report import Report

_SHAPES = {"reshape", "view", "unflatten", "flatten"}
_SOFTMAX = {"softmax", "log_softmax", "softmax_cross_entropy"}
_OVER_ALL = {"mean", "var", "std", "sum", "max", "min", "amax", "amin", "logsumexp", "norm", "batch_norm", "cumsum"}


def _alone(case: Case, axis: int, n: int, keep: int) -> Any:
    """The inputs, with every sample along the axis replaced by one of them; None where that changes nothing."""
    made, changed = [], False
    for x in case.inputs:
        if isinstance(x, Tensor) and x.ndim > axis and x.shape[axis] == n:
            only = Tensor(np.repeat(np.take(x.value, [keep], axis), n, axis))
            changed = changed or not np.array_equal(only.value, x.value)
            made.append(only)
        else:
            made.append(x)
    return made if changed else None


def _same(a: Any, b: Any, axis: int, at: int) -> bool:
    a, b = np.take(a, at, axis), np.take(b, at, axis)
    if a.dtype.kind not in "fc":
        return np.array_equal(a, b)
    scale = float(np.abs(a[np.isfinite(a)]).max(initial=0))
    return np.allclose(a, b, rtol=1e-4, atol=1e-4 * scale + 1e-30, equal_nan=True)


def batch(case: Case, report: Report) -> None:
    """The output of a sample must not depend on the other samples (in evaluation mode)."""
    tensors = [x for x in case.inputs if isinstance(x, Tensor) and x.ndim]
    out = case.seen()
    if out is None or not tensors or not out.ndim:
        return
    axes = [(a, o) for a in (0, 1) for o in (0, 1) if o < out.ndim and out.shape[o] > 1
            and a < tensors[0].ndim and tensors[0].shape[a] == out.shape[o]]
    mixed = []
    for a, o in axes:
        n = out.shape[o]
        changed = {keep: given for keep in (0, n - 1) if (given := _alone(case, a, n, keep)) is not None}
        if not changed:
            continue
        worst = [keep for keep, given in changed.items()
                 if not _same(out, case.seen(given), o, keep)]
        if not worst:
            report.fine.append(("batch", f"the output of a sample depends on no other of the {n}"))
            return
        mixed.append((a, o, worst[0], changed[worst[0]]))
    if not mixed:
        report.skipped.append(("batch", "no axis of the output is as long as one of the input, or all rows are equal"))
        return
    samples = case.size
    _, o, keep, given = next((m for m in mixed if out.shape[m[1]] == samples), mixed[0])
    before, _ = case.taped(False)
    after, _ = case.taped(False, given)
    tell(case, report, before, after, out.shape[o], keep)


def _culprit(before: Tape, after: Tape, n: int, keep: int) -> Any:
    """The first step after which no axis keeps the sample apart."""
    for node, v, _, w in together(before, after):
        batched = [k for k, size in enumerate(v.shape) if size == n]
        if not batched or v.dtype.kind not in "fc" or np.array_equal(v, w, equal_nan=True):
            continue
        if not any(_same(v, w, k, keep) for k in batched):
            return node, v, w, batched[0]
    return None


def _time_first(case: Case, layer: str) -> str:
    """The sequence layer with batch_first=False in which a layer stands (or which it is), "" if there is none."""
    modules, path = dict(case.model.named_modules()), layer.partition(" (")[0]
    path = "" if path == "the model" else path
    while layer:
        module = modules.get(path)
        if getattr(module, "batch_first", None) is False:
            return f"{path or 'the model'} ({type(module).__name__})"
        if not path:
            break
        path = path.rpartition(".")[0]
    return ""


def tell(case: Case, report: Report, before: Tape, after: Tape, n: int, keep: int) -> None:
    """Enter what mixes the samples, by the step that does."""
    found = _culprit(before, after, n, keep)
    if found is None:
        report.add("note", "samples of the batch depend on one another", f"replacing the other {n - 1} samples changes "
                   f"the output of number {keep}; no single step could be named", "is that meant?")
        return
    node, v, w, axis = found
    pooled = next((p for p, _ in operands(node) if p.op is not None and p.op.name in _OVER_ALL and n not in p.shape),
                  None)
    node = node if pooled is None else pooled
    layer, line = case.place(node)
    attrs, name = getattr(node, "attrs", {}), node.op.name
    change = float(np.abs(np.take(v, keep, axis) - np.take(w, keep, axis)).max())
    seen = f"replacing the other {n - 1} samples of the batch changes what {found[0].op.name} gives for number " \
           f"{keep} by up to {change:.3g}, in evaluation mode"
    dim = attrs.get("dim")
    sequence = _time_first(case, layer)
    if sequence:
        report.add("error", "batch axis taken for time", f"{seen}: {sequence} has batch_first=False, so axis 0 of its "
                   f"input is time and axis 1 the batch; here axis 0 are the {n} samples",
                   "make it with batch_first=True, or give it x.transpose(0, 1)", sequence, line)
    elif name in _SOFTMAX:
        report.add("error", "softmax over the batch axis", f"{seen}: dim={dim} is the axis of the {n} samples, "
                   f"so {name} of shape {v.shape} makes them share a sum of 1",
                   f"softmax over the classes: dim=-1, not dim={dim}", layer, line)
    elif name in _SHAPES:
        shape = next((s for _, x in operands(node) if (s := getattr(x, "shape", None))), "?")
        report.add("error", "reshape where permute was meant", f"{seen}: {shape} -> {v.shape} keeps the order in "
                   "memory and cuts it anew, so that rows of different samples come together",
                   "to exchange axes use permute or transpose; with reshape keep the batch axis first", layer, line)
    elif name in _OVER_ALL:
        inside = dict(case.model.named_modules()).get(layer.partition(" ")[0])
        meant = getattr(inside, "track_running_stats", True) is False
        report.add("note" if meant else "warning", "samples of the batch depend on one another", f"{seen}; {name} "
                   f"{f'over dim={dim} ' if dim is not None else ''}takes all samples together",
                   "reduce over the other axes; for statistics of a batch use nn.BatchNorm, which has running ones for "
                   "evaluation", layer, line)
    else:
        report.add("note", "samples of the batch depend on one another", seen,
                   "fine if rows are no samples (nodes of a graph, items of a set)", layer, line)


def draws(case: Case, report: Report) -> None:
    """In evaluation mode two runs must agree, whatever is drawn."""
    one, a = case.taped(False, None, 0)
    two, b = case.taped(False, None, 1)
    if a is None or np.array_equal(a.value, b.value, equal_nan=True):
        report.fine.append(("evaluation", "two runs in evaluation mode agree exactly"))
        return
    change = float(np.abs(a.value - b.value).max())
    seen = f"two runs in evaluation mode on the same batch differ by up to {change:.3g}"
    for node, v, _, w in together(one, two):
        if v.dtype.kind in "fc" and not np.array_equal(v, w, equal_nan=True):
            layer, line = case.place(node)
            dropped = float(((v == 0) != (w == 0)).mean()) if v.size else 0.0
            if dropped > 0.02:
                report.add("error", "dropout active at evaluation", f"{seen}; in {100 * dropped:.0f} % of the elements "
                           "one run has a 0 and the other not", "use nn.Dropout, made once in __init__, or "
                           "F.dropout(x, p, training=self.training)", layer, line)
                return
            report.add("note", "random at evaluation", seen, "fine if the model samples on purpose", layer, line)
            return
    report.add("note", "random at evaluation", seen, "fine if the model samples on purpose")


def norms(case: Case) -> list[Any]:
    """(path, module) of the layers that take means over the batch."""
    return [(path, m) for path, m in case.model.named_modules()
            if type(m).__name__.startswith(("BatchNorm", "SyncBatchNorm", "LazyBatchNorm"))]


def one_sample(case: Case, report: Report) -> None:
    """BatchNorm in training has nothing to average over in a batch of 1."""
    found = norms(case)
    if not found:
        return
    x = next((x for x in case.inputs if isinstance(x, Tensor) and x.ndim), None)
    if x is None or x.shape[0] != 1:
        report.fine.append(("BatchNorm", f"a batch of {x.shape[0] if x is not None else '?'} to average over"))
        return
    path, module = found[0]
    trained = first(case.output(True))
    case.kept.values()
    gap = float(np.abs(trained.value - case.seen()).max()) if trained is not None else float("nan")
    report.add("warning", "BatchNorm with a batch of 1", "mean and variance are those of a single sample, so each is "
               f"brought to mean 0 by itself: outputs in training and evaluation differ by up to {gap:.3g}",
               "train with more samples in a batch (drop_last=True in the DataLoader), or use GroupNorm or LayerNorm",
               f"{path or 'the model'} ({type(module).__name__})")
