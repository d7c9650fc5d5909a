"""Weights with a norm of their own, a spectral norm of 1, or orthogonal rows: as parametrizations."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, cat, default_rng, geqrf, linalg, matrix_exp, mv, no_grad, norm, tril, vdot, zeros

from ..functional import normalize
from ..module import Module
from .parametrize import register_parametrization


def norm_except_dim(v: Any, dim: int) -> Any:
    """The 2-norm over all axes but one, which stays; over all of them for dim=-1."""
    if dim == -1:
        return norm(v)
    dim = dim % v.ndim
    return (v * v).sum(dim=tuple(k for k in range(v.ndim) if k != dim), keepdim=True) ** 0.5


class _WeightNorm(Module):
    """w = g v / ||v||, the norm over all axes but `dim`."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Any) -> Any:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn length and direction apart:  w = g v / ||v||  (Salimans and Kingma 2016).  Returns the module.

    `dim` is the axis along which lengths differ, None for one length.  Originals: original0 is g, original1 is v.
    """
    _has(module, name, "weight_norm")
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """w / σ(w), σ the largest singular value, followed by power iteration (one or more steps each time in training)."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        n = weight.ndim
        if not -n <= dim < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError("Expected n_power_iterations to be positive, but got n_power_iterations="
                             f"{n_power_iterations}")
        self.dim, self.eps, self.n_power_iterations = dim % n, eps, n_power_iterations
        if n > 1:
            matrix = self._matrix(weight.detach())
            for buffer, size in zip(("_u", "_v"), matrix.shape):
                drawn = Tensor(default_rng().standard_normal(size).astype(matrix.dtype))
                self.register_buffer(buffer, normalize(drawn, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        if self.dim:
            weight = weight.permute(self.dim, *(k for k in range(weight.ndim) if k != self.dim))
        return weight.reshape(weight.shape[0], -1)

    def _iterate(self, matrix: Any, times: int) -> None:
        with no_grad():
            for _ in range(times):
                self._u.data = normalize(mv(matrix, self._v), dim=0, eps=self.eps)     # new arrays: a graph may have
                self._v.data = normalize(mv(matrix.conj().T, self._u), dim=0, eps=self.eps)      # the old ones

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        return weight / vdot(self._u.detach(), mv(matrix, self._v.detach()))

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide the weight by its largest singular value (Miyato et al. 2018).  Returns the module.

    `dim` is the axis of the outputs: 1 for transposed convolutions, otherwise 0.
    """
    weight = _has(module, name, "spectral_norm")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


def _has(module: Module, name: str, who: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"{who}: Module {type(module).__name__} has no parameter or buffer with name {name!r}")
    return weight


_MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """A matrix with orthonormal columns (rows, if there are fewer) from any matrix of the shape."""

    base: Tensor | None

    def __init__(self, weight: Any, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.dtype.kind == "c" and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape, self.orthogonal_map, self.trivial = tuple(weight.shape), orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        wide = x.shape[-2] < x.shape[-1]
        x = x.swapaxes(-1, -2) if wide else x
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            a = tril(x, -1)
            q = linalg.householder_product(a, 2 / (1 + (a * a).sum(dim=-2)))
            q = q * Tensor(np.sign(np.diagonal(x.value, axis1=-2, axis2=-1)).astype(x.dtype)).unsqueeze(-2)
        else:
            x = tril(x)
            if n != k:
                x = cat([x, zeros(*x.shape[:-1], n - k, dtype=x.dtype)], dim=-1)
            a = x - x.swapaxes(-1, -2).conj()
            if self.orthogonal_map == "matrix_exp":
                q = matrix_exp(a)
            else:
                one = Tensor(np.eye(n, dtype=a.dtype))
                q = linalg.solve(one - a * 0.5, one + a * 0.5)
            q = q[..., :k]
        if self.trivial and self.base is not None:
            q = self.base @ q
        return q.swapaxes(-1, -2) if wide else q

    def right_inverse(self, q: Any) -> Any:
        """The matrix from which forward gives q; where q is not orthogonal, its QR factor is taken."""
        if tuple(q.shape) != self.shape:
            raise ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape "
                             f"{tuple(q.shape)}.")
        wide = q.shape[-2] < q.shape[-1]
        tall = q.value.swapaxes(-1, -2) if wide else q.value
        n, k = tall.shape[-2:]
        if not self.trivial:
            if self.orthogonal_map != "householder":
                raise NotImplementedError("It is not possible to assign to the matrix exponential or the Cayley "
                                          "parametrizations when use_trivialization=False.")
            found, tau = geqrf(Tensor(tall))
            a, on = found.value.copy(), np.arange(k)
            a[..., on, on] = np.where(tau.value == 0, -1, 1) * np.sign(a[..., on, on])
            return Tensor(a.swapaxes(-1, -2) if wide else a)
        if n != k:
            more = default_rng().standard_normal((*tall.shape[:-2], n, n - k)).astype(tall.dtype)
            tall = np.concatenate([tall, more], axis=-1)
        product = tall.swapaxes(-1, -2).conj() @ tall
        if n != k or not np.allclose(product, np.eye(n), atol=10 * n * np.finfo(tall.dtype).eps):
            unit, r = np.linalg.qr(tall)
            on = np.diagonal(r, axis1=-2, axis2=-1)
            tall = unit * np.where(on == 0, 1, on / np.where(on == 0, 1, np.abs(on)))[..., None, :]
        self.base = Tensor(tall.astype(q.dtype))
        start = np.zeros(q.shape, q.dtype)                # from -1 the reflections make the identity
        start[..., np.arange(k), np.arange(k)] = -1
        return Tensor(start)


def orthogonal(module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
               use_trivialization: bool = True) -> Module:
    """Keep a matrix orthogonal:  Q^H Q = 1 (Q Q^H = 1 if it is wide), its rows or columns learned.  Returns the module.

    orthogonal_map  "matrix_exp" or "cayley" of a skew matrix, or "householder" reflections; by default matrix_exp for
                    square and complex matrices, householder for others
    use_trivialization  measure from the matrix that was assigned last (Lezcano-Casado 2019), which makes assigning
                    possible and learning well conditioned; it takes a buffer `base` of n x n
    """
    weight = _has(module, name, "orthogonal")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.dtype.kind == "c" else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(f"orthogonal_map has to be one of {', '.join(_MAPS)}; got {orthogonal_map!r}")
    return register_parametrization(module, name, _Orthogonal(weight, orthogonal_map,
                                                             use_trivialization=use_trivialization), unsafe=True)
