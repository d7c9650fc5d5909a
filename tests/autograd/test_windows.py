"""Convolution, pooling, resizing and warping, against definitions written out as loops, and what they refuse."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor
from autograd.ops import adaptive, conv, image, pool, sliding, unpool, warp, windows
from autograd.sweep import pull

RNG = np.random.default_rng(0)


def draw(*shape, dtype=np.float64):
    return RNG.standard_normal(shape).astype(dtype)


def tuples(value, d):
    return tuple(value) if isinstance(value, tuple) else (value,) * d


def convolved(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """The definition, one output at a time."""
    d = x.ndim - 2
    s, p, e = tuples(stride, d), tuples(padding, d), tuples(dilation, d)
    x = np.pad(x, [(0, 0), (0, 0), *[(q, q) for q in p]])
    out = [(n - f * (k - 1) - 1) // t + 1 for n, k, t, f in zip(x.shape[2:], w.shape[2:], s, e)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    c, many = w.shape[1], w.shape[0] // groups
    for n, o, *at in np.ndindex(*y.shape):
        seen = x[(n, slice(o // many * c, (o // many + 1) * c),
                  *[slice(i * t, i * t + f * (k - 1) + 1, f) for i, k, t, f in zip(at, w.shape[2:], s, e)])]
        y[(n, o, *at)] = np.sum(seen * w[o]) + (0 if b is None else b[o])
    return y


CONVOLUTIONS = [
    ((2, 3, 9), (4, 3, 3), {}),
    ((2, 1, 6, 7), (9, 1, 3, 3), {"padding": 1}),
    ((2, 3, 9), (4, 3, 3), {"stride": 2, "padding": 1}),
    ((2, 3, 9), (4, 3, 3), {"stride": 4, "dilation": 2}),
    ((2, 4, 9), (6, 2, 2), {"groups": 2, "padding": 3}),
    ((2, 3, 6, 7), (4, 3, 3, 2), {"padding": (1, 2)}),
    ((2, 3, 6, 7), (4, 3, 1, 1), {}),
    ((2, 3, 6, 7), (4, 3, 3, 3), {"stride": (2, 3), "padding": (1, 0), "dilation": (2, 1)}),
    ((2, 8, 6, 7), (4, 8, 3, 3), {"padding": 1}),
    ((2, 4, 6, 7), (8, 1, 3, 3), {"groups": 4, "padding": 1}),
    ((2, 4, 6, 7), (4, 1, 3, 3), {"groups": 4, "padding": 1, "stride": 2}),
    ((2, 16, 5, 5), (4, 8, 2, 2), {"groups": 2}),
    ((1, 2, 3, 4, 5), (3, 2, 2, 2, 3), {"padding": (0, 1, 1), "stride": (1, 2, 1)}),
]


@pytest.mark.parametrize("block", [sliding.BLOCK, 100])
@pytest.mark.parametrize("shape, kernel, how", CONVOLUTIONS)
def test_convolution_is_its_definition(shape, kernel, how, block, monkeypatch):
    monkeypatch.setattr(sliding, "BLOCK", block)      # whatever the blocks, the sums are the same
    x, w, b = draw(*shape), draw(*kernel), draw(kernel[0])
    function = (conv.conv1d, conv.conv2d, conv.conv3d)[len(shape) - 3]
    y = function(x, w, b, **how)
    assert np.allclose(y, convolved(x, w, b, **how), rtol=1e-12)
    ts = [Tensor(v, requires_grad=True) for v in (x, w, b)]
    g = draw(*y.shape)
    dx, dw, db = pull([function(*ts, **how)], [g], ts)
    assert dx.shape == x.shape and dw.shape == w.shape
    v = draw(*shape)                                   # linear in each: <g, f(v, w)> = <dx, v>
    assert np.isclose(np.sum(dx * v), np.sum(g * function(v, w, **how)))
    v = draw(*kernel)
    assert np.isclose(np.sum(dw * v), np.sum(g * function(x, v, **how)))
    assert np.allclose(db, g.sum((0, *range(2, g.ndim))))


@pytest.mark.parametrize("shape, kernel, how", CONVOLUTIONS)
def test_conv_transpose_is_the_transpose(shape, kernel, how):
    x, w = draw(*shape), draw(*kernel)
    d = len(shape) - 2
    y = convolved(x, w, **how)
    s, p, e = (tuples(how.get(k, v), d) for k, v in (("stride", 1), ("padding", 0), ("dilation", 1)))
    more = [n - ((m - 1) * a - 2 * q + f * (k - 1) + 1)
            for n, m, a, q, f, k in zip(shape[2:], y.shape[2:], s, p, e, kernel[2:])]
    g = draw(*y.shape)
    function = (conv.conv_transpose1d, conv.conv_transpose2d, conv.conv_transpose3d)[d - 1]
    back = function(g, w, output_padding=tuple(more), **how)
    assert back.shape == x.shape
    assert np.isclose(np.sum(back * x), np.sum(g * y))


def test_conv_same_valid_unbatched_and_bias():
    x, w, b = draw(2, 3, 7, 6), draw(4, 3, 4, 3), draw(4)
    same = conv.conv2d(x, w, b, padding="same")
    assert same.shape == (2, 4, 7, 6)
    assert np.allclose(same, convolved(np.pad(x, [(0, 0), (0, 0), (1, 2), (1, 1)]), w, b))
    assert np.array_equal(conv.conv2d(x, w, b, padding="valid"), conv.conv2d(x, w, b))
    assert np.allclose(conv.conv2d(x[0], w, b), conv.conv2d(x, w, b)[0])
    assert conv.conv2d(input=Tensor(x), weight=Tensor(w)).shape == (2, 4, 4, 4)
    t = Tensor(draw(2, 4, 3, 3))
    assert np.allclose((conv.conv_transpose2d(t, w, draw(3) * 0 + 2.0) - conv.conv_transpose2d(t, w)).value, 2)
    assert conv.conv_transpose2d(t[0], w).shape == (3, 6, 5)


def test_conv_of_an_empty_batch():
    x, w = Tensor(np.ones((0, 3, 5, 5)), requires_grad=True), Tensor(np.ones((2, 3, 3, 3)), requires_grad=True)
    y = conv.conv2d(x, w)
    y.sum().backward()
    assert y.shape == (0, 2, 3, 3) and x.grad.shape == x.shape and not w.grad.value.any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_conv_keeps_the_dtype(dtype):
    x, w = draw(2, 3, 6, 6, dtype=dtype), draw(4, 3, 3, 3, dtype=dtype)
    y = conv.conv2d(x, w, padding=1)
    assert y.dtype == dtype
    assert np.allclose(y, convolved(np.float64(x), np.float64(w), padding=1), rtol=0, atol=40 * np.finfo(dtype).eps)


def test_second_derivative_of_conv():
    x, w = Tensor(draw(2, 2, 5), requires_grad=True), Tensor(draw(3, 2, 3), requires_grad=True)
    y = conv.conv1d(x, w, stride=2, padding=1)
    gx, gw = pull([(y * y * y).sum()], [Tensor(1.0, dtype="float64")], [x, w], record=True)
    found = pull([(gx * gx).sum() + (gw * gw).sum()], [np.float64(1)], [x])[0]

    def value(at):
        t, u = Tensor(at, requires_grad=True), Tensor(w.value, requires_grad=True)
        z = conv.conv1d(t, u, stride=2, padding=1)
        a, b = pull([(z * z * z).sum()], [np.float64(1)], [t, u])
        return np.sum(a * a) + np.sum(b * b)

    v, h = draw(2, 2, 5), 1e-6
    slope = (value(x.value + h * v) - value(x.value - h * v)) / (2 * h)
    assert np.isclose(np.sum(found * v), slope, rtol=1e-6)


X, W = np.ones((2, 3, 8, 8)), np.ones((4, 3, 3, 3))


@pytest.mark.parametrize("call, error, says", [
    (lambda: conv.conv2d(X, np.ones((4, 2, 3, 3))), ShapeError, "to have 2 channels, but got 3 channels instead"),
    (lambda: conv.conv2d(X, W, groups=2), ShapeError, "to have 6 channels, but got 3"),
    (lambda: conv.conv2d(X, np.ones((4, 1, 3, 3)), groups=3), ShapeError, "divisible by 3"),
    (lambda: conv.conv2d(X, W, groups=0), ValueError, "groups to be a positive int"),
    (lambda: conv.conv2d(X, np.ones((4, 3, 9, 9))), ShapeError, "Kernel size can't be greater than actual input"),
    (lambda: conv.conv2d(X, W, dilation=5), ShapeError, r"spans \(11, 11\) with dilation"),
    (lambda: conv.conv2d(X, W, stride=0), ValueError, "non-positive stride is not supported"),
    (lambda: conv.conv2d(X, W, stride=-1), ValueError, "non-positive stride"),
    (lambda: conv.conv2d(X, W, padding=-1), ValueError, "negative padding"),
    (lambda: conv.conv2d(X, W, padding=(1, 2, 3)), ShapeError, "a tuple of 2 ints"),
    (lambda: conv.conv2d(X, W, stride=1.5), TypeError, "an int or a tuple of 2 ints"),
    (lambda: conv.conv2d(X, W, padding="some"), ValueError, "'same' or 'valid'; got 'some'"),
    (lambda: conv.conv2d(X, W, padding="same", stride=2), ValueError, "not supported for strided"),
    (lambda: conv.conv2d(X, W, np.ones(3)), ShapeError, "with 4 elements, but got bias of size"),
    (lambda: conv.conv2d(X[0, 0], W), ShapeError, "3D .unbatched. or 4D .batched. input"),
    (lambda: conv.conv2d(X, W[0]), ShapeError, "weight of 4 axes"),
    (lambda: conv.conv_transpose2d(X, W), ShapeError, "to have 4 channels, but got 3"),
    (lambda: conv.conv_transpose2d(X, np.ones((3, 2, 3, 3)), output_padding=1), ValueError, "output padding must be"),
    (lambda: conv.conv_transpose2d(X[..., :1], np.ones((3, 2, 1, 1)), padding=9), ShapeError, "too small"),
    (lambda: pool.max_pool2d(X, 3, padding=2), ShapeError, "at most half"),
    (lambda: pool.max_pool2d(X, 9), ShapeError, "does not fit"),
    (lambda: pool.max_pool2d(X, 0), ValueError, "non-positive kernel_size"),
    (lambda: pool.max_pool2d(X, 2, stride=-2), ValueError, "non-positive stride"),
    (lambda: pool.max_pool2d(X, 2, dilation=0), ValueError, "non-positive dilation"),
    (lambda: pool.max_pool1d(X, 2), ShapeError, "2D .unbatched. or 3D"),
    (lambda: pool.avg_pool2d(X, 2, divisor_override=0), ValueError, "divisor must be not zero"),
    (lambda: adaptive.adaptive_avg_pool2d(X, (2, 2, 2)), ShapeError, "a tuple of 2 ints"),
    (lambda: adaptive.adaptive_avg_pool2d(X, -1), ValueError, "negative output_size"),
    (lambda: adaptive.adaptive_max_pool2d(np.ones((2, 0, 3, 3)), 1), ShapeError, "no empty axis"),
    (lambda: windows.unfold(X, 9), ShapeError, "do not fit"),
    (lambda: windows.unfold(X[0, 0], 2), ShapeError, "3D or 4D"),
    (lambda: windows.fold(np.ones((2, 8, 5)), (4, 4), 2), ShapeError, "3 x 3 windows; got 5 columns"),
    (lambda: windows.fold(np.ones((2, 7, 9)), (4, 4), 2), ShapeError, "a multiple of 4"),
    (lambda: image.pad(X[0], (8, 0), "reflect"), ShapeError, "at most 7"),
    (lambda: image.pad(X[0], (9, 0), "circular"), ShapeError, "at most 8"),
    (lambda: image.pad(X, (1, 1), "mirror"), ValueError, "'reflect', 'replicate' or 'circular'; got 'mirror'"),
    (lambda: image.pad(X, (1, 1), "reflect"), ShapeError, "pads the last"),
    (lambda: image.interpolate(X), ValueError, "either size or scale_factor"),
    (lambda: image.interpolate(X, 2, 2.0), ValueError, "either size or scale_factor"),
    (lambda: image.interpolate(X, 2, mode="linear"), ShapeError, "1 spatial axes"),
    (lambda: image.interpolate(X, 2, mode="cubic"), ValueError, "expected mode one of"),
    (lambda: image.interpolate(X, 2, align_corners=True), ValueError, "does nothing"),
    (lambda: image.interpolate(X, (2, 0)), ShapeError, "greater than 0"),
    (lambda: image.interpolate(X, (2, 2, 2)), ShapeError, "2 of them"),
    (lambda: image.pixel_shuffle(X, 2), ShapeError, "square of upscale_factor"),
    (lambda: image.pixel_unshuffle(X, 3), ShapeError, "divisible by downscale_factor"),
    (lambda: image.channel_shuffle(X, 2), ShapeError, "divisible by groups"),
    (lambda: warp.grid_sample(X, np.ones((2, 4, 4, 3))), ShapeError, "expected x"),
    (lambda: warp.grid_sample(X, np.ones((2, 4, 4, 2)), "cubic"), ValueError, "expected mode"),
    (lambda: warp.affine_grid(np.ones((2, 2, 2)), (2, 1, 4, 4)), ShapeError, "affine matrices"),
])
def test_errors_say_what_arrived(call, error, says):
    with pytest.raises(error, match=says):
        call()


# -- pooling ---------------------------------------------------------------------------------------------


def pooled(x, kernel, stride, padding, dilation, fill, f):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=fill)
    span = dilation * (kernel - 1) + 1
    rows = [range(0, n - span + 1, stride) for n in x.shape[2:]]
    return np.array([[f(x[:, :, i:i + span:dilation, j:j + span:dilation]) for j in rows[1]] for i in rows[0]]) \
        .transpose(2, 3, 0, 1)


@pytest.mark.parametrize("kernel, stride, padding, dilation", [(2, 2, 0, 1), (3, 2, 1, 1), (2, 1, 1, 2), (3, 4, 0, 2)])
@pytest.mark.parametrize("last", [False, True])
def test_pooling_is_its_definition(kernel, stride, padding, dilation, last):
    x = draw(2, 3, 9, 8)
    t = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2) if last else x
    y = pool.max_pool2d(t, kernel, stride, padding, dilation)
    assert np.array_equal(y, pooled(x, kernel, stride, padding, dilation, -np.inf, lambda w: w.max((2, 3))))
    y, index = pool.max_pool2d(t, kernel, stride, padding, dilation, return_indices=True)
    assert np.array_equal(np.take_along_axis(x.reshape(2, 3, -1), index.reshape(2, 3, -1), 2).reshape(y.shape), y)
    g = draw(*y.shape)
    leaf = Tensor(t, requires_grad=True)
    expected = np.zeros((6, 72))
    np.add.at(expected, (np.arange(6)[:, None], index.reshape(6, -1)), g.reshape(6, -1))
    found, = pull([pool.max_pool2d(leaf, kernel, stride, padding, dilation)], [g], [leaf])
    assert np.allclose(found, expected.reshape(x.shape))
    if dilation == 1:
        y = pool.avg_pool2d(t, kernel, stride, padding)
        assert np.allclose(y, pooled(x, kernel, stride, padding, 1, 0, lambda w: w.mean((2, 3))))


def test_the_first_of_equals_and_not_a_number():
    x = Tensor(np.zeros((1, 1, 2, 4), "f4"), requires_grad=True)
    y = pool.max_pool2d(x, 2)
    y.sum().backward()
    assert x.grad.tolist() == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]
    y, index = pool.max_pool1d(Tensor([[[1.0, np.nan, 2.0, -np.inf, -np.inf, -np.inf]]]), 3, return_indices=True)
    assert np.isnan(y.value[0, 0, 0]) and y.value[0, 0, 1] == -np.inf and index.tolist() == [[[1, 3]]]
    _, index = pool.max_pool1d(np.full((1, 1, 4), -np.inf), 2, 2, 1, return_indices=True)
    assert index.tolist() == [[[0, 1, 3]]], "never in the border"


def test_a_gradient_that_is_infinite_stays_where_it_belongs():
    x = Tensor(np.arange(4.0).reshape(1, 1, 4), requires_grad=True)
    found, = pull([pool.max_pool1d(x, 2)], [np.array([[[np.inf, 1.0]]])], [x])
    assert found.tolist() == [[[0, np.inf, 0, 1]]]


def test_windows_at_the_end():
    x = np.arange(1.0, 8.0).reshape(1, 1, 7)
    assert pool.max_pool1d(x, 3, 2, ceil_mode=True).tolist() == [[[3, 5, 7]]]
    assert pool.max_pool1d(x, 2, ceil_mode=True).tolist() == [[[2, 4, 6, 7]]]
    assert pool.avg_pool1d(x, 2, ceil_mode=True).tolist() == [[[1.5, 3.5, 5.5, 7]]], "what ceil_mode adds is not there"
    assert pool.avg_pool1d(x, 3, 3, 1).tolist() == [[[1, 4, 13 / 3]]]
    assert pool.avg_pool1d(x, 3, 3, 1, count_include_pad=False).tolist() == [[[1.5, 4, 6.5]]]
    assert pool.avg_pool2d(x[None], (1, 2), divisor_override=4).tolist() == [[[[0.75, 1.75, 2.75]]]]
    assert pool.max_pool1d(np.array([[[3, 1, 2, 5]]]), 2).tolist() == [[[3, 5]]]


def test_power_mean_pooling():
    x = np.abs(draw(2, 3, 6))
    expected = (x.reshape(2, 3, 3, 2) ** 3).sum(-1) ** (1 / 3)
    assert np.allclose(pool.lp_pool1d(x, 3, 2), expected)
    assert np.allclose(pool.lp_pool2d(x[..., None], 3, (2, 1)), expected[..., None])


@pytest.mark.parametrize("n, m", [(7, 3), (6, 3), (3, 5), (5, 5), (4, 1)])
def test_adaptive_windows(n, m):
    x = draw(2, 3, n, 5)
    parts = [x[:, :, i * n // m:-(-((i + 1) * n) // m)] for i in range(m)]
    assert np.allclose(adaptive.adaptive_avg_pool2d(x, (m, None)), np.stack([p.mean(2) for p in parts], 2))
    y, index = adaptive.adaptive_max_pool2d(x, (m, None), return_indices=True)
    assert np.array_equal(y, np.stack([p.max(2) for p in parts], 2))
    assert np.array_equal(np.take_along_axis(x.reshape(2, 3, -1), index.reshape(2, 3, -1), 2).reshape(y.shape), y)
    for function in (adaptive.adaptive_avg_pool2d, adaptive.adaptive_max_pool2d):
        t = Tensor(x, requires_grad=True)
        assert ag.gradcheck(lambda t, function=function: function(t, (m, 2)), (t,))
    assert adaptive.adaptive_avg_pool1d(x[0], 2).shape == (3, n, 2)
    assert adaptive.adaptive_avg_pool3d(x[None], 1).shape == (1, 2, 1, 1, 1)


def test_grid_modes_by_number():
    x, grid = draw(1, 2, 4, 5), draw(1, 3, 3, 2)
    expected = warp.grid_sample(x, grid, "nearest", "reflection", True)
    assert np.array_equal(warp.grid_sampler_2d(x, grid, 1, 2, True), expected)
    assert warp.grid_sampler_3d(x[None], draw(1, 2, 2, 2, 3), 0, 0, False).shape == (1, 1, 2, 2, 2)


def test_unpooling_puts_back():
    x = draw(2, 3, 6, 4)
    y, index = pool.max_pool2d(x, 2, return_indices=True)
    back = unpool.max_unpool2d(y, index, 2)
    assert np.array_equal(back, np.where(np.isin(x, y), x, 0))
    assert unpool.max_unpool2d(y[0], index[0], 2, output_size=(7, 5)).shape == (3, 7, 5)
    t = Tensor(np.array([[[2.0, 3.0]]]), requires_grad=True)
    twice = unpool.max_unpool1d(t, np.array([[[1, 1]]]), 2)
    twice.sum().backward()
    assert twice.tolist() == [[[0, 3, 0, 0]]] and t.grad.tolist() == [[[1, 1]]], "PyTorch's convention"
    for index, says in ((np.array([[[1, 4]]]), "0..3"), (np.array([[[1, -1]]]), "-1 to 1")):
        with pytest.raises(IndexError, match=says):
            unpool.max_unpool1d(t, index, 2)
    with pytest.raises(ShapeError, match="within a stride"):
        unpool.max_unpool1d(t, np.array([[[0, 1]]]), 2, output_size=(9,))


def test_windows_along_an_axis():
    x = draw(2, 7, 3)
    y = image.unfold_axis(x, 1, 3, 2)
    assert y.shape == (2, 3, 3, 3) and np.array_equal(y[:, 1], x[:, 2:5].transpose(0, 2, 1))
    with pytest.raises(ShapeError, match="maximum size for tensor at dimension 1 is 7 but size is 8"):
        image.unfold_axis(x, 1, 8)
    with pytest.raises(ValueError, match="step > 0"):
        image.unfold_axis(x, 1, 2, 0)


def test_unfold_and_fold():
    x = draw(2, 3, 6, 5)
    columns = windows.unfold(x, (2, 3), padding=1, stride=2, dilation=(2, 1))
    w = draw(4, 3, 2, 3)
    y = conv.conv2d(x, w, padding=1, stride=2, dilation=(2, 1))
    assert np.allclose(w.reshape(4, -1) @ columns, y.reshape(2, 4, -1)), "a product with columns is a convolution"
    g = draw(*columns.shape)
    assert np.isclose(np.sum(windows.fold(g, (6, 5), (2, 3), (2, 1), 1, 2) * x), np.sum(g * columns))
    assert np.array_equal(windows.unfold(x[0], 2), windows.unfold(x, 2)[0])


# -- images ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode, numpys", [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_borders(mode, numpys):
    x = draw(2, 3, 4, 5)
    y = image.pad(x, (2, 3, 1, 0), mode)
    assert np.array_equal(y, np.pad(x, [(0, 0), (0, 0), (1, 0), (2, 3)], mode=numpys))
    t, g = Tensor(x, requires_grad=True), draw(*y.shape)
    found, = pull([image.pad(t, (2, 3, 1, 0), mode)], [g], [t])
    v = draw(*x.shape)
    assert np.isclose(np.sum(found * v), np.sum(g * image.pad(v, (2, 3, 1, 0), mode)))
    assert image.pad(x, (-1, 2), mode="constant", value=7.0)[0, 0, 0, -1] == 7
    assert image.pad(x, (-1, -1, 0, 0), mode).shape == (2, 3, 4, 3)


def test_resizing():
    x = np.arange(4.0).reshape(1, 1, 4)
    assert image.interpolate(x, scale_factor=2).tolist() == [[[0, 0, 1, 1, 2, 2, 3, 3]]]
    assert image.interpolate(x, 3, mode="nearest-exact").tolist() == [[[0, 2, 3]]]
    assert image.interpolate(x, 7, mode="linear", align_corners=True).tolist() == [[[0, .5, 1, 1.5, 2, 2.5, 3]]]
    assert image.interpolate(x, 8, mode="linear").tolist() == [[[0, .25, .75, 1.25, 1.75, 2.25, 2.75, 3]]]
    assert image.interpolate(x, 2, mode="area").tolist() == [[[.5, 2.5]]]
    assert image.upsample_nearest(x, 2).tolist() == [[[0, 2]]]
    plane = np.add.outer(np.arange(5.0), 10 * np.arange(6.0))[None, None]
    for mode in ("bilinear", "bicubic"):
        y = image.interpolate(plane, (9, 11), mode=mode, align_corners=True)
        inner = y[0, 0, 2:-2, 2:-2]
        assert np.allclose(inner, np.add.outer(np.arange(1, 3.1, .5), 10 * np.arange(1, 4.1, .5))), "planes stay planes"
        half = image.interpolate(np.ones((1, 1, 9, 9)), (4, 3), mode=mode, antialias=True)
        assert np.allclose(half, 1)
    y = image.interpolate(np.ones((1, 1, 2, 3, 4)), scale_factor=(2, 1, .5), mode="trilinear")
    assert y.shape == (1, 1, 4, 3, 2)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_resizing_is_linear(mode):
    x, t = draw(2, 3, 5, 4), Tensor(draw(2, 3, 5, 4), requires_grad=True)
    y = image.interpolate(t, (7, 3), mode=mode)
    g = draw(*y.shape)
    found, = pull([y], [g], [t])
    assert np.isclose(np.sum(found * x), np.sum(g * image.interpolate(x, (7, 3), mode=mode)))
    assert image.interpolate(x.astype("f4"), (7, 3), mode=mode).dtype == np.float32


def test_shuffles():
    x = draw(2, 8, 3, 4)
    y = image.pixel_shuffle(x, 2)
    assert y.shape == (2, 2, 6, 8) and np.array_equal(image.pixel_unshuffle(y, 2), x)
    assert y[1, 1, 3, 5] == x[1, 4 + 2 * 1 + 1, 1, 2]
    assert np.array_equal(image.channel_shuffle(x, 2)[:, :4], x[:, [0, 4, 1, 5]])


@pytest.mark.parametrize("mode, padding_mode, aligned", list(product(
    ["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [True, False])))
def test_the_grid_of_the_identity_reads_the_image(mode, padding_mode, aligned):
    x, theta = draw(2, 3, 4, 5), np.tile(np.eye(2, 3), (2, 1, 1))
    grid = warp.affine_grid(theta, x.shape, aligned)
    assert np.allclose(warp.grid_sample(x, grid, mode, padding_mode, aligned), x)
    t, moved = Tensor(x, requires_grad=True), Tensor(draw(2, 4, 5, 2) * 0.7, requires_grad=True)
    inputs = (t,) if mode == "nearest" else (t, moved)
    assert ag.gradcheck(lambda t, m=moved: warp.grid_sample(t, m, mode, padding_mode, aligned), inputs)


def test_grids_outside_and_not_numbers():
    x = np.arange(6.0).reshape(1, 1, 2, 3)
    grid = np.array([[[[np.nan, 0.0], [9.0, 0.0]]]])
    assert warp.grid_sample(x, grid).tolist() == [[[[0, 0]]]]
    assert warp.grid_sample(x, grid, padding_mode="border", align_corners=True).tolist() == [[[[1.5, 3.5]]]]
    assert warp.grid_sample(np.ones((1, 2, 2, 2, 2)), np.zeros((1, 1, 1, 1, 3))).tolist() == [[[[[1.0]]]] * 2]
    assert warp.affine_grid(np.tile(np.eye(3, 4), (2, 1, 1)), (2, 1, 2, 3, 4)).shape == (2, 2, 3, 4, 3)
