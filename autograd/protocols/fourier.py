"""numpy.fft, by the functions of autograd.fft: the same arguments in the same order, `axis` there `dim` here."""

from __future__ import annotations

from typing import Any

from .. import fft as ft
from .arguments import array


def _along(name: str) -> Any:
    transform = getattr(ft, name)

    def along(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        return transform(array(a), n, axis, norm)
    along.__doc__ = transform.__doc__
    return along


def _over(name: str, default: Any) -> Any:
    transform = getattr(ft, name)

    def over(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None) -> Any:
        return transform(array(a), s, axes, norm)
    over.__doc__ = transform.__doc__
    return over


fft, ifft, rfft, irfft, hfft, ihfft = (_along(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"))
fft2, ifft2, rfft2, irfft2 = (_over(name, (-2, -1)) for name in ("fft2", "ifft2", "rfft2", "irfft2"))
fftn, ifftn, rfftn, irfftn = (_over(name, None) for name in ("fftn", "ifftn", "rfftn", "irfftn"))


def fftshift(x: Any, axes: Any = None) -> Any:
    """The zero frequency in the middle."""
    return ft.fftshift(array(x), axes)


def ifftshift(x: Any, axes: Any = None) -> Any:
    """The zero frequency back in front."""
    return ft.ifftshift(array(x), axes)
