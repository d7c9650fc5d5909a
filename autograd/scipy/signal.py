"""Convolution over any axes, as HIPS autograd has it in `scipy.signal`; SciPy itself is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from ..errors import ShapeError
from ..protocols.arguments import array
from ..protocols.products import tensordot

__all__ = ["convolve"]


def convolve(A: Any, B: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """y[k] = Σ_n A[n] B[k - n] over pairs of axes, summed over `dot_axes`, for every combination of the others.

    `axes` = (axes of A, axes of B) are convolved (the last ones, or all, by default), `dot_axes` multiplied and summed.
    The result has the other axes of A, the other axes of B, then the convolved ones.  `mode` is "full", "same" (as long
    as A) or "valid" (no zeros used).  A (N, C, H, W), B (C, K, h, w), axes=([2, 3], [2, 3]), dot_axes=([1], [0]),
    mode="valid" -> (N, K, H - h + 1, W - w + 1).
    """
    A, B = array(A), array(B)
    a_dot, b_dot = (_axes(d, x) for d, x in zip(dot_axes, (A, B), strict=True))
    if axes is None:
        if not a_dot and not b_dot and A.ndim != B.ndim:
            raise ShapeError(f"convolve: without axes expected as many axes in both; got {A.shape} and {B.shape}")
        a_conv = [d for d in range(A.ndim) if d not in a_dot]
        b_conv = [d for d in range(B.ndim) if d not in b_dot]
    else:
        a_conv, b_conv = (_axes(d, x) for d, x in zip(axes, (A, B), strict=True))
    if len(a_conv) != len(b_conv) or len(a_dot) != len(b_dot):
        raise ShapeError(f"convolve: expected as many axes of A as of B; got {axes}, {dot_axes}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolve: expected mode 'full', 'same' or 'valid'; got {mode!r}")
    a_rest = [d for d in range(A.ndim) if d not in a_conv and d not in a_dot]
    b_rest = [d for d in range(B.ndim) if d not in b_conv and d not in b_dot]
    sizes = [(A.shape[i], B.shape[j]) for i, j in zip(a_conv, b_conv, strict=True)]
    if mode == "valid" and sizes and all(n < m for n, m in sizes):     # the longer one holds the shorter
        swapped = _windowed(B, A, b_rest, a_rest, b_conv, a_conv, b_dot, a_dot, mode)
        return ops.movedim(swapped, tuple(range(len(b_rest))), tuple(range(len(a_rest), len(a_rest) + len(b_rest))))
    return _windowed(A, B, a_rest, b_rest, a_conv, b_conv, a_dot, b_dot, mode)


def _axes(names: Any, x: Any) -> list[int]:
    names = names if isinstance(names, (list, tuple)) else [names]
    return [int(d) % x.ndim for d in names]


def _windowed(A: Any, B: Any, a_rest: Sequence[int], b_rest: Sequence[int], a_conv: Sequence[int],
              b_conv: Sequence[int], a_dot: Sequence[int], b_dot: Sequence[int], mode: str) -> Any:
    """Windows of A, framed by zeros as the mode asks, times B turned round."""
    order = (*a_rest, *a_dot, *a_conv)
    windows = ops.permute(A, dims=order) if A.ndim else A
    first = len(a_rest) + len(a_dot)
    padding = [(0, 0)] * first
    for i, j in zip(a_conv, b_conv, strict=True):
        n, m = A.shape[i], B.shape[j]
        count = {"full": n + m - 1, "same": n, "valid": max(n - m + 1, 0)}[mode]
        before = {"full": m - 1, "same": m // 2, "valid": 0}[mode]
        padding.append((before, max(count + m - 1 - n - before, 0)))
    if any(p != (0, 0) for p in padding):
        windows = ops.linear.zero_pad(windows, padding=tuple(padding))
    for k, j in enumerate(b_conv):
        windows = ops.unfold(windows, first + k, B.shape[j], 1)
    kernel = ops.flip(B, dims=tuple(b_conv)) if b_conv else B
    n_conv = len(b_conv)
    left = [*range(len(a_rest), first), *range(first + n_conv, first + 2 * n_conv)]
    made = tensordot(windows, kernel, (left, [*b_dot, *b_conv]))
    # the other axes of A, the convolved ones, the other axes of B -> those of B before the convolved ones
    at = len(a_rest)
    return ops.movedim(made, tuple(range(at, at + n_conv)), tuple(range(made.ndim - n_conv, made.ndim))) \
        if n_conv and b_rest else made
