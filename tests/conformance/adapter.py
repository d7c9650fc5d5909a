"""This library, as the conformance harness reaches it."""

from __future__ import annotations

from typing import Any

import numpy as np
from conformlib import Adapter, walk

import autograd
import nn
import optim


class _Names:
    """One namespace in the shape of torch's: functions of autograd, and nn and optim beside them."""

    nn, optim = nn, optim

    def __getattr__(self, name: str) -> Any:
        return getattr(autograd, name)


class Glassgrad(Adapter):
    """The names of torch where they are here: autograd.add, nn.functional.relu, autograd.linalg.inv."""

    root, Tensor = _Names(), autograd.Tensor

    def tensor(self, array: Any, requires_grad: bool = False) -> Any:
        return autograd.tensor(np.asarray(array), requires_grad=requires_grad)

    def numpy(self, t: Any) -> Any:
        return t.numpy(force=True)

    def dtype(self, name: str) -> Any:
        return np.dtype(name)

    def grad(self, outputs: Any, inputs: Any, grad_outputs: Any, create_graph: bool = False) -> Any:
        return autograd.gradients(outputs, inputs, grad_outputs, retain_graph=True, create_graph=create_graph,
                                  allow_unused=True)

    def function(self, name: str) -> Any:
        """By its full name only: masked.sum is not sum."""
        name = name.removeprefix("functional.")
        found = None if name.startswith("Tensor.") else walk(self.root, name)
        if callable(found):
            return found
        return super().function(name) if name.startswith("Tensor.") else \
            super().function("Tensor." + name) if "." not in name else None
