"""What `Model.compile` was told: the optimizer, the loss, the penalties, what is reported."""

from __future__ import annotations

from typing import Any

import numpy as np

import optim
from autograd import Tensor
from autograd.tensor import wrap

from ..metrics import get_all
from ..module import Module
from ..regularizers import penalties
from .objective import Objective


class Plan:
    """How to train, on what, and what to report.

    optimizer, objective    made for the model; `objective` says the loss of a batch
    metrics, weighted       what is measured, without and with the weights of samples
    penalties               (regularizer, parameter): what is added to the loss
    every                   batches whose gradients are averaged for one step of the optimizer
    clip                    (kind, bound) for gradients: "clipnorm" each, "global_clipnorm" all together, "clipvalue"
    checks, watched         whether `fit` looks for silent mistakes, and whether it has done so
    named                   what a file can say of it: names; None where an object cannot be named
    """

    __slots__ = ("optimizer", "objective", "metrics", "weighted", "penalties", "every", "clip", "checks", "watched",
                 "named")

    def __init__(self, model: Module, optimizer: Any, loss: Any, metrics: Any, weighted: Any, regularizer: Any,
                 every: int | None, clip: dict[str, Any], checks: bool) -> None:
        if loss is None:
            raise ValueError("compile: the loss is missing: compile('adam', 'mse'), or for integer labels "
                             "compile('adam', 'sparse_categorical_crossentropy')")
        self.objective = Objective(loss)
        self.metrics = get_all(metrics)
        self.weighted = get_all(weighted, ("loss", *(m.name for m in self.metrics)))
        self.penalties = penalties(regularizer, model)
        if every is not None and (isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1):
            raise ValueError(f"compile: gradient_accumulation_steps must be an integer, 1 or more; got {every!r}")
        self.every = int(every or 1)
        self.clip = _bound(clip)
        self.checks, self.watched = bool(checks), False
        self.optimizer = optimizer_for(model, optimizer)
        measured = _names(metrics), _names(weighted)
        self.named = None if not isinstance(loss, str) or None in measured or regularizer is not None else \
            {"loss": loss, "metrics": measured[0], "weighted_metrics": measured[1],
             "gradient_accumulation_steps": self.every, **clip}

    def penalty(self) -> Any:
        """What the regularizers add to the loss."""
        return sum(regularizer(p) for regularizer, p in self.penalties)

    def held(self) -> list[Tensor]:
        """The parameters of the optimizer."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def step(self, gathered: int) -> None:
        """One step of the optimizer, with the mean of the gradients of so many batches, clipped."""
        if gathered > 1:
            for p in self.held():
                if p.grad is not None:
                    p.grad = wrap(p.grad.value / gathered)
        if self.clip is not None:
            kind, bound = self.clip
            if kind == "clipvalue":
                optim.clip_grad_value_(self.held(), bound)
            elif kind == "global_clipnorm":
                optim.clip_grad_norm_(self.held(), bound)
            else:
                for p in self.held():
                    optim.clip_grad_norm_([p], bound)
        self.optimizer.step()

    def logs(self, mean_loss: float) -> dict[str, Any]:
        """The loss and the metrics so far, by name in alphabetical order, as Keras reports them."""
        found = {m.name: m.result() for m in (*self.metrics, *self.weighted)}
        found["loss"] = mean_loss
        return {name: found[name] for name in sorted(found)}

    def report(self, logs: dict[str, Any], as_dict: bool) -> Any:
        """What `evaluate` returns: the dict, [loss, metric, ...] in the order of `compile`, or the loss alone."""
        if as_dict:
            return logs
        names = [m.name for m in (*self.metrics, *self.weighted)]
        return [logs["loss"], *(logs[name] for name in names)] if names else logs["loss"]


def optimizer_for(model: Module, optimizer: Any) -> Any:
    """An optimizer of the model's parameters: by name or class, made by a function, or as it is."""
    if isinstance(optimizer, str):
        return optim.get(optimizer, model.parameters())
    if isinstance(optimizer, type) or (callable(optimizer) and not hasattr(optimizer, "step")):
        optimizer = optimizer(list(model.parameters()))
    if not all(hasattr(optimizer, name) for name in ("step", "zero_grad", "param_groups")):
        raise TypeError("compile: optimizer must be a name such as 'adam', a class such as optim.Adam, or an "
                        f"optimizer; got {type(optimizer).__name__}")
    own = {id(p) for p in model.parameters()}
    if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(f"compile: this {type(optimizer).__name__} holds no parameter of the model: it was made "
                         "for another one, or before the model was rebuilt; pass the class or a name instead")
    return optimizer


def _bound(clip: dict[str, Any]) -> tuple[str, float] | None:
    given = {name: value for name, value in clip.items() if value is not None}
    if len(given) > 1:
        raise ValueError(f"compile: {' and '.join(given)} exclude each other; got "
                         f"{', '.join(f'{name}={value!r}' for name, value in given.items())}")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
            raise ValueError(f"compile: {name} must be a positive number; got {value!r}")
        return name, float(value)
    return None


def _names(metrics: Any) -> Any:
    """The metrics as texts, where they were given as texts; else None."""
    if metrics is None:
        return []
    if isinstance(metrics, dict):
        return dict(metrics) if all(isinstance(m, str) for m in metrics.values()) else None
    given = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    return list(given) if all(isinstance(m, str) for m in given) else None
