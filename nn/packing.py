"""Sequences of different lengths in one batch: padded to the longest, or packed without the padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import ShapeError, Tensor


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Fields):
    """Sequences step by step without padding: `data` has batch_sizes[0] rows of the first step, then of the second.

    data (Σ lengths, ...); batch_sizes (longest,) int64, how many sequences have that step; sorted_indices (B,) the
    sequences by falling length, or None if they came so; unsorted_indices its inverse.  Made by `pack_padded_sequence`
    and `pack_sequence`.
    """

    __slots__ = ()

    def __new__(cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None,
                unsorted_indices: Any = None) -> PackedSequence:
        if batch_sizes is None and isinstance(data, (tuple, list)) and len(data) == 2:
            data, batch_sizes = data              # PyTorch takes PackedSequence((data, batch_sizes)) too
        if batch_sizes is None:
            raise ValueError("PackedSequence: expected data and batch_sizes; got no batch_sizes: use pack_sequence")
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with other data: data.to(...)."""
        return self._replace(data=self.data.to(*args, **kwargs))

    def float(self) -> PackedSequence:
        """In float32."""
        return self.to(np.dtype(np.float32))

    def double(self) -> PackedSequence:
        """In float64."""
        return self.to(np.dtype(np.float64))

    def half(self) -> PackedSequence:
        """In float16."""
        return self.to(np.dtype(np.float16))

    def long(self) -> PackedSequence:
        """In int64."""
        return self.to(np.dtype(np.int64))

    def int(self) -> PackedSequence:
        """In int32."""
        return self.to(np.dtype(np.int32))

    def cpu(self) -> PackedSequence:
        """Itself."""
        return self

    def pin_memory(self) -> PackedSequence:
        """Itself: there is no other memory."""
        return self

    is_cuda = False

    def is_pinned(self) -> bool:
        """Never."""
        return False


def _plain(x: Any) -> Any:
    return np.asarray(x.value if isinstance(x, Tensor) else x)


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes it; None for None."""
    if permutation is None:
        return None
    at = _plain(permutation)
    inverse = np.empty_like(at)
    inverse[at] = np.arange(at.size, dtype=at.dtype)
    return Tensor(inverse)


def _lengths(who: str, lengths: Any, batch: int, longest: int) -> Any:
    found = _plain(lengths)
    if found.dtype.kind not in "iu" and (found.dtype.kind != "f" or np.any(found != np.floor(found))):
        raise TypeError(f"{who}: lengths must be integers; got {found.dtype}")
    found = found.astype(np.int64)
    if found.shape != (batch,):
        raise ShapeError(f"{who}: expected lengths of shape ({batch},), one for each sequence; got {found.shape}")
    if batch and (found.min() < 1 or found.max() > longest):
        bad = int(np.flatnonzero((found < 1) | (found > longest))[0])
        raise ValueError(f"{who}: lengths must be 1 to {longest}, the steps that the input has; sequence {bad} "
                         f"has {int(found[bad])}")
    return found


def pack_padded_sequence(input: Any, lengths: Any, batch_first: bool = False,
                         enforce_sorted: bool = True) -> PackedSequence:
    """Padded sequences, (T, B, ...) or with batch_first (B, T, ...), packed: what lies past a length is left out.

    With enforce_sorted the lengths must fall already; otherwise the sequences are sorted: `sorted_indices` says how.
    """
    if batch_first:
        input = autograd.transpose(input, dim0=0, dim1=1)
    steps, batch = input.shape[:2]
    long = _lengths("pack_padded_sequence", lengths, batch, steps)
    if not long.size:
        raise ValueError("pack_padded_sequence: expected at least one sequence; got a batch of 0")
    order = np.arange(batch)
    if not enforce_sorted:
        order = np.argsort(-long, kind="stable")
        long = long[order]
    elif np.any(long[1:] > long[:-1]):
        raise RuntimeError(f"pack_padded_sequence: lengths must be in falling order with enforce_sorted=True; got "
                           f"{long.tolist()}: pass enforce_sorted=False, and they are sorted")
    sizes = np.count_nonzero(long > np.arange(long[0])[:, None], axis=1)
    rows = np.concatenate([t * batch + order[:n] for t, n in enumerate(sizes)])
    data = autograd.reshape(input, shape=(steps * batch, *input.shape[2:]))[rows]
    return PackedSequence(data, Tensor(sizes), None if enforce_sorted else Tensor(order))


def pad_packed_sequence(sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Any, Any]:
    """(padded sequences (T, B, ...) or with batch_first (B, T, ...), lengths (B,)): undoes `pack_padded_sequence`.

    T is the longest length, or `total_length`.
    """
    sizes = _plain(sequence.batch_sizes)
    batch, longest = int(sizes[0]), len(sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(f"pad_packed_sequence: total_length must be at least {longest}, the longest sequence; "
                         f"got {total_length}")
    data, starts = sequence.data, np.cumsum(sizes) - sizes
    there = np.arange(batch) < sizes[:, None]
    at = np.full((total_length or longest, batch), data.shape[0])
    at[:longest][there] = (starts[:, None] + np.arange(batch))[there]
    lengths = there.sum(axis=0)
    if sequence.unsorted_indices is not None:
        back = _plain(sequence.unsorted_indices)
        at, lengths = at[:, back], lengths[back]
    return _with_padding(data, at.T if batch_first else at, padding_value), Tensor(lengths)


def _with_padding(rows: Any, at: Any, value: float) -> Any:
    """rows[at], where the row behind the last is one of `value`."""
    border = np.full((1, *rows.shape[1:]), value, rows.dtype)
    return autograd.cat([rows, Tensor(border) if isinstance(rows, Tensor) else border])[at]


def pad_sequence(sequences: Any, batch_first: bool = False, padding_value: float = 0.0,
                 padding_side: str = "right") -> Any:
    """Sequences (L_i, ...) in one tensor (T, B, ...), or with batch_first (B, T, ...), T the longest length."""
    if padding_side not in ("left", "right"):
        raise ValueError(f"pad_sequence: padding_side must be 'left' or 'right'; got {padding_side!r}")
    sequences = _several("pad_sequence", sequences)
    rest = {tuple(s.shape[1:]) for s in sequences}
    if any(not s.ndim for s in sequences) or len(rest) > 1:
        raise ShapeError("pad_sequence: expected sequences (L, ...) alike but for L; got "
                         f"{[tuple(s.shape) for s in sequences]}")
    lengths = [s.shape[0] for s in sequences]
    longest, start = max(lengths), 0
    at = np.full((len(lengths), longest), sum(lengths))
    for row, n in zip(at, lengths):
        row[longest - n if padding_side == "left" else 0:][:n] = np.arange(start, start + n)
        start += n
    return _with_padding(autograd.cat(sequences), at if batch_first else at.T, padding_value)


def _several(who: str, sequences: Any) -> list[Any]:
    if not isinstance(sequences, Iterable):
        raise TypeError(f"{who}: expected a list of tensors; got {type(sequences).__name__}")
    found = list(sequences)
    if not found:
        raise ValueError(f"{who}: expected at least one sequence; got none")
    return found


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences, each of its own length, (L_i, ...): undoes `pad_sequence`."""
    if not batch_first:
        padded_sequences = autograd.transpose(padded_sequences, dim0=0, dim1=1)
    return [padded_sequences[i][:int(n)] for i, n in enumerate(_plain(lengths))]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (L_i, ...) packed; by falling length already, unless enforce_sorted is False."""
    sequences = _several("pack_sequence", sequences)
    return pack_padded_sequence(pad_sequence(sequences), [s.shape[0] for s in sequences],
                                enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The sequences of a pack, each of its own length, (L_i, ...): undoes `pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
