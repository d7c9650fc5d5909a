"""How an op takes its arguments: the function a user calls.

The forms that stand in inner loops (one, two or three tensors, no attributes) have a short way of their
own; all else is sorted out here and goes through `apply`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .call import WRONG_INPUT, apply, apply_alone
from .guard import GUARD, guard_operand
from .modes import current
from .node import NO_ATTRS, Constant, Node, leaf, tick
from .tensor import Shared, Tensor, attach, stub_of, wrap

if TYPE_CHECKING:
    from .op import Op

ALIASES = {"axis": "dim", "axes": "dims", "keepdims": "keepdim"}      # NumPy's names for PyTorch's


def caller(op: Op) -> Callable[..., Any]:
    """The function a user calls.  The forms that appear in inner loops have a short way of their own."""
    if not op.attributes and not op.variadic and not op.optional and len(op.rules) == len(op.inputs):
        if len(op.inputs) == 1 and not op.views:
            call = _unary(op)
        elif len(op.inputs) == 2 and not op.aux:
            call = _binary(op)
        else:
            call = _general(op)
    elif len(op.inputs) == 2 and not op.attributes and not op.optional and set(op.rules) == {op.inputs[0]}:
        call = _first(op)
    elif not op.attributes and not op.variadic and not op.aux and len(op.rules) == 3 and op.optional == 1:
        call = _ternary(op)
    else:
        call = _general(op)
    call.__name__ = call.__qualname__ = op.name
    call.__doc__, call.__module__, call.__wrapped__ = op.doc, op.fn.__module__, op.fn      # type: ignore[attr-defined]
    call.op = op                                                                           # type: ignore[attr-defined]
    return call


def _unary(op: Op) -> Callable[..., Any]:
    fn, new, current_mode = op.fn, Node, current
    keep_x, keep_out, aux = 0 in op.kept, 1 in op.kept, bool(op.aux)

    def call(x: Any) -> Any:
        if type(x) is Tensor:
            xn = x.node
            if xn is not None and ((mode := current_mode()) is None or mode.light):
                value = x.value
                try:
                    out = fn(value)
                except WRONG_INPUT as error:
                    out = op.recover(error, (value,), NO_ATTRS)
                if not out.shape:
                    out = out[()]
                node = new()
                node.op, node.parents = op, (xn,)
                node.saved = ((value, out) if keep_out else (value,)) if keep_x else ((out,) if keep_out else ())
                node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
                if mode is not None:
                    mode.recorder.step(node, out, x)
                return attach(out, node)
            if xn is None and not aux and x.value.dtype.kind == "f" and current_mode() is None:
                try:
                    out = fn(x.value)
                except WRONG_INPUT as error:
                    out = op.recover(error, (x.value,), NO_ATTRS)
                return wrap(out if out.shape else out[()])
        elif type(x) is np.ndarray and not aux:
            try:
                return fn(x)                  # an array, in a sweep
            except WRONG_INPUT as error:
                return op.recover(error, (x,), NO_ATTRS)
        return apply(op, (x,), NO_ATTRS)
    return call


def _binary(op: Op) -> Callable[..., Any]:
    fn, new, wrapped, current_mode = op.fn, Node, object.__new__, current
    kept = op.kept
    keep_none, keep_inputs = kept == (), kept == (0, 1)
    left, right = op.picks(1), op.picks(2)

    def call(x: Any, y: Any) -> Any:
        if type(x) is Tensor and type(y) is Tensor:
            xn, yn = x.node, y.node
            if xn is not None and yn is not None and xn.dtype is yn.dtype \
                    and ((mode := current_mode()) is None or mode.light):
                xv, yv = x.value, y.value
                try:
                    out = fn(xv, yv)
                except WRONG_INPUT as error:
                    out = op.recover(error, (xv, yv), NO_ATTRS)
                node = new()
                node.op, node.parents = op, (xn, yn)
                if keep_none:
                    node.saved = ()
                elif keep_inputs:
                    node.saved = (xv, yv)
                else:
                    values = (xv, yv, out)
                    node.saved = tuple([values[k] for k in kept])
                node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
                if mode is not None:
                    mode.recorder.step(node, out, x, y)
                tensor = wrapped(Tensor)
                tensor.value, tensor.node = out, node
                return tensor
            xv, yv = x.value, y.value
            if xv.dtype is yv.dtype and xv.dtype.kind == "f" and current_mode() is None:
                if xn is not None:
                    return facing(xv, yv, (xn, None), left, 1, y)
                if yn is not None:
                    return facing(xv, yv, (None, yn), right, 0, x)
                try:
                    return wrap(fn(xv, yv))
                except WRONG_INPUT as error:
                    return wrap(op.recover(error, (xv, yv), NO_ATTRS))
        elif (type(y) is float or type(y) is int) and type(x) is Tensor:
            xn = x.node
            if xn is not None and xn.dtype.kind == "f" and ((mode := current_mode()) is None or mode.light):
                return beside(
                    x.value, y, (xn, None), left, 1, y, x, mode
                )  # a Python number: weak, as NumPy takes it too
            if xn is None and x.value.dtype.kind == "f" and current_mode() is None:
                try:
                    return wrap(fn(x.value, y))
                except WRONG_INPUT as error:
                    return wrap(op.recover(error, (x.value, y), NO_ATTRS))
        elif (type(x) is float or type(x) is int) and type(y) is Tensor:
            yn = y.node
            if yn is not None and yn.dtype.kind == "f" and ((mode := current_mode()) is None or mode.light):
                return beside(x, y.value, (None, yn), right, 0, x, y, mode)
        elif type(x) is np.ndarray and type(y) is np.ndarray:
            try:
                return fn(x, y)               # arrays, in a sweep
            except WRONG_INPUT as error:
                return op.recover(error, (x, y), NO_ATTRS)
        elif type(x) is Tensor and type(y) is np.ndarray and y.ndim:
            xn = x.node
            if xn is not None and xn.dtype is y.dtype and current_mode() is None:
                return facing(x.value, y, (xn, None), left, 1, y)
        elif type(y) is Tensor and type(x) is np.ndarray and x.ndim:
            yn = y.node
            if yn is not None and yn.dtype is x.dtype and current_mode() is None:
                return facing(x, y.value, (None, yn), right, 0, x)
        return apply(op, (x, y), NO_ATTRS)

    def facing(xv: Any, yv: Any, parents: Any, picks: tuple[int, ...], at: int, other: Any) -> Tensor:
        """The result of a tensor and an array, or a tensor without gradient, of its dtype."""
        try:
            out = fn(xv, yv)
        except WRONG_INPUT as error:
            out = op.recover(error, (xv, yv), NO_ATTRS)
        if not out.shape:
            out = out[()]
        node = new()
        node.op, node.parents = op, parents
        node.others = {at: leaf(other, Constant) if type(other) is np.ndarray else stub_of(other)}
        values = (xv, yv, out, None)
        node.saved = tuple([values[k] for k in picks])
        node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
        if type(other) is np.ndarray and at in picks and GUARD["on"]:
            guard_operand(node, picks.index(at), other)
        return attach(out, node)

    def beside(xv: Any, yv: Any, parents: Any, picks: tuple[int, ...], at: int, number: Any, tensor: Any,
               mode: Any) -> Tensor:
        """The result of a tensor and a Python number."""
        try:
            out = fn(xv, yv)
        except WRONG_INPUT as error:
            out = op.recover(error, (xv, yv), NO_ATTRS)
        node = new()
        node.op, node.parents, node.others = op, parents, {at: number}
        values = (xv, yv, out, None)
        node.saved = tuple([values[k] for k in picks])
        node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
        if mode is not None:
            mode.recorder.step(node, out, tensor)
        return attach(out, node)
    return call


def _first(op: Op) -> Callable[..., Any]:
    """Two inputs, of which the first alone has a rule: the other is labels, a mask, an index."""
    fn, current_mode, aux, picks = op.fn, current, bool(op.aux), op.picks(1)

    def call(x: Any, y: Any) -> Any:
        if type(x) is np.ndarray and type(y) is np.ndarray:
            try:
                out = fn(x, y)                # arrays, in a sweep
            except WRONG_INPUT as error:
                out = op.recover(error, (x, y), NO_ATTRS)
            return out[0] if aux else out
        if type(x) is Tensor and isinstance(y, Tensor) and x.node is not None and type(y) is not Shared \
                and ((mode := current_mode()) is None or mode.light):
            xv, yv = x.value, y.value
            if not op.floating or xv.dtype.kind == "f":
                try:
                    out = fn(xv, yv)
                except WRONG_INPUT as error:
                    out = op.recover(error, (xv, yv), NO_ATTRS)
                values = [xv, yv, *out, None] if aux else [xv, yv, out, None]
                out = values[2]
                node = Node()
                node.op, node.parents, node.others = op, (x.node, None), {1: stub_of(y)}
                node.saved = tuple([values[k] for k in picks])
                node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
                if mode is not None:
                    mode.recorder.step(node, out, x, y)
                return attach(out, node)
        return apply(op, (x, y), NO_ATTRS)
    return call


def _ternary(op: Op) -> Callable[..., Any]:
    fn, current_mode = op.fn, current

    def call(x: Any, y: Any, z: Any = None, **attrs: Any) -> Any:
        if isinstance(x, Tensor) and isinstance(y, Tensor) and isinstance(z, Tensor) \
                and ((mode := current_mode()) is None or mode.light):
            xn, yn, zn = x.node, y.node, z.node
            xv, yv, zv = x.value, y.value, z.value
            if yn is not None and zn is not None and xv.dtype is yv.dtype and yv.dtype is zv.dtype \
                    and type(x) is not Shared and type(y) is not Shared:
                try:
                    out = fn(xv, yv, zv)
                except WRONG_INPUT as error:
                    out = op.recover(error, (xv, yv, zv), NO_ATTRS)
                node = Node()
                node.op, node.parents = op, (xn, yn, zn)
                if xn is None:                # a batch of data, in the first layer
                    node.others = {0: stub_of(x)}
                values = (xv, yv, zv, out, None)
                node.saved = tuple([values[k] for k in op.picks(6 if xn is None else 7)])
                node.shape, node.dtype, node.index, node.extra = out.shape, yv.dtype, tick(), None
                if mode is not None:
                    mode.recorder.step(node, out, x, y, z)
                return attach(out, node)
        if attrs:
            given = dict(zip(op.inputs, (x, y, z)), **attrs)
            if len(given) > 3:
                raise TypeError(f"{op.name}() takes {', '.join(op.inputs)}; got {', '.join(given)}")
            x, y, z = (given[name] for name in op.inputs)
        return apply(op, (x, y, z), NO_ATTRS)
    return call


def _general(op: Op) -> Callable[..., Any]:
    order, inputs, defaults, variadic = op.order, op.inputs, op.defaults, op.variadic
    n, plain = len(op.inputs), op.order[:len(op.inputs)] == op.inputs
    required, fn = n - op.optional, op.fn
    known = set(op.attributes)
    needed, count, lone = known - set(defaults), len(known), op.lone
    single = n == 1 and not variadic and not op.aux

    def call(*args: Any, **attrs: Any) -> Any:
        if single and len(args) == 1:
            if isinstance(args[0], (np.ndarray, np.generic)):
                try:
                    return fn(args[0], **attrs)    # an array in a sweep
                except WRONG_INPUT:            # named or placed otherwise, or wrong: the long way says which
                    return apply(op, *_sorted_out(args, attrs))
            if lone and type(args[0]) is Tensor and current() is None and (
                    attrs.keys() == known or needed <= attrs.keys() <= known):
                for value in attrs.values():
                    if isinstance(value, Tensor):
                        break
                else:
                    if len(attrs) < count:
                        attrs = {**defaults, **attrs}
                    made = apply_alone(op, args[0], attrs)
                    if made is not None:
                        return made
        if len(args) == n and not variadic and (plain or n == 1):
            if not attrs and not needed:
                return apply(op, args, defaults)
            if needed <= attrs.keys() <= known:
                for value in attrs.values():
                    if isinstance(value, Tensor):
                        break
                else:
                    return apply(op, args, {**defaults, **attrs})
        return apply(op, *_sorted_out(args, attrs))

    def _sorted_out(args: Any, attrs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Inputs and attributes, however they were given: by position, by name, by NumPy's name."""
        if variadic:
            attrs = {ALIASES.get(k, k): v for k, v in attrs.items()}
        else:
            if len(args) > len(order):
                raise TypeError(
                    f"{op.name}() takes at most {len(order)} arguments ({', '.join(order)}); got {len(args)}"
                )
            named = dict(zip(order, args, strict=False))
            for key, given in attrs.items():
                name = key if key in order else ALIASES.get(key, key)
                if name not in order:
                    raise TypeError(f"{op.name}() got an unexpected argument {key!r}; it takes {', '.join(order)}")
                if name in named:
                    raise TypeError(f"{op.name}() got {key!r} twice")
                named[name] = given
            args = tuple([named.pop(name, None) for name in inputs])
            if any(a is None for a in args[:required]):
                raise TypeError(f"{op.name}() needs {', '.join(inputs[:required])}")
            attrs = named
        unknown = [k for k in attrs if k not in op.attributes]
        missing = [k for k in op.attributes if k not in attrs and k not in defaults]
        if unknown or missing:
            raise TypeError(
                f"{op.name}() got an unexpected argument {unknown[0]!r}; it takes {', '.join(order)}"
                if unknown
                else f"{op.name}() needs {', '.join(missing)}"
            )
        attrs = {k: v.value if isinstance(v, Tensor) and not hasattr(v, "level") else v for k, v in attrs.items()}
        return args, {**defaults, **attrs} if attrs else defaults
    return call
