"""Convolution layers: against sums written out, the transpose against the convolution, parameters, errors."""

from itertools import product

import numpy as np
import pytest

import autograd
import nn
from autograd import ShapeError, Tensor

rng = np.random.default_rng(0)


def t(*shape, dtype=np.float64):
    return Tensor(rng.standard_normal(shape).astype(dtype))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


def written_out(x, weight, bias, stride, padding, dilation, groups):
    """The definition, place by place."""
    d = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    kernel = weight.shape[2:]
    size = [(n - e * (k - 1) - 1) // s + 1 for n, k, s, e in zip(x.shape[2:], kernel, stride, dilation)]
    y = np.zeros((x.shape[0], weight.shape[0], *size))
    many = weight.shape[0] // groups
    for o, at in product(range(weight.shape[0]), product(*map(range, size))):
        first = o // many * weight.shape[1]
        window = x[(slice(None), slice(first, first + weight.shape[1]),
                    *[slice(i * s, i * s + e * (k - 1) + 1, e) for i, s, e, k in zip(at, stride, dilation, kernel)])]
        y[(slice(None), o, *at)] = (window * weight[o]).sum(tuple(range(1, d + 2))) + bias[o]
    return y


@pytest.mark.parametrize(("d", "settings"), [
    (1, {}), (1, {"stride": 2, "padding": 1, "groups": 2}), (2, {"padding": (1, 2), "dilation": 2}),
    (2, {"groups": 4, "stride": (2, 1)}), (3, {"padding": 1})])
def test_convolutions_are_sums_over_windows(d, settings):
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[d - 1](4, 8, (3, 2, 2)[:d], dtype="float64", **settings)
    x = t(2, 4, *(7, 6, 4)[:d])
    wanted = written_out(x.numpy(), layer.weight.value, layer.bias.value, layer.stride, layer.padding, layer.dilation,
                         layer.groups)
    assert np.allclose(layer(x).detach().numpy(), wanted)
    assert np.allclose(layer(x[1]).detach().numpy(), wanted[1])


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_transpose_is_the_transpose(d):
    """<conv(x), y> = <x, transpose(y)>, with the same weight."""
    settings = {"stride": 2, "padding": 1, "bias": False, "dtype": "float64"}
    forth = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[d - 1](4, 6, 3, groups=2, **settings)
    back = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[d - 1](6, 4, 3, groups=2, **settings)
    assert back.weight.shape == forth.weight.shape
    back.weight = forth.weight
    x = t(2, 4, *(6, 5, 4)[:d])
    y = t(*forth(x).shape)
    again = back(y, output_size=x.shape)
    assert again.shape == x.shape == back(y, output_size=list(x.shape[2:])).shape
    assert np.isclose((forth(x) * y).sum().item(), (x * again).sum().item())


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes(mode):
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
    x = t(2, 2, 5, 6, dtype=np.float32)
    plain = nn.functional.conv2d(nn.functional.pad(x, (2, 2, 1, 1), mode), layer.weight, layer.bias)
    assert np.allclose(layer(x).detach().numpy(), plain.detach().numpy())
    same = nn.Conv2d(2, 3, (4, 2), padding="same", dilation=(1, 2), padding_mode=mode)
    assert same(x).shape == (2, 3, 5, 6)
    assert nn.Conv2d(2, 3, 2, padding="valid", padding_mode=mode)(x).shape == (2, 3, 4, 5)


def test_parameters():
    autograd.manual_seed(0)
    layer = nn.Conv2d(16, 32, 3, groups=4)
    assert {k: p.shape for k, p in layer.named_parameters()} == {"weight": (32, 4, 3, 3), "bias": (32,)}
    bound = 1 / 6                                            # 1/sqrt(4 * 9)
    assert all(np.abs(p.value).max() <= bound for p in layer.parameters()) and np.abs(layer.weight.value).max() > 0.16
    assert nn.ConvTranspose2d(16, 32, 3, groups=4).weight.shape == (16, 8, 3, 3)
    assert list(nn.Conv1d(2, 3, 1, bias=False).state_dict()) == ["weight"]
    assert nn.Conv2d(2, 2, 1, dtype="float64").bias.dtype == np.float64
    assert repr(nn.Conv2d(4, 6, 3, 2, padding="valid", groups=2, bias=False, padding_mode="reflect")) == \
        "Conv2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=valid, groups=2, bias=False, padding_mode=reflect)"
    assert repr(nn.ConvTranspose1d(4, 6, 3, stride=2, output_padding=1, dilation=2)) == \
        "ConvTranspose1d(4, 6, kernel_size=(3,), stride=(2,), dilation=(2,), output_padding=(1,))"


def test_a_layer_learns_the_kernel_that_made_the_data():
    autograd.manual_seed(1)
    x, true = t(8, 1, 8, 8, dtype=np.float32), nn.Conv2d(1, 2, 3, padding=1)
    y, layer = true(x).detach(), nn.Conv2d(1, 2, 3, padding=1)
    for _ in range(200):
        layer.zero_grad()
        ((layer(x) - y) ** 2).mean().backward()
        for p in layer.parameters():
            p.data = p.detach() - 0.3 * p.grad
    assert np.allclose(layer.weight.value, true.weight.value, atol=1e-3)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: nn.Conv2d(3, 8, 3, groups=2), "Conv2d: in_channels must be divisible by groups; got 3 and groups 2"),
    (lambda: nn.Conv1d(4, 6, 3, groups=4), "Conv1d: out_channels must be divisible by groups; got 6 and groups 4"),
    (lambda: nn.Conv2d(4, 6, 3, groups=0), "Conv2d: groups must be a positive integer; got 0"),
    (lambda: nn.Conv2d(4, 6, 3, padding="full"),
     "Conv2d: padding must be an int, a tuple of 2, 'same' or 'valid'; got 'full'"),
    (lambda: nn.Conv2d(4, 6, 3, 2, padding="same"),
     "Conv2d: padding='same' is not supported for strided convolutions; got stride (2, 2)"),
    (lambda: nn.Conv2d(4, 6, 3, padding_mode="mirror"),
     "Conv2d: padding_mode must be one of zeros, reflect, replicate, circular; got 'mirror'"),
    (lambda: nn.ConvTranspose2d(4, 6, 3, padding_mode="reflect"),
     "ConvTranspose2d: only padding_mode 'zeros' is supported; got 'reflect'"),
    (lambda: nn.Conv2d(4, 6, (3, 3, 3)),
     "Conv2d: expected kernel_size to be an int or a tuple of 2 ints; got (3, 3, 3)"),
    (lambda: nn.Conv2d(4, 6, 0), "Conv2d: non-positive kernel_size is not supported: expected at least 1; got 0"),
])
def test_what_cannot_be_made(make, text):
    assert refusal(ValueError, make) == text


@pytest.mark.parametrize(("layer", "shape", "text"), [
    (lambda: nn.Conv2d(3, 8, 3), (2, 32, 32, 3),
     "expected an input (N, C, H, W) or (C, H, W) with 3 channels; got 32 in an input of shape (2, 32, 32, 3): are "
     "the channels last? x.permute(0, 3, 1, 2) brings them to the front"),
    (lambda: nn.Conv2d(1, 8, 3), (64, 28, 28),
     "expected an input (N, C, H, W) or (C, H, W) with 1 channels; got 64 in an input of shape (64, 28, 28): if "
     "that is a batch, x.unsqueeze(1) adds the channel"),
    (lambda: nn.Conv2d(1, 8, 3), (28, 28),
     "expected an input (N, C, H, W) or (C, H, W) with 1 channels; got shape (28, 28): x.unsqueeze(0) adds the "
     "channel"),
    (lambda: nn.Conv1d(3, 8, 3), (2, 5, 9),
     "expected an input (N, C, L) or (C, L) with 3 channels; got 5 in an input of shape (2, 5, 9): make the layer "
     "Conv1d(5, 8, ...), or mend what comes before it"),
    (lambda: nn.ConvTranspose2d(3, 8, 3), (2, 5),
     "expected an input (N, C, H, W) or (C, H, W) with 3 channels; got shape (2, 5): 4 axes are a batch, 3 one sample"),
])
def test_a_layer_says_what_input_it_wanted(layer, shape, text):
    made = layer()
    assert refusal(ShapeError, lambda: made(t(*shape, dtype=np.float32))) == f"{made}: {text}"


def test_a_window_larger_than_its_input_and_sizes_out_of_reach():
    assert "Kernel size can't be greater than actual input size" in \
        refusal(ShapeError, lambda: nn.Conv2d(1, 1, 5)(t(1, 1, 4, 4, dtype=np.float32)))
    layer = nn.ConvTranspose1d(1, 1, 3, stride=2)
    assert layer(t(1, 1, 4, dtype=np.float32), output_size=[10]).shape == (1, 1, 10)
    assert refusal(ValueError, lambda: layer(t(1, 1, 4, dtype=np.float32), output_size=[11])) == \
        "ConvTranspose1d: requested an output size of (11,), but valid sizes range from (9,) to (10,) (for an input " \
        "of (4,))"
    assert refusal(RuntimeError, lambda: nn.Conv2d(1, 1, 1, device="cuda:0")) == \
        "Conv2d: everything is computed on the CPU here; leave device='cuda:0' out, or say " \
        "device = 'cuda' if autograd.cuda.is_available() else 'cpu'"
