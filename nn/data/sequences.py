"""Sequences of different lengths as arrays, labels as one-hot rows, and series as windows, with Keras's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .dataset import TensorDataset
from .loader import DataLoader, positive


def pad_sequences(sequences: Sequence[Any], maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
                  truncating: str = "pre", value: Any = 0) -> np.ndarray[Any, Any]:
    """Sequences (T_i, ...) as one array (N, maxlen, ...), filled up with `value`, too long ones cut.

    maxlen       the longest, if not given
    padding      "pre" fills up at the beginning, "post" at the end; `truncating` cuts there

    Raises ValueError for other words, and for sequences whose steps are of different shapes.
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(f"pad_sequences: expected {name} to be 'pre' or 'post'; got {word!r}")
    arrays = [np.asarray(getattr(s, "value", s)) for s in sequences]
    for k, a in enumerate(arrays):
        if a.ndim < 1:
            raise ValueError(f"pad_sequences: expected sequences; got the {type(sequences[k]).__name__} "
                             f"{sequences[k]!r} at {k}")
    steps = {a.shape[1:] for a in arrays if len(a)}
    if len(steps) > 1:
        raise ValueError(f"pad_sequences: expected steps of one shape; got {', '.join(map(str, sorted(steps)))}")
    length = max(map(len, arrays), default=0) if maxlen is None else positive(maxlen, "pad_sequences: maxlen")
    out = np.full((len(arrays), length, *(steps.pop() if steps else ())), value, dtype)
    for row, a in zip(out, arrays, strict=True):
        if len(a):
            kept = a[-length:] if truncating == "pre" else a[:length]
            row[slice(length - len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return out


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """Labels (...,) as one-hot rows (..., num_classes) float32.  Raises ValueError for labels outside."""
    labels = np.asarray(getattr(x, "value", x))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]                # (N, 1), as columns of a table come
    whole = labels.astype(np.int64)
    if not np.array_equal(whole, labels):
        raise ValueError(f"to_categorical: expected whole numbers; got {labels.dtype} with {labels.ravel()[0]!r}")
    classes = int(whole.max(initial=-1)) + 1 if num_classes is None else positive(num_classes,
                                                                                  "to_categorical: num_classes")
    if whole.size and (whole.min() < 0 or whole.max() >= classes):
        raise ValueError(f"to_categorical: expected labels from 0 to {classes - 1}; got {whole.min()} to {whole.max()}")
    return np.eye(classes, dtype=np.float32)[whole]


def timeseries_dataset_from_array(data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1,
                                  sampling_rate: int = 1, batch_size: int | None = 128, shuffle: bool = False,
                                  seed: int | None = None, start_index: int | None = None,
                                  end_index: int | None = None) -> DataLoader:
    """Windows of a series, each with the target at its first index, as a DataLoader.

    Window i is data[i s], data[i s + r], ..., of `sequence_length` steps; s = sequence_stride, r = sampling_rate.  To
    predict the step that follows: targets=data[sequence_length * sampling_rate:].  targets=None: windows alone.
    """
    series = np.asarray(getattr(data, "value", data))[start_index:end_index]
    span = (positive(sequence_length, "timeseries_dataset_from_array: sequence_length") - 1) * sampling_rate + 1
    starts = np.arange(0, len(series) - span + 1, positive(sequence_stride, "timeseries_dataset_from_array: "
                                                                            "sequence_stride"))
    if targets is not None:
        aims = np.asarray(getattr(targets, "value", targets))[start_index:end_index]
        starts = starts[starts < len(aims)]
    if not len(starts):
        raise ValueError(f"timeseries_dataset_from_array: expected at least {span} steps, for one window; got "
                         f"{len(series)}")
    windows = series[starts[:, None] + np.arange(sequence_length) * sampling_rate]
    parts = (windows,) if targets is None else (windows, aims[starts])
    return DataLoader(TensorDataset(*parts), batch_size, shuffle, seed=seed)
