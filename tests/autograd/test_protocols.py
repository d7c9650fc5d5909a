"""NumPy's functions given Tensors: NumPy's values, recorded, with the right gradient; what cannot be is refused."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import GradientError, Tensor

rng = np.random.default_rng(5)
V, W, P = rng.normal(size=4), rng.normal(size=4), rng.uniform(0.5, 2, 4)
M, N = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
T3 = rng.normal(size=(2, 3, 4))
S = rng.normal(size=(3, 3)) + 3 * np.eye(3)
SYM = S @ S.T
B = rng.normal(size=(3, 2))
HOLES = np.where(rng.random((3, 4)) < 0.3, np.nan, M)
MASK = rng.random((3, 4)) < 0.6
MASK[:, 0] = True
C = rng.normal(size=5) + 1j * rng.normal(size=5)


def names(text: str) -> list[str]:
    return text.split()


# One row: what is called, and with which arrays; each is given as a Tensor in turn, and all together.
CALLS: dict[str, Any] = {
    # ufuncs
    **{name: (getattr(np, name), V) for name in names("""absolute arcsinh arctan cbrt cos cosh deg2rad degrees exp
       exp2 expm1 fabs negative positive rad2deg radians sign sin sinh square tan tanh floor ceil trunc
       rint isnan isfinite signbit logical_not conjugate""")},
    **{name: (getattr(np, name), P) for name in names("log log2 log10 log1p sqrt reciprocal spacing")},
    **{name: (getattr(np, name), V / 4) for name in names("arcsin arccos arctanh")},
    "arccosh": (np.arccosh, P + 1),
    **{name: (getattr(np, name), V, W) for name in names("""add subtract multiply divide maximum minimum
       fmax fmin arctan2 hypot copysign logaddexp logaddexp2 less less_equal greater greater_equal equal
       not_equal logical_and logical_or logical_xor""")},
    **{name: (getattr(np, name), P, W) for name in names("power float_power remainder fmod floor_divide heaviside")},
    "matmul": (np.matmul, M, N.T), "vecdot": (np.vecdot, M, N), "matvec": (np.matvec, M, V),
    "vecmat": (np.vecmat, V[:3], M), "modf": (np.modf, V * 3), "divmod": (np.divmod, P, W), "ldexp": (
        lambda x: np.ldexp(x, 2), V),
    "add.reduce": (np.add.reduce, M), "add.reduce axis": (lambda x: np.add.reduce(x, axis=(0, 1)), T3),
    "multiply.reduce": (lambda x: np.multiply.reduce(x, axis=1, keepdims=True), M),
    "maximum.reduce": (lambda x: np.maximum.reduce(x, axis=None), M), "minimum.reduce": (np.minimum.reduce, M),
    "logaddexp.reduce": (np.logaddexp.reduce, M), "add.reduce where": (
        lambda x: np.add.reduce(x, axis=1, where=MASK, initial=2.0), M),
    "add.accumulate": (np.add.accumulate, M), "multiply.accumulate": (np.multiply.accumulate, M),
    "maximum.accumulate": (lambda x: np.maximum.accumulate(x, axis=1), M),
    "logaddexp.accumulate": (np.logaddexp.accumulate, V),
    "multiply.outer": (np.multiply.outer, M, V), "subtract.outer": (np.subtract.outer, V, M),
    "add dtype": (lambda x: np.add(x, 1, dtype=np.float64), V.astype(np.float32)),
    # reductions
    "sum": (np.sum, M), "sum axes": (lambda x: np.sum(x, axis=(0, 2)), T3), "sum none": (
        lambda x: np.sum(x, axis=()), M), "sum where": (lambda x: np.sum(x, 1, where=MASK, initial=3), M),
    "prod": (np.prod, M), "prod axis": (lambda x: np.prod(x, axis=(0, 2), keepdims=True), T3),
    "mean": (np.mean, M), "mean where": (lambda x: np.mean(x, axis=1, where=MASK), M),
    "mean integers": (np.mean, np.arange(5)), "max": (np.max, M), "amax": (lambda x: np.amax(x, 1, keepdims=True), M),
    "min": (lambda x: np.min(x, axis=(0, 1)), T3), "amin": (np.amin, M), "max initial": (
        lambda x: np.max(x, axis=1, initial=0.1, where=MASK), M),
    "std": (np.std, M), "std ddof": (lambda x: np.std(x, axis=0, ddof=1), M), "var": (
        lambda x: np.var(x, (0, 2), keepdims=True), T3), "var where": (lambda x: np.var(x, 1, where=MASK, ddof=1), M),
    "std correction": (lambda x: np.std(x, axis=1, correction=1), M), "var complex": (np.var, C),
    "ptp": (lambda x: np.ptp(x, 1), M), "average": (lambda x, w: np.average(x, axis=0, weights=w), M, P[:3]),
    "average all": (lambda x, w: np.average(x, weights=w), M, np.abs(N) + 0.1),
    "average returned": (lambda x: np.average(x, axis=1, returned=True), M),
    "cumsum": (np.cumsum, M), "cumsum axis": (lambda x: np.cumsum(x, axis=1), M), "cumprod": (np.cumprod, M),
    "cumulative_sum": (lambda x: np.cumulative_sum(x, axis=1, include_initial=True), M),
    "cumulative_prod": (np.cumulative_prod, V),
    "diff": (lambda x: np.diff(x, n=2), M), "diff edges": (lambda x: np.diff(x, axis=0, prepend=0, append=1), M),
    "ediff1d": (lambda x: np.ediff1d(x, to_begin=[1, 2], to_end=9), M),
    "trapezoid": (lambda y, x: np.trapezoid(y, x), M, np.cumsum(P)), "trapezoid dx": (
        lambda y: np.trapezoid(y, dx=0.5, axis=0), M),
    "gradient": (np.gradient, V), "gradient axes": (lambda x: np.gradient(x, 2.0, 0.5, edge_order=2), M),
    "gradient uneven": (lambda x: np.gradient(x, np.array([0, 1, 3, 3.5]), edge_order=2), V),
    "median": (np.median, M), "median axis": (lambda x: np.median(x, axis=(0, 2), keepdims=True), T3),
    "quantile": (lambda x: np.quantile(x, [0.1, 0.7], axis=1), M), "percentile": (
        lambda x: np.percentile(x, 30, axis=(0, 1), method="lower"), T3),
    "sort": (np.sort, M), "sort all": (lambda x: np.sort(x, axis=None), M), "partition": (
        lambda x: np.partition(x, 2), V),
    **{f"nan{name}": (lambda x, name=name: getattr(np, f"nan{name}")(x, axis=0), HOLES)
       for name in names("sum prod mean std var max min median cumsum cumprod argmax")},
    "nanquantile": (lambda x: np.nanquantile(x, 0.3, axis=1), HOLES), "nanpercentile": (
        lambda x: np.nanpercentile(x, 30), HOLES), "nan_to_num": (lambda x: np.nan_to_num(x, nan=7.0), HOLES),
    # shapes
    "reshape": (lambda x: np.reshape(x, (2, -1)), M), "reshape F": (lambda x: np.reshape(x, (6, 2), order="F"), M),
    "ravel": (np.ravel, M), "ravel F": (lambda x: np.ravel(x, order="F"), M), "transpose": (np.transpose, T3),
    "transpose axes": (lambda x: np.transpose(x, (1, 0, 2)), T3), "permute_dims": (np.permute_dims, M),
    "matrix_transpose": (np.matrix_transpose, T3), "swapaxes": (lambda x: np.swapaxes(x, 0, -1), T3), "moveaxis": (
        lambda x: np.moveaxis(x, [0, 1], [-1, 0]), T3), "rollaxis": (lambda x: np.rollaxis(x, 2), T3),
    "rollaxis start": (lambda x: np.rollaxis(x, 0, 2), T3), "expand_dims": (
        lambda x: np.expand_dims(x, (0, -1)), M), "squeeze": (lambda x: np.squeeze(x, axis=1), M[:, :1]),
    "squeeze all": (np.squeeze, M[None, :, :1]), "broadcast_to": (lambda x: np.broadcast_to(x, (3, 4)), V),
    "broadcast_arrays": (lambda x, y: np.broadcast_arrays(x, y), V, M), "flip": (np.flip, M), "fliplr": (np.fliplr, M),
    "flipud": (np.flipud, M), "flip axis": (lambda x: np.flip(x, (0, 2)), T3), "rot90": (lambda x: np.rot90(x, 3), M),
    "roll": (lambda x: np.roll(x, 2), M), "roll axes": (lambda x: np.roll(x, (1, 2), axis=(0, 1)), M),
    "tile": (lambda x: np.tile(x, (2, 1, 3)), M), "repeat": (lambda x: np.repeat(x, 2), M), "repeat each": (
        lambda x: np.repeat(x, [1, 0, 2], axis=0), M), "resize": (lambda x: np.resize(x, (3, 5)), V),
    "delete": (lambda x: np.delete(x, [1, 2], axis=1), M), "delete flat": (lambda x: np.delete(x, slice(1, 4)), M),
    "pad": (lambda x: np.pad(x, 1), M), "pad value": (
        lambda x: np.pad(x, ((1, 0), (2, 1)), constant_values=((1, 2), (3, 4))), M), "pad reflect": (
        lambda x: np.pad(x, ((1, 2), (3, 1)), mode="reflect"), M), "pad edge": (lambda x: np.pad(x, 2, "edge"), V),
    "pad wrap": (lambda x: np.pad(x, (2, 3), "wrap"), V), "pad symmetric": (lambda x: np.pad(x, 6, "symmetric"), V),
    "diag": (lambda x: np.diag(x, 1), V), "diag of": (lambda x: np.diag(x, -1), M), "diagflat": (np.diagflat, V),
    "diagonal": (lambda x: np.diagonal(x, 1, 0, 2), T3), "trace": (lambda x: np.trace(x, 1), M), "tril": (np.tril, M),
    "triu": (lambda x: np.triu(x, 1), T3), "atleast_1d": (np.atleast_1d, np.float64(2.0)), "atleast_2d": (
        np.atleast_2d, V), "atleast_3d": (lambda x, y: np.atleast_3d(x, y), M, V), "copy": (np.copy, M), "astype": (
        lambda x: np.astype(x, np.float64), V.astype(np.float32)),
    # joining and cutting
    "concatenate": (lambda x, y: np.concatenate([x, y], axis=1), M, N), "concatenate flat": (
        lambda x, y: np.concatenate((x, y), axis=None), M, V), "concat": (lambda x, y: np.concat([x, y]), V, W),
    "stack": (lambda x, y: np.stack([x, y], axis=-1), M, N), "vstack": (lambda x, y: np.vstack([x, y]), V, M),
    "hstack": (lambda x, y: np.hstack((x, y)), V, W), "dstack": (lambda x, y: np.dstack((x, y)), M, N),
    "column_stack": (lambda x, y: np.column_stack((x, y)), V, W), "block": (
        lambda x, y: np.block([[x, y], [np.zeros((1, 8))]]), M, N), "append": (lambda x, y: np.append(x, y), M, V),
    "append axis": (lambda x, y: np.append(x, y, axis=0), M, N), "insert": (lambda x: np.insert(x, 2, 5.0), M),
    "insert rows": (lambda x, y: np.insert(x, 1, y, axis=0), M, V), "insert many": (
        lambda x, y: np.insert(x, [0, 2], y[:2]), V, W), "insert columns": (
        lambda x, y: np.insert(x, 1, y, axis=1), M, V[:3]), "split": (
        lambda x: np.split(x, 2, axis=1), M), "split at": (
        lambda x: np.split(x, [1, 3], axis=1), M), "array_split": (lambda x: np.array_split(x, 3), V), "hsplit": (
        lambda x: np.hsplit(x, 2), M), "vsplit": (lambda x: np.vsplit(x, 3), M), "dsplit": (
        lambda x: np.dsplit(x, 2), T3), "unstack": (lambda x: np.unstack(x, axis=1), M), "meshgrid": (
        np.meshgrid, V, P[:3]), "meshgrid ij": (lambda x, y: np.meshgrid(x, y, indexing="ij", sparse=True), V, P[:3]),
    # choosing
    "where": (lambda x, y: np.where(MASK, x, y), M, N), "where number": (lambda x: np.where(x > 0, x, 0), M),
    "where alone": (lambda x: np.where(x > 0), M), "take": (lambda x: np.take(x, [[0, 5], [7, 0]]), M), "take axis": (
        lambda x: np.take(x, [3, -1, 0], axis=1), M), "take wrap": (lambda x: np.take(x, [5, -7], mode="wrap"), V),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1), M), "choose": (
        lambda x, y: np.choose([0, 1, 1, 0], [x, y]), V, W), "compress": (
        lambda x: np.compress([True, False, True], x, axis=0), M), "extract": (lambda x: np.extract(MASK, x), M),
    "select": (lambda x, y: np.select([x > 1, y > 0], [x, y * 2], 5.0), M, N), "piecewise": (
        lambda x: np.piecewise(x, [x < 0, x > 1], [lambda v: v * v, 3.0, np.sin]), V), "clip": (
        lambda x: np.clip(x, -0.5, 0.5), M), "clip arrays": (lambda x, low: np.clip(x, low, None), M, V), "clip max": (
        lambda x: np.clip(x, max=0.3), M), "round": (lambda x: np.round(x, 1), M), "around": (np.around, M), "fix": (
        np.fix, M), "sinc": (np.sinc, V), "i0": (np.i0, V), "interp": (
        lambda x, xp, fp: np.interp(x, xp, fp), V, np.cumsum(P) - 3, W), "interp ends": (
        lambda x: np.interp(x * 5, [-1.0, 0, 2], [1.0, 5, 3], left=7.0), V), "interp period": (
        lambda x: np.interp(x * 5, [0.1, 1, 2], [1.0, 5, 3], period=3), V), "unwrap": (
        lambda x: np.unwrap(x), V * 9), "full_like": (lambda x: np.full_like(x, 2.5, shape=(2, 4)), V), "linspace": (
        lambda a, b: np.linspace(a, b, 5), V[0], V[1]), "linspace open": (
        lambda a: np.linspace(a, 3.0, 4, endpoint=False, axis=1), V), "logspace": (
        lambda a: np.logspace(a, 2.0, 4), V[0]), "geomspace": (lambda a: np.geomspace(a, 9.0, 4), P[0]),
    # complex
    "angle": (np.angle, C), "real": (np.real, C), "imag": (np.imag, C), "real of real": (np.real, V), "imag of real": (
        np.imag, V), "conj": (np.conj, C), "real_if_close": (np.real_if_close, C.real + 0j),
    # products
    "dot": (np.dot, M, V), "dot matrices": (np.dot, M, N.T), "dot vectors": (np.dot, V, W), "dot 3": (
        np.dot, T3, M.T), "dot number": (np.dot, V[0], M), "vdot": (np.vdot, C, C[::-1].copy()), "inner": (
        np.inner, T3, M), "outer": (np.outer, V, W), "tensordot": (np.tensordot, T3, M), "tensordot axes": (
        lambda x, y: np.tensordot(x, y, axes=([1, 0], [1, 2])), T3, rng.normal(size=(5, 3, 2))), "einsum": (
        lambda x, y: np.einsum("ij,kj->ik", x, y), M, N), "einsum dots": (
        lambda x, y: np.einsum("...ij,...j", x, y), T3, V), "einsum numbers": (
        lambda x, y: np.einsum(x, [0, 1], y, [2, 1], [2, 0]), M, N), "kron": (np.kron, M, B), "cross": (
        np.cross, S, SYM), "cross axes": (lambda x, y: np.cross(x, y, axis=0), M, N), "convolve": (
        np.convolve, V, P[:3]), "convolve longer": (lambda x, y: np.convolve(x, y, "same"), P[:2], V), "correlate": (
        np.correlate, V, P[:3]), "correlate full": (lambda x, y: np.correlate(x, y, "full"), V[:2], P),
    "correlate same": (lambda x, y: np.correlate(x, y, "same"), V, P[:2]), "cov": (np.cov, M), "cov columns": (
        lambda x, w: np.cov(x, rowvar=False, bias=True, aweights=w), M, P[:3]), "cov pair": (np.cov, V, W),
    "corrcoef": (
        np.corrcoef, M), "polyval": (np.polyval, V, P), "vander": (lambda x: np.vander(x, 3), V), "apply_along_axis": (
        lambda x: np.apply_along_axis(lambda v: np.sort(v) * v[0], 1, T3 if x is T3 else x), T3), "apply_over_axes": (
        lambda x: np.apply_over_axes(np.sum, x, [0, 2]), T3),
    # numpy.linalg
    "norm": (np.linalg.norm, M), "norm axis": (lambda x: np.linalg.norm(x, axis=1, keepdims=True), M), "norm 1": (
        lambda x: np.linalg.norm(x, 1), M), "norm inf": (lambda x: np.linalg.norm(x, np.inf, axis=0), M), "norm nuc": (
        lambda x: np.linalg.norm(x, "nuc"), M), "det": (np.linalg.det, S), "slogdet": (np.linalg.slogdet, S), "inv": (
        np.linalg.inv, S), "pinv": (np.linalg.pinv, M), "solve": (np.linalg.solve, S, B), "solve vector": (
        np.linalg.solve, S, V[:3]), "solve many": (np.linalg.solve, np.stack([S, SYM]), B), "cholesky": (
        lambda x: np.linalg.cholesky((x + x.T) / 2), SYM), "qr": (np.linalg.qr, S), "qr r": (
        lambda x: np.linalg.qr(x, "r"), S), "svd s": (lambda x: np.linalg.svd(x, compute_uv=False), M), "svdvals": (
        np.linalg.svdvals, M), "svd": (
        lambda x: (lambda u, s, v: (u * s) @ v)(*np.linalg.svd(x, full_matrices=False)), M), "eigh": (
        lambda x: np.linalg.eigh((x + x.T) / 2)[0], SYM), "eigvalsh": (
        lambda x: np.linalg.eigvalsh((x + x.T) / 2), SYM), "eigvals": (
        lambda x: np.sum(np.linalg.eigvals(x) ** 3), S), "eig": (
        lambda x: np.sum(np.linalg.eig(x)[0] ** 2), S), "lstsq": (
        lambda x, y: np.linalg.lstsq(x, y, rcond=None)[:2], M.T, W), "matrix_power": (
        lambda x: np.linalg.matrix_power(x, -3), S), "multi_dot": (
        lambda x, y: np.linalg.multi_dot([x, y.T, x]), M, N), "cond": (np.linalg.cond, S), "matrix_rank": (
        np.linalg.matrix_rank, M), "matrix_norm": (np.linalg.matrix_norm, T3), "vector_norm": (
        lambda x: np.linalg.vector_norm(x, axis=1, ord=3), M), "linalg.trace": (np.linalg.trace, T3), "linalg.diagonal":
        (np.linalg.diagonal, T3), "linalg.cross": (np.linalg.cross, S, SYM), "linalg.outer": (np.linalg.outer, V, W),
    "linalg.tensordot": (lambda x, y: np.linalg.tensordot(x, y, axes=1), M, N.T), "linalg.matmul": (
        np.linalg.matmul, M, N.T), "linalg.vecdot": (lambda x, y: np.linalg.vecdot(x, y, axis=0), M, N),
    "tensorinv": (lambda x: np.linalg.tensorinv(np.reshape(x, (3, 3)), 1), S), "tensorsolve": (
        np.linalg.tensorsolve, S, V[:3]),
    # numpy.fft
    **{name: (getattr(np.fft, name), V) for name in names("fft ifft rfft irfft hfft ihfft fftshift ifftshift")},
    **{name: (getattr(np.fft, name), M) for name in names("fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn")},
    "fft n": (lambda x: np.fft.fft(x, n=6, axis=0, norm="ortho"), M), "fftn axes": (
        lambda x: np.fft.fftn(x, axes=(0, 2), norm="forward"), T3),
    # what has no derivative
    "argmax": (lambda x: np.argmax(x, axis=1), M), "argsort": (np.argsort, M), "all": (np.all, M), "any": (
        lambda x: np.any(x > 1, axis=0), M), "searchsorted": (np.searchsorted, np.sort(V), W), "nonzero": (
        np.nonzero, np.round(M)), "ones_like": (np.ones_like, M), "zeros_like": (np.zeros_like, M),
    "isclose": (np.isclose, V, W),
}


def parts(result: Any) -> list[Any]:
    """The arrays of a result, Tensors taken apart."""
    if isinstance(result, (tuple, list)):
        return [p for r in result for p in parts(r)]
    return [result.value if isinstance(result, Tensor) else result]


def weighted(result: Any) -> Any:
    """One number that depends on every inexact element of a result, real and imaginary parts weighed apart."""
    total = 0.0
    for k, part in enumerate(flat for r in (result if isinstance(result, (tuple, list)) else [result])
                             for flat in (r if isinstance(r, (tuple, list)) else [r])):
        if part.dtype.kind == "c":
            weights = np.cos(np.arange(part.value.size if isinstance(part, Tensor) else part.size) + k)
            total = total + np.sum(np.real(part).reshape(-1) * weights)
            total = total + np.sum(np.imag(part).reshape(-1) * weights) * 2
        elif part.dtype.kind == "f":
            weights = np.cos(np.arange(part.value.size if isinstance(part, Tensor) else part.size) + k)
            total = total + np.sum(part.reshape(-1) * weights)
    return total


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_value_type_and_gradient(name):
    function, *arrays = CALLS[name]
    if name == "i0":
        pytest.importorskip("scipy")
    expected = parts(function(*arrays))
    for given in range(len(arrays)) if len(arrays) > 1 else [0]:
        inexact = np.asarray(arrays[given]).dtype.kind in "fc"
        tensors = [Tensor(a, requires_grad=inexact) if j == given else a for j, a in enumerate(arrays)]
        result = function(*tensors)
        found = parts(result)
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            np.testing.assert_allclose(f, e, rtol=1e-10, atol=1e-12)
            assert np.shape(f) == np.shape(e) and np.asarray(f).dtype == np.asarray(e).dtype
        outer = result if isinstance(result, (tuple, list)) else [result]
        assert any(isinstance(r, (Tensor, tuple, list)) for r in outer), "a Tensor comes out"
        if not inexact or not any(np.asarray(e).dtype.kind in "fc" for e in expected):
            continue
        total = weighted(result)
        if total.requires_grad:
            total.backward()
        grad = tensors[given].grad
        slope = np.zeros(np.shape(arrays[given])) if grad is None else np.real(grad.value)
        a = np.asarray(arrays[given])
        if a.dtype == np.float32:
            continue
        direction = np.sin(1 + np.arange(a.size)).reshape(a.shape)
        h = 1e-6

        def at(t, a=a, given=given, direction=direction):
            moved = [a + t * direction if j == given else x for j, x in enumerate(arrays)]
            return weighted(tuple(np.asarray(p) for p in parts(function(*moved))))
        along = (at(h) - at(-h)) / (2 * h)
        assert np.nansum(slope * direction) == pytest.approx(along, rel=2e-5, abs=2e-7)


def test_gradients_of_gradients_pass_through():
    x = Tensor(V, requires_grad=True)
    g, = autograd.gradients([np.sum(np.exp(x) * np.std(x))], [x], create_graph=True)
    h, = autograd.gradients([np.dot(g, W)], [x])
    def slope(v):
        return np.exp(v) * np.std(v) + np.sum(np.exp(v)) * (v - v.mean()) / (v.size * np.std(v))
    near = (slope(V + 1e-6 * W) - slope(V - 1e-6 * W)) / 2e-6
    np.testing.assert_allclose(h.value, near, rtol=1e-6)


def test_operators_of_arrays_and_numbers_keep_the_dtype_of_the_tensor():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    for y in (np.float64(2) * x, 2.0 * x, np.float64(2) + x, x / np.float64(2), np.float64(2) - x):
        assert isinstance(y, Tensor) and y.dtype == np.float32 and y.requires_grad
    for y in (np.ones(3) * x, np.ones(3) - x, np.ones(3) / x, np.ones(3) ** x, np.ones((3, 3)) @ x):
        assert isinstance(y, Tensor) and y.dtype == np.float64 and y.requires_grad
    assert isinstance(np.arange(3) < x, Tensor) and isinstance(np.ones(3) == x, Tensor)


def test_a_tensor_fills():
    x = Tensor(V, requires_grad=True)
    filled = np.full_like(Tensor(M), x)
    assert filled.shape == (3, 4)
    np.sum(filled * M).backward()
    np.testing.assert_allclose(x.grad.value, M.sum(0))


def test_integers_come_out_as_numpy_has_them():
    t = Tensor(np.arange(3))
    assert np.exp(t).dtype == np.float64 and np.mean(t).dtype == np.float64 and np.sum(t).dtype == np.int64


def test_an_array_cannot_take_in_a_graph():
    x = Tensor(V, requires_grad=True)
    a = np.ones(4)
    for write in (lambda: np.add(a, x, out=a), lambda: np.sum(M * x, axis=0, out=a), lambda: exec("a += x", {
            "a": a, "x": x})):
        with pytest.raises(GradientError, match=r"write y = x \+ t in place of x \+= t|use t.detach"):
            write()
    for store in ("a[0] = x[0]", "a[:2] = x[:2]", "a[[0, 1]] = x[0]", "a[0] += x[0]", "c[0] = x[0]"):
        with pytest.raises((GradientError, ValueError)) as raised:       # NumPy may put its own on top
            exec(store, {"a": a, "x": x, "c": np.zeros(2, complex)})
        assert "autograd.zeros" in str(raised.value.__cause__ or raised.value)
    a[0] = x[0].detach()
    a[0] = float(x[0])
    a[0] = 1
    np.testing.assert_array_equal(a, 1)
    a += x.detach()
    np.testing.assert_allclose(a, 1 + V)
    np.multiply(a, Tensor(W), out=a)
    np.testing.assert_allclose(a, (1 + V) * W)
    with pytest.raises(TypeError, match="behind the graph"):
        np.add(a, 1, out=x)


@pytest.mark.parametrize("call, says", [
    (lambda x: np.histogram(x), "histogram has no counterpart"), (lambda x: np.unique(x), "unique has no counterpart"),
    (lambda x: np.frexp(x), "frexp has no counterpart"), (lambda x: np.add.at(x, [0], 1.0), "index_put"),
    (lambda x: np.put(x, [0], 1.0), r"x\[index\] = values"), (lambda x: np.copyto(x, 0), r"x\[index\] = values"),
    (lambda x: np.add.reduceat(x, [0, 2]), "reduceat"), (lambda x: np.add(x, 1, where=[True] * 4), "np.where"),
    (lambda x: np.pad(x, 1, "mean"), "mode='mean'"), (lambda x: np.quantile(x, 0.5, method="weibull"), "weibull"),
])
def test_what_has_no_counterpart_says_what_to_do(call, says):
    with pytest.raises(TypeError, match=says):
        call(Tensor(V, requires_grad=True))


def test_without_a_graph_numpy_computes():
    t = Tensor(V)
    counts, edges = np.histogram(t)
    expected = np.histogram(V)
    np.testing.assert_array_equal(counts.value, expected[0])
    np.testing.assert_array_equal(edges.value, expected[1])
    assert isinstance(np.add.reduceat(t, [0, 2]), Tensor) and np.shape(t) == (4,) and np.ndim(t) == 1
    assert np.allclose(t, V) is True and np.array_equal(t, V) is True


@pytest.mark.filterwarnings("ignore")
def test_every_function_of_numpy_is_recorded_refused_or_flat():
    """No function of NumPy quietly hands a plain array of floats to somebody whose tensor requires a gradient."""
    x = Tensor(np.abs(S) + 1, requires_grad=True)
    for home in (np, np.linalg, np.fft):
        for name in dir(home):
            function = getattr(home, name)
            if name[0] == "_" or not (hasattr(function, "_implementation") or isinstance(function, np.ufunc)):
                continue
            if name in ("save", "savetxt", "savez", "savez_compressed", "astype"):
                continue
            for args in ((x,), (x, x), (x, 1), ([x, x],), (1, x), (x, [1], 0)):
                try:
                    result = function(*args)
                except (TypeError, ValueError, IndexError, GradientError, np.linalg.LinAlgError, AttributeError,
                        ImportError):
                    continue
                for part in result if isinstance(result, (tuple, list)) else [result]:
                    plain = isinstance(part, (np.ndarray, np.generic)) and part.dtype.kind in "fc"
                    assert not plain or name in ("empty_like", "ones_like", "zeros_like"), name


def test_array_is_refused_where_it_would_cut_a_graph():
    x = Tensor(V, requires_grad=True)
    for call in (np.asarray, np.array, lambda t: np.asarray([t[0], t[1]])):
        with pytest.raises(GradientError, match="detach"):
            call(x)
    t = x.detach()
    assert np.shares_memory(np.asarray(t), t.value) and not np.shares_memory(np.array(t), t.value)
    assert np.asarray(t, np.float32).dtype == np.float32


def test_dlpack_shares_memory_both_ways():
    t = Tensor(V.copy())
    seen = np.from_dlpack(t)
    assert np.shares_memory(seen, t.value)
    back = autograd.from_dlpack(M)
    assert isinstance(back, Tensor) and np.shares_memory(back.value, M)
    assert autograd.from_dlpack(np.array(2.0)).shape == () and autograd.from_dlpack(t).value is t.value
    with pytest.raises(GradientError, match="detach"):
        np.from_dlpack(Tensor(V, requires_grad=True))
    with pytest.raises(TypeError, match="__dlpack__"):
        autograd.from_dlpack([1, 2])


def test_dlpack_with_torch():
    torch = pytest.importorskip("torch")
    t = Tensor(V.copy())
    other = torch.from_dlpack(t)
    other[0] = 5.0
    assert t.value[0] == 5.0
    mine = autograd.from_dlpack(torch.arange(3.0))
    assert mine.dtype == np.float32 and mine.tolist() == [0, 1, 2]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python asks for __buffer__ since 3.12")
def test_the_buffer():
    t = Tensor(V.copy())
    with memoryview(t) as view:
        assert view.shape == (4,) and view[1] == V[1]
    with pytest.raises(GradientError, match="detach"):
        memoryview(Tensor(V, requires_grad=True))


def test_the_buffer_by_name():
    t = Tensor(V.copy())
    assert t.__buffer__(0)[1] == V[1]
    with pytest.raises(GradientError, match="detach"):
        Tensor(V, requires_grad=True).__buffer__(0)


def test_ufuncs_of_scipy():
    special = pytest.importorskip("scipy.special")
    x = Tensor(P, requires_grad=True)
    np.sum(special.gammaln(x) + special.expit(x)).backward()
    s = special.expit(P)
    np.testing.assert_allclose(x.grad.value, special.digamma(P) + s * (1 - s), rtol=1e-10)
    with pytest.raises(TypeError, match="no counterpart"):
        special.jve(1.0, x)


def test_methods_that_only_arrays_have():
    x = Tensor(V, requires_grad=True)
    np.testing.assert_array_equal(x.compress([True, False, True, False]).value, V[[0, 2]])
    np.testing.assert_array_equal(x.conjugate().value, V)
    y = x.copy()
    assert y.requires_grad and not np.shares_memory(y.value, x.value)
    assert Tensor(np.sort(V)).searchsorted(V).tolist() == np.sort(V).searchsorted(V).tolist()
    assert sorted(x.argpartition(2).tolist()) == [0, 1, 2, 3]
    assert Tensor(np.array([1, 0])).choose([x[:2], x[2:]]).tolist() == [V[2], V[1]]
