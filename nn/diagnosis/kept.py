"""Everything an examination may change, noted before it and put back after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, default_rng

from ..module import Module


class Kept:
    """Values, gradients, modes, attributes and generators, as they were when this was made."""

    def __init__(self, roots: list[Module], optimizer: Any) -> None:
        import random
        self.modules = [(m, dict(m.__dict__)) for root in roots for m in root.modules()]
        self.samples = [(root, getattr(root, "_sample", None)) for root in roots if hasattr(type(root), "_sample")]
        given = [t for root in roots for t in (*root.parameters(), *root.buffers())]
        if optimizer is not None:
            given += [p for group in optimizer.param_groups for p in group["params"]]
        distinct = {id(t): t for t in given}.values()
        self.tensors = [(t, t.value, np.array(t.value), t.requires_grad, t.grad, _copied(t.grad)) for t in distinct]
        self.generators = (default_rng(), default_rng().bit_generator.state, np.random.get_state(), random.getstate())
        self.optimizers = [(o, [(name, value, _content(value)) for name, value in vars(o).items()
                                if name != "param_groups"], [dict(group) for group in o.param_groups])
                           for o in _chain(optimizer)]

    def values(self) -> None:
        """Parameters and buffers, and the memory of the optimizer, as at first; gradients are cleared."""
        for t, array, content, learned, _, _ in self.tensors:
            t.value = array
            if array.ndim and array.tobytes() != content.tobytes():
                array[...] = content
            if t.requires_grad is not learned:
                t.requires_grad_(learned)
            if learned:
                t.grad = None
        for module, attributes in self.modules:
            for name in module._persistent:
                if name in attributes:
                    module.__dict__[name] = attributes[name]
        for optimizer, attributes_, groups in self.optimizers:
            for name in vars(optimizer).keys() - {name for name, _, _ in attributes_} - {"param_groups"}:
                delattr(optimizer, name)
            for name, value, content in attributes_:
                vars(optimizer)[name] = value
                _refill(value, content)
            for group, saved in zip(optimizer.param_groups, groups):
                group.clear()
                group.update(saved)

    def all(self) -> None:
        """Everything as at first."""
        import random
        self.values()
        for module, attributes in self.modules:
            module.__dict__.clear()
            module.__dict__.update(attributes)
        for root, sample in self.samples:
            root._sample = sample
        for t, _, _, learned, grad, content in self.tensors:
            if learned and grad is not None:
                t.grad = grad
                if grad.value.ndim and grad.value.tobytes() != content.tobytes():
                    grad.value[...] = content
        own, state, legacy, python = self.generators
        own.bit_generator.state = state
        np.random.set_state(legacy)
        random.setstate(python)


def _copied(grad: Tensor | None) -> Any:
    return None if grad is None else np.array(grad.value)


def _chain(optimizer: Any) -> list[Any]:
    """The optimizer, and those that it is put around."""
    found: list[Any] = []
    while optimizer is not None and all(optimizer is not o for o in found):
        found.append(optimizer)
        inside = [v for v in vars(optimizer).values() if hasattr(v, "param_groups") and hasattr(v, "step")]
        optimizer = inside[0] if inside else None
    return found


def _content(value: Any) -> Any:
    """A copy of what an optimizer remembers: dicts, lists, arrays and tensors; parameters stay themselves."""
    if isinstance(value, dict):
        return {k: _content(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_content(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.copy()
    return value.detach().clone() if isinstance(value, Tensor) and not value.requires_grad else value


def _refill(value: Any, content: Any) -> None:
    """Give a dict, a list or an array its content again, in place."""
    if isinstance(value, dict):
        value.clear()
        value.update({k: _content(v) for k, v in content.items()})
    elif isinstance(value, list):
        value[:] = [_content(v) for v in content]
    elif isinstance(value, np.ndarray) and value.ndim:
        value[...] = content
