"""Separable convolutions, maxout, highways, cropping and other blocks: beside compositions of PyTorch's functions."""

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor

rng = np.random.default_rng(0)


def same(layer, theirs, *arrays):
    """Values, and the gradients of inputs and parameters, to 1e-12 in float64."""
    torch = pytest.importorskip("torch")
    layer = layer.double()
    for p in layer.parameters():
        p.data = Tensor(rng.standard_normal(p.shape))
    here = [Tensor(a, requires_grad=True) for a in arrays]
    there = [torch.tensor(a, requires_grad=True) for a in arrays]
    weights = {name: torch.tensor(p.detach().numpy(), requires_grad=True) for name, p in layer.named_parameters()}
    y, z = layer(*here), theirs(torch, weights, *there)
    assert tuple(y.shape) == tuple(z.shape) and np.abs(y.detach().numpy() - z.detach().numpy()).max() < 1e-12
    g = rng.standard_normal(tuple(z.shape))
    z.backward(torch.tensor(g))
    (y * g).sum().backward()
    pairs = [*zip(here, there), *((p, weights[name]) for name, p in layer.named_parameters())]
    for a, b in pairs:
        assert np.abs(a.grad.numpy() - b.grad.numpy()).max() < 1e-12


ROWS, IMAGE, SERIES = (rng.standard_normal(s) for s in ((4, 6), (2, 3, 6, 5), (2, 3, 8)))


def test_separable_convolutions():
    same(nn.DepthwiseConv1d(3, 3, 2, 1, depth_multiplier=2),
         lambda t, w, x: t.nn.functional.conv1d(x, w["weight"], w["bias"], 2, 1, groups=3), SERIES)
    same(nn.DepthwiseConv2d(3, (3, 2), bias=False),
         lambda t, w, x: t.nn.functional.conv2d(x, w["weight"], groups=3), IMAGE)
    same(nn.SeparableConv1d(3, 4, 3, padding=2, dilation=2), lambda t, w, x: t.nn.functional.conv1d(
        t.nn.functional.conv1d(x, w["depthwise.weight"], padding=2, dilation=2, groups=3), w["pointwise.weight"],
        w["pointwise.bias"]), SERIES)
    same(nn.SeparableConv2d(3, 4, 3, 2, 1, depth_multiplier=2), lambda t, w, x: t.nn.functional.conv2d(
        t.nn.functional.conv2d(x, w["depthwise.weight"], None, 2, 1, groups=3), w["pointwise.weight"],
        w["pointwise.bias"]), IMAGE)


def test_maxout_and_highway():
    same(nn.Maxout(6, 5, 3), lambda t, w, x: t.nn.functional.linear(x, w["weight"], w["bias"]).reshape(4, 5, 3).amax(2),
         ROWS)
    same(nn.Highway(6), lambda t, w, x: t.lerp(x, t.nn.functional.linear(x, w["plain.weight"], w["plain.bias"]).relu(),
                                               t.nn.functional.linear(x, w["gate.weight"], w["gate.bias"]).sigmoid()),
         ROWS)
    assert (nn.Highway(3).gate.bias.detach().numpy() == -1).all()
    assert "out_features=10, bias=True, pieces=2" in repr(nn.Maxout(6, 5))
    with pytest.raises(ValueError, match="at least 1"):
        nn.Maxout(6, 5, 0)


def test_scales_and_norms():
    same(nn.Scale(3), lambda t, w, x: x * w["weight"][:, None, None] + w["bias"][:, None, None], IMAGE)
    same(nn.Scale((6, 5), -2, bias=False), lambda t, w, x: x * w["weight"], IMAGE)
    same(nn.UnitNormalization(), lambda t, w, x: t.nn.functional.normalize(x, dim=-1), ROWS)
    assert (nn.Scale(3)(Tensor(IMAGE)).detach().numpy() == IMAGE).all()
    with pytest.raises(ShapeError, match="expected an input whose axes from 1"):
        nn.Scale(4)(Tensor(IMAGE))


def test_cropping_and_repeating():
    same(nn.Cropping1d((1, 2)), lambda t, w, x: x[..., 1:-2], SERIES)
    same(nn.Cropping2d((1, 0, 2, 1)), lambda t, w, x: x[..., 2:-1, 1:], IMAGE)
    same(nn.Cropping3d(1), lambda t, w, x: x[:, 1:-1, 1:-1, 1:-1], IMAGE)
    same(nn.RepeatVector(3), lambda t, w, x: x[:, None].repeat(1, 3, 1), ROWS)
    for error, call in ((ValueError, lambda: nn.Cropping2d((1, 2))), (ValueError, lambda: nn.Cropping1d((-1, 0))),
                        (ShapeError, lambda: nn.Cropping1d(5)(Tensor(SERIES))),
                        (ShapeError, lambda: nn.RepeatVector(2)(Tensor(SERIES)))):
        with pytest.raises(error):
            call()


def test_a_layer_at_each_step():
    convolved = lambda t, w, x: t.nn.functional.conv2d(x, w["module.weight"], w["module.bias"])
    same(nn.TimeDistributed(nn.Conv2d(1, 2, 3)),
         lambda t, w, x: t.stack([convolved(t, w, x[:, i]) for i in range(3)], 1), IMAGE[:, :, None])
    with pytest.raises(ShapeError, match="N, T"):
        nn.TimeDistributed(nn.ReLU())(Tensor([1.0]))


def test_a_network_by_its_sizes():
    model = nn.MLP(6, 8, 8, 2, activation=nn.Tanh, dropout=0.1)
    assert [type(layer).__name__ for layer in model] == [*["Linear", "Tanh", "Dropout"] * 2, "Linear"]
    same(nn.MLP(6, 8, 2, activation=nn.Tanh), lambda t, w, x: t.nn.functional.linear(
        t.nn.functional.linear(x, w["0.weight"], w["0.bias"]).tanh(), w["2.weight"], w["2.bias"]), ROWS)
    with pytest.raises(ValueError, match="sizes of input and output"):
        nn.MLP(3)
