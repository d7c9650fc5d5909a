"""Pooling layers: what they take of each window, the way back, settings, errors."""

import numpy as np
import pytest

import autograd
import nn
from autograd import ShapeError, Tensor

rng = np.random.default_rng(0)


def t(*shape):
    return Tensor(rng.standard_normal(shape))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


def layers(name, *args, first=1, **settings):
    """The layer of that name for each number of axes, and an input."""
    return [(getattr(nn, f"{name}{d}d")(*args, **settings), t(2, 3, *(6, 8, 4)[:d]), d) for d in range(first, 4)]


def blocks(x, d, k=2):
    """(N, C, L/k..., k^d): windows side by side."""
    n, c, *size = x.shape
    parts = [m for length in size for m in (length // k, k)]
    x = x.reshape(n, c, *parts)
    order = (0, 1, *range(2, 2 + 2 * d, 2), *range(3, 3 + 2 * d, 2))
    return x.transpose(order).reshape(n, c, *[m // k for m in size], -1)


@pytest.mark.parametrize(("name", "args", "reduce"), [
    ("MaxPool", (2,), lambda b: b.max(-1)), ("AvgPool", (2,), lambda b: b.mean(-1)),
    ("LPPool", (2, 2), lambda b: (b ** 2).sum(-1) ** 0.5)])
def test_windows_side_by_side(name, args, reduce):
    for layer, x, d in layers(name, *args):
        wanted = reduce(blocks(x.numpy(), d))
        assert np.allclose(layer(x).numpy(), wanted) and np.allclose(layer(x[1]).numpy(), wanted[1])


def test_adaptive_windows():
    for layer, x, d in layers("AdaptiveAvgPool", 2):
        assert layer(x).shape == (2, 3, *[2] * d) and np.isclose(layer(x).mean().item(), x.mean().item())
    for layer, x, _ in layers("AdaptiveMaxPool", 1, return_indices=True):
        y, at = layer(x)
        flat = x.numpy().reshape(2, 3, -1)
        assert (y.numpy().reshape(2, 3) == flat.max(-1)).all() and (at.numpy().reshape(2, 3) == flat.argmax(-1)).all()
    x = t(2, 3, 6, 8)
    assert nn.AdaptiveAvgPool2d((None, 4))(x).shape == (2, 3, 6, 4)
    assert np.allclose(nn.AdaptiveAvgPool2d(1)(x).numpy()[..., 0, 0], x.numpy().mean((2, 3)))


def test_the_way_back_puts_elements_where_they_were():
    for layer, x, d in layers("MaxPool", 2, return_indices=True):
        y, at = layer(x)
        back = getattr(nn, f"MaxUnpool{d}d")(2)(y, at).numpy()
        assert (back[back != 0] == x.numpy()[back != 0]).all() and (back != 0).sum() == y.numel()
    x = t(1, 1, 7)
    y, at = nn.MaxPool1d(2, return_indices=True)(x)
    assert nn.MaxUnpool1d(2)(y, at).shape == (1, 1, 6) and nn.MaxUnpool1d(2)(y, at, output_size=[7]).shape == (1, 1, 7)


def test_fractional_windows():
    autograd.manual_seed(0)
    x = t(2, 3, 8, 9)
    y, at = nn.FractionalMaxPool2d(2, output_size=(4, 5), return_indices=True)(x)
    assert y.shape == (2, 3, 4, 5) and (x.numpy().reshape(2, 3, -1)[0, 1, at.numpy()[0, 1]] == y.numpy()[0, 1]).all()
    assert nn.FractionalMaxPool3d(2, output_ratio=0.5)(t(1, 2, 6, 6, 8)).shape == (1, 2, 3, 3, 4)
    samples = np.full((2, 3, 2), 0.5)
    layer = nn.FractionalMaxPool2d(2, output_ratio=(0.5, 0.5), _random_samples=samples)
    assert (layer(x).numpy() == layer(x).numpy()).all() and list(layer.state_dict()) == ["_random_samples"]
    assert layer(x[0]).shape == (3, 4, 4)                     # one sample takes the first of the draws


def test_settings():
    x = Tensor(np.arange(6.0)[None, None])
    assert nn.MaxPool1d(3, stride=1)(x).tolist() == [[[2, 3, 4, 5]]]
    assert nn.MaxPool1d(2, dilation=3, stride=1)(x).tolist() == [[[3, 4, 5]]]
    assert nn.AvgPool1d(4, ceil_mode=True)(x).tolist() == [[[1.5, 4.5]]]
    assert nn.AvgPool1d(2, padding=1)(x).tolist() == [[[0, 1.5, 3.5, 2.5]]]
    assert nn.AvgPool1d(2, padding=1, count_include_pad=False)(x).tolist() == [[[0, 1.5, 3.5, 5]]]
    assert nn.AvgPool2d(2, divisor_override=1)(Tensor(np.ones((1, 2, 2)))).tolist() == [[[4]]]
    assert repr(nn.MaxPool2d(3, 2, padding=1)) == \
        "MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)"
    assert repr(nn.AvgPool1d(3)) == "AvgPool1d(kernel_size=(3,), stride=(3,), padding=(0,))"
    assert repr(nn.AdaptiveAvgPool2d((1, None))) == "AdaptiveAvgPool2d(output_size=(1, None))"


def test_gradients_go_to_the_largest_and_to_all():
    x = Tensor(np.array([[[1.0, 3, 2, 2]]]), requires_grad=True)
    nn.MaxPool1d(2)(x).sum().backward()
    assert x.grad.tolist() == [[[0, 1, 1, 0]]]
    x.grad = None
    nn.AvgPool1d(4)(x).sum().backward()
    assert x.grad.tolist() == [[[0.25] * 4]]


def test_errors():
    assert refusal(ValueError, lambda: nn.MaxPool2d(0)) == \
        "MaxPool2d: non-positive kernel_size is not supported: expected at least 1; got 0"
    assert refusal(ShapeError, lambda: nn.AvgPool2d((2, 2, 2))) == \
        "AvgPool2d: expected kernel_size to be an int or a tuple of 2 ints; got (2, 2, 2)"
    assert refusal(ValueError, lambda: nn.FractionalMaxPool2d(2)) == \
        "FractionalMaxPool2d: exactly one of output_size and output_ratio must be given; got output_size=None, " \
        "output_ratio=None"
    assert refusal(ValueError, lambda: nn.FractionalMaxPool3d(2, output_ratio=1.5)) == \
        "FractionalMaxPool3d: output_ratio must be between 0 and 1, for each of 3 axes; got 1.5"
    assert refusal(ShapeError, lambda: nn.MaxPool2d(2)(t(2, 3))).startswith("max_pool2d: expected 3D (unbatched) or 4D")


@pytest.mark.parametrize("order", [np.inf, -np.inf])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_power_means_of_infinite_order(d, order):
    """max |x| or min |x| of each window, and the slope of the element that it is."""
    v = rng.standard_normal((2, 3, *(6, 8, 4)[:d]))
    wanted = (np.max if order > 0 else np.min)(blocks(np.abs(v), d), axis=-1)
    x = Tensor(v, requires_grad=True)
    y = getattr(nn.functional, f"lp_pool{d}d")(x, order, 2)
    assert (y.detach().numpy() == wanted).all()
    assert (getattr(nn, f"LPPool{d}d")(order, 2)(v) == wanted).all()
    y.sum().backward()
    slope = x.grad.numpy()
    assert (slope != 0).sum() == wanted.size and (slope == np.sign(v) * (slope != 0)).all()
    assert (np.sort(np.abs(v)[slope != 0]) == np.sort(wanted, axis=None)).all()
