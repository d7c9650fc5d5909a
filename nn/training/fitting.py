"""The run of `Model.fit`: its data made ready, its epochs, and where an interrupted one goes on."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import enable_grad

from ..data.check import tail
from .feed import Feed, is_batches
from .history import Audience, History, Logs
from .outputs import modes_of, restore
from .passes import Position, learn, measure
from .plan import Plan
from .progress import Progress, say
from .rehearsal import look
from .warned import said_once


def count(who: str, name: str, value: Any, least: int = 0) -> int:
    """An argument that counts something; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{who}: {name} must be an integer, {least} or more; got {value!r}")
    return int(value)


def optional(who: str, name: str, value: Any) -> int | None:
    """As `count`, at least 1, or None."""
    return None if value is None else count(who, name, value, 1)


def feeds(model: Any, plan: Plan, x: Any, y: Any, batch_size: int | None, shuffle: bool, split: float, validation: Any,
          class_weight: Any, sample_weight: Any, steps: int | None, validation_steps: int | None,
          validation_batch_size: int | None) -> tuple[Feed, Feed | None]:
    """What to train on and what to validate on, both checked."""
    if isinstance(split, bool) or not isinstance(split, (int, float)) or not 0 <= split < 1:
        raise ValueError(f"fit: validation_split must be a fraction in [0, 1); got {split!r}")
    inputs, floats = model._inputs(), plan.objective.wants_floats
    rest = (inputs, floats)

    def training(x: Any, y: Any, weight: Any) -> Feed:
        return Feed("fit", x, y, batch_size, shuffle, *rest, weight, class_weight, steps, True)

    if validation is not None:
        parts = validation if isinstance(validation, (tuple, list)) else (validation,)
        if len(parts) not in (1, 2, 3):
            raise ValueError(f"fit: validation_data must be (x, y), (x, y, sample_weight) or a loader; got "
                             f"{len(parts)} parts")
        x_val, y_val, w_val = (*parts, None, None)[:3]
        size = None if is_batches(x_val) else validation_batch_size or batch_size
        return (training(x, y, sample_weight), Feed("fit, validation_data", x_val, y_val, size, False, *rest, w_val,
                                                    None, validation_steps))
    feed = training(x, y, sample_weight)
    if not split:
        return feed, None
    if not feed.known:
        raise ValueError(f"fit: validation_split needs arrays; x is a {type(x).__name__}: pass validation_data=")
    x_all, y_all = (t.value for t in feed.source.dataset.tensors[:2])
    x, y, x_val, y_val = tail(x_all, y_all, split)
    weight = weight_val = None
    if sample_weight is not None:
        weight = np.asarray(getattr(sample_weight, "value", sample_weight))
        weight, weight_val = weight[:len(x)], weight[len(x):]
    return (training(x, y, weight),
            Feed("fit, validation_split", x_val, y_val, validation_batch_size or batch_size, False, *rest, weight_val,
                 None, validation_steps))


def train(model: Any, plan: Plan, feed: Feed, validation: Feed | None, callbacks: Any, verbose: int, first: int,
          epochs: int, every: Any) -> History:
    """The epochs from `first` to `epochs`, each told to the callbacks and, where `every` says so, validated.

    A callback with `found()` and `resume(kept)`, as BackupAndRestore has them, is asked for an interrupted run.
    """
    history = History()
    given = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    audience = Audience([*given, history], model, {"verbose": verbose, "epochs": epochs, "steps": feed.steps})
    backup = next((member for member in audience.members if hasattr(member, "resume")), None)
    kept = None if backup is None else backup.found()
    feed.keeps = backup is not None
    modes, run, position = modes_of(model), model._run(), Position(first, feed, audience)
    progress = Progress(feed.steps, 0)
    logs: Logs = {}
    try:
        with enable_grad(), said_once(), np.errstate(all="ignore"):    # what diverges is told of by `learn`
            look(run, plan, feed, *feed.first())
            if validation is not None:
                look(run, plan, validation, *validation.first())
            model.history, model.stop_training, model._position = history, False, position
            audience.tell("on_train_begin")
            if kept is not None:
                position.epoch = kept["run"]["epoch"]
                if not kept["run"]["step"]:
                    backup.resume(kept)                       # type: ignore[union-attr]
                    kept = None
                    logs = {name: values[-1] for name, values in history.history.items() if values}
            while position.epoch < epochs and not (model.stop_training and kept is None):
                epoch = position.epoch
                progress = Progress(feed.steps, verbose)
                if verbose and epochs > 1:
                    say(f"Epoch {epoch + 1}/{epochs}\n")
                audience.tell("on_epoch_begin", epoch)
                if kept is not None:                          # within this epoch
                    backup.resume(kept)                       # type: ignore[union-attr]
                    kept = None
                model.train()
                steps, logs = learn(model, run, plan, position, progress)
                model.epoch, position.step = epoch + 1, 0
                if position.first is not None:
                    position.first.look_again("fit", model, run, plan, position.steps)
                    position.first = None
                if validation is not None and _is_due(every, epoch):
                    measured = measure(model, run, plan, validation, Progress(None, 0), audience)[1]
                    logs |= {f"val_{name}": value for name, value in measured.items()}
                    logs = {name: logs[name] for name in sorted(logs)}            # Keras's order
                audience.tell("on_epoch_end", epoch, logs)
                progress.finish(steps, logs)
                feed.steps = feed.steps or steps
                position.epoch = epoch + 1
            audience.tell("on_train_end", logs)
    finally:
        progress.interrupt()
        restore(modes)
        model._position = None
    return history


def _is_due(every: Any, epoch: int) -> bool:
    """Whether an epoch is validated: each `every`th, or those whose number (from 1) is listed."""
    return (epoch + 1) % every == 0 if isinstance(every, (int, np.integer)) else epoch + 1 in every
