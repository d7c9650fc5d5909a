"""`jet`: Taylor series pushed through a function, all orders in one pass (Taylor-mode forward differentiation).

A value is the list of its Taylor coefficients.  A linear op acts on each; a product convolves them (Cauchy).  Any other
op y = f(x) obeys y' = f'(x) x', and its rule computes f'(x) x' from series that are one order shorter: order by order
that gives y.  So every op that has a derivative has all of them, and no rule is written twice.
Source: Griewank and Walther 2008, "Evaluating Derivatives", 2nd ed., chapter 13; Bettencourt, Johnson, Duvenaud 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

import numpy as np

from ..call import apply
from ..errors import ShapeError
from ..modes import enable_grad
from ..op import asks
from ..ops import cast
from ..sweep import fit, pull
from ..tensor import Tensor, wrap
from .calls import LaneError, check_callable
from .lanes import Lane, Level
from .levels import Opened
from .trees import LEAF, VALUES, describe, flatten, same, unflatten


class Series(Level):
    """One `jet` that is running."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(1, "same", single=True)           # what is drawn is a constant

    def run(self, op: Any, inputs: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """The op on series."""
        if any(hasattr(k, "level") for k in _parts(attrs.get("index"))):
            raise LaneError("jet: an index must not depend on what is expanded")
        terms = [x.terms if isinstance(x, Jet) and x.level is self else None for x in inputs]
        first = [x if t is None else t[0] for x, t in zip(inputs, terms, strict=True)]
        if not op.rules:
            return apply(op, first, attrs)    # steps and choices: constant but where they jump
        step = _Step(self, op, inputs, terms, attrs)
        if op.kind == "linear":
            return step.linear()
        if op.name in _PRODUCTS or op.kind == "bilinear":
            return step.product()
        return step.quotient() if op.name == "divide" else step.by_its_rule(apply(op, first, attrs))


class Jet(Lane):
    """A Tensor inside `jet`: what is seen of it is its value; behind that stand its Taylor coefficients."""

    __slots__ = ("terms",)
    terms: list[Any]

    def _refuse(self, what: str) -> Any:
        return LaneError(f"jet: {what} would lose the series of the tensor; use functions of autograd, and "
                         "autograd.where for a choice")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.terms[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value."""
        return self.terms[0].dtype

    @property
    def ndim(self) -> int:
        """The axes of the value."""
        return self.terms[0].ndim

    @property                                                                        # type: ignore[misc]
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        return any(t.requires_grad for t in self.terms)

    def detach(self) -> Tensor:
        """The same series without the history."""
        return jet_of([t.detach() for t in self.terms], self.level)

    def mapped(self, function: Callable[[Any], Any]) -> Jet:
        """The function on each coefficient."""
        return jet_of([function(t) for t in self.terms], self.level)

    def __bool__(self) -> bool:
        return bool(self.terms[0])            # a choice by value is one by the point of expansion

    def __setitem__(self, index: Any, value: Any) -> None:
        raise self._refuse("assigning into it")

    def __repr__(self) -> str:
        return f"jet({self.terms!r})"


def jet_of(terms: list[Any], level: Series) -> Jet:
    """The Tensor with these Taylor coefficients."""
    made = object.__new__(Jet)
    made.node, made.terms, made.level, made.inner = None, terms, level, None
    return made


def _parts(index: Any) -> Any:
    return index if isinstance(index, tuple) else (index,)


_PRODUCTS = {"multiply"}                      # declared elementwise


class _Step:
    """One op on series: its inputs as lists of coefficients, None for what is constant."""

    def __init__(self, level: Series, op: Any, inputs: Sequence[Any], terms: list[Any], attrs: dict[str, Any]) -> None:
        self.level, self.op, self.inputs, self.terms, self.attrs = level, op, inputs, terms, attrs
        self.orders = min(len(t) for t in terms if t is not None)

    def _apply(self, xs: Sequence[Any]) -> Any:
        return apply(self.op, xs, self.attrs)

    def linear(self) -> Jet:
        """Each coefficient by itself; a constant counts for the first alone."""
        made = []
        for k in range(self.orders):
            xs = []
            for j, (x, t) in enumerate(zip(self.inputs, self.terms, strict=True)):
                index = not self.op.variadic and self.op.inputs[j] not in self.op.rules
                xs.append(t[0 if index else k] if t is not None else x if k == 0 or index or x is None else _zeros(x))
            made.append(self._apply(xs))
        return jet_of(made, self.level)

    def product(self) -> Jet:
        """Of the k-th order all products whose orders add up to k."""
        made = []
        for k in range(self.orders):
            total = None
            for orders in _splits(k, [t is not None for t in self.terms]):
                part = self._apply([x if t is None else t[i]
                                    for x, t, i in zip(self.inputs, self.terms, orders, strict=True)])
                total = part if total is None else total + part
            made.append(total)
        return jet_of(made, self.level)

    def quotient(self) -> Jet:
        """q = x / y from  x = q y:  q_k = (x_k - Σ_{j<k} q_j y_{k-j}) / y_0."""
        (x, y), (xs, ys) = self.inputs, self.terms
        made: list[Any] = []
        for k in range(self.orders):
            rest = x if k == 0 and xs is None else None if xs is None else xs[k]
            for j in range(k if ys is not None else 0):
                part = made[j] * ys[k - j]
                rest = -part if rest is None else rest - part
            made.append(self._apply([rest, y if ys is None else ys[0]]) if rest is not None else made[0] * 0)
        return jet_of(made, self.level)

    def by_its_rule(self, first: Any) -> Jet:
        """Order by order from  out' = Σ f'(x) x'."""
        op = self.op
        asked = {name for rule in op.rules.values() for name in asks(rule)}
        again = "out" in asked or any(name in asked for name in op.aux)
        made = [first]
        for orders in range(1, self.orders) if again else (self.orders - 1,) if self.orders > 1 else ():
            slope = self._slope(made, orders)
            made += [slope[k] * (1 / (k + 1)) for k in range(len(made) - 1, orders)]
        return jet_of(made, self.level)

    def _slope(self, out: list[Any], orders: int) -> list[Any]:
        """f'(x) x' to so many orders, from x and as many orders of the result as there are."""
        op, node = self.op, self._node()
        xs = [x if t is None else jet_of(t[:orders], self.level) for x, t in zip(self.inputs, self.terms, strict=True)]
        saved = self._saved([*xs, jet_of(out[:orders], self.level)], node)
        total: list[Any] = [None] * orders
        for i, t in enumerate(self.terms):
            if t is None or (not op.variadic and op.inputs[i] not in op.rules):
                continue
            change = [t[k + 1] * (k + 1) for k in range(orders)]
            if op.kind == "elementwise":
                parts = _terms(op.pull(i, jet_of(change, self.level), saved, node), orders)
            else:
                parts = self._transposed(i, change, saved, node, orders)
            total = [b if a is None else a if b is None else a + b for a, b in zip(total, parts, strict=True)]
        zeros = np.zeros(node.shape, node.dtype)[()]
        return [wrap(zeros) if t is None else t if t.shape == node.shape else t + zeros for t in total]

    def _node(self) -> Any:
        """A record of the op at the value alone: shapes, dtypes and attributes as its rules want them."""
        leaves = []
        for x, t in zip(self.inputs, self.terms, strict=True):
            value = _one(x if t is None else t[0])
            leaves.append(value.requires_grad_() if t is not None and value.dtype.kind in "fc" else value)
        with enable_grad():
            return self._apply(leaves).node

    def _saved(self, made: list[Any], node: Any) -> list[Any]:
        """What the rules ask for, as series."""
        op = self.op
        if op.variadic:
            return [*(made[:-1] if 0 in op.kept else ()), *(made[-1:] if 1 in op.kept else ())]
        saved = [made[k] if k < len(made) else kept for k, kept in zip(op.kept, node.saved, strict=True)]
        names = op.kept_names
        for name, afresh in op.aux.items():
            if name in names:
                if name in asks(afresh, 0) and any(t is not None and hasattr(t[0], "level") for t in self.terms):
                    raise LaneError(f"jet: what {op.name} keeps differs between the lanes of a vmap around it: put the "
                                    "vmap inside the function that is expanded")
                at = {n: saved[names.index(n)] if n in names else self.attrs[n] for n in asks(afresh, 0)}
                saved[names.index(name)] = afresh(**at)
        return saved

    def _transposed(self, i: int, change: list[Any], saved: list[Any], node: Any, orders: int) -> list[Any]:
        """Along the i-th input of an op with a rule for the reverse sweep only: that rule's series, each pulled."""
        g = Tensor(np.zeros(node.shape, node.dtype), requires_grad=True)
        with enable_grad():
            back = self.op.pull(i, g, saved, node)
            shape = self.terms[i][0].shape
            if back.shape != shape:
                back = fit(back, shape)
        backs = _terms(back, orders)
        parts: list[Any] = []
        for k in range(orders):
            total = None
            for j in range(k + 1):
                if backs[j] is None or backs[j].node is None:
                    continue
                part, = pull([backs[j]], [change[k - j]], [g], record=True)
                if part is not None:
                    total = part if total is None else total + part
            parts.append(total)
        return parts


def _one(x: Any) -> Any:
    """The value alone: of lanes that of one, of series the first."""
    while hasattr(x, "level"):
        x = x.terms[0] if isinstance(x, Jet) else x.inner[0]
    return x.detach() if isinstance(x, Tensor) else x


def _zeros(x: Any) -> Any:
    return np.zeros(np.shape(x) if not isinstance(x, Tensor) else x.shape, getattr(x, "dtype", None))[()]


def _terms(x: Any, orders: int) -> list[Any]:
    """The coefficients of a result; of a constant the first alone."""
    if isinstance(x, Jet):
        return [*x.terms[:orders], *[None] * (orders - len(x.terms))]
    return [x if isinstance(x, Tensor) else wrap(np.asarray(x)[()]), *[None] * (orders - 1)]


def _splits(k: int, expanded: Sequence[bool]) -> list[list[int]]:
    """All ways to share k orders among the factors that have any."""
    if not expanded:
        return [[]] if k == 0 else []
    return [[i, *rest] for i in (range(k + 1) if expanded[0] else (0,)) for rest in _splits(k - i, expanded[1:])]


def jet(f: Callable[..., Any], primals: Sequence[Any], series: Sequence[Sequence[Any]]) -> tuple[Any, Any]:
    """(f(x), [d/dt f, d²/dt² f, ...]) along the curve x(t) with x(0) = primals and the derivatives in `series`.

        y, (y1, y2, y3) = jet(f, (x,), ((x1, x2, x3),))         # x1 = dx/dt, x2 = d²x/dt², ... at t = 0

    One list of derivatives for each primal, all of one length, each built like it.  Of order K the cost grows as K²
    (nested derivatives: 2^K).  Several results: a tree, in each place of the second a list.
    The result is differentiable in turn; inside f no derivative is taken.  As jax.experimental.jet.
    """
    check_callable("jet", f)
    if len(primals) != len(series):
        raise ShapeError(f"jet: {len(primals)} primals and {len(series)} series; there must be one for each")
    lengths = {len(s) for s in series}
    if len(lengths) != 1:
        raise ShapeError(f"jet: all series must have one length; got {sorted(lengths)}")
    level = Series()
    tensors, args = False, []
    for primal, orders in zip(primals, series, strict=True):
        leaves, structure = flatten(primal)
        columns = [leaves]
        for one in orders:
            found, other = flatten(one)
            if not same(structure, other):
                raise ShapeError(f"jet: a derivative must be built like its primal, {describe(structure)}; "
                                 f"got {describe(other)}")
            columns.append(found)
        tensors = tensors or any(isinstance(leaf, Tensor) for column in columns for leaf in column)
        args.append(unflatten(structure, [_expanded(list(row), level) for row in zip(*columns, strict=True)]))
    with Opened(level):
        value = f(*args)
        leaves, structure = flatten(value)
        if value is None or not all(isinstance(leaf, VALUES) for leaf in leaves):
            raise TypeError(f"jet: the function must return numbers or tensors; it returned {type(value).__name__}")
        rows = [leaf.terms if getattr(leaf, "level", None) is level else [leaf] for leaf in leaves]
    return _handed_back(rows, structure, lengths.pop(), tensors)


def _expanded(row: list[Any], level: Series) -> Any:
    """A primal and its derivatives as a series."""
    if not isinstance(row[0], VALUES):
        return row[0]
    first = row[0] if isinstance(row[0], Tensor) else wrap(np.asarray(row[0])[()])
    if first.dtype.kind not in "fc":
        first = cast(first, dtype=np.float64)
    terms: list[Any] = [first]
    for k, d in enumerate(row[1:], 1):
        d = d if isinstance(d, Tensor) else wrap(np.asarray(d, first.dtype)[()])
        if d.shape != first.shape:
            raise ShapeError(f"jet: a derivative must have the shape of its primal, {first.shape}; got {d.shape}")
        terms.append(d * (1 / factorial(k)))
    return jet_of(terms, level)


def _handed_back(rows: list[list[Any]], structure: Any, orders: int, tensors: bool) -> tuple[Any, Any]:
    """Value and derivatives, in the caller's terms."""
    values, derivatives = [], []
    for terms in rows:
        first = terms[0] if isinstance(terms[0], Tensor) else wrap(np.asarray(terms[0])[()])
        zeros = wrap(np.zeros(first.shape, first.dtype if first.dtype.kind in "fc" else np.float64)[()])
        made = [first, *[t * factorial(k) for k, t in enumerate(terms[1:], 1)], *[zeros] * (orders + 1 - len(terms))]
        if not tensors:
            made = [t.value if type(t) is Tensor and t.node is None else t for t in made]
        values.append(made[0])
        derivatives.append(made[1:])
    if structure is LEAF:
        return values[0], derivatives[0]
    return unflatten(structure, values), unflatten(structure, derivatives)

