"""Functions of one variable given by points or coefficients: interpolation, polynomials, convolution."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import elementwise as ew
from . import linear as li
from .axes import axis_in
from .composed import array_of, tensor_if
from .conv import conv1d, conv2d
from .matrix_functions import vander as ascending
from .operands import of_arrays, operand
from .shape import flatten


@of_arrays(3)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """The polyline through (xp, fp) at x; beyond its ends `left` and `right`, by default the end values.

    xp ascending, xp and fp (n,).  Recorded for x, xp and fp; at a corner the slope is that of the segment on its right.
    """
    xp, fp = operand(xp), operand(fp)
    if xp.ndim != 1 or tuple(fp.shape) != tuple(xp.shape) or not xp.shape[0]:
        raise ShapeError(f"interp: expected xp and fp of one length, at least 1; got {tuple(xp.shape)} and "
                         f"{tuple(fp.shape)}")
    if period is not None:
        if period == 0:
            raise ValueError("interp: expected a period other than 0; got 0")
        period, left, right = abs(period), None, None
        x, xp = ew.remainder(x, period), ew.remainder(xp, period)
        order = np.argsort(array_of(xp), kind="stable")
        xp, fp = xp[order], fp[order]
        xp = li.concatenate(xp[-1:] - period, xp, xp[:1] + period, dim=0)
        fp = li.concatenate(fp[-1:], fp, fp[:1], dim=0)
    at, places, n = array_of(x), array_of(xp), xp.shape[0]
    if n == 1:
        out = ew.add(ew.multiply(x, 0), fp[0])
    else:
        k = np.clip(np.searchsorted(places, at, "right") - 1, 0, n - 2)
        x0, y0 = li.getitem(xp, index=k), li.getitem(fp, index=k)
        width = ew.subtract(li.getitem(xp, index=k + 1), x0)
        share = ew.divide(ew.subtract(x, x0), ew.where(array_of(width) == 0, 1, width))
        out = ew.add(y0, ew.multiply(share, ew.subtract(li.getitem(fp, index=k + 1), y0)))
    out = ew.where(at < places[0], fp[0] if left is None else left, out)
    out = ew.where(at > places[-1], fp[-1] if right is None else right, out)
    return ew.where(at == places[-1], fp[-1], out) if n > 1 else out


@of_arrays(2)
def polyval(p: Any, x: Any) -> Any:
    """The polynomial of coefficients p, the highest power first, at x:  p[0] x^(n-1) + ... + p[n-1]  (Horner)."""
    if p.ndim != 1:
        raise ShapeError(f"polyval: expected a vector of coefficients; got shape {tuple(p.shape)}")
    out = ew.multiply(x, 0)
    for k in range(p.shape[0]):
        out = ew.add(ew.multiply(out, x), p[k])
    return out


@of_arrays()
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Vandermonde matrix of a vector:  V[i, j] = x[i]^(N-1-j), or x[i]^j if increasing."""
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a vector; got shape {tuple(x.shape)}")
    columns = x.shape[0] if N is None else int(N)
    if columns == 0:
        return li.getitem(li.reshape(x, shape=(-1, 1)), index=(slice(None), slice(0, 0)))
    made = ascending(x, N=columns)
    return made if increasing else li.flip(made, dims=-1)


def _lengths(who: str, a: Any, v: Any, mode: str) -> tuple[int, int]:
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(f"{who}: expected two vectors, not empty; got {tuple(a.shape)} and {tuple(v.shape)}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{who}: mode must be 'full', 'same' or 'valid'; got {mode!r}")
    return a.shape[0], v.shape[0]


def _full(a: Any, kernel: Any, n: int, m: int) -> Any:
    """All positions in which the two overlap, the kernel as it is (cross-correlation)."""
    out = conv1d(li.reshape(a, shape=(1, 1, n)), li.reshape(kernel, shape=(1, 1, m)), padding=m - 1)
    return li.reshape(out, shape=(n + m - 1,))


def _cut(full: Any, n: int, m: int, mode: str, start: int) -> Any:
    least, most = min(n, m), max(n, m)
    if mode == "full":
        return full
    if mode == "valid":
        return full[least - 1:most]
    return full[start:start + most]


@of_arrays(2)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Convolution of two vectors:  y[k] = Σ_j a[j] v[k - j];  "same": as long as the longer, "valid": no borders."""
    n, m = _lengths("convolve", a, v, mode)
    return _cut(_full(a, li.flip(v, dims=0), n, m), n, m, mode, (min(n, m) - 1) // 2)


@of_arrays(2)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Cross-correlation of two vectors:  y[k] = Σ_j a[j + k] conj(v[j]),  k from -(len(v) - 1) on in mode "full"."""
    n, m = _lengths("correlate", a, v, mode)
    least = min(n, m)
    return _cut(_full(a, li.conj(v), n, m), n, m, mode, (least - 1) // 2 if n >= m else least // 2)


@of_arrays(2)
def convolve2d(a: Any, v: Any, mode: str = "full") -> Any:
    """Convolution of two matrices:  y[k, l] = Σ a[i, j] v[k - i, l - j];  modes as `convolve`, "same" as large as a."""
    if a.ndim != 2 or v.ndim != 2 or 0 in (*a.shape, *v.shape):
        raise ShapeError(f"convolve2d: expected two matrices, not empty; got {tuple(a.shape)} and {tuple(v.shape)}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolve2d: mode must be 'full', 'same' or 'valid'; got {mode!r}")
    out = conv2d(li.reshape(a, shape=(1, 1, *a.shape)), li.reshape(li.flip(v, dims=(0, 1)), shape=(1, 1, *v.shape)),
                 padding=tuple(k - 1 for k in v.shape))[0, 0]
    if mode == "full":
        return out
    pairs = list(zip(a.shape, v.shape))
    if mode == "same":
        return out[tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for n, k in pairs)]
    if len({n >= k for n, k in pairs if n != k}) > 1:
        raise ShapeError("convolve2d: in mode 'valid' one matrix must be at least as large as the other along both "
                         f"axes; got {tuple(a.shape)} and {tuple(v.shape)}")
    return out[tuple(slice(min(n, k) - 1, max(n, k)) for n, k in pairs)]


@of_arrays()
def unwrap(x: Any, discont: float | None = None, dim: int = -1, *, period: float = 2 * pi) -> Any:
    """Angles without jumps: multiples of the period added, so that neighbours along `dim` differ by at most half of it.

    What is added jumps only, so the derivative is that of x itself.
    """
    at, value = axis_in(dim, x.ndim, "unwrap"), array_of(x)
    step = np.diff(value, axis=at)
    half = period / 2
    held = np.mod(step + half, period) - half
    held = np.where((held == -half) & (step > 0), half, held)
    lift = np.where(np.abs(step) < (half if discont is None else max(discont, half)), 0, held - step)
    edge = [(0, 0)] * value.ndim
    edge[at] = (1, 0)
    return ew.add(x, tensor_if(x, np.cumsum(np.pad(lift, edge), axis=at).astype(value.dtype)))


@of_arrays()
def polyder(p: Any, m: int = 1) -> Any:
    """Coefficients of the m-th derivative of a polynomial, the highest power first."""
    p = flatten(p)
    for _ in range(m):
        n = p.shape[0]
        p = p[:-1] * np.arange(n - 1, 0, -1).astype(p.dtype)
    return p
