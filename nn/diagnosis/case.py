"""The model, the loss and one batch: how they are run, again and again, from the same start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

from autograd import Tensor, as_tensor, default_rng, no_grad, record
from autograd.node import Node, inputs_of

from ..location import arrived
from ..module import Module
from ..training.objective import Objective
from .kept import Kept


class Tape(record):
    """A recording that also keeps its steps in order, with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Node, Any]] = []

    def note(self, node: Node, value: Any) -> None:
        super().note(node, value)
        self.steps.append((node, value))


def together(a: Tape, b: Tape) -> Iterator[tuple[Node, Any, Node, Any]]:
    """The steps of two runs side by side, as long as both took the same."""
    for (one, v), (other, w) in zip(a.steps, b.steps):
        if one.op is not other.op or v.shape != w.shape:
            return
        yield one, v, other, w


class Case:
    """What is examined.  Every run starts from the same parameters, buffers and generators."""

    def __init__(self, model: Module, loss_fn: Any, batch: Any, optimizer: Any, step: Any) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"doctor: expected an nn.Module; got {type(model).__name__}")
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise TypeError(f"doctor: expected a batch (x, y) or (x1, x2, ..., y); got {arrived(batch)}")
        for path, p in model.named_parameters():
            if not isinstance(p.value, (np.ndarray, np.generic)):
                raise ValueError(f"doctor: {path!r} has no shape yet: call the model once with an input before")
        self.model, self.optimizer, self.step = model, optimizer, step
        dtype = next((p.dtype for p in model.parameters() if p.dtype.kind == "f"), None)
        self.inputs = [_tensor(x, dtype) for x in batch[:-1]]
        self.target = _tensor(batch[-1], dtype)
        self.named = dict(model.named_parameters())
        self.loss_fn = Objective(loss_fn) if isinstance(loss_fn, (str, type)) else loss_fn
        if not callable(self.loss_fn):
            raise TypeError("doctor: loss_fn must be a function (output, target) -> number, a loss module or a name; "
                            f"got {type(loss_fn).__name__}")
        roots = [model, *([loss_fn] if isinstance(loss_fn, Module) else [])]
        self.kept = Kept(roots, optimizer)
        self.called = ""                      # where doctor was called: no line of the model
        self.slow = 0.0                       # seconds of one step of training
        self.single = True                    # does the model give one tensor?

    @property
    def size(self) -> int:
        """Samples in the batch, as far as the target tells."""
        return int(self.target.shape[0]) if isinstance(self.target, Tensor) and self.target.ndim else 1

    def output(self, training: bool, inputs: Any = None, seed: int = 0) -> Any:
        """What the model gives, from the generators at `seed`."""
        self.model.train(training)
        _seed(seed)
        given = [x.detach() * 1 if isinstance(x, Tensor) and x.dtype.kind == "f" else x
                 for x in (self.inputs if inputs is None else inputs)]
        out = self.model(*given)
        self.single = isinstance(out, Tensor)
        return out

    def loss(self, output: Any, target: Any = None) -> Any:
        """The loss of an output, a Tensor of one element."""
        return self.loss_fn(output, self.target if target is None else target)

    def seen(self, inputs: Any = None, seed: int = 0) -> Any:
        """The output in evaluation mode as arrays, nothing recorded; buffers as before."""
        with no_grad(), np.errstate(all="ignore"):
            out = first(self.output(False, inputs, seed))
        self.kept.values()
        return None if out is None else np.array(out.value)

    def taped(self, training: bool, inputs: Any = None, seed: int = 0) -> tuple[Tape, Any]:
        """A recorded run in evaluation (or training) mode: the steps, and the first output."""
        with Tape() as tape, np.errstate(all="ignore"):
            out = first(self.output(training, inputs, seed))
        self.kept.values()
        return tape, out

    def number(self, values: Any, target: Any = None) -> float | None:
        """The loss that these outputs (an array) would have; None if it cannot be had."""
        if not self.single:
            return None
        try:
            with no_grad(), np.errstate(all="ignore"):
                found = self.loss(Tensor(np.asarray(values)), target)
            return float(found.value if isinstance(found, Tensor) else found)
        except Exception:
            return None

    def descend(self, steps: int, change: Callable[[int, dict[str, Any]], None]) -> list[float]:
        """The losses of some steps of training on this batch; `change` is what moves the parameters."""
        losses = []
        try:
            for k in range(steps):
                started = perf_counter()
                losses.append(self.backward(k))
                if not np.isfinite(losses[-1]):
                    break
                change(k, self.gradients())
                self.slow = perf_counter() - started
        finally:
            self.kept.values()
        return losses

    def backward(self, seed: int = 0) -> float:
        """One pass forward and backward in training mode; the loss."""
        for p in self.named.values():
            p.grad = None
        with np.errstate(all="ignore"):
            loss = self.loss(self.output(True, None, seed))
            loss.backward()
        return float(loss.value)

    def gradients(self) -> dict[str, Any]:
        """The gradients that are there, as arrays."""
        return {path: p.grad.value for path, p in self.named.items() if p.grad is not None}

    def place(self, node: Node | None) -> tuple[str, str]:
        """(layer, line) of a step: dotted path and class of the innermost module, file:line of the user."""
        if node is None or node.extra is None:
            return "", ""
        root, _, path = node.extra.module.partition(".")
        inside = dict(self.model.named_modules()).get(path) if root else None        # else it is the loss
        layer = "" if inside is None else f"{path or 'the model'} ({type(inside).__name__})"
        return layer, "" if node.extra.line == self.called else node.extra.line


def _tensor(value: Any, dtype: Any) -> Any:
    if isinstance(value, (Tensor, np.ndarray, np.generic, int, float, list)):
        made = as_tensor(value).detach() if isinstance(value, Tensor) else Tensor(np.asarray(value))
        if not isinstance(value, Tensor) and made.dtype.kind == "f" and dtype is not None:
            made = Tensor(made.value.astype(dtype))
        return made
    return value


def _seed(seed: int) -> None:
    import random
    default_rng().bit_generator.state = type(default_rng().bit_generator)(seed).state
    np.random.seed(seed)
    random.seed(seed)


def first(output: Any) -> Any:
    """The first tensor of what a model gave."""
    if isinstance(output, dict):
        output = list(output.values())
    while isinstance(output, (tuple, list)) and output:
        output = output[0]
    return output if isinstance(output, Tensor) else None


def operands(node: Node) -> list[Any]:
    """(node, value) of the inputs of a recorded step, as far as they are known."""
    found = []
    for parent in inputs_of(node):
        if isinstance(parent, Node):
            found.append((parent, parent.extra.value if parent.extra is not None else None))
    return found
