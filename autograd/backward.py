"""`loss.backward()` and `gradients(outputs, inputs)`: the reverse sweep as users call it."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from .errors import GradientError, ShapeError
from .sweep import pull
from .tensor import ALONE, Tensor, attach, wrap


def backward(self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
             inputs: Any = None) -> None:
    """Add the derivative of this tensor to `.grad` of every leaf it was computed from (or of `inputs`).

    A 0-d (or one-element) tensor needs no `gradient`; any other needs the derivative of the quantity of interest with
    respect to this tensor, of its shape.  What was saved for the derivatives is freed, unless `retain_graph`.
    With `create_graph` the gradients are recorded themselves and can be differentiated again.

    Raises GradientError without history, for a missing gradient and for a second walk through a freed graph; the
    `.grad` of every leaf is then as it was before.
    """
    node = self.node
    if node is None:
        raise GradientError(
            f"backward() on a tensor without history (shape {self.shape}, {self.dtype}): nothing it was "
            "computed from has requires_grad=True, or it was computed inside no_grad() or detached"
        )
    if gradient is None:
        if node.dtype.kind == "c":
            raise GradientError(
                "backward() needs a real scalar; this tensor is complex: take .abs() or a real part first, or "
                "pass gradient="
            )
        if node.shape:
            if self.value.size != 1:
                raise GradientError(f"backward() needs a scalar; this tensor has shape {self.shape}: reduce it first, "
                                    "e.g. loss.mean().backward(), or pass gradient= of that shape")
            seed: Any = np.ones(node.shape, node.dtype)
        else:
            seed = node.dtype.type(1)
    else:
        given = gradient if isinstance(gradient, Tensor) else Tensor(gradient)
        if given.shape != self.shape:
            raise ShapeError(
                f"backward(): the gradient must have the shape of the tensor, {self.shape}; got {given.shape}"
            )
        gradient = given if given.dtype == self.dtype else given.to(self.dtype)
        seed = gradient.value
    if create_graph:
        seed = gradient if gradient is not None else wrap(seed)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        found = pull([self], [seed], record=create_graph, retain=retain)
    else:
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not inputs or any(t.node is None for t in inputs):
            raise GradientError("backward(): inputs must be one or more tensors that require gradients; got "
                                + ("one that does not" if inputs else "none"))
        grads = pull([self], [seed], inputs, record=create_graph, retain=retain)
        found = {t.node: g for t, g in zip(inputs, grads, strict=True) if g is not None}
        del grads
    del seed                                  # so that a gradient nobody else holds is taken, not copied
    while found:
        node, g = found.popitem()
        before = getattr(node, "grad", None)
        if before is not None:
            node.grad = before + g if create_graph else wrap(before.value + g)
        elif create_graph:
            node.grad = wrap(np.array(g.value)[()]) if g.node is None else attach(g.value, g.node)
        elif type(g) is np.ndarray:
            node.grad = wrap(g.copy() if g.base is not None or getrefcount(g) > ALONE else g) if g.ndim else wrap(g[()])
        else:
            node.grad = wrap(g)
        if node.extra is not None and node.extra.accumulated:
            for hook in tuple(node.extra.accumulated.values()):
                hook()


def gradients(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
              create_graph: bool = False, allow_unused: bool = False) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of outputs with respect to the inputs, returned and not accumulated.

    As torch.autograd.grad.  Raises GradientError for an input that the outputs do not depend on, unless `allow_unused`.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [None] * len(outputs) if grad_outputs is None else \
        [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    seeds = []
    for out, seed in zip(outputs, given, strict=True):
        if out.node is None:
            raise GradientError("gradients(): an output does not require a gradient and has no history")
        if seed is None:
            if out.value.size != 1:
                raise GradientError(f"gradients() needs scalar outputs; got shape {out.shape}: pass grad_outputs")
            seed = wrap(np.ones(out.shape, out.dtype)[()])
        elif seed.shape != out.shape:
            raise ShapeError(
                f"gradients(): grad_outputs must have the shape of the output, {out.shape}; got {seed.shape}"
            )
        seeds.append(seed if create_graph else seed.value)
    for k, t in enumerate(inputs):
        if t.node is None:
            raise GradientError(
                f"gradients(): input {k} does not require a gradient; call requires_grad_() before computing"
            )
    retain = create_graph if retain_graph is None else retain_graph
    found = pull(outputs, seeds, inputs, record=create_graph, retain=retain)
    if not allow_unused and any(g is None for g in found):
        k = [g is None for g in found].index(True)
        raise GradientError(
            f"gradients(): the outputs do not depend on input {k}; pass allow_unused=True to get None for it"
        )
    return tuple(None if g is None else g if isinstance(g, Tensor) else wrap(g) for g in found)


setattr(Tensor, "backward", backward)
