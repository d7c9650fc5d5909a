"""Gradients and directional derivatives of plain functions, over trees of arrays or Tensors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..modes import enable_grad, no_grad
from ..ops import cast, concatenate, reshape
from ..sweep import pull, push
from ..tensor import Tensor, wrap
from .calls import Call, Function, check_callable, cut, one_number, one_or_all, pulled
from .forward import push_arrays
from .trees import LEAF, describe, flatten, same, unflatten


def value_and_grad(f: Function, argnums: Any = 0, has_aux: bool = False, *, argnum: Any = None) -> Function:
    """x -> (f(x), gradient of f at x), for f with a scalar value.

    `argnums` names the argument(s) to differentiate by, each an array, a number or a tree of them; the gradient is
    built like the argument, and is a tuple if `argnums` is one.  With `has_aux`, f returns (value, anything), and the
    result is ((value, anything), gradient).  `argnum` is HIPS autograd's name for `argnums`.

    Raises GradientError when f does not return one number; IndexError for an argument that was not given.
    """
    check_callable("grad", f)
    wanted = one_or_all("grad", argnums, argnum)

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        call = Call("grad", f, args, wanted, kwargs, has_aux)
        y = one_number(call)
        live = call.live()
        if isinstance(y, Tensor) and y.node is not None and live:
            seed = np.ones(y.shape, y.dtype)[()]
            found = pull([y], [wrap(seed) if call.record else seed], live, record=call.record)
        else:
            found = [None] * len(live)
        grads = call.gradients(found, call.nested)
        result = grads[0] if isinstance(wanted, int) else tuple(grads)
        value = call.result()
        return ((value, call.aux), result) if has_aux else (value, result)
    return both


def grad(f: Function, argnums: Any = 0, has_aux: bool = False, *, argnum: Any = None) -> Function:
    """x -> gradient of f at x, for f with a scalar value:  grad(grad(f)) is the second derivative.

    Arguments as of `value_and_grad`; with `has_aux` the result is (gradient, anything).
    """
    both = value_and_grad(f, argnums, has_aux, argnum=argnum)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g
    return gradient


def vjp(f: Function, *args: Any, has_aux: bool = False) -> Any:
    """(f(x), pullback): pullback(v) = v J, a gradient built like x (a tuple for several arguments).

    v is built like f(x).  The pullback may be called as often as one likes, also under `vmap`.  With `has_aux`, f
    returns (value, anything), and the result is (value, pullback, anything).
    """
    call = Call("vjp", f, args, tuple(range(len(args))), {}, has_aux)
    live, roots = call.live(), call.roots()

    def pullback(v: Any) -> Any:
        leaves, structure = flatten(v)
        if not same(structure, call.structure):
            raise ShapeError(f"vjp: the cotangent must be built like the result, {describe(call.structure)}; "
                             f"got {describe(structure)}")
        for leaf, y in zip(leaves, call.leaves, strict=True):
            if shape_of(leaf) != shape_of(y):
                raise ShapeError(f"vjp: the cotangent must have the shape of the result, {shape_of(y)}; "
                                 f"got {shape_of(leaf)}")
        nested = call.nested or any(isinstance(leaf, Tensor) for leaf in leaves)
        seeds = [call.physical(leaves[k] if isinstance(leaves[k], Tensor) else np.asarray(leaves[k], y.dtype)[()])
                 for k, y in roots]
        record = call.record or any(isinstance(s, Tensor) and s.node is not None for s in seeds)
        grads = call.gradients(_pulled(roots, seeds, live, record), nested)
        return grads[0] if len(args) == 1 else tuple(grads)
    value = call.result()
    return (value, pullback, call.aux) if has_aux else (value, pullback)


def _pulled(roots: Sequence[tuple[int, Tensor]], seeds: Sequence[Any], live: Sequence[Tensor], record: bool) -> Any:
    """`pulled` from what `Call.roots` gives."""
    return pulled([y for _, y in roots], seeds, live, record)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a Tensor, an array or a number."""
    return tuple(getattr(x, "shape", ()))


def pushed(outputs: Sequence[Any], pairs: Sequence[tuple[Tensor, Any]], record: bool) -> list[Any]:
    """The derivative of each output along the pairs (source, direction), as the sweeps see them; None without a path.

    Several outputs are pushed to as one vector, so that what they share is walked once.
    """
    roots = [(k, y) for k, y in enumerate(outputs) if isinstance(y, Tensor) and y.node is not None]
    found = [None] * len(outputs)
    if not roots or not pairs:
        return found
    arrays = not record and not any(hasattr(d, "level") for _, d in pairs)
    with enable_grad() if record else no_grad():
        if len(roots) == 1:
            (k, y), = roots
            found[k] = push_arrays(y, pairs) if arrays else push(y, pairs)
            return found
        with enable_grad():                   # the join is a step of the graph that is pushed through
            dtype = np.result_type(*[y.dtype for _, y in roots])
            flat = [reshape(y if y.dtype == dtype else cast(y, dtype=dtype), shape=(-1,)) for _, y in roots]
            joined = concatenate(*flat)
        along = push_arrays(joined, pairs) if arrays else push(joined, pairs)
        at = 0
        for k, y in roots:
            size = int(np.prod(y.shape))
            if along is not None:
                part = reshape(along[at:at + size], shape=y.shape)
                found[k] = part if part.dtype == y.dtype else cast(part, dtype=y.dtype)
            at += size
    return found


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """(f(x), J v): the value and the derivative along the tangents, in forward mode; both are built like f(x).

    One tangent for each primal, built like it.  With `has_aux`, f returns (value, anything), and the result is
    (value, derivative, anything).  Raises ShapeError for a tangent that does not fit its primal.
    """
    if len(primals) != len(tangents):
        raise ShapeError(f"jvp: {len(primals)} primals and {len(tangents)} tangents; there must be one for each")
    call = Call("jvp", f, primals, tuple(range(len(primals))), {}, has_aux)
    pairs, recorded = call.tangents(tangents)
    call.tensors = call.tensors or has_tensor(tangents)
    call.record = call.record or recorded
    along = along_of(call, pushed(call.outputs, pairs, call.record))
    value = call.result()
    return (value, along, call.aux) if has_aux else (value, along)


def has_tensor(trees: Any) -> bool:
    """Whether a Tensor stands anywhere in the trees."""
    return any(isinstance(leaf, Tensor) for tree in trees for leaf in flatten(tree)[0])


def along_of(call: Call, found: Sequence[Any], nested: bool | None = None, record: bool | None = None) -> Any:
    """The derivatives of the outputs as a tree built like the value."""
    nested = call.nested if nested is None else nested
    record = call.record if record is None else record
    made = []
    for d, y, leaf in zip(found, call.outputs, call.leaves, strict=True):
        like = y if isinstance(y, (Tensor, np.ndarray, np.generic)) else np.asarray(leaf)
        if like.dtype.kind not in "fc":
            like = np.zeros(like.shape)
        made.append(call.hand_back(d if record else cut(d), like, nested))
    return made[0] if call.structure is LEAF else unflatten(call.structure, made)


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """(f(x), pushforward): pushforward(v) = J v at x, f being run once; it may be called often, also under `vmap`."""
    call = Call("linearize", f, primals, tuple(range(len(primals))), {})

    def pushforward(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise ShapeError(f"linearize: {len(primals)} primals and {len(tangents)} tangents; one for each, please")
        pairs, recorded = call.tangents(tangents)
        record = call.record or recorded
        nested = call.nested or record or has_tensor(tangents)
        return along_of(call, pushed(call.outputs, pairs, record), nested, record)
    return call.result(), pushforward
