"""NumPy's parts of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..ops import cast
from .arguments import array, value
from .arguments import real as inexact


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of a complex number:  atan2(imag, real)."""
    z = inexact(z)
    found = ops.atan2(imag(z), _real_part(z))
    return ops.rad2deg(found) if deg else found


def _real_part(z: Any) -> Any:
    return cast(z, dtype=value(z).real.dtype) if z.dtype.kind == "c" else z


def imag(val: Any) -> Any:
    """The imaginary part; 0 of a real number."""
    val = array(val)
    return _real_part(val * -1j) if val.dtype.kind == "c" else val * 0


def real(val: Any) -> Any:
    """The real part."""
    return _real_part(array(val))


def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part, where the imaginary one is nothing but rounding error."""
    a = array(a)
    return a if np.iscomplexobj(np.real_if_close(value(a), tol)) else _real_part(a)
