"""The operators and methods of Tensor: each is the op of that name, put on the class."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from . import ops
from .call import NUMBERS
from .errors import GradientError, ShapeError
from .ops.compose import array_of
from .sweep import pull
from .tensor import Tensor, attach, wrap

for _symbol, _op in {"add": ops.add, "sub": ops.subtract, "mul": ops.multiply, "truediv": ops.divide, "pow": ops.power,
                     "mod": ops.remainder, "floordiv": ops.floor_divide, "matmul": ops.matmul, "and": ops.bitwise_and,
                     "or": ops.bitwise_or, "xor": ops.bitwise_xor}.items():
    setattr(Tensor, f"__{_symbol}__", _op)                               # x + y: the op itself, nothing in between
    setattr(Tensor, f"__r{_symbol}__", lambda y, x, _op=_op: _op(x, y))
    _op.op.reflected = f"__r{_symbol}__"
for _symbol, _op in {"lt": ops.lt, "le": ops.le, "gt": ops.gt, "ge": ops.ge, "neg": ops.negative, "abs": ops.abs,
                     "invert": ops.bitwise_not}.items():
    setattr(Tensor, f"__{_symbol}__", _op)
setattr(Tensor, "__pos__", lambda x: x)
setattr(Tensor, "__eq__", lambda x, y: ops.eq(x, y) if isinstance(y, NUMBERS) else NotImplemented)
setattr(Tensor, "__ne__", lambda x, y: ops.ne(x, y) if isinstance(y, NUMBERS) else NotImplemented)

METHODS = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "bmm",
    "ceil",
    "chunk",
    "clamp",
    "clip",
    "clone",
    "conj",
    "cos",
    "cosh",
    "count_nonzero",
    "cumsum",
    "diagonal",
    "div",
    "divide",
    "dot",
    "eq",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "flatten",
    "floor",
    "floor_divide",
    "gather",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "index_select",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "lerp",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "lt",
    "masked_fill",
    "masked_select",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mm",
    "moveaxis",
    "movedim",
    "mul",
    "multiply",
    "mv",
    "ne",
    "neg",
    "negative",
    "nonzero",
    "norm",
    "not_equal",
    "outer",
    "pow",
    "prod",
    "ravel",
    "reciprocal",
    "relu",
    "remainder",
    "roll",
    "round",
    "rsqrt",
    "scatter_add",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "std",
    "sub",
    "subtract",
    "sum",
    "swapaxes",
    "swapdims",
    "take",
    "take_along_dim",
    "tan",
    "tanh",
    "topk",
    "transpose",
    "tril",
    "triu",
    "true_divide",
    "trunc",
    "unbind",
    "unflatten",
    "unsqueeze",
    "var",
]
for _name in METHODS:
    setattr(Tensor, _name, getattr(ops, _name))


def method(function: Any) -> Any:
    """Put a function on Tensor under its own name."""
    setattr(Tensor, function.__name__, function)
    return function


def _sizes(sizes: tuple[Any, ...]) -> Any:
    """x.reshape(2, 3) and x.reshape((2, 3)) alike; entries may be 0-d tensors."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple(int(n) for n in sizes)


@method
def reshape(self: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape:  x.reshape(2, 3) or x.reshape((2, 3)); one entry may be -1."""
    return ops.reshape(self, shape=_sizes(shape))


@method
def view(self: Tensor, *shape: Any) -> Any:
    """As `reshape`; given a dtype, the same bytes read as another type (no gradient)."""
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list, Tensor, np.integer)):
        return wrap(self.value.view(shape[0]))
    return ops.reshape(self, shape=_sizes(shape))


@method
def permute(self: Tensor, *dims: Any) -> Tensor:
    """The axes in another order:  x.permute(1, 0) or x.permute((1, 0))."""
    return ops.permute(self, dims=_sizes(dims))


@method
def expand(self: Tensor, *shape: Any) -> Tensor:
    """Broadcast to a shape without copying; -1 keeps an axis as it is."""
    return ops.expand(self, shape=_sizes(shape))


@method
def broadcast_to(self: Tensor, shape: Any) -> Tensor:
    """Broadcast to a shape without copying."""
    return ops.expand(self, shape=shape)


@method
def repeat(self: Tensor, *repeats: Any) -> Tensor:
    """Repeated so many times along each axis."""
    return ops.tile(self, _sizes(repeats))


@method
def tile(self: Tensor, *dims: Any) -> Tensor:
    """Repeated so many times along each axis."""
    return ops.tile(self, _sizes(dims))


@method
def flip(self: Tensor, *dims: Any) -> Tensor:
    """The elements in reverse order along the axes given."""
    return ops.flip(self, dims=_sizes(dims))


@method
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """In the shape of another tensor."""
    return ops.reshape(self, shape=other.shape)


@method
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Broadcast to the shape of another tensor."""
    return ops.expand(self, shape=other.shape)


@method
def contiguous(self: Tensor) -> Tensor:
    """The tensor itself: memory order is never visible here."""
    return self


@method
def where(self: Tensor, condition: Any, other: Any) -> Tensor:
    """The tensor where the condition holds, `other` elsewhere."""
    return ops.where(condition, self, other)


@method
def to(self: Tensor, dtype: Any) -> Tensor:
    """In another dtype (or that of another tensor); itself if it has it already.  The device "cpu" is accepted."""
    if isinstance(dtype, str) and dtype.partition(":")[0] == "cpu":
        return self
    dtype = dtype.dtype if isinstance(dtype, Tensor) else np.dtype(dtype)
    return self if dtype == self.dtype else ops.cast(self, dtype=dtype)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """In the dtype of another tensor."""
    return self.to(other.dtype)


setattr(Tensor, "astype", to)
setattr(Tensor, "type", to)
for _name, _dtype in {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64",
                      "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool"}.items():
    setattr(Tensor, _name, lambda self, _dtype=_dtype: self.to(_dtype))

setattr(Tensor, "T", property(lambda x: ops.permute(x, dims=tuple(range(x.ndim - 1, -1, -1)))))
setattr(Tensor, "mT", property(lambda x: ops.transpose(x, dim0=-1, dim1=-2)))


@method
def __getitem__(self: Tensor, index: Any) -> Tensor:
    """x[index]: integers, slices (negative steps too), None, ..., integer and bool arrays or tensors."""
    if isinstance(index, tuple):
        index = tuple(_plain(k) for k in index)
    else:
        index = _plain(index)
    return ops.linear.getitem(self, index=index)


def _plain(k: Any) -> Any:
    if isinstance(k, Tensor):
        if k.dtype.kind not in "iub":
            raise IndexError(f"a tensor used as an index must hold integers or bools; got {k.dtype}")
        return np.asarray(k.value)
    return np.asarray(k) if isinstance(k, list) else k


@method
def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    """x[index] = value, for tensors that take no part in a graph."""
    if self.node is not None or (isinstance(value, Tensor) and value.node is not None):
        raise GradientError("assigning into a tensor that takes part in a graph would make saved values wrong; "
                            "use autograd.where(mask, value, x), or fill the tensor before requires_grad_()")
    held, owner = self.value, self.value.base if self.value.ndim else None
    if self.value.ndim and (getrefcount(held) > 3 or (owner is not None and getrefcount(owner) > 3)):
        raise GradientError(
            "assigning into memory that something else holds too (a view, a detached tensor, a NumPy array, a "
            "graph that saved it) would change what they hold: index once, x[0, 1] = v, or write into x.clone()"
        )
    index = tuple(_plain(k) for k in index) if isinstance(index, tuple) else _plain(index)
    if self.value.ndim == 0:
        self.value = np.asarray(array_of(value), self.dtype).reshape(())[()]
    else:
        self.value[index] = array_of(value)


@method
def backward(self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
             inputs: Any = None) -> None:
    """Add the derivative of this tensor to `.grad` of every leaf it was computed from (or of `inputs`).

    A 0-d (or one-element) tensor needs no `gradient`; any other needs the derivative of the quantity of interest with
    respect to this tensor, of its shape.  What was saved for the derivatives is freed, unless `retain_graph`.
    With `create_graph` the gradients are recorded themselves and can be differentiated again.

    Raises GradientError without history, for a missing gradient and for a second walk through a freed graph; the
    `.grad` of every leaf is then as it was before.
    """
    node = self.node
    if node is None:
        raise GradientError(
            f"backward() on a tensor without history (shape {self.shape}, {self.dtype}): nothing it was "
            "computed from has requires_grad=True, or it was computed inside no_grad() or detached"
        )
    if gradient is None:
        if node.shape:
            if self.value.size != 1:
                raise GradientError(f"backward() needs a scalar; this tensor has shape {self.shape}: reduce it first, "
                                    "e.g. loss.mean().backward(), or pass gradient= of that shape")
            seed: Any = np.ones(node.shape, node.dtype)
        else:
            seed = node.dtype.type(1)
    else:
        given = gradient if isinstance(gradient, Tensor) else Tensor(gradient)
        if given.shape != self.shape:
            raise ShapeError(
                f"backward(): the gradient must have the shape of the tensor, {self.shape}; got {given.shape}"
            )
        gradient = given if given.dtype == self.dtype else given.to(self.dtype)
        seed = gradient.value
    if create_graph:
        seed = gradient if gradient is not None else wrap(seed)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        found = pull([self], [seed], record=create_graph, retain=retain)
    else:
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not inputs or any(t.node is None for t in inputs):
            raise GradientError("backward(): inputs must be one or more tensors that require gradients; got "
                                + ("one that does not" if inputs else "none"))
        grads = pull([self], [seed], inputs, record=create_graph, retain=retain)
        found = {t.node: g for t, g in zip(inputs, grads, strict=True) if g is not None}
        del grads
    del seed                                  # so that a gradient nobody else holds is taken, not copied
    while found:
        node, g = found.popitem()
        before = getattr(node, "grad", None)
        if before is not None:
            node.grad = before + g if create_graph else wrap(before.value + g)
        elif create_graph:
            node.grad = wrap(np.array(g.value)[()]) if g.node is None else attach(g.value, g.node)
        elif type(g) is np.ndarray:
            node.grad = wrap(g.copy() if g.base is not None or getrefcount(g) > 2 else g) if g.ndim else wrap(g[()])
        else:
            node.grad = wrap(g)


def gradients(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
              create_graph: bool = False, allow_unused: bool = False) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of outputs with respect to the inputs, returned and not accumulated.

    As torch.autograd.grad.  Raises GradientError for an input that the outputs do not depend on, unless `allow_unused`.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [None] * len(outputs) if grad_outputs is None else \
        [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    seeds = []
    for out, seed in zip(outputs, given, strict=True):
        if out.node is None:
            raise GradientError("gradients(): an output does not require a gradient and has no history")
        if seed is None:
            if out.value.size != 1:
                raise GradientError(f"gradients() needs scalar outputs; got shape {out.shape}: pass grad_outputs")
            seed = wrap(np.ones(out.shape, out.dtype)[()])
        elif seed.shape != out.shape:
            raise ShapeError(
                f"gradients(): grad_outputs must have the shape of the output, {out.shape}; got {seed.shape}"
            )
        seeds.append(seed if create_graph else seed.value)
    for k, t in enumerate(inputs):
        if t.node is None:
            raise GradientError(
                f"gradients(): input {k} does not require a gradient; call requires_grad_() before computing"
            )
    retain = create_graph if retain_graph is None else retain_graph
    found = pull(outputs, seeds, inputs, record=create_graph, retain=retain)
    if not allow_unused and any(g is None for g in found):
        k = [g is None for g in found].index(True)
        raise GradientError(
            f"gradients(): the outputs do not depend on input {k}; pass allow_unused=True to get None for it"
        )
    return tuple(None if g is None else g if isinstance(g, Tensor) else wrap(g) for g in found)
