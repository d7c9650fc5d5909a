"""`nn.doctor`: one model, one loss, one batch, and every check that applies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from autograd import enable_grad
from autograd.place import user_line

from ..module import Module
from ..training.objective import Objective
from . import gradients, outputs, rows, training
from .case import Case
from .report import Report


def doctor(model: Module, loss_fn: Any, batch: Any, optimizer: Any = None, *,
           step: Callable[[], Any] | None = None) -> Report:
    """Examine a training program: the mistakes that raise no error and yet keep a model from learning.

        print(nn.doctor(model, nn.CrossEntropyLoss(), (x, y), optimizer))

    loss_fn    (output, target) -> number, a loss module, or a name known to `Model.compile`
    batch      (x, y), or (x1, x2, ..., y) for a model of several inputs
    optimizer  if given, its parameters and its learning rate are looked at
    step       if given, your own training step (no arguments), which is looked at for a missing zero_grad

    Everything is found by trying: outputs, targets, samples, parameters and random draws are changed, and the batch is
    trained on for some steps.  Afterwards parameters, buffers, gradients, modes, random generators and the optimizer
    are as they were, also after an error.  Takes as long as some hundred steps of training.
    Returns a Report, which prints as a page; raises TypeError for what cannot be examined at all.
    """
    case = Case(model, loss_fn, batch, optimizer, step)
    count = sum(p.numel() for p in model.parameters())
    report = Report(f"{type(model).__name__}, {count:,} parameters, batch of {case.size}", user_line())
    case.called = report.called
    try:
        with warnings.catch_warnings(), enable_grad():
            warnings.simplefilter("ignore")
            _examine(case, report, any(m.training for m in model.modules()))
    finally:
        case.kept.all()
    return report


def _examine(case: Case, report: Report, training_mode: bool) -> None:
    if not training_mode and any(True for _ in case.model.children()):
        report.add("note", "the model is in evaluation mode", "all modules have training=False",
                   "call model.train() before training")
    case.kept.values()
    if isinstance(case.loss_fn, Objective):
        case.loss_fn.settle(case.output(False))
        case.kept.values()
    try:
        outputs.labels(case, report)
        if not gradients.finite(case, report):
            return
    except Exception as error:
        case.kept.values()
        first = next((x for x in case.inputs if getattr(x, "ndim", 0)), None)
        norms = rows.norms(case)
        if norms and first is not None and first.shape[0] == 1 and "more than" in str(error):
            report.add("error", "BatchNorm with a batch of 1", f"in training mode: {error}",
                       "train with more samples in a batch (drop_last=True in the DataLoader), or use GroupNorm or "
                       "LayerNorm", f"{norms[0][0] or 'the model'} ({type(norms[0][1]).__name__})")
        elif not report.titles:
            report.add("error", "the batch does not go through", f"{type(error).__name__}: {error}",
                       "; ".join(getattr(error, "__notes__", [])) or "mend what the error says, then ask again",
                       "", "")
        return
    for check in (outputs.activations, outputs.pairing, rows.batch, rows.draws, rows.one_sample, gradients.dead):
        _try(check, case, report)
    arrived: dict[str, Any] = {}

    def reach(case: Case, report: Report) -> None:
        arrived.update(gradients.reached(case, report))
    _try(reach, case, report)
    holds = True
    if case.optimizer is not None:
        holds = training.stale(case, report)
    if arrived:
        _try(lambda c, r: training.overfit(c, r, arrived), case, report)
    if case.optimizer is None:
        report.skipped.append(("learning rate", "no optimizer was given"))
    elif holds and arrived:
        _try(training.rate, case, report)
    if case.step is not None:
        _try(training.loop, case, report)
    else:
        report.skipped.append(("zero_grad", "no step= was given"))


def _try(check: Callable[[Case, Report], Any], case: Case, report: Report) -> None:
    """A check that cannot be carried out is told of, and the others go on."""
    try:
        check(case, report)
    except Exception as error:
        name = getattr(check, "__name__", "training").replace("_", " ").replace("<lambda>", "overfitting")
        report.skipped.append((name, f"{type(error).__name__}: {error}".replace("\n", " ")[:120]))
    finally:
        case.kept.values()
