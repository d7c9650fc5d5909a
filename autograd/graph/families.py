"""Every op there is, at hand by name: for a graph from elsewhere, whose families nobody asked for yet."""

from __future__ import annotations

from .. import ops


def load() -> None:
    """Import all families of ops: those that have public functions, and those behind autograd.linalg, fft, special, nn.

    Once a process, in some tens of milliseconds.
    """
    for name in {family: name for name, family in ops.LATE.items()}.values():
        ops.__getattr__(name)
    from ..ops import bessel, norms, polynomials, spectral, unpool, warp  # noqa: F401
