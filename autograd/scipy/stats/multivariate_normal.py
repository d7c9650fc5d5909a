"""The normal distribution of vectors."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from ... import linalg as la
from ... import ops
from ...errors import ShapeError
from ...protocols.arguments import array, real
from .supports import value

__all__ = ["entropy", "logpdf", "pdf"]


def _covariance(cov: Any, d: int) -> Any:
    """The matrix: a number is that times the unit matrix, a vector the diagonal."""
    cov = real(cov)
    if cov.ndim == 0:
        return cov * np.eye(d)
    if cov.ndim == 1:
        return ops.diag(cov)
    if cov.shape != (d, d):
        raise ShapeError(f"multivariate_normal: expected a covariance ({d}, {d}); got {cov.shape}")
    return cov


def logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """-(d ln 2π + ln det Σ + (x-μ)^T Σ^-1 (x-μ)) / 2, for the vectors along the last axis of x.

    With `allow_singular` the pseudo-inverse and the pseudo-determinant take their places.
    Raises LinAlgError for a matrix that is not positive definite otherwise.
    """
    x, cov = real(x), real(cov)
    mean = np.zeros(cov.shape[-1] if cov.ndim else x.shape[-1] if x.ndim else 1) if mean is None else real(mean)
    if mean.ndim == 0:
        mean = ops.reshape(mean, shape=(1,))
    d = mean.shape[0]
    cov = _covariance(cov, d)
    if x.ndim == 0 or (d == 1 and x.shape[-1] != 1) or (x.ndim == 1 and d == 1):
        x = ops.unsqueeze(x, -1)
    if x.shape[-1] != d:
        raise ShapeError(f"multivariate_normal: expected vectors of {d} along the last axis; got x of shape {x.shape}")
    apart = x - mean
    if allow_singular:
        w = la.eigvalsh(cov)
        kept = value(w) > 1e6 * np.finfo(w.dtype).eps * np.max(np.abs(value(w)))
        rank, logdet = int(kept.sum()), ops.sum(ops.log(w[np.flatnonzero(kept)]))
        distance = ops.sum(ops.matmul(apart, la.pinv(cov, rtol=1e6 * np.finfo(w.dtype).eps, hermitian=True)) * apart,
                           dim=-1)
        return -0.5 * (rank * log(2 * pi) + logdet + distance)
    L = la.cholesky((cov + ops.transpose(cov, dim0=0, dim1=1)) / 2.0)
    rows = ops.reshape(apart, shape=(-1, d))
    z = la.solve_triangular(L, ops.transpose(rows, dim0=0, dim1=1), upper=False)
    distance = ops.reshape(ops.sum(z * z, dim=0), shape=tuple(apart.shape[:-1]))
    logdet = 2.0 * ops.sum(ops.log(ops.diagonal(L)))
    return -0.5 * (d * log(2 * pi) + logdet + distance)


def pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """The density."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


def entropy(mean: Any = None, cov: Any = 1) -> Any:
    """ln det(2 π e Σ) / 2."""
    d = 1 if mean is None and array(cov).ndim == 0 else array(cov).shape[0] if array(cov).ndim else array(mean).shape[0]
    return 0.5 * (la.slogdet(_covariance(cov, d))[1] + d * log(2 * pi * np.e))
