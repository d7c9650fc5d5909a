"""How an op runs on all lanes of a `vmap` at once: elementwise, along axes, over leading axes, or lane by lane.

The lanes are axis 0 of what a rule gets.  NumPy's own batching serves: operands are given axes so that the lanes meet,
and axes are named from the back, where one more in front does not show.  Rules run ops, so what they do is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..call import apply
from ..errors import ShapeError
from ..ops import cast, expand, reshape, stack
from ..ops.axes import axis_of
from ..promotion import get_default_dtype, result_dtype
from ..tensor import Tensor, wrap

Rule = Callable[["Operands"], Any]
RULES: dict[str, Rule] = {}


class LaneByLane(Exception):
    """A rule does not cover this form of the op."""


class Operands:
    """What an op was given: where `on` is true, a Tensor with the lanes along axis 0."""

    __slots__ = ("attrs", "on", "op", "size", "xs")

    def __init__(self, op: Any, xs: Sequence[Any], on: Sequence[bool], attrs: dict[str, Any], size: int) -> None:
        self.op, self.xs, self.on, self.attrs, self.size = op, list(xs), list(on), attrs, size

    def ndim(self, j: int = 0) -> int:
        """The axes of one lane of the j-th operand."""
        return np.ndim(self.xs[j]) if not isinstance(self.xs[j], Tensor) else self.xs[j].ndim - self.on[j]

    def shape(self, j: int = 0) -> tuple[int, ...]:
        """The shape of one lane of the j-th operand."""
        return tuple(np.shape(self.xs[j]) if not isinstance(self.xs[j], Tensor) else self.xs[j].shape[self.on[j]:])

    def full(self, j: int) -> Any:
        """The j-th operand with the lanes along axis 0, also where all are the same."""
        x = self.xs[j]
        if self.on[j] or x is None:
            return x
        x = x if isinstance(x, Tensor) else wrap(np.asarray(x)[()])
        return expand(x, shape=(self.size, *x.shape))

    def run(self, *xs: Any, **attrs: Any) -> Any:
        """The op on other operands, with these attributes changed."""
        return apply(self.op, xs, {**self.attrs, **attrs} if attrs else self.attrs)


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Declare how the ops of these names run on all lanes."""
    def declare(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function
    return declare


def batched(op: Any, inputs: Sequence[Any], attrs: dict[str, Any], level: Any, kind: Any) -> Tensor:
    """The op on all lanes of a level: a Tensor with the lanes along axis 0."""
    on = [isinstance(x, kind) and x.level is level for x in inputs]
    given = Operands(op, [x.inner if is_on else x for x, is_on in zip(inputs, on, strict=True)], on, attrs, level.size)
    found = RULES.get(op.name) or (elementwise if op.kind == "elementwise" else None)
    try:
        if found is not None and (level.size or op.kind == "elementwise"):
            try:
                return found(given)
            except LaneByLane:
                pass
        return lane_by_lane(given, level)
    except (ShapeError, ValueError, IndexError):
        if level.size:                        # said of one lane, as the function sees it
            _one(given, level, 0)
        raise


def _one(given: Operands, level: Any, k: int) -> Any:
    """The op on the k-th lane alone."""
    attrs = given.attrs
    if "index" in attrs:
        whole = attrs["index"]
        parts = [_index_of(i.inner[k]) if getattr(i, "level", None) is level else i
                 for i in (whole if isinstance(whole, tuple) else (whole,))]
        attrs = {**attrs, "index": tuple(parts) if isinstance(whole, tuple) else parts[0]}
    return apply(given.op, tuple([x[k] if is_on else x for x, is_on in zip(given.xs, given.on, strict=True)]), attrs)


def _index_of(x: Any) -> Any:
    return x if hasattr(x, "level") else np.asarray(x.value)


def lane_by_lane(given: Operands, level: Any) -> Any:
    """Any op at all: on one lane after the other, and the results stacked."""
    if not given.size:                        # of no lane the shape is still that of a lane
        zeros = [wrap(np.ones(given.shape(j), x.dtype)[()]) if is_on else x
                 for j, (x, is_on) in enumerate(zip(given.xs, given.on, strict=True))]
        made = apply(given.op, tuple(zeros), given.attrs)
        return wrap(np.empty((0, *made.shape), made.dtype))
    made = [_one(given, level, k) for k in range(given.size)]
    shapes = {tuple(m.shape) for m in made}
    if len(shapes) > 1:
        raise ShapeError(f"vmap: {given.op.name} gives lanes of different shapes, {sorted(shapes)}; all must have one: "
                         "use autograd.where with a mask in place of a selection")
    return stack(made)


# -- elementwise -----------------------------------------------------------------------------------------


def elementwise(o: Operands) -> Any:
    """Operands brought to one number of axes, so that lane meets lane."""
    if len(o.xs) == 1:
        return o.run(o.xs[0])
    n = max(o.ndim(j) for j, x in enumerate(o.xs) if x is not None)
    xs = []
    for j, (x, on) in enumerate(zip(_promoted(o), o.on, strict=True)):
        if on and o.ndim(j) < n:
            x = reshape(x, shape=(o.size, *(1,) * (n - o.ndim(j)), *x.shape[1:]))
        xs.append(x)
    return o.run(*xs)


def _promoted(o: Operands) -> list[Any]:
    """The operands in the dtype that one lane of them would have: a 0-d one is weak, and all its lanes have an axis."""
    fit = [j for j in (range(len(o.xs)) if o.op.variadic else o.op.promotable) if o.xs[j] is not None]
    if not o.op.promotes or not any(o.on[j] and not o.ndim(j) for j in fit):
        return o.xs
    if len({x.dtype for x in (o.xs[j] for j in fit) if hasattr(x, "dtype")}) < 2:
        return o.xs
    dtype = result_dtype([np.empty((0,) * o.ndim(j), o.xs[j].dtype)[()] if o.ndim(j) else o.xs[j].dtype.type(0)
                          if hasattr(o.xs[j], "dtype") else o.xs[j] for j in fit])
    if o.op.floating and dtype.kind in "biu":
        dtype = get_default_dtype()
    xs = list(o.xs)
    for j in fit:
        if hasattr(xs[j], "dtype") and xs[j].dtype != dtype:
            xs[j] = cast(xs[j], dtype=dtype) if isinstance(xs[j], Tensor) else xs[j].astype(dtype)
    return xs


_ELEMENTWISE = """
    angle bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor cast clone eq
    floor_divide ge gt heaviside identity imag isfinite isinf isnan isneginf isposinf isreal le logical_and logical_not
    logical_or logical_xor lt ne real signbit
"""
RULES.update(dict.fromkeys(_ELEMENTWISE.split(), elementwise))      # by what they do, though not declared so


# -- over leading axes -----------------------------------------------------------------------------------


@rule("tril", "triu", "view_as_complex", "view_as_real", "cholesky", "qr_complete", "qr_q", "qr_r", "matrix_exp",
      "exclusive_cumprod", "pinv", "svd_left", "svd_right", "svd_values", "boundless_inverse", "cofactor",
      "cofactor_change", "det", "inv", "logabsdet", "sign_of_det", "eig_values", "eig_vectors", "eigh_values",
      "eigh_vectors", "lu_packed", "drawn", "cosine_transform", "cosine_transform_back")
def leading(o: Operands) -> Any:
    """What works on the last axes and takes any number in front."""
    made = o.attrs.get("made")
    if made is None:
        return o.run(*[o.full(j) for j in range(len(o.xs))])
    parts = [_lanes_of(m) for m in (made if isinstance(made, tuple) else (made,))]
    if any(p is None for p in parts):
        raise LaneByLane
    made = (type(made)(*parts) if hasattr(made, "_fields") else tuple(parts)) if isinstance(made, tuple) else parts[0]
    return o.run(*[o.full(j) for j in range(len(o.xs))], made=made)


def _lanes_of(m: Any) -> Any:
    """A precomputed part of all lanes as an array; None where it is not of lanes alone."""
    inner = getattr(m, "inner", None)
    return inner.value if type(inner) is Tensor else inner


@rule("solve")
def _solve(o: Operands) -> Any:
    n = max(o.ndim(0), o.ndim(1))
    xs = []
    for j in range(2):
        x = o.full(j)
        xs.append(reshape(x, shape=(o.size, *(1,) * (n - o.ndim(j)), *x.shape[1:])) if o.ndim(j) < n else x)
    return o.run(*xs)


# -- along axes ------------------------------------------------------------------------------------------


def from_the_back(dim: Any, n: int) -> Any:
    """Axes counted from the back: one more in front does not change them."""
    if isinstance(dim, (tuple, list)):
        return tuple([d if d < 0 else d - n for d in map(int, dim)])
    return int(dim) if dim < 0 else int(dim) - n


@rule("sum", "mean", "amax", "amin", "var", "std", "prod", "logsumexp", "norm", "power_norm", "all", "any", "argmax",
      "argmin", "count_nonzero")
def reduction(o: Operands) -> Any:
    """Over axes, or over all of them."""
    x, n = o.xs[0], o.ndim()
    keep = {"keepdim": False} if "keepdim" in o.attrs else {}
    if n == 0:
        axis_of(o.attrs["dim"], 0)            # an axis that a scalar does not have is refused
        return o.run(reshape(x, shape=(o.size, 1)), dim=-1, **keep)
    axis = axis_of(o.attrs["dim"], n)
    if axis is not None:
        return o.run(x, dim=from_the_back(axis, n))
    out = o.run(reshape(x, shape=(o.size, int(np.prod(x.shape[1:])))), dim=-1, **keep)
    return reshape(out, shape=(o.size, *(1,) * n)) if o.attrs.get("keepdim") else out


@rule("cumsum", "cumprod", "logcumsumexp", "softmax", "log_softmax", "softmax_backward", "log_softmax_backward",
      "argsort")
def along(o: Operands) -> Any:
    """Along one axis, which stays."""
    xs, n = [o.full(j) for j in range(len(o.xs))], o.ndim()
    if n == 0:
        return reshape(o.run(*[reshape(x, shape=(o.size, 1)) for x in xs], dim=-1), shape=(o.size,))
    return o.run(*xs, dim=from_the_back(o.attrs["dim"], n))


@rule("fourier_transform")
def _fourier(o: Operands) -> Any:
    return o.run(o.xs[0], dims=from_the_back(o.attrs["dims"], o.ndim()))


@rule("real_fourier_transform", "inverse_real_fourier_transform")
def _one_axis(o: Operands) -> Any:
    return o.run(o.xs[0], dim=from_the_back(o.attrs["dim"], o.ndim()))
