"""Changes in place: `x[i] = v`, `x += y`, and the methods with a trailing underscore, as in PyTorch.

Memory is written to (so every view, detached tensor and NumPy array that shows it sees the change), and the history
follows: the tensor stands for the result from now on, and so do its views and the tensor it is a view of.  What an
earlier step has saved is not ours to judge here: a sweep that needs it and finds it changed raises (changes.py).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from . import ops
from .aliasing import bring_up_to_date, region, root_of, steps_to, views_of
from .call import apply
from .changes import keep_apart, note_change
from .errors import GradientError, ShapeError
from .methods import plain_index
from .modes import current, is_grad_enabled
from .node import Node, tick
from .op import Op
from .ops.composed import array_of
from .ops.writing import overwrite, setitem
from .tensor import ALONE, Tensor, extra_of

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def _in_place_of(op: Op, write: Callable[..., Any]) -> Op:
    """The op as it stands in the graph, its forward being a write into memory that is there already."""
    made = object.__new__(Op)
    made.__dict__.update(op.__dict__)
    made.fn, made.promotes = write, False
    return made


def _write(x: Any, value: Any, *, index: Any) -> Any:
    x[index] = value
    return x


_SET = _in_place_of(setitem.op, _write)
_OVERWRITTEN = _in_place_of(overwrite.op, lambda x, value, *, steps: x)


def _check(t: Tensor, what: str) -> None:
    """Whether a tensor may be changed in place just now; GradientError or ValueError that says why not."""
    if is_grad_enabled():
        root = root_of(t)
        if root.node is not None and root.node.op is None:
            name = f" {root.name!r}" if root.name else ""
            raise GradientError(
                f"{what}: {'a view of ' if root is not t else ''}a leaf{name} that requires a gradient cannot "
                "be changed in place while gradients are recorded, for its old value would have none; compute a new "
                "tensor (x = x + y), or change it inside `with autograd.no_grad():`"
            )
    if t.value.ndim and not t.value.flags.writeable:
        stretched = 0 in t.value.strides
        raise ValueError(
            f"{what}: " + ("several elements of this tensor, which was expanded, share one place in memory; change "
                           "x.clone()" if stretched else "the memory of this tensor is read-only; change x.clone()")
        )


def _alone(t: Tensor) -> bool:
    """Whether nothing else holds the array of a tensor: no view, no NumPy array, no graph that saved it."""
    held = t.value
    return held.base is None and getrefcount(held) <= ALONE + 1 and next(views_of(t), None) is None \
        and not hasattr(t, "view_of")


def _store(t: Tensor, value: Any, fresh: bool) -> None:
    """Let the memory of a tensor hold `value`, of its shape and dtype; a fresh array may take the place of the old."""
    if not t.value.ndim:
        t.value = value[()] if isinstance(value, np.ndarray) else value
    elif fresh and type(value) is np.ndarray and value.base is None and _alone(t):
        t.value = value
        return
    else:
        t.value[...] = value
        note_change(t.value)
    bring_up_to_date(t)


def take_history(t: Tensor, node: Node | None) -> None:
    """The history of a tensor that was changed in place, and of all that show its memory."""
    old, root = t.node, root_of(t)
    t.node = node
    if node is not None and old is not None and old.extra is not None and (old.extra.name or old.extra.retain):
        extra = extra_of(t)
        extra.name, extra.retain = old.extra.name, old.extra.retain
        if extra.retain:
            node.grad = None
    if root is not t:
        steps = tuple((op.name, attrs) for op, attrs in steps_to(t))
        made = apply(_OVERWRITTEN, (root, t), {"steps": steps})
        root.node = made.node
        if root.node is not None:
            root.node.op = overwrite.op
    for view in views_of(root):
        if view is not t and hasattr(view, "view_of"):
            seen = root
            if root.node is not None:
                for op, attrs in steps_to(view):
                    seen = apply(op, (seen,), attrs)
            view.node = seen.node


def assign(t: Tensor, result: Tensor, what: str, since: int) -> Tensor:
    """t takes value and history of `result`, which was computed from it after the time `since`."""
    if result is t:
        return t
    if result.shape != t.shape:
        raise ShapeError(f"{what}: in place, the result has to fit the tensor, {t.shape}; it has shape {result.shape}")
    if result.dtype != t.dtype:
        if _RANK[result.dtype.kind] > _RANK[t.dtype.kind]:
            raise TypeError(f"{what}: a result of dtype {result.dtype} cannot be stored in a tensor of {t.dtype}; "
                            f"convert it first, x = x.to({str(result.dtype)!r})")
        result = ops.cast(result, dtype=t.dtype)
    recorded = is_grad_enabled()
    if recorded and result.node is None and root_of(t).node is not None:
        return _set(t, Ellipsis, result)
    if recorded and t.value.ndim:
        keep_apart(result.node, t.value, since)
    node, value, stub = result.node, result.value, getattr(result, "stub", None)
    del result
    _store(t, value, fresh=True)
    if recorded and (node is not None or t.node is not None):
        take_history(t, node)
    _tell(t, stub)
    return t


def _tell(t: Tensor, stub: Any) -> None:
    """Let an open recording know which step a tensor stands for now, with or without a gradient."""
    mode = current()
    if mode is not None and mode.recorder is not None:
        if t.node is not None and hasattr(t, "stub"):
            del t.stub                        # of what it was before
        elif t.node is None and stub is not None:
            t.stub = stub
        mode.recorder.written(t)


def honour_inplace(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `input` with a flag `inplace`: where the flag is set, the input takes the result."""
    at = function.__code__.co_varnames.index("inplace")

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not (args[at] if len(args) > at else kwargs.get("inplace", False)):
            return function(*args, **kwargs)
        t = args[0] if args else kwargs["input"]
        if not isinstance(t, Tensor):
            raise TypeError(f"{function.__name__}: inplace=True needs a Tensor; got {type(t).__name__}")
        _check(t, function.__name__)
        since = tick()
        return assign(t, function(*args, **kwargs), function.__name__, since)
    return call


def _set(t: Tensor, index: Any, value: Any) -> Tensor:
    """t[index] = value, with its history."""
    if isinstance(value, Tensor):
        value = value if value.dtype == t.dtype else _to(t, value)
    else:
        value = np.asarray(array_of(value), t.dtype)
    mode = current()
    recorded = (mode is None or mode.grad) and (root_of(t).node is not None or
                                                 (isinstance(value, Tensor) and value.node is not None))
    if not t.value.ndim:                      # a scalar: NumPy has no memory of it to write to
        made: Any = setitem(t, index, value)
        t.value = made.value
        bring_up_to_date(t)
    else:
        given = value.value if isinstance(value, Tensor) else value
        watched = not _alone(t)
        if recorded or (mode is not None and mode.recorder is not None):
            made = apply(_SET, (t, value), {"index": index})
            if made.node is None and hasattr(made, "stub"):
                made.stub.op, t.stub = setitem.op, made.stub
        else:
            made = t
            try:
                t.value[index] = given
            except (ValueError, IndexError, TypeError) as error:
                raise setitem.op.complaint(error, (t.value, given), {"index": index}) from error
        if watched:
            note_change(_written(t.value, index))
            bring_up_to_date(t)
    if recorded:
        if made.node is not None:
            made.node.op = setitem.op
        take_history(t, made.node)
    _tell(t, getattr(made, "stub", None))
    return t


def _to(t: Tensor, value: Tensor) -> Tensor:
    if value.dtype.kind == "c" and t.dtype.kind != "c":
        raise TypeError(f"a complex value cannot be stored in a tensor of {t.dtype}; take its real part or abs()")
    return ops.cast(value, dtype=t.dtype)


def _written(array: Any, index: Any) -> Any:
    """The part of an array that an index names, or all of it where that is no view."""
    index = index if isinstance(index, tuple) else (index,)
    if all(
        isinstance(k, (int, np.integer, slice, type(None), type(Ellipsis))) and not isinstance(k, bool) for k in index
    ):
        return region(array, [(ops.linear.getitem.op, {"index": index})])
    return array


def set_at(self: Tensor, index: Any, value: Any) -> None:
    """x[index] = value: integers, slices, None, ..., integer and bool arrays or tensors; value broadcasts."""
    _check(self, "x[...] = value")
    index = tuple([plain_index(k) for k in index]) if isinstance(index, tuple) else plain_index(index)
    _set(self, index, value)


# -- the methods -----------------------------------------------------------------------------------------

IN_PLACE = [
    "abs", "absolute", "acos", "acosh", "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh",
    "baddbmm", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "conj_physical", "copysign", "cos", "cosh",
    "cumprod", "cumsum", "deg2rad", "digamma", "div", "divide", "eq", "erf", "erfc", "erfinv", "exp", "exp2",
    "expm1", "fix", "float_power", "floor", "floor_divide", "fmod", "frac", "gcd", "ge", "greater", "greater_equal",
    "gt", "heaviside", "hypot", "i0", "igamma", "igammac", "index_add", "index_copy", "index_fill", "index_put",
    "index_reduce", "lcm", "ldexp", "le", "lerp", "less", "less_equal", "lgamma", "log", "log10", "log1p", "log2",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "lt", "masked_fill", "masked_scatter",
    "mul", "multiply", "mvlgamma", "nan_to_num", "ne", "neg", "negative", "nextafter", "not_equal", "polygamma",
    "pow", "put", "rad2deg", "reciprocal", "relu", "remainder", "renorm", "round", "rsqrt", "scatter",
    "scatter_add", "scatter_reduce", "sgn", "sigmoid", "sign", "sin", "sinc", "sinh", "sqrt", "square", "sub",
    "subtract", "tan", "tanh", "tril", "triu", "true_divide", "trunc", "xlogy",
]


def _method(name: str) -> Callable[..., Tensor]:
    """The method `name` followed by an underscore."""
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _check(self, f"{name}_()")
        since = tick()
        return assign(self, getattr(type(self), name)(self, *args, **kwargs), f"{name}_()", since)
    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = (
        f"`{name}`, in place: the tensor, its views and what shares its memory take the result.  Returns it."
    )
    return method


def _operator(symbol: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self: Tensor, other: Any) -> Any:
        _check(self, f"x {symbol} y")
        since = tick()
        result = function(self, other)
        return result if result is NotImplemented else assign(self, result, f"x {symbol} y", since)
    return operator


for _name in IN_PLACE:
    if hasattr(Tensor, _name):
        setattr(Tensor, f"{_name}_", _method(_name))
for _name, _symbol in {"add": "+=", "sub": "-=", "mul": "*=", "truediv": "/=", "floordiv": "//=", "mod": "%=",
                       "pow": "**=", "and": "&=", "or": "|=", "xor": "^=", "lshift": "<<=", "rshift": ">>="}.items():
    setattr(Tensor, f"__i{_name}__", _operator(_symbol, getattr(Tensor, f"__{_name}__")))


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """The values of another tensor (broadcast, in the dtype of this one), and its history.  Returns this tensor."""
    _check(self, "copy_()")
    return _set(self, Ellipsis, src)


def fill_(self: Tensor, value: Any) -> Tensor:
    """One value everywhere: a number or a 0-d tensor.  Returns the tensor."""
    _check(self, "fill_()")
    if np.ndim(array_of(value)):
        raise ShapeError(
            f"fill_(): expected a number or a 0-d tensor; got shape {np.shape(array_of(value))}: use copy_()"
        )
    return _set(self, Ellipsis, value)


def zero_(self: Tensor) -> Tensor:
    """Zeros everywhere.  Returns the tensor."""
    _check(self, "zero_()")
    return _set(self, Ellipsis, 0)


def _reshaped(name: str) -> Callable[..., Tensor]:
    """A method that gives the tensor itself another shape; its memory stays."""
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _check(self, f"{name}_()")
        if next(views_of(self), None) is not None:
            raise GradientError(f"{name}_(): the tensor has views that somebody holds; use x = x.{name}(...)")
        made = getattr(ops, name)(self, *args, **kwargs)
        self.value = made.value
        if self.node is not None and is_grad_enabled():
            self.node = made.node
        if hasattr(self, "view_of") and hasattr(made, "view_of"):
            self.view_of = made.view_of
        return self
    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"`{name}`, in place.  Returns the tensor."
    return method


for _name in ("squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"):
    setattr(Tensor, f"{_name}_", _reshaped(_name))
def _part(name: str) -> property:
    """x.real and x.imag: views, which may be assigned to."""
    def take(self: Tensor) -> Tensor:
        return getattr(ops, name)(self)

    def put(self: Tensor, value: Any) -> None:
        step = getattr(value, "view_of", None)
        done = step is not None and step.op.name == name and root_of(value) is root_of(self)    # after x.real *= 2
        if not done or steps_to(value)[:-1] != steps_to(self):
            copy_(take(self), value)
    return property(take, put)


setattr(Tensor, "real", _part("real"))
setattr(Tensor, "imag", _part("imag"))
for _function in (copy_, fill_, zero_):
    setattr(Tensor, _function.__name__, _function)
setattr(Tensor, "__setitem__", set_at)
