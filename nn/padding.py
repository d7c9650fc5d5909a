"""Borders of zeros, of a constant, and of the input's own content."""

from __future__ import annotations

from typing import Any

from autograd import ShapeError

from . import functional as F
from .module import Module


class _Pad(Module):
    """A border around the last axes: an int for all sides, or (before, after) of the last axis, the one before, ..."""

    axes: int
    mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        who, n = type(self).__name__, 2 * self.axes
        given = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * n
        if any(isinstance(p, (bool, float)) or not hasattr(p, "__index__") for p in given):
            raise TypeError(f"{who}: padding must be an integer or {n} of them; got {padding!r}")
        if len(given) != n:
            raise ValueError(f"{who}: padding must be an integer or {n} of them, (before, after) of the last axis "
                             f"first; got {padding!r}")
        self.padding = tuple(int(p) for p in given)

    def _checked(self, input: Any) -> Any:
        d = self.axes
        if input.ndim not in (d + 1, d + 2):
            raise ShapeError(f"{type(self).__name__}: expected {d + 1}D (one sample) or {d + 2}D (a batch) input "
                             f"(N, C, ...); got shape {tuple(input.shape)}")
        return input

    def forward(self, input: Any) -> Any:
        return F.pad(self._checked(input), self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ReflectionPad(_Pad):
    """A border that mirrors the input; the mirror stands on the last element, which is not repeated.

    x (N, C, ...) or (C, ...) -> y with each axis longer by (before + after); a border is narrower than its axis.
    """

    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    __doc__ = _ReflectionPad.__doc__
    axes = 1


class ReflectionPad2d(_ReflectionPad):
    __doc__ = _ReflectionPad.__doc__
    axes = 2


class ReflectionPad3d(_ReflectionPad):
    __doc__ = _ReflectionPad.__doc__
    axes = 3


class _ReplicationPad(_Pad):
    """A border that repeats the edge.  x (N, C, ...) or (C, ...) -> y with each axis longer by (before + after)."""

    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    __doc__ = _ReplicationPad.__doc__
    axes = 1


class ReplicationPad2d(_ReplicationPad):
    __doc__ = _ReplicationPad.__doc__
    axes = 2


class ReplicationPad3d(_ReplicationPad):
    __doc__ = _ReplicationPad.__doc__
    axes = 3


class _CircularPad(_Pad):
    """A border that goes on from the other side; at most as wide as its axis.

    x (N, C, ...) or (C, ...) -> y with each axis longer by (before + after).
    """

    mode = "circular"


class CircularPad1d(_CircularPad):
    __doc__ = _CircularPad.__doc__
    axes = 1


class CircularPad2d(_CircularPad):
    __doc__ = _CircularPad.__doc__
    axes = 2


class CircularPad3d(_CircularPad):
    __doc__ = _CircularPad.__doc__
    axes = 3


class _ConstantPad(_Pad):
    """A border of one value; negative numbers cut away.  x of any number of axes, of which the last are padded."""

    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    axes = 1


class ConstantPad2d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    axes = 2


class ConstantPad3d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    axes = 3


class _ZeroPad(_ConstantPad):
    """A border of zeros; negative numbers cut away.  x of any number of axes, of which the last are padded."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    __doc__ = _ZeroPad.__doc__
    axes = 1


class ZeroPad2d(_ZeroPad):
    __doc__ = _ZeroPad.__doc__
    axes = 2


class ZeroPad3d(_ZeroPad):
    __doc__ = _ZeroPad.__doc__
    axes = 3
