"""Schedules that rise and fall, follow a metric, or are made of others; and for all: the formula against the steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optim
from autograd import Tensor
from optim import lr_scheduler as S


def sgd(groups=1, **given):
    return optim.SGD([{"params": [Tensor([0.0], requires_grad=True)], "lr": 0.1 * (i + 1)} for i in range(groups)],
                     **{"lr": 0.1, "momentum": 0.9, **given})


def rate(optimizer, group=0):
    return optimizer.param_groups[group]["lr"]


def advance(optimizer, schedule, steps=1):
    for _ in range(steps):
        optimizer.step()
        schedule.step()


shares, counts = st.floats(0.01, 1.0), st.integers(1, 12)
SIMPLE = {
    "StepLR": st.builds(lambda n, g: lambda o: S.StepLR(o, n, g), counts, shares),
    "MultiStepLR": st.builds(lambda m, g: lambda o: S.MultiStepLR(o, m, g), st.lists(counts, max_size=4), shares),
    "ConstantLR": st.builds(lambda f, n: lambda o: S.ConstantLR(o, f, n), shares, counts),
    "LinearLR": st.builds(lambda a, b, n: lambda o: S.LinearLR(o, a, b, n), shares, shares, counts),
    "ExponentialLR": st.builds(lambda g: lambda o: S.ExponentialLR(o, g), shares),
    "PolynomialLR": st.builds(lambda n, p: lambda o: S.PolynomialLR(o, n, p), counts, st.floats(0.1, 3)),
    "LambdaLR": st.builds(lambda a: lambda o: S.LambdaLR(o, lambda t: a**t + t), shares),
    "MultiplicativeLR": st.builds(lambda a: lambda o: S.MultiplicativeLR(o, lambda t: a + 1 / t), shares),
    "CosineAnnealingLR": st.builds(lambda n, low: lambda o: S.CosineAnnealingLR(o, n, 0.05 * low), counts, shares),
    "WarmupLR": st.builds(lambda n: lambda o: S.WarmupLR(o, n), counts),
    "WarmupInverseSqrtLR": st.builds(lambda n: lambda o: S.WarmupInverseSqrtLR(o, n), counts),
    "WarmupLinearLR": st.builds(lambda n, m: lambda o: S.WarmupLinearLR(o, n, n + m), counts, counts),
    "WarmupCosineLR": st.builds(lambda n, m, low: lambda o: S.WarmupCosineLR(o, n, n + m, low), counts, counts, shares),
    "WarmupStableDecayLR": st.builds(lambda n, m, k: lambda o: S.WarmupStableDecayLR(o, n, m, n + m + k),
                                     counts, counts, counts),
}
OVERRIDING = {
    "CosineAnnealingWarmRestarts": st.builds(lambda n, m, low: lambda o: S.CosineAnnealingWarmRestarts(o, n, m, low),
                                             counts, st.integers(1, 3), shares),
    "CyclicLR": st.builds(lambda a, b, up, down, mode: lambda o: S.CyclicLR(o, a, a + b, up, down, mode, gamma=0.9),
                          shares, shares, counts, counts, st.sampled_from(["triangular", "triangular2", "exp_range"])),
    "OneCycleLR": st.builds(lambda top, pct, three, kind: lambda o: S.OneCycleLR(
        o, top, 50, pct_start=pct, three_phase=three, anneal_strategy=kind),
        shares, st.floats(0.1, 0.45), st.booleans(), st.sampled_from(["cos", "linear"])),
}
simple = st.one_of(*SIMPLE.values())
EVERY = {
    **SIMPLE, **OVERRIDING,
    "SequentialLR": st.builds(
        lambda makes, gaps: lambda o: S.SequentialLR(o, [make(o) for make in makes[:len(gaps) + 1]],
                                                     np.cumsum(gaps[:len(makes) - 1]).tolist()),
        st.lists(simple, min_size=3, max_size=3), st.lists(counts, min_size=2, max_size=2)),
    "ChainedScheduler": st.builds(lambda makes: lambda o: S.ChainedScheduler([make(o) for make in makes]),
                                  st.lists(simple, min_size=1, max_size=3)),
}


@pytest.mark.parametrize("name", EVERY)
def test_the_pure_function_is_what_the_steps_set(name):
    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(EVERY[name])
    def check(make):
        optimizer = sgd(groups=2)
        schedule = make(optimizer)
        planned = [[schedule.lr(t, group) for group in range(2)] for t in range(30)]
        for wanted in planned:
            np.testing.assert_allclose([rate(optimizer, 0), rate(optimizer, 1)], wanted, rtol=1e-9, atol=1e-14)
            assert schedule.get_last_lr() == [rate(optimizer, 0), rate(optimizer, 1)]
            advance(optimizer, schedule)
        assert planned == [[schedule.lr(t, group) for group in range(2)] for t in range(30)]
    check()


@pytest.mark.parametrize("name", EVERY)
def test_a_schedule_continued_from_a_state_dict_sets_the_same(name):
    @settings(max_examples=4, deadline=None, derandomize=True)
    @given(EVERY[name], st.integers(0, 20))
    def check(make, steps):
        optimizer = sgd(groups=2)
        schedule = make(optimizer)
        advance(optimizer, schedule, steps)
        other = sgd(groups=2)
        successor = make(other)
        successor.load_state_dict(schedule.state_dict())
        other.load_state_dict(optimizer.state_dict())
        for _ in range(12):
            advance(optimizer, schedule)
            advance(other, successor)
            assert [rate(other, 0), rate(other, 1)] == [rate(optimizer, 0), rate(optimizer, 1)]
    check()


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_momentum_goes_against_the_rate(kind):
    optimizer = getattr(optim, kind)([Tensor([0.0], requires_grad=True)], lr=0.1)

    def momentum():
        group = optimizer.param_groups[0]
        return group["betas"][0] if kind == "Adam" else group["momentum"]
    schedule = S.OneCycleLR(optimizer, max_lr=1.0, total_steps=11, pct_start=0.5, base_momentum=0.8)
    planned = [schedule.momentum(t) for t in range(11)]
    seen = []
    for t in range(11):
        seen.append((rate(optimizer), momentum()))
        assert momentum() == planned[t]
        if t < 10:
            advance(optimizer, schedule)
    rates, momenta = zip(*seen)
    assert rates[0] == pytest.approx(1 / 25) and rates[-1] == pytest.approx(1 / 25e4)
    assert momenta[0] == pytest.approx(0.95) and momenta[-1] == pytest.approx(0.95)
    assert np.argmin(momenta) == np.argmax(rates)
    advance(optimizer, schedule)
    with pytest.raises(ValueError) as error:
        advance(optimizer, schedule)
    assert str(error.value) == ("this OneCycleLR is for 11 steps; got step 12: give total_steps what the whole "
                                "training takes")


def test_cycles_and_their_scales():
    for mode, tops in (("triangular", [1.0, 1.0, 1.0]), ("triangular2", [1.0, 0.5, 0.25]),
                       ("exp_range", [0.9**2, 0.9**6, 0.9**10])):
        schedule = S.CyclicLR(sgd(), 0.0, 1.0, 2, mode=mode, gamma=0.9)
        np.testing.assert_allclose([schedule.lr(t) for t in (2, 6, 10)], tops)
        np.testing.assert_allclose([schedule.lr(t) for t in (0, 4, 8)], 0.0, atol=1e-15)
    own = S.CyclicLR(sgd(), 0.0, 1.0, 2, scale_fn=lambda cycle: 1 / cycle)
    np.testing.assert_allclose([own.lr(t) for t in (2, 6, 10)], [1, 1 / 2, 1 / 3])


def test_restarts_take_fractions_of_a_step():
    optimizer = sgd()
    schedule = S.CosineAnnealingWarmRestarts(optimizer, T_0=4, T_mult=2)
    assert [schedule.position(t) for t in (0, 3.5, 4, 11.5, 12, 28)] == [(0, 4), (3.5, 4), (0, 8), (7.5, 8), (0, 16),
                                                                         (0, 32)]
    optimizer.step()
    schedule.step(2)
    assert rate(optimizer) == pytest.approx(0.05)
    schedule.step(5.5)
    assert (rate(optimizer), schedule.last_epoch) == (schedule.lr(5.5), 5)
    schedule.step()
    assert rate(optimizer) == schedule.lr(6.5)
    with pytest.raises(ValueError) as error:
        schedule.step(-1)
    assert str(error.value) == "epoch must be >= 0; got -1"


def test_plateaus_lower_the_rate_and_the_past_tells_the_same():
    optimizer = sgd(groups=2)
    schedule = S.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=1, min_lr=[0.03, 0.0])
    metrics = [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    seen = []
    for t, metric in enumerate(metrics):
        schedule.step(Tensor(metric))
        seen.append(rate(optimizer))
        assert [rate(optimizer, 0), rate(optimizer, 1)] == [schedule.lr(metrics[:t + 1], group) for group in range(2)]
    assert seen == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03, 0.03]
    assert schedule.get_last_lr() == [rate(optimizer, 0), rate(optimizer, 1)]
    rising = S.ReduceLROnPlateau(sgd(), mode="max", patience=0, threshold=0.1, threshold_mode="abs")
    assert [rising.lr([1.0]), rising.lr([1.0, 1.2]), rising.lr([1.0, 1.05])] == [0.1, 0.1, pytest.approx(0.01)]


def test_a_sequence_may_hold_a_chain():
    optimizer = sgd()
    chain = S.ChainedScheduler([S.ConstantLR(optimizer, 0.5, 2), S.ExponentialLR(optimizer, 0.9)])
    schedule = S.SequentialLR(optimizer, [chain, S.ExponentialLR(optimizer, 0.5)], [3])
    seen = []
    for _ in range(6):
        seen.append(rate(optimizer))
        advance(optimizer, schedule)
    np.testing.assert_allclose(seen, [0.05, 0.045, 0.081, 0.1, 0.05, 0.025])


@pytest.mark.parametrize(("make", "text"), [
    (lambda o: S.PolynomialLR(o, 0), "total_iters must be a whole number >= 1; got 0 (int)"),
    (lambda o: S.CosineAnnealingWarmRestarts(o, 2.5), "T_0 must be a whole number >= 1; got 2.5 (float)"),
    (lambda o: S.CyclicLR(o, [0.1, 0.2, 0.3], 1.0),
     "base_lr must be one number, or one for each of 1 parameter groups; got 3"),
    (lambda o: S.CyclicLR(o, 0.1, 1.0, mode="square"),
     "mode must be 'triangular', 'triangular2' or 'exp_range', or give scale_fn; got 'square'"),
    (lambda o: S.CyclicLR(o, 0.1, 1.0, scale_fn=abs, scale_mode="step"),
     "scale_mode must be 'cycle' or 'iterations'; got 'step'"),
    (lambda o: S.OneCycleLR(o, 1.0), "OneCycleLR must know its end: give total_steps, or epochs and steps_per_epoch"),
    (lambda o: S.OneCycleLR(o, 1.0, 10, pct_start=2), "pct_start must be in [0, 1]; got 2"),
    (lambda o: S.OneCycleLR(o, 1.0, 10, anneal_strategy="step"),
     "anneal_strategy must be 'cos' or 'linear'; got 'step'"),
    (lambda o: S.OneCycleLR(optim.Adagrad([Tensor([0.0], requires_grad=True)]), 1.0, 10),
     "cycle_momentum needs an optimizer with momentum or betas; Adagrad has neither: pass cycle_momentum=False"),
    (lambda o: S.ReduceLROnPlateau(o, factor=1.0), "factor must be in [0, 1); got 1.0"),
    (lambda o: S.ReduceLROnPlateau(o, mode="low"), "mode must be 'min' or 'max'; got 'low'"),
    (lambda o: S.ReduceLROnPlateau(o, threshold_mode="x"), "threshold_mode must be 'rel' or 'abs'; got 'x'"),
    (lambda o: S.SequentialLR(o, [], []), "SequentialLR needs at least one schedule; got none"),
    (lambda o: S.SequentialLR(o, [S.StepLR(o, 1)], [3]),
     "milestones must be one fewer than the schedules: where each but the first begins; got 1 milestones, 1 schedules"),
    (lambda o: S.SequentialLR(o, [S.StepLR(o, 1)] * 3, [5, 3]), "milestones must rise; got [5, 3]"),
    (lambda o: S.ChainedScheduler([S.StepLR(o, 1), S.StepLR(sgd(), 1)]),
     "ChainedScheduler is for one optimizer; schedule 1, a StepLR, has another"),
    (lambda o: S.ChainedScheduler([S.ReduceLROnPlateau(o)]),
     "ChainedScheduler cannot hold a ReduceLROnPlateau (number 0), whose step takes a metric: step it beside"),
    (lambda o: S.WarmupLinearLR(o, 5, 3), "warmup_steps must be in [0, total_steps] = [0, 3]; got 5"),
    (lambda o: S.WarmupStableDecayLR(o, 5, 6, 10), "warm-up and decay must fit into total_steps = 10; got 5 + 6"),
])
def test_bad_settings(make, text):
    with pytest.raises(ValueError) as error:
        make(sgd())
    assert str(error.value) == text


def test_a_group_added_to_a_schedule_with_a_rate_for_each_is_refused():
    optimizer = sgd()
    schedule = S.OneCycleLR(optimizer, 1.0, 10)
    optimizer.step()
    optimizer.add_param_group({"params": [Tensor([0.0], requires_grad=True)]})
    with pytest.raises(ValueError, match="OneCycleLR has a highest rate for each parameter group"):
        schedule.step()
