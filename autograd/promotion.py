"""The dtype of a result: PyTorch's rules, and the default dtype of the library.

A Python number is weaker than any array, and a 0-d value weaker than one with axes: it decides only
where its kind (bool < integer < float < complex) is above that of the stronger operands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "bool_",
    "complex64",
    "complex128",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "int8",
    "int16",
    "int32",
    "int64",
    "result_dtype",
    "set_default_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")
int8, int16, int32, int64 = (np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64))
bool_ = np.dtype("bool")

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_default: np.dtype[Any] = float32


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats become: float32, unless set otherwise."""
    return _default


def set_default_dtype(dtype: DTypeLike) -> None:
    """Let Python floats become `dtype`, one of float16, float32, float64; TypeError for any other."""
    global _default
    wanted = np.dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"set_default_dtype: expected float16, float32 or float64; got {wanted}")
    _default = wanted


def _complex_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return complex128 if dtype == float64 else complex64


def as_value(data: Any, dtype: DTypeLike | None = None) -> Any:
    """Anything a user may hand in, as an array, or as a NumPy scalar where it has no axes.

    Arrays and NumPy scalars keep their dtype; Python floats become the default dtype.
    """
    if isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data, dtype)
    else:
        try:
            array = np.asarray(data)
        except ValueError as error:
            raise ValueError(f"expected rows of one length; got a {type(data).__name__} with others") from error
        if dtype is not None:
            array = array.astype(dtype)
        elif array.dtype == float64:
            array = array.astype(_default)
        elif array.dtype == complex128:
            array = array.astype(_complex_of(_default))
    if array.dtype.kind not in _RANK:
        raise TypeError(f"a tensor holds numbers or bools; got {type(data).__name__} of dtype {array.dtype}"
                        + ("; integers beyond 64 bits do not fit" if isinstance(data, int) else ""))
    return array if array.ndim else array[()]


def _pair(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of two equally strong operands: a higher kind wins as it is, one kind meets as in NumPy."""
    if a.kind != b.kind and "c" not in (a.kind, b.kind) and _RANK[a.kind] != _RANK[b.kind]:
        return a if _RANK[a.kind] > _RANK[b.kind] else b
    if "c" in (a.kind, b.kind) and min(_RANK[a.kind], _RANK[b.kind]) < 2:
        return a if a.kind == "c" else b
    return np.promote_types(a, b)


def result_dtype(values: Iterable[Any]) -> np.dtype[Any]:
    """The common dtype of the operands, by PyTorch's rules.

    Source: PyTorch documentation, "Type promotion" (torch.result_type).
    """
    best: list[np.dtype[Any] | None] = [None, None, None]      # with axes, 0-d, Python numbers
    for v in values:
        if not isinstance(v, (np.ndarray, np.generic)):
            level, dtype = 2, (bool_ if isinstance(v, bool) else int64 if isinstance(v, int)
                               else _default if isinstance(v, float) else _complex_of(_default))
        else:
            level, dtype = (0 if v.ndim else 1), v.dtype
        known = best[level]
        best[level] = dtype if known is None else _pair(known, dtype)
    result: np.dtype[Any] | None = None
    for weaker in best:
        if weaker is not None:
            if result is None:
                result = weaker
            elif _RANK[weaker.kind] > _RANK[result.kind]:
                result = (_complex_of(result) if weaker.kind == "c" and result.kind == "f" else weaker)
    return result if result is not None else _default
