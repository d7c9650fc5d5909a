"""Kernels on rows, some at a time, so that what one step writes the next still finds in the cache.

A row is a run of memory: all elements along the last axes of an array, together `n` of them.  `length` finds n where an
array is made of such rows.  Results are new arrays of the shape of x.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from .. import heap  # noqa: F401  (large arrays are what this is about)
from .axes import axes_of
from .linear import ones
from .portions import in_portions

PORTION = 1 << 18                             # elements that are worked on together: 1 MiB of float32
TILE = 1 << 13                                # and elements of a row that is repeated to meet many
LONG = 4096                                   # from here on sums go pairwise, for accuracy
LEAST, MOST = 1e-5, 1e25                      # between these a sum of exponentials has lost nothing in float32


def length(x: Any, dim: Any) -> int:
    """How many elements of x a reduction over `dim` takes from each row; 0 where they are not rows."""
    if x.dtype.kind != "f" or x.dtype.itemsize < 4 or not x.size or not x.ndim or not x.flags.c_contiguous:
        return 0
    axes = axes_of(dim, x.ndim)
    first = x.ndim - len(axes)
    return prod(x.shape[first:]) if axes and sorted(axes) == list(range(first, x.ndim)) else 0


def _table(x: Any, n: int, like: Any = None) -> Any:
    """x as a matrix of rows; in the dtype and the memory order of `like`."""
    return (x if like is None else np.ascontiguousarray(x, like.dtype)).reshape(-1, n)


def _each(function: Callable[[slice], Any], x: Any) -> list[Any]:
    """function(rows) for each portion of the rows of x."""
    with np.errstate(all="ignore"):
        if 256 < x.shape[1] < 8192:           # else NumPy writes the number of a row out beside each element of it
            np.setbufsize(256)                # which `errstate` takes back
        return in_portions(function, len(x), max(1, PORTION // x.shape[1]))


def _sums(x: Any, y: Any) -> Any:
    """Σ x y along the rows, as a column."""
    return (np.vecdot(x, y) if x.shape[1] < LONG else np.add.reduce(x * y, axis=1))[:, None]


# -- softmax ---------------------------------------------------------------------------------------------


def softmax(x: Any, n: int) -> Any:
    """e^x / Σ e^x.  The largest element is taken off first only where a sum overflowed or has lost small terms."""
    made = np.empty_like(x)
    x, out, one = _table(x, n), _table(made, n), ones(n, x.dtype)

    def portion(at: slice) -> None:
        e = np.exp(x[at], out=out[at])
        total = _sums(e, one)
        if not (total.min() > LEAST and total.max() < MOST):                # nor if one is NaN
            np.subtract(x[at], np.max(x[at], axis=1, keepdims=True), out=e)
            np.exp(e, out=e)
            total = _sums(e, one)
        e /= total
    _each(portion, x)
    return made


def softmax_backward(g: Any, y: Any, n: int) -> Any:
    """y (g - Σ g y)."""
    made = np.empty_like(y)
    g, y, out = _table(g, n, y), _table(y, n), _table(made, n)

    def portion(at: slice) -> None:
        d = np.subtract(g[at], _sums(g[at], y[at]), out=out[at])
        d *= y[at]
    _each(portion, y)
    return made


def log_softmax(x: Any, n: int) -> Any:
    """x - m - ln Σ e^(x - m),  m = max x."""
    made = np.empty_like(x)
    x, out, one = _table(x, n), _table(made, n), ones(n, x.dtype)

    def portion(at: slice) -> None:
        z = np.subtract(x[at], np.max(x[at], axis=1, keepdims=True), out=out[at])
        z -= np.log(_sums(np.exp(z), one))
    _each(portion, x)
    return made


def log_softmax_backward(g: Any, y: Any, n: int) -> Any:
    """g - e^y Σ g."""
    made = np.empty_like(y)
    g, y, out, one = _table(g, n, y), _table(y, n), _table(made, n), ones(n, y.dtype)

    def portion(at: slice) -> None:
        e = np.exp(y[at], out=out[at])
        e *= _sums(g[at], one)
        np.subtract(g[at], e, out=e)
    _each(portion, y)
    return made


# -- mean 0 and variance 1 -------------------------------------------------------------------------------


def standardize(x: Any, n: int, eps: float, weight: Any = None, bias: Any = None) -> tuple[Any, Any, Any]:
    """z weight + bias, z = (x - m) s, and s = 1 / √(var + ε), one for each row, whose mean m and variance they are."""
    normal, scales = np.empty_like(x), np.empty(x.size // n, x.dtype)
    made = normal if weight is None and bias is None else np.empty_like(x)
    x, z_all, out, one, size = _table(x, n), _table(normal, n), _table(made, n), ones(n, x.dtype), x.dtype.type(n)
    weight, bias = (None if v is None else _tile(v, x) for v in (weight, bias))

    def portion(at: slice) -> None:
        z = np.subtract(x[at], _sums(x[at], one) / size, out=z_all[at])
        scale = 1 / np.sqrt(_sums(z, z) / size + x.dtype.type(eps))
        z *= scale
        scales[at] = scale[:, 0]
        if weight is not None:
            z = _beside(np.multiply, z, weight, out[at])
        if bias is not None:
            _beside(np.add, z, bias, out[at])
    _each(portion, x)
    return made, normal, scales


def standardize_backward(g: Any, normal: Any, scale: Any, n: int, weight: Any = None) -> Any:
    """s (h - Σ h / n - z Σ h z / n),  h = g · weight."""
    made = np.empty_like(normal)
    g, normal, out, scale = _table(g, n, normal), _table(normal, n), _table(made, n), scale.reshape(-1, 1)
    one, size = ones(n, normal.dtype), normal.dtype.type(n)
    weight = None if weight is None else _tile(weight, normal)

    def portion(at: slice) -> None:
        z, d = normal[at], out[at]
        h = g[at] if weight is None else _beside(np.multiply, g[at], weight, d)
        slope, level = _sums(h, z) / size, _sums(h, one) / size
        np.subtract(h, z * slope, out=d)
        d -= level
        d *= scale[at]
    _each(portion, normal)
    return made


def column_products(x: Any, y: Any, n: int) -> Any:
    """Σ x y over the rows."""
    x, y = _table(x, n, y), _table(y, n)
    total = np.zeros(n, y.dtype)
    for part in _each(lambda at: np.einsum("ij,ij->j", x[at], y[at]), y):
        total += part
    return total


def _tile(row: Any, x: Any) -> Any:
    """A row, repeated for several rows of a large x: NumPy is quicker where longer runs of memory meet."""
    row, times = row.reshape(-1).astype(x.dtype, copy=False), min(len(x), TILE // row.size)
    return np.tile(row, times) if times > 1 and x.size > TILE else row


def _beside(ufunc: Any, x: Any, tile: Any, out: Any) -> Any:
    """out[i] = ufunc(x[i], row), `tile` being the row, once or many times over."""
    if tile.size == x.shape[1]:
        return ufunc(x, tile, out=out)
    runs, rest = x.size // tile.size * tile.size, x.size % tile.size
    flat, to = x.reshape(-1), out.reshape(-1)
    ufunc(flat[:runs].reshape(-1, tile.size), tile, out=to[:runs].reshape(-1, tile.size))
    if rest:
        ufunc(flat[runs:], tile[:rest], out=to[runs:])
    return out
