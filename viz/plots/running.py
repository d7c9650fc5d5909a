"""Models run for a picture: as they are, leaving nothing behind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from inspect import ismemberdescriptor
from typing import Any

import numpy as np

from autograd import Tensor, default_rng, no_grad


@contextmanager
def undisturbed(*models: Any, training: bool | None = None) -> Iterator[None]:
    """A block after which the models, and the random generators, are as before: modes, attributes, parameters,
    buffers and gradients.  `training` sets the mode inside; None leaves it.

    Parameters keep the arrays they have; those written to inside are refilled.
    """
    import random
    modules = [m for model in models if hasattr(model, "modules") for m in model.modules()]
    attributes = [(m, dict(vars(m)), _slots_of(m)) for m in modules]
    tensors = {id(t): t for m in models for kind in ("parameters", "buffers") for t in getattr(m, kind, tuple)()}
    held = [(t, t.value, np.array(t.value), t.grad, _copied(t.grad)) for t in tensors.values() if _is_filled(t)]
    own, generators = default_rng(), (default_rng().bit_generator.state, np.random.get_state(), random.getstate())
    try:
        if training is not None:
            for model in models:
                if hasattr(model, "train"):
                    model.train(training)
        yield
    finally:
        for module, before, slots in attributes:
            vars(module).clear()
            vars(module).update(before)
            for slot, value in slots:
                slot.__set__(module, value)
        for tensor, values, content, grad, slope in held:
            if tensor.value is not values:
                tensor.value = values
            _refill(values, content)
            if tensor.grad is not grad:
                tensor.grad = grad
            if grad is not None:
                _refill(grad.value, slope)
        own.bit_generator.state = generators[0]
        np.random.set_state(generators[1])
        random.setstate(generators[2])


def _slots_of(module: Any) -> list[tuple[Any, Any]]:
    """What a module keeps outside of its __dict__: (descriptor, value)."""
    found = []
    for kind in type(module).__mro__:
        for descriptor in vars(kind).values():
            if ismemberdescriptor(descriptor):
                with suppress(AttributeError):          # not set yet
                    found.append((descriptor, descriptor.__get__(module)))
    return found


def _is_filled(tensor: Any) -> bool:
    return isinstance(getattr(tensor, "value", None), (np.ndarray, np.generic))


def _copied(grad: Any) -> Any:
    return None if grad is None else np.array(grad.value)


def _refill(values: Any, content: Any) -> None:
    if isinstance(values, np.ndarray) and values.tobytes() != content.tobytes():
        values[...] = content


def inputs_of(model: Any, x: Any) -> tuple[Any, ...]:
    """What to call the model with: x as a Tensor of the dtype of its parameters, or each one of a tuple or list."""
    several = x if isinstance(x, (tuple, list)) and len(x) and hasattr(x[0], "shape") else (x,)
    dtype = next((p.dtype for p in getattr(model, "parameters", tuple)() if p.dtype.kind == "f"), None)
    return tuple(tensor(one, dtype) for one in several)


def tensor(value: Any, dtype: Any = None) -> Any:
    """A value as a Tensor; floating ones in this dtype."""
    if isinstance(value, Tensor):
        return value
    found = np.asarray(value)
    if found.dtype.kind not in "iufb":
        return value
    return Tensor(found.astype(dtype) if found.dtype.kind == "f" and dtype is not None else found)


def module_of(who: str, model: Any) -> Any:
    """The model.  Raises TypeError unless it has parameters and modules that can be listed."""
    if isinstance(model, type) or not callable(model) or not hasattr(model, "named_parameters"):
        what = f"the class {model.__name__}: call it" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"{who}: expected model to be an nn.Module; got {what}")
    for path, parameter in model.named_parameters():
        if not _is_filled(parameter):
            raise ValueError(f"{who}: {path!r} has no shape yet: call the model once with an input before")
    return model


def loss_of(who: str, model: Any, x: Any, y: Any, loss_fn: Any) -> Callable[[], Any]:
    """The function that gives the loss, a Tensor of one number.  y None: loss_fn takes the output alone.

    Raises TypeError where loss_fn is no function, or gives no number.
    """
    if not callable(loss_fn):
        raise TypeError(f"{who}: expected loss_fn to be a function (output, target) -> loss; got "
                        f"{type(loss_fn).__name__}")
    given = inputs_of(model, x)
    target = () if y is None else (tensor(y, next((t.dtype for t in given if t.dtype.kind == "f"), None)),)

    def loss() -> Any:
        found = loss_fn(model(*given), *target)
        if not isinstance(found, Tensor) or math.prod(found.shape) != 1:
            what = f"a Tensor of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise TypeError(f"{who}: expected loss_fn to give one number, as a Tensor; got {what}; "
                            "take the mean of it")
        return found
    return loss


def number(loss: Callable[[], Any]) -> float:
    """The loss as a number, without a graph; overflow is no error."""
    with no_grad(), np.errstate(all="ignore"):
        return float(loss().value)
