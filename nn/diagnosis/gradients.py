"""Does the gradient reach every parameter, and is there any?  Found by moving parameters, and comparing."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.node import Constant, Node

from .case import Case, Tape, operands, together
from .report import Report

_RELUS = {"relu", "relu6", "clamp", "maximum", "threshold"}


def reached(case: Case, report: Report) -> dict[str, Any]:
    """Parameters without a gradient: never used, or cut off inside forward.  Returns the gradients of the others."""
    learned = {path: p for path, p in case.named.items() if p.requires_grad}
    if not learned:
        report.add("error", "no parameter to learn", f"none of the {len(case.named)} parameters requires a gradient",
                   "call requires_grad_() on what is to be learned")
        return {}
    tape, base = _run(case)
    if base.node is not None:
        with np.errstate(all="ignore"):
            base.backward()
    found = {path: np.array(p.grad.value) for path, p in learned.items() if p.grad is not None}
    case.kept.values()
    ours = None if case.optimizer is None else {id(p) for g in case.optimizer.param_groups for p in g["params"]}
    without = {path: p for path, p in learned.items() if path not in found and (ours is None or id(p) in ours)}
    cut: list[Any] = []
    unused: list[Any] = []
    for path, p in without.items():
        other, moved = _moved(case, p)
        change = abs(float(moved.value) - float(base.value))
        seen = change > 1e-7 * (1 + abs(float(base.value)))
        if not seen and not found:            # a loss that jumps, such as an accuracy: look at the outputs
            seen = any(not np.array_equal(v, w, equal_nan=True) for v, w in zip(_ends(tape), _ends(other)))
        (cut if seen else unused).append((path, change, other))
    if cut:
        place, what = _where(case, tape, cut[0][2])
        paths = ", ".join(path for path, _, _ in cut[:4]) + (f" and {len(cut) - 4} more" if len(cut) > 4 else "")
        cut.sort(key=lambda entry: -entry[1])
        report.add("error", "graph cut inside forward", f"moving {cut[0][0]} changes the loss by {cut[0][1]:.3g}, and "
                   f"yet backward() brings no gradient to {paths}{what}", "compute it with Tensors and outside "
                   "no_grad(); detach(), .data, .numpy() and .item() end the flow of gradients", *place)
    if unused:
        paths = ", ".join(path for path, _, _ in unused[:6]) + (f" and {len(unused) - 6} more" if len(unused) > 6
                                                                else "")
        owner = dict(case.model.named_modules())[unused[0][0].rpartition(".")[0]]
        report.add("warning", "parameter never used", f"{paths}: no gradient arrives, and moving "
                   f"{'it' if len(unused) == 1 else 'them'} leaves the loss at {float(base.value):.6g}",
                   "use it in forward, remove it, or freeze it with requires_grad_(False)",
                   f"{unused[0][0].rpartition('.')[0] or 'the model'} ({type(owner).__name__})")
    if not without:
        report.fine.append(("gradients", f"arrive at all {len(found)} parameters that are learned"))
    return found


def _run(case: Case) -> tuple[Tape, Tensor]:
    with Tape() as tape, np.errstate(all="ignore"):
        loss = case.loss(case.output(True))
    return tape, loss


def _ends(tape: Tape) -> list[Any]:
    """The values of the last steps inside the model."""
    inside = [v for node, v in tape.steps if node.extra is not None and node.extra.module]
    return inside[-1:]


def _moved(case: Case, p: Any) -> tuple[Tape, Tensor]:
    """The recorded run with one parameter moved by a tenth of its size, at random."""
    noise = np.random.default_rng(0).standard_normal(p.shape).astype(p.dtype)
    p.value = p.value + noise * p.dtype.type(0.1 * (float(np.sqrt((abs(p.value) ** 2).mean())) or 1.0))
    result = _run(case)
    case.kept.values()
    return result


def _where(case: Case, tape: Tape, other: Tape) -> tuple[tuple[str, str], str]:
    """The step where what depends on a parameter comes in as plain numbers."""
    for node, v, twin, w in together(tape, other):
        pairs = list(zip(operands(node), operands(twin)))
        if isinstance(node, Constant) and not np.array_equal(v, w, equal_nan=True) and \
                any(type(n) is Node for (n, _), _ in pairs):
            return case.place(node), f": {node.op.name} ran where no gradients are recorded"   # type: ignore[union-attr]
        for (leaf, x), (_, y) in pairs:
            kind = leaf.extra.role if leaf.extra is not None else ""
            if leaf.op is None and isinstance(leaf, Constant) and kind != "parameter" and x is not None \
                    and y is not None and x.shape == y.shape and not np.array_equal(x, y, equal_nan=True):
                return case.place(node), f": it comes into {node.op.name} as plain numbers of shape {x.shape}"  # type: ignore[union-attr]
    return ("", ""), ""


def dead(case: Case, report: Report) -> None:
    """Activations that are 0 for every sample, so that nothing before them learns."""
    tape, _ = case.taped(True)
    seen, worst = 0, 0.0
    for node, v in tape.steps:
        if node.op is None or node.op.name not in _RELUS or isinstance(node, Constant) or v.ndim < 2 \
                or v.shape[0] < 4 or node.extra is None or not node.extra.module:
            continue
        units = (v == 0).all(0)
        share, seen = float(units.mean()), seen + 1
        worst = max(worst, share)
        if share < 0.95:
            continue
        before = next((x for _, x in operands(node) if x is not None and x.shape == v.shape), None)
        top = f"; the highest of its inputs is {float(before.max()):.3g}" if before is not None else ""
        if before is not None and not before.any():
            continue                          # zeros by construction: what comes before is told of elsewhere
        report.add("error" if share == 1 else "warning", "all ReLUs dead" if share == 1 else "nearly all ReLUs dead",
                   f"{int(units.sum())} of {units.size} units of {node.op.name} are 0 for all {v.shape[0]} samples"
                   f"{top}. There the slope is 0, so nothing before it learns",
                   "look at the bias and the scale of the weights before it (nn.init.kaiming_normal_), lower the "
                   "learning rate that drove it there, or use LeakyReLU or GELU", *case.place(node))
        return
    if seen:
        report.fine.append(("activations", f"at most {100 * worst:.0f} % of the units are 0 for the whole batch"))


def finite(case: Case, report: Report) -> bool:
    """The first step that makes NaN or infinity of finite numbers; True if output and loss are finite."""
    tape, loss = _run(case)
    case.kept.values()
    if np.isfinite(loss.value).all():
        report.fine.append(("loss", f"{float(loss.value):.4g}, finite"))
        return True
    for node, v in tape.steps:
        if v.dtype.kind in "fc" and not np.isfinite(v).all() and \
                all(x is None or np.isfinite(x).all() for _, x in operands(node)):
            bad = int((~np.isfinite(v)).sum())
            report.add("error", "not a finite number", f"the loss is {float(loss.value)}; "
                       f"{node.op.name if node.op else ''} is the first step that makes {bad} of {v.size} elements "
                       "infinite or NaN, from finite ones",
                       "keep its argument in range (eps under a root or a logarithm, logsumexp for log of sums), and "
                       "look at the scale of the inputs", *case.place(node))
            return False
    report.add("error", "not a finite number", f"the loss is {float(loss.value)}: inputs, targets or parameters are "
               "not finite", "look at the data")
    return False
