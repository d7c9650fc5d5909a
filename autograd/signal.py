"""Signal processing under the names of torch.signal: `autograd.signal.windows.hann(512)`."""

from .ops import tapers as windows

__all__ = ["windows"]
