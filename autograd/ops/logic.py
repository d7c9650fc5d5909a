"""Comparisons, predicates and positions: they exist, and no gradient flows through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import elementwise, op
from .axes import axis_of


def _logic(shapes: str = "shapes that broadcast together", **options: Any) -> Any:
    return op(shapes=shapes, category="logic", **options)


@_logic(symbol="=")
def eq(x: Any, y: Any) -> Any:
    """Equal:  x = y, element by element."""
    return np.equal(x, y)


@_logic(symbol="≠")
def ne(x: Any, y: Any) -> Any:
    """Not equal:  x ≠ y."""
    return np.not_equal(x, y)


def _in_order(who: str, compare: Any, x: Any, y: Any) -> Any:
    for v in (x, y):
        if np.iscomplexobj(v):
            raise TypeError(f"{who} is not defined for complex numbers, which have no order; compare abs(x) or x.real")
    return compare(x, y)


@_logic(symbol="<")
def lt(x: Any, y: Any) -> Any:
    """Less:  x < y."""
    return _in_order("lt", np.less, x, y)


@_logic(symbol="≤")
def le(x: Any, y: Any) -> Any:
    """Less or equal:  x ≤ y."""
    return _in_order("le", np.less_equal, x, y)


@_logic(symbol=">")
def gt(x: Any, y: Any) -> Any:
    """Greater:  x > y."""
    return _in_order("gt", np.greater, x, y)


@_logic(symbol="≥")
def ge(x: Any, y: Any) -> Any:
    """Greater or equal:  x ≥ y."""
    return _in_order("ge", np.greater_equal, x, y)


@_logic()
def logical_and(x: Any, y: Any) -> Any:
    """Both are true (not zero)."""
    return np.logical_and(x, y)


@_logic()
def logical_or(x: Any, y: Any) -> Any:
    """Either is true (not zero)."""
    return np.logical_or(x, y)


@_logic()
def logical_xor(x: Any, y: Any) -> Any:
    """Exactly one is true (not zero)."""
    return np.logical_xor(x, y)


@_logic("any shape")
def logical_not(x: Any) -> Any:
    """Not true: zero."""
    return np.logical_not(x)


@_logic()
def bitwise_and(x: Any, y: Any) -> Any:
    """Bits set in both; of bools, and."""
    return np.bitwise_and(x, y)


@_logic()
def bitwise_or(x: Any, y: Any) -> Any:
    """Bits set in either; of bools, or."""
    return np.bitwise_or(x, y)


@_logic()
def bitwise_xor(x: Any, y: Any) -> Any:
    """Bits set in exactly one; of bools, exclusive or."""
    return np.bitwise_xor(x, y)


@_logic("any shape")
def bitwise_not(x: Any) -> Any:
    """Bits turned round; of bools, not."""
    return np.bitwise_not(x)


def no_integer_division_by_zero(who: str, x: Any, y: Any) -> None:
    """ZeroDivisionError where an integer has no quotient; floats have infinities for that."""
    if np.result_type(x, y).kind in "biu" and np.any(np.equal(y, 0)):
        raise ZeroDivisionError(f"{who}: an integer was divided by zero")


@_logic()
def floor_divide(x: Any, y: Any) -> Any:
    """Quotient rounded down:  ⌊x / y⌋.  Integers divided by 0 raise ZeroDivisionError."""
    no_integer_division_by_zero("floor_divide", x, y)
    with np.errstate(all="ignore"):
        return np.floor_divide(x, y)


@_logic("any shape")
def isnan(x: Any) -> Any:
    """Where x is not a number."""
    return np.isnan(x)


@_logic("any shape")
def isinf(x: Any) -> Any:
    """Where x is infinite."""
    return np.isinf(x)


@_logic("any shape")
def isfinite(x: Any) -> Any:
    """Where x is neither infinite nor NaN."""
    return np.isfinite(x)


@elementwise(x=lambda g: g * 0)
def sign(x: Any) -> Any:
    """Sign:  -1, 0 or 1 as x is below, at or above 0; 0 of NaN (PyTorch).  The derivative is 0."""
    if x.dtype.kind == "b":
        return x.copy()
    out = np.sign(x)
    if out.dtype.kind != "f":
        return out
    if not out.ndim:
        return out if out == out else x.dtype.type(0)
    np.copyto(out, 0, where=out != out)
    return out


@_logic("axes that x has")
def any(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element along `dim` is true (not zero): a bool, of uint8 a uint8 (PyTorch)."""
    return _verdict(x, np.any(x, axis=axis_of(dim, x.ndim), keepdims=keepdim))


@_logic("axes that x has")
def all(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements along `dim` are true (not zero): a bool, of uint8 a uint8 (PyTorch)."""
    return _verdict(x, np.all(x, axis=axis_of(dim, x.ndim), keepdims=keepdim))


def _verdict(x: Any, made: Any) -> Any:
    return made.astype(x.dtype) if x.dtype == np.uint8 else made


@_logic("an axis that x has, with at least one element")
def argmax(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The position of the largest element (of the flattened tensor without `dim`); of a tie, the first."""
    return np.argmax(x, axis=axis_of(dim, x.ndim), keepdims=keepdim)


@_logic("an axis that x has, with at least one element")
def argmin(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The position of the smallest element (of the flattened tensor without `dim`); of a tie, the first."""
    return np.argmin(x, axis=axis_of(dim, x.ndim), keepdims=keepdim)


@_logic("an axis that x has")
def argsort(x: Any, *, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that sort x along `dim`; equal elements keep their order."""
    if not x.ndim:
        return np.int64(0)
    if descending:
        return np.flip(x.shape[dim] - 1 - np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return np.argsort(x, axis=dim, kind="stable")


@_logic("axes that x has")
def count_nonzero(x: Any, *, dim: Any = None) -> Any:
    """The number of elements that are not zero."""
    return np.count_nonzero(x, axis=axis_of(dim, x.ndim))


@_logic("any shape")
def nonzero(x: Any) -> Any:
    """The positions of the elements that are not zero:  x (...) -> (n, x.ndim) int64."""
    return np.argwhere(x)
