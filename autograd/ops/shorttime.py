"""Short-time Fourier transform, and back: windows that slide along a signal, each transformed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from .fourier import fft, ifft, irfft, rfft
from .linear import cast, concatenate, getitem, put, reshape, zero_pad
from .solve import array_of, real_part

_PADS: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _window(window: Any, win_length: int, n_fft: int, dtype: Any, who: str) -> Any:
    """The window of n_fft numbers: the given one in the middle, zeros around it; ones where none is given."""
    if window is None:
        window = np.ones(win_length, dtype)
    if not 0 < win_length <= n_fft or window.shape != (win_length,):
        raise ShapeError(f"{who}: expected 0 < win_length <= n_fft and a 1D window of win_length; got {win_length}, "
                         f"{n_fft} and shape {window.shape}")
    left = (n_fft - win_length) // 2
    return zero_pad(window, padding=((left, n_fft - win_length - left),)) if win_length < n_fft else window


def _places(frames: int, hop: int, n_fft: int) -> Any:
    """Where the elements of each frame lie, (frames, n_fft)."""
    return hop * np.arange(frames)[:, None] + np.arange(n_fft)


def stft(input: Any, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Any = None,
         center: bool = True, pad_mode: str = "reflect", normalized: bool = False, onesided: bool | None = None,
         return_complex: bool | None = None, align_to_window: bool | None = None) -> Any:
    """Short-time Fourier transform:  y[k, t] = Σ_j window[j] x[t hop + j] e^(-2πi jk / n_fft).

    input (L,) or (B, L) -> (B?, N, T), N = n_fft // 2 + 1 where one-sided (a real input's default), else n_fft; with
    `return_complex=False` real and imaginary parts on a last axis of 2.
    """
    if input.ndim not in (1, 2):
        raise ShapeError(f"stft: expected a 1D or 2D tensor, (L,) or (B, L); got {input.shape}")
    if center and align_to_window is not None:
        raise ValueError("stft: align_to_window should only be set when center=False")
    hop, win = hop_length or n_fft // 4, win_length or n_fft
    is_complex = input.dtype.kind == "c" or (window is not None and window.dtype.kind == "c")
    if return_complex is None:
        if not is_complex:
            raise ValueError("stft: requires the return_complex parameter for real inputs: use return_complex=True")
        return_complex = True
    onesided = not is_complex if onesided is None else onesided
    if onesided and is_complex:
        raise ValueError("stft: cannot have onesided output of a complex input or window")
    if hop <= 0:
        raise ValueError(f"stft: expected hop_length > 0; got {hop}")
    weights = _window(window, win, n_fft, input.dtype, "stft")
    n, half = input.shape[-1], n_fft // 2
    order = np.arange(n)
    if center:
        if pad_mode == "constant":
            input = zero_pad(input, padding=((0, 0),) * (input.ndim - 1) + ((half, half),))
            order = np.arange(n + 2 * half)
        elif pad_mode == "reflect" and half >= n:
            raise ShapeError(f"stft: padding of {half} by reflection needs a signal longer than that; got {n}")
        else:
            order = np.pad(order, half, _PADS[pad_mode])
    if len(order) < n_fft:
        raise ShapeError(f"stft: expected 0 < n_fft <= {len(order)}, the length of the signal; got n_fft={n_fft}")
    frames = 1 + (len(order) - n_fft) // hop
    pieces = getitem(input, index=(Ellipsis, order[_places(frames, hop, n_fft)])) * weights
    out = (rfft if onesided else fft)(pieces, norm="ortho" if normalized else None).mT
    if return_complex:
        return out
    parts = [reshape(p, shape=(*p.shape, 1)) for p in (real_part(out), real_part(out * -1j))]
    return concatenate(*parts, dim=-1)


def istft(input: Any, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Any = None,
          center: bool = True, normalized: bool = False, onesided: bool | None = None, length: int | None = None,
          return_complex: bool = False) -> Any:
    """The signal that has a short-time Fourier transform, by overlap and add:  the inverse of `stft`.

    input (N, T) or (B, N, T), complex -> (L,) or (B, L). The windows must overlap everywhere. Source: Griffin and Lim,
    "Signal estimation from modified short-time Fourier transform" (1984), equation 6.
    """
    if input.dtype.kind != "c" or input.ndim not in (2, 3):
        raise ShapeError(f"istft: expected a complex (N, T) or (B, N, T); got {input.shape} {input.dtype}")
    hop, win = hop_length or n_fft // 4, win_length or n_fft
    rows, frames = input.shape[-2:]
    if onesided is None:
        onesided = rows != n_fft
    if rows != (n_fft // 2 + 1 if onesided else n_fft):
        raise ShapeError(f"istft: n_fft={n_fft} goes with {n_fft // 2 + 1 if onesided else n_fft} frequencies; "
                         f"got {rows}")
    if not 0 < hop <= win:
        raise ValueError(f"istft: expected 0 < hop_length <= win_length; got {hop} and {win}")
    real = np.zeros((), input.dtype).real.dtype
    weights = _window(window, win, n_fft, real, "istft")
    norm: Any = "ortho" if normalized else None
    # of a full spectrum the first half says all, since the signal is real
    pieces = (ifft(input.mT, norm=norm) if return_complex else irfft(input.mT, n_fft, norm=norm)) * weights
    places, total = _places(frames, hop, n_fft), n_fft + hop * (frames - 1)
    signal = put(pieces, index=(Ellipsis, places), shape=(*pieces.shape[:-2], total))
    envelope = put(cast(weights * weights, dtype=weights.dtype) + np.zeros((frames, 1), real), index=(places,),
                   shape=(total,))
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else total - start
    signal, envelope = signal[..., start:stop], envelope[start:stop]
    if not array_of(envelope).size or np.abs(array_of(envelope)).min() < 1e-11:
        raise ValueError("istft: window overlap add min: 0: the windows must not be 0 together anywhere: use a smaller "
                         "hop_length, or center=True")
    signal = signal / envelope
    missing = 0 if length is None else length - signal.shape[-1]
    return zero_pad(signal, padding=((0, 0),) * (signal.ndim - 1) + ((0, missing),)) if missing > 0 else signal
