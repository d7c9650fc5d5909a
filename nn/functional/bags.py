"""Embeddings put together by bags: sums, means and maxima of rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor, where
from autograd.ops.segments import bag_sum

from .layers import check_padding, embedding


def _largest(rows: Any, bag: Any, count: int) -> Any:
    """The largest entry of each column of each bag; its change goes to the first of equals.  0 for an empty bag."""
    value = np.asarray(rows.value if isinstance(rows, Tensor) else rows)
    n, width = value.shape
    place, filled = np.zeros((count, width), np.int64), np.zeros((count, 1), bool)
    if n:
        start = np.flatnonzero(np.diff(bag, prepend=-1))
        here, size = bag[start], np.diff(start, append=n)
        best = np.repeat(np.maximum.reduceat(value, start, axis=0), size, axis=0)
        hit = (value == best) | ((value != value) & (best != best))
        place[here] = np.minimum.reduceat(np.where(hit, np.arange(n)[:, None], n), start, axis=0)
        filled[here] = True
        return where(filled, rows[place, np.arange(width)], 0)
    return bag_sum(rows, bag=bag, count=count)


def _ends(index: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, Any]:
    """Where each bag begins and ends."""
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError("embedding_bag: with 2D input (bags, size) offsets has to be None; got offsets of shape "
                             f"{tuple(np.shape(offsets))}")
        starts = np.arange(index.shape[0]) * index.shape[1]
        return starts, starts + index.shape[1]
    if offsets is None:
        raise ValueError("embedding_bag: with 1D input offsets must say where each bag begins; got None")
    marks = np.asarray(offsets.value if isinstance(offsets, Tensor) else offsets)
    if marks.ndim != 1 or marks.dtype.kind not in "iu":
        raise ValueError(f"embedding_bag: expected offsets to be a vector of integers; got {marks.shape} {marks.dtype}")
    if marks.size and (marks[0] != 0 or marks[-1] > index.size or np.any(np.diff(marks) < 0)):
        raise ValueError(f"embedding_bag: offsets must begin with 0 and not decrease, up to {index.size}; got "
                         f"{marks.tolist()}")
    if include_last_offset:
        if not marks.size:
            raise ValueError("embedding_bag: with include_last_offset expected at least one offset; got none")
        return marks[:-1], marks[1:]
    return marks, np.append(marks[1:], index.size)


def embedding_bag(input: Any, weight: Any, offsets: Any = None, max_norm: float | None = None, norm_type: float = 2,
                  scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                  per_sample_weights: Any = None, include_last_offset: bool = False,
                  padding_idx: int | None = None) -> Any:
    """Rows of a table by bags:  input (bags, size), or (n,) with offsets (bags,), weight (rows, d) -> (bags, d).

    mode "sum", "mean" or "max"; an empty bag gives 0.  Rows `padding_idx` belong to no bag.  per_sample_weights, of the
    shape of input, are factors of the rows of a sum.  With include_last_offset the last offset ends the last bag.
    The rest as `embedding`.  Raises ValueError, IndexError and TypeError for what does not fit together.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode has to be one of sum, mean or max; got {mode!r}")
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ValueError("embedding_bag: mode 'max' supports neither scale_grad_by_freq nor sparse")
    index = np.asarray(input.value if isinstance(input, Tensor) else input)
    if index.ndim not in (1, 2):
        raise ShapeError(f"embedding_bag: expected input (bags, size) or (n,); got shape {index.shape}")
    if len(weight.shape) != 2:
        raise ShapeError(f"embedding_bag: expected a weight (rows, d); got shape {tuple(weight.shape)}")
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(f"embedding_bag: per_sample_weights go with mode 'sum' only; got {mode!r}")
        if tuple(per_sample_weights.shape) != index.shape:
            raise ShapeError(f"embedding_bag: expected per_sample_weights of the shape of input, {index.shape}; got "
                             f"{tuple(per_sample_weights.shape)}")
    starts, ends = _ends(index, offsets, include_last_offset)
    count, flat = len(starts), index.reshape(-1)
    padding = check_padding(padding_idx, weight.shape[0])
    bag = np.repeat(np.arange(count), ends - starts)
    rows = embedding(flat, weight, None, max_norm, norm_type, scale_grad_by_freq)
    kept = np.arange(len(bag))
    if padding is not None:
        kept = np.flatnonzero(flat[:len(bag)] != padding)
    if len(kept) < len(flat):
        rows, bag = rows[kept], bag[kept]
    if mode == "max":
        return _largest(rows, bag, count)
    if per_sample_weights is not None:
        rows = rows * autograd.reshape(per_sample_weights, shape=-1)[kept][:, None]
    total = bag_sum(rows, bag=bag, count=count)
    if mode == "sum":
        return total
    size = np.maximum(np.bincount(bag, minlength=count), 1)[:, None]
    return total / size.astype(total.dtype)
