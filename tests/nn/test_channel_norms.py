"""Normalisation of channels: batch, instance and group norm, their op, and the layouts of memory it works on."""

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, gradcheck, gradgradcheck, no_grad
from nn import functional as F

rng = np.random.default_rng(0)


def t(*shape, dtype=np.float64):
    return Tensor(rng.standard_normal(shape).astype(dtype))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


def standard(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def wide(v, ndim):
    return v.reshape(-1, *[1] * (ndim - 2))


LAYOUTS = [(6, 5), (7, 5, 3), (4, 5, 6, 7), (3, 5, 2, 2, 2), (130, 300), (33, 3, 40, 50), (2, 1, 1, 2)]


@pytest.mark.parametrize("shape", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "channels last", "strided"])
def test_batch_norm_in_every_layout_of_memory(shape, order):
    x = rng.standard_normal(shape) * 3 + 1
    if order == "channels last":
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    elif order == "strided":
        x = np.repeat(x, 2, axis=-1)[..., ::2]
    w, b, g = rng.standard_normal(shape[1]), rng.standard_normal(shape[1]), rng.standard_normal(shape)
    axes = (0, *range(2, len(shape)))
    leaf, weight, bias = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True), Tensor(b, requires_grad=True)
    mean, var = Tensor(np.zeros(shape[1])), Tensor(np.ones(shape[1]))
    y = F.batch_norm(leaf, mean, var, weight, bias, True, 0.1)
    z, s = standard(x, axes), 1 / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    assert np.allclose(y.detach().numpy(), z * wide(w, x.ndim) + wide(b, x.ndim))
    assert np.allclose(mean.numpy(), 0.1 * x.mean(axes))
    assert np.allclose(var.numpy(), 0.9 + 0.1 * x.var(axes, ddof=1))
    y.backward(Tensor(g))
    assert np.allclose(bias.grad.numpy(), g.sum(axes)) and np.allclose(weight.grad.numpy(), (g * z).sum(axes))
    h = g * wide(w, x.ndim)
    wanted = s * (h - h.mean(axes, keepdims=True) - z * (h * z).mean(axes, keepdims=True))
    assert np.allclose(leaf.grad.numpy(), wanted, atol=1e-10)


@pytest.mark.parametrize("shape", [(4, 3), (2, 2, 3, 2), (3, 1, 5)])
def test_batch_norm_gradients_of_gradients(shape):
    x, w, b = (Tensor(rng.standard_normal(s), requires_grad=True) for s in (shape, shape[1:2], shape[1:2]))
    mean, var = (Tensor(np.full(shape[1], v)) for v in (0.0, 1.0))
    for run in (lambda x, w, b: F.batch_norm(x, mean, var, w, b, True), lambda x, w, b: F.batch_norm(x, None, None, w,
                b, True), lambda x, w, b: F.batch_norm(x, mean, var, w, b, False)):
        assert gradcheck(run, (x, w, b)) and gradgradcheck(run, (x, w, b))
    assert gradgradcheck(lambda x: F.batch_norm(x, None, None, None, None, True), (x,))


def test_float32_stays_accurate_far_from_zero():
    x = (rng.standard_normal((16, 4, 20, 20)) + 300).astype(np.float32)
    fine, g = standard(x.astype(np.float64), (0, 2, 3)), rng.standard_normal(x.shape).astype(np.float32)
    leaf = Tensor(x, requires_grad=True)
    y = F.batch_norm(leaf, None, None, None, None, True)
    assert y.dtype == np.float32 and np.abs(y.detach().numpy() - fine).max() < 1e-3
    y.backward(Tensor(g))
    double = Tensor(x.astype(np.float64), requires_grad=True)
    F.batch_norm(double, None, None, None, None, True).backward(Tensor(g.astype(np.float64)))
    assert leaf.grad.dtype == np.float32 and np.abs(leaf.grad.numpy() - double.grad.numpy()).max() < 1e-3


def test_half_precision_no_grad_and_nothing():
    x = t(8, 3, 4, dtype=np.float16)
    layer = nn.BatchNorm1d(3).half()
    assert layer(x).dtype == np.float16 and layer.running_mean.dtype == np.float16
    layer = nn.BatchNorm1d(3, dtype="float64")
    with no_grad():
        layer(t(8, 3))
    assert layer.num_batches_tracked.item() == 1 and np.abs(layer.running_mean.value).min() > 0
    before = layer.running_mean.value
    assert layer(t(0, 3)).shape == (0, 3) and (layer.running_mean.value == before).all()


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"])
def test_running_statistics_stand_in_for_the_batch(name):
    d = int(name[-2])
    layer = getattr(nn, name)(3, momentum=None, dtype="float64")
    batches = [t(5, 3, *(4, 3, 2)[:d]) * 2 + 1 for _ in range(3)]
    for x in batches:
        layer(x)
    axes = (0, *range(2, d + 2))
    assert np.allclose(layer.running_mean.value, np.mean([x.numpy().mean(axes) for x in batches], axis=0))
    x = batches[0]
    wanted = (x.numpy() - wide(layer.running_mean.value, d + 2)) / np.sqrt(wide(layer.running_var.value, d + 2) + 1e-5)
    assert np.allclose(layer.eval()(x).detach().numpy(), wanted)
    layer.reset_parameters()
    assert layer.num_batches_tracked.item() == 0 and (layer.running_var.value == 1).all()


def test_what_batch_norm_says():
    assert refusal(ShapeError, lambda: nn.BatchNorm2d(3)(t(2, 8, 8, 3))) == \
        "BatchNorm2d(3): expected an input (N, C, H, W) with 3 channels on axis 1; got shape (2, 8, 8, 3): are the " \
        "channels last? x.movedim(-1, 1) brings them there"
    assert refusal(ShapeError, lambda: nn.BatchNorm2d(3)(t(2, 3))) == \
        "BatchNorm2d(3): expected an input (N, C, H, W) with 3 channels on axis 1; got shape (2, 3): BatchNorm1d " \
        "takes it"
    assert refusal(ValueError, lambda: nn.BatchNorm1d(3, eps=0)(t(2, 3))) == \
        "batch_norm: eps must be positive; got 0: a channel whose elements are all equal would be divided by 0"
    assert nn.SyncBatchNorm(3)(t(4, 3, 2, dtype=np.float32)).shape == (4, 3, 2)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_instance_norm(d):
    kind = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[d - 1]
    x, axes = t(4, 3, *(5, 4, 2)[:d]) * 3 + 1, tuple(range(2, d + 2))
    assert np.allclose(kind(3)(x).numpy(), standard(x.numpy(), axes))
    assert np.allclose(kind(3)(x[1]).numpy(), standard(x.numpy(), axes)[1]) and not kind(3).state_dict()
    layer = kind(3, affine=True, track_running_stats=True, dtype="float64")
    layer(x)
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert np.allclose(layer.running_mean.value, 0.1 * x.numpy().mean((0, *axes)))
    wanted = (x.numpy() - wide(layer.running_mean.value, d + 2)) / np.sqrt(wide(layer.running_var.value, d + 2) + 1e-5)
    assert np.allclose(layer.eval()(x).detach().numpy(), wanted)


def test_what_instance_norm_says():
    assert refusal(ShapeError, lambda: nn.InstanceNorm1d(3, affine=True)(t(2, 4, 5))) == \
        "InstanceNorm1d(3): expected an input (C, L) or (N, C, L) with 3 channels on axis 1; got shape (2, 4, 5)"
    with pytest.warns(UserWarning, match="has 4 channels on axis 1"):
        nn.InstanceNorm1d(3)(t(2, 4, 5))
    assert refusal(ShapeError, lambda: nn.InstanceNorm2d(3)(t(3, 5))) == \
        "InstanceNorm2d(3): expected an input (C, H, W) or (N, C, H, W); got shape (3, 5)"


def test_group_and_rms_norm():
    x = t(2, 6, 4, 5)
    grouped = standard(x.numpy().reshape(2, 3, -1), 2).reshape(x.shape)
    assert np.allclose(nn.GroupNorm(3, 6, dtype="float64")(x).detach().numpy(), grouped)
    assert repr(nn.GroupNorm(3, 6, bias=False)) == "GroupNorm(3, 6, eps=1e-05, affine=True, bias=False)"
    assert refusal(ValueError, lambda: nn.GroupNorm(4, 6)) == \
        "GroupNorm: num_channels must be divisible by num_groups; got 6 and 4"
    rms = nn.RMSNorm((4, 5), eps=0.0, dtype="float64")
    assert np.allclose((rms(x).detach().numpy() ** 2).mean((2, 3)), 1) and list(rms.state_dict()) == ["weight"]
    assert repr(nn.RMSNorm(5)) == "RMSNorm((5,), eps=None, elementwise_affine=True)"
    assert refusal(ShapeError, lambda: rms(t(2, 5))).startswith("rms_norm: expected an input whose last axes are")


def test_local_response_norm():
    x = t(2, 5, 3, 3)
    squares = np.pad(x.numpy() ** 2, [(0, 0), (1, 1), (0, 0), (0, 0)])
    mean = (squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]) / 3
    wanted = x.numpy() / (2 + 0.5 * mean) ** 0.75
    assert np.allclose(nn.LocalResponseNorm(3, 0.5, 0.75, 2)(x).numpy(), wanted)
    assert np.allclose(nn.CrossMapLRN2d(3, 0.5, 0.75, 2)(x).numpy(), wanted)
    assert repr(nn.CrossMapLRN2d(3)) == "CrossMapLRN2d(3, alpha=0.0001, beta=0.75, k=1)"
