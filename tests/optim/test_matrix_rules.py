"""Rules that look at a whole parameter, and the schedule-free one: what their papers say of them."""

import numpy as np
import pytest

import optim
from autograd import Tensor
from optim.muon import orthogonalized


def leaf(value, dtype=None):
    return Tensor(np.array(value, dtype), requires_grad=True)


@pytest.mark.parametrize("shape", [(8, 8), (5, 12), (12, 5)])
def test_muon_brings_all_singular_values_near_one(shape):
    g = np.random.default_rng(0).normal(size=shape)
    out = orthogonalized(g, (3.4445, -4.7750, 2.0315), 5, 1e-7)
    values = np.linalg.svd(out, compute_uv=False)
    assert out.shape == shape and (values > 0.6).all() and (values < 1.25).all()
    u, _, v = np.linalg.svd(g, full_matrices=False)        # the singular vectors stay
    through = u.T @ out @ v.T
    np.testing.assert_allclose(through, np.diag(np.diag(through)), atol=1e-9)
    convergent = orthogonalized(g, (15 / 8, -10 / 8, 3 / 8), 40, 1e-7)         # coefficients that do converge
    np.testing.assert_allclose(convergent, u @ v, atol=1e-9)


@pytest.mark.parametrize(("adjust", "factor"), [(None, 2.0), ("original", 2.0), ("match_rms_adamw", 0.2 * 8**0.5)])
def test_muons_first_step(adjust, factor):
    g = np.random.default_rng(1).normal(size=(8, 2))
    p = leaf(np.ones((8, 2)))
    optimizer = optim.Muon([p], lr=0.1, weight_decay=0.5, adjust_lr_fn=adjust)
    p.grad = Tensor(g)
    optimizer.step()
    direction = orthogonalized(g, (3.4445, -4.7750, 2.0315), 5, 1e-7)          # whatever the momentum: only its scale
    np.testing.assert_allclose(p.value, 0.95 - 0.1 * factor * direction, rtol=1e-9)


def test_adafactor_keeps_rows_and_columns_and_is_exact_for_a_product():
    r, c = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 4.0, 2.0])
    g = np.outer(r, c)                                     # g^2 is one row times one column: the factors lose nothing
    p = leaf(np.full((3, 4), 2.0))
    optimizer = optim.Adafactor([p], lr=0.01)
    p.grad = Tensor(g)
    optimizer.step()
    np.testing.assert_allclose(p.value, 2.0 - 2.0 * 0.01 * np.sign(g), rtol=1e-12)    # U = sign, alpha = RMS(p) lr
    state = optimizer.state[p]
    assert (state["row_var"].shape, state["col_var"].shape) == ((3, 1), (1, 4))
    successor = optim.Adafactor([leaf(p.value)])
    successor.load_state_dict(optimizer.state_dict())
    saved = optimizer.state_dict()
    saved["state"][0]["row_var"] = Tensor(np.ones((1, 3)))
    with pytest.raises(ValueError) as error:
        successor.load_state_dict(saved)
    assert str(error.value) == "row_var of parameter 0 must have the shape (3, 1); got (1, 3)"


def test_adafactors_step_is_clipped_and_relative():
    p = leaf([1e-9, 1e-9])
    optimizer = optim.Adafactor([p], lr=1.0, eps=(None, 0.5), d=1.0)
    p.grad = Tensor(np.array([3.0, -4.0]))
    optimizer.step()
    np.testing.assert_allclose(p.value, [-0.5, 0.5], rtol=1e-6)        # eps2 where the parameter is next to nothing
    p.grad = Tensor(np.array([3e6, -4e6]))
    before = p.value
    optimizer.step()
    moved = p.value - before
    assert np.sqrt((moved**2).mean()) <= 0.5 / 2**0.5 * (1 + 1e-9)       # RMS(U) at most d, rho = 1 / sqrt(2)


@pytest.mark.parametrize("kind", [optim.Adafactor, optim.Muon])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_whole_parameters_keep_their_dtype_and_are_not_written_to(kind, dtype):
    p = leaf(np.full((3, 2), 0.5), dtype)
    optimizer = kind([p], lr=np.float64(0.1), weight_decay=np.float64(0.1))
    for _ in range(3):
        p.grad = Tensor(np.full((3, 2), 0.25, dtype))
        held = p.value
        held.flags.writeable = p.grad.value.flags.writeable = False
        optimizer.step()
        assert p.dtype == dtype and p.value is not held
    for name, value in optimizer.state[p].items():
        assert name == "step" or value.dtype == dtype
    with pytest.raises(ValueError) as error:
        kind([leaf(np.ones((2, 2), complex))])
    assert str(error.value) == (f"{kind.__name__} has no rule for complex parameters (parameter group 0): keep the "
                                "real and the imaginary part as two, or take an optimizer such as Adam")


def test_the_schedule_free_average_is_the_papers():
    # algorithm 1 with x, y, z written out; the optimizer keeps y and z
    b1, b2, lr, decay, warmup, eps = 0.9, 0.99, 0.1, 0.05, 3, 1e-8
    p = leaf([1.0, -2.0])
    optimizer = optim.AdamWScheduleFree([p], lr=lr, betas=(b1, b2), eps=eps, weight_decay=decay, warmup_steps=warmup)
    x = z = p.value
    v, weights = 0.0, 0.0
    for t in range(1, 12):
        y = (1 - b1) * z + b1 * x
        np.testing.assert_allclose(p.value, y, rtol=1e-12)
        g = np.cos(y + t)
        p.grad = Tensor(g)
        optimizer.step()
        rate = lr * min(1, t / warmup)
        v = b2 * v + (1 - b2) * g * g
        z = z - rate * (g / (np.sqrt(v / (1 - b2**t)) + eps) + decay * y)
        weights += rate**2
        x = (1 - rate**2 / weights) * x + rate**2 / weights * z
        optimizer.eval()
        np.testing.assert_allclose(p.value, x, rtol=1e-12)
        with pytest.raises(RuntimeError) as error:
            optimizer.step()
        optimizer.train()
    assert str(error.value).startswith("the parameters hold the average that is to be evaluated: call optimizer.train")
    optimizer.train()                                      # no move twice
    np.testing.assert_allclose(p.value, (1 - b1) * z + b1 * x, rtol=1e-12)


def test_averaged_sgd_averages_what_it_went_through():
    p = leaf([4.0])
    optimizer = optim.ASGD([p], lr=0.5, lambd=0.0, t0=0)
    passed = []
    for t in range(8):
        p.grad = Tensor(np.cos(p.value + t))
        optimizer.step()
        passed.append(p.value.copy())
        # mu is 1 in the first two steps: 1 / max(1, t - t0) is set after each
        np.testing.assert_allclose(optimizer.state[p]["ax"], np.mean(passed[1:] or passed, axis=0), rtol=1e-12)


def test_rprops_steps_grow_while_the_sign_stays_and_shrink_where_it_turns():
    p = leaf([0.0])
    optimizer = optim.Rprop([p], lr=0.1, etas=(0.5, 1.2))
    for g, size in ((1.0, 0.1), (5.0, 0.12), (0.1, 0.144), (-1.0, 0.0), (-1.0, 0.072), (-3.0, 0.0864)):
        before = p.value
        p.grad = Tensor(np.array([g]))
        optimizer.step()
        np.testing.assert_allclose(p.value - before, [-np.sign(g) * size], atol=1e-12)


def test_lion_moves_every_element_by_lr():
    p = leaf([1.0, -2.0, 3.0])
    optimizer = optim.Lion([p], lr=0.01)
    p.grad = Tensor(np.array([1e-8, -1e8, 0.0]))
    optimizer.step()
    np.testing.assert_allclose(p.value, [0.99, -1.99, 3.0])
    p.grad = Tensor(np.array([-5e-10, 1.0, 0.0]))           # c = 0.9 m + 0.1 g: the memory decides
    optimizer.step()
    np.testing.assert_allclose(p.value, [1.0 - 0.02, -1.98, 3.0])


def test_radam_begins_without_and_goes_on_with_the_second_moment():
    p = leaf([0.0, 0.0])
    optimizer = optim.RAdam([p], lr=1.0, betas=(0.0, 0.999))
    for t in range(1, 8):
        before = p.value
        p.grad = Tensor(np.array([1.0, 100.0]))
        optimizer.step()
        moved = before - p.value
        if t <= 5:                                         # rho <= 5: plain momentum
            np.testing.assert_allclose(moved, [1.0, 100.0])
        else:
            np.testing.assert_allclose(moved[0], moved[1], rtol=1e-6)
