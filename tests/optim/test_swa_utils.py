"""Averages of weights, and the schedule that goes with them."""

import numpy as np
import pytest

import nn
import optim
from autograd import Tensor
from optim import swa_utils
from optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn


def model():
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def shake(net, rng):
    for p in net.parameters():
        p.value = rng.normal(size=p.shape).astype(np.float32)


@pytest.mark.parametrize("given", [{}, {"multi_avg_fn": get_swa_multi_avg_fn()}])
def test_the_plain_average_is_the_mean_of_all(given):
    rng, net = np.random.default_rng(0), model()
    averaged, seen = AveragedModel(net, **given), []
    for _ in range(5):
        shake(net, rng)
        seen.append(net[0].weight.value)
        averaged.update_parameters(net)
    np.testing.assert_allclose(averaged.module[0].weight.value, np.mean(seen, axis=0), rtol=1e-5)
    assert averaged.n_averaged.item() == 5
    assert list(averaged.state_dict())[:2] == ["n_averaged", "module.0.weight"]
    x = Tensor(rng.normal(size=(4, 3)).astype(np.float32))
    np.testing.assert_array_equal(averaged.eval()(x).value, averaged.module(x).value)


@pytest.mark.parametrize("given", [{"avg_fn": get_ema_avg_fn(0.8)}, {"multi_avg_fn": get_ema_multi_avg_fn(0.8)}])
def test_the_exponential_average_forgets(given):
    rng, net = np.random.default_rng(0), model()
    averaged, wanted = AveragedModel(net, **given), None
    for _ in range(4):
        shake(net, rng)
        new = net[0].weight.value
        wanted = new if wanted is None else 0.8 * wanted + 0.2 * new
        held = averaged.module[0].weight.value
        copied = held.copy()
        averaged.update_parameters(net)
        np.testing.assert_array_equal(held, copied)        # given a new array, the old one not written to
    np.testing.assert_allclose(averaged.module[0].weight.value, wanted, rtol=1e-5)
    assert averaged.module[0].weight.dtype == np.float32


def test_buffers_are_copied_or_averaged():
    net = model()
    copies, means = AveragedModel(net), AveragedModel(net, use_buffers=True)
    for mean in (1.0, 4.0):
        net[1].running_mean.value = np.full(2, mean, np.float32)
        for averaged in (copies, means):
            averaged.update_parameters(net)
    assert copies.module[1].running_mean.tolist() == [4.0, 4.0]
    assert means.module[1].running_mean.tolist() == [2.5, 2.5]
    assert means.module[1].num_batches_tracked.dtype == np.int64


def test_update_bn_averages_over_one_pass_and_leaves_all_else():
    rng, net = np.random.default_rng(0), model()
    net.eval()
    batches = [rng.normal(size=(6, 3)).astype(np.float32) for _ in range(3)]
    before = net[0].weight.value
    update_bn([(Tensor(x), None) for x in batches], net)
    outs = [net[0](Tensor(x)).value for x in batches]
    np.testing.assert_allclose(net[1].running_mean.value, np.mean([y.mean(0) for y in outs], axis=0), rtol=1e-4)
    np.testing.assert_allclose(net[1].running_var.value, np.mean([y.var(0, ddof=1) for y in outs], axis=0), rtol=1e-4)
    assert (net[1].momentum, net.training, net[0].weight.value is before) == (0.1, False, True)
    update_bn([], nn.Linear(2, 2))                         # nothing to do


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_swalr_goes_from_the_rate_at_hand_to_its_own(strategy):
    p = Tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)
    schedule = optim.SWALR(optimizer, swa_lr=0.02, anneal_epochs=4, anneal_strategy=strategy)
    planned = [schedule.lr(t) for t in range(7)]
    for lr in planned:
        assert optimizer.param_groups[0]["lr"] == lr
        optimizer.step()
        schedule.step()
    assert planned[0] == 0.1 and planned[2] == pytest.approx(0.06) and planned[4:] == [0.02] * 3
    other = optim.SGD([p], lr=0.1)
    schedule = optim.SWALR(other, swa_lr=0.02, anneal_epochs=2, anneal_strategy="linear")
    other.param_groups[0]["lr"] = 0.06                     # where another schedule has left it
    for lr in (0.04, 0.02, 0.02):
        other.step()
        schedule.step()
        assert other.param_groups[0]["lr"] == pytest.approx(lr)


def test_what_is_wrong_is_said():
    net = model()
    with pytest.raises(ValueError) as error:
        AveragedModel(net, avg_fn=get_ema_avg_fn(), multi_avg_fn=get_ema_multi_avg_fn())
    assert str(error.value) == "give avg_fn or multi_avg_fn, not both"
    with pytest.raises(ValueError) as error:
        get_ema_avg_fn(1.5)
    assert str(error.value) == "decay must be in [0, 1]; got 1.5"
    with pytest.raises(ValueError, match="the model must have the parameters and buffers it had when it was copied"):
        AveragedModel(net).update_parameters(nn.Linear(3, 2))
    with pytest.raises(ValueError) as error:
        swa_utils.SWALR(optim.SGD([Tensor([1.0], requires_grad=True)]), 0.1, anneal_strategy="step")
    assert str(error.value) == "anneal_strategy must be 'cos' or 'linear'; got 'step'"
