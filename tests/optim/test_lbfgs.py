"""L-BFGS: what it must find, the conditions of its line search, its memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optim
from autograd import Tensor, is_grad_enabled, no_grad
from optim.line_search import Point, cubic_minimum, strong_wolfe


def minimize(loss, params, steps=1, **settings):
    optimizer = optim.LBFGS(params, **settings)

    def closure():
        assert is_grad_enabled()
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value
    for _ in range(steps):
        optimizer.step(closure)
    return optimizer


def test_rosenbrocks_valley_is_gone_through_to_its_end():
    x, y = (Tensor(np.array([start]), requires_grad=True) for start in (-1.2, 1.0))
    with no_grad():                                        # the closure records all the same
        minimize(lambda: ((1 - x) ** 2 + 100 * (y - x * x) ** 2).sum(), [x, y], steps=2,
                 line_search_fn="strong_wolfe", max_iter=60, tolerance_change=1e-16)
    np.testing.assert_allclose([x.item(), y.item()], [1.0, 1.0], atol=1e-6)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_bowl_of_n_dimensions_takes_few_more_than_n_iterations(search):
    rng = np.random.default_rng(0)
    half = rng.normal(size=(6, 6))
    A, b = half @ half.T + np.eye(6), rng.normal(size=6)
    p = Tensor(np.zeros(6), requires_grad=True)
    optimizer = minimize(lambda: (p @ (Tensor(A) @ p)) / 2 - (Tensor(b) * p).sum(), [p], max_iter=60,
                         line_search_fn=search, tolerance_change=1e-14)
    np.testing.assert_allclose(p.value, np.linalg.solve(A, b), atol=1e-6)
    assert optimizer.state[p]["n_iter"] <= 30


def test_parameters_of_all_kinds_move_together():
    z = Tensor(np.array([1 + 2j, 3 - 1j]), requires_grad=True)
    w = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    s = Tensor(np.float64(2.0), requires_grad=True)
    held = [p.value for p in (z, w, s)]
    before = [np.copy(value) for value in held]
    minimize(lambda: (z * z.conj()).real.sum() + ((w - 0.5) ** 2).sum() + (s + 1) ** 2, [z, w, s], max_iter=30)
    np.testing.assert_allclose(z.value, [0, 0], atol=1e-6)
    np.testing.assert_allclose(w.value, np.full((2, 3), 0.5), atol=1e-6)
    np.testing.assert_allclose(s.value, -1.0, atol=1e-6)
    assert (z.dtype, w.dtype, s.value.ndim) == (np.complex128, np.float32, 0)
    for value, copied in zip(held, before):
        np.testing.assert_array_equal(value, copied)       # never written to


def test_a_parameter_without_gradient_stays():
    p, unused = (Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    minimize(lambda: (p * p).sum(), [p, unused])
    np.testing.assert_array_equal(unused.value, [1.0, 1.0])
    np.testing.assert_allclose(p.value, [0.0, 0.0], atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 20), st.floats(-0.9, 3), st.floats(0.01, 10))
def test_the_line_search_ends_where_the_strong_wolfe_conditions_hold(a, c, t):
    def at(x):                                             # a smooth valley with a wave on it
        return Point(x, a * (x - 1) ** 2 + c * np.cos(3 * x), None, 2 * a * (x - 1) - 3 * c * np.sin(3 * x))
    start = at(0.0)
    if start.slope > -1e-3:
        return
    found, evaluations = strong_wolfe(at, start, t, 1.0, 60, tolerance=1e-14)
    assert found.loss <= start.loss + 1e-4 * found.t * start.slope + 1e-12
    assert abs(found.slope) <= 0.9 * abs(start.slope) + 1e-9
    assert evaluations <= 61


def test_the_first_guess_is_taken_if_it_will_do():
    def bowl(x):
        return Point(x, (x - 1) ** 2, None, 2 * (x - 1))
    assert strong_wolfe(bowl, bowl(0.0), 1.0, 1.0, 25) == (bowl(1.0), 1)
    assert strong_wolfe(bowl, bowl(0.0), 0.9, 1.0, 25) == (bowl(0.9), 1)         # before the minimum, but flat enough
    found, evaluations = strong_wolfe(bowl, bowl(0.0), 7.0, 1.0, 25)
    assert found.t == pytest.approx(1.0) and evaluations == 2


def test_a_step_over_a_crest_is_not_remembered():
    p = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    optimizer = minimize(lambda: -(p * p).sum() / 2, [p], lr=0.1, max_iter=3)
    assert optimizer.state[p]["ro"] == [] and optimizer.state[p]["n_iter"] == 2


def test_the_cubic_through_two_points_has_its_minimum_found():
    def point(x):
        return Point(x, x**3 - 3 * x, None, 3 * x * x - 3)
    for a, b in ((0.0, 3.0), (3.0, 0.0), (0.5, 1.7)):
        assert cubic_minimum(point(a), point(b), 0.0, 3.0) == pytest.approx(1.0)
    assert cubic_minimum(point(0.0), point(3.0), 2.0, 3.0) == 2.0     # kept within
    falling = Point(0.0, 0.0, None, -1.0), Point(1.0, -1.0, None, -1.0)
    assert cubic_minimum(*falling, 0.0, 4.0) == 2.0                   # a line has none: the middle


def test_a_run_continued_from_a_state_dict_is_the_same():
    def problem(value):
        p = Tensor(np.array(value), requires_grad=True)
        return p, lambda: ((p * p - Tensor(np.arange(1.0, 4.0))) ** 2).sum()

    p, loss = problem([0.3, 0.5, 2.0])
    optimizer = minimize(loss, [p], max_iter=3, history_size=4, lr=0.1)
    saved = optimizer.state_dict()
    q, loss_of_q = problem(p.value)
    successor = optim.LBFGS([q])
    successor.load_state_dict(saved)

    def closure(optimizer, loss):
        def run():
            optimizer.zero_grad()
            value = loss()
            value.backward()
            return value
        return run
    for _ in range(3):
        optimizer.step(closure(optimizer, loss))
        successor.step(closure(successor, loss_of_q))
    np.testing.assert_array_equal(p.value, q.value)
    assert successor.state[q]["n_iter"] == optimizer.state[p]["n_iter"] > 6 and len(successor.state[q]["ro"]) == 4


def test_what_is_wrong_is_said():
    p = Tensor(np.ones(2), requires_grad=True)
    optimizer = optim.LBFGS([p])
    with pytest.raises(TypeError) as error:
        optimizer.step()
    assert str(error.value).startswith("LBFGS evaluates the loss several times in a step: call step(closure)")
    with pytest.raises(ValueError) as error:
        optim.LBFGS([{"params": [p]}, {"params": [Tensor([1.0], requires_grad=True)]}])
    assert str(error.value).startswith("LBFGS has one parameter group")
    saved = optimizer.state_dict()
    for state, text in (({0: {"exp_avg": 1}}, "the state dict is not one of LBFGS: parameter 0 has exp_avg"),
                        ({0: {"func_evals": 1, "n_iter": 1, "d": [1.0]}},
                         "d of parameter 0 must have as many numbers as all parameters, 2; got shape (1,)")):
        with pytest.raises(ValueError) as error:
            optimizer.load_state_dict({**saved, "state": state})
        assert str(error.value).startswith(text)
