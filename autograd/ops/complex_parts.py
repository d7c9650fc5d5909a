"""Complex numbers and their parts: real and imaginary part, angle, and pairs of real numbers as complex ones.

The gradient of a complex value is PyTorch's:  dL/d(Re z) + i dL/d(Im z).  `real`, `imag` and the two `view_as` share
the memory of their input where NumPy lets them: a change in place reaches both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..node import SEEN
from ..op import linear, op
from .composed import composed
from .elementwise import divide, multiply, where
from .linear import cast, conj, fit, transpose
from .logic import eq
from .operands import operand
from .shape import broadcast_tensors, stack
from .solve import ELSEWHERE, real_dtype

_COMPLEX = "complex numbers"


@linear(views=True, x=lambda g, x_dtype: g if g.dtype == x_dtype else cast(g, dtype=x_dtype), category="elementwise",
        shapes="any shape", cases=[(((2, 3),), {}), (((),), {})])
def real(x: Any) -> Any:
    """Real part:  Re x.  A real number itself."""
    return x.real


@linear(views=True, x=lambda g, x_dtype: multiply(cast(g, dtype=x_dtype), 1j), category="elementwise", shapes=_COMPLEX,
        cases=ELSEWHERE)
def imag(x: Any) -> Any:
    """Imaginary part:  Im x.  TypeError for real numbers, which have none (PyTorch)."""
    if x.dtype.kind != "c":
        raise TypeError(f"imag: expected {_COMPLEX}; got {x.dtype}: the imaginary part would be zeros_like(x)")
    return x.imag


@composed
def complex(real: Any, imag: Any) -> Any:
    """A complex number of its parts:  real + i imag.  float32 makes complex64, float64 complex128."""
    real, imag = operand(real), operand(imag)
    kinds = [real.dtype, imag.dtype]
    if kinds[0] != kinds[1] or kinds[0].kind != "f":
        raise TypeError(f"complex: expected two parts of one floating-point dtype; got {kinds[0]} and {kinds[1]}")
    real, imag = broadcast_tensors(real, imag)
    return view_as_complex(stack([real, imag], -1))


@op(x=lambda g, x: _turning(g, x), category="elementwise", floating=True, shapes="any shape",
    cases=[(((2, 3),), {}), (((),), {}), (((0, 3),), {})])
def angle(x: Any) -> Any:
    """Angle with the positive real axis, in radians, in (-π, π]:  atan2(Im x, Re x);  π below 0, of real numbers.

    The derivative of a real number's angle is 0, and so is that at 0.
    """
    if x.dtype.kind == "c":
        return np.arctan2(x.imag, x.real)
    return np.where(x < 0, np.pi, x * 0).astype(x.dtype)


def _turning(g: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return g * 0
    nothing = eq(x, 0)
    return where(nothing, 0, multiply(g, divide(1j, conj(where(nothing, 1, x)))))


@linear(views=True, x=lambda g: view_as_complex(g), category="shape", shapes=_COMPLEX, cases=ELSEWHERE)
def view_as_real(x: Any) -> Any:
    """Each complex number as two real ones on a last axis:  (...) -> (..., 2)."""
    if x.dtype.kind != "c":
        raise TypeError(f"view_as_real: expected {_COMPLEX}; got {x.dtype}")
    return np.asarray(x, order="C")[..., None].view(real_dtype(x.dtype))


@linear(views=True, x=lambda g, x_dtype: fit(view_as_real(conj(g)), x_dtype), category="shape",
        shapes="(..., 2) of floats", cases=ELSEWHERE)
def view_as_complex(x: Any) -> Any:
    """Pairs of real numbers on the last axis as complex ones:  (..., 2) -> (...).  The inverse of `view_as_real`.

    float16 makes complex64, the smallest there is in NumPy.
    """
    if x.dtype.kind != "f":
        raise TypeError(f"view_as_complex: expected a floating-point dtype; got {x.dtype}")
    x = x.astype(np.float32) if x.dtype == np.float16 else x
    if not x.ndim or x.shape[-1] != 2:
        raise ShapeError(f"view_as_complex: expected a last axis of 2, the real and the imaginary part; got shape "
                         f"{tuple(x.shape)}")
    SEEN["complex"] = True
    return np.ascontiguousarray(x).view(np.complex128 if x.dtype == np.float64 else np.complex64)[..., 0]


@composed
def adjoint(x: Any) -> Any:
    """Conjugate transpose of the last two axes:  xᴴ."""
    if x.ndim == 1:
        raise ShapeError("adjoint: expected matrices (..., n, m), or a scalar; got one axis")
    return conj(transpose(x, dim0=-1, dim1=-2)) if x.ndim else conj(x)


@composed
def chalf(x: Any) -> Any:
    """As complex64, the smallest complex numbers that NumPy has."""
    return cast(x, dtype=np.complex64)
