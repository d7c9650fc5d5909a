"""Does it learn?  Found by training on the one batch, with the optimizer at hand and without it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from .case import Case
from .report import Report

STEPS = 30


class _Adam:
    """Kingma and Ba 2015, for trying only: x <- x - lr m̂ / (√v̂ + ε)."""

    def __init__(self, case: Case, lr: float) -> None:
        self.case, self.lr, self.m, self.v = case, lr, {}, {}        # type: ignore[var-annotated]

    def __call__(self, k: int, gradients: dict[str, Any]) -> None:
        for path, g in gradients.items():
            m = self.m[path] = 0.9 * self.m.get(path, 0) + 0.1 * g
            v = self.v[path] = 0.99 * self.v.get(path, 0) + 0.01 * g * g.conj().real
            step = self.lr * (m / (1 - 0.9 ** (k + 1))) / (np.sqrt(v / (1 - 0.99 ** (k + 1))) + 1e-8)
            p = self.case.named[path]
            p.value = (p.value - step).astype(p.dtype)


def overfit(case: Case, report: Report, gradients: dict[str, Any]) -> None:
    """One batch can be learned by heart; and units that start alike must not stay alike."""
    alike = {path for path, p in case.named.items() if path in gradients and _alike(p.value)}
    steps, best, curve, rate = STEPS, np.inf, [], 0.0
    for lr in (1e-2, 1e-3, 1e-1):
        adam = _Adam(case, lr)

        def change(k: int, g: dict[str, Any], adam: _Adam = adam, steps: int = steps) -> None:
            adam(k, g)
            if k == steps - 1:
                alike.intersection_update([path for path in alike if _alike(case.named[path].value)])
        losses = case.descend(steps, change)
        steps = max(5, min(steps, int(1.0 / case.slow))) if case.slow else steps
        low = min(losses[-3:]) if np.isfinite(losses[-1]) else np.inf
        if low < best:
            best, curve, rate = low, losses, lr
        if curve and best < 0.5 * abs(curve[0]):
            break
    if alike:
        path = sorted(alike)[0]
        p = case.named[path]
        owner = dict(case.model.named_modules())[path.rpartition(".")[0]]
        report.add("error", "symmetric initial values", f"all {p.shape[0]} rows of {path} are equal, and still are "
                   f"after {steps} steps of training: its units compute and learn the same, as if there were one",
                   "draw the weights at random, e.g. nn.init.kaiming_uniform_(layer.weight)",
                   f"{path.rpartition('.')[0] or 'the model'} ({type(owner).__name__})")
    start = curve[0] if curve else float("nan")
    size = float(np.sqrt(sum((np.abs(g) ** 2).sum() for g in gradients.values())))
    said = f"{start:.4g} -> {best:.4g} in {len(curve)} steps of Adam, lr={rate:g}"
    if best < start - 0.01 * abs(start) or (np.isfinite(best) and best < start and best < 1e-6):
        report.fine.append(("overfits one batch", said))
    elif size < 1e-5:
        report.fine.append(("overfits one batch", f"at a minimum already: loss {start:.4g}, |gradient| {size:.1g}"))
    elif not report.titles:
        report.add("warning", "does not learn one batch", f"the loss of this batch goes {said}; the gradient has norm "
                   f"{size:.3g}", "is the output connected to the right parameters, and does the loss depend on the "
                   "output? Look at the scale of inputs and targets")


def _alike(value: Any) -> bool:
    """Whether all rows are equal, and there are several."""
    if value.ndim < 2 or value.shape[0] < 2 or not value.size or value[0].size < 1:
        return False
    spread = float(np.abs(value - value[:1]).max())
    return spread <= 1e-6 * float(np.abs(value).max())


def stale(case: Case, report: Report) -> bool:
    """An optimizer of other tensors than the model's parameters.  Returns whether it has any of them."""
    held = [p for group in case.optimizer.param_groups for p in group["params"]]
    own = {id(p): path for path, p in case.model.named_parameters(remove_duplicate=False)}
    foreign = [p for p in held if id(p) not in own]
    known = {id(p) for p in held}
    missing = [path for path, p in case.named.items() if p.requires_grad and id(p) not in known]
    twins = [p for p in foreign if any(case.named[path].shape == p.shape for path in missing)]
    if twins or (foreign and len(foreign) == len(held)):
        report.add("error", "optimizer holds stale parameters", f"{len(foreign)} of the {len(held)} tensors of this "
                   f"{type(case.optimizer).__name__} are no parameters of the model, and {len(missing)} parameters of "
                   f"the model ({', '.join(missing[:4])}{', ...' if len(missing) > 4 else ''}) are in none of its "
                   "groups: step() does not change them",
                   "make the optimizer after the model is complete, from model.parameters(); replacing a layer or "
                   "copying the model makes new parameters")
    elif missing:
        report.add("note", "parameters without optimizer", f"{len(missing)} parameters are learned and in no group of "
                   f"the optimizer: {', '.join(missing[:4])}{', ...' if len(missing) > 4 else ''}",
                   "fine if another optimizer has them; freeze what is not to be learned")
    else:
        report.fine.append(("optimizer", f"holds all {len(held)} parameters of the model"))
    return len(foreign) < len(held)


def _with_optimizer(case: Case, factor: float, steps: int) -> list[float]:
    optimizer = case.optimizer
    rates = [group.get("lr") for group in optimizer.param_groups]

    def change(k: int, gradients: dict[str, Any]) -> None:
        for group, lr in zip(optimizer.param_groups, rates):
            if lr is not None:
                group["lr"] = lr * factor
        optimizer.step(lambda: case.backward(k))
    return case.descend(steps, change)


def rate(case: Case, report: Report) -> None:
    """The learning rate: the loss explodes, or does not move, where another rate would do."""
    rates = sorted({float(g["lr"]) for g in case.optimizer.param_groups if g.get("lr") is not None})
    if not rates:
        report.skipped.append(("learning rate", "the optimizer has none"))
        return
    said = ", ".join(f"{lr:g}" for lr in rates)
    steps = max(5, min(STEPS, int(1.0 / case.slow))) if case.slow else STEPS
    losses = _with_optimizer(case, 1, steps)
    start, end = losses[0], _end(losses)
    out = case.seen()
    zero = case.number(np.zeros_like(out)) if out is not None else None
    scale = max(abs(start), abs(zero) if zero is not None and np.isfinite(zero) else 0.0, 1e-12)
    if not end < start + scale:
        calm = next((f for f in (0.1, 0.01, 1e-3, 1e-4) if _end(_with_optimizer(case, f, steps)) < start), None)
        fix = f"a rate of {', '.join(f'{lr * calm:g}' for lr in rates)} lowers it" if calm else \
            "no rate down to a 10,000th lowers it either: look at the scale of inputs and targets"
        report.add("error", "learning rate far too high", f"with lr={said} the loss of this batch goes from "
                   f"{start:.4g} to {end:.4g} in {len(losses)} steps; {fix}",
                   f"lr={', '.join(f'{lr * (calm or 0.1):g}' for lr in rates)}, and see nn.Model's warnings")
        return
    if start - end < 1e-3 * abs(start):
        for f in (1e2, 1e4, 1e6):
            low = _end(_with_optimizer(case, f, steps))
            if not (start - low > 0.1 * abs(start) and start - low > 20 * (start - end)):
                continue
            report.add("warning", "learning rate far too low", f"with lr={said} the loss of this batch goes from "
                       f"{start:.6g} to {end:.6g} in {len(losses)} steps; {f:g} times as high it goes to "
                       f"{low:.4g}", f"lr={', '.join(f'{lr * f:g}' for lr in rates)}")
            return
    report.fine.append(("learning rate", f"lr={said}: {start:.4g} -> {end:.4g} in {len(losses)} steps"))


def _end(losses: list[float]) -> float:
    last = losses[-3:]
    return float(np.mean(last)) if np.isfinite(last).all() else float("inf")


def loop(case: Case, report: Report) -> None:
    """The user's own step, with a learning rate of 0: gradients that lie there before it must not be in those after it.

    Tried several times, as a step that accumulates gradients clears them only now and then.
    """
    for group in case.optimizer.param_groups if case.optimizer is not None else ():
        if "lr" in group:
            group["lr"] = 0.0
    first, rng = {id(t): array for t, array, *_ in case.kept.tensors}, np.random.default_rng(0)
    case.step()
    scale = max((float(np.abs(g).max()) for g in case.gradients().values()), default=0.0)
    if not scale:
        report.fine.append(("training step", "gradients are cleared at its end"))
        return
    share = 1.0
    for _ in range(8):
        for p in case.named.values():
            p.value = first[id(p)]            # whatever the step does to parameters
        foreign = {path: Tensor((1e3 * scale * rng.standard_normal(g.shape)).astype(g.dtype)[()])
                   for path, g in case.gradients().items()}
        for path, g in foreign.items():
            case.named[path].grad = g
        case.step()
        left = case.gradients()
        both = [(left[path].ravel(), g.value.ravel()) for path, g in foreign.items() if path in left]
        a, b = (np.concatenate(part) for part in zip(*both)) if both else (np.zeros(1), np.zeros(1))
        share = min(share, float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-30)))
        if share < 0.9:
            report.fine.append(("training step", "each step starts from cleared gradients"))
            return
    report.add("error", "steps without zero_grad", "gradients that were put into .grad before the training step are in "
               f"those after it, 8 times of 8 (cosine {share:.2f}): each backward() adds to what is there, so a step "
               "follows the sum of all gradients so far", "call optimizer.zero_grad() in every step, before backward()")
