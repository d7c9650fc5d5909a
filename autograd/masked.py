"""Reductions and normalisations of what a mask leaves in, under the names of torch.masked.

The mask, of bools, broadcasts against the input: True is in.  What is out counts as the identity of the reduction (0 of
a sum, -inf of a maximum), and gets no gradient; a slice of which nothing is in gives that identity, or NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .ops import elementwise as ew
from .ops import linear as li
from .ops import logic as lo
from .ops import reduce as re_
from .ops import scan, statistics
from .ops.axes import axis_of
from .ops.composed import array_of, composed
from .ops.lengths import norm as vector_norm

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median",
    "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
]


def _typed(x: Any, dtype: Any) -> Any:
    return x if dtype is None or x.dtype == dtype else li.cast(x, dtype=dtype)


def _kept(x: Any, mask: Any, instead: float) -> Any:
    if mask is None:
        return x
    inside = array_of(mask)
    if inside.dtype != bool:
        raise TypeError(f"masked: expected a mask of bools; got {inside.dtype}")
    if x.dtype.kind in "biu" and np.isinf(instead):
        limits = (False, True) if x.dtype == bool else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
        instead = limits[instead > 0]
    return ew.where(inside, x, x.dtype.type(instead))


def _count(x: Any, mask: Any, dim: Any, keepdim: bool) -> Any:
    inside = np.ones((), bool) if mask is None else array_of(mask)
    return np.sum(np.broadcast_to(inside, tuple(x.shape)), axis=axis_of(dim, x.ndim), keepdims=keepdim)


def _counting(x: Any, dtype: Any) -> Any:
    """Sums of integers are of int64."""
    return _typed(x, np.int64 if dtype is None and x.dtype.kind in "biu" else dtype)


@composed
def sum(x: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Sum over `dim` of what is in."""
    return li.sum(_kept(_counting(x, dtype), mask, 0), dim=dim, keepdim=keepdim)


@composed
def prod(x: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Product over `dim` of what is in."""
    x = _kept(_counting(x, dtype), mask, 1)
    axes = range(x.ndim) if dim is None or dim == () else dim if isinstance(dim, (tuple, list)) else (dim,)
    for axis in sorted([d % max(x.ndim, 1) for d in axes], reverse=True):
        x = re_.prod(x, dim=axis, keepdim=keepdim)
    return x


@composed
def cumsum(x: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Running sum along `dim` of what is in."""
    return li.cumsum(_kept(_counting(x, dtype), mask, 0), dim=dim)


@composed
def cumprod(x: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Running product along `dim` of what is in."""
    return scan.cumprod(_kept(_counting(x, dtype), mask, 1), dim=dim)


@composed
def amax(x: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Largest over `dim` of what is in."""
    return re_.amax(_kept(_typed(x, dtype), mask, -np.inf), dim=dim, keepdim=keepdim)


@composed
def amin(x: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Smallest over `dim` of what is in."""
    return re_.amin(_kept(_typed(x, dtype), mask, np.inf), dim=dim, keepdim=keepdim)


@composed
def argmax(x: Any, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Where the largest of what is in stands along `dim`, in the dtype of the values, as in PyTorch."""
    x = _typed(x, dtype)
    return li.cast(lo.argmax(_kept(x, mask, -np.inf), dim=dim, keepdim=keepdim), dtype=x.dtype)


@composed
def argmin(x: Any, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Where the smallest of what is in stands along `dim`, in the dtype of the values, as in PyTorch."""
    x = _typed(x, dtype)
    return li.cast(lo.argmin(_kept(x, mask, np.inf), dim=dim, keepdim=keepdim), dtype=x.dtype)


@composed
def mean(x: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Mean over `dim` of what is in; NaN of nothing."""
    x = _typed(x, dtype)
    if x.dtype.kind not in "fc":
        raise TypeError(f"mean: expected floating-point values; got {x.dtype}: pass dtype=")
    total = li.sum(_kept(x, mask, 0), dim=dim, keepdim=keepdim)
    return ew.divide(total, np.asarray(_count(x, mask, dim, keepdim), array_of(total).real.dtype))


@composed
def median(x: Any, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Lower median along `dim` of what is in; NaN of nothing."""
    x = _typed(x, dtype)
    if x.dtype.kind != "f":
        raise TypeError(f"median: expected floating-point values; got {x.dtype}: pass dtype=")
    return statistics.nanmedian(_kept(x, mask, np.nan), dim, keepdim)[0]


@composed
def norm(x: Any, ord: float = 2.0, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
         mask: Any = None) -> Any:
    """Vector norm over `dim` of what is in:  (Σ |x|^ord)^(1 / ord)."""
    return vector_norm(_kept(_typed(x, dtype), mask, 0 if ord >= 0 else np.inf), ord, dim, keepdim)


def _freedom(unbiased: bool | None, correction: float | None) -> float:
    if unbiased is not None and correction is not None:
        raise TypeError("masked: unbiased and correction were both given")
    return correction if correction is not None else 1 if unbiased is None else int(unbiased)


@composed
def var(x: Any, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
        keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Variance over `dim` of what is in:  Σ |x - mean|² / (n - correction).  Of complex dtype where x is (PyTorch)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    x = _typed(x, np.float32 if dtype is None and x.dtype.kind in "biu" else dtype)
    d = _kept(ew.subtract(x, mean(x, dim, keepdim=True, mask=mask)), mask, 0)
    total = li.sum(ew.multiply(d, li.conj(d) if x.dtype.kind == "c" else d), dim=dim, keepdim=keepdim)
    n = _count(x, mask, dim, keepdim)
    return ew.divide(total, np.asarray(np.maximum(n - _freedom(unbiased, correction), 0), total.dtype))


@composed
def std(x: Any, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
        keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Standard deviation over `dim` of what is in."""
    return ew.sqrt(var(x, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask))


@composed
def logsumexp(x: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Logarithm of the sum of exponentials over `dim` of what is in, in the dtype of x (PyTorch)."""
    x = _typed(x, dtype)
    return _typed(re_.logsumexp(_kept(x, mask, -np.inf), dim=dim, keepdim=keepdim), x.dtype)


@composed
def softmax(x: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Softmax along `dim` of what is in; 0 of what is not."""
    return re_.softmax(_kept(_typed(x, dtype), mask, -np.inf), dim=dim)


@composed
def log_softmax(x: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Logarithm of the softmax along `dim` of what is in."""
    return re_.log_softmax(_kept(_typed(x, dtype), mask, -np.inf), dim=dim)


@composed
def softmin(x: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Softmax of -x along `dim` of what is in; 0 of what is not."""
    return re_.softmax(-_kept(_typed(x, dtype), mask, np.inf), dim=dim)


@composed
def normalize(x: Any, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None) -> Any:
    """x over the norm along `dim` of what is in, held above eps; 0 for what is out."""
    x = _typed(x, dtype)
    length = norm(x, ord, dim, keepdim=True, mask=mask)
    return ew.divide(_kept(x, mask, 0), ew.maximum(length, np.asarray(eps, length.dtype)))


@composed
def logaddexp(x: Any, other: Any, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None) -> Any:
    """ln(e^x + e^other), a term that is out counting as 0."""
    return ew.logaddexp(_kept(_typed(x, dtype), input_mask, -np.inf), _kept(_typed(other, dtype), other_mask, -np.inf))
