"""Keys and values that attention has computed: with them a sequence is written step by step at the price of a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
from autograd import ShapeError, Tensor


class Memory:
    """Keys and values that stay the same while a sequence is written: those of what a decoder reads."""

    def __init__(self) -> None:
        self.kept: dict[Any, tuple[Any, Any]] = {}

    def extend(self, layer: Any, make: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
        """What make() gave at the first call, for this layer."""
        if layer not in self.kept:
            self.kept[layer] = make()
        return self.kept[layer]


class KVCache:
    """Keys and values of all attention layers of a model, for the positions that it has seen.

    Give one to every call of the model while a sequence is written, and each call only the new positions:

        cache = nn.KVCache()
        first = model(start, cache=cache)                # all positions of the start, at once
        following = model(next_token, cache=cache)       # one position; it looks at all that went before

    The outputs are those of the whole sequence in one call, for self-attention that is causal.  `memory` is for
    attention to something else, whose keys and values are projected at the first call only.  Gradients flow through
    what is kept: generate under `no_grad`.
    """

    def __init__(self) -> None:
        self.kept: dict[Any, tuple[Any, Any]] = {}
        self.memory = Memory()

    @property
    def length(self) -> int:
        """How many positions have been seen."""
        return max((keys.shape[-2] for keys, _ in self.kept.values()), default=0)

    def extend(self, layer: Any, make: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
        """Keys and values of all positions (..., length, d), after those of the new ones, make(), (..., L, d)."""
        keys, values = make()
        if layer in self.kept:
            before = self.kept[layer]
            if before[0].shape[:-2] != keys.shape[:-2]:
                raise ShapeError(f"KVCache: expected keys {tuple(before[0].shape[:-2])} + (L, d), as at the calls "
                                 f"before; got {tuple(keys.shape)}: take a new cache for other sequences")
            keys, values = (autograd.cat([old, new], -2) for old, new in zip(before, (keys, values)))
        self.kept[layer] = keys, values
        return keys, values

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on; a negative length counts from the end."""
        many = len(range(self.length)[:length])
        self.kept = {layer: (keys[..., :many, :], values[..., :many, :])
                     for layer, (keys, values) in self.kept.items()} if many else {}

    def reorder(self, rows: Any) -> None:
        """Go on with these sequences of the batch, in this order; one may come several times, as in a beam search."""
        rows = rows.value if isinstance(rows, Tensor) else rows
        for kept in (self.kept, self.memory.kept):
            for layer, (keys, values) in kept.items():
                kept[layer] = keys[rows], values[rows]

    def clear(self) -> None:
        """Forget everything."""
        self.kept.clear()
        self.memory.kept.clear()

    def __repr__(self) -> str:
        return f"KVCache(length={self.length}, layers={len(self.kept) + len(self.memory.kept)})"
