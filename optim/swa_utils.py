"""Averages of weights: stochastic weight averaging (SWA), exponential moving averages (EMA); PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from math import cos, pi
from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from nn import Module

from .checks import number
from .lr_scheduler.scheduler import LRScheduler, for_each_group
from .optimizer import Optimizer

Average = Callable[[Any, Any, Any], Any]      # (average so far, new value, how many it is of) -> new average


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Tensor) else x


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average:  decay average + (1 - decay) value."""
    number("decay", decay, "in [0, 1]", 0, 1)
    return lambda average, value, count: decay * average + (1 - decay) * value


def get_swa_avg_fn() -> Average:
    """The plain average of all so far:  average + (value - average) / (count + 1)."""
    return lambda average, value, count: average + (value - average) / (int(count) + 1)


def _all_at_once(average: Average) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    def update(averages: list[Tensor], values: list[Tensor], count: Any) -> None:
        for a, v in zip(averages, values, strict=True):
            set_value(a, average(a.value, _value(v), _value(count)))
    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """`get_ema_avg_fn` for lists of Tensors, which are given their new values."""
    return _all_at_once(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """`get_swa_avg_fn` for lists of Tensors, which are given their new values."""
    return _all_at_once(get_swa_avg_fn())


def _tensors(given: Iterable[Tensor]) -> list[Tensor]:
    return list(given)


def set_value(tensor: Tensor, value: Any) -> None:
    """A new array in the dtype it has; counts that were averaged are cut to whole numbers, as in PyTorch."""
    tensor.value = np.asarray(_value(value)).astype(tensor.dtype)[()]


class AveragedModel(Module):
    """A model whose parameters are averages of those of another that is being trained (Izmailov et al. 2018, SWA).

        averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999))
        ...                               # in the loop, after optimizer.step():
        averaged.update_parameters(model)

    `avg_fn(average, value, count)` gives the new average of one parameter, `multi_avg_fn` sets those of a list; without
    either it is the plain average.  The first update copies.  Buffers are copied each time, or averaged too with
    `use_buffers`; for running statistics of the averaged weights see `update_bn`.
    """

    n_averaged: Tensor

    def __init__(self, model: Module, device: Any = None, avg_fn: Average | None = None,
                 multi_avg_fn: Callable[[Any, Any, Any], None] | None = None, use_buffers: bool = False) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("give avg_fn or multi_avg_fn, not both")
        self.module = deepcopy(model)
        self.register_buffer("n_averaged", Tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of `model` into the average."""
        averages, values = _tensors(self.module.parameters()), _tensors(model.parameters())
        copied, origins = _tensors(self.module.buffers()), _tensors(model.buffers())
        shapes = [[t.shape for t in tensors] for tensors in (averages + copied, values + origins)]
        if shapes[0] != shapes[1]:
            raise ValueError("the model must have the parameters and buffers it had when it was copied; got shapes "
                             f"{shapes[1]}, expected {shapes[0]}")
        if self.use_buffers:
            averages, values, copied, origins = averages + copied, values + origins, [], []
        count = int(self.n_averaged.value)
        with no_grad():
            if count == 0:
                copied, origins = copied + averages, origins + values
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn(averages, values, count)
            else:
                average = self.avg_fn or get_swa_avg_fn()
                for a, v in zip(averages, values):
                    set_value(a, average(a.value, v.value, count))
        for a, v in zip(copied, origins):
            set_value(a, np.copy(v.value))
        self.n_averaged.value = self.n_averaged.value + np.int64(1)


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Running statistics of all batch norms anew, as plain averages over the batches of one pass through `loader`.

    A batch is a Tensor, or a list or tuple whose first member the model is called with.
    """
    norms = [m for m in model.modules() if hasattr(m, "reset_running_stats") and hasattr(m, "momentum")]
    if not norms:
        return
    training, momenta = model.training, [norm.momentum for norm in norms]
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    try:
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        model.train(training)


class SWALR(LRScheduler):
    """From the rate at hand to `swa_lr` in `anneal_epochs` steps along half a cosine or a line, then level:

        swa_lr a(t) + base (1 - a(t))     a from 0 to 1
    """

    def __init__(self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10,
                 anneal_strategy: str = "cos", last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear'; got {anneal_strategy!r}")
        number("anneal_epochs", anneal_epochs, ">= 0", 0)
        for group, lr in zip(optimizer.param_groups, for_each_group("swa_lr", swa_lr, optimizer)):
            group["swa_lr"] = lr
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def joined(self, group: dict[str, Any]) -> None:
        group.setdefault("swa_lr", self.optimizer.param_groups[0]["swa_lr"])

    def annealed(self, t: float) -> float:
        """The share of the way that is gone at step t."""
        share = max(0.0, min(1.0, t / max(1, self.anneal_epochs)))
        if not self.anneal_epochs:
            share = 1.0
        return (1 - cos(pi * share)) / 2 if self._anneal_strategy == "cos" else share

    def formula(self, t: float, base: float, group: int) -> float:
        a = self.annealed(t)
        return self.optimizer.param_groups[group]["swa_lr"] * a + base * (1 - a)

    def next_lr(self, t: int, lr: float, group: int) -> float:
        before = self.base_lrs[group] if t == 0 else self.lr(t - 1, group)
        if lr == before:
            return self.lr(t, group)
        end, gone = self.optimizer.param_groups[group]["swa_lr"], self.annealed(t - 1) if t else 0.0
        start = end if gone == 1 else (lr - gone * end) / (1 - gone)
        return end * self.annealed(t) + start * (1 - self.annealed(t))
