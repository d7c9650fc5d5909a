"""What `fit` warns of by itself, because it can be seen at little cost and is never meant; `nn.doctor` tells where.

Looked at are the first batch, before and after its backward pass, and that batch once more after the first epoch.
All warnings are `TrainingWarning`s; `compile(..., checks=False)` leaves the looking out.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from autograd import Tensor, default_rng, no_grad
from autograd.tensor import wrap

from ..activation import ReLU, ReLU6
from ..module import Module
from .objective import Objective, ending_of
from .outputs import buffers_of, kept, modes_of, put_back, restore
from .warned import warn

ASK = "print(nn.doctor(model, loss_fn, (x, y))) tells where"
STEPS = 20                                    # after which a learning rate can be judged


# -- on the first batch, before anything is learned ----------------------------------------------------------


def warn_before(who: str, run: Module, objective: Objective, x: Tensor, y: Any, output: Any, loss: Any) -> None:
    """What shows without a step: samples that are mixed, the wrong kind of outputs, shapes that broadcast."""
    if isinstance(output, Tensor) and objective.targets == "custom":
        _warn_of_wrong_outputs(who, output, loss)
        _warn_of_broadcast(who, objective, y, output, loss)
    _warn_of_mixed_samples(who, run, objective, x, y, output)


def _warn_of_wrong_outputs(who: str, output: Tensor, loss: Any) -> None:
    """A loss of logits that is given probabilities, found in the graph from the loss to the output."""
    start = output.node.index if output.node is not None else -1
    front, seen = [loss.node], set[int]()
    while front:
        node = front.pop()
        if node is None or node.op is None or id(node) in seen or node.index < start or len(seen) > 200:
            continue
        seen.add(id(node))
        if node.op.name in ("cross_entropy", "log_softmax", "sigmoid_cross_entropy"):
            ending = ending_of(node.parents[0])
            loss_name = "BCE-with-logits" if node.op.name == "sigmoid_cross_entropy" else "cross_entropy"
            if ending in ("softmax", "sigmoid"):
                warn(f"{who}: the loss is {loss_name}, which takes logits, and the model ends with {ending}: leave "
                     f"the {ending} out of the model, or it is applied twice. {ASK}")
                return
        front += node.parents


def _warn_of_broadcast(who: str, objective: Objective, y: Any, output: Tensor, loss: Any) -> None:
    """(N, 1) against (N,): every output is compared with every target, and their order does not matter."""
    shapes = {output.shape, y.shape}
    n = output.shape[0] if output.ndim else 0
    if n < 3 or shapes != {(n,), (n, 1)} or float(np.ptp(output.value)) == 0 or float(np.ptp(y.value)) == 0:
        return
    with no_grad():
        turned = float(objective(output, wrap(np.roll(y.value, 1, 0))).value)
    value = float(loss.value)
    if abs(turned - value) <= 1e-5 * abs(value):
        fix = "y.reshape(-1, 1)" if y.ndim == 1 else "y.reshape(-1)"
        warn(f"{who}: outputs {output.shape} and targets {y.shape} are broadcast to {(n, n)} in the loss, which "
             f"compares every output with every target: use {fix}. {ASK}")


def _warn_of_mixed_samples(who: str, run: Module, objective: Objective, x: Tensor, y: Any, output: Any) -> None:
    """The first and the last sample, with the others replaced by them, must give what they gave (evaluation mode).

    Where they do not, the doctor is asked what mixes them: it is silent where that may be meant.
    """
    n = x.value.shape[0] if x.ndim else 0
    if n < 2 or not isinstance(output, Tensor) or not output.ndim or output.shape[0] != n \
            or any(getattr(part, "track_running_stats", True) is False for part in run.modules()):
        return
    with no_grad(), np.errstate(all="ignore"):
        if not np.array_equal(run(x).value, output.value, equal_nan=True):
            return                            # the model draws: nothing can be compared
        change = 0.0
        for at in (0, n - 1):
            alone = run(wrap(np.repeat(x.value[at:at + 1], n, 0)))
            was, now = output.value[at], alone.value[at]
            scale = float(np.abs(was).max(initial=0)) if np.isfinite(was).all() else np.inf
            if not np.allclose(was, now, rtol=1e-3, atol=1e-3 * scale, equal_nan=True):
                change = max(change, float(np.abs(was - now).max()))
    if not change:
        return
    from ..diagnosis.case import Case  # seldom needed, and much of it
    from ..diagnosis.report import Report
    from ..diagnosis.rows import batch
    report, case = Report(""), Case(run, objective, (x, y), None, None)
    try:
        batch(case, report)
    finally:
        case.kept.all()
    for found in report.findings:
        if found.severity != "note":
            place = f" ({found.layer})" if found.layer else ""
            warn(f"{who}: {found.title}{place}: the output of a sample changes by up to {change:.3g} when the other "
                 f"{n - 1} samples of the batch are replaced, in evaluation mode. {found.fix}. {ASK}")


def warn_of_stale(who: str, model: Module, optimizer: Any) -> None:
    """An optimizer that was made before the model was rebuilt."""
    held = {id(p): p for group in optimizer.param_groups for p in group["params"]}
    own = {id(p): path for path, p in model.named_parameters() if p.requires_grad}
    missing = [path for key, path in own.items() if key not in held]
    foreign = [p for key, p in held.items() if key not in own and p.requires_grad]
    if missing and foreign:
        warn(f"{who}: {len(foreign)} of the {len(held)} tensors of the {type(optimizer).__name__} are no parameters "
             f"of the model, and it does not have {_few(missing)}: it was made before the model was rebuilt; call "
             "compile again")


# -- after the first backward pass ---------------------------------------------------------------------------


def warn_of_gradients(who: str, model: Module, optimizer: Any) -> None:
    """Parameters of the optimizer that nothing reaches, and weights whose rows will always stay equal."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    learned = [(path, p) for path, p in model.named_parameters() if p.requires_grad and id(p) in held]
    lost = [path for path, p in learned if p.grad is None]
    if lost:
        warn(f"{who}: no gradient reaches {_few(lost)} in the first step: never used in forward, or cut off by "
             f"detach(), .numpy(), .item() or no_grad(). {ASK}")
    equal = [path for path, p in learned if p.grad is not None and _rows_are_equal(p.value)
             and _rows_agree(p.grad.value)]
    if equal:
        warn(f"{who}: all rows of {_few(equal)} are equal, and so are their gradients: its units compute the same for "
             f"ever; begin with random values, nn.init.xavier_uniform_(weight). {ASK}")


def _rows_are_equal(w: Any) -> bool:
    if w.ndim < 2 or w.shape[0] < 2 or w[0].size < 2 or not np.array_equal(w[0], w[1]):
        return False
    return bool((w == w[:1]).all())


def _rows_agree(g: Any) -> bool:
    return bool(np.abs(g - g[:1]).max() <= 1e-5 * np.abs(g).max())


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


# -- after the first epoch -----------------------------------------------------------------------------------


class FirstBatch:
    """The first batch that was learned from, and what it and the parameters were: looked at again after an epoch."""

    __slots__ = ("batch", "loss", "values", "rates", "draws")

    def __init__(self, batch: Any, loss: float, draws: Any, optimizer: Any) -> None:
        self.batch, self.loss, self.draws = batch, loss, draws
        held = [p for group in optimizer.param_groups for p in group["params"]]
        self.values = [(p, p.value) for p in held]            # arrays are replaced, never written into
        self.rates = [group.get("lr") for group in optimizer.param_groups]

    def look_again(self, who: str, model: Any, run: Module, plan: Any, steps: int) -> None:
        """Compare: dead activations, a loss that has exploded, a learning rate that moves nothing."""
        if not isfinite(self.loss):
            return                            # told of already
        modes, before, draws = modes_of(run), kept(buffers_of(run)), default_rng().bit_generator.state
        now = [(p, p.value) for p, _ in self.values]
        if any(new.shape != old.shape for (_, new), (_, old) in zip(now, self.values)):
            return
        try:
            run.train()
            with no_grad(), np.errstate(all="ignore"):
                dead: list[str] = []
                loss = self._again(model, run, plan, before, dead)
                if dead:
                    warn(f"{who}: all outputs of {_few(dead)} are 0 for the first batch after {steps} steps: nothing "
                         f"is learned through dead ReLUs; lower the learning rate ({_rates(plan)}), or use "
                         f"nn.LeakyReLU. {ASK}")
                if self.loss > 0 and loss > 10 * self.loss and loss - self.loss > 1e-4:
                    warn(f"{who}: the loss of the first batch has risen from {self.loss:.4g} to {loss:.4g} in {steps} "
                         f"steps: the learning rate is too high ({_rates(plan)}). {ASK}")
                elif steps >= STEPS and abs(loss - self.loss) < 1e-4 * abs(self.loss) and not dead \
                        and [group.get("lr") for group in plan.optimizer.param_groups] == self.rates:
                    for times in (10**3, 10**4, 10**5, 10**6):
                        for (p, new), (_, old) in zip(now, self.values):
                            p.value = old + np.asarray(times, old.dtype) * (new - old)
                        far = self._again(model, run, plan, before, [])
                        if far < self.loss - 0.3 * abs(self.loss):
                            warn(f"{who}: the loss of the first batch is {loss:.6g} after {steps} steps and was "
                                 f"{self.loss:.6g}; a step {times} times as long the same way gives {far:.4g}: the "
                                 f"learning rate is far too low ({_rates(plan)}). {ASK}")
                            break
        finally:
            for p, value in now:
                p.value = value
            put_back(before)
            restore(modes)
            default_rng().bit_generator.state = draws

    def _again(self, model: Any, run: Module, plan: Any, before: Any, dead: list[str]) -> float:
        default_rng().bit_generator.state = self.draws
        found: dict[int, bool] = {}
        hooks = [part.register_forward_hook(
            lambda part, args, out: found.__setitem__(id(part), found.get(id(part), True) and not out.value.any()
                                                      and args[0].value.min(initial=0) < 0))
            for part in run.modules() if type(part) in (ReLU, ReLU6)]
        try:
            x, y = self.batch[0], self.batch[1]
            output = run(x)
            loss = plan.objective(output, y) if len(self.batch) == 2 else \
                plan.objective.weighted(output, y, self.batch[2])
            if plan.penalties or model._losses or model._added:
                loss = loss + model.penalty()
        finally:
            for hook in hooks:
                hook.remove()
            put_back(before)
        dead += [f"{path or 'the model'} ({type(part).__name__})" for path, part in run.named_modules()
                 if found.get(id(part)) and self.batch[0].shape[0] >= 8]
        return float(loss.value)


def _rates(plan: Any) -> str:
    return "now " + ", ".join(f"{rate:g}" for rate in sorted({group["lr"] for group in plan.optimizer.param_groups
                                                              if "lr" in group}))
