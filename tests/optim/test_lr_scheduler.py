"""Schedules: against PyTorch's numbers, the formula against the steps, and what goes wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

import optim
from autograd import Tensor
from optim import lr_scheduler

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())["schedules"]


def two_groups():
    return optim.SGD([{"params": [Tensor([0.0], requires_grad=True)]},
                      {"params": [Tensor([0.0], requires_grad=True)], "lr": 0.5}], lr=0.1)


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def advance(optimizer, *schedules, steps=1):
    for _ in range(steps):
        optimizer.step()
        for schedule in schedules:
            schedule.step()


EVERY = [case["chain"][0] for case in GOLDEN if len(case["chain"]) == 1] + [
    ("LambdaLR", {"lr_lambda": [lambda t: 0.95**t, lambda t: 1 / (1 + t)]}),
    ("MultiplicativeLR", {"lr_lambda": [lambda t: 0.95, lambda t: 1 / t]}), ("WarmupLR", {"warmup_steps": 6}),
    ("WarmupLinearLR", {"warmup_steps": 6, "total_steps": 70}), ("WarmupInverseSqrtLR", {"warmup_steps": 5}),
    ("WarmupCosineLR", {"warmup_steps": 6, "total_steps": 70, "min_factor": 0.1}),
    ("WarmupStableDecayLR", {"warmup_steps": 6, "decay_steps": 9, "total_steps": 70, "min_factor": 0.1})]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(EVERY)]


@pytest.mark.parametrize("case", GOLDEN, ids=["+".join(name for name, _ in case["chain"]) for case in GOLDEN])
def test_fifty_steps_agree_with_pytorch(case):
    optimizer = two_groups()
    schedules = [getattr(lr_scheduler, name)(optimizer, **settings) for name, settings in case["chain"]]
    for t, wanted in enumerate(case["rates"]):
        np.testing.assert_allclose(rates(optimizer), wanted, rtol=1e-12, atol=1e-15)
        assert schedules[-1].get_last_lr() == rates(optimizer)
        assert schedules[-1].last_epoch == t
        advance(optimizer, *schedules)


@pytest.mark.parametrize(("name", "settings"), EVERY, ids=IDS)
def test_the_formula_is_what_the_steps_set_and_looking_at_it_changes_nothing(name, settings):
    optimizer = two_groups()
    schedule = getattr(optim, name)(optimizer, **settings)
    before, state = rates(optimizer), repr(schedule.state_dict())
    planned = [[schedule.lr(t, group) for group in range(2)] for t in range(50)]
    assert [schedule.lr(t) for t in range(50)] == [first for first, _ in planned]
    assert rates(optimizer) == before
    assert repr(schedule.state_dict()) == state
    for t in range(50):
        assert rates(optimizer) == planned[t]
        advance(optimizer, schedule)
    schedule.step(7)                                      # and any step can be gone to
    assert (schedule.last_epoch, rates(optimizer)) == (7, planned[7])


@pytest.mark.parametrize(("name", "settings"), EVERY, ids=IDS)
def test_state_dict_round_trip(name, settings):
    optimizer = two_groups()
    schedule = getattr(optim, name)(optimizer, **settings)
    advance(optimizer, schedule, steps=9)
    saved, weights = schedule.state_dict(), optimizer.state_dict()
    advance(optimizer, schedule, steps=5)
    other = two_groups()
    successor = getattr(optim, name)(other, **settings)
    successor.load_state_dict({**saved, "_is_initial": False, "_get_lr_called_within_step": False})   # PyTorch's extras
    other.load_state_dict(weights)
    assert successor.last_epoch == 9
    advance(other, successor, steps=5)
    assert rates(other) == rates(optimizer)
    assert successor.get_last_lr() == schedule.get_last_lr()


@pytest.mark.parametrize(("name", "settings"), EVERY, ids=IDS)
def test_last_epoch_continues_with_an_optimizer_that_was_loaded(name, settings):
    optimizer = two_groups()
    schedule = getattr(optim, name)(optimizer, **settings)
    advance(optimizer, schedule, steps=9)
    weights = optimizer.state_dict()
    other = two_groups()
    other.load_state_dict(weights)
    successor = getattr(optim, name)(other, **settings, last_epoch=8)
    assert (successor.last_epoch, rates(other)) == (9, rates(optimizer))
    advance(optimizer, schedule, steps=5)
    advance(other, successor, steps=5)
    assert rates(other) == rates(optimizer)


@pytest.mark.parametrize(("name", "settings"), [
    case for case in EVERY if not getattr(optim, case[0]).overrides and case[0] != "CosineAnnealingLR"])
def test_a_rate_changed_by_hand_is_scaled_from_there_on(name, settings):
    optimizer = two_groups()
    schedule = getattr(optim, name)(optimizer, **settings)
    advance(optimizer, schedule, steps=2)
    for group in optimizer.param_groups:
        group["lr"] *= 3
    for t in range(3, 29):
        advance(optimizer, schedule)
        np.testing.assert_allclose(rates(optimizer), [3 * schedule.lr(t, 0), 3 * schedule.lr(t, 1)], rtol=1e-12)


def test_a_group_added_later_joins_from_there_on():
    optimizer = two_groups()
    schedule = optim.ExponentialLR(optimizer, gamma=0.5)
    advance(optimizer, schedule, steps=3)
    optimizer.add_param_group({"params": Tensor([0.0], requires_grad=True), "lr": 0.8})
    advance(optimizer, schedule, steps=2)
    np.testing.assert_allclose(rates(optimizer), [0.1 / 32, 0.5 / 32, 0.8 / 4], rtol=1e-15)


def test_a_constant_factor_of_zero_ends():
    optimizer = two_groups()
    schedule = optim.ConstantLR(optimizer, factor=0.0, total_iters=2)
    other = optim.ExponentialLR(optimizer, gamma=1.0)
    seen = []
    for _ in range(4):
        seen.append(rates(optimizer)[0])
        advance(optimizer, schedule, other)
    assert seen == [0.0, 0.0, 0.1, 0.1]


def test_a_schedule_may_be_written_with_a_formula_or_with_get_lr():
    class InverseRoot(optim.LRScheduler):
        def formula(self, t, base, group):
            return base / (1 + t) ** 0.5

    class Halving(optim.LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    for kind, wanted in ((InverseRoot, 0.1 / 2), (Halving, 0.1 / 8)):
        optimizer = two_groups()
        schedule = kind(optimizer)
        advance(optimizer, schedule, steps=3)
        assert rates(optimizer)[0] == pytest.approx(wanted)
    with pytest.raises(NotImplementedError) as error:
        optim.LRScheduler(two_groups())
    assert str(error.value) == "LRScheduler must define formula(t, base, group), or get_lr()"


def test_lambdas_that_are_objects_are_saved():
    class Scaled:
        def __init__(self, by):
            self.by = by

        def __call__(self, t):
            return self.by * t

    optimizer = two_groups()
    schedule = optim.LambdaLR(optimizer, [Scaled(2.0), lambda t: 1.0])
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [{"by": 2.0}, None]
    successor = optim.LambdaLR(two_groups(), [Scaled(7.0), lambda t: 1.0])
    successor.load_state_dict(saved)
    assert successor.lr(3) == pytest.approx(0.6)


def test_rates_from_numpy_keep_float32_parameters_float32():
    p = Tensor(np.ones(3, np.float32), requires_grad=True)
    optimizer = optim.Adam([p])
    optim.LambdaLR(optimizer, lambda t: np.float64(0.5))
    p.grad = Tensor(np.ones(3, np.float32))
    optimizer.step()
    assert p.dtype == np.float32


def test_stepping_the_schedule_first_is_noticed():
    optimizer = two_groups()
    schedule = optim.StepLR(optimizer, 3)
    with pytest.warns(UserWarning) as warned:
        schedule.step()
    assert str(warned[0].message) == (
        "StepLR.step() was called before optimizer.step(), so the first learning rate of the schedule is never used: "
        "call optimizer.step() first")
    schedule.step()                                       # said once


@pytest.mark.parametrize(("make", "kind", "text"), [
    (lambda o: optim.StepLR([0.1], 3), TypeError, "StepLR needs an Optimizer; got a list"),
    (lambda o: optim.StepLR(o, 0), ValueError, "step_size must be a whole number >= 1; got 0 (int)"),
    (lambda o: optim.StepLR(o, 2.5), ValueError, "step_size must be a whole number >= 1; got 2.5 (float)"),
    (lambda o: optim.StepLR(o, "3"), ValueError, "step_size must be a whole number >= 1; got '3' (str)"),
    (lambda o: optim.StepLR(o, 3, gamma="x"), ValueError, "gamma must be a number; got 'x' (str)"),
    (lambda o: optim.ConstantLR(o, factor=1.5), ValueError, "factor must be in [0, 1]; got 1.5"),
    (lambda o: optim.LinearLR(o, start_factor=0), ValueError, "start_factor must be in (0, 1]; got 0"),
    (lambda o: optim.LinearLR(o, end_factor=-1), ValueError, "end_factor must be in [0, 1]; got -1"),
    (lambda o: optim.CosineAnnealingLR(o, 0), ValueError, "T_max must be a whole number >= 1; got 0 (int)"),
    (lambda o: optim.CosineAnnealingLR(o, 5, eta_min=-1), ValueError, "eta_min must be >= 0; got -1"),
    (lambda o: optim.LambdaLR(o, [abs]), ValueError,
     "lr_lambda must be one function, or one for each of 2 parameter groups; got 1"),
    (lambda o: optim.LambdaLR(o, 0.5), TypeError, "lr_lambda must be a function of the step; got a float"),
    (lambda o: optim.StepLR(o, 3, last_epoch=4), KeyError,
     "last_epoch=4 continues a schedule, but param_groups[0] has no 'initial_lr': load the optimizer's state_dict "
     "first, or leave last_epoch out"),
])
def test_bad_settings_are_refused_before_anything_changes(make, kind, text):
    optimizer = two_groups()
    before = repr(optimizer)
    with pytest.raises(kind) as error:
        make(optimizer)
    assert error.value.args[0] == text
    assert repr(optimizer) == before


def test_the_state_of_another_schedule_is_refused():
    schedule = optim.StepLR(two_groups(), 3)
    before = schedule.state_dict()
    cosine = optim.CosineAnnealingLR(two_groups(), 5).state_dict()
    with pytest.raises(ValueError) as error:
        schedule.load_state_dict(cosine)
    assert str(error.value) == "the state dict is not one of StepLR: it lacks step_size, gamma"
    single = optim.StepLR(optim.SGD([Tensor([0.0], requires_grad=True)]), 3).state_dict()
    with pytest.raises(ValueError) as error:
        schedule.load_state_dict(single)
    assert str(error.value) == "the state dict is for 1 parameter groups; the optimizer has 2"
    with pytest.raises(TypeError) as error:
        schedule.load_state_dict(3)
    assert str(error.value) == "a state dict of a schedule is a dict; got an int"
    assert schedule.state_dict() == before
