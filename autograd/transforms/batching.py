"""`vmap`: a function of one example as a function of a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import GradientError, ShapeError
from ..ops import concatenate, moveaxis, stack
from ..tensor import Tensor, wrap
from . import rules_linear as rules_linear
from . import rules_shape as rules_shape
from .calls import LaneError, check_callable
from .lanes import Level, from_the_library
from .levels import Opened, lower
from .step import generator
from .trees import LEAF, NOTHING, VALUES, count, describe, flatten, same, unflatten

UNSAID: Any = object()                         # None says something: shared by all examples


@contextmanager
def lanes(size: int) -> Iterator[Level]:
    """A block in which `size` directions go through a sweep together.  What it draws, it draws once."""
    level = Level(size, "same")
    with Opened(level):
        yield level


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, randomness: str = "error",
         chunk_size: int | None = None, *, in_dims: Any = UNSAID, out_dims: Any = UNSAID) -> Callable[..., Any]:
    """A function of one example as a function of a batch:  vmap(f)(xs)[i] = f(xs[i]).

    `in_axes` says along which axis of each argument the examples lie: a number (negative counts from the back), None
    for what all examples share, or a tuple with one for each argument, in which a tree may stand for a tree.
    `out_axes` says the same of the results; `in_dims` and `out_dims` are PyTorch's words for the two.  Arguments by
    name are shared.  `chunk_size` examples go through at a time, all by default.  `randomness` says what a random
    number is: an "error", "different" for each example, or the "same" for all.

    What f gets is one example, as a Tensor; every op runs once on the whole batch, by NumPy's own batching, and one by
    one where an op has none.  A choice by value (`if x > 0`) is a LaneError: use autograd.where.  As torch.func.vmap.

    Raises ValueError for axes that do not fit the arguments, and for batches of different sizes.
    """
    check_callable("vmap", f)
    in_axes, out_axes = (axes if dims is UNSAID else dims for axes, dims in ((in_axes, in_dims), (out_axes, out_dims)))
    if randomness not in ("error", "different", "same"):
        raise ValueError(f"vmap: randomness must be 'error', 'different' or 'same'; got {randomness!r}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size must be at least 1; got {chunk_size}")

    @functools.wraps(f)
    def over_all(*args: Any, **kwargs: Any) -> Any:
        batch = _Batch(args, in_axes)
        step = chunk_size or max(batch.size, 1)
        parts = [_run(f, batch.part(start, min(start + step, batch.size)), kwargs, out_axes, randomness)
                 for start in range(0, max(batch.size, 1), step)]
        made = parts[0] if len(parts) == 1 else _joined(parts, out_axes)
        leaves, structure = made
        leaves = [leaf.value if not batch.tensors and type(leaf) is Tensor and leaf.node is None else leaf
                  for leaf in leaves]
        return leaves[0] if structure is LEAF else unflatten(structure, leaves)
    return over_all


class _Batch:
    """The arguments of one call: leaves, and the axis of each along which the examples lie."""

    __slots__ = ("axes", "leaves", "size", "structure", "tensors")

    def __init__(self, args: tuple[Any, ...], in_axes: Any) -> None:
        self.leaves, self.structure = flatten(args)
        self.tensors = any(isinstance(leaf, Tensor) for leaf in self.leaves)
        if isinstance(in_axes, list):
            in_axes = tuple(in_axes)
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(f"vmap: in_axes {in_axes} has {len(in_axes)} entries; the function was given {len(args)} "
                             "argument(s): give one for each, None for what is shared")
        axes = spread_axes("in_axes", in_axes, self.structure)
        self.axes = [_axis(leaf, axis) for leaf, axis in zip(self.leaves, axes, strict=True)]
        sizes = {leaf.shape[axis]: None for leaf, axis in zip(self.leaves, self.axes, strict=True) if axis is not None}
        if not sizes:
            raise ValueError("vmap: at least one argument must have an axis of examples; in_axes gives None for all")
        if len(sizes) > 1:
            shapes = ", ".join(str(leaf.shape) for leaf, axis in zip(self.leaves, self.axes, strict=True)
                               if axis is not None)
            raise ValueError(f"vmap: expected batches of one size; got {', '.join(map(str, sizes))} "
                             f"(arguments of shapes {shapes}, in_axes {in_axes}): give in_axes=None for what is shared")
        self.size = next(iter(sizes))

    def part(self, start: int, end: int) -> _Batch:
        """Examples start..end."""
        if start == 0 and end == self.size:
            return self
        made = object.__new__(_Batch)
        made.structure, made.axes, made.size, made.tensors = self.structure, self.axes, end - start, self.tensors
        made.leaves = [leaf if axis is None else leaf[(slice(None),) * axis + (slice(start, end),)]
                       for leaf, axis in zip(self.leaves, self.axes, strict=True)]
        return made

    def arguments(self, one: Callable[[Any, int], Any]) -> Any:
        """The arguments, with `one(leaf, axis)` for what has examples."""
        return unflatten(self.structure, [leaf if axis is None else one(leaf, axis)
                                          for leaf, axis in zip(self.leaves, self.axes, strict=True)])


def spread_axes(who: str, axes: Any, structure: Any) -> list[Any]:
    """One axis, or None, for each leaf of a structure, from a tree that may end before it does."""
    if structure is NOTHING:
        return []
    if axes is None or (isinstance(axes, (int, np.integer)) and not isinstance(axes, bool)):
        return [axes] * count(structure)
    if structure is LEAF:
        raise ValueError(f"vmap: {who} has {axes!r} where an array stands; expected a number or None")
    _, keys, parts = structure
    inner = [axes[key] for key in keys] if isinstance(axes, dict) and keys is not None and axes.keys() == set(keys) \
        else list(axes) if isinstance(axes, (tuple, list)) and keys is None and len(axes) == len(parts) else None
    if inner is None:
        raise ValueError(f"vmap: {who} must be built like what it speaks of, {describe(structure)}, or a part of it "
                         f"from the top; got {axes!r}")
    return [axis for a, part in zip(inner, parts, strict=True) for axis in spread_axes(who, a, part)]


def _axis(leaf: Any, axis: Any) -> int | None:
    """The axis of the examples, counted from the front."""
    if axis is None:
        return None
    if not isinstance(leaf, (Tensor, np.ndarray)):
        if isinstance(leaf, VALUES):
            raise ValueError(f"vmap: the number {leaf!r} has no axis of examples; give in_axes=None for it")
        return None                           # a name, a function: the same for all
    if not -leaf.ndim <= axis < leaf.ndim:
        raise ValueError(f"vmap: in_axes names axis {axis} of an argument of shape {tuple(leaf.shape)}"
                         + ("" if leaf.ndim else "; give in_axes=None for it"))
    return int(axis) % leaf.ndim


def _run(f: Callable[..., Any], batch: _Batch, kwargs: Any, out_axes: Any, randomness: str) -> tuple[list[Any], Any]:
    """The leaves and the structure of f on a batch."""
    level = Level(batch.size, randomness)
    with Opened(level):
        args = batch.arguments(lambda leaf, axis: level.spread(_to_the_front(leaf, axis)))
        try:
            made = f(*args, **kwargs)
        except Exception as error:
            if not _worth_another_try(error, level):
                raise
        else:
            leaves, structure = flatten(made)
            axes = _out_axes(leaves, out_axes, structure)
            if not any(type(leaf) is Tensor and isinstance(leaf.value, Tensor) for leaf in leaves):
                return [_collected(leaf, axis, level) for leaf, axis in zip(leaves, axes, strict=True)], structure
            # else a function wrapped lanes where it thought it had an array
    return _one_by_one(f, batch, kwargs, out_axes, randomness)


def _worth_another_try(error: Exception, level: Level) -> bool:
    """Whether the lanes may do one by one what they cannot do together.

    A function of the library may ask for arrays, where each lane has its own; or it is a mistake of the user's, which
    is then found again, in the words of one lane.  A choice by value and what is refused stay errors.
    """
    if not level.size or isinstance(error, (GradientError, RuntimeError)):
        return False
    if isinstance(error, LaneError):
        return error.library and error.level is level
    return from_the_library(error)


def _to_the_front(leaf: Any, axis: int) -> Any:
    if isinstance(leaf, Tensor):
        return leaf if axis == 0 else moveaxis(leaf, axis, 0)
    return wrap(np.moveaxis(leaf, axis, 0))


def _out_axes(leaves: Sequence[Any], out_axes: Any, structure: Any) -> list[Any]:
    for leaf in leaves:
        if not isinstance(leaf, VALUES):
            raise TypeError(f"vmap: the function must return numbers or tensors; it returned {type(leaf).__name__}")
    if structure is NOTHING:
        raise TypeError("vmap: the function must return numbers or tensors; it returned None: is a return missing?")
    return spread_axes("out_axes", out_axes, structure)


def _placed(x: Tensor, axis: int) -> Tensor:
    """Lanes from axis 0 to where they are wanted."""
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"vmap: out_axes names axis {axis}, but of one example the result has shape "
                         f"{tuple(x.shape[1:])}")
    return x if axis in (0, -x.ndim) else moveaxis(x, 0, axis)


def _collected(leaf: Any, axis: Any, level: Level) -> Any:
    if axis is None:
        if getattr(leaf, "level", None) is level:
            raise ValueError("vmap: out_axes is None for a result that differs from example to example; "
                             "name an axis for it")
        return leaf if isinstance(leaf, Tensor) else wrap(np.asarray(leaf)[()])
    return _placed(lower(leaf, level), axis)


def _one_by_one(f: Callable[..., Any], batch: _Batch, kwargs: Any, out_axes: Any,
                randomness: str) -> tuple[list[Any], Any]:
    """f on one example after the other: where something that f calls needs the values themselves."""
    level, rows, kept = Level(batch.size, randomness, single=True), [], None
    start = generator().bit_generator.state if randomness == "same" else None
    for k in range(batch.size):
        if start is not None:
            generator().bit_generator.state = start
        with Opened(level):
            args = batch.arguments(functools.partial(_example, k))
            leaves, structure = flatten(f(*args, **kwargs))
        axes = _out_axes(leaves, out_axes, structure)
        if kept is not None and not same(structure, kept):
            raise ShapeError("vmap: the function must return the same structure for each example; got "
                             f"{describe(kept)} and {describe(structure)}")
        kept = structure
        rows.append([leaf if isinstance(leaf, Tensor) else wrap(np.asarray(leaf)[()]) for leaf in leaves])
    made = []
    for axis, column in zip(axes, zip(*rows, strict=True), strict=True):
        shapes = {tuple(part.shape) for part in column}
        if len(shapes) > 1:
            raise ShapeError(f"vmap: all examples must give results of one shape; got {sorted(shapes)}: a selection by "
                             "value has another size in each; use autograd.where with a mask")
        made.append(column[0] if axis is None else _placed(stack(list(column)), axis))
    return made, kept


def _example(k: int, leaf: Any, axis: int) -> Tensor:
    part = leaf[(slice(None),) * axis + (k,)]
    return part if isinstance(part, Tensor) else wrap(np.asarray(part)[()])


def _joined(parts: Sequence[tuple[list[Any], Any]], out_axes: Any) -> tuple[list[Any], Any]:
    """The results of all chunks."""
    structure = parts[0][1]
    axes = spread_axes("out_axes", out_axes, structure)
    return [column[0] if axis is None else concatenate(*column, dim=axis)
            for axis, column in zip(axes, zip(*[leaves for leaves, _ in parts], strict=True), strict=True)], structure


