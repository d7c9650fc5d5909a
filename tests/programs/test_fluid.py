"""A fluid whose first velocities are found by gradient descent, so that smoke forms a shape: advection and projection
by in-place assignment, which HIPS autograd refuses, and by np.roll."""

import numpy as onp

import autograd.numpy as np
from autograd import value_and_grad
from autograd.test_util import check_grads

SIZE, STEPS = 10, 3
rows, columns = onp.mgrid[0:SIZE, 0:SIZE]
smoke = onp.exp(-((rows - 3.0) ** 2 + (columns - 3.0) ** 2) / 4)
goal = onp.exp(-((rows - 5.0) ** 2 + (columns - 5.0) ** 2) / 4)


def project(vx, vy):
    """Nearly free of divergence, by Jacobi iterations for the pressure."""
    p = np.zeros(vx.shape)
    div = -0.5 * (np.roll(vx, -1, axis=1) - np.roll(vx, 1, axis=1) + np.roll(vy, -1, axis=0) - np.roll(vy, 1, axis=0))
    for _ in range(4):
        p = (div + np.roll(p, 1, axis=1) + np.roll(p, -1, axis=1) + np.roll(p, 1, axis=0) + np.roll(p, -1, axis=0)) / 4
    vx = vx - 0.5 * (np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1))
    vy = vy - 0.5 * (np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0))
    return vx, vy


def advect(f, vx, vy):
    """Each cell takes what was upstream, between the four neighbours there; the border stays."""
    cell_x, cell_y = columns - vx, rows - vy
    left, top = np.floor(cell_x).astype(int), np.floor(cell_y).astype(int)
    rw, bw = cell_x - left, cell_y - top
    left, top = np.mod(left, SIZE), np.mod(top, SIZE)
    right, bottom = np.mod(left + 1, SIZE), np.mod(top + 1, SIZE)
    out = np.zeros(f.shape)
    inner = (slice(1, -1), slice(1, -1))
    moved = ((1 - rw) * ((1 - bw) * f[top, left] + bw * f[bottom, left])
             + rw * ((1 - bw) * f[top, right] + bw * f[bottom, right]))
    out[inner] = moved[inner]
    out[0], out[-1] = f[0], f[-1]
    out[1:-1, 0], out[1:-1, -1] = f[1:-1, 0], f[1:-1, -1]
    return out


def simulate(vx, vy, smoke):
    for _ in range(STEPS):
        vx, vy = advect(vx, vx, vy), advect(vy, vx, vy)
        vx, vy = project(vx, vy)
        smoke = advect(smoke, vx, vy)
    return smoke


def loss(params):
    velocities = np.reshape(params, (2, SIZE, SIZE))
    return np.mean((simulate(velocities[0], velocities[1], smoke) - goal) ** 2)


def test_it_blows_the_smoke_to_its_goal():
    start = 0.3 + 0.05 * onp.random.default_rng(2).normal(size=2 * SIZE * SIZE)
    check_grads(loss, modes=["rev"], order=1)(start)
    params, (first, _) = start, value_and_grad(loss)(start)
    for _ in range(15):
        value, slope = value_and_grad(loss)(params)
        params = params - 25.0 * slope
    assert value < 0.5 * first


def test_advection_moves_by_whole_cells_exactly():
    ones = onp.ones((SIZE, SIZE))
    moved = advect(smoke, 2 * ones, ones)
    onp.testing.assert_allclose(moved[1:-1, 1:-1], onp.roll(smoke, (1, 2), axis=(0, 1))[1:-1, 1:-1])
