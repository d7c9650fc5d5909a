"""Layers that add borders, give images another size, and lay channels and places out anew."""

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor

rng = np.random.default_rng(0)


def t(*shape):
    return Tensor(rng.standard_normal(shape))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize(("name", "mode"), [("ReflectionPad", "reflect"), ("ReplicationPad", "edge"),
                                            ("CircularPad", "wrap"), ("ZeroPad", "constant")])
def test_borders_are_numpys(name, mode, d):
    x, pairs = t(2, 3, *(5, 4, 6)[:d]), [(1, 2), (0, 3), (2, 1)][:d]
    layer = getattr(nn, f"{name}{d}d")(tuple(p for pair in reversed(pairs) for p in pair))
    wanted = np.pad(x.numpy(), [(0, 0), (0, 0), *pairs], mode=mode)
    assert (layer(x).numpy() == wanted).all() and (layer(x[1]).numpy() == wanted[1]).all()
    assert getattr(nn, f"{name}{d}d")(2)(x).shape == (2, 3, *[n + 4 for n in x.shape[2:]])


def test_constants_and_settings():
    x = t(1, 2, 3)
    assert (nn.ConstantPad1d((1, 0), 3.5)(x).numpy()[..., 0] == 3.5).all()
    assert nn.ConstantPad1d(-1, 0)(x).shape == (1, 2, 1) and nn.ConstantPad3d(1, 2.0)(t(2, 2, 2)).shape == (4, 4, 4)
    assert repr(nn.ConstantPad2d(2, 3.5)) == "ConstantPad2d(padding=(2, 2, 2, 2), value=3.5)"
    assert repr(nn.ZeroPad1d((1, 2))) == "ZeroPad1d((1, 2))"
    assert repr(nn.CircularPad1d(2)) == "CircularPad1d((2, 2))"


def test_errors_of_borders():
    assert refusal(ValueError, lambda: nn.ReflectionPad2d((1, 2))) == \
        "ReflectionPad2d: padding must be an integer or 4 of them, (before, after) of the last axis first; got (1, 2)"
    assert refusal(TypeError, lambda: nn.ZeroPad1d(1.5)) == \
        "ZeroPad1d: padding must be an integer or 2 of them; got 1.5"
    assert refusal(ShapeError, lambda: nn.ReplicationPad2d(1)(t(3, 3))) == \
        "ReplicationPad2d: expected 3D (one sample) or 4D (a batch) input (N, C, ...); got shape (3, 3)"
    with pytest.raises(ShapeError, match="reflect"):
        nn.ReflectionPad1d(3)(t(1, 1, 3))


@pytest.mark.parametrize(("pad", "mode", "wanted"), [
    ((3, 3), "reflect", [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]), ((-2, 3), "reflect", [2, 3, 2, 1, 0]),
    ((-4, 1), "reflect", [2]), ((-2, -1), "reflect", [2]), ((-2, -1), "replicate", [2]),
    ((-1, -2), "circular", [1]), ((5, 0), "replicate", [0] * 6 + [1, 2, 3]),
    ((-1, 4), "replicate", [1, 2] + [3] * 5), ((-5, 6), "replicate", [3] * 5), ((4, 0), "circular", [0, 1, 2, 3] * 2),
    ((-2, -2), "circular", []), ((-1, 2), "circular", [1, 2, 3, 1, 2]), ((-2, -2), "constant", [])])
def test_a_border_is_pytorchs(pad, mode, wanted):
    x = np.arange(4.0)
    for shape in ((1, 1, 4), (1, 4), (4,)):
        assert nn.functional.pad(x.reshape(shape), pad, mode).ravel().tolist() == wanted


@pytest.mark.parametrize(("pad", "mode"), [
    ((4, 0), "reflect"), ((-1, 4), "reflect"), ((-5, 7), "reflect"), ((-2, -2), "reflect"), ((-5, 1), "replicate"),
    ((-2, -2), "replicate"), ((5, 0), "circular"), ((-2, 3), "circular"), ((0, 5), "circular"), ((), "reflect"),
    ((1,), "reflect"), ((1, 1, 1), "replicate"), ((1, 1) * 4, "circular"), ((-2, -3), "constant"),
    ((-6, 3), "constant"), ((1,), "constant"), ((1, 1) * 4, "constant")])
def test_a_border_that_is_refused(pad, mode):
    with pytest.raises(ShapeError, match="pad: "):
        nn.functional.pad(np.arange(4.0).reshape(1, 1, 4), pad, mode)


def test_borders_of_few_and_of_many_axes():
    for mode in ("reflect", "replicate", "circular"):
        with pytest.raises(ShapeError, match="pads the last 1, 2 or 3 axes"):
            nn.functional.pad(t(2, 3, 4, 5), (1, 1), mode)
        with pytest.raises(ValueError, match="takes no value; got value=1"):
            nn.functional.pad(t(2, 3, 4), (1, 1), mode, 1.0)
        assert nn.functional.pad(t(0, 3, 4), (1, 1), mode, 0.0).shape == (0, 3, 6)
        with pytest.raises(ShapeError):
            nn.functional.pad(t(2, 3, 0), (1, 1), mode)


def test_upsampling():
    x = t(2, 3, 4, 6)
    assert (nn.Upsample(scale_factor=2)(x).numpy() == x.numpy().repeat(2, 2).repeat(2, 3)).all()
    assert (nn.UpsamplingNearest2d(scale_factor=2)(x).numpy() == nn.Upsample((8, 12))(x).numpy()).all()
    ramp = Tensor(np.arange(3.0)[None, None, None] + np.zeros((1, 1, 2, 1)))
    assert np.allclose(nn.UpsamplingBilinear2d((2, 5))(ramp).numpy()[0, 0, 0], [0, 0.5, 1, 1.5, 2])
    assert nn.Upsample(9, mode="linear")(t(1, 2, 5)).shape == (1, 2, 9)
    assert repr(nn.Upsample(scale_factor=2, mode="bilinear")) == "Upsample(scale_factor=2.0, mode='bilinear')"
    assert repr(nn.UpsamplingNearest2d((4, 5))) == "UpsamplingNearest2d(size=(4, 5), mode='nearest')"


def test_shuffles_move_and_lose_nothing():
    x = t(2, 8, 3, 5)
    assert nn.PixelShuffle(2)(x).shape == (2, 2, 6, 10)
    assert (nn.PixelUnshuffle(2)(nn.PixelShuffle(2)(x)).numpy() == x.numpy()).all()
    assert nn.ChannelShuffle(2)(x).numpy()[0, :, 0, 0].tolist() == x.numpy()[0, [0, 4, 1, 5, 2, 6, 3, 7], 0, 0].tolist()
    assert repr(nn.PixelShuffle(3)) == "PixelShuffle(upscale_factor=3)"


def test_fold_is_the_transpose_of_unfold():
    settings = {"kernel_size": (2, 3), "dilation": 1, "padding": 1, "stride": 2}
    x = t(2, 3, 6, 7)
    columns = nn.Unfold(**settings)(x)
    y = t(*columns.shape)
    back = nn.Fold((6, 7), **settings)(y)
    assert columns.shape == (2, 18, 16) and np.isclose((columns * y).sum().item(), (x * back).sum().item())
    assert repr(nn.Fold(4, 2)) == "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"


def test_distances():
    a, b = t(4, 3), t(4, 3)
    x, y = a.numpy(), b.numpy()
    assert np.allclose(nn.PairwiseDistance(eps=0)(a, b).numpy(), np.linalg.norm(x - y, axis=1))
    assert nn.PairwiseDistance(1, keepdim=True)(a, b).shape == (4, 1)
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    assert np.allclose(nn.CosineSimilarity()(a, b).numpy(), (x * y).sum(1) / norms)
    assert nn.CosineSimilarity(dim=0)(a, b).shape == (3,)
