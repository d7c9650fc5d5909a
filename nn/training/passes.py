"""One pass over the data: learning from it, or measuring on it."""

from __future__ import annotations

from math import isfinite
from time import perf_counter as clock
from typing import Any

import numpy as np

from autograd import default_rng, no_grad
from autograd.tensor import wrap

from .feed import Feed
from .history import Audience
from .outputs import buffers_of, kept, put_back, values_of
from .plan import Plan
from .progress import Progress
from .rehearsal import look
from .warned import warn
from .watch import FirstBatch, warn_of_gradients


class Position:
    """How far a run of training is: what a checkpoint writes down besides the model.

    epoch, step     the epoch (from 0) and the batches of it that were learned from
    total, count    of losses and samples of this epoch, for their mean
    gathered        batches whose gradients wait for the optimizer's next step
    feed, audience  the data, and the callbacks
    first, steps    the first batch, where silent mistakes are looked for, and the batches since
    """

    __slots__ = ("epoch", "step", "total", "count", "gathered", "feed", "audience", "first", "steps")

    first: FirstBatch | None

    def __init__(self, epoch: int, feed: Feed, audience: Audience) -> None:
        self.epoch, self.step, self.total, self.count, self.gathered = epoch, 0, 0.0, 0, 0
        self.feed, self.audience, self.first, self.steps = feed, audience, None, 0


def learn(model: Any, run: Any, plan: Plan, position: Position, progress: Progress) -> tuple[int, dict[str, Any]]:
    """One step of the optimizer for each batch (or each few).  Returns the number of steps and the means over them.

    `run` is what is called: the model, or the module it wraps.  If a batch fails, parameters, optimizer and buffers
    are as before it, and the exception passes on.
    """
    feed, audience = position.feed, position.audience
    optimizer, objective, measures, weighted = plan.optimizer, plan.objective, plan.metrics, plan.weighted
    before = audience.listeners("on_train_batch_begin", "on_batch_begin")
    after = audience.listeners("on_train_batch_end", "on_batch_end")
    reads = any(getattr(getattr(tell, "__self__", None), "reads_batch_logs", True) for tell in after)
    buffers, every = buffers_of(model), plan.every
    if not position.step:
        position.total, position.count = 0.0, 0
        for m in (*measures, *weighted):
            m.reset()
    for batch in feed if not (position.step and model.stop_training) else ():
        x, y = batch[0], batch[1]
        weight = batch[2] if len(batch) > 2 else None
        if not feed.checked:
            look(run, plan, feed, *batch)
        for tell in before:
            tell(position.step)
        were = kept(buffers) if buffers else ()
        waiting = _gradients(plan) if position.gathered else None
        draws = None if plan.watched else default_rng().bit_generator.state
        try:
            if waiting is None:
                optimizer.zero_grad()
            output = run(x)
            loss = objective(output, y) if weight is None else objective.weighted(output, y, weight)
            if plan.penalties or model._losses or model._added:
                loss = loss + model.penalty()
            loss.backward()
            if not plan.watched:
                plan.watched = True
                if plan.checks:
                    warn_of_gradients(feed.who, model, optimizer)
                    position.first = FirstBatch(batch, float(loss.value), draws, optimizer)
            if every == 1 and plan.clip is None:
                optimizer.step()
            elif position.gathered + 1 == every:
                plan.step(every)
        except BaseException:
            _give_back(plan, waiting)
            put_back(were)
            raise
        n = y.value.shape[0]
        value = float(loss.value)
        position.gathered = (position.gathered + 1) % every
        position.total += value * n
        position.count += n
        position.step += 1
        position.steps += 1
        taken_in(measures, weighted, output, y, weight)
        if not isfinite(value) and feed.sound:
            feed.sound = False
            _warn(plan, progress, value, position.epoch, position.step)
        if after:
            mean = position.total / position.count
            logs = plan.logs(mean) if reads else {"loss": mean}
            for tell in after:
                tell(position.step - 1, logs)
        if clock() >= progress.due:
            _show(progress, plan, position.step, position.total / position.count)
        if model.stop_training:
            break
    if not position.count:
        raise ValueError(f"fit: the {type(feed.source).__name__} gave no batches in epoch {position.epoch + 1}: "
                         + ("a generator can be run through only once; pass a DataLoader" if position.epoch
                            else "it is empty"))
    return position.step, plan.logs(position.total / position.count)


def taken_in(measures: list[Any], weighted: list[Any], output: Any, y: Any, weight: Any) -> None:
    """Tells the metrics of a batch; those of `weighted_metrics` also how much each sample counts."""
    for m in measures:
        m.update(values_of(output), y.value)
    for m in weighted:
        if weight is None:
            m.update(values_of(output), y.value)
        else:
            m.update(values_of(output), y.value, sample_weight=weight.value)


def _show(progress: Progress, plan: Plan, step: int, mean: float) -> None:
    """Redraw the line; less often where the metrics take their time (an AUC sorts all that was seen): 2 % of it."""
    start = clock()
    progress.draw(step, plan.logs(mean))
    now = clock()
    progress.due = max(progress.due, now + 50 * (now - start))


def _gradients(plan: Plan) -> list[tuple[Any, Any]]:
    """The gradients that wait for more: (parameter, a copy)."""
    return [(p, None if p.grad is None else p.grad.value.copy()) for p in plan.held()]


def _give_back(plan: Plan, waiting: list[tuple[Any, Any]] | None) -> None:
    plan.optimizer.zero_grad()
    for p, grad in waiting or ():
        if grad is not None:
            p.grad = wrap(grad)


def _warn(plan: Plan, progress: Progress, value: float, epoch: int, step: int) -> None:
    progress.interrupt()
    rates = sorted({group["lr"] for group in plan.optimizer.param_groups if "lr" in group})
    warn(f"fit: the loss became {value} in epoch {epoch + 1}, step {step}, and the parameters are of no use "
                  "from here on: build the model anew and lower the learning rate (now "
                  f"{', '.join(f'{rate:g}' for rate in rates)}), scale the inputs to mean 0 and variance 1, or clip "
                  "the gradients")


def measure(model: Any, run: Any, plan: Plan, feed: Feed, progress: Progress,
            audience: Audience) -> tuple[int, dict[str, Any]]:
    """Loss and metrics in evaluation mode; nothing is learned.  Returns the number of steps and the means over them."""
    objective, measures, weighted = plan.objective, plan.metrics, plan.weighted
    before, after = audience.listeners("on_test_batch_begin"), audience.listeners("on_test_batch_end")
    run.eval()
    for m in (*measures, *weighted):
        m.reset()
    total, count, step = 0.0, 0, 0
    audience.tell("on_test_begin")
    with no_grad(), np.errstate(all="ignore"):
        for batch in feed:
            x, y = batch[0], batch[1]
            weight = batch[2] if len(batch) > 2 else None
            if not feed.checked:
                look(run, plan, feed, *batch)
            for tell in before:
                tell(step)
            output = run(x)
            loss = objective(output, y) if weight is None else objective.weighted(output, y, weight)
            if plan.penalties or model._losses or model._added:
                loss = loss + model.penalty()
            n = y.value.shape[0]
            total += float(loss.value) * n
            count += n
            step += 1
            taken_in(measures, weighted, output, y, weight)
            for tell in after:
                tell(step - 1, plan.logs(total / count))
            if clock() >= progress.due:
                _show(progress, plan, step, total / count)
    if not count:
        raise ValueError(f"{feed.who}: the {type(feed.source).__name__} gave no batches: it is empty, or a generator "
                         "that was run through before; pass a DataLoader")
    logs = plan.logs(total / count)
    audience.tell("on_test_end", logs)
    return step, logs
