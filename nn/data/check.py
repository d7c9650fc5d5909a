"""What `Model` asks of the data it is given, before anything is changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import ShapeError, Tensor


def as_array(data: Any, name: str) -> Any:
    """The data as an array with at least one axis; `name` ("fit: x") opens the error text.

    Raises TypeError for what is not numbers, ShapeError for a single number, ValueError for masked or no samples.
    """
    if isinstance(data, Tensor):
        array = np.asarray(data.value)
    else:
        if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
            raise ValueError(f"{name} is a masked array with {np.ma.count_masked(data)} masked values, which would be "
                             "taken for data: fill them first, x.filled(0), or leave those rows out")
        try:
            array = np.asarray(data)
        except ValueError as error:
            raise ShapeError(f"{name}: expected one array of numbers; got a {type(data).__name__} of parts that differ "
                             f"in shape ({error})") from error
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name}: expected an array of numbers; got {_contents(data, array)}")
    if array.ndim == 0:
        raise ShapeError(f"{name}: expected an array whose first axis counts the samples; got one number, {data!r}")
    if len(array) == 0:
        raise ValueError(f"{name} is empty: shape {array.shape} holds no samples")
    return array


def _contents(data: Any, array: Any) -> str:
    """What an array that is not of numbers holds, and what to do."""
    if array.dtype.kind in "US":
        return f"text (dtype {array.dtype}): give classes numbers, np.unique(labels, return_inverse=True)"
    if array.dtype.kind in "mM":
        return f"dates (dtype {array.dtype}): turn them into numbers, e.g. days since a first date"
    if hasattr(data, "toarray"):
        return f"a sparse {type(data).__name__}: use .toarray()"
    if array.ndim == 0:
        return f"a {type(data).__name__}"
    kinds = sorted({type(v).__name__ for v in array.flat[:1000]})
    advice = ("pad the rows to one length" if set(kinds) <= {"list", "tuple", "ndarray", "Tensor"} else
              "values are missing: fill them or leave those rows out" if "NoneType" in kinds else
              "encode what is not a number, then use astype('float32')")
    return f"dtype object holding {', '.join(kinds)} (shape {array.shape}): {advice}"


def check_finite(array: Any, name: str) -> None:
    """Raise ValueError if NaN or infinity is among the values: how many, where the first is, what to do."""
    if array.dtype.kind not in "fc":
        return
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):               # a NaN or an infinity would have come through: no mask is needed
            return
    good = np.isfinite(array)
    if good.all():
        return                                     # finite values whose sum is beyond the range
    nans = int(np.isnan(array).sum())
    infs = int(array.size - good.sum()) - nans
    found = " and ".join([f"{count} {what}" for count, what in ((nans, "NaN"), (infs, "infinite")) if count])
    first = tuple(int(k) for k in np.argwhere(~good)[0])
    at = first[0] if len(first) == 1 else first
    short = name.split()[-1]
    rows = (f"np.isfinite({short})" + (f".reshape(len({short}), -1)" if array.ndim > 2 else "")
            + (".all(axis=1)" if array.ndim > 1 else ""))
    raise ValueError(f"{name} contains {found} of {array.size} values, first at position {at}: leave those rows out, "
                     f"keep = {rows}, or fill them in, np.nan_to_num({short})")


def cast(array: Any, dtype: Any, name: str) -> Any:
    """The array in a floating-point dtype (itself if it has it); ValueError for values beyond its range."""
    if array.dtype == dtype:
        return array
    with np.errstate(all="ignore"):
        out = array.astype(dtype)
        if array.dtype.kind == "f" and array.dtype.itemsize > out.dtype.itemsize and not np.isfinite(out.sum()):
            beyond = np.isfinite(array) & ~np.isfinite(out)
            if beyond.any():
                at = tuple(int(k) for k in np.argwhere(beyond)[0])
                raise ValueError(f"{name}: {array[at]} at position {at[0] if len(at) == 1 else at} is beyond the range "
                                 f"of the model's {out.dtype}: scale the data, e.g. to mean 0 and variance 1")
    return out


def check_lengths(x: Any, y: Any, who: str) -> None:
    """Raise ShapeError unless both have one entry per sample."""
    if len(x) != len(y):
        raise ShapeError(f"{who}: x and y must hold the same number of samples; got {len(x)} and {len(y)} "
                         f"(shapes {x.shape} and {y.shape})")


def tail(x: Any, y: Any, fraction: float) -> tuple[Any, Any, Any, Any]:
    """The first samples to train on, and the last `fraction` of them to validate on:  x, y, x_val, y_val.

    The cut is made before any shuffling, as in Keras.  Raises ValueError where either part would be empty.
    """
    n = len(x)
    at = int(n * (1 - fraction))
    if at == 0 or at == n:
        raise ValueError(f"fit: validation_split={fraction} of {n} samples leaves {at} to train on and {n - at} to "
                         "validate on; both need at least one")
    return x[:at], y[:at], x[at:], y[at:]
