"""Kernels on rows, some at a time, so that what one step writes the next still finds in the cache.

A row is a run of memory: all elements along the last axes of an array, together `n` of them.  `length` finds n where an
array is made of such rows.  Results are new arrays of the shape of x.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .. import heap  # noqa: F401  (large arrays are what this is about)
from .axes import axes_of
from .linear import ones

PORTION = 1 << 17                             # elements that are worked on together: 512 KiB of float32
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


def _portions(x: Any) -> list[slice]:
    rows = max(1, PORTION // x.shape[1])
    return [slice(start, start + rows) for start in range(0, len(x), rows)]


def _short_buffers(n: int) -> None:
    """With them NumPy does not write the number of a row out beside each element of it.  `errstate` takes them back."""
    if 256 < n < 8192:
        np.setbufsize(256)


def _sums(x: Any, y: Any) -> Any:
    """Σ x y along the rows, as a column."""
    return (np.vecdot(x, y) if x.shape[1] < LONG else np.add.reduce(x * y, axis=1))[:, None]


# -- softmax ---------------------------------------------------------------------------------------------


def softmax(x: Any, n: int) -> Any:
    """e^x / Σ e^x.  The largest element is taken off first only where a sum overflowed or has lost small terms."""
    made = np.empty_like(x)
    x, out, one = _table(x, n), _table(made, n), ones(n, x.dtype)
    with np.errstate(all="ignore"):
        _short_buffers(n)
        for at in _portions(x):
            e = np.exp(x[at], out=out[at])
            total = _sums(e, one)
            if not (total.min() > LEAST and total.max() < MOST):            # nor if one is NaN
                np.subtract(x[at], np.max(x[at], axis=1, keepdims=True), out=e)
                np.exp(e, out=e)
                total = _sums(e, one)
            e /= total
    return made


def softmax_backward(g: Any, y: Any, n: int) -> Any:
    """y (g - Σ g y)."""
    made = np.empty_like(y)
    g, y, out = _table(g, n, y), _table(y, n), _table(made, n)
    with np.errstate(all="ignore"):
        _short_buffers(n)
        for at in _portions(y):
            d = np.subtract(g[at], _sums(g[at], y[at]), out=out[at])
            d *= y[at]
    return made


def log_softmax(x: Any, n: int) -> Any:
    """x - m - ln Σ e^(x - m),  m = max x."""
    made = np.empty_like(x)
    x, out, one = _table(x, n), _table(made, n), ones(n, x.dtype)
    parts = _portions(x)
    spare = np.empty_like(x[parts[0]])
    with np.errstate(all="ignore"):
        _short_buffers(n)
        for at in parts:
            z = np.subtract(x[at], np.max(x[at], axis=1, keepdims=True), out=out[at])
            z -= np.log(_sums(np.exp(z, out=spare[:len(z)]), one))
    return made


def log_softmax_backward(g: Any, y: Any, n: int) -> Any:
    """g - e^y Σ g."""
    made = np.empty_like(y)
    g, y, out, one = _table(g, n, y), _table(y, n), _table(made, n), ones(n, y.dtype)
    with np.errstate(all="ignore"):
        _short_buffers(n)
        for at in _portions(y):
            e = np.exp(y[at], out=out[at])
            e *= _sums(g[at], one)
            np.subtract(g[at], e, out=e)
    return made


# -- mean 0 and variance 1 -------------------------------------------------------------------------------


def standardize(x: Any, n: int, eps: float, weight: Any = None, bias: Any = None) -> tuple[Any, Any, Any]:
    """z weight + bias, z = (x - m) s, and s = 1 / √(var + ε), one for each row, whose mean m and variance they are."""
    normal, scales = np.empty_like(x), np.empty(x.size // n, x.dtype)
    made = normal if weight is None and bias is None else np.empty_like(x)
    x, z_all, out, one, size = _table(x, n), _table(normal, n), _table(made, n), ones(n, x.dtype), x.dtype.type(n)
    parts = _portions(x)
    weight, bias = (None if v is None else _tiled(v, x[parts[0]]) for v in (weight, bias))
    with np.errstate(all="ignore"):
        _short_buffers(n)
        for at in parts:
            z = np.subtract(x[at], _sums(x[at], one) / size, out=z_all[at])
            scale = 1 / np.sqrt(_sums(z, z) / size + x.dtype.type(eps))
            z *= scale
            scales[at] = scale[:, 0]
            if weight is not None:
                z = np.multiply(z, weight[:len(z)], out=out[at])
            if bias is not None:
                np.add(z, bias[:len(z)], out=out[at])
    return made, normal, scales


def standardize_backward(g: Any, normal: Any, scale: Any, n: int, weight: Any = None) -> Any:
    """s (h - Σ h / n - z Σ h z / n),  h = g · weight."""
    made = np.empty_like(normal)
    g, normal, out, scale = _table(g, n, normal), _table(normal, n), _table(made, n), scale.reshape(-1, 1)
    one, size, parts = ones(n, normal.dtype), normal.dtype.type(n), _portions(normal)
    spare = np.empty_like(normal[parts[0]])
    weight = None if weight is None else _tiled(weight, spare)
    with np.errstate(all="ignore"):
        _short_buffers(n)
        for at in parts:
            z, d = normal[at], out[at]
            h = g[at] if weight is None else np.multiply(g[at], weight[:len(d)], out=d)
            slope, level = _sums(h, z) / size, _sums(h, one) / size
            np.subtract(h, np.multiply(z, slope, out=spare[:len(d)]), out=d)
            d -= level
            d *= scale[at]
    return made


def column_products(x: Any, y: Any, n: int) -> Any:
    """Σ x y over the rows."""
    x, y = _table(x, n, y), _table(y, n)
    total, parts = np.zeros(n, y.dtype), _portions(y)
    spare = np.empty_like(y[parts[0]])
    with np.errstate(all="ignore"):
        for at in parts:
            both = np.multiply(x[at], y[at], out=spare[:len(y[at])])
            total += ones(len(both), y.dtype) @ both
    return total


def _tiled(row: Any, x: Any) -> Any:
    """A row repeated for each row of x: where whole runs of memory meet, NumPy needs half the time."""
    return np.tile(row.reshape(-1), (len(x), 1)).astype(x.dtype, copy=False)
