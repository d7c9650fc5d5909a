"""Two objectives of ADBench, differentiated by the library and by hand: a Gaussian mixture and bundle adjustment.

Source: Srajer, Kukelova, Fitzgibbon 2018, "A benchmark of selected algorithmic differentiation tools";
github.com/microsoft/ADBench.  The derivatives by hand are in NumPy and stand beside what they are of.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from math import lgamma, log, pi, sqrt
from typing import Any

import numpy as np

import autograd as ag
from autograd import grad, jacobian, vmap

from .outcome import Outcome, Target, at_most

# -- Gaussian mixture: n points of d numbers, k components --------------------------------------------------

GAMMA, M = 1.0, 0                             # of the Wishart prior


def below(d: int) -> tuple[Any, Any]:
    """Rows and columns of the entries below the diagonal, column by column, as their parameters are ordered."""
    columns, rows = np.triu_indices(d, 1)
    return rows, columns


def mixture(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    """The log posterior of weights alpha (k,), means (k, d) and inverse Cholesky factors (k, d + d(d-1)/2).

        sum_i log sum_k exp(alpha_k + sum_j q_kj - |Q_k (x_i - mu_k)|^2 / 2) - n log sum_k exp alpha_k + log prior

    Q_k has e^q on its diagonal and the other parameters below it.
    """
    (n, d), k = x.shape, len(alphas)
    rows, columns = below(d)
    place = np.zeros((d, d), int)
    place[rows, columns] = np.arange(d, icf.shape[1])              # where in icf an entry of Q stands
    diagonal, lower = ag.exp(icf[:, :d]), icf[:, place] * np.tril(np.ones((d, d)), -1)
    centred = x[:, None] - means
    transformed = diagonal * centred + ag.einsum("kij,nkj->nki", lower, centred)
    logs = alphas + icf[:, :d].sum(1) - 0.5 * (transformed**2).sum(2)
    likelihood = ag.logsumexp(logs, 1).sum() - n * ag.logsumexp(alphas, 0) - 0.5 * n * d * log(2 * pi)
    prior = (0.5 * GAMMA**2 * ((diagonal**2).sum(1) + (icf[:, d:] ** 2).sum(1)) - M * icf[:, :d].sum(1)).sum()
    freedom = d + M + 1
    gammas = d * (d - 1) / 4 * log(pi) + sum(lgamma(0.5 * (freedom - j)) for j in range(d))
    return likelihood + prior - k * (freedom * d * log(GAMMA / sqrt(2)) - gammas)


def mixture_by_hand(alphas: Any, means: Any, icf: Any, x: Any) -> tuple[Any, Any, Any]:
    """Its gradient.  With r = softmax over k, v = x - mu, y = Q v:

        d alpha = sum_i r - n softmax(alpha)      d mu = sum_i r Q^T y
        d q = sum_i r (1 - y e^q v) + gamma^2 e^2q - m      d Q_ab = -sum_i r y_a v_b + gamma^2 Q_ab
    """
    (n, d), k = x.shape, len(alphas)
    rows, columns = below(d)
    factors = np.zeros((k, d, d))
    factors[:, rows, columns] = icf[:, d:]
    diagonal = np.exp(icf[:, :d])
    factors[:, range(d), range(d)] = diagonal
    v = x[:, None] - means
    y = np.einsum("kij,nkj->nki", factors, v)
    logs = alphas + icf[:, :d].sum(1) - 0.5 * (y**2).sum(2)
    r = np.exp(logs - logs.max(1, keepdims=True))
    r /= r.sum(1, keepdims=True)
    share = np.exp(alphas - alphas.max())
    outer = -np.einsum("nk,nka,nkb->kab", r, y, v)
    return (r.sum(0) - n * share / share.sum(), np.einsum("nk,kji,nkj->ki", r, factors, y),
            np.concatenate([r.sum(0)[:, None] + outer[:, range(d), range(d)] * diagonal + GAMMA**2 * diagonal**2 - M,
                            outer[:, rows, columns] + GAMMA**2 * icf[:, d:]], 1))


# -- Bundle adjustment: cameras, points, and where each camera saw each point --------------------------------


def cross(a: Any, b: Any) -> Any:
    """The vector product of two vectors of 3."""
    return ag.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def reprojection(camera: Any, point: Any, weight: Any, seen: Any) -> Any:
    """weight (where the camera sees the point - where it was seen), (2,).

    A camera is rotation vector (3), centre (3), focal length, principal point (2) and two radial distortions; the
    rotation is Rodrigues' formula.
    """
    rotation, v = camera[:3], point - camera[3:6]
    angle = ag.sqrt((rotation**2).sum())
    axis = rotation / angle
    turned = v * ag.cos(angle) + cross(axis, v) * ag.sin(angle) + axis * ((axis * v).sum() * (1 - ag.cos(angle)))
    flat = turned[:2] / turned[2]
    square = (flat**2).sum()
    return weight * (camera[6] * flat * (1 + camera[9] * square + camera[10] * square**2) + camera[7:9] - seen)


def hat(v: Any) -> Any:
    """The matrix of  w -> v x w."""
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def reprojection_by_hand(camera: Any, point: Any, weight: Any, seen: Any) -> tuple[Any, Any, Any]:
    """Its Jacobians by camera (2, 11), point (2, 3) and weight (2,).

    With rotation matrix R of the vector r and v = point - centre (Gallego and Yezzi 2015):

        d (R v) / d r = -R [v] (r r' + (R' - 1) [r]) / |r|^2
    """
    r, v = camera[:3], point - camera[3:6]
    angle = np.linalg.norm(r)
    k = hat(r / angle)
    matrix = np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
    turned = matrix @ v
    flat, depth = turned[:2] / turned[2], turned[2]
    square, focal, (k1, k2) = flat @ flat, camera[6], camera[9:]
    stretch = 1 + k1 * square + k2 * square**2
    by_flat = focal * (stretch * np.eye(2) + (2 * k1 + 4 * k2 * square) * np.outer(flat, flat))
    by_turned = weight * by_flat @ np.c_[np.eye(2), -flat] / depth
    by_rotation = -matrix @ hat(v) @ (np.outer(r, r) + (matrix.T - np.eye(3)) @ hat(r)) / angle**2
    by_camera = np.c_[by_turned @ by_rotation, -by_turned @ matrix, weight * stretch * flat, weight * np.eye(2),
                      weight * focal * np.outer(flat, [square, square**2])]
    return by_camera, by_turned @ matrix, focal * stretch * flat + camera[7:9] - seen


# -- Both, side by side -------------------------------------------------------------------------------------


def apart(ours: Any, by_hand: Any) -> float:
    """The largest difference, over the largest number."""
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(ours, by_hand, strict=True))


def gradients_of_the_mixture(n: int, d: int, k: int) -> float:
    """How far grad(mixture) is from the formula, for n random points."""
    rng = np.random.default_rng(0)
    inputs = (rng.standard_normal(k), rng.random((k, d)), rng.standard_normal((k, d * (d + 1) // 2)) / sqrt(d),
              rng.standard_normal((n, d)))
    return apart(grad(mixture, argnums=(0, 1, 2))(*inputs), mixture_by_hand(*inputs))


def jacobians_of_the_adjustment(n: int) -> float:
    """How far the Jacobians of n observations, all at a time by vmap, are from the formula."""
    rng = np.random.default_rng(1)
    cameras = np.c_[0.3 * rng.standard_normal((n, 3)), 0.1 * rng.standard_normal((n, 3)), rng.uniform(0.8, 1.2, n),
                    0.1 * rng.standard_normal((n, 2)), 0.05 * rng.standard_normal((n, 2))]
    inputs = (cameras, rng.standard_normal((n, 3)) + [0, 0, 8], rng.random(n), rng.standard_normal((n, 2)))
    ours = vmap(jacobian(reprojection, argnums=(0, 1, 2)))(*inputs)
    return apart(ours, [np.stack(found) for found in zip(*(reprojection_by_hand(*row) for row in zip(*inputs)))])


def adbench(options: Namespace) -> Iterator[Outcome]:
    """The sizes are in the table: points, dimensions, components; observations."""
    for n, d, k in ((1000, 2, 5), (1000, 10, 25), (300, 32, 5)):
        yield at_most(f"ADBench, Gaussian mixture n = {n}, d = {d}, k = {k}: gradient against that by hand, relative",
                      0, gradients_of_the_mixture(n, d, k), 1e-12, digits=2)
    yield at_most("ADBench, bundle adjustment, 500 observations: Jacobians against those by hand, relative", 0,
                  jacobians_of_the_adjustment(500), 1e-11, digits=2)


TARGETS = {"adbench": Target(adbench, "ADBench, derivatives against those by hand", "0")}
