"""Which learning rate?  Train a little with ever higher ones, look at the loss, and put everything back."""

from __future__ import annotations

from itertools import cycle
from math import isfinite
from typing import Any

import numpy as np

from autograd import enable_grad, get_default_dtype

from ..diagnosis.kept import Kept
from ..embedding import Embedding
from ..module import Module
from .feed import Feed, Inputs
from .objective import Objective
from .plan import optimizer_for
from .randomness import put_back, taken


class LRCurve:
    """What `lr_find` has seen.

    lrs, losses  the rates that were tried, and the loss of the batch at each
    smoothed     the losses, as means over their neighbours a Gaussian of four steps
    suggestion   the rate at which the smoothed loss falls fastest: a good one to begin with; None where it never fell
    minimum      the rate at which it is lowest: too high already
    """

    __slots__ = ("lrs", "losses", "smoothed", "suggestion", "minimum")

    suggestion: float | None

    def __init__(self, lrs: Any, losses: Any) -> None:
        self.lrs, self.losses = lrs, losses
        self.smoothed = smoothed = _smoothed(losses)
        lowest = int(np.argmin(smoothed))
        self.minimum = float(lrs[lowest])
        start = float(np.median(smoothed[:max(lowest // 3, 1)]))          # while the rate is too low to matter
        fall = start - smoothed[lowest]
        self.suggestion = None
        if fall > 0.02 * abs(start) and lowest > 2:
            slope = np.gradient(smoothed[:lowest + 1])                    # over log(lr), which grows evenly
            slope[smoothed[:lowest + 1] > start - 0.1 * fall] = np.inf    # noise before the fall
            self.suggestion = float(lrs[int(np.argmin(slope))])

    def plot(self, ax: Any = None) -> Any:
        """Losses over rates, with the suggestion, on matplotlib axes (new ones if none are given); returns them."""
        if ax is None:
            try:
                from matplotlib import pyplot
            except ModuleNotFoundError as error:
                raise ModuleNotFoundError('LRCurve.plot needs matplotlib: pip install "glassgrad[demo]"') from error
            ax = pyplot.subplots(figsize=(6, 3.5), layout="constrained")[1]
        ax.plot(self.lrs, self.losses, color="0.8", linewidth=1, label="loss of the batch")
        ax.plot(self.lrs, self.smoothed, label="smoothed")
        if self.suggestion is not None:
            at = int(np.searchsorted(self.lrs, self.suggestion))
            ax.plot([self.suggestion], [self.smoothed[at]], "o", label=f"suggestion {self.suggestion:.2g}")
        top = float(self.smoothed[0])
        low = float(min(self.smoothed))
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss", ylim=(low - 0.1 * (top - low), top + (top - low)))
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        said = "none: the loss never fell" if self.suggestion is None else f"{self.suggestion:.3g}"
        return (f"LRCurve(suggestion={said}, minimum={self.minimum:.3g}, {len(self.lrs)} rates from {self.lrs[0]:.3g} "
                f"to {self.lrs[-1]:.3g})")


def _smoothed(losses: Any, width: float = 4.0) -> Any:
    top = float(np.median(losses[:max(len(losses) // 4, 1)]))             # what has exploded hides no fall before it
    losses = np.minimum(losses, 2 * top - losses.min())
    k = np.arange(len(losses))
    weight = np.exp(-0.5 * ((k[:, None] - k) / width)**2)
    return weight @ losses / weight.sum(1)


def lr_find(model: Module, loss: Any = None, data: Any = None, optimizer: Any = None, *, start_lr: float = 1e-7,
            end_lr: float = 10.0, num_iter: int = 100, batch_size: int | None = None, stop_div: float = 4.0
            ) -> LRCurve:
    """Find a learning rate:  train `num_iter` steps while the rate grows from start_lr to end_lr, and look at the loss.

        found = nn.lr_find(model, nn.CrossEntropyLoss(), (x, y), "adam")
        print(found.suggestion); found.plot()

    model      a module, or a compiled nn.Model, whose loss and optimizer are taken where none are given
    loss       a name, a loss module or a function (output, target) -> scalar Tensor
    data       (x, y) or a loader; it is begun anew as often as needed
    optimizer  a name, a class or a function; an optimizer itself is used with its settings.  "sgd" if none is known
    stop_div   it ends where the loss, over five steps, is higher than so many times the lowest, or not finite

    Parameters, buffers, gradients, modes, the optimizer and all random generators are afterwards as they were.

    Raises ValueError for rates that do not grow or a loss that is not finite from the start.
    Source: Smith 2017, Cyclical Learning Rates for Training Neural Networks, section 3.3.
    """
    if not 0 < start_lr < end_lr < np.inf:
        raise ValueError(f"lr_find: expected 0 < start_lr < end_lr; got {start_lr!r} and {end_lr!r}")
    if isinstance(num_iter, bool) or not isinstance(num_iter, int) or num_iter < 10:
        raise ValueError(f"lr_find: num_iter must be an integer, 10 or more; got {num_iter!r}")
    plan: Any = getattr(model, "_plan", None)
    if loss is None and plan is None:
        raise ValueError("lr_find: the loss is missing: lr_find(model, 'cross_entropy', (x, y))")
    objective = plan.objective if loss is None else Objective(loss)
    if optimizer is None:
        optimizer = type(plan.optimizer) if plan is not None else "sgd"
    optimizer = optimizer_for(model, optimizer)
    feed = _feed(model, data, batch_size, objective)
    roots = [model, *([loss] if isinstance(loss, Module) else [])]
    before, draws = Kept(roots, optimizer), taken(feed.source)
    rates = np.geomspace(start_lr, end_lr, num_iter)
    losses: list[float] = []
    try:
        model.train()
        with enable_grad(), np.errstate(all="ignore"):
            for step, (rate, batch) in enumerate(zip(rates, _again(feed)), 1):
                for group in optimizer.param_groups:
                    group["lr"] = float(rate)
                optimizer.zero_grad()
                output = model(batch[0])
                if step == 1:
                    objective.settle(output)
                value = objective(output, batch[1]) if len(batch) == 2 else objective.weighted(output, *batch[1:])
                number = float(value.value)
                if not isfinite(number):
                    if step == 1:
                        raise ValueError(f"lr_find: the loss is {number} before the first step: see nn.doctor")
                    break
                losses.append(number)
                means = [sum(losses[k:k + 5]) / 5 for k in range(len(losses) - 4)]
                if step > 10 and means[-1] > stop_div * min(means) and means[-1] > 0:
                    break
                value.backward()
                optimizer.step()
    finally:
        before.all()
        put_back(draws, feed.source)
    return LRCurve(rates[:len(losses)], np.array(losses))


def _feed(model: Module, data: Any, batch_size: int | None, objective: Objective) -> Feed:
    dtype = next((p.dtype for p in model.parameters() if p.dtype.kind == "f"), get_default_dtype())
    inputs = Inputs(dtype, any(isinstance(module, Embedding) for module in model.modules()))
    x, y = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
    return Feed("lr_find", x, y, batch_size, True, inputs, objective.wants_floats)


def _again(feed: Feed) -> Any:
    """The batches, from the start again when they are through."""
    for _ in cycle((None,)):
        given = False
        for batch in feed:
            given = True
            yield batch
        if not given:
            raise ValueError(f"lr_find: the {type(feed.source).__name__} has no more batches: pass data that can be "
                             "run through again, such as a DataLoader")
