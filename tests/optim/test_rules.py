"""The update rules: against PyTorch's numbers, closed forms, and what a rule must never do."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optim
import optim.optimizer
from autograd import Tensor

HERE = Path(__file__)
GOLDEN = json.loads(HERE.with_name("golden.json").read_text())["rules"]
problem = runpy.run_path(str(HERE.with_name("make_golden.py")))
IDS = [f"{case['name']}-{'-'.join(map(str, case['settings'])) or 'default'}-{i}" for i, case in enumerate(GOLDEN)]

EVERY = [("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
         ("SGD", {"momentum": 0.9, "dampening": 0.2, "maximize": True}), ("RMSprop", {}),
         ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}), ("Adagrad", {"lr_decay": 0.1}),
         ("Adam", {}), ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True}), ("AdamW", {"amsgrad": True}),
         ("ASGD", {"t0": 0, "lambd": 0.1}), ("Rprop", {"maximize": True}), ("Adadelta", {"weight_decay": 0.1}),
         ("Adamax", {}), ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}), ("NAdam", {}), ("RAdam", {}),
         ("RAdam", {"betas": (0.8, 0.9), "decoupled_weight_decay": True, "weight_decay": 0.1}),
         ("Lion", {"weight_decay": 0.1}), ("AdamWScheduleFree", {"weight_decay": 0.1, "warmup_steps": 2})]


def leaf(value, dtype=None):
    return Tensor(np.array(value, dtype), requires_grad=True)


def grouped(params, chosen):
    return [{"params": params[:2]}, {"params": params[2:], "lr": 3 * chosen.get("lr", 0.01), "weight_decay": 0.2}]


def run(optimizer, params, steps):
    for t in steps:
        for i, p in enumerate(params):
            g = problem["gradient"](np.asarray(p.value), t, i)
            p.grad = None if g is None else Tensor(g)
        optimizer.step()


def agree(params, wanted):
    for p, w in zip(params, wanted, strict=True):
        np.testing.assert_allclose(p.value, w, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", GOLDEN, ids=IDS)
def test_twenty_steps_agree_with_pytorch(case):
    params = [leaf(problem["start"](i)) for i in range(3)]
    optimizer = getattr(optim, case["name"])(grouped(params, case["settings"]), **case["settings"])
    run(optimizer, params, range(1))
    agree(params, case["first"])
    run(optimizer, params, range(1, 10))
    agree(params, case["middle"])
    run(optimizer, params, range(10, 20))
    agree(params, case["last"])


@pytest.mark.parametrize("case", GOLDEN, ids=IDS)
def test_the_state_is_pytorchs_and_can_be_taken_over_from_it(case):
    params = [leaf(problem["start"](i)) for i in range(3)]
    optimizer = getattr(optim, case["name"])(grouped(params, case["settings"]), **case["settings"])
    run(optimizer, params, range(10))
    ours, theirs = optimizer.state_dict(), case["state_dict"]
    theirs["state"] = {int(i): s for i, s in theirs["state"].items()}
    assert set(ours) == set(theirs)
    assert ours["state"].keys() == theirs["state"].keys()
    for i, s in theirs["state"].items():
        assert ours["state"][i].keys() == s.keys()
        for name, value in s.items():
            assert isinstance(ours["state"][i][name], Tensor)
            np.testing.assert_allclose(ours["state"][i][name].value, value, rtol=1e-12, atol=1e-14)
    for mine, its in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert {name: list(v) if isinstance(v, tuple) else v for name, v in mine.items()} == {
            name: v for name, v in its.items() if name not in ("foreach", "fused", "capturable", "differentiable")}

    params = [leaf(value) for value in case["middle"]]
    successor = getattr(optim, case["name"])(grouped(params, {}))           # its settings come with the state dict
    successor.load_state_dict(theirs)
    run(successor, params, range(10, 20))
    agree(params, case["last"])


@pytest.mark.parametrize(("name", "chosen"), EVERY)
def test_a_run_continued_from_a_state_dict_is_the_same_to_the_last_bit(name, chosen):
    params = [leaf(problem["start"](i), np.float32) for i in range(3)]
    optimizer = getattr(optim, name)(params, **chosen)

    def advance(optimizer, params, steps):
        for t in steps:
            for i, p in enumerate(params):
                p.grad = Tensor(np.asarray(np.cos(p.value * 3 + t + i), np.float32))
            optimizer.step()

    advance(optimizer, params, range(7))
    saved, values = optimizer.state_dict(), [p.value for p in params]
    advance(optimizer, params, range(7, 15))                                # does not reach into what was saved
    again = [leaf(value) for value in values]
    successor = getattr(optim, name)(again)
    successor.load_state_dict(saved)
    advance(successor, again, range(7, 15))
    for p, q in zip(params, again, strict=True):
        np.testing.assert_array_equal(p.value, q.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(("name", "chosen"), EVERY)
def test_the_dtype_is_kept(name, chosen, dtype):
    params = [leaf(np.full(shape, 0.5), dtype) for shape in [(2, 3), (3,), (), (0, 2)]]
    known = getattr(optim, name)([leaf(0.0)]).defaults
    given = {k: v for k, v in {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3, **chosen}.items() if k in known}
    numpy = {k: np.float64(v) if isinstance(v, float) else v for k, v in given.items()}     # not weak as floats are
    optimizer = getattr(optim, name)(params, **numpy)
    for _ in range(3):
        for p in params:
            p.grad = Tensor(np.full(p.shape, 0.25, dtype))
        optimizer.step()
    for p in params:
        assert p.dtype == dtype
        assert p.ndim > 0 or isinstance(p.value, dtype)                     # 0-d: a NumPy scalar
        for name, value in optimizer.state[p].items():
            assert name in optimizer.numbers or (value.dtype == dtype and value.shape == p.shape)


@pytest.mark.parametrize(("name", "chosen"), EVERY)
def test_a_scalar_parameter_moves_as_an_array_of_one_element_does(name, chosen):
    scalar, array = leaf(0.7, np.float32), leaf([0.7], np.float32)
    optimizer = getattr(optim, name)([scalar, array], lr=0.1, **chosen)
    for t in range(10):
        g = np.float32(np.cos(t) + 0.3)
        scalar.grad, array.grad = Tensor(g), Tensor(np.array([g]))
        optimizer.step()
        np.testing.assert_allclose(scalar.value, array.value[0], rtol=1e-6)


@pytest.mark.parametrize(("name", "chosen"), EVERY)
def test_neither_the_old_values_nor_the_gradients_are_written_to(name, chosen):
    params = [leaf(problem["start"](i)) for i in range(3)]
    optimizer = getattr(optim, name)(params, **chosen)
    for t in range(4):
        held = []
        for p in params:
            p.grad = Tensor(np.asarray(np.cos(p.value + t)))
            for array in (p.value, p.grad.value):
                if array.ndim:
                    array.flags.writeable = False
                    held.append((array, array.copy()))
        optimizer.step()
        for array, copy in held:
            np.testing.assert_array_equal(array, copy)


def test_a_graph_made_before_a_step_differentiates_at_the_values_it_was_made_with():
    p = leaf([1.0, 2.0, 3.0])
    y = (p * p).sum()
    optimizer = optim.Adam([p], lr=0.5)
    p.grad = Tensor(np.ones(3))
    optimizer.step()
    p.grad = None
    y.backward()
    np.testing.assert_array_equal(p.grad.value, [2.0, 4.0, 6.0])


@pytest.mark.parametrize(("name", "chosen"), EVERY)
def test_pieces_of_a_large_parameter_are_stepped_to_the_same_bits(name, chosen, monkeypatch):
    def outcome(large, piece):
        monkeypatch.setattr(getattr(optim, name), "large", large)
        monkeypatch.setattr(optim.optimizer, "PIECE", piece)
        rng = np.random.default_rng(0)
        params = [leaf(rng.normal(size=shape), np.float32) for shape in [(5, 7), (7,), (8,), (), (0, 3)]]
        params.append(leaf(rng.normal(size=(4, 6)).astype(np.float32).T))    # in Fortran order
        optimizer = getattr(optim, name)(params, lr=0.1, **chosen)
        for _ in range(4):
            for p in params:
                p.grad = Tensor(np.asarray(rng.normal(size=p.shape), np.float32))
            optimizer.step()
        return [*params, *(Tensor(np.asarray(v)) for p in params for v in optimizer.state[p].values())]
    for whole, pieces in zip(outcome(np.inf, 1 << 16), outcome(0, 7), strict=True):
        np.testing.assert_array_equal(whole.value, pieces.value)


def test_complex_parameters_are_stepped_as_pairs_of_real_ones():
    z, pair = leaf([1 + 2j, 3 - 1j]), leaf([[1.0, 2.0], [3.0, -1.0]])
    optimizer = optim.Adam([z, pair], lr=0.1)
    for t in range(3):
        g = np.array([[0.1 + t, 5.0], [-3.0, 0.01]])
        z.grad, pair.grad = Tensor(g.view(complex)[:, 0]), Tensor(g)
        optimizer.step()
    np.testing.assert_array_equal(z.value.view(float).reshape(2, 2), pair.value)


def test_adam_takes_large_gradients_in_half_precision():
    p = leaf([1.0], np.float16)
    optimizer = optim.Adam([p], lr=0.1)
    p.grad = Tensor(np.array([5000.0], np.float16))        # its square is 2.5e7, and (1 - b2) times that fits
    optimizer.step()
    np.testing.assert_allclose(p.value, [0.9], rtol=2e-3)


def test_infinite_gradients_raise_no_warning():
    for name, chosen in EVERY:
        p = leaf([1.0, 2.0], np.float32)
        optimizer = getattr(optim, name)([p], **chosen)
        p.grad = Tensor(np.array([np.inf, 1e30], np.float32))
        optimizer.step()
        optimizer.step()


def test_centered_rmsprop_survives_a_constant_gradient():
    p = leaf([0.1, 0.3])
    optimizer = optim.RMSprop([p], lr=1e-6, alpha=0.5, centered=True)
    for _ in range(200):                                  # the variance is 0, and rounding may take it for less
        p.grad = Tensor(np.array([0.1, 0.7]))
        optimizer.step()
    assert np.isfinite(p.value).all()


rates = st.floats(0.01, 0.5)
curvatures = st.floats(0.1, 2.0)


@settings(max_examples=40, deadline=None)
@given(lr=rates, a=curvatures, start=st.floats(-10, 10))
def test_gradient_descent_on_a_parabola_follows_its_closed_form(lr, a, start):
    p = leaf(start)                                       # x_t = (1 - lr a)^t x_0
    optimizer = optim.SGD([p], lr=lr)
    for _ in range(20):
        p.grad = Tensor(a * p.value)
        optimizer.step()
    np.testing.assert_allclose(p.value, (1 - lr * a) ** 20 * start, rtol=1e-10, atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(lr=rates, a=curvatures, mu=st.floats(0.1, 0.95), nesterov=st.booleans())
def test_momentum_on_a_parabola_is_a_linear_map(lr, a, mu, nesterov):
    p = leaf(1.0)                                         # (x, b) <- M (x, b)
    optimizer = optim.SGD([p], lr=lr, momentum=mu, nesterov=nesterov)
    row = [1 - lr * a - lr * mu * a, -lr * mu * mu] if nesterov else [1 - lr * a, -lr * mu]
    expected = np.linalg.matrix_power(np.array([row, [a, mu]]), 12) @ [1.0, 0.0]
    for _ in range(12):
        p.grad = Tensor(a * p.value)
        optimizer.step()
    np.testing.assert_allclose([p.value, optimizer.state[p]["momentum_buffer"]], expected, rtol=1e-9, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(gradients=st.lists(st.floats(-1e3, 1e3).filter(lambda g: abs(g) > 1e-3), min_size=1, max_size=20),
       exponent=st.integers(-20, 20))
def test_adams_steps_are_bounded_by_lr_and_do_not_know_the_scale_of_the_gradients(gradients, exponent):
    p, q = leaf(0.0), leaf(0.0)
    optimizer = optim.Adam([p, q], lr=0.1, betas=(0.9, 0.99), eps=0)
    for t, g in enumerate(gradients):
        before = p.value
        p.grad, q.grad = Tensor(np.float64(g)), Tensor(np.float64(g) * 2.0**exponent)
        optimizer.step()
        assert p.value == q.value
        # Cauchy and Schwarz on the sums that m and v are; section 2.1 has the bound in short, (1 - b1) / sqrt(1 - b2)
        bound = 0.1 / 0.01**0.5 * (1 - 0.99 ** (t + 1))**0.5 / (1 - 0.9 ** (t + 1)) * sum(
            (0.81 / 0.99)**k for k in range(t + 1))**0.5
        assert abs(p.value - before) <= 0.1 * bound * (1 + 1e-9)
        if t == 0:
            np.testing.assert_allclose(p.value, -0.1 * np.sign(g), rtol=1e-12)


@pytest.mark.parametrize(("name", "chosen", "steps"), [
    ("SGD", {"lr": 0.1, "momentum": 0.8}, 200), ("RMSprop", {"lr": 0.01}, 800), ("Adagrad", {"lr": 1.0}, 400),
    ("Adam", {"lr": 0.1}, 500), ("AdamW", {"lr": 0.1, "weight_decay": 0.0}, 500), ("ASGD", {"lr": 0.1}, 200),
    ("Rprop", {"lr": 0.1}, 100), ("Adadelta", {"lr": 5.0}, 800), ("Adamax", {"lr": 0.2}, 300),
    ("NAdam", {"lr": 0.1}, 400), ("RAdam", {"lr": 0.2}, 500), ("Lion", {"lr": 0.01}, 800),
    ("Adafactor", {"lr": 0.1}, 800), ("AdamWScheduleFree", {"lr": 0.3}, 600)])
def test_every_rule_finds_the_bottom_of_a_bowl(name, chosen, steps):
    target, scale = np.array([1.0, -2.0, 0.5]), np.array([1.0, 3.0, 0.5])
    p = leaf([3.0, 3.0, 3.0])
    optimizer = getattr(optim, name)([p], **chosen)
    for _ in range(steps):
        optimizer.zero_grad()
        (Tensor(scale) * (p - Tensor(target)) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.value, target, atol=0.02)


@pytest.mark.parametrize(("name", "chosen"), [
    ("Adam", {"lr": 0.03}), ("NAdam", {"lr": 0.03}), ("Rprop", {"lr": 0.01}), ("SGD", {"lr": 5e-4, "momentum": 0.95}),
    ("Lion", {"lr": 0.002}), ("AdamWScheduleFree", {"lr": 0.1})])
def test_rosenbrocks_valley_is_followed(name, chosen):
    p = leaf([-1.2, 1.0])                                  # where (1 - x)^2 + 100 (y - x^2)^2 is 24.2
    optimizer = getattr(optim, name)([p], **chosen)
    for _ in range(1500):
        x, y = p.value
        p.grad = Tensor(np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]))
        optimizer.step()
    if name == "AdamWScheduleFree":
        optimizer.eval()
    x, y = p.value
    assert (1 - x) ** 2 + 100 * (y - x * x) ** 2 < 5e-3


def test_amsgrad_converges_where_adam_does_not():
    # Reddi, Kale and Kumar 2018, theorem 1: gradients C, -1, -1, C, ... on [-1, 1], b1 = 0, b2 = 1 / (1 + C^2);
    # the sum of the losses is smallest at -1
    def end(amsgrad, C=3.0):
        p = leaf(0.0)
        optimizer = optim.Adam([p], betas=(0.0, 1 / (1 + C * C)), amsgrad=amsgrad)
        for t in range(1, 1501):
            optimizer.param_groups[0]["lr"] = 0.5 / t**0.5
            p.grad = Tensor(np.float64(C if t % 3 == 1 else -1.0))
            optimizer.step()
            p.value = np.clip(p.value, -1.0, 1.0)
        return p.value
    assert end(amsgrad=False) > 0.95
    assert end(amsgrad=True) < -0.95
