"""Kernels that work in portions: right at every size of a portion, and wherever a shorter way is taken."""


import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor
from autograd.ops import rows, sliding, winograd
from nn import functional as F

RNG = np.random.default_rng(0)
FEW, MANY = RNG.standard_normal((4, 7)), RNG.standard_normal((5, 3, 300))


def exact_softmax(x):
    e = np.exp(x - np.max(x, -1, keepdims=True))
    return e / np.sum(e, -1, keepdims=True)


def exact_norm(x, eps=1e-5):
    return (x - np.mean(x, -1, keepdims=True)) / np.sqrt(np.var(x, -1, keepdims=True) + eps)


@pytest.fixture(params=[1, 16, 1 << 17])
def portion(request, monkeypatch):
    monkeypatch.setattr(rows, "PORTION", request.param)


@pytest.mark.usefixtures("portion")
@pytest.mark.parametrize("shift", [0, 60, 200, -60, -200])
@pytest.mark.parametrize("x", [FEW, MANY])
def test_softmax_wherever_the_logits_lie(x, shift):
    x = (x + shift).astype(np.float32)
    expected = exact_softmax(x.astype(np.float64))
    assert np.allclose(ag.softmax(x, dim=-1), expected, rtol=1e-5, atol=0)
    assert np.allclose(ag.log_softmax(x, dim=-1), np.log(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("portion")
def test_softmax_of_rows_of_every_kind_at_once():
    x = np.array([[0, 1, 2], [300, 0, -300], [-500, -500, -501], [-np.inf, 0, 1], [-90, -91, -np.inf], [1e38, 1, 2]],
                 np.float32)
    assert np.allclose(ag.softmax(x, dim=1), exact_softmax(x.astype(np.float64)), rtol=1e-5, atol=1e-38)
    hopeless = np.array([[0, 1], [np.nan, 1], [-np.inf, -np.inf], [np.inf, 0], [2, 3]], np.float32)
    out = ag.softmax(hopeless, dim=1)
    assert np.isnan(out[1:3]).all() and np.isnan(out[3, 0]), "as in PyTorch"
    assert np.allclose(out[[0, 4]], exact_softmax(hopeless[[0, 4]]), rtol=1e-6), "a row alone decides about itself"


def test_small_probabilities_keep_their_digits():
    x = np.array([[0, -60, -80], [-11, -71, -91]], np.float32)
    assert np.allclose(ag.softmax(x, dim=1), exact_softmax(x.astype(np.float64)), rtol=1e-5, atol=0)


@pytest.mark.usefixtures("portion")
@pytest.mark.parametrize("function, dim", [("softmax", 2), ("log_softmax", 2), ("standardize", 2),
                                           ("standardize", (1, 2))])
def test_gradient_does_not_depend_on_the_order_of_memory(function, dim):
    x, g = MANY.astype(np.float32), RNG.standard_normal(MANY.shape).astype(np.float32)
    found = []
    for order in "CF":
        t = ag.from_numpy(np.asarray(x, order=order)).requires_grad_()
        y = getattr(ag, function)(t, dim=dim)
        y.backward(Tensor(g))
        found.append((y.detach().numpy(), t.grad.numpy()))
    for a, b in zip(*found, strict=True):
        assert a.dtype == np.float32 and np.allclose(a, b, rtol=1e-4, atol=2e-6)


@pytest.mark.usefixtures("portion")
@pytest.mark.parametrize("mean", [0, 1000])
@pytest.mark.parametrize("bias, tile", [(True, 1), (False, 1), (True, 1800), (False, 1 << 13)])
def test_layer_norm_beside_its_definition(monkeypatch, mean, bias, tile):
    monkeypatch.setattr(rows, "TILE", tile)
    x = (MANY + mean).astype(np.float32)
    layer = nn.LayerNorm((3, 300), bias=bias)
    layer.weight.value = RNG.standard_normal((3, 300)).astype(np.float32)
    if bias:
        layer.bias.value = RNG.standard_normal((3, 300)).astype(np.float32)
    ours, g = Tensor(x, requires_grad=True), RNG.standard_normal(x.shape)
    y = layer(ours)
    y.backward(Tensor(g.astype(np.float32)))
    t, w = (Tensor(v.astype(np.float64), requires_grad=True) for v in (x, layer.weight.value))
    b = Tensor(layer.bias.value.astype(np.float64) if bias else np.zeros((3, 300)), requires_grad=True)
    flat = ag.reshape(t, shape=(5, 900))
    spread = flat - ag.mean(flat, dim=1, keepdim=True)
    z = spread / ag.sqrt(ag.mean(spread * spread, dim=1, keepdim=True) + 1e-5)
    expected = ag.reshape(z, shape=x.shape) * w + b
    expected.backward(Tensor(g))
    pairs = [(y, expected), (ours.grad, t.grad), (layer.weight.grad, w.grad)]
    for a, e in [*pairs, (layer.bias.grad, b.grad)] if bias else pairs:
        assert a.dtype == np.float32
        assert np.allclose(a.detach().numpy(), e.detach().numpy(), rtol=1e-4, atol=1e-5 if mean == 0 else 1e-3)


def test_normalising_long_rows_in_float32():
    x = RNG.standard_normal((2, 1 << 18)).astype(np.float32) + 3
    assert np.allclose(ag.standardize(x, dim=1), exact_norm(x.astype(np.float64)), atol=2e-6)
    assert np.allclose(ag.softmax(x, dim=1), exact_softmax(x.astype(np.float64)), rtol=2e-6, atol=0)


def test_the_user_finds_numpy_as_it_was():
    before = np.getbufsize(), np.geterr()
    for function in (ag.softmax, ag.log_softmax, ag.standardize):
        t = Tensor(MANY, requires_grad=True)
        function(t, dim=-1).sum().backward()
    assert (np.getbufsize(), np.geterr()) == before


def direct_convolution(x, w, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    seen = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("nchwij,ocij->nohw", seen, w)


@pytest.mark.parametrize("size", [1, 1 << 9, 1 << 17])
@pytest.mark.parametrize("shape, filters, padding", [((3, 8, 6, 7), 4, 0), ((3, 8, 6, 7), 4, 1), ((5, 1, 6, 6), 12, 0),
                                                     ((4, 2, 9, 5), 3, 2), ((2, 16, 5, 5), 6, 0)])
def test_convolution_in_blocks_of_every_size(monkeypatch, size, shape, filters, padding):
    monkeypatch.setattr(sliding, "BLOCK", size)
    monkeypatch.setattr(sliding, "PORTION", size)
    x, w = RNG.standard_normal(shape), RNG.standard_normal((filters, shape[1], 3, 3))
    ts = [Tensor(v.astype(np.float32), requires_grad=True) for v in (x, w, np.zeros(filters))]
    y = F.conv2d(*ts, padding=padding)
    assert np.allclose(y.detach().numpy(), direct_convolution(x, w, padding), rtol=1e-4, atol=1e-4)
    g = RNG.standard_normal(y.shape)
    y.backward(Tensor(g.astype(np.float32)))
    along = RNG.standard_normal(shape), RNG.standard_normal(w.shape)
    for t, direction, slope in zip(ts, along, (direct_convolution(along[0], w, padding),
                                               direct_convolution(x, along[1], padding))):
        assert np.isclose(np.sum(t.grad.numpy() * direction), np.sum(g * slope), rtol=1e-3, atol=1e-2)
    assert np.allclose(ts[2].grad.numpy(), g.sum((0, 2, 3)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("block", [1, 1 << 12, 1 << 18])
@pytest.mark.parametrize("size, padding", [((6, 8), 0), ((5, 8), 1), ((7, 9), 0), ((3, 5), 0), ((4, 3), 2)])
def test_four_results_at_once(monkeypatch, block, size, padding):
    monkeypatch.setattr(winograd, "BLOCK", block)
    monkeypatch.setattr(winograd, "CHANNELS", 1)
    x, w, b = (RNG.standard_normal(shape) for shape in ((3, 2, *size), (5, 2, 3, 3), (5,)))
    ts = [Tensor(v, requires_grad=True) for v in (x, w, b)]
    y = F.conv2d(*ts, padding=padding)
    assert np.allclose(y.detach().numpy(), direct_convolution(x, w, padding) + b[:, None, None], rtol=1e-11, atol=1e-12)
    g, along = RNG.standard_normal(y.shape), RNG.standard_normal(x.shape)
    y.backward(Tensor(g))
    slope = np.sum(g * direct_convolution(along, w, padding))
    assert np.isclose(np.sum(ts[0].grad.numpy() * along), slope, rtol=1e-10)


def test_four_results_at_once_are_as_exact():
    x, w = RNG.standard_normal((2, 64, 10, 10)), RNG.standard_normal((48, 64, 3, 3))
    x[0] += 1000                              # and of uneven sizes
    exact = direct_convolution(x, w, 0)
    made = F.conv2d(x.astype(np.float32), w.astype(np.float32))
    assert np.abs(made - exact)[0].max() < 0.2 and np.abs(made - exact)[1].max() < 2e-4


def test_a_shift_that_leaves_the_size_as_it_was():
    x, w = RNG.standard_normal((2, 2, 4)), RNG.standard_normal((2, 3, 4))
    moved = F.conv_transpose1d(x, w, stride=3, padding=1, output_padding=2, dilation=4)
    whole = F.conv_transpose1d(x, w, stride=3, output_padding=2, dilation=4)
    assert moved.shape == (2, 3, 22) and np.allclose(moved, whole[:, :, 1:23])


def test_images_stay_channels_last_in_memory_of_their_own():
    x = Tensor(RNG.standard_normal((2, 3, 8, 8)).astype(np.float32), requires_grad=True)
    w = Tensor(RNG.standard_normal((4, 3, 3, 3)).astype(np.float32), requires_grad=True)
    y = F.max_pool2d(F.conv2d(x, w, padding=1).relu(), 2)
    assert y.value.transpose(0, 2, 3, 1).flags.c_contiguous
    y.sum().backward()
    assert x.grad.value.transpose(0, 2, 3, 1).flags.c_contiguous and x.grad.value.base is None
