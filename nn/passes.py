"""One pass over the data: learning from it, measuring on it, or looking whether it fits the model at all."""

from __future__ import annotations

import warnings
from math import isfinite
from time import perf_counter as clock
from typing import Any

import numpy as np

from autograd import Tensor, default_rng, enable_grad, no_grad
from autograd.tensor import wrap

from .data.feed import Feed
from .history import Audience
from .metrics import Metric
from .module import Module
from .objective import Objective
from .progress import Progress
from .watch import warn_of_mixed_samples, warn_of_unreached


class Plan:
    """What `compile` was told: how to train, on what, and what to report."""

    __slots__ = ("optimizer", "objective", "metrics", "watched")

    def __init__(self, optimizer: Any, objective: Objective, metrics: list[Any]) -> None:
        self.optimizer, self.objective, self.metrics = optimizer, objective, metrics
        self.watched = False                  # was the first batch of a `fit` looked at for silent mistakes?

    def logs(self, mean_loss: float) -> dict[str, float]:
        """The loss and the metrics so far, by name in alphabetical order, as Keras reports them."""
        found = {m.name: m.result() for m in self.metrics}
        found["loss"] = mean_loss
        return {name: found[name] for name in sorted(found)}

    def report(self, logs: dict[str, float], as_dict: bool) -> Any:
        """What `evaluate` returns: the dict, [loss, metric, ...] in the order of `compile`, or the loss alone."""
        if as_dict:
            return logs
        return [logs["loss"], *(logs[m.name] for m in self.metrics)] if self.metrics else logs["loss"]


def learn(model: Any, run: Module, plan: Plan, feed: Feed, progress: Progress, audience: Audience,
          epoch: int) -> tuple[int, dict[str, float]]:
    """One step of the optimizer for each batch.  Returns the number of steps and the means over them.

    `run` is what is called: the model, or the module it wraps.  If a batch fails, parameters, optimizer and buffers
    are as before it, and the exception passes on.
    """
    optimizer, objective, measures = plan.optimizer, plan.objective, plan.metrics
    before = audience.listeners("on_train_batch_begin", "on_batch_begin")
    after = audience.listeners("on_train_batch_end", "on_batch_end")
    buffers = _buffers(model)
    for m in measures:
        m.reset()
    total, count, step = 0.0, 0, 0
    for x, y in feed:
        if not feed.checked:
            look(run, plan, feed, x, y)
        for tell in before:
            tell(step)
        kept = _kept(buffers) if buffers else ()
        try:
            optimizer.zero_grad()
            output = run(x)
            loss = objective(output, y)
            loss.backward()
            if not plan.watched:
                plan.watched = True
                warn_of_unreached(feed.who, model, optimizer)
            optimizer.step()
        except BaseException:
            optimizer.zero_grad()
            _put_back(kept)
            raise
        n = y.value.shape[0]
        value = float(loss.value)
        total += value * n
        count += n
        step += 1
        for m in measures:
            m.update(values_of(output), y.value)
        if not isfinite(value) and feed.sound:
            feed.sound = False
            _warn(plan, progress, value, epoch, step)
        if after:
            logs = plan.logs(total / count)
            for tell in after:
                tell(step - 1, logs)
        if clock() >= progress.due:
            progress.draw(step, plan.logs(total / count))
        if model.stop_training:
            break
    if not count:
        raise ValueError(f"fit: the {type(feed.source).__name__} gave no batches in epoch {epoch + 1}: "
                         + ("a generator can be run through only once; pass a DataLoader" if epoch else "it is empty"))
    return step, plan.logs(total / count)


def _warn(plan: Plan, progress: Progress, value: float, epoch: int, step: int) -> None:
    progress.interrupt()
    rates = sorted({group["lr"] for group in plan.optimizer.param_groups if "lr" in group})
    warnings.warn(f"fit: the loss became {value} in epoch {epoch + 1}, step {step}, and the parameters are of no use "
                  "from here on: build the model anew and lower the learning rate (now "
                  f"{', '.join(f'{rate:g}' for rate in rates)}), scale the inputs to mean 0 and variance 1, or clip "
                  "the gradients", RuntimeWarning, stacklevel=4)


def measure(run: Module, plan: Plan, feed: Feed, progress: Progress,
            audience: Audience) -> tuple[int, dict[str, float]]:
    """Loss and metrics in evaluation mode; nothing is learned.  Returns the number of steps and the means over them."""
    objective, measures = plan.objective, plan.metrics
    before, after = audience.listeners("on_test_batch_begin"), audience.listeners("on_test_batch_end")
    run.eval()
    for m in measures:
        m.reset()
    total, count, step = 0.0, 0, 0
    audience.tell("on_test_begin")
    with no_grad(), np.errstate(all="ignore"):
        for x, y in feed:
            if not feed.checked:
                look(run, plan, feed, x, y)
            for tell in before:
                tell(step)
            output = run(x)
            n = y.value.shape[0]
            total += float(objective(output, y).value) * n
            count += n
            step += 1
            for m in measures:
                m.update(values_of(output), y.value)
            for tell in after:
                tell(step - 1, plan.logs(total / count))
            if clock() >= progress.due:
                progress.draw(step, plan.logs(total / count))
    if not count:
        raise ValueError(f"{feed.who}: the {type(feed.source).__name__} gave no batches: it is empty, or a generator "
                         "that was run through before; pass a DataLoader")
    logs = plan.logs(total / count)
    audience.tell("on_test_end", logs)
    return step, logs


def look(run: Module, plan: Plan, feed: Feed, x: Tensor | None = None, y: Any = None) -> None:
    """Run a batch through model, loss and metrics in evaluation mode: what does not fit shows before anything changes.

    The first time this is where the loss sees what the model ends with, and "accuracy" which accuracy is meant.
    """
    if x is None:
        return                            # a loader's first batch is looked at when it comes
    objective, modes, draws = plan.objective, modes_of(run), default_rng().bit_generator.state
    try:
        run.eval()
        with enable_grad():
            output = run(x)
            if isinstance(output, Tensor):
                if output.node is None and x.dtype.kind == "f":      # all parameters are frozen
                    objective.settle(run(x.detach().requires_grad_()))
                else:
                    objective.settle(output)
                objective.check(output.value, y.value if feed.targets is None else feed.targets, feed.who)
            elif objective.targets != "custom":
                raise TypeError(f"{feed.who}: loss {objective.name!r} takes one output; the model gave a "
                                f"{type(output).__name__}: pass a function (output, target) as the loss")
        if not plan.watched and feed.who == "fit":
            warn_of_mixed_samples(feed.who, run, x, output)
        with no_grad():
            objective(output, y)
            values = values_of(output)
            for m in plan.metrics:
                if isinstance(m, Metric):
                    m.choose(values, y.value, objective.targets == "binary", objective.outputs == "logits")
                m.reset()
                m.update(values, y.value)
                m.reset()
        if feed.leaves_one:
            _try_one(run, feed, x)
    except Exception as error:
        error.add_note(f"{feed.who}: found on the first batch; nothing was changed")
        raise
    finally:
        default_rng().bit_generator.state = draws
        restore(modes)
    feed.sample, feed.checked = (x.shape[1:], x.dtype), True


def _try_one(run: Module, feed: Feed, x: Tensor) -> None:
    """Some modules cannot learn from a single sample, which would show at the end of the epoch only."""
    kept = _kept(_buffers(run))
    try:
        run.train()
        with no_grad():
            run(wrap(x.value[:1]))
    except Exception as error:
        n, size = len(feed.targets), feed.source.batch_size
        better = next(s for s in range(size + 1, n + 1) if n % s != 1)
        raise ValueError(f"{feed.who}: {n} samples in batches of {size} leave one for the last batch, and the model "
                         f"cannot learn from one ({error}): choose another batch_size, e.g. {better}") from error
    finally:
        _put_back(kept)


def values_of(output: Any) -> Any:
    """Arrays for Tensors, also in tuples, lists and dicts."""
    if isinstance(output, Tensor):
        return output.value
    if isinstance(output, (tuple, list)):
        return tuple([values_of(part) for part in output])
    if isinstance(output, dict):
        return {key: values_of(part) for key, part in output.items()}
    return output


def joined(outputs: list[Any]) -> Any:
    """The outputs of all batches in one."""
    first = outputs[0]
    if isinstance(first, tuple):
        return tuple([joined(list(part)) for part in zip(*outputs)])
    if isinstance(first, dict):
        return {key: joined([o[key] for o in outputs]) for key in first}
    return np.concatenate(outputs)


def _buffers(module: Module) -> list[tuple[dict[str, Any], str]]:
    """Where buffers stand: (attributes of a module, name)."""
    return [(part.__dict__, name) for part in module.modules() for name in part._persistent]


def _kept(buffers: list[tuple[dict[str, Any], str]]) -> list[Any]:
    """The buffers and their values: like parameters they are given new arrays, and old ones are not written into."""
    return [(home, name, tensor, tensor.value) for home, name in buffers if (tensor := home[name]) is not None]


def _put_back(kept: Any) -> None:
    for home, name, tensor, value in kept:
        home[name] = tensor
        tensor.value = value


def modes_of(module: Module) -> list[tuple[Module, bool]]:
    """Which parts are in training mode just now."""
    return [(part, part.training) for part in module.modules()]


def restore(modes: list[tuple[Module, bool]]) -> None:
    """Put every part back into the mode it was in."""
    for module, training in modes:
        if module.training is not training:
            module.training = training
