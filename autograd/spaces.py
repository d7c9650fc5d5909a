"""Trees of arrays as vectors: what `vspace` of HIPS autograd says of a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .creation import default_rng
from .ops import conj
from .tensor import Tensor
from .transforms.trees import LEAF, same, unflatten


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """(leaves in order, structure), every list, tuple and dict being a container, as HIPS autograd has it."""
    leaves: list[Any] = []
    return leaves, _apart(tree, leaves)


def conjugated(x: Any) -> Any:
    """The conjugate of a leaf that is complex; any other leaf itself."""
    if getattr(x, "dtype", np.dtype(float)).kind != "c":
        return x
    return conj(x) if isinstance(x, Tensor) else np.conj(x)


def _apart(tree: Any, leaves: list[Any]) -> Any:
    if isinstance(tree, dict):
        return tree, list(tree), [_apart(part, leaves) for part in tree.values()]
    if isinstance(tree, (list, tuple)):
        return list if isinstance(tree, list) else tree, None, [_apart(part, leaves) for part in tree]
    leaves.append(tree)
    return LEAF


class VSpace:
    """The vectors that are built like a value: their shapes, zeros, a basis, an inner product."""

    __slots__ = ("dtypes", "shapes", "structure")

    def __init__(self, value: Any) -> None:
        leaves, self.structure = flatten(value)
        if not all(isinstance(v, (Tensor, np.ndarray, np.generic, float, int, complex)) for v in leaves):
            bad = next(v for v in leaves if not isinstance(v, (Tensor, np.ndarray, np.generic, float, int, complex)))
            raise TypeError(f"vspace: expected numbers, arrays and trees of them; got {type(bad).__name__}")
        self.shapes = [tuple(getattr(v, "shape", ())) for v in leaves]
        kinds = [v.dtype if hasattr(v, "dtype") else np.asarray(v).dtype for v in leaves]
        self.dtypes = [d if d.kind in "fc" else np.dtype(float) for d in kinds]

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, VSpace) and same(self.structure, other.structure) and self.shapes == other.shapes
                and self.dtypes == other.dtypes)

    __hash__ = None                                                                       # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"VSpace({', '.join(f'{s} {d}' for s, d in zip(self.shapes, self.dtypes, strict=True))})"

    @property
    def shape(self) -> Any:
        """The shape; of a tree, built like it."""
        return unflatten(self.structure, self.shapes)

    @property
    def size(self) -> int:
        """How many real numbers one vector is."""
        return int(sum(np.prod(s, dtype=int) * (2 if d.kind == "c" else 1)
                       for s, d in zip(self.shapes, self.dtypes, strict=True)))

    @property
    def iscomplex(self) -> bool:
        """Whether any of it is complex."""
        return any(d.kind == "c" for d in self.dtypes)

    def _made(self, make: Any) -> Any:
        return unflatten(self.structure, [make(s, d) for s, d in zip(self.shapes, self.dtypes, strict=True)])

    def zeros(self) -> Any:
        """The vector of zeros."""
        return self._made(lambda s, d: np.zeros(s, d)[()])

    def ones(self) -> Any:
        """The vector of ones; 1 + i where it is complex, so that it is the sum of the basis."""
        return self._made(lambda s, d: np.full(s, 1 + 1j if d.kind == "c" else 1, d)[()])

    def randn(self) -> Any:
        """A vector of standard normal numbers."""
        rng = default_rng()

        def draw(shape: Any, dtype: Any) -> Any:
            drawn = rng.standard_normal(shape)
            return np.asarray(drawn + 1j * rng.standard_normal(shape) if dtype.kind == "c" else drawn).astype(dtype)[()]
        return self._made(draw)

    def standard_basis(self) -> Iterator[Any]:
        """The vectors of one 1 (and one i) each."""
        for k, (shape, dtype) in enumerate(zip(self.shapes, self.dtypes, strict=True)):
            for at in np.ndindex(*shape):
                for unit in (1, 1j) if dtype.kind == "c" else (1,):
                    leaves = [np.zeros(s, d) for s, d in zip(self.shapes, self.dtypes, strict=True)]
                    leaves[k][at] = unit
                    yield unflatten(self.structure, [v[()] for v in leaves])

    def _each(self, function: Any, *vectors: Any) -> Any:
        parts = [flatten(v)[0] for v in vectors]
        return unflatten(self.structure, [function(*leaves) for leaves in zip(*parts, strict=True)])

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        return self._each(lambda a, b: a + b, x, y)

    mut_add = add                             # HIPS's changes x; nothing depends on that

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """a x."""
        return self._each(lambda v: v * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """Re Σ conj(x) y."""
        return sum(np.real(np.sum(np.conj(a) * b)) for a, b in zip(flatten(x)[0], flatten(y)[0], strict=True))

    def covector(self, x: Any) -> Any:
        """conj(x)."""
        return self._each(np.conj, x)


def vspace(value: Any) -> VSpace:
    """The space of the vectors that are built like a value."""
    return VSpace(value)
