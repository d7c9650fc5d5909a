"""Discrete Fourier transforms (pocketfft, through NumPy).  The rules are transforms again.

Three ops do all: complex to complex, real to half of a complex spectrum, and back.  The others bring their input to
length and dtype and call them.  `norm` says where the factor 1/n stands: "backward" (in the inverse), "forward",
"ortho" (its root in both).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..errors import ShapeError
from ..node import SEEN
from ..op import linear, op
from ..promotion import get_default_dtype
from ..tensor import Tensor, wrap
from .linear import cast, concatenate, conj, getitem, zero_pad
from .solve import ELSEWHERE, real_dtype

Norm = Literal["backward", "ortho", "forward"] | None
_OTHER: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}
_SHAPES = "axes that x has, and at least one element along each"


@linear(x=lambda g, dims, inverse, norm: transform(g, dims=dims, inverse=inverse, norm=norm), shapes=_SHAPES,
        category="linear", cases=ELSEWHERE, name="fourier_transform")
def transform(x: Any, *, dims: tuple[int, ...], inverse: bool = False, norm: Norm = None) -> Any:
    """Fourier transform of complex numbers over `dims`:  y_k = Σ_j x_j e^(-2πi jk/n), or with e^(+2πi jk/n) / n.

    Its matrix is symmetric: it is its own transpose.
    """
    return (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=dims, norm=norm)


@op(x=lambda g, x_shape, dim, norm: _pull_half(g, x_shape, dim, norm), shapes=_SHAPES, category="linear",
    cases=ELSEWHERE, name="real_fourier_transform")
def half_transform(x: Any, *, dim: int, norm: Norm = None) -> Any:
    """Fourier transform of real numbers along `dim`, its first half, n // 2 + 1 numbers: the rest mirrors them."""
    return np.fft.rfft(x, axis=dim, norm=norm)


def _pull_half(g: Any, shape: tuple[int, ...], dim: int, norm: Norm) -> Any:
    full = _fit(g, shape[dim], dim)
    return cast(transform(full, dims=(dim,), norm=norm), dtype=real_dtype(g.dtype))


@op(x=lambda g, x_shape, dim, norm: _pull_real(g, x_shape, dim, norm), shapes=_SHAPES, category="linear",
    cases=ELSEWHERE, name="inverse_real_fourier_transform")
def real_inverse(x: Any, *, n: int, dim: int, norm: Norm = None) -> Any:
    """Real numbers, n of them, from the first half of their Fourier transform:  the inverse of `half_transform`."""
    return np.fft.irfft(x, n, axis=dim, norm=norm)


def _pull_real(g: Any, shape: tuple[int, ...], dim: int, norm: Norm) -> Any:
    """The transform of g, twice where a number of the half stands for its mirror image too."""
    n, k = g.shape[dim], shape[dim]
    twice = np.full(k, 2, g.dtype)
    twice[0] = 1
    if n % 2 == 0:
        twice[n // 2] = 1
    return half_transform(g, dim=dim, norm=_OTHER[norm]) * twice.reshape((-1,) + (1,) * (-dim - 1))


# -- bringing the input to length and dtype --------------------------------------------------------------


def _fit(x: Any, n: int, dim: int) -> Any:
    """x cut, or filled with zeros, to length n along `dim` (from the back)."""
    have = x.shape[dim]
    if have == n:
        return x
    if have > n:
        return getitem(x, index=(Ellipsis, slice(0, n), *[slice(None)] * (-dim - 1)))
    padding = [(0, 0)] * len(x.shape)
    padding[dim] = (0, n - have)
    return zero_pad(x, padding=tuple(padding))


def _ready(x: Any, to_complex: bool, who: str) -> Any:
    """x as a floating-point or complex array or tensor."""
    x = x if isinstance(x, Tensor) else np.asarray(x)
    if x.ndim == 0:
        raise ShapeError(f"{who}: expected at least one axis; got a scalar")
    kind, dtype = x.dtype.kind, x.dtype
    if kind in "biu":
        kind, dtype = "f", get_default_dtype()
    if dtype == np.float16:
        raise TypeError(f"{who}: Unsupported dtype float16: use x.float()")
    if kind == "f" and to_complex:
        dtype = np.result_type(dtype, np.complex64)
    SEEN["complex"] = True
    return x if x.dtype == dtype else cast(x, dtype=dtype)


def _not_complex(who: str, x: Any) -> None:
    if x.dtype.kind == "c":
        raise TypeError(f"{who}: expects a real input tensor, but got {x.dtype}")


def _length(n: int | None, default: int, who: str) -> int:
    n = default if n is None else int(n)
    if n < 1:
        raise ValueError(f"{who}: Invalid number of data points ({n}) specified")
    return n


def _check_norm(norm: Any) -> Any:
    if norm not in _OTHER:
        raise ValueError(f"fft: Invalid normalization mode: expected 'backward', 'forward' or 'ortho'; got {norm!r}")
    return norm


def _axes(who: str, x: Any, s: Any, dim: Any) -> tuple[list[int], list[int | None]]:
    """The axes, from the back, and their wished lengths (None: as they are)."""
    s = [s] if isinstance(s, int) else None if s is None else list(s)
    dim = [dim] if isinstance(dim, int) else None if dim is None else list(dim)
    if dim is None:
        dim = list(range(-(x.ndim if s is None else len(s)), 0))
    if s is not None and len(s) != len(dim):
        raise ValueError(f"{who}: When given, dim and shape arguments must have the same length; got {dim} and {s}")
    for d in dim:
        if not -x.ndim <= d < x.ndim:
            raise IndexError(f"{who}: Dimension out of range (expected to be in [{-x.ndim}, {x.ndim - 1}]; got {d})")
    dims = [d % x.ndim - x.ndim for d in dim]
    if len(set(dims)) < len(dims):
        raise ValueError(f"{who}: FFT dims must be unique; got {dim}")
    return dims, [None if s is None or n == -1 else n for n in (s or dims)]


def _complex_nd(who: str, x: Any, s: Any, dim: Any, norm: Any, inverse: bool) -> Any:
    x = _ready(x, True, who)
    dims, lengths = _axes(who, x, s, dim)
    for d, n in zip(dims, lengths):
        x = _fit(x, _length(n, x.shape[d], who), d)
    return transform(x, dims=tuple(dims), inverse=inverse, norm=_check_norm(norm)) if dims else x


def _real_nd(who: str, x: Any, s: Any, dim: Any, norm: Any) -> Any:
    x = _ready(x, False, who)
    _not_complex(who, x)
    dims, lengths = _axes(who, x, s, dim)
    if not dims:
        raise ValueError(f"{who}: must transform at least one axis")
    for d, n in zip(dims, lengths):
        x = _fit(x, _length(n, x.shape[d], who), d)
    out = half_transform(x, dim=dims[-1], norm=_check_norm(norm))
    return transform(out, dims=tuple(dims[:-1]), norm=norm) if dims[1:] else out


def _to_real_nd(who: str, x: Any, s: Any, dim: Any, norm: Any) -> Any:
    x = _ready(x, True, who)
    dims, lengths = _axes(who, x, s, dim)
    if not dims:
        raise ValueError(f"{who}: must transform at least one axis")
    n = _length(lengths[-1], 2 * (x.shape[dims[-1]] - 1), who)
    for d, m in zip(dims[:-1], lengths):
        x = _fit(x, _length(m, x.shape[d], who), d)
    x = _fit(x, n // 2 + 1, dims[-1])
    if dims[1:]:
        x = transform(x, dims=tuple(dims[:-1]), inverse=True, norm=_check_norm(norm))
    return real_inverse(x, n=n, dim=dims[-1], norm=_check_norm(norm))


# -- the transforms --------------------------------------------------------------------------------------


def fft(input: Any, n: int | None = None, dim: int = -1, norm: Norm = None) -> Any:
    """Fourier transform along `dim`:  y_k = Σ_j x_j e^(-2πi jk/n); the input is cut or filled to length n."""
    return _complex_nd("fft", input, n, dim, norm, False)


def ifft(input: Any, n: int | None = None, dim: int = -1, norm: Norm = None) -> Any:
    """Inverse Fourier transform along `dim`:  x_j = 1/n Σ_k y_k e^(2πi jk/n)."""
    return _complex_nd("ifft", input, n, dim, norm, True)


def rfft(input: Any, n: int | None = None, dim: int = -1, norm: Norm = None) -> Any:
    """Fourier transform of real numbers along `dim`:  the first n // 2 + 1 numbers; the rest mirrors them."""
    return _real_nd("rfft", input, n, dim, norm)


def irfft(input: Any, n: int | None = None, dim: int = -1, norm: Norm = None) -> Any:
    """Real numbers, n of them (2 (m - 1) by default), from the first half of their transform along `dim`."""
    return _to_real_nd("irfft", input, n, dim, norm)


def hfft(input: Any, n: int | None = None, dim: int = -1, norm: Norm = None) -> Any:
    """Fourier transform, real, of a signal with Hermitian symmetry, of which the first half is given."""
    return _to_real_nd("hfft", conj(_ready(input, True, "hfft")), n, dim, _OTHER[_check_norm(norm)])


def ihfft(input: Any, n: int | None = None, dim: int = -1, norm: Norm = None) -> Any:
    """First half of the inverse transform of real numbers along `dim`:  the inverse of `hfft`."""
    return conj(_real_nd("ihfft", input, n, dim, _OTHER[_check_norm(norm)]))


def fft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Norm = None) -> Any:
    """Fourier transform over two axes."""
    return _complex_nd("fft2", input, s, dim, norm, False)


def ifft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Norm = None) -> Any:
    """Inverse Fourier transform over two axes."""
    return _complex_nd("ifft2", input, s, dim, norm, True)


def rfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Norm = None) -> Any:
    """Fourier transform of real numbers over two axes; half along the last."""
    return _real_nd("rfft2", input, s, dim, norm)


def irfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Norm = None) -> Any:
    """Real numbers from their transform over two axes, of which half is given along the last."""
    return _to_real_nd("irfft2", input, s, dim, norm)


def hfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Norm = None) -> Any:
    """Fourier transform, real, over two axes, of a signal with Hermitian symmetry, half of it given."""
    return hfftn(input, s, dim, norm)


def ihfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: Norm = None) -> Any:
    """Half of the inverse transform of real numbers over two axes:  the inverse of `hfft2`."""
    return ihfftn(input, s, dim, norm)


def fftn(input: Any, s: Any = None, dim: Any = None, norm: Norm = None) -> Any:
    """Fourier transform over several axes (all by default), cut or filled to the lengths s."""
    return _complex_nd("fftn", input, s, dim, norm, False)


def ifftn(input: Any, s: Any = None, dim: Any = None, norm: Norm = None) -> Any:
    """Inverse Fourier transform over several axes."""
    return _complex_nd("ifftn", input, s, dim, norm, True)


def rfftn(input: Any, s: Any = None, dim: Any = None, norm: Norm = None) -> Any:
    """Fourier transform of real numbers over several axes; half along the last."""
    return _real_nd("rfftn", input, s, dim, norm)


def irfftn(input: Any, s: Any = None, dim: Any = None, norm: Norm = None) -> Any:
    """Real numbers from their transform over several axes, of which half is given along the last."""
    return _to_real_nd("irfftn", input, s, dim, norm)


def hfftn(input: Any, s: Any = None, dim: Any = None, norm: Norm = None) -> Any:
    """Fourier transform, real, over several axes, of a signal with Hermitian symmetry, half of it given."""
    return _to_real_nd("hfftn", conj(_ready(input, True, "hfftn")), s, dim, _OTHER[_check_norm(norm)])


def ihfftn(input: Any, s: Any = None, dim: Any = None, norm: Norm = None) -> Any:
    """Half of the inverse transform of real numbers over several axes:  the inverse of `hfftn`."""
    return conj(_real_nd("ihfftn", input, s, dim, _OTHER[_check_norm(norm)]))


# -- order and frequencies -------------------------------------------------------------------------------


def _shifted(x: Any, dim: Any, half: Any) -> Any:
    dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    for d in dims:
        d = d % x.ndim - x.ndim
        k = half(x.shape[d])
        if k % max(x.shape[d], 1):
            at = lambda part: getitem(x, index=(Ellipsis, part, *[slice(None)] * (-d - 1)))  # noqa: B023
            x = concatenate(at(slice(x.shape[d] - k, None)), at(slice(0, x.shape[d] - k)), dim=d)
    return x


def fftshift(input: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Frequencies in ascending order: the second half of each axis first, 0 in the middle."""
    return _shifted(input, dim, lambda n: n // 2)


def ifftshift(input: Any, dim: int | Sequence[int] | None = None) -> Any:
    """The order of `fft` from that of `fftshift`."""
    return _shifted(input, dim, lambda n: (n + 1) // 2)


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Frequencies of `fft`, in cycles per unit of the spacing d:  [0, 1, ..., -2, -1] / (d n)."""
    out = wrap(np.fft.fftfreq(n, d).astype(dtype or get_default_dtype()))
    return out.requires_grad_() if requires_grad else out


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Frequencies of `rfft`, in cycles per unit of the spacing d:  [0, 1, ..., n // 2] / (d n)."""
    out = wrap(np.fft.rfftfreq(n, d).astype(dtype or get_default_dtype()))
    return out.requires_grad_() if requires_grad else out
