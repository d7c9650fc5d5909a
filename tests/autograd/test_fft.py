"""Fourier transforms beside NumPy and central differences, first and second derivative."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, fft
from autograd.ops.shorttime import istft, stft

H = 1e-6
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fftn", "ifftn", "rfftn", "irfftn"]
REAL_INPUT = ("rfft", "ihfft")


def draw(kind, shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind == "c" else 0)


def real(z):
    return ag.cast(z, dtype=np.float64) if z.dtype.kind == "c" else z


def along(g, v):
    return float(np.sum(np.real(np.conj(g) * v)))


def check(f, x):
    kind = x.dtype.kind
    v, w = draw(kind, x.shape, 3), draw(kind, x.shape, 4)

    def first(h, record=False):
        t = Tensor(x + h * v, requires_grad=True)
        y = f(t)
        u = draw(y.dtype.kind, y.shape, 7)
        value = real((y * y * u).sum())        # of degree 2, so that there is a second derivative
        return value, *ag.gradients([value], [t], create_graph=record), t

    _, g, _ = first(0.0)
    slope = (float(first(H)[0].detach()) - float(first(-H)[0].detach())) / (2 * H)
    assert np.isclose(along(g.value, v), slope, rtol=1e-5, atol=1e-6) and g.dtype == x.dtype and g.shape == x.shape
    _, g, t = first(0.0, record=True)
    h, = ag.gradients([g], [t], [Tensor(w)])
    sides = [along(first(s)[1].value, w) for s in (H, -H)]
    assert np.isclose(along(h.value, v), (sides[0] - sides[1]) / (2 * H), rtol=1e-4, atol=1e-5)


def kinds(name):
    return "f" if name.startswith(REAL_INPUT) else "fc"


@pytest.mark.parametrize("norm", [None, "backward", "forward", "ortho"])
@pytest.mark.parametrize("n", [None, 4, 5, 9])
@pytest.mark.parametrize("name, kind", [(name, kind) for name in ONE for kind in kinds(name)])
def test_one_axis(name, kind, n, norm):
    for shape, dim in (((5,), -1), ((3, 6), 1), ((6, 3), 0)):
        x = draw(kind, shape)
        f = lambda t, dim=dim: getattr(fft, name)(t, n, dim, norm)
        assert np.allclose(f(x), getattr(np.fft, name)(x, n, dim, norm))
        check(f, x)


@pytest.mark.parametrize("norm", [None, "forward", "ortho"])
@pytest.mark.parametrize("s, dim", [(None, None), ((4, 3), (0, 1)), ((3, 5), (2, 0)), (None, (1, 2)), ((4,), (1,))])
@pytest.mark.parametrize("name, kind", [(name, kind) for name in MANY for kind in kinds(name)])
def test_several_axes(name, kind, s, dim, norm):
    x = draw(kind, (3, 4, 5))
    f = lambda t: getattr(fft, name)(t, s, dim, norm)
    assert np.allclose(f(x), getattr(np.fft, name)(x, s, dim, norm))
    check(f, x)


def test_two_axes_and_hermitian_signals():
    x, z = draw("f", (2, 4, 5)), draw("c", (2, 4, 5))
    for name in ("fft2", "ifft2", "rfft2", "irfft2"):
        assert np.allclose(getattr(fft, name)(x), getattr(np.fft, name)(x))
    spectrum = fft.ihfftn(x)
    assert np.allclose(fft.hfftn(spectrum, x.shape), x) and np.allclose(fft.hfft2(fft.ihfft2(x), (4, 5)), x)
    check(fft.hfftn, z)
    check(fft.ihfftn, x)
    check(lambda t: fft.hfft2(t, norm="ortho"), z)


def test_orders_and_frequencies():
    for n in (1, 4, 5):
        x = draw("f", (n, 3))
        assert np.array_equal(fft.fftshift(x), np.fft.fftshift(x))
        assert np.array_equal(fft.ifftshift(fft.fftshift(x, 0), 0), x)
        assert np.allclose(fft.fftfreq(n, 0.5).value, np.fft.fftfreq(n, 0.5))
        assert np.allclose(fft.rfftfreq(n).value, np.fft.rfftfreq(n)) and fft.rfftfreq(n).dtype == np.float32
    check(fft.fftshift, draw("c", (3, 4)))


def test_dtypes():
    t = Tensor(np.ones(4, np.float32), requires_grad=True)
    y = fft.rfft(t)
    assert y.dtype == np.complex64 and fft.irfft(y).dtype == np.float32 and fft.fft(t).dtype == np.complex64
    fft.irfft(y * y).sum().backward()
    assert t.grad.dtype == np.float32
    assert fft.fft(np.arange(4)).dtype == np.complex64, "integers become the default dtype"


@pytest.mark.parametrize("call, error, text", [
    (lambda: fft.rfft(np.ones(3, complex)), TypeError, "real input"),
    (lambda: fft.fft(np.ones(3), 0), ValueError, "Invalid number of data points"),
    (lambda: fft.fft(np.ones(3), dim=1), IndexError, "out of range"),
    (lambda: fft.fft(np.ones(3), norm="half"), ValueError, "'half'"),
    (lambda: fft.fft(np.float64(1)), ag.ShapeError, "at least one axis"),
    (lambda: fft.fftn(np.ones((3, 3)), (2,), (0, 1)), ValueError, "same length"),
    (lambda: fft.fftn(np.ones((3, 3)), dim=(0, 0)), ValueError, "unique"),
    (lambda: fft.irfft(np.ones(1)), ValueError, "Invalid number of data points"),
])
def test_wrong_inputs(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("options", [{}, {"hop_length": 3, "normalized": True}, {"win_length": 6}, {"onesided": False},
                                     {"pad_mode": "constant", "hop_length": 2}])
def test_short_time_transforms_and_back(options):
    x = draw("f", (2, 24))
    window = np.hanning(options.get("win_length", 8) + 2)[1:-1]
    back = {k: v for k, v in options.items() if k != "pad_mode"}
    y = stft(x, 8, window=window, return_complex=True, **options)
    assert y.shape[1] == (8 if options.get("onesided") is False else 5)
    assert np.allclose(istft(y, 8, window=window, length=24, **back), x)
    first = np.fft.fft(x[:, 4:12] * np.pad(window, (8 - len(window)) // 2))[:, :5]
    hop = options.get("hop_length", 2)
    if 8 % hop == 0 and not options.get("normalized"):
        assert np.allclose(y[:, :5, 8 // hop], first)
    check(lambda t: stft(t, 8, window=window, return_complex=True, **options), x)
    check(lambda t: istft(t, 8, window=window, **back), y)
    pair = stft(x, 8, window=window, return_complex=False, **options)
    assert np.allclose(pair[..., 0] + 1j * pair[..., 1], y)


def test_short_time_transforms_refuse_what_they_cannot_do():
    with pytest.raises(ValueError, match="return_complex"):
        stft(np.ones(9), 4)
    with pytest.raises(ag.ShapeError, match="1D window"):
        stft(np.ones(9), 4, window=np.ones(3), return_complex=True)
    with pytest.raises(ag.ShapeError, match="n_fft <= 3"):
        stft(np.ones(3), 4, center=False, return_complex=True)
    with pytest.raises(ValueError, match="overlap"):
        istft(np.ones((3, 4), complex), 4, hop_length=4, window=np.array([0.0, 1, 1, 1]), center=False)
