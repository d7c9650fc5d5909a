"""The targets that are exact and quick, as tests; and what the longer ones are made of."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from autograd import Tensor
from benchmarks.targets import adbench, burgers, curvature, descent, micrograd, sequences, signals, spiral

NOTHING = Namespace()


@pytest.mark.parametrize("run", [
    micrograd.readme, descent.bias_correction, descent.step_bounds, descent.valley, curvature.cheap, adbench.adbench,
], ids=lambda run: run.__name__)
def test_every_outcome_is_within(run):
    found = list(run(NOTHING))
    assert found and not [outcome for outcome in found if not outcome.within]


def test_moons_as_tensors_have_the_digits_of_the_notebook():
    pytest.importorskip("sklearn")
    loss, right = micrograd.tensors()
    assert loss == pytest.approx(micrograd.LOSS, abs=1e-12) and right == 1.0


def test_the_first_step_by_scalars_is_that_by_tensors():
    pytest.importorskip("sklearn")
    x, _, layers = micrograd.drawn()
    assert sum(len(neuron.w) + 1 for layer in layers for neuron in layer) == 337
    row = x[0].tolist()
    for layer in layers:
        row = [neuron(row) for neuron in layer]
    h = x[0]
    for layer in layers:
        h = np.array([[w.item() for w in neuron.w] for neuron in layer]) @ h
        h = np.maximum(h, 0) if layer[0].bent else h
    assert row[0].item() == pytest.approx(h[0], abs=1e-14)


def test_adam_leaves_the_best_point_and_amsgrad_does_not():
    assert descent.drift(amsgrad=False, steps=20_000) > 0.98
    assert descent.drift(amsgrad=True, steps=20_000) < -0.7


@pytest.mark.slow                             # PyTorch takes seconds to import
def test_adam_is_pytorchs():
    pytest.importorskip("torch")
    assert all(outcome.within for outcome in descent.beside_torch(NOTHING))


def test_the_spiral_of_the_notes():
    np.random.seed(0)
    points, labels = spiral.spiral()
    linear = [spiral.classifier([2, 3]) for _ in range(4)][-1]
    loss, right = spiral.train(linear, points, labels, steps=200, printed=190)
    assert f"{loss:.6f}" == "0.786302" and f"{right:.2f}" == "0.49"


def test_lanczos_finds_the_largest_eigenvalue():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((12, 12))
    a = a + a.T

    def loss(p):
        v = p["left"].reshape(-1) if not isinstance(p["left"], np.ndarray) else p["left"].ravel()
        return 0.5 * (v @ Tensor(a) @ v)
    value, direction = curvature.sharpness(loss, {"left": np.zeros((3, 4))}, rng.standard_normal(12), 12)
    values, vectors = np.linalg.eigh(a)
    assert value == pytest.approx(values[-1], abs=1e-9)
    assert abs(direction @ vectors[:, -1]) == pytest.approx(1, abs=1e-9)


def test_selu_keeps_mean_and_variance():
    mean, variance = signals.moments_of_selu()
    assert mean == pytest.approx(0, abs=1e-12) and variance == pytest.approx(1, abs=1e-12)
    assert signals.constants_of_selu() == pytest.approx((1.6732632423543772, 1.0507009873554805), abs=1e-13)


def test_the_residual_of_a_function_whose_derivatives_are_known():
    class Square:
        """u(x, t) = x^2 t; the network sees 2t - 1."""

        def __call__(self, z):
            return z[:, :1] ** 2 * (z[:, 1:] + 1) / 2
    rng = np.random.default_rng(0)
    x, t = rng.uniform(-1, 1, (7, 1)), rng.uniform(0, 1, (7, 1))
    off = burgers.residual(Square(), Tensor(x, requires_grad=True), Tensor(t, requires_grad=True))
    expected = x**2 + x**2 * t * 2 * x * t - burgers.VISCOSITY * 2 * t
    np.testing.assert_allclose(off.detach().numpy(), expected, atol=1e-14)


def test_the_exact_solution_solves_the_equation():
    x, t, h = np.linspace(-0.9, 0.9, 19), np.full(19, 0.3), 1e-4
    u = burgers.exact(x, t)
    u_t = (burgers.exact(x, t + h) - burgers.exact(x, t - h)) / (2 * h)
    u_x = (burgers.exact(x + h, t) - burgers.exact(x - h, t)) / (2 * h)
    u_xx = (burgers.exact(x + h, t) - 2 * u + burgers.exact(x - h, t)) / h**2
    assert np.abs(u_t + u * u_x - burgers.VISCOSITY * u_xx).max() < 1e-3 * np.abs(u_t).max()


def test_the_quadrature_is_that_of_a_fine_grid():
    eta, nu = np.linspace(-6, 6, 200_001), burgers.VISCOSITY
    for x, t in ((0.01, 0.9), (0.3, 0.99), (-0.002, 0.5), (0.9, 0.2)):
        logs = -np.cos(np.pi * (x - eta)) / (2 * np.pi * nu) - eta**2 / (4 * nu * t)
        weights = np.exp(logs - logs.max())
        direct = -(np.sin(np.pi * (x - eta)) * weights).sum() / weights.sum()
        assert burgers.exact(np.array([x]), np.array([t]))[0] == pytest.approx(direct, abs=1e-12)


def test_a_small_network_comes_nearer_to_the_solution():
    few = burgers.solve(evaluations=3, known=30, inside=60)
    more = burgers.solve(evaluations=60, known=30, inside=60)
    assert few[2] <= 4 and more[1] < 0.5 * few[1]


def test_sequences_say_what_is_asked_for():
    rng = np.random.default_rng(0)
    x, y = sequences.additions(5, rng)
    numbers, marks = x.numpy()[..., 0], x.numpy()[..., 1]
    assert (marks.sum(0) == 2).all() and (marks[: sequences.LENGTH // 2].sum(0) == 1).all()
    np.testing.assert_allclose((numbers * marks).sum(0), y.numpy(), rtol=1e-6)
    x, y = sequences.copies(4, rng)
    shown = x.numpy().argmax(-1)
    assert (y.numpy()[-sequences.COPIED:] == shown[:sequences.COPIED]).all()
    assert (shown == sequences.SYMBOLS + 1).sum() == 4                     # one signal each, before the answer
    assert (shown[-sequences.COPIED - 1] == sequences.SYMBOLS + 1).all()
