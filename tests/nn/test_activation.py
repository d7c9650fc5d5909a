"""Activations: values by their formulas, derivatives at kinks as PyTorch takes them, no overflow anywhere."""

import math

import numpy as np
import pytest

import nn
from autograd import GradientError, ShapeError, Tensor, gradcheck, gradgradcheck, gradients
from nn import functional as F

X = np.array([-7.3, -3.2, -2.9, -1.7, -0.8, -0.3, 0.2, 0.7, 1.4, 2.8, 3.3, 6.5])      # at no kink


def phi(x):
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


def sig(x):
    return 1 / (1 + np.exp(-x))


FORMULAS = {
    "relu": (nn.ReLU(), lambda x: np.maximum(x, 0)),
    "relu6": (nn.ReLU6(), lambda x: np.clip(x, 0, 6)),
    "leaky_relu": (nn.LeakyReLU(0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "prelu": (nn.PReLU(), lambda x: np.where(x > 0, x, 0.25 * x)),
    "elu": (nn.ELU(0.7), lambda x: np.where(x > 0, x, 0.7 * (np.exp(x) - 1))),
    "selu": (nn.SELU(), lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1))),
    "celu": (nn.CELU(0.7), lambda x: np.maximum(x, 0) + np.minimum(0, 0.7 * (np.exp(x / 0.7) - 1))),
    "gelu": (nn.GELU(), lambda x: x * phi(x)),
    "gelu_tanh": (nn.GELU("tanh"),
                  lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))),
    "silu": (nn.SiLU(), lambda x: x * sig(x)),
    "mish": (nn.Mish(), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "sigmoid": (nn.Sigmoid(), sig),
    "logsigmoid": (nn.LogSigmoid(), lambda x: np.log(sig(x))),
    "hardsigmoid": (nn.Hardsigmoid(), lambda x: np.clip(x + 3, 0, 6) / 6),
    "hardswish": (nn.Hardswish(), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "tanh": (nn.Tanh(), np.tanh),
    "hardtanh": (nn.Hardtanh(-2, 1), lambda x: np.clip(x, -2, 1)),
    "tanhshrink": (nn.Tanhshrink(), lambda x: x - np.tanh(x)),
    "softplus": (nn.Softplus(2.0), lambda x: np.log1p(np.exp(2 * x)) / 2),
    "softsign": (nn.Softsign(), lambda x: x / (1 + np.abs(x))),
    "softshrink": (nn.Softshrink(), lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
    "hardshrink": (nn.Hardshrink(), lambda x: np.where(np.abs(x) > 0.5, x, 0)),
    "threshold": (nn.Threshold(0.5, -1.0), lambda x: np.where(x > 0.5, x, -1)),
    "softmax": (nn.Softmax(-1), lambda x: np.exp(x) / np.exp(x).sum()),
    "log_softmax": (nn.LogSoftmax(-1), lambda x: x - np.log(np.exp(x).sum())),
    "softmin": (nn.Softmin(-1), lambda x: np.exp(-x) / np.exp(-x).sum()),
    "glu": (nn.GLU(), lambda x: x[:6] * sig(x[6:])),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    module, formula = FORMULAS[name]
    module.double()
    assert np.allclose(module(Tensor(X)).detach().numpy(), formula(X), rtol=1e-12, atol=1e-14)
    assert module.float()(Tensor(X.astype(np.float32))).dtype == np.float32
    if name != "prelu":
        assert isinstance(module(X), np.ndarray)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives(name):
    module, _ = FORMULAS[name]
    module.double()
    assert gradcheck(module, X) and gradgradcheck(module, X)


def test_prelu_learns_a_slope_for_each_channel():
    v = np.random.default_rng(0).standard_normal((2, 3, 4))
    w = np.array([0.1, 0.2, 0.3])
    assert np.allclose(F.prelu(v, w), np.where(v > 0, v, v * w[:, None]))
    assert gradcheck(F.prelu, (v, w)) and gradgradcheck(F.prelu, (v, w))
    assert {n: p.shape for n, p in nn.PReLU(3).named_parameters()} == {"weight": (3,)}
    assert F.prelu(Tensor(-2.0), Tensor([0.5])).item() == -1
    with pytest.raises(ShapeError) as caught:
        F.prelu(v, np.ones(4))
    assert str(caught.value) == ("prelu: expected a weight (1,), or one slope for each channel; got weight (4,) and "
                                 "input (2, 3, 4), which has 3 channels on axis 1")


def slopes(f, points):
    x = Tensor(np.array(points, np.float64), requires_grad=True)
    return gradients(f(x).sum(), x)[0].tolist()


@pytest.mark.parametrize(("f", "points", "wanted"), [
    (F.relu, [0.0], [0]),
    (F.relu6, [0.0, 6.0], [0, 0]),
    (F.leaky_relu, [0.0], [0.01]),
    (lambda x: F.prelu(x, Tensor(np.array([0.25]))), [0.0], [0.25]),
    (F.hardtanh, [-1.0, 1.0], [0, 0]),
    (F.hardsigmoid, [-3.0, 3.0], [0, 0]),
    (F.hardswish, [-3.0, 3.0], [0, 1]),
    (F.softshrink, [-0.5, 0.5], [0, 0]),
    (F.hardshrink, [-0.5, 0.5], [0, 0]),
    (lambda x: F.threshold(x, 1, 0), [1.0], [0]),
    (F.softsign, [0.0], [1]),
])
def test_slopes_at_kinks_are_pytorch_s(f, points, wanted):
    assert slopes(f, points) == wanted


@pytest.mark.parametrize(("f", "x", "value", "slope"), [
    (F.mish, -1000.0, 0, 0), (F.mish, 1000.0, 1000, 1), (F.silu, -1000.0, 0, 0), (F.silu, 1000.0, 1000, 1),
    (F.logsigmoid, -1000.0, -1000, 1), (F.softplus, 1000.0, 1000, 1), (F.softplus, -1000.0, 0, 0),
    (F.sigmoid, -800.0, 0, 0), (F.tanh, 400.0, 1, 0), (F.selu, -1e4, -1.7580993408473766, 0), (F.elu, 1e4, 1e4, 1),
    (lambda x: F.gelu(x, "tanh"), -1e4, 0, 0), (lambda x: F.gelu(x, "tanh"), 1e4, 1e4, 1),
    (lambda x: F.gelu(x, "tanh"), -10.0, -1.0 * 10 / (1 + math.exp(2 * math.sqrt(2 / math.pi) * 54.715)), None),
])
def test_far_from_zero(f, x, value, slope):
    with np.errstate(over="raise", invalid="raise"):
        assert f(Tensor(np.float64(x))).item() == pytest.approx(value, rel=1e-12, abs=1e-300)
        if slope is not None:
            assert slopes(f, [x]) == [pytest.approx(slope, abs=1e-300)]


@pytest.mark.parametrize("f", [F.relu, F.relu6, F.leaky_relu, F.elu, F.hardtanh, F.hardsigmoid, F.hardswish,
                               F.softshrink, F.hardshrink, F.softsign, F.mish, F.gelu, lambda x: F.threshold(x, 0, 1)])
def test_nan_stays_nan(f):
    assert np.isnan(f(Tensor([np.nan])).item())


def test_softmax_without_an_axis_warns_as_pytorch_does():
    with pytest.warns(UserWarning, match="softmax was given no dim and takes 1 for 2 axes, as PyTorch: say dim=1"):
        assert np.allclose(F.softmax(np.zeros((2, 4))), 0.25)
    with pytest.warns(UserWarning, match="takes 0 for 3 axes"):
        nn.LogSoftmax()(Tensor(np.zeros((2, 2, 2))))
    assert F.softmax(Tensor([1, 2]), 0, dtype="float64").dtype == np.float64


@pytest.mark.parametrize(("module", "text"), [
    (nn.ReLU(), "ReLU()"), (nn.ReLU(inplace=True), "ReLU(inplace=True)"),
    (nn.LeakyReLU(0.1, True), "LeakyReLU(negative_slope=0.1, inplace=True)"), (nn.GELU(), "GELU(approximate='none')"),
    (nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"), (nn.Hardtanh(), "Hardtanh(min_val=-1.0, max_val=1.0)"),
    (nn.Softmax(dim=1), "Softmax(dim=1)"), (nn.Softshrink(), "Softshrink(0.5)"),
    (nn.PReLU(3), "PReLU(num_parameters=3)"),
    (nn.Threshold(0.1, 20), "Threshold(threshold=0.1, value=20)"), (nn.ELU(), "ELU(alpha=1.0)"), (nn.Mish(), "Mish()"),
])
def test_repr(module, text):
    assert repr(module) == text


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda: F.glu(np.zeros((2, 3))), ShapeError,
     "glu: expected an even number of elements on axis -1, to halve it; got shape (2, 3)"),
    (lambda: nn.GELU("erf"), ValueError, "GELU: approximate must be 'none' or 'tanh'; got 'erf'"),
    (lambda: F.gelu(X, "erf"), ValueError, "gelu: approximate must be 'none' or 'tanh'; got 'erf'"),
    (lambda: nn.Hardtanh(1, -1), ValueError, "Hardtanh: min_val must be below max_val; got 1 and -1"),
    (lambda: F.softshrink(X, -1), ValueError, "softshrink: lambd must not be negative; got -1"),
    (lambda: F.celu(X, 0), ValueError, "celu: alpha must not be 0, it divides x"),
])
def test_what_is_refused(act, error, text):
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == text


@pytest.mark.parametrize("module", [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.Mish,
                                    nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh])
def test_inplace_puts_the_result_in_the_input_and_changes_no_gradient(module):
    data = np.linspace(-4, 8, 25)
    grads = []
    for inplace in (False, True):
        x = Tensor(data, requires_grad=True)
        y = x * 1
        out = module(inplace=inplace)(y)
        assert (out is y) == inplace
        (out * out).sum().backward()
        grads.append(x.grad.value)
    assert np.array_equal(*grads)
    with pytest.raises(GradientError, match="leaf"):
        module(inplace=True)(Tensor(data, requires_grad=True))


def test_softmin_turns_the_sign_before_the_cast():
    """As PyTorch does; without a cast it refuses integers, here only those that have no negative."""
    v = np.array([0, 1, 200], np.uint8)
    with pytest.raises(TypeError, match="softmin: expected floats; got uint8"):
        nn.functional.softmin(Tensor(v), 0)
    wrapped = np.exp(np.array([0.0, 255.0, 56.0]) - 255)
    assert np.allclose(nn.functional.softmin(v, 0, dtype=np.float64), wrapped / wrapped.sum(), rtol=1e-14, atol=0)
    e = np.exp(-np.array([-1.0, 2.0]))
    assert np.allclose(nn.functional.softmin(Tensor(np.array([-1, 2])), 0, dtype=np.float64).numpy(), e / e.sum())
