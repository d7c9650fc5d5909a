"""Matrices of derivatives: Jacobians by rows or by columns, Hessians, and products with them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..ops import concatenate, moveaxis, reshape, stack
from ..sweep import history
from ..tensor import Tensor, wrap
from .calls import Call, Function, check_callable, cut, one_or_all, pulled
from .curvature import Curvature
from .gradient import grad, pushed, shape_of, vjp
from .trees import LEAF, flatten, unflatten

FEW = 6                                       # so many rows are faster one by one than in a batch
ROOM = 1 << 24                                # how many elements a batch of sweeps may hold at a time: 128 MiB


def jacobian(f: Function, argnums: Any = 0, has_aux: bool = False, *, argnum: Any = None, mode: str = "auto",
             chunk_size: int | None = None) -> Function:
    """x -> derivative of every element of f by every element of x:  shape f(x).shape + x.shape.

    Rows by the reverse sweep where f has no more elements than x, columns by the forward one elsewhere ("auto"), or as
    `mode` says, "reverse" or "forward"; many at a time, through `vmap`, at most `chunk_size` if that is given.

    For trees: the result is built like f(x), and in each place stands a tree built like x (a tuple of such for a tuple
    of argnums).  With `has_aux`, f returns (value, anything), and the result is (jacobian, anything).
    """
    check_callable("jacobian", f)
    wanted = one_or_all("jacobian", argnums, argnum)
    if mode not in ("auto", "reverse", "forward"):
        raise ValueError(f"jacobian: mode must be 'auto', 'reverse' or 'forward'; got {mode!r}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"jacobian: chunk_size must be at least 1; got {chunk_size}")

    @functools.wraps(f)
    def jac(*args: Any, **kwargs: Any) -> Any:
        call = Call("jacobian", f, args, wanted, kwargs, has_aux)
        sources = call.live()
        rows = [int(np.prod(shape_of(y))) for y in call.leaves]
        columns = [int(np.prod(shape_of(call.logical(s)))) for s in sources]
        if mode == "auto":                    # the reverse sweep has complex derivatives conjugate
            by_rows = sum(rows) <= sum(columns) and not any(t.dtype.kind == "c" for t in sources)
        else:
            by_rows = mode == "reverse"
        blocks = (_by_rows if by_rows else _by_columns)(call, sources, rows, columns, chunk_size)
        places = []
        for y_blocks in blocks:
            trees = call.trees(y_blocks)
            places.append(trees[0] if isinstance(wanted, int) else tuple(trees))
        result = places[0] if call.structure is LEAF else unflatten(call.structure, places)
        result = result if call.nested or call.batch is not None else _as_arrays(result)
        return (result, call.aux) if has_aux else result

    return jac


def _as_arrays(tree: Any) -> Any:
    leaves, structure = flatten(tree)
    return unflatten(structure, [leaf.value if isinstance(leaf, Tensor) else leaf for leaf in leaves])


def jacrev(f: Function, argnums: Any = 0, has_aux: bool = False, *, chunk_size: int | None = None) -> Function:
    """`jacobian` by rows: reverse sweeps, as many as f has elements."""
    return jacobian(f, argnums, has_aux, mode="reverse", chunk_size=chunk_size)


def jacfwd(f: Function, argnums: Any = 0, has_aux: bool = False, *, chunk_size: int | None = None) -> Function:
    """`jacobian` by columns: forward sweeps, as many as x has elements."""
    return jacobian(f, argnums, has_aux, mode="forward", chunk_size=chunk_size)


def _chunks(total: int, cost: int, chunk_size: int | None) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of the directions that go through together."""
    size = chunk_size or max(1, min(total, ROOM // max(1, cost)))
    for start in range(0, total, size):
        yield start, min(start + size, total)


def _units(sizes: Sequence[int], first: int, last: int, shape_dtypes: Sequence[tuple[tuple[int, ...], Any]],
           lead: tuple[int, ...]) -> list[Any]:
    """Unit directions first..last of a space that is the sum of parts: for each part an array lead + shape."""
    units, start = [], 0
    for size, (shape, dtype) in zip(sizes, shape_dtypes, strict=True):
        block = np.zeros((last - first, size), dtype)
        low, high = max(first, start), min(last, start + size)
        if low < high:
            block[np.arange(low, high) - first, np.arange(low, high) - start] = 1
        units.append(block.reshape(lead + shape)[()])
        start += size
    return units


def _by_rows(call: Call, sources: Sequence[Tensor], rows: Sequence[int], columns: Sequence[int],
             chunk_size: int | None) -> list[list[Any]]:
    """For each output, for each source, the block of the Jacobian: one pull for each element of the outputs."""
    likes = [(shape_of(y), getattr(y, "dtype", np.dtype(np.float64))) for y in call.leaves]
    roots = call.roots()

    def sweep(seeds: Sequence[Any]) -> Any:
        given = [call.physical(seeds[k]) for k, _ in roots]
        found = pulled([y for _, y in roots], given, sources, call.record)
        return [_logical_or_zeros(call, g, s.shape, s.dtype) for g, s in zip(found, sources, strict=True)]

    sizes = _sizes(roots, sources)            # of a pull the gradients of a few steps are held at a time
    made = _swept(sweep, rows, likes, 4 * max(sizes, default=1) + sum(columns), chunk_size)
    ends = np.cumsum([0, *rows])
    blocks = []
    for (shape, _), low, high in zip(likes, ends[:-1], ends[1:], strict=True):
        blocks.append([_block(call, m, int(low), int(high), shape, call.logical(s), False)
                       for m, s in zip(made, sources, strict=True)])
    return blocks


def _by_columns(call: Call, sources: Sequence[Tensor], rows: Sequence[int], columns: Sequence[int],
                chunk_size: int | None) -> list[list[Any]]:
    """For each output, for each source, the block of the Jacobian: one push for each element of the sources."""
    likes = [(shape_of(call.logical(s)), s.dtype) for s in sources]

    def sweep(directions: Sequence[Any]) -> Any:
        pairs = [(s, call.physical(d)) for s, d in zip(sources, directions, strict=True)]
        found = pushed(call.outputs, pairs, call.record)
        return [_logical_or_zeros(call, d, y.shape, y.dtype) if isinstance(y, Tensor) else np.zeros(shape_of(y))[()]
                for d, y in zip(found, call.outputs, strict=True)]

    if any(s.dtype.kind == "c" for s in sources):
        chunk_size = 1                        # one by one on arrays, where directions are not conjugated
    sizes = _sizes(call.roots(), sources)     # of a push the directions of all steps
    made = _swept(sweep, columns, likes, sum(sizes) + sum(rows), chunk_size)
    ends = np.cumsum([0, *columns])
    return [[_block(call, m, int(low), int(high), shape_of(y), call.logical(s), True)
             for s, low, high in zip(sources, ends[:-1], ends[1:], strict=True)]
            for m, y in zip(made, call.leaves, strict=True)]


def _sizes(roots: Sequence[tuple[int, Tensor]], sources: Sequence[Tensor]) -> list[int]:
    """The elements of each step between the sources and the roots."""
    since = min((s.node.index for s in sources if s.node is not None), default=0)
    return [int(np.prod(node.shape)) for node in history([y.node for _, y in roots if y.node is not None], since)]


def _logical_or_zeros(call: Call, found: Any, shape: Any, dtype: Any) -> Any:
    found = np.zeros(shape, dtype)[()] if found is None else found
    return call.logical(found if isinstance(found, Tensor) or call.batch is None else wrap(found))


def _swept(sweep: Callable[[Sequence[Any]], Any], sizes: Sequence[int], likes: Sequence[tuple[tuple[int, ...], Any]],
           cost: int, chunk_size: int | None) -> list[Any]:
    """The results of a sweep along every unit direction, stacked in front: one for each that the sweep gives."""
    total = sum(sizes)
    if not total:                             # swept once all the same: that says what the rows would look like
        return [_stacked([part])[:0] for part in sweep([np.zeros(shape, dtype)[()] for shape, dtype in likes])]
    parts: list[list[Any]] = []
    if total <= FEW or chunk_size == 1:
        for k in range(total):
            parts.append(list(sweep(_units(sizes, k, k + 1, likes, ()))))
        return [_stacked(column) for column in zip(*parts, strict=True)]
    from .batching import lanes, lower  # the rules are many, and small matrices need none of them
    for first, last in _chunks(total, cost, chunk_size):
        with lanes(last - first) as level:
            units = [level.spread(u) for u in _units(sizes, first, last, likes, (last - first,))]
            parts.append([lower(m, level) for m in sweep(units)])
    return [column[0] if len(column) == 1 else concatenate(*column, dim=0) for column in zip(*parts, strict=True)]


def _stacked(parts: Sequence[Any]) -> Tensor:
    """The parts in a row, along a new first axis; recorded if they are."""
    if any(isinstance(p, Tensor) and (p.requires_grad or type(p) is not Tensor) for p in parts):
        return stack([p if isinstance(p, Tensor) else wrap(p) for p in parts])
    return wrap(np.stack([p.value if isinstance(p, Tensor) else p for p in parts]))


def _block(call: Call, made: Any, low: int, high: int, y_shape: tuple[int, ...], x: Tensor, columns: bool) -> Any:
    """Rows (or columns) low..high of what was swept, as a block of shape y_shape + x.shape."""
    part = made if low == 0 and high == made.shape[0] else made[low:high]
    if columns:
        part = moveaxis(part, 0, -1)
    block = reshape(part, shape=(*y_shape, *x.shape))
    return block if call.record else cut(block)


def hessian(f: Function, argnums: Any = 0, has_aux: bool = False, *, argnum: Any = None,
            chunk_size: int | None = None) -> Function:
    """x -> second derivatives of the scalar function f:  shape x.shape + x.shape.

    The Jacobian of the gradient.  For trees: a tree built like x, and in each place another (for a tuple of argnums, a
    tuple of tuples).
    """
    wanted = one_or_all("hessian", argnums, argnum)
    return jacobian(grad(f, wanted, has_aux), wanted, has_aux, chunk_size=chunk_size)


def _products(who: str, primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if len(primals) != len(tangents) or not primals:
        raise ShapeError(f"{who}: expected one tangent for each primal; got {len(primals)} primals and "
                         f"{len(tangents)} tangents")
    return tuple(primals), tuple(tangents)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(gradient, Hessian times v) of the scalar function f: a push through the pull.

    One tangent for each primal, built like it.  The results are built like the primal, and are tuples for several.
    """
    primals, tangents = _products("hvp", primals, tangents)
    return Curvature(f, primals).along(tangents)


def vhp(f: Function, primals: Sequence[Any], cotangents: Sequence[Any]) -> tuple[Any, Any]:
    """(gradient, v times Hessian) of the scalar function f: a pull through the pull.

    As `hvp`, by two reverse sweeps: for functions that have no forward derivative.
    """
    primals, cotangents = _products("vhp", primals, cotangents)
    gradient, pullback = vjp(grad(f, _all(primals)), *primals)
    return gradient, pullback(cotangents[0] if len(primals) == 1 else cotangents)


def _all(primals: Any) -> Any:
    return 0 if len(primals) == 1 else tuple(range(len(primals)))
