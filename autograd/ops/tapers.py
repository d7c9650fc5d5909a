"""Windows of signal processing: weights that fade out towards both ends, as torch.signal.windows has them.

`sym` windows are for filters; the others (periodic: the first M of a symmetric window of M + 1) for Fourier transforms.
Source: Harris 1978, "On the use of windows for harmonic analysis with the discrete Fourier transform".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np

from ..promotion import get_default_dtype
from ..tensor import wrap
from .bessel import i0


def _made(values: Any, dtype: Any, requires_grad: bool) -> Any:
    out = wrap(values.astype(get_default_dtype() if dtype is None else dtype))
    return out.requires_grad_() if requires_grad else out


def _checked(who: str, M: int, dtype: Any) -> int:
    if M < 0:
        raise ValueError(f"{who}: expected M of at least 0 points; got {M}")
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise ValueError(f"{who}: expected a floating-point dtype; got {np.dtype(dtype)}")
    return int(M)


def _steps(M: int, start: float, length: float) -> Any:
    return start + length * np.arange(M)


def _period(M: int, sym: bool) -> int:
    return max(M - 1 if sym else M, 1)


def general_cosine(M: int, *, a: Sequence[float], sym: bool = True, dtype: Any = None,
                   requires_grad: bool = False) -> Any:
    """Sum of cosines:  Σ_i (-1)^i a[i] cos(2π i k / (M - 1))."""
    M, terms = _checked("general_cosine", M, dtype), np.asarray(a, np.float64)
    if terms.ndim != 1 or not terms.size:
        raise ValueError(f"general_cosine: expected a vector of coefficients, not empty; got shape {terms.shape}")
    if M == 1:
        return _made(np.ones(1), dtype, requires_grad)
    i = np.arange(terms.size)[:, None]
    waves = np.cos(i * _steps(M, 0, 2 * pi / _period(M, sym)))
    return _made(np.sum(terms[:, None] * (-1.0) ** i * waves, axis=0), dtype, requires_grad)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None,
                    requires_grad: bool = False) -> Any:
    """alpha - (1 - alpha) cos(2π k / (M - 1))."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, requires_grad=requires_grad)


def hamming(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Hamming's:  0.54 - 0.46 cos(2π k / (M - 1))."""
    return general_hamming(M, sym=sym, dtype=dtype, requires_grad=requires_grad)


def hann(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Hann's:  sin²(π k / (M - 1))."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, requires_grad=requires_grad)


def blackman(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Blackman's:  0.42 - 0.5 cos(2π k / (M - 1)) + 0.08 cos(4π k / (M - 1))."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, requires_grad=requires_grad)


def nuttall(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Nuttall's minimum four terms (Nuttall 1981)."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype,
                          requires_grad=requires_grad)


def bartlett(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A triangle:  1 - |2 k / (M - 1) - 1|."""
    M = _checked("bartlett", M, dtype)
    values = np.ones(1) if M == 1 else 1 - np.abs(_steps(M, -1, 2 / _period(M, sym)))
    return _made(values, dtype, requires_grad)


def cosine(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Half a wave:  sin(π (k + 1/2) / M)."""
    M = _checked("cosine", M, dtype)
    unit = pi / (M + 1 if not sym and M > 1 else max(M, 1))
    return _made(np.sin(_steps(M, 0.5 * unit, unit)), dtype, requires_grad)


def _middle(M: int, sym: bool) -> float:
    return (M if not sym and M > 1 else M - 1) / 2


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: Any = None,
                requires_grad: bool = False) -> Any:
    """Exponential decay from the centre:  e^(-|k - center| / tau).  A centre is for periodic windows only."""
    M = _checked("exponential", M, dtype)
    if tau <= 0:
        raise ValueError(f"exponential: expected tau above 0; got {tau}")
    if sym and center is not None:
        raise ValueError(f"exponential: a symmetric window has its centre in the middle; got center {center}")
    middle = _middle(M, sym) if center is None else center
    return _made(np.exp(-np.abs(_steps(M, -middle, 1)) / tau), dtype, requires_grad)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Bell:  e^(-((k - (M - 1) / 2) / std)² / 2)."""
    M = _checked("gaussian", M, dtype)
    if std <= 0:
        raise ValueError(f"gaussian: expected std above 0; got {std}")
    return _made(np.exp(-(_steps(M, -_middle(M, sym), 1) / std) ** 2 / 2), dtype, requires_grad)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Kaiser's:  I₀(β √(1 - (2 k / (M - 1) - 1)²)) / I₀(β)."""
    M = _checked("kaiser", M, dtype)
    if beta < 0:
        raise ValueError(f"kaiser: expected beta of at least 0; got {beta}")
    if M <= 1:
        return _made(np.ones(M), dtype, requires_grad)
    k = np.minimum(_steps(M, -1, 2 / _period(M, sym)), 1)
    values = np.asarray(i0(beta * np.sqrt(np.maximum(1 - k * k, 0)))) / float(i0(np.asarray(float(beta))))
    return _made(values, dtype, requires_grad)


# -- torch's older names: periodic by default ------------------------------------------------------------


def hann_window(window_length: int, periodic: bool = True, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Hann's window, periodic by default."""
    return hann(window_length, sym=not periodic, dtype=dtype, requires_grad=requires_grad)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
                   dtype: Any = None, requires_grad: bool = False) -> Any:
    """Hamming's window, periodic by default:  alpha - beta cos(2π k / M)."""
    return general_cosine(window_length, a=[alpha, beta], sym=not periodic, dtype=dtype, requires_grad=requires_grad)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: Any = None,
                    requires_grad: bool = False) -> Any:
    """Blackman's window, periodic by default."""
    return blackman(window_length, sym=not periodic, dtype=dtype, requires_grad=requires_grad)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: Any = None,
                    requires_grad: bool = False) -> Any:
    """The triangle, periodic by default."""
    return bartlett(window_length, sym=not periodic, dtype=dtype, requires_grad=requires_grad)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None,
                  requires_grad: bool = False) -> Any:
    """Kaiser's window, periodic by default."""
    return kaiser(window_length, beta=beta, sym=not periodic, dtype=dtype, requires_grad=requires_grad)
