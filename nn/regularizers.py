"""Penalties on parameters that training adds to the loss:  `compile(..., regularizer=nn.regularizers.L2(1e-4))`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import isfinite
from typing import Any

from autograd import Tensor
from autograd import abs as absolute

from .module import Module
from .training.spelling import unknown


class L1L2:
    """l1 Σ |w| + l2 Σ w²,  as Keras's.  Weight decay of λ in an optimizer is l2 = λ / 2, for SGD.

    Raises ValueError for coefficients that are negative or not finite.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        for name, value in (("l1", l1), ("l2", l2)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or value < 0:
                raise ValueError(f"{type(self).__name__}: {name} must be a finite number >= 0; got {value!r}")
        self.l1, self.l2 = float(l1), float(l2)

    def __call__(self, w: Any) -> Any:
        """The penalty for one parameter, a number."""
        total = self.l1 * absolute(w).sum() if self.l1 else 0.0
        return total + self.l2 * (w * w).sum() if self.l2 else total if self.l1 else 0.0 * w.sum()

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value:g}" for name, value in vars(self).items() if value or type(self) is L1L2)
        return f"{type(self).__name__}({given})"


class L1(L1L2):
    """l1 Σ |w|:  drives parameters to exactly 0 (lasso)."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """l2 Σ w²:  keeps parameters small (ridge)."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


class OrthogonalRegularizer:
    """factor Σ over pairs of rows of (cosine between them)²,  for weights (out, in): rows that point different ways."""

    def __init__(self, factor: float = 0.01) -> None:
        L1L2(l2=factor)
        self.factor = float(factor)

    def __call__(self, w: Any) -> Any:
        """The penalty for one parameter, a number."""
        rows = w.reshape(w.shape[0], -1)
        rows = rows / ((rows * rows).sum(dim=1, keepdim=True) + 1e-12)**0.5
        products = rows @ rows.T
        return self.factor * 0.5 * ((products * products).sum() - (rows * rows).sum(dim=1).pow(2).sum())

    def __repr__(self) -> str:
        return f"OrthogonalRegularizer(factor={self.factor:g})"


NAMES: dict[str, Any] = {"l1": L1, "l2": L2, "l1_l2": lambda: L1L2(0.01, 0.01), "orthogonal": OrthogonalRegularizer}


def get(regularizer: Any) -> Any:
    """A regularizer by name ("l1", "l2", "l1_l2", "orthogonal", each with 0.01), or a function w -> number as it is."""
    if isinstance(regularizer, str):
        if regularizer.lower() not in NAMES:
            raise unknown("regularizer", regularizer, NAMES)
        return NAMES[regularizer.lower()]()
    if isinstance(regularizer, type) or not callable(regularizer):
        raise TypeError("regularizer: expected a name such as 'l2', an object such as nn.regularizers.L2(1e-4), or a "
                        f"function of a parameter; got {regularizer!r}")
    return regularizer


def penalties(regularizer: Any, model: Module) -> list[tuple[Any, Tensor]]:
    """(regularizer, parameter) for all that `compile(regularizer=...)` says.

    One regularizer is meant for weights (parameters of two or more axes), not for biases and scales, as Keras's
    `kernel_regularizer`.  A dict goes from patterns of names to regularizers: {"*.weight": L2(1e-4), "0.bias": "l1"};
    the first pattern that fits a name holds, and None leaves its parameters out.  Raises ValueError for a pattern that
    fits no name.
    """
    if regularizer is None:
        return []
    named = [(path, p) for path, p in model.named_parameters()]
    if not isinstance(regularizer, dict):
        chosen = get(regularizer)
        return [(chosen, p) for _, p in named if len(p.shape) > 1]
    found: list[tuple[Any, Tensor]] = []
    rules = [(pattern, None if chosen is None else get(chosen)) for pattern, chosen in regularizer.items()]
    for pattern, _ in rules:
        if not any(fnmatchcase(path, pattern) for path, _ in named):
            raise ValueError(f"compile: the pattern {pattern!r} of regularizer= fits no parameter; there are "
                             f"{', '.join(path for path, _ in named[:8])}{', ...' if len(named) > 8 else ''}")
    for path, p in named:
        chosen = next((one for pattern, one in rules if fnmatchcase(path, pattern)), None)
        if chosen is not None:
            found.append((chosen, p))
    return found
