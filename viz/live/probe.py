"""One step of training under observation: hooks that stand for this step only, and what they found.

A row is a module that has parameters of its own, or none inside.  Of what passes through it nothing is kept but
small copies, and these only until the step is over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter as clock
from typing import Any, NamedTuple

import numpy as np

from .statistics import Spread, alive, bad, sample, spread

MOST_CALLS = 8                                 # of one module in one step that are looked at; all are counted


class Seen(NamedTuple):
    """One layer in one step; None for what it has not, or what did not come."""

    name: str
    kind: str                                  # name of its class
    shape: tuple[int, ...] | None              # of its output, the first if there are several
    calls: int
    outputs: int
    size: int                                  # of all its parameters
    activation: Spread | None
    gradient: Spread | None
    ratio: float | None                        # size of the update over the size of the weights
    living: np.ndarray[Any, Any] | None        # which units gave anything but 0, or got a gradient that is not 0


def rows(model: Any) -> list[tuple[str, Any]]:
    """(name, module) of what is a row; a module that is used in several places is there once."""
    found = []
    for name, module in model.named_modules():
        inside = next(iter(module.children()), None)
        own = next(iter(module.named_parameters(recurse=False)), None)
        if inside is None or own is not None:
            found.append((name or type(module).__name__, module))
    return found


def tensors(output: Any) -> Iterator[Any]:
    """The floating-point Tensors of what a module returned, however nested."""
    if hasattr(output, "requires_grad") and hasattr(output, "value"):
        if getattr(output.dtype, "kind", "") in "fc" and output.value.size:
            yield output
    elif isinstance(output, (tuple, list)):
        for part in output:
            yield from tensors(part)
    elif isinstance(output, dict):
        for part in output.values():
            yield from tensors(part)
    elif hasattr(output, "data") and hasattr(output, "batch_sizes"):        # a packed sequence
        yield from tensors(output.data)


class Passing:
    """A hook that stands on a model for a while: on a copy of the model, or a pickle of it, it does nothing."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., None] | None = None) -> None:
        self.function = function

    def __call__(self, *args: Any) -> None:
        if self.function is not None:
            self.function(*args)

    def __deepcopy__(self, memo: Any) -> Passing:
        return Passing()

    def __reduce__(self) -> Any:
        return Passing, ()


class Layer:
    """What one module did in the step."""

    def __init__(self, name: str, module: Any, probe: Probe, seen: set[int]) -> None:
        self.name, self.kind, self.probe = name, type(module).__name__, probe
        self.parameters = []
        for own, p in module.named_parameters(recurse=False):
            if id(p) not in seen and isinstance(p.value, (np.ndarray, np.generic)):    # a lazy one has no value yet
                seen.add(id(p))
                self.parameters.append((own, p, sample(p.value)))
        self.calls = self.outputs = 0
        self.shape: tuple[int, ...] | None = None
        self.samples: list[np.ndarray[Any, Any]] = []
        self.gradients: dict[str, np.ndarray[Any, Any]] = {}
        self.living: np.ndarray[Any, Any] | None = None
        self.bad: list[int] = [0, 0]
        self.bad_gradients: dict[str, tuple[int, int]] = {}
        self.rows: np.ndarray[Any, Any] | None = None      # which rows of the weight got a gradient
        self.handles = [module.register_forward_hook(Passing(self.seen))]
        for own, p, _ in self.parameters:
            if p.requires_grad:
                self.handles.append(p.register_post_accumulate_grad_hook(Passing(partial(self.arrived, own))))

    def seen(self, module: Any, args: Any, output: Any) -> None:
        """The forward hook."""
        if not self.probe.model.training:
            return
        start = clock()
        self.calls += 1
        if self.calls <= MOST_CALLS:
            found = list(tensors(output))
            self.outputs = max(self.outputs, len(found))
            for k, tensor in enumerate(found):
                self._read(np.asarray(tensor.value), k == 0)
        self.probe.cost += clock() - start

    def _read(self, value: np.ndarray[Any, Any], first: bool) -> None:
        nans, infs = bad(value)
        self.bad[0] += nans
        self.bad[1] += infs
        taken = sample(value)
        self.samples.append(taken)
        if not first:
            return
        self.shape = value.shape
        axis = self.probe.axis(self.kind, value.ndim, bool(self.parameters))
        if axis is not None and not taken.all():           # only where a 0 was seen may a unit be dead
            units = alive(value, axis)
            same = self.living is not None and self.living.shape == units.shape
            self.living = self.living | units if same else units
        elif axis is not None:
            self.living = np.ones(value.shape[axis], bool)

    def arrived(self, own: str, p: Any) -> None:
        """The hook of a parameter's gradient; of several backward passes in a step the last one counts."""
        if p is None or p.grad is None:
            return
        start = clock()
        value = np.asarray(p.grad.value)
        self.gradients[own], self.bad_gradients[own] = sample(value), bad(value)
        if own in ("weight", "bias") and value.ndim and (self.kind == "Linear" or (
                self.kind.startswith("Conv") and "Transpose" not in self.kind)):
            units = alive(value, 0)                        # a unit learns while its weights or its bias get a gradient
            fits = self.rows is not None and self.rows.shape == units.shape
            self.rows = self.rows | units if fits else units
        self.probe.backward = True
        self.probe.cost += clock() - start

    def moved(self) -> bool:
        """Whether a parameter is another than at the start of the step."""
        return any(not np.array_equal(sample(p.value), before, equal_nan=True) for _, p, before in self.parameters)

    def ratio(self) -> float | None:
        """RMS of the update over RMS of the weights, of all parameters that are learned."""
        change = size = 0.0
        for _, p, before in self.parameters:
            after = sample(p.value)
            if p.requires_grad and after.shape == before.shape and before.size:
                scale = np.asarray(p.value).size / before.size
                with np.errstate(all="ignore"):
                    change += scale * float(np.square(after - before).sum())
                    size += scale * float(np.square(before).sum())
        if not any(p.requires_grad for _, p, _ in self.parameters):
            return None
        return math.sqrt(change / size) if size > 0 else 0.0 if change == 0 else math.inf if change > 0 else math.nan

    def result(self, stepped: bool) -> Seen:
        grads = [g for g in self.gradients.values() if g.size]
        nans, infs = (sum(counts[k] for counts in self.bad_gradients.values()) for k in (0, 1))
        living = self.rows if self.parameters and self.rows is not None else self.living
        return Seen(self.name, self.kind, self.shape, self.calls, self.outputs,
                    sum(np.asarray(p.value).size for _, p, _ in self.parameters),
                    spread(self.samples, *self.bad) if self.samples else None,
                    spread(grads, nans, infs) if grads else None, self.ratio() if stepped else None, living)


class Probe:
    """Everything that is looked at in one step; `remove()` takes all hooks away."""

    def __init__(self, model: Any) -> None:
        start = clock()
        self.model = model
        self.backward = False                              # whether a gradient has come
        self.waited = 0                                    # forward passes since then
        self.channels = -1                                 # the axis of the units of a three-dimensional output
        seen: set[int] = set()
        self.cost = 0.0
        self.layers: list[Layer] = []
        try:
            for name, module in rows(model):
                self.layers.append(Layer(name, module, self, seen))
        except BaseException:
            self.remove()
            raise
        self.learns = any(p.requires_grad for layer in self.layers for _, p, _ in layer.parameters)
        self.cost += clock() - start

    def axis(self, kind: str, ndim: int, learns: bool) -> int | None:
        """The axis of the units: the second of images, the last of rows and sequences, the second after Conv1d."""
        if ndim == 3 and learns:
            self.channels = 1 if "1d" in kind else -1
        return None if ndim < 2 else 1 if ndim > 3 else self.channels if ndim == 3 else -1

    def moved(self) -> bool:
        """Whether the optimizer has stepped."""
        start = clock()
        found = any(layer.moved() for layer in self.layers)
        self.cost += clock() - start
        return found

    def remove(self) -> None:
        for layer in self.layers:
            for handle in layer.handles:
                handle.remove()

    def results(self, stepped: bool = True) -> list[Seen]:
        """What was found, layer by layer in the order of the model; layers that were not called are left out."""
        start = clock()
        found = [layer.result(stepped) for layer in self.layers if layer.calls or layer.gradients]
        self.cost += clock() - start
        return found
