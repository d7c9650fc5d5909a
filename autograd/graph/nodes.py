"""The lines of a graph: what is known of one step or leaf, with nothing left in it that can be called or changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

NOTHING: Mapping[str, Any] = MappingProxyType({})
BARS = 16                                           # of a histogram
_SIXTEENTHS = np.arange(BARS + 1, dtype=np.float64)
KINDS = ("input", "parameter", "buffer", "constant", "op")


class Operand(NamedTuple):
    """An attribute whose value is computed in the graph: that of inputs[at] of its node, behind the op's own inputs."""

    at: int


class Summary(NamedTuple):
    """What is kept of an array: enough to colour it, to describe it and to find what is wrong with it."""

    rms: float                      # root of the mean square, of the finite elements
    mean: float
    std: float
    min: float
    max: float
    zeros: float                    # fraction of exact zeros
    nans: int
    infs: int
    size: int
    item: Any                       # the number itself, when there is only one
    hist: tuple[int, ...]           # counts in 16 equal bins from lo to hi; () when there is nothing to count
    lo: float
    hi: float


class GraphNode(NamedTuple):
    """One step or leaf.  Equal to another where all fields are, NaN equal to NaN."""

    id: int                         # its position in Graph.nodes
    kind: str                       # one of KINDS: all but "op" are leaves
    op: str                         # name of the op; "" for a leaf
    category: str                   # "linear" "elementwise" "activation" "norm" "reduction" "shape" "index" "loss" ...
    symbol: str                     # a short sign for some ops ("+", "×", "Σ")
    name: str                       # given by the user, the argument of an input, or the path of a parameter
    shape: tuple[int, ...]
    dtype: str
    inputs: tuple[int, ...]         # ids, in the order of the arguments
    attrs: Mapping[str, Any]        # read-only: what the op was called with, where it is not the default
    module: str                     # dotted path of the module it ran in
    line: str                       # "train.py:12", where recorded
    requires_grad: bool
    value: Summary | None
    grad: Summary | None
    grad_state: str                 # "known" | "pending" | "none"
    formula: tuple[str, ...]        # the rule of each input, as text
    saved: tuple[str, ...]          # what it keeps for the backward pass
    saved_bytes: int
    nbytes: int
    flops: int
    data: Any = None                # of a leaf, where at hand: a read-only array, a NumPy scalar or a Python number
    absent: tuple[int, ...] = ()    # arguments left out before the last of `inputs`
    keeps: tuple[int, ...] = ()     # of what is saved, that are values: positions in `inputs`, -1 for the own result
    marks: tuple[str, ...] = ()     # "hook" for each one registered, "retain_grad", "detach train.py:7", "no_grad ..."

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    def __ne__(self, other: object) -> bool:
        return not same(self, other)

    def __hash__(self) -> int:
        return hash((self.id, self.kind, self.op, self.name, self.shape, self.dtype, self.inputs))


def same(a: Any, b: Any) -> bool:
    """Whether two records say the same: of one type, equal, NaN equal to NaN, arrays bit by bit."""
    if a is b:
        return True
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return bool(a == b)


@cache
def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name of a dtype (NumPy puts it together anew each time)."""
    return dtype.name


def frozen(value: Any) -> Any:
    """The value as a graph may hold it: an array as a read-only copy in its memory order, a number as it is."""
    if not isinstance(value, np.ndarray):
        return value
    if value.ndim == 0:
        # NumPy's own float64 number is a weak operand, as Python's: it was one before it became an array of no axes
        return value.item() if value.dtype in (np.float64, np.complex128) else value[()]
    if value.base is not None or value.flags.writeable:
        value = value.copy(order="K")
        value.flags.writeable = False
    return value


def kept_attribute(v: Any, operands: Mapping[int, Operand] | None = None) -> Any:
    """An attribute that nobody can change any more; `operands` stand for the arrays of these ids."""
    if isinstance(v, tuple):
        return tuple([kept_attribute(k, operands) for k in v])
    if isinstance(v, list):
        return [kept_attribute(k, operands) for k in v]
    if operands and id(v) in operands:
        return operands[id(v)]
    if isinstance(v, type) and issubclass(v, (np.generic, int, float, complex)):
        return np.dtype(v)
    return frozen(v) if isinstance(v, np.ndarray) and v.ndim else v


def summary(value: Any) -> Summary:
    """The summary of an array, a NumPy scalar or a Python number."""
    if not isinstance(value, np.ndarray):
        item = value.item() if isinstance(value, np.generic) else value
        if not isinstance(item, complex) and math.isfinite(item):
            number = float(item)
            return Summary(abs(number), number, 0.0, number, number, float(number == 0), 0, 0, 1, item, (), number,
                           number)
    a = np.asarray(value)
    size = int(a.size)
    item = a.reshape(-1)[0].item() if size == 1 else None
    if isinstance(item, complex):
        item = abs(item)
    x = np.abs(a).reshape(-1).astype(np.float64) if a.dtype.kind == "c" else a.reshape(-1).astype(np.float64)
    nans = infs = 0
    finite = np.isfinite(x)
    if not finite.all():
        nans = int(np.count_nonzero(np.isnan(x)))
        infs = x.size - int(np.count_nonzero(finite)) - nans
        x = x[finite]
    if not x.size:
        return Summary(math.nan, math.nan, math.nan, math.nan, math.nan, 0.0, nans, infs, size, item, (), 0.0, 0.0)
    lo, hi = float(x.min()), float(x.max())
    scale = max(abs(lo), abs(hi)) or 1.0
    hist: tuple[int, ...] = ()
    if size > 1 and hi > lo and math.isfinite(hi - lo):
        hist = _bars(x, lo, hi)
    y = x / scale
    mean = float(np.add.reduce(y)) / y.size
    away = y - mean
    return Summary(math.sqrt(float(np.add.reduce(y * y)) / y.size) * scale, mean * scale,
                   math.sqrt(float(np.add.reduce(away * away)) / y.size) * scale, lo, hi,
                   int(np.count_nonzero(x == 0)) / x.size, nans, infs, size, item, hist, lo, hi)


def _bars(x: np.ndarray, lo: float, hi: float) -> tuple[int, ...]:
    """np.histogram(x, 16, (lo, hi))[0], in a third of its time for few numbers; () for so narrow a range that no 16
    numbers lie in it."""
    edges = _SIXTEENTHS * ((hi - lo) / BARS) + lo
    edges[-1] = hi
    if not (edges[1:] > edges[:-1]).all():
        return ()
    place = ((x - lo) / (hi - lo) * BARS).astype(np.intp)
    np.minimum(place, BARS - 1, out=place)
    place -= x < edges[place]                       # what rounding put on the wrong side of an edge
    place += (x >= edges[place + 1]) & (place != BARS - 1)
    return tuple(np.bincount(place, minlength=BARS).tolist())


def arrays_in(v: Any) -> Iterator[Any]:
    """The arrays and NumPy scalars in an attribute."""
    if isinstance(v, (np.ndarray, np.generic)):
        yield v
    elif isinstance(v, (tuple, list)):
        for k in v:
            yield from arrays_in(k)


def operands_in(v: Any) -> Iterator[Operand]:
    """The operands that an attribute, or all attributes, are computed from."""
    if isinstance(v, Operand):
        yield v
    elif isinstance(v, (tuple, list)):
        for k in v:
            yield from operands_in(k)
    elif isinstance(v, Mapping):
        for k in v.values():
            yield from operands_in(k)


def filled(v: Any, inputs: Sequence[Any]) -> Any:
    """An attribute with the values of its operands."""
    if isinstance(v, Operand):
        return inputs[v.at]
    if isinstance(v, tuple):
        return tuple([filled(k, inputs) for k in v])
    return [filled(k, inputs) for k in v] if isinstance(v, list) else v


def leaf_node(position: int, kind: str, name: str, data: Any, dtype: str = "", shape: tuple[int, ...] = ()
              ) -> GraphNode:
    """A leaf through which no gradient flows, known by its data."""
    if isinstance(data, (np.ndarray, np.generic)):
        dtype, shape = dtype_name(data.dtype), data.shape
    elif data is not None:                          # a Python number, weaker than any array
        dtype = np.asarray(data).dtype.name
    size = 0 if not isinstance(data, (np.ndarray, np.generic)) else int(data.nbytes)
    return GraphNode(position, kind, "", "", "", name, shape, dtype, (), NOTHING, "", "", False,
                     None if data is None else summary(data), None, "none", (), (), 0, size, 0, data)


def is_weak(node: GraphNode) -> bool:
    """Whether the leaf is a Python number, which takes the dtype of what it meets."""
    return node.kind == "constant" and isinstance(node.data, (bool, int, float, complex)) and not isinstance(
        node.data, np.generic)
