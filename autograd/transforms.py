"""Derivatives of plain functions.  Arrays in, arrays out; given Tensors they return Tensors, and so they nest.

    grad(f)(x)          gradient of a scalar function          jacobian(f)(x)      d f_i / d x_j
    value_and_grad(f)   both, in one pass                      hessian(f)(x)       d² f / d x_i d x_j
    vjp(f, x)           v -> v J                               jvp(f, (x,), (v,))  J v
    hvp(f, (x,), (v,))  Hessian times v
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from .errors import GradientError, ShapeError
from .modes import enable_grad
from .node import Node
from .ops import identity, reshape, stack
from .sweep import history, pull, push
from .tensor import Tensor, wrap

Function = Callable[..., Any]
# The sources of the transforms that are running: an inner one asks whether its result depends on an outer one's.
_running: ContextVar[tuple[Node, ...]] = ContextVar("glassgrad_running", default=())


def _source(x: Any) -> Tensor:
    """A fresh source for x, so that nested transforms do not mix; it stays linked to an outer one."""
    if isinstance(x, Tensor):
        return identity(x) if x.node is not None else wrap(x.value).requires_grad_()
    x = np.asarray(x)
    return Tensor(x if x.dtype.kind in "fc" else x.astype(np.float64), requires_grad=True)


class _Call(NamedTuple):
    """What a function gave, and how its derivative is to be handed back."""

    value: Any
    sources: list[Tensor]
    tensors: bool                   # the caller works with Tensors
    record: bool                    # an outer transform, or the caller's graph, will differentiate the derivative


def _check_callable(who: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(
            f"{who}: expected a function; got {type(f).__name__}: the gradient of a tensor that was computed "
            "already is autograd.gradients(outputs, inputs)"
        )


def _called(who: str, f: Function, args: Sequence[Any], argnums: int | Sequence[int], kwargs: dict[str, Any],
            has_aux: bool = False) -> _Call:
    _check_callable(who, f)
    nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if any(not -len(args) <= k < len(args) for k in nums):
        raise IndexError(f"{who}: argnums {argnums}, but the function was given {len(args)} positional argument(s)")
    sources = [_source(args[k]) for k in nums]
    record = any(isinstance(args[k], Tensor) and args[k].node is not None for k in nums)
    tensors = any(isinstance(a, Tensor) for a in args)
    args = list(args)
    for k, source in zip(nums, sources, strict=True):
        args[k] = source
    outer = _running.get()
    token = _running.set((*outer, *[s.node for s in sources if s.node is not None]))
    try:
        value = f(*args, **kwargs)
    finally:
        _running.reset(token)
    y = value[0] if has_aux else value
    if not isinstance(y, (Tensor, np.ndarray, np.generic, int, float, complex)):
        raise TypeError(f"{who}: the function must return a number or a tensor; it returned {type(y).__name__}"
                        + (": is a return missing?" if y is None else ""))
    if not record and isinstance(y, Tensor) and y.node is not None and (outer or tensors):
        fresh = {s.node for s in sources}
        below = history([y.node], since=0 if tensors else min(n.index for n in outer))
        record = any(n in outer or (tensors and n.op is None and n not in fresh) for n in below)
    return _Call(value, sources, tensors or record, record)


def _zeros(source: Tensor, nested: bool) -> Any:
    zeros = np.zeros(source.shape, source.dtype)[()]
    return wrap(zeros) if nested else zeros


def _plain(x: Any, nested: bool) -> Any:
    """As the caller works: Tensors with Tensors, arrays with arrays."""
    if nested:
        return x if isinstance(x, Tensor) else wrap(np.asarray(x)[()])
    return x.value if isinstance(x, Tensor) else x


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """x -> (f(x), gradient of f at x), for f with a scalar value.

    `argnums` names the argument(s) to differentiate by; with `has_aux`, f returns (value, anything).
    Raises GradientError when f does not return one real number.
    """
    _check_callable("grad", f)

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            y, sources, nested, record = _called("grad", f, args, argnums, kwargs, has_aux)
            aux = None
            if has_aux:
                y, aux = y
            if getattr(y, "shape", ()) != () :
                raise GradientError(f"grad: the function must return a scalar; it returned shape {y.shape}: "
                                    "sum or average it, or use jacobian")
            if isinstance(y, Tensor) and y.node is not None:
                seed = y.dtype.type(1)
                grads = pull([y], [wrap(seed) if record else seed], sources, record=record)
            else:
                grads = [None] * len(sources)
            grads = tuple(_zeros(s, nested) if g is None else _plain(g, nested)
                          for g, s in zip(grads, sources, strict=True))
            value = _plain(y if record else _cut(y), nested)
            result = grads[0] if isinstance(argnums, int) else grads
            return ((value, aux), result) if has_aux else (value, result)
    return both


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """x -> gradient of f at x, for f with a scalar value:  grad(grad(f)) is the second derivative."""
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g
    return gradient


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """(f(x), pullback): pullback(v) = v J, one gradient for each argument; it may be called often."""
    with enable_grad():
        y, sources, nested, record = _called("vjp", f, args, tuple(range(len(args))), {})

    def pullback(v: Any) -> Any:
        if np.shape(v.value if isinstance(v, Tensor) else v) != np.shape(y.value if isinstance(y, Tensor) else y):
            raise ShapeError(f"vjp: the cotangent must have the shape of the result, {y.shape}; got {np.shape(v)}")
        inner = nested or isinstance(v, Tensor)
        again = record or (isinstance(v, Tensor) and v.node is not None)
        if not isinstance(y, Tensor) or y.node is None:
            found: list[Any] = [None] * len(sources)
        else:
            seed = v if isinstance(v, Tensor) else np.asarray(v, y.dtype)[()]
            if again:
                seed = seed if isinstance(seed, Tensor) else wrap(seed)
            elif isinstance(seed, Tensor):
                seed = seed.value
            found = pull([y], [seed], sources, record=again)
        grads = tuple(_zeros(s, inner) if g is None else _plain(g, inner) for g, s in zip(found, sources, strict=True))
        return grads if len(args) != 1 else grads[0]
    return _plain(y if record else _cut(y), nested), pullback


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(x), J v): the value and the derivative along the tangents, in forward mode."""
    if len(primals) != len(tangents):
        raise ShapeError(f"jvp: {len(primals)} primals and {len(tangents)} tangents; there must be one for each")
    with enable_grad():
        y, sources, nested, record = _called("jvp", f, primals, tuple(range(len(primals))), {})
        nested = nested or any(isinstance(t, Tensor) for t in tangents)
        record = record or any(isinstance(t, Tensor) and t.node is not None for t in tangents)
        pairs = []
        for s, t in zip(sources, tangents, strict=True):
            t = t if isinstance(t, Tensor) else np.asarray(t, s.dtype)[()]
            if t.shape != s.shape:
                raise ShapeError(f"jvp: a tangent must have the shape of its primal, {s.shape}; got {t.shape}")
            pairs.append((s, t))
        along = push(y, pairs) if isinstance(y, Tensor) else None
    if along is None:
        shape = getattr(y, "shape", ())
        along = np.zeros(shape, getattr(y, "dtype", np.float64))[()]
    if not record:
        y, along = _cut(y), _cut(along)
    return _plain(y, nested), _plain(along, nested)


def _cut(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x


def jacobian(f: Function, argnum: int = 0) -> Function:
    """x -> derivative of every element of f by every element of x:  shape f(x).shape + x.shape.

    Rows by the reverse sweep where f has fewer elements than x, columns by the forward one elsewhere.
    """
    _check_callable("jacobian", f)
    if not isinstance(argnum, int):
        raise TypeError(f"jacobian: expected the number of one argument; got {argnum!r}")

    @functools.wraps(f)
    def jac(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            y, (source,), nested, record = _called("jacobian", f, args, argnum, kwargs)
            y_shape = tuple(getattr(y, "shape", ()))
            if not isinstance(y, Tensor) or y.node is None:
                zeros = np.zeros(y_shape + source.shape, source.dtype)[()]
                return wrap(zeros) if nested else zeros
            n, m = y.value.size, source.value.size
            parts = []
            if n <= m:
                for unit in np.eye(n, dtype=y.dtype):
                    seed = unit.reshape(y_shape)[()]
                    g, = pull([y], [wrap(seed) if record else seed], [source], record=record)
                    parts.append(_zeros(source, nested) if g is None else _plain(g, nested))
                shape = y_shape + source.shape
                if nested:
                    return reshape(stack(parts), shape=shape) if parts else wrap(np.zeros(shape, y.dtype))
                return np.array(parts, dtype=y.dtype).reshape(shape)[()]
            for unit in np.eye(m, dtype=source.dtype):
                along = push(y, [(source, unit.reshape(source.shape)[()])])
                along = np.zeros(y_shape, y.dtype)[()] if along is None else along
                parts.append(_plain(along, nested))
            shape = y_shape + source.shape
            if nested:
                return reshape(stack(parts, -1), shape=shape) if parts else wrap(np.zeros(shape, y.dtype))
            return (
                np.stack([np.asarray(p, y.dtype) for p in parts], -1).reshape(shape)[()]
                if parts
                else np.zeros(shape, y.dtype)
            )

    return jac


def hessian(f: Function, argnum: int = 0) -> Function:
    """x -> second derivatives of the scalar function f:  shape x.shape + x.shape."""
    return jacobian(grad(f, argnum), argnum)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(gradient, Hessian times v) of the scalar function f of one argument: a push through the pull."""
    if len(primals) != 1 or len(tangents) != 1:
        raise ShapeError(f"hvp: expected one primal and one tangent; got {len(primals)} and {len(tangents)}")
    x = primals[0]
    nested = isinstance(x, Tensor) or isinstance(tangents[0], Tensor)
    value, along = jvp(grad(f), (x if isinstance(x, Tensor) else wrap(np.asarray(x)[()]),), tangents)
    return _plain(value, nested), _plain(along, nested)
