"""Discrete cosine transforms of type 2 and 3, each the transpose (and the inverse) of the other up to factors.

By one Fourier transform of the same length.  Source: Makhoul 1980, "A fast cosine transform in one and two dimensions".
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear
from ..promotion import get_default_dtype
from .axes import axis_in
from .composed import composed
from .elementwise import multiply
from .linear import cast, getitem, transpose, zero_pad

_CASES: Any = [(((4,),), {}), (((2, 5),), {}), (((3, 1),), {})]


def _turns(n: int, dtype: Any) -> Any:
    """e^(-iπk/2n), in the complex dtype of float32 or float64."""
    return np.exp(-0.5j * np.pi * np.arange(n) / n).astype(np.complex64 if dtype == np.float32 else np.complex128)


def _first(n: int, factor: float, dtype: Any) -> Any:
    """Ones, but for the first."""
    made = np.ones(n, dtype)
    made[:1] = factor
    return made


@linear(x=lambda g: cosines_back(g * _first(g.shape[-1], 2, g.dtype)), category="linear", cases=_CASES,
        shapes="at least one element on the last axis", name="cosine_transform")
def cosines(x: Any) -> Any:
    """Type 2 along the last axis:  y_k = 2 Σ_j x_j cos(πk(2j + 1) / 2n)."""
    folded = np.concatenate([x[..., ::2], x[..., 1::2][..., ::-1]], -1)
    return (2 * (np.fft.fft(folded) * _turns(x.shape[-1], x.dtype)).real).astype(x.dtype)


@linear(x=lambda g: cosines(g) * _first(g.shape[-1], 0.5, g.dtype), category="linear", cases=_CASES,
        shapes="at least one element on the last axis", name="cosine_transform_back")
def cosines_back(x: Any) -> Any:
    """Type 3 along the last axis:  y_k = x_0 + 2 Σ_{j>0} x_j cos(π(2k + 1)j / 2n).  Of type 2 it makes 2n x."""
    n = x.shape[-1]
    mirrored = np.concatenate([np.zeros_like(x[..., :1]), x[..., :0:-1]], -1)
    folded = np.fft.ifft((x - 1j * mirrored) * _turns(n, x.dtype).conj()).real * n
    out = np.empty(x.shape, x.dtype)
    out[..., ::2], out[..., 1::2] = folded[..., :(n + 1) // 2], folded[..., (n + 1) // 2:][..., ::-1]
    return out


def _transformed(who: str, x: Any, kind: int, n: int | None, dim: int, norm: str | None, inverse: bool) -> Any:
    if kind not in (2, 3):
        raise ValueError(f"{who}: expected type 2 or 3; got {kind}")
    if norm not in (None, "backward", "forward", "ortho"):
        raise ValueError(f"{who}: norm must be None, 'backward', 'forward' or 'ortho'; got {norm!r}")
    if x.dtype.kind == "c":
        raise TypeError(f"{who}: expected real numbers; got {x.dtype}")
    if x.dtype not in (np.float32, np.float64):
        x = cast(x, dtype=np.float32 if x.dtype == np.float16 else get_default_dtype())
    at = axis_in(dim, x.ndim, who)
    x = transpose(x, dim0=at, dim1=-1)
    length = x.shape[-1] if n is None else n
    if length < 1 or not x.ndim:
        raise ShapeError(f"{who}: expected at least one element along axis {dim}; got shape {tuple(x.shape)}, n {n}")
    if length < x.shape[-1]:
        x = getitem(x, index=(..., slice(length)))
    elif length > x.shape[-1]:
        x = zero_pad(x, padding=((0, 0),) * (x.ndim - 1) + ((0, length - x.shape[-1]),))
    first = (kind == 2) != inverse            # which of the two it is
    if norm == "ortho":                       # then each is the transpose of the other, and its inverse
        scale = _first(length, sqrt(0.5), x.dtype) / x.dtype.type(sqrt(2 * length))
        out = multiply(cosines(x), scale) if first else \
            cosines_back(multiply(x, scale * _first(length, 2, x.dtype)))
    else:
        out = cosines(x) if first else cosines_back(x)
        if (norm == "forward") != inverse:
            out = multiply(out, 1 / (2 * length))
    return transpose(out, dim0=at, dim1=-1)


@composed
def dct(x: Any, type: int = 2, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """Discrete cosine transform along `dim` (SciPy's):  type 2  y_k = 2 Σ_j x_j cos(πk(2j + 1) / 2n), or type 3.

    norm "ortho" makes the matrix orthogonal, "forward" puts the factor 1 / 2n here and not into `idct`.
    """
    return _transformed("dct", x, type, n, dim, norm, False)


@composed
def idct(x: Any, type: int = 2, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of `dct` with the same type and norm."""
    return _transformed("idct", x, type, n, dim, norm, True)
