"""How products, convolutions and windows run on all lanes of a `vmap`: as more rows, more images, more groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops import add, gather, log_softmax, matmul, multiply, permute, reshape, standardize, sum
from ..ops.axes import axes_of
from ..ops.loss import less_onehot
from ..ops.matrix import contract
from ..tensor import Tensor, wrap
from .rules import LaneByLane, Operands, from_the_back, rule

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else wrap(np.asarray(x)[()])


@rule("matmul")
def _matmul(o: Operands) -> Any:
    x, y = _tensor(o.xs[0]), _tensor(o.xs[1])
    n, m = o.ndim(0), o.ndim(1)
    if not n or not m:
        raise LaneByLane
    if not o.on[1] and m == 2 and n <= 2:     # one product over all lanes
        return matmul(x, y) if n == 1 else reshape(matmul(reshape(x, shape=(-1, x.shape[-1])), y),
                                                   shape=(*x.shape[:-1], y.shape[-1]))
    if not o.on[0] and m == 1 and n == 2:
        return matmul(y, x.mT)
    if not o.on[1] and m == 1:
        return matmul(x, y)
    lead = max(n, m, 2) - 2
    x = _matrices(x, o.on[0], n, lead, row=True)
    y = _matrices(y, o.on[1], m, lead, row=False)
    out = matmul(x, y)
    drop = [out.ndim - 2] * (n == 1) + [out.ndim - 1] * (m == 1)
    return reshape(out, shape=tuple([k for d, k in enumerate(out.shape) if d not in drop])) if drop else out


def _matrices(x: Any, on: bool, n: int, lead: int, row: bool) -> Any:
    """Operands of one lane as matrices behind `lead` axes; with the lanes in front if there are any."""
    shape = x.shape[on:]
    if n == 1:
        shape = (1, *shape) if row else (*shape, 1)
    if on:
        shape = (x.shape[0], *(1,) * (lead + 2 - len(shape)), *shape)
    return x if shape == x.shape else reshape(x, shape=shape)


@rule("linear")
def _affine(o: Operands) -> Any:
    if not any(o.on[1:]):
        return o.run(*o.xs)
    x, lanes = (o.xs[0], o.on[0]) if any(o.on[:2]) else (o.full(0), True)
    out = _matmul(Operands(None, [x, _tensor(o.xs[1]).mT], [lanes, o.on[1]], {}, o.size))
    if len(o.xs) < 3 or o.xs[2] is None:
        return out
    bias = _tensor(o.xs[2])
    if o.on[2] and out.ndim > 2:
        bias = reshape(bias, shape=(o.size, *(1,) * (out.ndim - 2), bias.shape[-1]))
    return out + bias


@rule("contract")
def _contract(o: Operands) -> Any:
    left, out = o.attrs["subscripts"].split("->")
    terms = left.split(",")
    letter = next(c for c in _LETTERS if c not in left)
    terms = [letter + t if on else t for t, on in zip(terms, o.on, strict=True)]
    return contract(*[_tensor(x) for x in o.xs], subscripts=",".join(terms) + "->" + letter + out)


@rule("cross_entropy")
def _cross_entropy(o: Operands) -> Any:
    logits, target = o.full(0), o.full(1)
    picked = gather(log_softmax(logits, dim=2), 2, reshape(target, shape=(*target.shape, 1)))
    return -(picked.mean((1, 2)))


@rule("less_onehot")
def _less_onehot(o: Operands) -> Any:
    p, target = o.full(0), o.full(1)
    return reshape(less_onehot(reshape(p, shape=(-1, p.shape[-1])), reshape(target, shape=-1)), shape=p.shape)


# -- normalisation ---------------------------------------------------------------------------------------


def _axes(o: Operands) -> Any:
    """The axes that are normalised over, from the back."""
    return from_the_back(axes_of(o.attrs["dim"], o.ndim()), o.ndim())


def _over(x: Any, on: bool, n: int) -> Any:
    """A weight for the last axes of a lane of n axes, so that it meets lane by lane."""
    x = _tensor(x)
    return reshape(x, shape=(x.shape[0], *(1,) * (n + 1 - x.ndim), *x.shape[1:])) if on else x


@rule("standardize")
def _standardize(o: Operands) -> Any:
    return o.run(o.xs[0], dim=_axes(o))


@rule("layer_norm")
def _layer_norm(o: Operands) -> Any:
    n = o.ndim()
    if not any(o.on[1:]):
        return o.run(*o.xs, dim=_axes(o))
    out = standardize(o.full(0), dim=_axes(o), eps=o.attrs["eps"])
    for j, combine in enumerate((multiply, add), 1):
        if len(o.xs) > j and o.xs[j] is not None:
            out = combine(out, _over(o.xs[j], o.on[j], n))
    return out


@rule("standardize_backward")
def _standardize_backward(o: Operands) -> Any:
    g, weight = o.full(0), o.xs[3] if len(o.xs) > 3 else None
    if weight is not None and o.on[3]:
        g, weight = multiply(g, _over(weight, True, o.ndim())), None
    return o.run(g, o.full(1), o.full(2), weight, dim=_axes(o))


@rule("products_to")
def _products_to(o: Operands) -> Any:
    x, y, lead = o.full(0), o.full(1), o.ndim() - len(o.attrs["shape"])
    return sum(multiply(x, y), dim=tuple(range(1, lead + 1))) if lead else multiply(x, y)


@rule("bag_sum")
def _bag_sum(o: Operands) -> Any:
    turn = (1, 0, *range(2, o.ndim() + 1))
    return permute(o.run(permute(o.xs[0], dims=turn)), dims=turn)


# -- images: the lanes are more of them, or more groups of channels --------------------------------------


def _merged(x: Any) -> Any:
    """Lanes of images (B, N, C, L...) as more images (B N, C, L...)."""
    return reshape(x, shape=(x.shape[0] * x.shape[1], *x.shape[2:]))


def _split(x: Any, size: int) -> Any:
    return reshape(x, shape=(size, x.shape[0] // size, *x.shape[1:]))


def _as_channels(x: Any) -> Any:
    """Lanes of images (B, N, C, L...) as one set of images of B C channels."""
    x = permute(x, dims=(1, 0, *range(2, x.ndim)))
    return reshape(x, shape=(x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


def _from_channels(x: Any, size: int) -> Any:
    x = reshape(x, shape=(x.shape[0], size, x.shape[1] // size, *x.shape[2:]))
    return permute(x, dims=(1, 0, *range(2, x.ndim)))


@rule("convolution", "convolution_transpose")
def _convolution(o: Operands) -> Any:
    if o.on[0] and not any(o.on[1:]):
        return _split(o.run(_merged(o.xs[0]), *o.xs[1:]), o.size)
    x, weight = _as_channels(o.full(0)), _merged(o.full(1))
    bias = [None if b is None else reshape(o.full(2), shape=-1) for b in o.xs[2:]]
    return _from_channels(o.run(x, weight, *bias, groups=o.attrs["groups"] * o.size), o.size)


@rule("convolution_weight")
def _convolution_weight(o: Operands) -> Any:
    out = o.run(_as_channels(o.full(0)), _as_channels(o.full(1)), groups=o.attrs["groups"] * o.size)
    return _split(out, o.size)


@rule("max_pool", "pick_windows", "place_windows", "window_spread", "window_sum", "unfold", "fold")
def _windows(o: Operands) -> Any:
    return _split(o.run(*[_merged(o.full(j)) for j in range(len(o.xs))]), o.size)

