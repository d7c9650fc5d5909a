"""Where PyTorch's answer at an edge is not the last word: the same function, written in PyTorch without the fault.

Consulted only where a sample at edge values differs from PyTorch's operator.  The sample then runs again, against the
function given here, with the same comparison of value, shape, dtype and first derivative.  Three kinds:

- the operator's own derivative (or value) is wrong at the edge, and a composition of other operators gives the right
  one: the slope of `polar` at length 0 is e^(iφ), not 0;
- which of several equal elements an index names is left open: whatever was chosen here must be valid, and the values
  and derivatives must be those of that choice;
- the values cancel, so that rounding decides (Fourier transforms): the two results may differ by the error bound of
  the algorithm, no more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

import autograd

EPS = np.finfo(np.float64).eps


class Other:
    """An OpInfo with another function behind it."""

    def __init__(self, info: Any, op: Any) -> None:
        self._info, self.op = info, op

    def __getattr__(self, name: str) -> Any:
        return getattr(self._info, name)


def second_opinion(info: Any) -> Other | None:
    """The OpInfo with the better function behind it, or None where PyTorch's stands."""
    if info.name in FREE:
        return Other(info, _chosen(info.name))
    if info.name.startswith("fft.") and info.name[4:] in TRANSFORMS:
        return Other(info, _rounded(info.op, info.name[4:]))
    return Other(info, BETTER[info.name]) if info.name in BETTER else None


# -- better written --------------------------------------------------------------------------------------


def polar(abs: Any, angle: Any) -> Any:
    """The slope to the length is e^(iφ) everywhere; PyTorch has 0 at length 0 and the opposite below."""
    return torch.complex(abs * angle.cos(), abs * angle.sin())


def hypot(x: Any, y: Any) -> Any:
    """0 at the origin, as PyTorch's own norm has it; its hypot gives NaN."""
    return torch.linalg.vector_norm(torch.stack(torch.broadcast_tensors(x, y)), dim=0)


def copysign(x: Any, y: Any) -> Any:
    """The slope is ±1 also at ±inf, where PyTorch divides inf by inf."""
    y = torch.as_tensor(y, dtype=x.dtype)
    return torch.where(x == 0, torch.copysign(x, y).detach(), torch.where(x.signbit() == y.signbit(), x, -x))


NEUTRAL = {"amax": -torch.inf, "amin": torch.inf, "prod": 1.0}


def scatter_reduce(x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """What is not included has no part in a tie either; PyTorch counts it and halves the slope."""
    if not include_self and reduce in NEUTRAL:
        x = x.scatter(dim, index, NEUTRAL[reduce])
    return torch.scatter_reduce(x, dim, index, src, reduce)


def index_reduce(x: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """As `scatter_reduce`, of which it is a special case."""
    if reduce not in NEUTRAL:
        return torch.index_reduce(x, dim, index, source, reduce, include_self=include_self)
    if not x.ndim or not source.ndim:
        flat = index_reduce(x.reshape(-1), dim, index.reshape(-1), source.reshape(-1), reduce,
                            include_self=include_self)
        return flat.reshape(x.shape)
    wide = index.reshape([-1 if d == dim % x.ndim else 1 for d in range(x.ndim)]).expand_as(source)
    return scatter_reduce(x, dim, wide, source, reduce, include_self=include_self)


def binary_cross_entropy(p: Any, t: Any, weight: Any = None, reduction: str = "mean", **_: Any) -> Any:
    """The slope to the target is that of the loss, whose logarithms end at -100; PyTorch's does not end."""
    def loss(p: Any, t: Any) -> Any:
        out = -(t * p.log().clamp(min=-100) + (1 - t) * (-p).log1p().clamp(min=-100))
        out = out if weight is None else out * weight
        return out.mean() if reduction == "mean" else out.sum() if reduction == "sum" else out
    own = loss(p.detach(), t)
    return F.binary_cross_entropy(p, t.detach(), weight, reduction=reduction) + own - own.detach()


def poisson_nll_loss(x: Any, t: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8,
                     reduction: str = "mean", **_: Any) -> Any:
    """Stirling's term counts above 1 only; PyTorch lets its slope at 0 through, as 0 · inf."""
    out = x.exp() - t * x if log_input else x - t * (x + eps).log()
    if full:
        s = torch.where(t > 1, t, 2)
        out = out + torch.where(t > 1, s * s.log() - s + 0.5 * (2 * torch.pi * s).log(), 0)
    return out.mean() if reduction == "mean" else out.sum() if reduction == "sum" else out


def soft_margin_loss(x: Any, t: Any, reduction: str = "mean", **_: Any) -> Any:
    """Without overflow."""
    out = torch.logaddexp(torch.zeros((), dtype=x.dtype), -t * x)
    return out.mean() if reduction == "mean" else out.sum() if reduction == "sum" else out


def as_strided_scatter(x: Any, src: Any, size: Any, stride: Any, storage_offset: Any = None) -> Any:
    """PyTorch's slope to x is not that of its value: its own gradcheck says so."""
    at = torch.arange(x.numel()).as_strided(size, stride, storage_offset or 0)
    return x.reshape(-1).index_put((at.reshape(-1),), src.reshape(-1)).reshape(x.shape)


def rdiv(x: Any, other: Any) -> Any:
    """A quotient; PyTorch's reflected one multiplies by a reciprocal, which overflows first."""
    return torch.true_divide(torch.as_tensor(other), x)


def rmod(x: Any, other: Any) -> Any:
    """As `remainder`, whose slope PyTorch has and the reflected operator has not."""
    return torch.remainder(torch.as_tensor(other), x)


BETTER = {
    "as_strided_scatter": as_strided_scatter,
    "__rdiv__": rdiv,
    "__rmod__": rmod,
    "polar": polar,
    "hypot": hypot,
    "copysign": copysign,
    "scatter_reduce": scatter_reduce,
    "index_reduce": index_reduce,
    "nn.functional.binary_cross_entropy": binary_cross_entropy,
    "nn.functional.poisson_nll_loss": poisson_nll_loss,
    "nn.functional.soft_margin_loss": soft_margin_loss,
}


# -- free choices ----------------------------------------------------------------------------------------

FREE = {"topk", "kthvalue", "sort", "argsort", "msort", "mode"}


def _chosen(name: str) -> Any:
    function = getattr(torch, name)

    def chosen(x: Any, *args: Any, **kwargs: Any) -> Any:
        theirs = function(x, *args, **kwargs)
        if x.ndim == 0:
            return theirs
        dim = _axis(name, args, kwargs)
        if name == "msort":
            indices = torch.from_numpy(np.argsort(x.detach().numpy(), axis=0, kind="stable"))
            values = torch.gather(x, 0, indices)
            return values if _equal(values, theirs) else theirs
        mine = getattr(autograd, name)(x.detach().numpy(), *args, **kwargs)
        indices = torch.from_numpy(np.array(mine if name == "argsort" else mine.indices))
        found = theirs if name == "argsort" else theirs.indices
        if indices.shape != found.shape:
            return theirs
        alone = indices.ndim < x.ndim
        at, their_at = (i.unsqueeze(dim) if alone else i for i in (indices, found))
        values, expected = torch.gather(x, dim, at), torch.gather(x, dim, their_at)
        ordered = at.sort(dim).values
        if not _equal(values, expected) or (ordered.diff(dim=dim) == 0).any():
            return theirs
        return indices if name == "argsort" else type(theirs)((values.squeeze(dim) if alone else values, indices))
    chosen.__name__ = name
    return chosen


def _equal(a: Any, b: Any) -> bool:
    return torch.allclose(a, b, 0, 0, equal_nan=True)


def _axis(name: str, args: Any, kwargs: Any) -> int:
    place = 1 if name in ("topk", "kthvalue") else 0
    return kwargs.get("dim", args[place] if len(args) > place else -1)


# -- rounding --------------------------------------------------------------------------------------------

TRANSFORMS = {"fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "rfft", "rfft2", "rfftn", "irfft", "irfft2", "irfftn",
              "hfft", "hfft2", "hfftn", "ihfft", "ihfft2", "ihfftn"}


def _rounded(function: Any, name: str) -> Any:
    """PyTorch's transform, with the value found here where the two differ by no more than their rounding.

    Each is off by at most  4 ε log2(n) Σ|x|  in the scale of the transform (Higham, Accuracy and Stability of
    Numerical Algorithms, theorem 24.2, with Σ|x| <= n max |x|).
    """
    def rounded(x: Any, *args: Any, **kwargs: Any) -> Any:
        theirs = function(x, *args, **kwargs)
        mine = torch.from_numpy(np.asarray(getattr(autograd.fft, name)(x.detach().numpy(), *args, **kwargs)))
        if mine.shape != theirs.shape or mine.dtype != theirs.dtype or not torch.isfinite(theirs).all():
            return theirs
        largest = function(torch.ones_like(x), *args, **kwargs).abs().max()          # the scale of the transform
        bound = 8 * EPS * np.log2(max(theirs.numel(), 2)) * largest * x.abs().max()
        if not ((mine - theirs).abs() <= bound).all():
            return theirs
        return theirs + (mine - theirs).detach()
    rounded.__name__ = name
    return rounded
