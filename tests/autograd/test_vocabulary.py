"""Functions made of ops: their values beside NumPy's, their derivatives beside differences, and what they refuse."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor

RNG = np.random.default_rng(7)
A, B = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4))
V, W, S = RNG.standard_normal(5), RNG.standard_normal(4), RNG.standard_normal((3, 3))
C, D = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 4, 3))
I, J = np.array([2, 0]), np.array([[0, 2, 1, 1], [2, 2, 0, 1]])
K = np.array([[0, 2, 1, 0], [2, 1, 0, 1]])          # no position twice


def assigned(x, index, value):
    x = x.copy()
    x[index] = value
    return x


def added(x, index, value, ufunc=np.add):
    x = x.copy()
    ufunc.at(x, index, value)
    return x


ALONG = (J, np.arange(4)[None])
VALUES = [
    # arithmetic and products
    (lambda x, y: ag.add(x, y, alpha=3), lambda x, y: x + 3 * y, A, B),
    (lambda x, y: x.sub(y, alpha=2), lambda x, y: x - 2 * y, A, B),
    (lambda x, y: ag.div(x, y, rounding_mode="floor"), lambda x, y: np.floor(x / y), A, B),
    (lambda x, y: ag.div(x, y, rounding_mode="trunc"), lambda x, y: np.trunc(x / y), A, B),
    (lambda x, y, z: ag.addmm(x, y, z, beta=0.5, alpha=2), lambda x, y, z: 0.5 * x + 2 * y @ z, S, A, D[0]),
    (lambda x, y, z: x.addmv(y, z), lambda x, y, z: x + y @ z, A[:, 0], A, W),
    (lambda x, y, z: x.addr(y, z), lambda x, y, z: x + np.outer(y, z), A, A[:, 0], W),
    (lambda x, y, z: x.baddbmm(y, z), lambda x, y, z: x + y @ z, S, C, D),
    (lambda x, y, z: x.addbmm(y, z), lambda x, y, z: x + (y @ z).sum(0), S, C, D),
    (ag.kron, np.kron, A, S), (ag.inner, np.inner, A, B), (ag.vdot, np.vdot, V, V + 1),
    (lambda x, y: ag.tensordot(x, y, 2), lambda x, y: np.tensordot(x, y, 2), C, C[0]),
    (lambda x, y: ag.tensordot(x, y, ([2, 1], [1, 2])), lambda x, y: np.tensordot(x, y, ([2, 1], [1, 2])), C, D),
    (lambda x, y: ag.cross(x, y, 1), np.cross, S, S[::-1].copy() + 1),
    (ag.cdist, lambda x, y: np.sqrt(((x[:, None] - y) ** 2).sum(-1)), A, B + 1),
    (lambda x, y: ag.cdist(x, y, 1.0), lambda x, y: abs(x[:, None] - y).sum(-1), A, B),
    (lambda x, y: ag.dist(x, y, 3), lambda x, y: (abs(x - y) ** 3).sum() ** (1 / 3), A, B),
    (lambda x: ag.renorm(x, 2, 0, 1.0), lambda x: x * np.minimum(1, 1 / np.linalg.norm(x, axis=1))[:, None], A),
    # shape
    (lambda x, y: ag.hstack([x, y]), lambda x, y: np.hstack([x, y]), A, B),
    (lambda x, y: ag.vstack([x, y]), lambda x, y: np.vstack([x, y]), A, W),
    (lambda x, y: ag.dstack([x, y]), lambda x, y: np.dstack([x, y]), A, B),
    (lambda x, y: ag.column_stack([x, y]), lambda x, y: np.column_stack([x, y]), A, A[:, 0]),
    (lambda x: ag.atleast_3d(x), np.atleast_3d, A), (lambda x: ag.atleast_2d(x), np.atleast_2d, V),
    (lambda x: ag.tensor_split(x, 3, 1)[1], lambda x: np.array_split(x, 3, 1)[1], A),
    (lambda x: x.tensor_split((1, 3), 1)[2], lambda x: np.split(x, [1, 3], 1)[2], A),
    (lambda x: x.hsplit(2)[1], lambda x: np.hsplit(x, 2)[1], A), (lambda x: x.vsplit(3)[1], lambda x: x[1:2], A),
    (lambda x, y: ag.meshgrid(x, y, indexing="ij")[0] * 2, lambda x, y: np.meshgrid(x, y, indexing="ij")[0] * 2, V, W),
    (lambda x, y: ag.meshgrid(x, y, indexing="xy")[1], lambda x, y: np.meshgrid(x, y)[1], V, W),
    (lambda x, y: ag.block_diag(x, y), lambda x, y: np.block([[x, np.zeros((3, 3))], [np.zeros((3, 4)), y]]), A, S),
    (lambda x, y: ag.cartesian_prod(x, y), lambda x, y: np.stack([np.repeat(x, 4), np.tile(y, 5)], 1), V, W),
    (lambda x: ag.combinations(x, 2), lambda x: np.stack([x[np.triu_indices(5, 1)[k]] for k in (0, 1)], 1), V),
    (lambda x: x.repeat_interleave(2, 1), lambda x: np.repeat(x, 2, 1), A),
    (lambda x: x.repeat_interleave(Tensor([1, 0, 3]), 0), lambda x: np.repeat(x, [1, 0, 3], 0), A),
    (lambda x: ag.rot90(x), np.rot90, A), (lambda x: x.rot90(-1, (1, 2)), lambda x: np.rot90(x, -1, (1, 2)), C),
    (lambda x: x.fliplr(), np.fliplr, A), (lambda x: x.flipud(), np.flipud, A),
    (lambda x: x.narrow(1, 1, 2), lambda x: x[:, 1:3], A), (lambda x: x.select(1, -1), lambda x: x[:, -1], A),
    (lambda x: x.diag(1), lambda x: np.diag(x, 1), V), (lambda x: x.diag(-1), lambda x: np.diag(x, -1), A),
    (lambda x: ag.diag_embed(x), lambda x: np.stack([np.diag(r) for r in x]), A), (ag.trace, np.trace, S),
    (lambda x: x.unfold(1, 2, 2), lambda x: np.stack([x[:, :2], x[:, 2:]], 1), A),
    (lambda x: x.sum_to_size(1, 4), lambda x: x.sum(0, keepdims=True), A), (lambda x: x.H, np.transpose, A),
    (lambda x: x.roll((1, -2), (0, 1)), lambda x: np.roll(x, (1, -2), (0, 1)), A),
    (lambda x: ag.view_copy(x, (2, 6)), lambda x: x.reshape(2, 6), A),
    # writing
    (lambda x, y: x.index_add(0, I, y, alpha=2), lambda x, y: added(x, I, 2 * y), A, B[:2]),
    (lambda x, y: x.index_add(0, [1, 1], y), lambda x, y: added(x, [1, 1], y), A, B[:2]),
    (lambda x, y: x.index_copy(1, I, y), lambda x, y: assigned(x, (slice(None), I), y), A, B[:, :2]),
    (lambda x: x.index_fill(1, I, 7.0), lambda x: assigned(x, (slice(None), I), 7), A),
    (lambda x, y: x.index_put((Tensor(I), Tensor([3, 1])), y), lambda x, y: assigned(x, (I, [3, 1]), y), A, V[:2]),
    (lambda x, y: x.index_put((Tensor([1, 1]),), y, True), lambda x, y: added(x, [1, 1], y), A, B[:2]),
    (lambda x, y: x.put(Tensor([1, -1]), y), lambda x, y: assigned(x.ravel(), [1, -1], y).reshape(3, 4), A, V[:2]),
    (lambda x, y: x.scatter(0, K, y), lambda x, y: assigned(x, (K, np.arange(4)[None]), y), A, B[:2]),
    (lambda x, y: x.scatter_add(0, J, y), lambda x, y: added(x, ALONG, y), A, B[:2]),
    (lambda x, y: x.scatter_reduce(0, J, y, "prod"), lambda x, y: added(x, ALONG, y, np.multiply), A, B[:2]),
    (lambda x, y: x.scatter_reduce(0, J, y, "amax"), lambda x, y: added(x, ALONG, y, np.maximum), A, B[:2]),
    (lambda x, y: x.scatter_reduce(0, J, y, "amin", include_self=False),
     lambda x, y: added(assigned(x, ALONG, np.inf), ALONG, y, np.minimum), A, B[:2]),
    (lambda x, y: x.scatter_reduce(0, J, y, "mean"),
     lambda x, y: added(x, ALONG, y) / added(np.ones_like(x), ALONG, 1), A, B[:2]),
    (lambda x, y: x.masked_scatter(Tensor(A > 0), y), lambda x, y: assigned(x, A > 0, y.ravel()[:(A > 0).sum()]), A, B),
    (lambda x, y: x.select_scatter(y, 0, 1), lambda x, y: assigned(x, 1, y), A, W),
    (lambda x, y: x.slice_scatter(y, 1, 1, 4, 2), lambda x, y: assigned(x, np.s_[:, 1:4:2], y), A, B[:, :2]),
    (lambda x, y: x.diagonal_scatter(y), lambda x, y: assigned(x, (range(3), range(3)), y), A, V[:3]),
    # running and sorted
    (lambda x: x.cumprod(1), lambda x: np.cumprod(x, 1), A), (lambda x: x.diff(2), lambda x: np.diff(x, 2), A),
    (lambda x: ag.cumprod(x, 0), np.cumprod, np.array([2.0, 0.0, 3.0, 0.0, 1.0])),
    (lambda x: x.cummax(1)[0], lambda x: np.maximum.accumulate(x, 1), A),
    (lambda x: x.cummin(1)[0], lambda x: np.minimum.accumulate(x, 1), A),
    (lambda x: x.logcumsumexp(0), lambda x: np.log(np.cumsum(np.exp(x), 0)), A),
    (lambda y, x: ag.trapezoid(y, x), lambda y, x: np.trapezoid(y, x), A, W),
    (lambda y: ag.cumulative_trapezoid(y, dx=0.5), lambda y: np.cumsum((y[:, 1:] + y[:, :-1]) / 4, 1), A),
    (lambda x: x.median(), np.median, V), (lambda x: x.median(1)[0], lambda x: np.sort(x, 1)[:, 1], A),
    (lambda x: x.kthvalue(2, 0)[0], lambda x: np.sort(x, 0)[1], A), (lambda x: x.msort(), lambda x: np.sort(x, 0), A),
    (lambda x: x.quantile(0.3), lambda x: np.quantile(x, 0.3), A),
    (lambda x: ag.quantile(x, Tensor(np.array([0.1, 0.6], x.dtype)), 0, True),
     lambda x: np.quantile(x, [0.1, 0.6], 0, keepdims=True), C),
    (lambda x: x.quantile(0.6, 1, interpolation="midpoint"), lambda x: np.quantile(x, 0.6, 1, method="midpoint"), A),
    (lambda x: x.mode()[0], lambda x: x.min(1), A), (lambda x: x.aminmax(dim=0)[1], lambda x: x.max(0), A),
    (lambda x: x.var(1, False), lambda x: x.var(1), A),
    (lambda x: ag.std(x, unbiased=True), lambda x: x.std(ddof=1), A),
    (lambda x: ag.var_mean(x, 0)[0], lambda x: x.var(0, ddof=1), A), (lambda x: ag.std_mean(x)[1], np.mean, A),
    (lambda x: x.cov(), np.cov, A), (lambda x: x.corrcoef(), np.corrcoef, A),
    (lambda x, w: ag.cov(x, aweights=w), lambda x, w: np.cov(x, aweights=w), A, abs(W)),
]


@pytest.mark.parametrize("f, reference, inputs",
                         [pytest.param(f, g, xs, id=f"{k}") for k, (f, g, *xs) in enumerate(VALUES)])
def test_values_and_derivatives(f, reference, inputs):
    leaves = [Tensor(x, requires_grad=True) for x in inputs]
    out, expected = f(*leaves), reference(*inputs)
    assert out.requires_grad and out.shape == np.shape(expected) and np.allclose(out.value, expected, atol=1e-12)
    assert ag.gradcheck(f, inputs) and ag.gradgradcheck(f, inputs)
    small = f(*[Tensor(x.astype(np.float32), requires_grad=True) for x in inputs])
    assert small.dtype == np.float32


N = np.array([[np.nan, 1.0, 3.0], [2.0, np.nan, np.nan]])
PLACES = [
    (lambda x: ag.argwhere(x > 0), lambda x: np.argwhere(x > 0), A),
    (lambda x: ag.nonzero(x > 0, as_tuple=True)[1], lambda x: np.nonzero(x > 0)[1], A),
    (lambda x: ag.bincount((x * 2).abs().long()), lambda x: np.bincount((abs(x) * 2).astype(int)), V),
    (lambda x: x.histc(4, -1, 1), lambda x: np.histogram(x, 4, (-1, 1))[0], A),
    (lambda x: ag.bucketize(x, np.array([-1.0, 0.0, 1.0])), lambda x: np.searchsorted([-1, 0, 1], x), A),
    (lambda x: ag.searchsorted(x.sort()[0], Tensor(B), right=True),
     lambda x: np.stack([np.searchsorted(np.sort(r), b, "right") for r, b in zip(x, B)]), A),
    (lambda x: ag.isin(x.round(), Tensor([0.0, 1.0])), lambda x: np.isin(np.round(x), [0, 1]), A),
    (lambda x: x.round().unique(return_counts=True)[1], lambda x: np.unique(np.round(x), return_counts=True)[1], A),
    (lambda x: ag.unique_consecutive(x.sign()), lambda x: np.array([s for s, _ in groupby(np.sign(x))]), V),
    (lambda x: ag.tril_indices(3, 4) + 0 * x.sum().long(), lambda x: np.stack(np.tril_indices(3, 0, 4)), A),
    (lambda x: x.nansum(1), lambda x: np.nansum(x, 1), N), (lambda x: x.nanmean(1), lambda x: np.nanmean(x, 1), N),
    (lambda x: x.nanmedian(), lambda x: 2.0, N), (lambda x: x.median(), lambda x: np.nan, N),
    (lambda x: x.nanquantile(0.5, 1), lambda x: np.nanquantile(x, 0.5, 1), N),
]


@pytest.mark.parametrize("f, reference, x", [pytest.param(*row, id=f"{k}") for k, row in enumerate(PLACES)])
def test_places_counts_and_nan(f, reference, x):
    assert np.array_equal(f(Tensor(x)).value, reference(x), equal_nan=True)


@pytest.mark.parametrize("f, error, text", [
    (lambda x: ag.div(x, x, rounding_mode="up"), ValueError, "rounding_mode"),
    (lambda x: x.narrow(0, 2, 2), IndexError, "narrow"), (lambda x: x.select(0, 3), IndexError, "select"),
    (lambda x: ag.diag(x[None]), ShapeError, "diag"), (lambda x: x.hsplit(3), ShapeError, "tensor_split"),
    (lambda x: x.scatter(0, J + 2, x), IndexError, "out of bounds"), (lambda x: x.kthvalue(9), IndexError, "kthvalue"),
    (lambda x: x.scatter_reduce(0, J, x, "max"), ValueError, "amax"), (lambda x: ag.cov(x[None]), ShapeError, "cov"),
    (lambda x: x.index_add(0, I, x), ShapeError, "index_add"), (lambda x: x.quantile(1.5), ValueError, "quantile"),
    (lambda x: x.index_copy(0, [3], x[:1]), IndexError, "out of bounds"),
    (lambda x: ag.cross(x, x, 1), ShapeError, "3 elements"),
    (lambda x: x.masked_scatter(x > -9, x[0]), ShapeError, "source"), (lambda x: x.unfold(0, 4, 1), ShapeError, "size"),
    (lambda x: ag.sum(x, input=x), TypeError, "sum"), (lambda x: ag.squeeze(x, dim=0, axis=0), TypeError, "the same"),
])
def test_refusals(f, error, text):
    with pytest.raises(error, match=text):
        f(Tensor(A))


def test_dtypes_asked_for():
    x = Tensor(A.astype(np.float32), requires_grad=True)
    for f in (lambda: x.sum(dtype=np.float64), lambda: x.mean(0, dtype=np.float64), lambda: x.softmax(1, np.float64),
              lambda: x.prod(dtype=np.float64), lambda: x.cumsum(0, dtype=np.float64), lambda: x.cumprod(0, np.float64),
              lambda: ag.log_softmax(x, 1, dtype=np.float64)):
        y = f()
        (g,) = ag.gradients(y.sum(), x)
        assert y.dtype == np.float64 and g.dtype == np.float32
    assert x.to("cpu", np.float64, copy=True).dtype == np.float64 and x.to(x) is x and x.to(x.dtype, copy=True) is not x
