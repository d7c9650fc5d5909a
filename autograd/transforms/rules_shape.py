"""How ops of shape and index run on all lanes of a `vmap`: axes shifted by the one in front."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops import concatenate, expand, permute, reshape
from ..ops.axes import axis_of
from ..ops.linear import getitem
from ..tensor import Tensor, wrap
from .rules import LaneByLane, Operands, from_the_back, rule


def _shift(dim: int, n: int) -> int:
    """An axis counted from the front, behind that of the lanes."""
    return int(dim) % max(n, 1) + 1


@rule("reshape")
def _reshape(o: Operands) -> Any:
    shape, count = o.attrs["shape"], int(np.prod(o.shape()))
    shape = [int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,))]
    if -1 in shape:                           # it is the lane's elements that are counted, also if there are none
        rest = -int(np.prod(shape))
        if shape.count(-1) > 1 or rest <= 0 or count % rest:
            raise LaneByLane
        shape[shape.index(-1)] = count // rest
    if int(np.prod(shape)) != count:
        raise LaneByLane
    return o.run(o.xs[0], shape=(o.size, *shape))


@rule("permute")
def _permute(o: Operands) -> Any:
    return o.run(o.xs[0], dims=(0, *[_shift(d, o.ndim()) for d in o.attrs["dims"]]))


@rule("transpose")
def _transpose(o: Operands) -> Any:
    n = o.ndim()
    return o.run(o.xs[0], dim0=_shift(o.attrs["dim0"], n), dim1=_shift(o.attrs["dim1"], n)) if n else o.xs[0]


@rule("expand")
def _expand(o: Operands) -> Any:
    shape, n = o.attrs["shape"], o.ndim()
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    lead = len(shape) - n
    if lead < 0 or -1 in shape[:lead]:
        raise LaneByLane
    x = reshape(o.xs[0], shape=(o.size, *(1,) * lead, *o.shape())) if lead else o.xs[0]
    return o.run(x, shape=(o.size, *shape))


@rule("spread")
def _spread(o: Operands) -> Any:
    shape, n = tuple(o.attrs["shape"]), len(o.attrs["shape"])
    axis = axis_of(o.attrs["dim"], n)
    if axis is not None:
        return o.run(o.xs[0], shape=(o.size, *shape), dim=from_the_back(axis, n))
    if not n:
        return o.xs[0]
    x = o.xs[0] if o.ndim() == n else reshape(o.xs[0], shape=(o.size, *(1,) * n))
    return o.run(x, shape=(o.size, *shape), dim=tuple(range(-n, 0)), keepdim=True)


@rule("flip")
def _flip(o: Operands) -> Any:
    dims, n = o.attrs["dims"], o.ndim()
    return o.run(o.xs[0], dims=from_the_back(tuple(range(n)) if dims is None else dims, n)) if n else o.xs[0]


@rule("concatenate")
def _concatenate(o: Operands) -> Any:
    return concatenate(*[o.full(j) for j in range(len(o.xs))], dim=from_the_back(o.attrs["dim"], o.ndim()))


@rule("zero_pad")
def _zero_pad(o: Operands) -> Any:
    return o.run(o.xs[0], padding=((0, 0), *o.attrs["padding"]))


@rule("diagonal")
def _diagonal(o: Operands) -> Any:
    n = o.ndim()
    return o.run(o.xs[0], dim1=_shift(o.attrs["dim1"], n), dim2=_shift(o.attrs["dim2"], n))


@rule("spread_diagonal")
def _spread_diagonal(o: Operands) -> Any:
    n = len(o.attrs["shape"])
    return o.run(o.xs[0], shape=(o.size, *o.attrs["shape"]), dim1=_shift(o.attrs["dim1"], n),
                 dim2=_shift(o.attrs["dim2"], n))


@rule("windows_along")
def _windows_along(o: Operands) -> Any:
    return o.run(o.xs[0], dim=_shift(o.attrs["dim"], o.ndim()))


@rule("fold_windows")
def _fold_windows(o: Operands) -> Any:
    shape = tuple(o.attrs["shape"])
    return o.run(o.xs[0], shape=(o.size, *shape), dim=_shift(o.attrs["dim"], len(shape)))


@rule("column_sums")
def _column_sums(o: Operands) -> Any:
    return o.xs[0].sum(1)


# -- elements by position --------------------------------------------------------------------------------


@rule("gather")
def _gather(o: Operands) -> Any:
    if not o.ndim(0) or o.ndim(0) != o.ndim(1):
        raise LaneByLane
    return o.run(o.full(0), o.full(1), dim=_shift(o.attrs["dim"], o.ndim(0)))


@rule("place_along")
def _place_along(o: Operands) -> Any:
    shape = tuple(o.attrs["shape"])
    if not shape or len(shape) != o.ndim(1):
        raise LaneByLane
    return o.run(o.full(0), o.full(1), dim=_shift(o.attrs["dim"], len(shape)), shape=(o.size, *shape))


@rule("read_along", "add_along")
def _read_along(o: Operands) -> Any:
    if o.on[1]:
        raise LaneByLane
    return o.run(o.xs[0], o.xs[1], dim=_shift(o.attrs["dim"], o.ndim()))


class Place:
    """An index into one lane, as an index into all of them.

    `turn` says how to order the axes of what that index finds so that the lanes come first, or is None if they do.
    """

    __slots__ = ("index", "turn")

    def __init__(self, index: Any, ndim: int, size: int, lanes_in_x: bool) -> None:
        parts = list(index) if isinstance(index, tuple) else [index]
        own = [i for i, k in enumerate(parts) if hasattr(k, "level")]
        if any(parts[i].dtype.kind not in "iu" for i in own):
            raise LaneByLane                  # a mask picks another number of elements in each lane
        parts = self._written_out(parts, ndim)
        arrays = [i for i, k in enumerate(parts) if not isinstance(k, (slice, type(None)))]
        advanced = any(not isinstance(parts[i], (int, np.integer)) for i in arrays)
        apart = advanced and arrays[-1] - arrays[0] + 1 != len(arrays)
        many = self._axes([parts[i] for i in arrays]) if advanced else 0
        total = sum(isinstance(k, (slice, type(None))) for k in parts) + many
        first = 0 if apart or not advanced else arrays[0]      # where the axes that arrays make come to stand
        lanes = [hasattr(k, "level") for k in parts]
        self.turn: tuple[int, ...] | None = None
        if not any(lanes):
            self.index: Any = (slice(None), *parts)
            if apart:                         # they come first, and the lanes behind them
                self.turn = (many, *range(many), *range(many + 1, total + 1))
            return
        wide = [self._with_lanes(k, many, size) if i in arrays else k for i, k in enumerate(parts)]
        if not lanes_in_x:                    # the arrays bring the lanes: as the first of the axes they make
            self.index = tuple(wide)
            self.turn = (first, *[i for i in range(total + 1) if i != first]) if first else None
            return
        rows = np.arange(size).reshape(size, *(1,) * many)
        self.index = (rows, *wide)
        if first:                             # (lanes, what arrays make, slices): the slices before them go back
            behind = many + 1 + first
            self.turn = (0, *range(many + 1, behind), *range(1, many + 1), *range(behind, total + 1))

    @staticmethod
    def _written_out(parts: list[Any], ndim: int) -> list[Any]:
        """With the ellipsis, and what follows the last part, as slices; masks as positions."""
        found: list[Any] = []
        for k in parts:
            if isinstance(k, (bool, np.bool_)):
                raise LaneByLane
            if not hasattr(k, "level") and not isinstance(k, (slice, type(None), type(Ellipsis), int, np.integer)):
                k = np.asarray(k)
                if k.dtype.kind == "b":
                    found.extend(np.nonzero(k))
                    continue
            found.append(k)
        used = sum(k is not None and k is not Ellipsis for k in found)
        rest = [slice(None)] * (ndim - used)
        at = next((i for i, k in enumerate(found) if k is Ellipsis), None)
        return [*found, *rest] if at is None else [*found[:at], *rest, *found[at + 1:]]

    @staticmethod
    def _axes(arrays: list[Any]) -> int:
        """How many axes integer arrays make together, in one lane."""
        return max(k.ndim if hasattr(k, "level") else np.ndim(k) for k in arrays)

    @staticmethod
    def _with_lanes(k: Any, many: int, size: int) -> Any:
        if not hasattr(k, "level"):
            return k
        inner = reshape(k.inner, shape=(size, *(1,) * (many - k.ndim), *k.shape))
        return inner if hasattr(inner, "level") else np.asarray(inner.value)


@rule("getitem")
def _getitem(o: Operands) -> Any:
    x, on = o.xs[0], o.on[0]
    x = x if isinstance(x, Tensor) else wrap(np.asarray(x)[()])
    place = Place(o.attrs["index"], x.ndim - on, o.size, on)
    found = getitem(x, index=place.index)
    return found if place.turn is None else permute(found, dims=place.turn)


@rule("put")
def _put(o: Operands) -> Any:
    shape = tuple(o.attrs["shape"])
    place = Place(o.attrs["index"], len(shape), o.size, True)
    return o.run(_laid_out(o.full(0), place, (o.size, *shape)), index=place.index, shape=(o.size, *shape))


@rule("put_all")
def _put_all(o: Operands) -> Any:
    shape = tuple(o.attrs["shape"])
    places = [Place(index, len(shape), o.size, True) for index in o.attrs["indices"]]
    xs = [_laid_out(o.full(j), place, (o.size, *shape)) for j, place in enumerate(places)]
    return o.run(*xs, indices=tuple([place.index for place in places]), shape=(o.size, *shape))


@rule("setitem")
def _setitem(o: Operands) -> Any:
    shape = o.shape(0)
    place = Place(o.attrs["index"], len(shape), o.size, True)
    return o.run(o.full(0), _laid_out(o.full(1), place, (o.size, *shape)), index=place.index)


def _laid_out(x: Any, place: Place, shape: tuple[int, ...]) -> Any:
    """Values with the lanes in front as the index of a place takes them."""
    like = getitem(wrap(np.broadcast_to(np.zeros((), bool), shape)), index=place.index).shape
    turned = like if place.turn is None else tuple([like[d] for d in place.turn])
    if x.shape != turned:
        own = x.shape[1:]
        while len(own) >= len(turned) and own[0] == 1:      # NumPy lets a value have more axes than its place, of 1
            own = own[1:]
        x = expand(reshape(x, shape=(shape[0], *(1,) * (len(turned) - 1 - len(own)), *own)), shape=turned)
    return x if place.turn is None else permute(x, dims=tuple(np.argsort(place.turn).tolist()))


@rule("assign")
def _assign(o: Operands) -> Any:
    shape, positions = o.shape(0), np.asarray(o.attrs["positions"])
    count = int(np.prod(shape))
    lanes = np.arange(o.size).reshape(-1, *(1,) * positions.ndim) * count
    return o.run(o.full(0), o.full(1), positions=lanes + positions)


@rule("place_rows")
def _place_rows(o: Operands) -> Any:
    x, index = o.full(0), o.full(1)
    out = o.run(reshape(x, shape=(-1, x.shape[-1])), reshape(index, shape=(-1, index.shape[-1])))
    return reshape(out, shape=(o.size, -1, out.shape[-1]))
